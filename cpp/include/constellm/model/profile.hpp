#pragma once
#include <string>
#include <string_view>

#include "constellm/model/layer.hpp"

namespace constellm::model {

/// What a layer is made of; all figures for one micro-batch. A planner needs `Layer` only.
struct LayerProfile {
  std::string name;
  double flop = 0.0;            ///< computation, a multiply-add counts 2 [FLOP]
  double memory_bytes = 0.0;    ///< resident on the host; measured, stated, or the sum of the three below [B]
  double output_bytes = 0.0;    ///< everything that crosses a cut after the layer [B]
  double parameters = 0.0;      ///< shared ones count once, where they are first used
  double weight_bytes = 0.0;    ///< weights stored at this layer [B]
  double kv_cache_bytes = 0.0;  ///< keys and values kept for later tokens [B]
  double workspace_bytes = 0.0;  ///< largest set of activations alive at once inside the layer [B]
  double read_bytes = 0.0;  ///< weights and cache read from memory, the floor of a bandwidth-bound pass [B]
  double error_gain = 1.0;  ///< weight of a codec's error at the cut after the layer

  bool operator==(const LayerProfile&) const = default;
};

/// Throws core::InvalidInput that names `where` and the field.
void validate(const LayerProfile& layer, std::string_view where);

/// The part that a planner reads.
Layer as_layer(const LayerProfile& layer);

/// Two layers that run one after the other on one host, as one: everything adds up but the
/// workspace, which the second uses again, and the output, which is the second's.
LayerProfile fold(const LayerProfile& first, const LayerProfile& second, std::string name);

}  // namespace constellm::model
