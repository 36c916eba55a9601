#include "columnar.hpp"
#include "constellm/network/timeline.hpp"
#include "register.hpp"

namespace constellm::bindings {
namespace {

using network::Contacts;
using network::Graph;
using network::Snapshot;
using network::Timeline;

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

Infos snapshot_fields() {
  const py::float_ endless(core::kEndless);
  return {
      {.name = "t_s",
       .type = "float",
       .doc = "from when on it holds",
       .unit = "s",
       .range = network::kStart.text},
      {.name = "graph", .type = "Graph", .doc = "its nodes and links"},
      {.name = "valid_s",
       .type = "float",
       .doc = "how long it holds",
       .unit = "s",
       .range = network::kValidity.text,
       .required = false,
       .initial = endless},
      {.name = "lifetime_s",
       .type = "numpy.typing.ArrayLike | None",
       .doc = "how much longer each link lives, from t_s on; inf where no end is known; None: nothing is",
       .unit = "s",
       .range = network::kLifetime.text,
       .required = false},
  };
}

Snapshot make_snapshot(const py::dict& given) {
  const Graph graph = FromPython<Graph>::get(given["graph"], "graph");
  std::vector<double> lifetimes;
  if (const py::object lifetime_s = given["lifetime_s"]; !lifetime_s.is_none())
    lifetimes = figures(lifetime_s, "lifetime_s", static_cast<std::size_t>(graph.link_count()));
  return {FromPython<double>::get(given["t_s"], "t_s"), graph,
          FromPython<double>::get(given["valid_s"], "valid_s"), std::move(lifetimes)};
}

void register_snapshot(py::module_& m) {
  const Infos fields = snapshot_fields();
  auto type = columnar<Snapshot>(
      m, "Snapshot", "The graph that holds over [t_s, t_s + valid_s).",
      R"(clm.network.Snapshot(0.0, clm.network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9), valid_s=60.0))",
      fields, 2, &make_snapshot, &snapshot_keywords);
  const auto doc = [&](std::size_t i) { return doc_of(fields[i].doc, fields[i].unit); };
  property(type, "t_s", "t_s(self) -> float", &Snapshot::t_s, doc(0));
  property(type, "graph", "graph(self) -> Graph", &Snapshot::graph, doc(1));
  property(type, "valid_s", "valid_s(self) -> float", &Snapshot::valid_s, doc(2));
  property(type, "lifetime_s", "lifetime_s(self) -> numpy.typing.NDArray[numpy.float64] | None", &lifetimes,
           doc(3));
  type.def(
      "replace",
      [](const py::object& self, const py::args& args, const py::kwargs& changes) {
        return make_snapshot(changed("Snapshot", snapshot_keywords(self), args, changes));
      },
      "replace(self, **changes: typing.Any) -> Snapshot\n\nA copy with some fields changed.");
  type.def(
      "to_dict",
      [](const py::object& self) {
        py::dict plain = snapshot_keywords(self);
        plain["graph"] = self.attr("graph").attr("to_dict")();
        if (!plain["lifetime_s"].is_none()) plain["lifetime_s"] = plain["lifetime_s"].attr("tolist")();
        return plain;
      },
      "to_dict(self) -> dict[str, typing.Any]\n\nThe fields as plain Python values.");
  type.def(
      "__repr__",
      [](const Snapshot& self) {
        return "Snapshot(t_s=" + core::to_text(self.t_s()) + ", valid_s=" + core::to_text(self.valid_s()) +
               ": " + text_of(self.graph()) + ")";
      },
      "__repr__(self) -> str");
}

void register_contacts(py::module_& m) {
  py::class_<Contacts> type(
      m, "Contacts", "When links exist, in the order of opening, then of sender and receiver; columns.");
  type.def("__len__", [](const Contacts& self) { return self.from.size(); }, "__len__(self) -> int");
  column(
      type, "from_", [](const Contacts& c) -> auto& { return c.from; }, "position of the sender [contacts]");
  column(type, "to", [](const Contacts& c) -> auto& { return c.to; }, "position of the receiver [contacts]");
  column(type, "open_s", [](const Contacts& c) -> auto& { return c.open_s; }, "[contacts] [s]");
  column(type, "close_s", [](const Contacts& c) -> auto& { return c.close_s; }, "[contacts] [s]");
  equality<Contacts>(type);
  type.def(
      "__repr__", [](const Contacts& self) { return "Contacts(" + std::to_string(self.from.size()) + ")"; },
      "__repr__(self) -> str");
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

Infos timeline_fields() {
  return {
      {.name = "t_s",
       .type = kArray,
       .doc = "from when on each graph holds; rises",
       .unit = "s",
       .range = core::kReal.text},
      {.name = "graphs",
       .type = "collections.abc.Sequence[Graph]",
       .doc = "of equal nodes, which they share from then on"},
      {.name = "end_s",
       .type = "float",
       .doc = "until when the last one holds",
       .unit = "s",
       .range = "(t_s[-1], inf]",
       .required = false,
       .initial = py::float_(core::kEndless)},
  };
}

Timeline make_timeline(const py::dict& given) {
  std::vector<Graph> graphs = FromPython<std::vector<Graph>>::get(given["graphs"], "graphs");
  std::vector<double> t_s = figures(given["t_s"], "t_s", graphs.size());
  return {std::move(t_s), std::move(graphs), FromPython<double>::get(given["end_s"], "end_s")};
}

void register_timeline(py::module_& m) {
  const Infos fields = timeline_fields();
  auto type = columnar<Timeline>(
      m, "Timeline",
      "Graphs of the same nodes, one after the other: a sequence of Snapshot. Graph i holds from t_s[i] "
      "until\n"
      "the next, the last until end_s. A link's lifetime is what is left of its contact; where the "
      "timeline's\n"
      "end cuts that off, no end is known.",
      R"(clm.network.Timeline([0.0], [clm.network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9)], end_s=60.0))",
      fields, 2, &make_timeline, &timeline_keywords);
  type.def("__len__", &Timeline::size, "__len__(self) -> int");
  type.def(
      "__getitem__",
      [](const Timeline& self, const py::object& position) {
        return self[place(position, self.size(), "snapshot")];
      },
      "__getitem__(self, position: int) -> Snapshot");
  method<Timeline>(
      type, "at", {"t_s"},
      [](const Timeline& self, const py::dict& given) {
        return self.at(FromPython<double>::get(given["t_s"], "t_s"));
      },
      "at(self, t_s: float) -> Snapshot\n\nThe one that holds at `t_s` [s]; ValueError outside.");
  method<Timeline>(
      type, "next_change", {"t_s"},
      [](const Timeline& self, const py::dict& given) {
        return self.next_change(FromPython<double>::get(given["t_s"], "t_s"));
      },
      "next_change(self, t_s: float) -> float\n\nThe first moment after `t_s` at which another snapshot "
      "holds [s]; "
      "inf in the last one.");
  column(
      type, "t_s", [](const Timeline& t) -> auto& { return t.t_s(); },
      doc_of("from when on each graph holds [snapshots]", fields[0].unit));
  property(type, "end_s", "end_s(self) -> float", &Timeline::end_s, doc_of(fields[2].doc, fields[2].unit));
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
  type.def(
      "replace",
      [](const py::object& self, const py::args& args, const py::kwargs& changes) {
        return make_timeline(changed("Timeline", timeline_keywords(self), args, changes));
      },
      "replace(self, **changes: typing.Any) -> Timeline\n\nA copy with some fields changed.");
  type.def(
      "to_dict",
      [](const py::object& self) {
        py::dict plain = timeline_keywords(self);
        plain["t_s"] = plain["t_s"].attr("tolist")();
        plain["graphs"] = to_plain(plain["graphs"]);
        return plain;
      },
      "to_dict(self) -> dict[str, typing.Any]\n\nThe fields as plain Python values.");
  type.def(
      "__repr__",
      [](const Timeline& self) {
        return "Timeline(" + std::to_string(self.size()) + " snapshots from " +
               core::to_text(self.t_s().front()) + " s to " + core::to_text(self.end_s()) + " s, " +
               std::to_string(self.contacts().from.size()) + " contacts)";
      },
      "__repr__(self) -> str");
}

}  // namespace

void register_timelines(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  register_snapshot(m);
  register_contacts(m);
  register_timeline(m);
}

}  // namespace constellm::bindings
