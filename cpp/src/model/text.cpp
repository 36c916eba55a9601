#include "constellm/model/text.hpp"

#include <string>

#include "constellm/core/error.hpp"
#include "step.hpp"

namespace constellm::model {
namespace {

/// A look-up: no FLOP, and only the rows of the tokens at hand are read.
LayerProfile token_embedding(const TextEnds& ends, const TransformerShape& shape, const Pass& pass) {
  const Step step(pass);
  const double d = real(shape.width);
  LayerProfile layer;
  layer.name = "token-embedding";
  layer.parameters = d * (real(ends.vocabulary) + real(ends.positions));
  layer.workspace_bytes = step.per_token_bytes(d);
  layer.output_bytes = step.per_token_bytes(d);
  layer = complete(layer, step);
  const double rows = ends.positions > 0 ? 2.0 : 1.0;
  layer.read_bytes = step.batch * step.tokens * rows * d * step.weight_element;
  return layer;
}

/// A sampled token travels as a 32-bit number.
constexpr double kTokenBytes = 4.0;

/// Final norm and logits of the newest token of each sequence: 2 d V FLOP. A tied matrix is
/// stored again here, because the embedding may be on another host, but is no new parameter.
/// Of several chunks only the last needs logits, hence the division.
LayerProfile language_head(const TextEnds& ends, const TransformerShape& shape, const Pass& pass) {
  const Step step(pass);
  const double matrix = real(shape.width) * real(ends.vocabulary);
  const double norm = real(shape.norm_parameters) * real(shape.width);
  const double share = 1.0 / real(pass.chunks);
  LayerProfile layer;
  layer.name = "head";
  layer.flop = share * 2.0 * step.batch * matrix;
  layer.parameters = norm + matrix;
  layer.workspace_bytes = step.batch * (real(shape.width) + real(ends.vocabulary)) * step.activation_element;
  layer.output_bytes = step.batch * kTokenBytes;
  layer = complete(layer, step);
  layer.read_bytes *= share;
  if (ends.tied) layer.parameters = norm;
  return layer;
}

}  // namespace

void validate(const TextEnds& ends, std::string_view where) {
  const std::string prefix(where);
  require_count(prefix + "vocabulary", ends.vocabulary, 1);
  require_count(prefix + "positions", ends.positions, 0);
}

std::vector<LayerProfile> decoder(const TransformerShape& shape, const TextEnds& ends, const Pass& pass,
                                  Granularity granularity, bool separate_ends) {
  validate(ends, "");
  return with_ends(token_embedding(ends, shape, pass), blocks(shape, pass, granularity),
                   language_head(ends, shape, pass), separate_ends);
}

}  // namespace constellm::model
