#include "constellm/model/graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <string>

#include "constellm/core/error.hpp"

namespace constellm::model {
namespace {

void require_within(const std::string& where, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  core::throw_out_of_range(where, static_cast<double>(value),
                           "[" + std::to_string(low) + ", " + std::to_string(high) + "]");
}

}  // namespace

std::vector<double> crossing_bytes(std::int64_t operators, const std::vector<Tensor>& tensors) {
  require_within("operators", operators, 1, 10'000'000);
  std::vector<double> bytes(static_cast<std::size_t>(operators), 0.0);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const Tensor& tensor = tensors[t];
    const std::string where = "tensors[" + std::to_string(t) + "].";
    core::require_non_negative(where + "bytes", tensor.bytes);
    require_within(where + "produced_at", tensor.produced_at, -1, operators - 1);
    require_within(where + "last_used_at", tensor.last_used_at, -1, operators);
    for (std::int64_t i = std::max<std::int64_t>(tensor.produced_at, 0); i < tensor.last_used_at; ++i) {
      bytes[static_cast<std::size_t>(i)] += tensor.bytes;
    }
  }
  return bytes;
}

std::vector<std::int64_t> topological_order(std::int64_t count,
                                            const std::vector<std::pair<std::int64_t, std::int64_t>>& edges) {
  require_within("count", count, 0, 10'000'000);
  const auto nodes = static_cast<std::size_t>(count);
  std::vector<std::vector<std::int64_t>> successors(nodes);
  std::vector<std::int64_t> missing(nodes, 0);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const auto [from, to] = edges[e];
    const std::string where = "edges[" + std::to_string(e) + "]";
    require_within(where, from, 0, count - 1);
    require_within(where, to, 0, count - 1);
    successors[static_cast<std::size_t>(from)].push_back(to);
    ++missing[static_cast<std::size_t>(to)];
  }
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> ready;
  for (std::int64_t node = 0; node < count; ++node) {
    if (missing[static_cast<std::size_t>(node)] == 0) ready.push(node);
  }
  std::vector<std::int64_t> order;
  order.reserve(nodes);
  while (!ready.empty()) {
    const std::int64_t node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const std::int64_t next : successors[static_cast<std::size_t>(node)]) {
      if (--missing[static_cast<std::size_t>(next)] == 0) ready.push(next);
    }
  }
  if (order.size() != nodes) {
    throw core::InvalidInput("edges: " + std::to_string(nodes - order.size()) +
                             " nodes lie on or behind a cycle");
  }
  return order;
}

}  // namespace constellm::model
