#pragma once
#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "constellm/core/status.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/sweep/address.hpp"

// A sweep is a grid of fields of a record times columns of a result. What the record is, and how it is
// answered, the system brings along.
namespace constellm::sweep {

/// `Record`: a struct with a table of fields. `Question`: what is made of it once, checked. `Memory`: what
/// a thread keeps from one answer to the next. `Answer`: what a method finds; its figures are a `Row`, a
/// struct with a table of numbers and one core::Status, whose initial values stand for no answer.
template <class S>
concept System = core::Described<typename S::Record> && core::Described<typename S::Row> &&
                 requires(const S& system, typename S::Record record, const typename S::Question& question,
                          const typename S::Answer& answer, const std::string& method, core::StopToken& stop,
                          typename S::Memory& memory) {
                   { system.question(std::move(record)) } -> std::same_as<typename S::Question>;
                   { system.answer(question, method, stop, memory) } -> std::same_as<typename S::Answer>;
                   { system.row(answer) } -> std::same_as<typename S::Row>;
                 };

/// A record and the fields that the cells change in it.
template <class Record>
struct Template {
  Record record;
  std::vector<Target<Record>> targets;
};

/// What is to be solved: cell i is `templates[which[i]]`, its targets set, in order, to row i of `values`.
template <class Record>
struct Cells {
  std::span<const Template<Record>> templates;
  std::span<const std::int32_t> which;  ///< [cells]
  std::span<const double> values;       ///< [cells, targets]
};

struct Options {
  std::vector<std::string> methods;
  double time_limit_s = std::numeric_limits<double>::infinity();  ///< of every cell and method
  std::int32_t threads = 1;
  bool keep_answers = false;
};

/// Codes in a column of statuses: those of core::Status, and one for a cell that is no valid question.
inline constexpr auto kInvalid = static_cast<std::int8_t>(words(core::Status{}).size());

template <class V>
using Stored = std::conditional_t<std::is_enum_v<V>, std::int8_t, V>;

template <class Row, class... A>
std::tuple<std::span<Stored<typename core::Field<Row, A>::Value>>...> columns_of(
    const core::Record<Row, A...>& table);

/// Where the figures go: for every field of a Row a span [cells, methods].
template <core::Described Row>
using Columns = decltype(columns_of(core::fields_of<Row>()));

/// A row of the columns that will not change any more.
template <class Answer>
struct Finished {
  std::int64_t row = 0;          ///< cell * methods + method
  std::string message;           ///< why it is invalid
  std::optional<Answer> answer;  ///< where answers are kept
};

/// Gets what has finished since the last call, a few times a second and once at the end, always in
/// the thread that called `run`; true asks to stop. May be called with nothing.
template <class Answer>
using Handover = std::function<bool(std::vector<Finished<Answer>>)>;

/// Threads that work through the numbers from 0 to `count`, one at a time.
class Crew {
 public:
  using Work = std::function<void(std::size_t)>;

  /// `make_work()` is called once a thread. `report()` is called in this thread, a few times a second and
  /// once at the end; true from it ends the work early, as an exception in `work` does, which is thrown here.
  void run(std::size_t count, std::int32_t threads, const std::function<Work()>& make_work,
           const std::function<bool()>& report);

  [[nodiscard]] bool stopped() const { return stop_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> stop_{false};
};

namespace detail {

template <class Row, std::size_t... I>
void write(const Columns<Row>& columns, std::size_t at, const Row& row, std::index_sequence<I...>) {
  constexpr auto table = core::fields_of<Row>();
  ((std::get<I>(columns)[at] =
        static_cast<Stored<std::remove_cvref_t<decltype(std::get<I>(table.fields).of(row))>>>(
            std::get<I>(table.fields).of(row))),
   ...);
}

template <class Row>
void write(const Columns<Row>& columns, std::size_t at, const Row& row) {
  write(columns, at, row, std::make_index_sequence<std::tuple_size_v<Columns<Row>>>());
}

/// The row of a cell that is no valid question.
template <class Row>
void write_invalid(const Columns<Row>& columns, std::size_t at) {
  write(columns, at, Row{});
  const auto mark = [&]<class V>(const std::span<V>& column) {
    if constexpr (std::is_same_v<V, std::int8_t>) column[at] = kInvalid;
  };
  std::apply([&](const auto&... column) { (mark(column), ...); }, columns);
}

/// One thread's part of a run.
template <System S>
class Worker {
 public:
  using Record = typename S::Record;
  using Rows = std::vector<Finished<typename S::Answer>>;

  Worker(const S& system, const Cells<Record>& cells, const Options& options,
         const Columns<typename S::Row>& columns, const Crew& crew)
      : system_(system), cells_(cells), options_(options), columns_(columns), crew_(crew) {}

  Rows solve(std::size_t cell) {
    Rows rows(options_.methods.size());
    std::optional<typename S::Question> question;
    for (std::size_t m = 0; m < rows.size(); ++m) {
      const std::size_t at = cell * rows.size() + m;
      rows[m].row = static_cast<std::int64_t>(at);
      try {
        if (!question) question = system_.question(patched(cell));
        core::StopToken stop(options_.time_limit_s, [this] { return crew_.stopped(); });
        auto answer = system_.answer(*question, options_.methods[m], stop, memory_);
        write(columns_, at, system_.row(answer));
        if (options_.keep_answers) rows[m].answer = std::move(answer);
      } catch (const core::InvalidInput& error) {
        write_invalid<typename S::Row>(columns_, at);
        rows[m].message = error.what();
      }
    }
    return rows;
  }

 private:
  [[nodiscard]] Record patched(std::size_t cell) const {
    const Template<Record>& base = cells_.templates[static_cast<std::size_t>(cells_.which[cell])];
    Record record = base.record;
    const double* values = cells_.values.data() + cell * base.targets.size();
    for (const Target<Record>& target : base.targets) target.apply(record, *values++);
    return record;
  }

  const S& system_;
  const Cells<Record>& cells_;
  const Options& options_;
  const Columns<typename S::Row>& columns_;
  const Crew& crew_;
  typename S::Memory memory_;
};

}  // namespace detail

/// Solves every cell, `threads` at a time. Which thread solves a cell changes nothing but a column of
/// seconds. Rows that a stop leaves unsolved keep what the caller has put into the columns and are not
/// handed over. A cell that is no valid question gets kInvalid; any other exception ends the run.
template <System S>
void run(const S& system, const Cells<typename S::Record>& cells, const Options& options,
         const Columns<typename S::Row>& columns, const Handover<typename S::Answer>& handover) {
  std::mutex mutex;
  std::vector<Finished<typename S::Answer>> finished;  // not yet handed over
  Crew crew;
  const auto make_work = [&]() -> Crew::Work {
    auto worker = std::make_shared<detail::Worker<S>>(system, cells, options, columns, crew);
    return [&, worker](std::size_t cell) {
      auto rows = worker->solve(cell);
      const std::lock_guard lock(mutex);
      for (auto& row : rows) finished.push_back(std::move(row));
    };
  };
  crew.run(cells.which.size(), options.threads, make_work, [&] {
    std::vector<Finished<typename S::Answer>> batch;
    {
      const std::lock_guard lock(mutex);
      batch.swap(finished);
    }
    return handover(std::move(batch));
  });
}

}  // namespace constellm::sweep
