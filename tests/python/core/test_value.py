"""Equality of values with arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from constellm.core.value import Value, relative_gap, same


@dataclass(frozen=True, eq=False)
class Reading(Value):
    values: np.ndarray
    mean: float
    seconds: float = field(default=0.0, compare=False)


def test_fields_are_compared_but_for_those_that_are_not() -> None:
    reading = Reading(np.array([1.0, np.nan]), math.nan)
    assert reading == Reading(np.array([1.0, np.nan]), math.nan, seconds=3.0)
    assert reading != Reading(np.array([1.0, 2.0]), math.nan)
    assert reading != Reading(np.array([1.0]), math.nan)
    assert reading != Reading(np.array([1.0, np.nan]), 0.0)
    assert reading != "reading"
    with pytest.raises(TypeError):
        hash(reading)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ((1.0, np.array([2])), (1.0, np.array([2])), True),
        ((1.0,), (1.0, 2.0), False),
        ([1.0], (1.0,), False),
        ({"a": math.nan}, {"a": math.nan}, True),
        ({"a": 1}, {"b": 1}, False),
        (np.array(["a"]), np.array(["a"]), True),
        (np.array([1.0]), [1.0], True),
        (None, np.array([1.0]), False),
    ],
)
def test_containers_are_compared_entry_by_entry(a: object, b: object, equal: bool) -> None:
    assert same(a, b) is same(b, a) is equal


def test_gaps() -> None:
    assert relative_gap(2.0, 1.0) == 0.5
    assert relative_gap(0.0, 0.0) == 0.0
    assert relative_gap(math.inf, 1.0) == 1.0
    assert math.isnan(relative_gap(math.nan, 1.0))
