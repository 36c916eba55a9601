"""The split problem as a mixed-integer linear programme, solved by HiGHS through `scipy.optimize.milp`.

A unit of flow goes from source to sink through a layered graph whose arcs are binary:

* state `in(v, j, k)`: at node v, j layers done, codec k in flight (none before the first layer and after
  the last);
* relay `in(v, j, k) → out(v, j, k)`;
* decode `in(v, j, k) → has(v, j)`, block `has(v, j) → did(v, j')`, encode `did(v, j') → out(v, j', k')`;
* hop `out(u, j, k) → in(v, j, k)` along each link.

A stage time is a sum over the decode, block and encode arcs of one node, which is entered at most once, so
stages, hops, bottleneck, error (or its squares) and energy are linear, without products. What the flow may
add, a ring of relays apart from the path, only costs; it is left out when the plan is read. Memory decides
which block arcs exist.

HiGHS works to tolerances. A plan that breaks a limit by less than those is cut off and the programme solved
again, so that every plan returned keeps the limits exactly; its value is the evaluator's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from . import evaluator

# What the largest stage or hop costs in the objective, which makes HiGHS's absolute gap of 1e-6 a small one.
OBJECTIVE_SCALE = 1e4


@dataclass(frozen=True)
class Arc:
    """A binary variable."""

    tail: tuple
    head: tuple
    seconds: float = 0.0  # of a stage or a hop
    latency_s: float = 0.0
    error: float = 0.0  # squared under the root-sum-square rule
    energy_j: float = 0.0
    station: tuple | None = None  # the stage or hop that the seconds belong to


@dataclass(frozen=True)
class Optimum:
    """An optimal plan, its value, and the bound that HiGHS proved on the objective."""

    plan: dict
    value: evaluator.Evaluation
    bound: float


def layered_graph(problem: dict) -> list[Arc]:
    """Arcs of the layered graph; those that no plan within the limits can use are left out."""
    layers, nodes, codecs = problem["layers"], problem["nodes"], problem["codecs"]
    micro_batches, total = problem["micro_batches"], len(layers)
    max_error, _ = evaluator.limits_of(problem)
    power = 2 if evaluator.error_rule(problem) == "root_sum_square" else 1

    # What may be in flight: layers done, codec, bytes, and seconds to encode and decode it at scale 1.
    flights: list[tuple[int, int | None, float, float, float]] = [(0, None, problem["input_bytes"], 0.0, 0.0)]
    losses: dict[tuple[int, int | None], float] = {(total, None): 0.0}
    for cut in range(1, total):
        out = layers[cut - 1]["output_bytes"]
        for k, codec in enumerate(codecs):
            loss = evaluator.codec_error(problem, codec, cut - 1)
            if loss <= max_error:
                losses[cut, k] = loss**power
                size = out / evaluator.codec_ratio(codec, cut - 1)
                encode = out * codec.get("encode_s_per_byte", 0.0)
                flights.append((cut, k, size, encode, out * codec.get("decode_s_per_byte", 0.0)))
    flights.append((total, None, layers[-1]["output_bytes"], 0.0, 0.0))

    arcs = []
    for node in nodes:
        v, scale = node["id"], node.get("codec_time_scale", 1.0)
        watts = micro_batches * node.get("power_w", 0.0)
        stage = ("stage", v)
        for done, k, _, encode, decode in flights:
            arcs.append(Arc(("in", v, done, k), ("out", v, done, k)))
            if done < total:
                s = decode * scale
                arcs.append(Arc(("in", v, done, k), ("has", v, done), s, 0, 0, watts * s, stage))
            if done > 0:
                s = encode * scale
                head = ("out", v, done, k)
                arcs.append(Arc(("did", v, done), head, s, 0, losses[done, k], watts * s, stage))
        for first in range(total):
            s, memory = node.get("overhead_s", 0.0), 0.0
            for layer in range(first, total):
                s += evaluator.layer_time_s(problem, node, layer)
                memory += layers[layer]["memory_bytes"]
                if math.isinf(s) or memory > node["memory_bytes"] * evaluator.LIMIT_ROOM:
                    break
                arcs.append(Arc(("has", v, first), ("did", v, layer + 1), s, 0, 0, watts * s, stage))
    power_of = {node["id"]: micro_batches * node.get("tx_power_w", 0.0) for node in nodes}
    for link in problem["links"]:
        u, v = link["from"], link["to"]
        if v == problem["source"] or u == problem["sink"]:
            continue  # a simple path never returns to its source nor leaves its sink
        for done, k, size, _, _ in flights:
            s = link.get("overhead_s", 0.0) + 8 * size / link["rate_bps"]
            energy = power_of[u] * s
            hop = ("hop", u, v)
            arcs.append(Arc(("out", u, done, k), ("in", v, done, k), s, link["latency_s"], 0, energy, hop))
    return arcs


class _Programme:
    """Rows and columns; the last column is the bottleneck, in units of `unit_s`."""

    def __init__(self, problem: dict) -> None:
        self.problem, self.arcs = problem, layered_graph(problem)
        self.start = ("in", problem["source"], 0, None)
        self.goal = ("out", problem["sink"], len(problem["layers"]), None)
        # Seconds are scaled by the largest arc's, so that rows are of order one.
        self.unit_s = max((arc.seconds for arc in self.arcs), default=0.0) or 1.0
        self.rows: list[dict[int, float]] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self._flow()
        self._bottleneck()
        self._limits()

    @property
    def bottleneck(self) -> int:
        return len(self.arcs)

    def add(self, row: dict[int, float], low: float, high: float) -> None:
        self.rows.append(row)
        self.low.append(low)
        self.high.append(high)

    def _flow(self) -> None:
        balance: dict[tuple, dict[int, float]] = defaultdict(dict)
        entries: dict[str, dict[int, float]] = defaultdict(dict)
        for i, arc in enumerate(self.arcs):
            balance[arc.tail][i] = 1.0
            balance[arc.head][i] = -1.0
            if arc.head[0] == "in":
                entries[arc.head[1]][i] = 1.0
        for state in {self.start, self.goal, *balance}:
            supply = float(state == self.start) - float(state == self.goal)
            self.add(balance[state], supply, supply)
        for row in entries.values():
            self.add(row, 0, 1)

    def _bottleneck(self) -> None:
        stations: dict[tuple, dict[int, float]] = defaultdict(dict)
        for i, arc in enumerate(self.arcs):
            if arc.station is not None and arc.seconds > 0:
                stations[arc.station][i] = arc.seconds / self.unit_s
        for row in stations.values():
            self.add({**row, self.bottleneck: -1.0}, -math.inf, 0)

    def _limits(self) -> None:
        max_error, max_energy_j = evaluator.limits_of(self.problem)
        power = 2 if evaluator.error_rule(self.problem) == "root_sum_square" else 1
        for limit, field in ((max_error**power, "error"), (max_energy_j, "energy_j")):
            if math.isinf(limit):
                continue
            scale = limit or max((getattr(arc, field) for arc in self.arcs), default=0.0) or 1.0
            row = {i: value / scale for i, arc in enumerate(self.arcs) if (value := getattr(arc, field)) > 0}
            if row:
                self.add(row, -math.inf, limit / scale)

    def minimise(self, cost: np.ndarray, time_limit_s: float) -> tuple[np.ndarray, float] | None:
        """Columns and proven bound of the least `cost`, or None where the rows leave nothing."""
        entries = [(r, c, x) for r, row in enumerate(self.rows) for c, x in row.items()]
        r, c, x = zip(*entries) if entries else ((), (), ())
        columns = len(self.arcs) + 1
        matrix = csr_array((x, (r, c)), shape=(len(self.rows), columns))
        integrality = np.ones(columns)
        integrality[-1] = 0
        upper = np.ones(columns)
        upper[-1] = np.inf
        result = milp(
            cost,
            integrality=integrality,
            bounds=Bounds(np.zeros(columns), upper),
            constraints=LinearConstraint(matrix, self.low, self.high),
            options={"mip_rel_gap": 0.0, "time_limit": time_limit_s},
        )
        if result.status == 2:
            return None
        if result.status != 0:
            raise TimeoutError(f"HiGHS stopped without a proof: {result.message}")
        return result.x, result.mip_dual_bound

    def delay_cost(self) -> np.ndarray:
        cost = [arc.seconds + arc.latency_s for arc in self.arcs]
        return np.array([*cost, (self.problem["micro_batches"] - 1) * self.unit_s])

    def used(self, x: np.ndarray) -> list[int]:
        """Arcs of the path from start to goal."""
        after = {self.arcs[i].tail: int(i) for i in np.flatnonzero(x[:-1] > 0.5)}
        state, path = self.start, []
        while state != self.goal:
            path.append(after[state])
            state = self.arcs[path[-1]].head
        return path

    def plan(self, path: list[int]) -> dict:
        ids, stages, first = [self.start[1]], [], 0
        for arc in (self.arcs[i] for i in path):
            if arc.station is not None and arc.station[0] == "hop":
                ids.append(arc.head[1])
            elif arc.tail[0] == "did":
                _, node, end, k = arc.head
                codec = None if k is None else self.problem["codecs"][k]["name"]
                stages.append({"node": node, "first_layer": first, "last_layer": end - 1, "codec": codec})
                first = end
        return {"path": ids, "stages": stages}

    def within_limits(self, cost: np.ndarray, time_limit_s: float) -> Optimum | None:
        """The least-cost plan that keeps the limits exactly; the bound is in units of `cost`."""
        while True:
            found = self.minimise(cost, time_limit_s)
            if found is None:
                return None
            path = self.used(found[0])
            plan = self.plan(path)
            if not evaluator.broken_limits(self.problem, plan):
                return Optimum(plan, evaluator.evaluate(self.problem, plan), found[1])
            self.add(dict.fromkeys(path, 1.0), -math.inf, len(path) - 1)


def solve(problem: dict, time_limit_s: float = 600.0) -> Optimum | None:
    """An optimal plan under the objective of the problem, or None where no plan is feasible.

    Optimal to the tolerances of HiGHS: a relative 1e-6. Under `throughput` the delay is minimised in a second
    programme with the bottleneck held to that tolerance.

    Raises
    ------
    TimeoutError
        If HiGHS ends without a proof.
    """
    programme = _Programme(problem)
    if problem.get("objective", "delay") == "throughput":
        only_bottleneck = np.zeros(len(programme.arcs) + 1)
        only_bottleneck[-1] = OBJECTIVE_SCALE
        first = programme.within_limits(only_bottleneck, time_limit_s)
        if first is None:
            return None
        smallest = first.value.bottleneck_s / programme.unit_s
        programme.add({programme.bottleneck: 1.0}, 0, smallest * (1 + 1e-9))
        scale = OBJECTIVE_SCALE / (first.value.delay_s or 1.0)
        best = programme.within_limits(programme.delay_cost() * scale, time_limit_s) or first
        return Optimum(best.plan, best.value, first.bound / OBJECTIVE_SCALE * programme.unit_s)
    scale = OBJECTIVE_SCALE / programme.unit_s
    best = programme.within_limits(programme.delay_cost() * scale, time_limit_s)
    return best and Optimum(best.plan, best.value, best.bound / scale)
