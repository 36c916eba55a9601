#pragma once
#include <chrono>
#include <functional>
#include <limits>

namespace constellm::core {

enum class StopReason { none, time_limit, interrupted };

/// Asked now and then by long computations whether they should end. The clock and the
/// callback (Python's signal check, say) are touched once in `kPollEvery` calls only.
class StopToken {
 public:
  using Clock = std::chrono::steady_clock;

  /// `time_limit_s` may be infinite; `interrupted` may be empty.
  explicit StopToken(double time_limit_s = std::numeric_limits<double>::infinity(),
                     std::function<bool()> interrupted = {})
      : start_(Clock::now()), time_limit_s_(time_limit_s), interrupted_(std::move(interrupted)) {}

  /// `weight`: how many units of work have passed since the last call.
  bool should_stop(unsigned weight = 1) {
    if (reason_ != StopReason::none) return true;
    credit_ += weight;
    if (credit_ < kPollEvery) return false;
    credit_ = 0;
    if (interrupted_ && interrupted_())
      reason_ = StopReason::interrupted;
    else if (elapsed_s() > time_limit_s_)
      reason_ = StopReason::time_limit;
    return reason_ != StopReason::none;
  }

  [[nodiscard]] double elapsed_s() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }
  [[nodiscard]] StopReason reason() const { return reason_; }

 private:
  static constexpr unsigned kPollEvery = 4096;
  Clock::time_point start_;
  double time_limit_s_;
  std::function<bool()> interrupted_;
  StopReason reason_ = StopReason::none;
  unsigned credit_ = kPollEvery - 1;  // the first call looks at once
};

}  // namespace constellm::core
