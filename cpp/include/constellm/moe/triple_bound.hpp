#pragma once
#include <cstdint>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/problem.hpp"

namespace constellm::moe {

/// The bound of pair_bound_s with triples in place of pairs, for three picks and more, on these satellites
/// alone: [experts][satellites]. For expert i on satellite a it is an assignment of the other experts j to
/// the other satellites b, each at what the slowest of a, b and the rest of the picks costs at least. Throws
/// core::Stopped.
std::vector<double> triple_bound_s(const Problem& problem, const Layer& layer,
                                   const std::vector<std::int32_t>& satellites, core::StopToken& stop);

}  // namespace constellm::moe
