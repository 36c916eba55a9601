#include "constellm/network/network.hpp"

#include "constellm/core/error.hpp"
#include "constellm/network/graph.hpp"

namespace constellm::network {

void validate(const Network& network, std::string_view where) {
  try {
    const Graph graph(network);
    if (network.source) (void)graph.node(*network.source, "source");
    if (network.sink) (void)graph.node(*network.sink, "sink");
  } catch (const core::InvalidInput& error) {
    throw core::InvalidInput(std::string(where) + error.what());
  }
}

}  // namespace constellm::network
