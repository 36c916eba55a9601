"""The cheapest repair is what trying every set of new replicas finds."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest

from constellm import network, services

pytest.importorskip("highspy")


def small(rates=(1.0, 2.0, 1.0)):
    net = network.ring(4, flop_per_s=1e12, memory_bytes=3e9, rate_bps=1e9, latency_s=[0.01, 0.02, 0.03, 0.04])
    made = [
        services.Service("encoder", flop=1e11, memory_bytes=2e9, cost=5),
        services.Service("head", flop=5e10, memory_bytes=1e9, cost=3),
    ]
    stages = [
        services.Stage("encoder", [services.Input(-1, 1e6)]),
        services.Stage("head", [services.Input(0, 1e6)]),
    ]
    tasks = [
        services.Task(name, rate_per_s=rate, source=node, sink=node, stages=stages, deadline_s=0.25)
        for name, rate, node in zip("xyz", rates, ("s0", "s1", "s2"))
    ]
    return services.Problem(network=net, services=made, tasks=tasks)


PLACED = services.Placement(
    {"encoder": ["s1"], "head": ["s1"]}, {"x": ["s1", "s1"], "y": ["s1", "s1"], "z": ["s1", "s1"]}
)


def least_repair(problem, left):
    """Cost of the cheapest new replicas with which all can be served; all that stand may be stopped."""
    ids = [node.id for node in problem.network.nodes if node.flop_per_s > 0]
    cost = {of.name: of.cost for of in problem.services}
    spots = [(name, id) for name in cost for id in ids if id not in left[name]]
    best = math.inf
    for size in range(len(spots) + 1):
        for new in itertools.combinations(spots, size):
            price = sum(cost[name] for name, _ in new)
            if price < best and serves(problem, left, new):
                best = price
    return best


def serves(problem, left, new):
    may = {of.name: [*left[of.name], *(id for name, id in new if name == of.name)] for of in problem.services}
    paths = [
        list(itertools.product(*(may[stage.service] for stage in task.stages))) for task in problem.tasks
    ]
    for chosen in itertools.product(*paths):
        assignment = {task.name: nodes for task, nodes in zip(problem.tasks, chosen)}
        if services.check(problem, services.Placement.serving(problem, assignment)) == []:
            return True
    return False


@pytest.mark.parametrize(
    "worse",
    [
        small(),
        services.without(small(), ["s1"]),
        services.without(small(), ["s0"]),
        services.spiked(small(), 2.0),
        services.spiked(small(), 3.0, tasks=["z"]),
        services.spiked(small(), 20.0),
    ],
)
def test_the_cheapest(worse):
    lost = {node.id for node in worse.network.nodes if node.flop_per_s == 0}
    left = {name: [id for id in ids if id not in lost] for name, ids in PLACED.replicas.items()}
    found = services.repair(worse, PLACED)
    best = least_repair(worse, left)
    if best == math.inf:
        assert (found.status, found.placement, found.started) == ("infeasible", None, ())
        return
    assert found.status == "optimal"
    assert found.cost == pytest.approx(best) == pytest.approx(found.lower_bound)
    assert services.check(worse.replace(max_cost=None), found.placement) == []
    assert all(id in found.placement.replicas[name] and id not in left[name] for name, id in found.started)


def test_a_lost_satellite_is_replaced():
    found = services.repair(services.without(small(), ["s1"]), PLACED)
    assert sorted(name for name, _ in found.started) == ["encoder", "head"]
    assert found.cost == 8.0
    assert repr(found) == "Repair('services': optimal, 2 replicas for 8)"
    assert "encoder" in found.summary()


def test_limits_of_cost_do_not_hold_back():
    worse = services.without(small(), ["s1"])
    free = services.repair(worse, PLACED)
    assert services.repair(worse.replace(max_cost=1.0), PLACED).cost == free.cost


def test_bad_placements():
    with pytest.raises(ValueError, match="replicas: the service 'head' is missing"):
        services.repair(small(), services.Placement({"encoder": ["s1"]}, {}))
    other = [replace(task, name=task.name * 2) for task in small().tasks]
    with pytest.raises(ValueError, match="assignment: 'x' is not the name of a task"):
        services.repair(small().replace(tasks=other), PLACED)
