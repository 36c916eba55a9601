"""Figures that look like another unit's: Mbit/s given as bit/s, TFLOP/s as FLOP/s, ms as seconds."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable

from .. import _core
from .quantity import quantity, split_unit


class ImplausibleUnits(UserWarning):
    """All values of a field are far from what its unit is used for. Said once a field and process."""


_said: set[str] = set()


def warn_implausible(field: str, values: Iterable[float]) -> None:
    """Warn once where every positive value of `field` is implausible; one that is not speaks for the unit."""
    found = _core.core.implausible(field, list(values))
    if found is not None:
        remark(field, found)


def remark(field: str, value: float) -> None:
    """Warn once that `value` looks like another unit's, at the line outside of constellm that gave it."""
    if field in _said:
        return
    _said.add(field)
    unit = split_unit(field)[1]
    warnings.warn(
        f"{field} of {quantity(value, unit)} looks like another unit's; it is in {unit}",
        ImplausibleUnits,
        stacklevel=_depth_of_user() + 1,
    )


def _depth_of_user() -> int:
    """How many frames above the caller of this function the first one is that is not of this package."""
    package = __name__.partition(".")[0]
    depth, frame = 0, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        depth, frame = depth + 1, frame.f_back
    return depth
