#include "constellm/services/exact/task_labels.hpp"

#include <algorithm>
#include <cmath>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

/// Relative: sums in another order differ by less.
constexpr double kRounding = 1e-11;

constexpr std::size_t kMostLabels = 20'000;

}  // namespace

TaskLabels::TaskLabels(const Model& model)
    : model_(model),
      joins_(model.tasks.size(), 0),
      timed_(model.slots.size(), 0),
      first_label_(model.place_node.size(), 0),
      end_label_(model.place_node.size(), 0) {
  for (std::size_t t = 0; t < model.tasks.size(); ++t) {
    for (std::int32_t k = model.tasks[t].end - 1; k >= model.tasks[t].first; --k) {
      const Slot& slot = model.slots[z(k)];
      const bool several = slot.end_in - slot.first_in > 1;
      const std::int32_t to = model.ways[z(slot.out)].to;
      if (several) joins_[t] = 1;
      if (to == kEndpoint) continue;
      const Slot& next = model.slots[z(to)];
      if (timed_[z(to)] != 0 || next.end_in - next.first_in > 1) timed_[z(k)] = 1;
    }
  }
}

double TaskLabels::solve(const State& state, const Times& times, std::int32_t task, const PathPrices& prices,
                         const TaskPaths& paths, double enough, double late, std::int32_t* places) {
  const TaskSpan& span = model_.tasks[z(task)];
  labels_.clear();
  back_.clear();
  limit_s_ = model_.problem.deadline_limit_s(task) * (1.0 + kRounding);
  enough_ = enough + late + kRounding * (std::abs(enough) + late);
  complete_ = true;
  second_ = prices.second;
  for (std::int32_t k = span.first; k < span.end; ++k) {
    for (std::int32_t p = model_.slots[z(k)].first; p < model_.slots[z(k)].end; ++p) {
      first_label_[z(p)] = static_cast<std::int32_t>(labels_.size());
      if (state.alive[z(p)] != 0) at_place(times, k, p, prices, paths);
      end_label_[z(p)] = static_cast<std::int32_t>(labels_.size());
    }
    complete_ = labels_.size() <= kMostLabels;
    if (!complete_) return kNone;
  }
  double least = kNone;
  std::int32_t best = -1;
  const Slot& last = model_.slots[z(span.end) - 1];
  const std::size_t seconds = model_.ways[z(span.sink)].seconds;
  for (std::int32_t p = last.first; p < last.end; ++p) {
    const double out_s = model_.seconds[seconds + z(p - last.first)];
    for (std::int32_t i = first_label_[z(p)]; i < end_label_[z(p)]; ++i) {
      const double value = labels_[z(i)].price + second_ * (labels_[z(i)].end_s + out_s);
      if (!(value < least)) continue;
      least = value;
      best = i;
    }
  }
  if (best >= 0) trace(task, best, places);
  return least;
}

/// What comes over one coupled way to a place, by time and ever cheaper, into `come_`. `rest` is the least
/// that the place and what follows add to a price and its weighted arrival.
void TaskLabels::arrivals(std::int32_t way, std::int32_t place, double floor_s, const TaskPaths& paths,
                          double rest) {
  come_.clear();
  const Way& w = model_.ways[z(way)];
  const Slot& from = model_.slots[z(w.from)];
  const Slot& to = model_.slots[z(w.to)];
  const std::int32_t wide = to.end - to.first;
  const double weight = paths.way_weight(way);
  const double* seconds = model_.seconds.data() + w.seconds + z(place - to.first);
  for (std::int32_t p = from.first; p < from.end; ++p, seconds += wide) {
    if (!(*seconds < kNone)) continue;
    for (std::int32_t i = first_label_[z(p)]; i < end_label_[z(p)]; ++i) {
      const Label& label = labels_[z(i)];
      const double come_s = label.end_s + *seconds;
      if (label.price + weight * come_s + rest > enough_) continue;
      come_.push_back({label.price, std::max(come_s, floor_s), i});
    }
  }
  if (come_.size() < 2) return;
  std::sort(come_.begin(), come_.end(), [](const Label& a, const Label& b) {
    if (a.end_s != b.end_s) return a.end_s < b.end_s;
    return a.price != b.price ? a.price < b.price : a.back < b.back;
  });
  std::size_t kept = 1;
  for (std::size_t i = 1; i < come_.size(); ++i)
    if (come_[i].price < come_[kept - 1].price) come_[kept++] = come_[i];
  come_.resize(kept);
}

/// Joins `come_` to `joined_`, whose labels have `inputs` labels before them each in `chain_`.
void TaskLabels::join(std::int32_t inputs) {
  both_.clear();
  next_chain_.clear();
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < joined_.size() && j < come_.size()) {
    const double end_s = std::max(joined_[i].end_s, come_[j].end_s);
    // The cheapest of each that is there by then.
    while (i + 1 < joined_.size() && joined_[i + 1].end_s <= end_s) ++i;
    while (j + 1 < come_.size() && come_[j + 1].end_s <= end_s) ++j;
    both_.push_back(
        {joined_[i].price + come_[j].price, end_s, static_cast<std::int32_t>(next_chain_.size())});
    const std::int32_t chain = joined_[i].back;
    for (std::int32_t c = 0; c < inputs; ++c) next_chain_.push_back(chain_[z(chain + c)]);
    next_chain_.push_back(come_[j].back);
    // Whichever has the next time goes on.
    const double next_i = i + 1 < joined_.size() ? joined_[i + 1].end_s : kNone;
    const double next_j = j + 1 < come_.size() ? come_[j + 1].end_s : kNone;
    if (!(std::min(next_i, next_j) < kNone)) break;
    if (next_i <= next_j)
      ++i;
    else
      ++j;
  }
  std::swap(both_, joined_);
  std::swap(next_chain_, chain_);
}

void TaskLabels::at_place(const Times& times, std::int32_t k, std::int32_t place, const PathPrices& prices,
                          const TaskPaths& paths) {
  const Slot& slot = model_.slots[z(k)];
  double floor_s = 0.0;
  for (std::int32_t i = slot.first_in; i < slot.end_in; ++i) {
    const Way& way = model_.ways[z(i)];
    if (way.from == kEndpoint)
      floor_s = std::max(floor_s, model_.seconds[way.seconds + z(place - slot.first)]);
    else if (way.cut)
      floor_s = std::max(floor_s, times.cut_s[times.first_cut[z(i)] + z(place - slot.first)]);
  }
  joined_.assign(1, Label{0.0, floor_s, 0});
  chain_.clear();
  std::int32_t inputs = 0;
  for (std::int32_t i = slot.first_in; i < slot.end_in; ++i) {
    const Way& way = model_.ways[z(i)];
    if (way.from == kEndpoint || way.cut) continue;
    arrivals(i, place, floor_s, paths, paths.beside(i, place));
    if (come_.empty()) return;
    join(inputs);
    ++inputs;
  }
  const double compute_s = model_.place_compute_s[z(place)];
  const double weight = paths.slot_weight(k);
  const bool collapse = timed_[z(k)] == 0 && !(limit_s_ < kNone);
  double least = kNone;
  const std::size_t first = labels_.size();
  for (const Label& label : joined_) {
    const Label made{label.price + prices.place[place], label.end_s + compute_s, label.back};
    if (made.end_s + times.tail_s[z(place)] > limit_s_ ||
        made.price + weight * made.end_s + paths.behind(place) > enough_)
      continue;
    if (collapse) {
      const double value = made.price + second_ * made.end_s;
      if (!(value < least)) continue;
      least = value;
      labels_.resize(first);
    }
    labels_.push_back(made);
  }
  for (std::size_t i = first; i < labels_.size(); ++i) {
    const std::int32_t chain = labels_[i].back;
    labels_[i].back = static_cast<std::int32_t>(back_.size());
    for (std::int32_t c = 0; c < inputs; ++c) back_.push_back(chain_[z(chain + c)]);
  }
}

void TaskLabels::trace(std::int32_t task, std::int32_t label, std::int32_t* places) const {
  const TaskSpan& span = model_.tasks[z(task)];
  std::vector<std::int32_t> at(z(span.end - span.first), -1);
  at.back() = label;
  for (std::int32_t k = span.end - 1; k >= span.first; --k) {
    const Slot& slot = model_.slots[z(k)];
    const std::int32_t here = at[z(k - span.first)];
    const auto after =
        std::upper_bound(first_label_.begin() + slot.first, first_label_.begin() + slot.end, here);
    std::int32_t place = static_cast<std::int32_t>(after - first_label_.begin()) - 1;
    while (end_label_[z(place)] <= here) --place;  // places without labels begin where the next does
    places[k - span.first] = place;
    std::int32_t back = labels_[z(here)].back;
    for (std::int32_t i = slot.first_in; i < slot.end_in; ++i) {
      const Way& way = model_.ways[z(i)];
      if (way.from == kEndpoint || way.cut) continue;
      at[z(way.from - span.first)] = back_[z(back++)];
    }
  }
}

}  // namespace constellm::services::exact
