"""Annealing of the core, for methods that start from a placement."""

from __future__ import annotations

import math

from ..._core import services as _core
from ..placement import Placement, Positions, positions_of
from ..problem import Problem
from ..solver import Found, found_by_core


def anneal(
    problem: Problem,
    *,
    start: Placement | Positions | None = None,
    moves: int | None = None,
    time_limit_s: float = math.inf,
    seed: int = 0,
    threads: int = 1,
) -> Found:
    """The best placement of so many moves; None: as many as the size of the problem is worth.

    A start is mended where it breaks limits. The same seed and moves give the same placement, unless time
    ends before.
    """
    given = positions_of(problem, start) if isinstance(start, Placement) else start
    return found_by_core(
        _core.annealing(
            problem._compiled,
            problem._routes,
            time_limit_s,
            seed,
            threads,
            moves=moves,
            start=None if given is None else ([*map(list, given.replicas)], [*map(list, given.assignment)]),
        )
    )
