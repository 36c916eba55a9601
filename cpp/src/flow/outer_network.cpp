#include "constellm/flow/outer_network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::flow {

using core::z;

OuterNetwork::OuterNetwork(const Instance& instance, const Grid& grid, const Units& units)
    : TimeNetwork(instance, grid, units), first_(z(instance.nodes)) {
  std::int32_t copies = 0;
  std::int32_t most = 0;
  for (std::int32_t v = 0; v < instance.nodes; ++v) {
    first_[z(v)] = copies;
    if (instance.is_sink[z(v)] == 0) copies += grid.cells(v);
    most = std::max(most, grid.cells(v));
  }
  // An end for what nodes with a limit of storage keep.
  std::vector<std::int32_t> kept(z(instance.nodes), -1);
  for (std::int32_t v = 0; v < instance.nodes && !instance.has_sinks; ++v)
    if (std::isfinite(instance.storage_bytes[z(v)])) kept[z(v)] = copies++;
  set_ends(copies);
  each_piece([&](const Channel& channel, std::int32_t sender, std::int32_t receiver, const Piece& piece) {
    const std::int64_t capacity = units.of(channel.bytes_per_s * (piece.end_s - piece.start_s));
    if (capacity == 0) return;
    arcs_.add(first_[z(channel.from)] + sender, receiver < 0 ? target_ : first_[z(channel.to)] + receiver,
              capacity);
  });
  for (std::int32_t v = 0; v < instance.nodes; ++v) {
    if (instance.is_sink[z(v)] != 0) continue;
    add_supply(v, first_[z(v)]);
    const std::int64_t storage = units.of(instance.storage_bytes[z(v)]);
    const std::int32_t last = first_[z(v)] + grid.cells(v) - 1;
    for (std::int32_t i = first_[z(v)]; i < last && storage > 0; ++i) arcs_.add(i, i + 1, storage);
    if (instance.has_sinks) continue;
    if (kept[z(v)] >= 0) arcs_.add(last, kept[z(v)], storage);
    add_demand(v, kept[z(v)] >= 0 ? kept[z(v)] : last);
  }
  if (units.left() > 0) arcs_.add(left_, target_, units.left());
}

TimeCut OuterNetwork::cut() const {
  std::vector<std::uint8_t> starts(z(instance_->nodes), 0);
  std::vector<std::vector<double>> changes(z(instance_->nodes));
  for (std::int32_t v = 0; v < instance_->nodes; ++v) {
    if (instance_->is_sink[z(v)] != 0) continue;
    starts[z(v)] = is_inside(v, 0) ? 1 : 0;
    for (std::int32_t i = 1; i < grid_.cells(v); ++i)
      if (is_inside(v, i) != is_inside(v, i - 1)) changes[z(v)].push_back(grid_.cell(v, i).start_s);
  }
  return {*instance_, std::move(starts), std::move(changes)};
}

}  // namespace constellm::flow
