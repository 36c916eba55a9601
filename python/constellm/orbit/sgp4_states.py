"""States of satellites by SGP4, from the package `sgp4` (the extra ``orbit``).

Source: Vallado, Crawford, Hujsak and Kelso, Revisiting Spacetrack Report #3, AIAA 2006-6753, whose code the
package compiles. Its constants are those of WGS-72 and its mode "improved", as the package has by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ..core.checks import instance, short
from ..core.optional import optional_import
from .element_sets import ElementSets, epoch_in_range
from .utc import DAY_US

SGP4_ERRORS: Mapping[int, str] = MappingProxyType(
    {
        0: "none",
        1: "the mean eccentricity has left [0, 1)",
        2: "the mean motion is not above 0",
        3: "the eccentricity with its periodic terms has left [0, 1]",
        4: "the semi-latus rectum is below 0",
        5: "the elements at the epoch lie below the ground (no longer used)",
        6: "the satellite has decayed: it is below the ground",
    }
)
"""What the codes in `States.error` say."""

_MOST_TIME_S = 1e10
"""Largest time from an epoch: microseconds of it and of any epoch stay far inside 64 bits."""

_JULIAN_DATE_OF_1970 = 2_440_587.5
_JULIAN_DATE_OF_1949 = 2_433_281.5
"""Of 31 December, from which SGP4 counts days."""

_RAD_PER_MIN = 1440.0 / (2.0 * pi)
"""Revolutions a day in a radian a minute; SGP4's own reader of lines divides by it."""


class States(NamedTuple):
    """Positions and velocities in TEME (true equator, mean equinox) of date.

    Attributes
    ----------
    position_m : ndarray of float64, shape (satellites, times, 3)
        NaN where SGP4 failed.
    velocity_m_per_s : ndarray of float64, shape (satellites, times, 3)
        NaN where SGP4 failed.
    error : ndarray of uint8, shape (satellites, times)
        0 where there is a state, else one of `SGP4_ERRORS`.
    """

    position_m: np.ndarray
    velocity_m_per_s: np.ndarray
    error: np.ndarray


class Sgp4:
    """SGP4 of many satellites, made ready once for many calls.

    Parameters
    ----------
    sets : ElementSets
        Given to SGP4 as they are. Mean elements of a designed shell may be as well:
        `ElementSets.of_mean_elements`.

    Raises
    ------
    ImportError, TypeError
        Where the package `sgp4` is absent, or for what is no `ElementSets`.

    Examples
    --------
    >>> from constellm import orbit
    >>> sets = orbit.sample_elements()
    >>> states = orbit.Sgp4(sets).states_teme(sets.epoch_us[0], [0.0, 60.0])
    >>> states.position_m.shape, int(states.error.max())
    ((80, 2, 3), 0)
    """

    def __init__(self, sets: ElementSets) -> None:
        self._sets = instance("sets", sets, ElementSets)
        api = optional_import("sgp4.api", extra="orbit", purpose="SGP4 needs the package sgp4")
        days, rest_us = np.divmod(sets.epoch_us, DAY_US)
        midnight, fraction = days + _JULIAN_DATE_OF_1970, rest_us / DAY_US
        degrees = pi / 180.0
        columns = (
            # For the Sun and the Moon. Rounded as the package's reader of lines does, so that both agree.
            (midnight + fraction) - _JULIAN_DATE_OF_1949,
            sets.bstar,
            sets.mean_motion_dot / (_RAD_PER_MIN * 1440.0),
            sets.mean_motion_ddot / (_RAD_PER_MIN * 1440.0 * 1440.0),
            sets.eccentricity,
            sets.argument_of_perigee_deg * degrees,
            sets.inclination_deg * degrees,
            sets.mean_anomaly_deg * degrees,
            sets.mean_motion_rev_per_day / _RAD_PER_MIN,
            sets.raan_deg * degrees,
        )
        satellites = []
        for elements in zip(*(column.tolist() for column in columns)):
            satellite = api.Satrec()
            # Without its number, which SGP4 does not use and which it bounds by 339,999.
            satellite.sgp4init(api.WGS72, "i", 0, *elements)
            satellites.append(satellite)
        # That sum is good to 40 µs, in which a satellite moves 0.3 m; what times are counted from is exact.
        for satellite, *parts in zip(satellites, midnight.tolist(), fraction.tolist()):
            satellite.jdsatepoch, satellite.jdsatepochF = parts
        self._satellites = api.SatrecArray(satellites)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sgp4, (self._sets,)

    def __repr__(self) -> str:
        return f"Sgp4({self._sets!r})"

    def states_teme(self, epoch_us: int, time_s: Any) -> States:
        """States of every satellite at every time.

        Parameters
        ----------
        epoch_us : int
            Moment from which times count: microseconds since 1970-01-01 UTC.
        time_s : array_like, shape (times,)
            Within 10¹⁰ s of it, in days of 86,400 s.

        Returns
        -------
        States

        Raises
        ------
        TypeError, ValueError
            If the epoch is no integer or out of range, or a time is not finite or too far.
        """
        days, fraction = _two_part_dates(epoch_us, time_s)
        error, position, velocity = self._satellites.sgp4(days, fraction)
        for values in (position, velocity):  # from kilometres
            values *= 1e3
            values[error != 0] = np.nan  # the package keeps states of decayed satellites
        # The package has integers of another size where it is not compiled.
        return States(position, velocity, error.astype(np.uint8, copy=False))


def states_teme(sets: ElementSets, epoch_us: int, time_s: Any) -> States:
    """States by SGP4 of every satellite at every time, in TEME.

    One satellite that fails, as one that has decayed does, has NaN and its code in its own cells alone.

    Parameters
    ----------
    sets : ElementSets
        Given to SGP4 as they are, with the constants of WGS-72.
    epoch_us : int
        Moment from which times count: microseconds since 1970-01-01 UTC, years 1957 to 2199.
    time_s : array_like, shape (times,)
        Within 10¹⁰ s of it, in days of 86,400 s.

    Returns
    -------
    States
        Positions [m], velocities [m/s], codes of `SGP4_ERRORS`.

    Raises
    ------
    ImportError, TypeError, ValueError
        Where the package `sgp4` is absent; if the epoch is no integer or out of range, or a time is not
        finite or too far.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import orbit
    >>> sets = orbit.sample_elements()
    >>> position_m, velocity_m_per_s, error = orbit.states_teme(sets, sets.epoch_us[0], np.arange(0, 600, 60))
    >>> position_m.shape, int(error.max())
    ((80, 10, 3), 0)
    >>> round(float(np.linalg.norm(position_m[0, 0])) / 1e3)
    7159
    """
    return Sgp4(sets).states_teme(epoch_us, time_s)


def _two_part_dates(epoch_us: int, time_s: Any) -> tuple[np.ndarray, np.ndarray]:
    """Julian dates of midnights, and fractions of a day; whole seconds are added as integers."""
    epoch_us = epoch_in_range("epoch_us", epoch_us)
    times = np.asarray(time_s)
    if (
        times.size
        and not np.issubdtype(times.dtype, np.integer)
        and not np.issubdtype(times.dtype, np.floating)
    ):
        raise TypeError(f"time_s: expected numbers, got {short(time_s)}")
    if times.ndim != 1:
        raise ValueError(f"time_s: expected shape (times,), got {times.shape}")
    times = times.astype(np.float64)
    wrong = np.flatnonzero(~(np.abs(times) <= _MOST_TIME_S))
    if wrong.size:
        raise ValueError(
            f"time_s[{wrong[0]}]: {times[wrong[0]]:g} is not in [{-_MOST_TIME_S:g}, {_MOST_TIME_S:g}]"
        )
    whole = np.floor(times)
    day, rest_us = np.divmod(epoch_us + whole.astype(np.int64) * 1_000_000, DAY_US)
    return day + _JULIAN_DATE_OF_1970, (rest_us + (times - whole) * 1e6) / DAY_US
