#include <limits>
#include <memory>
#include <unordered_map>

#include "columns.hpp"
#include "constellm/network/routing.hpp"
#include "constellm/network/timeline.hpp"
#include "register.hpp"

namespace constellm::bindings {
namespace {

using network::Contacts;
using network::Graph;
using network::NodeTable;
using network::Snapshot;
using network::Timeline;

constexpr const char* kFloats = "(self) -> numpy.typing.NDArray[numpy.float64]";
constexpr const char* kIntegers = "(self) -> numpy.typing.NDArray[numpy.int32]";

/// A property that shows a column of T without a copy.
template <class T, class Column>
void column(py::class_<T>& type, const std::string& name, Column of, const char* doc) {
  using Item = typename std::remove_cvref_t<std::invoke_result_t<Column, const T&>>::value_type;
  const std::string annotated = name + (std::is_same_v<Item, double> ? kFloats : kIntegers);
  const auto getter = [of](const py::object& self) { return view(of(self.cast<const T&>()), self); };
  type.def_property_readonly(name.c_str(), py::cpp_function(getter, annotated.c_str()), doc);
}

template <class Type, class Getter>
void property(Type& type, const char* name, const char* annotated, Getter getter, const char* doc) {
  type.def_property_readonly(name, py::cpp_function(getter, annotated), doc);
}

template <class T, class Type>
void equality(Type& type) {
  type.def(
      "__eq__",
      [](const T& self, const py::object& other) {
        return py::isinstance<T>(other) && self == other.cast<const T&>();
      },
      "__eq__(self, other: object) -> bool");
  type.attr("__hash__") = py::none();  // equal by value
}

/// Pickles a T as the keywords of its constructor.
template <class T>
void pickle(py::class_<T>& type, const char* name, py::dict (*keywords_of)(const py::object&)) {
  type.def(py::pickle([keywords_of](const py::object& self)
                          -> py::object { return py::make_tuple(kPickleVersion, keywords_of(self)); },
                      [name](const py::object& state) {
                        return py::type::of<T>()(**state_of(name, state)).template cast<T>();
                      }));
}

// --- nodes -----------------------------------------------------------------------------------

using NodesHolder = std::shared_ptr<NodeTable>;

NodesHolder shared(const Graph& graph) { return std::const_pointer_cast<NodeTable>(graph.node_table()); }

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

std::string nodes_repr(const NodeTable& table) {
  const auto& nodes = table.nodes();
  std::string text = "Nodes(" + std::to_string(nodes.size()) + ": '" + nodes.front().id + "'";
  if (nodes.size() > 1) text += " … '" + nodes.back().id + "'";
  return text + ")";
}

void register_nodes(py::module_& m) {
  py::class_<NodeTable, NodesHolder> type(
      m, "Nodes",
      "The nodes of a graph, in order: a sequence of Node. Graphs of one constellation share it.");
  type.def(py::init(&nodes_from), py::arg("nodes"),
           "__init__(self, nodes: collections.abc.Sequence[Node | str]) -> None\n\nA text is the id of a "
           "node that "
           "relays.");
  type.def("__len__", [](const NodeTable& self) { return self.nodes().size(); }, "__len__(self) -> int");
  type.def(
      "__getitem__",
      [](const NodeTable& self, py::ssize_t i) -> const network::Node& {
        const auto size = static_cast<py::ssize_t>(self.nodes().size());
        if (i < -size || i >= size) {
          throw py::index_error("node " + std::to_string(i) + " is not in [" + std::to_string(-size) + ", " +
                                std::to_string(size) + ")");
        }
        return self.nodes()[static_cast<std::size_t>(i < 0 ? i + size : i)];
      },
      py::return_value_policy::reference_internal, "__getitem__(self, position: int) -> Node");
  type.def(
      "__iter__",
      [](const NodeTable& self) { return py::make_iterator(self.nodes().begin(), self.nodes().end()); },
      py::keep_alive<0, 1>(), "__iter__(self) -> collections.abc.Iterator[Node]");
  type.def(
      "position",
      [](const NodeTable& self, const std::string& id) {
        const std::int32_t position = self.find(id);
        if (position < 0) throw core::InvalidInput("id: no node has id '" + id + "'");
        return position;
      },
      py::arg("id"),
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

Graph make_graph(const py::object& nodes, const py::object& from, const py::object& to,
                 const py::object& rate_bps, const py::object& latency_s, const py::object& overhead_s,
                 const py::object& group) {
  const NodesHolder table = nodes_from(nodes);
  const std::size_t count = table->nodes().size();
  std::vector<std::int32_t> senders = positions(from, "from_", count);
  const std::size_t links = senders.size();
  network::LinkColumns columns{figures(rate_bps, "rate_bps", links), figures(latency_s, "latency_s", links),
                               figures(overhead_s, "overhead_s", links)};
  network::LinkGroups groups = groups_from(group, links);
  return {table, std::move(senders), positions(to, "to", count), std::move(columns), std::move(groups)};
}

py::dict graph_keywords(const py::object& self) {
  const Graph& graph = self.cast<const Graph&>();
  py::list group;
  for (std::int32_t i = 0; i < graph.link_count(); ++i) group.append(graph.link_group(i));
  py::dict keywords;
  keywords["nodes"] = shared(graph);
  for (const char* name : {"from_", "to", "rate_bps", "latency_s", "overhead_s"})
    keywords[name] = self.attr(name);
  keywords["group"] = graph.groups().groups.empty() ? py::object(py::none()) : group;
  return keywords;
}

py::object replaced(const py::object& self, const py::kwargs& changes) {
  const Graph& graph = self.cast<const Graph&>();
  network::LinkColumns columns = graph.columns();
  const auto links = static_cast<std::size_t>(graph.link_count());
  bool only_figures = true;
  for (const auto& [key, value] : changes) {
    const std::string name = FromPython<std::string>::get(key, "keyword");
    std::vector<double>* column = name == "rate_bps"     ? &columns.rate_bps
                                  : name == "latency_s"  ? &columns.latency_s
                                  : name == "overhead_s" ? &columns.overhead_s
                                                         : nullptr;
    only_figures = only_figures && column != nullptr;
    if (column != nullptr && only_figures)
      *column = figures(py::reinterpret_borrow<py::object>(value), name.c_str(), links);
  }
  if (only_figures) return py::cast(graph.with(std::move(columns)));
  py::dict keywords = graph_keywords(self);
  for (const auto& [key, value] : changes) keywords[key] = value;
  return py::type::of<Graph>()(**keywords);
}

std::string graph_text(const Graph& graph) {
  return std::to_string(graph.node_count()) + " nodes, " + std::to_string(graph.link_count()) + " links";
}

void register_graph_type(py::module_& m) {
  py::class_<Graph> type(m, "Graph",
                         "Nodes and directed links, validated once; links are columns, one entry a link, and "
                         "arrays are read-only\n"
                         "views. Nodes and links go by their positions. Copies share memory.");
  type.def(
      py::init(&make_graph), py::arg("nodes"), py::kw_only(), py::arg("from_"), py::arg("to"),
      py::arg("rate_bps"), py::arg("latency_s") = 0.0, py::arg("overhead_s") = 0.0,
      py::arg("group") = py::none(),
      "__init__(self, nodes: Nodes | collections.abc.Sequence[Node | str], *, from_: numpy.typing.ArrayLike, "
      "to: numpy.typing.ArrayLike, rate_bps: numpy.typing.ArrayLike, latency_s: numpy.typing.ArrayLike = "
      "0.0, "
      "overhead_s: numpy.typing.ArrayLike = 0.0, group: str | collections.abc.Sequence[str | None] | None = "
      "None) -> None\n\n"
      "Parameters\n----------\n"
      "nodes : Nodes, or sequence of Node or str\n"
      "    A text is the id of a node that relays. Give another graph's `nodes` to share them.\n"
      "from_, to : array_like of int, shape (links,)\n"
      "    Positions of senders and receivers; at most one link from one node to another.\n"
      "rate_bps, latency_s, overhead_s : array_like, scalar or shape (links,)\n"
      "    As in `Link` [bit/s], [s], [s].\n"
      "group : str, or sequence of str or None, optional\n"
      "    One name for all links, or one each.\n\n"
      "Raises\n------\nValueError, TypeError\n    Names the field, the entry, the value and the range.");
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
  column(type, "rate_bps", [](const Graph& g) -> auto& { return g.columns().rate_bps; }, "[links], bit/s");
  column(
      type, "latency_s", [](const Graph& g) -> auto& { return g.columns().latency_s; },
      "propagation; occupies nothing [links], s");
  column(
      type, "overhead_s", [](const Graph& g) -> auto& { return g.columns().overhead_s; },
      "fixed per message; occupies the link [links], s");
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
  type.def(
      "link",
      [](const Graph& self, std::int64_t position) {
        if (position < 0 || position >= self.link_count()) {
          throw py::index_error("link " + std::to_string(position) + " is not in [0, " +
                                std::to_string(self.link_count()) + ")");
        }
        return self.link(static_cast<std::int32_t>(position));
      },
      py::arg("position"), "link(self, position: int) -> Link\n\nOne link as a value.");
  type.def(
      "link_between",
      [](const Graph& self, const std::string& from, const std::string& to) -> std::optional<std::int32_t> {
        const std::int32_t link =
            network::link_between(self.topology(), self.node(from, "from_"), self.node(to, "to"));
        return link == network::kNoLink ? std::nullopt : std::optional(link);
      },
      py::arg("from_"), py::arg("to"),
      "link_between(self, from_: str, to: str) -> int | None\n\nPosition of the link from one node to "
      "another, or "
      "None.");
  type.def("replace", &replaced,
           "replace(self, **changes: typing.Any) -> Graph\n\nA copy with some of the constructor's arguments "
           "changed; what is not changed is shared.");
  type.def(
      "to_dict", [](const Graph& self) { return py::cast(self.network()).attr("to_dict")(); },
      "to_dict(self) -> dict[str, typing.Any]\n\nThe content of `to_network()` in plain values.");
  equality<Graph>(type);
  type.def(
      "__repr__", [](const Graph& self) { return "Graph(" + graph_text(self) + ")"; },
      "__repr__(self) -> str");
  pickle<Graph>(type, "Graph", &graph_keywords);
}

// --- snapshot and timeline ---------------------------------------------------------------------

py::object lifetimes(const py::object& self) {
  const Snapshot& snapshot = self.cast<const Snapshot&>();
  if (snapshot.lifetime_s().empty() && snapshot.graph().link_count() > 0) return py::none();
  return view(snapshot.lifetime_s(), self);
}

py::dict snapshot_keywords(const py::object& self) {
  py::dict keywords;
  for (const char* name : {"t_s", "graph", "valid_s", "lifetime_s"}) keywords[name] = self.attr(name);
  return keywords;
}

void register_snapshot(py::module_& m) {
  py::class_<Snapshot> type(m, "Snapshot", "The graph that holds over [t_s, t_s + valid_s).");
  type.def(py::init([](const py::object& t_s, const Graph& graph, const py::object& valid_s,
                       const py::object& lifetime_s) {
             std::vector<double> lifetimes;
             if (!lifetime_s.is_none())
               lifetimes = figures(lifetime_s, "lifetime_s", static_cast<std::size_t>(graph.link_count()));
             return Snapshot(FromPython<double>::get(t_s, "t_s"), graph,
                             FromPython<double>::get(valid_s, "valid_s"), std::move(lifetimes));
           }),
           py::arg("t_s"), py::arg("graph"), py::kw_only(),
           py::arg("valid_s") = std::numeric_limits<double>::infinity(), py::arg("lifetime_s") = py::none(),
           "__init__(self, t_s: float, graph: Graph, *, valid_s: float = math.inf, lifetime_s: "
           "numpy.typing.ArrayLike | None = None) -> None\n\n"
           "`t_s` and `valid_s` in seconds; `lifetime_s`, shape (links,), as the property.");
  property(type, "t_s", "t_s(self) -> float", &Snapshot::t_s, "from when on it holds [s]");
  property(type, "valid_s", "valid_s(self) -> float", &Snapshot::valid_s,
           "how long it holds, may be inf [s]");
  property(type, "graph", "graph(self) -> Graph", &Snapshot::graph, "its nodes and links");
  property(
      type, "lifetime_s", "lifetime_s(self) -> numpy.typing.NDArray[numpy.float64] | None", &lifetimes,
      "how much longer each link lives, from t_s on; inf where no end is known; None: nothing is [links], s");
  type.def(
      "replace",
      [](const py::object& self, const py::kwargs& changes) {
        py::dict keywords = snapshot_keywords(self);
        for (const auto& [key, value] : changes) keywords[key] = value;
        return py::type::of<Snapshot>()(**keywords);
      },
      "replace(self, **changes: typing.Any) -> Snapshot\n\nA copy with some of the constructor's arguments "
      "changed.");
  type.def(
      "to_dict",
      [](const py::object& self) {
        py::dict plain = snapshot_keywords(self);
        plain["graph"] = self.attr("graph").attr("to_dict")();
        if (!plain["lifetime_s"].is_none()) plain["lifetime_s"] = plain["lifetime_s"].attr("tolist")();
        return plain;
      },
      "to_dict(self) -> dict[str, typing.Any]\n\nIts values in plain Python.");
  equality<Snapshot>(type);
  type.def(
      "__repr__",
      [](const Snapshot& self) {
        return "Snapshot(t_s=" + core::to_text(self.t_s()) + ", valid_s=" + core::to_text(self.valid_s()) +
               ": " + graph_text(self.graph()) + ")";
      },
      "__repr__(self) -> str");
  pickle<Snapshot>(type, "Snapshot", &snapshot_keywords);
}

py::dict timeline_keywords(const py::object& self) {
  const Timeline& timeline = self.cast<const Timeline&>();
  py::list graphs;
  for (std::size_t i = 0; i < timeline.size(); ++i) graphs.append(py::cast(timeline[i].graph()));
  py::dict keywords;
  keywords["t_s"] = self.attr("t_s");
  keywords["graphs"] = graphs;
  keywords["end_s"] = timeline.end_s();
  return keywords;
}

void register_timeline(py::module_& m) {
  py::class_<Timeline> type(m, "Timeline",
                            "Graphs of the same nodes, one after the other: a sequence of Snapshot. Graph i "
                            "holds from t_s[i] until\n"
                            "the next, the last until end_s. A link's lifetime is what is left of its "
                            "contact; where the timeline's\n"
                            "end cuts that off, no end is known.");
  type.def(py::init([](const py::object& t_s, const std::vector<Graph>& graphs, const py::object& end_s) {
             return Timeline(figures(t_s, "t_s", graphs.size()), graphs,
                             FromPython<double>::get(end_s, "end_s"));
           }),
           py::arg("t_s"), py::arg("graphs"), py::kw_only(),
           py::arg("end_s") = std::numeric_limits<double>::infinity(),
           "__init__(self, t_s: numpy.typing.ArrayLike, graphs: collections.abc.Sequence[Graph], *, end_s: "
           "float = "
           "math.inf) -> None\n\n"
           "`t_s`, shape (graphs,), rises; graphs have equal nodes, and share them from then on.");
  type.def("__len__", &Timeline::size, "__len__(self) -> int");
  type.def(
      "__getitem__",
      [](const Timeline& self, py::ssize_t i) {
        const auto size = static_cast<py::ssize_t>(self.size());
        if (i < -size || i >= size) {
          throw py::index_error("snapshot " + std::to_string(i) + " is not in [" + std::to_string(-size) +
                                ", " + std::to_string(size) + ")");
        }
        return self[static_cast<std::size_t>(i < 0 ? i + size : i)];
      },
      "__getitem__(self, position: int) -> Snapshot");
  type.def(
      "at",
      [](const Timeline& self, const py::object& t_s) {
        return self.at(FromPython<double>::get(t_s, "t_s"));
      },
      py::arg("t_s"),
      "at(self, t_s: float) -> Snapshot\n\nThe one that holds at `t_s` [s]; ValueError outside.");
  type.def(
      "next_change",
      [](const Timeline& self, const py::object& t_s) {
        return self.next_change(FromPython<double>::get(t_s, "t_s"));
      },
      py::arg("t_s"),
      "next_change(self, t_s: float) -> float\n\nThe first moment after `t_s` at which another snapshot "
      "holds [s]; "
      "inf in the last one.");
  column(
      type, "t_s", [](const Timeline& t) -> auto& { return t.t_s(); },
      "from when on each holds [snapshots], s");
  property(type, "end_s", "end_s(self) -> float", &Timeline::end_s,
           "until when the last one holds, may be inf [s]");
  column(
      type, "opened", [](const Timeline& t) -> auto& { return t.opened(); },
      "links that are new at t_s; 0 at the first [snapshots]");
  column(
      type, "closed", [](const Timeline& t) -> auto& { return t.closed(); },
      "links that are gone at t_s; 0 at the first [snapshots]");
  type.def_property_readonly(
      "contacts",
      py::cpp_function(&Timeline::contacts, py::return_value_policy::reference_internal,
                       "contacts(self) -> Contacts"),
      "every unbroken stretch of every link, clipped to the timeline");
  equality<Timeline>(type);
  type.def(
      "__repr__",
      [](const Timeline& self) {
        return "Timeline(" + std::to_string(self.size()) + " snapshots from " +
               core::to_text(self.t_s().front()) + " s to " + core::to_text(self.end_s()) + " s, " +
               std::to_string(self.contacts().from.size()) + " contacts)";
      },
      "__repr__(self) -> str");
  pickle<Timeline>(type, "Timeline", &timeline_keywords);
}

void register_contacts(py::module_& m) {
  py::class_<Contacts> type(
      m, "Contacts", "When links exist, in the order of opening, then of sender and receiver; columns.");
  type.def("__len__", [](const Contacts& self) { return self.from.size(); }, "__len__(self) -> int");
  column(
      type, "from_", [](const Contacts& c) -> auto& { return c.from; }, "position of the sender [contacts]");
  column(type, "to", [](const Contacts& c) -> auto& { return c.to; }, "position of the receiver [contacts]");
  column(type, "open_s", [](const Contacts& c) -> auto& { return c.open_s; }, "[contacts], s");
  column(type, "close_s", [](const Contacts& c) -> auto& { return c.close_s; }, "[contacts], s");
  equality<Contacts>(type);
  type.def(
      "__repr__", [](const Contacts& self) { return "Contacts(" + std::to_string(self.from.size()) + ")"; },
      "__repr__(self) -> str");
}

// --- routing -----------------------------------------------------------------------------------

py::tuple shortest_paths(const Graph& graph, const py::object& sources, const py::object& weight,
                         int threads) {
  const auto nodes = static_cast<std::size_t>(graph.node_count());
  const std::vector<std::int32_t> from = positions(sources, "sources", nodes);
  const std::vector<double> weights = figures(weight, "weight", static_cast<std::size_t>(graph.link_count()));
  core::StopToken stop(std::numeric_limits<double>::infinity(), [] {
    const py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
  });
  std::optional<network::ShortestPaths> paths;
  {
    const py::gil_scoped_release no_gil;
    paths = network::shortest_paths(graph.topology(), weights, from, threads, stop);
  }
  if (!paths) throw py::error_already_set();
  const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(from.size()),
                                       static_cast<py::ssize_t>(nodes)};
  return py::make_tuple(moved(std::move(paths->cost), shape), moved(std::move(paths->link), shape));
}

}  // namespace

void register_graph(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  register_nodes(m);
  register_graph_type(m);
  register_snapshot(m);
  register_contacts(m);
  register_timeline(m);
  m.def("shortest_paths", &shortest_paths, py::arg("graph"), py::arg("sources"), py::arg("weight"),
        py::arg("threads"),
        "shortest_paths(graph: Graph, sources: numpy.typing.ArrayLike, weight: numpy.typing.ArrayLike, "
        "threads: int) "
        "-> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32]]\n\n"
        "Least costs and last links (sources, nodes).");
  m.def(
      "hops",
      [](const Graph& graph, std::int32_t start, bool backward) {
        const network::Topology& topology = graph.topology();
        return moved(network::hops(backward ? topology.in : topology.out, start), {graph.node_count()});
      },
      py::arg("graph"), py::arg("start"), py::arg("backward"),
      "hops(graph: Graph, start: int, backward: bool) -> numpy.typing.NDArray[numpy.int32]\n\n"
      "Hops from the node at this position, or to it (nodes,).");
}

}  // namespace constellm::bindings
