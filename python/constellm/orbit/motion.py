"""Satellites in time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import orbit as _core
from ..core.checks import count, instance, short


class States(NamedTuple):
    """Where satellites are and how they move, in TEME.

    Examples
    --------
    >>> from constellm import orbit
    >>> position_teme_m, velocity_teme_m_per_s = orbit.propagate(orbit.preset("oneweb"), [0.0, 60.0])
    >>> position_teme_m.shape
    (588, 2, 3)
    """

    position_teme_m: NDArray[np.float64]
    """(satellites, times, 3) [m]"""
    velocity_teme_m_per_s: NDArray[np.float64]
    """(satellites, times, 3) [m/s]"""


def elements(shell: _core.Shell) -> _core.Elements:
    """The mean elements of a shell's satellites at the epoch, plane by plane, in the order of its `ids`.

    Parameters
    ----------
    shell : Shell

    Returns
    -------
    Elements

    Examples
    --------
    >>> from constellm import orbit
    >>> len(orbit.elements(orbit.preset("kuiper-630")))
    1156
    """
    return _core.elements(instance("shell", shell, _core.Shell))


def propagate(
    satellites: _core.Shell | _core.Elements,
    time_s: ArrayLike,
    *,
    propagator: str | None = None,
    threads: int = 1,
) -> States:
    """States of satellites at times.

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

    Parameters
    ----------
    satellites : Shell or Elements
    time_s : array_like, shape (times,) or a scalar
        Since the epoch of the elements, finite; before it is negative [s].
    propagator : str, optional
        ``"j2"`` or ``"two-body"``; default that of the shell, ``"j2"`` for elements.
    threads : int
        The results do not depend on it.

    Returns
    -------
    States
        Arrays (satellites, times, 3); (satellites, 3) where the time is a scalar.

    Raises
    ------
    ValueError, TypeError
        For a time that is not finite, an unknown propagator, and ``"sgp4"``, a model of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import orbit
    >>> states = orbit.propagate(orbit.preset("starlink-550"), np.arange(0.0, 600.0, 60.0))
    >>> states.position_teme_m.shape, round(float(np.linalg.norm(states.velocity_teme_m_per_s[0, 0])))
    ((1584, 10, 3), 7585)
    """
    if isinstance(satellites, _core.Shell):
        propagator = satellites.propagator if propagator is None else propagator
        satellites = _core.elements(satellites)
    elif not isinstance(satellites, _core.Elements):
        raise TypeError(f"satellites: expected a Shell or Elements, got {short(satellites)}")
    most = count("threads", threads, most=1024)
    return States(*_core.propagate(satellites, time_s, "j2" if propagator is None else propagator, most))


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
