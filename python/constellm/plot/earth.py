"""The Earth below satellites: its coasts, and lines on a map that ends at the date line."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.constants import EARTH_RADIUS_M
from ..orbit import Station, ecef_to_geodetic

_COASTLINE = Path(__file__).parent / "data" / "natural_earth" / "coastline.txt"
# Of a link: between satellites that see each other it spans some 45 degrees at most. An even number, since
# the middle of a line through the Earth's centre lies below no place.
_ARC_POINTS = 10
_CIRCLE_POINTS = 91


@lru_cache(maxsize=1)
def coastline() -> tuple[NDArray[np.float64], ...]:
    """Closed lines (points, 2): longitude and latitude in degrees; see data/natural_earth/SOURCE."""
    lines = _COASTLINE.read_text(encoding="ascii").splitlines()
    return tuple(np.array(line.split(), dtype=np.float64).reshape(-1, 2) / 10.0 for line in lines)


def shores() -> list[NDArray[np.float64]]:
    """The coasts as open lines, without the edges along the date line and the pole, where no water is."""
    found = []
    for line in coastline():
        start, end = line[:-1], line[1:]
        edge = (np.abs(start) == [180.0, 90.0]) & (start == end)
        cuts = np.flatnonzero(edge.any(axis=1))
        begins, ends = [0, *(cuts + 1)], [*(cuts + 1), len(line)]
        found += [line[a:b] for a, b in zip(begins, ends) if b - a > 1]
    return found


def on_map(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> list[NDArray[np.float64]]:
    """Lines (lines, points) as pieces (points, 2) for a map from -180 to 180 degrees.

    A line that crosses the date line goes on beyond the map's edge, where the axes cut it off, and a copy of
    it comes in at the other edge.
    """
    longitude = np.unwrap(np.atleast_2d(longitude_deg), period=360.0, axis=-1)
    latitude = np.atleast_2d(latitude_deg)
    if not longitude.size:
        return []
    first, last = (np.floor((end(longitude, axis=-1) + 180.0) / 360.0) for end in (np.min, np.max))
    pieces: list[NDArray[np.float64]] = []
    for turn in range(int(first.min()), int(last.max()) + 1):
        shown = (first <= turn) & (turn <= last)
        pieces += list(np.stack([longitude[shown] - 360.0 * turn, latitude[shown]], axis=-1))
    return pieces


def arcs(from_ecef_m: ArrayLike, to_ecef_m: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Below lines from place to place (lines, 3): longitude and latitude of points along them [deg]."""
    start, end = np.asarray(from_ecef_m, dtype=float), np.asarray(to_ecef_m, dtype=float)
    share = np.linspace(0.0, 1.0, _ARC_POINTS)[:, None]
    # On spheres about the centre: the inside of the Earth has no latitudes.
    chord = start[:, None] + share * (end - start)[:, None]
    radius, wanted = np.linalg.norm(chord, axis=-1), np.linalg.norm([start, end], axis=-1)
    height = wanted[0][:, None] + share[:, 0] * (wanted[1] - wanted[0])[:, None]
    latitude, longitude, _ = ecef_to_geodetic(chord * (height / radius)[..., None])
    return longitude, latitude


def sight_rad(station: Station, radius_m: float) -> float:
    """How far from a station satellites at a distance from the centre are seen, as an angle at the centre.

    ::

        acos(R cos e / r) - e   and, where there is a greatest range d,   acos((R² + r² - d²) / (2 R r))

    with R the Earth's equatorial radius: over a sphere, for the eye.
    """
    ratio = EARTH_RADIUS_M / radius_m
    elevation = np.radians(station.min_elevation_deg)
    angle = np.arccos(ratio * np.cos(elevation)) - elevation
    if station.max_range_m is not None:
        near = (1.0 + ratio**2 - (station.max_range_m / radius_m) ** 2) / (2.0 * ratio)
        angle = min(angle, np.arccos(np.clip(near, -1.0, 1.0)))
    return float(angle)


def circle(
    latitude_deg: float, longitude_deg: float, angle_rad: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of a closed circle about a place [deg]."""
    bearing = np.linspace(0.0, 2.0 * np.pi, _CIRCLE_POINTS)
    north = np.radians(latitude_deg)
    sine = np.sin(north) * np.cos(angle_rad) + np.cos(north) * np.sin(angle_rad) * np.cos(bearing)
    # Not divided by cos(north), which vanishes at the poles.
    east = np.arctan2(
        np.sin(bearing) * np.sin(angle_rad),
        np.cos(north) * np.cos(angle_rad) - np.sin(north) * np.sin(angle_rad) * np.cos(bearing),
    )
    return longitude_deg + np.degrees(east), np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
