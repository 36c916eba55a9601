#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/outages.hpp"
#include "constellm/orbit/stretch.hpp"
#include "fleet.hpp"

namespace constellm::orbit {

/// When two satellites ask for each other.
struct Mutual {
  Pair pair;
  Stretches stretches;
};

/// Of the satellites of a range, each of which asks for its `count` nearest between two moments, of those
/// that are not lost then; by pair. The result does not depend on `threads`. Throws core::Stopped.
std::vector<Mutual> mutual(const Fleet& fleet, const Outages& outages, Layout::Range satellites,
                           std::int64_t count, double start_s, double stop_s, int threads,
                           core::StopToken& stop);

}  // namespace constellm::orbit
