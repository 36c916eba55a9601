"""Mean elements of element sets, as J2 takes them."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import orbit


def sets_of(eccentricity, mean_motion_rev_per_day):
    return orbit.ElementSets(
        **{
            **vars(orbit.sample_elements()[: len(eccentricity)]),
            "eccentricity": eccentricity,
            "mean_motion_rev_per_day": mean_motion_rev_per_day,
        }
    )


def test_orbits_of_every_kind_have_an_axis() -> None:
    e, turns = [0.0, 0.0, 0.74, 0.0002], [17.0, 1.00273, 2.00561, 14.0]
    axis_km = orbit.elements(sets_of(e, turns)).semi_major_axis_m / 1e3
    two_body_km = (orbit.EARTH_MU_M3_PER_S2 * (86_400.0 / (2 * np.pi * np.array(turns))) ** 2) ** (
        1 / 3
    ) / 1e3
    assert axis_km == pytest.approx(two_body_km, rel=1e-3)


def test_elements_of_sets_drift_to_a_common_epoch() -> None:
    sets = orbit.sample_elements()[:5]
    assert len(np.unique(sets.epoch)) > 1
    first, later = orbit.elements(sets), orbit.elements(sets, epoch=orbit.Epoch(sets.epoch[0]) + 5000.0)
    there = orbit.propagate(first, 5000.0).position_m
    assert orbit.propagate(later, 0.0).position_m == pytest.approx(there, abs=1e-3)
    # Of the first set, at its own epoch: the anomaly moves by Kozai's mean motion.
    assert np.degrees(first.mean_anomaly_rad[0]) == pytest.approx(sets.mean_anomaly_deg[0])
    gone_deg = np.degrees(later.mean_anomaly_rad - first.mean_anomaly_rad)
    assert gone_deg == pytest.approx(sets.mean_motion_rev_per_day * 360.0 * 5000.0 / 86_400.0)


def test_the_axis_is_that_of_sgp4() -> None:
    """SGP4 takes Kozai's motion apart alike, to the second order of J2 and with its own constants."""
    api = pytest.importorskip("sgp4.api")
    sets = orbit.sample_elements()
    lines = orbit.format_elements(sets, "tle").splitlines()
    radii = [api.Satrec.twoline2rv(*lines[3 * i + 1 : 3 * i + 3]).a for i in range(len(sets))]
    assert orbit.elements(sets).semi_major_axis_m == pytest.approx(6_378_135.0 * np.array(radii), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: orbit.elements(orbit.sample_elements()[:0]), "satellites: no element sets"),
        (lambda: orbit.elements(orbit.sample_elements(), epoch="soon"), "epoch: 'soon'"),
        (
            lambda: orbit.elements(orbit.preset("iridium-next"), epoch="2024-01-13"),
            "epoch: for element sets alone, not for a shell, got '2024-01-13'",
        ),
        (
            lambda: orbit.elements(sets_of([0.0, 0.9999], [14.0, 1.0])),
            r"satellites\[1\]: eccentricity: 0.9999 at 1 turns a day passes too near",
        ),
        (lambda: orbit.elements("starlink"), "satellites: expected a Shell or ElementSets, got 'starlink'"),
    ],
)
def test_what_has_no_elements_is_refused(call, says) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        call()
