"""The one evaluator: as the examples say, and as the oracle does, to the last bit of what is compared."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from constellm import services
from oracles.random_services import placement_of, problem_of, random_assignment, random_data
from oracles.services import Oracle, enumerated


def test_examples(example):
    data, plan = example
    problem = services.problem_from_dict(data)
    if plan["status"] == "infeasible":
        assert enumerated(data) is None
        return
    placement = services.Placement(plan["replicas"], plan["assignment"])
    found = services.evaluate(problem, placement)
    assert services.check(problem, placement) == []
    assert found.cost == plan["cost"]
    assert found.delay_s == plan["delay_s"]
    assert found.objective == plan["lower_bound"]


@pytest.mark.parametrize("extra", [False, True], ids=["serving", "more replicas"])
def test_terms_and_rules_are_those_of_the_oracle(random_problems, extra):
    kept = broken = impossible = 0
    for seed in range(random_problems):
        draw = random.Random(f"placement {seed}")
        data = random_data(seed)
        oracle = Oracle(data)
        problem = problem_of(data)
        assert problem.may_break == data.get("may_break", 0)
        assignment = random_assignment(oracle, draw)
        if assignment is None:
            continue
        replicas = oracle.serving(assignment)
        if extra:
            replicas = {
                name: sorted({*nodes, *draw.sample(oracle.hosts(name), min(1, len(oracle.hosts(name))))})
                for name, nodes in replicas.items()
            }
        placement = placement_of(oracle, assignment, replicas)
        terms = oracle.terms(assignment, replicas)
        if terms is None:
            impossible += 1
            with pytest.raises(ValueError, match="no way from"):
                services.evaluate(problem, placement)
            assert any("no way from" in rule for rule in services.check(problem, placement))
            continue
        found = services.evaluate(problem, placement)
        assert found.cost == terms["cost"], seed
        assert found.rejected_weight == terms["rejected_weight"], seed
        np.testing.assert_array_equal(found.task_delay_s, terms["task_delay_s"], str(seed))
        assert found.delay_s == pytest.approx(terms["delay_s"], rel=1e-15), seed
        for mine, its in (
            (found.node_load_flop_per_s, terms["node_load"]),
            (found.link_load_bps, terms["link_load"]),
            (found.memory_bytes, terms["memory"]),
        ):
            np.testing.assert_allclose(mine, its, rtol=1e-13, err_msg=str(seed))
        assert found.broken_samples == terms["broken_samples"], seed
        assert (found.objective, found.second) == pytest.approx(oracle.rank(terms), rel=1e-15)
        allowed = oracle.allowed(terms)
        assert (services.check(problem, placement) == []) == allowed, (
            seed,
            services.check(problem, placement),
        )
        assert keeps_limits(problem, placement) == allowed, seed
        kept += allowed
        broken += not allowed
    assert min(kept, broken, impossible) > 0.02 * random_problems, (kept, broken, impossible)


def keeps_limits(problem: services.Problem, placement: services.Placement) -> bool:
    """As solvers of the core ask."""
    from constellm._core import services as core
    from constellm.services.placement import positions_of

    return core.keeps_limits(problem._compiled, problem._routes, *positions_of(problem, placement))


def test_routes_are_those_of_the_oracle(random_problems):
    """The quickest, then the shortest, then the first of all simple paths; equal ways are everywhere."""
    for seed in range(random_problems):
        data = random_data(seed)
        oracle = Oracle(data)
        problem = problem_of(data)
        for e, (t, from_, _, size) in enumerate(problem._compiled.transfers):
            task = data["tasks"][t]
            if from_ < 0:
                origins = [oracle.place[task["source"]]]
            else:
                origins = oracle.hosts(task["stages"][from_]["service"])
            for origin in origins:
                seconds = problem._routes.seconds(e, origin)
                ways = oracle.routes(size, origin)
                for v in range(len(seconds)):
                    assert seconds[v] == (ways[v][0] if v in ways else math.inf), seed
                    if v in ways:
                        links = problem._routes.links(e, origin, v)
                        path = [origin, *problem.network.to[links].tolist()]
                        assert tuple(path) == ways[v][1], (seed, e, origin, v)


def test_routes_where_rounding_hides_parts_of_a_way(random_problems):
    """Of links so unequal that a part of a quickest way is not the quickest, and more links change no sum."""
    for seed in range(random_problems):
        draw = random.Random(f"rounding {seed}")
        ids = [f"n{v}" for v in range(draw.randint(3, 6))]
        some = draw.choice(
            [[1.0, 1e-16, 3e-17, 0.0], [0.1, 0.2, 0.3, 0.7, 1e-17], [1.0, 2.0**-53, 2.0**-54, 2.0**-52]]
        )
        links = [
            {"from": a, "to": b, "rate_bps": 8.0, "latency_s": draw.choice(some)}
            for a in ids
            for b in ids
            if a != b and draw.random() < 0.7
        ]
        data = {
            "format": "constellm.services-problem",
            "version": 1,
            "name": "rounding",
            "nodes": [{"id": id, "flop_per_s": 1.0, "memory_bytes": 0} for id in ids],
            "links": links,
            "services": [{"name": "m", "flop": 0, "memory_bytes": 0, "cost": 0}],
            "tasks": [
                {
                    "name": "t",
                    "rate_per_s": 1,
                    "source": ids[0],
                    "sink": ids[0],
                    "output_bytes": draw.choice([0, 1e-17, 0.1]),
                    "stages": [{"service": "m", "inputs": [{"from": -1, "bytes": 0}]}],
                }
            ],
        }
        oracle, problem = Oracle(data), services.problem_from_dict(data)
        size = float(data["tasks"][0]["output_bytes"])
        for origin in range(len(ids)):
            seconds = problem._routes.seconds(1, origin)
            for v, way in oracle.routes(size, origin).items():
                assert seconds[v] == way[0], seed
                path = [origin, *problem.network.to[problem._routes.links(1, origin, v)].tolist()]
                assert tuple(path) == way[1], (seed, origin, v)
