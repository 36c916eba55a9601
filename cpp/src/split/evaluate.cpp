#include "constellm/split/evaluate.hpp"

#include <algorithm>

#include "constellm/core/error.hpp"
#include "constellm/network/routing.hpp"

namespace constellm::split {
namespace {

const std::string& id_of(const Problem& problem, std::int32_t node) {
  return problem.spec().network.nodes[static_cast<std::size_t>(node)].id;
}

std::string layer_range(const StageChoice& s) {
  return std::to_string(s.first_layer) + ".." + std::to_string(s.last_layer);
}

void path_faults(const Problem& problem, const std::vector<std::int32_t>& path,
                 std::vector<std::string>& faults) {
  if (path.empty()) {
    faults.emplace_back("path: empty");
    return;
  }
  for (const std::int32_t v : path) {
    if (v < 0 || v >= problem.node_count()) {
      faults.push_back("path: node position " + std::to_string(v) + " is not in [0, " +
                       std::to_string(problem.node_count()) + ")");
      return;
    }
  }
  if (path.front() != problem.source())
    faults.push_back("path: starts at '" + id_of(problem, path.front()) + "', not at the source");
  if (path.back() != problem.sink())
    faults.push_back("path: ends at '" + id_of(problem, path.back()) + "', not at the sink");
  std::vector<bool> seen(static_cast<std::size_t>(problem.node_count()), false);
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto v = static_cast<std::size_t>(path[i]);
    if (seen[v]) faults.push_back("path: visits '" + id_of(problem, path[i]) + "' twice");
    seen[v] = true;
    if (i > 0 && network::link_between(problem.topology(), path[i - 1], path[i]) == network::kNoLink) {
      faults.push_back("path: no link from '" + id_of(problem, path[i - 1]) + "' to '" +
                       id_of(problem, path[i]) + "'");
    }
  }
}

void stage_faults(const Problem& problem, const Assignment& assignment, std::vector<std::string>& faults) {
  std::size_t at = 0;  // in the path: hosts appear in its order
  std::int32_t next_layer = 0;
  const auto layers = problem.layer_count();
  for (std::size_t i = 0; i < assignment.stages.size(); ++i) {
    const StageChoice& s = assignment.stages[i];
    const std::string where = "stages[" + std::to_string(i) + "]: ";
    if (s.node < 0 || s.node >= problem.node_count()) {
      faults.push_back(where + "node position " + std::to_string(s.node) + " is not in [0, " +
                       std::to_string(problem.node_count()) + ")");
    } else {
      const auto begin = assignment.path.begin();
      const auto found = std::find(begin + static_cast<std::ptrdiff_t>(at), assignment.path.end(), s.node);
      if (found == assignment.path.end())
        faults.push_back(where + "'" + id_of(problem, s.node) + "' is not on the rest of the path");
      else
        at = static_cast<std::size_t>(found - begin) + 1;
      if (!problem.spec().network.nodes[static_cast<std::size_t>(s.node)].can_host())
        faults.push_back(where + "'" + id_of(problem, s.node) + "' only relays");
    }
    if (next_layer == layers) {
      faults.push_back(where + "layers " + layer_range(s) + ", though all layers are done");
    } else if (s.first_layer != next_layer || s.last_layer < s.first_layer || s.last_layer >= layers) {
      faults.push_back(where + "layers " + layer_range(s) + ", expected to start at " +
                       std::to_string(next_layer) + " and end in [" + std::to_string(next_layer) + ", " +
                       std::to_string(layers - 1) + "]");
    }
    // What follows is held against where this one ends, if that can be.
    next_layer = std::clamp(s.last_layer, next_layer - 1, layers - 1) + 1;
    const bool last = next_layer == layers;
    if (last && s.codec != kNoCodec) faults.push_back(where + "a codec after the last layer");
    if (!last && (s.codec < 0 || s.codec >= problem.codec_count())) {
      faults.push_back(where + "no codec of the problem for what it sends on");
    }
  }
  if (next_layer != layers) {
    faults.push_back("stages: cover " + std::to_string(next_layer) + " of " + std::to_string(layers) +
                     " layers");
  }
}

}  // namespace

std::vector<std::string> structural_faults(const Problem& problem, const Assignment& assignment) {
  std::vector<std::string> faults;
  path_faults(problem, assignment.path, faults);
  stage_faults(problem, assignment, faults);
  return faults;
}

Evaluation evaluate(const Problem& problem, const Assignment& assignment) {
  const auto faults = structural_faults(problem, assignment);
  if (!faults.empty()) throw core::InvalidInput(faults.front());
  Evaluation result;
  evaluate_into(problem, assignment, result);
  return result;
}

void evaluate_into(const Problem& problem, const Assignment& assignment, Evaluation& out) {
  const ProblemSpec& spec = problem.spec();
  const double micro_batches = static_cast<double>(spec.micro_batches);
  out.stages.clear();
  out.hops.clear();
  double time_s = 0.0;
  double bottleneck_s = 0.0;
  double error = 0.0;
  double energy_j = 0.0;
  double bytes = 0.0;

  double in_flight_bytes = spec.input_bytes;
  std::int32_t in_flight_codec = kNoCodec;
  std::int32_t layers_done = 0;
  std::size_t next_stage = 0;
  for (std::size_t i = 0; i < assignment.path.size(); ++i) {
    const std::int32_t v = assignment.path[i];
    const network::Node& node = spec.network.nodes[static_cast<std::size_t>(v)];
    if (next_stage < assignment.stages.size() && assignment.stages[next_stage].node == v) {
      StageTerms stage;
      const StageChoice& s = assignment.stages[next_stage++];
      stage.overhead_s = node.overhead_s;
      if (in_flight_codec != kNoCodec) stage.decode_s = problem.decode_s(v, layers_done - 1, in_flight_codec);
      for (std::int32_t l = s.first_layer; l <= s.last_layer; ++l) {
        stage.compute_s += problem.layer_s(v, l);
        stage.memory_bytes += spec.layers[static_cast<std::size_t>(l)].memory_bytes;
      }
      if (s.codec != kNoCodec) {
        stage.encode_s = problem.encode_s(v, s.last_layer, s.codec);
        error += codec::to_resource(spec.limits.error_rule, problem.cut_error(s.last_layer, s.codec));
      }
      stage.time_s = stage.overhead_s + stage.decode_s + stage.compute_s + stage.encode_s;
      time_s += stage.time_s;
      bottleneck_s = std::max(bottleneck_s, stage.time_s);
      energy_j += node.power_w * stage.time_s;
      in_flight_bytes = problem.sent_bytes(s.last_layer, s.codec);
      in_flight_codec = s.codec;
      layers_done = s.last_layer + 1;
      out.stages.push_back(stage);
    }
    if (i + 1 == assignment.path.size()) break;
    const std::int32_t link = network::link_between(problem.topology(), v, assignment.path[i + 1]);
    HopTerms hop;
    hop.bytes = in_flight_bytes;
    hop.time_s = problem.hop_s(link, in_flight_bytes);
    hop.latency_s = problem.graph().columns().latency_s[static_cast<std::size_t>(link)];
    time_s += hop.time_s + hop.latency_s;
    bottleneck_s = std::max(bottleneck_s, hop.time_s);
    energy_j += node.tx_power_w * hop.time_s;
    bytes += hop.bytes;
    out.hops.push_back(hop);
  }
  out.bottleneck_s = bottleneck_s;
  out.delay_s = time_s + (micro_batches - 1.0) * bottleneck_s;
  out.error = codec::from_resource(spec.limits.error_rule, error);
  out.energy_j = micro_batches * energy_j;
  out.bytes = micro_batches * bytes;
}

std::vector<std::string> broken_limits(const Problem& problem, const Assignment& assignment,
                                       const Evaluation& evaluation) {
  std::vector<std::string> broken;
  const auto over = [](double value, double limit) {
    return core::to_text(value) + " is over the limit of " + core::to_text(limit);
  };
  for (std::size_t i = 0; i < evaluation.stages.size(); ++i) {
    const std::int32_t host = assignment.stages[i].node;
    const double memory_bytes = evaluation.stages[i].memory_bytes;
    if (memory_bytes > problem.memory_limit_with_room(host)) {
      const network::Node& node = problem.spec().network.nodes[static_cast<std::size_t>(host)];
      broken.push_back("memory of '" + node.id + "': " + over(memory_bytes, node.memory_bytes) + " bytes");
    }
  }
  if (evaluation.error > problem.error_limit_with_room()) {
    broken.push_back("error: " + over(evaluation.error, *problem.spec().limits.max_error));
  }
  if (evaluation.energy_j > problem.energy_limit_with_room()) {
    broken.push_back("energy: " + over(evaluation.energy_j, *problem.spec().limits.max_energy_j) + " J");
  }
  return broken;
}

bool within_limits(const Problem& problem, const Assignment& assignment, const Evaluation& evaluation) {
  for (std::size_t i = 0; i < evaluation.stages.size(); ++i) {
    if (evaluation.stages[i].memory_bytes > problem.memory_limit_with_room(assignment.stages[i].node))
      return false;
  }
  return evaluation.error <= problem.error_limit_with_room() &&
         evaluation.energy_j <= problem.energy_limit_with_room();
}

}  // namespace constellm::split
