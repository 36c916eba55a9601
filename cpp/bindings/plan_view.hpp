#pragma once
#include "constellm/split/plan.hpp"

namespace constellm::bindings {

/// What Python knows as a Plan: the answer together with the question.
struct PlanView {
  split::Problem problem;
  split::Plan plan;
};

/// Says in an infeasible plan why it is, within what is left of the time limit and as long as the search
/// itself took, or a second.
void explain_infeasible(PlanView& found, double time_limit_s);

}  // namespace constellm::bindings
