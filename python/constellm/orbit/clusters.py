"""Satellites that fly together, within a kilometre or so, and planes that follow the Sun."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._core.orbit import Elements
from ..core.checks import count, instance, positive, real
from ..core.constants import EARTH_J2, EARTH_MU_M3_PER_S2, EARTH_RADIUS_M
from ..core.epoch import Epoch
from .constellation_parts import MOST_SATELLITES
from .element_sets import ElementSets
from .motion import DEFAULT_EPOCH, mean_element_sets
from .sun import sun_teme_m

_TROPICAL_YEAR_S = 365.2422 * 86_400.0
_MOST_RADIUS_M = 100e3  # where the second order, e times the radius, is still below a hundredth of it


def sun_synchronous_deg(altitude_m: float) -> float:
    """The inclination of circular orbits whose plane turns with the Sun, once a year.

    ::

        cos i = -2 / (3 J2) (a / R)^2 w / n,  w = 2 pi / 365.2422 days,  n = sqrt(mu / a^3)

    from the secular drift of the node under J2 (Vallado, 4th ed., equation 9-38).

    Parameters
    ----------
    altitude_m : float
        Above the equatorial radius, in (0, 5.97e6]: higher up J2 turns no plane so fast [m].

    Returns
    -------
    float
        [deg]

    Raises
    ------
    ValueError, TypeError
        For an altitude out of range.

    Examples
    --------
    >>> from constellm import orbit
    >>> round(orbit.sun_synchronous_deg(650e3), 2)
    97.99
    """
    axis_m = EARTH_RADIUS_M + positive("altitude_m", altitude_m, most=5.97e6)
    motion_rad_per_s = math.sqrt(EARTH_MU_M3_PER_S2 / axis_m**3)
    turn_rad_per_s = 2.0 * math.pi / _TROPICAL_YEAR_S
    cosine = -2.0 / (3.0 * EARTH_J2) * (axis_m / EARTH_RADIUS_M) ** 2 * turn_rad_per_s / motion_rad_per_s
    return math.degrees(math.acos(cosine))


def cluster(
    *,
    radius_m: float = 1000.0,
    spacing_m: float = 100.0,
    altitude_m: float = 650e3,
    inclination_deg: float | None = None,
    raan_deg: float | None = None,
    argument_of_latitude_deg: float = 0.0,
    epoch: Any = DEFAULT_EPOCH,
    first_number: int = 0,
    name: str = "cluster",
) -> ElementSets:
    """Satellites on a lattice in one orbital plane that stays together without thrust.

    The defaults are the cluster of Google's Suncatcher study (arXiv 2511.19468): 81 satellites in a radius of
    1 km, whose neighbours are 100 to 200 m apart, at 650 km in a Sun-synchronous plane of dawn and dusk. Its
    lattice, of 100 m along the radius by 200 m along the orbit and of all places in a circle of five steps,
    is inferred from these figures. It is no `Shell`: the satellites differ in eccentricity, perigee and mean
    anomaly alone.

    About the centre each runs through an ellipse of 2 to 1, once an orbit (Hill, Clohessy and Wiltshire;
    Vallado, 4th ed., section 6.8). With n t from `epoch` on, x along the radius and y along the motion ::

        x = s (i cos n t + j sin n t),   y = 2 s (j cos n t - i sin n t)

    so that two satellites d steps apart are between s d and 2 s d from each other. In elements, of a common
    axis, inclination and node: e = sqrt(x^2 + (y/2)^2) / a, M = atan2(y/2, -x), perigee = u - M. Left out is
    the second order, e times the radius: 7 cm. Equal axes and inclinations drift alike under J2. SGP4 adds
    the terms of short period, which make 93 to 214 m of the 100 to 200, and no drift beyond 2 mm an orbit.
    Drag, which parts unlike satellites, is left out.

    Parameters
    ----------
    radius_m : float
        Half of the length along the motion that no satellite leaves, in (0, 100 km] [m].
    spacing_m : float
        The step s, the least distance of two satellites [m].
    altitude_m : float
        Of the centre above the equatorial radius, as that of a `Shell` [m].
    inclination_deg : float, optional
        Default: Sun-synchronous, as of `sun_synchronous_deg`.
    raan_deg : float, optional
        Default: the centre passes the ascending node at 18 h of local solar time, so that day and night meet
        below the orbit.
    argument_of_latitude_deg : float
        Where the centre is at `epoch`, from the node along the orbit.
    epoch : Epoch, str, datetime or numpy.datetime64
        Moment of the elements.
    first_number : int
        Catalogue numbers, which are the ids, count from it on.
    name : str
        The satellites are called ``<name>/<i>/<j>`` by their places.

    Returns
    -------
    ElementSets
        In the order of i, then of j. OMM files carry them; the columns of a TLE are too short.

    Raises
    ------
    ValueError, TypeError
        For what is out of range, and for more than 100,000 satellites.

    Examples
    --------
    >>> from constellm import orbit
    >>> sets = orbit.cluster(epoch="2026-03-20T12:00:00Z")
    >>> sets, str(sets.name[0]), float(sets.inclination_deg[0].round(2))
    (ElementSets(81 satellites, epoch 2026-03-20T12:00:00Z), 'cluster/-5/0', 97.99)
    >>> near = orbit.LinkRule(pattern="all", max_range_m=250.0)
    >>> orbit.Constellation(sets, links=near).at(0.0).graph
    Graph(81 nodes, 666 links)
    """
    radius = positive("radius_m", radius_m, most=_MOST_RADIUS_M)
    step = positive("spacing_m", spacing_m)
    rings = radius / (2.0 * step) * (1.0 + 1e-12)
    if math.pi * rings**2 > MOST_SATELLITES:
        raise ValueError(
            f"spacing_m: {step:g} in a radius of {radius:g} m makes more than {MOST_SATELLITES} satellites"
        )
    whole = np.arange(-int(rings), int(rings) + 1)
    i, j = (places.ravel() for places in np.meshgrid(whole, whole, indexing="ij"))
    inside = i**2 + j**2 <= rings**2
    i, j = i[inside], j[inside]
    start = Epoch(epoch)
    axis_m = EARTH_RADIUS_M + positive("altitude_m", altitude_m)
    if inclination_deg is None:
        inclination_deg = sun_synchronous_deg(altitude_m)
    if raan_deg is None:
        sun = sun_teme_m(start)
        raan_deg = math.degrees(math.atan2(sun[1], sun[0])) + 90.0
    latitude_deg = real("argument_of_latitude_deg", argument_of_latitude_deg, least=-360, most=360)
    anomaly_rad = np.arctan2(j, -i)
    elements = Elements(
        semi_major_axis_m=np.full(len(i), axis_m),
        eccentricity=step * np.hypot(i, j) / axis_m,
        inclination_rad=math.radians(real("inclination_deg", inclination_deg, least=0, most=180)),
        raan_rad=math.radians(real("raan_deg", raan_deg, least=-360, most=360)),
        argument_of_perigee_rad=math.radians(latitude_deg) - anomaly_rad,
        mean_anomaly_rad=anomaly_rad,
    )
    columns = vars(mean_element_sets(elements, start))
    instance("name", name, str)
    numbers = count("first_number", first_number, least=0) + np.arange(len(i))
    names = [f"{name}/{a}/{b}" for a, b in zip(i.tolist(), j.tolist())]
    return ElementSets(**{**columns, "catalogue_number": numbers, "name": names})
