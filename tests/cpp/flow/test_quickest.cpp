#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/index.hpp"
#include "constellm/flow/inner_network.hpp"
#include "constellm/flow/outer_network.hpp"
#include "constellm/flow/quickest.hpp"
#include "random.hpp"
#include "transfers.hpp"

using namespace constellm;
using core::Status;
using flow::Plan;
using flow::Problem;
using tests::Contact;
using tests::kInf;
using tests::problem_of;

namespace {

Plan quickest(const Problem& problem, std::size_t first_cells = flow::kFirstCells) {
  core::StopToken stop;
  return flow::quickest(problem, stop, first_cells);
}

double sum_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum;
}

Problem random_problem(tests::Random& random) {
  const std::int32_t nodes = 3 + random.below(8);
  std::vector<Contact> contacts;
  for (std::int32_t c = 5 + random.below(60); c > 0; --c) {
    const std::int32_t from = random.below(nodes);
    const double open_s = random.chance(0.5) ? 10.0 * random.below(30) : random.uniform(0.0, 300.0);
    contacts.push_back({from, (from + 1 + random.below(nodes - 1)) % nodes, open_s,
                        open_s + (random.chance(0.05) ? kInf : random.uniform(1.0, 150.0)),
                        std::pow(10.0, random.uniform(0.0, 2.0))});
  }
  std::vector<double> supply;
  std::vector<double> storage;
  for (std::int32_t v = 0; v < nodes; ++v) {
    supply.push_back(random.chance(0.6) ? std::pow(10.0, random.uniform(0.0, 4.0)) : 0.0);
    storage.push_back(random.chance(0.5) ? supply.back() + (random.chance(0.5) ? 0.0 : 500.0) : kInf);
  }
  std::vector<double> demand(supply.size(), 0.0);
  if (random.chance(0.6)) return problem_of(contacts, supply, demand, {random.below(nodes)}, storage);
  double shares = 0.0;
  for (double& bytes : demand) shares += bytes = random.uniform(0.0, 1.0);
  for (double& bytes : demand) bytes *= 0.9 * sum_of(supply) / shares;
  return problem_of(contacts, supply, demand, {}, storage);
}

}  // namespace

TEST_CASE("One contact: what it opens at and how long it takes") {
  const Plan plan = quickest(problem_of({{0, 1, 30.0, 90.0, 1e6}}, {2e6, 0.0}, {0.0, 0.0}, {1}));
  CHECK(plan.status == Status::optimal);
  CHECK(plan.finish_s == 32.0);
  CHECK(plan.lower_bound_s == 32.0);
  CHECK(plan.flows.start_s == std::vector<double>{30.0});
  CHECK(plan.flows.end_s == std::vector<double>{32.0});
  CHECK(plan.flows.sent_bytes.at(0) == Approx(2e6).epsilon(1e-12));
  CHECK(plan.cut.inside == std::vector<std::uint8_t>{1, 0});
}

TEST_CASE("A relay passes on what comes at the same moment, without storage too") {
  const std::vector<Contact> contacts{{0, 1, 0.0, 50.0, 10.0}, {1, 2, 20.0, kInf, 10.0}};
  const auto end_s = [&](double storage) {
    return quickest(problem_of(contacts, {300.0, 0.0, 0.0}, {0.0, 0.0, 0.0}, {2}, {kInf, storage, kInf}))
        .finish_s;
  };
  CHECK(end_s(kInf) == 50.0);
  CHECK(end_s(0.0) == 50.0);
  const std::vector<Contact> apart{{0, 1, 0.0, 50.0, 10.0}, {1, 2, 60.0, kInf, 10.0}};
  const auto later = [&](double storage) {
    return quickest(problem_of(apart, {300.0, 0.0, 0.0}, {0.0, 0.0, 0.0}, {2}, {kInf, storage, kInf}));
  };
  CHECK(later(300.0).finish_s == 90.0);
  CHECK(later(299.0).status == Status::infeasible);
  CHECK(later(299.0).lower_bound_s == kInf);
}

TEST_CASE("What fits exactly is optimal, a byte more is infeasible") {
  const std::vector<Contact> contacts{{0, 1, 50000.1, 50001.1, 1e6}, {0, 1, 70000.1, 70000.3, 1e6}};
  CHECK(quickest(problem_of(contacts, {1e6, 0.0}, {0.0, 0.0}, {1})).finish_s == 50001.1);
  CHECK(quickest(problem_of(contacts, {1.2e6, 0.0}, {0.0, 0.0}, {1})).finish_s == 70000.3);
  CHECK(quickest(problem_of(contacts, {1.2e6 + 1.0, 0.0}, {0.0, 0.0}, {1})).status == Status::infeasible);
}

TEST_CASE("A byte beside terabytes is waited for") {
  const std::vector<Contact> contacts{{0, 2, 0.0, 1e5, 1e9}, {1, 2, 5e5, 6e5, 1.0}};
  const Plan plan = quickest(problem_of(contacts, {1e13, 1.0, 0.0}, {0.0, 0.0, 0.0}, {2}));
  CHECK(plan.finish_s == Approx(500001.0).epsilon(1e-12));
  const Plan never = quickest(problem_of({contacts[0]}, {1e13, 1.0, 0.0}, {0.0, 0.0, 0.0}, {2}));
  CHECK(never.status == Status::infeasible);
}

TEST_CASE("Who has what it wants needs nothing") {
  const Plan plan = quickest(problem_of({}, {5.0, 1.0}, {4.0, 1.0}, {}));
  CHECK(plan.status == Status::optimal);
  CHECK(plan.finish_s == 0.0);
  CHECK(plan.cut.start_s.empty());
  CHECK(quickest(problem_of({}, {5.0, 0.0}, {0.0, 0.0}, {0})).finish_s == 0.0);
  CHECK(quickest(problem_of({}, {5.0, 0.0}, {0.0, 1.0}, {})).status == Status::infeasible);
  CHECK(quickest(problem_of({}, {1.0, 1.0}, {1.0 + 2e-16, 0.5}, {})).finish_s == 0.0);  // but for rounding
}

TEST_CASE("What is over takes storage, and there has to be room for what is wanted") {
  // Node 1 keeps 8 of its own, so that only 2 at a time fit beside them on their way.
  const std::vector<Contact> contacts{{0, 1, 0.0, 10.0, 10.0}, {1, 2, 20.0, 30.0, 10.0}};
  const auto plan_for = [&](double wanted) {
    return quickest(problem_of(contacts, {100.0, 8.0, 0.0}, {0.0, 8.0, wanted}, {}, {kInf, 10.0, kInf}));
  };
  CHECK(plan_for(2.0).finish_s == Approx(20.2).epsilon(1e-14));
  CHECK(plan_for(3.0).status == Status::infeasible);
  CHECK(quickest(problem_of(contacts, {100.0, 0.0, 0.0}, {0.0, 60.0, 0.0}, {}, {kInf, 50.0, kInf})).status ==
        Status::infeasible);
}

TEST_CASE("A cut's capacity at any time is what the finest network's is") {
  tests::Random random(7);
  for (std::uint64_t i = 0; i < tests::random_problems(300); ++i) {
    const Problem problem = random_problem(random);
    const flow::Instance instance(problem);
    if (instance.is_done) continue;
    const flow::Units units(instance);
    const double end_s = random.uniform(20.0, 400.0);
    const flow::Grid grid(instance, end_s, 0);
    flow::OuterNetwork outer(instance, grid, units);
    flow::InnerNetwork inner(instance, grid, units);
    core::StopToken stop;
    const double outer_bytes = units.bytes(outer.find_value(stop));
    CAPTURE(i);
    CHECK(outer.cut().capacity_bytes(end_s) == Approx(outer_bytes).epsilon(1e-11));
    CHECK(units.bytes(inner.find_value(stop)) == Approx(outer_bytes).epsilon(1e-11));
  }
}

TEST_CASE("Inner networks let no more through than the finest, outer ones no less, whatever the cells") {
  tests::Random random(8);
  for (std::uint64_t i = 0; i < tests::random_problems(300); ++i) {
    const Problem problem = random_problem(random);
    const flow::Instance instance(problem);
    if (instance.is_done) continue;
    const flow::Units units(instance);
    const double end_s = random.uniform(20.0, 400.0);
    core::StopToken stop;
    const auto values = [&](const flow::Grid& grid) {
      flow::OuterNetwork outer(instance, grid, units);
      flow::InnerNetwork inner(instance, grid, units);
      return std::pair(outer.find_value(stop), inner.find_value(stop));
    };
    const std::int64_t finest = values(flow::Grid(instance, end_s, 0)).first;
    const std::int64_t rounding = units.total() / 1'000'000'000'000;
    flow::Grid grid(instance, end_s, 1 + core::z(random.below(4)));
    std::pair<std::int64_t, std::int64_t> last{units.total() + rounding, 0};
    do {
      const auto [outer, inner] = values(grid);
      CAPTURE(i, end_s);
      REQUIRE(outer >= finest - rounding);
      REQUIRE(inner <= finest + rounding);
      REQUIRE(outer <= last.first + rounding);
      last = {outer, inner};
    } while (grid.split_all());
    CHECK(std::abs(last.first - last.second) <= rounding);
  }
}

TEST_CASE("Coarse networks and the finest find the same") {
  tests::Random random(9);
  int optimal = 0;
  for (std::uint64_t i = 0; i < tests::random_problems(500); ++i) {
    const Problem problem = random_problem(random);
    const Plan fine = quickest(problem, 0);
    for (const std::size_t cells : {std::size_t{1}, std::size_t{3}}) {
      const Plan coarse = quickest(problem, cells);
      CAPTURE(i, cells);
      REQUIRE(coarse.status == fine.status);
      if (fine.status == Status::optimal) {
        ++optimal;
        REQUIRE(coarse.finish_s == Approx(fine.finish_s).epsilon(1e-12));
      }
    }
  }
  CHECK(optimal > 20);
}

/// Nodes that are seldom in touch: a later moment is often one at which no contact is open.
Problem sparse_problem(tests::Random& random) {
  const std::int32_t nodes = 3 + random.below(6);
  std::vector<Contact> contacts;
  for (std::int32_t c = 20 + random.below(120); c > 0; --c) {
    const std::int32_t from = random.below(nodes);
    const double open_s = random.uniform(0.0, 100.0);
    contacts.push_back({from, (from + 1 + random.below(nodes - 1)) % nodes, open_s,
                        open_s + random.uniform(0.5, 20.0), random.uniform(0.1, 5.0)});
  }
  std::vector<double> supply;
  for (std::int32_t v = 0; v < nodes; ++v) supply.push_back(random.uniform(0.0, 40.0));
  std::vector<double> storage;
  for (const double bytes : supply) storage.push_back(random.chance(0.3) ? bytes + 5.0 : kInf);
  return problem_of(contacts, supply, std::vector<double>(core::z(nodes), 0.0), {random.below(nodes)},
                    storage);
}

TEST_CASE("Told to stop, the bound is true and the plan the best so far") {
  tests::Random random(10);
  int plans = 0;
  for (std::uint64_t i = 0; i < tests::random_problems(200, 2000); ++i) {
    const Problem problem = i % 2 == 0 ? random_problem(random) : sparse_problem(random);
    const Plan best = quickest(problem, 1);
    for (int after = 0; after < 1000; after += 9) {
      int polls = after;
      core::StopToken stop(kInf, [&] { return polls-- <= 0; }, 1);
      const Plan plan = flow::quickest(problem, stop, 1);
      CAPTURE(i, after);
      REQUIRE(plan.lower_bound_s <= best.lower_bound_s * (1.0 + 1e-12));
      if (plan.status != Status::interrupted) {
        REQUIRE(plan.status == best.status);
      } else if (!std::isnan(plan.finish_s)) {
        ++plans;
        REQUIRE(plan.finish_s >= best.finish_s * (1.0 - 1e-12));
        const std::vector<double>& end_s = plan.flows.end_s;
        REQUIRE(plan.finish_s == Approx(*std::max_element(end_s.begin(), end_s.end())).epsilon(1e-12));
      }
    }
  }
  CHECK(plans > 10);
}

TEST_CASE("Problems that say too little, too much or nonsense are refused by name") {
  const auto refused = [](std::vector<double> supply, std::vector<double> storage, std::vector<double> demand,
                          std::vector<std::int32_t> sinks, Contact contact = {0, 1, 0.0, 1.0, 1.0}) {
    try {
      problem_of({contact}, std::move(supply), std::move(demand), std::move(sinks), std::move(storage));
    } catch (const core::InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused({-1.0, 0.0}, {}, {0.0, 0.0}, {1}) == "supply_bytes[0]: -1 is not in [0, 1e+30]");
  CHECK(refused({NAN, 0.0}, {}, {0.0, 0.0}, {1}) == "supply_bytes[0]: nan is not in [0, 1e+30]");
  CHECK(refused({5.0, 0.0}, {4.0, kInf}, {0.0, 0.0}, {1}) ==
        "storage_bytes[0]: 4 is not in [5, inf]: its supply is there");
  CHECK(refused({5.0, 0.0}, {}, {0.0, 6.0}, {}) ==
        "demand_bytes: their sum, 6, is not in [0, 5], the sum of supply_bytes");
  CHECK(refused({5.0, 0.0}, {}, {0.0, 1.0}, {1}) == "demand_bytes[1]: 1 is not in [0, 0]: there are sinks");
  CHECK(refused({5.0, 0.0}, {}, {0.0, 0.0}, {2}) == "sinks[0]: 2 is not in [0, 2)");
  CHECK(refused({5.0, 0.0}, {}, {0.0, 0.0}, {1, 1}) == "sinks[1]: node 1 stands there twice");
  CHECK(refused({5.0, 1e-20, 0.0}, {}, {0.0, 0.0, 0.0}, {2}) ==
        "supply_bytes[1]: 1e-20 is neither 0 nor at least 1e-14 of the supply, 5");
  CHECK(refused({1e-31, 0.0}, {}, {0.0, 0.0}, {1}) ==
        "supply_bytes: their sum, 1e-31, is neither 0 nor at least 1e-30");
  CHECK(refused({5.0, 0.0}, {}, {0.0, 0.0}, {1}, {0, 1, -1.0, 1.0, 1.0}) ==
        "contacts[0].open_s: -1 is not in [0, 1e+15]");
  CHECK(refused({5.0, 0.0}, {}, {0.0, 0.0}, {1}).empty());
}
