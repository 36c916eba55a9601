#pragma once
#include <string>
#include <string_view>

#include "constellm/model/layer.hpp"

namespace constellm::model {

/// A layer with its parts; all figures for one micro-batch. A planner needs `Layer` only.
struct LayerProfile {
  std::string name;
  double flop = 0.0;
  double memory_bytes = 0.0;
  double output_bytes = 0.0;
  double parameters = 0.0;
  double weight_bytes = 0.0;
  double kv_cache_bytes = 0.0;
  double workspace_bytes = 0.0;
  double read_bytes = 0.0;
  double error_gain = 1.0;

  bool operator==(const LayerProfile&) const = default;
};

constexpr auto fields(const LayerProfile*) {
  using core::optional;
  using core::required;
  return core::record(
             "LayerProfile", "A layer with its parts; all figures for one micro-batch.",
             required("name", &LayerProfile::name, "label"),
             required("flop", &LayerProfile::flop, "computation, a multiply-add counts 2", "FLOP",
                      core::kNonNegative),
             required("memory_bytes", &LayerProfile::memory_bytes,
                      "resident on the host: weights + KV cache + workspace where computed, else as measured "
                      "or stated",
                      "B", core::kNonNegative),
             required("output_bytes", &LayerProfile::output_bytes,
                      "everything that crosses a cut after the layer", "B", core::kNonNegative),
             optional("parameters", &LayerProfile::parameters,
                      "shared ones count once, where they are first used", "", core::kNonNegative),
             optional("weight_bytes", &LayerProfile::weight_bytes, "weights stored at this layer", "B",
                      core::kNonNegative),
             optional("kv_cache_bytes", &LayerProfile::kv_cache_bytes,
                      "keys and values kept for later tokens", "B", core::kNonNegative),
             optional("workspace_bytes", &LayerProfile::workspace_bytes,
                      "largest set of activations alive at once", "B", core::kNonNegative),
             optional("read_bytes", &LayerProfile::read_bytes,
                      "weights and cache read from memory per pass, the floor of a bandwidth-bound one", "B",
                      core::kNonNegative),
             optional("error_gain", &LayerProfile::error_gain,
                      "weight of a codec's error at the cut after the layer", "", core::kNonNegative))
      .with_example("clm.model.LayerProfile(name='block', flop=1e9, memory_bytes=4e6, output_bytes=2e6)");
}

/// Throws core::InvalidInput that names `where` and the field.
void validate(const LayerProfile& layer, std::string_view where);

/// The part that a planner reads.
Layer as_layer(const LayerProfile& layer);

/// Two layers that run one after the other on one host, as one: everything adds up but the
/// workspace, which the second uses again, and the output, which is the second's.
LayerProfile fold(const LayerProfile& first, const LayerProfile& second, std::string name);

}  // namespace constellm::model
