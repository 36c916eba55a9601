"""Sparse rows and columns, collected in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .highs import Sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
INF = np.inf
LEAST_SIDE = 1e-6
"""Of the largest entry: a solver's tolerance is still little beside it, and no entry is too large for it."""


class Linear(NamedTuple):
    """Σ value · column + constant."""

    column: Ints
    value: Floats
    constant: float = 0.0

    def plus(self, other: Linear) -> Linear:
        return Linear(
            np.concatenate([self.column, other.column]),
            np.concatenate([self.value, other.value]),
            self.constant + other.constant,
        )

    def times(self, factor: float) -> Linear:
        return Linear(self.column, self.value * factor, self.constant * factor)

    def at(self, x: Floats) -> float:
        return float(self.value @ x[self.column]) + self.constant


def linear(column: ArrayLike = (), value: ArrayLike = (), constant: float = 0.0) -> Linear:
    """Of numbers or arrays that broadcast."""
    columns = np.atleast_1d(np.asarray(column, dtype=np.int64))
    values = np.broadcast_to(np.asarray(value, dtype=float), columns.shape)
    return Linear(columns, values, constant)


def total(terms: Sequence[Linear]) -> Linear:
    """Their sum."""
    return Linear(
        np.concatenate([np.empty(0, dtype=np.int64), *(term.column for term in terms)]),
        np.concatenate([np.empty(0), *(term.value for term in terms)]),
        float(sum(term.constant for term in terms)),
    )


Side = Union[float, Floats]


class Rows:
    """Grows by blocks; equal columns of a row are summed at the end."""

    def __init__(self) -> None:
        self.columns = 0
        self.rows = 0
        self._low: list[Floats] = []
        self._high: list[Floats] = []
        self._integer: list[NDArray[np.bool_]] = []
        self._row: list[Ints] = []
        self._column: list[Ints] = []
        self._value: list[Floats] = []
        self._row_low: list[Floats] = []
        self._row_high: list[Floats] = []

    def add_columns(self, count: int, *, high: float = INF, integer: bool = False) -> Ints:
        """From 0 to `high`; their numbers."""
        self._low.append(np.zeros(count))
        self._high.append(np.full(count, high))
        self._integer.append(np.full(count, integer))
        self.columns += count
        return np.arange(self.columns - count, self.columns)

    def add_rows(
        self, count: int, row: ArrayLike, column: ArrayLike, value: ArrayLike, low: Side, high: Side
    ) -> None:
        """`row` counts from 0 within the block; columns below 0 are left out."""
        columns = np.asarray(column, dtype=np.int64).ravel()
        rows = np.broadcast_to(np.asarray(row, dtype=np.int64), columns.shape).ravel()
        values = np.broadcast_to(np.asarray(value, dtype=float), columns.shape).ravel()
        kept = columns >= 0
        self._row.append(rows[kept] + self.rows)
        self._column.append(columns[kept])
        self._value.append(values[kept])
        self._row_low.append(np.broadcast_to(np.asarray(low, dtype=float), (count,)).copy())
        self._row_high.append(np.broadcast_to(np.asarray(high, dtype=float), (count,)).copy())
        self.rows += count

    def at_most(self, left: Linear, high: float) -> None:
        """left ≤ high, scaled so that the side is 1, or where that is next to nothing the largest entry."""
        side = high - left.constant
        largest = float(np.max(np.abs(left.value), initial=0.0))
        size = max(abs(side), LEAST_SIDE * largest) if side else largest
        scale = 1.0 / size if size else 1.0
        self.add_rows(1, 0, left.column, left.value * scale, -INF, side * scale)

    def finish(self, objective: Linear) -> Sparse:
        """As a programme; rows without columns that hold are dropped."""
        row, column, value = (
            np.concatenate([np.empty(0, dtype=kind), *parts])
            for kind, parts in (
                (np.int64, self._row),
                (np.int64, self._column),
                (np.float64, self._value),
            )
        )
        low, high = (np.concatenate([np.empty(0), *parts]) for parts in (self._row_low, self._row_high))
        row, column, value = summed(row, column, value, self.columns)
        kept = (np.bincount(row, minlength=self.rows) > 0) | (low > 0) | (high < 0)
        number = np.cumsum(kept) - 1
        counts = (
            np.bincount(number[row], minlength=int(kept.sum())) if len(row) else np.zeros(int(kept.sum()))
        )
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        cost = np.bincount(objective.column, objective.value, minlength=self.columns)
        none: list[Floats] = [np.empty(0)]
        return Sparse(
            cost=cost.astype(float),
            low=np.concatenate(none + self._low),
            high=np.concatenate(none + self._high),
            integer=np.concatenate([np.empty(0, dtype=bool), *self._integer]),
            start=start,
            index=column,
            value=value,
            row_low=low[kept],
            row_high=high[kept],
        )


def summed(row: Ints, column: Ints, value: Floats, columns: int) -> tuple[Ints, Ints, Floats]:
    """Entries by row and column, equal places added up, zeros left out."""
    place, where = np.unique(row * max(columns, 1) + column, return_inverse=True)
    sums = np.bincount(where.ravel(), value, minlength=len(place)) if len(place) else np.empty(0)
    kept = sums != 0.0
    place = place[kept]
    return place // max(columns, 1), place % max(columns, 1), sums[kept]
