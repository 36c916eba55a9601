#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/assignment.hpp"
#include "constellm/moe/pair_layer.hpp"

namespace constellm::moe {

/// Exact placement of layers of two picks that share satellites: depth first, an expert a level. A node's
/// bound is an assignment of the experts that are left, each at what it costs beside those placed and half of
/// what it costs at least beside the others (Gilmore and Lawler). The expert with the fewest satellites that
/// may still beat the best placement is placed next.
class PairSearch {
 public:
  /// `best` is a placement of value `best_s`, sums without base_s; a placement is sought that is better by
  /// more than `slack_s`. `open` are the satellites that may be used.
  PairSearch(std::span<const PairLayer> layers, std::vector<char> open, Placement best, double best_s,
             double slack_s);

  /// Returns a lower bound of all placements on open satellites: at least best_s() - slack_s where it was not
  /// stopped, by the token or since it has done so much work.
  double run(core::StopToken& stop, std::uint64_t most_work = ~std::uint64_t{0});

  [[nodiscard]] const Placement& best() const { return best_; }
  [[nodiscard]] double best_s() const { return best_s_; }
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  struct Expert {
    std::int32_t layer;
    std::int32_t in_layer;
    std::int32_t place;  ///< among the layer's satellites; -1: not placed yet
  };
  struct Child {
    std::int32_t satellite;
    double bound_s;
  };
  /// What a level of the tree needs, kept between its nodes.
  struct Level {
    Assignment assignment;
    std::vector<double> cost;
    std::vector<std::int32_t> rows;     ///< experts that are left
    std::vector<std::int32_t> columns;  ///< satellites that are left
    std::vector<Child> children;
  };

  bool ended(core::StopToken& stop, std::uint64_t work);
  double node(std::size_t depth, double placed_s, core::StopToken& stop);
  void fill(Level& level);
  void fill_layer(Level& level, std::size_t layer, std::span<const std::int32_t> rows);
  void take(const Level& level, double placed_s);
  [[nodiscard]] bool shared(std::int32_t a, std::int32_t b) const;
  [[nodiscard]] double cost_beside_placed(const Expert& expert, std::int32_t place) const;

  std::span<const PairLayer> layers_;
  std::vector<char> open_;  ///< by satellite: may be used, and is not yet
  std::vector<std::int32_t> column_of_;
  std::vector<Expert> experts_;
  std::vector<std::size_t> first_;
  std::vector<Level> levels_;
  std::vector<double> near_s_;
  Placement best_;
  double best_s_;
  double slack_s_;
  std::uint64_t nodes_ = 0;
  std::uint64_t work_ = 0;
  std::uint64_t most_work_ = 0;
};

}  // namespace constellm::moe
