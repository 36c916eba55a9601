#include "constellm/network/node_link.hpp"

#include "constellm/core/error.hpp"

namespace constellm::network {

void validate(const Node& node, std::string_view where) {
  if (node.id.empty()) throw core::InvalidInput(std::string(where) + "id: must not be empty");
  core::require_non_negative(where, "flop_per_s", node.flop_per_s);
  core::require_non_negative(where, "memory_bytes", node.memory_bytes);
  core::require_non_negative(where, "power_w", node.power_w);
  core::require_non_negative(where, "tx_power_w", node.tx_power_w);
  core::require_non_negative(where, "overhead_s", node.overhead_s);
  core::require_non_negative(where, "codec_time_scale", node.codec_time_scale);
  if (node.layer_time_s) {
    for (std::size_t i = 0; i < node.layer_time_s->size(); ++i) {
      core::require_non_negative(where, "layer_time_s[" + std::to_string(i) + "]", (*node.layer_time_s)[i]);
    }
  }
}

void validate(const Link& link, std::string_view where) {
  core::require_positive(where, "rate_bps", link.rate_bps);
  core::require_non_negative(where, "latency_s", link.latency_s);
  core::require_non_negative(where, "overhead_s", link.overhead_s);
  if (link.from == link.to) {
    throw core::InvalidInput(std::string(where) + "to: a link from '" + link.from + "' to itself");
  }
}

}  // namespace constellm::network
