"""Figures that look like another unit's: Mbit/s given as bit/s, TFLOP/s as FLOP/s, ms as seconds."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

from .quantity import quantity, split_unit


class ImplausibleUnits(UserWarning):
    """All values of a field are far from what its unit is used for. Said once a field and process."""


# Below what no host or link of a constellation is, by some orders of magnitude, and above what no latency is.
_LEAST = {"rate_bps": 1e4, "flop_per_s": 1e6, "memory_bytes": 1e6, "memory_bandwidth_bytes_per_s": 1e6}
_MOST = {"latency_s": 10.0}
_said: set[str] = set()


def warn_implausible(field: str, values: Iterable[float], *, stacklevel: int = 2) -> None:
    """Warn once where every positive value of `field` is implausible; one that is not speaks for the unit."""
    if field in _said or (field not in _LEAST and field not in _MOST):
        return
    positive = [value for value in values if isinstance(value, (int, float)) and 0 < value < math.inf]
    if not positive:
        return
    least, most = _LEAST.get(field, 0.0), _MOST.get(field, math.inf)
    if max(positive) >= least and min(positive) <= most:
        return
    _said.add(field)
    unit = split_unit(field)[1]
    found = quantity(max(positive) if max(positive) < least else min(positive), unit)
    warnings.warn(
        f"{field} of {found} looks like another unit's; it is in {unit}",
        ImplausibleUnits,
        stacklevel=stacklevel + 1,
    )
