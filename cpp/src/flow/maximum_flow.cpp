#include "constellm/flow/maximum_flow.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "constellm/core/error.hpp"
#include "constellm/flow/push_relabel.hpp"

namespace constellm::flow {
namespace {

using core::InvalidInput;

void check(const Arcs& arcs, std::int32_t source, std::int32_t target) {
  if (arcs.to.size() != arcs.size() || arcs.capacity.size() != arcs.size()) {
    throw InvalidInput("from_, to, capacity: " + std::to_string(arcs.size()) + ", " +
                       std::to_string(arcs.to.size()) + " and " + std::to_string(arcs.capacity.size()) +
                       " entries are not as many");
  }
  if (arcs.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()) / 2)
    throw InvalidInput("from_: " + std::to_string(arcs.size()) + " arcs are not in [0, 2^30)");
  std::int64_t sum = 0;
  for (std::size_t a = 0; a < arcs.size(); ++a) {
    const std::int64_t capacity = arcs.capacity[a];
    if (capacity < 0 || capacity >= kMostCapacity - sum) {
      throw InvalidInput("capacity[" + std::to_string(a) + "]: " + std::to_string(capacity) +
                         " is not in [0, " + std::to_string(kMostCapacity - sum) +
                         "): all add up to less than 2^62");
    }
    sum += capacity;
  }
  for (const auto& [name, node] : {std::pair("source", source), std::pair("target", target)})
    if (node < 0) throw InvalidInput(std::string(name) + ": " + std::to_string(node) + " is not in [0, inf)");
  if (source == target) throw InvalidInput("target: " + std::to_string(target) + " is the source");
}

}  // namespace

MaximumFlow maximum_flow(const Arcs& arcs, std::int32_t source, std::int32_t target, core::StopToken& stop) {
  check(arcs, source, target);
  std::int32_t last = std::max(source, target);
  for (const auto* ends : {&arcs.from, &arcs.to})
    for (const std::int32_t node : *ends) last = std::max(last, node);
  PushRelabel engine(last + 1, arcs, source, target);
  MaximumFlow found;
  found.value = engine.find_value(stop);
  found.on_source_side = engine.on_source_side();
  engine.find_flow();
  found.flow.resize(arcs.size());
  for (std::size_t a = 0; a < arcs.size(); ++a) found.flow[a] = engine.flow(a);
  return found;
}

}  // namespace constellm::flow
