#pragma once
#include "constellm/split/plan.hpp"

namespace constellm::bindings {

/// What Python knows as a Plan: the answer together with the question.
struct PlanView {
  split::Problem problem;
  split::Plan plan;
};

}  // namespace constellm::bindings
