"""Several experts on a satellite, and copies, by the definitions: all orders of picks, all placements."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .experts import picks


@dataclass
class Case:
    """What a hosting is made of, as plain arrays."""

    layers: list[tuple[list[float], np.ndarray]]  # weights, latency_s (slots, satellites) with NaN
    top_k: int
    unreachable_s: float | None
    places: list[int]
    service_s: np.ndarray  # (slots, satellites)
    copies: list[list[int]]
    most_activations: np.ndarray  # (slots, satellites)


def server(latency_s: np.ndarray, copies: Sequence[int]) -> int | None:
    """Who serves an expert with these copies in a slot; nobody where none lives."""
    alive = [s for s in sorted(copies) if not math.isnan(latency_s[s])]
    return min(alive, key=lambda s: latency_s[s]) if alive else None


def waits_s(case: Case, layer: int, slot: int, servers: Sequence[int | None], picked: Sequence[int]) -> float:
    """Until the last of these picks is done."""
    latency_s = case.layers[layer][1][slot]
    done = []
    for satellite in {servers[e] for e in picked}:
        if satellite is None:
            done.append(case.unreachable_s)
        else:
            count = sum(servers[e] == satellite for e in picked)
            done.append(latency_s[satellite] + (count - 1) * case.service_s[slot, satellite])
    return max(done)


def slot_s(case: Case, layer: int, slot: int, copies: Sequence[Sequence[int]]) -> float:
    """Expected latency of the slowest satellite."""
    weights, latency_s = case.layers[layer]
    servers = [server(latency_s[slot], c) for c in copies]
    return math.fsum(
        p * waits_s(case, layer, slot, servers, order) for order, p in picks(weights, case.top_k)
    )


def layer_s(case: Case, layer: int, copies: Sequence[Sequence[int]]) -> float:
    """Mean over the slots."""
    return math.fsum(slot_s(case, layer, t, copies) for t in range(len(case.service_s))) / len(case.service_s)


def executions(case: Case, placement: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
    """How many executions of a token each satellite has in each slot."""
    found = np.zeros_like(case.service_s)
    for (weights, latency_s), copies in zip(case.layers, placement):
        for order, p in picks(weights, case.top_k):
            for t, row in enumerate(latency_s):
                for e in order:
                    satellite = server(row, copies[e])
                    if satellite is not None:
                        found[t, satellite] += p
    return found


def sets_of_copies(case: Case, layer: int, expert: int) -> Iterator[tuple[int, ...]]:
    """Every set of satellites for an expert that serves it in every slot, or may be missed."""
    latency_s = case.layers[layer][1]
    for count in range(1, case.copies[layer][expert] + 1):
        for copies in itertools.combinations(range(latency_s.shape[1]), count):
            if case.unreachable_s is not None or all(server(row, copies) is not None for row in latency_s):
                yield copies


def least_s(case: Case) -> float:
    """The least sum over the layers of all placements; inf without any."""
    by_layer = []
    for layer, (weights, _) in enumerate(case.layers):
        sets = [list(sets_of_copies(case, layer, e)) for e in range(len(weights))]
        options = []
        for copies in itertools.product(*sets):
            used = np.zeros(len(case.places), dtype=int)
            for c in copies:
                used[list(c)] += 1
            if (used <= case.places).all():
                options.append((layer_s(case, layer, copies), used, copies))
        by_layer.append(sorted(options, key=lambda option: option[0]))
    limited = np.isfinite(case.most_activations).any()
    best = math.inf

    def search(layer: int, value: float, used: np.ndarray, placement: list) -> None:
        nonlocal best
        if layer == len(by_layer):
            if not limited or (executions(case, placement) <= case.most_activations * (1 + 1e-9)).all():
                best = value
            return
        for more, places, copies in by_layer[layer]:
            if value + more >= best:
                return
            if (used + places <= case.places).all():
                search(layer + 1, value + more, used + places, [*placement, copies])

    search(0, 0.0, np.zeros(len(case.places), dtype=int), [])
    return best
