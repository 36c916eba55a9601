#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "constellm/flow/problem.hpp"

namespace constellm::tests {

inline constexpr double kInf = std::numeric_limits<double>::infinity();

struct Contact {
  std::int32_t from;
  std::int32_t to;
  double open_s;
  double close_s;
  double bytes_per_s;
};

/// Nodes without a limit of storage, where none is given.
inline flow::Problem problem_of(const std::vector<Contact>& contacts, std::vector<double> supply_bytes,
                                std::vector<double> demand_bytes, std::vector<std::int32_t> sinks,
                                std::vector<double> storage_bytes = {}) {
  std::vector<network::Node> nodes(supply_bytes.size());
  for (std::size_t v = 0; v < nodes.size(); ++v) nodes[v].id = "n" + std::to_string(v);
  network::ContactColumns columns;
  for (const Contact& c : contacts) {
    columns.from.push_back(c.from);
    columns.to.push_back(c.to);
    columns.open_s.push_back(c.open_s);
    columns.close_s.push_back(c.close_s);
    columns.rate_bps.push_back(8.0 * c.bytes_per_s);
    columns.owlt_s.push_back(0.0);
  }
  if (storage_bytes.empty()) storage_bytes.assign(nodes.size(), kInf);
  return {network::ContactPlan(std::make_shared<network::NodeTable>(std::move(nodes)), std::move(columns)),
          {std::move(supply_bytes), std::move(storage_bytes), std::move(demand_bytes), std::move(sinks)}};
}

}  // namespace constellm::tests
