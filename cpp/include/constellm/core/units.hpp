#pragma once

namespace constellm::core {

inline constexpr double kBitsPerByte = 8.0;

/// Seconds to put `bytes` [B] on a link of `rate_bps` [bit/s]: the one place where bytes
/// become bits.
constexpr double transfer_s(double bytes, double rate_bps) { return kBitsPerByte * bytes / rate_bps; }

}  // namespace constellm::core
