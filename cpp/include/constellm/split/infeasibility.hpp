#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "constellm/core/fields.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/search/solver.hpp"
#include "constellm/split/problem.hpp"

namespace constellm::split {

/// The reason for which a problem has no plan, and how much would do. Each least value is that of a plan:
/// with it as the limit there is one, with less there is none (to a relative 1e-9). None where nothing is
/// limited, no value would do, or the time ran out.
struct Infeasibility {
  std::string reason;
  std::optional<double> least_error;
  std::optional<double> least_energy_j;
  std::optional<double> least_memory_factor;
  std::optional<double> least_error_alone;
  std::optional<double> least_energy_alone_j;
  std::optional<std::string> stopped;

  bool operator==(const Infeasibility&) const = default;
};

constexpr auto fields(const Infeasibility*) {
  using core::kNonNegative;
  using core::optional;
  using core::required;
  return core::record(
      "Infeasibility",
      "The reason for which a problem has no plan, and how much would do; None where nothing would.",
      required("reason", &Infeasibility::reason,
               "'no_route' from source to sink; 'no_host', no node on a route computes; 'memory', 'error' or "
               "'energy', the first that no plan keeps even without the limits after it; 'limits', each can "
               "be kept, but not all at once; 'unknown', the time ran out"),
      optional("least_error", &Infeasibility::least_error, "max_error that would do, every other limit kept",
               "", kNonNegative)
          .left_out_if_none(),
      optional("least_energy_j", &Infeasibility::least_energy_j,
               "max_energy_j that would do, every other limit kept", "J", kNonNegative)
          .left_out_if_none(),
      optional("least_memory_factor", &Infeasibility::least_memory_factor,
               "by which the memory of every node must grow, every other limit kept", "", kNonNegative)
          .left_out_if_none(),
      optional("least_error_alone", &Infeasibility::least_error_alone,
               "of any plan that fits the memory, whatever its energy", "", kNonNegative)
          .left_out_if_none(),
      optional("least_energy_alone_j", &Infeasibility::least_energy_alone_j,
               "of any plan that fits the memory, whatever its error", "J", kNonNegative)
          .left_out_if_none(),
      optional("stopped", &Infeasibility::stopped,
               "None, or 'time_limit' or 'interrupted' where not everything was worked out")
          .left_out_if_none());
}

/// Throws core::InvalidInput that names `where` and the field.
void validate(const Infeasibility& infeasibility, std::string_view where);

/// Of a problem that has no plan, by exact searches under fewer limits.
Infeasibility explain(const Problem& problem, core::StopToken& stop, search::Workspace& workspace);

}  // namespace constellm::split
