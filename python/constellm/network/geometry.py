"""Lengths of a ring of satellites."""

from __future__ import annotations

import math

from ..core.checks import count, positive
from ..core.constants import EARTH_RADIUS_M
from ..core.deprecation import moved_names

__getattr__ = moved_names(__name__, {"LIGHT_M_PER_S": "constellm.network.LIGHT_M_PER_S"})


def ring_hop_m(satellites: int, *, altitude_m: float) -> float:
    """Distance between neighbours of a ring of evenly spaced satellites on one circular orbit.

    ::

        d = 2 (R + h) sin(π / n)

    with R the equatorial Earth radius [m], h the altitude [m], n the number of satellites; a chord,
    by elementary geometry. Divided by `LIGHT_M_PER_S` it is the propagation time of the link.

    Parameters
    ----------
    satellites : int
        At least 2.
    altitude_m : float
        Above the equator, > 0 [m].

    Returns
    -------
    float
        [m]

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or no number, or if the Earth stands between the neighbours.

    Examples
    --------
    >>> from constellm import network
    >>> round(network.ring_hop_m(12, altitude_m=500e3) / 1e3)  # km between neighbours of twelve at 500 km
    3560
    """
    satellites = count("satellites", satellites, least=2)
    altitude_m = positive("altitude_m", altitude_m)
    radius_m = EARTH_RADIUS_M + altitude_m
    if radius_m * math.cos(math.pi / satellites) <= EARTH_RADIUS_M:
        raise ValueError(
            f"satellites: {satellites} at {altitude_m} m do not see their neighbours past the Earth"
        )
    return 2.0 * radius_m * math.sin(math.pi / satellites)
