#include "constellm/moe/transport.hpp"

#include <algorithm>
#include <limits>

#include "constellm/core/index.hpp"

namespace constellm::moe {

using core::z;

bool Transport::solve(std::size_t rows, std::span<const std::int32_t> room, std::span<const double> cost,
                      core::StopToken& stop) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  const std::size_t columns = room.size();
  row_price_.assign(rows, 0.0);
  column_price_.assign(columns, 0.0);
  column_of_row_.assign(rows, -1);
  rows_of_column_.resize(columns);
  for (std::vector<std::int32_t>& taken : rows_of_column_) taken.clear();
  for (std::size_t row = 0; row < rows; ++row) {
    // Dijkstra over columns from this row, in reduced costs, to a column that has room.
    reach_.assign(columns, kFar);
    from_.assign(columns, -1);
    done_.assign(columns, 0);
    double far = 0.0;
    std::int32_t end = -1;
    const auto look_from = [&](std::int32_t at) {
      const double* const row_cost = &cost[z(at) * columns];
      const double less = row_price_[z(at)];
      for (std::size_t c = 0; c < columns; ++c) {
        const double next = far + (row_cost[c] - less - column_price_[c]);
        if (done_[c] == 0 && next < reach_[c]) {
          reach_[c] = next;
          from_[c] = at;
        }
      }
    };
    look_from(static_cast<std::int32_t>(row));
    while (end < 0) {
      if (stop.should_stop(columns / 32 + 1)) throw core::Stopped();
      std::int32_t nearest = -1;
      double least = kFar;
      for (std::size_t c = 0; c < columns; ++c) {
        if (done_[c] != 0 || room[c] == 0 || !(reach_[c] < least)) continue;
        least = reach_[c];
        nearest = static_cast<std::int32_t>(c);
      }
      if (nearest < 0) return false;
      far = least;
      done_[z(nearest)] = 1;
      if (rows_of_column_[z(nearest)].size() < z(room[z(nearest)]))
        end = nearest;
      else
        for (const std::int32_t at : rows_of_column_[z(nearest)]) look_from(at);
    }
    row_price_[row] += far;
    for (std::size_t c = 0; c < columns; ++c) {
      if (done_[c] == 0 || static_cast<std::int32_t>(c) == end) continue;
      for (const std::int32_t at : rows_of_column_[c]) row_price_[z(at)] += far - reach_[c];
      column_price_[c] -= far - reach_[c];
    }
    // Each row of the path takes the column that it led to, from the end back to the new one.
    for (std::int32_t c = end; c >= 0;) {
      const std::int32_t at = from_[z(c)];
      const std::int32_t before = column_of_row_[z(at)];
      column_of_row_[z(at)] = c;
      rows_of_column_[z(c)].push_back(at);
      if (before >= 0) {
        std::vector<std::int32_t>& left = rows_of_column_[z(before)];
        left.erase(std::find(left.begin(), left.end(), at));
      }
      c = before;
    }
  }
  value_ = 0.0;
  for (std::size_t row = 0; row < rows; ++row) value_ += cost[row * columns + z(column_of_row_[row])];
  return true;
}

}  // namespace constellm::moe
