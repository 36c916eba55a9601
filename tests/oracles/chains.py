"""Chains of experts by the definition alone: every placement, and a linear programme of whole numbers."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np


def edges(chain: Any) -> list[tuple[int, int, np.ndarray]]:
    """Layers that hand on, to which, and what."""
    layers = len(chain.experts)
    found = [(layer, layer + 1, affinity) for layer, affinity in enumerate(chain.affinities)]
    return found if chain.closing is None else [*found, (layers - 1, 0, chain.closing)]


def shares(chain: Any) -> list[np.ndarray]:
    """How often each expert is picked."""
    return [one.sum(axis=1) for one in chain.affinities] + [chain.affinities[-1].sum(axis=0)]


def token_latency_s(chain: Any, placement: list[list[int]]) -> float:
    """Pair by pair, expert by expert."""
    terms = [
        affinity[i, j] * chain.distance_s[placement[one][i], placement[next][j]]
        for one, next, affinity in edges(chain)
        for i, j in itertools.product(*map(range, affinity.shape))
    ]
    terms += [
        share * chain.compute_s[host]
        for hosts, layer in zip(placement, shares(chain))
        for host, share in zip(hosts, layer)
    ]
    return math.fsum(terms)


def least_s(chain: Any) -> float:
    """The best of all placements; inf where there is none."""
    experts = sum(chain.experts)
    number = len(chain.satellites)
    every = np.array(list(itertools.product(range(number), repeat=experts)))
    hosted = np.stack([(every == s).sum(axis=1) for s in range(number)], axis=1)
    every = every[(hosted <= np.array(chain.places)).all(axis=1)]
    if not len(every):
        return math.inf
    layers = np.split(every, np.cumsum(chain.experts)[:-1], axis=1)
    cost = np.zeros(len(every))
    for one, next, affinity in edges(chain):
        for i, j in itertools.product(*map(range, affinity.shape)):
            cost += affinity[i, j] * chain.distance_s[layers[one][:, i], layers[next][:, j]]
    for hosts, layer in zip(layers, shares(chain)):
        cost += chain.compute_s[hosts] @ layer
    return float(cost.min())


def milp_s(chain: Any) -> float:
    """The least token latency by the linearisation of Adams and Johnson (1994), solved by HiGHS."""
    from scipy import optimize, sparse

    number = len(chain.satellites)
    first = np.concatenate([[0], np.cumsum(chain.experts)])
    experts = int(first[-1])
    cost = [share * chain.compute_s for layer in shares(chain) for share in layer]
    rows, columns, values = [], [], []
    size, equations = experts * number, 0
    for one, next, affinity in edges(chain):
        for i, j in itertools.product(*map(range, affinity.shape)):
            if not affinity[i, j]:
                continue
            # y[a, b] = x[i, a] · x[j, b]: its sums over b are x[i, a], those over a are x[j, b].
            cost.append(affinity[i, j] * chain.distance_s.ravel())
            pair = size + np.arange(number**2).reshape(number, number)
            for sums, expert in ((pair, first[one] + i), (pair.T, first[next] + j)):
                for s in range(number):
                    rows += [equations] * (number + 1)
                    columns += [*sums[s], expert * number + s]
                    values += [1.0] * number + [-1.0]
                    equations += 1
            size += number**2
    placed = sparse.kron(sparse.eye(experts), np.ones((1, number)))
    hosted = sparse.kron(np.ones((1, experts)), sparse.eye(number))
    rest = sparse.csr_matrix((1, size - experts * number))
    wide = [sparse.hstack([part, sparse.vstack([rest] * part.shape[0])]) for part in (placed, hosted)]
    constraints = [
        optimize.LinearConstraint(wide[0], 1.0, 1.0),
        optimize.LinearConstraint(wide[1], -np.inf, np.array(chain.places)),
        optimize.LinearConstraint(sparse.csr_matrix((values, (rows, columns)), (equations, size)), 0.0, 0.0),
    ]
    whole = np.concatenate([np.ones(experts * number), np.zeros(size - experts * number)])
    found = optimize.milp(
        np.concatenate(cost), constraints=constraints, integrality=whole, bounds=optimize.Bounds(0.0, 1.0)
    )
    assert found.success, found.message
    return float(found.fun)
