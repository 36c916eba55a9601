// Why there is no plan, on a chain whose figures can be checked by hand.
#include "catch.hpp"
#include "constellm/split/infeasibility.hpp"
#include "constellm/split/solve.hpp"

using namespace constellm;

namespace {

/// Six equal layers of 1 MB on three nodes in a row; a cut costs an error of 0.1.
split::ProblemSpec chain(double memory_bytes) {
  split::ProblemSpec spec;
  spec.name = "chain";
  for (int l = 0; l < 6; ++l) spec.layers.push_back({"l" + std::to_string(l), 1e9, 1e6, 1e6, 1.0, {}});
  spec.input_bytes = 1e6;
  for (const char* id : {"a", "b", "c"}) {
    network::Node node;
    node.id = id;
    node.flop_per_s = 1e12;
    node.memory_bytes = memory_bytes;
    node.power_w = 1.0;
    spec.network.nodes.push_back(node);
  }
  for (const auto& [from, to] : {std::pair("a", "b"), std::pair("b", "c")}) {
    network::Link link;
    link.from = from;
    link.to = to;
    link.rate_bps = 1e9;
    spec.network.links.push_back(link);
  }
  spec.source = "a";
  spec.sink = "c";
  codec::Codec half;
  half.name = "half";
  half.ratio = 2.0;
  half.error = 0.1;
  spec.codecs.push_back(half);
  return spec;
}

split::Infeasibility why(const split::ProblemSpec& spec) {
  const split::Problem problem(spec);
  core::StopToken stop;
  search::Workspace workspace;
  REQUIRE(split::solve(problem, {}, stop, workspace).status == core::Status::infeasible);
  return split::explain(problem, stop, workspace);
}

}  // namespace

TEST_CASE("What is too little memory is told, and how much would do", "[split]") {
  const split::Infeasibility found = why(chain(1.5e6));  // one layer a node; two would have to fit
  CHECK(found.reason == "memory");
  CHECK(*found.least_memory_factor == Approx(2.0 / 1.5).epsilon(1e-9));
  CHECK(!found.least_error);
  CHECK(!found.stopped);
}

TEST_CASE("An error limit below every plan's error is told beside what more memory would do", "[split]") {
  split::ProblemSpec spec = chain(2.5e6);  // two layers a node, so two cuts
  spec.limits.max_error = 0.15;
  const split::Infeasibility found = why(spec);
  CHECK(found.reason == "error");
  CHECK(*found.least_error == Approx(0.2));
  CHECK(*found.least_error_alone == Approx(0.2));
  CHECK(*found.least_memory_factor == Approx(3.0 / 2.5).epsilon(1e-9));  // one cut of 0.1
}

TEST_CASE("No route, and no host on one", "[split]") {
  split::ProblemSpec spec = chain(1e9);
  spec.network.links.pop_back();
  CHECK(why(spec).reason == "no_route");
  spec = chain(1e9);
  for (network::Node& node : spec.network.nodes) node.flop_per_s = 0.0;
  CHECK(why(spec).reason == "no_host");
}

TEST_CASE("Without time nothing is worked out, and that is said", "[split]") {
  const split::Problem problem(chain(1.5e6));
  core::StopToken stop(0.0);
  search::Workspace workspace;
  const split::Infeasibility found = split::explain(problem, stop, workspace);
  CHECK(found.reason == "unknown");
  CHECK(found.stopped == "time_limit");
}
