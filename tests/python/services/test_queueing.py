"""Waiting in closed form is what simulations of queues find."""

from __future__ import annotations

import math

import pytest

from constellm import network, services
from oracles import queues


def placed(rates, *, flops=(1e11,), rate_bps=1e9, bytes=0.0, node="s0", **changes):
    """Tasks of one stage each, all on one node."""
    net = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=rate_bps, latency_s=0.01, two_way=True)
    made = [services.Service(f"m{i}", flop=flop, memory_bytes=0, cost=1) for i, flop in enumerate(flops)]
    tasks = [
        services.Task(f"t{i}", rate_per_s=rate, source="s0", sink="s0",
                      stages=[services.Stage(f"m{i % len(flops)}", [services.Input(-1, bytes)])])
        for i, rate in enumerate(rates)
    ]  # fmt: skip
    problem = services.Problem(network=net, services=made, tasks=tasks, **changes)
    where = services.Placement({of.name: [node] for of in made}, {task.name: [node] for task in tasks})
    return problem, where


@pytest.mark.parametrize("used", [0.1, 0.5, 0.9])
def test_one_kind_of_stage_is_a_queue_of_fixed_service(used):
    problem, where = placed([used / 0.1])
    found = services.waiting(problem, where)
    assert found.node_utilisation[0] == pytest.approx(used)
    assert found.node_wait_s[0] == pytest.approx(used * 0.1 / (2 * (1 - used)))
    assert found.task_delay_s[0] == pytest.approx(0.1 + found.node_wait_s[0])
    assert found.alone_s[0] == pytest.approx(0.1)


def test_lindley_agrees():
    """Two kinds of stages on one node: arrivals 2 and 1 a second, of 100 and 500 ms."""
    problem, where = placed([2.0, 1.0], flops=(1e11, 5e11))
    found = services.waiting(problem, where)
    simulated = queues.lindley_wait_s(3.0, [0.1, 0.5], [2.0, 1.0], arrivals=300_000, seed=1)
    assert found.node_wait_s[0] == pytest.approx(simulated, rel=0.03)


def test_links_wait_like_nodes_and_latency_occupies_nothing():
    problem, where = placed([2.0], bytes=2.5e7, node="s1")  # 0.2 s on the link
    found = services.waiting(problem, where)
    assert found.link_utilisation.max() == pytest.approx(0.4)
    assert found.link_wait_s.max() == pytest.approx(0.4 * 0.2 / (2 * 0.6))
    assert found.task_delay_s[0] == pytest.approx(
        0.2 + 0.01 + found.link_wait_s.max() + 0.1 + found.node_wait_s[1] + 0.01
    )


def test_without_waiting_it_is_the_evaluator():
    for seed in range(3):
        problem = services.scenario(seed=seed, requests_per_s=10.0)
        plan = services.solve(problem, method="annealing", seed=1)
        found = services.waiting(problem, plan)
        assert found.alone_s == pytest.approx(plan.evaluation.task_delay_s, rel=1e-12)
        nothing = services.waiting(problem, plan, rate_per_s=[1e-12] * len(problem.tasks))
        assert nothing.task_delay_s == pytest.approx(found.alone_s, rel=1e-9)
        assert found.delay_s >= plan.delay_s
        assert found.wait_s == pytest.approx(found.delay_s - plan.delay_s)


def test_more_demand_waits_longer_until_it_never_ends():
    problem, where = placed([4.0])
    waits = [
        services.waiting(problem, where, rate_per_s=[rate]).node_wait_s[0] for rate in (1, 4, 8, 9.9, 10)
    ]
    assert waits == sorted(waits) and math.isinf(waits[-1])
    assert math.isinf(services.waiting(problem, where, rate_per_s=[10]).delay_s)


def test_nothing_waits_for_tasks_that_are_not_admitted():
    problem, _ = placed([4.0, 3.0], objective="admitted")
    where = services.Placement({"m0": ["s0"]}, {"t0": ["s0"], "t1": []})
    found = services.waiting(problem, where)
    assert math.isnan(found.task_delay_s[1])
    assert found.node_utilisation[0] == pytest.approx(0.4)
    assert found.delay_s == pytest.approx(found.task_delay_s[0])


def test_late_tasks_are_named():
    problem, where = placed([8.0])
    tasks = [services.Task("t0", rate_per_s=8.0, source="s0", sink="s0", stages=problem.tasks[0].stages,
                           deadline_s=0.2)]  # fmt: skip
    assert services.check(problem.replace(tasks=tasks), where) == []
    assert services.waiting(problem.replace(tasks=tasks), where).late == ("t0",)


def test_a_small_network_is_near_its_simulation():
    """Six tasks over four nodes in a row, half used: above the simulation, by less than 5 % of the delay."""
    net = network.chain(
        4, flop_per_s=[1e12, 2e12, 1.5e12, 1e12], memory_bytes=8e9, rate_bps=2e8, latency_s=0.01, two_way=True
    )
    made = [
        services.Service("encoder", flop=1e11, memory_bytes=0, cost=1),
        services.Service("head", flop=8e10, memory_bytes=0, cost=1),
    ]
    stages = [
        services.Stage("encoder", [services.Input(-1, 6e5)]),
        services.Stage("head", [services.Input(0, 4e5)]),
    ]
    tasks = [
        services.Task(f"t{i}", rate_per_s=1.5, source=f"s{i % 4}", sink=f"s{(i + 1) % 4}", stages=stages,
                      output_bytes=1e4)
        for i in range(6)
    ]  # fmt: skip
    problem = services.Problem(network=net, services=made, tasks=tasks)
    assignment = {f"t{i}": [f"s{i % 2}", f"s{2 + i % 2}"] for i in range(6)}
    found = services.waiting(problem, services.Placement.serving(problem, assignment))
    assert 0.3 < found.node_utilisation.max() < 0.7
    simulated = queues.delays_s(services.problem_to_dict(problem), assignment, requests=4000, seed=2)
    for closed, event in zip(found.task_delay_s, simulated):
        assert event < closed < 1.05 * event  # what comes evenly from the queue before does not wait as long
    waited = sum(simulated) - sum(found.alone_s)
    assert waited < sum(found.task_delay_s - found.alone_s) < 1.3 * waited


@pytest.mark.parametrize(
    ("rate", "error", "words"),
    [
        ([1.0, 2.0], ValueError, r"rate_per_s: shape \(2,\) is not \(1,\)"),
        ([-1.0], ValueError, "rate_per_s: .* is not in"),
        (["x"], TypeError, "rate_per_s: expected numbers"),
    ],
)
def test_bad_rates(rate, error, words):
    with pytest.raises(error, match=words):
        services.waiting(*placed([1.0]), rate_per_s=rate)


def test_displays():
    found = services.waiting(*placed([4.0]))
    assert repr(found) == "Waiting(mean delay 100 ms alone, 133 ms with waiting; most used 40.0 %)"
    assert "t0" in found.summary() and "<table" in found._repr_html_()
