#include "constellm/model/text.hpp"

#include <string>

#include "constellm/core/error.hpp"
#include "step.hpp"

namespace constellm::model {
namespace {

/// Numbers per token embedding, and of the matrix that leads from them to the width d or back.
struct Embedding {
  double width;
  double projection;

  Embedding(const TextEnds& ends, double d)
      : width(ends.embed_width > 0 ? real(ends.embed_width) : d), projection(width == d ? 0.0 : width * d) {}
};

/// A look-up: no FLOP but the projection's, and only the rows of the tokens at hand are read.
LayerProfile token_embedding(const TextEnds& ends, double d, const Pass& pass) {
  const Step step(pass);
  const Embedding embedding(ends, d);
  const double beside = embedding.projection + real(ends.embed_vectors);
  LayerProfile layer;
  layer.name = "token-embedding";
  layer.parameters = embedding.width * real(ends.vocabulary) + d * real(ends.positions) + beside;
  layer.flop = step.matrix_flop(embedding.projection);
  layer.workspace_bytes = step.per_token_bytes(d);
  layer.output_bytes = step.per_token_bytes(d);
  layer = complete(layer, step);
  const double row = embedding.width + (ends.positions > 0 ? d : 0.0);
  layer.read_bytes = (step.batch * step.tokens * row + beside) * step.weight_element;
  return layer;
}

/// A sampled token travels as a 32-bit number.
constexpr double kTokenBytes = 4.0;

/// Final norm, projection and logits of the newest token of each sequence: 2 (d e + e V) FLOP. A
/// tied matrix is stored again here, because the embedding may be on another host, but is no new
/// parameter. Of several chunks only the last needs logits, hence the division.
LayerProfile language_head(const TextEnds& ends, double d, const Pass& pass) {
  const Step step(pass);
  const Embedding embedding(ends, d);
  const double vocabulary = real(ends.vocabulary);
  const double matrix = embedding.width * vocabulary;
  const double share = 1.0 / real(pass.chunks);
  LayerProfile layer;
  layer.name = "head";
  layer.flop = share * 2.0 * step.batch * (embedding.projection + matrix);
  layer.parameters =
      real(ends.norm_vectors) + embedding.projection + matrix + (ends.head_bias ? vocabulary : 0.0);
  layer.workspace_bytes = step.batch * (d + vocabulary) * step.activation_element;
  layer.output_bytes = step.batch * kTokenBytes;
  layer = complete(layer, step);
  layer.read_bytes *= share;
  if (ends.tied) layer.parameters -= matrix;
  return layer;
}

}  // namespace

void validate(const TextEnds& ends, std::string_view where) { core::check_ranges(ends, where); }

std::vector<LayerProfile> decoder(const std::vector<BlockShape>& shapes, const TextEnds& ends,
                                  const Pass& pass, Granularity granularity, bool separate_ends) {
  validate(ends, "");
  std::vector<LayerProfile> middle = blocks(shapes, pass, granularity);
  return with_ends(token_embedding(ends, real(shapes.front().width), pass), std::move(middle),
                   language_head(ends, real(shapes.back().width), pass), separate_ends);
}

}  // namespace constellm::model
