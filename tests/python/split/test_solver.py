"""The exact search finds the optimum and proves it: against enumeration, threshold programme and MILP."""

from __future__ import annotations

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import threading

import pytest

from constellm import split
from oracles import evaluator, milp, threshold_dp
from oracles.enumerate import TIE, enumerate_plans
from oracles.random_problems import random_chain, random_graph, random_problem

GAP = 1e-9  # of a plan called optimal
FEWEST = 1500  # random problems of the main comparison

# No option changes what is found. Without a heuristic there is nothing to bound intervals with.
VARIATIONS = [
    {"unroll": False},
    {"intervals": False},
    {"intervals": False, "heuristic": False},
    {"dominance": False},
    {"resource_bound": False},
    {"unroll": False, "intervals": False, "heuristic": False, "resource_bound": False},
    {"unroll": False, "dominance": False},
]


def assert_optimal(data, plan, best, rel=GAP):
    """`plan` answers the problem `data`, whose optimum is worth `best`; None where no plan is feasible."""
    name = data["name"]
    if best is None:
        assert plan.status == "infeasible", name
        assert plan.path == [] and plan.stages == (), name
        assert plan.lower_bound_s == math.inf, name
        return
    assert plan.status == "optimal", name
    problem = plan.problem
    assert split.check(problem, plan) == [], name
    value = evaluator.evaluate(data, plan.to_dict())
    assert evaluator.broken_limits(data, plan.to_dict(), room=1e-15) == [], name
    throughput = problem.objective == "throughput"
    objective = plan.bottleneck_s if throughput else plan.delay_s
    assert objective == pytest.approx(evaluator.objective_of(data, value), rel=TIE, abs=1e-300), name
    assert objective == pytest.approx(evaluator.objective_of(data, best), rel=rel, abs=1e-300), name
    assert plan.delay_s == pytest.approx(best.delay_s, rel=rel, abs=1e-300), name  # breaks ties of throughput
    assert plan.lower_bound_s <= objective, name
    assert objective - plan.lower_bound_s <= GAP * objective, name
    assert plan.gap <= GAP, name


def test_finds_what_enumeration_finds(random_problems):
    count = max(FEWEST, random_problems)
    feasible = 0
    for seed in range(count):
        data = random_problem(seed)
        best = enumerate_plans(data).best()
        assert_optimal(data, split.solve(split.problem_from_dict(data)), best)
        feasible += best is not None
    assert 0.4 * count < feasible < 0.8 * count


@pytest.mark.parametrize("options", VARIATIONS, ids=lambda o: ",".join(f"{k}={v}" for k, v in o.items()))
def test_options_change_no_result(options, random_problems):
    for seed in range(random_problems):
        data = random_problem(seed)
        best = enumerate_plans(data).best()
        assert_optimal(data, split.solve(split.problem_from_dict(data), **options), best)


@pytest.mark.parametrize("objective", ["delay", "throughput"])
@pytest.mark.parametrize("max_error", [0.02, 0.15, None])
@pytest.mark.parametrize("micro_batches", [1, 8, 64])
def test_larger_chains(micro_batches, max_error, objective):
    for seed in range(2):
        data = random_chain(
            seed, layers=14, nodes=6, codecs=5, micro_batches=micro_batches, max_error=max_error
        )
        data["objective"] = objective
        data["limits"]["error_rule"] = ("sum", "root_sum_square")[seed]
        if seed == 1:  # a satellite in the middle only relays
            data["nodes"][2]["flop_per_s"] = 0.0
        exact = threshold_dp.solve(data)
        assert_optimal(data, split.solve(split.problem_from_dict(data)), exact and exact.value)


@pytest.mark.parametrize("seed", range(6))
def test_larger_graphs(seed):
    data = random_graph(
        seed, layers=10, nodes=6, codecs=4, micro_batches=(1, 16)[seed % 2], max_error=(0.05, 0.2)[seed // 3]
    )
    exact = threshold_dp.solve(data)
    for options in ({}, {"unroll": False}):
        plan = split.solve(split.problem_from_dict(data), **options)
        assert_optimal(data, plan, exact and exact.value)


@pytest.mark.parametrize("seed", range(3))
def test_is_never_above_the_milp(seed):
    data = random_graph(seed, layers=9, nodes=6, codecs=3, micro_batches=8, max_error=0.1)
    found = milp.solve(data)
    plan = split.solve(split.problem_from_dict(data))
    assert (found is None) == (plan.status == "infeasible")
    if found is not None:
        assert_optimal(data, plan, found.value, rel=1e-6)  # the feasibility tolerance of HiGHS
        assert plan.delay_s <= found.value.delay_s * (1 + 1e-12)


def test_examples(repository):
    """The shipped problems with their optimal plans."""
    files = sorted((repository / "tests" / "data" / "split").glob("*.plan.json"))
    assert len(files) == 11
    for file in files:
        expected = json.loads(file.read_text())
        problem = split.load_problem(file.with_name(file.name.replace(".plan.json", ".json")))
        plan = split.solve(problem)
        assert plan.status == expected["status"], file.name
        assert split.check(problem, expected) == [], file.name
        if expected["status"] == "optimal":
            assert plan.delay_s == pytest.approx(expected["delay_s"], rel=GAP), file.name
            assert plan.bottleneck_s == pytest.approx(expected["bottleneck_s"], rel=GAP), file.name


# Optima of the benchmark chains by `oracles.threshold_dp` (7 s, 32 s and 21 s).
CHAINS = {
    "chain-32-5-10-16-0.2-77": 1.0312083562140812,
    "chain-48-13-10-8-0.2-77": 1.226208288067089,
    "chain-48-8-10-16-0.2-77": 1.3851983426898613,
}


@pytest.mark.parametrize("name", sorted(CHAINS))
def test_benchmark_chains(repository, name):
    problem = split.load_problem(repository / "benchmarks" / "data" / f"{name}.json")
    plan = split.solve(problem)
    assert plan.status == "optimal"
    assert plan.delay_s == pytest.approx(CHAINS[name], rel=GAP)
    assert split.check(problem, plan) == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("chain-96-24-16-1-0.2-77", {"unroll": False}),
        ("chain-96-24-16-32-0.05-77", {"intervals": False}),
        ("chain-96-24-16-32-0.5-77", {"unroll": False, "resource_bound": False}),
        ("chain-96-24-16-32-5.0-77", {"resource_bound": False}),
    ],
    ids=str,
)
def test_large_chains_do_not_depend_on_options(repository, name, options):
    """No oracle ends on these: searches that bound and divide in other ways must agree, and their proofs."""
    problem = split.load_problem(repository / "benchmarks" / "data" / f"{name}.json")
    plan, other = split.solve(problem), split.solve(problem, **options)
    for one in (plan, other):
        assert one.status == "optimal" and one.gap <= GAP
        assert split.check(problem, one) == []
    assert other.delay_s == pytest.approx(plan.delay_s, rel=GAP)
    assert max(plan.lower_bound_s, other.lower_bound_s) <= min(plan.delay_s, other.delay_s)


# Far above what the search needs, far below what it takes when a bound or the dominance fails.
MOST_LABELS = {
    "chain-32-5-10-16-0.2-77": 500,
    "chain-48-8-10-16-0.2-77": 20_000,
    "chain-96-24-16-32-0.5-77": 20_000,
}


@pytest.mark.parametrize("name", sorted(MOST_LABELS))
def test_work_stays_small(repository, name):
    plan = split.solve(split.load_problem(repository / "benchmarks" / "data" / f"{name}.json"))
    assert plan.status == "optimal"
    assert plan.counters["labels"] <= MOST_LABELS[name]
    assert 0 < plan.counters["passes"] <= 1000
    assert 0 < plan.counters["intervals"] <= 300


def test_parts_of_the_search_save_work(repository):
    problem = split.load_problem(repository / "benchmarks" / "data" / "chain-32-5-10-16-0.2-77.json")
    labels = {
        name: split.solve(problem, intervals=False, **{name: False}).counters["labels"]
        for name in ("heuristic", "dominance", "resource_bound")
    }
    full = split.solve(problem, intervals=False).counters["labels"]
    assert full <= min(labels.values())
    assert labels["heuristic"] > 3 * full


# ---- time limit and interruption -------------------------------------------------------------


def hard_problem() -> dict:
    """A two-way mesh whose label run without dominance does not end within a test's patience."""
    data = random_graph(5, layers=40, nodes=14, codecs=8, micro_batches=16, max_error=0.2)
    for node in data["nodes"]:
        node["flop_per_s"] = node["flop_per_s"] or 5e13
    data["links"] = [
        {"from": a["id"], "to": b["id"], "rate_bps": 2e9 + 1e7 * (7 * i % 13), "latency_s": 0.002}
        for i, (a, b) in enumerate(itertools.permutations(data["nodes"], 2))
    ]
    return data


HARD = {"dominance": False, "heuristic": False, "intervals": False, "unroll": False}


def test_no_time_leaves_a_true_bound(random_problems):
    statuses = set()
    for seed in range(random_problems):
        data = random_problem(seed)
        best = enumerate_plans(data).best()
        plan = split.solve(split.problem_from_dict(data), time_limit_s=0)
        statuses.add(plan.status)
        if plan.status != "time_limit":
            assert_optimal(data, plan, best)
            continue
        least = math.inf if best is None else evaluator.objective_of(data, best)
        assert plan.lower_bound_s <= least, data["name"]
        if plan.path:
            assert split.check(plan.problem, plan) == [], data["name"]
    assert "time_limit" in statuses


def test_a_short_time_gives_plan_and_bound():
    data = hard_problem()
    problem = split.problem_from_dict(data)
    plan = split.solve(problem, time_limit_s=0.2, **HARD)
    assert plan.status == "time_limit"
    assert plan.lower_bound_s > 0
    if plan.path:
        assert split.check(problem, plan) == []
        assert plan.lower_bound_s <= plan.delay_s


INTERRUPTED = """
import json, sys
from constellm import split
problem = split.load_problem(sys.argv[1])
print("solving", flush=True)
plan = split.solve(problem, dominance=False, heuristic=False, intervals=False, unroll=False)
print(json.dumps([plan.status, plan.lower_bound_s, split.check(problem, plan)]), flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_the_search_with_a_bound(tmp_path):
    file = tmp_path / "hard.json"
    file.write_text(json.dumps(hard_problem()))
    command = [sys.executable, "-c", INTERRUPTED, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        assert process.stdout.readline() == "solving\n"
        # The search does not end by itself: whenever the signal comes, it meets the search, or its start.
        again = threading.Timer(0.5, process.send_signal, [signal.SIGINT])
        again.start()
        out, err = process.communicate()
        watchdog.cancel()
    assert process.returncode == 0, err
    status, bound, faults = json.loads(out)
    assert status == "interrupted"
    assert bound > 0
    assert faults == []


# ---- the same again --------------------------------------------------------------------------


def outcome(plan):
    return plan.status, plan.path, plan.stages, plan.delay_s, plan.lower_bound_s, plan.counters


def test_same_call_same_answer_and_counters():
    """The workspace of a thread holds what the last problem left: another order must not show."""
    problems = [split.problem_from_dict(random_problem(seed)) for seed in range(60)]
    problems += [
        split.problem_from_dict(
            random_chain(seed, layers=20, nodes=5, codecs=6, micro_batches=8, max_error=0.2)
        )
        for seed in range(4)
    ]
    first = [repr(outcome(split.solve(problem))) for problem in problems]
    backward = [repr(outcome(split.solve(problem))) for problem in reversed(problems)]
    assert first == backward[::-1]

    fresh = []

    def solve_in_a_new_thread(problem):
        thread = threading.Thread(target=lambda: fresh.append(repr(outcome(split.solve(problem)))))
        thread.start()
        thread.join()

    for problem in problems:
        solve_in_a_new_thread(problem)
    assert first == fresh


def test_a_search_cut_short_leaves_nothing_behind():
    data = random_problem(3)
    problem, hard = split.problem_from_dict(data), split.problem_from_dict(hard_problem())
    before = outcome(split.solve(problem))
    split.solve(hard, time_limit_s=0.05, **HARD)
    assert repr(outcome(split.solve(problem))) == repr(before)


def test_unknown_method_and_options():
    problem = split.problem_from_dict(random_problem(0))
    with pytest.raises(TypeError, match="unknown option 'time_limit'"):
        split.solve(problem, time_limit=1)
    with pytest.raises(ValueError, match="nonsense"):
        split.solve(problem, method="nonsense")
    with pytest.raises(TypeError, match="unroll"):
        split.solve(problem, method="ground-only", unroll=False)
