"""One batch, cut into other numbers of micro-batches."""

from __future__ import annotations

import pytest

from constellm import split
from oracles.random_problems import random_chain, random_problem


@pytest.fixture(scope="module")
def problem():
    data = random_chain(4, layers=12, nodes=5, codecs=4, micro_batches=4, max_error=0.3)
    for node in data["nodes"]:
        node.update(overhead_s=0.01, power_w=20, tx_power_w=5)
    data["nodes"][1]["layer_time_s"] = [0.02] * 12
    return split.problem_from_dict(data)


def test_work_stays_and_overheads_do_not(problem):
    for count in (1, 2, 3, 8, 100):
        other = split.with_micro_batches(problem, count)
        share = 4 / count
        assert other.micro_batches == count
        assert other.input_bytes == problem.input_bytes * share
        for ours, theirs in zip(other.layers, problem.layers):
            assert ours == theirs.replace(flop=theirs.flop * share, output_bytes=theirs.output_bytes * share)
        assert other.nodes[1].layer_time_s == pytest.approx([0.02 * share] * 12)
        assert other.nodes[0] == problem.nodes[0]
        assert (other.links, other.codecs, other.max_error) == (
            problem.links,
            problem.codecs,
            problem.max_error,
        )
    assert split.with_micro_batches(problem, 4) == problem


def test_a_plans_bytes_and_error_do_not_depend_on_the_count(problem):
    plan = split.solve(problem)
    for count in (1, 2, 16):
        other = split.with_micro_batches(problem, count)
        before = split.evaluate(problem, plan)
        after = split.evaluate(other, plan)
        assert after.bytes == pytest.approx(before.bytes, rel=1e-12)
        assert after.error == before.error
        for one, two in zip(before.stages, after.stages):
            assert two.compute_s * count == pytest.approx(one.compute_s * 4, rel=1e-12)
            assert two.overhead_s == one.overhead_s


def test_without_overheads_finer_is_never_worse():
    for seed in range(60):
        data = random_problem(seed)
        data["objective"] = "delay"
        for part in [*data["nodes"], *data["links"]]:
            part["overhead_s"] = 0.0
        whole = split.problem_from_dict(data)
        delays = [split.solve(split.with_micro_batches(whole, count)).delay_s for count in (1, 2, 4, 8)]
        for coarse, fine in zip(delays, delays[1:]):
            assert not fine > coarse * (1 + 1e-9), seed


def test_best_of_all_counts(problem):
    plans = split.best_micro_batches(problem, batch=24)
    assert sorted(plan.problem.micro_batches for plan in plans) == [1, 2, 3, 4, 6, 8, 12, 24]
    assert [plan.delay_s for plan in plans] == sorted(plan.delay_s for plan in plans)
    for plan in plans:
        alone = split.solve(split.with_micro_batches(problem, plan.problem.micro_batches))
        assert plan.delay_s == alone.delay_s
        assert plan.status == "optimal"
    # Fixed overheads make an optimum between the ends.
    assert plans[0].problem.micro_batches not in (1, 24)


def test_given_counts_and_throughput(problem):
    plans = split.best_micro_batches(problem.replace(objective="throughput"), counts=[1, 5, 7])
    periods = [plan.bottleneck_s * plan.problem.micro_batches for plan in plans]
    assert periods == sorted(periods)
    assert {plan.problem.micro_batches for plan in plans} == {1, 5, 7}
    assert split.best_micro_batches(problem, counts=[]) == []


def test_infeasible_counts_come_last(problem):
    plans = split.best_micro_batches(problem.replace(max_energy_j=0.0), counts=[1, 2])
    assert [plan.status for plan in plans] == ["infeasible", "infeasible"]


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "2", None], ids=repr)
def test_count_out_of_range(problem, count):
    with pytest.raises((ValueError, TypeError), match="^micro_batches: "):
        split.with_micro_batches(problem, count)


@pytest.mark.parametrize("batch", [0, 2.0, True, 1_000_001], ids=repr)
def test_batch_out_of_range(problem, batch):
    with pytest.raises((ValueError, TypeError), match="^batch: "):
        split.best_micro_batches(problem, batch=batch)


def test_batch_or_counts(problem):
    for arguments in ({}, {"batch": 4, "counts": [1]}):
        with pytest.raises(TypeError, match="needs batch=..., the whole batch, or counts="):
            split.best_micro_batches(problem, **arguments)
