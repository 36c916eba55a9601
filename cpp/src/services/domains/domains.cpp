#include "constellm/services/domains/domains.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "constellm/core/index.hpp"

namespace constellm::services::domains {
namespace {

using core::z;

/// Of bounds that are summed in another order than the evaluator sums.
constexpr double kRounding = 1.0 + 1e-11;

/// What tasks can have at the same time, for every demand set; of samples nothing is said.
std::vector<double> rates_of(const Problem& problem) {
  std::vector<double> rates;
  const auto raised = std::count_if(problem.tasks().begin(), problem.tasks().end(),
                                    [](const Task& task) { return task.deviation_per_s > 0.0; });
  const bool all = problem.limits().budget >= static_cast<double>(raised);
  for (const Task& task : problem.tasks())
    rates.push_back(problem.samples() ? 0.0 : task.rate_per_s + (all ? task.deviation_per_s : 0.0));
  return rates;
}

}  // namespace

Rules::Rules(const Problem& problem, const Routes& routes, std::vector<double> deadline_s, double cost_limit)
    : problem_(problem), routes_(routes), deadline_s_(std::move(deadline_s)), cost_limit_(cost_limit) {
  nodes_ = problem.node_count();
  slots_of_.resize(problem.services().size());
  service_load_flop_per_s_.assign(problem.services().size(), 0.0);
  const std::vector<double> rates = rates_of(problem);
  first_slot_.push_back(0);
  for (std::size_t t = 0; t < problem.tasks().size(); ++t) {
    for (const Stage& stage : problem.tasks()[t].stages) {
      const double load = rates[t] * problem.services()[z(stage.service)].flop;
      slots_of_[z(stage.service)].push_back(slots_++);
      task_of_.push_back(static_cast<std::int32_t>(t));
      service_of_.push_back(stage.service);
      load_flop_per_s_.push_back(load);
      service_load_flop_per_s_[z(stage.service)] += load;
    }
    first_slot_.push_back(slots_);
  }
  inputs_.resize(z(slots_));
  outputs_.resize(z(slots_));
  compute_s_.assign(z(slots_) * z(nodes_), kNone);
  for (std::int32_t k = 0; k < slots_; ++k) {
    for (const std::int32_t v : problem.services()[z(service_of_[z(k)])].hosts)
      compute_s_[at(k, v)] = problem.compute_s(service_of_[z(k)], v);
  }
  for (std::size_t e = 0; e < problem.transfers().size(); ++e) {
    const Transfer& transfer = problem.transfers()[e];
    const std::int32_t first = first_slot_[z(transfer.task)];
    const auto number = static_cast<std::int32_t>(e);
    const auto slot = [&](std::int32_t stage) { return stage == kEndpoint ? kEndpoint : first + stage; };
    Way in{slot(transfer.from), {}};
    Way out{slot(transfer.to), {}};
    if (transfer.from == kEndpoint) {
      in.seconds.push_back(routes.seconds(number, problem.tasks()[z(transfer.task)].source).data());
    } else {
      in.seconds.assign(z(nodes_), nullptr);
      for (const std::int32_t u : problem.services()[z(service_of_[z(slot(transfer.from))])].hosts)
        in.seconds[z(u)] = routes.seconds(number, u).data();
      out.seconds = in.seconds;
      outputs_[z(slot(transfer.from))].push_back(std::move(out));
    }
    if (transfer.to != kEndpoint) inputs_[z(slot(transfer.to))].push_back(std::move(in));
  }
}

std::size_t Rules::at(std::int32_t slot, std::int32_t node) const { return z(slot) * z(nodes_) + z(node); }

Domains Rules::start(std::vector<std::uint8_t> allowed, std::vector<std::int32_t> least,
                     std::vector<std::int32_t> most) const {
  Domains made;
  made.allowed = std::move(allowed);
  made.least = std::move(least);
  made.most = std::move(most);
  made.head_s.assign(made.allowed.size(), 0.0);
  made.tail_s.assign(made.allowed.size(), 0.0);
  for (std::int32_t k = 0; k < slots_; ++k) {
    std::int32_t count = 0;
    for (std::int32_t v = 0; v < nodes_; ++v) count += made.allowed[at(k, v)] != 0 ? 1 : 0;
    made.count.push_back(count);
    made.is_empty |= count == 0;
  }
  return made;
}

bool Rules::conclude(Domains& domains) const {
  Dirty dirty{std::vector<std::uint8_t>(problem_.tasks().size(), 1),
              std::vector<std::uint8_t>(problem_.services().size(), 1)};
  return drain(domains, dirty);
}

std::vector<std::vector<std::int32_t>> Rules::groups(const Domains& domains) const {
  std::vector<std::vector<std::int32_t>> made;
  for (std::size_t s = 0; s < slots_of_.size(); ++s) {
    if (slots_of_[s].empty()) continue;
    if (domains.most[s] == 1) {
      made.push_back(slots_of_[s]);
    } else {
      for (const std::int32_t k : slots_of_[s]) made.push_back({k});
    }
  }
  return made;
}

bool Rules::assign(Domains& domains, const std::vector<std::int32_t>& group, std::int32_t node) const {
  Dirty dirty{std::vector<std::uint8_t>(problem_.tasks().size(), 0),
              std::vector<std::uint8_t>(problem_.services().size(), 0)};
  for (const std::int32_t k : group) {
    for (std::int32_t v = 0; v < nodes_; ++v)
      if (v != node) take(domains, dirty, k, v);
  }
  return drain(domains, dirty);
}

bool Rules::remove(Domains& domains, const std::vector<std::int32_t>& group, std::int32_t node) const {
  Dirty dirty{std::vector<std::uint8_t>(problem_.tasks().size(), 0),
              std::vector<std::uint8_t>(problem_.services().size(), 0)};
  for (const std::int32_t k : group) take(domains, dirty, k, node);
  return drain(domains, dirty);
}

bool Rules::drain(Domains& domains, Dirty& dirty) const {
  const auto any = [](const std::vector<std::uint8_t>& of) {
    return std::find(of.begin(), of.end(), std::uint8_t{1}) != of.end();
  };
  while (!domains.is_empty && (any(dirty.tasks) || any(dirty.services))) {
    for (std::size_t t = 0; t < dirty.tasks.size() && !domains.is_empty; ++t)
      if (dirty.tasks[t] != 0) times(domains, dirty, static_cast<std::int32_t>(t));
    if (domains.is_empty || !any(dirty.services)) continue;
    const std::vector<std::uint8_t> services = dirty.services;
    std::fill(dirty.services.begin(), dirty.services.end(), std::uint8_t{0});
    for (std::size_t s = 0; s < services.size(); ++s)
      if (services[s] != 0) replicas(domains, static_cast<std::int32_t>(s));
    numbers(domains, dirty);
    for (std::size_t s = 0; s < services.size() && !domains.is_empty; ++s)
      if (domains.most[s] == 1 && services[s] != 0) share(domains, dirty, static_cast<std::int32_t>(s));
    if (!domains.is_empty) pack(domains, dirty);
  }
  return !domains.is_empty;
}

void Rules::take(Domains& domains, Dirty& dirty, std::int32_t slot, std::int32_t node) const {
  std::uint8_t& allowed = domains.allowed[at(slot, node)];
  if (allowed == 0) return;
  allowed = 0;
  domains.is_empty |= --domains.count[z(slot)] == 0;
  dirty.tasks[z(task_of_[z(slot)])] = 1;
  dirty.services[z(service_of_[z(slot)])] = 1;
}

void Rules::times(Domains& domains, Dirty& dirty, std::int32_t task) const {
  const double limit_s = deadline_s_[z(task)] * kRounding;
  while (dirty.tasks[z(task)] != 0 && !domains.is_empty) {
    dirty.tasks[z(task)] = 0;
    heads(domains, task);
    tails(domains, task);
    for (std::int32_t k = first_slot_[z(task)]; k < first_slot_[z(task) + 1]; ++k) {
      for (const std::int32_t v : left(domains, k)) {
        const double through_s = domains.head_s[at(k, v)] + domains.tail_s[at(k, v)];
        if (through_s > limit_s || through_s == kNone) take(domains, dirty, k, v);
      }
    }
  }
}

void Rules::heads(Domains& domains, std::int32_t task) const {
  for (std::int32_t l = first_slot_[z(task)]; l < first_slot_[z(task) + 1]; ++l) {
    for (const std::int32_t v : left(domains, l)) domains.head_s[at(l, v)] = 0.0;
    for (const Way& way : inputs_[z(l)]) {
      const std::vector<std::int32_t> origins =
          way.other == kEndpoint ? std::vector<std::int32_t>{0} : left(domains, way.other);
      for (const std::int32_t v : left(domains, l)) {
        double came_s = kNone;
        for (const std::int32_t u : origins) {
          const double start_s = way.other == kEndpoint ? 0.0 : domains.head_s[at(way.other, u)];
          came_s = std::min(came_s, start_s + way.seconds[z(u)][z(v)]);
        }
        domains.head_s[at(l, v)] = std::max(domains.head_s[at(l, v)], came_s);
      }
    }
    for (const std::int32_t v : left(domains, l)) domains.head_s[at(l, v)] += compute_s_[at(l, v)];
  }
}

void Rules::tails(Domains& domains, std::int32_t task) const {
  const std::int32_t sink = problem_.tasks()[z(task)].sink;
  for (std::int32_t k = first_slot_[z(task) + 1] - 1; k >= first_slot_[z(task)]; --k) {
    for (const std::int32_t u : left(domains, k)) {
      double tail_s = 0.0;
      for (const Way& way : outputs_[z(k)]) {
        const double* seconds = way.seconds[z(u)];
        double left_s = kNone;
        if (way.other == kEndpoint) {
          left_s = seconds[sink];
        } else {
          for (std::int32_t v = 0; v < nodes_; ++v) {
            if (domains.allowed[at(way.other, v)] == 0) continue;
            left_s =
                std::min(left_s, seconds[v] + compute_s_[at(way.other, v)] + domains.tail_s[at(way.other, v)]);
          }
        }
        tail_s = std::max(tail_s, left_s);
      }
      domains.tail_s[at(k, u)] = tail_s;
    }
  }
}

/// How many of its replicas there are at least.
void Rules::replicas(Domains& domains, std::int32_t service) const {
  const std::vector<std::int32_t>& slots = slots_of_[z(service)];
  if (slots.empty()) return;
  std::int32_t least = std::max(domains.least[z(service)], 1);
  if (least == 1) {
    bool is_shared = false;
    for (std::int32_t v = 0; v < nodes_ && !is_shared; ++v) {
      is_shared = service_load_flop_per_s_[z(service)] <= problem_.node_capacity_flop_per_s(v) * kRounding &&
                  std::all_of(slots.begin(), slots.end(),
                              [&](std::int32_t k) { return domains.allowed[at(k, v)] != 0; });
    }
    if (!is_shared) least = 2;
  }
  domains.least[z(service)] = std::max(least, disjoint(domains, service));
}

/// Slots without common nodes, greedily from those with the fewest.
std::int32_t Rules::disjoint(const Domains& domains, std::int32_t service) const {
  std::vector<std::int32_t> order = slots_of_[z(service)];
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return domains.count[z(a)] < domains.count[z(b)];
  });
  std::vector<std::uint8_t> taken(z(nodes_), 0);
  std::int32_t found = 0;
  for (const std::int32_t k : order) {
    const std::uint8_t* allowed = domains.allowed.data() + at(k, 0);
    const bool is_apart = std::inner_product(taken.begin(), taken.end(), allowed, 0) == 0;
    if (!is_apart) continue;
    ++found;
    for (std::int32_t v = 0; v < nodes_; ++v) taken[z(v)] |= allowed[v];
  }
  return found;
}

/// What the cost limit leaves each service.
void Rules::numbers(Domains& domains, Dirty& dirty) const {
  double least = 0.0;
  for (std::size_t s = 0; s < slots_of_.size(); ++s) {
    domains.is_empty |= domains.least[s] > domains.most[s];
    least += problem_.services()[s].cost * domains.least[s];
  }
  if (cost_limit_ == kNone) return;
  const double spare = cost_limit_ * kLimitRoom - least;
  domains.is_empty |= spare < 0.0;
  for (std::size_t s = 0; s < slots_of_.size() && !domains.is_empty; ++s) {
    const double cost = problem_.services()[s].cost;
    if (cost <= 0.0 || domains.most[s] <= domains.least[s]) continue;
    const double more = std::floor(spare / cost * kLimitRoom);
    if (more >= domains.most[s] - domains.least[s]) continue;
    domains.most[s] = domains.least[s] + static_cast<std::int32_t>(more);
    if (domains.most[s] == 1) share(domains, dirty, static_cast<std::int32_t>(s));
  }
}

/// Slots of a service with one replica have the same nodes, which carry them all.
void Rules::share(Domains& domains, Dirty& dirty, std::int32_t service) const {
  const std::vector<std::int32_t>& slots = slots_of_[z(service)];
  for (std::int32_t v = 0; v < nodes_; ++v) {
    const bool is_shared =
        service_load_flop_per_s_[z(service)] <= problem_.node_capacity_flop_per_s(v) * kRounding &&
        std::all_of(slots.begin(), slots.end(),
                    [&](std::int32_t k) { return domains.allowed[at(k, v)] != 0; });
    if (is_shared) continue;
    for (const std::int32_t k : slots) take(domains, dirty, k, v);
  }
}

/// What stands on a node in every plan leaves no room there for what does not fit beside it.
void Rules::pack(Domains& domains, Dirty& dirty) const {
  const std::size_t services = slots_of_.size();
  std::vector<double> memory(z(nodes_), 0.0);
  std::vector<double> load(z(nodes_), 0.0);
  std::vector<std::int32_t> place(z(slots_), kEndpoint);
  std::vector<std::uint8_t> stands(services * z(nodes_), 0);
  for (std::int32_t k = 0; k < slots_; ++k) {
    if (domains.count[z(k)] != 1) continue;
    const std::int32_t v = left(domains, k)[0];
    place[z(k)] = v;
    load[z(v)] += load_flop_per_s_[z(k)];
    std::uint8_t& here = stands[z(service_of_[z(k)]) * z(nodes_) + z(v)];
    if (here == 0) memory[z(v)] += problem_.services()[z(service_of_[z(k)])].memory_bytes;
    here = 1;
  }
  for (std::int32_t v = 0; v < nodes_; ++v) {
    if (memory[z(v)] == 0.0 && load[z(v)] == 0.0) continue;
    const double most_bytes = problem_.memory_limit_bytes(v) * kRounding;
    const double most_flop_per_s = problem_.node_capacity_flop_per_s(v) * kRounding;
    domains.is_empty |= memory[z(v)] > most_bytes || load[z(v)] > most_flop_per_s;
    for (std::int32_t k = 0; k < slots_; ++k) {
      if (place[z(k)] != kEndpoint || domains.allowed[at(k, v)] == 0) continue;
      const auto s = z(service_of_[z(k)]);
      const double more = domains.most[s] == 1 ? service_load_flop_per_s_[s] : load_flop_per_s_[z(k)];
      const bool is_new = stands[s * z(nodes_) + z(v)] == 0;
      if ((is_new && memory[z(v)] + problem_.services()[s].memory_bytes > most_bytes) ||
          load[z(v)] + more > most_flop_per_s)
        take(domains, dirty, k, v);
    }
  }
}

std::vector<std::int32_t> Rules::left(const Domains& domains, std::int32_t slot) const {
  std::vector<std::int32_t> nodes;
  nodes.reserve(z(domains.count[z(slot)]));
  for (std::int32_t v = 0; v < nodes_; ++v)
    if (domains.allowed[at(slot, v)] != 0) nodes.push_back(v);
  return nodes;
}

Placement Rules::placement(const Domains& domains) const {
  Placement made;
  for (std::size_t t = 0; t < problem_.tasks().size(); ++t) {
    std::vector<std::int32_t> nodes;
    for (std::int32_t k = first_slot_[t]; k < first_slot_[t + 1]; ++k) nodes.push_back(left(domains, k)[0]);
    made.assignment.push_back(std::move(nodes));
  }
  made.replicas = replicas_of(problem_, made.assignment);
  return made;
}

}  // namespace constellm::services::domains
