#include "constellm/orbit/near.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace constellm::orbit {

NearPoints::NearPoints(std::span<const double> points_m) : points_m_(points_m) {
  const auto count = static_cast<std::int32_t>(points_m.size() / 3);
  for (std::int32_t i = 0; i < count; ++i) {
    if (is_there(i)) order_.push_back(i);
  }
  axis_.resize(order_.size());
  split(0, order_.size());
}

void NearPoints::split(std::size_t first, std::size_t end) {
  if (end - first < 2) return;
  Vector low = point_of(order_[first]);
  Vector high = low;
  for (std::size_t i = first + 1; i < end; ++i) {
    low = low.cwiseMin(point_of(order_[i]));
    high = high.cwiseMax(point_of(order_[i]));
  }
  int axis = 0;
  (high - low).maxCoeff(&axis);
  const std::size_t middle = first + (end - first) / 2;
  const auto place = [this](std::size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); };
  std::nth_element(place(first), place(middle), place(end), [&](std::int32_t one, std::int32_t other) {
    return std::pair(point_of(one)[axis], one) < std::pair(point_of(other)[axis], other);
  });
  axis_[middle] = static_cast<std::int8_t>(axis);
  split(first, middle);
  split(middle + 1, end);
}

/// Shows `visit` every point that is not farther than `visit.squared_m()` at that time, and maybe others.
template <class Visit>
void NearPoints::descend(std::size_t first, std::size_t end, const Vector& at, Visit& visit) const {
  if (first == end) return;
  const std::size_t middle = first + (end - first) / 2;
  const Vector point = point_of(order_[middle]);
  visit(order_[middle], (point - at).squaredNorm());
  const double beside = at[axis_[middle]] - point[axis_[middle]];
  const bool low_first = beside < 0.0;
  for (const bool low : {low_first, !low_first}) {
    if (low != low_first && beside * beside > visit.squared_m()) return;
    if (low)
      descend(first, middle, at, visit);
    else
      descend(middle + 1, end, at, visit);
  }
}

void NearPoints::nearest(std::int32_t from, std::size_t count, std::vector<std::int32_t>& found) const {
  struct Visit {
    std::int32_t from;
    std::size_t count;
    std::vector<std::pair<double, std::int32_t>> best;  // a heap, the farthest in front

    [[nodiscard]] double squared_m() const {
      return best.size() < count ? std::numeric_limits<double>::infinity() : best.front().first;
    }
    void operator()(std::int32_t point, double squared) {
      if (point == from) return;
      if (best.size() == count) {
        if (!(std::pair(squared, point) < best.front())) return;
        std::ranges::pop_heap(best);
        best.pop_back();
      }
      best.emplace_back(squared, point);
      std::ranges::push_heap(best);
    }
  };
  found.clear();
  if (count == 0 || !is_there(from)) return;
  Visit visit{.from = from, .count = count, .best = {}};
  descend(0, order_.size(), point_of(from), visit);
  std::ranges::sort_heap(visit.best);
  for (const auto& [_, point] : visit.best) found.push_back(point);
}

void NearPoints::within(std::int32_t from, double range_m, std::vector<std::int32_t>& found) const {
  struct Visit {
    std::int32_t from;
    double squared;
    std::vector<std::int32_t>& found;

    [[nodiscard]] double squared_m() const { return squared; }
    void operator()(std::int32_t point, double squared_m) const {
      if (point != from && squared_m <= squared) found.push_back(point);
    }
  };
  found.clear();
  if (!is_there(from)) return;
  Visit visit{.from = from, .squared = range_m * range_m, .found = found};
  descend(0, order_.size(), point_of(from), visit);
  std::ranges::sort(found);
}

}  // namespace constellm::orbit
