"""Every plan of a small problem: all simple paths, all host subsets and blocks, all codecs.

The plans of one path are the rows of arrays: where each node of the path ends (layers done) and which codec
is in flight there. numpy only adds them up, so that problems of six nodes and six layers take milliseconds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from . import evaluator
from .evaluator import LIMIT_ROOM

CRITERIA = ("delay_s", "bottleneck_s", "error", "energy_j", "bytes")
TIE = 1e-12  # values this close, relatively, are one: two orders of the same sum may differ in the last bits


def simple_paths(problem: dict) -> Iterator[list[int]]:
    """Simple paths from source to sink, as node indices."""
    index = {node["id"]: i for i, node in enumerate(problem["nodes"])}
    after: dict[int, list[int]] = {i: [] for i in index.values()}
    for link in problem["links"]:
        after[index[link["from"]]].append(index[link["to"]])
    sink = index[problem["sink"]]

    def extend(path: list[int]) -> Iterator[list[int]]:
        if path[-1] == sink:
            yield list(path)
            return
        for node in after[path[-1]]:
            if node not in path:
                yield from extend([*path, node])

    yield from extend([index[problem["source"]]])


@lru_cache(maxsize=4096)
def _structures(hosts: tuple[bool, ...], layers: int, codecs: int) -> tuple[np.ndarray, np.ndarray]:
    """All divisions of the layers over a path whose nodes may host or not.

    Returns `ends` (plans, nodes), the layers done after each node, and `codec` (plans, nodes), the codec in
    flight after it: `codecs`, one past the last, stands for none (nothing has run, or everything has).
    """
    ends, flights = [], []
    width = len(hosts)
    where = [i for i in range(width) if hosts[i]]
    for count in range(1, min(len(where), layers) + 1):
        for chosen in itertools.combinations(where, count):
            for cuts in itertools.combinations(range(1, layers), count - 1):
                end = np.zeros(width, dtype=np.int64)
                for node, done in zip(chosen, (*cuts, layers)):
                    end[node:] = done
                for names in itertools.product(range(codecs), repeat=count - 1):
                    codec = np.full(width, codecs, dtype=np.int64)
                    for node, name in zip(chosen, (*names, codecs)):
                        codec[node:] = name
                    ends.append(end)
                    flights.append(codec)
    shape = (len(ends), width)
    return np.array(ends, dtype=np.int64).reshape(shape), np.array(flights, dtype=np.int64).reshape(shape)


class _Tables:
    """Numbers of a problem by node, layers done and codec in flight; the last codec is none."""

    def __init__(self, problem: dict) -> None:
        layers, codecs, nodes = problem["layers"], problem["codecs"], problem["nodes"]
        self.layers, self.codecs = len(layers), len(codecs)
        done, flight = self.layers + 1, self.codecs + 1
        self.block_s = np.full((len(nodes), done, done), np.inf)
        self.block_fits = np.ones((len(nodes), done, done), dtype=bool)
        for v, node in enumerate(nodes):
            times = [evaluator.layer_time_s(problem, node, layer) for layer in range(self.layers)]
            room = node["memory_bytes"] * LIMIT_ROOM
            for first, last in itertools.combinations(range(done), 2):
                self.block_s[v, first, last] = node.get("overhead_s", 0.0) + sum(times[first:last])
                memory = math.fsum(layer["memory_bytes"] for layer in layers[first:last])
                self.block_fits[v, first, last] = memory <= room
        self.scale = np.array([node.get("codec_time_scale", 1.0) for node in nodes])
        self.power_w = np.array([node.get("power_w", 0.0) for node in nodes])
        self.tx_power_w = np.array([node.get("tx_power_w", 0.0) for node in nodes])
        self.hosts = [bool(np.isfinite(self.block_s[v, 0, 1])) for v in range(len(nodes))]

        self.bytes = np.zeros((done, flight))
        self.encode_s, self.decode_s = np.zeros((done, flight)), np.zeros((done, flight))
        self.error = np.zeros((done, flight))
        self.bytes[0, -1] = problem["input_bytes"]
        self.bytes[-1, -1] = layers[-1]["output_bytes"]
        for cut, k in itertools.product(range(1, self.layers), range(self.codecs)):
            out, codec = layers[cut - 1]["output_bytes"], codecs[k]
            self.bytes[cut, k] = out / evaluator.codec_ratio(codec, cut - 1)
            self.encode_s[cut, k] = out * codec.get("encode_s_per_byte", 0.0)
            self.decode_s[cut, k] = out * codec.get("decode_s_per_byte", 0.0)
            self.error[cut, k] = evaluator.codec_error(problem, codec, cut - 1)


@dataclass(frozen=True)
class Enumeration:
    """All feasible plans of a problem.

    Attributes
    ----------
    values : ndarray, shape (plans, 5)
        Columns as `CRITERIA`; SI units.
    considered : int
        How many plans there are, infeasible ones included.
    """

    problem: dict
    values: np.ndarray
    considered: int
    _origin: list[tuple[list[int], np.ndarray, np.ndarray]]  # per path: nodes, ends, codec of the feasible

    @property
    def feasible(self) -> bool:
        return len(self.values) > 0

    def order(self) -> np.ndarray:
        """Plans from best to worst under the objective of the problem; `throughput` breaks ties by delay."""
        delay, bottleneck = self.values[:, 0], self.values[:, 1]
        if self.problem.get("objective", "delay") == "delay":
            return np.argsort(delay, kind="stable")
        by_bottleneck = np.argsort(bottleneck, kind="stable")
        # Equal bottlenecks may differ in their last bits: they share the number of their tie.
        ordered = bottleneck[by_bottleneck]
        rank = np.empty(len(ordered), dtype=np.int64)
        rank[by_bottleneck] = np.concatenate(([0], np.cumsum(ordered[1:] > ordered[:-1] * (1 + TIE))))
        return np.lexsort((delay, rank))

    def best(self) -> evaluator.Evaluation | None:
        """Value of an optimal plan, or None where no plan is feasible."""
        return self.value(int(self.order()[0])) if self.feasible else None

    def best_plan(self) -> dict | None:
        return self.plan(int(self.order()[0])) if self.feasible else None

    def k_best(self, k: int) -> list[evaluator.Evaluation]:
        """Values of the k best distinct plans (path, blocks and codecs), fewer where there are fewer."""
        return [self.value(int(i)) for i in self.order()[:k]]

    def front(self, criteria: Sequence[str]) -> np.ndarray:
        """Nondominated values (points, criteria), each once, in lexicographic order."""
        points = np.unique(self.values[:, [CRITERIA.index(name) for name in criteria]], axis=0)
        kept: list[np.ndarray] = []
        while len(points):
            # The lexicographically least point is dominated by none that is left.
            kept.append(points[0])
            points = points[(points < points[0]).any(axis=1)]
        return np.array(kept).reshape(-1, len(criteria))

    def value(self, index: int) -> evaluator.Evaluation:
        return evaluator.Evaluation(*(float(x) for x in self.values[index]))

    def plan(self, index: int) -> dict:
        """Path and stages of a feasible plan, as in a plan file."""
        for path, ends, codec in self._origin:
            if index < len(ends):
                return plan_dict(self.problem, path, ends[index], codec[index])
            index -= len(ends)
        raise IndexError("no such plan")


def plan_dict(problem: dict, path: Sequence[int], ends: Sequence[int], codec: Sequence[int]) -> dict:
    """Path and stages of the plan file, from the layers done and the codec in flight after each node."""
    ids = [problem["nodes"][v]["id"] for v in path]
    stages, done = [], 0
    for node_id, end, k in zip(ids, ends, codec):
        if end > done:
            name = None if end == len(problem["layers"]) else problem["codecs"][k]["name"]
            stages.append({"node": node_id, "first_layer": done, "last_layer": int(end) - 1, "codec": name})
        done = int(end)
    return {"path": ids, "stages": stages}


def enumerate_plans(problem: dict) -> Enumeration:
    """Evaluate every plan of a problem."""
    table = _Tables(problem)
    index = {node["id"]: i for i, node in enumerate(problem["nodes"])}
    links = {(index[k["from"]], index[k["to"]]): k for k in problem["links"]}
    max_error, max_energy_j = evaluator.limits_of(problem)
    squares = evaluator.error_rule(problem) == "root_sum_square"
    micro_batches = problem["micro_batches"]

    found, origin, considered = [np.empty((0, len(CRITERIA)))], [], 0
    for path in simple_paths(problem):
        ends, codec = _structures(tuple(table.hosts[v] for v in path), table.layers, table.codecs)
        considered += len(ends)
        total = np.zeros(len(ends))
        bottleneck, error, energy, crossing = (np.zeros(len(ends)) for _ in range(4))
        fits = np.ones(len(ends), dtype=bool)
        done = np.zeros(len(ends), dtype=np.int64)
        flight = np.full(len(ends), table.codecs)
        for at, v in enumerate(path):
            end, next_flight = ends[:, at], codec[:, at]
            hosting = end > done
            if table.hosts[v] and hosting.any():
                seconds = np.where(
                    hosting,
                    table.block_s[v][done, end]
                    + (table.decode_s[done, flight] + table.encode_s[end, next_flight]) * table.scale[v],
                    0.0,
                )
                total += seconds
                bottleneck = np.maximum(bottleneck, seconds)
                energy += table.power_w[v] * seconds
                loss = np.where(hosting, table.error[end, next_flight], 0.0)
                error += loss**2 if squares else loss
                fits &= ~hosting | table.block_fits[v][done, end]
            if at + 1 < len(path):
                link = links[v, path[at + 1]]
                size = table.bytes[end, next_flight]
                seconds = link.get("overhead_s", 0.0) + 8 * size / link["rate_bps"]
                total += seconds + link["latency_s"]
                bottleneck = np.maximum(bottleneck, seconds)
                energy += table.tx_power_w[v] * seconds
                crossing += size
            done, flight = end, next_flight
        if squares:
            error = np.sqrt(error)
        energy *= micro_batches
        fits &= (error <= max_error) & (energy <= max_energy_j)
        delay = total + (micro_batches - 1) * bottleneck
        found.append(np.stack([delay, bottleneck, error, energy, micro_batches * crossing], axis=1)[fits])
        origin.append((path, ends[fits], codec[fits]))
    return Enumeration(problem, np.concatenate(found), considered, origin)


def same_front(left: np.ndarray, right: np.ndarray, rel: float = 1e-9) -> bool:
    """Whether two fronts are one up to rounding: each covers every point of the other.

    Rounding can add a point that is dominated by a hair, so counts are not compared.
    """

    def covers(a: np.ndarray, b: np.ndarray) -> bool:
        room = rel * np.abs(b) + 1e-300
        return all((a <= point + slack).all(axis=1).any() for point, slack in zip(b, room))

    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if len(left) == 0 or len(right) == 0:
        return len(left) == len(right)
    return covers(left, right) and covers(right, left)
