#include "constellm/model/layer.hpp"

#include "constellm/core/error.hpp"

namespace constellm::model {

void validate(const Layer& layer, std::string_view where) {
  const std::string prefix(where);
  core::require_non_negative(prefix + "flop", layer.flop);
  core::require_non_negative(prefix + "memory_bytes", layer.memory_bytes);
  core::require_non_negative(prefix + "output_bytes", layer.output_bytes);
  core::require_non_negative(prefix + "error_gain", layer.error_gain);
}

}  // namespace constellm::model
