#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "constellm/core/fields.hpp"
#include "constellm/orbit/link_budget.hpp"

namespace constellm::orbit {

/// Between whom a rule makes links: satellites and their neighbours in a grid of planes, neighbours in the
/// plane alone, the nearest, all in sight; or stations and the satellites that they see.
enum class Pattern { plus_grid, ring, nearest, all, ground };

constexpr std::array<std::string_view, 5> words(Pattern) {
  return {"plus-grid", "ring", "nearest", "all", "ground"};
}

/// Whether the last plane of a shell is beside the first one.
enum class Seam { closed, open };

constexpr std::array<std::string_view, 2> words(Seam) { return {"closed", "open"}; }

/// One of the rules that say which links a constellation has.
struct LinkRule {
  Pattern pattern = Pattern::plus_grid;
  std::optional<std::string> shell;
  std::optional<Seam> seam;
  std::optional<std::int64_t> shift;
  std::optional<std::int64_t> count;
  std::optional<std::int64_t> max_links;
  std::optional<double> max_range_m;
  std::optional<double> grazing_altitude_m;
  std::optional<double> max_latitude_deg;
  std::optional<double> max_angular_rate_rad_per_s;
  std::optional<double> max_range_rate_m_per_s;
  std::optional<double> acquisition_s;
  std::optional<double> rate_bps;
  std::optional<LinkBudget> budget;
  double overhead_s = 0.0;
  double survival = 1.0;
  std::int64_t seed = 0;

  bool operator==(const LinkRule&) const = default;
};

/// How long the conditions of a rule have to hold before its links are there.
inline double acquisition_s(const LinkRule& rule) { return rule.acquisition_s.value_or(0.0); }

/// Where a rule for pairs of satellites says nothing else, their line of sight stays above this height: the
/// dense air below bends and dims a laser's beam.
inline constexpr double kGrazingAltitude_m = 80'000.0;

/// Where a rule has no link budget either.
inline constexpr double kRate_bps = 1e9;

inline constexpr core::Range kIndexShift{.least = -1e5, .most = 1e5, .text = "[-100000, 100000]"};
inline constexpr core::Range kNeighbours{.least = 1.0, .most = 1e5, .text = "[1, 100000]"};
inline constexpr core::Range kGrazing{
    .least = -6'378'137.0, .most = core::kLargest, .text = "[-6378137, inf)"};
inline constexpr core::Range kQuarterTurn{.least = 0.0, .most = 90.0, .text = "[0, 90]"};
inline constexpr core::Range kShare{.least = 0.0, .most = 1.0, .text = "[0, 1]"};
inline constexpr core::Range kTurns{.least = 0.0, .most = 1e6, .without_least = true, .text = "(0, 1e6]"};
inline constexpr core::Range kSeed{.least = 0.0, .most = 0x1p63, .text = "[0, 2^63)"};

constexpr auto fields(const LinkRule*) {
  using core::optional;
  using core::required;
  return core::record(
             "LinkRule",
             "Which links there are. 'plus-grid': of each satellite of a shell with the next one of its "
             "plane "
             "and one of\nthe next plane; 'ring': with the next one of its plane; 'nearest': of two that are "
             "among the `count`\nnearest of each other; 'all': of all that see each other; 'ground': of a "
             "station with what it sees. Links\ngo both ways. A key that means nothing for the pattern is "
             "refused.",
             required("pattern", &LinkRule::pattern, "'plus-grid', 'ring', 'nearest', 'all' or 'ground'"),
             optional("shell", &LinkRule::shell,
                      "whose satellites; 'plus-grid' and 'ring' need one, else None means every satellite")
                 .as_name()
                 .left_out_if_none(),
             optional("seam", &LinkRule::seam,
                      "'closed' (None): the last plane has links with the first; 'open': it has none")
                 .left_out_if_none(),
             optional("shift", &LinkRule::shift,
                      "satellite k has a link with k + shift of the next plane; None: 0", "", kIndexShift)
                 .left_out_if_none(),
             optional("count", &LinkRule::count,
                      "how many nearest satellites each one asks for; both have to ask", "", kNeighbours)
                 .left_out_if_none(),
             optional("max_links", &LinkRule::max_links,
                      "at most so many links of this rule a satellite; there are as many as can be, short "
                      "ones taken "
                      "first; None: no limit",
                      "", kNeighbours)
                 .left_out_if_none(),
             optional("max_range_m", &LinkRule::max_range_m, "longest link", "m", core::kPositive)
                 .left_out_if_none(),
             optional("grazing_altitude_m", &LinkRule::grazing_altitude_m,
                      "least height of the line between satellites above the equatorial radius; None: 80 km",
                      "m", kGrazing)
                 .left_out_if_none(),
             optional("max_latitude_deg", &LinkRule::max_latitude_deg,
                      "no links between planes where an end is farther from the equator, seen from the "
                      "Earth's centre",
                      "deg", kQuarterTurn)
                 .left_out_if_none(),
             optional("max_angular_rate_rad_per_s", &LinkRule::max_angular_rate_rad_per_s,
                      "fastest turn of the line of sight in the inertial frame", "rad/s", kTurns)
                 .left_out_if_none(),
             optional(
                 "max_range_rate_m_per_s", &LinkRule::max_range_rate_m_per_s,
                 "fastest change of the range, nearer or farther: c times the shift of a carrier in parts "
                 "of its frequency",
                 "m/s", core::kPositive)
                 .left_out_if_none(),
             optional("acquisition_s", &LinkRule::acquisition_s,
                      "how long all of that must have held before a link carries anything; None: 0", "s",
                      core::kNonNegative)
                 .left_out_if_none(),
             optional("rate_bps", &LinkRule::rate_bps,
                      "bits that a link carries in a second; None: what the budget gives, without one 1e9",
                      "bit/s", core::kPositive)
                 .left_out_if_none(),
             optional("budget", &LinkRule::budget, "what gives the rate by the range, in place of `rate_bps`")
                 .left_out_if_none(),
             optional("overhead_s", &LinkRule::overhead_s, "added to the light's time", "s",
                      core::kNonNegative),
             optional("survival", &LinkRule::survival,
                      "probability that a link works in a slot, both ways or neither", "", kShare),
             optional("seed", &LinkRule::seed, "of those draws", "", kSeed))
      .with_example("clm.orbit.LinkRule(pattern='plus-grid', shell='starlink-550', max_range_m=5e6)");
}

/// Also refuses a key that means nothing for the pattern, and asks for those that it needs.
void validate(const LinkRule& rule, const core::Place& where);

/// Whether a rule is about pairs of satellites.
inline bool between_satellites(const LinkRule& rule) { return rule.pattern != Pattern::ground; }

/// The longest link that the rule's range limit and its budget allow; infinite where neither does.
double longest_m(const LinkRule& rule);

/// Of a link of this range.
double rate_bps(const LinkRule& rule, double range_m);

/// Whether the link of two nodes works in a slot: drawn by a hash of the rule's seed, the slot and the pair,
/// whichever of them comes first, so that no draw depends on what else is drawn.
bool survives(const LinkRule& rule, std::int64_t slot, std::int32_t a, std::int32_t b);

}  // namespace constellm::orbit
