"""A bound that misses the incumbent by rounding alone must not be chased by ever smaller intervals."""

from __future__ import annotations

from constellm import split
from oracles.random_problems import random_chain


def test_a_gap_within_rounding_ends_the_halving():
    chain = random_chain(2, layers=48, nodes=13, codecs=20, micro_batches=8, max_error=0.2)
    plan = split.solve(split.problem_from_dict(chain), time_limit_s=300)
    assert plan.status == "optimal"
    assert plan.counters["intervals"] < 1000
