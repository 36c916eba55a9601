// Routes hold every simple path once, unrolled or not.
#include <algorithm>
#include <set>

#include "catch.hpp"
#include "constellm/split/route_parts.hpp"
#include "constellm/split/routes.hpp"
#include "split/random_problem.hpp"

using namespace constellm;

namespace {

using Path = std::vector<std::int32_t>;

std::size_t z(std::int32_t i) { return static_cast<std::size_t>(i); }

void extend(const split::Problem& problem, Path& path, std::vector<Path>& found) {
  const network::Topology& t = problem.topology();
  if (path.back() == problem.sink()) {
    found.push_back(path);
    return;
  }
  for (std::size_t link = 0; link < t.from.size(); ++link) {
    const std::int32_t to = t.to[link];
    if (t.from[link] != path.back() || std::find(path.begin(), path.end(), to) != path.end()) continue;
    path.push_back(to);
    extend(problem, path, found);
    path.pop_back();
  }
}

/// All walks over the vertices; those that come to a node twice are cut off when `simple`.
void walk(const network::Topology& t, const split::Routes& routes, std::int32_t p, bool simple, Path& path,
          std::vector<Path>& found) {
  if (p == routes.sink) {
    found.push_back(path);
    return;
  }
  for (auto a = routes.arc_begin[z(p)]; a < routes.arc_begin[z(p) + 1]; ++a) {
    const std::int32_t to = routes.arc_to[z(a)];
    const std::int32_t link = routes.arc_link[z(a)];
    CHECK(t.from[z(link)] == routes.node[z(p)]);
    CHECK(t.to[z(link)] == routes.node[z(to)]);
    if (simple && std::find(path.begin(), path.end(), routes.node[z(to)]) != path.end()) continue;
    path.push_back(routes.node[z(to)]);
    walk(t, routes, to, simple, path, found);
    path.pop_back();
  }
}

std::vector<Path> paths_of(const network::Topology& t, const split::Routes& routes) {
  std::vector<Path> found;
  if (routes.node.empty()) return found;
  Path path{routes.node.front()};
  walk(t, routes, 0, !routes.acyclic, path, found);
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<Path> simple_paths(const split::Problem& problem) {
  std::vector<Path> found;
  Path path{problem.source()};
  extend(problem, path, found);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("Routes are the simple paths", "[split]") {
  std::size_t paths = 0;
  std::size_t with_cycles = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const network::Topology& t = problem.topology();
    const auto expected = simple_paths(problem);
    paths += expected.size();
    INFO("seed " << seed);

    const split::Routes unrolled = split::find_routes(problem, 2048);
    CHECK(paths_of(t, unrolled) == expected);
    CHECK(unrolled.node.empty() == expected.empty());
    if (!expected.empty()) {
      CHECK(unrolled.acyclic);
      CHECK(unrolled.sink == static_cast<std::int32_t>(unrolled.node.size()) - 1);
      for (std::size_t p = 0; p < unrolled.node.size(); ++p) {
        for (auto a = unrolled.arc_begin[p]; a < unrolled.arc_begin[p + 1]; ++a) {
          CHECK(unrolled.arc_to[z(a)] > static_cast<std::int32_t>(p));
        }
      }
    }

    const split::Routes whole = split::find_routes(problem, 0);
    CHECK(paths_of(t, whole) == expected);
    if (!expected.empty()) {
      with_cycles += whole.acyclic ? 0 : 1;  // without them nodes are positions and walks simple anyway
      // Positions are nodes, each once, and only those that a walk to the sink can come to.
      CHECK(std::set<std::int32_t>(whole.node.begin(), whole.node.end()).size() == whole.node.size());
      CHECK(whole.node.front() == problem.source());
      CHECK(whole.node[z(whole.sink)] == problem.sink());
    }
  }
  CHECK(paths > 5000);
  CHECK(with_cycles > 100);
}

TEST_CASE("The forward part of a graph is without cycles and holds every shortest route", "[split]") {
  std::size_t shortest_routes = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const network::Topology& t = problem.topology();
    const split::Routes whole = split::find_routes(problem, 0);
    if (whole.node.empty()) continue;
    const split::Routes part = split::forward_part(whole);
    INFO("seed " << seed);
    REQUIRE(part.acyclic);
    REQUIRE(part.node.front() == problem.source());
    REQUIRE(part.sink == static_cast<std::int32_t>(part.node.size()) - 1);
    REQUIRE(part.node.back() == problem.sink());
    bool forward = true;
    for (std::size_t p = 0; p < part.node.size(); ++p) {
      for (auto a = part.arc_begin[p]; a < part.arc_begin[p + 1]; ++a) {
        forward = forward && part.arc_to[z(a)] > static_cast<std::int32_t>(p);
      }
    }
    CHECK(forward);
    const auto all = simple_paths(problem);
    const auto some = paths_of(t, part);
    CHECK(std::includes(all.begin(), all.end(), some.begin(), some.end()));
    const auto fewer = [](const Path& a, const Path& b) { return a.size() < b.size(); };
    const std::size_t fewest = std::min_element(all.begin(), all.end(), fewer)->size();
    for (const Path& path : all) {
      if (path.size() > fewest) continue;
      ++shortest_routes;
      CHECK(std::binary_search(some.begin(), some.end(), path));
    }
  }
  CHECK(shortest_routes > 1500);
}

TEST_CASE("Routes that would be many stay a graph", "[split]") {
  split::ProblemSpec spec = tests::random_spec(0);
  spec.network.nodes.assign(
      8, network::Node{.id = "", .flop_per_s = 1.0, .memory_bytes = 1.0, .layer_time_s = {}, .group = {}});
  spec.network.links.clear();
  for (std::size_t a = 0; a < 8; ++a) spec.network.nodes[a].id = std::to_string(a);
  for (const auto& a : spec.network.nodes) {
    for (const auto& b : spec.network.nodes) {
      if (a.id != b.id) spec.network.links.push_back({a.id, b.id, 1.0, 0.0, 0.0, {}});
    }
  }
  spec.source = "0";
  spec.sink = "7";
  const split::Problem problem(spec);
  CHECK(split::find_routes(problem, 2048).acyclic);
  const split::Routes few = split::find_routes(problem, 20);
  CHECK(!few.acyclic);
  CHECK(few.node.size() == 8);
  CHECK(paths_of(problem.topology(), few) == simple_paths(problem));
}

TEST_CASE("A path is lengthened to another simple path, as long as there is a detour", "[split]") {
  std::size_t longer_paths = 0;
  for (std::uint64_t seed = 0; seed < tests::random_problems(2000); ++seed) {
    const split::Problem problem = tests::random_problem(seed);
    const split::Routes whole = split::find_routes(problem, 0);
    if (whole.node.empty() || whole.acyclic) continue;
    const auto all = simple_paths(problem);
    const auto fewer = [](const Path& a, const Path& b) { return a.size() < b.size(); };
    Path path = split::shortest_path(whole);
    INFO("seed " << seed);
    CHECK(path.size() == std::min_element(all.begin(), all.end(), fewer)->size());
    for (std::size_t before = 0; !path.empty(); path = split::lengthened(whole, path, seed)) {
      CHECK(path.size() > before);
      before = path.size();
      Path nodes;
      for (const std::int32_t v : path) nodes.push_back(whole.node[z(v)]);
      CHECK(std::find(all.begin(), all.end(), nodes) != all.end());
      ++longer_paths;
    }
  }
  CHECK(longer_paths > 500);
}
