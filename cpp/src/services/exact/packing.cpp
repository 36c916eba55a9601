#include "constellm/services/exact/packing.hpp"

#include <algorithm>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

constexpr std::int32_t kMostDives = 4000;
constexpr std::int32_t kMostPieces = 400;  // a leaf

/// Relative: limits are compared with sums in another order.
constexpr double kRounding = 1e-11;

}  // namespace

double Packing::best(const State& state, const Prices& prices, std::int32_t node, std::uint8_t* served,
                     std::uint8_t* opened) {
  const double found = solve(state, prices, node, -1, false);
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (best_taken_[i] != 0 && opened != nullptr) opened[z(items_[i].host)] = 1;
  if (served != nullptr)
    for (std::size_t i = 0; i < pieces_.size(); ++i)
      if (best_held_[i] != 0) served[z(pieces_[i].place)] = 1;
  return found;
}

double Packing::best_with(const State& state, const Prices& prices, std::int32_t node, std::int32_t host,
                          bool there) {
  return solve(state, prices, node, host, there);
}

void Packing::add(const State& state, const Prices& prices, std::int32_t host, bool forced) {
  const Host& h = model_.hosts[z(host)];
  Item item;
  item.host = host;
  item.forced = forced;
  item.whole = state.single[z(h.service)] != 0;
  item.fixed = prices.host[z(h.service)];
  item.memory = model_.problem.services()[z(h.service)].memory_bytes;
  item.gain = -item.fixed;
  const std::size_t before = pieces_.size();
  const auto index = static_cast<std::int32_t>(items_.size());
  for (std::int32_t i = h.first; i < h.end; ++i) {
    const std::int32_t p = model_.host_places[z(i)];
    const double price = prices.place[z(p)];
    if (state.alive[z(p)] == 0 || (!item.whole && !(price > 0.0))) continue;
    const double load = model_.slots[z(model_.place_slot[z(p)])].load_flop_per_s;
    pieces_.push_back({p, index, price, load});
    item.gain += price;
    item.load += load;
  }
  if (!forced && !(item.gain > 0.0)) {
    pieces_.resize(before);
    return;
  }
  items_.push_back(item);
}

double Packing::solve(const State& state, const Prices& prices, std::int32_t node, std::int32_t host,
                      bool there) {
  items_.clear();
  pieces_.clear();
  const std::int32_t first = model_.first_host[z(node)];
  const std::int32_t end = model_.first_host[z(node) + 1];
  double memory = model_.problem.memory_limit_bytes(node) * (1.0 + kRounding);
  for (std::int32_t h = first; h < end; ++h) {
    const bool in = h == host ? there : state.host[z(h)] == Choice::in;
    if (h == host && !there && state.host[z(h)] == Choice::in) return -kNone;
    if (h == host && there && state.host[z(h)] == Choice::out) return -kNone;
    if (!in) continue;
    add(state, prices, h, true);
    memory -= items_.back().memory;
  }
  if (memory < 0.0) return -kNone;
  const std::size_t forced = items_.size();
  for (std::int32_t h = first; h < end; ++h)
    if (h != host && state.host[z(h)] == Choice::open &&
        model_.problem.services()[z(model_.hosts[z(h)].service)].memory_bytes <= memory)
      add(state, prices, h, false);
  double load = 0.0;
  double sum = 0.0;
  double all_memory = 0.0;
  double gain = 0.0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    load += items_[i].load;
    sum += items_[i].gain;
    if (i >= forced) all_memory += items_[i].memory;
    if (i < forced) gain += items_[i].gain;
  }
  capacity_ = model_.problem.node_capacity_flop_per_s(node) * (1.0 + kRounding);
  loaded_ = load > capacity_;
  best_taken_.assign(items_.size(), 1);
  best_held_.assign(pieces_.size(), 1);
  if (!loaded_ && all_memory <= memory) return sum;
  std::sort(items_.begin() + static_cast<std::ptrdiff_t>(forced), items_.end(),
            [](const Item& a, const Item& b) {
              const double x = a.gain * b.memory;
              const double y = b.gain * a.memory;
              return x != y ? x > y : a.host < b.host;
            });
  for (std::size_t i = 0; i < items_.size(); ++i)
    for (Piece& piece : pieces_)
      if (model_.place_host[z(piece.place)] == items_[i].host) piece.item = static_cast<std::int32_t>(i);
  if (loaded_)
    std::sort(pieces_.begin(), pieces_.end(), [](const Piece& a, const Piece& b) {
      const double x = a.price * b.load;
      const double y = b.price * a.load;
      return x != y ? x > y : a.place < b.place;
    });
  taken_.assign(items_.size(), 0);
  in_parts_.assign(items_.size(), 0);
  held_.assign(pieces_.size(), 0);
  leaf_held_.assign(pieces_.size(), 0);
  best_taken_.assign(items_.size(), 0);
  best_held_.assign(pieces_.size(), 0);
  std::fill(taken_.begin(), taken_.begin() + static_cast<std::ptrdiff_t>(forced), std::uint8_t{1});
  effort_ = 0;
  missed_ = -kNone;
  best_ = -kNone;
  dive(forced, memory, gain, load);
  return std::max(best_, missed_);
}

double Packing::memory_bound(std::size_t item, double memory) const {
  double bound = 0.0;
  double left = memory;
  for (std::size_t i = item; i < items_.size(); ++i) {
    if (items_[i].memory > memory) continue;  // never fits beside what is taken
    if (items_[i].memory <= left) {
      left -= items_[i].memory;
      bound += items_[i].gain;
    } else {
      return bound + items_[i].gain * (left / items_[i].memory);
    }
  }
  return bound;
}

/// By speed alone: what is taken, and pieces of it and of what is undecided in the order of price for load.
double Packing::load_bound(std::size_t item, double memory) {
  double left = capacity_;
  double bound = 0.0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Item& one = items_[i];
    const bool is_open = i >= item && one.memory <= memory;
    in_parts_[i] = is_open || (taken_[i] != 0 && !one.whole) ? 1 : 0;
    if (taken_[i] != 0 || (is_open && one.fixed < 0.0)) bound -= one.fixed;
    if (taken_[i] == 0 || !one.whole) continue;
    left -= one.load;  // has to be served
    bound += one.gain + one.fixed;
  }
  if (left < 0.0) return -kNone;
  for (const Piece& piece : pieces_) {
    if (in_parts_[z(piece.item)] == 0 || !(piece.price > 0.0)) continue;
    if (piece.load <= left) {
      left -= piece.load;
      bound += piece.price;
    } else {
      return bound + piece.price * (left / piece.load);
    }
  }
  return bound;
}

/// `load`: of all that is taken or undecided.
void Packing::dive(std::size_t item, double memory, double gain, double load) {
  double bound = gain + memory_bound(item, memory);
  if (bound <= best_) return;
  if (loaded_ && load > capacity_) {
    bound = std::min(bound, load_bound(item, memory));
    if (bound <= best_) return;
  }
  if (++effort_ > kMostDives) {
    missed_ = std::max(missed_, bound);
    return;
  }
  if (item == items_.size()) {
    leaf();
    return;
  }
  if (items_[item].memory <= memory) {
    taken_[item] = 1;
    dive(item + 1, memory - items_[item].memory, gain + items_[item].gain, load);
    taken_[item] = 0;
  }
  dive(item + 1, memory, gain, load - items_[item].load);
}

/// All services are decided: which slots?
void Packing::leaf() {
  double gain = 0.0;
  double load = 0.0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (taken_[i] == 0) continue;
    gain += loaded_ ? -items_[i].fixed : items_[i].gain;
    load += items_[i].load;
  }
  if (!loaded_ || load <= capacity_) {
    if (loaded_) {
      gain = 0.0;
      for (std::size_t i = 0; i < items_.size(); ++i)
        if (taken_[i] != 0) gain += items_[i].gain;
    }
    if (!(gain > best_)) return;
    best_ = gain;
    best_taken_ = taken_;
    for (std::size_t i = 0; i < pieces_.size(); ++i) best_held_[i] = taken_[z(pieces_[i].item)];
    return;
  }
  double left = capacity_;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const auto item = z(pieces_[i].item);
    held_[i] = taken_[item] != 0 && items_[item].whole ? 1 : 0;
    if (held_[i] == 0) continue;
    left -= pieces_[i].load;
    gain += pieces_[i].price;
  }
  if (left < 0.0) return;
  leaf_best_ = best_;
  leaf_effort_ = 0;
  pieces(0, left, gain);
  if (!(leaf_best_ > best_)) return;
  best_ = leaf_best_;
  best_taken_ = taken_;
  best_held_ = leaf_held_;
}

void Packing::pieces(std::size_t piece, double left, double gain) {
  double bound = gain;
  double room = left;
  std::size_t i = piece;
  for (; i < pieces_.size(); ++i) {
    const Item& item = items_[z(pieces_[i].item)];
    if (taken_[z(pieces_[i].item)] == 0 || item.whole) continue;
    if (pieces_[i].load > room) {
      bound += pieces_[i].price * (room / pieces_[i].load);
      break;
    }
    room -= pieces_[i].load;
    bound += pieces_[i].price;
  }
  if (bound <= leaf_best_) return;
  if (i == pieces_.size()) {  // the rest fits
    leaf_best_ = bound;
    leaf_held_ = held_;
    for (std::size_t j = piece; j < pieces_.size(); ++j)
      if (taken_[z(pieces_[j].item)] != 0) leaf_held_[j] = 1;
    return;
  }
  if (++leaf_effort_ > kMostPieces) {
    missed_ = std::max(missed_, bound);
    return;
  }
  // `i` is the first that does not fit beside all before it: branch there after taking as they come.
  std::size_t j = piece;
  while (j < pieces_.size() && (taken_[z(pieces_[j].item)] == 0 || items_[z(pieces_[j].item)].whole)) ++j;
  if (pieces_[j].load <= left) {
    held_[j] = 1;
    pieces(j + 1, left - pieces_[j].load, gain + pieces_[j].price);
    held_[j] = 0;
  }
  pieces(j + 1, left, gain);
}

}  // namespace constellm::services::exact
