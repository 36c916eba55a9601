#include "constellm/moe/pair_search.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "constellm/core/index.hpp"

namespace constellm::moe {
namespace {

using core::z;
constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

PairSearch::PairSearch(std::span<const PairLayer> layers, std::vector<char> open, Placement best,
                       double best_s, double slack_s)
    : layers_(layers),
      open_(std::move(open)),
      column_of_(open_.size(), -1),
      best_(std::move(best)),
      best_s_(best_s),
      slack_s_(slack_s) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    first_.push_back(experts_.size());
    for (std::int32_t i = 0; i < layers_[l].experts(); ++i)
      experts_.push_back({static_cast<std::int32_t>(l), i, -1});
  }
  levels_.resize(experts_.size() + 1);
}

bool PairSearch::ended(core::StopToken& stop, std::uint64_t work) {
  work_ += work;
  return work_ > most_work_ || stop.should_stop(work);
}

double PairSearch::run(core::StopToken& stop, std::uint64_t most_work) {
  most_work_ = most_work;
  return node(0, 0.0, stop);
}

double PairSearch::cost_beside_placed(const Expert& expert, std::int32_t place) const {
  const PairLayer& layer = layers_[z(expert.layer)];
  double cost = 0.0;
  for (std::int32_t j = 0; j < layer.experts(); ++j) {
    const Expert& other = experts_[first_[z(expert.layer)] + z(j)];
    if (other.place >= 0) cost += layer.pair(expert.in_layer, j) * layer.mean_s(place, other.place);
  }
  return cost;
}

/// Rows of one layer's experts: heaviest first in `rows`.
void PairSearch::fill_layer(Level& level, std::size_t l, std::span<const std::int32_t> rows) {
  const PairLayer& layer = layers_[l];
  const std::size_t columns = level.columns.size();
  const std::size_t others = rows.size() - 1;
  near_s_.resize(others);
  std::int32_t last = -1;  // open place
  std::size_t before = 0;  // open places of the same host
  for (std::size_t a = 0; a < layer.size(); ++a) {
    const std::int32_t satellite = layer.satellites()[a];
    if (open_[z(satellite)] == 0) continue;
    const auto place = static_cast<std::int32_t>(a);
    std::size_t found = 0;
    const std::int32_t* nearest = layer.nearest_to(place);
    for (std::size_t b = 0; found < others && b + 1 < layer.size(); ++b) {
      if (open_[z(layer.satellites()[z(nearest[b])])] != 0)
        near_s_[found++] = layer.near_s(place, nearest[b]);
    }
    before = last >= 0 && layer.shared(last, place) ? before + 1 : 0;
    last = place;
    const double charge_s = before < rows.size() ? layer.charge_s(place, before) : 0.0;
    if (found < others) continue;  // too few satellites are left beside it
    for (const std::int32_t r : rows) {
      const Expert& expert = experts_[z(level.rows[z(r)])];
      double beside = 0.0;
      std::size_t j = 0;
      for (const std::int32_t s : rows) {
        if (s == r) continue;
        beside += layer.pair(expert.in_layer, experts_[z(level.rows[z(s)])].in_layer) * near_s_[j++];
      }
      level.cost[z(r) * columns + z(column_of_[z(satellite)])] =
          0.5 * beside + charge_s + cost_beside_placed(expert, place);
    }
  }
}

void PairSearch::fill(Level& level) {
  level.rows.clear();
  level.columns.clear();
  for (std::size_t s = 0; s < open_.size(); ++s) {
    if (open_[s] == 0) continue;
    column_of_[s] = static_cast<std::int32_t>(level.columns.size());
    level.columns.push_back(static_cast<std::int32_t>(s));
  }
  thread_local std::vector<std::vector<std::int32_t>> rows_of;
  rows_of.resize(layers_.size());
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    rows_of[l].clear();
    for (const std::int32_t i : layers_[l].heaviest_first()) {
      if (experts_[first_[l] + z(i)].place >= 0) continue;
      rows_of[l].push_back(static_cast<std::int32_t>(level.rows.size()));
      level.rows.push_back(static_cast<std::int32_t>(first_[l]) + i);
    }
  }
  level.cost.assign(level.rows.size() * level.columns.size(), kNever);
  for (std::size_t l = 0; l < layers_.size(); ++l)
    if (!rows_of[l].empty()) fill_layer(level, l, rows_of[l]);
}

/// Whether both are places of one satellite.
bool PairSearch::shared(std::int32_t a, std::int32_t b) const {
  const PairLayer& layer = layers_.front();
  const std::int32_t place = layer.place_of(a);
  const std::int32_t other = layer.place_of(b);
  return place >= 0 && other >= 0 && layer.shared(place, other);
}

/// The assignment of a node is a placement: the best so far?
void PairSearch::take(const Level& level, double placed_s) {
  const std::span<const std::int32_t> column_of_row = level.assignment.column_of_row();
  double value = placed_s;
  for (std::size_t r = 0; r < level.rows.size(); ++r) {
    Expert& expert = experts_[z(level.rows[r])];
    const std::int32_t place = layers_[z(expert.layer)].place_of(level.columns[z(column_of_row[r])]);
    value += cost_beside_placed(expert, place);
    expert.place = place;
  }
  if (value < best_s_) {
    best_s_ = value;
    for (const Expert& expert : experts_)
      best_[z(expert.layer)][z(expert.in_layer)] = layers_[z(expert.layer)].satellites()[z(expert.place)];
  }
  for (const std::int32_t row : level.rows) experts_[z(row)].place = -1;
}

double PairSearch::node(std::size_t depth, double placed_s, core::StopToken& stop) {
  ++nodes_;
  Level& level = levels_[depth];
  fill(level);
  if (level.rows.empty()) {
    take(level, placed_s);
    return placed_s;
  }
  const std::size_t rows = level.rows.size();
  const std::size_t columns = level.columns.size();
  if (ended(stop, rows * columns)) return placed_s;
  if (!level.assignment.solve(rows, columns, level.cost)) return kNever;
  take(level, placed_s);
  const double bound = placed_s + level.assignment.value();
  if (bound >= best_s_ - slack_s_) return bound;

  std::size_t branch = 0;
  std::size_t fewest = columns + 1;
  for (std::size_t r = 0; r < rows; ++r) {
    std::size_t left = 0;
    for (std::size_t c = 0; c < columns; ++c)
      left +=
          bound + level.assignment.reduced(r, c, level.cost[r * columns + c]) < best_s_ - slack_s_ ? 1U : 0U;
    if (left < fewest) {
      fewest = left;
      branch = r;
    }
  }
  level.children.clear();
  for (std::size_t c = 0; c < columns; ++c) {
    const double child =
        bound + std::max(level.assignment.reduced(branch, c, level.cost[branch * columns + c]), 0.0);
    // Of free places of one satellite any will do.
    const bool twin = !level.children.empty() && shared(level.children.back().satellite, level.columns[c]);
    if (child < kNever && !twin) level.children.push_back({level.columns[c], child});
  }
  std::sort(level.children.begin(), level.children.end(), [](const Child& a, const Child& b) {
    return a.bound_s < b.bound_s || (a.bound_s == b.bound_s && a.satellite < b.satellite);
  });

  double least = kNever;
  Expert& expert = experts_[z(level.rows[branch])];
  for (std::size_t c = 0; c < level.children.size(); ++c) {
    const Child child = level.children[c];
    if (child.bound_s >= best_s_ - slack_s_ || ended(stop, 0)) {
      least = std::min(least, child.bound_s);  // and of all behind it
      break;
    }
    const std::int32_t place = layers_[z(expert.layer)].place_of(child.satellite);
    const double here = placed_s + cost_beside_placed(expert, place);
    expert.place = place;
    open_[z(child.satellite)] = 0;
    least = std::min(least, std::max(node(depth + 1, here, stop), child.bound_s));
    open_[z(child.satellite)] = 1;
    expert.place = -1;
  }
  return std::max(least, bound);
}

}  // namespace constellm::moe
