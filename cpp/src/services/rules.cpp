#include <algorithm>
#include <cmath>

#include "constellm/core/error.hpp"
#include "terms.hpp"

namespace constellm::services {
namespace {

using core::InvalidInput;
using core::z;

std::string quoted(const std::string& text) { return "'" + text + "'"; }

std::string node_text(const Problem& problem, std::int32_t node) {
  return quoted(problem.graph().nodes()[z(node)].id);
}

std::string link_text(const Problem& problem, std::int32_t link) {
  const network::Topology& topology = problem.graph().topology();
  return node_text(problem, topology.from[z(link)]) + " → " + node_text(problem, topology.to[z(link)]);
}

std::string task_text(const Problem& problem, std::int32_t task) {
  return quoted(problem.tasks()[z(task)].name);
}

bool holds(const std::vector<std::int32_t>& sorted, std::int32_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

void check_lists(const Problem& problem, const Placement& placement) {
  if (placement.replicas.size() != problem.services().size()) {
    throw InvalidInput("replicas: " + std::to_string(placement.replicas.size()) + " lists for " +
                       std::to_string(problem.services().size()) + " services");
  }
  if (placement.assignment.size() != problem.tasks().size()) {
    throw InvalidInput("assignment: " + std::to_string(placement.assignment.size()) + " lists for " +
                       std::to_string(problem.tasks().size()) + " tasks");
  }
}

void check_node(const Problem& problem, const std::string& where, std::int32_t node) {
  if (node >= 0 && node < problem.node_count()) return;
  throw InvalidInput(where + ": " + std::to_string(node) + " is not in [0, " +
                     std::to_string(problem.node_count()) + ")");
}

std::string end_text(const Problem& problem, const Transfer& transfer, bool is_start) {
  const std::int32_t stage = is_start ? transfer.from : transfer.to;
  if (stage == kEndpoint) return is_start ? "its source" : "its sink";
  const Task& task = problem.tasks()[z(transfer.task)];
  return "stage " + std::to_string(stage) + " (" +
         quoted(problem.services()[z(task.stages[z(stage)].service)].name) + ")";
}

std::string above(double value, const char* unit, double limit) {
  return core::to_text(value) + unit + " is above the limit, " + core::to_text(limit) + unit;
}

void tell_memory_and_cost(const Problem& problem, const Evaluation& made, std::vector<std::string>& found) {
  for (std::int32_t v = 0; v < problem.node_count(); ++v) {
    if (made.memory_bytes[z(v)] > problem.memory_limit_bytes(v)) {
      found.push_back("node " + node_text(problem, v) + ": the memory of its replicas of " +
                      above(made.memory_bytes[z(v)], " B", problem.memory_limit_bytes(v)));
    }
  }
  if (made.cost > problem.cost_limit())
    found.push_back("max_cost: the cost of replicas of " + above(made.cost, "", problem.cost_limit()));
}

void tell_loads(const Problem& problem, const Evaluation& made, std::vector<std::string>& found) {
  if (problem.samples()) {
    if (made.broken_samples > problem.samples()->may_break) {
      found.push_back("samples: " + std::to_string(made.broken_samples) + " overload a node or a link, and " +
                      std::to_string(problem.samples()->may_break) + " may");
    }
    return;
  }
  for (std::int32_t v = 0; v < problem.node_count(); ++v) {
    const double limit = problem.node_capacity_flop_per_s(v);
    if (made.node_load_flop_per_s[z(v)] > limit) {
      found.push_back("node " + node_text(problem, v) + ": its load of " +
                      above(made.node_load_flop_per_s[z(v)], " FLOP/s", limit));
    }
  }
  for (std::int32_t a = 0; a < problem.link_count(); ++a) {
    const double limit = problem.link_capacity_bps(a);
    if (made.link_load_bps[z(a)] > limit) {
      found.push_back("link " + link_text(problem, a) + ": its load of " +
                      above(made.link_load_bps[z(a)], " bit/s", limit));
    }
  }
}

}  // namespace

void check_form(const Problem& problem, const Placement& placement) {
  check_lists(problem, placement);
  for (std::size_t s = 0; s < placement.replicas.size(); ++s) {
    const std::string where = "replicas of " + quoted(problem.services()[s].name);
    const std::vector<std::int32_t>& nodes = placement.replicas[s];
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      check_node(problem, where, nodes[i]);
      if (i > 0 && nodes[i - 1] == nodes[i])
        throw InvalidInput(where + ": " + node_text(problem, nodes[i]) + " stands there twice");
      if (i > 0 && nodes[i - 1] > nodes[i]) throw InvalidInput(where + ": nodes are not in their order");
    }
  }
  for (std::size_t t = 0; t < placement.assignment.size(); ++t) {
    const std::string where = "assignment of " + quoted(problem.tasks()[t].name);
    const std::vector<std::int32_t>& nodes = placement.assignment[t];
    const std::size_t stages = problem.tasks()[t].stages.size();
    if (!nodes.empty() && nodes.size() != stages) {
      throw InvalidInput(where + ": " + std::to_string(nodes.size()) + " nodes for " +
                         std::to_string(stages) + " stages");
    }
    for (const std::int32_t node : nodes) check_node(problem, where, node);
  }
}

std::vector<std::string> faults(const Problem& problem, const Routes& routes, const Placement& placement) {
  std::vector<std::string> found;
  for (std::size_t s = 0; s < placement.replicas.size(); ++s) {
    const Service& service = problem.services()[s];
    for (const std::int32_t node : placement.replicas[s]) {
      if (holds(service.hosts, node)) continue;
      const bool computes = problem.graph().nodes()[z(node)].flop_per_s > 0.0;
      found.push_back("replica of " + quoted(service.name) + ": " + node_text(problem, node) +
                      (computes ? " may not host it" : " has no flop_per_s and hosts nothing"));
    }
  }
  for (std::size_t t = 0; t < placement.assignment.size(); ++t) {
    const Task& task = problem.tasks()[t];
    const std::vector<std::int32_t>& nodes = placement.assignment[t];
    const std::size_t before = found.size();
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      const std::int32_t service = task.stages[k].service;
      if (holds(placement.replicas[z(service)], nodes[k]) &&
          holds(problem.services()[z(service)].hosts, nodes[k]))
        continue;
      found.push_back("task " + quoted(task.name) + ", stage " + std::to_string(k) + ": " +
                      quoted(problem.services()[z(service)].name) + " has no replica on " +
                      node_text(problem, nodes[k]) + " that may serve");
    }
    if (nodes.empty() || found.size() > before) continue;
    for (std::int32_t e = problem.first_transfer()[t]; e < problem.first_transfer()[t + 1]; ++e) {
      const Transfer& transfer = problem.transfers()[z(e)];
      const auto [from, to] = ends(problem, placement, transfer);
      if (std::isfinite(routes.seconds(e, from, to))) continue;
      found.push_back("task " + quoted(task.name) + ": no way from " + node_text(problem, from) + " (" +
                      end_text(problem, transfer, true) + ") to " + node_text(problem, to) + " (" +
                      end_text(problem, transfer, false) + ")");
    }
  }
  return found;
}

std::vector<std::string> broken(const Problem& problem, const Routes& routes, const Placement& placement) {
  check_form(problem, placement);
  std::vector<std::string> found = faults(problem, routes, placement);
  const bool can_be = found.empty();
  if (problem.objective() != Objective::admitted) {
    for (std::size_t t = 0; t < placement.assignment.size(); ++t) {
      if (placement.assignment[t].empty())
        found.push_back("task " + quoted(problem.tasks()[t].name) + ": is not placed");
    }
  }
  tell_memory_and_cost(problem, terms_of_replicas(problem, placement.replicas), found);
  if (!can_be) return found;
  const Evaluation made = terms(problem, routes, placement);
  tell_loads(problem, made, found);
  for (std::int32_t t = 0; z(t) < problem.tasks().size(); ++t) {
    if (made.task_delay_s[z(t)] > problem.deadline_limit_s(t)) {
      found.push_back("task " + task_text(problem, t) + ": its delay of " +
                      above(made.task_delay_s[z(t)], " s", problem.deadline_limit_s(t)));
    }
  }
  each_late(problem, routes, placement, [&](const Transfer& transfer, std::int32_t link, double left_s) {
    found.push_back("task " + task_text(problem, transfer.task) + ": the data from " +
                    end_text(problem, transfer, true) + " to " + end_text(problem, transfer, false) +
                    " leaves link " + link_text(problem, link) + " at " +
                    above(left_s, " s", problem.life_s(link)));
    return true;
  });
  return found;
}

}  // namespace constellm::services
