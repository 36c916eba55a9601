#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace constellm::model {

/// A tensor of an operator graph whose operators run in a line.
struct Tensor {
  double bytes = 0.0;
  std::int64_t produced_at = -1;   ///< position of its operator; -1: an input of the whole graph
  std::int64_t last_used_at = -1;  ///< last position that reads it; `operators`: it is the result
};

/// Every tensor that crosses the cut after each operator, each counted once: those produced at or
/// before position i and read after it. Skip connections thus count at every cut they pass.
/// Throws core::InvalidInput for a position outside [-1, operators].
std::vector<double> crossing_bytes(std::int64_t operators, const std::vector<Tensor>& tensors);

/// An order of the nodes 0 .. count - 1 in which every edge (from, to) points forward; among the
/// nodes that may come next, the smallest. Throws core::InvalidInput for a cycle or a bad node.
std::vector<std::int64_t> topological_order(std::int64_t count,
                                            const std::vector<std::pair<std::int64_t, std::int64_t>>& edges);

}  // namespace constellm::model
