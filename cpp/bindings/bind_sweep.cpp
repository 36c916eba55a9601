#include "constellm/sweep/run.hpp"
#include "gil.hpp"
#include "plan_view.hpp"
#include "record.hpp"
#include "register.hpp"

namespace constellm::bindings {
namespace {

/// A column of the caller's, to be written in place: never a converted copy.
template <class T>
std::span<T> column(const py::dict& columns, const char* name, std::size_t rows) {
  using Array = py::array_t<T, py::array::c_style>;
  if (!columns.contains(name) || !py::isinstance<Array>(columns[name])) {
    throw py::type_error(std::string("columns: '") + name + "' is missing or has another type");
  }
  auto array = py::reinterpret_borrow<Array>(columns[name]);
  if (static_cast<std::size_t>(array.size()) != rows)
    throw py::value_error(std::string("columns: '") + name + "' has another length");
  return {array.mutable_data(), rows};
}

sweep::Columns columns_of(const py::dict& columns, std::size_t rows) {
  return {column<double>(columns, "delay_s", rows),       column<double>(columns, "bottleneck_s", rows),
          column<double>(columns, "lower_bound_s", rows), column<double>(columns, "error", rows),
          column<double>(columns, "energy_j", rows),      column<double>(columns, "bytes", rows),
          column<double>(columns, "seconds", rows),       column<std::int64_t>(columns, "stages", rows),
          column<std::int64_t>(columns, "labels", rows),  column<std::int8_t>(columns, "status", rows)};
}

/// True when Ctrl-C was pressed, here or in `call`; any other exception goes on.
template <class Call>
bool interrupted_in(Call call) {
  try {
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    call();
    return false;
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_KeyboardInterrupt)) throw;
    return true;
  }
}

bool hand_over(const py::function& on_finished, std::vector<sweep::Finished> finished, bool keep_plans) {
  const GilTaken gil;
  return interrupted_in([&] {
    if (finished.empty()) return;
    py::array_t<std::int64_t> rows(static_cast<py::ssize_t>(finished.size()));
    py::dict messages;
    py::list plans;
    for (std::size_t i = 0; i < finished.size(); ++i) {
      sweep::Finished& one = finished[i];
      rows.mutable_at(static_cast<py::ssize_t>(i)) = one.row;
      if (!one.message.empty()) messages[py::int_(one.row)] = one.message;
      if (!keep_plans) continue;
      if (one.answer)
        plans.append(PlanView{one.answer->problem, std::move(one.answer->plan)});
      else
        plans.append(py::none());
    }
    on_finished(rows, messages, plans);
  });
}

using Indices = py::array_t<std::int32_t, py::array::c_style>;
using Values = py::array_t<double, py::array::c_style>;

void run_sweep(const std::vector<split::Problem>& problems, const std::vector<std::string>& addresses,
               const Indices& which, const Values& values, const py::dict& columns,
               const std::vector<std::string>& methods, double time_limit_s, std::int32_t threads,
               bool keep_plans, const py::function& on_finished) {
  const auto cells = static_cast<std::size_t>(which.size());
  if (static_cast<std::size_t>(values.size()) != cells * addresses.size())
    throw py::value_error("values: expected shape (cells, addresses)");
  for (std::size_t i = 0; i < cells; ++i) {
    const std::int32_t w = which.data()[i];
    if (w < 0 || static_cast<std::size_t>(w) >= problems.size())
      throw py::index_error("which: no problem " + std::to_string(w));
  }
  std::vector<sweep::Template> templates;
  for (const split::Problem& problem : problems) {
    sweep::Template& t = templates.emplace_back();
    t.spec = problem.spec();
    for (const std::string& address : addresses) t.targets.push_back(sweep::resolve(t.spec, address));
  }
  const sweep::Columns into = columns_of(columns, cells * methods.size());
  const sweep::Options options{methods, time_limit_s, threads, keep_plans};
  const GilReleased no_gil;
  sweep::run({templates, {which.data(), cells}, {values.data(), static_cast<std::size_t>(values.size())}},
             options, into, [&](std::vector<sweep::Finished> finished) {
               return hand_over(on_finished, std::move(finished), keep_plans);
             });
}

}  // namespace

void register_sweep(py::module_& m) {
  py::options options;
  options.disable_function_signatures();
  m.def(
      "sweep_field",
      [](const split::Problem& problem, const std::string& address) {
        const sweep::Target target = sweep::resolve(problem.spec(), address);
        return py::make_tuple(target.unit, target.is_count);
      },
      py::arg("problem"), py::arg("address"),
      "sweep_field(problem: Problem, address: str) -> tuple[str, bool]\n\n"
      "Unit of the numeric field that `address` names, and whether it is a count. ValueError says what "
      "exists instead.");
  m.def("sweep_check_method", &sweep::check_method, py::arg("method"),
        "sweep_check_method(method: str) -> None\n\nValueError with the known names for a method that "
        "`sweep_run` does not know.");
  m.def("sweep_run", &run_sweep, py::kw_only(), py::arg("problems"), py::arg("addresses"),
        py::arg("which").noconvert(), py::arg("values").noconvert(), py::arg("columns"), py::arg("methods"),
        py::arg("time_limit_s"), py::arg("threads"), py::arg("keep_plans"), py::arg("on_finished"),
        "sweep_run(*, problems: collections.abc.Sequence[Problem], addresses: collections.abc.Sequence[str], "
        "which: typing.Any, "
        "values: typing.Any, columns: dict[str, typing.Any], methods: collections.abc.Sequence[str], "
        "time_limit_s: float, threads: int, "
        "keep_plans: bool, on_finished: typing.Any) -> None\n\n"
        "Solves cell i, problems[which[i]] with the addressed fields set to values[i], into the columns, all "
        "of one length\n"
        "cells * methods. `on_finished(rows, messages, plans)` hears of finished rows now and then, in the "
        "calling thread.");
}

}  // namespace constellm::bindings
