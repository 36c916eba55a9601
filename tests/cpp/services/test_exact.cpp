#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "constellm/core/index.hpp"
#include "constellm/services/exact/packing.hpp"
#include "constellm/services/exact/task_labels.hpp"
#include "random.hpp"
#include "small.hpp"

using namespace constellm::services;
using namespace constellm::services::exact;
using namespace constellm::tests;
using constellm::core::z;

namespace {

/// Two encoders whose results join, a head, on a small grid with random speeds; three such tasks.
Problem joining(constellm::tests::Random& random, double deadline_s, double memory_bytes) {
  std::vector<Arc> arcs;
  for (std::int32_t v = 0; v < 4; ++v)
    for (std::int32_t w = 0; w < 4; ++w)
      if (v != w && std::abs(v - w) != 2)
        arcs.push_back({v, w, random.uniform(1e6, 9e6), random.uniform(0.01, 0.2)});
  std::vector<double> speed;
  for (std::int32_t v = 0; v < 4; ++v) speed.push_back(random.uniform(5.0, 20.0));
  std::vector<Service> services;
  for (std::int32_t s = 0; s < 4; ++s)
    services.push_back({.name = std::string(1, static_cast<char>('a' + s)),
                        .flop = random.uniform(0.5, 2.0),
                        .memory_bytes = random.uniform(1.0, 4.0),
                        .cost = 1.0 + random.below(5),
                        .hosts = all(4)});
  std::vector<Task> tasks;
  for (std::int32_t t = 0; t < 3; ++t) {
    Task task{.name = "t" + std::to_string(t),
              .rate_per_s = random.uniform(0.5, 3.0),
              .source = random.below(4),
              .sink = random.below(4),
              .stages = {}};
    task.stages.push_back({.service = 0, .inputs = {{.from = kEndpoint, .bytes = random.uniform(0.0, 2e5)}}});
    task.stages.push_back({.service = 1, .inputs = {{.from = kEndpoint, .bytes = random.uniform(0.0, 2e5)}}});
    task.stages.push_back({.service = 2,
                           .inputs = {{.from = 0, .bytes = random.uniform(0.0, 2e5)},
                                      {.from = 1, .bytes = random.uniform(0.0, 2e5)}}});
    task.stages.push_back({.service = 3, .inputs = {{.from = 2, .bytes = random.uniform(0.0, 2e5)}}});
    task.deadline_s = deadline_s;
    tasks.push_back(std::move(task));
  }
  return {graph_of(speed, arcs, memory_bytes), services, tasks, {}, Objective::delay};
}

std::vector<double> prices_of(constellm::tests::Random& random, std::size_t count) {
  std::vector<double> prices;
  for (std::size_t p = 0; p < count; ++p)
    prices.push_back(random.chance(0.3) ? 0.0 : random.uniform(0.0, 1.0));
  return prices;
}

/// The least price and weighted delay of a task over all of its choices that end in time.
double least_by_trying(const Model& model, const std::vector<double>& price, double second) {
  const TaskSpan& span = model.tasks.front();
  std::vector<double> end_s(model.slots.size());
  std::vector<std::int32_t> last(model.slots.size());
  std::vector<std::int32_t> places;
  double least = kNone;
  const auto next = [&](const auto& self, std::int32_t k) -> void {
    if (k == span.end) {
      const double delay_s = schedule(model, 0, places.data(), end_s, last);
      if (delay_s > model.problem.deadline_limit_s(0)) return;
      double value = second * delay_s;
      for (const std::int32_t p : places) value += price[z(p)];
      least = std::min(least, value);
      return;
    }
    for (std::int32_t p = model.slots[z(k)].first; p < model.slots[z(k)].end; ++p) {
      places.push_back(p);
      self(self, k + 1);
      places.pop_back();
    }
  };
  next(next, span.first);
  return least;
}

/// The most that node 0 gains over all sets of hosts and slots.
double most_by_trying(const Model& model, const std::vector<double>& price,
                      const std::vector<double>& fixed) {
  const Problem& problem = model.problem;
  std::vector<std::int32_t> places;
  for (std::int32_t h = model.first_host[0]; h < model.first_host[1]; ++h)
    for (std::int32_t i = model.hosts[z(h)].first; i < model.hosts[z(h)].end; ++i)
      places.push_back(model.host_places[z(i)]);
  double most = 0.0;
  for (std::uint32_t set = 0; set < 1U << places.size(); ++set) {
    double gain = 0.0;
    double load = 0.0;
    double memory = 0.0;
    std::vector<std::uint8_t> open(model.hosts.size(), 0);
    for (std::size_t i = 0; i < places.size(); ++i) {
      if ((set >> i & 1U) == 0) continue;
      const std::int32_t p = places[i];
      gain += price[z(p)];
      load += model.slots[z(model.place_slot[z(p)])].load_flop_per_s;
      const std::int32_t h = model.place_host[z(p)];
      if (open[z(h)]++ > 0) continue;
      gain -= fixed[z(model.hosts[z(h)].service)];
      memory += problem.services()[z(model.hosts[z(h)].service)].memory_bytes;
    }
    if (load <= problem.node_capacity_flop_per_s(0) && memory <= problem.memory_limit_bytes(0))
      most = std::max(most, gain);
  }
  return most;
}

}  // namespace

TEST_CASE("Labels find the cheapest places of a task that joins, within its deadline") {
  std::int32_t bound = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    constellm::tests::Random random(seed);
    const Problem problem = joining(random, random.uniform(0.6, 2.0), 100.0);
    const Routes routes = routes_of(problem);
    const Model model(problem, routes, all_hosts(problem, routes));
    const State state = root_state(model);
    Times times = make_times(model);
    find_times(model, 0, state.alive, times);
    const std::vector<double> price = prices_of(random, model.place_node.size());
    const std::vector<double> share{1.0, 1.0, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5,
                                    0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 1.0, 1.0};
    const PathPrices prices{price.data(), share.data(), random.chance(0.3) ? 0.0 : random.uniform(0.0, 2.0)};
    TaskPaths paths(model);
    TaskLabels labels(model);
    std::vector<double> through(model.place_node.size());
    const double sums = paths.solve(state, times, 0, prices);
    const double least = least_by_trying(model, price, prices.second);
    if (!(least < kNone)) continue;
    paths.through(0, prices, through);
    std::vector<std::int32_t> places(4);
    const double found = labels.solve(state, times, 0, prices, paths, kNone, 0.0, places.data());
    CHECK(found == Approx(least).epsilon(1e-12));
    CHECK(sums <= found + 1e-12);
    CHECK(labels.solve(state, times, 0, prices, paths, least, 0.0, places.data()) == found);
    bound += sums < found - 1e-9 ? 1 : 0;
  }
  CHECK(bound > 10);  // where labels say more than sums
}

TEST_CASE("A node takes what pays most within its memory and its speed") {
  std::int32_t limited = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    constellm::tests::Random random(seed + 1000);
    const Problem problem = joining(random, kNone, random.uniform(3.0, 12.0));
    const Routes routes = routes_of(problem);
    const Model model(problem, routes, all_hosts(problem, routes));
    State state = root_state(model);
    const std::vector<double> price = prices_of(random, model.place_node.size());
    std::vector<double> fixed;
    for (std::int32_t s = 0; s < 4; ++s) fixed.push_back(random.uniform(0.0, 1.0));
    Packing packing(model);
    std::vector<std::uint8_t> served(model.place_node.size(), 0);
    std::vector<std::uint8_t> opened(model.hosts.size(), 0);
    const Packing::Prices prices{price.data(), fixed.data()};
    const double found = packing.best(state, prices, 0, served.data(), opened.data());
    CHECK(found == Approx(most_by_trying(model, price, fixed)).margin(1e-12));
    double gain = 0.0;
    double wanted = 0.0;
    for (std::size_t p = 0; p < served.size(); ++p) {
      if (served[p] != 0) gain += price[p];
      if (model.place_node[p] == 0) wanted += price[p];
    }
    for (std::size_t h = 0; h < opened.size(); ++h)
      if (opened[h] != 0) gain -= fixed[z(model.hosts[h].service)];
    CHECK(gain == Approx(found).margin(1e-12));
    limited += gain < wanted - 1e-9 ? 1 : 0;
    for (std::int32_t h = model.first_host[0]; h < model.first_host[1]; ++h) {
      const double with = packing.best_with(state, prices, 0, h, true);
      const double without = packing.best_with(state, prices, 0, h, false);
      CHECK(std::max(with, without) == Approx(found).margin(1e-12));
    }
  }
  CHECK(limited > 30);
}
