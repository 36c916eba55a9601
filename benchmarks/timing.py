"""How the benchmarks take time: many runs of one thing, told by their median and their fastest."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from constellm import split


@dataclass(frozen=True)
class Times:
    """Seconds of repeated runs. Other work on the machine only adds, so the fastest is the cleanest."""

    median_s: float
    least_s: float
    runs: int


def summary(seconds: Sequence[float]) -> Times:
    return Times(statistics.median(seconds), min(seconds), len(seconds))


def repeat(action: Callable[[], Any], *, least_s: float, most: int = 1000) -> list[float]:
    """Seconds of every run of `action`: at least one, until `least_s` have gone by or there were `most`."""
    seconds: list[float] = []
    begun = time.perf_counter()
    while not seconds or (time.perf_counter() - begun < least_s and len(seconds) < most):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return seconds


def solve(problem: split.Problem, *, least_s: float = 0.1, **options: Any) -> tuple[split.Plan, Times]:
    """The plan and the times of `split.solve`; one that a time limit stops is not run again."""
    start = time.perf_counter()
    plan = split.solve(problem, **options)
    seconds = [time.perf_counter() - start]
    if plan.status != "time_limit":
        seconds += repeat(lambda: split.solve(problem, **options), least_s=least_s)
    return plan, summary(seconds)
