#pragma once
#include <cstddef>
#include <vector>

namespace constellm::orbit {

/// Mean Keplerian elements of satellites at an epoch, as columns [satellites], in the frame TEME.
struct Elements {
  std::vector<double> semi_major_axis_m;
  std::vector<double> eccentricity;
  std::vector<double> inclination_rad;
  std::vector<double> raan_rad;
  std::vector<double> argument_of_perigee_rad;
  std::vector<double> mean_anomaly_rad;

  bool operator==(const Elements&) const = default;
  [[nodiscard]] std::size_t size() const { return semi_major_axis_m.size(); }
  void resize(std::size_t satellites);
};

/// Throws core::InvalidInput for columns of unequal lengths and for what is no closed orbit.
void validate(const Elements& elements);

}  // namespace constellm::orbit
