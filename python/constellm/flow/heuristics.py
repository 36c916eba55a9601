"""Published ways to send data down, to compare the quickest with: what they may use, and by when."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..core.checks import decimal, short
from .cuts import is_sink
from .problem import Problem

MOST_SLOTS = 10_000_000
"""More would take a greedy hours."""


def slot_moments(problem: Problem, method: str) -> NDArray[np.float64]:
    """Where the slots of ``intervals`` or ``slots:<seconds>`` begin and end, the last closing at most.

    Raises
    ------
    ValueError
        For slots of no length, slots that are too many, and contacts that never close.
    """
    contacts = problem.contacts
    for c in np.flatnonzero(~np.isfinite(contacts.close_s)).tolist():
        raise ValueError(f"contacts[{c}].close_s: inf is no last closing, as {method!r} needs one")
    if method == "intervals":
        return np.unique(np.concatenate(([0.0], contacts.open_s, contacts.close_s)))
    length_s, last_s = slot_length_s(method), float(contacts.close_s.max(initial=0.0))
    if last_s / length_s > MOST_SLOTS:
        raise ValueError(
            f"method: {short(method)}: {length_s:g} is not in [{last_s / MOST_SLOTS:g}, inf) s, so that "
            f"there are at most {MOST_SLOTS:,} slots"
        )
    # A closing after whole slots ends the last of them, even where their product is a bit above it.
    slots = math.floor(last_s / length_s * (1 + 1e-12))
    return np.arange(slots + 1, dtype=np.float64) * length_s


def slot_length_s(method: str) -> float:
    """The seconds of ``slots:<seconds>``.

    Raises
    ------
    ValueError
        For what is no number in (0, inf).
    """
    text = method.partition(":")[2]
    try:
        length_s = decimal(text)
    except ValueError:
        length_s = math.nan
    if not 0.0 < length_s < math.inf:
        raise ValueError(f"method: {short(method)}: {short(text)} is not in (0, inf) s")
    return length_s


def direct_contacts(problem: Problem) -> NDArray[np.intp]:
    """The contacts from nodes that have something to give to nodes that want it, and of antennas between.

    An antenna is a node of no storage that sends to one node alone, which wants data, or hears of one node
    alone, which has it.
    """
    contacts = problem.contacts
    from_, to = contacts.from_.astype(np.intp), contacts.to.astype(np.intp)
    nodes = len(problem.supply_bytes)
    spare = problem.supply_bytes - problem.demand_bytes
    sinks = is_sink(problem)
    gives, wants = (spare > 0) & ~sinks, sinks | (spare < 0)
    passes = (problem.storage_bytes == 0.0) & ~sinks
    receives = passes & _alone(from_, to, wants, nodes)
    sends = passes & _alone(to, from_, gives, nodes)
    passed_on = sends | receives
    return np.flatnonzero((gives | passed_on)[from_] & (wants | passed_on)[to])


def _alone(
    these: NDArray[np.intp], others: NDArray[np.intp], kind: NDArray[np.bool_], nodes: int
) -> NDArray[np.bool_]:
    """Which nodes have contacts with one other alone, which is of a kind (nodes,)."""
    least, most = np.full(nodes, nodes), np.full(nodes, -1)
    np.minimum.at(least, these, others)
    np.maximum.at(most, these, others)
    return (least == most) & np.append(kind, False)[np.minimum(most, nodes)]
