#pragma once
#include <string_view>
#include <vector>

#include "constellm/split/problem.hpp"

namespace constellm::split {

/// The codecs that a method may use, as positions in the menu of `home`: the given problem, or
/// a copy with the codecs added that the method brings along.
struct Menu {
  Problem home;
  std::vector<std::int32_t> allowed;
};

Menu whole_menu(const Problem& problem);

/// The codec that changes nothing (ratio 1, no error, no time); added as "none" if not listed.
Menu uncompressed(const Problem& problem);

/// The codec of that name.
Menu one_codec(const Problem& problem, std::string_view name);

/// The codecs of a group.
Menu codec_group(const Problem& problem, std::string_view group);

/// The listed codecs of group "quantise"; if there are none, 1 to 8 bits of FP32 are added.
Menu quantisers(const Problem& problem);

/// Uncompressed, then 16, 8, 6, 4 and 2 bits of FP32, in this order; added if not listed.
Menu quantpipe_bits(const Problem& problem);

}  // namespace constellm::split
