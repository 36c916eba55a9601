#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "constellm/core/units.hpp"

namespace constellm::network {

/// A computer (satellite or ground). `flop_per_s` 0 without `layer_time_s` only relays.
struct Node {
  std::string id;
  double flop_per_s = 0.0;                          ///< effective computing speed [FLOP/s]
  double memory_bytes = 0.0;                        ///< room for layers [B]
  double power_w = 0.0;                             ///< while computing [W]
  double tx_power_w = 0.0;                          ///< while sending [W]
  double overhead_s = 0.0;                          ///< fixed time per micro-batch of a hosting node [s]
  double codec_time_scale = 1.0;                    ///< multiplies encode and decode times here
  std::optional<std::vector<double>> layer_time_s;  ///< measured, per micro-batch [s]
  std::optional<std::string> group;

  bool operator==(const Node&) const = default;
  [[nodiscard]] bool can_host() const { return flop_per_s > 0.0 || layer_time_s.has_value(); }
};

/// A directed link.
struct Link {
  std::string from;
  std::string to;
  double rate_bps = 0.0;    ///< [bit/s]
  double latency_s = 0.0;   ///< propagation; occupies nothing [s]
  double overhead_s = 0.0;  ///< fixed per message; occupies the link [s]
  std::optional<std::string> group;

  bool operator==(const Link&) const = default;
};

void validate(const Node& node, std::string_view where);
void validate(const Link& link, std::string_view where);

/// Seconds that a message of `bytes` occupies a link; its propagation comes on top.
constexpr double hop_s(double overhead_s, double rate_bps, double bytes) {
  return overhead_s + core::transfer_s(bytes, rate_bps);
}
inline double hop_s(const Link& link, double bytes) { return hop_s(link.overhead_s, link.rate_bps, bytes); }

}  // namespace constellm::network
