"""Draws of experts one after the other without replacement, counted by every order in which they can come."""

from __future__ import annotations

from itertools import permutations

import numpy as np


def set_probabilities(weights: list[float], top_k: int) -> dict[frozenset[int], float]:
    """Of every set of `top_k` experts the probability that a token activates it."""
    found: dict[frozenset[int], float] = {}
    for order in permutations(range(len(weights)), top_k):
        probability, left = 1.0, sum(weights)
        for expert in order:
            probability *= weights[expert] / left
            left -= weights[expert]
        found[frozenset(order)] = found.get(frozenset(order), 0.0) + probability
    return found


def shares(weights: list[float], top_k: int) -> np.ndarray:
    """Of each expert in all activations."""
    found = np.zeros(len(weights))
    for experts, probability in set_probabilities(weights, top_k).items():
        found[list(experts)] += probability / top_k
    return found
