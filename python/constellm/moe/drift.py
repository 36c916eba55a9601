"""One model over windows of time: which experts move when, as loads and the constellation drift."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count, instance, known_keywords, real, short
from ..core.display import Display, Displayed
from ..core.progress import waiting
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value, relative_gap
from .arguments import as_array, frozen
from .problem import Problem
from .solver import Placement, positions_of, solve


@dataclass(frozen=True, eq=False, repr=False)
class Drift(Value, Displayed):
    """One model over windows of time, and what it costs to move its experts between them.

    Each window has a placement of its own, which serves the window's tokens. What a schedule of placements
    costs is the time that all tokens wait: over the windows tokens · token latency, and for each expert that
    is elsewhere than in the window before what moving it costs.

    Parameters
    ----------
    windows : sequence of Problem
        With the same layers, experts, satellites and `top_k`; weights and latencies are each window's own.
    tokens : array_like, scalar or shape (windows,)
        How many each window serves, > 0.
    move_s : array_like, scalar or shape (satellites, satellites)
        What moving an expert costs, from a satellite to another: the time that tokens wait for it, summed
        over them [s], >= 0, and 0 from a satellite to itself. A scalar holds between any two; where it is
        infinite nothing ever moves.
    start : sequence of sequence, optional
        Where experts are before the first window, by id or position, layer by layer; default: placing them
        first costs nothing.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import moe
    >>> dawn = moe.Problem([moe.Layer([3, 1], [[0.010, 0.020, 0.030]])], top_k=1)
    >>> dusk = moe.Problem([moe.Layer([1, 3], [[0.030, 0.020, 0.010]])], top_k=1)
    >>> moe.Drift([dawn, dusk], tokens=1000, move_s=2)
    Drift(2 windows, 1 layer, 2 experts, 3 satellites)
    """

    windows: tuple[Problem, ...]
    tokens: NDArray[np.float64]
    move_s: NDArray[np.float64]
    start: Placement | None

    def __init__(
        self,
        windows: Sequence[Problem],
        tokens: ArrayLike,
        move_s: ArrayLike,
        start: Sequence[Sequence[Any]] | None = None,
    ) -> None:
        if isinstance(windows, Problem) or not isinstance(windows, Iterable):
            raise TypeError(f"windows: expected a sequence of Problem, got {short(windows)}")
        windows = tuple(instance(f"windows[{w}]", window, Problem) for w, window in enumerate(windows))
        if not windows:
            raise ValueError("windows: must not be empty")
        counts = np.broadcast_to(
            as_array("tokens", np.atleast_1d(np.asarray(tokens)), "windows"),
            (len(windows),) if np.ndim(tokens) == 0 else np.shape(tokens),
        )
        costs = np.asarray(move_s)
        if costs.ndim:
            costs = as_array("move_s", move_s, "satellites, satellites")
        else:
            costs = np.asarray(real("move_s", costs.item() if costs.dtype.kind in "iuf" else move_s, least=0))
        placed = None
        if start is not None:
            places = positions_of(windows[0], start, "start")
            placed = tuple(tuple(windows[0].satellites[s] for s in layer) for layer in places)
        values = (windows, frozen(counts), frozen(costs), placed)
        for of, value in zip(fields(self), values):
            object.__setattr__(self, of.name, value)
        _core.check_drift(**self._arguments())

    def _arguments(self) -> dict[str, Any]:
        """For the core."""
        return {
            "windows": [window._compiled for window in self.windows],
            "tokens": self.tokens,
            "move_s": self.move_s,
            "start": None if self.start is None else positions_of(self.windows[0], self.start),
        }

    def replace(self, **changes: Any) -> Drift:
        """A copy with some of the parameters changed."""
        parameters = {of.name: getattr(self, of.name) for of in fields(self)}
        known_keywords("replace", changes, parameters)
        return Drift(**{**parameters, **changes})

    def __reduce__(self) -> tuple[Any, ...]:
        return Drift, (self.windows, self.tokens, self.move_s, self.start)

    def __repr__(self) -> str:
        return f"Drift({self._size()})"

    def _size(self) -> str:
        first = self.windows[0]
        return (
            f"{counted(len(self.windows), 'window')}, {counted(len(first.layers), 'layer')}, "
            f"{counted(sum(first.experts), 'expert')}, {counted(len(first.satellites), 'satellite')}"
        )

    def _display(self) -> Display:
        rows = [
            (str(w), window.name, f"{tokens:g}", str(window.slots))
            for w, (window, tokens) in enumerate(zip(self.windows, self.tokens.tolist()))
        ]
        cost = f"{quantity(float(self.move_s), 's')}" if self.move_s.ndim == 0 else "by satellites"
        lines = [f"Drift of {self._size()}", f"moving an expert: {cost}"]
        return Display(lines, [Table(("window", "problem", "tokens", "slots"), rows)])


@dataclass(frozen=True, eq=False, repr=False)
class Schedule(Value, Displayed):
    """Placements over windows, and what they cost; what `replan` and `rebalance` give.

    Schedules are equal that say the same of the same drift, however they were found.

    Examples
    --------
    See `constellm.moe.replan`.
    """

    drift: Drift
    status: str
    """``optimal`` (a proven relative gap of at most 1e-9), ``feasible``, ``infeasible``, ``no_plan_found``,
    ``time_limit`` or ``interrupted``."""
    placements: tuple[Placement, ...]
    """Window by window; empty where there are none."""
    cost_s: float
    """What all tokens wait, moves included [s]; NaN without placements."""
    lower_bound_s: float
    """No schedule costs less [s]; infinite where there is none."""
    token_latency_s: NDArray[np.float64]
    """Of one token (windows,) [s]."""
    window_move_s: NDArray[np.float64]
    """What moving into the window costs (windows,) [s]."""
    moved: NDArray[np.int32]
    """Experts that move into the window (windows,)."""
    seconds: float = field(default=0.0, compare=False)
    """Spent [s]."""
    nodes: int = field(default=0, compare=False)
    """Of the search trees."""

    def __post_init__(self) -> None:
        for name in ("token_latency_s", "window_move_s"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        moved = np.array(self.moved, dtype=np.int32)
        moved.flags.writeable = False
        object.__setattr__(self, "moved", moved.view())

    @property
    def moves(self) -> int:
        """Experts that move, over all windows."""
        return int(self.moved.sum())

    @property
    def gap(self) -> float:
        """How far the cost may be from the least, relative to itself; NaN without placements."""
        return relative_gap(self.cost_s, self.lower_bound_s)

    def __reduce__(self) -> tuple[Any, ...]:
        return Schedule, tuple(getattr(self, of.name) for of in fields(self))

    def __repr__(self) -> str:
        worth = ""
        if self.placements:
            worth = f", cost_s={self.cost_s:.6g}, {counted(self.moves, 'move')}, gap={self.gap:.3g}"
        return f"Schedule({counted(len(self.drift.windows), 'window')}: {self.status}{worth})"

    def _display(self) -> Display:
        lines = [f"Schedule of {self.drift._size()}: {self.status}"]
        if not self.placements:
            return Display(lines)
        cost = quantity(self.cost_s, "s", digits=4)
        proven = "costs less" if self.status == "optimal" else f"is more than {self.gap:.2%} below it"
        lines.append(f"all tokens wait {cost}, {counted(self.moves, 'move')} included; no schedule {proven}")
        rows = [
            (str(w), f"{tokens:g}", quantity(latency_s, "s"), str(moved), quantity(move_s, "s"))
            for w, (tokens, latency_s, moved, move_s) in enumerate(
                zip(self.drift.tokens, self.token_latency_s, self.moved, self.window_move_s)
            )
        ]
        head = ("window", "tokens", "token latency", "experts moved", "moves cost")
        return Display(lines, [Table(head, rows)])


def replan(drift: Drift, *, time_limit_s: float = math.inf) -> Schedule:
    """The placements over the windows for which tokens wait the least, moves included.

    Between two extremes: each window's own best placement, whatever moves it takes, and one placement for all
    (``drift.replace(move_s=math.inf)``).

    Parameters
    ----------
    drift : Drift
    time_limit_s : float
        Stop after this time, with the best schedule and a true bound [s], >= 0.

    Returns
    -------
    Schedule
        After Ctrl-C the best so far, of status ``interrupted``.

    Raises
    ------
    TypeError, ValueError
        For what is no drift, a wrong limit, and windows whose tables do not fit into memory.

    Examples
    --------
    >>> from constellm import moe
    >>> dawn = moe.Problem([moe.Layer([3, 1], [[0.010, 0.020, 0.030]])], top_k=1)
    >>> dusk = moe.Problem([moe.Layer([1, 3], [[0.030, 0.020, 0.010]])], top_k=1)
    >>> drift = moe.Drift([dawn, dusk], tokens=1000, move_s=2)
    >>> found = moe.replan(drift)
    >>> found.status, round(found.cost_s, 9), found.moves
    ('optimal', 29.0, 2)
    >>> found.placements
    ((('s0', 's1'),), (('s1', 's2'),))
    >>> moe.replan(drift.replace(move_s=6)).moves
    0
    """
    instance("drift", drift, Drift)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    begin = time.perf_counter()
    with waiting("replan", limit_s=limit_s):
        status, placements, bound_s, nodes = _core.replan(**drift._arguments(), time_limit_s=limit_s)
    ids = drift.windows[0].satellites
    return _schedule(
        drift,
        status,
        [tuple(tuple(ids[s] for s in layer) for layer in placement) for placement in placements],
        math.inf if status == "infeasible" else bound_s,
        begin,
        nodes,
    )


def rebalance(drift: Drift, *, every: int = 1, time_limit_s: float = math.inf) -> Schedule:
    """What periodic re-balancing does: the best placement of every so many windows, whatever moves cost.

    The placement of the first window of each period is held until the next one.

    Parameters
    ----------
    drift : Drift
    every : int
        Windows of a period.
    time_limit_s : float
        Of the placement of one window, as of `solve` [s].

    Returns
    -------
    Schedule
        Of status ``feasible``; ``no_plan_found`` where a placement cannot be held, ``infeasible`` where a
        window that is placed has none. Its bound is what the windows cost at least, each for itself; of those
        that are not placed, by the theorem at mean latencies.

    Raises
    ------
    TypeError, ValueError
        For what is no drift, and a wrong period or limit.

    Examples
    --------
    >>> from constellm import moe
    >>> dawn = moe.Problem([moe.Layer([3, 1], [[0.010, 0.020, 0.030]])], top_k=1)
    >>> dusk = moe.Problem([moe.Layer([1, 3], [[0.030, 0.020, 0.010]])], top_k=1)
    >>> drift = moe.Drift([dawn, dusk], tokens=1000, move_s=6)
    >>> round(moe.rebalance(drift).cost_s), round(moe.rebalance(drift, every=2).cost_s)
    (37, 35)
    >>> round(moe.replan(drift).cost_s)
    30
    """
    instance("drift", drift, Drift)
    every = count("every", every)
    begin = time.perf_counter()
    plans = [solve(window, time_limit_s=time_limit_s) for window in drift.windows[::every]]
    bound_s = sum(
        tokens * (solve(window, method="sorted") if w % every else plans[w // every]).lower_bound_s
        for w, (window, tokens) in enumerate(zip(drift.windows, drift.tokens.tolist()))
    )
    placements = [plans[w // every].placement for w in range(len(drift.windows))]
    nodes = sum(plan.nodes for plan in plans)
    if not all(placements):
        return _schedule(drift, "infeasible", [], math.inf, begin, nodes)
    try:
        return _schedule(drift, "feasible", placements, bound_s, begin, nodes)
    except ValueError:  # held where a satellite is not reachable
        return _schedule(drift, "no_plan_found", [], bound_s, begin, nodes)


def evaluate_schedule(drift: Drift, placements: Sequence[Sequence[Sequence[Any]]]) -> Schedule:
    """What placements over the windows cost.

    Parameters
    ----------
    drift : Drift
    placements : sequence
        Of each window a placement, as of `constellm.moe.evaluate`.

    Returns
    -------
    Schedule
        Of status ``feasible``; its bound is 0.

    Raises
    ------
    TypeError, ValueError
        For what is no placement of its window.

    Examples
    --------
    >>> from constellm import moe
    >>> dawn = moe.Problem([moe.Layer([3, 1], [[0.010, 0.020, 0.030]])], top_k=1)
    >>> dusk = moe.Problem([moe.Layer([1, 3], [[0.030, 0.020, 0.010]])], top_k=1)
    >>> drift = moe.Drift([dawn, dusk], tokens=1000, move_s=2)
    >>> moe.evaluate_schedule(drift, [[["s0", "s1"]], [["s1", "s2"]]]).window_move_s.tolist()
    [0.0, 4.0]
    """
    instance("drift", drift, Drift)
    if isinstance(placements, str) or not isinstance(placements, Iterable):
        raise TypeError(f"placements: expected one of each window, got {short(placements)}")
    ids = drift.windows[0].satellites
    named: list[Placement] = []
    for w, placement in enumerate(placements):
        places = positions_of(drift.windows[0], placement, f"placements[{w}]")
        named.append(tuple(tuple(ids[s] for s in layer) for layer in places))
    if len(named) != len(drift.windows):
        raise ValueError(f"placements: {len(named)} of them for {counted(len(drift.windows), 'window')}")
    return _schedule(drift, "feasible", named, 0.0, time.perf_counter(), 0)


def _schedule(
    drift: Drift, status: str, placements: list[Placement], bound_s: float, begin: float, nodes: int
) -> Schedule:
    if placements:
        places = [positions_of(drift.windows[0], placement) for placement in placements]
        cost_s, latency_s, move_s, moved = _core.evaluate_schedule(**drift._arguments(), placements=places)
    else:
        nothing = np.full(len(drift.windows), np.nan)
        cost_s, latency_s, move_s, moved = math.nan, nothing, nothing, np.zeros(len(nothing), dtype=np.int32)
    seconds = time.perf_counter() - begin
    return Schedule(
        drift, status, tuple(placements), cost_s, bound_s, latency_s, move_s, moved, seconds, nodes
    )
