#include <cmath>
#include <limits>

#include "constellm/split/evaluate.hpp"
#include "constellm/split/naming.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {
namespace {

using split::Plan;
using split::Problem;

const char* const kProblemInit =
    "__init__(self, *, name: str = 'problem', model: typing.Any = None, layers: "
    "collections.abc.Sequence[Layer] | None = None, "
    "input_bytes: float | None = None, network: Network | None = None, nodes: collections.abc.Sequence[Node] "
    "| None = None, "
    "links: collections.abc.Sequence[Link] | None = None, source: str | None = None, sink: str | None = "
    "None, "
    "codecs: collections.abc.Sequence[Codec], micro_batches: int = 1, max_error: float | None = None, "
    "max_energy_j: float | None = None, error_rule: str = 'sum', objective: str = 'delay') -> None\n\n"
    "`model` is anything with `.layers` (Layer) and `.input_bytes`, or give these two; `network` a Network, "
    "or give\n"
    "its nodes and links. `source` and `sink` are ids; left out, they are the network's own. Wrong values "
    "raise ValueError or TypeError that names the field, the value and the "
    "range.";

/// Takes keywords one by one and complains about what is left over.
class Keywords {
 public:
  explicit Keywords(const py::dict& keywords)
      : rest_(py::reinterpret_steal<py::dict>(PyDict_Copy(keywords.ptr()))) {}

  bool has(const char* key) const { return rest_.contains(key) && !py::object(rest_[key]).is_none(); }

  py::object take(const char* key) {
    if (!rest_.contains(key))
      throw py::type_error(std::string("Problem: missing required key '") + key + "'");
    py::object value = rest_[key];
    PyDict_DelItemString(rest_.ptr(), key);
    return value;
  }

  template <class T>
  T take(const char* key) {
    return FromPython<T>::get(take(key), key);
  }

  template <class T>
  T take_or(const char* key, T fallback) {
    return rest_.contains(key) ? take<T>(key) : std::move(fallback);
  }

  void forbid(const char* key, const char* because) {
    if (has(key))
      throw py::type_error(std::string("Problem: '") + key + "' is given together with '" + because + "'");
    if (rest_.contains(key)) take(key);
  }

  /// An id that is given, or else the network's default.
  std::string endpoint(const char* key, const std::optional<std::string>& fallback) {
    if (has(key) || (rest_.contains(key) && !fallback)) return take<std::string>(key);
    if (rest_.contains(key)) take(key);
    if (fallback) return *fallback;
    throw py::type_error(std::string("Problem: missing required key '") + key + "': the network has none");
  }

  void finish() const {
    for (const auto& [key, _] : rest_) throw py::type_error("Problem: unknown key " + shown(key));
  }

 private:
  py::dict rest_;
};

template <class E>
E choose(const std::string& where, const std::string& value,
         std::initializer_list<std::pair<const char*, E>> choices) {
  std::string known;
  for (const auto& [text, choice] : choices) {
    if (value == text) return choice;
    known += std::string(known.empty() ? "'" : ", '") + text + "'";
  }
  throw core::InvalidInput(where + ": '" + value + "' is not one of " + known);
}

codec::ErrorRule error_rule_of(const std::string& text) {
  return choose<codec::ErrorRule>(
      "error_rule", text,
      {{"sum", codec::ErrorRule::sum}, {"root_sum_square", codec::ErrorRule::root_sum_square}});
}

split::Objective objective_of(const std::string& text) {
  return choose<split::Objective>(
      "objective", text, {{"delay", split::Objective::delay}, {"throughput", split::Objective::throughput}});
}

Problem problem_from(const py::dict& given) {
  Keywords keywords(given);
  split::ProblemSpec spec;
  spec.name = keywords.take_or<std::string>("name", "problem");
  if (keywords.has("model")) {
    keywords.forbid("layers", "model");
    keywords.forbid("input_bytes", "model");
    const py::object model = keywords.take("model");
    if (!py::hasattr(model, "layers") || !py::hasattr(model, "input_bytes")) {
      throw py::type_error("model: expected a profile with .layers and .input_bytes, got " + shown(model));
    }
    spec.layers = FromPython<std::vector<model::Layer>>::get(model.attr("layers"), "model.layers");
    spec.input_bytes = FromPython<double>::get(model.attr("input_bytes"), "model.input_bytes");
  } else {
    keywords.take_or<std::optional<double>>("model", {});
    spec.layers = keywords.take<std::vector<model::Layer>>("layers");
    spec.input_bytes = keywords.take<double>("input_bytes");
  }
  if (keywords.has("network")) {
    for (const char* part : {"nodes", "links"}) keywords.forbid(part, "network");
    spec.network = keywords.take<network::Network>("network");
  } else {
    keywords.take_or<std::optional<double>>("network", {});
    spec.network.nodes = keywords.take<std::vector<network::Node>>("nodes");
    spec.network.links = keywords.take<std::vector<network::Link>>("links");
  }
  spec.source = keywords.endpoint("source", spec.network.source);
  spec.sink = keywords.endpoint("sink", spec.network.sink);
  spec.micro_batches = keywords.take_or<std::int64_t>("micro_batches", 1);
  spec.codecs = keywords.take<std::vector<codec::Codec>>("codecs");
  spec.limits.max_error = keywords.take_or<std::optional<double>>("max_error", {});
  spec.limits.max_energy_j = keywords.take_or<std::optional<double>>("max_energy_j", {});
  spec.limits.error_rule = error_rule_of(keywords.take_or<std::string>("error_rule", "sum"));
  spec.objective = objective_of(keywords.take_or<std::string>("objective", "delay"));
  keywords.finish();
  return Problem(std::move(spec));
}

const char* text_of(codec::ErrorRule rule) {
  return rule == codec::ErrorRule::sum ? "sum" : "root_sum_square";
}
const char* text_of(split::Objective objective) {
  return objective == split::Objective::delay ? "delay" : "throughput";
}

py::dict keywords_of(const Problem& problem) {
  const split::ProblemSpec& spec = problem.spec();
  py::dict d;
  d["name"] = spec.name;
  d["layers"] = py::cast(spec.layers);
  d["input_bytes"] = spec.input_bytes;
  d["network"] = py::cast(spec.network);
  d["micro_batches"] = spec.micro_batches;
  d["codecs"] = py::cast(spec.codecs);
  d["max_error"] = py::cast(spec.limits.max_error);
  d["max_energy_j"] = py::cast(spec.limits.max_energy_j);
  d["error_rule"] = text_of(spec.limits.error_rule);
  d["objective"] = text_of(spec.objective);
  return d;
}

Problem replaced(const Problem& problem, const py::kwargs& changes) {
  py::dict keywords = keywords_of(problem);
  const auto given = [&](const char* key) {
    return changes.contains(key) && !py::object(changes[key]).is_none();
  };
  if (given("model")) {
    PyDict_DelItemString(keywords.ptr(), "layers");
    PyDict_DelItemString(keywords.ptr(), "input_bytes");
  }
  if (given("nodes") || given("links")) {
    PyDict_DelItemString(keywords.ptr(), "network");
    keywords["nodes"] = py::cast(problem.spec().network.nodes);
    keywords["links"] = py::cast(problem.spec().network.links);
  }
  // Another network brings its own endpoints; where it has none, those of this problem stay.
  const auto keeps = [&](const char* end) {
    return !given("network") || py::object(py::getattr(changes["network"], end, py::none())).is_none();
  };
  if (keeps("source")) keywords["source"] = problem.spec().source;
  if (keeps("sink")) keywords["sink"] = problem.spec().sink;
  for (const auto& [key, value] : changes) {
    const std::string name = FromPython<std::string>::get(key, "keyword");
    if ((name == "model" || name == "network") && value.is_none()) continue;  // not given
    keywords[key] = value;
  }
  return problem_from(keywords);
}

/// The file format's values; keys that hold their default are left out, as null or 1 would say no more.
py::dict problem_to_dict(const Problem& problem) {
  const split::ProblemSpec& spec = problem.spec();
  const auto list = [](const auto& values) { return to_plain(py::cast(values)); };
  py::dict d;
  d["format"] = "constellm.split-problem";
  d["version"] = 1;
  d["name"] = spec.name;
  d["layers"] = list(spec.layers);
  d["input_bytes"] = spec.input_bytes;
  d["nodes"] = list(spec.network.nodes);
  d["links"] = list(spec.network.links);
  d["source"] = spec.source;
  d["sink"] = spec.sink;
  d["micro_batches"] = spec.micro_batches;
  d["codecs"] = list(spec.codecs);
  py::dict limits;
  limits["max_error"] = py::cast(spec.limits.max_error);
  limits["max_energy_j"] = py::cast(spec.limits.max_energy_j);
  limits["error_rule"] = text_of(spec.limits.error_rule);
  d["limits"] = limits;
  d["objective"] = text_of(spec.objective);
  return d;
}

py::list stage_terms(const Problem& problem, const split::Evaluation& e) {
  py::list terms;
  for (const split::StageTerms& s : e.stages) {
    py::dict d;
    d["node"] = problem.spec().network.nodes[static_cast<std::size_t>(s.choice.node)].id;
    d["first_layer"] = s.choice.first_layer;
    d["last_layer"] = s.choice.last_layer;
    d["codec"] = split::codec_name(problem, s.choice.codec);
    d["overhead_s"] = s.overhead_s;
    d["decode_s"] = s.decode_s;
    d["compute_s"] = s.compute_s;
    d["encode_s"] = s.encode_s;
    d["time_s"] = s.time_s;
    d["memory_bytes"] = s.memory_bytes;
    terms.append(d);
  }
  return terms;
}

py::list hop_terms(const Problem& problem, const split::Evaluation& e) {
  py::list terms;
  for (const split::HopTerms& h : e.hops) {
    const network::Link& link = problem.spec().network.links[static_cast<std::size_t>(h.link)];
    py::dict d;
    d["from"] = link.from;
    d["to"] = link.to;
    d["bytes"] = h.bytes;
    d["time_s"] = h.time_s;
    d["latency_s"] = h.latency_s;
    terms.append(d);
  }
  return terms;
}

void register_problem(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  py::class_<Problem> type(
      m, "Problem",
      "What is to be run where, under which limits. Immutable and validated once; the values are those of\n"
      "the file format `constellm.split-problem`.");
  type.def(py::init([](const py::kwargs& keywords) { return problem_from(keywords); }), kProblemInit);
  const auto property = [&](const char* name, const char* annotated, auto getter, const char* doc) {
    type.def_property_readonly(name, py::cpp_function(getter, annotated), doc);
  };
  property("name", "name(self) -> str", [](const Problem& p) { return p.spec().name; }, "[A-Za-z0-9._-]+");
  property(
      "layers", "layers(self) -> list[Layer]", [](const Problem& p) { return p.spec().layers; },
      "in execution order");
  property(
      "input_bytes", "input_bytes(self) -> float", [](const Problem& p) { return p.spec().input_bytes; },
      "raw input per micro-batch, at the source [B]");
  property(
      "network", "network(self) -> Network", [](const Problem& p) { return p.spec().network; },
      "nodes and links, and this problem's endpoints");
  property(
      "nodes", "nodes(self) -> list[Node]", [](const Problem& p) { return p.spec().network.nodes; },
      "nodes of the network");
  property(
      "links", "links(self) -> list[Link]", [](const Problem& p) { return p.spec().network.links; },
      "links of the network");
  property(
      "source", "source(self) -> str", [](const Problem& p) { return p.spec().source; },
      "id of the node that has the input");
  property(
      "sink", "sink(self) -> str", [](const Problem& p) { return p.spec().sink; },
      "id of the node that wants the result");
  property(
      "micro_batches", "micro_batches(self) -> int", [](const Problem& p) { return p.spec().micro_batches; },
      "identical micro-batches that flow through the pipeline");
  property(
      "codecs", "codecs(self) -> list[Codec]", [](const Problem& p) { return p.spec().codecs; }, "the menu");
  property(
      "max_error", "max_error(self) -> float | None",
      [](const Problem& p) { return p.spec().limits.max_error; }, "limit of the accumulated error, or None");
  property(
      "max_energy_j", "max_energy_j(self) -> float | None",
      [](const Problem& p) { return p.spec().limits.max_energy_j; },
      "limit of the energy of all micro-batches [J], or None");
  property(
      "error_rule", "error_rule(self) -> str",
      [](const Problem& p) { return text_of(p.spec().limits.error_rule); }, "'sum' or 'root_sum_square'");
  property(
      "objective", "objective(self) -> str", [](const Problem& p) { return text_of(p.spec().objective); },
      "'delay' or 'throughput'");
  type.def("replace", &replaced,
           "replace(self, **changes: typing.Any) -> Problem\n\nA copy with some of the constructor's "
           "keywords changed.");
  type.def("to_dict", &problem_to_dict,
           "to_dict(self) -> dict[str, typing.Any]\n\nThe content of a `constellm.split-problem` file.");
  type.def(
      "__eq__",
      [](const Problem& self, const py::object& other) {
        return py::isinstance<Problem>(other) && self == other.cast<const Problem&>();
      },
      "__eq__(self, other: object) -> bool");
  type.attr("__hash__") = py::none();
  type.def(py::pickle([](const Problem& p) { return keywords_of(p); },
                      [](const py::dict& state) { return problem_from(state); }));
  type.def(
      "__repr__",
      [](const Problem& p) {
        const split::ProblemSpec& s = p.spec();
        return "Problem('" + s.name + "': " + std::to_string(s.layers.size()) + " layers, " +
               std::to_string(s.network.nodes.size()) + " nodes, " + std::to_string(s.network.links.size()) +
               " links, " + std::to_string(s.codecs.size()) + " codecs, " + std::to_string(s.micro_batches) +
               " micro-batches, objective " + text_of(s.objective) + ")";
      },
      "__repr__(self) -> str");
}

void register_evaluation(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  using split::Stage;
  record<Stage>(
      m, "Stage", "One hosting node's share of the layers.", required("node", &Stage::node, "id of the host"),
      required("first_layer", &Stage::first_layer, "0-based"),
      required("last_layer", &Stage::last_layer, "0-based, inclusive"),
      optional("codec", &Stage::codec, "name of the codec of what it sends on; None after the last layer"));
  m.def(
      "evaluate",
      [](const Problem& problem, const std::vector<std::string>& path, const std::vector<Stage>& stages) {
        const split::Evaluation e = split::evaluate(problem, split::to_assignment(problem, path, stages));
        py::dict d;
        d["delay_s"] = e.delay_s;
        d["bottleneck_s"] = e.bottleneck_s;
        d["error"] = e.error;
        d["energy_j"] = e.energy_j;
        d["bytes"] = e.bytes;
        d["stages"] = stage_terms(problem, e);
        d["hops"] = hop_terms(problem, e);
        d["broken_limits"] = split::broken_limits(problem, e);
        return d;
      },
      py::arg("problem"), py::arg("path"), py::arg("stages"),
      "evaluate(problem: Problem, path: collections.abc.Sequence[str], stages: "
      "collections.abc.Sequence[Stage]) -> dict[str, typing.Any]\n\n"
      "Every term of a plan; raises ValueError with what makes it no plan.");
  m.def(
      "structural_faults",
      [](const Problem& problem, const std::vector<std::string>& path, const std::vector<Stage>& stages) {
        return split::structural_faults(problem, split::to_assignment(problem, path, stages));
      },
      py::arg("problem"), py::arg("path"), py::arg("stages"),
      "structural_faults(problem: Problem, path: collections.abc.Sequence[str], stages: "
      "collections.abc.Sequence[Stage]) -> list[str]\n\n"
      "Why path and stages are no plan of the problem; empty for a plan.");
}

}  // namespace

void register_split(py::module_& m) {
  m.attr("optimal_gap") = split::kOptimalGap;
  register_problem(m);
  register_evaluation(m);
}

}  // namespace constellm::bindings
