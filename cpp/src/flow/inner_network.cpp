#include "constellm/flow/inner_network.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::flow {
namespace {

using core::z;

constexpr double kSameRate = 1e-11;  // relative: what whole units leave of a rate

}  // namespace

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
