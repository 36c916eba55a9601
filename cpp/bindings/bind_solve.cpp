#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "constellm/split/incumbents.hpp"
#include "constellm/split/naming.hpp"
#include "constellm/split/pareto.hpp"
#include "constellm/split/solve.hpp"
#include "plan_view.hpp"
#include "record.hpp"
#include "register.hpp"
#include "solver_call.hpp"

namespace constellm::bindings {
namespace {

using split::Plan;
using split::Problem;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

split::Criterion criterion_of(const std::string& name) {
  if (name == "delay_s") return split::Criterion::delay;
  if (name == "bytes") return split::Criterion::bytes;
  if (name == "error") return split::Criterion::error;
  if (name == "energy_j") return split::Criterion::energy;
  throw core::InvalidInput("criteria: '" + name + "' is not one of 'delay_s', 'bytes', 'error', 'energy_j'");
}

double gap_of(const PlanView& v) {
  if (!v.plan.assignment) return kNan;
  const double value = split::objective_s(v.problem, v.plan);
  return value > 0.0 ? (value - v.plan.lower_bound_s) / value : 0.0;
}

/// Those that the method brought along; they stand at the end of the problem's menu.
std::vector<codec::Codec> added_codecs(const PlanView& v) {
  const std::vector<codec::Codec>& menu = v.problem.spec().codecs;
  return {menu.end() - v.plan.added_codecs, menu.end()};
}

constexpr std::pair<const char*, std::int64_t search::Counters::*> kCounters[] = {
    {"labels", &search::Counters::labels},     {"dominated", &search::Counters::dominated},
    {"expanded", &search::Counters::expanded}, {"most_open", &search::Counters::most_open},
    {"passes", &search::Counters::passes},     {"intervals", &search::Counters::intervals},
};

py::dict counters_of(const search::Counters& c) {
  py::dict d;
  for (const auto& [name, counter] : kCounters) d[name] = c.*counter;
  return d;
}

/// A plan as a file holds it, with the evaluator's figures. An empty path stands for no plan.
PlanView restored_plan(const Problem& problem, const std::vector<std::string>& path,
                       const std::vector<split::Stage>& stages, const std::string& status,
                       const std::string& method, double lower_bound_s, double seconds,
                       const std::map<std::string, std::int64_t>& counters, std::int32_t added_codecs,
                       const std::vector<std::string>& broken_limits,
                       const std::optional<split::Infeasibility>& infeasibility) {
  PlanView v{problem, {}};
  if (!path.empty()) {
    const split::Assignment assignment = split::to_assignment(problem, path, stages);
    v.plan = split::to_plan(assignment, split::evaluate(problem, assignment));
  }
  v.plan.status = FromPython<core::Status>::get(py::str(status), "status");
  v.plan.method = method;
  v.plan.lower_bound_s = lower_bound_s;
  v.plan.seconds = seconds;
  for (const auto& [name, counter] : kCounters) {
    const auto found = counters.find(name);
    if (found != counters.end()) v.plan.counters.*counter = found->second;
  }
  const auto old = counters.find("peak_open");  // as version 0.1.0 called `most_open`
  if (old != counters.end()) v.plan.counters.most_open = old->second;
  v.plan.added_codecs = added_codecs;
  v.plan.broken_limits = broken_limits;
  v.plan.infeasibility = infeasibility;
  return v;
}

std::vector<std::string> path_of(const PlanView& v) {
  return v.plan.assignment ? split::path_ids(v.problem, *v.plan.assignment) : std::vector<std::string>{};
}

std::vector<split::Stage> stages_of(const PlanView& v) {
  return v.plan.assignment ? split::named_stages(v.problem, *v.plan.assignment) : std::vector<split::Stage>{};
}

py::tuple plan_state(const PlanView& v) {
  py::dict d;
  d["problem"] = v.problem;
  d["path"] = path_of(v);
  d["stages"] = stages_of(v);
  d["status"] = to_python(v.plan.status);
  d["method"] = v.plan.method;
  d["lower_bound_s"] = v.plan.lower_bound_s;
  d["seconds"] = v.plan.seconds;
  d["counters"] = counters_of(v.plan.counters);
  d["added_codecs"] = v.plan.added_codecs;
  d["broken_limits"] = v.plan.broken_limits;
  d["infeasibility"] = v.plan.infeasibility;
  return py::make_tuple(kPickleVersion, d);
}

/// In constellm 0.1.0 the state was a tuple: problem, code of the status, method, lower bound, seconds, None
/// or (path, stages), counters.
bool is_state_of_0_1_0(const py::object& state) {
  return py::isinstance<py::tuple>(state) && py::len(state) >= 7 &&
         py::isinstance<Problem>(py::tuple(state)[0]);
}

py::dict from_0_1_0(const py::tuple& state) {
  py::dict d;
  d["problem"] = state[0];
  const bool found = !state[5].is_none();
  d["path"] = found ? py::object(py::tuple(state[5])[0]) : py::list();
  d["stages"] = found ? py::object(py::tuple(state[5])[1]) : py::list();
  const auto status = state[1].cast<std::size_t>();
  d["status"] = words(core::Status{}).at(status);
  d["method"] = state[2];
  d["lower_bound_s"] = state[3];
  d["seconds"] = state[4];
  const py::tuple counts = state[6];
  py::dict counters;
  std::size_t i = 0;
  for (const auto& [name, counter] : kCounters) counters[name] = counts[i++];
  d["counters"] = counters;
  d["added_codecs"] = 0;
  d["broken_limits"] = py::list();
  d["infeasibility"] = py::none();
  return d;
}

void register_plan(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  py::class_<PlanView, Kept<PlanView>> type(
      m, "Plan",
      "A solver's answer: what it found, and what it proved. Figures are the "
      "evaluator's; NaN where there is no plan.");
  const auto property = [&](const char* name, const char* annotated, auto getter, const char* doc) {
    type.def_property_readonly(name, py::cpp_function(getter, annotated), doc);
  };
  const auto figure = [&](const auto& field) {
    property(
        field.name, (std::string(field.name) + "(self) -> float").c_str(),
        [field](const PlanView& v) { return v.plan.assignment ? field.of(v.plan) : kNan; },
        doc_of(field.doc, field.unit).c_str());
  };
  property(
      "problem", "problem(self) -> Problem",
      [](const py::object& self) {
        return kept<PlanView>(self).once("problem",
                                         [&] { return py::cast(self.cast<const PlanView&>().problem); });
      },
      "the problem it answers");
  property(
      "status", "status(self) -> str", [](const PlanView& v) { return to_python(v.plan.status); },
      "'optimal', 'feasible', 'infeasible', 'no_plan_found', 'time_limit' or 'interrupted'");
  property(
      "method", "method(self) -> str", [](const PlanView& v) { return v.plan.method; },
      "name of the method that made it");
  std::apply([&](const auto&... field) { (figure(field), ...); }, split::figures<Plan>());
  property(
      "objective_s", "objective_s(self) -> float",
      [](const PlanView& v) { return v.plan.assignment ? split::objective_s(v.problem, v.plan) : kNan; },
      "the problem's objective: delay or bottleneck [s]");
  property(
      "lower_bound_s", "lower_bound_s(self) -> float", [](const PlanView& v) { return v.plan.lower_bound_s; },
      "no plan has a smaller objective [s]; NaN where nothing was proven, infinite where no plan exists");
  property("gap", "gap(self) -> float", &gap_of, "(objective - lower bound) / objective");
  property("path", "path(self) -> list[str]", &path_of, "ids of the nodes from source to sink");
  property("stages", "stages(self) -> list[Stage]", &stages_of, "the hosting nodes' shares, in path order");
  property(
      "codecs", "codecs(self) -> tuple[constellm.codec.Codec, ...]",
      [](const py::object& self) {
        return kept<PlanView>(self).once(
            "codecs", [&] { return to_python(added_codecs(self.cast<const PlanView&>())); });
      },
      "that the method brought along: used by the plan, and added to the menu of `problem`");
  property(
      "infeasibility", "infeasibility(self) -> Infeasibility | None",
      [](const PlanView& v) { return v.plan.infeasibility; },
      "why the problem has no plan, and how much would do; None where there is one, or it is not proven");
  property(
      "broken_limits", "broken_limits(self) -> list[str]",
      [](const PlanView& v) { return v.plan.broken_limits; },
      "limits that the plan of a benchmark method breaks, for which it is none");
  property(
      "counters", "counters(self) -> dict[str, int]",
      [](const PlanView& v) { return counters_of(v.plan.counters); },
      "labels made, dominated, expanded; most waiting; backward passes; intervals");
  property(
      "seconds", "seconds(self) -> float", [](const PlanView& v) { return v.plan.seconds; },
      "spent by the solver [s]");
  type.def(
      "to_dict",
      [](const PlanView& v) {
        const Plan& p = v.plan;
        py::dict d;
        d["format"] = "constellm.split-plan";
        d["version"] = 1;
        d["problem"] = v.problem.spec().name;
        d["status"] = std::string(core::to_text(p.status));
        if (std::isfinite(p.lower_bound_s)) d["lower_bound_s"] = p.lower_bound_s;
        if (p.assignment) {
          d["delay_s"] = p.delay_s;
          d["bottleneck_s"] = p.bottleneck_s;
          d["error"] = p.error;
          d["energy_j"] = p.energy_j;
          d["bytes"] = p.bytes;
          d["path"] = split::path_ids(v.problem, *p.assignment);
          d["stages"] = to_plain(py::cast(split::named_stages(v.problem, *p.assignment)));
          if (p.added_codecs > 0) d["codecs"] = to_plain(py::cast(added_codecs(v)));
        }
        py::dict solver = counters_of(p.counters);
        solver["method"] = p.method;
        solver["seconds"] = p.seconds;
        solver["version"] = py::module_::import("constellm._core.core").attr("version");
        if (p.infeasibility) solver["infeasibility"] = to_plain(py::cast(*p.infeasibility));
        if (!p.broken_limits.empty()) solver["broken_limits"] = p.broken_limits;
        d["solver"] = solver;
        return d;
      },
      "to_dict(self) -> dict[str, typing.Any]\n\nThe content of a `constellm.split-plan` file.");
  type.def(
      "__repr__",
      [](const PlanView& v) {
        const Plan& p = v.plan;
        std::string text = "Plan('" + v.problem.spec().name + "': " + std::string(core::to_text(p.status));
        if (p.assignment) {
          text += ", delay " + py::str("{:.6g}").format(p.delay_s).cast<std::string>() + " s, " +
                  std::to_string(p.assignment->stages.size()) + " stages, " +
                  py::str("{:.4g}").format(p.bytes).cast<std::string>() + " B";
        }
        if (p.infeasibility) text += " (" + p.infeasibility->reason + ")";
        return text + ", " + p.method + ")";
      },
      "__repr__(self) -> str");
  type.def(
      "__eq__",
      [](const PlanView& a, const py::object& other) {
        if (!py::isinstance<PlanView>(other)) return false;
        const auto& b = other.cast<const PlanView&>();
        return a.problem == b.problem && a.plan.status == b.plan.status &&
               a.plan.assignment == b.plan.assignment;
      },
      "__eq__(self, other: object) -> bool\n\nSame problem, status, path and stages; counters and seconds do "
      "not count.");
  type.attr("__hash__") = py::none();
  type.def(py::pickle(&plan_state, [](const py::object& state) {
    const py::dict d = is_state_of_0_1_0(state) ? from_0_1_0(state) : state_of("Plan", state);
    return restored_plan(
        d["problem"].cast<Problem>(), d["path"].cast<std::vector<std::string>>(),
        d["stages"].cast<std::vector<split::Stage>>(), d["status"].cast<std::string>(),
        d["method"].cast<std::string>(), d["lower_bound_s"].cast<double>(), d["seconds"].cast<double>(),
        d["counters"].cast<std::map<std::string, std::int64_t>>(), d["added_codecs"].cast<std::int32_t>(),
        d["broken_limits"].cast<std::vector<std::string>>(),
        d["infeasibility"].cast<std::optional<split::Infeasibility>>());
  }));
}

}  // namespace

void explain_infeasible(PlanView& found, double time_limit_s) {
  if (found.plan.status != core::Status::infeasible) return;
  const double left_s = std::max(0.0, time_limit_s - found.plan.seconds);
  const double most_s = std::max(1.0, found.plan.seconds);
  found.plan.infeasibility =
      run_solver(std::min(left_s, most_s), [&](core::StopToken& stop, search::Workspace& workspace) {
        return split::explain(found.problem, stop, workspace);
      });
}

void register_solve(py::module_& m) {
  record<split::Infeasibility>(m);
  register_plan(m);
  m.def("restored_plan", &restored_plan, py::arg("problem"), py::kw_only(), py::arg("path"),
        py::arg("stages"), py::arg("status"), py::arg("method"), py::arg("lower_bound_s"), py::arg("seconds"),
        py::arg("counters"), py::arg("added_codecs"), py::arg("broken_limits"), py::arg("infeasibility"),
        "See `constellm.split.plan_from_dict`.");
  m.def(
      "solve",
      [](const Problem& problem, double time_limit_s, bool intervals, bool heuristic, bool dominance,
         bool resource_bound, bool unroll) {
        split::SolveOptions options;
        options.compile.unroll = unroll;
        options.search.intervals = intervals;
        options.search.labels.heuristic = heuristic;
        options.search.labels.dominance = dominance;
        options.search.labels.resource_bound = resource_bound;
        PlanView found = run_solver(time_limit_s, [&](core::StopToken& stop, search::Workspace& workspace) {
          return PlanView{problem, split::solve(problem, options, stop, workspace)};
        });
        explain_infeasible(found, time_limit_s);
        return found;
      },
      py::arg("problem"), py::kw_only(), py::arg("time_limit_s"), py::arg("intervals"), py::arg("heuristic"),
      py::arg("dominance"), py::arg("resource_bound"), py::arg("unroll"),
      "The exact search; see `constellm.split.solve`.");
  m.def(
      "k_best",
      [](const Problem& problem, std::int64_t k, double time_limit_s) {
        core::StopReason reason{};
        std::vector<Plan> plans =
            run_solver(time_limit_s, [&](core::StopToken& stop, search::Workspace& workspace) {
              std::vector<Plan> found = split::k_best(problem, k, stop, workspace);
              reason = stop.reason();
              return found;
            });
        py::list views;
        for (Plan& plan : plans) views.append(PlanView{problem, std::move(plan)});
        // Without any plan the list alone would not tell.
        return std::tuple(views, reason == core::StopReason::interrupted);
      },
      py::arg("problem"), py::arg("k"), py::kw_only(), py::arg("time_limit_s"),
      "See `constellm.split.k_best`.");
  m.def(
      "pareto_front",
      [](const Problem& problem, const std::vector<std::string>& names, double epsilon, double time_limit_s) {
        std::vector<split::Criterion> criteria;
        for (const std::string& name : names) criteria.push_back(criterion_of(name));
        split::Front front =
            run_solver(time_limit_s, [&](core::StopToken& stop, search::Workspace& workspace) {
              return split::pareto_front(problem, criteria, epsilon, stop, workspace);
            });
        py::list views;
        for (Plan& plan : front.plans) views.append(PlanView{problem, std::move(plan)});
        return py::make_tuple(views, std::string(core::to_text(front.status)));
      },
      py::arg("problem"), py::arg("criteria"), py::kw_only(), py::arg("epsilon"), py::arg("time_limit_s"),
      "See `constellm.split.pareto_front`.");
}

}  // namespace constellm::bindings
