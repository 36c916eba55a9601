#include <limits>
#include <optional>
#include <vector>

#include "columnar.hpp"
#include "constellm/network/contact_plan.hpp"
#include "constellm/network/earliest_arrival.hpp"
#include "register.hpp"

namespace constellm::bindings {
namespace {

using network::ContactColumns;
using network::ContactPlan;
using network::Timeline;

struct FigureColumn {
  const char* name;
  std::vector<double> ContactColumns::* of;
};
constexpr FigureColumn kFigures[] = {
    {"open_s", &ContactColumns::open_s},
    {"close_s", &ContactColumns::close_s},
    {"rate_bps", &ContactColumns::rate_bps},
    {"owlt_s", &ContactColumns::owlt_s},
};

Infos plan_fields() {
  return {
      {.name = "nodes",
       .type = "Nodes | collections.abc.Sequence[Node | str]",
       .doc = "a text is the id of a node that relays; the `nodes` of a graph are shared"},
      {.name = "from_", .type = kArray, .doc = "position of the sender of each contact"},
      {.name = "to", .type = kArray, .doc = "position of the receiver of each contact"},
      {.name = "open_s",
       .type = kArray,
       .doc = "from when on it sends; one for all contacts, or one each",
       .unit = "s",
       .range = network::kOpening.text},
      {.name = "close_s",
       .type = kArray,
       .doc = "until when; a contact that closes as it opens carries nothing",
       .unit = "s",
       .range = "[open_s, inf]"},
      {.name = "rate_bps",
       .type = kArray,
       .doc = "bits that it sends in a second",
       .unit = "bit/s",
       .range = network::kContactRate.text},
      {.name = "owlt_s",
       .type = kArray,
       .doc = "one-way light time: how long a bit is under way",
       .unit = "s",
       .range = network::kLightTime.text,
       .required = false,
       .initial = py::float_(0.0)},
      {.name = "epoch",
       .type = "str | None",
       .doc = "moment of time 0 in UTC, as 2026-03-01T12:00:00Z",
       .required = false},
  };
}

std::string epoch_from(const py::object& value) {
  const auto epoch = FromPython<std::optional<std::string>>::get(value, "epoch");
  if (epoch && epoch->empty()) throw core::InvalidInput("epoch: must not be empty");
  return epoch.value_or("");
}

ContactPlan make_plan(const py::dict& given) {
  const NodesHolder table = nodes_from(given["nodes"]);
  const std::size_t nodes = table->nodes().size();
  ContactColumns columns;
  columns.from = positions(given["from_"], "from_", nodes);
  columns.to = positions(given["to"], "to", nodes);
  for (const auto& [name, of] : kFigures) columns.*of = figures(given[name], name, columns.from.size());
  return {table, std::move(columns), epoch_from(given["epoch"])};
}

py::object epoch_of(const ContactPlan& plan) {
  return plan.epoch().empty() ? py::object(py::none()) : py::object(py::str(plan.epoch()));
}

NodesHolder shared(const ContactPlan& plan) {
  return std::const_pointer_cast<network::NodeTable>(plan.node_table());
}

py::dict plan_keywords(const py::object& self) {
  py::dict keywords;
  for (const char* name : {"nodes", "from_", "to", "open_s", "close_s", "rate_bps", "owlt_s", "epoch"})
    keywords[name] = self.attr(name);
  return keywords;
}

void register_plan_type(py::module_& m) {
  const Infos fields = plan_fields();
  auto type = columnar<ContactPlan>(
      m, "ContactPlan",
      "Who can send to whom, from when to when, at what rate, and how long a bit is under way: contacts as\n"
      "columns, validated once; arrays are read-only views. Nodes and contacts go by their positions.\n"
      "Contacts of one pair may overlap: they are channels side by side, and a message takes one of them.",
      R"(clm.network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=60.0, rate_bps=1e6, owlt_s=0.01))",
      fields, 1, &make_plan, &plan_keywords);
  type.def_static(
      "from_timeline",
      [](const Timeline& timeline, const py::object& epoch) {
        return ContactPlan::from_timeline(timeline, epoch_from(epoch));
      },
      py::arg("timeline"), py::kw_only(), py::arg("epoch") = py::none(),
      "from_timeline(timeline: Timeline, *, epoch: str | None = None) -> ContactPlan\n\n"
      "One contact for each of the timeline's `contacts`. It has the least rate that its link has while it "
      "is\nopen, and the longest of latency and overhead together, so that the timeline keeps what the plan "
      "promises.");
  type.def("__len__", &ContactPlan::size, "__len__(self) -> int");
  property(type, "nodes", "nodes(self) -> Nodes", &shared,
           "the nodes; one object for plans and graphs that share them");
  column(
      type, "from_", [](const ContactPlan& p) -> auto& { return p.columns().from; },
      "position of the sender [contacts]");
  column(
      type, "to", [](const ContactPlan& p) -> auto& { return p.columns().to; },
      "position of the receiver [contacts]");
  for (const auto& [name, of] : kFigures) {
    std::size_t i = 0;
    while (fields[i].name != name) ++i;
    column(
        type, name, [of = of](const ContactPlan& p) -> auto& { return p.columns().*of; },
        doc_of(fields[i].doc.substr(0, fields[i].doc.find(';')) + " [contacts]", fields[i].unit));
  }
  column(
      type, "volume_bytes", [](const ContactPlan& p) -> auto& { return p.volume_bytes(); },
      "what each contact carries at most: rate times duration [contacts] [B]");
  property(type, "epoch", "epoch(self) -> str | None", &epoch_of, fields[7].doc);
  method<ContactPlan>(
      type, "at", {"t_s"},
      [](const ContactPlan& self, const py::dict& given) {
        return self.at(FromPython<double>::get(given["t_s"], "t_s"));
      },
      "at(self, t_s: float) -> Snapshot\n\nThe links of the contacts that are open at `t_s` [s], in [open_s, "
      "close_s), until the next one\nopens or closes. Channels side by side are one link: their rates add "
      "up, its latency is the longest of\ntheirs.");
  type.def(
      "replace",
      [](const py::object& self, const py::args& args, const py::kwargs& changes) {
        return make_plan(changed("ContactPlan", plan_keywords(self), args, changes));
      },
      "replace(self, **changes: typing.Any) -> ContactPlan\n\nA copy with some fields changed.");
  type.def(
      "to_dict",
      [](const py::object& self) {
        py::dict plain = plan_keywords(self);
        plain["nodes"] = to_plain(py::list(plain["nodes"]));
        for (const auto& [name, value] : plain) {
          if (py::hasattr(value, "tolist")) plain[name] = value.attr("tolist")();
        }
        return plain;
      },
      "to_dict(self) -> dict[str, typing.Any]\n\nThe fields as plain Python values.");
  type.def(
      "__repr__",
      [](const ContactPlan& self) {
        const std::string since = self.epoch().empty() ? "" : ", time 0 is " + self.epoch();
        return "ContactPlan(" + std::to_string(self.node_count()) + " nodes, " + std::to_string(self.size()) +
               " contacts" + since + ")";
      },
      "__repr__(self) -> str");
}

// --- earliest arrival ----------------------------------------------------------------------------

py::tuple earliest_arrivals(const ContactPlan& plan, const py::object& sources, const py::object& t_s,
                            const py::object& size_bytes, int threads) {
  const std::vector<std::int32_t> from = positions(sources, "sources", plan.node_count());
  std::vector<double> starts = figures(t_s, "t_s", from.size());
  std::vector<double> sizes = figures(size_bytes, "size_bytes", from.size());
  core::check_range({}, "t_s", network::kStart, starts);
  core::check_range({}, "size_bytes", core::kNonNegative, sizes);
  std::vector<network::Message> messages;
  for (std::size_t i = 0; i < from.size(); ++i) messages.push_back({from[i], starts[i], sizes[i]});
  core::StopToken stop(std::numeric_limits<double>::infinity(), [] {
    const py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
  });
  std::optional<network::Arrivals> arrivals;
  {
    const py::gil_scoped_release no_gil;
    arrivals = network::earliest_arrivals(plan, messages, threads, stop);
  }
  if (!arrivals) throw py::error_already_set();
  const auto rows = static_cast<py::ssize_t>(from.size());
  const std::vector<py::ssize_t> shape{rows, static_cast<py::ssize_t>(plan.node_count())};
  return py::make_tuple(moved(std::move(starts), {rows}), moved(std::move(sizes), {rows}),
                        moved(std::move(arrivals->arrival_s), shape),
                        moved(std::move(arrivals->hops), shape));
}

py::object earliest_route(const ContactPlan& plan, std::int32_t source, double t_s, double size_bytes,
                          std::int32_t target) {
  const auto hops = network::earliest_route(plan, {source, t_s, size_bytes}, target);
  if (!hops) return py::none();
  std::vector<std::int32_t> contact;
  std::vector<double> start_s;
  std::vector<double> end_s;
  std::vector<double> arrival_s;
  for (const network::Hop& hop : *hops) {
    contact.push_back(hop.transmission.contact);
    start_s.push_back(hop.transmission.start_s);
    end_s.push_back(hop.transmission.end_s);
    arrival_s.push_back(hop.arrival_s);
  }
  const auto count = static_cast<py::ssize_t>(hops->size());
  return py::make_tuple(moved(std::move(contact), {count}), moved(std::move(start_s), {count}),
                        moved(std::move(end_s), {count}), moved(std::move(arrival_s), {count}));
}

ContactPlan booked(const ContactPlan& plan, const py::object& contacts, const py::object& start_s,
                   const py::object& end_s) {
  const std::vector<std::int32_t> which = positions(contacts, "contacts", plan.size());
  const std::vector<double> starts = figures(start_s, "start_s", which.size());
  const std::vector<double> ends = figures(end_s, "end_s", which.size());
  std::vector<network::Transmission> transmissions;
  for (std::size_t i = 0; i < which.size(); ++i) transmissions.push_back({which[i], starts[i], ends[i]});
  return plan.booked(transmissions);
}

}  // namespace

void register_contact_plan(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  register_plan_type(m);
  m.def("earliest_arrivals", &earliest_arrivals, py::arg("plan"), py::arg("sources"), py::arg("t_s"),
        py::arg("size_bytes"), py::arg("threads"),
        "earliest_arrivals(plan: ContactPlan, sources: numpy.typing.ArrayLike, t_s: numpy.typing.ArrayLike, "
        "size_bytes: numpy.typing.ArrayLike, threads: int) -> tuple[numpy.typing.NDArray[numpy.float64], "
        "numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], "
        "numpy.typing.NDArray[numpy.int32]]\n\n"
        "Start and size of each message (sources,), arrivals and hops (sources, nodes).");
  m.def("earliest_route", &earliest_route, py::arg("plan"), py::arg("source"), py::arg("t_s"),
        py::arg("size_bytes"), py::arg("target"),
        "earliest_route(plan: ContactPlan, source: int, t_s: float, size_bytes: float, target: int) -> "
        "tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64], "
        "numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]] | None\n\n"
        "Contact, start and end of sending, and arrival of each hop (hops,).");
  m.def("booked", &booked, py::arg("plan"), py::arg("contacts"), py::arg("start_s"), py::arg("end_s"),
        "booked(plan: ContactPlan, contacts: numpy.typing.ArrayLike, start_s: numpy.typing.ArrayLike, end_s: "
        "numpy.typing.ArrayLike) -> ContactPlan\n\n"
        "The plan without the time of these transmissions.");
}

}  // namespace constellm::bindings
