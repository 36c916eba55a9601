#pragma once
#include <cstdint>
#include <vector>

#include "constellm/flow/plan.hpp"
#include "constellm/flow/time_cut.hpp"
#include "constellm/flow/time_network.hpp"

namespace constellm::flow {

/// What can be done for sure, whose flow is a plan. A cell has what is there as it starts, which may be sent
/// at any time in it, and what runs through it, at constant rates from its start to its end. What comes
/// otherwise counts as there when the next cell starts.
class InnerNetwork : public TimeNetwork {
 public:
  InnerNetwork(const Instance& instance, const Grid& grid, const Units& units);
  /// Begins with the flow of another one, each of whose cells is one of these or several.
  void begin_with(const InnerNetwork& coarser);
  /// Ends what `find_value` began.
  void find_flow() { engine_->find_flow(); }
  [[nodiscard]] Flows flows() const;
  /// As a cut of the finest network, where it lets more through.
  [[nodiscard]] TimeCut cut() const;

 private:
  enum Copy : std::int32_t { kStart, kRunning, kArrived };
  [[nodiscard]] bool is_limited(std::int32_t node) const;
  [[nodiscard]] std::int32_t copy(std::int32_t node, std::int32_t cell, Copy kind) const;
  void add_node(std::int32_t node, const std::vector<std::uint8_t>& takes_nothing);
  [[nodiscard]] bool is_inside(std::int32_t node, std::int32_t cell, Copy kind) const {
    return inside_[static_cast<std::size_t>(copy(node, cell, kind))] != 0;
  }
  std::vector<std::int32_t> first_;  // [nodes]
  std::vector<Piece> pieces_;        // those of the first arcs, which are the channels'
  std::vector<std::uint8_t> fills_;  // [arcs] from what is there to what runs
};

}  // namespace constellm::flow
