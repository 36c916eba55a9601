#include "constellm/orbit/elements.hpp"

#include <numbers>
#include <string>

#include "constellm/core/fields.hpp"

namespace constellm::orbit {
namespace {

constexpr core::Range kInclination{.least = 0.0, .most = std::numbers::pi, .text = "[0, pi]"};
constexpr core::Range kEccentricity{.least = 0.0, .most = 0x1.fffffffffffffp-1, .text = "[0, 1)"};

}  // namespace

void Elements::resize(std::size_t satellites) {
  for (auto* column : {&semi_major_axis_m, &eccentricity, &inclination_rad, &raan_rad,
                       &argument_of_perigee_rad, &mean_anomaly_rad})
    column->resize(satellites);
}

void validate(const Elements& elements) {
  const auto check = [&](const char* name, const std::vector<double>& column, const core::Range& range) {
    if (column.size() != elements.size()) {
      throw core::InvalidInput(std::string(name) + ": " + std::to_string(column.size()) + " for " +
                               std::to_string(elements.size()) + " satellites");
    }
    core::check_range("", name, range, column);
  };
  check("semi_major_axis_m", elements.semi_major_axis_m, core::kPositive);
  check("eccentricity", elements.eccentricity, kEccentricity);
  check("inclination_rad", elements.inclination_rad, kInclination);
  check("raan_rad", elements.raan_rad, core::kReal);
  check("argument_of_perigee_rad", elements.argument_of_perigee_rad, core::kReal);
  check("mean_anomaly_rad", elements.mean_anomaly_rad, core::kReal);
}

}  // namespace constellm::orbit
