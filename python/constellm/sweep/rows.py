"""The rows of a sweep: what a cell gives under a method, and how rows are computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.deprecation import moved_names
from .system import System

__getattr__ = moved_names(
    __name__, {name: f"constellm.sweep.system.{name}" for name in ("Column", "INTERRUPTED", "INVALID")}
)


@dataclass(frozen=True)
class Rows:
    """Some finished rows."""

    index: NDArray[np.int64]
    """cell * methods + method"""
    columns: dict[str, NDArray[Any]]
    messages: dict[int, str]
    """By index: why a row is invalid."""
    answers: list[Any]
    """As many as rows, or none at all."""


@dataclass(frozen=True)
class Work:
    """Cells to be solved; travels to other processes."""

    system: System
    cells: NDArray[np.int64]
    problems: list[Any]
    addresses: list[str]
    problem_of: NDArray[np.int32]
    """Position in `problems` of what each cell starts from."""
    field_values: NDArray[np.float64]
    """Shape (cells, addresses)."""
    methods: list[str]
    time_limit_s: float
    keep_answers: bool


def solve(work: Work, threads: int, accept: Callable[[Rows], None]) -> None:
    """Solve the cells of `work`; `accept` gets rows as they finish. Ctrl-C ends it early, unraised."""
    width = len(work.methods)
    columns = work.system.empty_columns(len(work.cells) * width)

    def on_finished(rows: NDArray[np.int64], messages: dict[int, str], answers: list[Any]) -> None:
        index = work.cells[rows // width] * width + rows % width
        named = {int(work.cells[row // width] * width + row % width): text for row, text in messages.items()}
        accept(Rows(index, {name: column[rows] for name, column in columns.items()}, named, answers))

    work.system.run(
        problems=work.problems,
        addresses=work.addresses,
        which=work.problem_of,
        values=work.field_values,
        columns=columns,
        methods=work.methods,
        time_limit_s=work.time_limit_s,
        threads=threads,
        keep_answers=work.keep_answers,
        on_finished=on_finished,
    )


def solve_apart(work: Work) -> list[Rows]:
    """`solve` in a worker of an executor, on one thread."""
    found: list[Rows] = []
    solve(work, 1, found.append)
    return found
