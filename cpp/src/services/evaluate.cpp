#include "constellm/services/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/units.hpp"

namespace constellm::services {
namespace {

using core::InvalidInput;
using core::z;

/// What one request of a task asks of a node or a link.
struct Share {
  std::int32_t task;
  double amount;
};
using Shares = std::vector<std::vector<Share>>;  // [nodes] or [links], by ascending task

void add(Shares& shares, std::int32_t place, std::int32_t task, double amount) {
  std::vector<Share>& here = shares[z(place)];
  if (!here.empty() && here.back().task == task)
    here.back().amount += amount;
  else
    here.push_back({task, amount});
}

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

/// Throws for what has not the form of a placement of this problem.
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

/// Both ends of a transfer of an admitted task.
std::pair<std::int32_t, std::int32_t> ends(const Problem& problem, const Placement& placement,
                                           const Transfer& transfer) {
  const Task& task = problem.tasks()[z(transfer.task)];
  const std::vector<std::int32_t>& nodes = placement.assignment[z(transfer.task)];
  return {transfer.from == kEndpoint ? task.source : nodes[z(transfer.from)],
          transfer.to == kEndpoint ? task.sink : nodes[z(transfer.to)]};
}

std::string end_text(const Problem& problem, const Transfer& transfer, bool is_start) {
  const std::int32_t stage = is_start ? transfer.from : transfer.to;
  if (stage == kEndpoint) return is_start ? "its source" : "its sink";
  const Task& task = problem.tasks()[z(transfer.task)];
  return "stage " + std::to_string(stage) + " (" +
         quoted(problem.services()[z(task.stages[z(stage)].service)].name) + ")";
}

/// Why a placement of the right form cannot be: what it has where it must not, or lacks.
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

/// When each transfer of an admitted task starts, and its last stage's data is at the sink.
struct Schedule {
  std::vector<double> start_s;  // [transfers of the task]
  double delay_s = 0.0;
};

Schedule schedule_of(const Problem& problem, const Routes& routes, const Placement& placement,
                     std::int32_t task) {
  const std::vector<Stage>& stages = problem.tasks()[z(task)].stages;
  const std::int32_t first = problem.first_transfer()[z(task)];
  std::vector<double> end_s(stages.size(), 0.0);
  Schedule made;
  std::int32_t e = first;
  const auto arrival_s = [&](std::int32_t transfer) {
    const Transfer& of = problem.transfers()[z(transfer)];
    const auto [from, to] = ends(problem, placement, of);
    made.start_s.push_back(of.from == kEndpoint ? 0.0 : end_s[z(of.from)]);
    return made.start_s.back() + routes.seconds(transfer, from, to);
  };
  for (std::size_t k = 0; k < stages.size(); ++k) {
    double begin_s = 0.0;
    for (std::size_t i = 0; i < stages[k].inputs.size(); ++i) begin_s = std::max(begin_s, arrival_s(e++));
    end_s[k] = begin_s + problem.compute_s(stages[k].service, placement.assignment[z(task)][k]);
  }
  made.delay_s = arrival_s(e);
  return made;
}

Shares node_shares(const Problem& problem, const Placement& placement) {
  Shares shares(z(problem.node_count()));
  for (std::size_t t = 0; t < placement.assignment.size(); ++t) {
    const std::vector<std::int32_t>& nodes = placement.assignment[t];
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      const Service& service = problem.services()[z(problem.tasks()[t].stages[k].service)];
      add(shares, nodes[k], static_cast<std::int32_t>(t), service.flop);
    }
  }
  return shares;
}

Shares link_shares(const Problem& problem, const Routes& routes, const Placement& placement) {
  Shares shares(z(problem.link_count()));
  for (std::size_t e = 0; e < problem.transfers().size(); ++e) {
    const Transfer& transfer = problem.transfers()[e];
    if (placement.assignment[z(transfer.task)].empty()) continue;
    const auto [from, to] = ends(problem, placement, transfer);
    for (const std::int32_t link : routes.links(static_cast<std::int32_t>(e), from, to))
      add(shares, link, transfer.task, core::kBitsPerByte * transfer.bytes);
  }
  return shares;
}

double sample_load(const Problem& problem, const std::vector<Share>& shares, std::size_t sample) {
  const double* rates = problem.samples()->rate_per_s.data() + sample * problem.tasks().size();
  double load = 0.0;
  for (const Share& share : shares) load += rates[z(share.task)] * share.amount;
  return load;
}

/// In the worst case; of samples the largest.
double load_of(const Problem& problem, const std::vector<Share>& shares) {
  if (problem.samples()) {
    double most = 0.0;
    for (std::size_t i = 0; i < problem.samples()->rate_per_s.size() / problem.tasks().size(); ++i)
      most = std::max(most, sample_load(problem, shares, i));
    return most;
  }
  double nominal = 0.0;
  std::vector<double> raise;
  for (const Share& share : shares) {
    const Task& task = problem.tasks()[z(share.task)];
    nominal += task.rate_per_s * share.amount;
    if (task.deviation_per_s > 0.0 && share.amount > 0.0)
      raise.push_back(task.deviation_per_s * share.amount);
  }
  return worst_load(nominal, raise, problem.limits().budget);
}

std::int32_t broken_samples(const Problem& problem, const Shares& nodes, const Shares& links) {
  if (!problem.samples()) return 0;
  std::int32_t broken = 0;
  for (std::size_t i = 0; i < problem.samples()->rate_per_s.size() / problem.tasks().size(); ++i) {
    bool fits = true;
    for (std::int32_t v = 0; v < problem.node_count() && fits; ++v)
      fits = sample_load(problem, nodes[z(v)], i) <= problem.node_capacity_flop_per_s(v);
    for (std::int32_t a = 0; a < problem.link_count() && fits; ++a)
      fits = sample_load(problem, links[z(a)], i) <= problem.link_capacity_bps(a);
    broken += fits ? 0 : 1;
  }
  return broken;
}

/// Cost and memory alone.
Evaluation terms_of_replicas(const Problem& problem, const Replicas& replicas) {
  Evaluation made;
  made.memory_bytes.assign(z(problem.node_count()), 0.0);
  for (std::size_t s = 0; s < replicas.size(); ++s) {
    made.cost += problem.services()[s].cost * static_cast<double>(replicas[s].size());
    for (const std::int32_t node : replicas[s])
      made.memory_bytes[z(node)] += problem.services()[s].memory_bytes;
  }
  return made;
}

/// Of a placement that can be.
Evaluation terms(const Problem& problem, const Routes& routes, const Placement& placement) {
  Evaluation made = terms_of_replicas(problem, placement.replicas);
  double rates = 0.0;
  double sum = 0.0;
  for (std::size_t t = 0; t < placement.assignment.size(); ++t) {
    const Task& task = problem.tasks()[t];
    if (placement.assignment[t].empty()) {
      made.rejected_weight += task.weight;
      made.task_delay_s.push_back(std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const double delay_s = schedule_of(problem, routes, placement, static_cast<std::int32_t>(t)).delay_s;
    made.task_delay_s.push_back(delay_s);
    rates += task.rate_per_s;
    sum += task.rate_per_s * delay_s;
  }
  made.delay_s = rates > 0.0 ? sum / rates : 0.0;
  const Shares nodes = node_shares(problem, placement);
  const Shares links = link_shares(problem, routes, placement);
  for (const auto& shares : nodes) made.node_load_flop_per_s.push_back(load_of(problem, shares));
  for (const auto& shares : links) made.link_load_bps.push_back(load_of(problem, shares));
  made.broken_samples = broken_samples(problem, nodes, links);
  return made;
}

/// Calls `late(transfer, link, left_s)` for every link that a transfer leaves after its life; ends where it
/// gives false.
template <class Late>
void each_late(const Problem& problem, const Routes& routes, const Placement& placement, Late late) {
  if (!problem.links_end()) return;
  const network::LinkColumns& columns = problem.graph().columns();
  for (std::size_t t = 0; t < placement.assignment.size(); ++t) {
    if (placement.assignment[t].empty()) continue;
    const Schedule schedule = schedule_of(problem, routes, placement, static_cast<std::int32_t>(t));
    const std::int32_t first = problem.first_transfer()[t];
    for (std::int32_t e = first; e < problem.first_transfer()[t + 1]; ++e) {
      const Transfer& transfer = problem.transfers()[z(e)];
      const auto [from, to] = ends(problem, placement, transfer);
      double on_route_s = 0.0;
      for (const std::int32_t link : routes.links(e, from, to)) {
        on_route_s +=
            columns.latency_s[z(link)] + core::transfer_s(transfer.bytes, columns.rate_bps[z(link)]);
        const double left_s = schedule.start_s[z(e - first)] + on_route_s;
        if (left_s > problem.life_s(link) && !late(transfer, link, left_s)) return;
      }
    }
  }
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

Replicas replicas_of(const Problem& problem, const Assignment& assignment) {
  Replicas replicas(problem.services().size());
  for (std::size_t t = 0; t < assignment.size(); ++t)
    for (std::size_t k = 0; k < assignment[t].size(); ++k)
      replicas[z(problem.tasks()[t].stages[k].service)].push_back(assignment[t][k]);
  for (std::vector<std::int32_t>& nodes : replicas) {
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  }
  return replicas;
}

double Evaluation::first(Objective objective) const {
  if (objective == Objective::cost) return cost;
  return objective == Objective::delay ? delay_s : rejected_weight;
}

double Evaluation::second(Objective objective) const { return objective == Objective::cost ? delay_s : cost; }

Evaluation evaluate(const Problem& problem, const Routes& routes, const Placement& placement) {
  check_form(problem, placement);
  const std::vector<std::string> found = faults(problem, routes, placement);
  if (!found.empty()) throw InvalidInput(found.front());
  return terms(problem, routes, placement);
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

bool keeps_limits(const Problem& problem, const Routes& routes, const Placement& placement,
                  const Evaluation& evaluation) {
  if (problem.objective() != Objective::admitted) {
    for (const std::vector<std::int32_t>& nodes : placement.assignment)
      if (nodes.empty()) return false;
  }
  if (evaluation.cost > problem.cost_limit()) return false;
  for (std::int32_t t = 0; z(t) < problem.tasks().size(); ++t)
    if (evaluation.task_delay_s[z(t)] > problem.deadline_limit_s(t)) return false;
  for (std::int32_t v = 0; v < problem.node_count(); ++v)
    if (evaluation.memory_bytes[z(v)] > problem.memory_limit_bytes(v)) return false;
  if (problem.samples()) {
    if (evaluation.broken_samples > problem.samples()->may_break) return false;
  } else {
    for (std::int32_t v = 0; v < problem.node_count(); ++v)
      if (evaluation.node_load_flop_per_s[z(v)] > problem.node_capacity_flop_per_s(v)) return false;
    for (std::int32_t a = 0; a < problem.link_count(); ++a)
      if (evaluation.link_load_bps[z(a)] > problem.link_capacity_bps(a)) return false;
  }
  bool in_time = true;
  each_late(problem, routes, placement, [&](const Transfer&, std::int32_t, double) {
    in_time = false;
    return false;
  });
  return in_time;
}

double worst_load(double nominal, std::vector<double>& raise, double budget) {
  std::sort(raise.begin(), raise.end(), std::greater<>());
  double more = 0.0;
  for (const double each : raise) {
    if (budget <= 0.0) break;
    more += std::min(budget, 1.0) * each;
    budget -= 1.0;
  }
  return nominal + more;
}

}  // namespace constellm::services
