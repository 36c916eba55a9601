// Costs from many starts at once: those of the trees, to the last bit, with AVX2 and without.
#include <limits>
#include <random>

#include "catch.hpp"
#include "constellm/core/index.hpp"
#include "constellm/core/simd.hpp"
#include "constellm/network/least_costs.hpp"

using namespace constellm;
using core::z;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

struct Random {
  network::Rows rows;
  std::vector<double> weight;
  std::vector<std::uint8_t> relays;
};

/// Links between nodes of nearby numbers, some one way only, so that ways are long; parts that nothing
/// reaches; weights with many figures, or few, zeros and infinite ones.
Random random_ways(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const std::uint64_t nodes = 1 + below(200);
  const std::uint64_t reach = 1 + below(8);
  const bool even = below(3) == 0;
  std::vector<std::int32_t> from;
  std::vector<std::int32_t> to;
  Random made;
  for (std::uint64_t a = 0; a < nodes; ++a) {
    made.relays.push_back(below(20) != 0 ? 1 : 0);
    for (std::uint64_t k = 0; k < 3; ++k) {
      const std::uint64_t b = a + 1 + below(reach);
      if (b >= nodes || below(6) == 0) continue;
      for (const bool back : {false, true}) {
        if (below(8) == 0) continue;
        from.push_back(static_cast<std::int32_t>(back ? b : a));
        to.push_back(static_cast<std::int32_t>(back ? a : b));
        made.weight.push_back(even ? static_cast<double>(below(4))
                                   : 1e-3 + 1e-5 * static_cast<double>(below(1'000)) / 7.0);
        if (below(30) == 0) made.weight.back() = kInf;
      }
    }
  }
  made.rows = network::rows_of(nodes, from, to);
  return made;
}

}  // namespace

TEST_CASE("Least costs from many starts are those of the trees", "[network]") {
  std::mt19937_64 random(7);
  network::LeastCosts together;
  network::TreeSearch search;
  std::size_t reached = 0;
  for (int round = 0; round < 1000; ++round) {
    const Random made = random_ways(random);
    const std::size_t nodes = made.rows.nodes();
    const bool all_relay = round % 2 == 0;
    const network::Ways ways(made.rows, made.weight,
                             all_relay ? std::span<const std::uint8_t>() : std::span(made.relays));
    std::vector<std::int32_t> starts;
    const std::size_t count = 1 + random() % network::LeastCosts::kTogether;
    for (std::size_t k = 0; k < count; ++k)
      starts.push_back(static_cast<std::int32_t>(random() % nodes));  // some of them alike
    core::avx2_allowed = round % 3 != 0;
    together.from(starts, ways);
    core::avx2_allowed = true;
    for (std::size_t k = 0; k < count; ++k) {
      const network::PathTree& tree = search.from(starts[k], ways);
      for (std::size_t v = 0; v < nodes; ++v) {
        REQUIRE(together.cost(k, static_cast<std::int32_t>(v)) == tree.cost[v]);
        reached += tree.hops[v] > 5 ? 1 : 0;
      }
    }
  }
  CHECK(reached > 100'000);
}
