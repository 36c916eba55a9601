#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "constellm/core/fields.hpp"

using namespace constellm::core;

namespace toy {

struct Wheel {
  std::string name;
  double radius_m = 0.5;
  std::int64_t spokes = 20;
  std::optional<double> pressure_pa;
  std::optional<std::vector<double>> wear;
};

constexpr auto fields(const Wheel*) {
  return record(
      "Wheel", "What a cart rolls on.",
      required("name", &Wheel::name, "unique on its cart").as_name().not_empty(),
      required("radius_m", &Wheel::radius_m, "to the rim", "m", kPositive),
      optional("spokes", &Wheel::spokes, "of wood", "", {.least = 3, .most = 99, .text = "[3, 99]"}),
      optional("pressure_pa", &Wheel::pressure_pa, "of the tyre", "Pa", kNonNegative),
      optional("wear", &Wheel::wear, "of each spoke", "", kNonNegative));
}

void check(const Wheel& wheel) { check_ranges(wheel, "wheels[2]."); }

}  // namespace toy

TEST_CASE("a table tells name, unit and range of every field in order", "[core]") {
  static_assert(Described<toy::Wheel> && !Described<int>);
  std::string told;
  fields_of<toy::Wheel>().for_each([&](const auto& field) {
    told += std::string(field.name) + " " + field.unit + (field.required ? "!" : "?");
  });
  CHECK(told == "name !radius_m m!spokes ?pressure_pa Pa?wear ?");
}

TEST_CASE("every kind of value is held against the range of its field", "[core]") {
  const toy::Wheel good{.name = "left", .pressure_pa = 0.0, .wear = std::vector{0.0, 1.0}};
  CHECK_NOTHROW(toy::check(good));
  const auto with = [&](auto change) {
    toy::Wheel wheel = good;
    change(wheel);
    return wheel;
  };
  CHECK_THROWS_WITH(toy::check(with([](auto& w) { w.name = ""; })), "wheels[2].name: must not be empty");
  CHECK_THROWS_WITH(toy::check(with([](auto& w) { w.radius_m = 0.0; })),
                    "wheels[2].radius_m: 0 is not in (0, inf)");
  CHECK_THROWS_WITH(toy::check(with([](auto& w) { w.spokes = 2; })), "wheels[2].spokes: 2 is not in [3, 99]");
  CHECK_THROWS_WITH(toy::check(with([](auto& w) { w.pressure_pa = -1.5; })),
                    "wheels[2].pressure_pa: -1.5 is not in [0, inf)");
  CHECK_THROWS_WITH(toy::check(with([](auto& w) { w.wear->back() = -1.0; })),
                    "wheels[2].wear[1]: -1 is not in [0, inf)");
}

TEST_CASE("neither infinity nor NaN is in a range", "[core]") {
  for (const double value :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_FALSE(kReal.contains(value));
    CHECK_FALSE(kNonNegative.contains(value));
    CHECK_FALSE(kPositive.contains(value));
  }
  CHECK(kNonNegative.contains(0.0));
  CHECK(kPositive.contains(5e-324));
  CHECK_FALSE(kPositive.contains(0.0));
}

namespace toy {

struct Cart {
  Wheel left;
  double load_kg = 0.0;
};

struct Tonnes {  // kept in another unit
  double operator()(const Cart& cart) const { return cart.load_kg / 1000.0; }
  void set(Cart& cart, double load_t) const { cart.load_kg = 1000.0 * load_t; }
};

constexpr auto fields(const Cart*) {
  return record("Cart", "What rolls.",
                lifted(&Cart::left, required("name", &Wheel::name, "of the left wheel")),
                found(&Cart::left, required("radius_m", &Wheel::radius_m, "of its wheels", "m")),
                found<Cart>("load_t", Tonnes{}, "what it carries", "t"));
}

}  // namespace toy

TEST_CASE("what is found in a record is kept where it can be set", "[core]") {
  toy::Cart cart;
  cart.left.radius_m = 0.25;
  std::string told;
  fields_of<toy::Cart>().for_each([&](const auto& field) {
    told += std::string(field.name) + (field.kKept ? "! " : "? ");
    if constexpr (requires { field.set(cart, 2.0); }) field.set(cart, 2.0);
  });
  CHECK(told == "name! radius_m? load_t! ");
  CHECK(cart.load_kg == 2000.0);
  CHECK(cart.left.radius_m == 0.25);
  CHECK(std::get<1>(fields_of<toy::Cart>().fields).of(cart) == 0.25);
}
