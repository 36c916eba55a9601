#pragma once

namespace constellm::codec {

inline constexpr int kMostBits = 16;

/// The w > 0 with w * e^w = z, for z > e.
double lambert_w(double z);

/// Where a b-bit quantiser of Laplace distributed values of scale 1 is best clipped:
/// W(3 * 4^b), which is sqrt(variance / 2) times that for any scale (Banner et al., NeurIPS 2019).
double clipping_point(int bits);

/// Relative L2 error of the uniform quantiser with 2^bits cells clipped there, values in the
/// middle of their cells, on Laplace distributed activations (an assumption). `bits` in [1, kMostBits].
double quantisation_error(int bits);

}  // namespace constellm::codec
