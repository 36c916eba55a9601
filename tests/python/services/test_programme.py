"""Programmes find what enumeration finds, in both forms; reductions keep every plan within their caps."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from constellm import services
from constellm._core import services as _core
from constellm.services.exact import counts, highs, optimal, preprocessing
from constellm.services.exact.instance import instance_of
from oracles.random_services import problem_of, random_data
from oracles.services import enumerated

pytest.importorskip("highspy", reason="the programmes need the extra solver")
LIMIT = 5000


def agrees(plan: services.Plan, truth: tuple | None) -> bool:
    if truth is None:
        return plan.status == "infeasible" and plan.lower_bound == math.inf
    found = services.evaluate(plan.problem, plan)
    terms = pytest.approx(truth[0], rel=1e-9, abs=1e-12)
    return (
        plan.status == "optimal"
        and plan.second_optimal
        and (found.objective, found.second) == terms
        and plan.lower_bound <= found.objective
        and services.check(plan.problem, plan) == []
    )


def test_enumeration(random_problems):
    seen: dict[str, int] = {}
    for seed in range(min(random_problems, LIMIT)):
        data = random_data(seed)
        plan = services.solve(problem_of(data), method="programme")
        assert agrees(plan, enumerated(data)), (seed, plan)
        seen[plan.status] = seen.get(plan.status, 0) + 1
    assert min(seen.values()) > 0.1 * random_problems, seen


@pytest.mark.parametrize("form", ["flow", "pair"])
def test_each_form_without_a_start(random_problems, form, monkeypatch):
    monkeypatch.setattr(optimal, "FORM", dict.fromkeys(optimal.FORM, form))
    monkeypatch.setattr(
        optimal, "explore", lambda work, *_: np.ones((work.instance.slots, work.instance.nodes), dtype=bool)
    )
    monkeypatch.setattr(optimal, "anneal", lambda problem, **_: services.solver.Found("no_plan_found"))
    for seed in range(min(random_problems // 3, LIMIT)):
        data = random_data(seed)
        plan = services.solve(problem_of(data), method="programme")
        assert agrees(plan, enumerated(data)), (seed, plan)


def test_reductions_keep_plans_within_caps(random_problems):
    kept = 0
    for seed in range(min(random_problems, LIMIT)):
        data = random_data(seed)
        truth = enumerated(data)
        if truth is None or data["objective"] == "admitted":
            continue
        problem = problem_of(data)
        instance = instance_of(problem)
        place = {node["id"]: v for v, node in enumerate(data["nodes"])}
        nodes = [place[id] for task in data["tasks"] for id in truth[1][task["name"]]]
        terms = dict(zip(("cost", "delay"), truth[0] if data["objective"] == "cost" else truth[0][::-1]))
        caps = {"cost_cap": terms["cost"], "delay_cap_s": terms["delay"]}
        reduction = preprocessing.reduce(instance, **caps)
        assert counts.hit(reduction, highs.Clock(), terms["cost"]) <= terms["cost"] * (1 + 1e-9), seed
        assert not reduction.is_infeasible, seed
        assert reduction.allowed[np.arange(instance.slots), nodes].all(), seed
        if data["objective"] == "cost":
            fresh = preprocessing.reduce(instance)
            least = counts.hit(fresh, highs.Clock(), math.inf)
            assert least <= terms["cost"] * (1 + 1e-9), seed
        shaved = _core.shaved(
            problem._compiled, problem._routes, reduction.allowed.astype(np.uint8),
            reduction.deadline_s.tolist(),
            reduction.least_replicas.tolist(), reduction.most_replicas.tolist(), terms["cost"], math.inf,
            10**6,
        )  # fmt: skip
        assert not shaved[3], seed
        assert shaved[0].reshape(instance.slots, -1)[np.arange(instance.slots), nodes].all(), seed
        assert shaved[4] and shaved[5] is not None, seed
        kept += 1
    assert kept > 0.3 * random_problems


def test_other_order_of_nodes(random_problems):
    for seed in range(min(random_problems // 6, LIMIT)):
        data = random_data(seed)
        order = random.Random(seed).sample(range(len(data["nodes"])), len(data["nodes"]))
        other = {**data, "nodes": [data["nodes"][v] for v in order]}
        plan, again = (services.solve(problem_of(each), method="programme") for each in (data, other))
        if any(link["latency_s"] == data["links"][0]["latency_s"] for link in data["links"][1:]):
            continue  # of equally quick ways that by the nodes' order is taken
        assert again.status == plan.status, seed
        if plan.placement is not None:
            assert again.objective == pytest.approx(plan.objective, rel=1e-9, abs=1e-12), seed


def test_no_time_leaves_true_bounds(random_problems):
    for seed in range(min(random_problems // 6, LIMIT)):
        data = random_data(seed)
        truth = enumerated(data)
        plan = services.solve(problem_of(data), method="programme", time_limit_s=0.0)
        least = math.inf if truth is None else truth[0][0]
        assert plan.lower_bound <= least * (1 + 1e-9), seed
        assert plan.placement is None or plan.objective >= least * (1 - 1e-9), seed


def test_a_value_that_the_columns_do_not_have_is_not_believed(monkeypatch):
    """A run that contradicts itself from a start is done again without it."""
    calls = []

    def attempt(programme, clock, is_relaxed, start, upper, options, seed):
        calls.append(start)
        return None if start is not None else highs.Found("optimal", np.ones(1), 1.0)

    monkeypatch.setattr(highs, "attempt", attempt)
    found = highs.solve(None, clock=highs.Clock(), start={0: 1.0})  # type: ignore[arg-type]
    assert calls == [{0: 1.0}, None]
    assert found.status == "optimal"


def test_equal_columns_are_summed():
    from constellm.services.exact.rows import Rows, linear

    rows = Rows()
    x = rows.add_columns(2, high=1.0)
    rows.add_rows(2, [0, 0, 0, 1, 1], [x[0], x[0], x[1], x[0], x[0]], [1.0, 2.0, 1.0, 1.0, -1.0], 0.0, 4.0)
    made = rows.finish(linear(x, [1.0, 2.0]))
    assert (made.rows, made.index.tolist(), made.value.tolist()) == (1, [0, 1], [3.0, 1.0])
    assert made.activity(np.array([1.0, 0.5])).tolist() == [3.5]
