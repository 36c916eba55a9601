#pragma once
#include <memory>
#include <span>
#include <string>

#include "constellm/core/error.hpp"
#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/motion.hpp"
#include "constellm/orbit/windows.hpp"

namespace constellm::orbit {

/// Throws core::InvalidInput where motions are not those of the layout's satellites, or do not know the span.
inline void check_known(const Layout& layout, std::span<const std::shared_ptr<const Motion>> motions,
                        double from_s, double to_s) {
  std::size_t satellites = 0;
  for (const auto& motion : motions) {
    satellites += motion->satellites();
    if (motion->from_s() <= from_s && to_s <= motion->to_s()) continue;
    throw core::InvalidInput("motions: states are known in [" + core::to_text(motion->from_s()) + ", " +
                             core::to_text(motion->to_s()) + "] s, links are asked for in [" +
                             core::to_text(from_s) + ", " + core::to_text(to_s) + "] s");
  }
  if (satellites != static_cast<std::size_t>(layout.satellites())) {
    throw core::InvalidInput("motions: they have " + std::to_string(satellites) + " satellites of " +
                             std::to_string(layout.satellites()));
  }
}

/// Throws core::InvalidInput where it takes too long to follow who is near whom.
inline void check_nearest(const Layout& layout, const LinkRule& rule, const std::string& where,
                          double span_s) {
  if (rule.pattern != Pattern::nearest) return;
  const Layout::Range range = layout.satellites_of(rule);
  if (static_cast<double>(range.end - range.first) * span_s <= kMostSatelliteSeconds) return;
  throw core::InvalidInput(where + "pattern: 'nearest' of " + std::to_string(range.end - range.first) +
                           " satellites over " + core::to_text(span_s) +
                           " s is more than 2e8 satellite seconds; ask for a shorter span");
}

}  // namespace constellm::orbit
