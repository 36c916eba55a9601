#include "constellm/flow/instance.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/index.hpp"
#include "constellm/core/units.hpp"
#include "constellm/flow/exact_sum.hpp"

namespace constellm::flow {

using core::z;

Instance::Instance(const Problem& problem)
    : nodes(static_cast<std::int32_t>(problem.node_count())),
      has_sinks(problem.has_sinks()),
      is_sink(z(nodes), 0),
      supply_bytes(problem.amounts().supply_bytes),
      storage_bytes(problem.amounts().storage_bytes),
      demand_bytes(problem.amounts().demand_bytes),
      is_done(true) {
  ExactSum supply;
  ExactSum left;
  for (std::int32_t v = 0; v < nodes; ++v) {
    double& bytes = supply_bytes[z(v)];
    if (problem.is_sink(v)) {
      is_sink[z(v)] = 1;
      bytes = 0.0;
    } else if (!has_sinks && std::isinf(storage_bytes[z(v)])) {
      bytes = std::min(bytes, problem.wanted_bytes());
    }
    supply.add(bytes);
    left.add(bytes);
    left.add(-demand_bytes[z(v)]);
    is_done = is_done && (has_sinks ? bytes == 0.0 : bytes >= demand_bytes[z(v)]);
  }
  total_bytes = supply.value();
  left_bytes = has_sinks ? 0.0 : std::max(left.value(), 0.0);
  const network::ContactColumns& contacts = problem.contacts().columns();
  moments_s.push_back(0.0);
  for (std::size_t c = 0; c < contacts.from.size(); ++c) {
    if (!(contacts.open_s[c] < contacts.close_s[c]) || problem.is_sink(contacts.from[c])) continue;
    channels.push_back({static_cast<std::int32_t>(c), contacts.from[c], contacts.to[c], contacts.open_s[c],
                        contacts.close_s[c], contacts.rate_bps[c] / core::kBitsPerByte});
    moments_s.push_back(contacts.open_s[c]);
    if (std::isfinite(contacts.close_s[c])) moments_s.push_back(contacts.close_s[c]);
  }
  std::sort(moments_s.begin(), moments_s.end());
  moments_s.erase(std::unique(moments_s.begin(), moments_s.end()), moments_s.end());
}

}  // namespace constellm::flow
