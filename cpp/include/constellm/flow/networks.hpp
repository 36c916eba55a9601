#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "constellm/core/stop.hpp"
#include "constellm/flow/grid.hpp"
#include "constellm/flow/instance.hpp"
#include "constellm/flow/maximum_flow.hpp"
#include "constellm/flow/plan.hpp"
#include "constellm/flow/push_relabel.hpp"
#include "constellm/flow/time_cut.hpp"

namespace constellm::flow {

/// Bytes as whole units, of which all supplies together have 2^60: a double keeps no more of them, and sums
/// of capacities stay in 64 bits. Rounded down, so that no flow is above its rate.
class Units {
 public:
  explicit Units(const Instance& instance);
  [[nodiscard]] std::int64_t of(double bytes) const;
  [[nodiscard]] double bytes(std::int64_t units) const { return static_cast<double>(units) / per_byte_; }
  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] std::int64_t left() const { return left_; }
  static constexpr std::int64_t kUnlimited = std::int64_t{1} << 61;

 private:
  double per_byte_;
  std::int64_t total_ = 0;
  std::int64_t left_ = 0;
};

/// What a channel may carry between two copies of nodes in time.
struct Piece {
  std::int32_t channel;
  double start_s;
  double end_s;
};

/// A network in time and its maximum flow.
class TimeNetwork {
 public:
  virtual ~TimeNetwork() = default;
  /// Throws core::Stopped.
  std::int64_t find_value(core::StopToken& stop);
  [[nodiscard]] std::int64_t nodes() const { return node_count_; }
  [[nodiscard]] std::int64_t arcs() const { return static_cast<std::int64_t>(arcs_.size()); }

 protected:
  TimeNetwork(const Instance& instance, const Grid& grid, const Units& units)
      : instance_(&instance), grid_(grid), units_(&units) {}
  /// Calls `at(channel, cell of the sender, cell of the receiver, -1 at a sink, piece)` for what lies in
  /// both.
  template <class At>
  void each_piece(At at) const;
  void add_supply(std::int32_t node, std::int32_t copy);
  void add_demand(std::int32_t node, std::int32_t copy);
  void set_ends(std::int32_t copies);

  const Instance* instance_;
  Grid grid_;
  const Units* units_;
  std::int32_t source_ = 0;
  std::int32_t target_ = 0;
  std::int32_t left_ = 0;  // takes what is over
  std::int32_t node_count_ = 0;
  Arcs arcs_;
  std::optional<PushRelabel> engine_;
  std::int64_t lent_ = 0;  // units that rounding took from the flow it began with
  std::vector<std::uint8_t> inside_;
};

/// A relaxation: what happens in a cell happens in any order. Its cut is one of the finest network, of the
/// same capacity there.
class OuterNetwork : public TimeNetwork {
 public:
  OuterNetwork(const Instance& instance, const Grid& grid, const Units& units);
  [[nodiscard]] TimeCut cut() const;

 private:
  [[nodiscard]] bool is_inside(std::int32_t node, std::int32_t cell) const {
    return inside_[static_cast<std::size_t>(first_[static_cast<std::size_t>(node)] + cell)] != 0;
  }
  std::vector<std::int32_t> first_;  // [nodes] copy of the first cell, the others follow
};

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
