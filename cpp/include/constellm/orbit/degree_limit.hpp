#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/orbit/layout.hpp"

namespace constellm::orbit {

/// Of the pairs, which differ, as many as can be with at most `most` at each of the nodes (a maximum simple
/// b-matching): their positions, in rising order. Those that come first are taken while both ends have room,
/// then the choice grows along alternating trails until there is none. Throws core::Stopped.
std::vector<std::size_t> most_links(std::span<const Pair> pairs, std::int32_t nodes, std::int64_t most,
                                    core::StopToken& stop);

}  // namespace constellm::orbit
