#include <cstdlib>
#include <limits>
#include <string>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/core/status.hpp"
#include "constellm/core/stop.hpp"
#include "constellm/core/units.hpp"

using namespace constellm::core;

TEST_CASE("a double's text reads back as the same double", "[core]") {
  for (const double value : {0.1, 1.0 / 3.0, 1e300, 5e-324, -2.5, 0.0}) {
    CHECK(std::strtod(to_text(value).c_str(), nullptr) == value);
  }
  CHECK(to_text(0.5) == "0.5");
}

TEST_CASE("a bad number is refused with its field, its value and the allowed range", "[core]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(require_positive("nodes[2].flop_per_s", -1.5),
                    ContainsSubstring("nodes[2].flop_per_s") && ContainsSubstring("-1.5"));
  CHECK_THROWS_AS(require_positive("x", 0.0), InvalidInput);
  CHECK_THROWS_AS(require_positive("x", inf), InvalidInput);
  CHECK_THROWS_AS(require_positive("x", nan), InvalidInput);
  CHECK_NOTHROW(require_positive("x", 5e-324));
  CHECK_THROWS_AS(require_non_negative("x", -5e-324), InvalidInput);
  CHECK_THROWS_AS(require_non_negative("x", nan), InvalidInput);
  CHECK_NOTHROW(require_non_negative("x", 0.0));
}

TEST_CASE("bytes become bits in the transfer time", "[core]") {
  CHECK(transfer_s(1e9, 0.5e9) == 16.0);
  CHECK(transfer_s(0.0, 1.0) == 0.0);
}

TEST_CASE("a status has its own text", "[core]") {
  CHECK(to_text(Status::optimal) == "optimal");
  CHECK(to_text(Status::no_plan_found) == "no_plan_found");
  CHECK(to_text(Status::interrupted) == "interrupted");
}

TEST_CASE("a stop token without a limit never stops", "[core]") {
  StopToken stop;
  for (int i = 0; i < 100000; ++i) REQUIRE_FALSE(stop.should_stop());
  CHECK(stop.reason() == StopReason::none);
}

TEST_CASE("a stop token looks at once, then now and then, and stays stopped", "[core]") {
  StopToken past(-1.0);
  CHECK(past.should_stop());
  CHECK(past.reason() == StopReason::time_limit);

  int asked = 0;
  StopToken stop(std::numeric_limits<double>::infinity(), [&asked] { return ++asked == 3; });
  int calls = 0;
  while (!stop.should_stop()) ++calls;
  CHECK(asked == 3);
  CHECK(calls > asked);  // the callback is far rarer than the calls
  CHECK(stop.should_stop());
  CHECK(asked == 3);
  CHECK(stop.reason() == StopReason::interrupted);
}
