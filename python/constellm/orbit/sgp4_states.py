"""States of satellites by SGP4, from the package `sgp4` (the extra ``orbit``).

Source: Vallado, Crawford, Hujsak and Kelso, Revisiting Spacetrack Report #3, AIAA 2006-6753, whose code the
package compiles. Its constants are those of WGS-72 and its mode "improved", as the package has by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import instance, short
from ..core.epoch import Epoch
from ..core.optional import optional_import
from .element_sets import ElementSets
from .states import States

SGP4_ERRORS: Mapping[int, str] = MappingProxyType(
    {
        0: "none",
        1: "the mean eccentricity has left [0, 1)",
        2: "the mean motion is not above 0",
        3: "the eccentricity with its periodic terms has left [0, 1]",
        4: "the semi-latus rectum is below 0",
        5: "the elements at the epoch lie below the ground (no longer used)",
        6: "the satellite has decayed: it is below the ground",
        7: "no finite state: the elements are none of a satellite",
    }
)
"""What the codes in `States.error` say; those up to 6 are SGP4's own."""

_MOST_TIME_S = 1e10
"""Largest time from an epoch: microseconds of it and of any epoch stay far inside 64 bits."""

_DAY_US = 86_400_000_000
_JULIAN_DATE_OF_1970 = 2_440_587.5
_JULIAN_DATE_OF_1949 = 2_433_281.5
"""Of 31 December, from which SGP4 counts days."""

_FIRST, _LAST = Epoch("1957-01-01"), Epoch("2199-12-31T23:59:59.999999")

_RAD_PER_MIN = 1440.0 / (2.0 * pi)
"""Revolutions a day in a radian a minute; SGP4's own reader of lines divides by it."""


class Sgp4:
    """SGP4 of many satellites, made ready once for many calls.

    Parameters
    ----------
    sets : ElementSets
        Given to SGP4 as they are, with the constants of WGS-72.

    Raises
    ------
    ImportError, TypeError
        Where the package `sgp4` is absent, or for what is no `ElementSets`.

    Examples
    --------
    >>> from constellm import orbit
    >>> sets = orbit.sample_elements()
    >>> ready = orbit.Sgp4(sets)
    >>> ready.propagate([0.0, 60.0]).position_m.shape, ready.propagate(0.0, epoch="2024-01-13").error.shape
    ((80, 2, 3), (80,))
    """

    def __init__(self, sets: ElementSets) -> None:
        self._sets = instance("sets", sets, ElementSets)
        api = optional_import("sgp4.api", extra="orbit", purpose="SGP4 needs the package sgp4")
        days, rest_us = np.divmod(sets.epoch.astype(np.int64), _DAY_US)
        midnight, fraction = days + _JULIAN_DATE_OF_1970, rest_us / _DAY_US
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

    def propagate(self, time_s: ArrayLike, *, epoch: Any = None) -> States:
        """States of every satellite at every time, in TEME.

        One satellite that fails, as one that has decayed does, has NaN and its code in its own cells alone.

        Parameters
        ----------
        time_s : array_like, shape (times,) or a scalar
            Since `epoch`, within 10¹⁰ s of it, in days of 86,400 s.
        epoch : Epoch, str, datetime or numpy.datetime64, optional
            Moment from which times count, of the years 1957 to 2199; default that of the first set.

        Returns
        -------
        States

        Raises
        ------
        TypeError, ValueError
            For what is no moment, for one of other years, and for a time that is not finite or too far.
        """
        if epoch is None:
            epoch = self._sets.epoch[0] if len(self._sets) else "2000-01-01"
        times = np.asarray(time_s)
        days, fraction = _two_part_dates(Epoch(epoch), times)
        error, position, velocity = self._satellites.sgp4(days.ravel(), fraction.ravel())
        finite = np.isfinite(position).all(axis=-1) & np.isfinite(velocity).all(axis=-1)
        error[(error == 0) & ~finite] = 7  # the package says nothing where its numbers overflow
        for values in (position, velocity):  # from kilometres
            values *= 1e3
            values[error != 0] = np.nan  # the package keeps states of decayed satellites
        shape = (len(self._sets), *times.shape)
        # The package has integers of another size where it is not compiled.
        codes = error.astype(np.uint8, copy=False)
        return States(position.reshape(*shape, 3), velocity.reshape(*shape, 3), codes.reshape(shape))


def _two_part_dates(epoch: Epoch, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Julian dates of midnights, and fractions of a day; whole seconds are added as integers."""
    if not _FIRST <= epoch <= _LAST:
        raise ValueError(f"epoch: {epoch} is not of the years 1957 to 2199")
    if times.size and times.dtype.kind not in "iuf":
        raise TypeError(f"time_s: expected numbers, got {short(times.tolist())}")
    times = times.astype(np.float64)
    wrong = np.argwhere(~(np.abs(times) <= _MOST_TIME_S))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        where = f"time_s{list(place)}" if place else "time_s"
        raise ValueError(f"{where}: {times[place]:g} is not in [{-_MOST_TIME_S:g}, {_MOST_TIME_S:g}]")
    whole = np.floor(times)
    day, rest_us = np.divmod(epoch.microseconds + whole.astype(np.int64) * 1_000_000, _DAY_US)
    return day + _JULIAN_DATE_OF_1970, (rest_us + (times - whole) * 1e6) / _DAY_US
