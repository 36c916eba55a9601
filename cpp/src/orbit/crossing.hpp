#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

namespace constellm::orbit {

inline constexpr double kCrossing_s = 1e-6;  ///< to which a crossing is met

/// Where `margin` changes its sign between a and b, at which it has the values given (Ridders's method, IEEE
/// Transactions on Circuits and Systems 26 (1979), 979-980).
template <class Margin>
double crossing(double a, double at_a, double b, double at_b, Margin margin) {
  double last = a;
  while (b - a > kCrossing_s) {
    const double middle = 0.5 * (a + b);
    if (!(a < middle && middle < b)) break;  // no room for rounding left
    const double at_middle = margin(middle);
    const double root = std::sqrt(at_middle * at_middle - at_a * at_b);
    if (root == 0.0) return middle;
    const double sign = at_a >= at_b ? 1.0 : -1.0;
    const double next = std::clamp(middle + sign * (middle - a) * at_middle / root, a, b);
    if (std::abs(next - last) <= kCrossing_s) return next;
    last = next;
    const double at_next = margin(next);
    // The two neighbours, of a, middle, next and b, between which the sign changes.
    const bool ordered = middle < next;
    const std::array<std::pair<double, double>, 4> points{
        {{a, at_a},
         ordered ? std::pair(middle, at_middle) : std::pair(next, at_next),
         ordered ? std::pair(next, at_next) : std::pair(middle, at_middle),
         {b, at_b}}};
    for (std::size_t i = 0; i < 3; ++i) {
      if ((points[i].second >= 0.0) == (points[i + 1].second >= 0.0)) continue;
      std::tie(a, at_a) = points[i];
      std::tie(b, at_b) = points[i + 1];
      break;
    }
  }
  return 0.5 * (a + b);
}

/// The most that a margin reaches between two moments at which it is m and n, where it leaves its chord by no
/// more than the parabola does that rises by `bulge` in the middle.
inline double most(double m, double n, double bulge) {
  const double apart = std::abs(n - m);
  if (apart >= 4.0 * bulge) return std::max(m, n);
  return 0.5 * (m + n) + bulge + apart * apart / (16.0 * bulge);
}

}  // namespace constellm::orbit
