#include <algorithm>
#include <string_view>

#include "constellm/split/evaluate.hpp"
#include "constellm/split/naming.hpp"
#include "network_value.hpp"
#include "record.hpp"
#include "register.hpp"
#include "remark.hpp"

namespace constellm::bindings {
namespace {

using split::Plan;
using split::Problem;

constexpr auto kProblem = core::fields_of<split::ProblemSpec>();

/// What a model, a network, or the defaults of a network may give in its place.
constexpr std::string_view kPartOfAnother[] = {"layers", "input_bytes", "nodes", "links", "source", "sink"};

Infos problem_fields() {
  Infos fields{
      {.name = "model",
       .type = "typing.Any",
       .doc = "anything with `.layers` (Layer) and `.input_bytes`, in place of these two",
       .required = false},
      {.name = "network",
       .type = "constellm.network.Network | constellm.network.Graph | constellm.network.Snapshot | None",
       .doc = "in place of `nodes` and `links`; `source` and `sink`, left out, are its own",
       .required = false},
  };
  Infos own = infos_of(kProblem);
  for (FieldInfo& field : own) {
    if (std::find(std::begin(kPartOfAnother), std::end(kPartOfAnother), field.name) !=
        std::end(kPartOfAnother)) {
      field.required = false;
      field.type += " | None";
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

/// The keyword `key`, taken out; None where it is not given.
py::object take(py::dict& keywords, const char* key) {
  if (!keywords.contains(key)) return py::none();
  py::object value = keywords[key];
  PyDict_DelItemString(keywords.ptr(), key);
  return value;
}

void forbid(py::dict& keywords, std::initializer_list<const char*> keys, const char* because) {
  for (const char* key : keys) {
    if (!take(keywords, key).is_none())
      throw py::type_error(std::string("Problem: '") + key + "' is given together with '" + because + "'");
  }
}

Names problem_keys() {
  Names names = names_of(kProblem);
  names.insert(names.end(), {"model", "network"});
  return names;
}

/// The values of a problem as keywords give them, those not given as in `like`.
split::ProblemSpec spec_from(const py::dict& given, const split::ProblemSpec* like) {
  refuse_unknown(kProblem.name, given, problem_keys(), problem_keys());
  auto keywords = py::reinterpret_steal<py::dict>(PyDict_Copy(given.ptr()));
  split::ProblemSpec spec;
  std::vector<std::string_view> known;
  if (like != nullptr) {
    spec = *like;
    kProblem.for_each([&](const auto& field) { known.emplace_back(field.name); });
  }
  if (const py::object model = take(keywords, "model"); !model.is_none()) {
    forbid(keywords, {"layers", "input_bytes"}, "model");
    if (!py::hasattr(model, "layers") || !py::hasattr(model, "input_bytes")) {
      throw py::type_error("model: expected a profile with .layers and .input_bytes, got " + shown(model));
    }
    spec.layers = FromPython<std::vector<model::Layer>>::get(model.attr("layers"), "model.layers");
    spec.input_bytes = FromPython<double>::get(model.attr("input_bytes"), "model.input_bytes");
    known.insert(known.end(), {"layers", "input_bytes"});
  }
  if (const py::object network = take(keywords, "network"); !network.is_none()) {
    forbid(keywords, {"nodes", "links"}, "network");
    spec.network = FromPython<network::Network>::get(network, "network");
    known.insert(known.end(), {"nodes", "links"});
    const auto endpoint = [&](const char* key, const std::optional<std::string>& initial, std::string& id) {
      if (keywords.contains(key) && (!initial || !py::object(keywords[key]).is_none())) return;
      take(keywords, key);
      if (!initial && like != nullptr) return;
      if (!initial) {
        throw py::type_error(std::string("Problem: missing required key '") + key +
                             "': the network has none");
      }
      id = *initial;
      known.emplace_back(key);
    };
    endpoint("source", spec.network.source, spec.source);
    endpoint("sink", spec.network.sink, spec.sink);
  }
  read_keywords(kProblem, keywords, spec, known);
  if (keywords.contains("nodes")) look_at(spec.network.nodes);
  if (keywords.contains("links")) look_at(spec.network.links);
  return spec;
}

/// With the network as one value in place of its lists.
py::dict problem_keywords(const Problem& problem) {
  const split::ProblemSpec& spec = problem.spec();
  py::dict keywords;
  kProblem.for_each([&](const auto& field) {
    const std::string_view name = field.name;
    if (name != "nodes" && name != "links") keywords[field.name] = to_python(field.of(spec));
  });
  keywords["network"] = py::cast(spec.network);
  return keywords;
}

Problem problem_from(const py::dict& given) { return Problem(spec_from(given, nullptr)); }

Problem replaced(const Problem& problem, const py::args& args, const py::kwargs& changes) {
  refuse_positions(std::string(kProblem.name) + ".replace", problem_keys(), 0, args);
  return {spec_from(changes, &problem.spec()), problem};
}

py::dict problem_to_dict(const Problem& problem) {
  py::dict content;
  content["format"] = "constellm.split-problem";
  content["version"] = 1;
  for (const auto& [key, value] : plain_of(kProblem, problem.spec())) content[key] = value;
  return content;
}

void register_problem(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  const Infos fields = problem_fields();
  py::class_<Problem, Kept<Problem>> type(m, kProblem.name,
                                          class_doc(kProblem.doc, fields, kProblem.example).c_str());
  type.def(py::init([names = names_of(fields)](const py::args& args, const py::kwargs& keywords) {
             refuse_positions(kProblem.name, names, 0, args);
             return problem_from(keywords);
           }),
           init_signature(fields).c_str());
  type.attr("__signature__") = signature_of(fields);
  bind_fields(type, kProblem, [](const Problem& p) -> const split::ProblemSpec& { return p.spec(); });
  type.def_property_readonly("network",
                             py::cpp_function(
                                 [](const py::object& self) {
                                   return kept<Problem>(self).once("network", [&] {
                                     return py::cast(self.cast<const Problem&>().spec().network);
                                   });
                                 },
                                 "network(self) -> constellm.network.Network"),
                             "nodes and links, and this problem's endpoints");
  type.def("replace", &replaced,
           "replace(self, **changes: typing.Any) -> Problem\n\nA copy with some of the constructor's "
           "keywords changed.");
  type.def("to_dict", &problem_to_dict,
           "to_dict(self) -> dict[str, typing.Any]\n\nThe content of a `constellm.split-problem` file.");
  def_equality<Problem>(type);
  type.def(py::pickle([](const Problem& p) { return py::make_tuple(kPickleVersion, problem_keywords(p)); },
                      [](const py::object& state) { return problem_from(state_of(kProblem.name, state)); }));
}

void register_evaluation(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  using split::Stage;
  record<Stage>(m);
  record<split::NamedStageTerms>(m);
  record<split::NamedHopTerms>(m);
  record<split::NamedEvaluation>(m);
  m.def(
      "evaluate",
      [](const Problem& problem, const std::vector<std::string>& path, const std::vector<Stage>& stages) {
        return split::named_evaluation(problem, split::to_assignment(problem, path, stages));
      },
      py::arg("problem"), py::arg("path"), py::arg("stages"),
      "evaluate(problem: Problem, path: collections.abc.Sequence[str], stages: "
      "collections.abc.Sequence[Stage]) -> Evaluation\n\n"
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
  m.attr("figures") = std::apply([](const auto&... field) { return py::make_tuple(field.name...); },
                                 split::figures<split::Plan>());
  register_problem(m);
  register_evaluation(m);
}

}  // namespace constellm::bindings
