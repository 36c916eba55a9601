"""Transfers end when the oracles say, coarse networks give what the finest gives, and more never hurts."""

from __future__ import annotations

import math

import pytest

from constellm import flow
from constellm._core import flow as _core
from oracles.random_transfers import random_transfer
from oracles.transfers import exact_least_s, least_s

LIMIT = 1000  # of what is costly and would tell little more


def end_of(plan):
    return math.inf if plan.status == "infeasible" else plan.finish_s


def agrees(found_s, data, missing=1e-9):
    """With the fractions; to that share of all, where supplies are tiny or a match but for rounding."""
    exact_s = exact_least_s(data)
    if found_s == exact_s or abs(found_s - exact_s) <= 1e-9 * exact_s:
        return True
    return exact_least_s(data, missing=missing) * (1 - 1e-9) <= found_s <= exact_s * (1 + 1e-9)


def test_linear_programmes_and_fractions(random_problems):
    seen = {"optimal": 0, "infeasible": 0}
    for seed in range(random_problems):
        data = random_transfer(seed)
        problem = flow.problem_from_dict(data)
        plan = flow.solve(problem)
        seen[plan.status] += 1
        assert flow.check(problem, plan) == (), data["name"]
        assert agrees(end_of(plan), data), (data["name"], plan)
        programme_s = least_s(data)
        if programme_s != pytest.approx(end_of(plan), rel=1e-9):  # each of its rows is right to 1e-10
            assert agrees(programme_s, data, missing=1e-8), data["name"]
    assert min(seen.values()) > 0.2 * random_problems, seen


@pytest.mark.parametrize("cells", [1, 2, 5])
def test_coarse_networks_and_the_finest(random_problems, cells):
    for seed in range(min(random_problems, LIMIT)):
        problem = flow.problem_from_dict(random_transfer(seed))
        coarse, fine = (_core.quickest(problem._compiled, math.inf, n) for n in (cells, 0))
        assert coarse[0] == fine[0], problem.name
        assert coarse[1:3] == pytest.approx(fine[1:3], rel=1e-12, nan_ok=True), problem.name


def test_contacts_in_another_order(random_problems):
    for seed in range(min(random_problems, LIMIT)):
        data = random_transfer(seed)
        plan = flow.solve(flow.problem_from_dict(data))
        again = {**data, "contacts": data["contacts"][::-1], "nodes": data["nodes"][::-1]}
        found = flow.solve(flow.problem_from_dict(again))
        assert end_of(found) == pytest.approx(end_of(plan), rel=1e-12), data["name"]


def test_more_never_hurts(random_problems):
    for seed in range(min(random_problems, LIMIT)):
        data = random_transfer(seed)
        end_s = end_of(flow.solve(flow.problem_from_dict(data)))
        faster = [{**contact, "rate_bps": 1.5 * contact["rate_bps"]} for contact in data["contacts"]]
        roomier = [{**node, "storage_bytes": None} for node in data["nodes"]]
        doubled = data["contacts"] + data["contacts"][: len(faster) // 2]
        for changes in ({"contacts": faster}, {"nodes": roomier}, {"contacts": doubled}):
            better = flow.solve(flow.problem_from_dict({**data, **changes}))
            assert end_of(better) <= end_s * (1 + 1e-9), (data["name"], list(changes))
