#pragma once
#include <complex>
#include <cstddef>
#include <limits>
#include <vector>

#include "constellm/core/fields.hpp"
#include "constellm/orbit/kepler.hpp"
#include "constellm/orbit/moving.hpp"

namespace constellm::orbit {

/// What a body keeps to at all times, as far as what is between two looks at it has to be known.
struct Bounds {
  double near_m = 0.0;  ///< from the Earth's centre
  double far_m = 0.0;
  double speed_m_per_s = 0.0;
  double acceleration_m_per_s2 = 0.0;
  double jerk_m_per_s3 = 0.0;
  double beside_m_per_s = 0.0;        ///< how far its velocity is from the derivative of its position
  double climb_m2_per_s = 0.0;        ///< |r · dr/dt|
  double climb_rate_m2_per_s2 = 0.0;  ///< |d(r · dr/dt)/dt|
  double along_axis = 1.0;            ///< share of position, velocity and acceleration along the Earth's axis
};

/// Satellites that can be asked for their states at any moment, in TEME.
class Motion {
 public:
  Motion() = default;
  virtual ~Motion() = default;
  Motion(const Motion&) = delete;
  Motion& operator=(const Motion&) = delete;

  [[nodiscard]] virtual std::size_t satellites() const = 0;
  /// Whether it can be asked at all, by its satellite.
  [[nodiscard]] virtual bool is_there(std::size_t satellite) const = 0;
  [[nodiscard]] virtual State state(std::size_t satellite, double time_s) const = 0;
  /// Velocities keep to those of speed, acceleration and jerk as the derivatives of positions do.
  [[nodiscard]] virtual Bounds bounds(std::size_t satellite) const = 0;
  /// Whether two are on one circle: their line turns with them and is else the same for ever.
  [[nodiscard]] virtual bool on_one_circle(std::size_t, std::size_t) const { return false; }
  /// What the second derivative of |a - c|^2 - |b - c|^2 stays within, of the positions a of `one`, b of
  /// `other` and c of `from`; infinite where no more is known than of each. 0 where the two are as far from
  /// it for ever.
  [[nodiscard]] virtual double swing_m2_per_s2(std::size_t /*from*/, std::size_t /*one*/,
                                               std::size_t /*other*/) const {
    return std::numeric_limits<double>::infinity();
  }
  /// The moments that it knows: [from, to].
  [[nodiscard]] virtual double from_s() const = 0;
  [[nodiscard]] virtual double to_s() const = 0;
  /// Until when it knows a satellite that is there.
  [[nodiscard]] virtual double until_s(std::size_t /*satellite*/) const { return to_s(); }
};

/// On the ellipses of drifting elements, to the rounding of `propagate`.
class AnalyticMotion final : public Motion {
 public:
  /// Throws core::InvalidInput for SGP4.
  AnalyticMotion(const Elements& elements, Propagator propagator);

  [[nodiscard]] std::size_t satellites() const override { return satellites_.size(); }
  [[nodiscard]] bool is_there(std::size_t) const override { return true; }
  [[nodiscard]] State state(std::size_t satellite, double time_s) const override;
  [[nodiscard]] Bounds bounds(std::size_t satellite) const override;
  [[nodiscard]] bool on_one_circle(std::size_t one, std::size_t other) const override;
  [[nodiscard]] double swing_m2_per_s2(std::size_t from, std::size_t one, std::size_t other) const override;
  [[nodiscard]] double from_s() const override { return -core::kEndless; }
  [[nodiscard]] double to_s() const override { return core::kEndless; }

 private:
  std::vector<Moving> satellites_;
  std::vector<std::complex<double>> node_;   ///< direction of each at time 0
  std::vector<std::complex<double>> place_;  ///< direction in the plane, from the node, of one on a circle
};

/// From samples [satellites][times][3] at `start_s` + k `step_s`, at least eight. Between them stands
/// Lagrange's polynomial through the four before and the four after, towards the ends through the first or
/// last eight. A component that swings with amplitude b and angular frequency w is met to 0.0011 (w step)^8
/// b, towards the ends to 0.013 (w step)^8 b: a low orbit by steps of 60 s to micrometres, and SGP4's faster
/// terms, some kilometres, to a millimetre. A satellite is known until its last sample before one with a NaN;
/// with less than eight it is not there. Bounds take it that satellites fall freely: no other acceleration
/// than gravity, within 2 % of that of a point mass.
class SampledMotion final : public Motion {
 public:
  /// Throws core::InvalidInput for too few times, and for steps too long to say anything of what is between.
  SampledMotion(std::vector<double> position_teme_m, std::vector<double> velocity_teme_m_per_s,
                std::size_t times, double start_s, double step_s);

  [[nodiscard]] std::size_t satellites() const override { return bounds_.size(); }
  [[nodiscard]] bool is_there(std::size_t satellite) const override {
    return bounds_[satellite].near_m > 0.0;
  }
  [[nodiscard]] State state(std::size_t satellite, double time_s) const override;
  [[nodiscard]] Bounds bounds(std::size_t satellite) const override { return bounds_[satellite]; }
  [[nodiscard]] double from_s() const override { return start_s_; }
  [[nodiscard]] double to_s() const override { return start_s_ + step_s_ * static_cast<double>(times_ - 1); }
  [[nodiscard]] double until_s(std::size_t satellite) const override {
    return start_s_ + step_s_ * static_cast<double>(known_[satellite] - 1);
  }

 private:
  static constexpr std::size_t kNodes = 8;

  [[nodiscard]] Eigen::Vector3d sample(const std::vector<double>& of, std::size_t satellite,
                                       std::size_t k) const {
    return Eigen::Map<const Eigen::Vector3d>(of.data() + 3 * (satellite * times_ + k));
  }
  [[nodiscard]] Bounds bounds_of(std::size_t satellite) const;

  std::vector<double> position_m_;
  std::vector<double> velocity_m_per_s_;
  std::size_t times_;
  double start_s_;
  double step_s_;
  std::vector<std::size_t> known_;  ///< samples of each satellite
  std::vector<Bounds> bounds_;
};

}  // namespace constellm::orbit
