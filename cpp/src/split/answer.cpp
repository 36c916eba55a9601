#include "constellm/split/answer.hpp"

#include <algorithm>

#include "constellm/core/error.hpp"

namespace constellm::split {

bool operator==(const Answer& a, const Answer& b) {
  return a.problem == b.problem && a.plan.status == b.plan.status && a.plan.assignment == b.plan.assignment;
}

double objective_s(const Answer& answer) { return objective_s(answer.problem, answer.plan); }

double gap(const Answer& answer) {
  if (!answer.plan.assignment) return Figures::kNone;
  const double value_s = objective_s(answer);
  return value_s > 0.0 ? (value_s - answer.plan.lower_bound_s) / value_s : 0.0;
}

std::vector<std::string> PathIds::operator()(const Answer& answer) const {
  if (!answer.plan.assignment) return {};
  return path_ids(answer.problem, *answer.plan.assignment);
}

void PathIds::set(Answer& answer, const std::vector<std::string>& path) const {
  answer.plan.assignment.reset();
  if (!path.empty()) answer.plan.assignment = to_assignment(answer.problem, path, {});
}

std::vector<Stage> NamedStages::operator()(const Answer& answer) const {
  if (!answer.plan.assignment) return {};
  return named_stages(answer.problem, *answer.plan.assignment);
}

void NamedStages::set(Answer& answer, const std::vector<Stage>& stages) const {
  if (!answer.plan.assignment) {
    if (!stages.empty()) throw core::InvalidInput("stages: given without a path");
    return;
  }
  answer.plan.assignment->stages = to_assignment(answer.problem, {}, stages).stages;
}

std::vector<codec::Codec> AddedCodecs::operator()(const Answer& answer) const {
  const std::vector<codec::Codec>& menu = answer.problem.spec().codecs;
  return {menu.end() - answer.plan.added_codecs, menu.end()};
}

void AddedCodecs::set(Answer& answer, const std::vector<codec::Codec>& codecs) const {
  const std::vector<codec::Codec>& menu = answer.problem.spec().codecs;
  if (codecs.size() > menu.size() || !std::equal(codecs.rbegin(), codecs.rend(), menu.rbegin()))
    throw core::InvalidInput("codecs: not those at the end of the problem's menu");
  answer.plan.added_codecs = static_cast<std::int32_t>(codecs.size());
}

}  // namespace constellm::split
