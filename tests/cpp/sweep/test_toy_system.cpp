#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/sweep/run.hpp"

// A system of its own: the engine knows nothing of it but this.
namespace rolling {

using namespace constellm;

struct Wheel {
  std::string name;
  double radius_m = 0.5;
  std::optional<std::string> group;
};

constexpr auto fields(const Wheel*) {
  return core::record("Wheel", "What a cart rolls on.",
                      core::required("name", &Wheel::name, "unique on its cart").as_name(),
                      core::optional("radius_m", &Wheel::radius_m, "to the rim", "m", core::kPositive),
                      core::optional("group", &Wheel::group, "such as an axle").as_group());
}

struct Cart {
  std::vector<Wheel> wheels;
  std::int64_t turns = 1;
  std::optional<double> max_way_m;
};

constexpr auto fields(const Cart*) {
  return core::record("Cart", "What has wheels.", core::required("wheels", &Cart::wheels, "all of them"),
                      core::optional("turns", &Cart::turns, "of every wheel", "",
                                     {.least = 1, .most = 1000, .text = "[1, 1000]"}),
                      core::optional("max_way_m", &Cart::max_way_m, "or None", "m", core::kNonNegative));
}

struct Way {
  double way_m = std::numeric_limits<double>::quiet_NaN();
  std::int64_t turns = 0;
  core::Status status = core::Status::interrupted;
};

constexpr auto fields(const Way*) {
  return core::record("Way", "How far it comes.", core::required("way_m", &Way::way_m, "of all wheels", "m"),
                      core::required("turns", &Way::turns, "made"),
                      core::required("status", &Way::status, "what was found"));
}

struct Rolling {
  using Record = Cart;
  using Question = Cart;
  using Answer = Way;
  using Row = Way;
  struct Memory {
    std::int64_t carts = 0;
  };

  Cart question(Cart cart) const {
    for (std::size_t i = 0; i < cart.wheels.size(); ++i) core::check_ranges(cart.wheels[i], {"wheels", i});
    return cart;
  }
  Way answer(const Cart& cart, const std::string& method, core::StopToken&, Memory& memory) const {
    ++memory.carts;
    double way_m = 0.0;
    for (const Wheel& wheel : cart.wheels) way_m += wheel.radius_m * static_cast<double>(cart.turns);
    if (method == "backwards") way_m = -way_m;
    if (cart.max_way_m && way_m > *cart.max_way_m) return {.status = core::Status::infeasible};
    return {way_m, cart.turns, core::Status::optimal};
  }
  Way row(const Way& way) const { return way; }
};

}  // namespace rolling

using namespace constellm;

TEST_CASE("any record with a table is swept over its fields by its own solver", "[sweep]") {
  const rolling::Cart cart{{{"left", 1.0, "front"}, {"right", 2.0, "front"}, {"back", 4.0, {}}}, 2, {}};
  sweep::Template<rolling::Cart> base{cart, {}};
  for (const char* address : {"wheels[front].radius_m *", "turns", "max_way_m"})
    base.targets.push_back(sweep::resolve(cart, address));
  CHECK(base.targets[1].is_count);
  CHECK(base.targets[2].unit == "m");
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> values{1.0, 3.0,  inf, 2.0, 1.0, inf, 1.0, 1.0,
                                   6.0, -1.0, 1.0, inf, 1.0, 2.5, inf};
  const std::vector<std::int32_t> which(5, 0);
  const std::vector<sweep::Template<rolling::Cart>> templates{base};
  std::vector<double> way(10);
  std::vector<std::int64_t> turns(10);
  std::vector<std::int8_t> status(10);
  std::vector<std::string> messages(10);
  sweep::run(rolling::Rolling{}, {templates, which, values},
             {.methods = {"forwards", "backwards"}, .threads = 3}, {way, turns, status},
             [&](std::vector<sweep::Finished<rolling::Way>> finished) {
               for (const auto& one : finished) messages[static_cast<std::size_t>(one.row)] = one.message;
               return false;
             });
  const auto optimal = static_cast<std::int8_t>(core::Status::optimal);
  CHECK(way[0] == 21.0);
  CHECK(way[1] == -21.0);
  CHECK(way[2] == 10.0);
  CHECK(turns == std::vector<std::int64_t>{3, 3, 1, 1, 0, 1, 0, 0, 0, 0});
  CHECK(status[4] == static_cast<std::int8_t>(core::Status::infeasible));
  CHECK(status[5] == optimal);
  for (const std::size_t row : {6U, 7U, 8U, 9U}) {
    CHECK(status[row] == sweep::kInvalid);
    CHECK(std::isnan(way[row]));
  }
  CHECK(messages[6] == "wheels[0].radius_m: -1 is not in (0, inf)");
  CHECK_THAT(messages[8], ContainsSubstring("turns: 2.5 is not in"));
}

TEST_CASE("an address that a system does not have is told what there is", "[sweep]") {
  const rolling::Cart cart{{{"left", 1.0, {}}}, 2, {}};
  CHECK_THROWS_WITH(sweep::resolve(cart, "speed"),
                    ContainsSubstring("Cart: turns, max_way_m; wheels: radius_m"));
  CHECK_THROWS_WITH(sweep::resolve(cart, "sails.area"), ContainsSubstring("is not one of wheels"));
  CHECK_THROWS_WITH(sweep::resolve(cart, "turns *"), ContainsSubstring("not multiplied"));
  CHECK_THROWS_WITH(sweep::resolve(cart, "max_way_m *"), ContainsSubstring("no such limit"));
}
