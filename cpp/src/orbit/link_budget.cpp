#include "constellm/orbit/link_budget.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "constellm/core/constants.hpp"
#include "constellm/core/error.hpp"

namespace constellm::orbit {
namespace {

double decibel(double ratio) { return 10.0 * std::log10(ratio); }

/// Of the path between isotropic antennas: (wavelength / 4 pi R)^2. Of less than a wavelength it says
/// nothing.
double path_db(double wavelength_m, double range_m) {
  return 2.0 * decibel(wavelength_m / (4.0 * std::numbers::pi * std::max(range_m, wavelength_m)));
}

double tx_gain(const OpticalBudget& budget) { return 16.0 / (budget.divergence_rad * budget.divergence_rad); }
double rx_gain(const OpticalBudget& budget) {
  const double of_circle = std::numbers::pi * budget.rx_diameter_m / budget.wavelength_m;
  return of_circle * of_circle;
}

/// Share of a beam that a telescope takes in, by the formula of the far field.
double share_db(const OpticalBudget& budget, double range_m) {
  return decibel(tx_gain(budget)) + path_db(budget.wavelength_m, range_m) + decibel(rx_gain(budget));
}

double carrier_wavelength_m(const KaBandBudget& budget) {
  return core::kLightSpeed.value / budget.frequency_hz;
}

double max_rate_bps(const OpticalBudget& budget) { return budget.max_rate_bps; }
double max_rate_bps(const KaBandBudget& budget) { return budget.max_bps_per_hz * budget.bandwidth_hz; }

template <class Budget>
void check(const Budget& budget, const core::Place& where) {
  core::check_ranges(budget, where);
  if (budget.min_rate_bps <= max_rate_bps(budget)) return;
  core::throw_out_of_range(where.text(), "min_rate_bps", budget.min_rate_bps,
                           "(0, " + core::to_text(max_rate_bps(budget)) + "], the modem's greatest");
}

double sum(const std::vector<Term>& terms) {
  double total = 0.0;
  for (const Term& term : terms) total += term.value;
  return total;
}

template <class Budget>
double limited(const Budget& budget, double range_m) {
  if (!(range_m <= max_range_m(budget))) return 0.0;
  return std::clamp(terms(budget, range_m).back().value, budget.min_rate_bps, max_rate_bps(budget));
}

}  // namespace

void validate(const OpticalBudget& budget, const core::Place& where) {
  check(budget, where);
  if (!std::isnan(max_range_m(budget))) return;
  throw core::InvalidInput(where.text() + "divergence_rad: " + core::to_text(budget.divergence_rad) +
                           ", or rx_diameter_m: " + core::to_text(budget.rx_diameter_m) +
                           " beside wavelength_m: " + core::to_text(budget.wavelength_m) +
                           ", is a gain that no number holds");
}
void validate(const KaBandBudget& budget, const core::Place& where) { check(budget, where); }

std::vector<Term> terms(const OpticalBudget& budget, double range_m) {
  const auto pointing_db = [](double gain, double error_rad) {
    return -10.0 * std::numbers::log10e * gain * error_rad * error_rad;
  };
  std::vector<Term> terms{{"tx_power_dbw", decibel(budget.tx_power_w)},
                          {"tx_optics_db", decibel(budget.tx_efficiency)},
                          {"tx_gain_db", decibel(tx_gain(budget))},
                          {"tx_pointing_db", pointing_db(tx_gain(budget), budget.tx_pointing_rad)},
                          {"path_db", path_db(budget.wavelength_m, range_m)},
                          {"rx_gain_db", decibel(rx_gain(budget))},
                          {"near_field_db", std::min(0.0, -share_db(budget, range_m))},
                          {"rx_pointing_db", pointing_db(rx_gain(budget), budget.rx_pointing_rad)},
                          {"rx_optics_db", decibel(budget.rx_efficiency)},
                          {"margin_db", -budget.margin_db}};
  const double rx_power_dbw = sum(terms);
  const double photon_j = core::kPlanck.value * core::kLightSpeed.value / budget.wavelength_m;
  const double bit_dbj = decibel(budget.photons_per_bit * photon_j);
  terms.push_back({"rx_power_dbw", rx_power_dbw});
  terms.push_back({"bit_energy_dbj", bit_dbj});
  terms.push_back({"capacity_bps", std::pow(10.0, 0.1 * (rx_power_dbw - bit_dbj))});
  return terms;
}

std::vector<Term> terms(const KaBandBudget& budget, double range_m) {
  std::vector<Term> terms{{"eirp_dbw", budget.eirp_dbw},
                          {"path_db", path_db(carrier_wavelength_m(budget), range_m)},
                          {"atmosphere_db", -budget.atmospheric_loss_db},
                          {"rain_db", -budget.rain_loss_db},
                          {"g_over_t_db_per_k", budget.g_over_t_db_per_k},
                          {"boltzmann_db", -decibel(core::kBoltzmann.value)},
                          {"bandwidth_db", -decibel(budget.bandwidth_hz)}};
  const double snr_db = sum(terms);
  const double useful = std::pow(10.0, 0.1 * (snr_db - budget.implementation_loss_db));
  terms.push_back({"snr_db", snr_db});
  terms.push_back({"implementation_db", -budget.implementation_loss_db});
  terms.push_back({"capacity_bps", budget.bandwidth_hz * std::numbers::log2e * std::log1p(useful)});
  return terms;
}

// In the far field both rates fall with the square of the range, the one itself, the other through its ratio
// of signal to noise.

double max_range_m(const OpticalBudget& budget) {
  // Up to `near_m` the rate is the same, of the whole beam.
  const double some_m = std::max(1.0, budget.wavelength_m);
  const double near_m =
      std::max(some_m * std::pow(10.0, 0.05 * share_db(budget, some_m)), budget.wavelength_m);
  const double most_bps = terms(budget, near_m).back().value;
  return budget.min_rate_bps > most_bps ? 0.0 : near_m * std::sqrt(most_bps / budget.min_rate_bps);
}

double max_range_m(const KaBandBudget& budget) {
  const std::vector<Term> near = terms(budget, 1.0);
  const double snr_db = near[near.size() - 3].value - budget.implementation_loss_db;
  const double needed = std::expm1(std::numbers::ln2 * budget.min_rate_bps / budget.bandwidth_hz);
  return std::sqrt(std::pow(10.0, 0.1 * snr_db) / needed);
}

double rate_bps(const OpticalBudget& budget, double range_m) { return limited(budget, range_m); }
double rate_bps(const KaBandBudget& budget, double range_m) { return limited(budget, range_m); }

}  // namespace constellm::orbit
