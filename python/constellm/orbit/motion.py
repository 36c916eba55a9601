"""Satellites in time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import orbit as _core
from ..core.checks import count, short
from ..core.constants import EARTH_J2, EARTH_MU_M3_PER_S2, EARTH_RADIUS_M
from ..core.epoch import Epoch
from .element_sets import ElementSets
from .sgp4_states import Sgp4
from .states import States

DEFAULT_EPOCH = Epoch("2000-01-01T12:00:00Z")
"""Of a design that names none: that of J2000, as far as UTC goes."""


def elements(satellites: _core.Shell | ElementSets, *, epoch: Any = None) -> _core.Elements:
    """Mean elements of satellites at a moment, as `propagate` takes them.

    Those of element sets are taken as the mean elements that drift under J2; nothing is fitted. A set's mean
    motion is Kozai's, by which the mean anomaly moves with what J2 adds, so that the semi-major axis is that
    of ::

        n_Kozai = n (1 + 3/4 J2 (R / p)^2 sqrt(1 - e^2) (2 - 3 sin^2 i)), n = sqrt(mu / a^3)

    (Vallado et al., AIAA 2006-6753, appendix B). From its own epoch a set drifts to the common one.

    Parameters
    ----------
    satellites : Shell or ElementSets
    epoch : Epoch, str, datetime or numpy.datetime64, optional
        Moment of the elements of sets; default: the epoch of the first. Not for a shell, whose elements are
        at its epoch, whenever that is.

    Returns
    -------
    Elements
        In the order of the `ids`: of a shell plane by plane.

    Raises
    ------
    ValueError, TypeError
        For what is no moment, an epoch of a shell, sets that are empty, and those that pass so near the
        Earth's centre that J2 is no small change.

    Examples
    --------
    >>> from constellm import orbit
    >>> len(orbit.elements(orbit.preset("kuiper-630")))
    1156
    >>> found = orbit.elements(orbit.sample_elements()[:2], epoch="2024-01-13")
    >>> (found.semi_major_axis_m / 1e3).round(1).tolist()
    [7152.7, 7152.8]
    """
    if isinstance(satellites, ElementSets):
        return _drifted(satellites, epoch)
    if isinstance(satellites, _core.Shell):
        if epoch is not None:
            raise TypeError(f"epoch: for element sets alone, not for a shell, got {short(epoch)}")
        return _core.elements(satellites)
    raise TypeError(f"satellites: expected a Shell or ElementSets, got {short(satellites)}")


def _drifted(sets: ElementSets, epoch: Any) -> _core.Elements:
    if not len(sets):
        raise ValueError("satellites: no element sets")
    start = Epoch(sets.epoch[0] if epoch is None else epoch)
    elapsed_s = (start.microseconds - sets.epoch.astype(np.int64)) / 1e6
    kozai_rad_per_s = sets.mean_motion_rev_per_day * (2.0 * np.pi / 86_400.0)
    e, inclination_rad = sets.eccentricity, np.radians(sets.inclination_deg)
    sine2, root = np.sin(inclination_rad) ** 2, np.sqrt(1.0 - e**2)
    ratio = np.ones_like(e)  # of Kozai's mean motion to n; each step gains three places
    for _ in range(8):
        before = ratio
        axis_m = np.cbrt(EARTH_MU_M3_PER_S2 * (ratio / kozai_rad_per_s) ** 2)
        k = 0.75 * EARTH_J2 * (EARTH_RADIUS_M / (axis_m * root**2)) ** 2
        ratio = 1.0 + k * root * (2.0 - 3.0 * sine2)
    lost = np.flatnonzero(~(np.abs(ratio - before) < 1e-9))
    if lost.size:
        i = int(lost[0])
        raise ValueError(
            f"satellites[{i}]: eccentricity: {e[i]:g} at {sets.mean_motion_rev_per_day[i]:g} turns a day "
            "passes too near the Earth's centre for J2 to be a small change"
        )
    k_rad_per_s = k * kozai_rad_per_s / ratio
    return _core.Elements(
        semi_major_axis_m=axis_m,
        eccentricity=e,
        inclination_rad=inclination_rad,
        raan_rad=np.radians(sets.raan_deg) - 2.0 * k_rad_per_s * np.cos(inclination_rad) * elapsed_s,
        argument_of_perigee_rad=np.radians(sets.argument_of_perigee_deg)
        + k_rad_per_s * (4.0 - 5.0 * sine2) * elapsed_s,
        mean_anomaly_rad=np.radians(sets.mean_anomaly_deg) + kozai_rad_per_s * elapsed_s,
    )


def propagate(
    satellites: _core.Shell | _core.Elements | ElementSets,
    time_s: ArrayLike,
    *,
    epoch: Any = None,
    propagator: str | None = None,
    threads: int = 1,
) -> States:
    """States of satellites at times, in TEME.

    ::

        n = sqrt(mu / a^3), p = a (1 - e^2), k = 3/4 n J2 (R / p)^2
        right ascension of the node: -2 k cos i        argument of perigee: k (4 - 5 sin^2 i)
        mean anomaly: n + k sqrt(1 - e^2) (2 - 3 sin^2 i)

    are the drifts under ``"j2"``, to first order in J2 (Vallado, Fundamentals of Astrodynamics and
    Applications, 4th ed., equations 9-38, 9-40, 9-41). What is periodic, some kilometres in low orbits, is
    left out, as are air and all other forces. Under ``"two-body"`` only n is left.

    The states are those of the ellipse of the drifted elements, so that position and velocity have just these
    elements. Under J2 the derivative of the positions is another velocity: in circular orbits at 550 km by
    21 m/s over the equator, by 5 at an inclination of 53 degrees, by 10 over the poles.

    Under ``"sgp4"`` the elements go to SGP4 as they are, with the constants of WGS-72; those of a shell have
    no drag.

    Parameters
    ----------
    satellites : Shell, Elements or ElementSets
    time_s : array_like, shape (times,) or a scalar
        Since `epoch`, finite; before it is negative [s].
    epoch : Epoch, str, datetime or numpy.datetime64, optional
        Moment from which times count. Default: that of the first of element sets. The elements of a shell
        hold at it, 2000-01-01T12:00:00Z by default; only SGP4 of periods beyond 225 minutes, which feel Sun
        and Moon, asks for it.
    propagator : str, optional
        ``"j2"``, ``"two-body"`` or ``"sgp4"``; default that of the shell, ``"j2"`` for elements. Element sets
        have ``"sgp4"`` alone.
    threads : int
        The results do not depend on it. SGP4 runs on one.

    Returns
    -------
    States
        Arrays (satellites, times, 3); (satellites, 3) where the time is a scalar.

    Raises
    ------
    ValueError, TypeError
        For a time that is not finite or no moment, and for a propagator that is unknown or not of these
        satellites.
    ImportError
        Where SGP4 is asked for and the package `sgp4` is absent.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import orbit
    >>> states = orbit.propagate(orbit.preset("starlink-550"), np.arange(0.0, 600.0, 60.0))
    >>> states.position_m.shape, round(float(np.linalg.norm(states.velocity_m_per_s[0, 0])))
    ((1584, 10, 3), 7585)
    >>> states = orbit.propagate(orbit.sample_elements(), [0.0, 60.0], epoch="2024-01-13T00:00:00Z")
    >>> states.position_m.shape, int(states.error.max())
    ((80, 2, 3), 0)
    """
    most = count("threads", threads, most=1024)
    if isinstance(satellites, ElementSets):
        if propagator not in (None, "sgp4"):
            raise ValueError(f"propagator: {short(propagator)} is not 'sgp4', the one of element sets")
        return Sgp4(satellites).propagate(time_s, epoch=epoch)
    if isinstance(satellites, _core.Shell):
        propagator = satellites.propagator if propagator is None else propagator
        satellites = _core.elements(satellites)
    elif not isinstance(satellites, _core.Elements):
        raise TypeError(f"satellites: expected a Shell, Elements or ElementSets, got {short(satellites)}")
    start = DEFAULT_EPOCH if epoch is None else Epoch(epoch)
    if propagator == "sgp4":
        return Sgp4(mean_element_sets(satellites, start)).propagate(time_s, epoch=start)
    position, velocity = _core.propagate(satellites, time_s, "j2" if propagator is None else propagator, most)
    return States(position, velocity, np.zeros(position.shape[:-1], dtype=np.uint8))


def mean_element_sets(elements: _core.Elements, epoch: Epoch) -> ElementSets:
    """Mean elements of a design as SGP4 takes them, numbered from 0; without drag."""
    motion_rad_per_s = np.sqrt(EARTH_MU_M3_PER_S2 / elements.semi_major_axis_m**3)
    raan, perigee, anomaly = (
        np.degrees(angle) % 360.0
        for angle in (elements.raan_rad, elements.argument_of_perigee_rad, elements.mean_anomaly_rad)
    )
    return ElementSets.of_mean_elements(
        epoch=epoch,
        mean_motion_rev_per_day=motion_rad_per_s * (86_400.0 / (2.0 * np.pi)),
        eccentricity=elements.eccentricity,
        inclination_deg=np.degrees(elements.inclination_rad),
        raan_deg=raan,
        argument_of_perigee_deg=perigee,
        mean_anomaly_deg=anomaly,
    )


def elements_of_state(position_teme_m: ArrayLike, velocity_teme_m_per_s: ArrayLike) -> _core.Elements:
    """The ellipses through states about a point mass; what `propagate` has at time 0 leads back.

    Parameters
    ----------
    position_teme_m, velocity_teme_m_per_s : array_like, shape (satellites, 3)

    Returns
    -------
    Elements
        What is undetermined is 0: the argument of perigee of a circle (eccentricity below 1e-14), whose
        anomaly then counts from the node, and the node of an equatorial orbit.

    Raises
    ------
    ValueError, TypeError
        For another shape, and for a state on no closed orbit; names its position.

    Examples
    --------
    >>> from constellm import orbit
    >>> found = orbit.elements_of_state([[7e6, 0.0, 0.0]], [[0.0, 0.0, 8e3]])
    >>> (found.semi_major_axis_m / 1e3).round().tolist(), found.eccentricity.round(3).tolist()
    ([7990.0], [0.124])
    """
    return _core.elements_of_state(position_teme_m, velocity_teme_m_per_s)


def eccentric_anomaly_rad(mean_anomaly_rad: ArrayLike, eccentricity: ArrayLike) -> NDArray[np.float64]:
    """The E of Kepler's equation M = E - e sin E, to the last places.

    From Mikkola's cubic approximation (Celestial Mechanics 40 (1987), 329-334) by Halley's steps, with
    E - sin E by its series where the difference would cancel.

    Parameters
    ----------
    mean_anomaly_rad : array_like
        Whole turns are kept [rad].
    eccentricity : array_like
        In [0, 1); broadcast against the anomaly.

    Returns
    -------
    ndarray
        Of their common shape [rad].

    Raises
    ------
    ValueError, TypeError
        For an eccentricity out of range.

    Examples
    --------
    >>> from constellm import orbit
    >>> round(float(orbit.eccentric_anomaly_rad(1.0, 0.5)), 12)
    1.498701133518
    """
    mean, e = np.broadcast_arrays(mean_anomaly_rad, eccentricity)
    return _core.eccentric_anomaly_rad(mean, e)
