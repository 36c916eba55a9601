#include "constellm/flow/units.hpp"

#include <algorithm>

namespace constellm::flow {

Units::Units(const Instance& instance) : per_byte_(0x1p60 / instance.total_bytes) {
  std::int64_t wanted = 0;
  for (const double bytes : instance.supply_bytes) total_ += of(bytes);
  for (const double bytes : instance.demand_bytes) wanted += of(bytes);
  left_ = instance.has_sinks ? 0 : std::max<std::int64_t>(total_ - wanted, 0);
}

std::int64_t Units::of(double bytes) const {
  const double units = bytes * per_byte_;
  return units < static_cast<double>(kUnlimited) ? static_cast<std::int64_t>(units) : kUnlimited;
}

}  // namespace constellm::flow
