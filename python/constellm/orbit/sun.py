"""The Sun, and the Earth's shadow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import orbit as _core


def sun_teme_m(epoch: Any, time_s: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Where the Sun is, to 0.01 degrees from 1950 to 2050.

    The low-precision formula of the Astronomical Almanac (page C5; Vallado, 4th ed., section 5.1.1).

    Parameters
    ----------
    epoch : Epoch, str, datetime or numpy.datetime64
    time_s : array_like
        Since the epoch [s].

    Returns
    -------
    ndarray, shape (*times, 3)
        In TEME [m].

    Examples
    --------
    >>> from constellm import orbit
    >>> sun = orbit.sun_teme_m("2026-06-21T08:25:00Z")  # the solstice
    >>> [round(float(x) / 1.496e11, 3) for x in sun]
    [-0.0, 0.932, 0.404]
    """
    return _core.sun_teme_m(epoch, time_s)


def sunlit_share(position_m: ArrayLike, sun_m: ArrayLike) -> NDArray[np.float64]:
    """The share of the Sun's disc that the Earth leaves in sight.

    For a spherical Earth of equatorial radius, without air (Montenbruck & Gill, Satellite Orbits, 2000,
    section 3.4.2). Power of solar cells goes by it; a satellite is in eclipse where it is below a half, say.

    Parameters
    ----------
    position_m : array_like, shape (..., 3)
        Of satellites [m].
    sun_m : array_like, shape (..., 3)
        In the same frame; (times, 3) of `sun_teme_m` goes with (satellites, times, 3). Broadcast [m].

    Returns
    -------
    ndarray
        0 in the umbra, 1 in full sunlight, of the leading shape.

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit.

    Examples
    --------
    >>> from constellm import orbit
    >>> orbit.sunlit_share([[7e6, 0.0, 0.0], [-7e6, 0.0, 0.0]], [1.5e11, 0.0, 0.0]).tolist()
    [1.0, 0.0]
    """
    position, sun = np.broadcast_arrays(position_m, sun_m)
    return _core.sunlit_share(position, sun)
