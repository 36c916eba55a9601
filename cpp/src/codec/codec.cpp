#include "constellm/codec/codec.hpp"

#include <cmath>

#include "constellm/core/error.hpp"

namespace constellm::codec {

void validate(const Codec& codec, std::string_view where) {
  if (codec.name.empty()) throw core::InvalidInput(std::string(where) + "name: must not be empty");
  core::require_positive(where, "ratio", codec.ratio);
  core::require_non_negative(where, "error", codec.error);
  core::require_non_negative(where, "encode_s_per_byte", codec.encode_s_per_byte);
  core::require_non_negative(where, "decode_s_per_byte", codec.decode_s_per_byte);
  const auto at = [](const char* list, std::size_t i) {
    return std::string(list) + "[" + std::to_string(i) + "]";
  };
  if (codec.layer_ratio) {
    for (std::size_t i = 0; i < codec.layer_ratio->size(); ++i) {
      core::require_positive(where, at("layer_ratio", i), (*codec.layer_ratio)[i]);
    }
  }
  if (codec.layer_error) {
    for (std::size_t i = 0; i < codec.layer_error->size(); ++i) {
      core::require_non_negative(where, at("layer_error", i), (*codec.layer_error)[i]);
    }
  }
}

double from_resource(ErrorRule rule, double resource) {
  return rule == ErrorRule::sum ? resource : std::sqrt(resource);
}

}  // namespace constellm::codec
