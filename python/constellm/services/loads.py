"""What a placement loads nodes and links with, and the worst of it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.checks import instance
from .evaluation import evaluate
from .placement import Placement, positions_of
from .plan import Plan
from .problem import Problem
from .travel import links_of, trips

Floats = NDArray[np.float64]

ROOM = 1.0 + 1e-9
"""Of limits, as of those of a problem."""


class Loaded(NamedTuple):
    where: str | tuple[str, str]
    per_request: Floats
    """What a request of each task loads it with (tasks,) [FLOP or bit]."""
    limit: float


def rates_of(problem: Any) -> tuple[Floats, Floats]:
    instance("problem", problem, Problem)
    rate = np.array([task.rate_per_s for task in problem.tasks], dtype=np.float64)
    return rate, np.array([task.deviation_per_s for task in problem.tasks], dtype=np.float64)


def loads_of(problem: Problem, placement: Any) -> list[Loaded]:
    """Of nodes in their order, then links, all that something loads."""
    instance("problem", problem, Problem)
    if problem.samples is not None:
        raise ValueError("problem: has samples in place of a set of demands")
    if isinstance(placement, Plan):
        placement = placement.placement
    instance("placement", placement, Placement)
    evaluate(problem, placement)  # which refuses what is none
    graph = problem.network
    nodes = np.zeros((len(graph.nodes), len(problem.tasks)))
    links = np.zeros((graph.link_count, len(problem.tasks)))
    flop = {service.name: service.flop for service in problem.services}
    assignment = positions_of(problem, placement).assignment
    for t, (task, on) in enumerate(zip(problem.tasks, assignment)):
        for stage, v in zip(task.stages, on):
            nodes[v, t] += flop[stage.service]
        for trip in trips(problem, t, on) if on else ():
            links[links_of(problem, trip), t] += 8.0 * trip.bytes
    found = [
        Loaded(node.id, nodes[v], problem.max_utilisation * node.flop_per_s)
        for v, node in enumerate(graph.nodes)
        if nodes[v].any()
    ]
    ids = graph.nodes.ids()
    for link in np.flatnonzero(links.any(axis=1)).tolist():
        ends = (ids[int(graph.from_[link])], ids[int(graph.to[link])])
        found.append(Loaded(ends, links[link], problem.max_utilisation * float(graph.rate_bps[link])))
    return found


def taken(raise_: Floats, budget: float) -> Floats:
    """How far each task is raised in the worst case, in [0, 1]: those first that load the most."""
    order = np.argsort(-raise_, kind="stable")
    parts = np.zeros(len(raise_))
    parts[order] = np.clip(budget - np.arange(len(raise_)), 0.0, 1.0)
    return np.where(raise_ > 0, parts, 0.0)


def withstood(one: Loaded, rate: Floats, deviation: Floats) -> float:
    """The largest budget whose worst load fits; infinite: all do, NaN: not even the nominal one."""
    left = one.limit - float(one.per_request @ rate)
    room = one.limit * (ROOM - 1.0)
    if left < -room:
        return math.nan
    for whole, load in enumerate(sorted((one.per_request * deviation).tolist(), reverse=True)):
        if load > left + room:
            return whole + max(left, 0.0) / load
        left -= load
    return math.inf
