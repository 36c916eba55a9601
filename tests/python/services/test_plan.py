"""Placements and plans are values; whatever a method says of its placement is thrown away."""

from __future__ import annotations

import json
import math
import pickle

import pytest

from constellm import services
from constellm.services import solver
from constellm.services.placement import Positions, positions_of
from constellm.services.solver import Found, Method


@pytest.fixture
def problem(folder):
    return services.load_problem(folder / "services-4.json")


@pytest.fixture
def best(folder):
    plan = json.loads((folder / "services-4.plan.json").read_text(encoding="utf-8"))
    return services.Placement(plan["replicas"], plan["assignment"])


@pytest.fixture
def finds(problem, best, monkeypatch):
    """Makes a method that finds something; `placement` None: nothing."""

    def make(status, placement=best, bound=0.0, second=False):
        positions = None if placement is None else positions_of(problem, placement)

        def search(problem, *, time_limit_s, seed, threads):
            return Found(status, positions, bound, second, {"steps": 3})

        monkeypatch.setitem(solver.METHODS, "test", Method("test", "for tests", search))

    return make


def found(problem, **changes):
    plan = services.solve(problem, method="test", **changes)
    return plan.status, plan.lower_bound, plan.second_optimal


def test_placements_are_values(problem, best):
    assert pickle.loads(pickle.dumps(best)) == best
    assert best != services.Placement({}, {}) and best != 3
    assert services.Placement.serving(problem, best.assignment) == best
    assert "replica" in repr(best)
    with pytest.raises(AttributeError, match="cannot assign to field 'replicas'"):
        best.replicas = {}
    with pytest.raises(TypeError):
        best.replicas["m0"] = ()
    with pytest.raises(TypeError, match="replicas: expected a mapping"):
        services.Placement([], {})
    with pytest.raises(TypeError, match=r"assignment\['t'\]: expected a sequence, got 'n0'"):
        services.Placement({}, {"t": "n0"})


def test_what_a_method_says_is_not_believed(problem, best, finds):
    """A proof is a bound; a plan is what the evaluator takes."""
    finds("optimal", bound=24.0, second=True)
    assert found(problem) == ("optimal", 24.0, True)
    finds("feasible", bound=24.0)
    assert found(problem) == ("optimal", 24.0, False)
    finds("optimal", bound=20.0, second=True)
    assert found(problem) == ("feasible", 20.0, False)
    finds("optimal", bound=24.0 + 1e-9)
    assert found(problem) == ("optimal", 24.0, False)
    finds("infeasible", bound=math.inf)
    with pytest.raises(RuntimeError, match="test: its bound, inf, is above its plan's 24.0"):
        services.solve(problem, method="test")
    finds("infeasible", placement=None)
    assert found(problem) == ("infeasible", math.inf, False)
    finds("optimal", placement=None, bound=3.0)
    assert found(problem) == ("no_plan_found", 3.0, False)
    tight = problem.replace(max_cost=23)
    finds("optimal", bound=20.0)
    assert found(tight) == ("no_plan_found", 20.0, False)
    finds("time_limit", bound=3.0)
    assert found(problem)[0] == "time_limit"


def test_interrupts(problem, finds):
    finds("interrupted")
    assert services.solve(problem, method="test").cost == 24.0
    with pytest.raises(services.Interrupted) as stop:
        services.solve(problem, method="test", on_interrupt="raise")
    assert stop.value.result.cost == 24.0


def test_wrong_calls(problem, finds):
    finds("optimal")
    for changes, error, message in (
        ({"method": "tset"}, ValueError, "method: 'tset' is not one of .*test"),
        ({"method": 3}, ValueError, "method: 3 is not one of"),
        ({"time_limit_s": -1}, ValueError, r"time_limit_s: -1 is not in \[0, inf\]"),
        ({"seed": -1}, ValueError, r"seed: -1 is not in \[0,"),
        ({"seed": 0.5}, TypeError, "seed: expected an integer"),
        ({"threads": 0}, ValueError, r"threads: 0 is not in \[1,"),
        ({"on_interrupt": "ignore"}, ValueError, "on_interrupt: 'ignore' is not one of"),
    ):
        with pytest.raises(error, match=message):
            services.solve(problem, **{"method": "test", **changes})
    with pytest.raises(TypeError, match="problem: expected a Problem, got 3"):
        services.solve(3)
    with pytest.raises(ValueError, match="has none"):
        services.evaluate(problem, services.Plan(problem, "infeasible", None, math.inf))
    with pytest.raises(TypeError, match="placement: expected a Placement or a Plan, got 3"):
        services.check(problem, 3)


def test_plans_are_values_and_show_themselves(problem, best):
    plan = services.Plan(
        problem, "optimal", best, 24.0, second_optimal=True, method="x", counters={"nodes": 3}
    )
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert plan == services.Plan(problem, "optimal", best, 24.0, second_optimal=True, method="y", seconds=3.0)
    assert plan != services.Plan(problem, "feasible", best, 24.0, second_optimal=True)
    assert repr(plan) == "Plan('services-4': optimal, cost=24, delay_s=0.55814, gap=0)"
    text = plan.summary()
    assert "cost 24, mean delay 558 ms; no placement costs less, nor as much with less delay" in text
    for row in ("service", "replicas", "deadline", "memory used"):
        assert row in text
    assert plan._repr_html_().count("<table") == 3
    assert plan.gap == 0.0 and math.isnan(services.Plan(problem, "infeasible", None, math.inf).gap)
    assert services.check(problem, plan) == []
    assert services.evaluate(problem, plan) == plan.evaluation
    assert pickle.loads(pickle.dumps(plan.evaluation)) == plan.evaluation
    assert repr(plan.evaluation) == "Evaluation(cost=24, delay_s=0.55814)"
    assert "task" in plan.evaluation.summary()


def test_wrong_plans(problem, best):
    for arguments, message in (
        (("best", best, 0.0), "status: 'best' is not one of optimal, feasible"),
        (("optimal", None, 0.0), "placement: missing, and the status is optimal"),
        (("infeasible", best, 0.0), "placement: given, and the status is infeasible"),
        (("feasible", best, math.nan), r"lower_bound: nan is not in \[0, inf\]"),
    ):
        with pytest.raises(ValueError, match=message):
            services.Plan(problem, *arguments)


def test_free_plans_have_no_gap(problem):
    free = problem.replace(
        services=[
            services.Service(s.name, flop=s.flop, memory_bytes=0, cost=0, nodes=s.nodes)
            for s in problem.services
        ]
    )
    hosts = dict(zip((s.name for s in free.services), free._compiled.hosts))
    ids = [node.id for node in free.network.nodes]
    assignment = {t.name: [ids[hosts[s.service][0]] for s in t.stages] for t in free.tasks}
    assert services.Plan(free, "optimal", services.Placement.serving(free, assignment), 0.0).gap == 0.0


def test_a_plan_of_another_problem_is_refused(problem, folder, best):
    other = services.load_problem(folder / "services-1.json")
    with pytest.raises(ValueError, match="replicas: "):
        services.Plan(other, "feasible", best, 0.0)


def test_comparisons(problem, finds, tmp_path):
    finds("optimal", bound=20.0)
    solver.METHODS["none"] = Method("none", "", lambda problem, **_: Found("no_plan_found", None, 24.0))
    try:
        table = services.compare(problem, ["test", "none"])
    finally:
        del solver.METHODS["none"]
    assert [row["status"] for row in table] == ["feasible", "no_plan_found"]
    assert table["test"]["gap"] == 0.0
    assert math.isnan(table["none"]["cost"]) and len(table) == 2
    assert table["test"]["replicas"] == sum(map(len, table.plans[0].replicas.values()))
    assert "proven: no cost below 24" in table.summary()
    assert "method" in str(table) and "| method |" in table.to_markdown()
    assert table.to_csv().startswith("method,status,cost")
    assert "<table" in table._repr_html_() and "tabular" in table.to_latex()
    with pytest.raises(KeyError):
        table["other"]
    for methods, error, message in (
        ("test", TypeError, "methods: expected several names"),
        (["tests"], ValueError, "methods: 'tests' is not one of"),
        (["test", "test"], ValueError, "methods: a name stands twice"),
    ):
        with pytest.raises(error, match=message):
            services.compare(problem, methods)
    finds("interrupted")
    with pytest.raises(services.Interrupted) as stop:
        services.compare(problem, ["test"])
    assert len(stop.value.result) == 1


def test_positions_keep_the_order_of_nodes(problem, best):
    positions = positions_of(problem, best)
    assert all(list(nodes) == sorted(nodes) for nodes in positions.replicas)
    assert isinstance(positions, Positions)
