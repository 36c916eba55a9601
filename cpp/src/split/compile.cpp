#include "constellm/split/compile.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::split {
namespace {

using search::kInfinity;
using search::LayeredGraph;

using core::z;

constexpr std::int32_t kLanes = 4;                        // doubles in a register of AVX2
constexpr std::int32_t kMostVertices = 2048;              // of unrolled routes
constexpr std::size_t kMostCells = std::size_t{1} << 22;  // of a table over vertices, levels and choices

std::int32_t stride_of(const Problem& problem) {
  return (problem.codec_count() + kLanes - 1) / kLanes * kLanes;
}

/// furthest[j]: where a block begun at layer j must end for the node's memory. Sums run over the
/// block as in the evaluator; prefix sums only say where to look.
void fill_furthest(const Problem& problem, const std::vector<double>& memory_prefix, double limit,
                   core::StopToken& stop, std::int32_t* furthest) {
  const auto& layers = problem.spec().layers;
  const auto fits = [&](std::int32_t first, std::int32_t end) {
    const double about = memory_prefix[z(end)] - memory_prefix[z(first)];
    const double room = 1e-9 * memory_prefix.back();
    if (about < limit - room) return true;
    if (about > limit + room) return false;
    stop.should_stop(z(end - first) / 64);
    double sum = 0.0;
    for (std::int32_t l = first; l < end; ++l) sum += layers[z(l)].memory_bytes;
    return sum <= limit;
  };
  std::int32_t end = 0;
  for (std::int32_t j = 0; j <= problem.layer_count() && !stop.should_stop(0); ++j) {
    end = std::max(end, j);
    while (end < problem.layer_count() && fits(j, end + 1)) ++end;
    furthest[j] = end;
  }
}

/// Prefix sums with what rounding takes from them (Knuth's two-sum), so that a block's time is
/// right however large the layers outside it are.
void fill_work(const Problem& problem, std::int32_t v, LayeredGraph& g) {
  double* sum = &g.work_s[g.at(v, 0)];
  double* low = &g.work_low_s[g.at(v, 0)];
  for (std::int32_t l = 0; l < g.levels; ++l) {
    const double time_s = problem.layer_s(v, l);
    sum[l + 1] = sum[l] + time_s;
    const double added = sum[l + 1] - sum[l];
    low[l + 1] = low[l] + ((sum[l] - (sum[l + 1] - added)) + (time_s - added));
  }
}

/// Nodes whose sums dwarf any good plan: beside them a double's last bits are too coarse.
void mark_coarse(const Problem& problem, core::StopToken& stop, LayeredGraph& g) {
  constexpr double kDwarfs = 100.0;  // a hundred times the least work of any plan costs two digits
  double least_s = 0.0;
  for (std::int32_t l = 0; l < g.levels && !stop.should_stop(z(g.nodes()) / 16); ++l) {
    double fastest_s = kInfinity;
    for (std::int32_t v = 0; v < g.nodes(); ++v) {
      if (g.can_host[z(v)] != 0) fastest_s = std::min(fastest_s, problem.layer_s(v, l));
    }
    least_s += fastest_s;
  }
  g.coarse.assign(z(g.nodes()), 0);
  for (std::int32_t v = 0; v < g.nodes(); ++v) {
    const bool dwarfs = g.work_s[g.at(v, g.levels)] > kDwarfs * least_s;
    g.coarse[z(v)] = g.can_host[z(v)] != 0 && dwarfs ? 1 : 0;
  }
}

/// Whether the mask leaves the node anything to do.
bool may_do_any(const LayeredGraph& g, std::int32_t v) {
  for (std::int32_t l = 0; l < g.levels; ++l) {
    if (g.allows(v, l)) return true;
  }
  return false;
}

void fill_nodes(const Problem& problem, core::StopToken& stop, LayeredGraph& g) {
  const auto nodes = z(problem.node_count());
  g.can_host.resize(nodes);
  g.stage_fixed_s.resize(nodes);
  g.choice_scale.resize(nodes);
  g.work_s.assign(nodes * g.rows(), 0.0);
  g.work_low_s.assign(nodes * g.rows(), 0.0);
  g.furthest.resize(nodes * g.rows());
  std::vector<double> memory_prefix(g.rows(), 0.0);
  for (std::int32_t l = 0; l < g.levels; ++l)
    memory_prefix[z(l) + 1] = memory_prefix[z(l)] + problem.spec().layers[z(l)].memory_bytes;
  for (std::int32_t v = 0; v < problem.node_count() && !stop.should_stop(g.rows() / 8); ++v) {
    const network::Node& node = problem.spec().network.nodes[z(v)];
    const bool hosts = node.can_host() && may_do_any(g, v);
    g.can_host[z(v)] = hosts ? 1 : 0;
    g.stage_fixed_s[z(v)] = node.overhead_s;
    g.choice_scale[z(v)] = node.codec_time_scale;
    std::int32_t* furthest = &g.furthest[g.at(v, 0)];
    if (!hosts) {
      for (std::int32_t j = 0; j <= g.levels; ++j) furthest[j] = j;
      continue;
    }
    fill_work(problem, v, g);
    const auto same_memory = [&](std::int32_t u) {
      return g.can_host[z(u)] != 0 && problem.spec().network.nodes[z(u)].memory_bytes == node.memory_bytes;
    };
    if (v > 0 && same_memory(v - 1))
      std::copy_n(furthest - g.rows(), g.rows(), furthest);
    else
      fill_furthest(problem, memory_prefix, problem.memory_limit_with_room(v), stop, furthest);
  }
  mark_coarse(problem, stop, g);
}

void fill_choices(const Problem& problem, LayeredGraph& g) {
  const auto size = g.rows() * z(g.stride);
  g.enter_s.assign(size, 0.0);
  g.leave_s.assign(size, 0.0);
  g.amount.assign(size, kInfinity);
  g.amount[0] = problem.spec().input_bytes;
  g.amount[g.at(0, g.levels, 0)] = problem.sent_bytes(g.levels - 1, kNoCodec);
  for (std::int32_t level = 1; level < g.levels; ++level) {
    const double bytes = problem.spec().layers[z(level) - 1].output_bytes;
    for (std::int32_t k = 0; k < g.choices; ++k) {
      const codec::Codec& codec = problem.spec().codecs[z(k)];
      const auto i = g.at(0, level, k);
      g.amount[i] = problem.sent_bytes(level - 1, k);
      g.enter_s[i] = bytes * codec.decode_s_per_byte;
      g.leave_s[i] = bytes * codec.encode_s_per_byte;
    }
  }
}

/// Only links that routes use get a row of times, and links of equal figures share one.
void fill_hops(const Problem& problem, const Routes& routes, core::StopToken& stop, LayeredGraph& g) {
  const auto cells = g.rows() * z(g.stride);
  const network::LinkColumns& columns = problem.graph().columns();
  std::vector<std::int32_t> row(columns.rate_bps.size(), -1);
  std::map<std::pair<double, double>, std::int32_t> rows;  // by overhead and rate
  std::vector<std::pair<double, double>> figures;          // of the rows
  for (const std::int32_t link : routes.arc_link) {
    if (row[z(link)] < 0) {
      const std::pair figure{columns.overhead_s[z(link)], columns.rate_bps[z(link)]};
      const auto [found, is_new] = rows.emplace(figure, static_cast<std::int32_t>(figures.size()));
      if (is_new) figures.push_back(figure);
      row[z(link)] = found->second;
    }
    g.arc_row.push_back(row[z(link)]);
  }
  g.hop_s.resize(figures.size() * cells);
  double* out = g.hop_s.data();
  for (const auto& [overhead_s, rate_bps] : figures) {
    if (stop.should_stop(cells / 16)) return;
    for (std::size_t i = 0; i < cells; ++i) *out++ = network::hop_s(overhead_s, rate_bps, g.amount[i]);
  }
}

}  // namespace

HostMask only_host(const Problem& problem, std::int32_t layer, std::int32_t node) {
  const auto layers = z(problem.layer_count());
  HostMask allowed(z(problem.node_count()) * layers, 1);
  for (std::int32_t v = 0; v < problem.node_count(); ++v)
    allowed[z(v) * layers + z(layer)] = v == node ? 1 : 0;
  return allowed;
}

std::optional<Compiled> compile(const Problem& problem, const CompileOptions& options,
                                core::StopToken& stop) {
  const std::size_t cells = (z(problem.layer_count()) + 1) * z(stride_of(problem));
  const auto most = std::clamp<std::size_t>(kMostCells / cells, 1, z(kMostVertices));
  Routes routes = find_routes(problem, options.unroll ? static_cast<std::int32_t>(most) : 0);
  if (routes.node.empty()) return std::nullopt;
  return compile(problem, std::move(routes), options.allowed, stop);
}

Compiled compile(const Problem& problem, Routes routes, const HostMask& allowed, core::StopToken& stop) {
  Compiled c;
  LayeredGraph& g = c.graph;
  g.levels = problem.layer_count();
  g.choices = problem.codec_count();
  g.stride = stride_of(problem);
  g.acyclic = routes.acyclic;
  g.sink = routes.sink;
  g.node = routes.node;
  g.arc_begin = routes.arc_begin;
  g.arc_to = routes.arc_to;
  g.allowed = allowed;
  fill_nodes(problem, stop, g);
  fill_choices(problem, g);
  fill_hops(problem, routes, stop, g);
  c.routes = std::move(routes);
  return c;
}

void to_assignment(const Compiled& compiled, const search::Walk& walk, Assignment& out) {
  out.path.clear();
  out.stages.clear();
  for (const std::int32_t vertex : walk.vertices) out.path.push_back(compiled.routes.node[z(vertex)]);
  for (const search::Stage& stage : walk.stages) {
    const bool last = stage.last == compiled.graph.levels;
    out.stages.push_back(
        {compiled.routes.node[z(stage.vertex)], stage.first, stage.last - 1, last ? kNoCodec : stage.choice});
  }
}

}  // namespace constellm::split
