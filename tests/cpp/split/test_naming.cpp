// Plans in names and back, and names that a problem lacks.
#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/split/naming.hpp"
#include "split/every_plan.hpp"
#include "split/random_problem.hpp"

using namespace constellm;

namespace {

split::Problem two_nodes() {
  split::ProblemSpec spec;
  spec.layers = {{"l0", 1.0, 1.0, 1.0}, {"l1", 1.0, 1.0, 1.0}};
  spec.network.nodes.resize(2);
  spec.network.nodes[0].id = "a";
  spec.network.nodes[1].id = "b";
  for (network::Node& node : spec.network.nodes) node.flop_per_s = 1.0;
  spec.network.links = {{"a", "b", 8.0, 0.5, 0.0, {}}};
  spec.source = "a";
  spec.sink = "b";
  codec::Codec raw;
  raw.name = "raw";
  spec.codecs = {raw};
  return split::Problem(spec);
}

}  // namespace

TEST_CASE("A plan comes back from its names", "[split][naming]") {
  std::size_t plans = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    bool same = true;
    tests::for_every_plan(problem, [&](const split::Assignment& assignment, const split::Evaluation&) {
      ++plans;
      const auto path = split::path_ids(problem, assignment);
      const auto stages = split::named_stages(problem, assignment);
      same = same && split::to_assignment(problem, path, stages) == assignment;
    });
    INFO("seed " << seed);
    CHECK(same);
  }
  CHECK(plans > 30000);
}

TEST_CASE("An evaluation says the names of its nodes, links and codecs", "[split][naming]") {
  const split::Problem problem = two_nodes();
  const split::Assignment assignment{{0, 1}, {{0, 0, 0, 0}, {1, 1, 1, split::kNoCodec}}};
  const split::Evaluation e = split::evaluate(problem, assignment);
  const split::NamedEvaluation named = split::named_evaluation(problem, assignment);
  CHECK(named.delay_s == e.delay_s);
  CHECK(named.objective_s == e.delay_s);
  REQUIRE(named.stages.size() == 2);
  CHECK(named.stages[0].stage == split::Stage{"a", 0, 0, "raw"});
  CHECK(named.stages[1].stage == split::Stage{"b", 1, 1, std::nullopt});
  CHECK(named.stages[1].terms.compute_s == 1.0);
  CHECK(named.hops == std::vector<split::NamedHopTerms>{{"a", "b", {1.0, 1.0, 0.5}}});
  CHECK(named.broken_limits == std::vector<std::string>{"memory of 'a': 1 is over the limit of 0 bytes",
                                                        "memory of 'b': 1 is over the limit of 0 bytes"});
  CHECK(split::codec_name(problem, 0) == "raw");
  CHECK(!split::codec_name(problem, split::kNoCodec));
}

TEST_CASE("Names that a problem lacks are refused by name", "[split][naming]") {
  const split::Problem problem = two_nodes();
  const auto refused = [&problem](const std::string& what, const std::vector<std::string>& path,
                                  const std::vector<split::Stage>& stages) {
    CHECK_THROWS_AS(split::to_assignment(problem, path, stages), core::InvalidInput);
    CHECK_THROWS_WITH(split::to_assignment(problem, path, stages), ContainsSubstring(what));
  };
  refused("path[1]: the problem has no node 'c'", {"a", "c"}, {});
  refused("path[0]: the problem has no node ''", {""}, {});
  refused("stages[1].node: the problem has no node 'A'", {"a"}, {{"a", 0, 0, "raw"}, {"A", 1, 1, {}}});
  refused("stages[0].codec: the problem has no codec 'half'", {"a"}, {{"a", 0, 0, "half"}});
  refused("stages[0].codec: the problem has no codec ''", {"a"}, {{"a", 0, 0, ""}});
  refused("stages[0].first_layer", {"a"}, {{"a", -1, 0, {}}});
  refused("stages[0].last_layer", {"a"}, {{"a", 0, std::int64_t{1} << 31, {}}});
}
