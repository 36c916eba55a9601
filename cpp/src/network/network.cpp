#include "constellm/network/network.hpp"

#include <unordered_map>
#include <unordered_set>

#include "constellm/core/error.hpp"

namespace constellm::network {
namespace {

std::string at(std::string_view list, std::size_t i) {
  return std::string(list) + "[" + std::to_string(i) + "].";
}

}  // namespace

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

Topology resolve(const Network& network) {
  if (network.nodes.empty()) throw core::InvalidInput("nodes: at least one is needed, got 0");
  std::unordered_map<std::string_view, std::int32_t> position;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    if (!position.emplace(network.nodes[i].id, static_cast<std::int32_t>(i)).second) {
      throw core::InvalidInput(at("nodes", i) + "id: '" + network.nodes[i].id + "' is used by another node");
    }
  }
  const auto find = [&](const std::string& where, const std::string& id) {
    const auto found = position.find(id);
    if (found == position.end()) throw core::InvalidInput(where + ": no node has id '" + id + "'");
    return found->second;
  };

  Topology topology;
  topology.source = find("source", network.source);
  topology.sink = find("sink", network.sink);
  std::unordered_set<std::int64_t> pairs;
  topology.out_begin.assign(network.nodes.size() + 1, 0);
  for (std::size_t i = 0; i < network.links.size(); ++i) {
    const Link& link = network.links[i];
    const std::int32_t from = find(at("links", i) + "from", link.from);
    const std::int32_t to = find(at("links", i) + "to", link.to);
    const auto key = static_cast<std::int64_t>(from) * static_cast<std::int64_t>(network.nodes.size()) + to;
    if (!pairs.insert(key).second) {
      throw core::InvalidInput("links[" + std::to_string(i) + "]: a second link from '" + link.from +
                               "' to '" + link.to + "'");
    }
    topology.link_from.push_back(from);
    topology.link_to.push_back(to);
    ++topology.out_begin[static_cast<std::size_t>(from) + 1];
  }
  for (std::size_t i = 1; i < topology.out_begin.size(); ++i) {
    topology.out_begin[i] += topology.out_begin[i - 1];
  }
  std::vector<std::int32_t> next(topology.out_begin.begin(), topology.out_begin.end() - 1);
  topology.out_link.resize(network.links.size());
  for (std::size_t i = 0; i < network.links.size(); ++i) {
    auto& slot = next[static_cast<std::size_t>(topology.link_from[i])];
    topology.out_link[static_cast<std::size_t>(slot++)] = static_cast<std::int32_t>(i);
  }
  return topology;
}

Topology validate(const Network& network) {
  for (std::size_t i = 0; i < network.nodes.size(); ++i) validate(network.nodes[i], at("nodes", i));
  for (std::size_t i = 0; i < network.links.size(); ++i) validate(network.links[i], at("links", i));
  return resolve(network);
}

}  // namespace constellm::network
