#pragma once
#include <optional>

#include "constellm/services/exact/state.hpp"

namespace constellm::services::exact {

/// The best plan so far: least in the first term, and among those equal in it least in the second.
class Incumbent {
 public:
  Incumbent(const Problem& problem, const Routes& routes) : problem_(problem), routes_(routes) {}

  /// Whether the plan keeps the limits and is better.
  bool offer(const Placement& placement);
  bool offer(const Assignment& assignment);

  [[nodiscard]] bool exists() const { return exists_; }
  [[nodiscard]] const Placement& placement() const { return placement_; }
  [[nodiscard]] const Evaluation& evaluation() const { return evaluation_; }
  /// Infinite without a plan.
  [[nodiscard]] double of(const Aim& aim) const { return exists_ ? aim.of(evaluation_) : kNone; }
  [[nodiscard]] double least_first() const { return least_first_; }

 private:
  const Problem& problem_;
  const Routes& routes_;
  bool exists_ = false;
  double least_first_ = kNone;
  Placement placement_;
  Evaluation evaluation_;
};

/// The largest value up to this one that counts as equal to it.
double equal_up_to(double value);

}  // namespace constellm::services::exact
