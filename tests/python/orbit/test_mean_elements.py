"""Mean elements of element sets, as J2 takes them."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import orbit


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
        (lambda: orbit.elements("starlink"), "satellites: expected a Shell or ElementSets, got 'starlink'"),
    ],
)
def test_what_has_no_elements_is_refused(call, says) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        call()
