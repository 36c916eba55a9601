#include "constellm/split/naming.hpp"

#include <limits>

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

}  // namespace

void validate(const Stage& stage, std::string_view where) {
  const auto check = [&](const char* field, std::int64_t layer) {
    if (layer < 0 || layer > std::numeric_limits<std::int32_t>::max()) {
      throw core::InvalidInput(std::string(where) + field + ": " + std::to_string(layer) +
                               " is not in [0, 2^31)");
    }
  };
  check("first_layer", stage.first_layer);
  check("last_layer", stage.last_layer);
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
  for (const StageChoice& s : assignment.stages) {
    stages.push_back({problem.spec().network.nodes[static_cast<std::size_t>(s.node)].id, s.first_layer,
                      s.last_layer, codec_name(problem, s.codec)});
  }
  return stages;
}

std::optional<std::string> codec_name(const Problem& problem, std::int32_t codec) {
  if (codec == kNoCodec) return std::nullopt;
  return problem.spec().codecs[static_cast<std::size_t>(codec)].name;
}

}  // namespace constellm::split
