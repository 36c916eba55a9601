"""What programmes prove where a solver's tolerances, figures far from 1 or Ctrl-C come between."""

from __future__ import annotations

import _thread
import itertools
import math
import random
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from constellm import network, services
from constellm._core import services as _core
from constellm.services.exact import highs, optimal
from constellm.services.exact.instance import instance_of
from constellm.services.exact.judging import Cut, add_cut
from constellm.services.exact.preprocessing import reduce
from constellm.services.exact.programme import Programme
from constellm.services.solver import Found
from oracles.random_services import problem_of, random_data
from oracles.services import enumerated

pytest.importorskip("highspy", reason="the programmes need the extra solver")


@pytest.fixture
def no_start(monkeypatch):
    monkeypatch.setattr(optimal, "anneal", lambda problem, **_: Found("no_plan_found"))


def joined(number: int, *, second_s: float) -> services.Problem:
    """Five nodes and stages that wait for two inputs; delays of about so many seconds."""
    draw = random.Random(f"joined {number}")
    nodes = [
        network.Node(id=f"n{v}", flop_per_s=1e12 * draw.uniform(0.5, 2.0), memory_bytes=2e9) for v in range(5)
    ]
    pairs = list(itertools.permutations(range(5), 2))
    graph = network.Graph(
        nodes,
        from_=[a for a, _ in pairs],
        to=[b for _, b in pairs],
        rate_bps=[8e6 * draw.uniform(0.5, 2.0) for _ in pairs],
        latency_s=[second_s * draw.uniform(0.0, 0.3) for _ in pairs],
    )
    offered = [
        services.Service(f"m{s}", flop=second_s * 1e12 * draw.uniform(0.1, 0.5), memory_bytes=9e8, cost=1 / 3)
        for s in range(3)
    ]
    tasks = []
    for t in range(2):
        stages = [
            services.Stage(
                f"m{draw.randrange(3)}",
                [services.Input(k, second_s * 1e6 * draw.uniform(0.01, 0.3)) for k in {last - 1, -1}],
            )
            for last in range(3)
        ]
        ends = {"source": f"n{draw.randrange(5)}", "sink": f"n{draw.randrange(5)}"}
        tasks.append(
            services.Task(f"t{t}", rate_per_s=draw.uniform(0.1, 0.8) / second_s, **ends, stages=stages)
        )
    return services.Problem(network=graph, services=offered, tasks=tasks, objective="delay")


@pytest.mark.parametrize("second_s", [1e-7, 1.0, 1e4])
def test_short_and_long_delays(no_start, second_s):
    for number in range(3):
        problem = joined(number, second_s=second_s)
        found, known = (services.solve(problem, method=method) for method in ("programme", "search"))
        assert (found.status, found.second_optimal) == ("optimal", True)
        assert found.objective == pytest.approx(known.objective, rel=1e-9, abs=0.0)
        assert found.evaluation.second == pytest.approx(known.evaluation.second, rel=1e-9, abs=0.0)


def test_a_task_without_any_delay():
    """The mean leaves its deadline next to nothing, by which no row is divided."""
    node = network.Node(id="n", flop_per_s=1e15, memory_bytes=4e9)
    graph = network.Graph([node], from_=[], to=[], rate_bps=[], latency_s=[])
    offered = [
        services.Service(name, flop=flop, memory_bytes=1e9, cost=5e-9)
        for name, flop in (("a", 1e8), ("b", 0.0))
    ]
    task = services.Task(
        "t", rate_per_s=1e3, source="n", sink="n", stages=[services.Stage("a", [services.Input()])]
    )
    twice = [services.Input(-1, 3.0), services.Input(-1, 0.0)]
    free = services.Task("u", rate_per_s=1e3, source="n", sink="n", stages=[services.Stage("b", twice)])
    problem = services.Problem(network=graph, services=offered, tasks=[task, free], objective="delay")
    plan = services.solve(problem, method="programme")
    assert (plan.status, plan.second_optimal) == ("optimal", True)
    assert plan.cost == 1e-8 and plan.delay_s == pytest.approx(5e-8)


def everywhere(work, *_):
    """In place of the core's own search: nothing is ruled out, and the programme does it."""
    return np.ones((work.instance.slots, work.instance.nodes), dtype=bool)


def test_what_tolerances_let_through_is_forbidden(no_start, monkeypatch):
    """A bound that its own answer does not reach proves nothing, in the first term and in the second."""
    solve, fooled = highs.solve, []

    def lower(programme, **given):
        found = solve(programme, **given)
        if found.x is None or len(fooled) % 3 == 2:
            fooled.append(False)
            return found
        fooled.append(True)
        return replace(found, bound=found.bound - 1e-7 * abs(found.bound) - 1e-12)

    monkeypatch.setattr(highs, "solve", lower)
    monkeypatch.setattr(optimal, "explore", everywhere)
    for seed in range(40):
        data = random_data(seed)
        truth = enumerated(data)
        plan = services.solve(problem_of(data), method="programme", time_limit_s=20.0)
        if truth is None:
            assert plan.status == "infeasible"
            continue
        assert plan.status == "optimal", (seed, plan)
        assert (plan.objective, plan.evaluation.second) == pytest.approx(truth[0], rel=1e-9, abs=1e-12)
    assert sum(fooled) > 10


def test_costs_far_apart_are_few_sums():
    assert list(itertools.islice(optimal.sums_from(3.0, [2.0, 0.0, 5.0, 2.0]), 6)) == [3, 5, 7, 8, 9, 10]
    assert list(optimal.sums_from(7.0, [0.0])) == [7.0]


@pytest.mark.parametrize("climbs", [0, 1, 100])
def test_after_so_many_costs_one_programme(climbs, no_start, monkeypatch):
    monkeypatch.setattr(optimal, "CLIMBS", climbs)
    for seed in range(60):
        data = random_data(seed)
        if data["objective"] != "cost":
            continue
        for service in data["services"]:
            service["cost"] *= 1_000_003
        truth = enumerated(data)
        plan = services.solve(problem_of(data), method="programme")
        if truth is None:
            assert plan.status == "infeasible"
        else:
            assert (plan.status, plan.objective, plan.lower_bound) == ("optimal", truth[0][0], truth[0][0]), (
                seed
            )


def test_all_of_a_placement_is_forbidden_and_no_more():
    """Where tasks may be left out, what places more of them stays."""
    data = random_data(1)
    problem = problem_of(data).replace(objective="admitted")
    instance = instance_of(problem)
    programme = Programme(
        reduce(instance, admits_all=False), form="pair", admits_all=False, needs_delay=False
    )
    before = programme.rows.rows
    add_cut(programme, Cut("all", others=tuple(range(instance.tasks))))
    assert programme.rows.rows == before + 1
    found = highs.solve(programme.finish(programme.cost()), clock=highs.Clock())
    assert found.x is None or any(programme.assignment(found.x))


def test_ctrl_c_in_the_core_and_in_python(monkeypatch):
    problem = joined(0, second_s=1.0).replace(max_cost=10.0)
    for name in ("shaved", "explored"):
        call = getattr(_core, name)
        with monkeypatch.context() as patch:
            patch.setattr(_core, name, lambda *of, call=call: (*call(*of)[:-1], True))
            plan = services.solve(problem, method="programme")
        assert plan.status == "interrupted" and plan.placement is not None, name

    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(optimal, "reduce", pressed)
    plan = services.solve(problem, method="programme")
    assert plan.status == "interrupted" and plan.placement is not None
    with pytest.raises(services.Interrupted):
        services.solve(problem, method="programme", on_interrupt="raise")


def test_ctrl_c_waits_for_the_solver():
    """While it runs nothing of it is read."""

    class Slow:
        has_ended = False

        def setCallback(self, stop, _):
            self.stop = stop

        def startCallback(self, kind):
            pass

        def run(self):
            time.sleep(0.1)
            _thread.interrupt_main()
            answer = SimpleNamespace(user_interrupt=False)
            while not answer.user_interrupt:
                self.stop(None, "", None, answer, None)
                time.sleep(0.01)
            time.sleep(0.2)
            self.has_ended = True

    solver, clock = Slow(), highs.Clock()
    highs.run(highs.module(), solver, clock)
    assert solver.has_ended and clock.interrupted


@pytest.mark.parametrize("nodes", [0, 1])
def test_a_search_that_ends_early_is_gone_on_with(nodes, monkeypatch):
    """Nodes say when it ends, and what it had is where the programmes begin."""
    monkeypatch.setattr(services.solver, "SMALL_NODES", nodes)
    for seed in range(40):
        data = random_data(seed)
        problem, truth = problem_of(data), enumerated(data)
        early = _core.search(problem._compiled, problem._routes, math.inf, nodes=nodes)
        assert early[4] <= nodes + 1
        assert early[2] <= (math.inf if truth is None else truth[0][0] * (1 + 1e-9)), seed
        plan = services.solve(problem)
        if truth is None:
            assert plan.status == "infeasible"
        else:
            assert (plan.status, plan.second_optimal) == ("optimal", True), seed
            assert (plan.objective, plan.evaluation.second) == pytest.approx(truth[0], rel=1e-9, abs=1e-12)
