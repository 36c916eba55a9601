"""Enumeration against the evaluator and against the optimal plans of the shipped examples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from oracles import evaluator
from oracles.enumerate import CRITERIA, enumerate_plans, same_front
from oracles.random_problems import random_problem

EXAMPLES = Path(__file__).resolve().parents[2] / "data" / "split"
NAMES = sorted(path.name[: -len(".plan.json")] for path in EXAMPLES.glob("*.plan.json"))


def load(name: str) -> tuple[dict, dict]:
    return tuple(json.loads((EXAMPLES / f"{name}{end}").read_text()) for end in (".json", ".plan.json"))


def test_there_are_examples():
    assert len(NAMES) == 11


@pytest.mark.parametrize("name", NAMES)
def test_examples(name):
    problem, plan = load(name)
    best = enumerate_plans(problem).best()
    assert (best is None) == (plan["status"] == "infeasible")
    if best is None:
        return
    value = evaluator.evaluate(problem, plan)
    assert evaluator.broken_limits(problem, plan) == []
    for term in CRITERIA:
        assert getattr(value, term) == pytest.approx(plan[term], rel=1e-12)
    assert best.bottleneck_s == pytest.approx(plan["bottleneck_s"], rel=1e-12)
    assert best.delay_s == pytest.approx(plan["delay_s"], rel=1e-12)


def test_every_enumerated_plan_is_worth_what_the_evaluator_says():
    checked = 0
    for seed in range(40):
        everything = enumerate_plans(random_problem(seed))
        for index in range(0, len(everything.values), 3):
            plan = everything.plan(index)
            value = evaluator.evaluate(everything.problem, plan)
            expected = everything.value(index)
            for term in CRITERIA:
                assert getattr(value, term) == pytest.approx(getattr(expected, term), rel=1e-12, abs=1e-300)
            assert evaluator.broken_limits(everything.problem, plan, room=1e-15) == []
            checked += 1
    assert checked > 1000


def test_random_problems_are_varied(random_problems):
    """Feasible and infeasible, both objectives and rules, and the same again from the same seed."""
    problems = [random_problem(seed) for seed in range(min(random_problems, 300))]
    assert problems[:20] == [random_problem(seed) for seed in range(20)]
    feasible = [enumerate_plans(problem).feasible for problem in problems]
    assert 0.3 < np.mean(feasible) < 0.9
    assert {p.get("objective") for p in problems} == {None, "delay", "throughput"}
    assert {p["limits"].get("error_rule") for p in problems} == {None, "sum", "root_sum_square"}
    assert {len(p["layers"]) for p in problems} == set(range(1, 7))
    assert {len(p["nodes"]) for p in problems} == set(range(1, 7))


def test_front_is_what_no_plan_dominates():
    for seed in range(30):
        everything = enumerate_plans(random_problem(seed))
        for criteria in (("delay_s", "error"), ("bytes", "delay_s", "energy_j"), CRITERIA):
            points = everything.values[:, [CRITERIA.index(name) for name in criteria]][:600]
            part = type(everything)(everything.problem, everything.values[:600], 0, [])
            front = part.front(criteria)
            plain = [p for p in points if not ((points <= p).all(axis=1) & (points < p).any(axis=1)).any()]
            assert np.array_equal(front, np.unique(np.array(plain).reshape(-1, len(criteria)), axis=0))
            assert same_front(front, front * (1 + 1e-12))
            if len(front):
                assert not same_front(front, front * 1.001)
