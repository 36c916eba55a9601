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
    assert flow.start_s.shape == (len(terms.stages) + len(terms.hops), plan.problem.micro_batches)
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


def test_any_micro_batch_of_very_many(repository):
    """The columns are those asked for, whatever else is asked for; the last ends with the plan."""
    problem = split.load_problem(repository / "tests/data/split/node-overhead.json")
    plan = split.solve(problem.replace(micro_batches=50_000, max_energy_j=None))
    which = [49_999, 0, 3, 10_000]
    some, all_of_them = (
        split.schedule(plan, micro_batches=which),
        split.schedule(plan, micro_batches=range(50_000)),
    )
    assert some.micro_batches.tolist() == which
    np.testing.assert_array_equal(some.start_s, all_of_them.start_s[:, which])
    np.testing.assert_array_equal(some.finish_s, all_of_them.finish_s[:, which])
    assert some.makespan_s == all_of_them.makespan_s == pytest.approx(plan.delay_s, rel=1e-12)
    np.testing.assert_allclose(all_of_them.start_s[:, :40], recursion(all_of_them)[:, :40], rtol=1e-12)


def test_many_micro_batches_are_told_of_by_both_ends(repository):
    problem = split.load_problem(repository / "tests/data/split/node-overhead.json")
    for many in (20_000, 20_001, 10**12, 2**53):
        plan = split.solve(problem.replace(micro_batches=many, max_energy_j=None))
        flow = split.schedule(plan)
        assert flow.micro_batches.size == flow.start_s.shape[1] == 20_000
        assert flow.micro_batches[[0, 9_999, -1]].tolist() == [0, 9_999, many - 1]
        assert flow.micro_batches[10_000] == many - 10_000
        assert flow.finish_s[-1, -1] + flow.servers[-1].latency_s == pytest.approx(plan.delay_s, rel=1e-12)
        with pytest.raises(ValueError, match="read-only"):
            flow.micro_batches[0] = 1


def test_micro_batches_that_are_none(repository):
    plan = split.solve(split.load_problem(repository / "tests/data/split/node-overhead.json"))
    for wrong in ([-1], [0, 4], [2**63]):
        with pytest.raises(ValueError, match=r"micro_batches: -?\d+ is not in \[0, 4\)"):
            split.schedule(plan, micro_batches=wrong)
    for wrong in (2, [1.0], "all", [True], [[1]]):
        with pytest.raises(TypeError, match="micro_batches: expected a list of integers"):
            split.schedule(plan, micro_batches=wrong)


def test_a_plan_without_stages_is_refused(repository):
    plan = split.solve(split.load_problem(repository / "tests/data/split/infeasible.json"))
    with pytest.raises(ValueError, match="infeasible"):
        split.schedule(plan)
