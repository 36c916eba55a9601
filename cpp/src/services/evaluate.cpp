#include "constellm/services/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "constellm/core/error.hpp"
#include "terms.hpp"

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

}  // namespace

std::pair<std::int32_t, std::int32_t> ends(const Problem& problem, const Placement& placement,
                                           const Transfer& transfer) {
  const Task& task = problem.tasks()[z(transfer.task)];
  const std::vector<std::int32_t>& nodes = placement.assignment[z(transfer.task)];
  return {transfer.from == kEndpoint ? task.source : nodes[z(transfer.from)],
          transfer.to == kEndpoint ? task.sink : nodes[z(transfer.to)]};
}

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
