"""Placements over time against enumeration; bounds hold; what must not change them."""

from __future__ import annotations

import dataclasses
import math

import pytest

from constellm import network, services
from oracles import horizons as oracle
from oracles.random_horizons import horizon_of, random_horizon, rules_of

pytest.importorskip("highspy")

SHARE = 4  # of the random problems: each is several programmes


def least(data):
    found = oracle.least(*rules_of(data))
    return None if found is None else tuple(map(float, found))


def close(a, b, rel=1e-7):
    return math.isclose(a, b, rel_tol=rel, abs_tol=1e-12)


def no_worse(second, best):
    """Than the fractions, for which values that differ by rounding are no tie."""
    return second <= best or close(second, best, 1e-6)


def test_all_slots_at_once_and_enumeration(random_problems):
    seen = {"optimal": 0, "infeasible": 0}
    for seed in range(random_problems // SHARE):
        data = random_horizon(seed)
        horizon = horizon_of(data)
        plan = services.solve_horizon(horizon)
        best = least(data)
        assert plan.status == ("infeasible" if best is None else "optimal"), (seed, best, plan)
        seen[plan.status] += 1
        if best is None:
            assert plan.lower_bound == math.inf
            continue
        assert close(plan.objective, best[0]), (seed, best, plan)
        assert plan.second_optimal and no_worse(plan.evaluation.second, best[1]), (seed, best, plan)
        assert services.check_horizon(horizon, plan.placements) == []
    assert min(seen.values()) > 0.05 * (random_problems // SHARE), seen


@pytest.mark.parametrize("method", ["rolling", "per-slot", "static"])
def test_other_methods_are_no_better_and_their_bounds_hold(random_problems, method):
    found = 0
    for seed in range(random_problems // (2 * SHARE)):
        data = random_horizon(seed)
        horizon, best = horizon_of(data), least(data)
        plan = services.solve_horizon(horizon, method=method, window=2)
        if best is None:
            assert not plan.placements, seed
            continue
        assert plan.lower_bound <= best[0] * (1 + 1e-9) + 1e-12, (seed, best, plan)
        if plan.placements:
            found += 1
            assert plan.objective >= best[0] * (1 - 1e-9) - 1e-12, (seed, best, plan)
            assert services.check_horizon(horizon, plan.placements) == []
    assert found > 0.2 * (random_problems // (2 * SHARE))


def test_large_horizons_are_proved_the_same(random_problems, monkeypatch):
    """Slots by themselves, chains, walks and caps, which small horizons do without."""
    from constellm.services.horizons import search

    monkeypatch.setattr(search, "LARGE", 0)
    for seed in range(1000, 1000 + random_problems // 10):
        best = least(data := random_horizon(seed))
        plan = services.solve_horizon(horizon_of(data))
        assert plan.status == ("infeasible" if best is None else "optimal"), (seed, best, plan)
        if best is not None:
            assert close(plan.objective, best[0]), (seed, best, plan)
            assert plan.second_optimal and no_worse(plan.evaluation.second, best[1]), (seed, best, plan)


def test_what_ties_less_never_hurts(random_problems):
    for seed in range(random_problems // 20):
        horizon = horizon_of(random_horizon(seed))
        plan = services.solve_horizon(horizon)
        looser = ({"core": ()}, {"max_starts": None}, {"max_moved_bytes": None}, {"start_cost": 0.0})
        for changes in looser:
            freer = services.solve_horizon(horizon.replace(**changes))
            if plan.placements:
                assert freer.objective <= plan.objective * (1 + 1e-8) + 1e-12, (seed, changes)


def test_untied_slots_are_those_of_problems(random_problems):
    for seed in range(random_problems // 20):
        data = random_horizon(seed)
        horizon = horizon_of({**data, "ties": {}})
        plan = services.solve_horizon(horizon)
        alone = services.solve_horizon(horizon, method="per-slot")
        assert plan.status == alone.status, seed
        if plan.placements:
            assert close(plan.objective, alone.objective, 1e-8), seed
            assert close(plan.evaluation.second, alone.evaluation.second, 1e-6), seed


def test_one_window_of_all_slots_is_clairvoyant():
    horizon = horizon_of(random_horizon(4))
    whole, again = (services.solve_horizon(horizon, method="rolling", window=9) for _ in range(2))
    assert whole == services.solve_horizon(horizon) == again


def test_without_time():
    horizon = horizon_of(random_horizon(4))
    for method in services.HORIZON_METHODS:
        plan = services.solve_horizon(horizon, method=method, time_limit_s=0.0)
        assert plan.status in ("time_limit", "feasible", "infeasible", "optimal"), method
        assert not plan.placements or services.check_horizon(horizon, plan.placements) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "clairvoyance"}, "method: 'clairvoyance' is not one of 'clairvoyant', 'rolling'"),
        ({"window": 0}, "window: 0 is not in"),
        ({"time_limit_s": -1}, "time_limit_s: -1 is not in"),
        ({"seed": 1.5}, "seed: expected an integer"),
        ({"on_interrupt": "stop"}, "on_interrupt: 'stop' is not one of"),
    ],
)
def test_wrong_calls(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        services.solve_horizon(horizon_of(random_horizon(4)), **arguments)
    with pytest.raises(TypeError, match="horizon: expected a Horizon"):
        services.solve_horizon([])


def test_links_that_live_beyond_all_deadlines_are_not_looked_at():
    from constellm.services.exact.instance import instance_of
    from constellm.services.exact.preprocessing import reduce

    chain = network.chain(3, flop_per_s=1e12, memory_bytes=4e9, rate_bps=1e9, latency_s=0.01)
    stage = services.Stage("encoder", [services.Input(-1, 1e6)])
    task = services.Task("t", rate_per_s=1.0, source="s0", sink="s2", stages=[stage], deadline_s=0.1)
    encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    long, short, endless = (
        services.Problem(network=chain, services=[encoder], tasks=[one], life_s=[life_s, 1.0])
        for one, life_s in ((task, 0.11), (task, 0.09), (dataclasses.replace(task, deadline_s=None), 0.11))
    )
    assert reduce(instance_of(long)).latest_s(0) is None
    latest = reduce(instance_of(short)).latest_s(0)
    assert latest[0, 1] == latest[0, 2] == pytest.approx(0.09 - 0.018) and latest[0, 0] == math.inf
    assert reduce(instance_of(endless)).latest_s(0)[0, 1] == pytest.approx(0.11 - 0.018)


def test_without_time_nothing_is_looked_at(monkeypatch):
    from constellm.services.horizons import search

    monkeypatch.setattr(search, "LARGE", 0)
    horizon = horizon_of(random_horizon(4))
    for method in services.HORIZON_METHODS:
        plan = services.solve_horizon(horizon, method=method, time_limit_s=0.0)
        assert (plan.status, plan.lower_bound, plan.placements) == ("time_limit", 0.0, ())
        assert plan.counters.get("programmes", 0) == 0


def test_a_bound_above_its_own_plan_is_an_error(monkeypatch):
    from constellm.services.horizons import solver

    horizon = horizon_of(random_horizon(4))
    plan = services.solve_horizon(horizon)

    def wrong(horizon, **options):
        found = solver._Found(horizon)
        found.placements, found.bound = list(plan.placements), 2.0 * plan.objective + 1.0
        return found

    monkeypatch.setitem(solver._SEARCHES, "clairvoyant", wrong)
    with pytest.raises(RuntimeError, match="clairvoyant: its bound, .* is above its plan's"):
        services.solve_horizon(horizon)
