#include "constellm/services/problem.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/units.hpp"

namespace constellm::services {
namespace {

using core::InvalidInput;
using core::require_non_negative;
using core::z;

std::string place(const char* list, std::size_t i) {
  return std::string(list) + "[" + std::to_string(i) + "]";
}

void require_position(const std::string& where, std::int32_t value, std::int32_t least, std::size_t count) {
  if (value >= least && (value < 0 || z(value) < count)) return;
  throw InvalidInput(where + ": " + std::to_string(value) + " is not in [" + std::to_string(least) + ", " +
                     std::to_string(count) + ")");
}

/// Positive, or infinite: none.
void require_limit(const std::string& where, double value, bool may_be_zero) {
  if (value > 0.0 || (may_be_zero && value == 0.0)) return;
  core::throw_out_of_range(where, value, may_be_zero ? "[0, inf]" : "(0, inf]");
}

/// What is made of figures in their ranges may still be no number.
void require_finite(const std::string& what, double value) {
  if (!std::isfinite(value)) throw InvalidInput(what + ": figures so large that this is no number");
}

template <class Named>
void require_names(const char* list, const std::vector<Named>& all) {
  if (all.empty()) throw InvalidInput(std::string(list) + ": must not be empty");
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name.empty()) throw InvalidInput(place(list, i) + ".name: must not be empty");
    const auto [first, is_new] = seen.emplace(all[i].name, i);
    if (!is_new) {
      throw InvalidInput(place(list, i) + ".name: '" + all[i].name + "' is the name of " +
                         place(list, first->second) + " too");
    }
  }
}

/// Times of their own that nodes and links have are no part of these problems.
void check_network(const network::Graph& graph) {
  for (std::size_t v = 0; v < graph.nodes().size(); ++v) {
    const network::Node& node = graph.nodes()[v];
    if (node.overhead_s != 0.0)
      core::throw_out_of_range(place("nodes", v) + ".", "overhead_s", node.overhead_s,
                               "[0, 0]: stages have no fixed time");
    if (node.layer_time_s)
      throw InvalidInput(place("nodes", v) + ".layer_time_s: services have no layers; give flop_per_s");
  }
  const std::vector<double>& overhead_s = graph.columns().overhead_s;
  for (std::size_t a = 0; a < overhead_s.size(); ++a) {
    if (overhead_s[a] != 0.0)
      core::throw_out_of_range(place("links", a) + ".", "overhead_s", overhead_s[a],
                               "[0, 0]: transfers have no fixed time");
  }
}

/// Keeps the hosts that compute.
void check_services(const network::Graph& graph, std::vector<Service>& services) {
  require_names("services", services);
  const std::vector<network::Node>& nodes = graph.nodes();
  for (std::size_t s = 0; s < services.size(); ++s) {
    Service& service = services[s];
    const std::string where = place("services", s) + ".";
    require_non_negative(where, "flop", service.flop);
    require_non_negative(where, "memory_bytes", service.memory_bytes);
    require_non_negative(where, "cost", service.cost);
    for (std::size_t i = 0; i < service.hosts.size(); ++i) {
      require_position(where + place("nodes", i), service.hosts[i], 0, nodes.size());
      if (i > 0 && service.hosts[i - 1] >= service.hosts[i])
        throw InvalidInput(where + place("nodes", i) + ": nodes stand in their order, each once");
    }
    std::erase_if(service.hosts, [&](std::int32_t v) { return !(nodes[z(v)].flop_per_s > 0.0); });
  }
}

void check_stages(const Task& task, const std::string& where, std::size_t services) {
  const std::size_t count = task.stages.size();
  if (count == 0) throw InvalidInput(where + "stages: must not be empty");
  std::vector<bool> feeds(count, false);
  for (std::size_t k = 0; k < count; ++k) {
    const Stage& stage = task.stages[k];
    const std::string here = where + place("stages", k) + ".";
    require_position(here + "service", stage.service, 0, services);
    if (stage.inputs.empty()) throw InvalidInput(here + "inputs: must not be empty");
    for (std::size_t i = 0; i < stage.inputs.size(); ++i) {
      const std::string input = here + place("inputs", i) + ".";
      require_position(input + "from", stage.inputs[i].from, kEndpoint, k);
      require_non_negative(input, "bytes", stage.inputs[i].bytes);
      if (stage.inputs[i].from != kEndpoint) feeds[z(stage.inputs[i].from)] = true;
    }
  }
  for (std::size_t k = 0; k + 1 < count; ++k) {
    if (!feeds[k])
      throw InvalidInput(where + place("stages", k) + ": no other stage waits for it; only the last one may");
  }
}

void check_tasks(const network::Graph& graph, const std::vector<Task>& tasks, std::size_t services) {
  require_names("tasks", tasks);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const Task& task = tasks[t];
    const std::string where = place("tasks", t) + ".";
    core::require_positive(where, "rate_per_s", task.rate_per_s);
    require_non_negative(where, "deviation_per_s", task.deviation_per_s);
    require_position(where + "source", task.source, 0, graph.nodes().size());
    require_position(where + "sink", task.sink, 0, graph.nodes().size());
    check_stages(task, where, services);
    require_non_negative(where, "output_bytes", task.output_bytes);
    require_limit(where + "deadline_s", task.deadline_s, false);
    require_non_negative(where, "weight", task.weight);
  }
}

void check_limits(const Limits& limits) {
  if (!(limits.max_utilisation > 0.0 && limits.max_utilisation <= 1.0))
    core::throw_out_of_range("max_utilisation", limits.max_utilisation, "(0, 1]");
  require_limit("budget", limits.budget, true);
  require_limit("max_cost", limits.max_cost, true);
}

void check_samples(const Samples& samples, const std::vector<Task>& tasks, const Limits& limits) {
  if (samples.rate_per_s.empty() || samples.rate_per_s.size() % tasks.size() != 0) {
    throw InvalidInput("samples: " + std::to_string(samples.rate_per_s.size()) + " rates are none for " +
                       std::to_string(tasks.size()) + " tasks each");
  }
  for (std::size_t i = 0; i < samples.rate_per_s.size(); ++i)
    require_non_negative(place("samples", i / tasks.size()), "[" + std::to_string(i % tasks.size()) + "]",
                         samples.rate_per_s[i]);
  const std::size_t count = samples.rate_per_s.size() / tasks.size();
  if (samples.may_break < 0 || z(samples.may_break) > count) {
    throw InvalidInput("samples: " + std::to_string(samples.may_break) + " that may break is not in [0, " +
                       std::to_string(count) + "]");
  }
  if (limits.budget != kNone) core::throw_out_of_range("budget", limits.budget, "{inf}: there are samples");
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (tasks[t].deviation_per_s != 0.0)
      core::throw_out_of_range(place("tasks", t) + ".", "deviation_per_s", tasks[t].deviation_per_s,
                               "[0, 0]: there are samples");
  }
}

/// The highest rate that a task can have.
std::vector<double> highest_rates(const std::vector<Task>& tasks, const std::optional<Samples>& samples) {
  std::vector<double> rates;
  for (const Task& task : tasks) rates.push_back(task.rate_per_s + task.deviation_per_s);
  if (samples) {
    for (std::size_t i = 0; i < samples->rate_per_s.size(); ++i)
      rates[i % tasks.size()] = std::max(rates[i % tasks.size()], samples->rate_per_s[i]);
  }
  return rates;
}

/// Every sum of the evaluator stays a number, whatever the placement.
void check_sums(const network::Graph& graph, const std::vector<Service>& services,
                const std::vector<Task>& tasks, const std::optional<Samples>& samples) {
  double least_speed = kNone;
  for (const network::Node& node : graph.nodes())
    if (node.flop_per_s > 0.0) least_speed = std::min(least_speed, node.flop_per_s);
  double cost = 0.0;
  double memory = 0.0;
  for (const Service& service : services) {
    cost += service.cost * static_cast<double>(service.hosts.size());
    memory += service.memory_bytes;
  }
  require_finite("services: the sum of their cost", cost);
  require_finite("services: the sum of their memory_bytes", memory);
  const std::vector<double> rates = highest_rates(tasks, samples);
  double flop_per_s = 0.0;
  double bits_per_s = 0.0;
  double rate_per_s = 0.0;
  double delay = 0.0;
  double weight = 0.0;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    double flop = 0.0;
    double most_bytes = tasks[t].output_bytes;
    double bytes = most_bytes;
    double transfers = 1.0;
    for (const Stage& stage : tasks[t].stages) {
      flop += services[z(stage.service)].flop;
      for (const Input& input : stage.inputs) {
        bytes += input.bytes;
        most_bytes = std::max(most_bytes, input.bytes);
        transfers += 1.0;
      }
    }
    double around_s = 0.0;
    for (std::size_t a = 0; a < graph.columns().rate_bps.size(); ++a)
      around_s += graph.columns().latency_s[a] + core::transfer_s(most_bytes, graph.columns().rate_bps[a]);
    const double longest_s = flop / least_speed + transfers * around_s;
    require_finite(place("tasks", t) + ": its longest delay", longest_s);
    flop_per_s += rates[t] * flop;
    bits_per_s += rates[t] * core::kBitsPerByte * bytes;
    rate_per_s += tasks[t].rate_per_s;
    delay += tasks[t].rate_per_s * longest_s;
    weight += tasks[t].weight;
  }
  require_finite("tasks: the sum of their rate_per_s · flop", flop_per_s);
  require_finite("tasks: the sum of their rate_per_s · 8 · bytes", bits_per_s);
  require_finite("tasks: the sum of their rate_per_s", rate_per_s);
  require_finite("tasks: the sum of their rate_per_s · delay", delay);
  require_finite("tasks: the sum of their weight", weight);
}

}  // namespace

Problem::Problem(network::Graph graph, std::vector<Service> services, std::vector<Task> tasks, Limits limits,
                 Objective objective, std::vector<double> life_s, std::optional<Samples> samples) {
  check_network(graph);
  check_services(graph, services);
  check_tasks(graph, tasks, services.size());
  check_limits(limits);
  if (!life_s.empty() && life_s.size() != z(graph.link_count())) {
    throw InvalidInput("life_s: " + std::to_string(life_s.size()) + " entries for " +
                       std::to_string(graph.link_count()) + " links");
  }
  for (std::size_t a = 0; a < life_s.size(); ++a) {
    require_limit(place("life_s", a), life_s[a], true);
    life_s[a] *= kLimitRoom;
  }
  if (samples) check_samples(*samples, tasks, limits);
  check_sums(graph, services, tasks, samples);
  std::vector<Transfer> transfers;
  std::vector<std::int32_t> first_transfer{0};
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto task = static_cast<std::int32_t>(t);
    const auto stages = static_cast<std::int32_t>(tasks[t].stages.size());
    for (std::int32_t k = 0; k < stages; ++k)
      for (const Input& input : tasks[t].stages[z(k)].inputs)
        transfers.push_back({.task = task, .from = input.from, .to = k, .bytes = input.bytes});
    transfers.push_back({.task = task, .from = stages - 1, .to = kEndpoint, .bytes = tasks[t].output_bytes});
    first_transfer.push_back(static_cast<std::int32_t>(transfers.size()));
  }
  data_ = std::make_shared<const Data>(Data{std::move(graph), std::move(services), std::move(tasks), limits,
                                            objective, std::move(life_s), std::move(samples),
                                            std::move(transfers), std::move(first_transfer)});
}

double Problem::compute_s(std::int32_t service, std::int32_t node) const {
  return services()[z(service)].flop / graph().nodes()[z(node)].flop_per_s;
}

double Problem::node_capacity_flop_per_s(std::int32_t node) const {
  return limits().max_utilisation * graph().nodes()[z(node)].flop_per_s * kLimitRoom;
}

double Problem::link_capacity_bps(std::int32_t link) const {
  return limits().max_utilisation * graph().columns().rate_bps[z(link)] * kLimitRoom;
}

double Problem::memory_limit_bytes(std::int32_t node) const {
  return graph().nodes()[z(node)].memory_bytes * kLimitRoom;
}

double Problem::deadline_limit_s(std::int32_t task) const { return tasks()[z(task)].deadline_s * kLimitRoom; }

double Problem::cost_limit() const { return limits().max_cost * kLimitRoom; }

}  // namespace constellm::services
