#include "constellm/moe/drift/assignment_list.hpp"

#include <algorithm>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

AssignmentList::AssignmentList(std::size_t rows, std::size_t columns, std::span<const double> cost,
                               double limit)
    : columns_(columns),
      cost_(cost),
      limit_(limit),
      column_of_(rows, -1),
      taken_(columns, 0),
      levels_(rows + 1) {}

std::optional<std::vector<std::vector<std::int32_t>>> AssignmentList::all(
    std::size_t most, std::uint64_t most_nodes, core::StopToken& stop,
    const std::function<bool(const std::vector<std::int32_t>&)>& wanted) {
  most_ = most;
  most_nodes_ = most_nodes;
  if (!node(0, 0.0, stop, wanted)) return std::nullopt;
  return std::move(found_);
}

/// Whether it went through.
bool AssignmentList::node(std::size_t depth, double cost_before, core::StopToken& stop,
                          const std::function<bool(const std::vector<std::int32_t>&)>& wanted) {
  Level& level = levels_[depth];
  level.rows.clear();
  level.columns.clear();
  level.cost.clear();
  for (std::size_t r = 0; r < column_of_.size(); ++r)
    if (column_of_[r] < 0) level.rows.push_back(static_cast<std::int32_t>(r));
  const std::size_t rows = level.rows.size();
  if (++nodes_ > most_nodes_ || stop.should_stop(rows * columns_ / 8 + 1)) return false;
  if (rows == 0) {
    if (cost_before > limit_ || !wanted(column_of_)) return true;
    found_.push_back(column_of_);
    return found_.size() <= most_;
  }
  for (std::size_t c = 0; c < columns_; ++c)
    if (taken_[c] == 0) level.columns.push_back(static_cast<std::int32_t>(c));
  const std::size_t columns = level.columns.size();
  for (const std::int32_t r : level.rows)
    for (const std::int32_t c : level.columns) level.cost.push_back(cost_[z(r) * columns_ + z(c)]);
  if (!level.assignment.solve(rows, columns, level.cost)) return true;
  const double bound = cost_before + level.assignment.value();
  if (bound > limit_) return true;
  std::size_t branch = 0;
  std::size_t fewest = columns + 1;
  for (std::size_t r = 0; r < rows; ++r) {
    std::size_t left = 0;
    for (std::size_t c = 0; c < columns; ++c)
      left += bound + level.assignment.reduced(r, c, level.cost[r * columns + c]) <= limit_ ? 1U : 0U;
    if (left < fewest) {
      fewest = left;
      branch = r;
    }
  }
  level.children.clear();
  for (std::size_t c = 0; c < columns; ++c) {
    const double least = bound + level.assignment.reduced(branch, c, level.cost[branch * columns + c]);
    if (least <= limit_) level.children.push_back(level.columns[c]);
  }
  const std::int32_t row = level.rows[branch];
  for (const std::int32_t column : level.children) {
    column_of_[z(row)] = column;
    taken_[z(column)] = 1;
    const bool through = node(depth + 1, cost_before + cost_[z(row) * columns_ + z(column)], stop, wanted);
    column_of_[z(row)] = -1;
    taken_[z(column)] = 0;
    if (!through) return false;
  }
  return true;
}

}  // namespace constellm::moe
