#include "constellm/codec/laplace.hpp"

#include <cmath>

namespace constellm::codec {

double lambert_w(double z) {
  const double target = std::log(z);  // Newton's method on w + ln w = ln z
  double w = target - std::log(target);
  for (int i = 0; i < 8; ++i) w -= (w + std::log(w) - target) / (1.0 + 1.0 / w);
  return w;
}

double clipping_point(int bits) { return lambert_w(3.0 * std::exp2(2.0 * bits)); }

double quantisation_error(int bits) {
  // |x| is exponential with mean 1, so the mean of x^2 is 2; sums of integrals over the cells.
  const double alpha = clipping_point(bits);
  const double half = alpha / std::exp2(bits);
  const double after = half * half + 2.0 * half + 2.0;
  const double cell = half * half - 2.0 * half + 2.0 - std::exp(-2.0 * half) * after;
  const double cells = std::expm1(-alpha) / std::expm1(-2.0 * half);
  return std::sqrt((cell * cells + std::exp(-alpha) * after) / 2.0);
}

}  // namespace constellm::codec
