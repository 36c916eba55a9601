"""Timing in the benchmarks: many runs of one thing, told by their median and their fastest.

Seconds are the processor's for the calling thread; the exact search uses no other. On an idle machine that is
the time by the clock; on a busy one, what others take is left out.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from constellm import split


@dataclass(frozen=True)
class Times:
    """Seconds of repeated runs."""

    median_s: float
    least_s: float
    runs: int


def summary(seconds: Sequence[float]) -> Times:
    return Times(statistics.median(seconds), min(seconds), len(seconds))


def repeat(action: Callable[[], Any], *, least_s: float, most: int = 1000) -> list[float]:
    """Seconds of every run of `action`: at least one, until they make `least_s` or there were `most`."""
    seconds: list[float] = []
    while not seconds or (sum(seconds) < least_s and len(seconds) < most):
        start = time.thread_time()
        action()
        seconds.append(time.thread_time() - start)
    return seconds


def in_turn(
    contenders: Mapping[str, Callable[[], Any]],
    rounds: int,
    clock: Callable[[], float] = time.thread_time,
) -> dict[str, list[float]]:
    """Seconds of each contender's runs, one in every round, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for counted in [False] + [True] * rounds:
        for name, action in contenders.items():
            start = clock()
            action()
            if counted:
                seconds[name].append(clock() - start)
    return seconds


def solve(problem: split.Problem, *, least_s: float = 0.1, **options: Any) -> tuple[split.Plan, Times]:
    """The plan and the times of `split.solve`; one that a time limit stops is not run again."""
    start = time.thread_time()
    plan = split.solve(problem, **options)
    seconds = [time.thread_time() - start]
    if plan.status != "time_limit":
        seconds += repeat(lambda: split.solve(problem, **options), least_s=least_s)
    return plan, summary(seconds)
