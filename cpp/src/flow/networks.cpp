#include "constellm/flow/networks.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::flow {

using core::z;

namespace {
constexpr double kSameRate = 1e-11;  // relative: what whole units leave of a rate
}

Units::Units(const Instance& instance) : per_byte_(0x1p60 / instance.total_bytes) {
  std::int64_t wanted = 0;
  for (const double bytes : instance.supply_bytes) total_ += of(bytes);
  for (const double bytes : instance.demand_bytes) wanted += of(bytes);
  left_ = instance.has_sinks ? 0 : std::max<std::int64_t>(total_ - wanted, 0);
}

std::int64_t Units::of(double bytes) const {
  const double units = bytes * per_byte_;
  return units < static_cast<double>(kUnlimited) ? static_cast<std::int64_t>(units) : kUnlimited;
}

std::int64_t TimeNetwork::find_value(core::StopToken& stop) {
  if (!engine_) engine_.emplace(node_count_, arcs_, source_, target_);
  const std::int64_t value = engine_->find_value(stop) - lent_;
  inside_ = engine_->on_source_side();
  return value;
}

void TimeNetwork::set_ends(std::int32_t copies) {
  source_ = copies;
  target_ = copies + 1;
  left_ = copies + 2;
  node_count_ = copies + 3;
}

void TimeNetwork::add_supply(std::int32_t node, std::int32_t copy) {
  const std::int64_t units = units_->of(instance_->supply_bytes[z(node)]);
  if (units > 0) arcs_.add(source_, copy, units);
}

void TimeNetwork::add_demand(std::int32_t node, std::int32_t copy) {
  const std::int64_t units = units_->of(instance_->demand_bytes[z(node)]);
  if (units > 0) arcs_.add(copy, target_, units);
  if (units_->left() > 0) arcs_.add(copy, left_, Units::kUnlimited);
}

template <class At>
void TimeNetwork::each_piece(At at) const {
  for (std::size_t c = 0; c < instance_->channels.size(); ++c) {
    const Channel& channel = instance_->channels[c];
    const double close_s = std::min(channel.close_s, grid_.end_s());
    if (!(channel.open_s < close_s)) continue;
    const bool to_sink = instance_->is_sink[z(channel.to)] != 0;
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

bool InnerNetwork::is_limited(std::int32_t node) const {
  return std::isfinite(instance_->storage_bytes[z(node)]);
}

/// Without a limit of storage what has arrived is what is there as the cell starts.
std::int32_t InnerNetwork::copy(std::int32_t node, std::int32_t cell, Copy kind) const {
  const bool limited = is_limited(node);
  if (!limited && kind == kArrived) kind = kStart;
  return first_[z(node)] + (limited ? 3 : 2) * cell + kind;
}

InnerNetwork::InnerNetwork(const Instance& instance, const Grid& grid, const Units& units)
    : TimeNetwork(instance, grid, units), first_(z(instance.nodes)) {
  std::int32_t copies = 0;
  for (std::int32_t v = 0; v < instance.nodes; ++v) {
    first_[z(v)] = copies;
    if (instance.is_sink[z(v)] == 0) copies += (is_limited(v) ? 3 : 2) * (grid.cells(v) + 1);
  }
  set_ends(copies);
  // Cells of nodes with a limit that send at other than constant rates: nothing that runs in is kept then,
  // so that never more is there than as the cell starts. [copies]
  std::vector<std::uint8_t> takes_nothing(z(copies), 0);
  each_piece([&](const Channel& channel, std::int32_t sender, std::int32_t receiver, const Piece& piece) {
    const Cell sends = grid.cell(channel.from, sender);
    const bool fills_sender = piece.start_s == sends.start_s && piece.end_s == sends.end_s;
    bool fills_receiver = true;
    if (receiver >= 0) {
      const Cell takes = grid.cell(channel.to, receiver);
      fills_receiver = piece.start_s == takes.start_s && piece.end_s == takes.end_s;
    }
    // What comes at other than a constant rate may not fit beside the rest for a while.
    if (!fills_receiver && is_limited(channel.to)) return;
    if (!fills_sender && instance.storage_bytes[z(channel.from)] == 0.0) return;
    const std::int64_t capacity = units.of(channel.bytes_per_s * (piece.end_s - piece.start_s));
    if (capacity == 0) return;
    if (!fills_sender) takes_nothing[z(copy(channel.from, sender, kStart))] = 1;
    std::int32_t head = target_;
    if (receiver >= 0)
      head = fills_receiver ? copy(channel.to, receiver, kRunning) : copy(channel.to, receiver + 1, kArrived);
    arcs_.add(copy(channel.from, sender, fills_sender ? kRunning : kStart), head, capacity);
    pieces_.push_back(piece);
  });
  for (std::int32_t v = 0; v < instance.nodes; ++v)
    if (instance.is_sink[z(v)] == 0) add_node(v, takes_nothing);
  fills_.resize(arcs_.size() + 1, 0);
  if (units.left() > 0) arcs_.add(left_, target_, units.left());
}

void InnerNetwork::add_node(std::int32_t node, const std::vector<std::uint8_t>& takes_nothing) {
  const std::int64_t storage = units_->of(instance_->storage_bytes[z(node)]);
  const std::int32_t cells = grid_.cells(node);
  const bool limited = is_limited(node);
  add_supply(node, copy(node, 0, kStart));
  for (std::int32_t i = 0; i < cells; ++i) {
    if (storage == 0) break;
    fills_.resize(arcs_.size() + 1, 0);
    fills_.back() = 1;
    arcs_.add(copy(node, i, kStart), copy(node, i, kRunning), Units::kUnlimited);
    if (i + 1 == cells && instance_->has_sinks) break;
    arcs_.add(copy(node, i, kStart), copy(node, i + 1, kArrived), Units::kUnlimited);
    if (!limited || takes_nothing[z(copy(node, i, kStart))] == 0)
      arcs_.add(copy(node, i, kRunning), copy(node, i + 1, kArrived), Units::kUnlimited);
    if (limited) arcs_.add(copy(node, i + 1, kArrived), copy(node, i + 1, kStart), storage);
  }
  if (!instance_->has_sinks) add_demand(node, copy(node, cells, kStart));
}

void InnerNetwork::begin_with(const InnerNetwork& coarser) {
  engine_.emplace(node_count_, arcs_, source_, target_);
  std::size_t i = 0;
  for (std::size_t a = 0; a < pieces_.size(); ++a) {
    const Piece& piece = pieces_[a];
    while (i < coarser.pieces_.size() &&
           (coarser.pieces_[i].channel < piece.channel ||
            (coarser.pieces_[i].channel == piece.channel && coarser.pieces_[i].end_s <= piece.start_s)))
      ++i;
    if (i == coarser.pieces_.size()) break;
    const Piece& whole = coarser.pieces_[i];
    if (whole.channel != piece.channel || whole.start_s > piece.start_s || whole.end_s < piece.end_s)
      continue;
    const double share = (piece.end_s - piece.start_s) / (whole.end_s - whole.start_s);
    const auto units = static_cast<std::int64_t>(static_cast<double>(coarser.engine_->flow(i)) * share);
    engine_->set_flow(a, std::min(units, arcs_.capacity[a]));
  }
  // What stays, and what runs on, follows: arcs are in the order of time.
  std::size_t c = coarser.pieces_.size();
  for (std::size_t a = pieces_.size(); a < arcs_.size(); ++a) {
    const std::int32_t from = arcs_.from[a];
    const std::int64_t there = engine_->excess(from);
    std::int64_t units = std::min(there, arcs_.capacity[a]);
    if (from == source_) {
      while (coarser.arcs_.from[c] != coarser.source_) ++c;
      units = coarser.engine_->flow(c++);
    } else if (fills_[a] != 0) {
      units = std::min(there, -engine_->excess(arcs_.to[a]));
    }
    if (units > 0) engine_->set_flow(a, units);
  }
  lent_ = engine_->lend();
  if (units_->bytes(lent_) > 1e-10 * instance_->total_bytes)
    throw std::logic_error("quickest transfer: a flow does not fit into finer cells");
}

Flows InnerNetwork::flows() const {
  Flows found;
  std::int32_t last = -1;  // channel
  for (std::size_t a = 0; a < pieces_.size(); ++a) {
    const Piece& piece = pieces_[a];
    if (engine_->flow(a) == 0) continue;
    const double bytes = units_->bytes(engine_->flow(a));
    // What goes on at the same rate is one flow.
    if (piece.channel == last && piece.start_s == found.end_s.back()) {
      const double rate = found.sent_bytes.back() / (found.end_s.back() - found.start_s.back());
      if (std::abs(rate * (piece.end_s - piece.start_s) - bytes) <= kSameRate * bytes) {
        found.end_s.back() = piece.end_s;
        found.sent_bytes.back() += bytes;
        continue;
      }
    }
    last = piece.channel;
    found.contact.push_back(instance_->channels[z(piece.channel)].contact);
    found.start_s.push_back(piece.start_s);
    found.end_s.push_back(piece.end_s);
    found.sent_bytes.push_back(bytes);
  }
  return found;
}

TimeCut InnerNetwork::cut() const {
  std::vector<std::uint8_t> starts(z(instance_->nodes), 0);
  std::vector<std::vector<double>> changes(z(instance_->nodes));
  for (std::int32_t v = 0; v < instance_->nodes; ++v) {
    if (instance_->is_sink[z(v)] != 0) continue;
    // What runs tells: what is there may run, so that it is inside whenever that is.
    starts[z(v)] = is_inside(v, 0, kRunning) ? 1 : 0;
    for (std::int32_t i = 1; i < grid_.cells(v); ++i) {
      if (is_inside(v, i, kRunning) != is_inside(v, i - 1, kRunning))
        changes[z(v)].push_back(grid_.cell(v, i).start_s);
    }
  }
  return {*instance_, std::move(starts), std::move(changes)};
}

}  // namespace constellm::flow
