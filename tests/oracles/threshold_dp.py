"""Bottleneck thresholds on chains: a dynamic programme under every threshold that can matter.

With all stages and hops below a threshold, the delay is a sum and the limits are sums, so a programme over
(node, layers done, codec in flight) with lists of nondominated (sum, error, energy) solves the rest. The
thresholds descend: the least sum under "every stage and hop is shorter than t" belongs to a plan whose
bottleneck b < t; each plan with a bottleneck in [b, t) has no smaller sum and no smaller bottleneck, so the
next threshold is b. At the end there is no plan left, and the best of those met is optimal: under
`throughput` the last, which has the smallest bottleneck and, of those, the smallest sum.

Exact on every problem whose links leave one way from source to sink (relays included), and on others by
solving each simple path on its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import evaluator
from .enumerate import plan_dict, simple_paths

Label = tuple[float, float, float, float, tuple]  # sum, error, energy, bottleneck, (end, codec) by node


@dataclass(frozen=True)
class Optimum:
    """An optimal plan: its path and stages, and its value."""

    plan: dict
    value: evaluator.Evaluation


def _nondominated(labels: list[Label]) -> list[Label]:
    """Labels that no other matches or beats in sum, error and energy."""
    kept: list[Label] = []
    for label in sorted(labels, key=lambda x: x[:3]):
        if not any(k[1] <= label[1] and k[2] <= label[2] for k in kept):
            kept.append(label)
    return kept


class _Chain:
    """One path of a problem."""

    def __init__(self, problem: dict, path: list[int]) -> None:
        self.problem, self.path = problem, path
        self.layers, self.codecs = problem["layers"], problem["codecs"]
        self.nodes = [problem["nodes"][v] for v in path]
        by_ends = {(link["from"], link["to"]): link for link in problem["links"]}
        self.links = [by_ends[a["id"], b["id"]] for a, b in zip(self.nodes, self.nodes[1:])]
        self.max_error, self.max_energy_j = evaluator.limits_of(problem)
        self.power = 2 if evaluator.error_rule(problem) == "root_sum_square" else 1
        # The root is compared at the end; until then the squares have room for its rounding.
        self.budget = self.max_error**self.power * (1 + 1e-12)

    def codec_s(self, node: dict, done: int, codec: int | None, key: str) -> float:
        """Seconds to encode or decode, on a node, what follows `done` layers."""
        if codec is None:
            return 0.0
        scale = node.get("codec_time_scale", 1.0)
        return self.layers[done - 1]["output_bytes"] * self.codecs[codec].get(key, 0.0) * scale

    def hop_s(self, at: int, done: int, codec: int | None) -> float:
        if done == 0:
            size = self.problem["input_bytes"]
        else:
            size = self.layers[done - 1]["output_bytes"]
            if codec is not None:
                size = size / evaluator.codec_ratio(self.codecs[codec], done - 1)
        return self.links[at].get("overhead_s", 0.0) + 8 * size / self.links[at]["rate_bps"]

    def blocks(self, node: dict, done: int) -> list[tuple[int, float]]:
        """Ends of the blocks that may start after `done` layers on a node, with their seconds."""
        found, seconds, memory = [], node.get("overhead_s", 0.0), 0.0
        for layer in range(done, len(self.layers)):
            seconds += evaluator.layer_time_s(self.problem, node, layer)
            memory += self.layers[layer]["memory_bytes"]
            if math.isinf(seconds) or memory > node["memory_bytes"] * evaluator.LIMIT_ROOM:
                break
            found.append((layer + 1, seconds))
        return found

    def solve(self, below_s: float) -> Label | None:
        """A plan of the least sum among those whose stages and hops all stay below `below_s`."""
        total = len(self.layers)
        micro_batches = self.problem["micro_batches"]
        arrived: dict[tuple[int, int | None], list[Label]] = {(0, None): [(0.0, 0.0, 0.0, 0.0, ())]}
        for at, node in enumerate(self.nodes):
            left: dict[tuple[int, int | None], list[Label]] = {}
            for (done, codec), labels in arrived.items():
                left.setdefault((done, codec), []).extend(
                    (*label[:4], (*label[4], (done, codec))) for label in labels
                )
                decode = self.codec_s(node, done, codec, "decode_s_per_byte")
                for end, block in self.blocks(node, done):
                    for name in [None] if end == total else range(len(self.codecs)):
                        seconds = decode + block + self.codec_s(node, end, name, "encode_s_per_byte")
                        if seconds >= below_s:
                            continue
                        loss = 0.0
                        if name is not None:
                            error = evaluator.codec_error(self.problem, self.codecs[name], end - 1)
                            loss = error**self.power
                        joules = micro_batches * node.get("power_w", 0.0) * seconds
                        left.setdefault((end, name), []).extend(
                            (s + seconds, e + loss, j + joules, max(b, seconds), (*trail, (end, name)))
                            for s, e, j, b, trail in labels
                        )
            if at == len(self.links):
                arrived = {state: labels for state, labels in left.items() if state == (total, None)}
                break
            arrived = {}
            for (done, codec), labels in left.items():
                hop = self.hop_s(at, done, codec)
                if hop >= below_s:
                    continue
                joules = micro_batches * node.get("tx_power_w", 0.0) * hop
                spent = hop + self.links[at]["latency_s"]
                within = [
                    (s + spent, e, j + joules, max(b, hop), trail)
                    for s, e, j, b, trail in labels
                    if e <= self.budget and j + joules <= self.max_energy_j
                ]
                arrived[done, codec] = _nondominated(within)
        last = arrived.get((total, None), [])
        fit = [x for x in last if x[1] ** (1 / self.power) <= self.max_error and x[2] <= self.max_energy_j]
        return min(fit, key=lambda x: x[0], default=None)

    def optimum(self) -> Optimum | None:
        throughput = self.problem.get("objective", "delay") == "throughput"
        best: Optimum | None = None
        best_key: tuple[float, ...] = ()
        label = self.solve(math.inf)
        while label is not None:
            bottleneck = label[3]
            delay = label[0] + (self.problem["micro_batches"] - 1) * bottleneck
            key = (bottleneck, delay) if throughput else (delay,)
            if best is None or key < best_key:
                ends = [end for end, _ in label[4]]
                codecs = [-1 if name is None else name for _, name in label[4]]
                plan = plan_dict(self.problem, self.path, ends, codecs)
                best, best_key = Optimum(plan, evaluator.evaluate(self.problem, plan)), key
            label = self.solve(bottleneck)
        return best


def solve(problem: dict) -> Optimum | None:
    """An optimal plan under the objective of the problem, or None where no plan is feasible."""
    found = [best for path in simple_paths(problem) if (best := _Chain(problem, path).optimum())]
    if problem.get("objective", "delay") == "throughput":
        return min(found, key=lambda x: (x.value.bottleneck_s, x.value.delay_s), default=None)
    return min(found, key=lambda x: x.value.delay_s, default=None)
