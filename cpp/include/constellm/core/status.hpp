#pragma once
#include <array>
#include <cstddef>
#include <string_view>

namespace constellm::core {

/// What a solver found. A wrong call throws instead.
enum class Status { optimal, feasible, infeasible, no_plan_found, time_limit, interrupted };

constexpr std::array<std::string_view, 6> words(Status) {
  return {"optimal", "feasible", "infeasible", "no_plan_found", "time_limit", "interrupted"};
}

constexpr std::string_view to_text(Status status) { return words(status)[static_cast<std::size_t>(status)]; }

}  // namespace constellm::core
