#include "constellm/moe/slot_prices.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

SlotPrices::SlotPrices(std::span<const SlotLayer> layers, std::size_t satellites) : satellites_(satellites) {
  constexpr std::size_t kNearest = 60;
  std::vector<std::int32_t> place_of(satellites);
  for (const SlotLayer& layer : layers) {
    Table& table = tables_.emplace_back();
    table.layer = &layer;
    const std::size_t experts = layer.heaviest_first().size();
    table.places = layer.by_mean();
    table.places.resize(std::min(table.places.size(), std::max(kNearest, 2 * experts)));
    const auto others = static_cast<std::int32_t>(table.places.size());
    std::fill(place_of.begin(), place_of.end(), others);
    for (std::int32_t p = 0; p < others; ++p) place_of[z(table.places[z(p)])] = p;
    for (std::int32_t t = 0; t < layer.slots(); ++t) {
      bool met = false;
      for (const SlotLayer::Near& near : layer.nearest(t)) {
        const std::int32_t place = place_of[z(near.satellite)];
        if (place < others)
          table.entries.push_back({near.latency_s, place});
        else if (!met)
          table.entries.insert(table.entries.end(), experts, {near.latency_s, others});
        met = met || place == others;
      }
    }
    table.classes = {static_cast<std::int32_t>(experts)};
    table.unit = std::sqrt(layer.slots());
    make_states(table);
  }
  make_tolls();
}

/// A state is a number whose digits are how many experts of each class are placed, the first digit fastest.
void SlotPrices::make_states(Table& table) {
  const std::vector<std::int32_t>& heaviest = table.layer->heaviest_first();
  table.states = 1;
  for (const std::int32_t size : table.classes) table.states *= z(size) + 1;
  table.farthest.assign(table.classes.size() * table.states, 0.0);
  std::vector<double> within(table.states);  // P(all picks are among those placed)
  std::vector<double> farthest(heaviest.size());
  std::vector<std::int32_t> order;
  std::vector<std::int32_t> rest;
  for (std::size_t state = 0; state < table.states; ++state) {
    order.clear();
    rest.clear();
    std::size_t digits = state;
    std::size_t first = 0;
    for (const std::int32_t size : table.classes) {
      const std::size_t placed = digits % (z(size) + 1);
      for (std::size_t i = 0; i < z(size); ++i) (i < placed ? order : rest).push_back(heaviest[first + i]);
      digits /= z(size) + 1;
      first += z(size);
    }
    const auto placed = static_cast<std::ptrdiff_t>(order.size());
    order.insert(order.end(), rest.begin(), rest.end());
    table.layer->layer().picks.farthest(order, farthest);
    within[state] = std::accumulate(farthest.begin(), farthest.begin() + placed, 0.0);
    std::size_t stride = 1;
    for (std::size_t c = 0; c < table.classes.size(); ++c) {
      const std::size_t digit = state / stride % (z(table.classes[c]) + 1);
      if (digit > 0)
        table.farthest[c * table.states + state] = std::max(0.0, within[state] - within[state - stride]);
      stride *= z(table.classes[c]) + 1;
    }
  }
}

void SlotPrices::make_tolls() {
  std::size_t size = satellites_;
  for (Table& table : tables_) {
    table.first_toll = size;
    size += z(table.layer->slots()) * table.places.size() * table.classes.size();
  }
  prices_.resize(size, 0.0);
  best_prices_ = prices_;
  slope_.assign(size, 0.0);
  direction_.assign(size, 0.0);
}

bool SlotPrices::refine() {
  constexpr std::size_t kMostSteps = 4'000'000;  // of all programmes, about 10 ms for a round of prices
  std::size_t steps = 0;
  bool cut = false;
  for (const Table& table : tables_) {
    const std::size_t last = z(table.classes.back());
    const std::size_t states = table.states / (last + 1) * (last - last / 2 + 1) * (last / 2 + 1);
    steps += states * (table.classes.size() + 1) * table.entries.size();
    cut = cut || last > 1;
  }
  if (!cut || steps > kMostSteps) return false;
  const auto own = static_cast<std::ptrdiff_t>(satellites_);
  std::vector<double> finer(best_prices_.begin(), best_prices_.begin() + own);
  for (Table& table : tables_) {
    const std::size_t classes = table.classes.size();
    const std::int32_t last = table.classes.back();
    const std::size_t rows = z(table.layer->slots()) * table.places.size();
    for (std::size_t row = 0; row < rows; ++row) {
      const auto tolls = best_prices_.begin() + static_cast<std::ptrdiff_t>(table.first_toll + row * classes);
      finer.insert(finer.end(), tolls, tolls + static_cast<std::ptrdiff_t>(classes));
      if (last > 1) finer.push_back(finer.back());
    }
    if (last == 1) continue;
    table.classes.back() = last - last / 2;
    table.classes.push_back(last / 2);
    make_states(table);
  }
  prices_ = std::move(finer);
  make_tolls();
  return true;
}

/// Into price_s_, by class.
void SlotPrices::fill_prices(const Table& table, std::int32_t slot, std::int32_t place) {
  const std::size_t classes = table.classes.size();
  price_s_.assign(classes, 0.0);
  if (z(place) == table.places.size()) return;
  const double* const tolls =
      &prices_[table.first_toll + (z(slot) * table.places.size() + z(place)) * classes];
  for (std::size_t c = 0; c < classes; ++c)
    price_s_[c] = prices_[z(table.places[z(place)])] + table.unit * tolls[c];
}

/// With a satellite more: each state as it was, or with an expert of some class on it.
void SlotPrices::look_at(const Table& table, double latency_s, const double* before_s,
                         double* after_s) const {
  std::copy_n(before_s, table.states, after_s);
  std::size_t stride = 1;
  for (std::size_t c = 0; c < table.classes.size(); ++c) {
    const double* const farthest = &table.farthest[c * table.states];
    const double price_s = price_s_[c];
    const std::size_t block = stride * (z(table.classes[c]) + 1);
    for (std::size_t first = 0; first < table.states; first += block)
      for (std::size_t state = first + stride; state < first + block; ++state)
        after_s[state] =
            std::min(after_s[state], before_s[state - stride] + (farthest[state] * latency_s + price_s));
    stride = block;
  }
}

/// The least that a slot costs at these prices; adds what it takes to slope_.
double SlotPrices::cheapest(const Table& table, std::int32_t slot) {
  const std::size_t classes = table.classes.size();
  const std::size_t count = table.entries.size() / z(table.layer->slots());
  const Entry* const entries = table.entries.data() + z(slot) * count;
  cost_s_.resize((count + 1) * table.states);
  std::fill_n(cost_s_.begin(), table.states, kNever);
  cost_s_[0] = 0.0;
  for (std::size_t k = 0; k < count; ++k) {
    fill_prices(table, slot, entries[k].place);
    look_at(table, entries[k].latency_s, &cost_s_[k * table.states], &cost_s_[(k + 1) * table.states]);
  }
  std::size_t state = table.states - 1;
  for (std::size_t k = count; k-- > 0 && state > 0;) {
    const double* const before_s = &cost_s_[k * table.states];
    const double cost_s = cost_s_[(k + 1) * table.states + state];
    if (cost_s == before_s[state]) continue;
    fill_prices(table, slot, entries[k].place);
    std::size_t c = 0;
    std::size_t stride = 1;
    for (;; stride *= z(table.classes[c++]) + 1) {
      if (state / stride % (z(table.classes[c]) + 1) == 0) continue;
      const double own_s = table.farthest[c * table.states + state] * entries[k].latency_s + price_s_[c];
      if (before_s[state - stride] + own_s == cost_s) break;
    }
    state -= stride;
    const std::int32_t place = entries[k].place;
    if (z(place) == table.places.size()) continue;
    const std::size_t toll = (z(slot) * table.places.size() + z(place)) * classes + c;
    slope_[z(table.places[z(place)])] += 1.0 / table.layer->slots();
    slope_[table.first_toll + toll] += table.unit / table.layer->slots();
  }
  return cost_s_.back();
}

/// The same of a layer, mean over its slots.
double SlotPrices::cheapest(const Table& table) {
  const std::int32_t slots = table.layer->slots();
  double sum_s = 0.0;
  for (std::int32_t t = 0; t < slots; ++t) sum_s += cheapest(table, t);
  const std::size_t tolls = table.places.size() * table.classes.size();
  for (std::size_t i = 0; i < tolls; ++i) {
    double mean = 0.0;
    for (std::int32_t t = 0; t < slots; ++t) mean += slope_[table.first_toll + z(t) * tolls + i];
    mean /= slots;
    for (std::int32_t t = 0; t < slots; ++t) slope_[table.first_toll + z(t) * tolls + i] -= mean;
  }
  return sum_s / slots;
}

/// The bound at these prices, and its slope.
double SlotPrices::value() {
  const auto own = static_cast<std::ptrdiff_t>(satellites_);
  std::fill(slope_.begin(), slope_.begin() + own, -1.0);
  std::fill(slope_.begin() + own, slope_.end(), 0.0);
  double value_s = -std::accumulate(prices_.begin(), prices_.begin() + own, 0.0);
  for (const Table& table : tables_) value_s += cheapest(table);
  // What is added up to come to nothing does so but for rounding.
  constexpr double kRounding = 1e-15;
  double sizes_s = 0.0;
  for (const double price_s : prices_) sizes_s += std::abs(price_s);
  value_s -= kRounding * sizes_s;
  for (std::size_t s = 0; s < satellites_; ++s)
    if (prices_[s] <= 0.0) slope_[s] = std::max(0.0, slope_[s]);  // no price is below 0
  return value_s;
}

/// Along the slope, less where it turned back; `length_s` is how far the bound shall rise. False at the top.
bool SlotPrices::step(double length_s) {
  double steep = 0.0;
  double along = 0.0;
  double before = 0.0;
  for (std::size_t i = 0; i < slope_.size(); ++i) {
    steep += slope_[i] * slope_[i];
    along += slope_[i] * direction_[i];
    before += direction_[i] * direction_[i];
  }
  constexpr double kFlat = 1e-12;
  if (steep < kFlat) return false;
  const double kept = along < 0.0 ? -1.5 * along / before : 0.0;
  double square = 0.0;
  for (std::size_t i = 0; i < slope_.size(); ++i) {
    direction_[i] = slope_[i] + kept * direction_[i];
    square += direction_[i] * direction_[i];
  }
  for (std::size_t i = 0; i < slope_.size(); ++i) prices_[i] += length_s / square * direction_[i];
  for (std::size_t s = 0; s < satellites_; ++s) prices_[s] = std::max(0.0, prices_[s]);
  return true;
}

double SlotPrices::raise(double best_s, core::StopToken& stop) {
  // Prices of many layers lean on each other and take longer to settle.
  const int rounds = tables_.size() == 1 ? 10 : 40;
  const double shorter = tables_.size() == 1 ? 0.7 : 0.8;
  constexpr double kShortest = 1e-3;
  constexpr double kLittle = 0.02;  // of what is left to gain
  constexpr double kFar = 3.0;      // times what is left to gain
  std::uint64_t work = 0;
  for (const Table& table : tables_) work += table.farthest.size() * table.entries.size() / 64 + 1;
  for (double length = 1.0; length > kShortest; length *= shorter) {
    for (double before_s = -kNever; bound_s_ - before_s > kLittle * (best_s - bound_s_);) {
      before_s = bound_s_;
      prices_ = best_prices_;
      std::fill(direction_.begin(), direction_.end(), 0.0);
      for (int round = 0; round < rounds; ++round) {
        if (stop.should_stop(work)) return bound_s_;
        const double value_s = value();
        if (value_s > bound_s_) {
          bound_s_ = value_s;
          best_prices_ = prices_;
        }
        if (bound_s_ >= best_s) return bound_s_;
        // Where a step went far too far the next one must not go farther still.
        if (!step(length * std::min(best_s - value_s, kFar * (best_s - bound_s_)))) return bound_s_;
      }
    }
  }
  return bound_s_;
}

}  // namespace constellm::moe
