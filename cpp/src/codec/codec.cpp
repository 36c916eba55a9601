#include "constellm/codec/codec.hpp"

#include <cmath>

namespace constellm::codec {

void validate(const Codec& codec, const core::Place& where) { core::check_ranges(codec, where); }

double from_resource(ErrorRule rule, double resource) {
  return rule == ErrorRule::sum ? resource : std::sqrt(resource);
}

}  // namespace constellm::codec
