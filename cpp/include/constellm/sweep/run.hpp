#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "constellm/split/plan.hpp"
#include "constellm/sweep/address.hpp"

namespace constellm::sweep {

/// A problem and the fields that the cells change in it.
struct Template {
  split::ProblemSpec spec;
  std::vector<Target> targets;
};

/// What is to be solved: cell i is `templates[which[i]]`, its targets set, in order, to row i of `values`.
struct Cells {
  std::span<const Template> templates;
  std::span<const std::int32_t> which;  ///< [cells]
  std::span<const double> values;       ///< [cells, targets]
};

struct Options {
  std::vector<std::string> methods{"optimal"};                    ///< also the baselines of split::propose
  double time_limit_s = std::numeric_limits<double>::infinity();  ///< of every cell and method
  std::int32_t threads = 1;
  bool keep_plans = false;
};

/// Codes in `Columns::status`: those of core::Status, and one for a cell that is no valid problem.
inline constexpr std::int8_t kInvalid = 6;

/// Where the figures go: [cells, methods] each. NaN, or 0 stages, where there is no plan.
struct Columns {
  std::span<double> delay_s;
  std::span<double> bottleneck_s;
  std::span<double> lower_bound_s;
  std::span<double> error;
  std::span<double> energy_j;
  std::span<double> bytes;
  std::span<double> seconds;
  std::span<std::int64_t> stages;
  std::span<std::int64_t> labels;
  std::span<std::int8_t> status;
};

struct Answer {
  split::Problem problem;  ///< of the cell, its menu completed by codecs that the method brings along
  split::Plan plan;
};

/// A row of the columns that will not change any more.
struct Finished {
  std::int64_t row = 0;          ///< cell * methods + method
  std::string message;           ///< why it is invalid
  std::optional<Answer> answer;  ///< where plans are kept
};

/// Gets what has finished since the last call, a few times a second and once at the end, always in
/// the thread that called `run`; true asks to stop. May be called with nothing.
using Handover = std::function<bool(std::vector<Finished>)>;

/// Throws core::InvalidInput with the known names for a method that `run` does not know.
void check_method(const std::string& method);

/// Solves every cell, `threads` at a time. Which thread solves a cell changes nothing but `seconds`.
/// Rows that a stop leaves unsolved keep what the caller has put into the columns and are not
/// handed over. A cell that is no valid problem gets kInvalid; any other exception ends the run.
void run(const Cells& cells, const Options& options, const Columns& columns, const Handover& handover);

}  // namespace constellm::sweep
