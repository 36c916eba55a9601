#include "catch.hpp"
#include "constellm/core/epoch.hpp"
#include "constellm/core/error.hpp"
#include "random.hpp"

using namespace constellm;
using core::Epoch;

TEST_CASE("Epochs are read as they are written", "[core]") {
  tests::Random random(1);
  for (int i = 0; i < 10'000; ++i) {
    const Epoch epoch(static_cast<std::int64_t>(random.uniform(-62e15, 253e15)));
    INFO(epoch.text());
    CHECK(Epoch(epoch.text()) == epoch);
    const core::JulianDate date = core::julian_date(epoch);
    CHECK(date.fraction >= 0.0);
    CHECK(date.fraction < 1.0);
  }
  CHECK(Epoch("0001-01-01").text() == "0001-01-01T00:00:00Z");
  CHECK(Epoch("9999-12-31T23:59:59.999999").text() == "9999-12-31T23:59:59.999999Z");
  CHECK(Epoch("2024-02-29 00:00").text() == "2024-02-29T00:00:00Z");
  CHECK(Epoch("2024-366").text() == "2024-12-31T00:00:00Z");
  CHECK(Epoch("2023-060T06:00:00.25").text() == "2023-03-01T06:00:00.25Z");
  CHECK(Epoch("2000-01-01T12:00:00Z").microseconds() == 946'728'000'000'000);
}

TEST_CASE("Epochs tell what is wrong with them", "[core]") {
  const auto refused = [](const char* text, const char* why) {
    INFO(text);
    CHECK_THROWS_WITH(Epoch(std::string_view(text)), ContainsSubstring(why) && ContainsSubstring(text));
  };
  refused("2026-13-01", "the month 13 is not in [1, 12]");
  refused("2026-02-29", "the day 29 is not in [1, 28]");
  refused("2023-366", "the day of the year 366 is not in [1, 365]");
  refused("2024-000T00:00", "the day of the year 0 is not in [1, 366]");
  refused("2016-12-31T23:59:60Z", "leap second");
  refused("2026-03-01T24:00:00Z", "the hour 24 is not in [0, 23]");
  refused("2026-03-01T12:00:00 UTC", "ends with ' UTC'");
  refused("2026-03-01T12:00:00.Z", "expected digits behind the point");
  refused("26-03-01", "expected 4 digits of the year");
  CHECK_THROWS_WITH(Epoch("9999-12-31T23:59:59.9999999"), ContainsSubstring("are not in"));
  CHECK_THROWS_AS(Epoch("2026-01-01").after(1e300), core::InvalidInput);
  // Cut before a character, not within it.
  CHECK_THROWS_WITH(Epoch(std::string(59, 'x') + "\u00e9"), ContainsSubstring("x': expected 4 digits"));
}
