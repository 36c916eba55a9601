"""Schedule of a plan: begin and end of every stage and hop for every micro-batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core.split import Plan
from ..core.checks import short
from ..core.console import for_console
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from .solver import as_plan, evaluate

PHASES = ("overhead", "decode", "compute", "encode", "transmit")
_MOST_AT_AN_END = 10_000  # micro-batches of a schedule that nobody chose


@dataclass(frozen=True)
class Server:
    """A stage or a hop: it serves one micro-batch at a time, in order.

    Attributes
    ----------
    name : str
        The node's id, or ``'sender → receiver'``.
    kind : str
        ``'stage'`` or ``'hop'``.
    phases : tuple of (str, float)
        What the time of one micro-batch goes into, in order: (one of `PHASES`, seconds), without empty ones.
    time_s : float
        Seconds per micro-batch, as the evaluator sums them.
    latency_s : float
        Seconds from its finish until the next server, or the sink, has the micro-batch.
    """

    name: str
    kind: str
    phases: tuple[tuple[str, float], ...]
    time_s: float
    latency_s: float

    def __repr__(self) -> str:
        return for_console(
            f"Server({self.name!r}, {self.kind}, {quantity(self.time_s, 's')} per micro-batch)"
        )


@dataclass(frozen=True, eq=False)
class Schedule(Displayed):
    """When every stage and hop of a plan works.

    Attributes
    ----------
    servers : tuple of Server
        Stages and hops in path order; a node that only relays is none.
    micro_batches : ndarray of int64, shape (columns,)
        Which micro-batches, from 0, the columns of the arrays below are. Read-only, as they are.
    start_s, finish_s : ndarray, shape (servers, columns)
        Seconds since the start.
    makespan_s : float
        When the sink has the last result.
    bottleneck : int
        Index of the slowest server, the first of equals.

    Examples
    --------
    >>> from constellm import paper, split
    >>> found = split.schedule(split.solve(paper.collaborative.problem()))
    >>> found.start_s.shape == found.finish_s.shape
    True
    """

    servers: tuple[Server, ...]
    micro_batches: NDArray[np.int64]
    start_s: NDArray[np.float64]
    finish_s: NDArray[np.float64]
    makespan_s: float
    bottleneck: int

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Version 0.1.0 had every micro-batch, and did not say so.
        every = {"micro_batches": np.arange(state["start_s"].shape[1])}
        self.__dict__.update({**every, **state})

    def __repr__(self) -> str:
        return for_console(
            f"Schedule({counted(len(self.servers), 'server')}, "
            f"{counted(len(self.micro_batches), 'micro-batch', 'micro-batches')} shown, makespan "
            f"{quantity(self.makespan_s, 's')}, bottleneck {self.servers[self.bottleneck].name!r})"
        )

    def _display(self) -> Display:
        rows = [
            (server.name, server.kind, *(quantity(value, "s") for value in (server.time_s, start, finish)))
            for server, start, finish in zip(self.servers, self.start_s[:, 0], self.finish_s[:, -1])
        ]
        head = ("server", "kind", "per micro-batch", "first start", "last finish")
        return Display([repr(self)], [Table(head, rows)])


def schedule(plan: Plan, *, micro_batches: ArrayLike | None = None) -> Schedule:
    """The exact pipeline schedule of `plan`, computed from the evaluator's terms.

    Micro-batch m starts at server i when it has come from server i - 1 and server i has finished
    micro-batch m - 1::

        start[i, m] = max(finish[i - 1, m] + latency[i - 1], finish[i, m - 1])

    The times t of a server are the same for all micro-batches, so this has the closed form::

        start[i, m] = sum over j < i of (t[j] + latency[j]) + m * (max over j <= i of t[j])

    The makespan is the plan's ``delay_s`` up to rounding: with deterministic times and buffers that never
    block, the evaluator's formula is this recursion's value.

    Parameters
    ----------
    plan : Plan
        With stages.
    micro_batches : array_like of int, optional
        Which micro-batches to tell of, from 0, in any order. Default: all of them, but of more than
        20,000 the first and the last 10,000; `Schedule.micro_batches` says which.

    Returns
    -------
    Schedule
        When each micro-batch starts and ends at each stage and hop.

    Raises
    ------
    ValueError
        If `plan` holds no stages, as that of an infeasible problem, or for a micro-batch that is not in
        [0, those of the problem).
    TypeError
        If `plan` is no `Plan`, or `micro_batches` are no integers.

    Examples
    --------
    >>> from constellm import paper, split
    >>> plan = split.solve(paper.collaborative.problem())
    >>> round(split.schedule(plan).makespan_s / plan.delay_s, 9)
    1.0
    """
    servers = _servers(as_plan(plan))
    which = _columns(plan.problem.micro_batches, micro_batches)
    time_s = np.array([server.time_s for server in servers])
    latency_s = np.array([server.latency_s for server in servers])
    arrival_s = np.concatenate(([0.0], np.cumsum(time_s + latency_s)))
    period_s = np.maximum.accumulate(time_s)
    start: NDArray[np.float64] = arrival_s[:-1, None] + period_s[:, None] * which.astype(float)
    finish = start + time_s[:, None]
    which.setflags(write=False)
    start.setflags(write=False)
    finish.setflags(write=False)
    return Schedule(
        servers=servers,
        micro_batches=which,
        start_s=start,
        finish_s=finish,
        makespan_s=float(arrival_s[-1] + (plan.problem.micro_batches - 1) * period_s[-1]),
        bottleneck=int(np.argmax(time_s)),
    )


def first_and_last(count: int, first: int, last: int) -> NDArray[np.int64]:
    """The numbers 0 … `count` - 1, or of more than `first` + `last` so many of both ends."""
    if count <= first + last:
        return np.arange(count)
    return np.concatenate((np.arange(first), np.arange(count - last, count)))


@dataclass(frozen=True, eq=False)
class FoldedTime:
    """Time for a picture of a schedule whose columns leave micro-batches out: without the stretch between.

    Attributes
    ----------
    start_s : ndarray, shape (servers, columns)
        Start times, earlier by `cut_s` after the fold. NaN where that lies before the fold: a server ahead of
        the bottleneck is through with the last micro-batches long before.
    fold_s : float
        Where the first part ends; infinite where nothing is cut.
    cut_s : float
        What is cut there.
    end_s : float
        Of the picture.
    """

    start_s: NDArray[np.float64]
    fold_s: float
    cut_s: float
    end_s: float


def folded(flow: Schedule) -> FoldedTime:
    """The times of a schedule of `first_and_last` micro-batches, without the stretch between them."""
    last = 1 + int(np.argmax(np.diff(flow.micro_batches, append=flow.micro_batches[-1] + 2) > 1))
    end_s = float(flow.finish_s[-1, -1]) + flow.servers[-1].latency_s
    if last == flow.micro_batches.size:
        return FoldedTime(flow.start_s, np.inf, 0.0, end_s)
    fold_s = float(flow.finish_s[-1, last - 1]) + flow.servers[-1].latency_s
    resumed_s = float(flow.start_s[flow.bottleneck, last])
    pause_s = 0.04 * (fold_s + end_s - resumed_s)
    cut_s = resumed_s - fold_s - pause_s
    if cut_s <= 0.0:
        return FoldedTime(flow.start_s, np.inf, 0.0, end_s)
    start_s = flow.start_s.copy()
    later = start_s[:, last:]
    later[later < resumed_s] = np.nan
    later -= cut_s
    return FoldedTime(start_s, fold_s, cut_s, end_s - cut_s)


def _columns(count: int, asked: ArrayLike | None) -> NDArray[np.int64]:
    if asked is None:
        return first_and_last(count, _MOST_AT_AN_END, _MOST_AT_AN_END)
    given = np.asarray(asked)
    if given.dtype.kind not in "iu" or given.ndim != 1:
        raise TypeError(f"micro_batches: expected a list of integers, got {short(asked)}")
    wrong = given[(given < 0) | (given >= count)]
    if wrong.size:
        raise ValueError(f"micro_batches: {wrong[0]} is not in [0, {count})")
    return given.astype(np.int64)


def _servers(plan: Plan) -> tuple[Server, ...]:
    terms = evaluate(plan.problem, plan)
    stage_of = {stage.node: stage for stage in terms.stages}
    servers = []
    for position, node in enumerate(plan.path):
        if node in stage_of:
            stage = stage_of[node]
            phases = [(phase, getattr(stage, f"{phase}_s")) for phase in PHASES[:-1]]
            servers.append(_server(node, "stage", phases, stage.time_s, 0.0))
        if position < len(terms.hops):
            hop = terms.hops[position]
            name = f"{hop.from_} → {hop.to}"
            phases = [("transmit", hop.time_s)]
            servers.append(_server(name, "hop", phases, hop.time_s, hop.latency_s))
    return tuple(servers)


def _server(name: str, kind: str, phases: list[tuple[str, float]], time_s: float, latency_s: float) -> Server:
    return Server(name, kind, tuple(phase for phase in phases if phase[1] > 0.0), time_s, latency_s)
