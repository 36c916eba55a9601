"""A balancer of experts in plain Python, from the published idea of DeepSeek's (EPLB, 2025): the peer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tables
import timing

from constellm import moe

OWN, GREEDY = "constellm (moe.balance)", "the greedy, plain Python"
EXPERTS, REPLICAS, DEVICES = 256, 32, 32
SIGMA = 0.85


def greedy(loads: Sequence[float], devices: int, copies: int) -> list[list[int]]:
    """The experts of each device.

    The next copy goes to the expert of the largest load per copy; then the copies, heaviest first, onto the
    least loaded device that has a free place.
    """
    counts = [1] * len(loads)
    for _ in range(copies - len(loads)):
        heaviest = max(range(len(loads)), key=lambda e: loads[e] / counts[e])
        counts[heaviest] += 1
    parts = sorted(
        ((loads[e] / counts[e], e) for e in range(len(loads)) for _ in range(counts[e])),
        key=lambda part: -part[0],
    )
    held: list[list[int]] = [[] for _ in range(devices)]
    load = [0.0] * devices
    for part, expert in parts:
        free = (d for d in range(devices) if len(held[d]) < copies // devices)
        device = min(free, key=load.__getitem__)
        held[device].append(expert)
        load[device] += part
    return held


def imbalance(loads: Sequence[float], held: Sequence[Sequence[int]]) -> float:
    """The largest load of a device over the mean."""
    counts = np.bincount(np.concatenate([np.array(row) for row in held]), minlength=len(loads))
    load = [sum(loads[e] / counts[e] for e in row) for row in held]
    return float(max(load) / (sum(load) / len(load)))


def measure(rounds: int = 20, layers: int = 8, seed: int = 0) -> tables.Rows:
    """A row for each contender: seconds of a layer, and imbalances, the largest of several layers."""
    weights = moe.lognormal_weights(EXPERTS, SIGMA, layers=layers, seed=seed)
    loads = [moe.activation_shares(row, 8) for row in weights]
    copies = EXPERTS + REPLICAS
    found = [moe.balance(row, DEVICES, copies=copies) for row in loads]
    plain = [greedy(row.tolist(), DEVICES, copies) for row in loads]
    some, listed = loads[0], loads[0].tolist()
    runs = timing.in_turn(
        {
            OWN: lambda: moe.balance(some, DEVICES, copies=copies),
            GREEDY: lambda: greedy(listed, DEVICES, copies),
        },
        rounds,
    )
    worst = {
        OWN: max(float(one.imbalance) for one in found),
        GREEDY: max(imbalance(row.tolist(), one) for row, one in zip(loads, plain)),
    }
    gaps = {OWN: max(float(one.gap) for one in found), GREEDY: None}
    own_s = timing.summary(runs[OWN]).median_s
    return [
        {
            "solver": solver,
            "experts": EXPERTS,
            "replicas": REPLICAS,
            "devices": DEVICES,
            "layers": layers,
            "median_s": timing.summary(seconds).median_s,
            "least_s": timing.summary(seconds).least_s,
            "runs": len(seconds),
            "ratio": timing.summary(seconds).median_s / own_s,
            "imbalance": worst[solver],
            "gap": gaps[solver],
        }
        for solver, seconds in runs.items()
    ]
