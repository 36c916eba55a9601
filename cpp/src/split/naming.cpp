#include "constellm/split/naming.hpp"

#include "constellm/core/error.hpp"

namespace constellm::split {
namespace {

std::int32_t node_position(const Problem& problem, const std::string& where, const std::string& id) {
  const std::int32_t position = problem.graph().node_table()->find(id);
  if (position < 0) throw core::InvalidInput(where + ": the problem has no node '" + id + "'");
  return position;
}

std::int32_t codec_position(const Problem& problem, const std::string& where, const std::string& name) {
  const auto& codecs = problem.spec().codecs;
  for (std::size_t i = 0; i < codecs.size(); ++i) {
    if (codecs[i].name == name) return static_cast<std::int32_t>(i);
  }
  throw core::InvalidInput(where + ": the problem has no codec '" + name + "'");
}

const std::string& id_of(const Problem& problem, std::int32_t node) {
  return problem.spec().network.nodes[static_cast<std::size_t>(node)].id;
}

Stage named_stage(const Problem& problem, const StageChoice& choice) {
  return {id_of(problem, choice.node), choice.first_layer, choice.last_layer,
          codec_name(problem, choice.codec)};
}

}  // namespace

void validate(const Stage& stage, std::string_view where) { core::check_ranges(stage, where); }

NamedEvaluation named_evaluation(const Problem& problem, const Assignment& assignment) {
  const Evaluation evaluation = evaluate(problem, assignment);
  NamedEvaluation named{evaluation, objective_s(problem, evaluation), {}, {}, {}};
  for (std::size_t i = 0; i < evaluation.stages.size(); ++i)
    named.stages.push_back({named_stage(problem, assignment.stages[i]), evaluation.stages[i]});
  for (std::size_t i = 0; i < evaluation.hops.size(); ++i) {
    named.hops.push_back(
        {id_of(problem, assignment.path[i]), id_of(problem, assignment.path[i + 1]), evaluation.hops[i]});
  }
  named.broken_limits = broken_limits(problem, assignment, evaluation);
  return named;
}

Assignment to_assignment(const Problem& problem, const std::vector<std::string>& path,
                         const std::vector<Stage>& stages) {
  Assignment assignment;
  for (std::size_t i = 0; i < path.size(); ++i) {
    assignment.path.push_back(node_position(problem, "path[" + std::to_string(i) + "]", path[i]));
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const std::string where = "stages[" + std::to_string(i) + "].";
    const Stage& s = stages[i];
    validate(s, where);
    assignment.stages.push_back({node_position(problem, where + "node", s.node),
                                 static_cast<std::int32_t>(s.first_layer),
                                 static_cast<std::int32_t>(s.last_layer),
                                 s.codec ? codec_position(problem, where + "codec", *s.codec) : kNoCodec});
  }
  return assignment;
}

std::vector<std::string> path_ids(const Problem& problem, const Assignment& assignment) {
  std::vector<std::string> ids;
  for (const std::int32_t v : assignment.path) ids.push_back(id_of(problem, v));
  return ids;
}

std::vector<Stage> named_stages(const Problem& problem, const Assignment& assignment) {
  std::vector<Stage> stages;
  for (const StageChoice& s : assignment.stages) stages.push_back(named_stage(problem, s));
  return stages;
}

std::optional<std::string> codec_name(const Problem& problem, std::int32_t codec) {
  if (codec == kNoCodec) return std::nullopt;
  return problem.spec().codecs[static_cast<std::size_t>(codec)].name;
}

}  // namespace constellm::split
