"""Placements over time against enumeration; bounds hold; what must not change them."""

from __future__ import annotations

import math

import pytest

from constellm import services
from oracles import horizons as oracle
from oracles.random_horizons import horizon_of, random_horizon, rules_of

pytest.importorskip("highspy")

SHARE = 4  # of the random problems: each is several programmes


def least(data):
    found = oracle.least(*rules_of(data))
    return None if found is None else tuple(map(float, found))


def close(a, b, rel=1e-7):
    return math.isclose(a, b, rel_tol=rel, abs_tol=1e-12)


def test_all_slots_at_once_and_enumeration(random_problems):
    seen = {"optimal": 0, "infeasible": 0}
    for seed in range(random_problems // SHARE):
        data = random_horizon(seed)
        horizon = horizon_of(data)
        plan = services.solve_horizon(horizon)
        best = least(data)
        assert plan.status == ("infeasible" if best is None else "optimal"), (seed, best, plan)
        seen[plan.status] += 1
        if best is None:
            assert plan.lower_bound == math.inf
            continue
        assert close(plan.objective, best[0]), (seed, best, plan)
        assert plan.second_optimal and close(plan.evaluation.second, best[1], 1e-6), (seed, best, plan)
        assert services.check_horizon(horizon, plan.placements) == []
    assert min(seen.values()) > 0.05 * (random_problems // SHARE), seen


@pytest.mark.parametrize("method", ["rolling", "per-slot", "static"])
def test_other_methods_are_no_better_and_their_bounds_hold(random_problems, method):
    found = 0
    for seed in range(random_problems // (2 * SHARE)):
        data = random_horizon(seed)
        horizon, best = horizon_of(data), least(data)
        plan = services.solve_horizon(horizon, method=method, window=2)
        if best is None:
            assert not plan.placements, seed
            continue
        assert plan.lower_bound <= best[0] * (1 + 1e-9) + 1e-12, (seed, best, plan)
        if plan.placements:
            found += 1
            assert plan.objective >= best[0] * (1 - 1e-9) - 1e-12, (seed, best, plan)
            assert services.check_horizon(horizon, plan.placements) == []
    assert found > 0.2 * (random_problems // (2 * SHARE))
