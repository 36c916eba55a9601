"""Link budgets: published examples, closed forms in numpy, and rules of links that have one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from constellm import orbit

C, H, K = 299_792_458.0, 6.62607015e-34, 1.380649e-23

# Of the modes of DVB-S2X (ETSI EN 302 307-2 V1.1.1, table 20a) some that no other one betters: bits a symbol
# and ideal Es/N0 in dB.
MODES = """
0.434841 -2.85, 0.567805 -2.03, 0.889135 0.22, 1.088581 1.45, 1.322253 3.10, 1.487473 4.03, 1.713601 5.13,
1.972253 5.97, 2.193247 6.84, 2.524739 8.38, 2.745734 9.27, 3.077225 10.65, 3.510192 11.75, 3.841226 13.05,
4.206428 13.98, 4.338659 14.81, 4.603122 15.47, 4.933701 16.55, 5.241514 17.24, 5.593162 18.59, 5.900855 19.57
"""


def decibel(ratio):
    return 10 * np.log10(ratio)


def optical(budget, range_m):
    """Liang et al. (2022), as products."""
    tx_gain = 16 / budget.divergence_rad**2
    rx_gain = (np.pi * budget.rx_diameter_m / budget.wavelength_m) ** 2
    power_w = (
        budget.tx_power_w
        * budget.tx_efficiency
        * budget.rx_efficiency
        * tx_gain
        * np.exp(-tx_gain * budget.tx_pointing_rad**2)
        * rx_gain
        * np.exp(-rx_gain * budget.rx_pointing_rad**2)
        * (budget.wavelength_m / (4 * np.pi * range_m)) ** 2
        / 10 ** (budget.margin_db / 10)
    )
    rate_bps = power_w / (budget.photons_per_bit * H * C / budget.wavelength_m)
    return np.where(rate_bps < budget.min_rate_bps, 0.0, np.minimum(rate_bps, budget.max_rate_bps))


def ka_band(budget, range_m):
    snr_db = (
        budget.eirp_dbw
        + budget.g_over_t_db_per_k
        - 20 * np.log10(4 * np.pi * range_m * budget.frequency_hz / C)
        - budget.atmospheric_loss_db
        - budget.rain_loss_db
        - decibel(K * budget.bandwidth_hz)
    )
    bits = np.log2(1 + 10 ** ((snr_db - budget.implementation_loss_db) / 10))
    rate_bps = budget.bandwidth_hz * np.minimum(bits, budget.max_bps_per_hz)
    return np.where(rate_bps < budget.min_rate_bps, 0.0, rate_bps)


@pytest.mark.parametrize("seed", range(20))
def test_rates_are_those_of_the_formulas(seed):
    random = np.random.default_rng(seed)
    range_m = random.uniform(1e5, 5e7, (3, 40))
    laser = orbit.OpticalBudget(
        tx_power_w=random.uniform(0.01, 5),
        wavelength_m=random.uniform(8e-7, 1.6e-6),
        divergence_rad=random.uniform(5e-6, 1e-4),
        rx_diameter_m=random.uniform(0.02, 0.3),
        tx_efficiency=random.uniform(0.1, 1),
        rx_efficiency=random.uniform(0.1, 1),
        tx_pointing_rad=random.uniform(0, 5e-6),
        rx_pointing_rad=random.uniform(0, 5e-6),
        photons_per_bit=random.uniform(1, 500),
        margin_db=random.uniform(0, 10),
        max_rate_bps=random.uniform(1e9, 1e11),
        min_rate_bps=random.uniform(1e6, 1e9),
    )
    microwave = orbit.KaBandBudget(
        frequency_hz=random.uniform(17e9, 40e9),
        bandwidth_hz=random.uniform(1e7, 2e9),
        eirp_dbw=random.uniform(10, 70),
        g_over_t_db_per_k=random.uniform(-5, 40),
        atmospheric_loss_db=random.uniform(0, 3),
        rain_loss_db=random.uniform(0, 20),
        implementation_loss_db=random.uniform(0, 3),
        max_bps_per_hz=random.uniform(1, 6),
        min_rate_bps=random.uniform(1e6, 1e7),
    )
    for budget, formula in ((laser, optical), (microwave, ka_band)):
        found = budget.rate_bps(range_m)
        assert found.shape == range_m.shape
        np.testing.assert_allclose(found, formula(budget, range_m), rtol=1e-9)
        inside = range_m <= budget.max_range_m
        assert np.array_equal(found > 0, inside)


def test_a_laser_over_5000_km_needs_the_power_that_was_published():
    # Liang et al. (2022): -35.5 dBm at 10 Gbit/s with 3 dB in hand; the power that the link just closes with.
    needed_dbm = -35.5 + 3 - (
        2 * decibel(0.8) + decibel(16 / 15e-6**2) + decibel((np.pi * 0.08 / 1550e-9) ** 2)
        + 20 * np.log10(1550e-9 / (4 * np.pi * 5e6))
        - decibel(np.e) * 1e-12 * (16 / 15e-6**2 + (np.pi * 0.08 / 1550e-9) ** 2)
    )  # fmt: skip
    budget = orbit.OpticalBudget(tx_power_w=10 ** ((needed_dbm - 30) / 10), max_rate_bps=1e12)
    assert float(budget.rate_bps(5e6)) == pytest.approx(10e9, rel=1e-3)
    # On or off: one rate, and no link where the budget does not close.
    fixed = orbit.OpticalBudget(min_rate_bps=10e9)
    assert fixed.max_range_m == pytest.approx(5.42e6, rel=1e-2)
    assert fixed.rate_bps([1e6, 5.3e6, 5.6e6]).tolist() == [10e9, 10e9, 0.0]


def test_the_terms_add_up():
    range_m = np.array([1e6, 2e6])
    terms = orbit.OpticalBudget().terms(range_m)
    names = list(terms)
    parts = names[: names.index("rx_power_dbw")]
    np.testing.assert_allclose(terms["rx_power_dbw"], sum(terms[name] for name in parts), rtol=1e-12)
    assert all(values.shape == (2,) for values in terms.values())
    terms = orbit.KaBandBudget(rain_loss_db=4.0).terms(1.2e6)
    names = list(terms)
    parts = names[: names.index("snr_db")]
    assert float(terms["snr_db"]) == pytest.approx(float(sum(terms[name] for name in parts)))
    assert float(terms["rain_db"]) == -4.0


def test_the_best_modes_of_dvb_s2x_stay_within_the_implementation_loss():
    modes = [tuple(map(float, mode.split())) for mode in MODES.replace("\n", " ").split(",")]
    lost_db = [snr_db - decibel(2**bits - 1) for bits, snr_db in modes]
    default = orbit.KaBandBudget()
    assert max(lost_db) <= default.implementation_loss_db
    assert min(lost_db) > 0.5
    assert max(bits for bits, _ in modes) == default.max_bps_per_hz


def test_budgets_are_values():
    for made in (orbit.OpticalBudget(tx_power_w=0.5), orbit.KaBandBudget(rain_loss_db=3.0)):
        again = type(made)(**made.to_dict())
        assert made == again == pickle.loads(pickle.dumps(made)) == made.replace()
        assert made != type(made)()
    assert orbit.OpticalBudget() != orbit.KaBandBudget()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: orbit.OpticalBudget(tx_power_w=0.0), r"tx_power_w: 0 is not in \(0, inf\)"),
        (lambda: orbit.OpticalBudget(wavelength_m=1e-200), "wavelength_m: 1e-200, is a gain that no number"),
        (lambda: orbit.OpticalBudget(name="ka-band"), "name: 'ka-band' is not one of 'optical'"),
        (lambda: orbit.OpticalBudget(min_rate_bps=2e10), r"min_rate_bps: 2e\+10 is not in \(0, 1e\+10\]"),
        (lambda: orbit.KaBandBudget(rain_loss_db=-1.0), r"rain_loss_db: -1 is not in \[0, 300\]"),
        (lambda: orbit.KaBandBudget(eirp_dbm=60.0), "unknown key 'eirp_dbm'; did you mean 'eirp_dbw'"),
        (lambda: orbit.OpticalBudget().rate_bps([1e6, 0.0]), r"range_m: 0 is not in \(0, inf\)"),
        (lambda: orbit.OpticalBudget().terms(np.nan), r"range_m: nan is not in \(0, inf\)"),
        (lambda: orbit.OpticalBudget().rate_bps("far"), "range_m: expected numbers, got 'far'"),
        (
            lambda: orbit.plus_grid(rate_bps=1e9, budget=orbit.OpticalBudget()),
            r"rate_bps: 1e\+09 beside a budget",
        ),
        (
            lambda: orbit.plus_grid(budget=1e9),
            "budget: expected OpticalBudget or KaBandBudget, got 1000000000.0",
        ),
    ],
)
def test_what_is_no_budget_is_refused(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()


def test_links_have_the_rate_of_their_range():
    laser = orbit.OpticalBudget(max_rate_bps=1e12, min_rate_bps=2e10)
    microwave = orbit.KaBandBudget()
    world = orbit.Constellation(
        orbit.preset("iridium-next"),
        stations=orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.0),
        links=[orbit.plus_grid(budget=laser), orbit.ground(budget=microwave)],
        epoch="2026-03-01T12:00:00Z",
    )
    graph = world.at(100.0).graph
    range_m = graph.latency_s * C
    ground = (graph.from_ >= 66) | (graph.to >= 66)
    assert ground.any() and (~ground).any()
    np.testing.assert_allclose(graph.rate_bps[~ground], laser.rate_bps(range_m[~ground]), rtol=1e-9)
    np.testing.assert_allclose(graph.rate_bps[ground], microwave.rate_bps(range_m[ground]), rtol=1e-9)
    assert range_m[~ground].max() <= laser.max_range_m < 4.5e6
    # The least rate is a range limit, for windows too; a contact has the rate at its middle.
    limited = [
        orbit.plus_grid(max_range_m=laser.max_range_m),
        orbit.ground(max_range_m=min(microwave.max_range_m, 1e9)),
    ]
    same = world.replace(links=limited)
    windows, expected = world.windows(0.0, 3000.0), same.windows(0.0, 3000.0)
    for name in ("from_", "to", "rule", "open_s", "close_s", "range_m"):
        assert np.array_equal(getattr(windows, name), getattr(expected, name))
    for rule, budget in enumerate((laser, microwave)):
        of = windows.rule == rule
        np.testing.assert_allclose(windows.rate_bps[of], budget.rate_bps(windows.range_m[of]), rtol=1e-9)
    plan = world.contacts(0.0, 3000.0)
    assert np.array_equal(plan.rate_bps, windows.rate_bps)
    assert "optical budget" in world.summary()
