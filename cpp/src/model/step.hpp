#pragma once
#include <string>
#include <utility>
#include <vector>

#include "constellm/core/error.hpp"
#include "constellm/model/profile.hpp"
#include "constellm/model/transformer.hpp"

// Shared by the parts of a transformer; not for other areas.
namespace constellm::model {

inline double real(std::int64_t count) { return static_cast<double>(count); }

/// Figures of one step of a pass, whatever the layer.
struct Step {
  double batch;
  double tokens;  ///< per sequence in one chunk
  double weight_element;
  double activation_element;

  explicit Step(const Pass& pass)
      : batch(real(pass.batch)),
        tokens(pass.tokens / real(pass.chunks)),
        weight_element(pass.weight_element_bytes),
        activation_element(pass.activation_element_bytes) {}

  /// Bytes of `numbers` per token, over the micro-batch.
  [[nodiscard]] double per_token_bytes(double numbers) const {
    return batch * tokens * numbers * activation_element;
  }
  /// A product with a matrix of `weights` entries: 2 FLOP an entry and token.
  [[nodiscard]] double matrix_flop(double weights) const { return 2.0 * batch * tokens * weights; }
};

/// `memory_bytes` from its parts, and weights read once unless told otherwise.
inline LayerProfile complete(LayerProfile layer, const Step& step) {
  layer.weight_bytes = layer.parameters * step.weight_element;
  layer.read_bytes += layer.weight_bytes;
  layer.memory_bytes = layer.weight_bytes + layer.kv_cache_bytes + layer.workspace_bytes;
  return layer;
}

/// The layers with what comes before and after, as layers or as part of the first and last.
inline std::vector<LayerProfile> with_ends(LayerProfile first, std::vector<LayerProfile> middle,
                                           LayerProfile last, bool separate) {
  if (separate) {
    middle.insert(middle.begin(), std::move(first));
    middle.push_back(std::move(last));
  } else {
    middle.front() = fold(first, middle.front(), middle.front().name);
    middle.back() = fold(middle.back(), last, middle.back().name);
  }
  return middle;
}

}  // namespace constellm::model
