"""Experts on satellites by the definitions alone: every order of picks, every placement."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np


def picks(weights: Sequence[float], top_k: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every sequence of picks without replacement, with its probability."""
    total = math.fsum(weights)
    for order in itertools.permutations(range(len(weights)), top_k):
        probability, left = 1.0, total
        for i, expert in enumerate(order):
            probability *= weights[expert] / left
            left = math.fsum(w for e, w in enumerate(weights) if e not in order[: i + 1])
        yield order, probability


def expected_s(weights: Sequence[float], latency_s: Sequence[float], top_k: int) -> float:
    """Expected latency of the slowest pick."""
    return math.fsum(p * max(latency_s[e] for e in order) for order, p in picks(weights, top_k))


def shares(weights: Sequence[float], top_k: int) -> list[float]:
    """How often each expert is picked, of all picks."""
    found = [0.0] * len(weights)
    for order, p in picks(weights, top_k):
        for expert in order:
            found[expert] += p / top_k
    return found


def layer_s(weights: Sequence[float], latency_s: np.ndarray, satellites: Sequence[int], top_k: int) -> float:
    """Mean over the slots of (slots, satellites)."""
    return float(np.mean([expected_s(weights, row[list(satellites)], top_k) for row in latency_s]))


def least_s(
    layers: Sequence[tuple[Sequence[float], np.ndarray]], top_k: int, unreachable_s: float | None = None
) -> float:
    """The least sum over the layers (weights, latency_s with NaN) of all placements; inf without any."""
    tables = []
    for weights, latency_s in layers:
        filled = (
            latency_s if unreachable_s is None else np.where(np.isnan(latency_s), unreachable_s, latency_s)
        )
        usable = [s for s in range(filled.shape[1]) if not np.isnan(filled[:, s]).any()]
        # E[max] = sum over sets of picks of their probability times the mean of their slowest.
        sets: dict[frozenset[int], float] = {}
        for order, p in picks(weights, top_k):
            sets[frozenset(order)] = sets.get(frozenset(order), 0.0) + p
        tables.append((len(weights), filled, usable, [(sorted(s), p) for s, p in sets.items()]))

    def best(layer: int, used: frozenset[int]) -> float:
        if layer == len(tables):
            return 0.0
        experts, filled, usable, sets = tables[layer]
        least = math.inf
        for hosts in itertools.permutations([s for s in usable if s not in used], experts):
            here = sum(p * filled[:, [hosts[e] for e in members]].max(axis=1).mean() for members, p in sets)
            if here < least:
                least = min(least, here + best(layer + 1, used | set(hosts)))
        return least

    return best(0, frozenset())
