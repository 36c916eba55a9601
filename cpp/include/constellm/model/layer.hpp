#pragma once
#include <string>
#include <string_view>

namespace constellm::model {

/// What the planner knows of one layer; all figures for one micro-batch.
struct Layer {
  std::string name;
  double flop = 0.0;          ///< computation [FLOP]
  double memory_bytes = 0.0;  ///< resident on the host: weights, state, workspace [B]
  double output_bytes = 0.0;  ///< uncompressed activation after the layer [B]
  double error_gain = 1.0;    ///< weight of a codec's error at the cut after the layer

  bool operator==(const Layer&) const = default;
};

/// Throws core::InvalidInput that names `where` and the field.
void validate(const Layer& layer, std::string_view where);

}  // namespace constellm::model
