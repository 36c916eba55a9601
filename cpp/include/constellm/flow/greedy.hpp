#pragma once
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/flow/plan.hpp"
#include "constellm/flow/problem.hpp"

namespace constellm::flow {

/// A maximum flow in every slot [moments_s[k], moments_s[k + 1]], one after the other, over the contacts that
/// are open in the whole slot, from what each node holds at the slot's start (and does not want itself) to
/// sinks, or to nodes that lack of what they want: nothing is put where a later slot would need it (Zhu et
/// al. 2025, arXiv 2504.10403). The slot that can carry all that is left ends as soon as it has. Its plan is
/// feasible, or none is found by the last moment; the bound is left at 0. `moments_s` rises from 0.
Plan greedy(const Problem& problem, const std::vector<double>& moments_s, core::StopToken& stop);

}  // namespace constellm::flow
