#pragma once
#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

namespace constellm::orbit {

/// Points [points][3] arranged for finding those near a place (a k-d tree). What is found does not depend on
/// the order inside: equal distances go by position. Points with a NaN are never found.
class NearPoints {
 public:
  explicit NearPoints(std::span<const double> points_m);

  /// The `count` points nearest to point `from`, or all where there are fewer; without itself, nearest first.
  void nearest(std::int32_t from, std::size_t count, std::vector<std::int32_t>& found) const;
  /// Points within `range_m` of point `from`, without itself, in rising order.
  void within(std::int32_t from, double range_m, std::vector<std::int32_t>& found) const;

  [[nodiscard]] double distance_m(std::int32_t one, std::int32_t other) const {
    return (point_of(other) - point_of(one)).norm();
  }
  [[nodiscard]] bool is_there(std::int32_t point) const { return point_of(point).allFinite(); }

 private:
  using Vector = Eigen::Vector3d;
  [[nodiscard]] Vector point_of(std::int32_t i) const {
    return Eigen::Map<const Vector>(points_m_.data() + 3 * static_cast<std::size_t>(i));
  }
  void split(std::size_t first, std::size_t end);
  template <class Visit>
  void descend(std::size_t first, std::size_t end, const Vector& at, Visit& visit) const;

  std::span<const double> points_m_;
  std::vector<std::int32_t> order_;  ///< of the points: of each stretch the middle one halves it
  std::vector<std::int8_t> axis_;    ///< [order] along which it does
};

}  // namespace constellm::orbit
