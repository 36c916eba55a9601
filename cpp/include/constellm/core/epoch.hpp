#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace constellm::core {

inline constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosecondsPerDay = 86'400 * kMicrosecondsPerSecond;

/// An instant of UTC from year 1 to 9999: microseconds since 1970-01-01T00:00:00Z in days of 86,400 s.
/// Leap seconds have no instant of their own, and differences do not count them.
class Epoch {
 public:
  constexpr Epoch() = default;
  /// Throws InvalidInput outside the years.
  explicit Epoch(std::int64_t microseconds);
  /// ISO 8601: a date, also by the day of the year, maybe a time of day behind `T` or a blank, with `Z`, an
  /// offset as `-05:00`, or neither: UTC. Fractions of seconds are rounded to the nearest microsecond.
  explicit Epoch(std::string_view text);

  auto operator<=>(const Epoch&) const = default;

  [[nodiscard]] std::int64_t microseconds() const { return microseconds_; }
  /// ISO 8601 with `Z`, the fraction as long as it needs to be.
  [[nodiscard]] std::string text() const;
  /// Rounded to the nearest microsecond.
  [[nodiscard]] Epoch after(double seconds) const;
  [[nodiscard]] double seconds_since(Epoch other) const {
    return static_cast<double>(microseconds_ - other.microseconds_) / 1e6;
  }

 private:
  std::int64_t microseconds_ = 0;
};

/// A Julian date in two parts, which together keep the microseconds.
struct JulianDate {
  double midnight = 0.0;  ///< of the day's start, ends in .5
  double fraction = 0.0;  ///< of the day, in [0, 1)
};

JulianDate julian_date(Epoch epoch);

}  // namespace constellm::core
