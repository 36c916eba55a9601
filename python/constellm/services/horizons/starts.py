"""What slots by themselves say of a horizon: bounds, and placements to begin with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..exact.heuristics import anneal
from ..exact.highs import Clock
from ..exact.instance import Instance
from ..exact.judging import Judged, judge
from ..exact.optimal import least
from ..exact.work import Work
from ..placement import Placement, positions_of
from ..problem import Problem
from .horizon import Horizon
from .programme import Replicas

_NEAR = 6  # slots on each side whose placements a slot tries


class Alone(NamedTuple):
    """What a slot can be by itself."""

    bound: float
    """Of its own objective; infinite: it has no plan."""
    best: Judged | None


def alone(horizon: Horizon, instances: Sequence[Instance], clock: Clock, seed: int) -> list[Alone]:
    """Each slot by itself, in even parts of half the time; only the first term."""
    found = []
    for k, (problem, instance) in enumerate(zip(horizon.slots, instances)):
        part = Clock(clock.left_s / 2 / (len(instances) - k))
        if part.left_s <= 0.0:
            found.append(Alone(0.0, None))
            continue
        work = Work(instance, part, seed)
        start = anneal(problem, seed=seed, threads=1, time_limit_s=part.left_s)
        if start.positions is not None:
            work.offer(judge(instance, start.positions.assignment), problem.objective, {})
        if problem.objective == "admitted" and work.best is None:
            work.offer(judge(instance, [()] * instance.tasks), problem.objective, {})
        part.interrupted = start.status == "interrupted"
        is_proven = not part.interrupted and least(work, problem.objective, {})
        clock.interrupted = clock.interrupted or part.interrupted
        if is_proven and work.best is None:
            found.append(Alone(math.inf, None))
        else:
            found.append(Alone(max(0.0, work.bound), work.best))
    return found


class _Candidate(NamedTuple):
    judged: Judged
    replicas: frozenset[tuple[int, int]]
    """Service and node."""
    terms: tuple[float, float]
    """First and second, times the share of the slot."""


class Known(NamedTuple):
    """Beside the slots' own bests."""

    before: tuple[Problem, Placement] | None = None
    """What was placed in the slot before the first."""
    core: frozenset[tuple[int, int]] | None = None
    """Services and nodes of the core, where it is given."""


def chained(
    horizon: Horizon, instances: Sequence[Instance], slots: Sequence[Alone], known: Known
) -> list[Replicas] | None:
    """The best sequence of the slots' own placements and their neighbours', by dynamic programming.

    Each slot tries what is best for the slots near it, and what was placed before; a sequence pays for its
    starts and keeps their limits. The core then has, in all slots, what is given or what it has in any.
    """
    best: dict[int, tuple[tuple[float, float], list[int]]] = {}
    before: list[_Candidate] = []
    listed: list[list[_Candidate]] = []
    core = {s for s, service in enumerate(horizon.services) if service.name in horizon.core}
    for k in range(len(slots)):
        here = [
            candidate
            for candidate in _candidates(horizon, instances[k], _assignments(horizon, slots, known, k), k)
            if known.core is None or {one for one in candidate.replicas if one[0] in core} <= known.core
        ]
        after: dict[int, tuple[tuple[float, float], list[int]]] = {}
        for c, candidate in enumerate(here):
            for ways, spent, path in _ways(horizon, candidate, before, best, k):
                terms = (spent[0] + candidate.terms[0] + ways[0], spent[1] + candidate.terms[1] + ways[1])
                if c not in after or terms < after[c][0]:
                    after[c] = (terms, [*path, c])
        if not after:
            return None
        best, before = after, here
        listed.append(here)
    _, path = min(best.values())
    chosen = [here[c] for here, c in zip(listed, path)]
    kept = known.core
    if kept is None:
        kept = frozenset(one for candidate in chosen for one in candidate.replicas if one[0] in core)
    return [
        Replicas(
            tuple(
                tuple(sorted(v for of, v in candidate.replicas | kept if of == s))
                for s in range(len(horizon.services))
            ),
            candidate.judged.assignment,
        )
        for candidate in chosen
    ]


def _assignments(
    horizon: Horizon, slots: Sequence[Alone], known: Known, k: int
) -> Iterator[tuple[tuple[int, ...], ...]]:
    """What slot k tries: its own first, then of its neighbours, of the slot before all of them last."""
    tasks = [task.name for task in horizon.slots[k].tasks]
    near = sorted(range(max(0, k - _NEAR), min(len(slots), k + _NEAR + 1)), key=lambda j: (abs(j - k), j))
    for j in near:
        other = slots[j].best
        if other is not None and [task.name for task in horizon.slots[j].tasks] == tasks:
            yield other.assignment
    if known.before is not None:
        problem, placement = known.before
        if [task.name for task in problem.tasks] == tasks:
            yield tuple(map(tuple, positions_of(problem, placement).assignment))


def _candidates(
    horizon: Horizon, instance: Instance, assignments: Iterable[tuple[tuple[int, ...], ...]], k: int
) -> Iterator[_Candidate]:
    """Different assignments that keep the limits of slot k."""
    share, objective = horizon.shares[k], horizon.objective
    for assignment in dict.fromkeys(assignments):
        judged = _judged(instance, assignment)
        if judged is None or not judged.keeps_limits:
            continue
        second = judged.delay_s if objective == "cost" else judged.cost
        replicas = frozenset((s, v) for s, nodes in enumerate(judged.replicas) for v in nodes)
        yield _Candidate(judged, replicas, (share * judged.value(objective), share * second))


def _judged(instance: Instance, assignment: tuple[tuple[int, ...], ...]) -> Judged | None:
    """An assignment of any slot in this one; None where some way is not there."""
    try:
        return judge(instance, assignment)
    except ValueError:
        return None


def _ways(
    horizon: Horizon,
    candidate: _Candidate,
    before: Sequence[_Candidate],
    best: dict[int, tuple[tuple[float, float], list[int]]],
    k: int,
) -> Iterator[tuple[tuple[float, float], tuple[float, float], list[int]]]:
    """After each of the slot before: what the candidate's starts cost, what was spent, the way there."""
    if k == 0:
        paid = (0.0, 0.0) if horizon.initial is None else _paid(horizon, candidate, _initial(horizon))
        if paid is not None:
            yield paid, (0.0, 0.0), []
        return
    for c, (spent, path) in best.items():
        paid = _paid(horizon, candidate, before[c].replicas)
        if paid is not None:
            yield paid, spent, path


def _initial(horizon: Horizon) -> frozenset[tuple[int, int]]:
    there = horizon.initial or {}
    return places_of(horizon, there, [service.name for service in horizon.services])


def places_of(
    horizon: Horizon, replicas: Mapping[str, Sequence[str]], names: Sequence[str]
) -> frozenset[tuple[int, int]]:
    """Positions of these services and their nodes."""
    place = {id: v for v, id in enumerate(horizon.node_ids)}
    number = {service.name: s for s, service in enumerate(horizon.services)}
    return frozenset((number[name], place[id]) for name in names for id in replicas[name])


def _paid(
    horizon: Horizon, candidate: _Candidate, before: frozenset[tuple[int, int]]
) -> tuple[float, float] | None:
    """Of its starts in the first and the second term; None where they are too many."""
    starts = sorted(candidate.replicas - before)
    if horizon.max_starts is not None and len(starts) > horizon.max_starts:
        return None
    if math.fsum(horizon.services[s].memory_bytes for s, _ in starts) > horizon.most_moved_bytes:
        return None
    costs = horizon.cost_of_start
    paid = math.fsum(costs[s] for s, _ in starts)
    return (paid, 0.0) if horizon.objective == "cost" else (0.0, paid)
