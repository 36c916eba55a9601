#pragma once
#include <string_view>

namespace constellm::core {

/// What a solver found. A wrong call throws instead.
enum class Status { optimal, feasible, infeasible, no_plan_found, time_limit, interrupted };

inline constexpr Status kStatuses[] = {Status::optimal,       Status::feasible,   Status::infeasible,
                                       Status::no_plan_found, Status::time_limit, Status::interrupted};

constexpr std::string_view to_text(Status status) {
  switch (status) {
    case Status::optimal: return "optimal";
    case Status::feasible: return "feasible";
    case Status::infeasible: return "infeasible";
    case Status::no_plan_found: return "no_plan_found";
    case Status::time_limit: return "time_limit";
    case Status::interrupted: return "interrupted";
  }
  return "unknown";
}

}  // namespace constellm::core
