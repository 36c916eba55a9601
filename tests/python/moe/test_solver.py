"""Placements against enumeration; what must not change them; time limits and Ctrl-C."""

from __future__ import annotations

import itertools
import json
import math
import os
import pickle
import random
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from constellm import _core, moe
from oracles import experts
from oracles.random_experts import best_s, random_experts

FEWEST = 300  # of random problems: these have every oddity
GAP = 1e-9
EXAMPLES = ["moe-competing-layers", "moe-many-slots", "moe-one-slot"]

# The theorem's fixture: weights by falling, latencies by rising order; sorted and reversed by top_k.
WEIGHTS = [0.35, 0.25, 0.20, 0.12, 0.08]
LATENCY_S = [10.0, 14.0, 15.0, 22.0, 30.0]
SORTED_S = {1: 15.04, 2: 19.164452, 3: 22.326065}
REVERSED_S = {1: 21.48, 2: 26.225231, 3: 28.575594}


def problem_of(data: dict) -> moe.Problem:
    return moe.problem_from_dict(data)


def random_problem(seed: int, *, layers: int, experts: int, satellites: int, slots: int, top_k: int):
    """Of arrays: larger than what can be enumerated, every satellite in reach."""
    rng = np.random.default_rng(seed)
    return moe.Problem(
        [
            moe.Layer(np.exp(rng.normal(0, 0.6, experts)), rng.uniform(0.01, 0.06, (slots, satellites)))
            for _ in range(layers)
        ],
        top_k=top_k,
    )


def assert_sound(plan: moe.Plan) -> None:
    """What holds of every plan with a placement."""
    found = moe.evaluate(plan.problem, plan)
    assert found.token_latency_s == plan.token_latency_s
    assert 0 <= plan.lower_bound_s <= plan.token_latency_s
    assert 0 <= plan.gap <= 1
    assert plan.status != "optimal" or plan.gap <= GAP


# ---- against enumeration ---------------------------------------------------------------------


def test_finds_what_enumeration_finds(random_problems):
    seen = set()
    for seed in range(max(FEWEST, random_problems)):
        data = random_experts(seed)
        best = best_s(data)
        problem = problem_of(data)
        plan = moe.solve(problem)
        seen.add((plan.status, problem.top_k, problem.slots > 1, "unreachable_s" in data))
        if best == math.inf:
            assert (plan.status, plan.placement, plan.lower_bound_s) == ("infeasible", (), math.inf), seed
            assert math.isnan(plan.token_latency_s) and math.isnan(plan.gap)
            continue
        assert plan.status == "optimal", seed
        assert plan.token_latency_s == pytest.approx(best, rel=GAP, abs=1e-300), seed
        assert plan.lower_bound_s <= best * (1 + GAP), seed
        assert_sound(plan)
    for top_k in (1, 2, 3, 4):
        assert ("optimal", top_k, True, False) in seen
    assert {True, False} <= {given for status, _, _, given in seen if status == "optimal"}
    assert "infeasible" in {status for status, *_ in seen}


def test_other_methods_are_no_better_and_their_bounds_hold(random_problems):
    for seed in range(random_problems):
        data = random_experts(seed)
        problem = problem_of(data)
        best = moe.solve(problem)
        for method in moe.METHODS:
            plan = moe.solve(problem, method=method)
            assert plan.method == method
            if not plan.placement:
                # One layer after the other may leave too few satellites for the last one.
                assert plan.status == ("no_plan_found" if method == "sorted" else "infeasible")
                assert method == "sorted" or best.status == "infeasible"
                continue
            assert_sound(plan)
            assert plan.token_latency_s >= best.token_latency_s * (1 - GAP), (seed, method)
            assert plan.lower_bound_s <= best.token_latency_s * (1 + GAP), (seed, method)


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(repository, name):
    folder = repository / "tests" / "data" / "moe"
    problem = moe.load_problem(folder / f"{name}.json")
    told = json.loads((folder / f"{name}.plan.json").read_text(encoding="utf-8"))
    plan = moe.solve(problem)
    assert (problem.name, plan.status) == (name, "optimal")
    assert plan.token_latency_s == pytest.approx(told["token_latency_s"], rel=GAP)
    assert best_s(json.loads((folder / f"{name}.json").read_text())) == pytest.approx(
        told["token_latency_s"], rel=GAP
    )
    assert moe.load_plan(folder / f"{name}.plan.json", problem).gap <= GAP


def test_the_examples_need_more_than_sorting(repository):
    gains = {}
    for name in EXAMPLES:
        problem = moe.load_problem(repository / "tests" / "data" / "moe" / f"{name}.json")
        by_order = moe.solve(problem, method="sorted").token_latency_s
        gains[name] = by_order / moe.solve(problem).token_latency_s - 1
    assert gains["moe-one-slot"] == pytest.approx(0, abs=GAP)
    assert gains["moe-competing-layers"] > 0.001


# ---- the theorem -----------------------------------------------------------------------------


@pytest.mark.parametrize("top_k", SORTED_S)
def test_the_theorems_fixture(top_k):
    problem = moe.Problem([moe.Layer(WEIGHTS, [LATENCY_S])], top_k=top_k)
    for method in moe.METHODS:
        plan = moe.solve(problem, method=method)
        assert plan.token_latency_s == pytest.approx(SORTED_S[top_k], abs=5e-7), method
    reverse = moe.evaluate(problem, [[4, 3, 2, 1, 0]]).token_latency_s
    assert reverse == pytest.approx(REVERSED_S[top_k], abs=5e-7)
    every = [
        moe.evaluate(problem, [order]).token_latency_s
        for order in itertools.permutations(range(len(WEIGHTS)))
    ]
    assert min(every) == pytest.approx(SORTED_S[top_k], abs=5e-7)
    assert max(every) == pytest.approx(REVERSED_S[top_k], abs=5e-7)


@pytest.mark.parametrize("top_k", [1, 2, 3, 5])
def test_sorting_is_optimal_in_one_slot(top_k):
    for seed in range(20):
        problem = random_problem(seed, layers=1, experts=8, satellites=20, slots=1, top_k=top_k)
        plan = moe.solve(problem)
        assert plan.status == "optimal"
        by_order = moe.solve(problem, method="sorted").token_latency_s
        assert by_order == pytest.approx(plan.token_latency_s, rel=GAP)


def test_with_one_pick_the_mean_latency_is_all_that_matters():
    problem = random_problem(1, layers=1, experts=6, satellites=12, slots=30, top_k=1)
    mean_s = np.sort(problem.layers[0].latency_s.mean(axis=0))[:6]
    weights = -np.sort(-problem.layers[0].weights / problem.layers[0].weights.sum())
    assert moe.solve(problem).token_latency_s == pytest.approx(weights @ mean_s, rel=GAP)


# ---- the evaluator ---------------------------------------------------------------------------


def test_the_evaluator_is_the_definition(random_problems):
    rng = random.Random(5)
    compared = 0
    for seed in range(random_problems):
        data = random_experts(seed)
        problem = problem_of(data)
        order = rng.sample(range(len(problem.satellites)), len(problem.satellites))
        if sum(problem.experts) > len(order):
            continue
        placement = [[order.pop() for _ in range(count)] for count in problem.experts]
        latencies = [layer.latency_s for layer in problem.layers]
        if problem.unreachable_s is not None:
            latencies = [np.where(np.isnan(s), problem.unreachable_s, s) for s in latencies]
        elif any(np.isnan(s[:, hosts]).any() for s, hosts in zip(latencies, placement)):
            with pytest.raises(ValueError, match="is not reachable in slot"):
                moe.evaluate(problem, placement)
            continue
        found = moe.evaluate(problem, placement)
        by_layer = []
        for i, (layer, latency_s, hosts) in enumerate(zip(problem.layers, latencies, placement)):
            mean_s = experts.layer_s(layer.weights, latency_s, hosts, problem.top_k)
            by_layer.append(layer.base_s + mean_s)
            slots = [
                layer.base_s + experts.expected_s(layer.weights, row[hosts], problem.top_k)
                for row in latency_s
            ]
            assert found.slot_latency_s[i] == pytest.approx(slots, rel=GAP, abs=1e-300)
        assert found.layer_latency_s == pytest.approx(by_layer, rel=GAP, abs=1e-300)
        assert found.token_latency_s == pytest.approx(math.fsum(by_layer), rel=GAP, abs=1e-300)
        names = [[problem.satellites[s] for s in hosts] for hosts in placement]
        for same in (names, [np.array(hosts) for hosts in placement], tuple(map(tuple, names))):
            assert moe.evaluate(problem, same).token_latency_s == found.token_latency_s
        compared += 1
    assert compared > random_problems / 3


# ---- what must not change the answer ---------------------------------------------------------


def test_the_order_of_satellites_and_experts_does_not_matter():
    for seed in range(60):
        problem = problem_of(random_experts(seed))
        best = moe.solve(problem)
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(problem.satellites))
        layers = [
            moe.Layer(rng.permutation(layer.weights), layer.latency_s[:, order], layer.base_s)
            for layer in problem.layers
        ]
        other = problem.replace(layers=layers, satellites=[problem.satellites[s] for s in order])
        same = moe.solve(other)
        assert same.status == best.status
        assert same.token_latency_s == pytest.approx(best.token_latency_s, rel=GAP, abs=1e-300, nan_ok=True)
        turned = moe.solve(other.replace(layers=layers[::-1]))
        assert turned.token_latency_s == pytest.approx(best.token_latency_s, rel=GAP, abs=1e-300, nan_ok=True)


def test_more_satellites_never_hurt():
    for seed in range(60):
        problem = problem_of(random_experts(seed))
        best = moe.solve(problem)
        rng = np.random.default_rng(seed)
        layers = [
            moe.Layer(
                layer.weights,
                np.hstack([layer.latency_s, rng.uniform(0, 0.06, (problem.slots, 1))]),
                layer.base_s,
            )
            for layer in problem.layers
        ]
        more = moe.solve(problem.replace(layers=layers, satellites=[*problem.satellites, "new"]))
        if best.placement:
            assert more.token_latency_s <= best.token_latency_s * (1 + GAP)
        elif more.placement:
            assert "new" in [s for hosts in more.placement for s in hosts]


def test_scale_is_nothing():
    """Weights have no unit; with a thousand times the latencies a token waits a thousand times as long."""
    for seed in range(40):
        problem = problem_of(random_experts(seed))
        best = moe.solve(problem)
        layers = [
            moe.Layer(layer.weights * 1e6, layer.latency_s * 1e3, layer.base_s * 1e3)
            for layer in problem.layers
        ]
        slow_s = None if problem.unreachable_s is None else problem.unreachable_s * 1e3
        slow = moe.solve(problem.replace(layers=layers, unreachable_s=slow_s))
        assert slow.status == best.status
        assert slow.token_latency_s == pytest.approx(best.token_latency_s * 1e3, rel=GAP, nan_ok=True)


def test_a_slot_that_comes_twice_counts_twice():
    problem = random_problem(2, layers=2, experts=3, satellites=8, slots=3, top_k=2)
    twice = [moe.Layer(layer.weights, np.vstack([layer.latency_s] * 2)) for layer in problem.layers]
    best = moe.solve(problem).token_latency_s
    assert moe.solve(problem.replace(layers=twice)).token_latency_s == pytest.approx(best, rel=GAP)


def test_layers_that_share_no_satellites_are_placed_apart():
    one = random_problem(3, layers=1, experts=4, satellites=9, slots=5, top_k=2)
    two = random_problem(4, layers=1, experts=4, satellites=9, slots=5, top_k=2)
    away = np.full((5, 9), np.nan)
    layers = [
        moe.Layer(one.layers[0].weights, np.hstack([one.layers[0].latency_s, away])),
        moe.Layer(two.layers[0].weights, np.hstack([away, two.layers[0].latency_s])),
    ]
    plan = moe.solve(moe.Problem(layers, top_k=2))
    apart = moe.solve(one).token_latency_s + moe.solve(two).token_latency_s
    assert plan.status == "optimal"
    assert plan.token_latency_s == pytest.approx(apart, rel=GAP)


def outcome(plan: moe.Plan) -> tuple:
    return plan.status, plan.placement, plan.token_latency_s, plan.lower_bound_s, plan.nodes


def test_the_same_call_gives_the_same_answer_in_any_thread():
    problems = [problem_of(random_experts(seed)) for seed in range(40)]
    first = [repr(outcome(moe.solve(problem))) for problem in problems]
    backward = [repr(outcome(moe.solve(problem))) for problem in problems[::-1]]
    assert first == backward[::-1]
    found: dict[int, list[str]] = {}

    def solve_all(number: int) -> None:
        found[number] = [repr(outcome(moe.solve(problem))) for problem in problems]

    threads = [threading.Thread(target=solve_all, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(found.values()) == [first] * 4


def test_pairs_that_do_not_fit_into_memory_are_refused():
    rng = np.random.default_rng(6)
    problem = moe.Problem([moe.Layer([3, 2, 1], rng.uniform(0, 0.1, (1, 4000))) for _ in range(25)], top_k=2)
    for method in ("optimal", "exchange"):
        with pytest.raises(
            ValueError, match=r"^layers: of up to 4000 satellites each, .* 4.8 GB; at most 4 GB"
        ):
            moe.solve(problem, method=method)
    assert moe.solve(problem, method="sorted").status == "feasible"


# ---- time limits and Ctrl-C ------------------------------------------------------------------

HARD = {
    "pairs": {"layers": 3, "experts": 16, "satellites": 90, "slots": 12, "top_k": 2},
    "slots": {"layers": 2, "experts": 12, "satellites": 40, "slots": 12, "top_k": 4},
}


def test_no_time_leaves_a_placement_and_a_true_bound(random_problems):
    for seed in range(random_problems):
        problem = problem_of(random_experts(seed))
        best = moe.solve(problem)
        plan = moe.solve(problem, time_limit_s=0)
        assert plan.status in (best.status, "time_limit")
        if best.placement:
            assert_sound(plan)
            assert plan.token_latency_s >= best.token_latency_s * (1 - GAP)
            assert plan.lower_bound_s <= best.token_latency_s * (1 + GAP)


@pytest.mark.parametrize("hard", HARD)
def test_a_short_time_gives_a_placement_and_a_bound(hard):
    problem = random_problem(5, **HARD[hard])
    plan = moe.solve(problem, time_limit_s=0.2)
    assert plan.status == "time_limit"
    assert_sound(plan)
    assert 0 < plan.gap < 0.5 and plan.nodes > 0
    nothing = moe.solve(problem, time_limit_s=0)
    assert nothing.status == "time_limit" and plan.token_latency_s <= nothing.token_latency_s


INTERRUPTED = """
import pickle, sys
from constellm import _core, moe
problem = pickle.load(open(sys.argv[1], "rb"))
print("solving", flush=True)
plan = moe.solve(problem)
found = moe.evaluate(problem, plan)
print(plan.status, plan.lower_bound_s > 0, found.token_latency_s == plan.token_latency_s)
print(moe.solve(problem, time_limit_s=0.01).status)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("hard", HARD)
def test_ctrl_c_ends_the_search_with_what_there_is(tmp_path, hard):
    file = tmp_path / "hard.pickle"
    file.write_bytes(pickle.dumps(random_problem(5, **HARD[hard])))
    command = [sys.executable, "-c", INTERRUPTED, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout.readline() == "solving\n"
        threading.Timer(0.5, process.send_signal, [signal.SIGINT]).start()
        out, err = process.communicate()
        watchdog.cancel()
    assert process.returncode == 0, err
    assert out.split() == ["interrupted", "True", "True", "time_limit"]


def test_ctrl_c_returns_or_raises(monkeypatch):
    problem = moe.Problem([moe.Layer([0.5, 0.3, 0.2], [[0.010, 0.014, 0.015, 0.022]])], top_k=2)
    monkeypatch.setattr(_core.moe, "solve", lambda *_: ("interrupted", [[0, 1, 2]], 0.02, 0.01, 3))
    plan = moe.solve(problem)
    assert plan.status == "interrupted" and plan == moe.solve(problem, on_interrupt="return")
    with pytest.raises(moe.Interrupted) as caught:
        moe.solve(problem, on_interrupt="raise")
    assert caught.value.result == plan and isinstance(caught.value, KeyboardInterrupt)
    assert moe.solve(problem, method="sorted", on_interrupt="raise").status == "feasible"
    for wrong in ("Raise", None, True):
        with pytest.raises(ValueError, match="^on_interrupt: .* is not one of 'return', 'raise'"):
            moe.solve(problem, on_interrupt=wrong)
