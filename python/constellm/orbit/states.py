"""Where satellites are and how they move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class States(NamedTuple):
    """Positions and velocities of satellites, in the frame of the call that gave them.

    That is TEME (true equator, mean equinox of date) but where another one was asked for.

    Examples
    --------
    >>> from constellm import orbit
    >>> position_m, velocity_m_per_s, error = orbit.propagate(orbit.preset("oneweb"), [0.0, 60.0])
    >>> position_m.shape, int(error.max())
    ((588, 2, 3), 0)
    """

    position_m: NDArray[np.float64]
    """(satellites, times, 3); NaN where there is an error [m]"""
    velocity_m_per_s: NDArray[np.float64]
    """(satellites, times, 3); NaN where there is an error [m/s]"""
    error: NDArray[np.uint8]
    """(satellites, times): 0 where there is a state, else one of `SGP4_ERRORS`; others do not fail"""
