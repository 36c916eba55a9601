"""TEME, ECEF and places on the Earth.

TEME has z along the axis of the Earth and x to the mean equinox, as SGP4 has it; ECEF turns with the Earth by
the Greenwich mean sidereal time. UT1 = UTC, which are up to 0.9 s apart: 420 m on the equator. Polar motion,
some 15 m, is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import orbit as _core


def gmst_rad(epoch: Any, time_s: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Greenwich mean sidereal time: the angle from TEME's x to that of ECEF.

    Of 1982 (Aoki et al., Astronomy and Astrophysics 105, 359-361; Vallado, 4th ed., equation 3-45).

    Parameters
    ----------
    epoch : Epoch, str, datetime or numpy.datetime64
    time_s : array_like
        Since the epoch [s].

    Returns
    -------
    ndarray
        In [0, 2 pi), of the shape of `time_s` [rad].

    Examples
    --------
    >>> from constellm import orbit
    >>> round(float(orbit.gmst_rad("2000-01-01T12:00:00Z")), 9)
    4.894961213
    """
    return _core.gmst_rad(epoch, time_s)


def teme_to_ecef(position_teme_m: ArrayLike, *, epoch: Any, time_s: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Positions in the frame that turns with the Earth.

    Parameters
    ----------
    position_teme_m : array_like, shape (..., times, 3)
    epoch : Epoch, str, datetime or numpy.datetime64
    time_s : array_like, shape (times,), or a scalar for all positions
        Since the epoch [s].

    Returns
    -------
    ndarray
        Of the shape of the positions [m].

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.teme_to_ecef([7e6, 0.0, 0.0], epoch="2026-03-01").round(-3).tolist()
    [-6527000.0, -2530000.0, 0.0]
    """
    return _core.position_in(True, position_teme_m, epoch, time_s)


def ecef_to_teme(position_ecef_m: ArrayLike, *, epoch: Any, time_s: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Positions in TEME: the way back of `teme_to_ecef`.

    Parameters
    ----------
    position_ecef_m : array_like, shape (..., times, 3)
    epoch : Epoch, str, datetime or numpy.datetime64
    time_s : array_like, shape (times,), or a scalar for all positions
        Since the epoch [s].

    Returns
    -------
    ndarray
        Of the shape of the positions [m].

    Examples
    --------
    >>> from constellm import orbit
    >>> ecef_m = orbit.teme_to_ecef([7e6, 0.0, 0.0], epoch="2026-03-01")
    >>> (orbit.ecef_to_teme(ecef_m, epoch="2026-03-01").round(3) + 0.0).tolist()
    [7000000.0, 0.0, 0.0]
    """
    return _core.position_in(False, position_ecef_m, epoch, time_s)


def velocity_teme_to_ecef(
    position_teme_m: ArrayLike, velocity_teme_m_per_s: ArrayLike, *, epoch: Any, time_s: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Velocities as the turning Earth sees them: without omega × r.

    Parameters
    ----------
    position_teme_m, velocity_teme_m_per_s : array_like, shape (..., times, 3)
    epoch : Epoch, str, datetime or numpy.datetime64
    time_s : array_like, shape (times,), or a scalar for all
        Since the epoch [s].

    Returns
    -------
    ndarray
        The derivative of `teme_to_ecef` of the positions, of their shape [m/s].

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import orbit
    >>> states = orbit.propagate(orbit.preset("kuiper-630"), 0.0)
    >>> on_earth = orbit.velocity_teme_to_ecef(*states[:2], epoch="2026-03-01")
    >>> [round(float(np.linalg.norm(v[0]))) for v in (states.velocity_m_per_s, on_earth)]
    [7542, 7238]
    """
    return _core.velocity_in(True, position_teme_m, velocity_teme_m_per_s, epoch, time_s)


def velocity_ecef_to_teme(
    position_ecef_m: ArrayLike, velocity_ecef_m_per_s: ArrayLike, *, epoch: Any, time_s: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Velocities in TEME: the way back of `velocity_teme_to_ecef`.

    Parameters
    ----------
    position_ecef_m, velocity_ecef_m_per_s : array_like, shape (..., times, 3)
    epoch : Epoch, str, datetime or numpy.datetime64
    time_s : array_like, shape (times,), or a scalar for all
        Since the epoch [s].

    Returns
    -------
    ndarray
        Of the shape of the positions [m/s].

    Examples
    --------
    >>> from constellm import orbit
    >>> still = orbit.velocity_ecef_to_teme([6378137.0, 0.0, 0.0], [0.0, 0.0, 0.0], epoch="2026-03-01")
    >>> round(float((still**2).sum() ** 0.5))  # a place on the equator
    465
    """
    return _core.velocity_in(False, position_ecef_m, velocity_ecef_m_per_s, epoch, time_s)


def geodetic_to_ecef(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, altitude_m: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Places above the ellipsoid of WGS 84; the three are broadcast.

    Parameters
    ----------
    latitude_deg : array_like
        Geodetic, in [-90, 90] [deg].
    longitude_deg : array_like
        To the east, in [-360, 360] [deg].
    altitude_m : array_like
        Along the normal of the ellipsoid [m].

    Returns
    -------
    ndarray, shape (..., 3)
        [m]

    Raises
    ------
    ValueError, TypeError
        For a figure out of its range.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.geodetic_to_ecef(0.0, 90.0).round().tolist()
    [0.0, 6378137.0, 0.0]
    """
    latitude, longitude, altitude = np.broadcast_arrays(latitude_deg, longitude_deg, altitude_m)
    return _core.geodetic_to_ecef(latitude, longitude, altitude)


def ecef_to_geodetic(
    position_ecef_m: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Geodetic latitude, longitude and altitude over WGS 84, by Bowring's iteration to the last places.

    Parameters
    ----------
    position_ecef_m : array_like, shape (..., 3)
        At least 50 km from the Earth's centre, about which normals of the ellipsoid cross.

    Returns
    -------
    latitude_deg, longitude_deg, altitude_m : ndarray
        Of the leading shape. Longitudes lie in [-180, 180]; at the poles they are 0.

    Raises
    ------
    ValueError, TypeError
        For another shape, and for points too near the centre.

    Examples
    --------
    >>> from constellm import orbit
    >>> latitude_deg, longitude_deg, altitude_m = orbit.ecef_to_geodetic([0.0, 0.0, 6356752.314245])
    >>> float(latitude_deg), float(longitude_deg), abs(float(altitude_m)) < 1e-6
    (90.0, 0.0, True)
    """
    return _core.ecef_to_geodetic(position_ecef_m)
