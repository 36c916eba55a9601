// The evaluator against sums done by hand, a simulated flow line, and what more bandwidth must do.
#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/split/evaluate.hpp"
#include "split/every_plan.hpp"
#include "split/random_problem.hpp"

using namespace constellm;

namespace {

bool close(double a, double b) { return std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b)); }

/// a -> b -> c, where c only relays, and b -> a; two layers; codecs "raw" and "half".
split::ProblemSpec small_spec() {
  split::ProblemSpec spec;
  spec.layers = {{"l0", 4.0, 1.0, 10.0, 2.0}, {"l1", 6.0, 2.0, 2.0, 1.0}};
  spec.input_bytes = 1.0;
  spec.network.nodes.resize(3);
  network::Node& a = spec.network.nodes[0];
  a.id = "a";
  a.flop_per_s = 2.0;
  a.memory_bytes = 10.0;
  a.power_w = 3.0;
  a.tx_power_w = 2.0;
  a.overhead_s = 0.5;
  network::Node& b = spec.network.nodes[1];
  b.id = "b";
  b.flop_per_s = 3.0;
  b.memory_bytes = 10.0;
  b.power_w = 5.0;
  b.codec_time_scale = 2.0;
  spec.network.nodes[2].id = "c";
  spec.network.links = {
      {"a", "b", 8.0, 0.25, 0.5, {}}, {"b", "a", 8.0, 0.25, 0.0, {}}, {"b", "c", 8.0, 0.0, 0.0, {}}};
  spec.source = "a";
  spec.sink = "b";
  spec.micro_batches = 3;
  codec::Codec raw;
  raw.name = "raw";
  codec::Codec half;
  half.name = "half";
  half.ratio = 2.0;
  half.error = 0.1;
  half.encode_s_per_byte = 0.1;
  half.decode_s_per_byte = 0.2;
  spec.codecs = {raw, half};
  return spec;
}

/// When the last micro-batch is through a line whose every stage and hop works at one at a time.
double flow_line_s(const split::Problem& problem, const split::Assignment& assignment,
                   const split::Evaluation& evaluation) {
  std::vector<double> ready_s(static_cast<std::size_t>(problem.spec().micro_batches), 0.0);
  const auto work = [&ready_s](double time_s, double latency_s) {
    double free_s = 0.0;
    for (double& ready : ready_s) {
      free_s = std::max(free_s, ready) + time_s;
      ready = free_s + latency_s;
    }
  };
  std::size_t stage = 0;
  for (std::size_t i = 0; i < assignment.path.size(); ++i) {
    if (stage < assignment.stages.size() && assignment.stages[stage].node == assignment.path[i])
      work(evaluation.stages[stage++].time_s, 0.0);
    if (i < evaluation.hops.size()) work(evaluation.hops[i].time_s, evaluation.hops[i].latency_s);
  }
  return ready_s.back();
}

}  // namespace

TEST_CASE("One node takes the sum of its layers for every micro-batch", "[split][evaluate]") {
  split::ProblemSpec spec = small_spec();
  spec.sink = "a";
  const split::Assignment alone{{0}, {{0, 0, 1, split::kNoCodec}}};
  const split::Evaluation e = split::evaluate(split::Problem(spec), alone);
  CHECK(e.stages.at(0).time_s == 0.5 + 4.0 / 2.0 + 6.0 / 2.0);
  CHECK(e.bottleneck_s == 5.5);
  CHECK(e.delay_s == 3 * 5.5);
  CHECK(e.energy_j == 3 * 3.0 * 5.5);
  CHECK(e.stages[0].memory_bytes == 3.0);
  CHECK(e.error == 0.0);
  CHECK(e.bytes == 0.0);
  CHECK(e.hops.empty());

  spec.network.nodes[0].layer_time_s = {0.25, 1.25};
  CHECK(split::evaluate(split::Problem(spec), alone).delay_s == 3 * (0.5 + 0.25 + 1.25));
}

TEST_CASE("Two stages with a codec, as worked out by hand", "[split][evaluate]") {
  // a:   0.5 fixed + 4 FLOP / 2 + encode 10 B * 0.1                            = 3.5 s at 3 W
  // hop: 0.5 fixed + 5 B at 1 B/s                                              = 5.5 s at 2 W, then 0.25 s
  // b:   decode 10 B * 0.2 * 2 + 6 FLOP / 3                                    = 6.0 s at 5 W, the longest
  // delay 3.5 + 5.5 + 0.25 + 6 + (3 - 1) * 6 = 27.25; energy 3 * (10.5 + 11 + 30); error 0.1 * gain 2
  const split::Problem problem(small_spec());
  const split::Evaluation e = split::evaluate(problem, {{0, 1}, {{0, 0, 0, 1}, {1, 1, 1, split::kNoCodec}}});
  REQUIRE(e.stages.size() == 2);
  REQUIRE(e.hops.size() == 1);
  CHECK(e.stages[0].overhead_s == 0.5);
  CHECK(e.stages[0].decode_s == 0.0);
  CHECK(e.stages[0].compute_s == 2.0);
  CHECK(e.stages[0].encode_s == Approx(1.0));
  CHECK(e.stages[0].time_s == Approx(3.5));
  CHECK(e.hops[0].bytes == 5.0);
  CHECK(e.hops[0].time_s == Approx(5.5));
  CHECK(e.hops[0].latency_s == 0.25);
  CHECK(e.stages[1].decode_s == Approx(4.0));
  CHECK(e.stages[1].compute_s == 2.0);
  CHECK(e.stages[1].encode_s == 0.0);
  CHECK(e.stages[1].time_s == Approx(6.0));
  CHECK(e.bottleneck_s == Approx(6.0));
  CHECK(e.delay_s == Approx(27.25));
  CHECK(e.error == Approx(0.2));
  CHECK(e.energy_j == Approx(154.5));
  CHECK(e.bytes == 15.0);
}

TEST_CASE("The delay is the makespan of a flow line", "[split][evaluate]") {
  std::size_t plans = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    bool same = true;
    tests::for_every_plan(problem, [&](const split::Assignment& assignment, const split::Evaluation& e) {
      ++plans;
      same = same && close(e.delay_s, flow_line_s(problem, assignment, e));
    });
    INFO("seed " << seed);
    CHECK(same);
  }
  CHECK(plans > 30000);
}

TEST_CASE("More bandwidth never hurts a plan", "[split][evaluate]") {
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000); ++seed) {
    split::ProblemSpec spec = tests::random_spec(seed);
    const split::Problem before(spec);
    tests::Random r(seed + 3);
    for (network::Link& link : spec.network.links) link.rate_bps *= r.chance(0.5) ? 1.0 : r.uniform(1.0, 4.0);
    const split::Problem after(spec);
    bool no_worse = true;
    split::Evaluation faster;
    tests::for_every_plan(before, [&](const split::Assignment& assignment, const split::Evaluation& e) {
      split::evaluate_into(after, assignment, faster);
      no_worse = no_worse && faster.delay_s <= e.delay_s && faster.bottleneck_s <= e.bottleneck_s &&
                 faster.energy_j <= e.energy_j && faster.error == e.error && faster.bytes == e.bytes;
    });
    INFO("seed " << seed);
    CHECK(no_worse);
  }
}

TEST_CASE("All faults of what is no plan are told, and the evaluator refuses it by the first",
          "[split][evaluate]") {
  const split::Problem problem(small_spec());
  const split::Assignment wrong{{1, 2, 0, 2}, {{0, 0, 0, split::kNoCodec}, {2, 0, 1, 1}, {7, 2, 1, 5}}};
  const std::vector<std::string> faults = {"path: starts at 'b', not at the source",
                                           "path: ends at 'c', not at the sink",
                                           "path: no link from 'c' to 'a'",
                                           "path: visits 'c' twice",
                                           "path: no link from 'a' to 'c'",
                                           "stages[0]: no codec of the problem for what it sends on",
                                           "stages[1]: 'c' only relays",
                                           "stages[1]: layers 0..1, expected to start at 1 and end in [1, 1]",
                                           "stages[1]: a codec after the last layer",
                                           "stages[2]: node position 7 is not in [0, 3)",
                                           "stages[2]: layers 2..1, though all layers are done",
                                           "stages[2]: a codec after the last layer"};
  CHECK(split::structural_faults(problem, wrong) == faults);
  CHECK_THROWS_WITH(split::evaluate(problem, wrong), ContainsSubstring(faults.front()));
  CHECK_THROWS_AS(split::evaluate(problem, wrong), core::InvalidInput);

  CHECK(split::structural_faults(problem, {}) ==
        std::vector<std::string>{"path: empty", "stages: cover 0 of 2 layers"});
  CHECK(split::structural_faults(problem, {{0, -1}, {{1, 0, 1, split::kNoCodec}}}) ==
        std::vector<std::string>{"path: node position -1 is not in [0, 3)",
                                 "stages[0]: 'b' is not on the rest of the path"});
}
