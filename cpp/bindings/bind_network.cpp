#include "constellm/network/network.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {

void register_network(py::module_& m) {
  using network::Link;
  using network::Network;
  using network::Node;
  record<Node>(
      m, "Node",
      "A computer, in orbit or on the ground. With `flop_per_s` 0 and no `layer_time_s` it only relays.",
      required("id", &Node::id, "unique in its network"),
      required("flop_per_s", &Node::flop_per_s, "effective computing speed [FLOP/s]"),
      required("memory_bytes", &Node::memory_bytes, "room for layers [B]"),
      optional("power_w", &Node::power_w, "while computing [W]"),
      optional("tx_power_w", &Node::tx_power_w, "while sending [W]"),
      optional("overhead_s", &Node::overhead_s, "fixed time per micro-batch of a hosting node [s]"),
      optional("codec_time_scale", &Node::codec_time_scale, "multiplies encode and decode times here"),
      optional("layer_time_s", &Node::layer_time_s,
               "measured seconds of every layer, in place of flop / flop_per_s [layers]"),
      optional("group", &Node::group, "name for addressing several nodes at once"));
  // The file format's `from` is a keyword in Python: its value reads as `from_`.
  record<Link>(m, "Link", "A directed link. `network.link` makes one without the reserved word `from`.",
               required("from", &Link::from, "id of the sender"),
               required("to", &Link::to, "id of the receiver"),
               required("rate_bps", &Link::rate_bps, "[bit/s]"),
               required("latency_s", &Link::latency_s, "propagation; occupies nothing [s]"),
               optional("overhead_s", &Link::overhead_s, "fixed per message; occupies the link [s]"),
               optional("group", &Link::group, "name for addressing several links at once"))
      .def_property_readonly(
          "from_", py::cpp_function([](const Link& link) { return link.from; }, "from_(self) -> str"),
          "id of the sender");
  record<Network>(m, "Network",
                  "Nodes and directed links. `source` and `sink` are the endpoints of problems that name "
                  "none themselves.",
                  required("nodes", &Network::nodes, "list of Node"),
                  required("links", &Network::links, "list of Link"),
                  optional("source", &Network::source, "id of the node that has the input, or None"),
                  optional("sink", &Network::sink, "id of the node that wants the result, or None"));
}

}  // namespace constellm::bindings
