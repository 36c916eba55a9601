"""Heuristics keep every limit, most often find the least, and depend on their seed alone."""

from __future__ import annotations

import random

import pytest

from constellm import services
from constellm.services.exact.heuristics import anneal
from oracles.random_services import problem_of, random_data
from oracles.services import enumerated

NAMES = ["annealing", "greedy", "nearest", "random", "monolith", "tabu", "genetic"]
SHARES = {"annealing": 0.99, "tabu": 0.9, "genetic": 0.97, "greedy": 0.7}
"""Of small problems with a plan, how many end at both least terms."""


def is_least(found: services.Evaluation, least: tuple[float, float]) -> bool:
    return all(
        value <= best + 1e-9 * abs(best) for value, best in zip((found.objective, found.second), least)
    )


@pytest.mark.parametrize("method", NAMES)
def test_small_problems(random_problems, method):
    feasible = least = 0
    for seed in range(min(random_problems, 60 if method == "genetic" else 300)):
        data = random_data(seed)
        problem = problem_of(data)
        best = enumerated(data)
        plan = services.solve(problem, method=method)
        if best is None:
            assert plan.placement is None, seed
            continue
        feasible += 1
        if plan.placement is None:
            continue
        assert services.check(problem, plan) == [], seed
        found = services.evaluate(problem, plan)
        assert found.objective >= best[0][0] * (1 - 1e-9), seed
        least += is_least(found, best[0])
    assert feasible > 0
    assert least >= SHARES.get(method, 0.0) * feasible, (least, feasible)


@pytest.mark.parametrize("method", NAMES)
def test_the_seed_alone_counts(method):
    for seed in range(12):
        problem = problem_of(random_data(seed))
        plans = [
            services.solve(problem, method=method, seed=seed, threads=threads).placement
            for threads in (1, 1, 3)
        ]
        assert plans[0] == plans[1] == plans[2], seed


@pytest.mark.parametrize("method", ["annealing", "greedy", "nearest", "monolith", "tabu"])
def test_relabelling_keeps_plans_valid(method):
    for seed in range(30):
        data = random_data(seed)
        again = relabelled(data, seed)
        plans = [services.solve(problem_of(each), method=method) for each in (data, again)]
        for each, plan in zip((data, again), plans):
            assert plan.placement is None or services.check(problem_of(each), plan) == [], seed
        if method == "annealing" and plans[0].placement is not None:
            assert plans[0].objective == pytest.approx(plans[1].objective, rel=1e-9), seed


def relabelled(data, seed):
    """Nodes in another order; links stay, since figures of theirs go with their places."""
    nodes = list(data["nodes"])
    random.Random(f"relabel {seed}").shuffle(nodes)
    return {**data, "nodes": nodes}


def test_a_start_is_not_made_worse():
    for seed in range(20):
        problem = problem_of(random_data(seed))
        plan = services.solve(problem, method="greedy")
        if plan.placement is None:
            continue
        found = anneal(problem, start=plan.placement, moves=4)
        assert found.status == "feasible"
        placed = services.solver.plan_of(problem, found)
        assert placed.objective <= plan.objective * (1 + 1e-9), seed


@pytest.mark.parametrize(("seed", "most"), [(2, 0.9), (4, 0.9), (3, 0.7), (2, 0.55), (17, 0.45)])
def test_plans_of_crowded_satellites(seed, most):
    """Two stages of a task fill the fastest satellites, and a replica saved is worth much."""
    problem = services.scenario(seed=seed, max_utilisation=most)
    plan = services.solver.plan_of(problem, anneal(problem, moves=100_000))
    assert plan.placement is not None
    assert services.check(problem, plan) == []


@pytest.mark.parametrize("method", ["annealing", "greedy"])
@pytest.mark.parametrize("objective", ["cost", "delay"])
def test_a_plan_of_every_scenario(method, objective):
    for seed in range(0, 20, 1 if method == "greedy" else 8):
        problem = services.scenario(seed=seed, max_utilisation=0.7, objective=objective)
        if method == "greedy":
            plan = services.solve(problem, method=method)
        else:
            plan = services.solver.plan_of(problem, anneal(problem, moves=50_000))
        assert plan.placement is not None, seed
        assert services.check(problem, plan) == [], seed


def test_the_least_cost_of_a_scenario():
    assert services.solve(services.scenario(seed=2), method="annealing").cost == 58


def two_nodes(stages):
    """A fast satellite and a slow one; of each task the names of its services, each of 1 GB."""
    names = sorted({name for of in stages for name in of})
    nodes = [
        {"id": "fast", "flop_per_s": 2e12, "memory_bytes": 1e9},
        {"id": "slow", "flop_per_s": 1e12, "memory_bytes": 1e9},
    ]
    ends = [("fast", "slow"), ("slow", "fast")]
    return services.problem_from_dict(
        {
            "format": "constellm.services-problem",
            "version": 1,
            "name": "two-nodes",
            "nodes": nodes,
            "links": [{"from": u, "to": v, "rate_bps": 1e9, "latency_s": 0.01} for u, v in ends],
            "services": [
                {
                    "name": name,
                    "flop": 1e11,
                    "memory_bytes": 1e9,
                    "cost": 1.0,
                    **({"nodes": ["fast"]} if name.endswith("on-fast") else {}),
                }
                for name in names
            ],
            "tasks": [
                {
                    "name": f"t{i}",
                    "rate_per_s": 2.0 - i,
                    "source": "fast",
                    "sink": "fast",
                    "stages": [
                        {"service": name, "inputs": [{"from": k - 1, "bytes": 1e3}]}
                        for k, name in enumerate(of)
                    ],
                    "output_bytes": 1e3,
                }
                for i, of in enumerate(stages)
            ],
            "limits": {},
            "objective": "cost",
        }
    )


def test_greedy_begins_anew_with_the_task_that_found_no_room():
    plan = services.solve(two_nodes([["a"], ["b-on-fast"]]), method="greedy")
    assert plan.assignment == {"t0": ("slow",), "t1": ("fast",)}


def test_greedy_parts_stages_that_are_too_much_together():
    plan = services.solve(two_nodes([["a", "b"]]), method="greedy")
    assert sorted(plan.assignment["t0"]) == ["fast", "slow"]
    assert plan.delay_s == pytest.approx(0.05 + 0.1 + 2 * (0.01 + 8e3 / 1e9))


def test_no_time():
    problem = problem_of(random_data(0))
    for method in NAMES:
        assert services.solve(problem, method=method, time_limit_s=0).status in (
            "no_plan_found",
            "feasible",
            "optimal",
        )
