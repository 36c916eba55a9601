"""What stations see of satellites, and satellites of each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import orbit as _core
from ..core.constants import LIGHT_M_PER_S


class LookAngles(NamedTuple):
    """Satellites in the sky of stations; arrays (stations, satellites, times).

    Examples
    --------
    >>> from constellm import orbit
    >>> seen = orbit.look_angles(0.0, 0.0, 0.0, [[7e6, 0.0, 0.0], [7e6, 1e6, 0.0]])
    >>> (seen.elevation_deg > 25.0).tolist(), seen.azimuth_deg.tolist()
    ([True, True], [0.0, 90.0])
    """

    elevation_deg: NDArray[np.float64]
    """Above the plane that the ellipsoid's normal stands on, without refraction [deg]."""
    azimuth_deg: NDArray[np.float64]
    """From north over east, in [0, 360) [deg]."""
    range_m: NDArray[np.float64]
    """[m]"""
    range_rate_m_per_s: NDArray[np.float64] | None
    """Positive where it leaves; None without velocities [m/s]."""


def look_angles(
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    altitude_m: ArrayLike,
    position_ecef_m: ArrayLike,
    velocity_ecef_m_per_s: ArrayLike | None = None,
) -> LookAngles:
    """Elevation, azimuth and range of satellites from stations on the Earth.

    Parameters
    ----------
    latitude_deg, longitude_deg, altitude_m : array_like
        Of the stations, as in `geodetic_to_ecef`; broadcast.
    position_ecef_m : array_like, shape (..., 3)
        Of satellites, such as (satellites, times, 3) [m].
    velocity_ecef_m_per_s : array_like, optional
        Of the same shape [m/s].

    Returns
    -------
    LookAngles
        Arrays of the stations' shape, then the leading shape of the positions.

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit and figures out of their range.

    Examples
    --------
    >>> from constellm import orbit
    >>> above = orbit.geodetic_to_ecef(78.2, 15.4, 550e3)
    >>> seen = orbit.look_angles([78.2, 68.4], [15.4, 17.4], 0.0, above)
    >>> seen.elevation_deg.round(1).tolist(), (seen.range_m / 1e3).round().tolist()
    ([90.0, 20.7], [550.0, 1266.0])
    """
    latitude, longitude, altitude = np.broadcast_arrays(latitude_deg, longitude_deg, altitude_m)
    return LookAngles(
        *_core.look_angles(latitude, longitude, altitude, position_ecef_m, velocity_ecef_m_per_s)
    )


class LineOfSight(NamedTuple):
    """The straight line between two satellites.

    Examples
    --------
    >>> from constellm import orbit
    >>> ring = orbit.propagate(orbit.preset("collaborative-12"), 0.0).position_m
    >>> sight = orbit.line_of_sight(ring[0], ring[1:4])
    >>> (sight.grazing_altitude_m > 80e3).tolist()
    [True, False, False]
    """

    range_m: NDArray[np.float64]
    """[m]"""
    grazing_altitude_m: NDArray[np.float64]
    """Least height of the line between the two above the sphere of the Earth's equatorial radius [m]."""
    range_rate_m_per_s: NDArray[np.float64] | None
    """Positive where they part; None without velocities [m/s]."""
    angular_rate_rad_per_s: NDArray[np.float64] | None
    """How fast the line turns in the frame of the states; None without velocities [rad/s]."""


def line_of_sight(
    from_m: ArrayLike,
    to_m: ArrayLike,
    from_m_per_s: ArrayLike | None = None,
    to_m_per_s: ArrayLike | None = None,
) -> LineOfSight:
    """Range, grazing altitude and rates of lines between satellites.

    The frame is that of the states; angular rates that a terminal has to follow want the inertial TEME. The
    ellipsoid lies up to 21 km below the sphere, so the grazing altitude is never too large.

    Parameters
    ----------
    from_m, to_m : array_like, shape (..., 3)
        Positions; broadcast [m].
    from_m_per_s, to_m_per_s : array_like, optional
        Velocities; both or none [m/s].

    Returns
    -------
    LineOfSight
        Arrays of the leading shape.

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit, and for velocities of one side alone.

    Examples
    --------
    >>> from constellm import orbit
    >>> sight = orbit.line_of_sight([7e6, 0.0, 0.0], [0.0, 7e6, 0.0])
    >>> round(float(sight.range_m)), round(float(sight.grazing_altitude_m))
    (9899495, -1428390)
    """
    if (from_m_per_s is None) != (to_m_per_s is None):
        raise ValueError("to_m_per_s: velocities are given for both ends or for none")
    if from_m_per_s is None or to_m_per_s is None:
        start, end = np.broadcast_arrays(from_m, to_m)
        return LineOfSight(*_core.line_of_sight(start, end, None, None))
    start, end, start_speed, end_speed = np.broadcast_arrays(from_m, to_m, from_m_per_s, to_m_per_s)
    return LineOfSight(*_core.line_of_sight(start, end, start_speed, end_speed))


def doppler_hz(range_rate_m_per_s: ArrayLike, *, frequency_hz: ArrayLike) -> NDArray[np.float64]:
    """The shift of a carrier by the change of the range: -f v / c.

    To first order: relativity adds v² / 2c² of the frequency, 3e-10 in a low orbit.

    Parameters
    ----------
    range_rate_m_per_s : array_like
        Positive where the ends part [m/s].
    frequency_hz : array_like
        Of the carrier [Hz].

    Returns
    -------
    ndarray
        Positive where they come nearer [Hz].

    Examples
    --------
    >>> from constellm import orbit
    >>> round(float(orbit.doppler_hz(-7000.0, frequency_hz=20e9)))
    466990
    """
    rate, frequency = np.asarray(range_rate_m_per_s, dtype=float), np.asarray(frequency_hz, dtype=float)
    return np.asarray(-frequency * rate / LIGHT_M_PER_S)
