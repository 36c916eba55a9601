#include "constellm/services/routes.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/core/units.hpp"
#include "constellm/network/least_costs.hpp"

namespace constellm::services {
namespace {

using core::z;
using network::Rows;

constexpr std::int32_t kNoRow = -1;
using Path = std::vector<std::int32_t>;

/// Paths of one origin, found one by one by any thread.
class KeptPaths {
 public:
  explicit KeptPaths(std::size_t nodes) : paths_(nodes) {}
  KeptPaths(const KeptPaths&) = delete;
  KeptPaths& operator=(const KeptPaths&) = delete;
  ~KeptPaths() {
    for (auto& path : paths_) delete path.load(std::memory_order_relaxed);
  }

  template <class Find>
  const Path& get(std::int32_t target, Find find) {
    std::atomic<const Path*>& kept = paths_[z(target)];
    if (const Path* known = kept.load(std::memory_order_acquire)) return *known;
    auto made = std::make_unique<const Path>(find());
    const Path* expected = nullptr;
    if (!kept.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel)) return *expected;
    return *made.release();
  }

 private:
  std::vector<std::atomic<const Path*>> paths_;
};

/// Transfers of one size.
struct Size {
  double bytes = 0.0;
  std::vector<double> weight_s;                        // [links]; infinite: not there
  std::vector<std::int32_t> row;                       // [nodes] of an origin, or kNoRow
  std::vector<std::int32_t> origins = {};              // by row
  std::vector<double> seconds = {};                    // [rows][nodes]
  std::vector<std::unique_ptr<KeptPaths>> paths = {};  // by row
};

/// A node from which the target may be reached in time over so many links, and how soon.
struct Left {
  std::int32_t node;
  double seconds;
};
using Layer = std::vector<Left>;  // by ascending node

const Left* find(const Layer& layer, std::int32_t node) {
  const auto at = std::lower_bound(layer.begin(), layer.end(), node,
                                   [](const Left& left, std::int32_t of) { return left.node < of; });
  return at != layer.end() && at->node == node ? &*at : nullptr;
}

/// The route from an origin to a target. Rounding may make a way of more links, or over another node, exactly
/// as quick, and hide that a part of it is not the quickest: so sums are made from the origin on for every
/// way that comes near, and those alone are looked at.
class RouteSearch {
 public:
  RouteSearch(const network::Topology& topology, const Size& size, std::int32_t row, std::int32_t target)
      : topology_(topology),
        weight_s_(size.weight_s),
        nodes_(topology.out.nodes()),
        from_origin_s_(size.seconds.data() + z(row) * nodes_),
        origin_(size.origins[z(row)]),
        least_s_(from_origin_s_[z(target)]),
        // Sums of as many terms as a way has links differ by no more, in whatever order.
        near_s_(least_s_ *
                (1.0 + 4.0 * static_cast<double>(nodes_ + 2) * std::numeric_limits<double>::epsilon())),
        layers_{{{.node = target, .seconds = 0.0}}} {}

  /// A way of fewer links than nodes has the least time.
  Path links() {
    while (true) {
      add_layer();
      if (find(layers_.back(), origin_) != nullptr && leads()) return path_;
    }
  }

 private:
  using Dead = std::set<std::tuple<std::int32_t, std::size_t, double>>;  // node, links left, seconds so far
  struct Step {
    std::int32_t node;
    double seconds;
    std::vector<std::pair<std::int32_t, std::int32_t>> arcs;  // node and link, ascending
    std::size_t next = 0;
  };

  void add_layer() {
    Layer next;
    for (const Left& left : layers_.back()) {
      for (auto a = topology_.in.begin[z(left.node)]; a < topology_.in.begin[z(left.node) + 1]; ++a) {
        const std::int32_t node = topology_.in.node[z(a)];
        const double seconds = weight_s_[z(topology_.in.link[z(a)])] + left.seconds;
        if (from_origin_s_[z(node)] + seconds <= near_s_) next.push_back({node, seconds});
      }
    }
    std::sort(next.begin(), next.end(), [](const Left& a, const Left& b) {
      return std::tie(a.node, a.seconds) < std::tie(b.node, b.seconds);
    });
    next.erase(
        std::unique(next.begin(), next.end(), [](const Left& a, const Left& b) { return a.node == b.node; }),
        next.end());
    if (next.empty()) throw std::logic_error("routes: no way has the least time");
    layers_.push_back(std::move(next));
  }

  /// Whether a way of as many links as there are layers has exactly the least time: the first one in the
  /// order of nodes goes to `path_`.
  bool leads() {
    Dead dead;
    std::vector<Step> steps{start(origin_, 0.0)};
    path_.clear();
    while (!steps.empty()) {
      const std::size_t left = layers_.size() - steps.size();
      if (left == 0 && steps.back().seconds == least_s_) return true;
      if (left > 0 && goes_on(steps, left, dead)) continue;
      dead.insert({steps.back().node, left, steps.back().seconds});
      steps.pop_back();
      if (!path_.empty()) path_.pop_back();
    }
    return false;
  }

  /// By the next arc of the last step that may still lead there.
  bool goes_on(std::vector<Step>& steps, std::size_t left, const Dead& dead) {
    Step& step = steps.back();
    while (step.next < step.arcs.size()) {
      const auto [node, link] = step.arcs[step.next++];
      const Left* to_go = find(layers_[left - 1], node);
      const double seconds = step.seconds + weight_s_[z(link)];
      if (to_go == nullptr || seconds + to_go->seconds > near_s_) continue;
      if (dead.contains({node, left - 1, seconds})) continue;
      path_.push_back(link);
      steps.push_back(start(node, seconds));
      return true;
    }
    return false;
  }

  [[nodiscard]] Step start(std::int32_t node, double seconds) const {
    Step step{.node = node, .seconds = seconds, .arcs = {}};
    for (auto a = topology_.out.begin[z(node)]; a < topology_.out.begin[z(node) + 1]; ++a)
      step.arcs.emplace_back(topology_.out.node[z(a)], topology_.out.link[z(a)]);
    std::sort(step.arcs.begin(), step.arcs.end());
    return step;
  }

  const network::Topology& topology_;
  const std::vector<double>& weight_s_;
  std::size_t nodes_;
  const double* from_origin_s_;
  std::int32_t origin_;
  double least_s_;
  double near_s_;
  std::vector<Layer> layers_;  // by links left
  Path path_;
};

std::vector<double> weights(const Problem& problem, double bytes) {
  const network::LinkColumns& columns = problem.graph().columns();
  std::vector<double> weight_s(columns.rate_bps.size());
  for (std::size_t a = 0; a < weight_s.size(); ++a) {
    weight_s[a] = columns.latency_s[a] + core::transfer_s(bytes, columns.rate_bps[a]);
    if (weight_s[a] > problem.life_s(static_cast<std::int32_t>(a))) weight_s[a] = kNone;
  }
  return weight_s;
}

}  // namespace

struct Routes::Tables {
  network::Graph graph;
  std::vector<Size> sizes;
  std::vector<std::int32_t> size_of;  // [transfers]

  [[nodiscard]] const Size& size(std::int32_t transfer) const { return sizes[z(size_of[z(transfer)])]; }

  explicit Tables(const Problem& problem) : graph(problem.graph()) {
    std::map<double, std::int32_t> known;
    for (const Transfer& transfer : problem.transfers()) {
      const auto [at, is_new] = known.emplace(transfer.bytes, static_cast<std::int32_t>(sizes.size()));
      if (is_new) {
        sizes.push_back({.bytes = transfer.bytes,
                         .weight_s = weights(problem, transfer.bytes),
                         .row = std::vector<std::int32_t>(z(graph.node_count()), kNoRow)});
      }
      size_of.push_back(at->second);
      const Task& task = problem.tasks()[z(transfer.task)];
      if (transfer.from == kEndpoint) {
        add_origin(sizes[z(at->second)], task.source);
      } else {
        for (const std::int32_t host : problem.services()[z(task.stages[z(transfer.from)].service)].hosts)
          add_origin(sizes[z(at->second)], host);
      }
    }
  }

  static void add_origin(Size& size, std::int32_t node) {
    if (size.row[z(node)] != kNoRow) return;
    size.row[z(node)] = static_cast<std::int32_t>(size.origins.size());
    size.origins.push_back(node);
  }

  void fill(Size& size, network::LeastCosts& search, core::StopToken& stop) const {
    const std::size_t nodes = z(graph.node_count());
    const std::size_t rows = size.origins.size();
    const network::Ways ways(graph.topology().out, size.weight_s);
    size.seconds.resize(rows * nodes);
    for (std::size_t first = 0; first < rows; first += network::LeastCosts::kTogether) {
      const std::size_t some = std::min(network::LeastCosts::kTogether, rows - first);
      search.from({size.origins.data() + first, some}, ways);
      for (std::size_t k = 0; k < some; ++k)
        for (std::size_t v = 0; v < nodes; ++v)
          size.seconds[(first + k) * nodes + v] = search.cost(k, static_cast<std::int32_t>(v));
      if (stop.should_stop(some * (nodes + size.weight_s.size()))) throw core::Stopped();
    }
    for (std::size_t k = 0; k < rows; ++k) size.paths.push_back(std::make_unique<KeptPaths>(nodes));
  }
};

Routes::Routes(const Problem& problem, core::StopToken& stop) {
  const auto made = std::make_shared<Tables>(problem);
  network::LeastCosts search;
  for (Size& size : made->sizes) made->fill(size, search, stop);
  tables_ = made;
}

bool Routes::starts(std::int32_t transfer, std::int32_t origin) const {
  return tables_->size(transfer).row[z(origin)] != kNoRow;
}

std::span<const double> Routes::seconds(std::int32_t transfer, std::int32_t origin) const {
  const Size& size = tables_->size(transfer);
  const std::size_t nodes = size.row.size();
  return {size.seconds.data() + z(size.row[z(origin)]) * nodes, nodes};
}

std::span<const std::int32_t> Routes::links(std::int32_t transfer, std::int32_t origin,
                                            std::int32_t target) const {
  if (origin == target) return {};
  const Size& size = tables_->size(transfer);
  const std::int32_t row = size.row[z(origin)];
  return size.paths[z(row)]->get(
      target, [&] { return RouteSearch(tables_->graph.topology(), size, row, target).links(); });
}

}  // namespace constellm::services
