"""What a horizon's programme says is held against what its placements come to; plans without proofs."""

from __future__ import annotations

import dataclasses
import math

import pytest

from constellm import services
from constellm.services.horizons import search, solver, starts
from oracles import horizons as oracle
from oracles.random_horizons import horizon_of, random_horizon, rules_of

pytest.importorskip("highspy")

SHARE = 10  # of the random problems: each is several programmes


def least(data):
    found = oracle.least(*rules_of(data))
    return None if found is None else tuple(map(float, found))


def bounded(monkeypatch, bound):
    """Programmes of which HiGHS proves less or more than it does."""
    solve = search.highs.solve

    def changed(*arguments, **options):
        found = solve(*arguments, **options)
        return dataclasses.replace(found, bound=bound(found.bound)) if found.status == "optimal" else found

    monkeypatch.setattr(search.highs, "solve", changed)


@pytest.mark.parametrize("part", [0.0, 0.5, 1 - 1e-4, 1 - 1e-6])
def test_bounds_that_are_too_low(random_problems, monkeypatch, part):
    """No proof but where what is left is worse, or nothing is left."""
    bounded(monkeypatch, lambda bound: bound - (1 - part) * abs(bound))
    seen = set()
    for seed in range(random_problems // SHARE):
        best = least(data := random_horizon(seed))
        plan = services.solve_horizon(horizon_of(data))
        if best is None:
            assert plan.status == "infeasible", seed
            continue
        assert plan.status in ("optimal", "feasible"), (seed, plan)
        assert plan.objective == pytest.approx(best[0], rel=1e-7, abs=1e-12), (seed, best, plan)
        assert plan.lower_bound <= plan.objective <= best[0] * (1 + 1e-7) + 1e-12, (seed, best, plan)
        assert (plan.status == "optimal") == (plan.gap <= 1e-9), (seed, plan)
        if plan.second_optimal:
            assert plan.evaluation.second <= best[1] * (1 + 1e-6) + 1e-12, (seed, best, plan)
        assert plan.counters["programmes"] <= 2 * search.MOST_UNREACHED + plan.counters["cuts"] + 5, seed
        seen.add(plan.status)
    assert "optimal" in seen and ("feasible" in seen or part > 0.5)


@pytest.mark.parametrize("large", [0, 400])
def test_bounds_that_are_too_high(random_problems, monkeypatch, large):
    """A bound above what is reached proves nothing, and is not kept."""
    monkeypatch.setattr(search, "LARGE", large)
    bounded(monkeypatch, lambda bound: bound + 0.01 * abs(bound))
    crossed = 0
    for seed in range(random_problems // SHARE):
        best = least(data := random_horizon(seed))
        plan = services.solve_horizon(horizon := horizon_of(data))
        if best is None:
            assert plan.status == "infeasible", seed
            continue
        assert plan.lower_bound <= best[0] * (1 + 1e-9) + 1e-12, (seed, best, plan)
        # Programmes of what is admitted leave out a constant.
        if large and best[0] > 0 and horizon.objective != "admitted":
            assert plan.status == "feasible", (seed, plan)
            crossed += 1
    assert crossed or not large


@pytest.mark.parametrize(
    "answer",
    [
        lambda found: search.highs.Found("infeasible", None, math.inf),
        lambda found: search.highs.Found("optimal", found.x, 2 * found.bound),
        lambda found: search.highs.Found("stopped", found.x, found.bound),
    ],
)
def test_a_tie_that_is_not_proven(monkeypatch, answer):
    """Also where HiGHS finds nothing within a cap that the best keeps."""
    horizon = horizon_of(random_horizon(8))
    whole = services.solve_horizon(horizon)
    assert whole.second_optimal and whole.evaluation.second > 0
    solve, calls = search.highs.solve, []

    def second(*arguments, **options):
        calls.append(found := solve(*arguments, **options))
        return found if len(calls) == 1 else answer(found)

    monkeypatch.setattr(search.highs, "solve", second)
    plan = services.solve_horizon(horizon)
    assert (plan.status, plan.second_optimal) == ("optimal", False)
    assert plan.objective == whole.objective and len(calls) == 2


def test_rolling_on_without_time(random_problems):
    """By what slots are by themselves."""
    found = 0
    for seed in range(random_problems // SHARE):
        horizon = horizon_of(random_horizon(seed)).replace(max_starts=None, max_moved_bytes=None, core=())
        work = search.HorizonWork(horizon, solver.Clock(), 0)
        work.slots = search.alone(horizon, work.instances, work.clock, 0)
        if any(slot.best is None for slot in work.slots):
            continue
        placements, is_proven = solver._walk(work, solver.Clock(0.0), 2, {})
        assert not is_proven and services.check_horizon(horizon, placements) == [], seed
        found += len(horizon.slots) > 1
    assert found > 0.2 * (random_problems // SHARE)


def test_a_core_is_kept_without_time(random_problems):
    """It is that of the first slot, and what other slots have must fit to it."""
    found = 0
    for seed in range(random_problems // SHARE):
        horizon = horizon_of(random_horizon(seed))
        if not horizon.core or len(horizon.slots) == 1:
            continue
        work = search.HorizonWork(horizon, solver.Clock(), 0)
        work.slots = search.alone(horizon, work.instances, work.clock, 0)
        placements, _ = solver._walk(work, solver.Clock(0.0), 2, {})
        if len(placements) == len(horizon.slots):
            assert services.check_horizon(horizon, placements) == [], seed
            found += 1
    assert found


def test_all_slots_at_once_are_no_dearer_than_rolling(random_problems, monkeypatch):
    """Of large horizons, also where the programme of all slots comes to nothing."""
    monkeypatch.setattr(search, "LARGE", 0)
    prove = search.least
    monkeypatch.setattr(
        search,
        "least",
        lambda work, *terms: len(work.horizon.slots) < 3 and prove(work, *terms),
    )
    found = 0
    for seed in range(2 * random_problems // SHARE):
        horizon = horizon_of(random_horizon(seed))
        if len(horizon.slots) < 3:
            continue
        rolling = services.solve_horizon(horizon, method="rolling", window=2)
        whole = services.solve_horizon(horizon, window=2)
        if rolling.placements:
            assert whole.objective <= rolling.objective * (1 + 1e-9), (seed, whole, rolling)
            found += 1
    assert found


def test_ctrl_c_while_a_slot_is_looked_at_by_itself(monkeypatch):
    """Then nothing more is proven."""
    monkeypatch.setattr(search, "LARGE", 0)
    anneal = starts.anneal

    def interrupted(*arguments, **options):
        return dataclasses.replace(anneal(*arguments, **options), status="interrupted")

    def never(*_):
        raise AssertionError("a proof was begun")

    monkeypatch.setattr(starts, "anneal", interrupted)
    monkeypatch.setattr(starts, "least", never)
    for seed in range(5):
        drawn = horizon_of(random_horizon(seed))
        horizon = drawn.replace(slots=[slot.replace(objective="delay") for slot in drawn.slots])
        for method in ("clairvoyant", "rolling"):
            plan = services.solve_horizon(horizon, method=method, on_interrupt="return")
            assert plan.status == "interrupted", (seed, method, plan)
