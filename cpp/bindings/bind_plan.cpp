#include <algorithm>
#include <array>
#include <string>

#include "constellm/split/answer.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {

/// Counters are a dictionary in Python. Keys that are none are of other solvers, which write files too.
template <>
struct FromPython<search::Counters> {
  static constexpr const char* annotation = "dict[str, int]";
  static search::Counters get(py::handle value, const std::string& name) {
    if (!py::isinstance<py::dict>(value))
      throw py::type_error(name + ": expected a dictionary, got " + shown(value));
    const auto counts = py::reinterpret_borrow<py::dict>(value);
    search::Counters counters;
    core::fields_of<search::Counters>().for_each([&](const auto& field) {
      if (counts.contains(field.name))
        field.set(counters, FromPython<std::int64_t>::get(counts[field.name], name + "." + field.name));
    });
    if (counts.contains("peak_open"))  // as version 0.1.0 called it
      counters.most_open = FromPython<std::int64_t>::get(counts["peak_open"], name + ".peak_open");
    return counters;
  }
  static py::dict back(const search::Counters& counters) {
    return keywords_of(core::fields_of<search::Counters>(), counters);
  }
};

namespace {

using split::Answer;

constexpr auto kPlan = core::fields_of<Answer>();

/// A plan by its fields, with the evaluator's figures.
Answer answer_from(const py::dict& keywords) {
  if (!keywords.contains("problem")) throw py::type_error("Plan: missing required key 'problem'");
  Answer answer{FromPython<split::Problem>::get(keywords["problem"], "problem"), {}};
  read_keywords(kPlan, keywords, answer);
  if (answer.plan.assignment) {
    static_cast<split::Figures&>(answer.plan) = split::evaluate(answer.problem, *answer.plan.assignment);
  }
  return answer;
}

/// In constellm 0.1.0 the state was a tuple: problem, code of the status, method, lower bound, seconds, None
/// or (path, stages), counters.
bool is_state_of_0_1_0(const py::object& state) {
  return py::isinstance<py::tuple>(state) && py::len(state) >= 7 &&
         py::isinstance<split::Problem>(py::tuple(state)[0]);
}

py::dict from_0_1_0(const py::tuple& state) {
  py::dict d;
  d["problem"] = state[0];
  d["status"] = words(core::Status{}).at(state[1].cast<std::size_t>());
  d["method"] = state[2];
  d["lower_bound_s"] = state[3];
  d["seconds"] = state[4];
  if (!state[5].is_none()) {
    d["path"] = py::tuple(state[5])[0];
    d["stages"] = py::tuple(state[5])[1];
  }
  const py::tuple counts = state[6];
  constexpr std::array kCounters{"labels", "dominated", "expanded", "most_open", "passes", "intervals"};
  py::dict counters;
  for (std::size_t i = 0; i < kCounters.size(); ++i) counters[kCounters[i]] = counts[i];
  d["counters"] = counters;
  return d;
}

py::dict plan_to_dict(const Answer& answer) {
  py::dict content;
  content["format"] = "constellm.split-plan";
  content["version"] = 1;
  content["problem"] = answer.problem.spec().name;
  for (const auto& [key, value] : plain_of(kPlan, answer)) content[key] = value;
  const py::object solver = content["solver"];
  solver["version"] = py::module_::import("constellm._core.core").attr("version");
  solver.attr("update")(to_python(answer.plan.counters));
  return content;
}

}  // namespace

void register_plan(py::module_& m) {
  record<split::Infeasibility>(m);
  py::options options;
  options.disable_function_signatures();
  Infos infos = infos_of(kPlan);
  for (FieldInfo& field : infos) field.required = true;  // of a value that solvers make: all are there
  const std::string doc = std::string(kPlan.doc) + "\n\n" + fields_doc("Attributes", infos);
  py::class_<Answer, Kept<Answer>> type(m, kPlan.name, doc.c_str());
  bind_fields(type, kPlan, [](const Answer& answer) -> const Answer& { return answer; });
  type.def("to_dict", &plan_to_dict,
           "to_dict(self) -> dict[str, typing.Any]\n\nThe content of a `constellm.split-plan` file.");
  def_equality<Answer>(type);
  type.def(py::pickle(
      [](const Answer& answer) { return py::make_tuple(kPickleVersion, keywords_of(kPlan, answer)); },
      [](const py::object& state) {
        return answer_from(is_state_of_0_1_0(state) ? from_0_1_0(state) : state_of(kPlan.name, state));
      }));
  m.def(
      "restored_plan", [](const py::kwargs& fields) { return answer_from(fields); },
      "restored_plan(**fields: typing.Any) -> Plan\n\nSee `constellm.split.plan_from_dict`.");
}

}  // namespace constellm::bindings
