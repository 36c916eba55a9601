#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Nodes, directed links, where the data starts and where the result is wanted.
struct Network {
  std::vector<Node> nodes;
  std::vector<Link> links;
  std::string source;
  std::string sink;

  bool operator==(const Network&) const = default;
};

/// Positions instead of ids: who sends to whom, in compressed rows.
struct Topology {
  std::int32_t source = 0;
  std::int32_t sink = 0;
  std::vector<std::int32_t> link_from;  ///< [links] node position
  std::vector<std::int32_t> link_to;    ///< [links] node position
  std::vector<std::int32_t> out_begin;  ///< [nodes + 1] into `out_link`
  std::vector<std::int32_t> out_link;   ///< link positions, grouped by sender, in file order

  bool operator==(const Topology&) const = default;
};

/// Checks ids, ends of links and duplicates on the way. Errors name the field.
Topology resolve(const Network& network);

/// Checks every node and link, then resolves.
Topology validate(const Network& network);

}  // namespace constellm::network
