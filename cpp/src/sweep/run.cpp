#include "constellm/sweep/run.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "constellm/core/error.hpp"
#include "constellm/split/baselines/propose.hpp"
#include "constellm/split/solve.hpp"

namespace constellm::sweep {
namespace {

constexpr std::chrono::milliseconds kHandoverPeriod{50};
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kOptimal = "optimal";

class Runner {
 public:
  Runner(const Cells& cells, const Options& options, const Columns& columns)
      : cells_(cells), options_(options), columns_(columns) {}

  void run(const Handover& handover) {
    running_ =
        std::min<std::size_t>(static_cast<std::size_t>(std::max(options_.threads, 1)), cells_.which.size());
    std::vector<std::jthread> workers;
    try {
      for (std::size_t left = running_; left > 0; --left) workers.emplace_back([this] { work(); });
      supervise(handover);
    } catch (...) {
      stop_ = true;  // the workers are joined on the way out
      throw;
    }
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void supervise(const Handover& handover) {
    for (bool done = false; !done;) {
      std::vector<Finished> finished;
      {
        std::unique_lock lock(mutex_);
        done = all_done_.wait_for(lock, kHandoverPeriod, [this] { return running_ == 0; });
        finished.swap(finished_);
      }
      if (handover(std::move(finished))) stop_ = true;
    }
  }

  void work() {
    std::exception_ptr failure;
    try {
      search::Workspace workspace;
      while (!stop_) {
        const std::size_t cell = next_++;
        if (cell >= cells_.which.size()) break;
        finish(solve_cell(cell, workspace));
      }
    } catch (...) {
      failure = std::current_exception();
      stop_ = true;
    }
    const std::lock_guard lock(mutex_);
    if (failure && !failure_) failure_ = failure;
    if (--running_ == 0) all_done_.notify_all();
  }

  void finish(std::vector<Finished> rows) {
    const std::lock_guard lock(mutex_);
    for (Finished& row : rows) finished_.push_back(std::move(row));
  }

  std::vector<Finished> solve_cell(std::size_t cell, search::Workspace& workspace) {
    std::vector<Finished> rows(options_.methods.size());
    std::optional<split::Problem> problem;
    for (std::size_t m = 0; m < rows.size(); ++m) {
      const std::size_t row = cell * rows.size() + m;
      rows[m].row = static_cast<std::int64_t>(row);
      try {
        if (!problem) problem = patched(cell);
        Answer answer = solve_by(options_.methods[m], *problem, workspace);
        fill(row, answer.plan);
        if (options_.keep_plans) rows[m].answer = std::move(answer);
      } catch (const core::InvalidInput& error) {
        split::Plan nothing;
        nothing.lower_bound_s = nothing.seconds = kNan;
        fill(row, nothing);
        columns_.status[row] = kInvalid;
        rows[m].message = error.what();
      }
    }
    return rows;
  }

  [[nodiscard]] split::Problem patched(std::size_t cell) const {
    const Template& base = cells_.templates[static_cast<std::size_t>(cells_.which[cell])];
    split::ProblemSpec spec = base.spec;
    const double* values = cells_.values.data() + cell * base.targets.size();
    for (const Target& target : base.targets) target.apply(spec, *values++);
    return split::Problem(std::move(spec));
  }

  Answer solve_by(const std::string& method, const split::Problem& problem, search::Workspace& workspace) {
    core::StopToken stop(options_.time_limit_s, [this] { return stop_.load(std::memory_order_relaxed); });
    if (method == kOptimal) return {problem, split::solve(problem, {}, stop, workspace)};
    const split::Proposal proposal = split::propose(method, problem, stop, workspace);
    split::Plan plan = split::to_plan(proposal);
    return {plan.assignment ? proposal.problem : problem, std::move(plan)};
  }

  void fill(std::size_t row, const split::Plan& plan) const {
    const bool found = plan.assignment.has_value();
    columns_.delay_s[row] = found ? plan.delay_s : kNan;
    columns_.bottleneck_s[row] = found ? plan.bottleneck_s : kNan;
    columns_.lower_bound_s[row] = plan.lower_bound_s;
    columns_.error[row] = found ? plan.error : kNan;
    columns_.energy_j[row] = found ? plan.energy_j : kNan;
    columns_.bytes[row] = found ? plan.bytes : kNan;
    columns_.seconds[row] = plan.seconds;
    columns_.stages[row] = found ? static_cast<std::int64_t>(plan.assignment->stages.size()) : 0;
    columns_.labels[row] = plan.counters.labels;
    columns_.status[row] = static_cast<std::int8_t>(plan.status);
  }

  const Cells& cells_;
  const Options& options_;
  const Columns& columns_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable all_done_;
  std::size_t running_ = 0;         ///< workers; guarded by mutex_, as what follows
  std::vector<Finished> finished_;  ///< not yet handed over
  std::exception_ptr failure_;
};

}  // namespace

void check_method(const std::string& method) {
  if (method == kOptimal || split::is_baseline(method)) return;
  std::string known(kOptimal);
  for (const std::string& name : split::baseline_names()) known += ", " + name;
  throw core::InvalidInput("method: '" + method + "' is not one of " + known + ", fixed:<codec>");
}

void run(const Cells& cells, const Options& options, const Columns& columns, const Handover& handover) {
  for (const std::string& method : options.methods) check_method(method);
  Runner(cells, options, columns).run(handover);
}

}  // namespace constellm::sweep
