"""Demand that is not known: the worst, the drawn, what a budget promises, and what it costs."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

from constellm import network, services
from oracles.random_services import placement_of, problem_of, random_assignment, random_problem
from oracles.services import Oracle, enumerated

SHARE = 10  # of the random problems where each is solved several times


def placed(seed: int):
    """A random problem with an oracle and a placement; None where there is none."""
    draw = random.Random(f"demand {seed}")
    data = random_problem(draw)
    oracle = Oracle(data)
    assignment = random_assignment(oracle, draw)
    if assignment is None:
        return None
    terms = oracle.terms(assignment, oracle.serving(assignment))
    if terms is None:
        return None
    return data, oracle, terms, problem_of(data), placement_of(oracle, assignment, oracle.serving(assignment))


def loads_break(oracle: Oracle, terms: dict) -> bool:
    nodes, links = oracle.capacity()
    pairs = [*zip(terms["node_load"], nodes), *zip(terms["link_load"], links)]
    return any(load > most for load, most in pairs)


def test_the_worst_demand_is_that_of_the_oracle(random_problems):
    broken = 0
    for seed in range(random_problems):
        made = placed(seed)
        if made is None:
            continue
        data, oracle, terms, problem, placement = made
        nodes, links = oracle.capacity()
        pairs = [*zip(terms["node_load"], nodes), *zip(terms["link_load"], links)]
        if not any(load for load, _ in pairs):
            continue
        worst = services.worst_demand(problem, placement)
        assert worst.breaks == loads_break(oracle, terms), seed
        most = max(load / limit for load, limit in pairs if limit)
        assert worst.load / worst.limit == pytest.approx(most, rel=1e-8), seed
        # The demand is in the set, and it does what is said of it.
        rates = [task["rate_per_s"] for task in data["tasks"]]
        rises = [task.get("deviation_per_s", 0.0) for task in data["tasks"]]
        z = [(now - r) / d if d else 0.0 for now, r, d in zip(worst.rate_per_s, rates, rises)]
        assert all(-1e-9 <= one <= 1 + 1e-9 for one in z), seed
        assert sum(z) <= (math.inf if oracle.budget is None else oracle.budget) + 1e-9
        assert (services.violation(problem, placement, [worst.rate_per_s]).broken == 1) == worst.breaks, seed
        broken += worst.breaks
    assert broken > 0.02 * random_problems


def test_what_a_placement_withstands(random_problems):
    some = 0
    for seed in range(random_problems):
        made = placed(seed)
        if made is None or not any(made[2]["node_load"] + made[2]["link_load"]):
            continue
        _, _, _, problem, placement = made
        most = services.worst_demand(problem, placement).withstands
        if math.isnan(most):
            assert services.worst_demand(problem.replace(budget=0), placement).breaks
        elif math.isinf(most):
            assert not services.worst_demand(problem.replace(budget=None), placement).breaks
        else:
            some += 1
            below, above = (problem.replace(budget=max(0.0, most + by)) for by in (-1e-6, 1e-6))
            assert not services.worst_demand(below, placement).breaks, seed
            assert services.worst_demand(above, placement).breaks, seed
    assert some > 0.01 * random_problems


def test_a_box_breaks_at_its_upper_corner_or_nowhere(random_problems):
    """Constraints are monotone in demand, so that no other corner breaks what this one does not."""
    for seed in range(random_problems // SHARE):
        made = placed(seed)
        if made is None:
            continue
        _, _, _, problem, placement = made
        rate = np.array([task.rate_per_s for task in problem.tasks])
        rise = np.array([task.deviation_per_s for task in problem.tasks])
        corners = rate + rise * np.array(list(itertools.product((0, 1), repeat=len(rate))))
        upper = services.violation(problem, placement, [rate + rise]).broken
        assert (services.violation(problem, placement, corners).broken > 0) == bool(upper), seed


def test_violations_are_the_broken_samples_of_the_evaluator(random_problems):
    for seed in range(random_problems // SHARE):
        made = placed(seed)
        if made is None:
            continue
        _, _, _, problem, placement = made
        drawn = services.sample_demand(problem, 50, seed=seed)
        tasks = [
            services.Task(
                t.name, rate_per_s=t.rate_per_s, source=t.source, sink=t.sink, stages=t.stages,
                output_bytes=t.output_bytes, deadline_s=t.deadline_s,
            )
            for t in problem.tasks
        ]  # fmt: skip
        sampled = problem.replace(tasks=tasks, budget=None, samples=drawn)
        found = services.violation(problem, placement, drawn)
        assert found.broken == services.evaluate(sampled, placement).broken_samples, seed
        assert found.samples == 50 and found.worst <= found.share


# ---- draws and bounds ---------------------------------------------------------------------------

NODES = [network.Node(id=id, flop_per_s=1e12, memory_bytes=4e9) for id in ("a", "b", "c", "d")]
PAIRS = [(i, j) for i in range(4) for j in range(4) if i != j]
GRAPH = network.Graph(
    NODES, from_=[i for i, _ in PAIRS], to=[j for _, j in PAIRS], rate_bps=1e9, latency_s=0.01
)
ENCODER = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
DECODER = services.Service("decoder", flop=5e9, memory_bytes=1e9, cost=1.0)


def several(tasks: int, rate: float, rise: float, **changes) -> services.Problem:
    stages = [
        services.Stage("encoder", [services.Input(-1, 1e5)]),
        services.Stage("decoder", [services.Input(0, 1e4)]),
    ]
    made = [
        services.Task(f"t{i}", rate_per_s=rate, deviation_per_s=rise, source="a", sink="a", stages=stages)
        for i in range(tasks)
    ]
    return services.Problem(network=GRAPH, services=[ENCODER, DECODER], tasks=made, **changes)


def test_draws():
    problem = several(3, 10.0, 4.0)
    raised, symmetric = (
        services.sample_demand(problem, 4000, seed=3, spread=of) for of in ("raised", "symmetric")
    )
    assert np.array_equal(raised, services.sample_demand(problem, 4000, seed=3))
    assert not np.array_equal(raised, services.sample_demand(problem, 4000, seed=4))
    assert raised.min() >= 10.0 and raised.max() <= 14.0 and abs(raised.mean() - 12.0) < 0.05
    assert symmetric.min() >= 6.0 and symmetric.max() <= 14.0 and abs(symmetric.mean() - 10.0) < 0.05
    for arguments, message in (
        ({"n": 0}, "n: 0 is not in"),
        ({"n": 1, "spread": "wide"}, "spread: 'wide' is not one of 'raised', 'symmetric'"),
        ({"n": 1, "seed": -1}, "seed: -1 is not in"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            services.sample_demand(problem, **arguments)
    with pytest.raises(ValueError, match="of task 't0' the rate, 1.0, is not above its deviation, 4.0"):
        services.sample_demand(several(1, 1.0, 4.0), 1, spread="symmetric")
    for samples in ([[1.0]], [], [[1.0, 2.0, -1.0]], "x"):
        with pytest.raises(ValueError, match="samples: expected"):
            services.violation(problem, on_one(problem), samples)


def on_one(problem: services.Problem) -> services.Placement:
    return services.Placement.serving(problem, {task.name: ["a", "a"] for task in problem.tasks})


def test_the_bound_is_one_for_the_worst_distribution():
    """Signs: the distribution that theorem 3 is tight for; all of its 2ⁿ outcomes."""
    for n in range(1, 11):
        signs = np.array(list(itertools.product((-1, 1), repeat=n))).sum(axis=1)
        for budget in np.linspace(0.0, n, 4 * n + 1).tolist():
            bound = services.probability_bound(n, budget)
            assert np.mean(signs > budget) <= bound + 1e-12
        assert services.probability_bound(n, n) == 0.0
    assert services.probability_bound(0, 0) == 0.0


@pytest.mark.parametrize("rate", [10.0, 11.0, 12.0])
def test_guarantees_hold_out_of_sample(rate):
    problem = several(6, rate, 5.0)
    placement = on_one(problem)
    drawn = services.sample_demand(problem, 4000, seed=1, spread="symmetric")
    measured = services.violation(problem, placement, drawn).share
    assert measured <= services.guarantee(problem, placement) + 3 * math.sqrt(0.25 / 4000)
    assert services.guarantee(several(6, 100.0, 5.0), on_one(several(6, 100.0, 5.0))) == 1.0
    assert services.guarantee(several(6, 1.0, 0.5), on_one(several(6, 1.0, 0.5))) == 0.0


def test_samples_in_place_of_a_set_are_refused():
    problem = several(1, 1.0, 0.0, samples=[[2.0]])
    for call in (services.worst_demand, services.guarantee):
        with pytest.raises(ValueError, match="problem: has samples in place of a set of demands"):
            call(problem, on_one(problem))
    with pytest.raises(ValueError, match="problem: has samples"):
        services.price_of_robustness(problem)


# ---- prices -------------------------------------------------------------------------------------


def test_prices_are_those_of_enumeration(random_problems):
    pytest.importorskip("highspy")
    rises = 0
    for seed in range(random_problems // SHARE):
        draw = random.Random(f"price {seed}")
        data = random_problem(draw, most=300)
        for task in data["tasks"]:
            task["deviation_per_s"] = task["rate_per_s"] * draw.uniform(0.5, 6.0)
        problem = problem_of(data)
        found = services.price_of_robustness(problem, [0, 1, None], method="programme")
        for row, budget in zip(found, (0, 1, None)):
            limits = {**data["limits"], "budget": budget}
            best = enumerated({**data, "limits": limits})
            assert row["status"] == ("infeasible" if best is None else "optimal"), (seed, budget)
            if best is not None:
                term = row["cost"] if data["objective"] == "cost" else row["delay_s"]
                assert term == pytest.approx(best[0][0], rel=1e-8), (seed, budget)
        bounds = [row["lower_bound"] for row in found]
        assert bounds == sorted(bounds), seed
        rises += bounds[-1] > bounds[0] * (1 + 1e-9)
    assert rises > 0


def test_a_curve():
    pytest.importorskip("highspy")
    problem = several(6, 12.0, 5.0)
    drawn = services.sample_demand(problem, 500, spread="symmetric")
    curve = services.price_of_robustness(problem, method="programme", samples=drawn)
    assert [row["budget"] for row in curve] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0] and len(curve) == 7
    costs = [row["cost"] for row in curve]
    assert costs == sorted(costs) and costs[-1] > costs[0] and curve.rows[0]["price"] == 0.0
    assert [row["guarantee"] for row in curve] == sorted((row["guarantee"] for row in curve), reverse=True)
    assert (
        all(row["violated"] <= row["guarantee"] + 0.07 for row in curve) and curve.rows[-1]["violated"] == 0.0
    )
    assert "budget" in curve.summary() and "7 budgets" in repr(curve)
    for budgets, message in (
        ([], "budgets: must not be empty"),
        ([1, 0], r"budgets\[1\]: 0.0 is not above 1.0"),
        ([-1], r"budgets\[0\]: -1 is not in"),
        (3, "budgets: expected numbers"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            services.price_of_robustness(problem, budgets)


def test_plans_and_bounds_are_handed_on():
    from constellm.services.robust import handed_on

    problem = several(2, 1.0, 0.0)
    cheap, dear = on_one(problem), services.Placement(
        {"encoder": ["a", "b"], "decoder": ["a"]}, {"t0": ["a", "a"], "t1": ["b", "a"]}
    )  # fmt: skip
    left_open = services.Plan(problem, "time_limit", dear, 1.0)
    harder = services.Plan(problem, "feasible", cheap, 2.0)
    easier, same = handed_on([left_open, harder])
    assert (easier.status, easier.cost, easier.lower_bound) == ("time_limit", 2.0, 1.0)
    assert (same.status, same.cost) == ("feasible", 2.0)
    first, second = handed_on([services.Plan(problem, "optimal", cheap, 2.0), left_open])
    assert (second.lower_bound, second.cost, second.status) == (2.0, 3.0, "time_limit")
    assert first.status == "optimal"
    # A bound that is above by rounding alone takes nothing from what was proven.
    proven = services.Plan(problem, "optimal", cheap, 2.0 * (1 - 1e-10), True)
    last = handed_on([services.Plan(problem, "optimal", cheap, 2.0), proven])[1]
    assert last.second_optimal and last.lower_bound == 2.0
    none = handed_on(
        [
            services.Plan(problem, "infeasible", None, math.inf),
            services.Plan(problem, "time_limit", None, 1.0),
        ]
    )
    assert none[1].status == "infeasible"
    assert handed_on([first, services.Plan(problem, "interrupted", None, 1.0)])[1].status == "interrupted"


def test_a_curve_ends_when_it_is_interrupted(monkeypatch):
    from constellm.services import robust

    problem = several(3, 12.0, 5.0)
    cheap = services.solve(problem.replace(budget=0), method="search").placement
    calls = []

    def interrupted(one, **options):
        calls.append(one.budget)
        return services.Plan(
            one, "interrupted" if one.budget else "optimal", cheap, 0.0 if one.budget else 2.0
        )

    monkeypatch.setattr(robust, "solve", interrupted)
    with pytest.raises(services.Interrupted) as stopped:
        services.price_of_robustness(problem, [0, 0.1, 0.2, 0.3], method="search")
    assert calls == [0.0, 0.1] and [row["budget"] for row in stopped.value.result] == [0.0, 0.1]


def test_recourse():
    pytest.importorskip("highspy")
    problem = several(4, 12.0, 6.0)
    drawn = services.sample_demand(problem, 4, seed=2)
    whole = {}
    for core in ((), ("encoder",), ("encoder", "decoder")):
        horizon = services.recourse(problem, drawn, core=core)
        assert horizon.shares == (0.25,) * 4
        assert [task.rate_per_s for task in horizon.slots[1].tasks] == drawn[1].tolist()
        plan = services.solve_horizon(horizon)
        assert plan.status == "optimal" and plan.starts == 0 or not core
        whole[len(core)] = plan.cost
    each = [services.solve(slot, method="programme").cost for slot in horizon.slots]
    assert whole[0] == pytest.approx(sum(each) / 4)
    assert whole[0] <= whole[1] <= whole[2]
    with pytest.raises(ValueError, match="samples: expected numbers of shape"):
        services.recourse(problem, [[1.0]], core=())
    for weights, message in (
        ([1.0, 0.0, 1.0, 1.0], r"weights\[1\]: 0.0 is not in \(0, 1e\+12\]"),
        ([1.0, math.nan, 1.0, 1.0], r"weights\[1\]: nan is not in"),
        ([1.0], r"weights: shape \(1,\) is not \(4,\), the samples"),
    ):
        with pytest.raises(ValueError, match=message):
            services.recourse(problem, drawn, core=(), weights=weights)
    assert services.recourse(problem, drawn, core=(), weights=[1, 2, 3, 2]).shares == (
        0.125,
        0.25,
        0.375,
        0.25,
    )


def test_nothing_loads_anything():
    problem = several(2, 1.0, 0.5).replace(objective="admitted")
    worst = services.worst_demand(
        problem, services.Placement({"encoder": [], "decoder": []}, {"t0": [], "t1": []})
    )
    assert (worst.where, worst.load, worst.withstands, worst.breaks) == ("a", 0.0, math.inf, False)
    assert worst.rate_per_s.tolist() == [1.0, 1.0]


def test_the_bound_of_very_many_tasks_is_that_of_a_normal_distribution():
    n = 20_000
    for gamma in (0.0, 100.0, 282.5):
        normal = 0.5 * math.erfc((gamma - 1.0) / math.sqrt(2.0 * n))  # with half a step of 2 for each side
        assert services.probability_bound(n, gamma) == pytest.approx(normal, rel=0.02)
    with pytest.raises(ValueError, match=r"tasks: 100001 is not in \[0, 100000\]"):
        services.probability_bound(100_001, 1.0)
