// Fronts against those of all plans of small random problems.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/split/pareto.hpp"
#include "split/every_plan.hpp"
#include "split/random_problem.hpp"

using namespace constellm;
using split::Criterion;

namespace {

constexpr double kSame = 1e-8;  // a step of the front and what the search leaves to rounding

double value_of(const split::Figures& figures, Criterion criterion) {
  switch (criterion) {
    case Criterion::delay: return figures.delay_s;
    case Criterion::bytes: return figures.bytes;
    case Criterion::error: return figures.error;
    case Criterion::energy: return figures.energy_j;
  }
  return 0.0;
}

using Point = std::vector<double>;  ///< [criteria]

Point point_of(const split::Figures& figures, const std::vector<Criterion>& criteria) {
  Point point;
  for (const Criterion criterion : criteria) point.push_back(value_of(figures, criterion));
  return point;
}

std::vector<Point> all_points(const split::Problem& problem, const std::vector<Criterion>& criteria) {
  std::vector<Point> points;
  tests::for_every_plan(problem, [&](const split::Assignment& a, const split::Evaluation& e) {
    if (split::within_limits(problem, a, e)) points.push_back(point_of(e, criteria));
  });
  return points;
}

bool same(double a, double b) { return a == b || std::abs(a - b) <= kSame * std::max(a, b); }

/// What of points in two criteria no other beats, by the first; those that differ by rounding count as one.
std::vector<Point> front_of(std::vector<Point> points) {
  std::sort(points.begin(), points.end());
  std::vector<Point> front;
  for (const Point& point : points) {
    if (!front.empty() && (point[1] >= front.back()[1] || same(point[1], front.back()[1]))) continue;
    if (!front.empty() && same(point[0], front.back()[0])) front.pop_back();
    front.push_back(point);
  }
  return front;
}

split::Front pareto_front(const split::Problem& problem, const std::vector<Criterion>& criteria,
                          double epsilon) {
  core::StopToken never;
  search::Workspace workspace;
  return split::pareto_front(problem, criteria, epsilon, never, workspace);
}

}  // namespace

TEST_CASE("The front of two criteria is that of all plans", "[split][pareto]") {
  const std::array<std::vector<Criterion>, 5> pairs = {{{Criterion::delay, Criterion::bytes},
                                                        {Criterion::delay, Criterion::energy},
                                                        {Criterion::error, Criterion::delay},
                                                        {Criterion::error, Criterion::bytes},
                                                        {Criterion::energy, Criterion::error}}};
  std::size_t wide = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const std::vector<Criterion>& criteria = pairs[seed % pairs.size()];
    const std::vector<Point> expected = front_of(all_points(problem, criteria));
    const split::Front front = pareto_front(problem, criteria, 0.0);
    INFO("seed " << seed);
    CHECK(front.status == (expected.empty() ? core::Status::infeasible : core::Status::optimal));
    REQUIRE(front.plans.size() == expected.size());
    wide += expected.size() > 2 ? 1 : 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const split::Plan& plan = front.plans[i];
      const Point point = point_of(plan, criteria);
      CHECK(same(point[0], expected[i][0]));
      CHECK(same(point[1], expected[i][1]));
      const split::Evaluation e = split::evaluate(problem, *plan.assignment);
      CHECK(split::within_limits(problem, *plan.assignment, e));
      CHECK(point == point_of(e, criteria));
    }
  }
  CHECK(wide > 100);
}

TEST_CASE("Some plan of an epsilon-front is nearly no worse than any plan", "[split][pareto]") {
  const std::array<std::vector<Criterion>, 3> choices = {
      {{Criterion::delay, Criterion::bytes},
       {Criterion::delay, Criterion::error, Criterion::energy},
       {Criterion::delay, Criterion::bytes, Criterion::error}}};
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const std::vector<Criterion>& criteria = choices[seed % choices.size()];
    const double epsilon = seed % 2 == 0 ? 0.1 : 0.5;
    const split::Front front = pareto_front(problem, criteria, epsilon);
    bool covered = true;
    for (const Point& point : all_points(problem, criteria)) {
      covered = covered && std::any_of(front.plans.begin(), front.plans.end(), [&](const split::Plan& plan) {
                  const Point kept = point_of(plan, criteria);
                  for (std::size_t i = 0; i < kept.size(); ++i) {
                    const double most = point[i] * (i == 0 ? 1.0 : 1.0 + epsilon);
                    if (kept[i] > most && !same(kept[i], most)) return false;
                  }
                  return true;
                });
    }
    INFO("seed " << seed);
    CHECK(covered);
    for (const split::Plan& a : front.plans) {
      for (const split::Plan& b : front.plans) {
        if (&a == &b) continue;
        const Point of_a = point_of(a, criteria);
        const Point of_b = point_of(b, criteria);
        CHECK(!std::equal(of_a.begin(), of_a.end(), of_b.begin(), std::less_equal<>{}));
      }
    }
  }
}

TEST_CASE("Criteria that make no front are refused", "[split][pareto]") {
  const split::Problem problem = tests::random_problem(0);
  const double nan = std::nan("");
  const std::vector<Criterion> two = {Criterion::delay, Criterion::bytes};
  const std::vector<Criterion> three = {Criterion::delay, Criterion::bytes, Criterion::error};
  CHECK_THROWS_WITH(pareto_front(problem, {Criterion::delay}, 0.0), ContainsSubstring("criteria: 1 given"));
  CHECK_THROWS_WITH(pareto_front(problem, {Criterion::delay, Criterion::delay}, 0.0),
                    ContainsSubstring("criteria: one is given twice"));
  CHECK_THROWS_WITH(pareto_front(problem, three, 0.0), ContainsSubstring("epsilon: 0 is for two criteria"));
  for (const double epsilon : {-0.1, nan, search::kInfinity})
    CHECK_THROWS_AS(pareto_front(problem, two, epsilon), core::InvalidInput);
}
