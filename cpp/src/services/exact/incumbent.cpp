#include "constellm/services/exact/incumbent.hpp"

#include <cmath>

#include "constellm/core/index.hpp"

namespace constellm::services::exact {

double equal_up_to(double value) { return value + kOptimalGap * std::abs(value); }

bool Incumbent::offer(const Assignment& assignment) {
  return offer(Placement{replicas_of(problem_, assignment), assignment});
}

bool Incumbent::offer(const Placement& placement) {
  Evaluation found = evaluate(problem_, routes_, placement);
  if (!keeps_limits(problem_, routes_, placement, found)) return false;
  const double first = found.first(problem_.objective());
  const double second = found.second(problem_.objective());
  if (exists_) {
    if (first > equal_up_to(least_first_)) return false;
    const double have = evaluation_.first(problem_.objective());
    const double least = std::min(least_first_, first);
    const bool still_equal = have <= equal_up_to(least);
    const double have_second = evaluation_.second(problem_.objective());
    if (still_equal && (second > have_second || (second == have_second && first >= have))) {
      least_first_ = least;
      return false;
    }
  }
  least_first_ = exists_ ? std::min(least_first_, first) : first;
  exists_ = true;
  placement_ = placement;
  evaluation_ = std::move(found);
  return true;
}

}  // namespace constellm::services::exact
