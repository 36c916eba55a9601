#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "constellm/core/fields.hpp"

namespace constellm::model {

struct Layer {
  std::string name;
  double flop = 0.0;
  double memory_bytes = 0.0;
  double output_bytes = 0.0;
  double error_gain = 1.0;
  std::optional<std::string> group = std::nullopt;

  bool operator==(const Layer&) const = default;
};

constexpr auto fields(const Layer*) {
  using core::kNonNegative;
  using core::optional;
  using core::required;
  return core::record("Layer", "One layer as the planner sees it; all figures for one micro-batch.",
                      required("name", &Layer::name, "label").as_name(),
                      required("flop", &Layer::flop, "computation", "FLOP", kNonNegative),
                      required("memory_bytes", &Layer::memory_bytes,
                               "resident on the host: weights, state, workspace", "B", kNonNegative),
                      required("output_bytes", &Layer::output_bytes,
                               "uncompressed activation after the layer", "B", kNonNegative),
                      optional("error_gain", &Layer::error_gain,
                               "weight of a codec's error at the cut after the layer", "", kNonNegative),
                      optional("group", &Layer::group, "name for addressing several layers at once")
                          .as_group()
                          .left_out_if_none())
      .with_example("clm.model.Layer(name='block', flop=1e9, memory_bytes=4e6, output_bytes=2e6)");
}

/// Throws core::InvalidInput that names `where` and the field.
void validate(const Layer& layer, const core::Place& where);

}  // namespace constellm::model
