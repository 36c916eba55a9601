#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/split/baselines/layer_shares.hpp"
#include "constellm/split/baselines/menus.hpp"
#include "constellm/split/baselines/propose.hpp"
#include "constellm/split/baselines/quantpipe.hpp"
#include "constellm/split/baselines/shortest_routes.hpp"
#include "constellm/split/baselines/tensor_parallel.hpp"
#include "constellm/split/evaluate.hpp"

namespace constellm::split {
namespace {

codec::Codec codec_of(const std::string& name, double ratio, double error) {
  codec::Codec codec;
  codec.name = name;
  codec.ratio = ratio;
  codec.error = error;
  return codec;
}

/// A two-way chain a, b, c, ... of nodes of 1 FLOP/s; layers of 1 FLOP, 1 B of memory, 100 B out.
ProblemSpec chain(int nodes, int layers, double room_bytes) {
  ProblemSpec spec;
  spec.name = "chain";
  for (int l = 0; l < layers; ++l) {
    model::Layer layer;
    layer.name = "l";
    layer.flop = 1.0;
    layer.memory_bytes = 1.0;
    layer.output_bytes = 100.0;
    spec.layers.push_back(layer);
  }
  spec.input_bytes = 10.0;
  for (int v = 0; v < nodes; ++v) {
    network::Node node;
    node.id = std::string(1, static_cast<char>('a' + v));
    node.flop_per_s = 1.0;
    node.memory_bytes = room_bytes;
    spec.network.nodes.push_back(node);
  }
  const auto connect = [&](int from, int to) {
    network::Link link;
    link.from = spec.network.nodes[static_cast<std::size_t>(from)].id;
    link.to = spec.network.nodes[static_cast<std::size_t>(to)].id;
    link.rate_bps = 800.0;  // 100 B/s
    spec.network.links.push_back(link);
  };
  for (int v = 0; v + 1 < nodes; ++v) {
    connect(v, v + 1);
    connect(v + 1, v);
  }
  spec.source = "a";
  spec.sink = spec.network.nodes.back().id;
  spec.codecs = {codec_of("none", 1.0, 0.0)};
  return spec;
}

Proposal propose(std::string_view name, const Problem& problem) {
  core::StopToken stop;
  search::Workspace workspace;
  return propose(name, problem, stop, workspace);
}

std::vector<std::int32_t> sizes_of(const Proposal& proposal) {
  std::vector<std::int32_t> sizes;
  for (const StageChoice& s : proposal.assignment.value().stages)
    sizes.push_back(s.last_layer - s.first_layer + 1);
  return sizes;
}

using Sizes = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("QuantPipe's bits") {
  // c = floor(slowness) + 1; 32, 16, 8, 6, 4, 2 bits for c <= 1, 2, 4, 5, 8, else
  const std::vector<std::pair<double, std::int32_t>> table{{0.0, 0}, {0.99, 0}, {1.0, 1}, {1.9, 1},
                                                           {2.0, 2}, {3.9, 2},  {4.0, 3}, {4.9, 3},
                                                           {5.0, 4}, {7.9, 4},  {8.0, 5}, {1e9, 5}};
  for (const auto& [slowness, position] : table) CHECK(quantpipe_codec(slowness) == position);
}

TEST_CASE("QuantPipe's menu keeps its order and what is listed") {
  ProblemSpec spec = chain(2, 2, 9.0);
  spec.codecs = {codec_of("quantise-8", 3.5, 0.02), codec_of("none", 1.0, 0.0)};
  const Menu menu = quantpipe_bits(Problem(spec));
  REQUIRE(menu.home.codec_count() == 6);
  CHECK(menu.allowed == std::vector<std::int32_t>{1, 2, 0, 3, 4, 5});
  CHECK(menu.home.spec().codecs[0].ratio == 3.5);
  CHECK(menu.home.spec().codecs[5].name == "quantise-2");
  CHECK(menu.home.spec().codecs[5].ratio == 16.0);
}

TEST_CASE("A missing uncompressed codec is added under a free name") {
  ProblemSpec spec = chain(2, 2, 9.0);
  spec.codecs = {codec_of("none", 2.0, 0.0)};
  const Menu menu = uncompressed(Problem(spec));
  REQUIRE(menu.home.codec_count() == 2);
  CHECK(menu.home.spec().codecs[1].name == "none-added");
  CHECK(menu.allowed == std::vector<std::int32_t>{1});
}

TEST_CASE("Shares by largest remainder") {
  CHECK(shared_out(7, {1.0, 1.0, 1.0}) == Sizes{3, 2, 2});
  CHECK(shared_out(10, {1.0, 2.0, 3.0}) == Sizes{2, 3, 5});
  CHECK(shared_out(2, {1.0, 1.0, 1.0, 1.0}) == Sizes{1, 1, 0, 0});
  CHECK(shared_out(4, {1.0, std::numeric_limits<double>::infinity(), 1.0}) == Sizes{0, 4, 0});
}

TEST_CASE("Sizes move as little as memory demands") {
  core::StopToken never;
  ProblemSpec spec = chain(3, 9, 9.0);
  spec.network.nodes[1].memory_bytes = 1.0;
  const Problem problem(spec);
  CHECK(nearest_sizes(problem, {0, 1, 2}, {3, 3, 3}, never) == Sizes{3, 1, 5});
  CHECK(nearest_sizes(problem, {0, 2}, {5, 4}, never) == Sizes{5, 4});
  spec.network.nodes[0].memory_bytes = 2.0;
  spec.network.nodes[2].memory_bytes = 5.0;
  CHECK(nearest_sizes(Problem(spec), {0, 1, 2}, {3, 3, 3}, never).empty());
}

TEST_CASE("Uniform and proportional splits") {
  ProblemSpec spec = chain(3, 8, 8.0);
  CHECK(sizes_of(propose("uniform", Problem(spec))) == Sizes{3, 3, 2});
  spec.network.nodes[1].flop_per_s = 6.0;
  CHECK(sizes_of(propose("compute-proportional", Problem(spec))) == Sizes{1, 6, 1});
  spec.network.nodes[0].flop_per_s = 0.0;  // relays
  CHECK(sizes_of(propose("uniform", Problem(spec))) == Sizes{4, 4});
}

TEST_CASE("PipeEdge balances, EdgeShard keeps the first layer at the source") {
  ProblemSpec spec = chain(3, 6, 6.0);
  spec.network.nodes[0].flop_per_s = 0.1;
  CHECK(propose("pipeedge", Problem(spec)).assignment.value().stages.front().node == 1);
  const Proposal edgeshard = propose("edgeshard-throughput", Problem(spec));
  CHECK(edgeshard.assignment.value().stages.front().node == 0);
  CHECK(sizes_of(edgeshard).front() == 1);
  CHECK(propose("edgeshard-latency", Problem(spec)).assignment.value().stages.front().node == 0);
}

TEST_CASE("Ground and single satellites") {
  ProblemSpec spec = chain(4, 3, 3.0);
  CHECK(propose("ground-only", Problem(spec)).assignment.value().stages ==
        std::vector<StageChoice>{{3, 0, 2, kNoCodec}});
  CHECK(propose("single-satellite", Problem(spec)).assignment.value().stages ==
        std::vector<StageChoice>{{0, 0, 2, kNoCodec}});
  spec.network.nodes[0].flop_per_s = 0.0;
  spec.network.nodes[2].flop_per_s = 3.0;
  CHECK(propose("single-satellite", Problem(spec)).assignment.value().stages.front().node == 1);
  CHECK(propose("single-best", Problem(spec)).assignment.value().stages.front().node == 2);
  spec.network.nodes[1].memory_bytes = 2.0;
  const Proposal full = propose("single-satellite", Problem(spec));
  CHECK(!full.assignment);
  CHECK(full.status == core::Status::no_plan_found);
}

TEST_CASE("A plan that breaks a limit is proposed, but no answer") {
  ProblemSpec spec = chain(2, 4, 2.0);
  spec.network.nodes[0].power_w = 100.0;
  spec.limits.max_energy_j = 1.0;
  const Proposal proposal = propose("pipeedge", Problem(spec));
  CHECK(proposal.assignment.has_value());
  CHECK(proposal.status == core::Status::no_plan_found);
  const Plan plan = to_plan(proposal);
  CHECK(!plan.assignment);
  CHECK(std::isnan(plan.lower_bound_s));
}

TEST_CASE("No way to the sink is proven infeasible; unknown names are refused") {
  ProblemSpec spec = chain(2, 2, 2.0);
  spec.network.links.erase(spec.network.links.begin());
  for (const std::string& name : baseline_names()) {
    if (name == "quantise-only" || name == "top-k-only") {
      CHECK_THROWS_AS(propose(name, Problem(spec)), core::InvalidInput);
    } else {
      CHECK(propose(name, Problem(spec)).status == core::Status::infeasible);
    }
  }
  CHECK_THROWS_AS(propose("pipe-edge", Problem(spec)), core::InvalidInput);
  CHECK_THROWS_AS(propose("fixed:zip", Problem(spec)), core::InvalidInput);
  CHECK(is_baseline("fixed:zip"));
  CHECK(!is_baseline("optimal"));
}

TEST_CASE("Simple paths, fewest hops first") {
  ProblemSpec spec = chain(4, 1, 1.0);
  network::Link shortcut;
  shortcut.from = "a";
  shortcut.to = "c";
  shortcut.rate_bps = 1.0;
  spec.network.links.push_back(shortcut);
  const Problem problem(spec);
  CHECK(shortest_routes(problem) == std::vector<std::vector<std::int32_t>>{{0, 2, 3}, {0, 1, 2, 3}});
  CHECK(network::fewest_hops(problem.topology(), 3, 0) == std::vector<std::int32_t>{3, 2, 1, 0});
}

TEST_CASE("The most routes there may be") {
  ProblemSpec spec = chain(12, 1, 1.0);  // all linked with all: nearly ten million simple paths
  spec.network.links.clear();
  for (const network::Node& from : spec.network.nodes) {
    for (const network::Node& to : spec.network.nodes) {
      if (from.id == to.id) continue;
      network::Link link;
      link.from = from.id;
      link.to = to.id;
      link.rate_bps = 1.0;
      spec.network.links.push_back(link);
    }
  }
  const auto routes = shortest_routes(Problem(spec));
  REQUIRE(routes.size() == kMostRoutes);
  for (std::size_t i = 1; i < routes.size(); ++i) CHECK(routes[i - 1].size() <= routes[i].size());
  CHECK(routes[0].size() == 2);
  CHECK(routes[11].size() == 4);  // 1 path of one hop, 10 of two
}

TEST_CASE("Tensor parallelism by its own formula") {
  ProblemSpec spec = chain(2, 3, 2.0);
  spec.micro_batches = 5;
  const auto found = tensor_parallel(Problem(spec));
  REQUIRE(found);
  CHECK(found->share == std::vector<double>{0.5, 0.5});
  // c = 1/2 s, tile c/8 = 1/16 s, x = 50 B at 100 B/s = 1/2 s: 4 * (1/16 + 1/2) a layer
  CHECK(found->group_s == Approx(3.0 * 4.0 * (1.0 / 16.0 + 0.5)));
  CHECK(found->bottleneck_s == found->group_s);
  // raw input of 10 B reaches b in 0.1 s
  CHECK(found->delay_s == Approx(0.1 + found->group_s + 4.0 * found->group_s));
  CHECK(found->bytes == Approx(5.0 * (10.0 + 3.0 * 4.0 * 50.0 * 2.0)));
}

TEST_CASE("Tensor parallel shares stay within memory") {
  ProblemSpec spec = chain(3, 4, 4.0);
  spec.network.nodes[0].flop_per_s = 8.0;
  spec.network.nodes[0].memory_bytes = 2.0;
  const auto found = tensor_parallel(Problem(spec));
  REQUIRE(found);
  CHECK(found->share[0] == Approx(0.5));
  CHECK(found->share[1] == Approx(0.25));
  spec.network.nodes[1].memory_bytes = spec.network.nodes[2].memory_bytes = 0.9;
  CHECK(!tensor_parallel(Problem(spec)));
}

TEST_CASE("On one host, tensor parallelism is plain computation") {
  ProblemSpec spec = chain(1, 4, 4.0);
  const auto found = tensor_parallel(Problem(spec));
  REQUIRE(found);
  CHECK(found->delay_s == Approx(4.0));
  CHECK(found->bytes == 0.0);
}

}  // namespace constellm::split
