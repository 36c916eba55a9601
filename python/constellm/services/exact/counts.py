"""What replicas must cost at least: a hitting set over services that cannot all do with one replica.

A set K of services is refuted when slots of each share one node and times, memory of one replica or loads
leave some slot no node. Every plan then has Σ_{s in K} Σ_v y[s, v] ≥ |K| + 1. The least cost of replica
numbers that keep all sets found is a bound; the services to which it leaves one replica are refuted next,
until they cannot be.
"""

from __future__ import annotations

import numpy as np

from . import highs
from .highs import Clock
from .preprocessing import Reduction, doubtful, tighten, with_single
from .rows import Rows, linear

MOST_CONFLICTS = 400


def hit(reduction: Reduction, clock: Clock, cost_cap: float) -> float:
    """A lower bound on the cost of plans within the cap; above it where there is none."""
    cost = reduction.instance.service_cost
    conflicts = set(reduction.conflicts)
    while not reduction.is_infeasible and len(conflicts) < MOST_CONFLICTS and clock.left_s > 0.0:
        alone = [conflict[0] for conflict in conflicts if len(conflict) == 1]
        if alone:
            reduction.least_replicas[alone] = 2
            tighten(reduction, cost_cap=cost_cap, tasks=[])
            conflicts = {conflict for conflict in conflicts if not set(conflict) & set(alone)}
            continue
        services = doubtful(reduction)
        open_conflicts = sorted(conflict for conflict in conflicts if set(conflict) <= set(services))
        doubled = cheapest(cost, services, open_conflicts, clock)
        if doubled is None:
            break
        value = float(cost @ reduction.least_replicas) + float(cost[doubled].sum())
        refuted = None
        if value <= cost_cap:
            refuted = refute(reduction, [s for s in services if s not in doubled], cost_cap)
        if refuted is None:
            reduction.conflicts = sorted(conflicts)
            return value
        if not refuted:
            reduction.is_infeasible = True
            break
        conflicts.add(refuted)
    reduction.conflicts = sorted(conflicts)
    return np.inf if reduction.is_infeasible else float(cost @ reduction.least_replicas)


def refute(reduction: Reduction, single: list[int], cost_cap: float) -> tuple[int, ...] | None:
    """A smallest set of the services that cannot all have one replica."""
    if not with_single(reduction, single, cost_cap=cost_cap).is_infeasible:
        return None
    kept = list(single)
    for s in single:
        fewer = [other for other in kept if other != s]
        if with_single(reduction, fewer, cost_cap=cost_cap).is_infeasible:
            kept = fewer
    return tuple(kept)


def cheapest(
    cost: np.ndarray, services: list[int], conflicts: list[tuple[int, ...]], clock: Clock
) -> list[int] | None:
    """Services that get another replica, at the least cost: Σ_{s in K} e_s ≥ 1 for each conflict K."""
    if not conflicts:
        return []
    rows = Rows()
    columns = dict(zip(services, rows.add_columns(len(services), high=1.0, integer=True).tolist()))
    for conflict in conflicts:
        rows.add_rows(1, 0, [columns[s] for s in conflict], 1.0, 1.0, np.inf)
    sparse = rows.finish(linear(list(columns.values()), cost[services]))
    found = highs.solve(sparse, clock=clock)
    if found.status != "optimal" or found.x is None:
        return None
    return [s for s, column in columns.items() if found.x[column] > 0.5]
