#pragma once
#include <array>
#include <string_view>
#include <variant>
#include <vector>

#include "constellm/core/fields.hpp"

// Link budgets: the rate of a link at a range, term by term. All terms are in dB; each direction of a link
// has the same.
namespace constellm::orbit {

/// A part of a budget, or what comes out: a gain is positive, a loss negative. The unit is in the name.
struct Term {
  const char* name;
  double value;
};

enum class OpticalName { optical };
constexpr std::array<std::string_view, 1> words(OpticalName) { return {"optical"}; }

/// A laser link between telescopes through free space.
struct OpticalBudget {
  OpticalName name = OpticalName::optical;
  double tx_power_w = 1.0;
  double wavelength_m = 1550e-9;
  double divergence_rad = 15e-6;
  double rx_diameter_m = 0.08;
  double tx_efficiency = 0.8;
  double rx_efficiency = 0.8;
  double tx_pointing_rad = 1e-6;
  double rx_pointing_rad = 1e-6;
  double photons_per_bit = 220.0;
  double margin_db = 3.0;
  double max_rate_bps = 10e9;
  double min_rate_bps = 1e6;

  bool operator==(const OpticalBudget&) const = default;
};

enum class KaBandName { ka_band };
constexpr std::array<std::string_view, 1> words(KaBandName) { return {"ka-band"}; }

/// A microwave link whose modem follows the ratio of signal to noise.
struct KaBandBudget {
  KaBandName name = KaBandName::ka_band;
  double frequency_hz = 20e9;
  double bandwidth_hz = 400e6;
  double eirp_dbw = 30.0;
  double g_over_t_db_per_k = 15.9;
  double atmospheric_loss_db = 0.8;
  double rain_loss_db = 0.0;
  double implementation_loss_db = 2.0;
  double max_bps_per_hz = 5.900855;
  double min_rate_bps = 1e6;

  bool operator==(const KaBandBudget&) const = default;
};

using LinkBudget = std::variant<OpticalBudget, KaBandBudget>;

inline constexpr core::Range kEfficiency{.least = 0.0, .most = 1.0, .without_least = true, .text = "(0, 1]"};
inline constexpr core::Range kBeam{.least = 0.0, .most = 3.0, .without_least = true, .text = "(0, 3]"};
inline constexpr core::Range kMispointing{.least = 0.0, .most = 3.0, .text = "[0, 3]"};
inline constexpr core::Range kLevel{.least = -300.0, .most = 300.0, .text = "[-300, 300]"};
inline constexpr core::Range kLoss{.least = 0.0, .most = 300.0, .text = "[0, 300]"};
inline constexpr core::Range kBitsPerSymbol{
    .least = 0.0, .most = 100.0, .without_least = true, .text = "(0, 100]"};

constexpr auto fields(const OpticalBudget*) {
  using core::kPositive;
  using core::optional;
  return core::record(
             "OpticalBudget",
             "Rate of a laser link between telescopes by its range R.\n\n"
             "The received power is that of Liang, Chaudhry, Erdogan and Yanikomeroglu, *Link budget "
             "analysis\n"
             "for free-space optical satellite networks* (WoWMoM 2022, arXiv 2204.13177):\n"
             "P = `tx_power_w` · `tx_efficiency` · Gt · Lt · (λ / 4πR)² · Gr · Lr · `rx_efficiency`, with "
             "the\n"
             "gains Gt = 16 / (`divergence_rad`)² and Gr = (π `rx_diameter_m` / λ)² and the pointing losses\n"
             "Lt = exp(-Gt (`tx_pointing_rad`)²) and Lr = exp(-Gr (`rx_pointing_rad`)²); `margin_db` is "
             "taken "
             "off.\n"
             "A bit needs `photons_per_bit` photons of h c / λ joules, so the rate is P divided by their "
             "energy,\n"
             "but at most `max_rate_bps`. Where it is below `min_rate_bps` there is no link; with both "
             "alike\n"
             "the modem has one rate, and a link exists where the budget closes. It holds in vacuum and in "
             "the\n"
             "far field, beyond some (`rx_diameter_m`)² / λ (4 km with the defaults); where it would have a "
             "telescope\n"
             "take in more than the whole beam, the whole beam arrives (`near_field_db` of the terms).\n\n"
             "Defaults are parameters of that paper: receiver sensitivity -35.5 dBm at 10 Gbit/s with "
             "on-off\n"
             "keying is 220 photons a bit. The transmitted power is an assumption: the paper derives it.",
             optional("name", &OpticalBudget::name, "'optical', as files call it"),
             optional("tx_power_w", &OpticalBudget::tx_power_w, "transmitted optical power", "W", kPositive),
             optional("wavelength_m", &OpticalBudget::wavelength_m, "of the laser, λ", "m", kPositive),
             optional("divergence_rad", &OpticalBudget::divergence_rad,
                      "full angle of the transmitted beam, taken as a cone", "rad", kBeam),
             optional("rx_diameter_m", &OpticalBudget::rx_diameter_m, "of the receiving telescope", "m",
                      kPositive),
             optional("tx_efficiency", &OpticalBudget::tx_efficiency,
                      "share of the power that passes the transmitting optics", "", kEfficiency),
             optional("rx_efficiency", &OpticalBudget::rx_efficiency,
                      "share of the power that passes the receiving optics", "", kEfficiency),
             optional("tx_pointing_rad", &OpticalBudget::tx_pointing_rad, "pointing error of the transmitter",
                      "rad", kMispointing),
             optional("rx_pointing_rad", &OpticalBudget::rx_pointing_rad, "pointing error of the receiver",
                      "rad", kMispointing),
             optional("photons_per_bit", &OpticalBudget::photons_per_bit, "sensitivity of the receiver", "",
                      kPositive),
             optional("margin_db", &OpticalBudget::margin_db, "power kept in hand", "dB", kLoss),
             optional("max_rate_bps", &OpticalBudget::max_rate_bps, "greatest rate of the modem", "bit/s",
                      kPositive),
             optional("min_rate_bps", &OpticalBudget::min_rate_bps,
                      "least rate of the modem, at most the greatest; with less there is no link", "bit/s",
                      kPositive))
      .with_example("clm.orbit.OpticalBudget(tx_power_w=0.5, max_rate_bps=2.5e9)");
}

constexpr auto fields(const KaBandBudget*) {
  using core::kPositive;
  using core::optional;
  return core::record(
             "KaBandBudget",
             "Rate of a microwave link by its range R.\n\n"
             "The ratio of signal to noise in dB is, as in 3GPP TR 38.821 (V16.2.0), section 6.1.3,\n"
             "`eirp_dbw` + `g_over_t_db_per_k` - 20 lg(4πR f / c) - `atmospheric_loss_db` - `rain_loss_db`\n"
             "- 10 lg k - 10 lg `bandwidth_hz`, k Boltzmann's constant. The rate is Shannon's for\n"
             "`implementation_loss_db` less: `bandwidth_hz` · lb(1 + SNR), at most `max_bps_per_hz` ·\n"
             "`bandwidth_hz`. Where it is below `min_rate_bps` there is no link. The losses in the air do "
             "not\n"
             "follow the elevation; of a wet climate, give the rain that a share of time exceeds (ITU-R "
             "P.618).\n\n"
             "Defaults are the down link to a terminal of 60 cm from 600 km in that report (set 1, clear "
             "sky:\n"
             "EIRP 4 dBW/MHz, gases 0.5 dB, scintillation 0.3 dB), and the greatest efficiency of DVB-S2X\n"
             "(ETSI EN 302 307-2, 256APSK 3/4), whose best modes stay within 2 dB of Shannon's limit.",
             optional("name", &KaBandBudget::name, "'ka-band', as files call it"),
             optional("frequency_hz", &KaBandBudget::frequency_hz, "of the carrier, f", "Hz", kPositive),
             optional("bandwidth_hz", &KaBandBudget::bandwidth_hz,
                      "of the noise, which is the rate of symbols", "Hz", kPositive),
             optional("eirp_dbw", &KaBandBudget::eirp_dbw,
                      "equivalent isotropically radiated power of the transmitter", "dBW", kLevel),
             optional("g_over_t_db_per_k", &KaBandBudget::g_over_t_db_per_k,
                      "gain of the receiving antenna over its noise temperature", "dB/K", kLevel),
             optional("atmospheric_loss_db", &KaBandBudget::atmospheric_loss_db, "gases and scintillation",
                      "dB", kLoss),
             optional("rain_loss_db", &KaBandBudget::rain_loss_db, "rain and clouds", "dB", kLoss),
             optional("implementation_loss_db", &KaBandBudget::implementation_loss_db,
                      "of the modem and its code against Shannon's limit", "dB", kLoss),
             optional("max_bps_per_hz", &KaBandBudget::max_bps_per_hz, "greatest efficiency of the modem",
                      "bit/s/Hz", kBitsPerSymbol),
             optional("min_rate_bps", &KaBandBudget::min_rate_bps,
                      "least rate of the modem, at most its greatest; with less there is no link", "bit/s",
                      kPositive))
      .with_example("clm.orbit.KaBandBudget(rain_loss_db=6.0)");
}

/// Also refuses a least rate above the greatest, and gains that overflow.
void validate(const OpticalBudget& budget, const core::Place& where);
void validate(const KaBandBudget& budget, const core::Place& where);

/// The budget at a range, in the order of the signal; behind the sums what they carry, `capacity_bps`.
std::vector<Term> terms(const OpticalBudget& budget, double range_m);
std::vector<Term> terms(const KaBandBudget& budget, double range_m);

/// The greatest range at which there is a link; 0 where there is none at any, infinite where no number holds
/// it.
double max_range_m(const OpticalBudget& budget);
double max_range_m(const KaBandBudget& budget);

/// Within the modem's least and greatest rate up to max_range_m, and 0 beyond: no link.
double rate_bps(const OpticalBudget& budget, double range_m);
double rate_bps(const KaBandBudget& budget, double range_m);

}  // namespace constellm::orbit
