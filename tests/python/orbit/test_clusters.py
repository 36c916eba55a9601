"""Clusters: the closed form of Hill, Clohessy and Wiltshire, distances under J2 and SGP4, links, files."""

from __future__ import annotations

import math

import numpy as np
import pytest

from constellm import orbit

EPOCH = "2026-03-20T12:00:00Z"


def places_of(sets: orbit.ElementSets) -> np.ndarray:
    """Of the satellites on the lattice, by their names."""
    return np.array([[int(word) for word in name.split("/")[1:]] for name in sets.name.tolist()])


def pairs_at(places: np.ndarray, least: float, most: float) -> np.ndarray:
    steps = np.linalg.norm(places[:, None] - places[None], axis=-1)
    return np.argwhere(np.triu((steps >= least) & (steps <= most), 1))


def relative(states: orbit.States, centre: int) -> np.ndarray:
    """Places along the radius, the motion and the normal of the centre's orbit (satellites, times, 3) [m]."""
    r, v = states.position_m[centre], states.velocity_m_per_s[centre]
    radial = r / np.linalg.norm(r, axis=-1, keepdims=True)
    normal = np.cross(r, v)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    axes = np.stack([radial, np.cross(normal, radial), normal], axis=-1)
    return np.einsum("stk,tkj->stj", states.position_m - r, axes)


def hill(n: float, t: np.ndarray, x: np.ndarray, y: np.ndarray, vx: np.ndarray, vy: np.ndarray) -> np.ndarray:
    """The solution in the plane for any start: Vallado, 4th ed., equation 6-66."""
    s, c = np.sin(n * t), np.cos(n * t)
    return np.stack(
        [
            (4 - 3 * c) * x + s / n * vx + 2 / n * (1 - c) * vy,
            6 * (s - n * t) * x + y - 2 / n * (1 - c) * vx + (4 * s - 3 * n * t) / n * vy,
        ],
        axis=-1,
    )


@pytest.fixture(scope="module")
def suncatcher() -> orbit.ElementSets:
    return orbit.cluster(epoch=EPOCH)


def test_it_is_the_cluster_of_the_study(suncatcher) -> None:
    places = places_of(suncatcher)
    assert len(suncatcher) == 81 and (np.hypot(*places.T) <= 5).all()
    assert suncatcher.ids[:2] == ("0", "1") and suncatcher.name[40] == "cluster/0/0"
    assert suncatcher.eccentricity[40] == 0.0
    for column in ("mean_motion_rev_per_day", "inclination_deg", "raan_deg"):
        assert len(np.unique(getattr(suncatcher, column))) == 1
    # At an equinox the Sun stands in the node of the equator: dawn and dusk are 90 degrees on.
    assert suncatcher.raan_deg[0] == pytest.approx(90.0, abs=0.5)


def test_two_bodies_move_as_the_closed_form_says() -> None:
    sets = orbit.cluster(epoch=EPOCH, argument_of_latitude_deg=37.0)
    places, axis_m = places_of(sets), 6_378_137.0 + 650e3
    elements = orbit.elements(sets).replace(semi_major_axis_m=np.full(81, axis_m))
    n = math.sqrt(orbit.EARTH_MU_M3_PER_S2 / axis_m**3)
    time_s = np.linspace(0.0, 2.0 * 2.0 * math.pi / n, 41)
    found = relative(orbit.propagate(elements, time_s, propagator="two-body"), 40)
    x, y = 100.0 * places[:, :1], 200.0 * places[:, 1:]
    expected = hill(n, time_s, x, y, n * y / 2, -2 * n * x)
    # Of second order: the square of the distance over the axis.
    assert np.abs(found[..., :2] - expected).max() < 1000.0**2 / axis_m
    assert np.abs(found[..., 2]).max() < 1e-6
    start = orbit.elements_of_state(*(values[:, 0] for values in orbit.propagate(elements, [0.0])[:2]))
    latitude_deg = np.degrees(start.argument_of_perigee_rad + start.mean_anomaly_rad) % 360
    assert latitude_deg == pytest.approx(37.0, abs=1e-8)


@pytest.mark.parametrize(("propagator", "room", "drift_m"), [("j2", 0.3, 1e-3), ("sgp4", 15.0, 2e-3)])
def test_distances_stay_between_their_bounds(suncatcher, propagator, room, drift_m) -> None:
    pytest.importorskip("sgp4")
    places, orbits = places_of(suncatcher), 5
    period_s = 86_400.0 / suncatcher.mean_motion_rev_per_day[0]
    time_s = np.arange(50 * orbits + 1) * period_s / 50
    satellites = suncatcher if propagator == "sgp4" else orbit.elements(suncatcher)
    position = orbit.propagate(satellites, time_s).position_m
    for steps in (1.0, math.sqrt(2.0)):
        a, b = pairs_at(places, steps - 0.01, steps + 0.01).T
        distance_m = np.linalg.norm(position[a] - position[b], axis=-1)
        assert 100.0 * steps - room < distance_m.min() < 100.0 * steps + room
        assert 200.0 * steps - room < distance_m.max() < 200.0 * steps + room
        apart = np.abs(distance_m[:, -1] - distance_m[:, 0]).max()
        assert apart < orbits * drift_m
    away_m = np.linalg.norm(position - position[40], axis=-1)
    assert away_m.max() < 1000.0 + room


def test_sgp4_keeps_it_in_a_plane_that_follows_the_sun(suncatcher) -> None:
    pytest.importorskip("sgp4")
    states = orbit.propagate(suncatcher, np.linspace(0.0, 6000.0, 50))
    assert np.abs(relative(states, 40)[..., 2]).max() < 0.3
    year = orbit.propagate(orbit.elements(suncatcher), [0.0, 365.2422 * 86_400.0])
    first, last = (
        orbit.elements_of_state(year.position_m[:, i], year.velocity_m_per_s[:, i]).raan_rad[0]
        for i in (0, 1)
    )
    assert math.remainder(last - first, math.tau) == pytest.approx(0.0, abs=math.radians(1.0))


def test_it_is_part_of_a_constellation(suncatcher, tmp_path) -> None:
    pytest.importorskip("sgp4")
    second = orbit.cluster(epoch=EPOCH, argument_of_latitude_deg=90.0, first_number=100, radius_m=400.0)
    made = orbit.Constellation(
        [suncatcher, second], links=[orbit.LinkRule(pattern="all", max_range_m=250.0)], epoch=EPOCH
    )
    graph = made.at(600.0).graph
    first = (graph.from_ < 81) & (graph.to < 81)
    assert len(second) == 13 and first.any() and (~first).any()
    assert not ((graph.from_ < 81) != (graph.to < 81)).any(), "clusters are far from each other"
    joined = set(zip(graph.from_.tolist(), graph.to.tolist()))
    # Up to 214 m under SGP4: neighbours on the lattice, at every time.
    assert all((a, b) in joined for a, b in pairs_at(places_of(suncatcher), 1, 1).tolist())
    assert made.routes("0", "80", [0.0, 900.0]).hops.min() >= 5
    assert len(orbit.Constellation(second, links=orbit.nearest(2)).at(0.0).graph.from_) > 0
    file = tmp_path / "cluster.json"
    orbit.write_elements(suncatcher, file)
    assert orbit.read_elements(file) == suncatcher


def test_sizes_and_numbers() -> None:
    sizes = [len(orbit.cluster(radius_m=200.0 * rings)) for rings in range(1, 8)]
    assert sizes == [5, 13, 29, 49, 81, 113, 149]  # of the places in a circle
    small = orbit.cluster(radius_m=100.0, inclination_deg=53.0, raan_deg=10.0, first_number=7, name="one")
    assert small.ids == ("7",) and small.name.tolist() == ["one/0/0"]
    assert small.inclination_deg == pytest.approx(53.0) and small.raan_deg == pytest.approx(10.0)


def test_planes_that_follow_the_sun() -> None:
    # Vallado, 4th ed., example 11-2 and table of altitudes: 97.4 degrees at 500 km, 98.6 at 800 km.
    assert orbit.sun_synchronous_deg(500e3) == pytest.approx(97.40, abs=0.01)
    assert orbit.sun_synchronous_deg(800e3) == pytest.approx(98.60, abs=0.01)
    assert 170.0 < orbit.sun_synchronous_deg(5.97e6) < 180.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"radius_m": 0.0}, r"radius_m: 0.0 is not in \(0, 100000\]"),
        ({"radius_m": 2e5}, r"radius_m: 200000.0 is not in \(0, 100000\]"),
        ({"spacing_m": -1.0}, r"spacing_m: -1.0 is not in \(0, inf\)"),
        ({"spacing_m": 1.0}, "spacing_m: 1 in a radius of 1000 m makes more than 100000 satellites"),
        ({"altitude_m": 6e6}, r"altitude_m: 6000000.0 is not in \(0, 5.97e\+06\]"),
        ({"altitude_m": -1.0}, r"altitude_m: -1.0 is not in \(0, inf\)"),
        ({"inclination_deg": 181.0}, r"inclination_deg: 181.0 is not in \[0, 180\]"),
        ({"raan_deg": "noon"}, "raan_deg: expected a number, got 'noon'"),
        ({"argument_of_latitude_deg": 361.0}, r"argument_of_latitude_deg: 361.0 is not in \[-360, 360\]"),
        ({"epoch": "soon"}, "epoch: 'soon'"),
        ({"first_number": -1}, r"first_number: -1 is not in \[0, inf\)"),
        ({"name": 5}, "name: expected a str, got 5"),
        ({"name": "a\n"}, r"name\[0\]: .* is not printable"),
    ],
)
def test_what_is_no_cluster_is_refused(changes, says) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        orbit.cluster(**changes)
