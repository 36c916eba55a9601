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
from .highs import Clock
from .instance import Instance, cost_unit, instance_of, weight_unit
from .judging import Cut, Judged, add_cut, cuts_of, judge
from .placement import Positions
from .preprocessing import Reduction, reduce
from .problem import Problem
from .programme import Programme
from .rows import Linear

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


@dataclass(frozen=True)
class Answer:
    """What was found, by positions, and what was proven."""

    status: str
    positions: Positions | None
    lower_bound: float
    second_optimal: bool
    counters: Mapping[str, int]


def optimise(
    problem: Problem, *, time_limit_s: float, seed: int, start: Positions | None = None
) -> Answer:
    """By programmes alone; `start` is a placement to begin with."""
    work = Work(instance_of(problem), Clock(time_limit_s), seed)
    objective = problem.objective
    if start is not None:
        work.offer(judge(work.instance, start.assignment), objective, {})
    if objective == "admitted" and work.best is None:
        work.offer(judge(work.instance, [()] * work.instance.tasks), objective, {})
    proven = least(work, objective, {})
    second_optimal = False
    if proven and work.best is not None:
        caps = {objective: work.best.value(objective) * (1 + EQUAL)}
        second_optimal = least(work, SECOND[objective], caps)
    return answer_of(work, objective, proven, second_optimal)


def answer_of(work: Work, objective: str, proven: bool, second_optimal: bool) -> Answer:
    positions = None
    bound = max(0.0, work.bound)
    if work.best is not None:
        positions = Positions(work.best.replicas, work.best.assignment)
        bound = min(bound, work.best.value(objective))
    if work.clock.interrupted:
        status = "interrupted"
    elif proven:
        status = "infeasible" if work.best is None else "optimal"
    else:
        status = "time_limit"
    if proven and work.best is None:
        bound = math.inf
    return Answer(status, positions, bound, second_optimal, work.counters)


def least(work: Work, objective: str, caps: Mapping[str, float]) -> bool:
    """Improves the best of `work` until it is proven that nothing within the caps has less; False: stopped.

    Where there are no caps, this is the first term, whose bound is kept.
    """
    instance = work.instance
    unit = unit_of(instance, objective)
    aim = aim_of(work, objective, unit)
    if aim < 0.0:
        return proven(work, objective, caps)
    bounds = {**caps, objective: aim}
    reduction = reduce(
        instance,
        cost_cap=min(instance.cost_limit, bounds.get("cost", math.inf)),
        delay_cap_s=bounds.get("delay", math.inf),
        admits_all=instance.objective != "admitted",
    )
    if reduction.is_infeasible:
        return proven(work, objective, caps)
    return search(work, reduction, objective, caps, aim, unit)


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
