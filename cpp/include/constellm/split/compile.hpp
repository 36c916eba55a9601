#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/search/graph.hpp"
#include "constellm/split/plan.hpp"
#include "constellm/split/routes.hpp"

namespace constellm::split {

/// [nodes * layers] Whether a node may run a layer; empty: every host may run any.
using HostMask = std::vector<std::uint8_t>;

/// All nodes may run all layers, but `layer` is for `node` alone.
HostMask only_host(const Problem& problem, std::int32_t layer, std::int32_t node);

struct CompileOptions {
  bool unroll = true;  ///< routes as vertices where they are few; else vertices are the nodes
  HostMask allowed;
};

/// A problem in the search's terms: vertices are visits of nodes, levels layers done, choices what
/// crosses a hop (a codec's output; raw input; the result), rows of hops links.
struct Compiled {
  Routes routes;
  search::LayeredGraph graph;
};

/// No value where no path leads from source to sink. Only fit for a search that ends at once when
/// `stop` says so.
std::optional<Compiled> compile(const Problem& problem, const CompileOptions& options, core::StopToken& stop);

/// The problem on routes that are given.
Compiled compile(const Problem& problem, Routes routes, const HostMask& allowed, core::StopToken& stop);

/// A walk of the search as a plan's decision.
void to_assignment(const Compiled& compiled, const search::Walk& walk, Assignment& out);

}  // namespace constellm::split
