#include "constellm/codec/codec.hpp"

#include <cmath>

namespace constellm::codec {

void validate(const Codec& codec, std::string_view where) { core::check_ranges(codec, where); }

double from_resource(ErrorRule rule, double resource) {
  return rule == ErrorRule::sum ? resource : std::sqrt(resource);
}

}  // namespace constellm::codec
