#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "constellm/core/fields.hpp"
#include "constellm/orbit/elements.hpp"

namespace constellm::orbit {

/// How satellites move: Kepler's ellipse, the same with the secular drift by J2, or SGP4.
enum class Propagator { j2, two_body, sgp4 };

constexpr std::array<std::string_view, 3> words(Propagator) { return {"j2", "two-body", "sgp4"}; }

/// Evenly spaced satellites on evenly spaced planes of one shape.
struct Shell {
  std::string name;
  std::int64_t planes = 0;
  std::int64_t satellites_per_plane = 0;
  std::optional<double> altitude_m;
  std::optional<double> mean_motion_rev_per_day;
  double inclination_deg = 0.0;
  double raan_spread_deg = 360.0;
  double raan0_deg = 0.0;
  double phasing = 0.0;
  std::optional<std::vector<double>> plane_phase_deg;
  double eccentricity = 0.0;
  double argument_of_perigee_deg = 0.0;
  Propagator propagator = Propagator::j2;

  bool operator==(const Shell&) const = default;
  [[nodiscard]] std::int64_t satellites() const { return planes * satellites_per_plane; }
  [[nodiscard]] double semi_major_axis_m() const;
};

/// Far more than fly: a shell of millions is a slip, and its states at a few times would fill the memory.
inline constexpr std::int64_t kMostSatellites = 100'000;

inline constexpr core::Range kPlaneCount{.least = 1.0, .most = kMostSatellites, .text = "[1, 100000]"};
inline constexpr core::Range kHalfTurn{.least = 0.0, .most = 180.0, .text = "[0, 180]"};
inline constexpr core::Range kWholeTurn{.least = 0.0, .most = 360.0, .text = "[0, 360]"};
inline constexpr core::Range kAnyTurn{.least = -360.0, .most = 360.0, .text = "[-360, 360]"};
inline constexpr core::Range kEccentricity{.least = 0.0, .most = 0x1.fffffffffffffp-1, .text = "[0, 1)"};

constexpr auto fields(const Shell*) {
  using core::optional;
  using core::required;
  return core::record(
             "Shell",
             "Satellites evenly spaced on planes of one shape. It has an altitude or a mean motion, which "
             "tell each\nother; both are taken where they agree to 1e-9. At most 100,000 satellites.",
             required("name", &Shell::name, "begins the ids of its satellites, <name>/<plane>/<index>")
                 .as_name()
                 .not_empty(),
             required("planes", &Shell::planes, "number of orbital planes", "", kPlaneCount),
             required("satellites_per_plane", &Shell::satellites_per_plane, "number of each plane", "",
                      kPlaneCount),
             optional("altitude_m", &Shell::altitude_m,
                      "of the semi-major axis above the equatorial radius, 6,378,137 m", "m",
                      core::kNonNegative)
                 .left_out_if_none(),
             optional("mean_motion_rev_per_day", &Shell::mean_motion_rev_per_day,
                      "revolutions in 86,400 s of the orbit about a point mass", "rev/day", core::kPositive)
                 .left_out_if_none(),
             required("inclination_deg", &Shell::inclination_deg, "to the equator", "deg", kHalfTurn),
             optional("raan_spread_deg", &Shell::raan_spread_deg,
                      "plane p ascends at raan0_deg + p · spread / planes; 180 for a star", "deg",
                      kWholeTurn),
             optional("raan0_deg", &Shell::raan0_deg, "right ascension of plane 0's ascending node", "deg",
                      kAnyTurn),
             optional("phasing", &Shell::phasing,
                      "Walker's F: plane p is p · F · 360 / (planes · satellites_per_plane) degrees ahead"),
             optional("plane_phase_deg", &Shell::plane_phase_deg,
                      "how far each plane is ahead, in place of what F says [planes]", "deg", kAnyTurn)
                 .left_out_if_none(),
             optional("eccentricity", &Shell::eccentricity, "of the ellipse", "", kEccentricity),
             optional("argument_of_perigee_deg", &Shell::argument_of_perigee_deg,
                      "from the ascending node, along the motion", "deg", kAnyTurn),
             optional("propagator", &Shell::propagator, "'j2', 'two-body' or 'sgp4'"))
      .with_example(
          "clm.orbit.Shell(name='s', planes=6, satellites_per_plane=11, altitude_m=780e3, "
          "inclination_deg=86.4)");
}

void validate(const Shell& shell, const core::Place& where);

/// Those of its satellites at the epoch, plane by plane. [satellites]
Elements elements(const Shell& shell);

/// `<name>/<plane>/<index>`. [satellites]
std::vector<std::string> ids(const Shell& shell);

/// Of the ellipse with this mean motion about a point mass: a = (mu / n^2)^(1/3).
double semi_major_axis_m(double mean_motion_rev_per_day);

}  // namespace constellm::orbit
