"""Problems under stress: more demand, demand elsewhere, satellites lost."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, instance, positive, real, short
from ..network import Graph, Nodes
from .problem import Problem
from .tasks import Task


def spiked(problem: Problem, factor: float, *, tasks: Collection[str] | None = None) -> Problem:
    """The problem with demand that is higher by a factor.

    Rates and what they may rise by grow alike; of samples the rates.

    Parameters
    ----------
    problem : Problem
    factor : float
        > 0.
    tasks : collection of str, optional
        Names of the tasks whose demand grows; default: all.

    Returns
    -------
    Problem

    Raises
    ------
    TypeError, ValueError
        For what is no problem, factor or task.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=4, requests_per_s=5.0)
    >>> round(sum(task.rate_per_s for task in services.spiked(problem, 1.5).tasks), 9)
    7.5
    """
    instance("problem", problem, Problem)
    up = positive("factor", factor)
    chosen = _tasks("tasks", problem, tasks)
    return _with_rates(problem, [up if task.name in chosen else 1.0 for task in problem.tasks])


def shifted(problem: Problem, to: Collection[str], share: float) -> Problem:
    """The problem with demand that moves to some of the tasks, the sum of the rates kept.

    Every other task loses `share` of its rate, and the given ones get it in proportion to theirs. What rates
    may rise by stays in proportion to them.

    Parameters
    ----------
    problem : Problem
    to : collection of str
        Names of the tasks that get it, such as those of one region.
    share : float
        In [0, 1).

    Returns
    -------
    Problem

    Raises
    ------
    TypeError, ValueError
        For what is no problem, share or task.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=4, requests_per_s=5.0)
    >>> moved = services.shifted(problem, [problem.tasks[0].name], 0.5)
    >>> [round(task.rate_per_s, 2) for task in moved.tasks]
    [3.17, 0.53, 0.8, 0.51]
    """
    instance("problem", problem, Problem)
    part = real("share", share, least=0.0, most=1.0)
    if part == 1.0:
        raise ValueError(f"share: {short(share)} is not in [0, 1): a task needs requests")
    chosen = _tasks("to", problem, to)
    if not chosen:
        raise ValueError("to: must not be empty")
    gains = math.fsum(task.rate_per_s for task in problem.tasks if task.name in chosen)
    loses = math.fsum(task.rate_per_s for task in problem.tasks if task.name not in chosen)
    up = 1.0 + part * loses / gains
    return _with_rates(problem, [up if task.name in chosen else 1.0 - part for task in problem.tasks])


def without(problem: Problem, nodes: Collection[str]) -> Problem:
    """The problem after the loss of satellites.

    A lost node stays in its place, for ids and positions to stay what they are, but computes nothing, holds
    nothing, and has no links. A task whose source or sink is lost is handed over to the neighbour that was
    the nearest, by the latency of its link from the source, or to the sink; of equal ones to the first.

    Parameters
    ----------
    problem : Problem
    nodes : collection of str
        Ids of those that are lost.

    Returns
    -------
    Problem

    Raises
    ------
    TypeError, ValueError
        For what is no problem or node; and where all neighbours of a task's end are lost too: names it.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=4, requests_per_s=5.0)
    >>> worse = services.without(problem, [problem.tasks[0].source])
    >>> problem.tasks[0].source, worse.tasks[0].source
    ('iridium-next/5/10', 'iridium-next/4/10')
    """
    instance("problem", problem, Problem)
    graph = problem.network
    place = {node.id: v for v, node in enumerate(graph.nodes)}
    gone = np.zeros(len(place), dtype=bool)
    gone[[place[id] for id in _ids("nodes", problem, nodes)]] = True
    sender, receiver = np.asarray(graph.from_), np.asarray(graph.to)
    stay = ~(gone[sender] | gone[receiver])
    ids = [node.id for node in graph.nodes]
    tasks = []
    for task in problem.tasks:
        source, sink = place[task.source], place[task.sink]
        ends = (
            _heir(graph, gone, source, sender, receiver, task),
            _heir(graph, gone, sink, receiver, sender, task),
        )
        tasks.append(replace(task, source=ids[ends[0]], sink=ids[ends[1]]))
    left = Graph(
        Nodes([node.replace(flop_per_s=0.0, memory_bytes=0.0) if gone[v] else node
               for v, node in enumerate(graph.nodes)]),
        from_=sender[stay],
        to=receiver[stay],
        rate_bps=np.asarray(graph.rate_bps)[stay],
        latency_s=np.asarray(graph.latency_s)[stay],
    )  # fmt: skip
    life_s = None if problem.life_s is None else problem.life_s[stay]
    return problem.replace(network=left, tasks=tasks, life_s=life_s)


def lose(problem: Problem, number: int, *, seed: int = 0, spare: Iterable[str] = ()) -> tuple[str, ...]:
    """Ids of nodes that compute, drawn at random: a draw of more begins with that of fewer.

    Parameters
    ----------
    problem : Problem
    number : int
        How many, >= 0 and at most all that compute and are not spared.
    seed : int
        >= 0.
    spare : iterable of str
        Ids of those that are not drawn.

    Returns
    -------
    tuple of str
        In the order of the draw.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and the range.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=4, requests_per_s=5.0)
    >>> services.lose(problem, 3)[:2] == services.lose(problem, 2)
    True
    """
    instance("problem", problem, Problem)
    spared = set(_ids("spare", problem, spare))
    ids = [node.id for node in problem.network.nodes if node.flop_per_s > 0 and node.id not in spared]
    number = count("number", number, least=0, most=len(ids))
    draws = np.random.default_rng([count("seed", seed, least=0)]).random(len(ids))
    return tuple(ids[i] for i in np.argsort(draws, kind="stable")[:number])


def _heir(
    graph: Graph,
    gone: NDArray[np.bool_],
    node: int,
    begins: NDArray[np.integer],
    ends: NDArray[np.integer],
    task: Task,
) -> int:
    """Who takes over for a node: itself while it is there."""
    if not gone[node]:
        return node
    links = np.flatnonzero((begins == node) & ~gone[ends])
    if not len(links):
        raise ValueError(f"nodes: {graph.nodes[node].id!r} of {task.name!r} and all its neighbours are lost")
    latency = np.asarray(graph.latency_s)[links]
    nearest = np.lexsort((ends[links], latency))[0]
    return int(ends[links[nearest]])


def _with_rates(problem: Problem, factors: Sequence[float]) -> Problem:
    tasks = [
        replace(task, rate_per_s=task.rate_per_s * by, deviation_per_s=task.deviation_per_s * by)
        for task, by in zip(problem.tasks, factors)
    ]
    samples = None if problem.samples is None else problem.samples * np.asarray(factors)
    return problem.replace(tasks=tasks, samples=samples)


def _tasks(field: str, problem: Problem, names: Collection[str] | None) -> set[str]:
    known = [task.name for task in problem.tasks]
    if names is None:
        return set(known)
    for name in _texts(field, names):
        if name not in known:
            raise ValueError(f"{field}: {short(name)} is not the name of a task")
    return set(names)


def _ids(field: str, problem: Problem, given: Iterable[str]) -> list[str]:
    known = set(problem.network.nodes.ids())
    ids = _texts(field, given)
    for id in ids:
        if id not in known:
            raise ValueError(f"{field}: {short(id)} is not the id of a node")
    return ids


def _texts(field: str, names: Iterable[str]) -> list[str]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(f"{field}: expected a collection of names, got {short(names)}")
    listed = list(names)
    for name in listed:
        if not isinstance(name, str):
            raise TypeError(f"{field}: expected names, got {short(name)}")
    return listed
