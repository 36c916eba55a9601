#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "constellm/core/index.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/flow/grid.hpp"
#include "constellm/flow/instance.hpp"
#include "constellm/flow/maximum_flow.hpp"
#include "constellm/flow/push_relabel.hpp"
#include "constellm/flow/units.hpp"

namespace constellm::flow {

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

template <class At>
void TimeNetwork::each_piece(At at) const {
  for (std::size_t c = 0; c < instance_->channels.size(); ++c) {
    const Channel& channel = instance_->channels[c];
    const double close_s = std::min(channel.close_s, grid_.end_s());
    if (!(channel.open_s < close_s)) continue;
    const bool to_sink = instance_->is_sink[core::z(channel.to)] != 0;
    std::int32_t sender = grid_.cell_at(channel.from, channel.open_s);
    std::int32_t receiver = to_sink ? -1 : grid_.cell_at(channel.to, channel.open_s);
    double start_s = channel.open_s;
    while (start_s < close_s) {
      const double sends_until_s = grid_.cell(channel.from, sender).end_s;
      const double takes_until_s = to_sink ? close_s : grid_.cell(channel.to, receiver).end_s;
      const double end_s = std::min({sends_until_s, takes_until_s, close_s});
      at(channel, sender, receiver, Piece{static_cast<std::int32_t>(c), start_s, end_s});
      if (sends_until_s == end_s) ++sender;
      if (!to_sink && takes_until_s == end_s) ++receiver;
      start_s = end_s;
    }
  }
}

}  // namespace constellm::flow
