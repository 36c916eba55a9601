#include "constellm/core/epoch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "constellm/core/error.hpp"

namespace constellm::core {
namespace {

constexpr std::int64_t kFirst = -62'135'596'800 * kMicrosecondsPerSecond;     // 0001-01-01T00:00:00Z
constexpr std::int64_t kLast = 253'402'300'800 * kMicrosecondsPerSecond - 1;  // before 10000-01-01T00:00:00Z
constexpr const char* kYears = "[0001-01-01T00:00:00Z, 9999-12-31T23:59:59.999999Z]";

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - static_cast<std::int64_t>(a % b < 0);
}

struct Date {
  std::int64_t year;
  std::int64_t month;
  std::int64_t day;
};

// Days since 1970-01-01 of the Gregorian calendar and back: H. Hinnant, "chrono-compatible low-level date
// algorithms", 2013. Years begin in March, so that the leap day is the last one.
constexpr std::int64_t days_of(Date date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = floor_div(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

constexpr Date date_of(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = floor_div(days, 146'097);
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * day_of_year + 2) / 153;
  const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_year - (153 * shifted + 2) / 5 + 1};
}

constexpr std::int64_t days_in(std::int64_t year, std::int64_t month) {
  return days_of({month == 12 ? year + 1 : year, month % 12 + 1, 1}) - days_of({year, month, 1});
}

/// The start of a text of anybody's, for messages: whole characters of UTF-8.
std::string quoted(std::string_view text) {
  std::size_t shown = std::min<std::size_t>(text.size(), 60);
  while (shown < text.size() && (text[shown] & 0xC0) == 0x80) --shown;
  return "'" + std::string(text.substr(0, shown)) + "'";
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), rest_(text) {}

  std::int64_t epoch() {
    const std::int64_t year = digits(4, "the year", 1, 9999);
    expect('-');
    std::int64_t microseconds = days_since_1970(year) * kMicrosecondsPerDay;
    if (take('T') || take('t') || take(' ')) microseconds += time_of_day() - offset();
    if (!rest_.empty()) fail("ends with " + quoted(rest_) + ", which is no part of it");
    return microseconds;
  }

 private:
  /// From month and day, or from the day of the year, which has three digits.
  std::int64_t days_since_1970(std::int64_t year) {
    if (rest_.size() > 2 && is_digit(rest_[2])) {
      const std::int64_t first = days_of({year, 1, 1});
      return first + digits(3, "the day of the year", 1, days_of({year + 1, 1, 1}) - first) - 1;
    }
    const std::int64_t month = digits(2, "the month", 1, 12);
    expect('-');
    return days_of({year, month, digits(2, "the day", 1, days_in(year, month))});
  }

  std::int64_t time_of_day() {
    const std::int64_t hours = digits(2, "the hour", 0, 23);
    expect(':');
    const std::int64_t minutes = digits(2, "the minute", 0, 59);
    std::int64_t microseconds = 0;
    if (take(':')) {
      if (rest_.starts_with("60"))
        fail("a leap second has no instant of its own: days have 86,400 s here, give 23:59:59 or 00:00:00");
      microseconds = digits(2, "the second", 0, 59) * kMicrosecondsPerSecond + fraction();
    }
    return (hours * 60 + minutes) * 60 * kMicrosecondsPerSecond + microseconds;
  }

  std::int64_t fraction() {
    if (!take('.')) return 0;
    std::int64_t microseconds = 0;
    std::size_t count = 0;
    bool up = false;
    for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1), ++count) {
      const std::int64_t digit = rest_.front() - '0';
      if (count < 6) microseconds = 10 * microseconds + digit;
      if (count == 6) up = digit >= 5;
    }
    if (count == 0) fail("expected digits behind the point");
    for (; count < 6; ++count) microseconds *= 10;
    return microseconds + (up ? 1 : 0);
  }

  std::int64_t offset() {
    if (take('Z') || take('z')) return 0;
    const bool west = rest_.starts_with('-');
    if (!west && !rest_.starts_with('+')) return 0;
    rest_.remove_prefix(1);
    const std::int64_t hours = digits(2, "the hours of the offset", 0, 23);
    take(':');
    const std::int64_t minutes = hours * 60 + digits(2, "the minutes of the offset", 0, 59);
    return (west ? -minutes : minutes) * 60 * kMicrosecondsPerSecond;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!take(c)) fail("expected " + std::string(1, c) + " at " + quoted(rest_));
  }

  std::int64_t digits(std::size_t count, const char* what, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || !is_digit(rest_[i]))
        fail(std::string("expected ") + std::to_string(count) + " digits of " + what + " at " +
             quoted(rest_));
      value = 10 * value + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    if (value < least || value > most) {
      fail(std::string(what) + " " + std::to_string(value) + " is not in [" + std::to_string(least) + ", " +
           std::to_string(most) + "]");
    }
    return value;
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw InvalidInput("epoch: " + quoted(text_) + ": " + why);
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

Epoch::Epoch(std::int64_t microseconds) : microseconds_(microseconds) {
  if (microseconds < kFirst || microseconds > kLast)
    throw InvalidInput("epoch: " + std::to_string(microseconds) + " microseconds since 1970 are not in " +
                       kYears);
}

Epoch::Epoch(std::string_view text) : Epoch(Reader(text).epoch()) {}

std::string Epoch::text() const {
  const std::int64_t days = floor_div(microseconds_, kMicrosecondsPerDay);
  const std::int64_t of_day = microseconds_ - days * kMicrosecondsPerDay;
  const std::int64_t second = of_day / kMicrosecondsPerSecond;
  const Date date = date_of(days);
  std::array<char, 96> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%06lld",
                static_cast<long long>(date.year), static_cast<long long>(date.month),
                static_cast<long long>(date.day), static_cast<long long>(second / 3600),
                static_cast<long long>(second / 60 % 60), static_cast<long long>(second % 60),
                static_cast<long long>(of_day % kMicrosecondsPerSecond));
  std::string text = buffer.data();
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "Z";
}

Epoch Epoch::after(double seconds) const {
  const double microseconds = seconds * 1e6;
  if (!(std::abs(microseconds) <= static_cast<double>(kLast - kFirst)))
    throw InvalidInput("seconds: " + to_text(seconds) + " from " + text() + " lead out of " + kYears);
  return Epoch(microseconds_ + std::llround(microseconds));
}

JulianDate julian_date(Epoch epoch) {
  const std::int64_t days = floor_div(epoch.microseconds(), kMicrosecondsPerDay);
  const std::int64_t of_day = epoch.microseconds() - days * kMicrosecondsPerDay;
  constexpr double kOf1970 = 2'440'587.5;
  return {kOf1970 + static_cast<double>(days),
          static_cast<double>(of_day) / static_cast<double>(kMicrosecondsPerDay)};
}

}  // namespace constellm::core
