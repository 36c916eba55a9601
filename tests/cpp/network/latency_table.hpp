#pragma once
#include <cstdint>
#include <vector>

#include "constellm/network/routing.hpp"

namespace constellm::tests {

/// Memory for a table of latencies.
struct LatencyTable {
  explicit LatencyTable(std::size_t cells) : latency_s(cells), hops(cells) {}
  [[nodiscard]] network::Latencies table() { return {.latency_s = latency_s, .hops = hops}; }

  bool operator==(const LatencyTable&) const = default;

  std::vector<double> latency_s;
  std::vector<std::int32_t> hops;
};

}  // namespace constellm::tests
