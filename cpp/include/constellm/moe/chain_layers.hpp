#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/chain.hpp"
#include "constellm/moe/transport.hpp"

namespace constellm::moe {

/// Places the layers one after the other, each at best given the one before; the first one at what its
/// experts cost by `cost_s` [experts][satellites]. There are as many places as experts; empty where it is
/// told to stop.
std::vector<std::int32_t> successive_placement(const Chain& chain, std::span<const double> cost_s,
                                               core::StopToken& stop);

/// Places layers anew, at best given the others: with every second layer fixed the rest is an assignment
/// problem. Takes turns until neither the odd nor the even layers gain, or it is told to stop.
void alternate(const Chain& chain, std::vector<std::int32_t>& hosts, core::StopToken& stop);

}  // namespace constellm::moe
