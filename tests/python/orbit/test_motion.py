"""Propagation against closed forms, an integrator and SGP4."""

from __future__ import annotations

import math

import numpy as np
import pytest

from constellm import orbit
from constellm.core.constants import CONSTANTS

MU = orbit.EARTH_MU_M3_PER_S2
J2, RADIUS_M = CONSTANTS["EARTH_J2"].value, CONSTANTS["EARTH_RADIUS_M"].value


def orbits(**changes):
    given = {
        "semi_major_axis_m": [7e6, 2.66e7],
        "eccentricity": [0.01, 0.7],
        "inclination_rad": [0.9, 1.1],
        "raan_rad": [1.0, 2.0],
        "argument_of_perigee_rad": [0.3, 4.0],
        "mean_anomaly_rad": [0.1, 0.2],
    }
    return orbit.Elements(**{**given, **changes})


def test_two_bodies_move_as_an_integrator_says():
    integrate = pytest.importorskip("scipy.integrate")
    time_s = np.linspace(0.0, 20000.0, 21)
    r, v, error = orbit.propagate(orbits(), time_s, propagator="two-body")
    assert error.shape == (2, 21) and not error.any()
    for s in range(2):
        found = integrate.solve_ivp(
            lambda _, y: np.concatenate([y[3:], -MU * y[:3] / np.linalg.norm(y[:3]) ** 3]),
            (0.0, 20000.0),
            np.concatenate([r[s, 0], v[s, 0]]),
            method="DOP853",
            t_eval=time_s,
            rtol=1e-13,
            atol=1e-6,
        )
        assert np.abs(found.y[:3].T - r[s]).max() < 0.05
        assert np.abs(found.y[3:].T - v[s]).max() < 1e-4


def test_secular_drift_is_that_of_the_oblate_earth_on_average():
    """Node, perigee and anomaly of an orbit under the acceleration of J2, averaged over revolutions."""
    integrate = pytest.importorskip("scipy.integrate")
    elements = orbits(
        semi_major_axis_m=[8e6], eccentricity=[0.1], inclination_rad=[0.9], raan_rad=[1.0],
        argument_of_perigee_rad=[0.3], mean_anomaly_rad=[0.0],
    )  # fmt: skip
    r, v, _ = orbit.propagate(elements, 0.0)

    def motion(_, y):
        x, z2 = y[:3], y[2] ** 2
        d = np.linalg.norm(x)
        factor = 1.5 * J2 * MU * RADIUS_M**2 / d**5
        bulge = factor * x * (5.0 * z2 / d**2 - np.array([1.0, 1.0, 3.0]))
        return np.concatenate([y[3:], -MU * x / d**3 + bulge])

    days = 86400.0 * 3
    found = integrate.solve_ivp(
        motion,
        (0, days),
        np.concatenate([r[0], v[0]]),
        method="DOP853",
        rtol=1e-11,
        t_eval=np.linspace(0, days, 4001),
    )
    osculating = orbit.elements_of_state(found.y[:3].T, found.y[3:].T)
    n, p = math.sqrt(MU / 8e6**3), 8e6 * 0.99
    k = 0.75 * n * J2 * (RADIUS_M / p) ** 2
    raan = np.polyfit(found.t, np.unwrap(osculating.raan_rad), 1)[0]
    perigee = np.polyfit(found.t, np.unwrap(osculating.argument_of_perigee_rad), 1)[0]
    assert raan == pytest.approx(-2.0 * k * math.cos(0.9), rel=5e-3)
    assert perigee == pytest.approx(k * (4.0 - 5.0 * math.sin(0.9) ** 2), rel=3e-2)
    drifted = orbit.elements_of_state(*(x[:, 0] for x in orbit.propagate(elements, [days])[:2]))
    assert math.remainder(
        drifted.raan_rad[0] - 1.0 + 2.0 * k * math.cos(0.9) * days, math.tau
    ) == pytest.approx(0.0, abs=1e-9)


def test_a_sun_synchronous_orbit_turns_once_a_year():
    shell = orbit.walker("s", planes=1, satellites_per_plane=1, altitude_m=650e3, inclination_deg=97.99)
    year_s = 365.2422 * 86400.0
    states = orbit.propagate(shell, [0.0, year_s / 4.0])
    raan = orbit.elements_of_state(states.position_m[0], states.velocity_m_per_s[0]).raan_rad
    assert math.degrees(raan[1] - raan[0]) == pytest.approx(90.0, abs=0.3)


def test_j2_stays_near_sgp4_for_a_day():
    api = pytest.importorskip("sgp4.api")
    shell = orbit.preset("starlink-550", planes=3, plane_phase_deg=None)
    elements, rad_per_min = orbit.elements(shell), math.tau / (shell.period_s / 60.0)
    time_s = np.linspace(0.0, 86400.0, 200)
    ours = orbit.propagate(shell, time_s).position_m
    worst = 0.0
    for s in (0, 30, 60):
        satellite = api.Satrec()
        satellite.sgp4init(
            api.WGS72, "i", s, 27000.0, 0.0, 0.0, 0.0, 1e-7, 0.0, float(elements.inclination_rad[s]),
            float(elements.mean_anomaly_rad[s]), rad_per_min, float(elements.raan_rad[s]),
        )  # fmt: skip
        # SGP4 takes Kozai's mean motion, which J2 is part of: along the orbit the two part by and by.
        error, position_km, _ = satellite.sgp4_array(
            np.full(200, satellite.jdsatepoch), satellite.jdsatepochF + time_s / 86400.0
        )
        assert not error.any()
        away = np.linalg.norm(1e3 * position_km - ours[s], axis=1)
        worst = max(worst, away[:10].max())
        # Planes stay together however far the satellites have run along them.
        normal = np.cross(ours[s][:-1], ours[s][1:])
        normal /= np.linalg.norm(normal, axis=1)[:, None]
        assert np.abs((1e3 * position_km[:-1] * normal).sum(axis=1)).max() < 20e3
    assert worst < 100e3


def test_the_velocity_is_nearly_the_derivative():
    elements = orbits()
    r, v, _ = orbit.propagate(elements, np.array([-0.5, 0.0, 0.5]) + 1000.0)
    derivative = r[:, 2] - r[:, 0]
    assert np.linalg.norm(derivative - v[:, 1], axis=1).max() < 30.0
    r, v, _ = orbit.propagate(elements, np.array([-0.5, 0.0, 0.5]) + 1000.0, propagator="two-body")
    assert np.linalg.norm(r[:, 2] - r[:, 0] - v[:, 1], axis=1).max() < 1e-3


def test_distances_are_symmetric_and_do_not_see_a_turn_of_the_whole():
    shell = orbit.preset("iridium-next")
    turned = shell.replace(raan0_deg=77.0)
    time_s = np.arange(0.0, 6000.0, 500.0)

    def distances(s):
        r = orbit.propagate(s, time_s).position_m
        return np.linalg.norm(r[:, None] - r[None], axis=-1)

    assert (distances(shell) == distances(shell).transpose(1, 0, 2)).all()
    assert distances(shell) == pytest.approx(distances(turned), abs=1e-6)


def test_shapes_follow_the_times():
    elements = orbits()
    assert orbit.propagate(elements, 5.0).position_m.shape == (2, 3)
    assert orbit.propagate(elements, [5.0]).velocity_m_per_s.shape == (2, 1, 3)
    assert orbit.propagate(elements, []).position_m.shape == (2, 0, 3)
    assert (orbit.propagate(elements, [5, 7])[0] == orbit.propagate(elements, [5.0, 7.0], threads=2)[0]).all()
    sets = orbit.sample_elements()[:2]
    assert orbit.propagate(sets, 5.0).position_m.shape == (2, 3)
    assert orbit.propagate(sets, [[5.0, 6.0]]).error.shape == (2, 1, 2)
    assert orbit.elements_of_state(np.empty((0, 3)), np.empty((0, 3))).semi_major_axis_m.shape == (0,)


def test_kepler_by_broadcasting():
    mean, e = np.linspace(-10.0, 10.0, 41)[:, None], np.array([0.0, 0.3, 0.9, 0.999])
    anomaly = orbit.eccentric_anomaly_rad(mean, e)
    assert anomaly.shape == (41, 4)
    assert anomaly - e * np.sin(anomaly) == pytest.approx(np.broadcast_to(mean, anomaly.shape), abs=1e-14)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: orbit.propagate(orbits(), [0.0, math.nan]), r"time_s\[1\]: nan is not in"),
        (
            lambda: orbit.propagate(orbit.sample_elements(), 0.0, propagator="j2"),
            "propagator: 'j2' is not 'sgp4', the one of element sets",
        ),
        (lambda: orbit.propagate(orbits(), 0.0, epoch=5), "epoch: expected an Epoch"),
        (lambda: orbit.propagate(orbits(), 0.0, propagator="J2"), "propagator: 'J2' is not one of"),
        (lambda: orbit.propagate([1.0], 0.0), "expected a Shell, Elements or ElementSets, got"),
        (lambda: orbit.propagate(orbits(), ["now"]), "time_s: expected numbers, got"),
        (lambda: orbits(eccentricity=[0.0, 1.0]), r"eccentricity\[1\]: 1 is not in \[0, 1\)"),
        (lambda: orbits(raan_rad=[0.0]), r"raan_rad: expected a scalar or shape \(2,\), got shape \(1,\)"),
        (lambda: orbits(inclination_rad=-0.1), r"inclination_rad\[0\]: -0.1 is not in \[0, pi\]"),
        (
            lambda: orbit.elements_of_state([[7e6, 0, 0]], [[0, 2e4, 0]]),
            r"\[0\]: 20000 m/s at 7e\+06 m .* no closed orbit",
        ),
        (lambda: orbit.elements_of_state([[7e6, 0, 0]], [[1e3, 0, 0]]), "no closed orbit"),
        (lambda: orbit.elements_of_state([7e6, 0], [0, 0]), r"expected shape \(..., 3\), got shape \(2,\)"),
        (lambda: orbit.eccentric_anomaly_rad(0.0, 1.0), r"eccentricity: 1 is not in \[0, 1\)"),
    ],
)
def test_wrong_calls_name_what_is_wrong(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()
