"""The split problem as a layered graph: what the label-setting peers search.

Vertices: `("in", v, j, k)`, at node v with j layers done and codec k in flight (none before the first layer
and after the last); `("has", v, j)`, the same after v computed a block; `("end",)`. Arcs:

* compute: `in(v, j, k) → has(v, j')`, overhead, decoding and the block, if v has the memory for it;
* send: `has(v, j') → in(w, j', k')`, encoding and the hop along v → w; at the sink, with all layers done,
  to the end instead;
* relay: `in(v, j, k) → in(w, j, k)`, the hop; at the sink to the end.

A stage is spread over two arcs, so a label carries the seconds of the stage that it is in, beside its sum,
its bottleneck and its error; where no codec takes time to encode, the stage ends with its block and that is
always zero. This graph is some fifty times smaller than one whose arcs are whole stages. Only vertices on a
way from source to sink are kept.
"""

from __future__ import annotations

import heapq
import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LIMIT_ROOM = 1 + 1e-12


@dataclass(frozen=True)
class Arc:
    """Seconds of an arc: the sum grows by stage, hop and latency."""

    tail: int
    head: int
    stage_s: float  # added to the stage in progress
    ends_stage: bool
    hop_s: float
    latency_s: float
    error: float  # squared under the root-sum-square rule
    node: int  # the node it enters, -1 if it stays where it is


@dataclass(frozen=True)
class LayeredGraph:
    """Vertices by number; `source` and `end` are two of them, `budget` limits the sum of the errors."""

    vertices: list[tuple]
    arcs: list[Arc]
    source: int
    end: int
    source_node: int
    micro_batches: int
    budget: float


def load(path: str | Path) -> dict:
    """Read a problem, refusing what the peers do not solve."""
    problem = json.loads(Path(path).read_text(encoding="utf-8"))
    if problem.get("objective", "delay") != "delay":
        raise ValueError(f"objective {problem['objective']!r}: the peers minimise the delay only")
    if problem.get("limits", {}).get("max_energy_j") is not None:
        raise ValueError("limits.max_energy_j: the peers know no energy limit")
    return problem


def build(problem: dict) -> LayeredGraph:
    """Build the layered graph of a problem; empty of arcs where no plan can exist for want of a route."""
    layers, nodes, codecs = problem["layers"], problem["nodes"], problem["codecs"]
    total = len(layers)
    limits = problem.get("limits", {})
    power = 2 if limits.get("error_rule") == "root_sum_square" else 1
    max_error = math.inf if limits.get("max_error") is None else limits["max_error"] * LIMIT_ROOM
    number = {node["id"]: v for v, node in enumerate(nodes)}
    source, sink = number[problem["source"]], number[problem["sink"]]
    links_from = defaultdict(list)
    for link in problem["links"]:
        if link["from"] != problem["sink"] and link["to"] != problem["source"]:
            links_from[number[link["from"]]].append((number[link["to"]], link))

    flights = {(0, -1): (problem["input_bytes"], 0.0, 0.0, 0.0)}  # bytes, encode, decode, error
    flights[total, -1] = (layers[-1]["output_bytes"], 0.0, 0.0, 0.0)
    for cut in range(1, total):
        out, gain = layers[cut - 1]["output_bytes"], layers[cut - 1].get("error_gain", 1.0)
        for k, codec in enumerate(codecs):
            ratio = codec["ratio"] if codec.get("layer_ratio") is None else codec["layer_ratio"][cut - 1]
            error = codec["error"] * gain
            if codec.get("layer_error") is not None:
                error = codec["layer_error"][cut - 1]
            if error <= max_error:
                encode, decode = codec.get("encode_s_per_byte", 0.0), codec.get("decode_s_per_byte", 0.0)
                flights[cut, k] = (out / ratio, out * encode, out * decode, error**power)

    ends_with_block = all(flight[1] == 0 for flight in flights.values())
    raw: list[tuple] = []  # tail, head, stage, ends, hop, latency, error, node

    def leave(tail: tuple, v: int, done: int, k: int, stage_s: float, ends: bool, error: float) -> None:
        if v == sink:
            if done == total:
                raw.append((tail, ("end",), stage_s, ends, 0.0, 0.0, error, -1))
            return
        for w, link in links_from[v]:
            hop = link.get("overhead_s", 0.0) + 8 * flights[done, k][0] / link["rate_bps"]
            raw.append((tail, ("in", w, done, k), stage_s, ends, hop, link["latency_s"], error, w))

    for v, node in enumerate(nodes):
        scale = node.get("codec_time_scale", 1.0)
        times = node.get("layer_time_s")
        if times is None and node["flop_per_s"] > 0:
            times = [layer["flop"] / node["flop_per_s"] for layer in layers]
        for (done, k), (_, encode, decode, error) in flights.items():
            leave(("in", v, done, k), v, done, k, 0.0, False, 0.0)
            if times is not None and done > 0:
                leave(("has", v, done), v, done, k, encode * scale, True, error)
            if times is None or done == total:
                continue
            seconds, memory = node.get("overhead_s", 0.0) + decode * scale, 0.0
            for layer in range(done, total):
                seconds += times[layer]
                memory += layers[layer]["memory_bytes"]
                if memory > node["memory_bytes"] * LIMIT_ROOM:
                    break
                has = ("has", v, layer + 1)
                raw.append((("in", v, done, k), has, seconds, ends_with_block, 0.0, 0.0, 0.0, -1))

    start = ("in", source, 0, -1)
    kept = _reached(raw, start, 0, 1) & _reached(raw, ("end",), 1, 0)
    vertices = sorted(kept | {start, ("end",)}, key=lambda x: (x[0] == "end", x))
    index = {vertex: i for i, vertex in enumerate(vertices)}
    arcs = [Arc(index[a], index[b], *rest) for a, b, *rest in raw if a in kept and b in kept]
    return LayeredGraph(
        vertices, arcs, index[start], index["end",], source, problem["micro_batches"], max_error**power
    )


def _reached(raw: list[tuple], start: tuple, tail: int, head: int) -> set[tuple]:
    """Vertices that arcs lead to from `start`; with tail and head exchanged, those that lead to it."""
    after = defaultdict(list)
    for arc in raw:
        after[arc[tail]].append(arc[head])
    seen, stack = {start}, [start]
    while stack:
        for vertex in after[stack.pop()]:
            if vertex not in seen:
                seen.add(vertex)
                stack.append(vertex)
    return seen


@dataclass(frozen=True)
class Bounds:
    """Least sum, bottleneck and error from every vertex to the end, each by itself; they are never above."""

    sum_s: list[float]
    bottleneck_s: list[float]
    error: list[float]


def bounds(graph: LayeredGraph) -> Bounds:
    """Three backward passes."""
    into: list[list[Arc]] = [[] for _ in graph.vertices]
    for arc in graph.arcs:
        into[arc.head].append(arc)

    def backward(join: Callable[[float, Arc], float]) -> list[float]:
        found = [math.inf] * len(graph.vertices)
        heap = [(0.0, graph.end)]
        while heap:
            value, vertex = heapq.heappop(heap)
            if value >= found[vertex]:
                continue
            found[vertex] = value
            for arc in into[vertex]:
                heapq.heappush(heap, (join(value, arc), arc.tail))
        return found

    return Bounds(
        backward(lambda value, arc: value + (arc.stage_s + arc.hop_s + arc.latency_s)),
        backward(lambda value, arc: max(value, arc.stage_s, arc.hop_s)),
        backward(lambda value, arc: value + arc.error),
    )


def stages(problem: dict, graph: LayeredGraph, route: list[int]) -> tuple[list[str], list[dict]]:
    """Path and stages of a plan file, from the vertices on the way to the end."""
    path, found, first = [problem["source"]], [], 0
    for tail, head in zip(route, route[1:]):
        a, b = graph.vertices[tail], graph.vertices[head]
        if b[0] == "in" and problem["nodes"][b[1]]["id"] != path[-1]:
            path.append(problem["nodes"][b[1]]["id"])
        if a[0] == "has":
            codec = None if b[0] == "end" or b[3] < 0 else problem["codecs"][b[3]]["name"]
            stage = {"node": problem["nodes"][a[1]]["id"], "first_layer": first, "last_layer": a[2] - 1}
            found.append({**stage, "codec": codec})
            first = a[2]
    return path, found
