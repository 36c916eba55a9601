#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace constellm::moe {

/// Cheapest assignment of every row to a column of its own: successive shortest paths with potentials
/// (Jonker and Volgenant, 1987). Its memory is kept between calls.
class Assignment {
 public:
  /// `cost` is [rows][columns], rows <= columns; infinite: not allowed. Returns whether there is an
  /// assignment.
  bool solve(std::size_t rows, std::size_t columns, std::span<const double> cost);

  // Of the last call that returned true.
  [[nodiscard]] double value() const { return value_; }
  [[nodiscard]] std::span<const std::int32_t> column_of_row() const { return column_of_row_; }
  /// By how much at least the value grows with that row in that column.
  [[nodiscard]] double reduced(std::size_t row, std::size_t column, double cost) const {
    return cost - row_price_[row] - column_price_[column];
  }

 private:
  double value_ = 0.0;
  std::vector<double> row_price_, column_price_, reach_;
  std::vector<std::int32_t> row_of_column_, column_of_row_, from_;
  std::vector<char> done_;
};

}  // namespace constellm::moe
