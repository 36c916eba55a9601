"""The quickest transfer over a contact plan, by its definition: linear programmes, and fractions.

Between two neighbouring moments of 0 and all openings and closings every flow may be taken constant, so that
what a node holds is linear there and its limits count at the moments alone. Both oracles look for the first
interval by whose end all can be where it is wanted, and then for the least moment in it: `least_s` by linear
programmes with that moment as a variable (HiGHS), `exact_least_s` by augmenting paths in whole fractions,
which no supply is too small for.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

TOLERANCE = 1e-10
"""Of HiGHS: the least that it takes; bytes are counted in shares of the total."""


class Transfer(NamedTuple):
    """A problem in numbers."""

    moments_s: list[float]
    """0 and every opening and closing, rising."""
    supply: list[float]
    storage: list[float]
    """inf where it is not limited; of sinks too."""
    demand: list[float]
    sinks: set[int]
    contacts: list[tuple[int, int, float, float, float]]
    """From, to, open_s, close_s, bytes a second; none that a sink would send on."""

    @property
    def done_at_once(self) -> bool:
        """Whether all is where it is wanted from the start."""
        if self.sinks:
            return not any(supply for v, supply in enumerate(self.supply) if v not in self.sinks)
        return all(demand <= supply for demand, supply in zip(self.demand, self.supply))


def transfer_of(data: dict[str, Any]) -> Transfer:
    """The problem that the content of a problem file says."""
    place = {node["id"]: v for v, node in enumerate(data["nodes"])}
    sinks = {place[id] for id in data.get("sinks", ())}
    storage = [node.get("storage_bytes") for node in data["nodes"]]
    return Transfer(
        sorted({0.0, *(float(c[key]) for c in data["contacts"] for key in ("open_s", "close_s"))}),
        [node.get("supply_bytes", 0) for node in data["nodes"]],
        [math.inf if s is None or v in sinks else s for v, s in enumerate(storage)],
        [node.get("demand_bytes", 0) for node in data["nodes"]],
        sinks,
        [
            (place[c["from"]], place[c["to"]], c["open_s"], c["close_s"], c["rate_bps"] / 8)
            for c in data["contacts"]
            if place[c["from"]] not in sinks
        ],
    )


def _least(transfer: Transfer, fits: Any, least_in: Any) -> float:
    """The least moment, or inf: the first interval whose end `fits`, then what `least_in` finds in it."""
    if transfer.done_at_once:
        return 0.0
    last = len(transfer.moments_s) - 1
    no_room = any(demand > storage for demand, storage in zip(transfer.demand, transfer.storage))
    if no_room or last == 0 or not fits(last):
        return math.inf
    low, high = 0, last  # by moment `high` it is done, by moment `low` it is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return float(least_in(high))


# ---- linear programmes -------------------------------------------------------------------------


def least_s(data: dict[str, Any]) -> float:
    """The least finishing time [s]; inf where the problem is infeasible."""
    transfer = transfer_of(data)
    return _least(
        transfer,
        lambda last: _programme(transfer, last) is not None,
        lambda last: _programme(transfer, last),
    )


def _programme(transfer: Transfer, last: int) -> float | None:
    """The least moment in the interval that ends with moment `last`; None where that is too soon."""
    moments, nodes = transfer.moments_s, len(transfer.supply)
    unit = math.fsum(s for v, s in enumerate(transfer.supply) if v not in transfer.sinks)
    start = moments[last - 1]
    # Variables: bytes of (contact, interval), what each node holds at each end, a share of the last interval.
    sends = [
        (c, j)
        for j in range(last)
        for c, contact in enumerate(transfer.contacts)
        if contact[2] <= moments[j] and moments[j + 1] <= contact[3]
    ]
    holds, end = len(sends), len(sends) + nodes * last
    entries: list[tuple[int, int, float]] = []  # of the conservation, a row for each node and interval
    right = np.zeros(nodes * last)
    for v in range(nodes):
        right[v] = 0.0 if v in transfer.sinks else transfer.supply[v] / unit
        for j in range(last):
            entries.append((j * nodes + v, holds + j * nodes + v, 1.0))
            if j:
                entries.append((j * nodes + v, holds + (j - 1) * nodes + v, -1.0))
    bounds: list[tuple[float, float | None]] = []
    rates: list[tuple[int, int, float]] = []  # of the last interval: sent <= rate * seconds
    most = moments[last] - start
    for i, (c, j) in enumerate(sends):
        a, b, _, _, rate = transfer.contacts[c]
        entries += [(j * nodes + a, i, 1.0), (j * nodes + b, i, -1.0)]
        volume = rate * (moments[j + 1] - moments[j]) / unit
        bounds.append((0.0, volume))
        if j == last - 1:
            row = len(rates) // 2
            rates += [(row, i, 1.0), (row, end, -volume)]
    for j in range(last):
        for v in range(nodes):
            wanted = transfer.demand[v] / unit if j == last - 1 else 0.0
            if j == last - 1 and transfer.sinks and v not in transfer.sinks:
                bounds.append((0.0, 0.0))
            else:
                bounds.append(
                    (wanted, None if math.isinf(transfer.storage[v]) else transfer.storage[v] / unit)
                )
    bounds.append((0.0, 1.0))
    cost = np.zeros(end + 1)
    cost[end] = 1.0
    found = linprog(
        cost,
        A_eq=_matrix(entries, nodes * last, end + 1),
        b_eq=right,
        A_ub=_matrix(rates, len(rates) // 2, end + 1) if rates else None,
        b_ub=np.zeros(len(rates) // 2) if rates else None,
        bounds=bounds,
        method="highs-ds",
        options={"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE},
    )
    if found.status == 2:
        return None
    assert found.status == 0, found.message
    return start + most * float(found.x[end])


def _matrix(entries: Sequence[tuple[int, int, float]], rows: int, columns: int) -> Any:
    row, column, value = zip(*entries)
    return coo_array((value, (row, column)), shape=(rows, columns)).tocsr()


# ---- fractions ---------------------------------------------------------------------------------


def exact_least_s(data: dict[str, Any], *, missing: float = 0.0) -> float:
    """The least finishing time [s] as `least_s`, without a tolerance; rounded once, at the end.

    `missing` is the share of what is wanted that need not be there: where supplies and contacts are a match
    but for rounding, it tells what a solver with a tolerance may find.
    """
    transfer = transfer_of(data)
    wanted = Fraction(0)
    for v, supply in enumerate(transfer.supply):
        if v not in transfer.sinks:
            wanted += Fraction(supply if transfer.sinks else transfer.demand[v])
    wanted *= 1 - Fraction(missing)

    def least_in(last: int) -> Fraction:
        """Newton's method on cuts: each is a line over the moment, and all must reach what is wanted."""
        moment = Fraction(transfer.moments_s[last - 1])
        while True:
            flow, slope = _flow(transfer, last, moment)
            if flow >= wanted:
                return moment
            moment += (wanted - flow) / slope

    return _least(
        transfer,
        lambda last: _flow(transfer, last, Fraction(transfer.moments_s[last]))[0] >= wanted,
        least_in,
    )


def _flow(transfer: Transfer, last: int, moment: Fraction) -> tuple[Fraction, Fraction]:
    """The most that can be there by a moment of the last interval, and how the least cut grows with it [B/s].

    A node in interval j is vertex j * nodes + v; then come source and target.
    """
    nodes, moments = len(transfer.supply), [Fraction(m) for m in transfer.moments_s]
    source, target = nodes * last, nodes * last + 1
    left: list[dict[int, Fraction]] = [{} for _ in range(target + 1)]
    slope: dict[tuple[int, int], Fraction] = {}

    def arc(a: int, b: int, capacity: Fraction) -> None:
        left[a][b] = left[a].get(b, Fraction(0)) + capacity
        left[b].setdefault(a, Fraction(0))

    endless = sum(map(Fraction, transfer.supply), Fraction(1))
    for v, supply in enumerate(transfer.supply):
        if v in transfer.sinks:
            for j in range(last):
                arc(j * nodes + v, target, endless)
            continue
        arc(source, v, Fraction(supply))
        arc((last - 1) * nodes + v, target, Fraction(transfer.demand[v]))
        limit = transfer.storage[v]
        for j in range(last - 1):
            arc(j * nodes + v, (j + 1) * nodes + v, endless if math.isinf(limit) else Fraction(limit))
    for j in range(last):
        length = (moment if j == last - 1 else moments[j + 1]) - moments[j]
        for a, b, open_s, close_s, rate in transfer.contacts:
            if open_s <= moments[j] and moments[j + 1] <= close_s:
                arc(j * nodes + a, j * nodes + b, Fraction(rate) * length)
                if j == last - 1:
                    key = (j * nodes + a, j * nodes + b)
                    slope[key] = slope.get(key, Fraction(0)) + Fraction(rate)

    flow = Fraction(0)
    while True:
        before = {source: source}
        queue = deque([source])
        while queue and target not in before:
            a = queue.popleft()
            for b, room in left[a].items():
                if room > 0 and b not in before:
                    before[b] = a
                    queue.append(b)
        if target not in before:
            return flow, sum(
                (s for (a, b), s in slope.items() if a in before and b not in before), Fraction(0)
            )
        way = [target]
        while way[-1] != source:
            way.append(before[way[-1]])
        pushed = min(left[a][b] for b, a in zip(way, way[1:]))
        for b, a in zip(way, way[1:]):
            left[a][b] -= pushed
            left[b][a] += pushed
        flow += pushed
