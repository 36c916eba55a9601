#include "constellm/moe/assignment.hpp"

#include <algorithm>
#include <limits>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

bool Assignment::solve(std::size_t rows, std::size_t columns, std::span<const double> cost) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  if (rows > columns) return false;
  row_price_.assign(rows, 0.0);
  column_price_.assign(columns, 0.0);
  row_of_column_.assign(columns, -1);
  column_of_row_.assign(rows, -1);
  for (std::size_t row = 0; row < rows; ++row) {
    // Dijkstra over columns from this row, in reduced costs, to a column that is free.
    reach_.assign(columns, kFar);
    from_.assign(columns, -1);
    done_.assign(columns, 0);
    std::size_t at = row;
    std::int32_t through = -1;  // the column that led to row `at`
    double far = 0.0;
    std::int32_t end = -1;
    while (end < 0) {
      std::int32_t nearest = -1;
      double least = kFar;
      for (std::size_t c = 0; c < columns; ++c) {
        if (done_[c] != 0) continue;
        const double next = far + cost[at * columns + c] - row_price_[at] - column_price_[c];
        if (next < reach_[c]) {
          reach_[c] = next;
          from_[c] = through;
        }
        if (reach_[c] < least) {
          least = reach_[c];
          nearest = static_cast<std::int32_t>(c);
        }
      }
      if (nearest < 0) return false;
      far = least;
      done_[z(nearest)] = 1;
      if (row_of_column_[z(nearest)] < 0) {
        end = nearest;
      } else {
        at = z(row_of_column_[z(nearest)]);
        through = nearest;
      }
    }
    row_price_[row] += far;
    for (std::size_t c = 0; c < columns; ++c) {
      if (done_[c] == 0 || static_cast<std::int32_t>(c) == end) continue;
      row_price_[z(row_of_column_[c])] += far - reach_[c];
      column_price_[c] -= far - reach_[c];
    }
    for (std::int32_t c = end; c >= 0;) {
      const std::int32_t before = from_[z(c)];
      row_of_column_[z(c)] = before < 0 ? static_cast<std::int32_t>(row) : row_of_column_[z(before)];
      c = before;
    }
  }
  value_ = 0.0;
  for (std::size_t c = 0; c < columns; ++c) {
    if (row_of_column_[c] < 0) continue;
    column_of_row_[z(row_of_column_[c])] = static_cast<std::int32_t>(c);
    value_ += cost[z(row_of_column_[c]) * columns + c];
  }
  return true;
}

}  // namespace constellm::moe
