#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/moe/chain.hpp"
#include "constellm/moe/chain_bound.hpp"
#include "constellm/moe/transport.hpp"

namespace constellm::moe {

/// Exact placement of a chain: depth first, an expert a level. A node's bound is that of ChainBound over the
/// experts that are left, with what is placed counted exactly. The expert with the fewest satellites that may
/// still beat the best placement is placed next.
class ChainSearch {
 public:
  /// A placement is sought that is better than `best`, of value `best_s`, by more than `slack_s`.
  ChainSearch(const Chain& chain, std::vector<std::vector<ChainBound::Charge>> charges,
              std::vector<std::int32_t> best, double best_s, double slack_s);

  /// Returns a lower bound of all placements: at least best_s() - slack_s where it was not stopped, by the
  /// token or since it has done so much work.
  double run(std::uint64_t most_work, core::StopToken& stop);

  [[nodiscard]] const std::vector<std::int32_t>& best() const { return best_; }
  [[nodiscard]] double best_s() const { return best_s_; }
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  struct Child {
    std::int32_t satellite;
    double bound_s;
  };
  /// What a level of the tree needs, kept between its nodes.
  struct Level {
    Transport transport;
    std::vector<double> cost_s;
    std::vector<std::int32_t> rows;  ///< experts that are left
    std::vector<Child> children;
  };

  double node(std::size_t depth, double placed_s, core::StopToken& stop);
  void fill(Level& level);
  void take(const Level& level);
  [[nodiscard]] std::size_t fewest_left(const Level& level, double bound_s) const;
  bool ended(core::StopToken& stop, std::uint64_t work);

  const Chain& chain_;
  std::vector<std::vector<ChainBound::Charge>> charges_;
  std::vector<std::int32_t> nearest_;
  std::vector<std::int32_t> room_;  ///< by satellite: places that are left
  std::vector<std::int32_t> hosts_;
  std::vector<std::int32_t> best_;
  double best_s_;
  double slack_s_;
  std::vector<Level> levels_;
  std::vector<double> near_s_;
  std::uint64_t nodes_ = 0;
  std::uint64_t work_ = 0;
  std::uint64_t most_work_ = 0;
};

}  // namespace constellm::moe
