"""Rows of a benchmark as Markdown, and numbers as its tables show them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from constellm.core.table import Table

Rows = list[dict[str, Any]]


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table whose columns after the first are aligned right."""
    return Table(tuple(header), tuple(map(tuple, lines))).to_markdown(align="right")


def verdict(target: str, found: str, met: bool) -> list[str]:
    """A line of a table of targets."""
    return [target, found, "met" if met else "**missed**"]


def seconds(value: float) -> str:
    """Three digits with the unit that suits."""
    unit, scale = next(
        ((unit, scale) for unit, scale in (("s", 1.0), ("ms", 1e-3)) if value >= scale), ("µs", 1e-6)
    )
    return f"{digits(value / scale)} {unit}"


def times(value: float) -> str:
    """A ratio."""
    return f"{digits(value)}×"


def digits(value: float, significant: int = 3) -> str:
    """A positive number rounded to its first digits, thousands apart, never with an exponent."""
    places = max(significant - 1 - math.floor(math.log10(value)), 0) if value > 0 else 0
    return f"{value:,.{places}f}"
