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

/// Links at one instant, a column a figure. Each pair has both directions; in the order of sender, then of
/// receiver. [links] each
struct Links {
  std::vector<std::int32_t> from;
  std::vector<std::int32_t> to;
  std::vector<std::int32_t> rule;  ///< position of the one that made it
  std::vector<double> range_m;
  std::vector<double> latency_s;  ///< of light over the range, and the overhead of the rule
  std::vector<double> rate_bps;   ///< at that range
  /// Satellites that no rule links with the station, and one would but for what is named. [stations] each
  std::vector<std::int32_t> below_mask;
  std::vector<std::int32_t> out_of_range;
};

/// How satellites came to where they are at an instant: of Layout's, one motion after the other.
struct Past {
  std::span<const std::shared_ptr<const Motion>> motions;
  Outages outages;
  core::Epoch epoch;
  double time_s = 0.0;  ///< of the instant, since the epoch
};

/// What is where at one instant.
struct Instant {
  std::span<const double> position_teme_m;  ///< [satellites][3]; one with a NaN has no links
  std::span<const double> velocity_teme_m_per_s;
  double gmst_rad = 0.0;
  std::int64_t slot = 0;  ///< the one that links are drawn for, where they survive by chance
  /// Pairs without a link, and nodes that are lost as pairs of one with itself; in rising order.
  std::span<const Pair> lost = {};
  std::optional<Past> past = {};  ///< must be there for rules that take time to acquire a link
};

/// The links that the rules make. Conditions cut links and add none: each of the nearest is asked for before
/// its line of sight is looked at. Where rules make links of one pair, the first has it of those whose
/// conditions all hold, and have held for as long as it takes to acquire a link. A rule that limits the links
/// of a satellite chooses among the pairs that are left, as most_links does, the shortest first. A satellite
/// that is lost is as one without a position. Throws core::InvalidInput for a rule about an unknown shell and
/// for a past that is missing or too short, and core::Stopped.
Links links_at(const Layout& layout, std::span<const LinkRule> rules, std::span<const Horizon> stations,
               const Instant& instant, core::StopToken& stop);

}  // namespace constellm::orbit
