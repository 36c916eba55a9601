#pragma once
#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace constellm::orbit {

/// Points [points][3] arranged for finding those near a place: a k-d tree (Bentley 1975) whose leaves are
/// short stretches of points, looked at one after the other. What is found does not depend on the order
/// inside: equal distances go by position. Points with a NaN are never found.
class NearPoints {
 public:
  explicit NearPoints(std::span<const double> points_m);

  /// The `count` points nearest to point `from`, or all where there are fewer; without itself, nearest first.
  void nearest(std::int32_t from, std::size_t count, std::vector<std::int32_t>& found) const;
  /// Calls `see(point, squared distance)` for the points within `range_m` of point `from`, itself among them,
  /// and for others: in no order, and unsifted, so that the caller can do so without a branch.
  template <class See>
  void around(std::int32_t from, double range_m, See see) const {
    const double squared = range_m * range_m;
    if (is_there(from)) search(point_of(from), [squared] { return squared; }, see);
  }

  /// Points within `range_m` of point `from`, without itself, in rising order.
  void within(std::int32_t from, double range_m, std::vector<std::int32_t>& found) const;

  [[nodiscard]] double distance_m(std::int32_t one, std::int32_t other) const {
    return (point_of(other) - point_of(one)).norm();
  }
  [[nodiscard]] bool is_there(std::int32_t point) const { return point_of(point).allFinite(); }

 private:
  using Vector = Eigen::Vector3d;
  static constexpr std::size_t kLeaf = 16;

  [[nodiscard]] Vector point_of(std::int32_t i) const {
    return Eigen::Map<const Vector>(points_m_.data() + 3 * static_cast<std::size_t>(i));
  }
  void split(std::size_t node, std::size_t first, std::size_t end);

  /// One order for all, so that no rounding puts a point nearer than the box that it lies in.
  static double sum(double x, double y, double z) { return x + y + z; }

  /// Shows `visit` every point whose squared distance is not more than `squared_m()` at that time, and
  /// others.
  template <class Squared, class Visit>
  void search(const Vector& at, Squared squared_m, Visit visit) const {
    if (!order_.empty()) descend(0, 0, order_.size(), at, {0.0, 0.0, 0.0}, squared_m, visit);
  }

  /// `beside`: squared distances along the axes from the box of the node.
  template <class Squared, class Visit>
  void descend(std::size_t node, std::size_t first, std::size_t end, const Vector& at,
               const std::array<double, 3>& beside, Squared& squared_m, Visit& visit) const {
    if (sum(beside[0], beside[1], beside[2]) > squared_m()) return;
    if (end - first <= kLeaf) {
      std::array<double, kLeaf> squared;
      for (std::size_t i = first; i < end; ++i) {
        const double x = x_[i] - at.x();
        const double y = y_[i] - at.y();
        const double z = z_[i] - at.z();
        squared[i - first] = sum(x * x, y * y, z * z);
      }
      for (std::size_t i = first; i < end; ++i) visit(order_[i], squared[i - first]);
      return;
    }
    const std::size_t middle = first + (end - first) / 2;
    const Cut& cut = cuts_[node];
    const double off = at[cut.axis] - cut.at_m;
    std::array<double, 3> across = beside;
    across[static_cast<std::size_t>(cut.axis)] = off * off;
    if (off < 0.0) {
      descend(2 * node + 1, first, middle, at, beside, squared_m, visit);
      descend(2 * node + 2, middle, end, at, across, squared_m, visit);
    } else {
      descend(2 * node + 2, middle, end, at, beside, squared_m, visit);
      descend(2 * node + 1, first, middle, at, across, squared_m, visit);
    }
  }

  /// Points before the middle of a stretch are not beyond it, those from it on not before it.
  struct Cut {
    double at_m = 0.0;
    int axis = 0;
  };
  std::span<const double> points_m_;
  std::vector<std::int32_t> order_;  ///< of the points that are there
  std::vector<double> x_;            ///< [order]
  std::vector<double> y_;
  std::vector<double> z_;
  std::vector<Cut> cuts_;  ///< of node i the halves are 2 i + 1 and 2 i + 2
};

}  // namespace constellm::orbit
