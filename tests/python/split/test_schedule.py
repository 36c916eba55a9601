"""The flow-line schedule against its definition and the evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import split
from oracles.random_problems import random_problem


def recursion(flow):
    """Start times by the definition, one at a time."""
    start = np.zeros_like(flow.start_s)
    for i, m in np.ndindex(start.shape):
        came = start[i - 1, m] + flow.servers[i - 1].time_s + flow.servers[i - 1].latency_s if i else 0.0
        free = start[i, m - 1] + flow.servers[i].time_s if m else 0.0
        start[i, m] = max(came, free)
    return start


def solved_examples(repository):
    for file in sorted((repository / "tests/data/split").glob("*.json")):
        if not file.name.endswith(".plan.json"):
            plan = split.solve(split.load_problem(file))
            if plan.path:
                yield plan


def assert_schedule(plan):
    flow = split.schedule(plan)
    terms = split.evaluate(plan.problem, plan)
    assert flow.makespan_s == pytest.approx(plan.delay_s, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(flow.start_s, recursion(flow), rtol=1e-9, atol=1e-12)
    assert flow.start_s.shape == (len(terms["stages"]) + len(terms["hops"]), plan.problem.micro_batches)
    assert flow.servers[flow.bottleneck].time_s == plan.bottleneck_s
    for server in flow.servers:
        assert sum(seconds for _, seconds in server.phases) == pytest.approx(server.time_s, rel=1e-12)
    # Nobody works on two micro-batches at once, and nothing leaves before it came.
    room = 1e-9 * flow.makespan_s
    assert np.all(flow.start_s[:, 1:] >= flow.finish_s[:, :-1] - room)
    assert np.all(flow.start_s[1:] >= flow.finish_s[:-1] - room)


def test_examples(repository):
    plans = list(solved_examples(repository))
    assert len(plans) == 10
    for plan in plans:
        assert_schedule(plan)


def test_random_problems(random_problems):
    found = 0
    for seed in range(random_problems // 3):
        plan = split.solve(split.problem_from_dict(random_problem(seed)))
        if plan.path:
            found += 1
            assert_schedule(plan)
    assert found >= random_problems // 10


def test_order_names_and_read_only(repository):
    problem = split.load_problem(repository / "tests/data/split/node-overhead.json")
    flow = split.schedule(split.solve(problem))
    assert [server.name for server in flow.servers] == [
        "n5", "n5 → n0", "n0 → n2", "n2 → n1", "n1", "n1 → n3", "n3", "n3 → n4",
    ]  # fmt: skip
    assert [phase for phase, _ in flow.servers[6].phases] == ["overhead", "decode", "compute"]
    with pytest.raises(ValueError, match="read-only"):
        flow.start_s[0, 0] = 1.0


def test_a_plan_without_stages_is_refused(repository):
    plan = split.solve(split.load_problem(repository / "tests/data/split/infeasible.json"))
    with pytest.raises(ValueError, match="infeasible"):
        split.schedule(plan)
