// Generation against a round done by hand and every plan of small random problems.
#include <cmath>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/split/generation.hpp"
#include "split/every_plan.hpp"
#include "split/random_problem.hpp"

using namespace constellm;
using search::kInfinity;

namespace {

bool close(double a, double b) { return a == b || std::abs(a - b) <= 1e-9 * std::abs(b); }

split::GenerationSpec random_generation(std::uint64_t seed) {
  split::ProblemSpec prefill = tests::random_spec(seed);
  tests::Random r(seed + 17);
  for (network::Node& node : prefill.network.nodes) {
    if (node.flop_per_s == 0.0) node.layer_time_s.reset();
  }
  const std::int64_t tokens[] = {1, 2, 10, 200};
  const std::int64_t new_tokens = tokens[r.below(4)];
  if (prefill.limits.max_energy_j) *prefill.limits.max_energy_j *= static_cast<double>(new_tokens);
  split::GenerationSpec spec{split::Problem(prefill), {}, {}, new_tokens, r.uniform(0.0, 0.1)};
  for (std::int32_t l = 0; l < spec.prefill.layer_count(); ++l)
    spec.decode.push_back({r.uniform(0.0, 0.2), r.uniform(0.0, 1.0), r.uniform(0.0, 0.05)});
  for (std::int32_t v = 0; v < spec.prefill.node_count(); ++v)
    spec.memory_bandwidth_bytes_per_s.push_back(r.chance(0.2) ? kInfinity : r.uniform(2.5, 12.5));
  return spec;
}

/// a -> b, both must host for want of memory; the way back, where there is one, leads over r.
split::GenerationSpec two_hosts(bool way_back) {
  split::ProblemSpec prefill;
  prefill.layers = {{"l0", 4.0, 1.0, 10.0}, {"l1", 6.0, 1.0, 2.0}};
  prefill.network.nodes.resize(3);
  const char* ids[] = {"a", "b", "r"};
  for (std::size_t v = 0; v < 3; ++v) {
    prefill.network.nodes[v].id = ids[v];
    prefill.network.nodes[v].tx_power_w = 1.0;
    if (v == 2) continue;
    prefill.network.nodes[v].flop_per_s = 2.0;
    prefill.network.nodes[v].memory_bytes = 1.0;
    prefill.network.nodes[v].power_w = 10.0;
  }
  prefill.network.links = {{"a", "b", 8.0, 0.5, 0.0, {}}};
  if (way_back) {
    prefill.network.links.push_back({"b", "r", 16.0, 0.125, 0.0, {}});
    prefill.network.links.push_back({"r", "a", 16.0, 0.125, 0.0, {}});
  }
  prefill.source = "a";
  prefill.sink = "b";
  codec::Codec half;
  half.name = "half";
  half.ratio = 2.0;
  half.encode_s_per_byte = 0.5;
  half.decode_s_per_byte = 0.25;
  prefill.codecs = {half};
  return {split::Problem(prefill), {{1.0, 1.0, 2.0}, {1.0, 32.0, 2.0}}, {2.0, 2.0, 2.0}, 5, 1.0};
}

const split::Assignment kBoth{{0, 1}, {{0, 0, 0, 0}, {1, 1, 1, split::kNoCodec}}};

}  // namespace

TEST_CASE("A token goes round as worked out by hand", "[split][generation]") {
  // Prefill: a 4/2 + 10 * 0.5 = 7 s; hop 5 B at 1 B/s = 5 s, then 0.5 s; b 10 * 0.25 + 6/2 = 5.5 s.
  // Token: a max(1/2, 1 B at 2 B/s) + 2 * 0.5 = 1.5 s; hop 1 B = 1 s, then 0.5 s;
  //        b 2 * 0.25 + max(1/2, 32 B at 2 B/s) = 16.5 s; back 2 * (1 B at 2 B/s + 0.125 s) = 1.25 s.
  const split::GenerationTerms t = split::evaluate_generation(two_hosts(true), kBoth);
  CHECK(t.ttft_s == Approx(18.0));
  CHECK(t.token_s == Approx(20.75));
  CHECK(t.total_s == Approx(18.0 + 4 * 20.75));
  CHECK(t.decode_bottleneck_s == Approx(16.5));
  CHECK(t.energy_j == Approx(10 * 12.5 + 5.0 + 4 * (10 * 18.0 + 1.0 + 1.0)));
  CHECK(t.bytes == Approx(5.0 + 4 * (1.0 + 2.0)));
}

TEST_CASE("Where no route leads back only one token can be made", "[split][generation]") {
  split::GenerationSpec spec = two_hosts(false);
  CHECK(split::evaluate_generation(spec, kBoth).total_s == kInfinity);
  core::StopToken never;
  search::Workspace workspace;
  const split::Plan none = split::solve_generation(spec, never, workspace);
  CHECK(none.status == core::Status::infeasible);
  CHECK(!none.assignment);

  spec.new_tokens = 1;
  const split::GenerationTerms one = split::evaluate_generation(spec, kBoth);
  CHECK(one.total_s == one.ttft_s);
  CHECK(one.energy_j == Approx(10 * 12.5 + 5.0));
  const split::Plan plan = split::solve_generation(spec, never, workspace);
  CHECK(plan.status == core::Status::optimal);
  CHECK(plan.assignment == kBoth);
}

TEST_CASE("The best plan for a generation is the best of all plans", "[split][generation]") {
  search::Workspace workspace;
  core::StopToken never;
  std::size_t feasible = 0;
  const std::uint64_t count = tests::random_problems(2000);
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const split::GenerationSpec spec = random_generation(seed);
    const double further = static_cast<double>(spec.new_tokens - 1);
    double best = kInfinity;
    bool adds_up = true;
    tests::for_every_plan(spec.prefill, [&](const split::Assignment& assignment, const split::Evaluation& e) {
      const split::GenerationTerms t = split::evaluate_generation(spec, assignment);
      adds_up = adds_up && t.ttft_s == e.delay_s &&
                close(t.total_s, t.ttft_s + (further > 0.0 ? further * t.token_s : 0.0)) &&
                t.decode_bottleneck_s <= t.token_s && t.energy_j >= e.energy_j && t.bytes >= e.bytes;
      if (split::within_limits(spec.prefill, assignment, e) &&
          t.energy_j <= spec.prefill.energy_limit_with_room())
        best = std::min(best, t.total_s);
    });
    const split::Plan plan = split::solve_generation(spec, never, workspace);
    INFO("seed " << seed);
    CHECK(adds_up);
    REQUIRE(plan.assignment.has_value() == (best < kInfinity));
    CHECK(plan.status == (best < kInfinity ? core::Status::optimal : core::Status::infeasible));
    if (!plan.assignment) continue;
    ++feasible;
    CHECK(close(split::evaluate_generation(spec, *plan.assignment).total_s, best));
    CHECK(plan.lower_bound_s <= best * (1.0 + 1e-12));
    CHECK(plan.lower_bound_s >= best * (1.0 - 1e-9));
  }
  CHECK(feasible > count / 3);
  CHECK(feasible < count);
}

TEST_CASE("A generation that says nothing sensible is refused by name", "[split][generation]") {
  const auto refused = [](const std::string& what, auto change) {
    split::GenerationSpec spec = two_hosts(true);
    change(spec);
    CHECK_THROWS_AS(split::validate(spec), core::InvalidInput);
    CHECK_THROWS_WITH(split::validate(spec), ContainsSubstring(what));
  };
  using Spec = split::GenerationSpec;
  refused("decode: 1 layers for 2", [](Spec& spec) { spec.decode.pop_back(); });
  refused("decode[1].read_bytes", [](Spec& spec) { spec.decode[1].read_bytes = -1.0; });
  refused("memory_bandwidth_bytes_per_s: 2 entries for 3",
          [](Spec& spec) { spec.memory_bandwidth_bytes_per_s.pop_back(); });
  refused("memory_bandwidth_bytes_per_s of 'b'",
          [](Spec& spec) { spec.memory_bandwidth_bytes_per_s[1] = 0.0; });
  refused("new_tokens: 0", [](Spec& spec) { spec.new_tokens = 0; });
  refused("token_bytes", [](Spec& spec) { spec.token_bytes = -1.0; });
}
