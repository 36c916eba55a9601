"""How a proof is put together: a start, reductions, programmes, what rounding or links add to them, the tie.

Box demands: every load grows with every rate, and so does no other rule; a placement therefore keeps all limits for
every demand r + d z, 0 ≤ z ≤ 1, if and only if it keeps them at the upper corner z = 1, and the robust problem is
the nominal one at r + d.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import highs
from .counts import count_cost, hit
from .heuristics import anneal
from .highs import Clock
from .instance import Instance, cost_unit, instance_of, weight_unit
from .judging import Cut, Judged, add_cut, cuts_of, judge
from .placement import Positions
from .preprocessing import Reduction, reduce
from .problem import Problem
from .programme import Programme
from .rows import Linear
from .solver import Found

EQUAL = 1e-9
"""Relative; values this close are the same."""
SECOND = {"cost": "delay", "delay": "cost", "admitted": "cost"}
FORM = {"cost": "pair", "delay": "flow", "admitted": "pair"}
OPTIONS: dict[str, dict[str, Any]] = {
    "cost": {},
    "delay": {},
    "admitted": {},
}
"""Of HiGHS, by what is minimised."""


@dataclass(eq=False)
class Work:
    """What is known of a problem while it is being solved."""

    instance: Instance
    clock: Clock
    seed: int
    best: Judged | None = None
    bound: float = 0.0
    """Of the first term."""
    is_infeasible: bool = False
    cuts: list[Cut] = field(default_factory=list)
    counters: dict[str, int] = field(
        default_factory=lambda: {"programmes": 0, "nodes": 0, "cuts": 0, "columns": 0, "rows": 0}
    )

    def offer(self, judged: Judged, objective: str, caps: Mapping[str, float]) -> bool:
        """Keeps what is better in `objective` and within the caps."""
        if not judged.keeps_limits or any(judged.value(name) > cap for name, cap in caps.items()):
            return False
        if self.best is None or judged.value(objective) < self.best.value(objective):
            self.best = judged
        return True

    @property
    def is_stopped(self) -> bool:
        return self.clock.left_s <= 0.0


def programme(
    problem: Problem, *, time_limit_s: float, seed: int, threads: int, start: Positions | None = None
) -> Found:
    """By annealing and HiGHS; `start` is a placement in place of annealing's."""
    highs.module()
    clock = Clock(time_limit_s)
    if start is None:
        found = anneal(problem, seed=seed, threads=threads, time_limit_s=time_limit_s)
        if found.status == "interrupted":
            return found
        start = found.positions
    work = Work(instance_of(problem), clock, seed)
    objective = problem.objective
    if start is not None:
        work.offer(judge(work.instance, start.assignment), objective, {})
    if objective == "admitted" and work.best is None:
        work.offer(judge(work.instance, [()] * work.instance.tasks), objective, {})
    is_proven = least(work, objective, {})
    second_optimal = False
    if is_proven and work.best is not None:
        caps = {objective: work.best.value(objective) * (1 + EQUAL)}
        second_optimal = least(work, SECOND[objective], caps)
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
    if aim < 0.0:
        return proven(work, objective, caps)
    if objective == "cost" and unit and work.best is not None and instance.objective != "admitted":
        return climb(work, caps, aim, unit)
    reduction = reduced(work, {**caps, objective: aim})
    if reduction.is_infeasible:
        return proven(work, objective, caps)
    return search(work, reduction, objective, caps, aim, unit)


def reduced(work: Work, caps: Mapping[str, float]) -> Reduction:
    """What is left for plans within the caps."""
    instance = work.instance
    cost_cap = min(instance.cost_limit, caps.get("cost", math.inf))
    delay_cap_s = caps.get("delay", math.inf)
    admits_all = instance.objective != "admitted"
    reduction = reduce(instance, cost_cap=cost_cap, delay_cap_s=delay_cap_s, admits_all=admits_all)
    if admits_all and math.isfinite(cost_cap) and not reduction.is_infeasible:
        hit(reduction, work.clock, cost_cap)
    return reduction


def climb(work: Work, caps: Mapping[str, float], aim: float, unit: float) -> bool:
    """The least cost from below: is there a plan of cost C? If not, of C + 1?

    A low cap leaves most services one replica, which makes a small programme of a large one; the first C that has
    a plan is the least.
    """
    reduction = reduced(work, caps)
    most = min(aim, work.instance.cost_limit)
    cost = count_cost(reduction, work.clock, most=most, unit=unit)
    while cost <= most:
        if not caps:
            work.bound = max(work.bound, cost)
        if work.is_stopped:
            return False
        reduction = reduced(work, {**caps, "cost": cost})
        if not reduction.is_infeasible:
            before = work.best
            if not search(work, reduction, "cost", caps, cost, unit):
                return False
            if work.best is not before:
                return True
        cost += unit
    return proven(work, "cost", caps)


def proven(work: Work, objective: str, caps: Mapping[str, float]) -> bool:
    if not caps:
        work.bound = math.inf if work.best is None else work.best.value(objective)
    return True


def unit_of(instance: Instance, objective: str) -> float:
    """Values of the objective are whole multiples; 0: of nothing."""
    return {"cost": cost_unit, "admitted": weight_unit}[objective](instance) if objective != "delay" else 0.0


def aim_of(work: Work, objective: str, unit: float) -> float:
    """What is still looked for: at most this much; below 0 nothing is."""
    if work.best is None:
        return math.inf
    value = work.best.value(objective)
    if value <= 0.0:
        return -1.0
    return (round(value / unit) - 1) * unit if unit else value


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
            options=OPTIONS[objective],
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
        within = {**caps, objective: aim * (1 + EQUAL)} if math.isfinite(aim) else caps
        if work.offer(judged, objective, within):
            return found.status == "optimal"
        if found.status != "optimal":
            return False
        if judged.keeps_limits and judged.value(objective) <= aim * (1 + 1e-6) and not unit:
            return True  # as good as the best, up to the solver's tolerances
        known = {cut.link for cut in work.cuts if cut.kind == "link"}
        for cut in cuts_of(instance, judged, known):
            work.cuts.append(cut)
            add_cut(programme, cut)
            work.counters["cuts"] += 1


def raise_bound(work: Work, bound: float, aim: float, unit: float) -> None:
    """Nothing has less than the bound of a programme, or else is not within its aim."""
    if unit and math.isfinite(bound):
        bound = math.ceil(bound / unit - 1e-6) * unit
    if math.isfinite(aim):
        bound = min(bound, aim + unit)
    if math.isfinite(bound):
        work.bound = max(work.bound, bound)


def count(work: Work, found: highs.Found, sparse: highs.Sparse) -> None:
    work.counters["programmes"] += 1
    work.counters["nodes"] += found.nodes
    work.counters["columns"] = max(work.counters["columns"], sparse.columns)
    work.counters["rows"] = max(work.counters["rows"], sparse.rows)


def term(programme: Programme, objective: str) -> Linear:
    return {
        "cost": programme.cost,
        "delay": programme.mean_delay_s,
        "admitted": programme.rejected_weight,
    }[objective]()


def limit(programme: Programme, objective: str, cap: float) -> None:
    if math.isfinite(cap):
        programme.rows.at_most(term(programme, objective), cap)
