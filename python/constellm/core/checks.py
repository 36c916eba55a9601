"""Checks of arguments that no compiled value makes."""

from __future__ import annotations

import operator
from typing import Any


def count(field: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """`value` as a plain integer, numpy's included; a float is refused even where it is whole.

    Raises
    ------
    TypeError, ValueError
        Naming `field`, the value and the allowed range.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{field}: expected an integer, got {value!r}") from None
    if number < least or (most is not None and number > most):
        end = "inf)" if most is None else f"{most}]"
        raise ValueError(f"{field}: {number} is not in [{least}, {end}")
    return number
