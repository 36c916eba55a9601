#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "constellm/core/fields.hpp"
#include "constellm/core/units.hpp"

namespace constellm::network {

/// A computer (satellite or ground). `flop_per_s` 0 without `layer_time_s` only relays.
struct Node {
  std::string id;
  double flop_per_s = 0.0;
  double memory_bytes = 0.0;
  double power_w = 0.0;
  double tx_power_w = 0.0;
  double overhead_s = 0.0;
  double codec_time_scale = 1.0;
  std::optional<std::vector<double>> layer_time_s;
  std::optional<std::string> group;

  bool operator==(const Node&) const = default;
  [[nodiscard]] bool can_host() const { return flop_per_s > 0.0 || layer_time_s.has_value(); }
};

/// A directed link.
struct Link {
  std::string from;
  std::string to;
  double rate_bps = 0.0;
  double latency_s = 0.0;
  double overhead_s = 0.0;
  std::optional<std::string> group;

  bool operator==(const Link&) const = default;
};

constexpr auto fields(const Node*) {
  using core::kNonNegative;
  using core::optional;
  using core::required;
  return core::record(
             "Node",
             "A computer, in orbit or on the ground. With `flop_per_s` 0 and no `layer_time_s` it only "
             "relays.",
             required("id", &Node::id, "unique in its network").as_name().not_empty(),
             required("flop_per_s", &Node::flop_per_s, "effective computing speed", "FLOP/s", kNonNegative),
             required("memory_bytes", &Node::memory_bytes, "room for layers", "B", kNonNegative),
             optional("power_w", &Node::power_w, "while computing", "W", kNonNegative),
             optional("tx_power_w", &Node::tx_power_w, "while sending", "W", kNonNegative),
             optional("overhead_s", &Node::overhead_s, "fixed time per micro-batch of a hosting node", "s",
                      kNonNegative),
             optional("codec_time_scale", &Node::codec_time_scale, "multiplies encode and decode times here",
                      "", kNonNegative),
             optional("layer_time_s", &Node::layer_time_s,
                      "measured time of every layer per micro-batch, in place of flop / flop_per_s [layers]",
                      "s", kNonNegative),
             optional("group", &Node::group, "name for addressing several nodes at once").as_group())
      .with_example("clm.network.Node(id='s0', flop_per_s=1e12, memory_bytes=8e9)");
}

constexpr auto fields(const Link*) {
  using core::kNonNegative;
  using core::optional;
  using core::required;
  return core::record(
             "Link",
             "A directed link. Its sender is `from_`, in files `from`: Python keeps that word for itself.",
             required("from", &Link::from, "id of the sender").as_name(),
             required("to", &Link::to, "id of the receiver").as_name(),
             required("rate_bps", &Link::rate_bps, "bits that it carries in a second", "bit/s",
                      core::kPositive),
             required("latency_s", &Link::latency_s, "propagation; occupies nothing", "s", kNonNegative),
             optional("overhead_s", &Link::overhead_s, "fixed per message; occupies the link", "s",
                      kNonNegative),
             optional("group", &Link::group, "name for addressing several links at once").as_group())
      .with_example("clm.network.Link(from_='s0', to='s1', rate_bps=1e9, latency_s=0.01)");
}

void validate(const Node& node, const core::Place& where);
void validate(const Link& link, const core::Place& where);

/// Seconds that a message of `bytes` occupies a link; its propagation comes on top.
constexpr double hop_s(double overhead_s, double rate_bps, double bytes) {
  return overhead_s + core::transfer_s(bytes, rate_bps);
}
inline double hop_s(const Link& link, double bytes) { return hop_s(link.overhead_s, link.rate_bps, bytes); }

}  // namespace constellm::network
