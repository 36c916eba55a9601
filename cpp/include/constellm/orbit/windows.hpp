#pragma once
#include <cstdint>
#include <memory>
#include <optional>
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

/// A stretch of time; times count from an epoch. With `slot_s` it has slots, of which number n begins at
/// start_s + n * slot_s, and links that survive by chance are drawn for them.
struct Span {
  core::Epoch epoch;
  double start_s = 0.0;
  double stop_s = 0.0;
  std::optional<double> slot_s;
};

/// Slots of a span, and satellites times seconds of a rule 'nearest', which take minutes.
inline constexpr double kMostSlots = 1e7;
inline constexpr double kMostSatelliteSeconds = 2e8;

/// The shortest window or gap that is surely found.
inline constexpr double kShortestWindow_s = 1e-4;

/// When the links of the rules exist, clipped to the span; each pair has both directions. The satellites are
/// those of the motions, one after the other. Openings and closings are met to 1e-5 s where the conditions
/// cross their limits; no window or gap of kShortestWindow_s is missed, since between two looks every
/// condition is bounded by what the motions' bounds allow it. Where rules make links of one pair, each moment
/// belongs to the first whose conditions hold. A link is there once its conditions have held for as long as
/// its rule takes to acquire it, be that before the span; losses by schedule break that, draws and gaps
/// of less than kShortestWindow_s do not. The
/// result does not depend on `threads`. Throws core::InvalidInput for rules that limit a satellite's links,
/// which are a choice at an instant; for survival below 1 in a span without slots, for too many of them, and
/// for too many nearest; where a motion does not know the span and what is before it; and core::Stopped.
Windows windows(const Layout& layout, std::span<const LinkRule> rules, std::span<const Horizon> stations,
                std::span<const std::shared_ptr<const Motion>> motions, const Outages& outages,
                const Span& span, int threads, core::StopToken& stop);

}  // namespace constellm::orbit
