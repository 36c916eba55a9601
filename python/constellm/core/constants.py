"""Numbers of nature and of standards, each with unit and source; the core computes with the same."""

from __future__ import annotations

from typing import NamedTuple

from .._core import core as _core


class Constant(NamedTuple):
    """A number with its unit and where it comes from."""

    value: float
    unit: str
    source: str


CONSTANTS = {name: Constant(value, unit, source) for name, value, unit, source in _core.constants}
"""All of them by name."""

EARTH_RADIUS_M: float = CONSTANTS["EARTH_RADIUS_M"].value
"""Equatorial radius, WGS 84 [m]."""

LIGHT_M_PER_S: float = CONSTANTS["LIGHT_M_PER_S"].value
"""Speed of light in vacuum, exact by the definition of the metre [m/s]."""

EARTH_MU_M3_PER_S2: float = CONSTANTS["EARTH_MU_M3_PER_S2"].value
"""Gravitational constant times the mass of the Earth, WGS 84 [m^3/s^2]."""

EARTH_J2: float = CONSTANTS["EARTH_J2"].value
"""Second zonal harmonic of the Earth's gravity, unnormalised."""
