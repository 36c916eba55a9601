"""Equality of values that hold arrays, and how far a plan's worth is from its bound."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal: arrays entry by entry, containers likewise, and NaN to itself."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if np.shape(a) != np.shape(b):
            return False
        equal_nan = np.asarray(a).dtype.kind in "fc" and np.asarray(b).dtype.kind in "fc"
        return bool(np.array_equal(a, b, equal_nan=equal_nan))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b)
    if isinstance(a, (tuple, list)) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    return bool(a == b)


class Value:
    """A base of frozen dataclasses made with ``eq=False``: equal are those whose compared fields are.

    They cannot be hashed, as arrays cannot.
    """

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        compared = (field.name for field in fields(self) if field.compare)  # type: ignore[arg-type]
        return all(same(getattr(self, name), getattr(other, name)) for name in compared)

    __hash__ = None  # type: ignore[assignment]


def relative_gap(found: float, bound: float) -> float:
    """How much less than `found` another plan may cost, relative to it; NaN without a plan."""
    if math.isnan(found):
        return math.nan
    if math.isinf(found):
        return 1.0
    return (found - bound) / found if found else 0.0
