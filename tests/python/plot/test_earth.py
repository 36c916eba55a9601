"""Coasts as they are shipped, and lines on a map that ends at the date line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from constellm import orbit, plot
from constellm.plot import earth

DATA = Path(plot.__file__).parent / "data" / "natural_earth"


def test_coasts_are_small_closed_and_on_the_earth():
    assert (DATA / "coastline.txt").stat().st_size < 12_000
    assert "public domain" in (DATA / "LICENSE").read_text(encoding="utf-8")
    assert "naturalearthdata.com" in (DATA / "SOURCE").read_text(encoding="utf-8")
    lines = earth.coastline()
    assert len(lines) == 96 and sum(map(len, lines)) == 1201
    for line in lines:
        assert (line[0] == line[-1]).all() and (np.abs(line) <= [180.0, 90.0]).all()


@pytest.mark.parametrize(
    ("longitude", "latitude", "land"),
    [
        (11.6, 48.1, True), (-100.0, 40.0, True), (134.0, -25.0, True), (0.0, -85.0, True),
        (-42.0, 72.0, True),
        (-30.0, 30.0, False), (-150.0, 0.0, False), (75.0, -30.0, False), (50.5, 41.0, False),
        (0.0, 85.0, False),
    ],
)  # fmt: skip
def test_land_is_inside(longitude, latitude, land):
    crossings = 0
    for line in earth.coastline():
        (x, y), (u, v) = line[:-1].T, line[1:].T
        over = (y > latitude) != (v > latitude)
        at = x + (latitude - y) / np.where(over, v - y, 1.0) * (u - x)
        crossings += np.count_nonzero(over & (at > longitude))
    assert crossings % 2 == land


def test_shores_leave_the_edges_of_the_map_out():
    for line in earth.shores():
        start, end = line[:-1], line[1:]
        assert not ((np.abs(start) == [180.0, 90.0]) & (start == end)).any()
    edges = sum(len(line) - 1 for line in earth.coastline())
    assert 0 < edges - sum(len(line) - 1 for line in earth.shores()) < 30


def test_a_line_over_the_date_line_is_drawn_at_both_edges():
    pieces = earth.on_map([[170.0, -170.0], [0.0, 10.0]], [[1.0, 2.0], [3.0, 4.0]])
    drawn = sorted(piece.tolist() for piece in pieces)
    assert drawn == [[[-190.0, 1.0], [-170.0, 2.0]], [[0.0, 3.0], [10.0, 4.0]], [[170.0, 1.0], [190.0, 2.0]]]
    assert earth.on_map(np.empty((0, 9)), np.empty((0, 9))) == []


def test_every_turn_of_a_long_track_comes_in_again():
    longitude = np.arange(0.0, -1000.0, -5.0)
    pieces = earth.on_map((longitude + 180.0) % 360.0 - 180.0, np.zeros_like(longitude))
    assert len(pieces) == 4
    shown = np.concatenate([piece[np.abs(piece[:, 0]) < 180.0, 0] for piece in pieces])
    inside = (longitude + 180.0) % 360.0 - 180.0
    assert np.allclose(np.sort(shown), np.sort(inside[np.abs(inside) < 180.0]))


def test_arcs_follow_great_circles():
    start, end = (orbit.geodetic_to_ecef(0.0, at, 550e3) for at in (-20.0, 20.0))
    longitude, latitude = earth.arcs([start], [end])
    assert np.allclose(latitude, 0.0) and longitude[0, [0, -1]] == pytest.approx([-20.0, 20.0])
    assert longitude[0] == pytest.approx(-longitude[0, ::-1]) and np.diff(longitude).min() > 3.0
    north = orbit.geodetic_to_ecef(60.0, [-60.0, 60.0], 0.0)
    assert 73.0 < earth.arcs(north[:1], north[1:])[1].max() < 74.0


def test_a_line_through_the_centre_has_places_below():
    ends = np.array([[7e6, 0.0, 0.0], [-7e6, 0.0, 0.0]])
    longitude, latitude = earth.arcs(ends[:1], ends[1:])
    assert np.allclose(latitude, 0.0) and set(np.abs(longitude[0]).round(9)) == {0.0, 180.0}


@pytest.mark.parametrize("max_range_m", [None, 1.2e6])
def test_circles_hold_what_stations_see(max_range_m):
    site = orbit.station("x", 48.1, 11.6, min_elevation_deg=20.0, max_range_m=max_range_m)
    world = orbit.Constellation(orbit.preset("starlink-550"), stations=site, links=orbit.ground())
    position = world.states(0.0, frame="ecef").position_m
    radius_m = np.linalg.norm(position, axis=1)
    angle = earth.sight_rad(site, float(np.median(radius_m)))
    place = orbit.geodetic_to_ecef(48.1, 11.6, 0.0)
    apart = np.arccos(position @ place / radius_m / np.linalg.norm(place))
    graph = world.at(0.0).graph
    seen = np.zeros(len(position), dtype=bool)
    seen[graph.from_[graph.to == len(position)]] = True
    close = np.abs(apart - angle) < np.radians(0.25)  # the Earth is no sphere
    assert seen.sum() > 3 and ((apart < angle) == seen)[~close].all()


@pytest.mark.parametrize("north_deg", [90.0, -90.0])
def test_a_circle_about_a_pole_goes_round(north_deg):
    longitude, latitude = earth.circle(north_deg, 30.0, 0.3)
    assert np.allclose(latitude, np.sign(north_deg) * (90.0 - np.degrees(0.3)))
    steps = np.diff(np.unwrap(longitude, period=360.0))
    assert np.allclose(np.abs(steps), 4.0) and abs(steps.sum()) == pytest.approx(360.0)


@pytest.mark.parametrize("north_deg", [60.0, -85.0, 0.0])
def test_a_circle_is_round(north_deg):
    longitude, latitude = earth.circle(north_deg, 170.0, 0.3)
    a, b = orbit.geodetic_to_ecef(latitude, longitude, 0.0), orbit.geodetic_to_ecef(north_deg, 170.0, 0.0)
    apart = np.arccos(a @ b / np.linalg.norm(a, axis=1) / np.linalg.norm(b))
    assert apart == pytest.approx(0.3, abs=2.5e-3)
    assert np.allclose([longitude[0] % 360.0, latitude[0]], [longitude[-1] % 360.0, latitude[-1]])
