#pragma once
#include <span>
#include <vector>

#include "constellm/moe/pair_layer.hpp"

namespace constellm::moe {

/// Gilmore and Lawler's bound (1962) for a layer's experts on satellites, [experts][places]: whatever the
/// placement, its expected latency is at least the sum of cost over its experts. Every set of picks is
/// charged to its members alike; of the picks of expert i on satellite a the slowest is at least the slower
/// of a and the others', and those cost least with the heaviest on the satellites that are best beside a (the
/// theorem of the sorted placement, given that i is picked).
/// `best_beside_s`, if any, is that of experts - 1 others; it raises the bound for three picks and more.
std::vector<double> pair_bound_s(const PairLayer& pairs, std::span<const double> best_beside_s = {});

/// [places][others]: mean over the slots of the slower of a place and the slot's j-th nearest other.
std::vector<double> best_beside_s(const Problem& problem, const Layer& layer, std::size_t others);

}  // namespace constellm::moe
