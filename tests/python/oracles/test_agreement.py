"""Enumeration, threshold programme and MILP find the same optima."""

from __future__ import annotations

import pytest

from oracles import evaluator, milp, threshold_dp
from oracles.enumerate import enumerate_plans
from oracles.random_problems import random_chain, random_graph, random_problem

HIGHS_REL = 1e-6  # its feasibility tolerance


def assert_optimal(problem, found, best, rel):
    """`found` is a plan of the value of `best`, the exact optimum; both None if there is no plan."""
    assert (found is None) == (best is None), problem["name"]
    if best is None:
        return
    assert evaluator.evaluate(problem, found.plan) == found.value
    assert evaluator.broken_limits(problem, found.plan, room=1e-15) == []
    assert evaluator.objective_of(problem, found.value) == pytest.approx(
        evaluator.objective_of(problem, best), rel=rel, abs=1e-300
    ), problem["name"]


def test_enumeration_equals_threshold_programme(random_problems):
    feasible = 0
    for seed in range(random_problems):
        problem = random_problem(seed)
        best, found = enumerate_plans(problem).best(), threshold_dp.solve(problem)
        assert_optimal(problem, found, best, rel=1e-12)
        if best is not None:
            assert found.value.delay_s == pytest.approx(best.delay_s, rel=1e-11, abs=1e-300), problem["name"]
            feasible += 1
    assert 0.3 * random_problems < feasible < 0.9 * random_problems


def test_enumeration_equals_milp(random_problems):
    for seed in range(min(random_problems, 2000)):
        problem = random_problem(seed)
        found = milp.solve(problem)
        assert_optimal(problem, found, enumerate_plans(problem).best(), rel=HIGHS_REL)
        if found is not None:
            assert found.bound <= evaluator.objective_of(problem, found.value) * (1 + HIGHS_REL)


@pytest.mark.parametrize("seed", range(6))
def test_larger_chains(seed):
    problem = random_chain(
        seed,
        layers=12,
        nodes=6,
        codecs=5,
        micro_batches=(1, 8, 32)[seed % 3],
        max_error=(0.05, 0.2, None)[seed // 2],
    )
    problem["objective"] = ("delay", "throughput")[seed % 2]
    exact = threshold_dp.solve(problem)
    assert exact is not None
    assert_optimal(problem, milp.solve(problem), exact.value, rel=HIGHS_REL)


@pytest.mark.parametrize("seed", range(6))
def test_larger_graphs(seed):
    problem = random_graph(seed, layers=10, nodes=6, codecs=4, micro_batches=(1, 8)[seed % 2], max_error=0.1)
    exact = threshold_dp.solve(problem)
    assert_optimal(problem, milp.solve(problem), exact and exact.value, rel=HIGHS_REL)
