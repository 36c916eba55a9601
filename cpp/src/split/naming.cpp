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

Stage named_stage(const Problem& problem, const StageChoice& choice) {
  return {problem.spec().network.nodes[static_cast<std::size_t>(choice.node)].id, choice.first_layer,
          choice.last_layer, codec_name(problem, choice.codec)};
}

}  // namespace

void validate(const Stage& stage, std::string_view where) { core::check_ranges(stage, where); }

NamedEvaluation named(const Problem& problem, const Evaluation& evaluation) {
  NamedEvaluation named{.delay_s = evaluation.delay_s,
                        .bottleneck_s = evaluation.bottleneck_s,
                        .error = evaluation.error,
                        .energy_j = evaluation.energy_j,
                        .bytes = evaluation.bytes,
                        .objective_s = objective_s(problem, evaluation),
                        .stages = {},
                        .hops = {},
                        .broken_limits = broken_limits(problem, evaluation)};
  for (const StageTerms& s : evaluation.stages) {
    named.stages.push_back({named_stage(problem, s.choice), s.overhead_s, s.decode_s, s.compute_s, s.encode_s,
                            s.time_s, s.memory_bytes});
  }
  for (const HopTerms& h : evaluation.hops) {
    const network::Link& link = problem.spec().network.links[static_cast<std::size_t>(h.link)];
    named.hops.push_back({link.from, link.to, h.bytes, h.time_s, h.latency_s});
  }
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
  for (const std::int32_t v : assignment.path)
    ids.push_back(problem.spec().network.nodes[static_cast<std::size_t>(v)].id);
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
