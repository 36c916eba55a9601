"""Experts over windows of time by the definition alone: every placement in every window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from .experts import layer_s


def placements(experts: Sequence[int], satellites: int) -> np.ndarray:
    """Every way to give every expert a satellite of its own (ways, experts), layer after layer."""
    return np.array(list(itertools.permutations(range(satellites), sum(experts))), dtype=int)


def least_s(
    windows: Sequence[Sequence[tuple[Sequence[float], np.ndarray, float]]],
    tokens: Sequence[float],
    move_s: np.ndarray,
    *,
    top_k: int,
    unreachable_s: Sequence[float | None],
    start: Sequence[int] | None = None,
) -> float:
    """The least cost of all schedules, inf where there is none.

    A window has for each layer weights, latency_s with NaN, and base_s; `move_s` is (satellites, satellites).
    """
    experts = [len(weights) for weights, _, _ in windows[0]]
    every = placements(experts, windows[0][0][1].shape[1])
    moves = sum(move_s[every[:, None, i], every[None, :, i]] for i in range(every.shape[1]))
    cost = np.zeros(len(every))
    if start is not None:
        cost = sum(move_s[start[i], every[:, i]] for i in range(every.shape[1]))
    for w, layers in enumerate(windows):
        if w:
            cost = (cost[:, None] + moves).min(axis=0)
        first = 0
        for (weights, latency_s, base_s), count in zip(layers, experts):
            hosts = every[:, first : first + count]
            first += count
            charge_s = unreachable_s[w]
            filled = latency_s if charge_s is None else np.where(np.isnan(latency_s), charge_s, latency_s)
            kinds = {
                some: math.inf
                if np.isnan(filled[:, list(some)]).any()
                else layer_s(weights, filled, some, top_k)
                for some in map(tuple, np.unique(hosts, axis=0).tolist())
            }
            own = np.array([kinds[tuple(row)] for row in hosts.tolist()])
            cost = cost + tokens[w] * (base_s + own)
    return float(cost.min())
