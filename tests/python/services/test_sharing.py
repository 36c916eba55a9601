"""Tasks without sharing: what is theirs alone, and that sharing never costs more."""

from __future__ import annotations

import pytest

from constellm import network, services


def small(**changes):
    """Two kinds over three nodes in a row that share an encoder."""
    net = network.chain(
        3, flop_per_s=1e12, memory_bytes=6e9, rate_bps=1e9, latency_s=0.01, two_way=True, ids=["a", "b", "c"]
    )
    made = [
        services.Service("encoder", flop=1e11, memory_bytes=2e9, cost=5, nodes=["a", "b"]),
        services.Service("caption", flop=5e10, memory_bytes=1e9, cost=3),
        services.Service("detect", flop=2e10, memory_bytes=0.5e9, cost=2, nodes=["b", "c"]),
    ]

    def task(name, head, node):
        stages = [
            services.Stage("encoder", [services.Input(-1, 6e5)]),
            services.Stage(head, [services.Input(0, 1e6), services.Input(-1, 64.0)]),
        ]
        return services.Task(name, rate_per_s=1.0, source=node, sink=node, stages=stages, output_bytes=100.0)

    tasks = [task("x", "caption", "a"), task("y", "detect", "b"), task("z", "detect", "c")]
    return services.Problem(network=net, services=made, tasks=tasks, **changes)


def test_every_task_has_its_own():
    apart = services.monoliths(small())
    assert [of.name for of in apart.services] == [
        *("encoder of x", "caption of x", "encoder of y", "detect of y", "encoder of z", "detect of z")
    ]
    by_name = {of.name: of for of in apart.services}
    assert by_name["encoder of z"].nodes == ("a", "b")
    assert (by_name["detect of y"].flop, by_name["detect of y"].memory_bytes) == (2e10, 0.5e9)
    assert [task.stages[1].inputs for task in apart.tasks] == [
        task.stages[1].inputs for task in small().tasks
    ]


def test_some_stay_shared_and_groups_share():
    some = services.monoliths(small(), shared=["encoder"])
    assert [of.name for of in some.services] == ["encoder", "caption of x", "detect of y", "detect of z"]
    kinds = {"y": "detection", "z": "detection"}
    grouped = services.monoliths(small(), groups=kinds)
    assert [of.name for of in grouped.services] == [
        *("encoder of x", "caption of x", "encoder of detection", "detect of detection")
    ]


def test_whole_tasks():
    whole = services.monoliths(small(), whole=True, groups={"y": "detection", "z": "detection"})
    assert [(of.name, of.flop, of.memory_bytes, of.cost, of.nodes) for of in whole.services] == [
        ("x", 1.5e11, 3e9, 8.0, ("a", "b")),
        ("detection", 1.2e11, 2.5e9, 7.0, ("b",)),
    ]
    assert whole.tasks[0].stages == (
        services.Stage("x", [services.Input(-1, 6e5), services.Input(-1, 64.0)]),
    )


def test_what_sharing_saves_is_exact():
    problem = small()
    costs = {}
    for name, of in {
        "shared": problem,
        "encoders": services.monoliths(problem, shared=["encoder"]),
        "apart": services.monoliths(problem),
        "whole": services.monoliths(problem, whole=True),
    }.items():
        plan = services.solve(of, method="search")
        assert plan.status in ("optimal", "infeasible"), name
        costs[name] = plan.cost
    assert costs["shared"] == 5 + 3 + 2
    assert costs["encoders"] == 5 + 3 + 2 + 2
    assert costs["apart"] == 3 * 5 + 3 + 2 + 2 == costs["whole"]


def test_sharing_never_costs_more():
    for seed in range(6):
        problem = services.scenario(seed=seed, tasks=3, requests_per_s=4.0, slack=None)
        costs = [
            services.solve(of, method="search", time_limit_s=5.0).lower_bound
            for of in (problem, services.monoliths(problem))
        ]
        assert costs[0] <= costs[1], seed


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"shared": ["nose"]}, ValueError, "shared: 'nose' is not one of encoder"),
        ({"shared": "encoder"}, TypeError, "shared: expected names"),
        ({"groups": {"w": "g"}}, ValueError, "groups: 'w' is not one of x, y, z"),
        ({"groups": {"x": 3}}, TypeError, r"groups\['x'\]: expected text"),
        ({"shared": ["encoder"], "whole": True}, ValueError, "whole tasks share nothing"),
        ({"groups": {"x": "g", "y": "g"}, "whole": True}, ValueError, "'g' has tasks of other stages"),
    ],
)
def test_bad_monoliths(keywords, error, words):
    with pytest.raises(error, match=words):
        services.monoliths(small(), **keywords)
