#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "constellm/moe/assignment.hpp"
#include "random.hpp"

using namespace constellm;
using tests::Random;

TEST_CASE("assignment: as cheap as the best of all", "[moe]") {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  moe::Assignment assignment;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const auto columns = static_cast<std::size_t>(1 + random.below(6));
    const auto rows = static_cast<std::size_t>(1 + random.below(static_cast<std::int32_t>(columns)));
    std::vector<double> cost(rows * columns);
    for (double& value : cost)
      value =
          random.chance(0.3) ? kNever : (random.chance(0.5) ? random.below(4) : random.uniform(-1.0, 3.0));
    std::vector<std::size_t> order(columns);
    std::iota(order.begin(), order.end(), std::size_t{0});
    double least = kNever;
    do {
      double sum = 0.0;
      for (std::size_t r = 0; r < rows; ++r) sum += cost[r * columns + order[r]];
      least = std::min(least, sum);
    } while (std::next_permutation(order.begin(), order.end()));
    INFO("seed " << seed);
    REQUIRE(assignment.solve(rows, columns, cost) == (least < kNever));
    if (least == kNever) continue;
    CHECK(assignment.value() == Approx(least).margin(1e-12));
    double own = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
      const auto c = static_cast<std::size_t>(assignment.column_of_row()[r]);
      own += cost[r * columns + c];
      CHECK(assignment.reduced(r, c, cost[r * columns + c]) == Approx(0.0).margin(1e-12));
    }
    CHECK(own == Approx(least).margin(1e-12));
    // What a row costs more in a column, at least.
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        const double more = assignment.reduced(r, c, cost[r * columns + c]);
        CHECK(more >= -1e-12);
        std::vector<double> forced = cost;
        for (std::size_t other = 0; other < columns; ++other)
          if (other != c) forced[r * columns + other] = kNever;
        moe::Assignment again;
        if (again.solve(rows, columns, forced)) CHECK(again.value() >= least + more - 1e-9);
      }
    }
  }
  CHECK(!assignment.solve(2, 1, std::vector<double>{0.0, 0.0}));
}
