#pragma once
#include <span>
#include <vector>

#include "constellm/moe/pair_layer.hpp"

namespace constellm::moe {

/// P(i is picked, and the lightest of the other picks is the j-th heaviest of the others): [experts][experts
/// - 1]. Of two picks and more. Throws core::Stopped.
std::vector<double> shares_beside_one(const Picks& picks, core::StopToken& stop);

/// Gilmore and Lawler's bound (1962) for a layer's experts on satellites, [experts][places]: whatever the
/// placement, its expected latency is at least the sum of cost over its experts. Every set of picks is
/// charged to its members alike; of the picks of expert i on satellite a the slowest is at least the slower
/// of a and the others', and those cost least with the heaviest on the satellites that are best beside a (the
/// theorem of the sorted placement, given that i is picked). `shares` are those of shares_beside_one,
/// `best_beside_s`, if any, that of experts - 1 others; it raises the bound for three picks and more. Throws
/// core::Stopped.
std::vector<double> pair_bound_s(const PairLayer& pairs, std::span<const double> shares,
                                 std::span<const double> best_beside_s, core::StopToken& stop);

/// [places][others]: mean over the slots of the slower of a place and the slot's j-th nearest other. Throws
/// core::Stopped.
std::vector<double> best_beside_s(const Problem& problem, const Layer& layer, std::size_t others,
                                  core::StopToken& stop);

}  // namespace constellm::moe
