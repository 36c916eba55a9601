"""Chains of experts against enumeration and linear programmes; what must not change them; bad inputs."""

from __future__ import annotations

import math
import os
import pickle
import random
import re
import signal
import threading

import numpy as np
import pytest

from constellm import moe, orbit
from oracles import chains

GAP = 1e-9
FEWEST = 200  # of random chains: these have every oddity


def joint(rng: np.random.Generator, experts: list[int], spread: float) -> list[np.ndarray]:
    """Affinities of neighbouring layers that some distribution over all layers has."""
    whole = rng.dirichlet(np.full(math.prod(experts), spread)).reshape(experts)
    layers = range(len(experts))
    return [whole.sum(axis=tuple(k for k in layers if k not in (at, at + 1))) for at in layers[:-1]]


def random_chain(seed: int, *, experts: list[int] | None = None, satellites: int | None = None) -> moe.Chain:
    """Small enough to enumerate unless it is told its size: ties, no places, one way only, closed ones."""
    draw, rng = random.Random(f"chain {seed}"), np.random.default_rng(seed)
    if experts is None:
        layers = draw.choice([2, 3])
        experts = [draw.randint(1, 5 - layers) for _ in range(layers)]
    satellites = draw.randint(1, 4) if satellites is None else satellites
    distance_s = rng.uniform(0.0, 0.05, (satellites, satellites))
    if draw.random() < 0.2:
        distance_s = 0.01 * rng.integers(0, 3, (satellites, satellites)).astype(float)
    if draw.random() < 0.8:
        distance_s += distance_s.T
    if draw.random() < 0.8:
        np.fill_diagonal(distance_s, 0.0)
    places = [draw.randint(0, sum(experts)) for _ in range(satellites)]
    closing = rng.dirichlet(np.ones(experts[-1] * experts[0])).reshape(experts[-1], experts[0])
    return moe.Chain(
        joint(rng, experts, draw.choice([0.1, 1.0])),
        distance_s,
        compute_s=rng.uniform(0.0, 0.01, satellites) if draw.random() < 0.5 else 0.0,
        places=places,
        closing=closing if draw.random() < 0.4 else None,
    )


def line(satellites: int) -> np.ndarray:
    at = np.arange(satellites)
    return 0.01 * np.abs(at[:, None] - at)


def some_placement(chain: moe.Chain, seed: int) -> list[list[int]]:
    places = np.repeat(np.arange(len(chain.places)), np.minimum(chain.places, sum(chain.experts)))
    hosts = iter(np.random.default_rng(seed).permutation(places).tolist())
    return [[next(hosts) for _ in range(count)] for count in chain.experts]


def assert_sound(plan: moe.ChainPlan) -> None:
    found = moe.evaluate_chain(plan.chain, plan)
    assert found.token_latency_s == plan.token_latency_s
    assert 0 <= plan.lower_bound_s <= plan.token_latency_s and 0 <= plan.gap <= 1
    assert plan.status != "optimal" or plan.gap <= GAP


# ---- against enumeration ---------------------------------------------------------------------


def test_finds_what_enumeration_finds(random_problems):
    seen = set()
    for seed in range(max(FEWEST, random_problems)):
        chain = random_chain(seed)
        least_s = chains.least_s(chain)
        plan = moe.solve_chain(chain)
        seen.add((plan.status, chain.closing is not None, len(chain.experts)))
        if least_s == math.inf:
            assert (plan.status, plan.placement, plan.lower_bound_s) == ("infeasible", (), math.inf), seed
            assert math.isnan(plan.token_latency_s) and math.isnan(plan.gap)
            continue
        assert plan.status == "optimal", seed
        assert plan.token_latency_s == pytest.approx(least_s, rel=GAP, abs=1e-15), seed
        assert_sound(plan)
    assert {("optimal", closed, layers) for closed in (True, False) for layers in (2, 3)} <= seen
    assert any(status == "infeasible" for status, *_ in seen)


@pytest.mark.parametrize(("experts", "satellites"), [([3, 3, 2], 4), ([4, 4], 5), ([2, 2, 2, 2], 4)])
def test_finds_what_a_linear_programme_finds(experts, satellites):
    pytest.importorskip("scipy")
    for seed in range(2):
        chain = random_chain(seed, experts=experts, satellites=satellites).replace(places=2)
        plan = moe.solve_chain(chain)
        assert plan.status == "optimal"
        assert plan.token_latency_s == pytest.approx(chains.milp_s(chain), rel=1e-6)


def test_the_evaluator_is_the_definition(random_problems):
    compared = 0
    for seed in range(random_problems):
        chain = random_chain(seed)
        if sum(chain.places) < sum(chain.experts):
            continue
        placement = some_placement(chain, seed)
        found = moe.evaluate_chain(chain, placement)
        expected = chains.token_latency_s(chain, placement)
        assert found.token_latency_s == pytest.approx(expected, rel=1e-12, abs=1e-300)
        assert found.hop_s.sum() + found.compute_s.sum() == pytest.approx(expected, rel=1e-12, abs=1e-300)
        assert len(found.hop_s) == len(chain.experts) - (chain.closing is None)
        names = [[chain.satellites[s] for s in hosts] for hosts in placement]
        assert moe.evaluate_chain(chain, names) == found
        compared += 1
    assert compared > random_problems / 3


def test_bounds_hold_of_what_is_not_proven():
    """Experts on a line: found by the tree where it is left alone, and bounded below that when it is not."""
    for seed in range(20):
        chain = random_chain(seed, experts=[3, 3, 3], satellites=4).replace(places=3)
        best = moe.solve_chain(chain)
        assert best.status == "optimal"
        for limit_s in (0.0, 1e-4, 1e-3):
            plan = moe.solve_chain(chain, time_limit_s=limit_s)
            assert plan.status in ("optimal", "time_limit")
            assert_sound(plan)
            assert plan.lower_bound_s <= best.token_latency_s * (1 + GAP)
            assert plan.token_latency_s >= best.token_latency_s * (1 - GAP)


def test_a_large_chain_has_a_placement_far_better_than_chance_and_a_bound():
    rng = np.random.default_rng(1)
    chain = moe.Chain(joint(rng, [12, 12, 12, 12], 0.01), line(24), places=2)
    plan = moe.solve_chain(chain, time_limit_s=3.0)
    assert_sound(plan)
    by_chance = [moe.evaluate_chain(chain, some_placement(chain, seed)).token_latency_s for seed in range(20)]
    assert plan.lower_bound_s > 0 and plan.token_latency_s < 0.7 * min(by_chance)
    # Nothing gains that is one change away.
    hosts = [[chain.satellites.index(s) for s in layer] for layer in plan.placement]
    for layer, other in [(0, 0), (0, 1), (1, 2), (0, 3)]:
        for i in range(12):
            for j in range(12):
                changed = [list(one) for one in hosts]
                changed[layer][i], changed[other][j] = hosts[other][j], hosts[layer][i]
                after_s = moe.evaluate_chain(chain, changed).token_latency_s
                assert after_s >= plan.token_latency_s * (1 - 1e-9)


# ---- closed forms ----------------------------------------------------------------------------


def test_with_room_for_all_nobody_hands_on():
    chain = random_chain(3, experts=[3, 3, 3], satellites=4).replace(
        distance_s=line(4), places=9, compute_s=0
    )
    assert moe.solve_chain(chain).token_latency_s == 0.0


def test_places_may_be_as_many_as_can_be_said():
    for closing in (None, [[0.2, 0.3], [0.4, 0.1]]):
        chain = moe.Chain([AFFINITY], line(2), places=2**31 - 1, closing=closing)
        plan = moe.solve_chain(chain)
        assert (plan.status, plan.token_latency_s) == ("optimal", 0.0)


def test_experts_that_always_follow_each_other_share_a_satellite():
    rng = np.random.default_rng(2)
    turns = [np.eye(6)[rng.permutation(6)] for _ in range(4)]
    plan = moe.solve_chain(moe.Chain(turns, line(6), places=5))
    assert (plan.status, plan.token_latency_s) == ("optimal", 0.0)
    assert all(sorted(layer) == sorted(plan.placement[0]) for layer in plan.placement)


def test_two_layers_of_one_expert_are_as_near_as_can_be():
    distance_s = np.array([[9.0, 5.0, 4.0], [3.0, 9.0, 7.0], [8.0, 6.0, 9.0]])
    plan = moe.solve_chain(moe.Chain([[[1.0]]], distance_s))
    assert (plan.placement, plan.token_latency_s) == ((("s1",), ("s0",)), 3.0)


def test_what_layers_do_not_know_of_each_other_costs_more():
    rng = np.random.default_rng(4)
    chain = moe.Chain(joint(rng, [4, 4, 4], 0.05), line(4), places=3)
    blind = moe.solve_chain(chain.independent())
    assert moe.evaluate_chain(chain, blind).token_latency_s > moe.solve_chain(chain).token_latency_s
    assert chain.independent().independent().affinities[0] == pytest.approx(chain.independent().affinities[0])


# ---- what must not change the answer ---------------------------------------------------------


def test_order_and_scale_are_nothing(random_problems):
    for seed in range(random_problems // 4):
        chain = random_chain(seed)
        best = moe.solve_chain(chain)
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(chain.satellites))
        turned = [rng.permutation(count) for count in chain.experts]
        other = chain.replace(
            affinities=[7.0 * one[a][:, b] for one, a, b in zip(chain.affinities, turned, turned[1:])],
            closing=None if chain.closing is None else chain.closing[turned[-1]][:, turned[0]],
            distance_s=1e3 * chain.distance_s[order][:, order],
            compute_s=1e3 * chain.compute_s[order],
            places=[chain.places[s] for s in order],
        )
        plan = moe.solve_chain(other)
        assert plan.status == best.status
        assert plan.token_latency_s == pytest.approx(
            1e3 * best.token_latency_s, rel=GAP, nan_ok=True, abs=1e-12
        )


def test_more_places_and_satellites_never_hurt(random_problems):
    for seed in range(random_problems // 4):
        chain = random_chain(seed)
        best = moe.solve_chain(chain)
        if not best.placement:
            continue
        roomier = moe.solve_chain(chain.replace(places=[count + 1 for count in chain.places]))
        assert roomier.token_latency_s <= best.token_latency_s * (1 + GAP) + 1e-15
        number = len(chain.satellites)
        distance_s = np.full((number + 1, number + 1), 0.02)
        distance_s[:number, :number] = chain.distance_s
        more = chain.replace(
            distance_s=distance_s,
            compute_s=[*chain.compute_s, 0.001],
            places=[*chain.places, 1],
            satellites=[*chain.satellites, "new"],
        )
        assert moe.solve_chain(more).token_latency_s <= best.token_latency_s * (1 + GAP) + 1e-15


def test_the_same_call_gives_the_same_answer_in_any_thread():
    several = [random_chain(seed, experts=[3, 3, 3], satellites=4) for seed in range(10)]

    def outcomes() -> list[str]:
        plans = [moe.solve_chain(chain, seed=3) for chain in several]
        return [repr((p.status, p.placement, p.token_latency_s, p.lower_bound_s, p.nodes)) for p in plans]

    first, found = outcomes(), []
    threads = [threading.Thread(target=lambda: found.append(outcomes())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [first] * 3


def test_ends_where_what_seems_to_gain_is_rounding():
    """Two that hand on to each other change places: what each is from itself comes in and goes out again."""
    rng = np.random.default_rng(32)
    satellites = int(rng.integers(6, 14))
    affinity = rng.random((satellites // 2, satellites // 2))
    distance_s = 1 + 1e-3 * rng.random((satellites, satellites))
    np.fill_diagonal(distance_s, 1e13 * rng.random(satellites))
    plan = moe.solve_chain(moe.Chain([affinity], distance_s, places=1), time_limit_s=60, seed=32)
    assert plan.status in ("optimal", "feasible")
    assert plan.lower_bound_s <= plan.token_latency_s < 1.001


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_the_search_with_what_there_is():
    chain = moe.Chain(joint(np.random.default_rng(1), [6] * 5, 0.1), line(15), places=2)
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    plan = moe.solve_chain(chain)
    timer.join()
    assert plan.status == "interrupted"
    assert_sound(plan)


# ---- values ----------------------------------------------------------------------------------


def test_chains_and_plans_are_values():
    for seed in range(20):
        chain = random_chain(seed)
        again = pickle.loads(pickle.dumps(chain))
        assert again == chain == chain.replace() and chain != chain.replace(name="other") and chain != "text"
        plan = moe.solve_chain(chain)
        assert pickle.loads(pickle.dumps(plan)) == plan == moe.solve_chain(again) and plan != "text"
        if plan.placement:
            found = moe.evaluate_chain(chain, plan)
            assert pickle.loads(pickle.dumps(found)) == found and found != "text"
    with pytest.raises(ValueError, match="read-only"):
        chain.affinities[0][0] = 1


def test_what_they_show():
    chain = moe.Chain([[[45, 5], [5, 45]]], line(2), places=2, closing=np.ones((2, 2)), name="two")
    assert repr(chain) == "Chain('two': 2 layers, 4 experts, closed, 2 satellites, 4 places)"
    assert chain.summary().splitlines() == [
        "Chain 'two': 2 layers, 4 experts, closed, 2 satellites, 4 places",
        "from satellite to satellite: 10 ms to 10 ms, median 10 ms",
        "",
        "  layers  busiest expert  busiest pair  mutual information [bit]",
        "  0 → 1   0.5             0.45          0.531",
        "  1 → 0   0.5             0.25          0",
    ]
    open_ = moe.Chain([[[45, 5], [5, 45]]], line(2), places=2)
    plan = moe.solve_chain(open_)
    assert repr(plan) == "ChainPlan('chain': optimal, token_latency_s=0.001, gap=0)"
    assert plan.summary().splitlines()[:3] == [
        "Plan of 'chain': optimal",
        "token latency 1 ms; no placement has less",
        "2 satellites used, of up to 2 experts",
    ]
    found = moe.evaluate_chain(open_, plan)
    assert repr(found) == "ChainEvaluation(token_latency_s=0.001, 1 hop)"
    assert found.summary().splitlines()[-2:] == ["  0      0 s       1 ms", "  1      0 s       –"]
    none = moe.solve_chain(open_.replace(places=1))
    assert (
        repr(none) == "ChainPlan('chain': infeasible)" and none.summary() == "Plan of 'chain': infeasible\n"
    )
    assert "infeasible" in none._repr_html_()


AFFINITY = [[0.5, 0.1], [0.1, 0.3]]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"affinities": []}, "affinities: must not be empty"),
        ({"affinities": "ab"}, "affinities: expected one of each layer but the last, got 'ab'"),
        ({"affinities": [[1.0]]}, "affinities[0]: expected numbers of shape (experts, experts of the next"),
        ({"affinities": [[[0.5, -1]]]}, "affinities[0][0][1]: -1 is not in [0, inf)"),
        ({"affinities": [[[0.5, np.nan]]]}, "affinities[0][0][1]: nan is not in [0, inf)"),
        ({"affinities": [[[0.0, 0.0]]]}, "affinities[0]: its sum, 0, is not in (0, inf)"),
        ({"affinities": [AFFINITY, [[1, 2, 3]]]}, "affinities[1]: shape (1, 3) is not (2, 3)"),
        (
            {"affinities": [AFFINITY, [[0.1, 0.1], [0.4, 0.4]]]},
            "affinities[1]: expert 0 has a share of 0.2 there, and of 0.6 in affinities[0]",
        ),
        ({"closing": [[1.0]]}, "closing: shape (1, 1) is not (2, 2)"),
        ({"closing": [[-1.0]]}, "closing[0][0]: -1 is not in [0, inf)"),
        ({"distance_s": [[1.0, 2.0]]}, "distance_s: shape (1, 2) is not (1, 1)"),
        ({"distance_s": [[0, np.nan], [1, 0]]}, "distance_s[0][1]: nan is not in [0, 1e+290]"),
        ({"distance_s": [[0, np.inf], [1, 0]]}, "distance_s[0][1]: inf is not in [0, 1e+290]"),
        ({"distance_s": [[0, 1], [-1, 0]]}, "distance_s[1][0]: -1 is not in [0, 1e+290]"),
        ({"compute_s": [1.0]}, "compute_s: 1 of them are not 2, one a satellite"),
        ({"compute_s": -1}, "compute_s[0]: -1 is not in [0, 1e+290]"),
        ({"places": 1.5}, "places: expected integers of shape (satellites)"),
        ({"places": [1, -1]}, "places[1]: -1 is not in [0, 2147483647]"),
        ({"places": [1, 1, 1]}, "places: 3 of them are not 2, one a satellite"),
        ({"satellites": ["a"]}, "satellites: 1 ids are not 2, as distance_s has them"),
        ({"satellites": ["a", "a"]}, "satellites[1]: 'a' is satellites[0] too"),
        ({"satellites": "ab"}, "satellites: expected a sequence of ids, got 'ab'"),
        ({"satellites": ["a", 1]}, "satellites[1]: expected text, got 1"),
        ({"name": 1}, "name: expected text, got 1"),
    ],
)
def test_what_is_no_chain_is_refused(changes, says):
    given = {"affinities": [AFFINITY], "distance_s": line(2), "places": 2, **changes}
    with pytest.raises((ValueError, TypeError), match=re.escape(says)):
        moe.Chain(**given)


def test_chains_that_fit_in_no_memory_are_refused():
    with pytest.raises(ValueError, match="20000 satellites beside 2 experts make more than"):
        moe.Chain([[[1.0]]], np.broadcast_to(0.0, (20_000, 20_000)))


@pytest.mark.parametrize(
    ("placement", "says"),
    [
        ([[0, 1]], "placement: has 1 layers, the chain 2"),
        ([[0, 1], [0]], "placement[1]: has 1 satellites for 2 experts"),
        ([[0, 1], [0, 2]], "placement[1][1]: 2 is not in [0, 1]"),
        ([[0, 1], [0, "x"]], "placement[1][1]: 'x' is not one of"),
        ([[0, 0], [0, 1]], "placement[1][0]: satellite 0 hosts more experts than its 2 places"),
    ],
)
def test_what_is_no_placement_is_refused(placement, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        moe.evaluate_chain(moe.Chain([AFFINITY], line(2), places=2), placement)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"time_limit_s": -1}, "time_limit_s: -1 is not in [0, inf]"),
        ({"seed": -1}, "seed: -1 is not in [0, 2147483647]"),
    ],
)
def test_wrong_calls_are_refused(keywords, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        moe.solve_chain(moe.Chain([AFFINITY], line(2), places=2), **keywords)
    with pytest.raises(TypeError, match="chain: expected a Chain, got 'no'"):
        moe.solve_chain("no")


# ---- affinities and distances ----------------------------------------------------------------


def test_affinities_are_those_counted_one_by_one():
    random = np.random.default_rng(4)
    ids = np.array([[random.permutation(5)[:2] for _ in range(40)] for _ in range(3)])
    trace = moe.ActivationTrace(ids, experts=5, offsets=[0, 1, 15, 40])
    for start, stop in ((0, 40), (3, 20), (14, 16)):
        for layer, found in enumerate(trace.affinities(start, stop)):
            counts = np.zeros((5, 5))
            for token in range(start, stop):
                counts[np.ix_(ids[layer, token], ids[layer + 1, token])] += 1
            np.testing.assert_allclose(found, counts / (4 * (stop - start)), rtol=1e-12)
    counts = np.zeros((5, 5))
    for token in range(3, 19):
        if token + 1 not in (1, 15, 40):
            counts[np.ix_(ids[2, token], ids[0, token + 1])] += 1
    np.testing.assert_allclose(trace.closing_affinity(3, 20), counts / counts.sum(), rtol=1e-12)
    chain = moe.Chain(trace.affinities(), line(3), places=5, closing=trace.closing_affinity())
    assert chain.experts == (5, 5, 5)


def test_affinities_that_are_not_there_are_refused():
    trace = moe.ActivationTrace([[[0], [1]], [[1], [0]]], experts=2)
    with pytest.raises(ValueError, match="offsets: None, so that nothing is known"):
        trace.closing_affinity()
    apart = moe.ActivationTrace(trace.expert_ids, experts=2, offsets=[0, 1, 2])
    with pytest.raises(ValueError, match="offsets: none of the tokens 0 to 1 follows another there"):
        apart.closing_affinity()
    with pytest.raises(ValueError, match="affinities: a trace of one layer has none"):
        moe.ActivationTrace([[[0]]], experts=1).affinities()
    with pytest.raises(ValueError, match=re.escape("stop: 3 is not in [1, 2]")):
        trace.affinities(0, 3)


def test_mean_latencies_are_those_of_the_slots(monkeypatch):
    shell = orbit.walker("w", planes=4, satellites_per_plane=12, altitude_m=800e3, inclination_deg=80.0)
    world = orbit.Constellation(shell, links=orbit.plus_grid(survival=0.98, seed=3))
    times = [0.0, 600.0]  # with outages of its own each
    ids = world.satellite_ids
    every = world.latencies(ids, times, targets=ids).latency_s
    np.testing.assert_allclose(moe.mean_latencies(world, times), every.mean(axis=0), rtol=1e-12)
    monkeypatch.setattr("constellm.moe.distances._MOST_AT_ONCE", 500)  # a few satellites at a time
    np.testing.assert_allclose(moe.mean_latencies(world, times), every.mean(axis=0), rtol=1e-12)
    some = moe.mean_latencies(world, times, satellites=ids[3:7], threads=2)
    np.testing.assert_allclose(some, every.mean(axis=0)[3:7, 3:7], rtol=1e-12)
    cut = orbit.Constellation(shell, links=orbit.plus_grid(survival=0.2, seed=3))
    with pytest.raises(ValueError, match="no way leads from 'w/0/0' to .* in slot 0, and unreach"):
        moe.mean_latencies(cut, times)
    found = moe.mean_latencies(cut, times, unreachable_s=0.3)
    assert found.max() == 0.3 and (np.diag(found) == 0.0).all()
    with pytest.raises(ValueError, match="times: must not be empty"):
        moe.mean_latencies(world, [])
