#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/moe/balance/balance.hpp"
#include "constellm/moe/drift/assignment_list.hpp"
#include "constellm/moe/drift/replan.hpp"
#include "constellm/moe/evaluate.hpp"
#include "constellm/moe/pair_search.hpp"
#include "random.hpp"

using namespace constellm;
using moe::Placement;
using moe::Problem;
using tests::Random;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

std::vector<std::string> ids(std::size_t count) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < count; ++i) found.push_back("s" + std::to_string(i));
  return found;
}

Problem one_layer(Random& random, std::int32_t top_k, std::size_t experts, std::size_t satellites) {
  moe::LayerFields layer;
  for (std::size_t i = 0; i < experts; ++i) layer.weights.push_back(random.uniform(0.1, 1.0));
  for (std::size_t i = 0; i < 3 * satellites; ++i) layer.latency_s.push_back(random.uniform(0.01, 0.05));
  return {"p", top_k, ids(satellites), {}, 3, {std::move(layer)}};
}

/// Every placement of one layer.
std::vector<Placement> all_placements(std::size_t experts, std::int32_t satellites) {
  std::set<std::vector<std::int32_t>> found;
  std::vector<std::int32_t> order(static_cast<std::size_t>(satellites));
  std::iota(order.begin(), order.end(), 0);
  do {
    found.insert({order.begin(), order.begin() + static_cast<std::ptrdiff_t>(experts)});
  } while (std::next_permutation(order.begin(), order.end()));
  std::vector<Placement> placements;
  for (const std::vector<std::int32_t>& hosts : found) placements.push_back({hosts});
  return placements;
}

}  // namespace

TEST_CASE("drift: all assignments within a limit are listed, each once", "[moe]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const auto columns = static_cast<std::size_t>(2 + random.below(4));
    const auto rows = static_cast<std::size_t>(1 + random.below(static_cast<std::int32_t>(columns)));
    std::vector<double> cost(rows * columns);
    for (double& value : cost)
      value =
          random.chance(0.2) ? kNever : (random.chance(0.5) ? random.below(3) : random.uniform(-1.0, 2.0));
    std::set<std::vector<std::int32_t>> wanted;
    for (const Placement& placement : all_placements(rows, static_cast<std::int32_t>(columns))) {
      double sum = 0.0;
      for (std::size_t r = 0; r < rows; ++r)
        sum += cost[r * columns + static_cast<std::size_t>(placement[0][r])];
      if (sum <= 2.0) wanted.insert(placement[0]);
    }
    core::StopToken stop;
    moe::AssignmentList list(rows, columns, cost, 2.0 + 1e-12);
    const auto found = list.all(1000, 100'000, stop, [](const auto&) { return true; });
    REQUIRE(found);
    CHECK(std::set(found->begin(), found->end()) == wanted);
    CHECK(found->size() == wanted.size());
    if (wanted.empty()) continue;
    moe::AssignmentList few(rows, columns, cost, 2.0 + 1e-12);
    CHECK_FALSE(few.all(wanted.size() - 1, 100'000, stop, [](const auto&) { return true; }));
    moe::AssignmentList none(rows, columns, cost, 2.0 + 1e-12);
    CHECK(none.all(1000, 100'000, stop, [](const auto&) { return false; })->empty());
    moe::AssignmentList cut(rows, columns, cost, 2.0 + 1e-12);
    CHECK_FALSE(cut.all(1000, 1, stop, [](const auto&) { return true; }));
  }
}

TEST_CASE("drift: the search over pairs lists all that is better, with costs of its own", "[moe]") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const Problem problem = one_layer(random, 2, 3, 5);
    core::StopToken stop;
    const std::vector<moe::PairLayer> pairs{{problem, problem.layers()[0], stop}};
    std::vector<double> own(3 * 5);
    for (double& value : own) value = random.chance(0.1) ? kNever : random.uniform(-0.02, 0.02);
    const double limit = random.uniform(0.0, 0.05);
    std::set<std::vector<std::int32_t>> wanted;
    double least = kNever;
    for (const Placement& placement : all_placements(3, 5)) {
      double value = moe::layer_latency_s(problem, 0, placement[0]);
      for (std::size_t i = 0; i < 3; ++i) value += own[i * 5 + static_cast<std::size_t>(placement[0][i])];
      if (value < limit) wanted.insert(placement[0]);
      least = std::min(least, value);
    }
    const Placement some{{0, 1, 2}};
    moe::PairSearch search(pairs, std::vector<char>(5, 1), some, limit, 0.0);
    search.add(own);
    const auto found = search.all_better(1000, stop, 1'000'000);
    REQUIRE(found);
    std::set<std::vector<std::int32_t>> listed;
    for (const Placement& placement : *found) listed.insert(placement[0]);
    CHECK(listed == wanted);
    CHECK(found->size() == wanted.size());
    moe::PairSearch best(pairs, std::vector<char>(5, 1), some, kNever, 0.0);
    best.add(own);
    CHECK(best.run(stop) == Approx(least).margin(1e-12));
    CHECK(best.best_s() == Approx(least).margin(1e-12));
    if (wanted.empty()) continue;
    moe::PairSearch few(pairs, std::vector<char>(5, 1), some, limit, 0.0);
    few.add(own);
    CHECK_FALSE(few.all_better(wanted.size() - 1, stop, 1'000'000));
  }
}

TEST_CASE("drift: as cheap as the best of all schedules", "[moe]") {
  const std::vector<Placement> every = all_placements(3, 5);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const std::int32_t top_k = 1 + random.below(3);
    std::vector<Problem> windows;
    for (int w = 0; w < 3; ++w) windows.push_back(one_layer(random, top_k, 3, 5));
    moe::MoveCosts moves(seed % 3 == 0 ? kNever : random.uniform(0.0, 0.01));
    if (seed % 3 == 1) {
      std::vector<double> cost(25);
      for (std::size_t a = 0; a < 5; ++a)
        for (std::size_t b = 0; b < 5; ++b) cost[a * 5 + b] = a == b ? 0.0 : random.uniform(0.0, 0.02);
      moves = moe::MoveCosts(5, cost);
    }
    moe::Drift drift{{}, {}, moves, {}};
    for (const Problem& window : windows) {
      drift.windows.push_back(&window);
      drift.tokens.push_back(random.uniform(0.5, 2.0));
    }
    if (seed % 2 == 0) drift.start = Placement{{4, 3, 2}};
    std::vector<double> before(every.size(), 0.0);
    for (std::size_t w = 0; w < 3; ++w) {
      std::vector<double> here(every.size(), kNever);
      for (std::size_t x = 0; x < every.size(); ++x) {
        for (std::size_t y = 0; y < (w == 0 ? 1 : every.size()); ++y) {
          double cost = before[w == 0 ? x : y];
          for (std::size_t e = 0; e < 3; ++e) {
            if (w > 0) cost += moves.between_s(every[y][0][e], every[x][0][e]);
            if (w == 0 && drift.start) cost += moves.between_s((*drift.start)[0][e], every[x][0][e]);
          }
          here[x] = std::min(here[x], cost);
        }
        here[x] += drift.tokens[w] * moe::layer_latency_s(windows[w], 0, every[x][0]);
      }
      before = here;
    }
    const double least = *std::min_element(before.begin(), before.end());
    core::StopToken stop;
    const moe::Schedule found = moe::replan(drift, stop);
    CHECK(found.status == core::Status::optimal);
    CHECK(moe::evaluate(drift, found.placements).cost_s == Approx(least).epsilon(1e-9));
    CHECK(found.lower_bound_s <= least * (1.0 + 1e-9));
  }
}

TEST_CASE("drift: a stop at any moment leaves a true bound", "[moe]") {
  Random random(3);
  std::vector<Problem> windows;
  for (int w = 0; w < 4; ++w) windows.push_back(one_layer(random, 2, 6, 12));
  moe::Drift drift{{}, {1.0, 2.0, 1.0, 1.0}, moe::MoveCosts(2e-3), {}};
  for (const Problem& window : windows) drift.windows.push_back(&window);
  core::StopToken never;
  const moe::Schedule best = moe::replan(drift, never);
  REQUIRE(best.status == core::Status::optimal);
  const double least = moe::evaluate(drift, best.placements).cost_s;
  for (int polls = 0; polls < 400; polls += 7) {
    int left = polls;
    core::StopToken stop(kNever, [&] { return left-- == 0; }, 16);
    const moe::Schedule found = moe::replan(drift, stop);
    CHECK(found.lower_bound_s <= least * (1.0 + 1e-9));
    CHECK(moe::evaluate(drift, found.placements).cost_s >= least * (1.0 - 1e-9));
    if (stop.reason() == core::StopReason::none) CHECK(found.status == core::Status::optimal);
  }
}

TEST_CASE("drift: what does not fit together is refused", "[moe]") {
  Random random(1);
  const Problem problem = one_layer(random, 1, 2, 3);
  const Problem other = one_layer(random, 1, 2, 4);
  core::StopToken stop;
  CHECK_THROWS_WITH(moe::MoveCosts(-1.0), ContainsSubstring("move_s: -1"));
  CHECK_THROWS_WITH(moe::MoveCosts(2, {0.0, 1.0, kNever, 0.0}), ContainsSubstring("move_s[1][0]: inf"));
  CHECK_THROWS_WITH(moe::replan({{}, {}, moe::MoveCosts(1.0), {}}, stop),
                    ContainsSubstring("windows: must not be empty"));
  CHECK_THROWS_WITH(moe::replan({{&problem, &other}, {1.0, 1.0}, moe::MoveCosts(1.0), {}}, stop),
                    ContainsSubstring("windows[1]: its satellites are not those"));
  CHECK_THROWS_WITH(moe::replan({{&problem}, {1.0, 2.0}, moe::MoveCosts(1.0), {}}, stop),
                    ContainsSubstring("tokens: 2 numbers for 1 windows"));
  CHECK_THROWS_WITH(moe::replan({{&problem}, {1.0}, moe::MoveCosts(1.0), Placement{{0, 7}}}, stop),
                    ContainsSubstring("start[0][1]: 7 is not in [0, 2]"));
  const moe::Drift drift{{&problem}, {1.0}, moe::MoveCosts(1.0), {}};
  CHECK_THROWS_WITH(moe::evaluate(drift, {{{0, 0}}}), ContainsSubstring("placements[0]: placement[0][1]"));
  CHECK_THROWS_WITH(moe::evaluate(drift, {}), ContainsSubstring("placements: 0 of them"));
}

TEST_CASE("balance: devices hold equally many, none of them two of one expert", "[moe]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const auto experts = 1 + random.below(12);
    const auto devices = 1 + random.below(6);
    const auto fewest = (experts + devices - 1) / devices;
    const auto places = fewest + random.below(experts - fewest + 1);
    std::vector<double> loads;
    for (std::int32_t e = 0; e < experts; ++e)
      loads.push_back(random.chance(0.2) ? 0.0 : random.uniform(0.0, 1.0) * random.uniform(0.0, 1.0));
    const moe::Balance found = moe::balance(loads, devices, places);
    std::vector<std::int32_t> copies(loads.size(), 0);
    double sum = 0.0;
    for (std::int32_t d = 0; d < devices; ++d) {
      double load = 0.0;
      std::set<std::int32_t> here;
      for (std::int32_t p = 0; p < places; ++p) {
        const std::int32_t e = found.expert_on[static_cast<std::size_t>(d * places + p)];
        here.insert(e);
        ++copies[static_cast<std::size_t>(e)];
        load += loads[static_cast<std::size_t>(e)] / found.copies[static_cast<std::size_t>(e)];
      }
      CHECK(here.size() == static_cast<std::size_t>(places));
      CHECK(found.load[static_cast<std::size_t>(d)] == Approx(load));
      sum += load;
    }
    CHECK(copies == found.copies);
    CHECK(found.lower_bound >= sum / devices * (1.0 - 1e-9));
    CHECK(found.lower_bound <= *std::max_element(found.load.begin(), found.load.end()) * (1.0 + 1e-12));
  }
}
