#include "constellm/model/layer.hpp"

#include "constellm/core/error.hpp"

namespace constellm::model {

void validate(const Layer& layer, std::string_view where) {
  core::require_non_negative(where, "flop", layer.flop);
  core::require_non_negative(where, "memory_bytes", layer.memory_bytes);
  core::require_non_negative(where, "output_bytes", layer.output_bytes);
  core::require_non_negative(where, "error_gain", layer.error_gain);
}

}  // namespace constellm::model
