#include "constellm/model/transformer.hpp"

#include <array>
#include <cmath>
#include <string>

#include "attention.hpp"
#include "constellm/core/error.hpp"
#include "step.hpp"

namespace constellm::model {
namespace {

using Parts = std::array<LayerProfile, 4>;

/// The four parts of a block.
///
/// FLOP per sequence, with n tokens, m matrices up (1, gated 2), k of E experts of width f, and
/// experts of together f_s that every token takes:
///   attention      see attention_part
///   attention out  2 n h b d
///   MLP up         2 n m d (k f + f_s) + 2 n d E for the router (+ 2 n d where the shared are weighed)
///   MLP down       2 n (k f + f_s) d
/// For h a = h b = g a = d, f = 4d and P = n^2 pairs it is 24 n d^2 + 4 n^2 d, the usual count of a
/// ViT block. Norms, softmax, activations and sums are left out (under 0.5 % from ViT-Ti upwards).
///
/// Experts read from memory: E(1 - (1 - k/E)^t) of E for t tokens, the mean number of distinct ones
/// if each token draws its k independently and evenly (assumption; exact for one token).
///
/// Workspace: the tensors alive at once at the fullest moment, softmax scores not stored (fused
/// attention). Cuts carry the residual stream beside the inner tensor (PipeEdge, models.yml).
Parts block_parts(const BlockShape& block, const Pass& pass) {
  const MlpShape& mlp = block.mlp;
  const Step step(pass);
  const double d = real(block.width);
  const double f = real(mlp.width);
  const double shared = real(mlp.shared_width);
  const bool sparse = mlp.experts > 0;
  const double experts = sparse ? real(mlp.experts) : 1.0;
  const double chosen = sparse ? real(mlp.experts_per_token) : 1.0;
  const double up = mlp.gated ? 2.0 : 1.0;
  const double router = (sparse ? d * experts : 0.0) + (mlp.shared_gate ? d : 0.0);
  const double hidden = chosen * f + shared;
  // Of each chosen expert, number and weight travel along; of the shared ones, their weight.
  const double routing = (sparse ? 2.0 * chosen : 0.0) + (mlp.shared_gate ? 1.0 : 0.0);
  const double expert_up = up * (d * f + (mlp.bias ? f : 0.0));
  const double expert_down = f * d + (mlp.bias ? d : 0.0);

  LayerProfile mlp_up;
  mlp_up.name = "mlp-up";
  mlp_up.parameters = experts * expert_up + up * d * shared + router + real(mlp.vectors);
  mlp_up.flop = step.matrix_flop(up * d * hidden + router);
  mlp_up.workspace_bytes = step.per_token_bytes(2.0 * d + up * hidden);
  mlp_up.output_bytes = step.per_token_bytes(d + hidden + routing);

  LayerProfile mlp_down;
  mlp_down.name = "mlp-down";
  mlp_down.parameters = experts * expert_down + shared * d;
  mlp_down.flop = step.matrix_flop(hidden * d);
  mlp_down.workspace_bytes = step.per_token_bytes(d + hidden + routing + d);
  mlp_down.output_bytes = step.per_token_bytes(d);

  Parts parts{attention_part(block, pass), attention_out_part(block, pass), complete(mlp_up, step),
              complete(mlp_down, step)};
  if (sparse) {
    const double idle = experts * std::pow(1.0 - chosen / experts, step.batch * step.tokens);
    parts[2].read_bytes -= idle * expert_up * step.weight_element;
    parts[3].read_bytes -= idle * expert_down * step.weight_element;
  }
  return parts;
}

}  // namespace

void validate(const Pass& pass, std::string_view where) { core::check_ranges(pass, where); }

std::vector<LayerProfile> blocks(const std::vector<BlockShape>& shapes, const Pass& pass,
                                 Granularity granularity) {
  if (shapes.empty()) throw core::InvalidInput("blocks: a transformer has at least one, got none");
  validate(pass, "");
  std::vector<LayerProfile> layers;
  layers.reserve(shapes.size() * (granularity == Granularity::block ? 1 : 4));
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    validate(shapes[i], "blocks[" + std::to_string(i) + "].");
    const std::string block = "block-" + std::to_string(i);
    const Parts parts = block_parts(shapes[i], pass);
    if (granularity == Granularity::block) {
      layers.push_back(fold(fold(parts[0], parts[1], ""), fold(parts[2], parts[3], ""), block));
    } else {
      for (const LayerProfile& part : parts) {
        layers.push_back(part);
        layers.back().name = block + "/" + part.name;
      }
    }
  }
  return layers;
}

}  // namespace constellm::model
