"""Autoregressive generation by the definition: every plan of the prefill, the loop added up by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import networkx

from . import evaluator


@dataclass(frozen=True)
class Generation:
    """Prefill problem (a dict), per-layer (FLOP, read bytes, output bytes) of a step, and the request."""

    problem: dict
    decode: list[tuple[float, float, float]]
    bandwidth_bytes_per_s: dict[str, float]
    new_tokens: int
    token_bytes: float


def total_s(g: Generation, plan: dict) -> tuple[float, float]:
    """Seconds and joules of prefill and all further tokens."""
    problem = g.problem
    nodes = {node["id"]: node for node in problem["nodes"]}
    links = {(link["from"], link["to"]): link for link in problem["links"]}
    codecs = {codec["name"]: codec for codec in problem["codecs"]}
    prefill = evaluator.evaluate(problem, plan)
    steps = g.new_tokens - 1
    if steps == 0:
        return prefill.delay_s, prefill.energy_j

    def hop(a: str, b: str, size: float) -> tuple[float, float]:
        link = links[a, b]
        busy = link.get("overhead_s", 0.0) + 8 * size / link["rate_bps"]
        return busy + link["latency_s"], nodes[a].get("tx_power_w", 0.0) * busy

    seconds = joules = 0.0
    stages, path = plan["stages"], plan["path"]
    for i, stage in enumerate(stages):
        node = nodes[stage["node"]]
        scale = node.get("codec_time_scale", 1.0)
        busy = node.get("overhead_s", 0.0)
        if i > 0:
            previous = stages[i - 1]
            size = g.decode[previous["last_layer"]][2]
            busy += size * codecs[previous["codec"]].get("decode_s_per_byte", 0.0) * scale
        for flop, read, _ in g.decode[stage["first_layer"] : stage["last_layer"] + 1]:
            busy += max(
                flop / node["flop_per_s"] if flop else 0.0, read / g.bandwidth_bytes_per_s[stage["node"]]
            )
        if i + 1 < len(stages):
            size = g.decode[stage["last_layer"]][2]
            codec = codecs[stage["codec"]]
            busy += size * codec.get("encode_s_per_byte", 0.0) * scale
            sent = size / evaluator.codec_ratio(codec, stage["last_layer"])
            here, there = path.index(stage["node"]), path.index(stages[i + 1]["node"])
            for a, b in zip(path[here:there], path[here + 1 : there + 1]):
                t, e = hop(a, b, sent)
                seconds += t
                joules += e
        seconds += busy
        joules += node.get("power_w", 0.0) * busy
    graph = networkx.DiGraph()
    graph.add_nodes_from(nodes)
    for a, b in links:
        graph.add_edge(a, b, seconds=hop(a, b, g.token_bytes)[0])
    try:
        back = networkx.dijkstra_path(graph, stages[-1]["node"], stages[0]["node"], weight="seconds")
    except networkx.NetworkXNoPath:
        return math.inf, math.inf
    for a, b in zip(back, back[1:]):
        t, e = hop(a, b, g.token_bytes)
        seconds += t
        joules += e
    return prefill.delay_s + steps * seconds, prefill.energy_j + steps * joules
