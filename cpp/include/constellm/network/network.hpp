#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "constellm/network/node_link.hpp"

namespace constellm::network {

/// Nodes and directed links as plain values, as a file or a user gives them; a Graph is made of
/// them. `source` and `sink` are what a problem on the network takes where it names none itself.
struct Network {
  std::vector<Node> nodes;
  std::vector<Link> links;
  std::optional<std::string> source;
  std::optional<std::string> sink;

  bool operator==(const Network&) const = default;
};

constexpr auto fields(const Network*) {
  using core::optional;
  using core::required;
  return core::record("Network",
                      "Nodes and directed links. `source` and `sink` are the endpoints of problems that name "
                      "none themselves.",
                      required("nodes", &Network::nodes, "list of Node"),
                      required("links", &Network::links, "list of Link"),
                      optional("source", &Network::source, "id of the node that has the input, or None"),
                      optional("sink", &Network::sink, "id of the node that wants the result, or None"))
      .with_example(
          "clm.network.Network(nodes=[clm.network.Node(id='s0', flop_per_s=1e12, memory_bytes=8e9)], "
          "links=[])");
}

/// Checks every node and link, and that the ends of links and the two defaults are nodes.
void validate(const Network& network, std::string_view where);

}  // namespace constellm::network
