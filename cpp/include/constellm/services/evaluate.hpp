#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "constellm/services/problem.hpp"
#include "constellm/services/routes.hpp"

namespace constellm::services {

/// Of each task the node of each of its stages; of one that is not admitted none.
using Assignment = std::vector<std::vector<std::int32_t>>;

/// Of each service the nodes of its replicas, ascending.
using Replicas = std::vector<std::vector<std::int32_t>>;

struct Placement {
  Replicas replicas;
  Assignment assignment;

  bool operator==(const Placement&) const = default;
};

/// Those replicas alone that serve.
Replicas replicas_of(const Problem& problem, const Assignment& assignment);

/// What a placement comes to.
struct Evaluation {
  double cost = 0.0;
  double delay_s = 0.0;              ///< mean over admitted tasks by their nominal rates; 0 without any
  double rejected_weight = 0.0;      ///< of tasks that are not admitted
  std::vector<double> task_delay_s;  ///< [tasks]; NaN where not admitted
  std::vector<double> node_load_flop_per_s;  ///< [nodes] in the worst case of the demand set
  std::vector<double> link_load_bps;         ///< [links] likewise
  std::vector<double> memory_bytes;          ///< [nodes]
  std::int32_t broken_samples = 0;           ///< in which a node or a link has too much

  /// What is minimised, first and second.
  [[nodiscard]] double first(Objective objective) const;
  [[nodiscard]] double second(Objective objective) const;
};

/// Throws core::InvalidInput for what is no placement: positions out of range, wrong lengths, a stage on a
/// node without a replica of its service, replicas on nodes that may not host them, no way between two
/// stages.
Evaluation evaluate(const Problem& problem, const Routes& routes, const Placement& placement);

/// Every rule that a placement breaks, a sentence each, in words that name the ids; empty: none.
std::vector<std::string> broken(const Problem& problem, const Routes& routes, const Placement& placement);

/// The same as one answer, for solvers: no text is made.
bool keeps_limits(const Problem& problem, const Routes& routes, const Placement& placement,
                  const Evaluation& evaluation);

/// The largest Σ (nominal + z · raise) over 0 ≤ z ≤ 1, Σ z ≤ budget: what a node or a link has in the worst
/// case. `raise` is sorted in place, largest first.
double worst_load(double nominal, std::vector<double>& raise, double budget);

}  // namespace constellm::services
