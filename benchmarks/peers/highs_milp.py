"""The split problem as a plain mixed-integer programme, as one would write it down, in HiGHS through scipy.

One programme for each simple path, with S nodes in order, L layers and K codecs:

* x[l, s] = 1: node s computes layer l; Σ_s x[l, s] = 1; blocks in order: p[l + 1, s] ≤ p[l, s], where
  p[l, s] = Σ_{s' ≤ s} x[l, s'] says that layer l is done when node s has sent;
* y[l, k] = 1: the cut after layer l uses codec k, Σ_k y[l, k] ≤ 1;
* z[l, s, k], the product of y[l, k] and w[l, s] = p[l, s] - p[l + 1, s] (hop s carries the activation after
  layer l), linear by Σ_k z[l, s, k] = w[l, s] and z[l, s, k] ≤ y[l, k];
* encoding e[l, s, k] ≥ z[l, s, k] - z[l, s - 1, k] and decoding d[l, s, k] ≥ z[l, s - 1, k] - z[l, s, k],
  and hosting h[s] ≥ x[l, s], each only where it takes time;
* B ≥ every stage and every hop; minimise their sum + latencies + (M - 1) B, under memory and error.

    python benchmarks/peers/highs_milp.py PROBLEM.json
"""

from __future__ import annotations

import itertools
import json
import math
import sys
import time

import layered_graph
import numpy as np
import scipy
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

LIMIT_ROOM = layered_graph.LIMIT_ROOM

Terms = dict[int, float]


def simple_paths(problem: dict) -> list[list[str]]:
    """Simple paths from source to sink, as node ids."""
    paths, stack = [], [[problem["source"]]]
    while stack:
        path = stack.pop()
        if path[-1] == problem["sink"]:
            paths.append(path)
            continue
        stack += [[*path, k["to"]] for k in problem["links"] if k["from"] == path[-1] and k["to"] not in path]
    return paths


class Programme:
    """Columns and rows of one path."""

    def __init__(self, problem: dict, path: list[str]) -> None:
        by_id = {node["id"]: node for node in problem["nodes"]}
        by_ends = {(link["from"], link["to"]): link for link in problem["links"]}
        self.problem, self.path = problem, path
        self.layers, self.codecs = problem["layers"], problem["codecs"]
        self.nodes = [by_id[v] for v in path]
        self.links = [by_ends[pair] for pair in zip(path, path[1:])]
        self.integer: list[int] = []
        self.upper: list[float] = []
        self.rows: list[tuple[Terms, float, float]] = []
        self.latency_s = sum(link["latency_s"] for link in self.links)
        self.stations: list[tuple[Terms, float]] = []  # stages and hops: terms and constant, seconds
        self._variables()
        self._assignment()
        self._products()
        self._stages()
        self._hops()
        self._error()

    def column(self, integer: bool, upper: float = 1.0) -> int:
        self.integer.append(int(integer))
        self.upper.append(upper)
        return len(self.upper) - 1

    def row(self, terms: Terms, low: float, high: float) -> None:
        self.rows.append((terms, low, high))

    def times(self, s: int) -> list[float] | None:
        node = self.nodes[s]
        if node.get("layer_time_s") is not None:
            return node["layer_time_s"]
        if node["flop_per_s"] == 0:
            return None
        return [layer["flop"] / node["flop_per_s"] for layer in self.layers]

    def _variables(self) -> None:
        count, cuts = len(self.layers), range(len(self.layers) - 1)
        hosts = [s for s in range(len(self.nodes)) if self.times(s) is not None]
        self.x = {(i, s): self.column(True) for i in range(count) for s in hosts}
        self.y = {(i, k): self.column(True) for i in cuts for k in range(len(self.codecs))}
        hops = range(len(self.links))
        self.z = {(i, s, k): self.column(False) for i, k in self.y for s in hops}
        self.bottleneck = self.column(False, math.inf)

    def done(self, layer: int, s: int, weight: float) -> Terms:
        """weight · p[layer, s]."""
        return {self.x[layer, t]: weight for t in range(s + 1) if (layer, t) in self.x}

    def _assignment(self) -> None:
        count = len(self.layers)
        for i in range(count):
            self.row(self.done(i, len(self.nodes) - 1, 1.0), 1, 1)
        for i, s in itertools.product(range(count - 1), range(len(self.links))):
            self.row({**self.done(i + 1, s, 1.0), **self.done(i, s, -1.0)}, -math.inf, 0)
        for s, node in enumerate(self.nodes):
            used = {self.x[i, s]: self.layers[i]["memory_bytes"] for i in range(count) if (i, s) in self.x}
            room = node["memory_bytes"] * LIMIT_ROOM
            if sum(used.values()) > room:
                scale = room or 1.0
                self.row({c: value / scale for c, value in used.items()}, 0, room / scale)

    def _products(self) -> None:
        kinds = range(len(self.codecs))
        for i in range(len(self.layers) - 1):
            self.row({self.y[i, k]: 1.0 for k in kinds}, 0, 1)
            for s in range(len(self.links)):
                chosen = {self.z[i, s, k]: 1.0 for k in kinds}
                self.row({**chosen, **self.done(i, s, -1.0), **self.done(i + 1, s, 1.0)}, 0, 0)
                for k in kinds:
                    self.row({self.z[i, s, k]: 1.0, self.y[i, k]: -1.0}, -math.inf, 0)

    def _positive_part(self, plus: int | None, minus: int | None) -> int | None:
        """A column of at least plus - minus, where there is a plus."""
        if plus is None:
            return None
        part = self.column(False)
        self.row({part: -1.0, plus: 1.0, **({} if minus is None else {minus: -1.0})}, -math.inf, 0)
        return part

    def _stages(self) -> None:
        for s, node in enumerate(self.nodes):
            times = self.times(s)
            if times is None:
                continue
            stage = {self.x[i, s]: seconds for i, seconds in enumerate(times)}
            if node.get("overhead_s", 0.0) > 0:
                hosting = self.column(False)
                stage[hosting] = node["overhead_s"]
                for i in range(len(times)):
                    self.row({self.x[i, s]: 1.0, hosting: -1.0}, -math.inf, 0)
            for i, k in self.y:
                scaled = self.layers[i]["output_bytes"] * node.get("codec_time_scale", 1.0)
                before, after = self.z.get((i, s - 1, k)), self.z.get((i, s, k))
                for key, plus, minus in (
                    ("encode_s_per_byte", after, before),
                    ("decode_s_per_byte", before, after),
                ):
                    seconds = scaled * self.codecs[k].get(key, 0.0)
                    if seconds > 0 and (part := self._positive_part(plus, minus)) is not None:
                        stage[part] = seconds
            self.station(stage, 0.0)

    def _hops(self) -> None:
        last = len(self.layers) - 1
        for s, link in enumerate(self.links):
            s_per_byte = 8 / link["rate_bps"]
            raw = self.problem["input_bytes"] * s_per_byte
            hop = self.done(0, s, -raw)
            for column, seconds in self.done(last, s, self.layers[last]["output_bytes"] * s_per_byte).items():
                hop[column] = hop.get(column, 0.0) + seconds
            for i, k in self.y:
                table = self.codecs[k].get("layer_ratio")
                ratio = self.codecs[k]["ratio"] if table is None else table[i]
                hop[self.z[i, s, k]] = self.layers[i]["output_bytes"] / ratio * s_per_byte
            self.station(hop, link.get("overhead_s", 0.0) + raw)

    def station(self, terms: Terms, constant_s: float) -> None:
        """A stage or hop of `constant_s` + terms, part of the sum and below the bottleneck."""
        self.stations.append((terms, constant_s))
        self.row({**terms, self.bottleneck: -1.0}, -math.inf, -constant_s)

    def _error(self) -> None:
        limits = self.problem.get("limits", {})
        if limits.get("max_error") is None:
            return
        power = 2 if limits.get("error_rule") == "root_sum_square" else 1
        limit = (limits["max_error"] * LIMIT_ROOM) ** power
        scale = limit or 1.0
        terms = {}
        for (i, k), column in self.y.items():
            table = self.codecs[k].get("layer_error")
            gain = self.layers[i].get("error_gain", 1.0)
            terms[column] = (self.codecs[k]["error"] * gain if table is None else table[i]) ** power
            if terms[column] > limit:  # by however little: HiGHS would allow itself a tolerance
                self.upper[column] = 0.0
        self.row({column: value / scale for column, value in terms.items()}, -math.inf, limit / scale)

    def solve(self, time_limit_s: float) -> tuple[float, dict] | None:
        """Least delay and plan, or None where there is none."""
        columns = len(self.upper)
        cost = np.zeros(columns)
        for terms, _ in self.stations:
            cost[list(terms)] += list(terms.values())
        cost[self.bottleneck] = self.problem["micro_batches"] - 1
        entries = [(r, c, v) for r, (terms, _, _) in enumerate(self.rows) for c, v in terms.items()]
        r, c, v = zip(*entries)
        result = milp(
            cost,
            integrality=self.integer,
            bounds=Bounds(np.zeros(columns), self.upper),
            constraints=LinearConstraint(
                csr_array((v, (r, c)), shape=(len(self.rows), columns)),
                [low for _, low, _ in self.rows],
                [high for _, _, high in self.rows],
            ),
            options={"mip_rel_gap": 0.0, "time_limit": time_limit_s},
        )
        if result.status == 2:
            return None
        if result.status != 0:
            raise TimeoutError(f"HiGHS stopped without a proof: {result.message}")
        return self.delay_s(np.round(result.x)), self.plan(result.x)

    def delay_s(self, x: np.ndarray) -> float:
        """Delay of whole numbers: that of HiGHS is short by its tolerances."""
        seconds = [constant + sum(v * x[c] for c, v in terms.items()) for terms, constant in self.stations]
        return sum(seconds) + self.latency_s + (self.problem["micro_batches"] - 1) * max(seconds)

    def plan(self, x: np.ndarray) -> dict:
        """Path and stages of a plan file."""
        host = [
            next(s for s in range(len(self.nodes)) if (i, s) in self.x and x[self.x[i, s]] > 0.5)
            for i in range(len(self.layers))
        ]
        stages, first = [], 0
        for i, s in enumerate(host):
            if i + 1 < len(host) and host[i + 1] == s:
                continue
            codec = None
            if i + 1 < len(host):
                k = max(range(len(self.codecs)), key=lambda k: x[self.y[i, k]])
                codec = self.codecs[k]["name"]
            stages.append({"node": self.path[s], "first_layer": first, "last_layer": i, "codec": codec})
            first = i + 1
        return {"path": self.path, "stages": stages}


def solve(problem: dict, time_limit_s: float = 600.0) -> dict:
    """Least delay of a problem, seconds to write and to solve the programmes, and the plan.

    Raises
    ------
    TimeoutError
        If HiGHS does not prove a programme within `time_limit_s`.
    """
    begun = time.perf_counter()
    programmes = [Programme(problem, path) for path in simple_paths(problem)]
    built = time.perf_counter()
    found = [best for programme in programmes if (best := programme.solve(time_limit_s)) is not None]
    done = time.perf_counter()
    objective, plan = min(found, key=lambda x: x[0], default=(None, None))
    return {
        "peer": f"HiGHS (scipy {scipy.__version__})",
        "objective": objective,
        "seconds": done - built,
        "build_seconds": built - begun,
        "programmes": len(programmes),
        "columns": sum(len(programme.upper) for programme in programmes),
        "rows": sum(len(programme.rows) for programme in programmes),
        "plan": plan,
    }


if __name__ == "__main__":
    print(json.dumps(solve(layered_graph.load(sys.argv[1])), indent=1))
