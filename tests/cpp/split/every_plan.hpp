#pragma once
#include "constellm/split/compile.hpp"
#include "constellm/split/evaluate.hpp"
#include "search/every_walk.hpp"

namespace constellm::tests {

/// Calls `visit(assignment, evaluation)` for every plan that keeps the memory of its hosts; other limits are
/// not looked at.
template <class Visit>
void for_every_plan(const split::Problem& problem, Visit&& visit) {
  core::StopToken never;
  const auto compiled = split::compile(problem, {}, never);
  if (!compiled) return;
  const search::Goal nothing;
  EveryWalk every(compiled->graph, nothing);
  split::Assignment assignment;
  split::Evaluation evaluation;
  every.from_source([&](const Sums&) {
    split::to_assignment(*compiled, every.walk(), assignment);
    split::evaluate_into(problem, assignment, evaluation);
    visit(assignment, evaluation);
  });
}

}  // namespace constellm::tests
