#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"

namespace constellm::moe {

/// Cheapest assignment of every row to a column, columns taking several rows each: as Assignment, by
/// successive shortest paths with potentials. Its memory is kept between calls.
class Transport {
 public:
  /// `cost` is [rows][columns], infinite: not allowed; `room` is how many rows each column takes. Returns
  /// whether there is an assignment. Throws core::Stopped.
  bool solve(std::size_t rows, std::span<const std::int32_t> room, std::span<const double> cost,
             core::StopToken& stop);

  // Of the last call that returned true.
  [[nodiscard]] double value() const { return value_; }
  [[nodiscard]] std::span<const std::int32_t> column_of_row() const { return column_of_row_; }
  /// By how much at least the value grows with that row in that column.
  [[nodiscard]] double reduced(std::size_t row, std::size_t column, double cost) const {
    return cost - row_price_[row] - column_price_[column];
  }
  /// Prices of columns, none of them positive: whatever they are, the value is at least the sum over the rows
  /// of their least cost less price, and over the columns of room times price.
  [[nodiscard]] std::span<const double> column_prices() const { return column_price_; }

 private:
  double value_ = 0.0;
  std::vector<double> row_price_, column_price_, reach_;
  std::vector<std::int32_t> column_of_row_, from_;
  std::vector<std::vector<std::int32_t>> rows_of_column_;
  std::vector<char> done_;
};

}  // namespace constellm::moe
