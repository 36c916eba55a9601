#include "constellm/services/exact/task_paths.hpp"

#include <algorithm>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

using core::z;

namespace {

/// to[j] = min over i of from[i] + weight · seconds[i, j]; 0 · infinity is no number, and never less.
void spread(const std::vector<double>& ahead, const Slot& from, double weight, const double* seconds, double* to,
            std::int32_t wide) {
  std::fill_n(to, wide, kNone);
  for (std::int32_t p = from.first; p < from.end; ++p, seconds += wide) {
    const double value = ahead[z(p)];
    if (!(value < kNone)) continue;
    for (std::int32_t j = 0; j < wide; ++j) {
      const double c = value + weight * seconds[j];
      to[j] = c < to[j] ? c : to[j];
    }
  }
}

/// The other way round: from[i] = min over j of to[j] + weight · seconds[i, j].
void gather(const double* behind, const Slot& from, double weight, const double* seconds, double* value,
            std::int32_t wide) {
  for (std::int32_t p = from.first; p < from.end; ++p, seconds += wide) {
    double least = kNone;
    for (std::int32_t j = 0; j < wide; ++j) {
      const double c = behind[j] + weight * seconds[j];
      least = c < least ? c : least;
    }
    value[p] = least;
  }
}

}  // namespace

TaskPaths::TaskPaths(const Model& model)
    : model_(model),
      weight_(model.slots.size()),
      own_(model.place_node.size()),
      ahead_(model.place_node.size()),
      behind_(model.place_node.size()) {
  std::size_t size = 0;
  for (const Way& way : model.ways) {
    first_message_.push_back(size);
    if (way.to != kEndpoint && way.from != kEndpoint && !way.cut)
      size += z(model.slots[z(way.to)].end - model.slots[z(way.to)].first);
  }
  message_.resize(size);
}

double TaskPaths::own(const Times& times, std::int32_t place, const PathPrices& prices) const {
  const std::int32_t k = model_.place_slot[z(place)];
  const Slot& slot = model_.slots[z(k)];
  double value = prices.place[z(place)] + weight_[z(k)] * model_.place_compute_s[z(place)];
  for (std::int32_t i = slot.first_in; i < slot.end_in; ++i) {
    const Way& way = model_.ways[z(i)];
    const double weight = weight_[z(k)] * prices.share[z(i)];
    if (way.from == kEndpoint)
      value += weight * model_.seconds[way.seconds + z(place - slot.first)];
    else if (way.cut && weight > 0.0)
      value += weight * times.cut_s[times.first_cut[z(i)] + z(place - slot.first)];
  }
  const Way& out = model_.ways[z(slot.out)];
  if (out.to == kEndpoint)
    value += weight_[z(k)] * prices.share[z(slot.out)] * model_.seconds[out.seconds + z(place - slot.first)];
  return value;
}

double TaskPaths::solve(const State& state, const Times& times, std::int32_t task, const PathPrices& prices) {
  const TaskSpan& span = model_.tasks[z(task)];
  // A second at the end of a slot weighs what it weighs at the end of the way out, by that way's share.
  for (std::int32_t k = span.end - 1; k >= span.first; --k) {
    const std::int32_t out = model_.slots[z(k)].out;
    const std::int32_t to = model_.ways[z(out)].to;
    weight_[z(k)] = (to == kEndpoint ? prices.second : weight_[z(to)]) * prices.share[z(out)];
  }
  for (std::int32_t k = span.first; k < span.end; ++k) {
    const Slot& slot = model_.slots[z(k)];
    const std::int32_t wide = slot.end - slot.first;
    for (std::int32_t p = slot.first; p < slot.end; ++p) {
      own_[z(p)] = state.alive[z(p)] != 0 ? own(times, p, prices) : kNone;
      ahead_[z(p)] = own_[z(p)];
    }
    for (std::int32_t i = slot.first_in; i < slot.end_in; ++i) {
      const Way& way = model_.ways[z(i)];
      if (way.from == kEndpoint || way.cut) continue;
      double* message = message_.data() + first_message_[z(i)];
      const Slot& from = model_.slots[z(way.from)];
      const double weight = weight_[z(k)] * prices.share[z(i)];
      if (weight == 0.0 && way.open) {
        double least = kNone;
        for (std::int32_t p = from.first; p < from.end; ++p) least = std::min(least, ahead_[z(p)]);
        std::fill_n(message, wide, least);
      } else {
        spread(ahead_, from, weight, model_.seconds.data() + way.seconds, message, wide);
      }
      for (std::int32_t j = 0; j < wide; ++j) ahead_[z(slot.first + j)] += message[j];
    }
  }
  double value = kNone;
  const Slot& last = model_.slots[z(span.end) - 1];
  for (std::int32_t p = last.first; p < last.end; ++p) value = std::min(value, ahead_[z(p)]);
  return value;
}

void TaskPaths::choose(std::int32_t task, const PathPrices& prices, std::int32_t* places) {
  const TaskSpan& span = model_.tasks[z(task)];
  for (std::int32_t k = span.end - 1; k >= span.first; --k) {
    const Slot& slot = model_.slots[z(k)];
    const Way& out = model_.ways[z(slot.out)];
    double least = kNone;
    std::int32_t chosen = -1;
    const double weight = out.to == kEndpoint ? 0.0 : weight_[z(out.to)] * prices.share[z(slot.out)];
    for (std::int32_t p = slot.first; p < slot.end; ++p) {
      double c = ahead_[z(p)];
      if (!(c < kNone)) continue;
      if (out.to != kEndpoint) c += weight * model_.way_s(slot.out, p, places[out.to - span.first]);
      if (c < least) {
        least = c;
        chosen = p;
      }
    }
    places[k - span.first] = chosen;
  }
}

void TaskPaths::through(std::int32_t task, const PathPrices& prices, std::vector<double>& value) {
  const TaskSpan& span = model_.tasks[z(task)];
  for (std::int32_t k = span.end - 1; k >= span.first; --k) {
    const Slot& slot = model_.slots[z(k)];
    const Way& out = model_.ways[z(slot.out)];
    if (out.to == kEndpoint) {
      for (std::int32_t p = slot.first; p < slot.end; ++p) behind_[z(p)] = 0.0;
    } else {
      const Slot& to = model_.slots[z(out.to)];
      rest_.resize(z(to.end - to.first));
      for (std::int32_t q = to.first; q < to.end; ++q) {
        double rest = own_[z(q)] + behind_[z(q)];
        for (std::int32_t i = to.first_in; i < to.end_in; ++i) {
          const Way& way = model_.ways[z(i)];
          if (way.from != kEndpoint && !way.cut && i != slot.out)
            rest += message_[first_message_[z(i)] + z(q - to.first)];
        }
        rest_[z(q - to.first)] = rest;
      }
      gather(rest_.data(), slot, weight_[z(out.to)] * prices.share[z(slot.out)],
             model_.seconds.data() + out.seconds, behind_.data(), to.end - to.first);
    }
    for (std::int32_t p = slot.first; p < slot.end; ++p) value[z(p)] = ahead_[z(p)] + behind_[z(p)];
  }
}

double schedule(const Model& model, std::int32_t task, const std::int32_t* places, std::vector<double>& end_s,
                std::vector<std::int32_t>& last_way) {
  const TaskSpan& span = model.tasks[z(task)];
  for (std::int32_t k = span.first; k < span.end; ++k) {
    const Slot& slot = model.slots[z(k)];
    const std::int32_t p = places[k - span.first];
    double start_s = -1.0;
    last_way[z(k)] = -1;
    for (std::int32_t i = slot.first_in; i < slot.end_in; ++i) {
      const Way& way = model.ways[z(i)];
      const double come_s = way.from == kEndpoint ? model.way_s(i, -1, p)
                                                  : end_s[z(way.from)] + model.way_s(i, places[way.from - span.first], p);
      if (come_s > start_s) {
        start_s = come_s;
        last_way[z(k)] = i;
      }
    }
    end_s[z(k)] = start_s + model.place_compute_s[z(p)];
  }
  return end_s[z(span.end) - 1] + model.way_s(span.sink, places[span.end - 1 - span.first], -1);
}

}  // namespace constellm::services::exact
