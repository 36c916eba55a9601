"""Every method against the enumeration: proofs are true, bounds never cross, plans are allowed."""

from __future__ import annotations

import math
from functools import cache

import pytest

from constellm import services
from oracles.random_services import problem_of, random_data
from oracles.services import enumerated

EXACT = ("optimal", "programme", "search")
"""Methods that prove what they find, given time."""

MOST = {"programme": 100, "optimal": 100, "genetic": 60, "tabu": 20}
"""Of random problems, where a problem takes long; a longer run tries as many as it is told."""


@cache
def known(seed):
    return enumerated(random_data(seed))


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("method", services.METHODS)
def test_methods_and_the_enumeration(random_problems, method):
    solved = proven = 0
    for seed in range(MOST.get(method, random_problems) if random_problems <= 300 else random_problems):
        problem, truth = problem_of(random_data(seed)), known(seed)
        plan = services.solve(problem, method=method, time_limit_s=30.0, seed=seed)
        if truth is None:
            assert plan.placement is None, (seed, plan)
            assert plan.status == "infeasible" or method not in EXACT, (seed, plan)
            continue
        (first, second), _ = truth
        solved += 1
        assert plan.status != "infeasible", seed
        assert plan.lower_bound <= first * (1 + 1e-9), (seed, plan.lower_bound, first)
        if plan.placement is None:
            assert method not in EXACT, (seed, plan)
            continue
        assert services.check(problem, plan) == [], seed
        assert plan.objective >= first * (1 - 1e-9), (seed, plan.objective, first)
        if plan.status == "optimal":
            proven += 1
            assert close(plan.objective, first), (seed, plan.objective, first)
            if plan.second_optimal:
                assert close(plan.evaluation.second, second), (seed, plan.evaluation.second, second)
        assert plan.status == "optimal" or method not in EXACT, (seed, plan)
    assert solved > 0 and (proven == solved or method not in EXACT)
