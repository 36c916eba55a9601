#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/split/solve.hpp"
#include "constellm/split/sweeping.hpp"
#include "sweep_problem.hpp"

using namespace constellm;

namespace {

using Finished = sweep::Finished<split::Sweeping::Answer>;
using Template = sweep::Template<split::ProblemSpec>;

constexpr std::int8_t kUntouched = -1;

sweep::Options optimal(sweep::Options options = {}) {
  if (options.methods.empty()) options.methods = {"optimal"};
  return options;
}

/// Columns, and what was handed over.
struct Outcome {
  explicit Outcome(std::size_t rows)
      : figures(7, std::vector<double>(rows, -1.0)),
        counts(2, std::vector<std::int64_t>(rows, -1)),
        status(rows, kUntouched) {}

  sweep::Columns<split::PlanRow> columns() {
    return {figures[0], figures[1], figures[2], figures[3], figures[4],
            figures[5], figures[6], counts[0],  counts[1],  status};
  }

  std::vector<std::vector<double>> figures;  ///< the last are the seconds
  std::vector<std::vector<std::int64_t>> counts;
  std::vector<std::int8_t> status;
  std::vector<Finished> finished;
};

constexpr std::size_t kDelay = 0;
constexpr std::size_t kError = 2;
constexpr std::size_t kBound = 5;

/// A grid of link rates x error limits over the small problem.
struct Grid {
  explicit Grid(std::vector<double> values_) : values(std::move(values_)), which(values.size() / 2, 0) {
    Template base{sweep_problem(), {}};
    for (const char* address : {"rate_bps", "max_error"})
      base.targets.push_back(sweep::resolve(base.record, address));
    templates.push_back(std::move(base));
  }

  Outcome solved(const sweep::Options& given) const {
    const sweep::Options options = optimal(given);
    Outcome outcome(which.size() * options.methods.size());
    sweep::run(split::Sweeping{}, {templates, which, values}, options, outcome.columns(),
               [&](std::vector<Finished> finished) {
                 for (auto& one : finished) outcome.finished.push_back(std::move(one));
                 return false;
               });
    return outcome;
  }

  std::vector<double> values;
  std::vector<std::int32_t> which;
  std::vector<Template> templates;
};

std::vector<double> many_values() {
  std::vector<double> values;
  for (int i = 0; i < 300; ++i) {
    values.push_back(1e5 * (1 + i % 17));
    values.push_back(0.05 * (i % 13));
  }
  return values;
}

}  // namespace

TEST_CASE("a cell is the problem with its fields set", "[sweep]") {
  const Grid grid(many_values());
  const Outcome outcome = grid.solved({});
  search::Workspace workspace;
  for (std::size_t i = 0; i < grid.which.size(); ++i) {
    split::ProblemSpec spec = sweep_problem();
    for (auto& link : spec.network.links) link.rate_bps = grid.values[2 * i];
    spec.limits.max_error = grid.values[2 * i + 1];
    core::StopToken stop;
    const split::Plan plan = split::solve(split::Problem(spec), {}, stop, workspace);
    REQUIRE(plan.assignment);
    REQUIRE(outcome.figures[kDelay][i] == plan.delay_s);
    REQUIRE(outcome.figures[kBound][i] == plan.lower_bound_s);
    REQUIRE(outcome.counts[0][i] == static_cast<std::int64_t>(plan.assignment->stages.size()));
    REQUIRE(outcome.counts[1][i] == plan.counters.labels);
    REQUIRE(outcome.status[i] == static_cast<std::int8_t>(core::Status::optimal));
  }
}

TEST_CASE("the number of threads changes nothing, and every row is handed over once", "[sweep]") {
  const Grid grid(many_values());
  const Outcome one = grid.solved({});
  for (const std::int32_t threads : {2, 4, 1000}) {
    const Outcome many = grid.solved({.methods = {}, .threads = threads});
    for (std::size_t column = 0; column < 6; ++column) CHECK(many.figures[column] == one.figures[column]);
    CHECK(many.counts == one.counts);
    CHECK(many.status == one.status);
    std::vector<std::int64_t> rows;
    for (const auto& finished : many.finished) rows.push_back(finished.row);
    std::sort(rows.begin(), rows.end());
    REQUIRE(rows.size() == grid.which.size());
    for (std::size_t i = 0; i < rows.size(); ++i) REQUIRE(rows[i] == static_cast<std::int64_t>(i));
  }
}

TEST_CASE("a bad cell tells why and harms no other", "[sweep]") {
  const Grid grid({1e6, 0.1, -1.0, 0.1, 1e6, -0.5, std::nan(""), 0.1, 2e6, 0.1});
  const Outcome outcome = grid.solved({.methods = {}, .threads = 2});
  const auto optimal = static_cast<std::int8_t>(core::Status::optimal);
  CHECK(outcome.status ==
        std::vector<std::int8_t>{optimal, sweep::kInvalid, sweep::kInvalid, sweep::kInvalid, optimal});
  for (const std::size_t row : {1U, 2U, 3U}) {
    for (std::size_t column = 0; column < 6; ++column) CHECK(std::isnan(outcome.figures[column][row]));
    CHECK(outcome.counts[0][row] == 0);
  }
  for (const auto& finished : outcome.finished) {
    if (finished.row == 1) CHECK_THAT(finished.message, ContainsSubstring("links[0].rate_bps: -1"));
    if (finished.row == 2) CHECK_THAT(finished.message, ContainsSubstring("max_error: -0.5"));
    if (finished.row == 0) CHECK(finished.message.empty());
  }
}

TEST_CASE("an infeasible cell has its status, NaN, and an infinite bound", "[sweep]") {
  Template base{sweep_problem(), {}};
  base.targets.push_back(sweep::resolve(base.record, "nodes.memory_bytes"));
  const std::vector<Template> templates{base};
  const std::vector<std::int32_t> which{0, 0};
  const std::vector<double> values{100.0, 5.0};  // a layer needs 10
  Outcome outcome(2);
  sweep::run(split::Sweeping{}, {templates, which, values}, optimal(), outcome.columns(),
             [](std::vector<Finished>) { return false; });
  CHECK(outcome.status[1] == static_cast<std::int8_t>(core::Status::infeasible));
  CHECK(std::isnan(outcome.figures[kDelay][1]));
  CHECK(outcome.figures[kBound][1] == std::numeric_limits<double>::infinity());
  CHECK(outcome.figures[kDelay][0] > 0.0);
}

TEST_CASE("plans come along where they are kept", "[sweep]") {
  const Grid grid({1e6, 0.1, -1.0, 0.1});
  const Outcome outcome = grid.solved({.methods = {}, .keep_answers = true});
  REQUIRE(outcome.finished.size() == 2);
  for (const auto& finished : outcome.finished) {
    CHECK(finished.answer.has_value() == (finished.row == 0));
    if (finished.row != 0) continue;
    CHECK(finished.answer->problem.spec().network.links[0].rate_bps == 1e6);
    CHECK(finished.answer->plan.delay_s == outcome.figures[kDelay][0]);
  }
}

TEST_CASE("methods are the last dimension, and one may fail where another does not", "[sweep]") {
  const Grid grid({1e6, 0.5, 2e6, 0.5});
  const Outcome outcome = grid.solved(
      {.methods = {"optimal", "ground-only", "fixed:zip", "no-compression"}, .keep_answers = true});
  const Outcome best = grid.solved({});
  for (const std::size_t cell : {0U, 1U}) {
    const std::size_t row = 4 * cell;
    CHECK(outcome.figures[kDelay][row] == best.figures[kDelay][cell]);
    CHECK(outcome.status[row + 1] ==
          static_cast<std::int8_t>(core::Status::no_plan_found));  // the ground only relays
    CHECK(outcome.status[row + 2] == sweep::kInvalid);
    CHECK(outcome.status[row + 3] == static_cast<std::int8_t>(core::Status::feasible));
    CHECK(outcome.figures[kDelay][row + 3] >= outcome.figures[kDelay][row]);
    CHECK(outcome.figures[kError][row + 3] == 0.0);
    CHECK(std::isnan(outcome.figures[kBound][row + 3]));
  }
  for (const auto& finished : outcome.finished) {
    CHECK(finished.message.empty() == (finished.row % 4 != 2));
    if (finished.row % 4 == 3) CHECK(finished.answer->plan.method == "no-compression");
  }
}

TEST_CASE("a stop leaves the rest untouched", "[sweep]") {
  std::vector<double> values;
  for (int i = 0; i < 200000; ++i) values.insert(values.end(), {1e6, 0.1});
  const Grid grid(std::move(values));
  Outcome outcome(grid.which.size());
  std::size_t handed_over = 0;
  const std::thread::id caller = std::this_thread::get_id();
  sweep::run(split::Sweeping{}, {grid.templates, grid.which, grid.values},
             optimal({.methods = {}, .threads = 2}), outcome.columns(), [&](std::vector<Finished> finished) {
               CHECK(std::this_thread::get_id() == caller);
               handed_over += finished.size();
               return true;
             });
  const auto untouched = std::count(outcome.status.begin(), outcome.status.end(), kUntouched);
  CHECK(untouched > 0);
  CHECK(handed_over + static_cast<std::size_t>(untouched) == grid.which.size());
}

TEST_CASE("an exception from the handover ends the run and comes out", "[sweep]") {
  const Grid grid(many_values());
  Outcome outcome(grid.which.size());
  const auto failing = [](std::vector<Finished>) -> bool { throw std::runtime_error("disk full"); };
  CHECK_THROWS_WITH(sweep::run(split::Sweeping{}, {grid.templates, grid.which, grid.values},
                               optimal({.methods = {}, .threads = 2}), outcome.columns(), failing),
                    "disk full");
}

TEST_CASE("an exception from a worker ends the run and comes out", "[sweep]") {
  Grid grid(many_values());
  grid.templates[0].targets.push_back(
      {"", false, [](split::ProblemSpec&, double) { throw std::bad_alloc(); }});
  grid.values.resize(grid.which.size() * 3);
  CHECK_THROWS_AS(grid.solved({.methods = {}, .threads = 2}), std::bad_alloc);
}

TEST_CASE("nothing to solve is no trouble, an unknown method is", "[sweep]") {
  const Grid none(std::vector<double>{});
  CHECK(none.solved({.methods = {}, .threads = 3}).finished.empty());
  CHECK_NOTHROW(split::Sweeping::check_method("fixed:zip"));
  CHECK_THROWS_WITH(split::Sweeping::check_method("guess"),
                    ContainsSubstring("'guess'") && ContainsSubstring("optimal, ground-only"));
}
