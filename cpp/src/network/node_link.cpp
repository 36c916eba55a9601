#include "constellm/network/node_link.hpp"

#include "constellm/core/error.hpp"

namespace constellm::network {

void validate(const Node& node, const core::Place& where) { core::check_ranges(node, where); }

void validate(const Link& link, const core::Place& where) {
  core::check_ranges(link, where);
  if (link.from == link.to) {
    throw core::InvalidInput(where.text() + "to: a link from '" + link.from + "' to itself");
  }
}

}  // namespace constellm::network
