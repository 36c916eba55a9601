"""Waiting that the limit of utilisation stands for, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import instance
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from .evaluation import placement_in
from .placement import Placement, Positions, positions_of
from .problem import Problem
from .travel import links_of, trips

if TYPE_CHECKING:
    from .plan import Plan


@dataclass(frozen=True, eq=False, repr=False)
class Waiting(Displayed):
    """Mean waiting at nodes and links, and delays with it; what `waiting` gives.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=1e11, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=5.0, source="s0", sink="s0", stages=[stage])])
    >>> placement = services.Placement({"encoder": ["s0"]}, {"detect": ["s0"]})
    >>> services.waiting(problem, placement)
    Waiting(mean delay 100 ms alone, 150 ms with waiting; most used 50.0 %)
    """

    problem: Problem
    node_utilisation: NDArray[np.float64]
    """(nodes,)"""
    node_wait_s: NDArray[np.float64]
    """(nodes,) of a stage before it begins; infinite from a utilisation of 1 on [s]."""
    link_utilisation: NDArray[np.float64]
    """(links,)"""
    link_wait_s: NDArray[np.float64]
    """(links,) of a transfer before it is sent [s]."""
    alone_s: NDArray[np.float64]
    """(tasks,) delay of a request that never waits; NaN where a task is not admitted [s]."""
    task_delay_s: NDArray[np.float64]
    """(tasks,) with waiting [s]."""
    rate_per_s: NDArray[np.float64]
    """(tasks,) of the demand that was looked at [1/s]."""

    @property
    def delay_s(self) -> float:
        """Mean delay of admitted tasks by their rates, waiting included [s]."""
        return self._mean(self.task_delay_s)

    @property
    def wait_s(self) -> float:
        """How much of the mean delay is waiting [s]."""
        return self.delay_s - self._mean(self.alone_s)

    @property
    def late(self) -> tuple[str, ...]:
        """Tasks whose mean delay, waiting included, is after their deadline."""
        return tuple(
            task.name
            for task, delay_s in zip(self.problem.tasks, self.task_delay_s.tolist())
            if task.deadline_s is not None and delay_s > task.deadline_s
        )

    def _mean(self, delay_s: NDArray[np.float64]) -> float:
        known = ~np.isnan(delay_s) & (self.rate_per_s > 0)
        rates = self.rate_per_s[known]
        return float(np.dot(rates, delay_s[known]) / rates.sum()) if len(rates) else 0.0

    def __repr__(self) -> str:
        most = max(self.node_utilisation.max(initial=0.0), self.link_utilisation.max(initial=0.0))
        alone, waited = (quantity(x, "s") for x in (self._mean(self.alone_s), self.delay_s))
        return f"Waiting(mean delay {alone} alone, {waited} with waiting; most used {most:.1%})".replace(
            "%", " %"
        )

    def _display(self) -> Display:
        tasks = [
            (
                task.name,
                alone,
                with_waiting,
                "–" if task.deadline_s is None else quantity(task.deadline_s, "s"),
            )
            for task, alone, with_waiting in zip(
                self.problem.tasks, self.alone_s.tolist(), self.task_delay_s.tolist()
            )
        ]
        nodes = [
            (node.id, f"{used:.0%}", wait_s)
            for node, used, wait_s in zip(
                self.problem.network.nodes, self.node_utilisation.tolist(), self.node_wait_s.tolist()
            )
            if used > 0
        ]
        return Display(
            [repr(self)],
            [
                Table(("task", "alone_s", "with_waiting_s", "deadline"), tasks),
                Table(("node", "used", "wait_s"), nodes),
            ],
        )


def waiting(problem: Problem, placement: Placement | Plan, *, rate_per_s: ArrayLike | None = None) -> Waiting:
    """How long requests wait at the nodes and links of a placement, in the mean.

    Every node and link is a queue of one server, first come first served, without end. Of stages or transfers
    i that come at rates λᵢ and take sᵢ, in all λ = Σ λᵢ::

        utilisation ρ = Σ λᵢ sᵢ        waiting W = Σ λᵢ sᵢ² / (2 (1 − ρ))

    the formula of Pollaczek and Khinchine for Poisson arrivals (M/G/1); for stages that all take s it is
    ρ s / (2 (1 − ρ)), that of M/D/1. A stage begins W later than its last input came, a transfer is sent W
    later on each link; latency occupies nothing.

    Parameters
    ----------
    problem : Problem
    placement : Placement or Plan
        Limits are not looked at.
    rate_per_s : array_like, shape (tasks,), optional
        Demand, >= 0 [1/s]; default: the nominal rates.

    Returns
    -------
    Waiting

    Raises
    ------
    TypeError, ValueError
        For what is no placement of the problem, and rates of another shape or out of range.

    Notes
    -----
    Exact for one queue that requests reach as a Poisson process. In a network it is an approximation: what
    leaves a queue with fixed service times is no Poisson process, and the stages of one request are not
    independent of each other; that they may be taken so is Kleinrock's independence (1964), good where many
    tasks mix, too high along a chain that one task has for itself: what comes evenly does not wait. Where two
    inputs join the later of the two means is taken; the mean of the later one is above it.

    Examples
    --------
    See `constellm.services.Waiting`.
    """
    instance("problem", problem, Problem)
    positions = positions_of(problem, placement_in(placement))
    rates = _rates(problem, rate_per_s)
    visits = [_visits(problem, positions, t) for t in range(len(problem.tasks))]
    nodes = _queues(len(problem.network.nodes))
    links = _queues(len(problem.network.rate_bps))
    for rate, visit in zip(rates.tolist(), visits):
        for v, seconds in visit.stages:
            nodes[:, v] += rate * np.array([seconds, seconds**2])
        for crossed, seconds_on in visit.transfers:
            for a, seconds in zip(crossed, seconds_on):
                links[:, a] += rate * np.array([seconds, seconds**2])
    node_wait, link_wait = _pollaczek_khinchine(nodes), _pollaczek_khinchine(links)
    nothing_n, nothing_l = np.zeros_like(node_wait), np.zeros_like(link_wait)
    return Waiting(
        problem=problem,
        node_utilisation=nodes[0],
        node_wait_s=node_wait,
        link_utilisation=links[0],
        link_wait_s=link_wait,
        alone_s=np.array([_delay(problem, t, v, nothing_n, nothing_l) for t, v in enumerate(visits)]),
        task_delay_s=np.array([_delay(problem, t, v, node_wait, link_wait) for t, v in enumerate(visits)]),
        rate_per_s=rates,
    )


@dataclass(frozen=True)
class _Visits:
    """Where a request of a task comes by."""

    stages: list[tuple[int, float]]
    """Node and seconds there, of each stage."""
    transfers: list[tuple[list[int], list[float]]]
    """Links and seconds on each, without latency, of each transfer: inputs by stage, then the answer."""


def _visits(problem: Problem, positions: Positions, t: int) -> _Visits:
    task, nodes = problem.tasks[t], positions.assignment[t]
    if not nodes:
        return _Visits([], [])
    graph = problem.network
    flop = {service.name: service.flop for service in problem.services}
    stages = [(v, flop[stage.service] / graph.nodes[v].flop_per_s) for stage, v in zip(task.stages, nodes)]
    rate_bps = np.asarray(graph.rate_bps)
    transfers = []
    for trip in trips(problem, t, nodes):
        crossed = links_of(problem, trip)
        transfers.append((crossed, [8.0 * trip.bytes / float(rate_bps[a]) for a in crossed]))
    return _Visits(stages, transfers)


def _delay(
    problem: Problem,
    t: int,
    visits: _Visits,
    node_wait_s: NDArray[np.float64],
    link_wait_s: NDArray[np.float64],
) -> float:
    """Of a task where a stage begins and a transfer is sent so much later."""
    if not visits.stages:
        return math.nan
    latency_s = np.asarray(problem.network.latency_s)
    under_way = [
        sum(float(link_wait_s[a] + latency_s[a]) + seconds for a, seconds in zip(crossed, seconds_on))
        for crossed, seconds_on in visits.transfers
    ]
    ends: list[float] = []
    at = 0
    for stage, (v, seconds) in zip(problem.tasks[t].stages, visits.stages):
        begins = 0.0
        for of in stage.inputs:
            begins = max(begins, (ends[of.from_] if of.from_ >= 0 else 0.0) + under_way[at])
            at += 1
        ends.append(begins + float(node_wait_s[v]) + seconds)
    return ends[-1] + under_way[at]


def _queues(number: int) -> NDArray[np.float64]:
    """Σ λ s and Σ λ s² of each."""
    return np.zeros((2, number))


def _pollaczek_khinchine(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    used, squares = sums
    free = 1.0 - used
    wait = np.divide(squares, 2.0 * free, out=np.full(len(used), np.inf), where=free > 0)
    return np.where(used > 0, wait, 0.0)


def _rates(problem: Problem, given: ArrayLike | None) -> NDArray[np.float64]:
    nominal = np.array([task.rate_per_s for task in problem.tasks])
    if given is None:
        return nominal
    rates = np.asarray(given)
    if rates.dtype.kind not in "iuf":
        raise TypeError(f"rate_per_s: expected numbers, got {rates.dtype}")
    if rates.shape != nominal.shape:
        raise ValueError(f"rate_per_s: shape {rates.shape} is not {nominal.shape}")
    rates = rates.astype(np.float64)
    if not (np.isfinite(rates) & (rates >= 0)).all():
        raise ValueError(f"rate_per_s: {rates.min():g} to {rates.max():g} is not in [0, inf)")
    return rates
