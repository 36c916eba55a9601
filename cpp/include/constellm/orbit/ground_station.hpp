#pragma once
#include <Eigen/Core>
#include <optional>
#include <string>

#include "constellm/core/fields.hpp"
#include "constellm/orbit/frames.hpp"

namespace constellm::orbit {

/// A place on the Earth that has links with the satellites that it sees.
struct GroundStation {
  std::string id;
  double latitude_deg = 0.0;
  double longitude_deg = 0.0;
  double altitude_m = 0.0;
  double min_elevation_deg = 25.0;
  std::optional<double> max_range_m;

  bool operator==(const GroundStation&) const = default;
};

inline constexpr core::Range kLatitude{.least = -90.0, .most = 90.0, .text = "[-90, 90]"};
inline constexpr core::Range kLongitude{.least = -360.0, .most = 360.0, .text = "[-360, 360]"};
inline constexpr core::Range kElevation = kLatitude;
inline constexpr core::Range kStationAltitude{.least = -1e5, .most = 1e5, .text = "[-1e5, 1e5]"};

constexpr auto fields(const GroundStation*) {
  using core::optional;
  using core::required;
  return core::record(
             "Station",
             "A place on the Earth. It sees a satellite that stands high enough and is near enough.",
             required("id", &GroundStation::id, "unique in its constellation").as_name().not_empty(),
             required("latitude_deg", &GroundStation::latitude_deg, "geodetic, WGS 84", "deg", kLatitude),
             required("longitude_deg", &GroundStation::longitude_deg, "to the east", "deg", kLongitude),
             optional("altitude_m", &GroundStation::altitude_m, "above the ellipsoid", "m", kStationAltitude),
             optional("min_elevation_deg", &GroundStation::min_elevation_deg,
                      "least angle of a satellite above the plane that the ellipsoid's normal stands on",
                      "deg", kElevation),
             optional("max_range_m", &GroundStation::max_range_m, "farthest satellite; None: any", "m",
                      core::kPositive)
                 .left_out_if_none())
      .with_example("clm.orbit.Station(id='Svalbard', latitude_deg=78.2, longitude_deg=15.4)");
}

/// What a station's links depend on, in ECEF; its limits with room for rounding.
struct Horizon {
  explicit Horizon(const GroundStation& station);

  Eigen::Vector3d position_m;
  Eigen::Vector3d up;  ///< the ellipsoid's normal, of length 1
  double sin_mask = 0.0;
  double max_range_m = 0.0;  ///< infinite where any will do
};

}  // namespace constellm::orbit
