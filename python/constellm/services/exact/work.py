"""What is known of a problem while it is being solved, and what that says of the best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import highs
from .highs import Clock
from .instance import Instance, cost_unit, weight_unit
from .judging import Cut, Judged

EQUAL = 1e-9
"""Relative; values this close are the same."""


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
        default_factory=lambda: {
            "programmes": 0,
            "nodes": 0,
            "branches": 0,
            "cuts": 0,
            "columns": 0,
            "rows": 0,
        }
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


def is_reached(work: Work, objective: str, bound: float, aim: float) -> bool:
    """Whether the best has what a programme proves to be least."""
    if work.best is None:
        return False
    value = work.best.value(objective)
    return value <= aim * (1 + EQUAL) and value - max(bound, 0.0) <= EQUAL * value


def raise_bound(work: Work, bound: float, aim: float, unit: float) -> None:
    """Nothing has less than the bound of a programme, or else is not within its aim."""
    if unit and math.isfinite(bound):
        bound = math.ceil(bound / unit - 1e-6) * unit
    if math.isfinite(aim):
        bound = min(bound, aim + unit)
    if work.best is not None:
        bound = min(bound, work.best.value(work.instance.objective))
    if math.isfinite(bound):
        work.bound = max(work.bound, bound)


def count(work: Work, found: highs.Found, sparse: highs.Sparse) -> None:
    work.counters["programmes"] += 1
    work.counters["nodes"] += found.nodes
    work.counters["columns"] = max(work.counters["columns"], sparse.columns)
    work.counters["rows"] = max(work.counters["rows"], sparse.rows)
