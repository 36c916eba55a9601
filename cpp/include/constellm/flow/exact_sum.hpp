#pragma once
#include <cmath>

namespace constellm::flow {

/// A sum that loses no more than the last bit of itself (Neumaier 1974): a byte counts beside terabytes.
class ExactSum {
 public:
  void add(double value) {
    const double sum = sum_ + value;
    lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
    sum_ = sum;
  }
  [[nodiscard]] double value() const { return sum_ + lost_; }

 private:
  double sum_ = 0.0;
  double lost_ = 0.0;
};

}  // namespace constellm::flow
