#include <memory>
#include <string_view>
#include <unordered_map>

#include "columnar.hpp"
#include "constellm/network/routing.hpp"
#include "register.hpp"
#include "remark.hpp"

namespace constellm::bindings {
namespace {

using network::Graph;
using network::NodeTable;

// --- nodes -----------------------------------------------------------------------------------

NodesHolder shared(const Graph& graph) { return std::const_pointer_cast<NodeTable>(graph.node_table()); }

std::string nodes_repr(const NodeTable& table) {
  const auto& nodes = table.nodes();
  std::string text = "Nodes(" + std::to_string(nodes.size()) + ": '" + nodes.front().id + "'";
  if (nodes.size() > 1) text += " … '" + nodes.back().id + "'";
  return text + ")";
}

void register_nodes(py::module_& m) {
  const Infos fields{
      {.name = "nodes",
       .type = "collections.abc.Sequence[Node | str]",
       .doc = "with distinct ids, at least one; a text is the id of a node that relays"},
  };
  py::class_<NodeTable, NodesHolder> type(
      m, "Nodes",
      class_doc("The nodes of a graph, in order: a sequence of Node. Graphs of one constellation share it.",
                fields, R"(clm.network.Nodes(["s0", "s1"]))")
          .c_str());
  type.def(py::init([fields](const py::args& args, const py::kwargs& keywords) {
             return nodes_from(bound("Nodes", fields, 1, args, keywords)["nodes"]);
           }),
           init_signature(fields, 1).c_str());
  type.attr("__signature__") = signature_of(fields, 1);
  type.def("__len__", [](const NodeTable& self) { return self.nodes().size(); }, "__len__(self) -> int");
  type.def(
      "__getitem__",
      [](const NodeTable& self, const py::object& position) -> const network::Node& {
        return self.nodes()[place(position, self.nodes().size(), "node")];
      },
      py::return_value_policy::reference_internal, "__getitem__(self, position: int) -> Node");
  type.def(
      "__iter__",
      [](const NodeTable& self) { return py::make_iterator(self.nodes().begin(), self.nodes().end()); },
      py::keep_alive<0, 1>(), "__iter__(self) -> collections.abc.Iterator[Node]");
  method<NodeTable>(
      type, "position", {"id"},
      [](const NodeTable& self, const py::dict& given) {
        const auto id = FromPython<std::string>::get(given["id"], "id");
        const std::int32_t position = self.find(id);
        if (position < 0) throw core::InvalidInput("id: no node has id '" + id + "'");
        return position;
      },
      "position(self, id: str) -> int\n\nWhere the node with this id stands; ValueError without one.");
  type.def(
      "ids",
      [](const NodeTable& self) {
        py::list ids;
        for (const network::Node& node : self.nodes()) ids.append(node.id);
        return ids;
      },
      "ids(self) -> list[str]");
  type.def(
      "__eq__",
      [](const NodeTable& self, const py::object& other) {
        return py::isinstance<NodeTable>(other) && self.nodes() == other.cast<const NodeTable&>().nodes();
      },
      "__eq__(self, other: object) -> bool");
  type.attr("__hash__") = py::none();
  type.def("__repr__", &nodes_repr, "__repr__(self) -> str");
  type.def(py::pickle(
      [](const NodeTable& self) -> py::object {
        py::dict keywords;
        keywords["nodes"] = py::cast(self.nodes());
        return py::make_tuple(kPickleVersion, keywords);
      },
      [](const py::object& state) { return nodes_from(state_of("Nodes", state)["nodes"]); }));
}

// --- graph -----------------------------------------------------------------------------------

network::LinkGroups groups_from(const py::object& value, std::size_t links) {
  network::LinkGroups groups;
  if (value.is_none()) return groups;
  if (py::isinstance<py::str>(value)) {
    groups.groups.push_back(FromPython<std::string>::get(value, "group"));
    groups.of.assign(links, 0);
    return groups;
  }
  std::unordered_map<std::string, std::int32_t> known;
  for (const auto& name : FromPython<std::vector<std::optional<std::string>>>::get(value, "group")) {
    groups.of.push_back(-1);
    if (!name) continue;
    const auto next = static_cast<std::int32_t>(groups.groups.size());
    groups.of.back() = known.emplace(*name, next).first->second;
    if (groups.of.back() == next) groups.groups.push_back(*name);
  }
  if (groups.of.size() != links) {
    throw core::InvalidInput("group: expected one name or " + std::to_string(links) + " of them, got " +
                             std::to_string(groups.of.size()));
  }
  return groups;
}

struct LinkColumn {
  const char* name;
  std::vector<double> network::LinkColumns::* of;
};
constexpr LinkColumn kLinkColumns[] = {
    {"rate_bps", &network::LinkColumns::rate_bps},
    {"latency_s", &network::LinkColumns::latency_s},
    {"overhead_s", &network::LinkColumns::overhead_s},
};

FieldInfo link_field(std::string_view name) {
  FieldInfo info;
  core::fields_of<network::Link>().for_each([&](const auto& field) {
    if (name == field.name) info = info_of(field);
  });
  return info;
}

/// A field of `Link`, one entry a link.
FieldInfo of_links(const char* name, const char* type, const py::object& initial = py::none(),
                   bool required = false) {
  FieldInfo info = link_field(name);
  info.type = type;
  info.doc += "; one for all links, or one each";
  info.required = required;
  info.required_in_files = required;
  info.initial = initial;
  return info;
}

Infos graph_fields() {
  return {
      {.name = "nodes",
       .type = "Nodes | collections.abc.Sequence[Node | str]",
       .doc = "a text is the id of a node that relays; the `nodes` of another graph are shared"},
      {.name = "from_", .type = kArray, .doc = "position of the sender of each link"},
      {.name = "to",
       .type = kArray,
       .doc = "position of the receiver of each link; at most one link from one node to another"},
      of_links("rate_bps", kArray, py::none(), true),
      of_links("latency_s", kArray, py::float_(0.0)),
      of_links("overhead_s", kArray, py::float_(0.0)),
      of_links("group", "str | collections.abc.Sequence[str | None] | None"),
  };
}

Graph make_graph(const py::dict& given) {
  const NodesHolder table = nodes_from(given["nodes"]);
  const std::size_t count = table->nodes().size();
  std::vector<std::int32_t> senders = positions(given["from_"], "from_", count);
  const std::size_t links = senders.size();
  network::LinkColumns columns;
  for (const auto& [name, of] : kLinkColumns) columns.*of = figures(given[name], name, links);
  network::LinkGroups groups = groups_from(given["group"], links);
  Graph graph(table, std::move(senders), positions(given["to"], "to", count), std::move(columns),
              std::move(groups));
  look_at(graph);
  return graph;
}

py::dict graph_keywords(const py::object& self) {
  const Graph& graph = self.cast<const Graph&>();
  py::list group;
  for (std::int32_t i = 0; i < graph.link_count(); ++i) group.append(graph.link_group(i));
  py::dict keywords;
  keywords["nodes"] = shared(graph);
  for (const char* name : {"from_", "to"}) keywords[name] = self.attr(name);
  for (const LinkColumn& column : kLinkColumns) keywords[column.name] = self.attr(column.name);
  keywords["group"] = graph.groups().groups.empty() ? py::object(py::none()) : group;
  return keywords;
}

/// With other figures alone, nodes and ends of links are shared.
Graph replaced(const py::object& self, const py::args& args, const py::kwargs& changes) {
  const Graph& graph = self.cast<const Graph&>();
  network::LinkColumns columns = graph.columns();
  std::size_t used = 0;
  for (const auto& [name, of] : kLinkColumns) {
    if (!changes.contains(name)) continue;
    columns.*of = figures(changes[name], name, static_cast<std::size_t>(graph.link_count()));
    ++used;
  }
  if (used < changes.size() || !args.empty())
    return make_graph(changed("Graph", graph_keywords(self), args, changes));
  Graph with = graph.with(std::move(columns));
  look_at(with);
  return with;
}

void register_graph_type(py::module_& m) {
  auto type =
      columnar<Graph>(m, "Graph",
                      "Nodes and directed links, validated once; links are columns, one entry a link, and "
                      "arrays are read-only\n"
                      "views. Nodes and links go by their positions. Copies share memory.",
                      R"(clm.network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9, latency_s=0.01))",
                      graph_fields(), 1, &make_graph, &graph_keywords);
  type.def_static(
      "from_network", [](const network::Network& network) { return Graph(network); }, py::arg("network"),
      "from_network(network: Network) -> Graph\n\nThe graph of a network; its endpoints are left.");
  type.def("to_network", &Graph::network,
           "to_network(self) -> Network\n\nThe same as lists of Node and Link, without endpoints.");
  property(type, "nodes", "nodes(self) -> Nodes", &shared,
           "the nodes; one object for graphs that share them");
  property(type, "link_count", "link_count(self) -> int", &Graph::link_count, "number of links");
  column(
      type, "from_", [](const Graph& g) -> auto& { return g.topology().from; },
      "position of the sender [links]");
  column(
      type, "to", [](const Graph& g) -> auto& { return g.topology().to; },
      "position of the receiver [links]");
  for (const auto& [name, of] : kLinkColumns) {
    const FieldInfo info = link_field(name);
    column(
        type, name, [of = of](const Graph& g) -> auto& { return g.columns().*of; },
        doc_of(info.doc + " [links]", info.unit));
  }
  column(
      type, "out_begin", [](const Graph& g) -> auto& { return g.topology().out.begin; },
      "where each node's links begin in `out_link` [nodes + 1]");
  column(
      type, "out_link", [](const Graph& g) -> auto& { return g.topology().out.link; },
      "links by sender, of one sender in their order [links]");
  column(
      type, "in_begin", [](const Graph& g) -> auto& { return g.topology().in.begin; },
      "where each node's links begin in `in_link` [nodes + 1]");
  column(
      type, "in_link", [](const Graph& g) -> auto& { return g.topology().in.link; },
      "links by receiver, of one receiver in their order [links]");
  column(
      type, "group_of", [](const Graph& g) -> auto& { return g.groups().of; },
      "position in `groups`, -1 for none [links]");
  property(
      type, "groups", "groups(self) -> tuple[str, ...]",
      [](const Graph& g) { return py::tuple(py::cast(g.groups().groups)); }, "names of groups of links");
  method<Graph>(
      type, "link", {"position"},
      [](const Graph& self, const py::dict& given) {
        const std::int64_t position = FromPython<std::int64_t>::get(given["position"], "position");
        if (position < 0 || position >= self.link_count()) {
          throw py::index_error("link " + std::to_string(position) + " is not in [0, " +
                                std::to_string(self.link_count()) + ")");
        }
        return self.link(static_cast<std::int32_t>(position));
      },
      "link(self, position: int) -> Link\n\nOne link as a value.");
  method<Graph>(
      type, "link_between", {"from_", "to"},
      [](const Graph& self, const py::dict& given) -> std::optional<std::int32_t> {
        const auto end = [&](const char* name) {
          return self.node(FromPython<std::string>::get(given[name], name), name);
        };
        const std::int32_t link = network::link_between(self.topology(), end("from_"), end("to"));
        return link == network::kNoLink ? std::nullopt : std::optional(link);
      },
      "link_between(self, from_: str, to: str) -> int | None\n\nPosition of the link from one node to "
      "another, or "
      "None.");
  type.def("replace", &replaced,
           "replace(self, **changes: typing.Any) -> Graph\n\nA copy with some fields changed; what is not "
           "changed is shared.");
  type.def(
      "to_dict", [](const Graph& self) { return py::cast(self.network()).attr("to_dict")(); },
      "to_dict(self) -> dict[str, typing.Any]\n\nThe content of `to_network()` in plain values.");
  type.def(
      "__repr__", [](const Graph& self) { return "Graph(" + text_of(self) + ")"; }, "__repr__(self) -> str");
}

}  // namespace

NodesHolder nodes_from(const py::object& value) {
  if (py::isinstance<NodeTable>(value)) return value.cast<NodesHolder>();
  if (!py::isinstance<py::sequence>(value) || py::isinstance<py::str>(value))
    throw py::type_error("nodes: expected a sequence of Node or ids, got " + shown(value));
  std::vector<network::Node> nodes;
  for (const py::handle item : py::iter(value)) {
    const std::string where = "nodes[" + std::to_string(nodes.size()) + "]";
    network::Node node;
    if (py::isinstance<py::str>(item))
      node.id = FromPython<std::string>::get(item, where);
    else
      node = FromPython<network::Node>::get(item, where);
    nodes.push_back(std::move(node));
  }
  return std::make_shared<NodeTable>(std::move(nodes));
}

std::string text_of(const Graph& graph) {
  return std::to_string(graph.node_count()) + " nodes, " + std::to_string(graph.link_count()) + " links";
}

void register_graph(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  register_nodes(m);
  register_graph_type(m);
}

}  // namespace constellm::bindings
