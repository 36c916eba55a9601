"""Systems that can be swept: the record that cells are made of, the columns of its rows, its solver."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import short

INVALID = "invalid"
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Column:
    """A figure of every row.

    Examples
    --------
    >>> from constellm import sweep
    >>> sweep.Column("delay_s", dtype="f8", unit="s", doc="Of the plan.", empty=float("nan"))
    Column(name='delay_s', dtype='f8', unit='s', doc='Of the plan.', empty=nan)
    """

    name: str
    dtype: str
    """numpy's: ``f8``, ``i8``, ``i1``."""
    unit: str
    doc: str
    empty: float
    """Where nothing was computed."""


@dataclass(frozen=True)
class System:
    """A kind of problem that can be swept; `register` makes it known.

    Attributes
    ----------
    home : str
        Module whose attribute ``SWEEP`` it is: worker processes import it, stores go by its name.
    record : type
        What a cell is. Has ``name`` and ``to_dict()``, and can be pickled.
    columns : tuple of Column
        One of them is ``status``, of codes.
    statuses : tuple of str
        By their codes; ``"interrupted"`` and ``"invalid"`` are among them.
    answer : str
        What one is called: the variable that holds answers where they are kept, and the unit of progress.
    field : callable
        ``field(record, address, earlier)``: unit, and whether it is a count, of the number that `address`
        names; ValueError for an address that leads nowhere, or that sets all that one of the `earlier`
        addresses has set.
    check_method : callable
        ``check_method(name)``: ValueError for a method that is not known.
    run : callable
        Solves cells, with the keywords of the compiled ``run``: `problems`, `addresses`, `which`, `values`,
        `columns`, `methods`, `time_limit_s`, `threads`, `keep_answers`, `on_finished`.

    Examples
    --------
    >>> from constellm.split.sweeping import SWEEP
    >>> SWEEP.record.__name__, [column.name for column in SWEEP.columns][:2]
    ('Problem', ['delay_s', 'bottleneck_s'])
    """

    home: str
    record: type
    columns: tuple[Column, ...]
    statuses: tuple[str, ...]
    answer: str
    field: Callable[[Any, str, Sequence[str]], tuple[str, bool]]
    check_method: Callable[[str], None]
    run: Callable[..., None]

    def __reduce__(self) -> tuple[Callable[[str], System], tuple[str]]:
        return system_at, (self.home,)

    def code(self, status: str) -> int:
        """The code of a status."""
        return self.statuses.index(status)

    def empty_columns(self, rows: int) -> dict[str, NDArray[Any]]:
        """Columns of rows that are not computed yet: status ``interrupted``."""
        return {c.name: np.full(rows, c.empty, dtype=c.dtype) for c in self.columns}

    @property
    def reserved(self) -> frozenset[str]:
        """Names that stand beside those of the axes in results and row files."""
        return frozenset({"cell", "method", "message", self.answer, *(c.name for c in self.columns)})


_SYSTEMS: dict[type, System] = {}


def register(system: System) -> System:
    """Make a system known: what is of its record can be swept from now on.

    Parameters
    ----------
    system : System
        Its `record` is the type that `run` will take; an earlier system of that record is replaced.

    Returns
    -------
    System
        The same.

    Examples
    --------
    >>> from constellm import sweep
    >>> from constellm.split.sweeping import SWEEP
    >>> sweep.register(SWEEP) is SWEEP  # done for this one when `constellm.split` is imported
    True
    """
    _SYSTEMS[system.record] = system
    return system


def system_of(record: Any) -> System:
    """The system whose record this is; TypeError where there is none."""
    for kind in type(record).__mro__:
        if kind in _SYSTEMS:
            return _SYSTEMS[kind]
    raise TypeError(f"problem: expected {known_records()}, got {short(record)}")


def is_record(value: Any) -> bool:
    """Whether a system is known whose record `value` is."""
    return any(kind in _SYSTEMS for kind in type(value).__mro__)


def reserved_names(problem: Any) -> frozenset[str]:
    """Names that no axis over `problem` may have.

    Of a factory, which may make any record, those of all systems.
    """
    systems = [system_of(problem)] if is_record(problem) else _SYSTEMS.values()
    return frozenset().union(*(system.reserved for system in systems))


def known_records() -> str:
    """What can be swept, for messages."""
    return " or ".join(f"a {kind.__name__}" for kind in _SYSTEMS)


def registered_at(home: Any) -> System | None:
    """The system that was registered with that home: what a file names is never imported."""
    return next((system for system in _SYSTEMS.values() if system.home == home), None)


def system_at(home: str) -> System:
    """The system whose home is the module of that name."""
    system: System = importlib.import_module(home).SWEEP
    return system


def columns_from(told: Sequence[tuple[str, str, str, str, float]]) -> tuple[Column, ...]:
    """Columns as the compiled part tells them."""
    return tuple(Column(*one) for one in told)
