"""Maximum flows of transfers beside OR-Tools and igraph, on the finest network in time, in one run.

The network is that of the last step of the proof: every contact in every elementary interval up to the least
finishing time, in whole units. All are given the same arrays; each makes its own graph of them, which counts.
One that is not installed is left out, and one that takes longer than a cap is not run on larger networks.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import tables
import timing
from orbit_peers import OWN
from transfer_cases import CASES, Case, problem_of

from constellm import flow

ORTOOLS, IGRAPH = "OR-Tools' `SimpleMaxFlow`", "igraph's `maxflow_value`"
UNITS = 2.0**40  # of all supplies


class Network(NamedTuple):
    """Arcs with whole capacities."""

    from_: np.ndarray
    to: np.ndarray
    capacity: np.ndarray
    source: int
    target: int


def finest(problem: flow.Problem, end_s: float) -> Network:
    """The network in time up to a moment: a copy of every node in every elementary interval."""
    contacts = problem.contacts
    nodes, sinks = len(contacts.nodes), np.isin([node.id for node in contacts.nodes], problem.sinks)
    moments = np.unique(np.concatenate(([0.0], contacts.open_s, contacts.close_s)))
    moments = np.append(moments[moments < end_s], end_s)
    intervals = len(moments) - 1
    target, source = nodes * intervals, nodes * intervals + 1
    per_byte = UNITS / problem.wanted_bytes
    parts = []
    first = np.searchsorted(moments, contacts.open_s)
    last = np.minimum(np.searchsorted(moments, contacts.close_s), intervals)
    count = np.maximum(np.where(sinks[contacts.from_], 0, last - first), 0)
    which = np.repeat(np.arange(len(contacts)), count)
    interval = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + first[which]
    carried = contacts.rate_bps[which] / 8 * np.diff(moments)[interval] * per_byte
    heads = np.where(sinks[contacts.to[which]], target, interval * nodes + contacts.to[which])
    parts.append((interval * nodes + contacts.from_[which], heads, carried))
    stay = (np.arange(intervals - 1)[:, None] * nodes + np.flatnonzero(~sinks)).ravel()
    parts.append((stay, stay + nodes, np.full(len(stay), UNITS)))
    has = np.flatnonzero((problem.supply_bytes > 0) & ~sinks)
    parts.append((np.full(len(has), source), has, problem.supply_bytes[has] * per_byte))
    from_, to, capacity = (np.concatenate(column) for column in zip(*parts))
    return Network(from_, to, np.rint(np.minimum(capacity, UNITS)).astype(np.int64), source, target)


def by_own(network: Network) -> int:
    return flow.maximum_flow(*network).value


def by_ortools(network: Network) -> int:
    from ortools.graph.python import max_flow

    solver = max_flow.SimpleMaxFlow()
    solver.add_arcs_with_capacity(network.from_, network.to, network.capacity)
    assert solver.solve(network.source, network.target) == solver.OPTIMAL
    return int(solver.optimal_flow())


def by_igraph(network: Network) -> int:
    import igraph

    edges = np.column_stack((network.from_, network.to))
    graph = igraph.Graph(n=network.source + 1, edges=edges, directed=True)
    return round(graph.maxflow_value(network.source, network.target, capacity=network.capacity.tolist()))


def contenders() -> dict[str, Callable[[Network], int]]:
    """Those that are installed."""
    found = {OWN: by_own}
    for name, action, module in ((ORTOOLS, by_ortools, "ortools"), (IGRAPH, by_igraph, "igraph")):
        try:
            __import__(module)
        except ImportError:
            continue
        found[name] = action
    return found


def measure(cases: Iterable[Case] = CASES, *, rounds: int = 1, cap_s: float = 60.0) -> tables.Rows:
    """A row for each case and contender.

    Raises
    ------
    AssertionError
        If two find different flows.
    """
    rows: list[dict[str, Any]] = []
    slow: set[str] = set()
    for case in cases:
        if not case.fine:
            continue
        problem = problem_of(case)
        network = finest(problem, flow.solve(problem).finish_s)
        values = {}
        for name, action in contenders().items():
            if name in slow:
                continue
            seconds = []
            for _ in range(rounds):
                start = time.thread_time()
                values[name] = action(network)
                seconds.append(time.thread_time() - start)
            if min(seconds) > cap_s:
                slow.add(name)
            own_s = statistics.median(seconds) if name == OWN else rows[-len(values) + 1]["median_s"]
            rows.append(
                {
                    "case": case.name,
                    "nodes": network.source + 1,
                    "arcs": len(network.from_),
                    "solver": name,
                    **vars(timing.summary(seconds)),
                    "ratio": min(seconds) / own_s,
                }
            )
        # A capacity is rounded by half a unit, which igraph adds up in floating point.
        assert max(values.values()) - min(values.values()) <= 1e-9 * UNITS, values
    return rows
