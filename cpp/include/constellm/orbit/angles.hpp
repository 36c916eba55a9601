#pragma once
#include <numbers>

// Angles as a loop over arrays needs them. They are in turns there, since a turn is taken off without
// rounding.
namespace constellm::orbit {

inline constexpr double kTurn_rad = 2.0 * std::numbers::pi;
inline constexpr double kDegree_rad = std::numbers::pi / 180.0;

/// The nearest whole number of |x| < 2^51, in arithmetic that every compiler puts into vectors.
inline double nearest(double x) {
  constexpr double kShift = 0x1.8p52;
  return (x + kShift) - kShift;
}

/// `turns` without its whole turns, in [-1/2, 1/2]; exact.
inline double part_of_turn(double turns) { return turns - nearest(turns); }

struct SinCos {
  double sin;
  double cos;
};

/// Sine and cosine of an angle in turns, to 4e-16, without a branch or a call. The angle is brought to a
/// quarter of a turn about 0 or a half, where the Taylor polynomials of degree 21 and 22 are exact to 1e-18.
inline SinCos sincos_of_turns(double turns) {
  const double halves = nearest(2.0 * turns);
  const double odd = halves - 2.0 * nearest(0.5 * halves);  // -1, 0 or 1
  const double sign = 1.0 - 2.0 * odd * odd;
  const double x = kTurn_rad * (turns - 0.5 * halves);
  const double y = x * x;
  double s = 1.0 / 51'090'942'171'709'440'000.0;  // 1 / 21!
  s = s * y - 1.0 / 121'645'100'408'832'000.0;
  s = s * y + 1.0 / 355'687'428'096'000.0;
  s = s * y - 1.0 / 1'307'674'368'000.0;
  s = s * y + 1.0 / 6'227'020'800.0;
  s = s * y - 1.0 / 39'916'800.0;
  s = s * y + 1.0 / 362'880.0;
  s = s * y - 1.0 / 5'040.0;
  s = s * y + 1.0 / 120.0;
  s = s * y - 1.0 / 6.0;
  double c = -1.0 / 1'124'000'727'777'607'680'000.0;  // 1 / 22!
  c = c * y + 1.0 / 2'432'902'008'176'640'000.0;
  c = c * y - 1.0 / 6'402'373'705'728'000.0;
  c = c * y + 1.0 / 20'922'789'888'000.0;
  c = c * y - 1.0 / 87'178'291'200.0;
  c = c * y + 1.0 / 479'001'600.0;
  c = c * y - 1.0 / 3'628'800.0;
  c = c * y + 1.0 / 40'320.0;
  c = c * y - 1.0 / 720.0;
  c = c * y + 1.0 / 24.0;
  c = c * y - 0.5;
  return {sign * (x + x * (y * s)), sign * (1.0 + y * c)};
}

}  // namespace constellm::orbit
