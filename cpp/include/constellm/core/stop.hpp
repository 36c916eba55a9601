#pragma once
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>

namespace constellm::core {

enum class StopReason { none, time_limit, interrupted };

/// Thrown by computations that have nothing to show when they are told to stop.
class Stopped : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "stopped"; }
};

/// Asked now and then by long computations whether they should end. The clock and the
/// callback (Python's signal check, say) are touched once in `kPollEvery` units of work only, which
/// take about a tenth of a microsecond each.
class StopToken {
 public:
  using Clock = std::chrono::steady_clock;

  /// `time_limit_s` may be infinite; `interrupted` may be empty. Tests of stopping look more often.
  explicit StopToken(double time_limit_s = std::numeric_limits<double>::infinity(),
                     std::function<bool()> interrupted = {}, std::uint64_t poll_every = kPollEvery)
      : start_(Clock::now()),
        time_limit_s_(time_limit_s),
        interrupted_(std::move(interrupted)),
        poll_every_(poll_every),
        credit_(poll_every - 1) {}

  /// `work`: how many units have passed since the last call.
  bool should_stop(std::uint64_t work = 1) {
    if (reason_ != StopReason::none) return true;
    credit_ += work;
    if (credit_ < poll_every_) return false;
    credit_ = 0;
    if (interrupted_ && interrupted_())
      reason_ = StopReason::interrupted;
    else if (elapsed_s() > time_limit_s_)
      reason_ = StopReason::time_limit;
    return reason_ != StopReason::none;
  }

  /// A token for a part of the work that may use half of the time left.
  [[nodiscard]] StopToken with_half_the_time() const {
    StopToken half = *this;
    half.time_limit_s_ = 0.5 * (elapsed_s() + time_limit_s_);
    return half;
  }

  /// An interruption that a part of the work was told of holds for the whole.
  void take_interrupt_from(const StopToken& part) {
    if (part.reason_ == StopReason::interrupted) reason_ = StopReason::interrupted;
  }

  [[nodiscard]] double elapsed_s() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }
  [[nodiscard]] StopReason reason() const { return reason_; }

 private:
  static constexpr std::uint64_t kPollEvery = 4096;
  Clock::time_point start_;
  double time_limit_s_;
  std::function<bool()> interrupted_;
  std::uint64_t poll_every_;
  StopReason reason_ = StopReason::none;
  std::uint64_t credit_;  // full at first, so that the first call looks at once
};

}  // namespace constellm::core
