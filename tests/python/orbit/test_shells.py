"""Shells: fields, what is refused, where the satellites are."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import constellm as clm
from constellm import orbit

SHELL = {"name": "s", "planes": 6, "satellites_per_plane": 11, "altitude_m": 780e3, "inclination_deg": 86.4}


def test_altitude_and_mean_motion_tell_each_other():
    shell = orbit.Shell(**SHELL)
    rev_per_day = 86400.0 / shell.period_s
    other = orbit.Shell(**{**SHELL, "altitude_m": None, "mean_motion_rev_per_day": rev_per_day})
    assert other.semi_major_axis_m == pytest.approx(6378137.0 + 780e3, rel=1e-14)
    assert orbit.Shell(**SHELL, mean_motion_rev_per_day=rev_per_day).semi_major_axis_m == 6378137.0 + 780e3
    # 15.055 revolutions a day are 550 km; Hypatia's 15.19 are 509.
    for told, altitude_km in ((15.055, 550), (15.19, 509)):
        found = orbit.Shell(**{**SHELL, "altitude_m": None, "mean_motion_rev_per_day": told})
        assert (found.semi_major_axis_m - 6378137.0) / 1e3 == pytest.approx(altitude_km, abs=1.5)
    assert pickle.loads(pickle.dumps(shell)) == shell == orbit.Shell(**shell.to_dict())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"mean_motion_rev_per_day": 15.19},
            "altitude_m: 780000 disagrees with mean_motion_rev_per_day 15.19",
        ),
        ({"altitude_m": None}, "altitude_m: missing; give it or mean_motion_rev_per_day"),
        ({"altitude_m": -1.0}, r"altitude_m: -1 is not in \[0, inf\)"),
        ({"altitude_m": math.nan}, "altitude_m: nan is not in"),
        ({"eccentricity": 0.2}, "eccentricity: 0.2 with a semi-major axis of 7158137 m puts the perigee"),
        ({"eccentricity": 1.0}, r"eccentricity: 1 is not in \[0, 1\)"),
        ({"planes": 0}, r"planes: 0 is not in \[1, 100000\]"),
        (
            {"planes": 1000, "satellites_per_plane": 1000},
            "1000 planes of 1000 are 1000000 satellites, .* 100000",
        ),
        ({"planes": 10**12}, r"planes: 1000000000000 is not in \[1, 100000\]"),
        ({"plane_phase_deg": [0.0, 1.0]}, "plane_phase_deg: 2 values for 6 planes"),
        ({"plane_phase_deg": [0.0] * 6, "phasing": 1.0}, "phasing: 1 beside plane_phase_deg"),
        ({"propagator": "kepler"}, "propagator: 'kepler' is not one of 'j2', 'two-body', 'sgp4'"),
        ({"name": ""}, "name: must not be empty"),
    ],
)
def test_what_is_no_shell_is_refused_by_name_and_value(changes, says):
    with pytest.raises(ValueError, match=says):
        orbit.Shell(**{**SHELL, **changes})


def test_satellites_stand_where_the_format_puts_them():
    shell = orbit.walker(
        "w",
        planes=5,
        satellites_per_plane=4,
        altitude_m=1e6,
        inclination_deg=50.0,
        phasing=2.0,
        raan0_deg=10.0,
    )
    elements = orbit.elements(shell)
    assert len(elements) == shell.satellites == 20 and shell.ids[6] == "w/1/2"
    plane, k = np.divmod(np.arange(20), 4)
    assert np.degrees(elements.raan_rad) == pytest.approx(10.0 + plane * 72.0)
    assert np.degrees(elements.mean_anomaly_rad) == pytest.approx(k * 90.0 + plane * 2.0 * 18.0)
    phases = [3.0, 1.0, 4.0, 1.0, 5.0]
    other = orbit.elements(shell.replace(phasing=0.0, plane_phase_deg=phases))
    assert np.degrees(other.mean_anomaly_rad) == pytest.approx(k * 90.0 + np.array(phases)[plane])


@pytest.mark.parametrize("phasing", range(5))
def test_phasing_closes_round_the_shell(phasing):
    """From the last plane to plane 0, F places on, ranges are those from any plane to the next."""
    shell = orbit.walker(
        "w", planes=5, satellites_per_plane=4, altitude_m=1e6, inclination_deg=50.0, phasing=float(phasing)
    )
    # Phases are multiples of a twentieth of a turn, so all satellites pass the same places.
    time_s = np.arange(20) * shell.period_s / 20
    position = orbit.propagate(shell, time_s, propagator="two-body").position_m.reshape(5, 4, 20, 3)
    ahead = np.concatenate([position[1:], np.roll(position[:1], -phasing, axis=1)])
    ranges = np.sort(np.linalg.norm(ahead - position, axis=-1), axis=-1)
    assert np.abs(ranges - ranges[0, 0]).max() < 1e-6


@pytest.mark.parametrize("name", orbit.PRESETS)
def test_presets_are_shells_with_a_source(name):
    shell, source = orbit.PRESETS[name]
    assert orbit.preset(name) == shell and shell.name == name and len(source) > 30
    assert orbit.preset(name, raan0_deg=5.0).raan0_deg == 5.0
    size = {"starlink-550": 1584, "kuiper-630": 1156, "telesat-1015": 351, "oneweb": 588, "iridium-next": 66}
    assert shell.satellites == {**size, "collaborative-12": 12, "space-xnet": 1056}[name]


def test_unknown_presets_and_kinds_are_refused():
    with pytest.raises(ValueError, match="preset: 'starlink' is not one of 'starlink-550'"):
        orbit.preset("starlink")
    with pytest.raises(ValueError, match="kind: 'rosette' is not one of 'delta', 'star'"):
        orbit.walker(
            "w", planes=1, satellites_per_plane=1, altitude_m=1e6, inclination_deg=0.0, kind="rosette"
        )


def test_the_ring_of_the_first_paper():
    position = orbit.propagate(orbit.preset("collaborative-12"), 0.0).position_m
    hop_m = np.linalg.norm(position - np.roll(position, 1, axis=0), axis=1)
    assert hop_m == pytest.approx(clm.network.ring_hop_m(12, altitude_m=500e3), rel=1e-13)
