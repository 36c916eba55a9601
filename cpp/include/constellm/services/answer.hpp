#pragma once
#include <cstdint>
#include <limits>

#include "constellm/core/status.hpp"
#include "constellm/services/evaluate.hpp"

namespace constellm::services {

/// What a method of the core found.
struct Answer {
  core::Status status = core::Status::no_plan_found;
  Placement placement;          ///< where the status has one
  double lower_bound = 0.0;     ///< of the objective's first term; infinite where there is no plan
  bool second_optimal = false;  ///< whether the second term is proven least among plans equal in the first
  std::int64_t steps = 0;       ///< moves, generations, nodes of a tree: what the method counts
  std::int64_t bounds = 0;      ///< how many bounds were computed
};

}  // namespace constellm::services
