#pragma once
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "constellm/sweep/run.hpp"
#include "gil.hpp"
#include "record.hpp"

// Python's side of the sweep of every system: `columns`, `statuses`, `field` and `run`.
namespace constellm::bindings {

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

template <class Row>
sweep::Columns<Row> columns_from(const py::dict& columns, std::size_t rows) {
  return std::apply(
      [&](const auto&... field) {
        return sweep::Columns<Row>{
            column<sweep::Stored<std::remove_cvref_t<decltype(field.of(std::declval<const Row&>()))>>>(
                columns, field.name, rows)...};
      },
      core::fields_of<Row>().fields);
}

/// (name, numpy's type, unit, sentence, value where there is no answer) of every column.
template <class Row>
py::tuple columns_told() {
  py::list told;
  core::fields_of<Row>().for_each([&]<class A>(const core::Field<Row, A>& field) {
    using T = sweep::Stored<typename core::Field<Row, A>::Value>;
    const char* type = std::is_same_v<T, double> ? "f8" : std::is_same_v<T, std::int64_t> ? "i8" : "i1";
    told.append(py::make_tuple(field.name, type, field.unit, field.doc, static_cast<T>(field.of(Row{}))));
  });
  return told;
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

/// Tells Python of finished rows; `shown(answer)` makes an answer Python's.
template <class Answer, class Shown>
bool hand_over(const py::function& on_finished, std::vector<sweep::Finished<Answer>> finished, bool keep,
               const Shown& shown) {
  const GilTaken gil;
  return interrupted_in([&] {
    if (finished.empty()) return;
    py::array_t<std::int64_t> rows(static_cast<py::ssize_t>(finished.size()));
    py::dict messages;
    py::list answers;
    for (std::size_t i = 0; i < finished.size(); ++i) {
      sweep::Finished<Answer>& one = finished[i];
      rows.mutable_at(static_cast<py::ssize_t>(i)) = one.row;
      if (!one.message.empty()) messages[py::int_(one.row)] = one.message;
      if (keep) answers.append(one.answer ? shown(*std::move(one.answer)) : py::object(py::none()));
    }
    on_finished(rows, messages, answers);
  });
}

using CellIndices = py::array_t<std::int32_t, py::array::c_style>;
using CellValues = py::array_t<double, py::array::c_style>;

/// Sweeps of `system` as a module: `record_of` gives the record of what Python holds, a `Bound`.
template <class Bound, sweep::System S, class RecordOf, class Shown>
void bind_sweep(py::module_& m, const S& system, RecordOf record_of, Shown shown) {
  using Record = typename S::Record;
  using Row = typename S::Row;
  py::options options;
  options.disable_function_signatures();
  m.attr("columns") = columns_told<Row>();
  py::list statuses;
  for (const std::string_view word : words(core::Status{})) statuses.append(word);
  statuses.append("invalid");  // sweep::kInvalid
  m.attr("statuses") = py::tuple(statuses);
  const std::string what = Annotation<Bound>::in();
  m.def(
      "field",
      [record_of](const Bound& problem, const std::string& address, const std::vector<std::string>& earlier) {
        const Record& record = record_of(problem);
        const auto target = sweep::resolve(record, address);
        for (const std::string& before : earlier) {
          if (target.hides(sweep::resolve(record, before)))
            throw core::InvalidInput("axis '" + address + "': sets all that axis '" + before +
                                     "' has set before it, which would change nothing");
        }
        return py::make_tuple(target.unit, target.is_count);
      },
      py::arg("problem"), py::arg("address"), py::arg("earlier"),
      ("field(problem: " + what +
       ", address: str, earlier: collections.abc.Sequence[str]) -> tuple[str, bool]\n\nUnit of the numeric "
       "field that `address` names, and whether it is a count. ValueError says what exists instead, or which "
       "of the `earlier` addresses it would leave without effect.")
          .c_str());
  m.def(
      "run",
      [=](const std::vector<Bound>& problems, const std::vector<std::string>& addresses,
          const CellIndices& which, const CellValues& values, const py::dict& columns,
          const std::vector<std::string>& methods, double time_limit_s, std::int32_t threads,
          bool keep_answers, const py::function& on_finished) {
        const auto cells = static_cast<std::size_t>(which.size());
        if (static_cast<std::size_t>(values.size()) != cells * addresses.size())
          throw py::value_error("values: expected shape (cells, addresses)");
        for (std::size_t i = 0; i < cells; ++i) {
          const std::int32_t w = which.data()[i];
          if (w < 0 || static_cast<std::size_t>(w) >= problems.size())
            throw py::index_error("which: no problem " + std::to_string(w));
        }
        std::vector<sweep::Template<Record>> templates;
        for (const Bound& problem : problems) {
          sweep::Template<Record>& t =
              templates.emplace_back(sweep::Template<Record>{record_of(problem), {}});
          for (const std::string& address : addresses) t.targets.push_back(sweep::resolve(t.record, address));
        }
        const auto into = columns_from<Row>(columns, cells * methods.size());
        const GilReleased no_gil;
        sweep::run(
            system,
            {templates, {which.data(), cells}, {values.data(), static_cast<std::size_t>(values.size())}},
            {methods, time_limit_s, threads, keep_answers}, into,
            [&](std::vector<sweep::Finished<typename S::Answer>> finished) {
              return hand_over(on_finished, std::move(finished), keep_answers, shown);
            });
      },
      py::kw_only(), py::arg("problems"), py::arg("addresses"), py::arg("which").noconvert(),
      py::arg("values").noconvert(), py::arg("columns"), py::arg("methods"), py::arg("time_limit_s"),
      py::arg("threads"), py::arg("keep_answers"), py::arg("on_finished"),
      ("run(*, problems: collections.abc.Sequence[" + what +
       "], addresses: collections.abc.Sequence[str], which: typing.Any, values: typing.Any, columns: "
       "dict[str, "
       "typing.Any], methods: collections.abc.Sequence[str], time_limit_s: float, threads: int, "
       "keep_answers: "
       "bool, on_finished: typing.Any) -> None\n\n"
       "Solves cell i, problems[which[i]] with the addressed fields set to values[i], into the columns, all "
       "of one length\ncells * methods. `on_finished(rows, messages, answers)` hears of finished rows now "
       "and "
       "then, in the calling thread.")
          .c_str());
}

}  // namespace constellm::bindings
