#include "constellm/model/profile.hpp"

#include <algorithm>
#include <utility>

#include "constellm/core/error.hpp"

namespace constellm::model {

void validate(const LayerProfile& layer, std::string_view where) { core::check_ranges(layer, where); }

Layer as_layer(const LayerProfile& layer) {
  return {.name = layer.name,
          .flop = layer.flop,
          .memory_bytes = layer.memory_bytes,
          .output_bytes = layer.output_bytes,
          .error_gain = layer.error_gain,
          .group = {}};
}

LayerProfile fold(const LayerProfile& first, const LayerProfile& second, std::string name) {
  const double shared = std::min(first.workspace_bytes, second.workspace_bytes);
  return {.name = std::move(name),
          .flop = first.flop + second.flop,
          .memory_bytes = first.memory_bytes + second.memory_bytes - shared,
          .output_bytes = second.output_bytes,
          .parameters = first.parameters + second.parameters,
          .weight_bytes = first.weight_bytes + second.weight_bytes,
          .kv_cache_bytes = first.kv_cache_bytes + second.kv_cache_bytes,
          .workspace_bytes = std::max(first.workspace_bytes, second.workspace_bytes),
          .read_bytes = first.read_bytes + second.read_bytes,
          .error_gain = second.error_gain};
}

}  // namespace constellm::model
