"""What a placement of several experts on a satellite, and of copies, costs: against the definition."""

from __future__ import annotations

import math
import pickle
import random

import numpy as np
import pytest

from constellm import moe
from oracles import hosting as oracle
from oracles.random_hosting import hosting_of, random_case

LATENCY_S = [[0.010, 0.014, 0.015, 0.022, 0.030]]
WEIGHTS = [0.35, 0.25, 0.20, 0.12, 0.08]


def hosting(top_k: int = 2, **options) -> moe.Hosting:
    return moe.Hosting(moe.Problem([moe.Layer(WEIGHTS, LATENCY_S)], top_k), **options)


def some_placement(case: oracle.Case, rng: random.Random) -> list | None:
    """Any within the places and the reach, if a few draws find one."""
    for _ in range(50):
        placement, left = [], list(case.places)
        for layer, (weights, _) in enumerate(case.layers):
            row = []
            for expert in range(len(weights)):
                sets = [c for c in oracle.sets_of_copies(case, layer, expert) if all(left[s] > 0 for s in c)]
                if not sets:
                    break
                row.append(rng.choice(sets))
                for s in row[-1]:
                    left[s] -= 1
            placement.append(row)
        if [len(row) for row in placement] == [len(weights) for weights, _ in case.layers]:
            return placement
    return None


def assert_as_defined(case: oracle.Case, placement: list) -> None:
    case.most_activations[:] = math.inf
    given = hosting_of(case)
    found = moe.evaluate_hosting(given, placement)
    for layer, copies in enumerate(placement):
        slots = [oracle.slot_s(case, layer, t, copies) for t in range(given.problem.slots)]
        assert found.slot_latency_s[layer] == pytest.approx(slots, rel=1e-9, abs=1e-300)
        assert found.layer_latency_s[layer] == pytest.approx(np.mean(slots), rel=1e-9, abs=1e-300)
    assert found.token_latency_s == pytest.approx(found.layer_latency_s.sum(), rel=1e-12, abs=1e-300)
    assert found.executions == pytest.approx(oracle.executions(case, placement), rel=1e-9, abs=1e-12)
    assert (found.busy_s == found.executions * case.service_s).all()


def test_the_evaluator_is_the_definition(random_problems):
    rng = random.Random(1)
    seen = set()
    for seed in range(random_problems):
        case = random_case(seed, most_experts=6, most_satellites=6)
        placement = some_placement(case, rng)
        if placement is None:
            continue
        assert_as_defined(case, placement)
        copied = any(len(copies) > 1 for row in placement for copies in row)
        seen.add((case.top_k, copied, bool(case.service_s.any()), case.unreachable_s is not None))
    for top_k in (1, 2, 3, 4):
        assert (top_k, True, True, False) in seen or top_k == 4, top_k


def test_many_experts_by_the_race_are_the_definition():
    """More experts than sets are listed for: every expert beyond the oracle's few has almost no weight."""
    rng = np.random.default_rng(2)
    for top_k in (3, 4):
        weights = np.exp(rng.normal(0, 1.5, 18))
        latency_s = rng.uniform(0.01, 0.06, (2, 5))
        problem = moe.Problem([moe.Layer(weights, latency_s)], top_k)
        given = moe.Hosting(problem, places=18, service_s=rng.uniform(0, 0.02, (2, 5)))
        placement = [rng.integers(0, 5, 18).tolist()]
        case = oracle.Case(
            [(weights.tolist(), latency_s)], top_k, None, [18] * 5, given.service_s, [[1] * 18],
            given.most_activations,
        )  # fmt: skip
        copies = [(s,) for s in placement[0]]
        found = moe.evaluate_hosting(given, placement)
        for t in range(2):
            assert found.slot_latency_s[0, t] == pytest.approx(oracle.slot_s(case, 0, t, copies), rel=1e-9)


def test_all_on_one_satellite_wait_for_each_other():
    for top_k in range(1, 6):
        given = hosting(top_k, places=5, service_s=0.003)
        found = moe.evaluate_hosting(given, [["s2"] * 5])
        assert found.token_latency_s == pytest.approx(0.015 + (top_k - 1) * 0.003, rel=1e-12)
        assert found.executions[0, 2] == pytest.approx(top_k, rel=1e-9)
        assert found.throughput_bound_tokens_per_s == pytest.approx(1 / (top_k * 0.003))
        assert found.utilisation(10.0)[0, 2] == pytest.approx(10 * top_k * 0.003)
    big = moe.Problem([moe.Layer(np.arange(1.0, 65.0), [[0.02, 0.5]])], 8)
    for places in (64, 100):
        found = moe.evaluate_hosting(moe.Hosting(big, places, 0.001), [[0] * 64])
        assert found.token_latency_s == pytest.approx(0.02 + 7 * 0.001, rel=1e-9)


def test_one_expert_a_satellite_is_the_plain_problem():
    rng = np.random.default_rng(3)
    for top_k in (1, 2, 3, 6):
        problem = moe.Problem([moe.Layer(rng.uniform(0.1, 1, 6), rng.uniform(0, 1, (4, 9)))], top_k)
        order = rng.permutation(9)[:6]
        plain = moe.evaluate(problem, [order])
        found = moe.evaluate_hosting(moe.Hosting(problem, service_s=1.0), [order.tolist()])
        assert found.token_latency_s == plain.token_latency_s
        assert found.executions.sum() == pytest.approx(4 * top_k, rel=1e-9)


def test_copies_are_served_where_they_are_nearest():
    nan = math.nan
    problem = moe.Problem([moe.Layer([1.0], [[3.0, 1.0, 1.0], [nan, 2.0, 1.0], [5.0, nan, nan]])], 1)
    given = moe.Hosting(problem, copies=3)
    found = moe.evaluate_hosting(given, [[["s2", "s1", "s0"]]])
    assert found.slot_latency_s.tolist() == [[1.0, 1.0, 5.0]]
    assert found.executions.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    with pytest.raises(ValueError, match=r"placement\[0\]\[0\]: no copy is reachable in slot 2"):
        moe.evaluate_hosting(given, [[[1, 2]]])
    missed = given.replace(problem=problem.replace(unreachable_s=9.0))
    found = moe.evaluate_hosting(missed, [[[1, 2]]])
    assert found.slot_latency_s.tolist() == [[1.0, 1.0, 9.0]]
    assert found.executions[2].tolist() == [0, 0, 0]


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"places": -1}, "places: -1 is not in [0, 2147483647]"),
        ({"places": 1.0}, "places: expected an integer, got 1.0"),
        ({"places": [1, 2, 3, 4, -5]}, "places[4]: -5 is not in [0, 2147483647]"),
        ({"places": [1, 2]}, "places: shape (2,) is not (5,), the satellites"),
        ({"places": [1.5]}, "places: expected integers of shape (satellites), got [1.5]"),
        ({"service_s": -0.5}, "service_s[0][0]: -0.5 is not in [0, 1e+290]"),
        ({"service_s": [0, 0, math.nan, 0, 0]}, "service_s[0][2]: nan is not in [0, 1e+290]"),
        ({"service_s": math.inf}, "service_s[0][0]: inf is not in [0, 1e+290]"),
        (
            {"service_s": [[1.0, 2.0]]},
            "service_s: shape (1, 2) is none of (), (5,) and (1, 5), slots and satellites",
        ),
        ({"service_s": "1"}, "service_s: expected numbers, got '1'"),
        ({"copies": 0}, "copies: 0 is not in [1, 5]"),
        ({"copies": 6}, "copies: 6 is not in [1, 5]"),
        ({"copies": [[1, 1, 1, 1, 9]]}, "copies[0][4]: 9 is not in [1, 5]"),
        ({"copies": [[1, 1]]}, "copies[0]: shape (2,) is not (5,), the experts"),
        ({"copies": [1, 1]}, "copies: 2 of them are not 1, one for each layer"),
        ({"copies": "two"}, "copies: expected an integer, got 'two'"),
        ({"most_activations": -1.0}, "most_activations[0][0]: -1 is not in [0, inf]"),
        ({"most_activations": math.nan}, "most_activations[0][0]: nan is not in [0, inf]"),
        ({"most_activations": True}, "most_activations: expected numbers, got True"),
    ],
)  # fmt: skip
def test_bad_hostings(options, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        hosting(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("placement", "message"),
    [
        ([[0, 0, 0, 1, 1]], "placement[0][2]: 's0' hosts 2 experts already, its places"),
        ([[0, 1, 2, 3]], "placement[0]: has satellites for 4 experts of 5"),
        ([], "placement: has 0 layers, the problem 1"),
        ([[0, 1, 2, 3, [4, 4]]], "placement[0][4]: 's4' has two copies of the expert"),
        ([[0, 1, 2, 3, [0, 1, 4]]], "placement[0][4]: 3 satellites are not in [1, 2], its copies"),
        ([[0, 1, 2, 3, []]], "placement[0][4]: 0 satellites are not in [1, 2], its copies"),
        ([[0, 1, 2, 3, 5]], "placement[0][4]: 5 is not in [0, 4]"),
        ([[0, 1, 2, 3, "s9"]], "placement[0][4]: 's9' is not one of the problem's satellites"),
        ([[0, 1, 2, 3, 1.0]], "placement[0][4]: expected an integer, got 1.0"),
        ("s0", "placement: expected a sequence of layers, got 's0'"),
        (["s0"], "placement[0]: expected satellites of each expert, got 's0'"),
    ],
)
def test_bad_placements(placement, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        moe.evaluate_hosting(hosting(places=2, copies=2), placement)
    assert str(caught.value) == message


def test_too_many_activations_are_refused():
    given = hosting(places=2, most_activations=[1.0, 2.0, 2.0, 2.0, 2.0])
    assert moe.evaluate_hosting(given, [[1, 1, 2, 2, 3]]).executions.max() < 1.2
    with pytest.raises(
        ValueError,
        match=r"placement: 's0' has 1.135.* executions a token in slot 0, which is not in \[0, 1\]",
    ):
        moe.evaluate_hosting(given, [[0, 0, 2, 2, 3]])


def test_queues_that_take_too_long_are_refused():
    rng = np.random.default_rng(4)
    problem = moe.Problem([moe.Layer(rng.uniform(1, 2, 256), rng.uniform(0, 1, (500, 3)))] * 4, 16)
    with pytest.raises(ValueError, match=r"^service_s: exact queues of 16 picks .* at most 50e9 are done"):
        moe.evaluate_hosting(moe.Hosting(problem, 1024, 0.1), [[0] * 256] * 4)
    found = moe.evaluate_hosting(moe.Hosting(problem, 1024), [[0] * 256] * 4)
    assert found.token_latency_s == pytest.approx(4 * problem.layers[0].latency_s[:, 0].mean(), rel=1e-9)


# ---- power -----------------------------------------------------------------------------------


def test_activations_within_power():
    found = moe.activations_within([[20.0, 0.0], [math.inf, 5.0]], execution_j=10.0, tokens_per_s=2.0)
    assert found.tolist() == [[1.0, 0.0], [math.inf, 0.25]]
    for bad, message in (
        ({"power_w": [1.0, -2.0]}, "power_w[1]: -2.0 is not in [0, inf]"),
        ({"power_w": [math.nan]}, "power_w[0]: nan is not in [0, inf]"),
        ({"power_w": "1"}, "power_w: expected numbers, got '1'"),
        ({"execution_j": 0.0}, "execution_j: 0.0 is not in (0, inf)"),
        ({"tokens_per_s": -1.0}, "tokens_per_s: -1.0 is not in (0, inf)"),
    ):
        given = {"power_w": [1.0], "execution_j": 1.0, "tokens_per_s": 1.0, **bad}
        with pytest.raises((TypeError, ValueError)) as caught:
            moe.activations_within(**given)
        assert str(caught.value) == message


# ---- values ----------------------------------------------------------------------------------


def test_hostings_are_values():
    for seed in range(30):
        given = hosting_of(random_case(seed))
        again = pickle.loads(pickle.dumps(given))
        assert again == given and repr(again) == repr(given) and given != "text"
        assert given.replace() == given
        assert given.replace(places=given.places + 1) != given
        assert given.replace(service_s=given.service_s + 1) != given
        assert given.replace(problem=given.problem.replace(name="other")) != given
        for array in (given.places, given.service_s, given.most_activations, given.copies[0]):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1
    assert hosting(places=2) == hosting(places=[2] * 5)
    assert hosting(copies=2) == hosting(copies=[2]) == hosting(copies=[[2] * 5])
    assert hosting(service_s=0.1) == hosting(service_s=[0.1] * 5) == hosting(service_s=[[0.1] * 5])


def test_evaluations_are_values():
    found = moe.evaluate_hosting(hosting(places=2, service_s=0.01), [[0, 0, 1, 1, 2]])
    assert pickle.loads(pickle.dumps(found)) == found != "text"
    assert found != moe.evaluate_hosting(hosting(places=2, service_s=0.02), [[0, 0, 1, 1, 2]])
    assert repr(moe.evaluate_hosting(hosting(places=2), [[0, 0, 1, 1, 2]])).endswith("1 layer)")
    with pytest.raises(ValueError, match=r"tokens_per_s: -1 is not in \[0, inf\)"):
        found.utilisation(-1)


def test_displays():
    given = hosting(places=2, service_s=0.01, copies=2, most_activations=1.5)
    assert (
        given.summary()
        == """\
Hosting 'problem': 5 experts, 10 places, up to 2 copies, service up to 10 ms, activations limited

                                least  median  most
  places                        2      2       2
  service                       10 ms  10 ms   10 ms
  most activations, worst slot  1.5    1.5     1.5
  copies                        2      2       2
"""
    )
    assert (
        moe.evaluate_hosting(given, [[0, 0, 1, 1, 2]]).summary()
        == """\
Token latency 16.3 ms
at most 88.1 tokens/s; 1.14 executions a token on the most loaded satellite

  layer  mean     best slot  worst slot
  0      16.3 ms  16.3 ms    16.3 ms
"""
    )
    assert "Hosting" in given._repr_html_()
