"""Worth of a plan, straight from the words of the file format.

Problems and plans are dictionaries as `json.load` gives them. Written for legibility, not speed: the other
oracles have their own arithmetic and are tested against this one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LIMIT_ROOM = 1 + 1e-12  # limits are multiplied by this once, when a problem is read


@dataclass(frozen=True)
class Evaluation:
    """The terms of a plan; SI units, `error` a fraction."""

    delay_s: float
    bottleneck_s: float
    error: float
    energy_j: float
    bytes: float


class InvalidPlan(ValueError):
    """The plan breaks a rule that leaves it without a value: its path, its blocks or its codecs."""


def layer_time_s(problem: dict, node: dict, layer: int) -> float:
    """Seconds per micro-batch of one layer on a node; infinite where the node only relays."""
    measured = node.get("layer_time_s")
    if measured is not None:
        return measured[layer]
    if node["flop_per_s"] == 0:
        return math.inf
    return problem["layers"][layer]["flop"] / node["flop_per_s"]


def codec_ratio(codec: dict, layer: int) -> float:
    """Uncompressed over compressed bytes of a codec at the cut after `layer`."""
    table = codec.get("layer_ratio")
    return codec["ratio"] if table is None else table[layer]


def codec_error(problem: dict, codec: dict, layer: int) -> float:
    """Weighed error of a codec at the cut after `layer`."""
    table = codec.get("layer_error")
    if table is not None:
        return table[layer]
    return codec["error"] * problem["layers"][layer].get("error_gain", 1.0)


def limits_of(problem: dict) -> tuple[float, float]:
    """Largest error and energy allowed, with their room; infinite where there is no limit."""
    limits = problem.get("limits", {})
    error, energy = limits.get("max_error"), limits.get("max_energy_j")
    return (
        math.inf if error is None else error * LIMIT_ROOM,
        math.inf if energy is None else energy * LIMIT_ROOM,
    )


def error_rule(problem: dict) -> str:
    return problem.get("limits", {}).get("error_rule", "sum")


def _find(items: list[dict], key: str, value: str, what: str) -> dict:
    for item in items:
        if item[key] == value:
            return item
    raise InvalidPlan(f"{what} {value!r} is not in the problem")


def evaluate(problem: dict, plan: dict) -> Evaluation:
    """Terms of a plan, limits left aside.

    Raises
    ------
    InvalidPlan
        If the path is not a simple one from source to sink over links of the problem, the blocks do not
        cover the layers in path order, a host only relays, or a codec is missing, unknown or too many.
    """
    layers, micro_batches = problem["layers"], problem["micro_batches"]
    path, stages = plan["path"], plan["stages"]
    nodes = [_find(problem["nodes"], "id", node_id, "node") for node_id in path]
    if not path or path[0] != problem["source"] or path[-1] != problem["sink"]:
        raise InvalidPlan("the path does not lead from source to sink")
    if len(set(path)) != len(path):
        raise InvalidPlan("the path visits a node twice")

    stage_of: dict[str, dict] = {}
    done = 0
    position = -1
    for stage in stages:
        if stage["node"] not in path or path.index(stage["node"]) <= position:
            raise InvalidPlan(f"stage on {stage['node']!r} is not in path order")
        position = path.index(stage["node"])
        if stage["first_layer"] != done or stage["last_layer"] < done:
            raise InvalidPlan("the blocks do not follow each other")
        done = stage["last_layer"] + 1
        if (stage["codec"] is None) != (done == len(layers)):
            raise InvalidPlan("a codec belongs to every stage but the last")
        stage_of[stage["node"]] = stage
    if done != len(layers):
        raise InvalidPlan("the blocks do not cover all layers")

    compute_s, hop_s, latency_s, errors = [], [], 0.0, []
    energy_j = crossing_total = 0.0
    crossing = problem["input_bytes"]
    received: tuple[dict, int] | None = None  # codec and last layer of the activation in flight
    for at, node in enumerate(nodes):
        stage = stage_of.get(node["id"])
        if stage is not None:
            first, last = stage["first_layer"], stage["last_layer"]
            scale = node.get("codec_time_scale", 1.0)
            seconds = node.get("overhead_s", 0.0)
            if received is not None:
                codec, layer = received
                seconds += layers[layer]["output_bytes"] * codec.get("decode_s_per_byte", 0.0) * scale
            for layer in range(first, last + 1):
                if math.isinf(layer_time_s(problem, node, layer)):
                    raise InvalidPlan(f"node {node['id']!r} only relays")
                seconds += layer_time_s(problem, node, layer)
            out = layers[last]["output_bytes"]
            if stage["codec"] is None:
                crossing = out
            else:
                codec = _find(problem["codecs"], "name", stage["codec"], "codec")
                seconds += out * codec.get("encode_s_per_byte", 0.0) * scale
                errors.append(codec_error(problem, codec, last))
                crossing = out / codec_ratio(codec, last)
                received = (codec, last)
            compute_s.append(seconds)
            energy_j += micro_batches * node.get("power_w", 0.0) * seconds
        if at + 1 < len(nodes):
            links = [k for k in problem["links"] if (k["from"], k["to"]) == (path[at], path[at + 1])]
            if not links:
                raise InvalidPlan(f"no link from {path[at]!r} to {path[at + 1]!r}")
            seconds = links[0].get("overhead_s", 0.0) + 8 * crossing / links[0]["rate_bps"]
            hop_s.append(seconds)
            latency_s += links[0]["latency_s"]
            crossing_total += crossing
            energy_j += micro_batches * node.get("tx_power_w", 0.0) * seconds

    bottleneck_s = max(compute_s + hop_s)
    squares = error_rule(problem) == "root_sum_square"
    error = math.sqrt(math.fsum(e * e for e in errors)) if squares else math.fsum(errors)
    return Evaluation(
        delay_s=math.fsum(compute_s) + math.fsum(hop_s) + latency_s + (micro_batches - 1) * bottleneck_s,
        bottleneck_s=bottleneck_s,
        error=error,
        energy_j=energy_j,
        bytes=micro_batches * crossing_total,
    )


def broken_limits(problem: dict, plan: dict, room: float = 0.0) -> list[str]:
    """Names of the limits that a plan breaks: `memory:<node>`, `error`, `energy`.

    `room` is a further relative allowance, for comparing sums that were taken in another order.
    """
    value = evaluate(problem, plan)
    max_error, max_energy_j = limits_of(problem)
    broken = []
    for stage in plan["stages"]:
        node = _find(problem["nodes"], "id", stage["node"], "node")
        block = problem["layers"][stage["first_layer"] : stage["last_layer"] + 1]
        if math.fsum(x["memory_bytes"] for x in block) > node["memory_bytes"] * LIMIT_ROOM * (1 + room):
            broken.append(f"memory:{node['id']}")
    if value.error > max_error * (1 + room):
        broken.append("error")
    if value.energy_j > max_energy_j * (1 + room):
        broken.append("energy")
    return broken


def objective_of(problem: dict, value: Evaluation) -> float:
    """What the problem minimises: the delay, or the bottleneck under `throughput`."""
    return value.bottleneck_s if problem.get("objective", "delay") == "throughput" else value.delay_s
