"""Checks of arguments that no compiled value makes; each message names field, value and range."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from .._core import core as _core

_T = TypeVar("_T")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def short(value: Any) -> str:
    """The start of ``repr(value)``, for messages."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python shows
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else text[:59] + "…"


def count(field: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """`value` as a plain integer, numpy's included; a float is refused even where it is whole.

    Raises
    ------
    TypeError, ValueError
        Naming `field`, the value and the allowed range.
    """
    try:
        if isinstance(value, (bool, np.bool_, np.ndarray)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{field}: expected an integer, got {short(value)}") from None
    if number < least or (most is not None and number > most):
        end = "inf)" if most is None else f"{most}]"
        raise ValueError(f"{field}: {short(number)} is not in [{least}, {end}")
    return number


def real(field: str, value: Any, *, least: float = -math.inf, most: float = math.inf) -> float:
    """`value` as a plain float, from Python's or numpy's real numbers; text, bool and arrays are refused.

    Raises
    ------
    TypeError, ValueError
        Naming `field`, the value and the allowed range; NaN is in no range.
    """
    number = _number(field, value)
    if not least <= number <= most:
        raise ValueError(f"{field}: {short(value)} is not in [{least:g}, {most:g}]")
    return number


def _number(field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{field}: expected a number, got {short(value)}")
    try:
        return float(value)
    except OverflowError:
        return math.nan  # so it is in no range


def decimal(text: str) -> float:
    """The number that a text of a file is: none of the underscores, digits and words that Python reads too.

    Raises
    ------
    ValueError
        For what is no decimal number.
    """
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{short(text)} is not a number")
    return float(text)


def positive(field: str, value: Any, *, most: float = math.inf) -> float:
    """`value` as a finite float > 0 and at most `most`, as `real`."""
    number = _number(field, value)
    if not 0 < number <= most or math.isinf(number):
        raise ValueError(
            f"{field}: {short(value)} is not in (0, {'inf)' if math.isinf(most) else f'{most:g}]'}"
        )
    return number


def non_negative(field: str, value: Any) -> float:
    """`value` as a finite float >= 0, as `real`."""
    number = _number(field, value)
    if not 0 <= number < math.inf:
        raise ValueError(f"{field}: {short(value)} is not in [0, inf)")
    return number


def known_keywords(call: str, given: Iterable[str], known: Iterable[str]) -> None:
    """TypeError for a keyword of `call` that is none of `known`: names it, and the one that was meant."""
    given, known = list(given), list(known)
    for name in given:
        if name not in known:
            free = [other for other in known if other not in given]
            raise TypeError(f"{call} got an unexpected keyword argument {name!r}{hint_for(name, free)}")


def hint_for(word: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown `word`: the name that was meant, or all where none is like it."""
    return _core.hint_for(word, list(names))


def meant(word: str, names: Iterable[str]) -> str:
    """The end of a message that lists the names already: the one that was meant, or nothing."""
    names = list(names)
    if word in names:
        return ""
    hint = hint_for(word, [name for name in names if name.startswith(word)] or names)
    return hint if hint.startswith("; did you mean") else ""


def instance(field: str, value: Any, kind: type[_T]) -> _T:
    """`value` where it is a `kind`; TypeError otherwise, and for a data class without its fields."""
    if not isinstance(value, kind):
        raise TypeError(f"{field}: expected a {kind.__name__}, got {short(value)}")
    if is_dataclass(value) and fields(value) and getattr(value, "__dict__", None) == {}:
        raise TypeError(f"{field}: expected a value, got an instance that __new__ made without __init__")
    return value
