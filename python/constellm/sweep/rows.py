"""The rows of a sweep: what a cell gives under a method, and how rows are computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import Plan, Problem
from ..split.files import STATUSES as PLAN_STATUSES

STATUSES = (*PLAN_STATUSES, "invalid")
"""By their codes in the column ``status``."""
INTERRUPTED = STATUSES.index("interrupted")
INVALID = STATUSES.index("invalid")


@dataclass(frozen=True)
class Column:
    """A figure of every row."""

    name: str
    dtype: str
    unit: str
    doc: str
    empty: float = np.nan
    """Where nothing was computed."""


COLUMNS = (
    Column("delay_s", "f8", "s", "from the start until the sink has the last result"),
    Column("bottleneck_s", "f8", "s", "longest stage or hop per micro-batch"),
    Column("lower_bound_s", "f8", "s", "no plan has a smaller objective; infinite where no plan exists"),
    Column("error", "f8", "", "accumulated error"),
    Column("energy_j", "f8", "J", "of all micro-batches"),
    Column("bytes", "f8", "B", "over all hops and micro-batches"),
    Column("seconds", "f8", "s", "spent by the solver"),
    Column("stages", "i8", "", "nodes that host layers; 0 where there is no plan", 0),
    Column("labels", "i8", "", "partial plans that the search kept", 0),
    Column("status", "i1", "", ", ".join(STATUSES), INTERRUPTED),
)


RESERVED = frozenset({"cell", "method", "message", "plan", *(column.name for column in COLUMNS)})
"""Names that stand beside those of the axes in results and row files."""


def empty_columns(rows: int) -> dict[str, NDArray[Any]]:
    """Columns of rows that are not computed yet: status ``interrupted``."""
    return {c.name: np.full(rows, c.empty, dtype=c.dtype) for c in COLUMNS}


@dataclass(frozen=True)
class Rows:
    """Some finished rows."""

    index: NDArray[np.int64]
    """cell * methods + method"""
    columns: dict[str, NDArray[Any]]
    messages: dict[int, str]
    """By index: why a row is invalid."""
    plans: list[Plan | None]
    """As many as rows, or none at all."""


@dataclass(frozen=True)
class Work:
    """Cells to be solved; travels to other processes."""

    cells: NDArray[np.int64]
    problems: list[Problem]
    addresses: list[str]
    problem_of: NDArray[np.int32]
    """Position in `problems` of what each cell starts from."""
    field_values: NDArray[np.float64]
    """Shape (cells, addresses)."""
    methods: list[str]
    time_limit_s: float
    keep_plans: bool


def solve(work: Work, threads: int, accept: Callable[[Rows], None]) -> None:
    """Solve the cells of `work`; `accept` gets rows as they finish. Ctrl-C ends it early, unraised."""
    width = len(work.methods)
    columns = empty_columns(len(work.cells) * width)

    def on_finished(rows: NDArray[np.int64], messages: dict[int, str], plans: list[Plan | None]) -> None:
        index = work.cells[rows // width] * width + rows % width
        named = {int(work.cells[row // width] * width + row % width): text for row, text in messages.items()}
        accept(Rows(index, {name: column[rows] for name, column in columns.items()}, named, plans))

    _core.sweep_run(
        problems=work.problems,
        addresses=work.addresses,
        which=work.problem_of,
        values=work.field_values,
        columns=columns,
        methods=work.methods,
        time_limit_s=work.time_limit_s,
        threads=threads,
        keep_plans=work.keep_plans,
        on_finished=on_finished,
    )


def solve_apart(work: Work) -> list[Rows]:
    """`solve` in a worker of an executor, on one thread."""
    found: list[Rows] = []
    solve(work, 1, found.append)
    return found
