"""What a cut of the network in time lets through: a closed formula, which certificates are held against."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .plan import Cut
from .problem import Problem


def is_sink(problem: Problem) -> NDArray[np.bool_]:
    """Which nodes are sinks (nodes,)."""
    known = set(problem.sinks)
    return np.array([node.id in known for node in problem.contacts.nodes], dtype=bool)


def cut_capacity(problem: Problem, cut: Cut, t_s: float) -> float:
    """What a cut lets through by a moment [B]: no transfer of more has ended by then."""
    contacts, last = problem.contacts, int(np.searchsorted(cut.start_s, t_s, side="left"))
    starts = cut.start_s[: max(last, 1)]
    inside = cut.source_side[: max(last, 1)].copy()
    sinks = is_sink(problem)
    inside[:, sinks] = False  # where they stand is where all is wanted
    terms = [
        problem.supply_bytes[~inside[0] & ~sinks],
        problem.storage_bytes[(inside[:-1] & ~inside[1:]).nonzero()[1]],
    ]
    if not problem.sinks:
        ends_in, storage = inside[-1], problem.storage_bytes
        over = float(problem.supply_bytes.sum()) - problem.wanted_bytes
        wanted = float(np.minimum(problem.demand_bytes, storage)[ends_in].sum())
        terms.append(np.array([min(wanted, float(storage[ends_in].sum()) - over)]))
    ends = np.append(starts[1:], t_s)
    for begin, end, side in zip(starts.tolist(), ends.tolist(), inside):
        crossing = side[contacts.from_] & ~side[contacts.to]
        seconds = np.minimum(contacts.close_s[crossing], end) - np.maximum(contacts.open_s[crossing], begin)
        terms.append(contacts.rate_bps[crossing] / 8 * np.maximum(seconds, 0.0))
    return math.fsum(np.concatenate(terms).tolist())
