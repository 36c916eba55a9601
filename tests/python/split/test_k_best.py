"""The k best plans against enumeration."""

from __future__ import annotations

import pytest

from constellm import split
from oracles import evaluator
from oracles.enumerate import enumerate_plans
from oracles.random_problems import random_chain, random_problem


def decision(plan):
    return tuple(plan.path), tuple(
        (stage.node, stage.first_layer, stage.last_layer, stage.codec) for stage in plan.stages
    )


def objective(plan):
    return plan.objective_s


def test_equals_enumeration(random_problems):
    several = 0
    for seed in range(random_problems):
        data = random_problem(seed)
        problem = split.problem_from_dict(data)
        everything = enumerate_plans(data)
        k = (1, 2, 7, 25)[seed % 4]
        found, expected = split.k_best(problem, k), everything.k_best(k)
        assert len(found) == len(expected), seed
        for plan, value in zip(found, expected):
            best = evaluator.objective_of(data, value)
            assert objective(plan) == pytest.approx(best, rel=1e-9, abs=1e-300), seed
            assert plan.status == "optimal", seed
            assert plan.lower_bound_s <= objective(plan), seed
            assert split.check(problem, plan) == [], seed
        assert len({decision(plan) for plan in found}) == len(found), seed
        assert [objective(plan) for plan in found] == sorted(objective(plan) for plan in found), seed
        several += len(found) > 1
    assert several > random_problems / 4


def test_all_plans_are_found(random_problems):
    """With k above their number, every plan there is, each once."""
    for seed in range(random_problems):
        data = random_problem(seed)
        everything = enumerate_plans(data)
        if not 0 < len(everything.values) <= 200:
            continue
        found = {decision(plan) for plan in split.k_best(split.problem_from_dict(data), 250)}
        expected = set()
        for index in range(len(everything.values)):
            plan = everything.plan(index)
            stages = tuple(tuple(stage.values()) for stage in plan["stages"])
            expected.add((tuple(plan["path"]), stages))
        assert found == expected, seed


def test_the_first_is_the_optimum_and_fewer_are_a_head_of_more():
    data = random_chain(1, layers=16, nodes=5, codecs=4, micro_batches=8, max_error=0.2)
    problem = split.problem_from_dict(data)
    twenty = split.k_best(problem, 20)
    assert len(twenty) == 20
    assert twenty[0].delay_s == pytest.approx(split.solve(problem).delay_s, rel=1e-12)
    five = split.k_best(problem, 5)
    assert [plan.delay_s for plan in five] == pytest.approx([plan.delay_s for plan in twenty[:5]], rel=1e-12)


def test_out_of_time_says_so():
    data = random_chain(1, layers=16, nodes=5, codecs=4, micro_batches=8, max_error=0.2)
    for plan in split.k_best(split.problem_from_dict(data), 50, time_limit_s=0):
        assert plan.status == "time_limit"


@pytest.mark.parametrize("k", [0, -1, 100_001, 1.0, True, "1", None], ids=repr)
def test_k_out_of_range(k):
    with pytest.raises((ValueError, TypeError), match="^k: "):
        split.k_best(split.problem_from_dict(random_problem(0)), k)


def test_nothing_is_an_empty_list(repository):
    problem = split.load_problem(repository / "tests" / "data" / "split" / "infeasible.json")
    assert split.k_best(problem, 3) == []
