"""Seeded random hostings, small enough to enumerate, with every oddity of the definition in some."""

from __future__ import annotations

import math
import random

import numpy as np

from constellm import moe

from .hosting import Case


def random_case(seed: int, *, most_experts: int = 4, most_satellites: int = 4, copies: bool = True) -> Case:
    """The same seed gives the same case on every machine."""
    rng = random.Random(f"hosting {seed}")
    layers = rng.choice([1, 1, 1, 2])
    satellites = rng.randint(1, most_satellites if layers == 1 else min(most_satellites, 3))
    experts = [rng.randint(1, most_experts if layers == 1 else min(most_experts, 3)) for _ in range(layers)]
    slots = rng.randint(1, 3)
    ties, spread = rng.random() < 0.25, rng.choice([0.0, 1.0, 8.0])
    nulls = rng.choice([0.0, 0.0, 0.15, 0.4])

    def latency_s() -> float:
        if rng.random() < nulls:
            return math.nan
        return rng.choice([0.0, 0.01, 0.02]) if ties else rng.uniform(0.005, 0.06)

    served = rng.choice([0.0, 0.004, 0.02, 0.1])
    limited = rng.random() < 0.35
    top_k = rng.randint(1, min(experts))
    return Case(
        layers=[
            (
                [math.exp(rng.uniform(-spread, 0.0)) for _ in range(count)],
                np.array([[latency_s() for _ in range(satellites)] for _ in range(slots)]),
            )
            for count in experts
        ],
        top_k=top_k,
        unreachable_s=rng.choice([0.0, 0.03, 0.2]) if nulls and rng.random() < 0.6 else None,
        places=[rng.choice([0, 1, 2, 3]) if rng.random() < 0.4 else 2 for _ in range(satellites)],
        service_s=np.array(
            [[served * rng.choice([0.0, 1.0, rng.random()]) for _ in range(satellites)] for _ in range(slots)]
        ),
        copies=[
            [rng.randint(1, min(2, satellites)) if copies and rng.random() < 0.5 else 1 for _ in range(count)]
            for count in experts
        ],
        most_activations=np.array(
            [
                [top_k * rng.uniform(0.2, 1.5) if limited else math.inf for _ in range(satellites)]
                for _ in range(slots)
            ]
        ),
    )


def hosting_of(case: Case) -> moe.Hosting:
    """The same as the package takes it."""
    problem = moe.Problem(
        [moe.Layer(weights, latency_s) for weights, latency_s in case.layers],
        case.top_k,
        unreachable_s=case.unreachable_s,
    )
    return moe.Hosting(problem, case.places, case.service_s, case.copies, case.most_activations)
