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

/// Checks every node and link, and that the ends of links and the two defaults are nodes.
void validate(const Network& network, std::string_view where);

}  // namespace constellm::network
