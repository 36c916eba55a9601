"""How a proof is put together: a start, reductions, programmes, what rounding or links add to them, the tie.

Box demands: every load grows with every rate, and no other rule speaks of rates; a placement therefore keeps
all limits for every demand r + d z, 0 ≤ z ≤ 1, if and only if it keeps them at the upper corner z = 1, and
the robust problem is the nominal one at r + d.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ..._core import services as _core
from ..placement import Positions
from ..problem import Problem
from ..solver import Found
from . import highs
from .counts import hit
from .heuristics import anneal
from .highs import Clock
from .instance import Instance, Mask, instance_of
from .judging import add_cut, cuts_of, judge
from .preprocessing import Reduction, reduce, tighten
from .programme import Programme
from .rows import Linear
from .work import EQUAL, Work, aim_of, count, is_reached, proven, raise_bound, unit_of

SECOND = {"cost": "delay", "delay": "cost", "admitted": "cost"}
FORM = {"cost": "pair", "delay": "flow", "admitted": "pair"}
BRANCHES = 500
FIRST_BRANCHES = 500
"""Of the core's search for a plan of one cost, and of any."""
SHAVING_SHARE = 0.5
EXPLORING_SHARE = 0.5
"""Of the time that is left."""
EXPLORED_NODES = 10_000
"""Of the core's search for the least delay."""
CLOSE_GAP = 0.01
"""Relative; where its root leaves more, cuts close it sooner than branches, but of a large programme."""
LARGE_PROGRAMME = 60_000
"""Columns."""
TIE_NODES = 500
"""Of the same where the cost is capped, which programmes are good at too."""
CLIMBS = 100
"""Costs that are tried one by one, from below."""


def programme(
    problem: Problem,
    *,
    time_limit_s: float,
    seed: int,
    threads: int,
    start: Positions | None = None,
    lower_bound: float = 0.0,
    second: bool = True,
) -> Found:
    """By annealing, the core's searches and HiGHS; `start` is a placement in place of annealing's, and
    `lower_bound` is proven. Without `second` the first term alone is minimised."""
    highs.module()
    clock = Clock(time_limit_s)
    if start is None:
        found = anneal(problem, seed=seed, threads=threads, time_limit_s=time_limit_s)
        if found.status == "interrupted":
            return found
        start = found.positions
    work = Work(instance_of(problem), clock, seed, bound=lower_bound)
    objective = problem.objective
    if start is not None:
        work.offer(judge(work.instance, start.assignment), objective, {})
    if objective == "admitted" and work.best is None:
        work.offer(judge(work.instance, [()] * work.instance.tasks), objective, {})
    is_proven = second_optimal = False
    try:
        is_proven = least(work, objective, {})
        if is_proven and second and work.best is not None:
            caps = {objective: work.best.value(objective) * (1 + EQUAL)}
            second_optimal = least(work, SECOND[objective], caps)
    except KeyboardInterrupt:  # outside of what catches it itself
        clock.interrupted = True
    return found_by(work, objective, is_proven, second_optimal)


def found_by(work: Work, objective: str, is_proven: bool, second_optimal: bool) -> Found:
    """In the words of the methods."""
    positions, bound = None, max(0.0, work.bound)
    if work.best is not None:
        positions = Positions(work.best.replicas, work.best.assignment)
        bound = min(bound, work.best.value(objective))
    if work.clock.interrupted:
        status = "interrupted"
    elif is_proven:
        status = "infeasible" if work.best is None else "optimal"
    else:
        status = "time_limit"
    if is_proven and work.best is None:
        bound = math.inf
    return Found(status, positions, bound, second_optimal, work.counters)


def least(work: Work, objective: str, caps: Mapping[str, float]) -> bool:
    """Improves the best of `work` until it is proven that nothing within the caps has less; False: stopped.

    Where there are no caps, this is the first term, whose bound is kept.
    """
    instance = work.instance
    unit = unit_of(instance, objective)
    aim = aim_of(work, objective, unit)
    if aim < 0.0 or (not caps and is_reached(work, objective, work.bound, math.inf)):
        return proven(work, objective, caps)
    if objective == "cost" and unit and instance.objective != "admitted":
        return climb(work, caps, aim, unit)
    left: Mask | None = None
    if objective == "delay" and not caps:
        left = explore(work, caps, None)
        if left is None:
            return proven(work, objective, caps)
        aim = aim_of(work, objective, unit)
    reduction = reduced(work, {**caps, objective: aim}, left)
    if not reduction.is_infeasible and objective == "delay" and "cost" in caps:
        left = explore(work, caps, reduction.allowed)
        if left is None:
            return proven(work, objective, caps)
        aim = aim_of(work, objective, unit)
        reduction.allowed &= left
        tighten(reduction, cost_cap=min(instance.cost_limit, caps["cost"]), delay_cap_s=aim)
    if reduction.is_infeasible:
        return proven(work, objective, caps)
    return search(work, reduction, objective, caps, aim, unit)


def reduced(work: Work, caps: Mapping[str, float], left: Mask | None = None) -> Reduction:
    """What is left for plans within the caps, which have their nodes in `left`."""
    instance = work.instance
    cost_cap = min(instance.cost_limit, caps.get("cost", math.inf))
    delay_cap_s = caps.get("delay", math.inf)
    admits_all = instance.objective != "admitted"
    reduction = reduce(instance, cost_cap=cost_cap, delay_cap_s=delay_cap_s, admits_all=admits_all, left=left)
    if not admits_all or not math.isfinite(cost_cap) or reduction.is_infeasible:
        return reduction
    hit(reduction, work.clock, cost_cap)
    if not reduction.is_infeasible:
        shave(work, reduction, cost_cap, branches=0)
    if not reduction.is_infeasible:
        tighten(reduction, cost_cap=cost_cap, delay_cap_s=delay_cap_s)
    return reduction


def explore(work: Work, caps: Mapping[str, float], allowed: Mask | None) -> Mask | None:
    """The least mean delay by the core's branch and bound, at most so many nodes of its tree: None where it
    ends, else which nodes [slots, nodes] better plans have. Its plan and its bound are kept."""
    instance = work.instance
    problem = instance.problem
    if caps:
        problem = problem.replace(objective="delay", max_cost=caps["cost"])
    best = work.best
    is_proven, hosts, bound, found, nodes, interrupted = _core.explored(
        problem._compiled,
        instance.routes,
        [] if allowed is None else [np.flatnonzero(kept).tolist() for kept in allowed],
        None if best is None else ([*map(list, best.replicas)], [*map(list, best.assignment)]),
        *effort(instance, caps),
        EXPLORING_SHARE * work.clock.left_s,
    )
    work.counters["nodes"] += nodes
    work.clock.interrupted |= interrupted
    if found is not None:
        work.offer(judge(instance, found[1]), "delay", caps)
    if not caps:
        work.bound = max(work.bound, bound if work.best is None else min(bound, work.best.delay_s))
    if is_proven:
        return None
    left = np.zeros((instance.slots, instance.nodes), dtype=bool)
    for k, kept in enumerate(hosts):
        left[k, kept] = True
    return left


def effort(instance: Instance, caps: Mapping[str, float]) -> tuple[int, float]:
    """Nodes of the core's tree, and the relative gap up to which it grows one."""
    if caps:
        return TIE_NODES, math.inf
    return EXPLORED_NODES, CLOSE_GAP if instance.slots * instance.links < LARGE_PROGRAMME else math.inf


def shave(work: Work, reduction: Reduction, cost_cap: float, *, branches: int) -> bool:
    """Nodes go that the core refutes one by one, then it searches; whether a plan was found.

    Where the search ends without one, the reduction is empty.
    """
    instance = reduction.instance
    allowed, least, most, is_empty, is_complete, found, tried, is_interrupted = _core.shaved(
        instance.compiled,
        instance.routes,
        reduction.allowed.astype(np.uint8),
        reduction.deadline_s.tolist(),
        reduction.least_replicas.tolist(),
        reduction.most_replicas.tolist(),
        cost_cap,
        SHAVING_SHARE * work.clock.left_s,
        branches,
    )
    work.clock.interrupted |= is_interrupted
    work.counters["branches"] += tried
    reduction.allowed &= allowed.reshape(reduction.allowed.shape).astype(bool)
    reduction.least_replicas = np.maximum(reduction.least_replicas, least)
    reduction.most_replicas = np.minimum(reduction.most_replicas, most)
    reduction.is_infeasible |= is_empty or (is_complete and found is None)
    if found is None:
        return False
    return work.offer(judge(instance, found[1]), "cost", {"cost": cost_cap * (1 + EQUAL)})


def climb(work: Work, caps: Mapping[str, float], aim: float, unit: float) -> bool:
    """The least cost from below: is there a plan of cost C? If not, of the next sum of costs?

    A low cap leaves most services one replica, which makes a small problem of a large one, for the core's
    search and, where that does not end, for a programme; the first C that has a plan is the least. After
    `CLIMBS` of them, one programme looks among all that are left.
    """
    instance = work.instance
    base = reduce(instance, cost_cap=min(instance.cost_limit, aim), delay_cap_s=caps.get("delay", math.inf))
    if base.is_infeasible:
        return proven(work, "cost", caps)
    most = min(aim, instance.cost_limit, float(instance.service_cost @ base.most_replicas))
    if work.best is None:
        # Any plan, or a proof that there is none, before the least is looked for.
        anything = base.copy()
        shave(work, anything, most, branches=FIRST_BRANCHES)
        if anything.is_infeasible:
            return proven(work, "cost", caps)
    costs = sums_from(float(instance.service_cost @ base.least_replicas), instance.service_cost)
    for cost in itertools.islice(costs, CLIMBS):
        if cost > most:
            return proven(work, "cost", caps)
        if not caps:
            work.bound = max(work.bound, cost)
        if work.is_stopped:
            return False
        tried, before = base.copy(), work.best
        if shave(work, tried, cost, branches=0 if caps else BRANCHES):
            return True
        if not tried.is_infeasible:
            reduction = reduced(work, {**caps, "cost": cost})
            if not reduction.is_infeasible and not search(work, reduction, "cost", caps, cost, unit):
                return False
            if work.best is not before:
                return True
    reduction = reduced(work, {**caps, "cost": most})
    return reduction.is_infeasible or search(work, reduction, "cost", caps, most, unit)


def sums_from(least: float, costs: Iterable[float]) -> Iterator[float]:
    """`least` and what it can grow to by whole costs, each added any number of times, ascending."""
    steps = sorted({cost for cost in costs if cost > 0.0})
    heap, last = [least], -math.inf
    while heap:
        value = heapq.heappop(heap)
        if value == last:
            continue
        yield value
        last = value
        for step in steps:
            heapq.heappush(heap, value + step)


def search(
    work: Work, reduction: Reduction, objective: str, caps: Mapping[str, float], aim: float, unit: float
) -> bool:
    """One programme, solved until its answer keeps every rule; False: stopped before the end."""
    instance = work.instance
    programme = Programme(
        reduction,
        form=FORM[objective],
        admits_all=instance.objective != "admitted",
        needs_delay=objective == "delay" or "delay" in caps,
    )
    target = term(programme, objective)
    limit(programme, "cost", instance.cost_limit)
    for name, cap in caps.items():
        limit(programme, name, cap)
    if unit:
        limit(programme, objective, aim)
    for cut in work.cuts:
        add_cut(programme, cut)
    while True:
        if work.is_stopped:
            return False
        start = None if work.best is None or unit else programme.start(work.best.assignment)
        upper = aim if math.isfinite(aim) else math.inf
        sparse = programme.finish(target)
        found = highs.solve(
            sparse,
            clock=work.clock,
            start=start,
            upper=upper - target.constant,
            options=highs.NO_HEURISTICS if start else None,
            seed=work.seed,
        )
        count(work, found, sparse)
        if not caps:
            raise_bound(work, found.bound + target.constant, aim, unit)
        if found.status == "infeasible":
            return True
        if found.x is None:
            return False
        judged = judge(instance, programme.assignment(found.x))
        work.offer(judged, objective, {**caps, objective: aim * (1 + EQUAL)} if math.isfinite(aim) else caps)
        if found.status != "optimal":
            return False
        if is_reached(work, objective, found.bound + target.constant, aim):
            return True
        # What the solver's tolerances let through is forbidden, and it goes on.
        known = {cut.link for cut in work.cuts if cut.kind == "link"}
        for cut in cuts_of(instance, judged, known):
            work.cuts.append(cut)
            add_cut(programme, cut)
            work.counters["cuts"] += 1


def term(programme: Programme, objective: str) -> Linear:
    return {
        "cost": programme.cost,
        "delay": programme.mean_delay_s,
        "admitted": programme.rejected_weight,
    }[objective]()


def limit(programme: Programme, objective: str, cap: float) -> None:
    if math.isfinite(cap):
        programme.rows.at_most(term(programme, objective), cap)
