"""Pareto fronts against enumeration: exact in two criteria, within epsilon in more."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from constellm import split
from oracles.enumerate import CRITERIA, enumerate_plans, same_front
from oracles.random_problems import random_chain, random_problem

NAMES = ("delay_s", "bytes", "error", "energy_j")


def test_pairs_equal_enumeration(random_problems):
    long = 0
    for seed in range(random_problems):
        data = random_problem(seed)
        problem = split.problem_from_dict(data)
        everything = enumerate_plans(data)
        pairs = list(itertools.permutations(NAMES, 2))
        for pair in pairs[seed % 3 :: 3]:
            front = split.pareto_front(problem, pair)
            assert front.status == ("optimal" if everything.feasible else "infeasible"), seed
            assert same_front(front.array(), everything.front(pair)), (seed, pair)
            long += len(front) > 2
    assert long > random_problems / 5


def test_every_plan_of_a_front_is_true_and_needed(random_problems):
    for seed in range(min(random_problems, 60)):
        data = random_problem(seed)
        problem = split.problem_from_dict(data)
        for pair in itertools.permutations(NAMES, 2):
            front = split.pareto_front(problem, pair)
            points = front.array()
            assert points.shape == (len(front), 2)
            for plan, point in zip(front, points):
                terms = split.evaluate(problem, plan)
                assert [getattr(terms, name) for name in pair] == list(point), seed
                assert terms.broken_limits == [], seed
            assert list(points[:, 0]) == sorted(points[:, 0]), seed
            for a, b in itertools.permutations(points, 2):
                assert not (a <= b).all(), seed


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 1.0])
def test_epsilon_fronts_cover_every_plan(epsilon):
    covered = 0
    for seed in range(80):
        data = random_problem(seed)
        problem = split.problem_from_dict(data)
        everything = enumerate_plans(data)
        for size in (2, 3, 4):
            choices = list(itertools.permutations(NAMES, size))
            criteria = choices[seed % len(choices)]
            front = split.pareto_front(problem, criteria, epsilon=epsilon).array()
            values = everything.values[:, [CRITERIA.index(name) for name in criteria]]
            assert (len(front) > 0) == (len(values) > 0), seed
            if not len(front):
                continue
            scale = np.full(size, 1 + epsilon)
            scale[criteria.index("delay_s") if "delay_s" in criteria else 0] = 1
            slack = 1 + 1e-9
            holds = (front[None] <= values[:, None] * scale * slack).all(axis=2).any(axis=1)
            assert holds.all(), (seed, criteria)
            covered += len(values)
    assert covered > 5000


def test_a_looser_epsilon_is_no_longer():
    data = random_chain(2, layers=10, nodes=4, codecs=4, micro_batches=8)
    problem = split.problem_from_dict(data)
    sizes = [len(split.pareto_front(problem, ("delay_s", "error"), epsilon=e)) for e in (0.0, 0.5, 3.0)]
    assert sizes[0] >= sizes[1] >= sizes[2] >= 1 and sizes[0] > sizes[2]


def test_limits_of_the_problem_hold():
    data = random_chain(2, layers=10, nodes=4, codecs=4, micro_batches=8, max_error=0.1)
    front = split.pareto_front(split.problem_from_dict(data), ("delay_s", "error"))
    assert len(front) >= 1
    assert front.array()[:, 1].max() <= 0.1 * (1 + 1e-12)


def test_the_objective_plays_no_part():
    data = random_problem(5)
    fronts = [
        split.pareto_front(split.problem_from_dict({**data, "objective": objective})).array()
        for objective in ("delay", "throughput")
    ]
    assert np.array_equal(*fronts)


def test_out_of_time_says_so():
    data = random_chain(2, layers=10, nodes=4, codecs=4, micro_batches=8)
    front = split.pareto_front(split.problem_from_dict(data), ("delay_s", "error"), time_limit_s=0)
    assert front.status == "time_limit"


def test_infeasible_is_an_empty_front(repository):
    problem = split.load_problem(repository / "tests" / "data" / "split" / "infeasible.json")
    front = split.pareto_front(problem)
    assert front.status == "infeasible"
    assert len(front) == 0 and front.array().shape == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"criteria": "delay_s"}, TypeError, "criteria"),
        ({"criteria": ["delay_s"]}, ValueError, "criteria: 1 given"),
        ({"criteria": ["delay_s", "delay_s"]}, ValueError, "criteria: one is given twice"),
        ({"criteria": ["delay_s", "beauty"]}, ValueError, "criteria: 'beauty' is not one of"),
        ({"criteria": NAMES[:3]}, ValueError, "epsilon: 0 is for two"),
        ({"epsilon": -0.1}, ValueError, "epsilon: -0.1"),
        ({"epsilon": float("nan")}, ValueError, "epsilon: "),
        ({"epsilon": float("inf")}, ValueError, "epsilon: "),
        ({"time_limit_s": -1}, ValueError, "time_limit_s"),
    ],
    ids=str,
)
def test_bad_calls(arguments, error, message):
    problem = split.problem_from_dict(random_problem(0))
    with pytest.raises(error, match=message):
        split.pareto_front(problem, **arguments)
