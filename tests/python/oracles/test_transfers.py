"""Linear programmes and fractions find the same least finishing times."""

from __future__ import annotations

import json
import math

import pytest

from oracles.random_transfers import random_transfer
from oracles.transfers import exact_least_s, least_s


def test_examples(repository):
    files = sorted((repository / "tests" / "data" / "flow").glob("*.least.json"))
    for file in files:
        problem = json.loads((file.parent / file.name.replace(".least", "")).read_text())
        claimed_s = json.loads(file.read_text()).get("finish_s", math.inf)
        assert least_s(problem) == pytest.approx(claimed_s, rel=1e-12)
        assert exact_least_s(problem) == pytest.approx(claimed_s, rel=1e-12)
    assert len(files) == 9


def test_programmes_equal_fractions(random_problems):
    found = {"transfers": 0, "infeasible": 0, "done": 0}
    for seed in range(random_problems):
        problem = random_transfer(seed)
        exact_s, least = exact_least_s(problem), least_s(problem)
        kind = {0.0: "done", math.inf: "infeasible"}.get(exact_s, "transfers")
        found[kind] += 1
        if least != exact_s:  # a supply may be too small for a programme, or fit but for rounding
            earliest_s = exact_least_s(problem, missing=1e-8)
            assert earliest_s * (1 - 1e-9) <= least <= exact_s * (1 + 1e-9), problem["name"]
    assert all(count > 0.03 * random_problems for count in found.values()), found
