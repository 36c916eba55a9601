#include <Eigen/Geometry>
#include <cmath>
#include <numbers>

#include "catch.hpp"
#include "constellm/core/constants.hpp"
#include "constellm/core/error.hpp"
#include "constellm/orbit/angles.hpp"
#include "constellm/orbit/kepler.hpp"
#include "constellm/orbit/propagate.hpp"
#include "random.hpp"

using namespace constellm;
using orbit::kTurn_rad;

namespace {

std::vector<double> states(const orbit::Elements& elements, const std::vector<double>& time_s,
                           orbit::Propagator propagator, int threads,
                           std::vector<double>* velocity = nullptr) {
  std::vector<double> position(3 * elements.size() * time_s.size());
  std::vector<double> speed(position.size());
  core::StopToken stop;
  orbit::propagate(elements, time_s, propagator, position, speed, threads, stop);
  if (velocity != nullptr) *velocity = speed;
  return position;
}

orbit::Elements random_elements(std::uint64_t seed, std::size_t satellites) {
  tests::Random random(seed);
  orbit::Elements elements;
  elements.resize(satellites);
  for (std::size_t s = 0; s < satellites; ++s) {
    elements.semi_major_axis_m[s] = random.uniform(6.6e6, 5e7);
    elements.eccentricity[s] = random.chance(0.2) ? 0.0 : random.uniform(0.0, 0.95);
    elements.inclination_rad[s] = random.chance(0.1)   ? 0.0
                                  : random.chance(0.1) ? std::numbers::pi
                                                       : random.uniform(0.0, std::numbers::pi);
    elements.raan_rad[s] = random.uniform(0.0, kTurn_rad);
    elements.argument_of_perigee_rad[s] = random.uniform(0.0, kTurn_rad);
    elements.mean_anomaly_rad[s] = random.uniform(-kTurn_rad, kTurn_rad);
  }
  return elements;
}

}  // namespace

TEST_CASE("Sine and cosine of turns to the last places", "[orbit]") {
  tests::Random random(2);
  double worst = 0.0;
  for (int i = 0; i < 200'000; ++i) {
    const double turns = random.uniform(-0.5, 0.5);
    const orbit::SinCos found = orbit::sincos_of_turns(turns);
    const auto angle = 2.0L * std::numbers::pi_v<long double> * static_cast<long double>(turns);
    worst =
        std::max(worst, static_cast<double>(std::abs(std::sin(angle) - static_cast<long double>(found.sin))));
    worst =
        std::max(worst, static_cast<double>(std::abs(std::cos(angle) - static_cast<long double>(found.cos))));
  }
  CHECK(worst < 4e-16);
  CHECK(orbit::sincos_of_turns(0.0).cos == 1.0);
  CHECK(orbit::sincos_of_turns(0.5).cos == -1.0);
}

TEST_CASE("Kepler's equation holds to the last places for any eccentricity", "[orbit]") {
  tests::Random random(3);
  for (int i = 0; i < 100'000; ++i) {
    const double e =
        random.chance(0.3) ? 1.0 - std::pow(10.0, random.uniform(-15.0, -1.0)) : random.uniform(0.0, 1.0);
    // From an anomaly to its mean, in more digits, and back.
    const double anomaly =
        random.chance(0.5) ? std::pow(10.0, random.uniform(-8.0, 0.4)) : random.uniform(0.0, 3.14);
    const auto exact = static_cast<long double>(anomaly);
    const long double le = e;
    const auto mean = static_cast<double>(exact - le * std::sin(exact));
    // What the rounding of the mean anomaly alone does to E.
    const double slope = (1.0 - e) + 2.0 * e * std::pow(std::sin(0.5 * anomaly), 2);
    const double rounding = (2.2e-16 * mean + 1.1e-19 * anomaly) / slope;
    INFO("e " << e << " E " << anomaly);
    CHECK(std::abs(orbit::eccentric_anomaly_rad(mean, e) - anomaly) <= 2.0 * rounding + 1e-15 * anomaly);
    CHECK(orbit::eccentric_anomaly_rad(-mean, e) == -orbit::eccentric_anomaly_rad(mean, e));
  }
  CHECK(orbit::eccentric_anomaly_rad(0.0, 0.7) == 0.0);
  CHECK(orbit::eccentric_anomaly_rad(10.0 * kTurn_rad, 0.7) == Approx(10.0 * kTurn_rad).epsilon(1e-15));
}

TEST_CASE("States lead back to their elements, and elements to their states", "[orbit]") {
  const orbit::Elements elements = random_elements(4, 10'000);
  std::vector<double> velocity;
  const std::vector<double> position = states(elements, {0.0}, orbit::Propagator::two_body, 1, &velocity);
  for (std::size_t s = 0; s < elements.size(); ++s) {
    const Eigen::Map<const Eigen::Vector3d> r(position.data() + 3 * s);
    const Eigen::Map<const Eigen::Vector3d> v(velocity.data() + 3 * s);
    const orbit::Orbit found = orbit::orbit_of({r, v});
    INFO("satellite " << s << ", e " << elements.eccentricity[s] << ", i " << elements.inclination_rad[s]);
    REQUIRE(found.semi_major_axis_m == Approx(elements.semi_major_axis_m[s]).epsilon(1e-12));
    REQUIRE(std::abs(found.eccentricity - elements.eccentricity[s]) < 1e-13);
    REQUIRE(std::abs(found.inclination_rad - elements.inclination_rad[s]) < 1e-13);
    orbit::Elements again;
    again.semi_major_axis_m = {found.semi_major_axis_m};
    again.eccentricity = {found.eccentricity};
    again.inclination_rad = {found.inclination_rad};
    again.raan_rad = {found.raan_rad};
    again.argument_of_perigee_rad = {found.argument_of_perigee_rad};
    again.mean_anomaly_rad = {found.mean_anomaly_rad};
    std::vector<double> back_velocity;
    const std::vector<double> back = states(again, {0.0}, orbit::Propagator::two_body, 1, &back_velocity);
    const Eigen::Map<const Eigen::Vector3d> br(back.data());
    const Eigen::Map<const Eigen::Vector3d> bv(back_velocity.data());
    // The nearer the perigee is to the centre, the more a place there says of the whole ellipse.
    const double room = 1e-13 / (1.0 - elements.eccentricity[s]);
    REQUIRE((br - r).norm() <= room * elements.semi_major_axis_m[s]);
    REQUIRE((bv - v).norm() <= room * 10.0 * v.norm());
  }
}

TEST_CASE("Energy and momentum stay on an ellipse", "[orbit]") {
  const orbit::Elements elements = random_elements(5, 200);
  std::vector<double> time_s;
  for (int k = 0; k < 300; ++k) time_s.push_back(977.0 * k - 5000.0);
  std::vector<double> velocity;
  const std::vector<double> position = states(elements, time_s, orbit::Propagator::two_body, 2, &velocity);
  for (std::size_t s = 0; s < elements.size(); ++s) {
    const double a = elements.semi_major_axis_m[s];
    const double e = elements.eccentricity[s];
    const double mu = core::kEarthMu.value;
    for (std::size_t k = 0; k < time_s.size(); ++k) {
      const std::size_t at = 3 * (s * time_s.size() + k);
      const Eigen::Map<const Eigen::Vector3d> r(position.data() + at);
      const Eigen::Map<const Eigen::Vector3d> v(velocity.data() + at);
      REQUIRE(v.squaredNorm() / 2.0 - mu / r.norm() == Approx(-mu / (2.0 * a)).epsilon(1e-10));
      REQUIRE(r.cross(v).norm() == Approx(std::sqrt(mu * a * (1.0 - e * e))).epsilon(1e-12));
    }
  }
}

TEST_CASE("States depend neither on threads nor on what is asked beside them", "[orbit]") {
  const orbit::Elements elements = random_elements(6, 37);
  std::vector<double> time_s;
  for (int k = 0; k < 301; ++k) time_s.push_back(61.7 * k);
  const std::vector<double> all = states(elements, time_s, orbit::Propagator::j2, 1);
  CHECK(states(elements, time_s, orbit::Propagator::j2, 3) == all);
  for (const std::size_t k : {std::size_t{0}, std::size_t{7}, std::size_t{130}, std::size_t{300}}) {
    const std::vector<double> one = states(elements, {time_s[k]}, orbit::Propagator::j2, 1);
    for (std::size_t s = 0; s < elements.size(); ++s) {
      for (std::size_t x = 0; x < 3; ++x) REQUIRE(one[3 * s + x] == all[3 * (s * time_s.size() + k) + x]);
    }
  }
  core::StopToken stop(0.0);
  std::vector<double> position(all.size());
  CHECK_THROWS_AS(orbit::propagate(elements, time_s, orbit::Propagator::j2, position, {}, 1, stop),
                  core::Stopped);
  CHECK_THROWS_AS(states(elements, {0.0}, orbit::Propagator::sgp4, 1), core::InvalidInput);
}
