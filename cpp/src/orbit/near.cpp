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
  split(0, 0, order_.size());
  for (const std::int32_t i : order_) {
    const Vector point = point_of(i);
    x_.push_back(point.x());
    y_.push_back(point.y());
    z_.push_back(point.z());
  }
}

void NearPoints::split(std::size_t node, std::size_t first, std::size_t end) {
  if (end - first <= kLeaf) return;
  Vector low = point_of(order_[first]);
  Vector high = low;
  for (std::size_t i = first + 1; i < end; ++i) {
    low = low.cwiseMin(point_of(order_[i]));
    high = high.cwiseMax(point_of(order_[i]));
  }
  if (cuts_.size() <= node) cuts_.resize(node + 1);
  int& axis = cuts_[node].axis;
  (high - low).maxCoeff(&axis);
  const std::size_t middle = first + (end - first) / 2;
  const auto place = [this](std::size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); };
  std::nth_element(place(first), place(middle), place(end), [&](std::int32_t one, std::int32_t other) {
    return std::pair(point_of(one)[axis], one) < std::pair(point_of(other)[axis], other);
  });
  cuts_[node].at_m = point_of(order_[middle])[axis];
  split(2 * node + 1, first, middle);
  split(2 * node + 2, middle, end);
}

void NearPoints::nearest(std::int32_t from, std::size_t count, std::vector<std::int32_t>& found) const {
  found.clear();
  if (count == 0 || !is_there(from)) return;
  std::vector<std::pair<double, std::int32_t>> best;  // a heap, the farthest in front
  const auto farthest = [&] {
    return best.size() < count ? std::numeric_limits<double>::infinity() : best.front().first;
  };
  search(point_of(from), farthest, [&](std::int32_t point, double squared) {
    if (point == from) return;
    if (best.size() == count) {
      if (!(std::pair(squared, point) < best.front())) return;
      std::ranges::pop_heap(best);
      best.pop_back();
    }
    best.emplace_back(squared, point);
    std::ranges::push_heap(best);
  });
  std::ranges::sort_heap(best);
  for (const auto& [_, point] : best) found.push_back(point);
}

void NearPoints::within(std::int32_t from, double range_m, std::vector<std::int32_t>& found) const {
  found.clear();
  around(from, range_m, [&](std::int32_t point, double squared) {
    if (point != from && squared <= range_m * range_m) found.push_back(point);
  });
  std::ranges::sort(found);
}

}  // namespace constellm::orbit
