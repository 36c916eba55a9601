"""Hostings against enumeration; what must not change them, and what more of anything may not cost."""

from __future__ import annotations

import dataclasses
import math
import pickle
import threading

import numpy as np
import pytest

from constellm import moe
from oracles import hosting as oracle
from oracles.random_hosting import hosting_of, random_case

GAP = 1e-9


def random_hosting(seed: int, *, experts=6, satellites=12, slots=6, top_k=2, layers=1, **options):
    """Of arrays, every satellite in reach."""
    rng = np.random.default_rng(seed)
    problem = moe.Problem(
        [
            moe.Layer(np.exp(rng.normal(0, 0.6, experts)), rng.uniform(0.01, 0.06, (slots, satellites)))
            for _ in range(layers)
        ],
        top_k,
    )
    return moe.Hosting(problem, **options)


def assert_sound(plan: moe.HostingPlan) -> None:
    found = moe.evaluate_hosting(plan.hosting, plan)
    assert found == moe.evaluate_hosting(plan.hosting, plan.placement)
    assert found.token_latency_s == plan.token_latency_s
    assert 0 <= plan.lower_bound_s <= plan.token_latency_s
    assert plan.anew_s <= plan.token_latency_s * (1 + GAP)
    assert 0 <= plan.gap <= 1 and 0 <= plan.most_saved_by_copies <= 1
    assert plan.status != "optimal" or plan.gap <= GAP


# ---- against enumeration ---------------------------------------------------------------------


def test_finds_what_enumeration_finds(random_problems):
    seen = set()
    for seed in range(random_problems):
        case = random_case(seed)
        best = oracle.least_s(case)
        plan = moe.host(hosting_of(case))
        copied, limited = max(map(max, case.copies)) > 1, bool(np.isfinite(case.most_activations).any())
        seen.add((plan.status, case.top_k, copied, limited))
        if best == math.inf:
            assert (plan.status, plan.placement) == ("infeasible", ()), seed
            assert plan.lower_bound_s == plan.anew_s == math.inf
            assert math.isnan(plan.token_latency_s) and math.isnan(plan.gap)
            continue
        assert plan.status == "optimal", seed
        assert plan.token_latency_s == pytest.approx(best, rel=GAP, abs=1e-300), seed
        assert plan.lower_bound_s <= best * (1 + GAP) and plan.anew_s <= best * (1 + GAP), seed
        assert_sound(plan)
    for top_k in (1, 2):
        for copied in (False, True):
            assert {("optimal", top_k, copied, limited) for limited in (False, True)} <= seen
    assert "infeasible" in {status for status, *_ in seen}


def test_no_time_leaves_a_true_bound(random_problems):
    for seed in range(random_problems // 3):
        case = random_case(seed)
        best = oracle.least_s(case)
        plan = moe.host(hosting_of(case), time_limit_s=0)
        assert plan.status in ("time_limit", "optimal") or best == math.inf, seed
        assert plan.status != "infeasible" or best == math.inf
        if best < math.inf:
            assert plan.lower_bound_s <= best * (1 + GAP) and plan.anew_s <= best * (1 + GAP), seed
        if plan.placement:
            assert_sound(plan)
            assert plan.token_latency_s >= best * (1 - GAP)


def test_one_place_and_one_copy_is_the_plain_problem():
    for seed in range(20):
        for top_k in (1, 2, 3):
            given = random_hosting(seed, experts=4, satellites=8, top_k=top_k, layers=1 + seed % 2)
            plain = moe.solve(given.problem)
            for service_s in (0.0, 0.5):
                plan = moe.host(given.replace(service_s=service_s))
                assert plan.status == plain.status == "optimal"
                assert plan.token_latency_s == pytest.approx(plain.token_latency_s, rel=GAP)


@pytest.mark.parametrize("top_k", [1, 2, 3, 5])
def test_room_for_all_and_no_service_is_the_nearest_satellite(top_k):
    given = random_hosting(1, top_k=top_k, places=6)
    nearest_s = given.problem.layers[0].latency_s.min(axis=1).mean()
    with_copies = moe.host(given.replace(copies=6))
    assert (with_copies.status, with_copies.gap) == ("optimal", pytest.approx(0, abs=GAP))
    assert with_copies.token_latency_s == pytest.approx(nearest_s, rel=GAP)
    assert moe.host(given).anew_s == pytest.approx(nearest_s, rel=GAP)
    one_slot = given.problem.replace(
        layers=[moe.Layer([3, 2, 1, 1, 1, 1], given.problem.layers[0].latency_s[:1])]
    )
    plan = moe.host(moe.Hosting(one_slot, places=6))
    assert plan.status == "optimal"
    assert plan.token_latency_s == pytest.approx(one_slot.layers[0].latency_s.min(), rel=GAP)


def test_satellites_with_room_for_two_by_hand():
    """Two near satellites and a far one: where serving takes long, nobody shares."""
    problem = moe.Problem([moe.Layer([1, 1, 1], [[0.010, 0.010, 0.013]])], 2)
    for service_s, best_s in ((0.0, 0.010), (0.003, 0.011), (0.3, 0.012)):
        plan = moe.host(moe.Hosting(problem, places=2, service_s=service_s))
        assert plan.status == "optimal"
        assert plan.token_latency_s == pytest.approx(best_s, rel=GAP)


def test_eclipsed_satellites_host_less():
    problem = moe.Problem([moe.Layer([0.5, 0.3, 0.2], [[1.0, 2.0, 3.0, 4.0]] * 2)], 1)
    limits = moe.activations_within([[6.0, 3.0, 9.0, 9.0], [9.0, 9.0, 9.0, 9.0]], 1.0, 10.0)
    plan = moe.host(moe.Hosting(problem, most_activations=limits))
    assert (plan.status, plan.placement) == ("optimal", ((("s0",), ("s1",), ("s2",)),))
    limits[0, 0] = 0.45  # the heaviest expert is too much for the nearest satellite
    plan = moe.host(moe.Hosting(problem, most_activations=limits))
    assert (plan.status, plan.placement) == ("optimal", ((("s2",), ("s0",), ("s1",)),))
    limits[:, :3] = 0.0
    assert moe.host(moe.Hosting(problem, most_activations=limits)).status == "infeasible"


def test_a_copy_for_the_slots_in_which_the_other_is_away():
    nan = math.nan
    problem = moe.Problem([moe.Layer([2.0, 1.0], [[1.0, nan, 3.0], [nan, 1.0, 3.0]])], 1)
    assert moe.host(moe.Hosting(problem)).status == "infeasible"
    plan = moe.host(moe.Hosting(problem, copies=2))
    assert (plan.status, plan.placement) == ("optimal", ((("s0", "s1"), ("s2",)),))
    assert plan.token_latency_s == pytest.approx(2 / 3 + 1)
    both = moe.host(moe.Hosting(problem, copies=2, places=2))
    assert (both.status, both.token_latency_s) == ("optimal", 1.0)


# ---- what must not change the answer ---------------------------------------------------------


def optimum(given: moe.Hosting) -> float:
    plan = moe.host(given)
    assert plan.status in ("optimal", "infeasible")
    return plan.lower_bound_s if plan.status == "infeasible" else plan.token_latency_s


def test_the_order_of_satellites_and_experts_does_not_matter():
    for seed in range(60):
        given = hosting_of(random_case(seed))
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(given.problem.satellites))
        layers, copies = [], []
        for layer, own in zip(given.problem.layers, given.copies):
            experts = rng.permutation(len(layer.weights))
            layers.append(moe.Layer(layer.weights[experts], layer.latency_s[:, order]))
            copies.append(own[experts])
        ids = [given.problem.satellites[s] for s in order]
        same = moe.Hosting(
            given.problem.replace(layers=layers, satellites=ids), given.places[order],
            given.service_s[:, order], copies, given.most_activations[:, order],
        )  # fmt: skip
        if (np.concatenate(given.copies) > 1).any():
            # Of copies that are equally near the first one serves, so that the order may matter.
            known = np.concatenate([layer.latency_s for layer in given.problem.layers], axis=1)
            if any(len(np.unique(row[~np.isnan(row)])) < (~np.isnan(row)).sum() for row in known):
                continue
        assert optimum(same) == pytest.approx(optimum(given), rel=GAP, abs=1e-300)


def test_more_never_hurts():
    for seed in range(80):
        given = hosting_of(random_case(seed))
        best = optimum(given)
        problem = given.problem
        more = [
            given.replace(places=given.places + 1),
            given.replace(service_s=given.service_s / 2),
            given.replace(most_activations=given.most_activations * 1.5),
            given.replace(copies=[np.minimum(own + 1, len(problem.satellites)) for own in given.copies]),
        ]
        rng = np.random.default_rng(seed)
        layers = [
            moe.Layer(layer.weights, np.hstack([layer.latency_s, rng.uniform(0, 0.06, (problem.slots, 1))]))
            for layer in problem.layers
        ]
        wider = problem.replace(layers=layers, satellites=[*problem.satellites, "new"])
        column = np.full((problem.slots, 1), 0.01)
        more.append(
            moe.Hosting(
                wider,
                [*given.places.tolist(), 1],
                np.hstack([given.service_s, column]),
                given.copies,
                np.hstack([given.most_activations, column * np.inf]),
            )  # fmt: skip
        )
        for other in more:
            assert optimum(other) <= best * (1 + GAP) + 1e-300, seed


def test_scale_is_nothing():
    for seed in range(40):
        given = hosting_of(random_case(seed))
        best = optimum(given)
        problem = given.problem
        slow_s = None if problem.unreachable_s is None else problem.unreachable_s * 1e3
        layers = [moe.Layer(layer.weights * 1e6, layer.latency_s * 1e3) for layer in problem.layers]
        slow = given.replace(
            problem=problem.replace(layers=layers, unreachable_s=slow_s), service_s=given.service_s * 1e3
        )
        assert optimum(slow) == pytest.approx(best * 1e3, rel=GAP, abs=1e-300)


LARGER = {
    "queues": {"top_k": 4, "places": 3, "service_s": 0.004},
    "copies": {"top_k": 2, "copies": 2, "layers": 2},
    "limits": {"top_k": 2, "places": 2, "service_s": 0.002, "most_activations": 0.8},
    "all": {"top_k": 3, "places": 2, "service_s": 0.002, "most_activations": 0.9, "copies": 2},
}


@pytest.mark.parametrize("case", LARGER)
def test_larger_ones_have_a_gap(case):
    given = random_hosting(3, experts=8, satellites=16, slots=5, **LARGER[case])
    plan = moe.host(given, time_limit_s=3)
    assert plan.status in ("optimal", "feasible", "time_limit")
    assert_sound(plan)
    assert plan.gap < 0.4  # of latencies that are drawn anew in every slot
    nothing = moe.host(given, time_limit_s=0)
    assert nothing.status == "time_limit"
    assert plan.token_latency_s <= nothing.token_latency_s * (1 + GAP) or not nothing.placement


def test_the_same_call_gives_the_same_answer_in_any_thread():
    given = [hosting_of(random_case(seed)) for seed in range(20)]
    given.append(random_hosting(5, experts=5, satellites=8, slots=3, copies=2, places=2, service_s=0.01))
    first = [repr((plan := moe.host(one)).placement) + repr(plan) for one in given]
    found: dict[int, list[str]] = {}

    def host_all(number: int) -> None:
        found[number] = [repr((plan := moe.host(one)).placement) + repr(plan) for one in given]

    threads = [threading.Thread(target=host_all, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(found.values()) == [first] * 3


# ---- values ----------------------------------------------------------------------------------


def test_plans_are_values():
    given = random_hosting(6, places=2, service_s=0.001)
    plan = moe.host(given)
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan == moe.host(given) and repr(again) == repr(plan)
    assert plan != "plan"
    others = {
        "status": "feasible",
        "token_latency_s": 1.0,
        "anew_s": 0.0,
        "placement": (),
        "lower_bound_s": 0.0,
    }
    for name, other in others.items():
        assert dataclasses.replace(plan, **{name: other}) != plan
    assert dataclasses.replace(plan, seconds=9.0, nodes=9) == plan


def test_what_a_plan_shows():
    problem = moe.Problem([moe.Layer([1, 3, 2], [[0.010, 0.012, 0.013], [0.012, 0.010, 0.013]])], 2, name="p")
    plan = moe.host(moe.Hosting(problem, places=2, service_s=0.001, copies=2))
    assert repr(plan) == "HostingPlan('p': optimal, token_latency_s=0.011575, gap=1e-11)"
    assert (
        plan.summary()
        == """\
HostingPlan of 'p': optimal
token latency 11.57 ms; no placement has less
more copies of experts save at most 1.37%

  layer  latency  satellites, heaviest expert first
  0      11.6 ms  s0+s1 s1 s0
"""
    )
    none = moe.host(moe.Hosting(problem, places=0))
    assert repr(none) == "HostingPlan('p': infeasible)"
    assert none.summary() == "HostingPlan of 'p': infeasible\n"
    assert math.isnan(none.most_saved_by_copies)


def test_ends_where_what_seems_to_gain_is_rounding():
    """A service time of a million: between placements of equal cost a swap passes through one of far more."""
    first = [[0.8208222388298411, math.nan], [0.7886708538881869, math.nan]]
    second = [[0.291802070996963, 0.5311775660903192], [0.6869978952523433, 0.08587000196711936]]
    hosting = moe.Hosting(
        moe.Problem([moe.Layer([1, 1], first), moe.Layer([1, 1], second)], 2, unreachable_s=0.5),
        places=[2, 3],
        service_s=1e6,
        copies=[[1, 2], [2, 1]],
        most_activations=[[0.7, 0.7], [math.inf, 1.5]],
    )
    assert moe.host(hosting, time_limit_s=60).status == "infeasible"


def test_bad_calls():
    given = random_hosting(7)
    for call, message in (
        (lambda: moe.host(given.problem), "hosting: expected a Hosting"),
        (lambda: moe.host(given, time_limit_s=-1), "time_limit_s: -1 is not in [0, inf]"),
        (lambda: moe.host(given, seed=-1), "seed: -1 is not in [0, "),
        (lambda: moe.evaluate_hosting(given.problem, []), "hosting: expected a Hosting"),
        (lambda: moe.Hosting(given), "problem: expected a Problem"),
        (lambda: given.replace(place=1), "replace got an unexpected keyword argument 'place'"),
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert str(caught.value).startswith(message)
