"""Placements by the plain formulation: data between all pairs of nodes, no preprocessing, no start.

The same programme goes to HiGHS and, where it is installed, to SCIP.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import service_cases
import tables

from constellm import services
from constellm.services import solver
from constellm.services.exact import highs, optimal
from constellm.services.exact.instance import Instance, instance_of
from constellm.services.exact.preprocessing import Reduction, hosts_of_slots
from constellm.services.exact.programme import Programme

try:
    import pyscipopt
except ImportError:
    pyscipopt = None

Case = service_cases.Case
CASES: tuple[tuple[Case, int], ...] = (
    (service_cases.IRIDIUM, 1),
    (service_cases.IRIDIUM._replace(objective="delay"), 2),
)
LIMIT_S = 30.0
OWN = "constellm"
EQUAL = 1e-6
"""What peers' tolerances leave."""


def measure(cases: Iterable[tuple[Case, int]] = CASES, limit_s: float = LIMIT_S) -> tables.Rows:
    """A row for each case and solver: seconds of the processor until the first term is proven or the limit by
    the clock, gap, and how many times faster ours is.

    Raises
    ------
    AssertionError
        If two prove different optima.
    """
    rows = []
    for case, seed in cases:
        problem = service_cases.problem_of(case, seed)
        problem._routes  # noqa: B018  (made before the clocks start)
        start = time.process_time()
        plan = first_term(problem, limit_s)
        ours_s = time.process_time() - start
        first = {"case": case.name, "objective": case.objective, "seed": seed}
        ours = {"seconds": ours_s, "gap": plan.gap, "value": plan.objective, "ratio": 1.0, "stopped": False}
        rows.append({**first, "solver": OWN, **ours})
        sparse, constant = plain(instance_of(problem))
        for name, peer in SOLVERS.items():
            start = time.process_time()
            value, bound = peer(sparse, limit_s)
            seconds = time.process_time() - start
            value, bound = value + constant, bound + constant
            gap = (value - bound) / value if math.isfinite(value) else math.nan
            stopped = not gap <= EQUAL
            assert not (gap <= EQUAL and plan.gap <= EQUAL) or abs(value - plan.objective) <= EQUAL * value
            theirs = {"seconds": seconds, "gap": gap, "value": value, "ratio": seconds / ours_s}
            rows.append({**first, "solver": name, **theirs, "stopped": stopped})
    return rows


def first_term(problem: services.Problem, limit_s: float) -> services.Plan:
    """What `services.solve` does before it looks at the second term."""
    found = optimal.programme(problem, time_limit_s=limit_s, seed=0, threads=1, second=False)
    return solver.plan_of(problem, found, method="optimal")


def plain(instance: Instance) -> tuple[highs.Sparse, float]:
    """Every pair of hosts has a column; nothing is known of times, numbers or costs. And the constant."""
    shape = (instance.slots, instance.nodes)
    unknown_s = np.full(shape, -1e15)  # so that no pair is found to be late
    reduction = Reduction(
        instance,
        allowed=hosts_of_slots(instance),
        deadline_s=instance.deadline_s.copy(),
        head_s=unknown_s,
        tail_s=unknown_s,
        least_replicas=np.zeros(instance.services, dtype=np.int64),
        most_replicas=np.full(instance.services, instance.nodes),
        single=np.zeros(instance.services, dtype=bool),
    )
    by_delay = instance.objective == "delay"
    programme = Programme(reduction, form="pair", admits_all=True, needs_delay=by_delay)
    objective = programme.mean_delay_s() if by_delay else programme.cost()
    return programme.finish(objective), objective.constant


def by_highs(sparse: highs.Sparse, limit_s: float) -> tuple[float, float]:
    """Value and bound."""
    found = highs.solve(sparse, clock=highs.Clock(limit_s), upper=1.0)
    return math.inf if found.x is None else float(sparse.cost @ found.x), found.bound


def by_scip(sparse: highs.Sparse, limit_s: float) -> tuple[float, float]:
    """Value and bound; the time to build its model is not counted in its own limit."""
    model: Any = pyscipopt.Model()
    model.hideOutput()
    model.setParam("limits/time", limit_s)
    model.setParam("parallel/maxnthreads", 1)
    kinds = np.where(sparse.integer, "B", "C")
    columns = [
        model.addVar(
            vtype=str(kind), lb=float(low), ub=None if math.isinf(high) else float(high), obj=float(cost)
        )
        for kind, low, high, cost in zip(kinds, sparse.low, sparse.high, sparse.cost)
    ]
    for i in range(sparse.rows):
        terms = slice(sparse.start[i], sparse.start[i + 1])
        left = pyscipopt.quicksum(
            float(a) * columns[j] for j, a in zip(sparse.index[terms].tolist(), sparse.value[terms])
        )
        low, high = float(sparse.row_low[i]), float(sparse.row_high[i])
        if low == high:
            model.addCons(left == low)
            continue
        if not math.isinf(low):
            model.addCons(left >= low)
        if not math.isinf(high):
            model.addCons(left <= high)
    model.optimize()
    value = model.getObjVal() if model.getNSols() else math.inf
    return float(value), float(model.getDualbound())


SOLVERS = {"HiGHS, plain pairs": by_highs}
if pyscipopt is not None:
    SOLVERS["SCIP, plain pairs"] = by_scip
