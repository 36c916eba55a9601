"""Problems, layers, plans and evaluations as values: immutable, compared, pickled, shown."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from html.parser import HTMLParser

import numpy as np
import pytest

from constellm import moe
from oracles.random_experts import random_experts

SLOTS = [[0.010, 0.014, 0.015, 0.022], [0.022, np.nan, 0.010, 0.015]]


@pytest.fixture
def problem():
    layers = [moe.Layer([0.3, 0.5, 0.2], SLOTS, base_s=0.004), moe.Layer([0.9], SLOTS)]
    return moe.Problem(layers, 1, unreachable_s=0.1, name="two")


@pytest.fixture(scope="module")
def problems():
    return [moe.problem_from_dict(random_experts(seed)) for seed in range(40)]


# ---- values ----------------------------------------------------------------------------------


def test_problems_pickle_copy_and_compare(problems):
    for problem in problems:
        again = pickle.loads(pickle.dumps(problem))
        assert again == problem and again is not problem
        assert copy.copy(problem) == problem and copy.deepcopy(problem) == problem
        assert problem != problem.replace(name="other") and problem != "text"
        assert moe.solve(again).placement == moe.solve(problem).placement
        for layer in problem.layers:
            assert pickle.loads(pickle.dumps(layer)) == layer and layer != "text"
    assert problems[0] != problems[1]


def test_every_part_counts(problem):
    layer = problem.layers[0]
    assert moe.Layer(layer.weights, layer.latency_s, layer.base_s) == layer
    assert moe.Layer(layer.weights, layer.latency_s) != layer
    assert moe.Layer(layer.weights[::-1], layer.latency_s, layer.base_s) != layer
    assert moe.Layer(layer.weights, layer.latency_s[::-1], layer.base_s) != layer
    for changes in ({"unreachable_s": None}, {"layers": problem.layers[::-1]}, {"satellites": list("abcd")}):
        assert problem.replace(**changes) != problem
    assert problem.replace() == problem


def test_plans_pickle(problems):
    for problem in problems:
        plan = moe.solve(problem)
        again = pickle.loads(pickle.dumps(plan))
        assert again == plan and moe.solve(problem) == plan and repr(again) == repr(plan)
        for name in ("status", "placement", "method", "nodes", "seconds"):
            assert getattr(again, name) == getattr(plan, name)
        if plan.placement:
            found = pickle.loads(pickle.dumps(moe.evaluate(problem, plan)))
            assert found == moe.evaluate(problem, again) and found.token_latency_s == plan.token_latency_s


def test_every_part_of_a_plan_counts(problem):
    plan = moe.solve(problem)
    others = {
        "problem": problem.replace(name="other"), "status": "feasible", "token_latency_s": 1.0,
        "lower_bound_s": 0.0, "placement": plan.placement[::-1],
    }  # fmt: skip
    for name, other in others.items():
        assert dataclasses.replace(plan, **{name: other}) != plan
    assert dataclasses.replace(plan, seconds=9.0, nodes=9, method="unknown") == plan != "plan"
    found = moe.evaluate(problem, plan)
    assert found != moe.evaluate(problem, [["s0", "s1", "s2"], ["s3"]]) and found != "text"


def test_a_masked_latency_is_none():
    latency_s = np.ma.masked_greater([[1, 2, 9], [9, 1, 2]], 5)
    nan = np.nan
    expected = moe.Layer([1], [[1, 2, nan], [nan, 1, 2]])
    assert moe.Layer([1], latency_s) == moe.Layer([1], list(latency_s)) == expected
    assert moe.Layer(np.ma.array([1]), np.ma.array([[1, 2]])) == moe.Layer([1], [[1, 2]])


def test_what_a_problem_says(problem):
    assert (problem.slots, problem.experts, problem.top_k) == (2, (3, 1), 1)
    assert problem.satellites == ("s0", "s1", "s2", "s3")
    assert (problem.unreachable_s, problem.name) == (0.1, "two")
    assert type(problem.replace(unreachable_s=1).unreachable_s) is float
    assert type(problem.replace(top_k=np.int8(1)).top_k) is int


def test_nothing_can_be_written(problem):
    plan = moe.solve(problem)
    found = moe.evaluate(problem, plan)
    for value in (problem, problem.layers[0], plan, found):
        for name in list(vars(value)):
            with pytest.raises(AttributeError, match="cannot assign"):
                setattr(value, name, 1)
    layer = problem.layers[0]
    for value in (found, pickle.loads(pickle.dumps(found))):
        for array in (layer.weights, layer.latency_s, value.layer_latency_s, value.slot_latency_s):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.setflags(write=True)


def test_arrays_are_taken_as_they_are_and_when_they_are():
    weights, latency_s = (
        np.array([2, 1], dtype=np.int16),
        np.asfortranarray(np.ones((3, 4), dtype=np.float32)),
    )
    layer = moe.Layer(weights, latency_s)
    weights[:], latency_s[:] = 7, 7
    assert layer.weights.tolist() == [2.0, 1.0] and (layer.latency_s == 1.0).all()
    assert layer.latency_s.dtype == np.float64


# ---- displays --------------------------------------------------------------------------------


def test_one_line(problem):
    assert repr(problem.layers[0]) == "Layer(3 experts, 2 slots, 4 satellites)"
    assert repr(problem) == "Problem('two': 2 layers, 4 experts, 1 a token, 4 satellites, 2 slots)"
    plan = moe.solve(problem)
    assert repr(plan) == f"Plan('two': optimal, token_latency_s={plan.token_latency_s:.6g}, gap=0)"
    assert (
        repr(moe.evaluate(problem, plan))
        == f"Evaluation(token_latency_s={plan.token_latency_s:.6g}, 2 layers)"
    )
    alone = moe.Problem([moe.Layer([1], [[1]])], 1)
    assert repr(alone) == "Problem('problem': 1 layer, 1 expert, 1 a token, 1 satellite, 1 slot)"
    assert repr(moe.evaluate(alone, [[0]])) == "Evaluation(token_latency_s=1, 1 layer)"
    assert repr(moe.solve(moe.Problem([moe.Layer([1, 1], [[1]])], 1))) == "Plan('problem': infeasible)"


SUMMARIES = {
    "problem": """\
Problem 'two': 2 layers, 4 experts, 1 a token, 4 satellites, 2 slots
where a satellite is not reachable: 100 ms

  layer  experts  top ÷ mean weight  reachable in all slots  nearest  median  farthest
  0      3        1.5                3                       10 ms    15 ms   22 ms
  1      1        1                  3                       10 ms    15 ms   22 ms
""",
    "plan": """\
Plan of 'two': optimal, by 'optimal'
token latency 41.45 ms; no placement has less

  layer  latency  satellites, heaviest expert first
  0      28.9 ms  s0 s3 s1
  1      12.5 ms  s2
""",
    "evaluation": """\
Token latency 41.5 ms

  layer  mean     best slot  worst slot
  0      28.9 ms  18.4 ms    39.5 ms
  1      12.5 ms  10 ms      15 ms
""",
}


def shown(problem: moe.Problem) -> dict[str, object]:
    plan = moe.solve(problem)
    return {"problem": problem, "plan": plan, "evaluation": moe.evaluate(problem, plan)}


@pytest.mark.parametrize("what", SUMMARIES)
def test_summaries(problem, what):
    assert shown(problem)[what].summary() == SUMMARIES[what]


class Texts(HTMLParser):
    """What stands in an element, whose tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag in {"style", "div", "p", "b", "br", "table", "caption", "thead", "tbody", "tr", "th", "td"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_html_says_the_same(problem):
    for what, value in shown(problem).items():
        texts = Texts(value._repr_html_()).texts
        for cell in SUMMARIES[what].splitlines()[-1].split("  "):
            assert not cell.strip() or cell.strip() in texts


def test_ids_are_text_and_nothing_else():
    wicked = "<script>alert('$x$')</script>"
    plan = moe.solve(moe.Problem([moe.Layer([1, 2], [[1, 2, 3]])], 1, satellites=[wicked, "b\nc", "&amp;"]))
    (cell,) = [text for text in Texts(plan._repr_html_()).texts if wicked in text]
    assert cell == f"{wicked} b\nc"
    assert f"{wicked} b?c" in plan.summary() and "b\nc" not in plan.summary()


def test_a_plan_without_a_placement_shows_its_status():
    plan = moe.solve(moe.Problem([moe.Layer([1, 1], [[1]])], 1))
    assert plan.summary() == "Plan of 'problem': infeasible, by 'optimal'\n"
    assert "Plan of 'problem': infeasible, by 'optimal'" in Texts(plan._repr_html_()).texts


def test_a_problem_where_nothing_is_reachable_is_shown():
    problem = moe.Problem([moe.Layer([1], [[np.nan, np.nan]])], 1)
    assert problem.summary().splitlines()[-1].split()[:4] == ["0", "1", "1", "0"]
    assert moe.solve(problem).status == "infeasible"
    within = moe.solve(problem.replace(unreachable_s=0.25))
    assert (within.status, within.token_latency_s) == ("optimal", 0.25)


def test_a_gap_is_said_as_what_it_is():
    """The best is at most so much below the plan, which is not how far the plan is above the best."""
    rng = np.random.default_rng(5)
    layers = [moe.Layer(np.exp(rng.normal(0, 0.6, 16)), rng.uniform(0.01, 0.06, (12, 90))) for _ in range(3)]
    plan = moe.solve(moe.Problem(layers, 2), time_limit_s=0)
    assert plan.status == "time_limit" and plan.gap > 0.01
    assert f"no placement is more than {plan.gap:.2%} below it" in plan.summary()
    assert (1 - plan.gap) * plan.token_latency_s == pytest.approx(plan.lower_bound_s)
