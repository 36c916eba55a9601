#include "constellm/orbit/propagate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "constellm/core/constants.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/parallel.hpp"
#include "constellm/core/simd.hpp"
#include "constellm/orbit/angles.hpp"
#include "constellm/orbit/kepler.hpp"
#include "constellm/orbit/moving.hpp"

namespace constellm::orbit {
namespace {

constexpr std::size_t kBlock = 128;  // times that are worked on together

using Row = std::array<double, kBlock>;

/// A block of one satellite's states: in the plane of the orbit, with the first axis towards the node, and
/// that node.
struct Block {
  Row sin_raan, cos_raan;
  Row x, y, vx, vy;
};

CONSTELLM_SIMD void turn(const Angle& angle, const double* time_s, std::size_t count, double* sine,
                         double* cosine) {
  for (std::size_t k = 0; k < count; ++k) {
    const SinCos at = sincos_of_turns(part_of_turn(angle.turns + angle.turns_per_s * time_s[k]));
    sine[k] = at.sin;
    cosine[k] = at.cos;
  }
}

CONSTELLM_SIMD void circle(double radius_m, double speed_m_per_s, std::size_t count, Block& block) {
  for (std::size_t k = 0; k < count; ++k) {  // x and y hold cosine and sine
    block.vx[k] = -speed_m_per_s * block.y[k];
    block.vy[k] = speed_m_per_s * block.x[k];
    block.x[k] *= radius_m;
    block.y[k] *= radius_m;
  }
}

void ellipse(const Moving& at, const double* time_s, std::size_t count, Block& block) {
  Row sine;
  Row cosine;
  turn(at.perigee, time_s, count, sine.data(), cosine.data());
  const double e = at.eccentricity;
  const double a = at.semi_major_axis_m;
  const double minor = std::sqrt((1.0 - e) * (1.0 + e));
  for (std::size_t k = 0; k < count; ++k) {
    const double mean = part_of_turn(at.mean.turns + at.mean.turns_per_s * time_s[k]);
    const double anomaly = eccentric_anomaly_rad(kTurn_rad * mean, e);
    const double sin_anomaly = std::sin(anomaly);
    const double cos_anomaly = std::cos(anomaly);
    const double half_sine = std::sin(0.5 * anomaly);
    const double speed = a * at.motion_rad_per_s / ((1.0 - e) + 2.0 * e * half_sine * half_sine);
    const double x = a * ((1.0 - e) - 2.0 * half_sine * half_sine);
    const double y = a * minor * sin_anomaly;
    const double vx = -speed * sin_anomaly;
    const double vy = speed * minor * cos_anomaly;
    block.x[k] = x * cosine[k] - y * sine[k];
    block.y[k] = x * sine[k] + y * cosine[k];
    block.vx[k] = vx * cosine[k] - vy * sine[k];
    block.vy[k] = vx * sine[k] + vy * cosine[k];
  }
}

/// From the plane of the orbit to TEME: a turn about the node by the inclination, one about z by its RAAN.
CONSTELLM_SIMD void to_teme(const Moving& at, const Block& block, const double* x, const double* y,
                            std::size_t count, double* out) {
  for (std::size_t k = 0; k < count; ++k) {
    const double flat = y[k] * at.cos_i;
    out[3 * k] = x[k] * block.cos_raan[k] - flat * block.sin_raan[k];
    out[3 * k + 1] = x[k] * block.sin_raan[k] + flat * block.cos_raan[k];
    out[3 * k + 2] = y[k] * at.sin_i;
  }
}

}  // namespace

Drift drift(double a, double e, double inclination_rad, Propagator propagator) {
  const double n = std::sqrt(core::kEarthMu.value / a) / a;
  if (propagator == Propagator::two_body) return {.mean_anomaly_rad_per_s = n};
  const double beside = (1.0 - e) * (1.0 + e);
  const double ratio = core::kEarthRadius.value / (a * beside);
  const double k = 0.75 * n * core::kEarthJ2.value * ratio * ratio;
  const double sin_i = std::sin(inclination_rad);
  return {.raan_rad_per_s = -2.0 * k * std::cos(inclination_rad),
          .argument_of_perigee_rad_per_s = k * (4.0 - 5.0 * sin_i * sin_i),
          .mean_anomaly_rad_per_s = n + k * std::sqrt(beside) * (2.0 - 3.0 * sin_i * sin_i)};
}

void propagate(const Elements& elements, std::span<const double> time_s, Propagator propagator,
               std::span<double> position_teme_m, std::span<double> velocity_teme_m_per_s, int threads,
               core::StopToken& stop) {
  if (propagator == Propagator::sgp4)
    throw core::InvalidInput(
        "propagator: 'sgp4' does not move mean elements by formula, it is a model of its own");
  const std::size_t times = time_s.size();
  const std::size_t blocks = (times + kBlock - 1) / kBlock;
  const auto worker = [&] {
    return [&, block = Block{}](std::size_t s) mutable {
      const Moving at = moving(elements, s, propagator);
      const bool is_circle = at.eccentricity == 0.0;
      const Angle latitude = at.latitude();
      for (std::size_t b = 0; b < blocks; ++b) {
        const std::size_t first = b * kBlock;
        const std::size_t count = std::min(kBlock, times - first);
        const double* when = time_s.data() + first;
        turn(at.raan, when, count, block.sin_raan.data(), block.cos_raan.data());
        if (is_circle) {
          turn(latitude, when, count, block.y.data(), block.x.data());
          circle(at.semi_major_axis_m, at.semi_major_axis_m * at.motion_rad_per_s, count, block);
        } else {
          ellipse(at, when, count, block);
        }
        const std::size_t place = 3 * (s * times + first);
        to_teme(at, block, block.x.data(), block.y.data(), count, position_teme_m.data() + place);
        if (!velocity_teme_m_per_s.empty())
          to_teme(at, block, block.vx.data(), block.vy.data(), count, velocity_teme_m_per_s.data() + place);
      }
    };
  };
  // A state takes about a tenth of the token's unit of work.
  const auto interrupted = [&] { return stop.should_stop(times / 8 + 1); };
  if (!core::parallel_for(elements.size(), threads, worker, interrupted)) throw core::Stopped();
}

}  // namespace constellm::orbit
