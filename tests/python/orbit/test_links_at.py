"""Links at instants and their windows, against numpy, look angles and SGP4."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import orbit
from constellm._core import orbit as _core

EPOCH = orbit.Epoch("2026-03-01T12:00:00Z")
RIDGE = _core.Station(id="ridge", latitude_deg=47.4, longitude_deg=11.0, altitude_m=2000.0)
SHELL = orbit.preset("starlink-550")


def rule(pattern, **changes):
    return _core.LinkRule(pattern=pattern, **changes)


def links_at(rules, time_s=0.0, *, shells=(SHELL,), stations=(), slot=0):
    parts = [orbit.propagate(shell, time_s) for shell in shells]
    position, velocity = (np.concatenate([part[i] for part in parts]) for i in range(2))
    gmst_rad = float(orbit.gmst_rad(EPOCH, time_s))
    return _core.links_at(rules, list(shells), list(stations), position, velocity, gmst_rad, slot)


def windows(rules, motions, *, shells=(), stations=(), start_s=0.0, stop_s=86400.0, threads=1):
    return _core.windows(rules, list(shells), list(stations), motions, EPOCH, start_s, stop_s, threads)


def test_a_grid_has_four_links_a_satellite():
    links = links_at([rule("plus-grid", shell="starlink-550", rate_bps=2.5e9)])
    assert len(links) == 4 * SHELL.satellites
    assert (np.bincount(links.from_) == 4).all() and (np.bincount(links.to) == 4).all()
    position = orbit.propagate(SHELL, 0.0).position_m
    range_m = np.linalg.norm(position[links.from_] - position[links.to], axis=1)
    np.testing.assert_allclose(links.range_m, range_m, rtol=1e-14)
    np.testing.assert_allclose(links.latency_s, range_m / 299792458.0, rtol=1e-14)
    assert (links.rate_bps == 2.5e9).all() and (links.rule == 0).all()
    assert not links.range_m.flags.writeable and links.from_.dtype == np.int32
    with pytest.raises(AttributeError):
        links.range_m = range_m


def test_the_ground_sees_what_look_angles_say():
    shells = [SHELL, orbit.preset("oneweb")]
    links = links_at([rule("ground", shell="oneweb")], 500.0, shells=shells, stations=[RIDGE])
    position = orbit.teme_to_ecef(orbit.propagate(shells[1], 500.0).position_m, epoch=EPOCH, time_s=500.0)
    seen = orbit.look_angles(47.4, 11.0, 2000.0, position)
    satellites = np.flatnonzero(seen.elevation_deg >= 25.0)
    assert len(satellites) > 2
    down = links.to == 1584 + 588
    assert links.from_[down].tolist() == (1584 + satellites).tolist()
    np.testing.assert_allclose(links.range_m[down], seen.range_m[satellites], rtol=1e-12)
    assert links.below_mask.tolist() == [588 - len(satellites)] and links.out_of_range.tolist() == [0]


def test_draws_are_those_of_their_slot():
    rules = [rule("plus-grid", shell="starlink-550", survival=0.5, seed=7)]
    once, again, other = (links_at(rules, slot=slot) for slot in (3, 3, 4))
    assert once.from_.tolist() == again.from_.tolist() != other.from_.tolist()
    assert abs(len(once) / (4 * SHELL.satellites) - 0.5) < 0.05


def test_pairs_in_sight_are_those_of_lines():
    position = orbit.propagate(orbit.preset("iridium-next"), 0.0).position_m
    a, b, range_m = _core.in_sight(position, None, 80e3)
    sight = orbit.line_of_sight(position[:, None], position[None, :])
    expected = np.argwhere(np.triu(sight.grazing_altitude_m >= 80e3, 1))
    assert np.column_stack([a, b]).tolist() == expected.tolist()
    np.testing.assert_allclose(range_m, sight.range_m[a, b], rtol=1e-14)
    assert len(_core.in_sight(position, 3e6, 80e3)[0]) == np.sum(range_m <= 3e6)


def test_windows_of_a_station_are_the_stretches_that_samples_see():
    satellites = orbit.Elements(
        semi_major_axis_m=[6928137.0, 7578137.0, 2.66e7],
        eccentricity=[0.0, 0.001, 0.7],
        inclination_rad=[0.925, 1.53, 1.107],
        mean_anomaly_rad=[0.0, 1.0, 2.0],
    )
    motion = _core.AnalyticMotion(satellites, "j2")
    found = windows([rule("ground")], [motion], stations=[RIDGE])
    time_s = np.arange(0.0, 86400.0, 2.0)
    position = orbit.teme_to_ecef(orbit.propagate(satellites, time_s).position_m, epoch=EPOCH, time_s=time_s)
    above = orbit.look_angles(47.4, 11.0, 2000.0, position).elevation_deg >= 25.0
    for satellite in range(3):
        mine = found.from_ == satellite
        opened = np.diff(above[satellite].astype(int), prepend=0) == 1
        assert mine.sum() == opened.sum() > 0
        wait_s = time_s[opened] - found.open_s[mine]
        assert (wait_s >= 0.0).all() and (wait_s <= 2.0).all()
        seen_s = found.close_s[mine] - found.open_s[mine]
        assert abs(seen_s.sum() - 2.0 * above[satellite].sum()) < 2.0 * mine.sum()


def test_windows_of_sgp4_are_met_to_a_millisecond():
    api = pytest.importorskip("sgp4.api")
    satellite = api.Satrec.twoline2rv(
        "1 25544U 98067A   19343.69339541  .00001764  00000-0  38792-4 0  9991",
        "2 25544  51.6439 211.2001 0007417  17.6667  85.6398 15.50103472202482",
    )
    day = satellite.jdsatepoch

    def states(time_s):
        fraction = satellite.jdsatepochF + np.asarray(time_s) / 86400.0
        error, position, velocity = satellite.sgp4_array(np.full(len(fraction), day), fraction)
        assert not error.any()
        return position * 1e3, velocity * 1e3

    step_s = 60.0
    position, velocity = states(step_s * np.arange(-4, 1445))
    motion = _core.SampledMotion(position[None], velocity[None], -4 * step_s, step_s)
    found = windows([rule("ground")], [motion], stations=[RIDGE.replace(min_elevation_deg=10.0)])
    down = found.from_ == 0
    assert down.sum() > 4
    for edges_s, sign in ((found.open_s[down], 1.0), (found.close_s[down], -1.0)):
        for offset_s, above in ((-1e-3, False), (1e-3, True)):
            time_s = edges_s + sign * offset_s
            ecef = orbit.teme_to_ecef(states(time_s)[0], epoch=EPOCH, time_s=time_s)
            elevation_deg = orbit.look_angles(47.4, 11.0, 2000.0, ecef).elevation_deg
            assert ((elevation_deg >= 10.0) == above).all()


def test_windows_do_not_depend_on_threads():
    motion = _core.AnalyticMotion(orbit.elements(orbit.preset("iridium-next")), "j2")
    rules = [rule("plus-grid", shell="iridium-next", max_latitude_deg=60.0), rule("ground")]
    one, two = (
        windows(
            rules, [motion], shells=[orbit.preset("iridium-next")], stations=[RIDGE], stop_s=7200.0, threads=n
        )
        for n in (1, 2)
    )
    assert len(one) > 300
    for name in ("from_", "to", "rule", "open_s", "close_s", "range_m", "rate_bps", "overhead_s"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()


STATES = np.ones((3, 3))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: rule("mesh"), ValueError, "pattern: 'mesh' is not one of 'plus-grid', 'ring', 'nearest'"),
        (lambda: rule("ground", seam="open"), ValueError, "seam: means nothing for the pattern 'ground'"),
        (
            lambda: rule("plus-grid", shell="s", seam="ajar"),
            ValueError,
            "seam: 'ajar' is not one of 'closed'",
        ),
        (lambda: rule("nearest", count=2.0), TypeError, "count: expected an integer"),
        (lambda: rule("nearest"), ValueError, "count: missing; the pattern 'nearest' needs it"),
        (lambda: rule("all", max_range_m=0.0), ValueError, r"max_range_m: 0 is not in \(0, inf\)"),
        (
            lambda: _core.links_at([], [], [], STATES[:, :2], STATES, 0.0, 0),
            ValueError,
            r"position_teme_m: expected shape \(satellites, 3\), got shape \(3, 2\)",
        ),
        (
            lambda: _core.links_at([], [], [], STATES, STATES[1:], 0.0, 0),
            ValueError,
            r"velocity_teme_m_per_s: shape \(2, 3\) beside position_teme_m of shape \(3, 3\)",
        ),
        (lambda: _core.links_at([], [], [], STATES, STATES, 0.0, -1), ValueError, "slot: -1 is not in"),
        (
            lambda: _core.links_at([3], [], [], STATES, STATES, 0.0, 0),
            TypeError,
            r"rules\[0\]: expected a Link",
        ),
        (lambda: windows([], [3]), TypeError, "motions: expected Motions, got 3"),
        (
            lambda: windows([rule("all", survival=0.5)], []),
            ValueError,
            r"links\[0\].survival: 0.5 is drawn for slots; windows need slot_s",
        ),
        (
            lambda: _core.links_at([rule("all", acquisition_s=2.0)], [], [], STATES, STATES, 0.0, 0),
            ValueError,
            r"links\[0\].acquisition_s: 2 asks for the motions before the instant",
        ),
        (lambda: _core.in_sight(STATES, -1.0, 0.0), ValueError, "max_range_m: -1 is not in"),
    ],
)
def test_what_is_wrong_is_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_rules_and_stations_are_values():
    made = rule("plus-grid", shell="s", seam="open", max_range_m=5e6)
    assert made.to_dict() == {
        "pattern": "plus-grid",
        "shell": "s",
        "seam": "open",
        "max_range_m": 5e6,
        "overhead_s": 0.0,
        "survival": 1.0,
        "seed": 0,
    }
    assert made.replace(seam=None).seam is None and made == rule(**made.to_dict())
    assert RIDGE.min_elevation_deg == 25.0 and _core.Station(**RIDGE.to_dict()) == RIDGE


def test_what_would_take_too_long_is_refused_at_once():
    with pytest.raises(ValueError, match=r"max_angular_rate_rad_per_s: 1e\+07 is not in \(0, 1e6\]"):
        orbit.nearest(4, max_angular_rate_rad_per_s=1e7)
    many = orbit.walker("many", planes=101, satellites_per_plane=100, altitude_m=1e6, inclination_deg=53)
    with pytest.raises(ValueError, match=r"links\[0\].count: 10100 nearest of each of 10100 satellites"):
        orbit.Constellation(many, links=orbit.nearest(10_100)).at(0.0)
    slow = orbit.nearest(4, acquisition_s=1e6)
    with pytest.raises(ValueError, match=r"links\[0\].pattern: 'nearest' of 1584 satellites over 1e\+06 s"):
        orbit.Constellation(orbit.preset("starlink-550"), links=slow).at(0.0)
