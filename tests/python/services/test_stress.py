"""Problems under stress, and what placements are worth there."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from constellm import network, services


def small(**changes):
    """A ring of four; two tasks share an encoder."""
    net = network.ring(4, flop_per_s=1e12, memory_bytes=4e9, rate_bps=1e9, latency_s=[0.01, 0.02, 0.03, 0.04])
    made = [
        services.Service("encoder", flop=1e11, memory_bytes=2e9, cost=5),
        services.Service("head", flop=5e10, memory_bytes=1e9, cost=3),
    ]
    stages = [
        services.Stage("encoder", [services.Input(-1, 1e6)]),
        services.Stage("head", [services.Input(0, 1e6)]),
    ]
    tasks = [
        services.Task(name, rate_per_s=rate, deviation_per_s=rate / 2, source=node, sink=node, stages=stages,
                      deadline_s=0.3)
        for name, rate, node in (("x", 1.0, "s0"), ("y", 2.0, "s1"), ("z", 1.0, "s2"))
    ]  # fmt: skip
    return services.Problem(network=net, services=made, tasks=tasks, **changes)


PLACED = services.Placement(
    {"encoder": ["s0", "s1"], "head": ["s0", "s1"]},
    {"x": ["s0", "s0"], "y": ["s1", "s1"], "z": ["s1", "s1"]},
)


def rates(problem):
    return [task.rate_per_s for task in problem.tasks]


def test_spikes():
    assert rates(services.spiked(small(), 3.0)) == [3.0, 6.0, 3.0]
    some = services.spiked(small(), 3.0, tasks=["y"])
    assert rates(some) == [1.0, 6.0, 1.0]
    assert [task.deviation_per_s for task in some.tasks] == [0.5, 3.0, 0.5]


def test_spikes_of_samples():
    problem = small()
    tasks = [replace(task, deviation_per_s=0.0) for task in problem.tasks]
    drawn = problem.replace(tasks=tasks, samples=[[1.0, 2.0, 3.0]])
    assert services.spiked(drawn, 2.0, tasks=["z"]).samples.tolist() == [[1.0, 2.0, 6.0]]


def test_shifts_keep_the_sum():
    moved = services.shifted(small(), ["x"], 0.25)
    assert rates(moved) == pytest.approx([1.0 + 0.25 * 3.0, 1.5, 0.75])
    two = services.shifted(small(), ["x", "y"], 0.5)
    assert rates(two) == pytest.approx([1.0 * (1 + 0.5 / 3), 2.0 * (1 + 0.5 / 3), 0.5])
    assert sum(rates(two)) == pytest.approx(4.0)
    assert services.shifted(small(), ["x"], 0.0) == small()


def test_losses_hand_over_to_the_nearest():
    worse = services.without(small(), ["s0"])
    assert len(worse.network.nodes) == 4 and len(worse.network.rate_bps) == 4
    assert worse.network.nodes[0].flop_per_s == 0.0
    assert worse.tasks[0].source == worse.tasks[0].sink == "s1"  # by 10 ms; s3 by 40 ms
    both = services.without(small(), ["s0", "s1"])
    assert [task.source for task in both.tasks] == ["s3", "s2", "s2"]
    with pytest.raises(ValueError, match="'s0' of 'x' and all its neighbours are lost"):
        services.without(small(), ["s0", "s1", "s3"])


def test_losses_keep_lives_of_links():
    problem = small()
    life_s = np.arange(1.0, 9.0)
    worse = services.without(problem.replace(life_s=life_s), ["s3"])
    sender, receiver = np.asarray(problem.network.from_), np.asarray(problem.network.to)
    assert worse.life_s.tolist() == life_s[(sender != 3) & (receiver != 3)].tolist()


def test_draws_of_losses_are_nested():
    drawn = services.lose(small(), 4, seed=3)
    assert sorted(drawn) == ["s0", "s1", "s2", "s3"]
    assert services.lose(small(), 2, seed=3) == drawn[:2]
    assert "s1" not in services.lose(small(), 3, seed=3, spare=["s1"])


def test_nothing_breaks_where_nothing_changed():
    found = services.endure(small(), PLACED, method="search")
    assert (found.kept_share, found.rerouted_share, found.broken, found.lost_replicas) == (1.0, 1.0, {}, 0)
    assert found.kept == PLACED
    assert found.rerouted.status == "optimal"


def test_a_lost_replica_is_served_by_the_other():
    worse = services.without(small(), ["s1"])
    found = services.endure(worse, PLACED, method="search")
    assert found.broken == {"y": "lost a replica", "z": "lost a replica"}
    assert (found.kept_share, found.lost_replicas) == (0.25, 2)
    assert found.kept.replicas == {"encoder": ("s0",), "head": ("s0",)}
    assert found.kept.assignment == {"x": ("s0", "s0"), "y": (), "z": ()}
    assert found.rerouted_share == best_share(worse, {"encoder": ["s0"], "head": ["s0"]})
    assert "lost a replica" in found.summary()


def test_spikes_break_what_shares_a_node():
    found = services.endure(services.spiked(small(), 1.6), PLACED, method="search")
    assert found.broken == {
        "y": "uses a node that has too much",
        "z": "uses a node that has too much",
    }
    assert found.rerouted_share == best_share(services.spiked(small(), 1.6), PLACED.replicas)


def test_deadlines_and_single_tasks_that_do_not_fit():
    late = small().replace(
        tasks=[
            services.Task("x", rate_per_s=1.0, source="s0", sink="s0", stages=small().tasks[0].stages,
                          deadline_s=0.1),
            services.Task("y", rate_per_s=20.0, source="s1", sink="s1", stages=small().tasks[1].stages),
            small().tasks[2],
        ]
    )  # fmt: skip
    found = services.endure(late, PLACED, method="search")
    assert found.broken == {
        "x": "comes too late",
        "y": "does not fit alone",
        "z": "uses a node that has too much",  # what is sent there comes whether it fits or not
    }


def test_links_that_have_too_much():
    net = network.chain(2, flop_per_s=1e12, memory_bytes=4e9, rate_bps=1e7, two_way=True)
    stage = services.Stage("encoder", [services.Input(-1, 1e6)])
    tasks = [
        services.Task(name, rate_per_s=1.0, source="s0", sink="s0", stages=[stage]) for name in ("x", "y")
    ]
    of = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1)
    problem = services.Problem(network=net, services=[of], tasks=tasks)
    placed = services.Placement({"encoder": ["s0", "s1"]}, {"x": ["s1"], "y": ["s0"]})
    assert services.endure(problem, placed, method="search").broken == {}
    both = services.Placement({"encoder": ["s1"]}, {"x": ["s1"], "y": ["s1"]})
    found = services.endure(problem, both, method="search")
    assert set(found.broken.values()) == {"uses a link that has too much"}
    assert found.rerouted_share == 0.5


def test_degradation_goes_down():
    problem = small()
    rows = services.degradation(
        PLACED, {str(by): services.spiked(problem, by) for by in (1.0, 1.6, 3.0, 6.0)}, method="search"
    )
    kept = [row["kept_share"] for row in rows]
    served = [row["rerouted_share"] for row in rows]
    assert kept == sorted(kept, reverse=True) and kept[0] == 1.0
    assert all(a <= b for a, b in zip(kept, served))
    assert {row["status"] for row in rows} == {"optimal"}


def best_share(problem, replicas):
    """By trying every subset of tasks on every choice of replicas."""
    best = 0.0
    total = sum(rates(problem))
    spots = [
        list(itertools.product(*(replicas[stage.service] for stage in task.stages))) for task in problem.tasks
    ]
    relaxed = problem.replace(objective="admitted")
    for chosen in itertools.product(*([(), *spot] for spot in spots)):
        placed = services.Placement(replicas, {task.name: c for task, c in zip(problem.tasks, chosen)})
        share = sum(task.rate_per_s for task, c in zip(problem.tasks, chosen) if c) / total
        if share > best and services.check(relaxed, placed) == []:
            best = share
    return best


def test_random_placements_under_random_stress(random_problems):
    """What is left serves no less than before, and as much as trying every assignment finds."""
    seen = set()
    for seed in range(min(random_problems, 1000) // 10):
        draw = random.Random(seed)
        ids = [f"s{i}" for i in range(4)]
        replicas = {name: sorted(draw.sample(ids, draw.randint(1, 3))) for name in ("encoder", "head")}
        assignment = {
            name: [draw.choice(replicas["encoder"]), draw.choice(replicas["head"])] for name in "xyz"
        }
        worse = services.spiked(small(), draw.choice([0.5, 1.0, 1.5, 3.0]), tasks=draw.sample("xyz", 2))
        if draw.random() < 0.5:
            worse = services.without(worse, draw.sample(ids, 1))
        found = services.endure(worse, services.Placement(replicas, assignment), method="search")
        speed = {node.id: node.flop_per_s for node in worse.network.nodes}
        left = {name: [id for id in nodes if speed[id]] for name, nodes in replicas.items()}
        if all(left.values()):
            assert found.rerouted_share == pytest.approx(best_share(worse, left)), seed
        else:
            assert found.rerouted_share == 0.0, seed
        assert found.kept_share <= found.rerouted_share + 1e-12, seed
        assert services.check(worse.replace(objective="admitted"), found.kept) == [], seed
        seen |= set(found.broken.values())
    assert {"lost a replica", "uses a node that has too much"} <= seen


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: services.spiked(p, 0.0), "factor: 0.0 is not in"),
        (lambda p: services.spiked(p, 2.0, tasks=["w"]), "tasks: 'w' is not the name of a task"),
        (lambda p: services.shifted(p, ["x"], 1.0), r"share: 1.0 is not in \[0, 1\)"),
        (lambda p: services.shifted(p, [], 0.5), "to: must not be empty"),
        (lambda p: services.shifted(p, ["w"], 0.5), "to: 'w' is not the name of a task"),
        (lambda p: services.without(p, ["s9"]), "nodes: 's9' is not the id of a node"),
        (lambda p: services.lose(p, 1, spare=["s9"]), "spare: 's9' is not the id of a node"),
        (lambda p: services.lose(p, 5), r"number: 5 is not in \[0, 4\]"),
    ],
)
def test_bad_stress(call, words):
    with pytest.raises(ValueError, match=words):
        call(small())


def test_a_curve_ends_when_it_is_interrupted(monkeypatch):
    from constellm.services import endurance

    problem = small()
    plan = services.solve(problem, method="search")

    def interrupted(one, **options):
        return services.Plan(one, "interrupted", None, 0.0)

    monkeypatch.setattr(endurance, "solve", interrupted)
    with pytest.raises(services.Interrupted) as stopped:
        services.degradation(plan, {"one": problem, "two": problem})
    assert [row["stress"] for row in stopped.value.result] == ["one"]
