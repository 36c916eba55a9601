#include <cmath>
#include <map>
#include <string>

#include "catch.hpp"
#include "constellm/core/error.hpp"
#include "constellm/orbit/link_budget.hpp"
#include "orbit/world.hpp"

using namespace constellm;
using orbit::KaBandBudget;
using orbit::LinkRule;
using orbit::OpticalBudget;
using orbit::Pattern;

namespace {

template <class Budget>
std::map<std::string, double> terms_of(const Budget& budget, double range_m) {
  std::map<std::string, double> found;
  for (const orbit::Term& term : orbit::terms(budget, range_m)) found[term.name] = term.value;
  return found;
}

template <class Record>
std::string told(const Record& record) {
  try {
    orbit::validate(record, "");
  } catch (const core::InvalidInput& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("A laser's budget: Liang et al. (2022), by hand", "[orbit][budget]") {
  OpticalBudget budget;
  const auto terms = terms_of(budget, 5e6);
  CHECK(terms.at("tx_power_dbw") == 0.0);
  CHECK(terms.at("tx_gain_db") == Approx(108.519).margin(1e-3));       // 16 / (15e-6)^2 = 7.111e10
  CHECK(terms.at("rx_gain_db") == Approx(104.197).margin(1e-3));       // (pi 0.08 / 1550e-9)^2 = 2.629e10
  CHECK(terms.at("tx_pointing_db") == Approx(-0.30883).margin(1e-5));  // exp(-0.07111)
  CHECK(terms.at("rx_pointing_db") == Approx(-0.11418).margin(1e-5));  // exp(-0.02629)
  CHECK(terms.at("path_db") == Approx(-272.157).margin(1e-3));         // (1550e-9 / (4 pi 5e6))^2
  CHECK(terms.at("rx_power_dbw") == Approx(-64.802).margin(2e-3));
  // -35.5 dBm at 10 Gbit/s: 2.818e-17 J a bit, 219.9 photons of 1.2816e-19 J.
  CHECK(terms.at("bit_energy_dbj") == Approx(-65.5 - 100.0).margin(2e-3));
  CHECK(terms.at("capacity_bps") == Approx(std::pow(10.0, -6.4802 + 16.55)).epsilon(1e-3));
  CHECK(orbit::rate_bps(budget, 5e6) == 1e10);
  CHECK(orbit::rate_bps(budget, 1e7) == Approx(terms.at("capacity_bps") / 4.0).epsilon(1e-12));
  CHECK(orbit::rate_bps(budget, 0.0) == 1e10);
}

TEST_CASE("No more light arrives than was sent", "[orbit][budget]") {
  OpticalBudget budget;
  budget.max_rate_bps = 1e30;
  const auto far = terms_of(budget, 1e4);
  CHECK(far.at("near_field_db") == 0.0);
  const auto near = terms_of(budget, 100.0);
  const double lost_db = near.at("tx_optics_db") + near.at("tx_pointing_db") + near.at("rx_pointing_db") +
                         near.at("rx_optics_db") + near.at("margin_db");
  CHECK(near.at("rx_power_dbw") == Approx(near.at("tx_power_dbw") + lost_db).margin(1e-9));
  CHECK(orbit::rate_bps(budget, 1.0) == Approx(orbit::rate_bps(budget, 5e3)).epsilon(1e-12));
  // The beam is as wide as the telescope at 0.08 / 15e-6 m; beyond it the share falls with the square.
  const double share = std::pow(0.08 / 15e-6 / 1e4, 2);
  CHECK(orbit::rate_bps(budget, 1e4) == Approx(orbit::rate_bps(budget, 1.0) * share).epsilon(1e-12));
  budget.min_rate_bps = 1.01 * orbit::rate_bps(budget, 1.0);
  CHECK(orbit::max_range_m(budget) == 0.0);
  CHECK(orbit::rate_bps(budget, 1.0) == 0.0);
}

TEST_CASE("A microwave's budget: 3GPP TR 38.821, low orbit of 600 km, by hand", "[orbit][budget]") {
  const KaBandBudget budget;
  const auto terms = terms_of(budget, 1075e3);  // seen at 30 degrees
  CHECK(terms.at("path_db") == Approx(-179.1).margin(0.05));
  CHECK(terms.at("boltzmann_db") == Approx(228.6).margin(0.01));
  CHECK(terms.at("bandwidth_db") == Approx(-86.02).margin(0.01));
  CHECK(terms.at("snr_db") == Approx(8.5).margin(0.1));  // what the report has
  const double useful = std::pow(10.0, 0.1 * (terms.at("snr_db") - 2.0));
  CHECK(orbit::rate_bps(budget, 1075e3) == Approx(4e8 * std::log2(1.0 + useful)).epsilon(1e-12));
  CHECK(orbit::rate_bps(budget, 1.0) == Approx(5.900855 * 4e8).epsilon(1e-15));
}

TEST_CASE("Below the least rate there is no link, and at it the range is the greatest", "[orbit][budget]") {
  const auto check = [](auto budget) {
    for (const double least : {1e3, 1e6, 3e8, 1.2e9}) {
      budget.min_rate_bps = least;
      const double far_m = orbit::max_range_m(budget);
      CHECK(orbit::terms(budget, far_m).back().value == Approx(least).epsilon(1e-12));
      CHECK(orbit::rate_bps(budget, far_m) >= least);
      CHECK(orbit::rate_bps(budget, far_m * (1.0 + 1e-12)) == 0.0);
      CHECK(orbit::rate_bps(budget, std::nan("")) == 0.0);
    }
  };
  check(OpticalBudget{});
  check(KaBandBudget{});
  OpticalBudget weak;
  weak.tx_power_w = 1e-300;
  weak.margin_db = 300.0;
  CHECK(orbit::rate_bps(weak, 1e6) == 0.0);
  KaBandBudget strong;
  strong.eirp_dbw = strong.g_over_t_db_per_k = 300.0;
  CHECK(orbit::rate_bps(strong, 1e6) == Approx(5.900855 * 4e8));
  strong.min_rate_bps = 3e9;
  CHECK(told(strong) == "min_rate_bps: 3e+09 is not in (0, 2360342000], the modem's greatest");
  weak.min_rate_bps = 2e10;
  CHECK(told(weak) == "min_rate_bps: 2e+10 is not in (0, 1e+10], the modem's greatest");
  OpticalBudget narrow;
  narrow.divergence_rad = 1e-170;
  CHECK(told(narrow) ==
        "divergence_rad: 1e-170, or rx_diameter_m: 0.08 beside wavelength_m: 1.55e-06, is a gain that no "
        "number holds");
}

TEST_CASE("A rule has a rate or a budget, whose range limits its links", "[orbit][budget][links]") {
  const std::vector<orbit::Shell> shells{tests::shell("a", 6, 11, 780e3, 86.4)};
  const tests::Now now = tests::now(orbit::elements(shells[0]), 0.0);
  const orbit::Layout layout(shells, 66, 0);
  LinkRule rule = tests::rule(Pattern::plus_grid, "a");
  OpticalBudget budget;
  budget.max_rate_bps = 1e12;
  rule.budget = budget;
  CHECK(told(rule).empty());
  core::StopToken stop;
  const auto links_of = [&] {
    return orbit::links_at(layout, std::vector{rule}, {}, now.instant(0.0), stop);
  };
  const orbit::Links links = links_of();
  REQUIRE(links.from.size() > 200);
  for (std::size_t i = 0; i < links.from.size(); ++i) {
    REQUIRE(links.rate_bps[i] == orbit::rate_bps(budget, links.range_m[i]));
  }
  budget.min_rate_bps = orbit::rate_bps(budget, 4.1e6);
  rule.budget = budget;
  CHECK(orbit::longest_m(rule) == Approx(4.1e6));
  const orbit::Links fewer = links_of();
  LinkRule near = tests::rule(Pattern::plus_grid, "a");
  near.max_range_m = orbit::max_range_m(budget);
  const orbit::Links expected = orbit::links_at(layout, std::vector{near}, {}, now.instant(0.0), stop);
  CHECK(fewer.from == expected.from);
  CHECK((fewer.from.size() > 0 && fewer.from.size() < links.from.size()));
  rule.rate_bps = 1e9;
  CHECK(told(rule) == "rate_bps: 1e+09 beside a budget, which gives the rate; one of them is enough");
}
