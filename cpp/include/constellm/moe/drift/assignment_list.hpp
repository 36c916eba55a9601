#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/assignment.hpp"

namespace constellm::moe {

/// All assignments of every row to a column of its own that cost at most a limit: depth first, the row with
/// the fewest columns that keep within it next.
class AssignmentList {
 public:
  /// `cost` is [rows][columns], rows <= columns; infinite: not allowed.
  AssignmentList(std::size_t rows, std::size_t columns, std::span<const double> cost, double limit);

  /// The columns of the rows of each that `wanted` says yes to; none where there are more than `most`, or it
  /// was stopped, by the token or since it has looked at so many nodes.
  std::optional<std::vector<std::vector<std::int32_t>>> all(
      std::size_t most, std::uint64_t most_nodes, core::StopToken& stop,
      const std::function<bool(const std::vector<std::int32_t>&)>& wanted);

  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  struct Level {
    Assignment assignment;
    std::vector<std::int32_t> rows;
    std::vector<std::int32_t> columns;
    std::vector<double> cost;
    std::vector<std::int32_t> children;
  };
  bool node(std::size_t depth, double cost_before, core::StopToken& stop,
            const std::function<bool(const std::vector<std::int32_t>&)>& wanted);

  std::size_t columns_;
  std::span<const double> cost_;
  double limit_;
  std::vector<std::int32_t> column_of_;
  std::vector<char> taken_;
  std::vector<Level> levels_;
  std::vector<std::vector<std::int32_t>> found_;
  std::size_t most_ = 0;
  std::uint64_t nodes_ = 0;
  std::uint64_t most_nodes_ = 0;
};

}  // namespace constellm::moe
