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
    _, inside = _stretches(problem, cut, t_s)
    outside_first = ~inside[0] & ~is_sink(problem)
    terms = [
        problem.supply_bytes[outside_first],
        problem.storage_bytes[(inside[:-1] & ~inside[1:]).nonzero()[1]],
        _crossings(problem, cut, 0.0, t_s),
    ]
    if not problem.sinks:
        ends_in, storage = inside[-1], problem.storage_bytes
        over = float(problem.supply_bytes.sum()) - problem.wanted_bytes
        wanted = float(np.minimum(problem.demand_bytes, storage)[ends_in].sum())
        terms.append(np.array([min(wanted, float(storage[ends_in].sum()) - over)]))
    return math.fsum(np.concatenate(terms).tolist())


def crosses(problem: Problem, cut: Cut, from_s: float, to_s: float) -> bool:
    """Whether contacts lead over a cut at some time between two moments."""
    return bool(_crossings(problem, cut, from_s, to_s).any())


def _stretches(problem: Problem, cut: Cut, t_s: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """When those begin that do before a moment, and who is inside: no sinks, as all is wanted there."""
    count = max(int(np.searchsorted(cut.start_s, t_s, side="left")), 1)
    return cut.start_s[:count], cut.source_side[:count] & ~is_sink(problem)


def _crossings(problem: Problem, cut: Cut, from_s: float, to_s: float) -> NDArray[np.float64]:
    """What each contact that leads over the cut in a stretch can carry in it between two moments [B]."""
    contacts = problem.contacts
    starts, inside = _stretches(problem, cut, to_s)
    found = [np.array([])]
    for begin, end, side in zip(starts.tolist(), [*starts[1:].tolist(), to_s], inside):
        crossing = side[contacts.from_] & ~side[contacts.to]
        opens = np.maximum(contacts.open_s[crossing], max(begin, from_s))
        closes = np.minimum(contacts.close_s[crossing], end)
        found.append(contacts.rate_bps[crossing] / 8 * np.maximum(closes - opens, 0.0))
    return np.concatenate(found)
