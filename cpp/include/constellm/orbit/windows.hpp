#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "constellm/core/epoch.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/orbit/layout.hpp"
#include "constellm/orbit/motion.hpp"
#include "constellm/orbit/outages.hpp"

namespace constellm::orbit {

/// When links exist, a column a figure; in the order of opening, then of sender and receiver. [windows] each
struct Windows {
  std::vector<std::int32_t> from;
  std::vector<std::int32_t> to;
  std::vector<std::int32_t> rule;
  std::vector<double> open_s;
  std::vector<double> close_s;
  std::vector<double> range_m;   ///< at the middle
  std::vector<double> rate_bps;  ///< at that range
  std::vector<double> overhead_s;
};

/// A stretch of time; times count from an epoch.
struct Span {
  core::Epoch epoch;
  double start_s = 0.0;
  double stop_s = 0.0;
};

/// The shortest window or gap that is surely found.
inline constexpr double kShortestWindow_s = 1e-4;

/// When the links of the rules exist, clipped to the span; each pair has both directions. The satellites are
/// those of the motions, one after the other. Openings and closings are met to 1e-5 s where the conditions
/// cross their limits; no window or gap of kShortestWindow_s is missed, since between two looks every
/// condition is bounded by what the motions' bounds allow it. Where rules make links of one pair, each moment
/// belongs to the first whose conditions hold. What is lost has no windows. The result does not
/// depend on `threads`. Throws core::InvalidInput for rules 'nearest' and those that limit a satellite's
/// links, which have no fixed pairs, and for survival below 1, which is drawn for slots; where a motion does
/// not know the span; and core::Stopped.
Windows windows(const Layout& layout, std::span<const LinkRule> rules, std::span<const Horizon> stations,
                std::span<const std::shared_ptr<const Motion>> motions, const Outages& outages,
                const Span& span, int threads, core::StopToken& stop);

}  // namespace constellm::orbit
