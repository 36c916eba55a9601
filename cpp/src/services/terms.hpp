#pragma once
#include <string>
#include <utility>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/core/units.hpp"
#include "constellm/services/evaluate.hpp"

// What evaluation and rules share.
namespace constellm::services {

/// Throws for what has not the form of a placement of this problem.
void check_form(const Problem& problem, const Placement& placement);

/// Why a placement of the right form cannot be: what it has where it must not, or lacks.
std::vector<std::string> faults(const Problem& problem, const Routes& routes, const Placement& placement);

/// Both ends of a transfer of an admitted task.
std::pair<std::int32_t, std::int32_t> ends(const Problem& problem, const Placement& placement,
                                           const Transfer& transfer);

/// When each transfer of an admitted task starts, and its last stage's data is at the sink.
struct Schedule {
  std::vector<double> start_s;  // [transfers of the task]
  double delay_s = 0.0;
};

Schedule schedule_of(const Problem& problem, const Routes& routes, const Placement& placement,
                     std::int32_t task);

/// Cost and memory alone.
Evaluation terms_of_replicas(const Problem& problem, const Replicas& replicas);

/// Of a placement that can be.
Evaluation terms(const Problem& problem, const Routes& routes, const Placement& placement);

/// Calls `late(transfer, link, left_s)` for every link that a transfer leaves after its life; ends where it
/// gives false.
template <class Late>
void each_late(const Problem& problem, const Routes& routes, const Placement& placement, Late late) {
  if (!problem.links_end()) return;
  const network::LinkColumns& columns = problem.graph().columns();
  for (std::size_t t = 0; t < placement.assignment.size(); ++t) {
    if (placement.assignment[t].empty()) continue;
    const Schedule schedule = schedule_of(problem, routes, placement, static_cast<std::int32_t>(t));
    const std::int32_t first = problem.first_transfer()[t];
    for (std::int32_t e = first; e < problem.first_transfer()[t + 1]; ++e) {
      const Transfer& transfer = problem.transfers()[core::z(e)];
      const auto [from, to] = ends(problem, placement, transfer);
      double on_route_s = 0.0;
      for (const std::int32_t link : routes.links(e, from, to)) {
        on_route_s += columns.latency_s[core::z(link)] +
                      core::transfer_s(transfer.bytes, columns.rate_bps[core::z(link)]);
        const double left_s = schedule.start_s[core::z(e - first)] + on_route_s;
        if (left_s > problem.life_s(link) && !late(transfer, link, left_s)) return;
      }
    }
  }
}

}  // namespace constellm::services
