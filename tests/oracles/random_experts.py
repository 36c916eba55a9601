"""Seeded random problems of experts, as dictionaries of the file format, small enough to enumerate.

Every oddity of the format is in some: `null` with and without `unreachable_s`, latencies and weights that
tie, weights over many magnitudes, layers of different sizes, too few satellites.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from .experts import least_s

# For a number of layers: most experts of each, most satellites.
SIZES = {1: (4, 7), 2: (3, 6), 3: (2, 6)}


def random_experts(seed: int) -> dict[str, Any]:
    """The same seed gives the same problem on every machine."""
    rng = random.Random(f"experts {seed}")
    layers = rng.choice([1, 1, 1, 2, 2, 3])
    most, satellites = SIZES[layers]
    experts = [rng.randint(1, most) for _ in range(layers)]
    satellites = rng.randint(max(1, sum(experts) - (rng.random() < 0.1)), max(satellites, sum(experts)))
    slots = rng.randint(1, 4)
    nulls = rng.choice([0.0, 0.0, 0.1, 0.4])
    ties, spread = rng.random() < 0.2, rng.choice([0.0, 1.0, 8.0])

    def latency_s() -> float | None:
        if rng.random() < nulls:
            return None
        return rng.choice([0.0, 0.01, 0.02]) if ties else rng.uniform(0.005, 0.06)

    data: dict[str, Any] = {
        "format": "constellm.moe-problem",
        "version": 1,
        "name": f"random-{seed}",
        "top_k": rng.randint(1, min(experts)),
        "satellites": [f"sat/{i}" for i in range(satellites)],
        "layers": [
            {
                "weights": [math.exp(rng.uniform(-spread, 0.0)) for _ in range(count)],
                "latency_s": [[latency_s() for _ in range(satellites)] for _ in range(slots)],
                **({"base_s": rng.uniform(0.0, 0.01)} if rng.random() < 0.5 else {}),
            }
            for count in experts
        ],
    }
    if nulls and rng.random() < 0.6:
        data["unreachable_s"] = rng.choice([0.0, rng.uniform(0.0, 0.3)])
    return data


def best_s(data: dict[str, Any]) -> float:
    """What the best of all placements costs; inf where there is none."""
    layers = [
        (layer["weights"], np.array(layer["latency_s"], dtype=float).reshape(-1, len(data["satellites"])))
        for layer in data["layers"]
    ]
    fixed_s = math.fsum(layer.get("base_s", 0.0) for layer in data["layers"])
    return fixed_s + least_s(layers, data["top_k"], data.get("unreachable_s"))
