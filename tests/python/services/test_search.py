"""Branch and bound is enumeration, its bounds never cross, and fixing takes away nothing that is wanted."""

from __future__ import annotations

import itertools
import math

import pytest

from constellm import services
from constellm._core import services as _core
from constellm.services.placement import Positions, placement_of
from oracles.random_services import problem_of, random_data
from oracles.services import Oracle, enumerated


def terms_of(problem, placement):
    found = services.evaluate(problem, placement)
    return found.objective, found.second


def test_examples(example):
    data, plan = example
    found = services.solve(services.problem_from_dict(data), method="search")
    assert found.status == plan["status"]
    if plan["status"] == "optimal":
        assert (found.cost, found.delay_s) == pytest.approx((plan["cost"], plan["delay_s"]), rel=1e-9)
        assert found.lower_bound == pytest.approx(plan["lower_bound"], rel=1e-9)
        assert found.second_optimal


def test_enumeration(random_problems):
    seen = {"optimal": 0, "infeasible": 0}
    for seed in range(random_problems):
        data = random_data(seed)
        problem = problem_of(data)
        found = services.solve(problem, method="search")
        best = enumerated(data)
        seen[found.status] += 1
        if best is None:
            assert found.status == "infeasible", seed
            continue
        assert found.status == "optimal", seed
        assert found.second_optimal, seed
        first, second = terms_of(problem, found)
        assert first == pytest.approx(best[0][0], rel=1e-9, abs=0.0), seed
        assert second <= best[0][1] * (1 + 1e-9), seed
        assert found.lower_bound <= first
    assert min(seen.values()) > random_problems // 10


def plans_of(data):
    """First terms and assignments of everything that is allowed."""
    oracle = Oracle(data)
    for chosen in itertools.product(*(oracle.choices(task) for task in data["tasks"])):
        assignment = list(chosen)
        terms = oracle.terms(assignment, oracle.serving(assignment))
        if oracle.allowed(terms):
            yield oracle.rank(terms)[0], assignment


def test_a_search_cut_short_keeps_better_plans(random_problems):
    open_ones = 0
    for seed in range(random_problems // 4):
        data = random_data(seed)
        problem = problem_of(data)
        compiled, routes = problem._compiled, problem._routes
        plans = list(plans_of(data))
        least = min((first for first, _ in plans), default=math.inf)
        for most_nodes, most_gap in ((0, math.inf), (2, math.inf), (10**6, 0.01), (10**6, math.inf)):
            for start in (None, worst_of(data, plans)):
                proven, hosts, bound, found, nodes, interrupted = _core.explored(
                    compiled, routes, [], start, most_nodes, most_gap, math.inf
                )
                value = math.inf
                if found is not None:
                    value = services.evaluate(problem, placement_of(problem, Positions(*found))).objective
                assert not interrupted
                assert nodes <= most_nodes, seed
                assert bound <= least * (1 + 1e-9), seed
                assert value >= least * (1 - 1e-9), seed
                if proven:
                    assert value <= least * (1 + 1e-9), seed
                    continue
                assert most_nodes < 10**6 or most_gap < math.inf, seed
                open_ones += 1
                for first, assignment in plans:
                    slots = [v for nodes_of_task in assignment for v in nodes_of_task or ()]
                    is_whole = len(slots) == len(hosts)
                    if first < value * (1 - 1e-9) and is_whole:
                        assert all(v in left for v, left in zip(slots, hosts)), seed
    assert open_ones > random_problems // 100


def worst_of(data, plans):
    """Positions of the worst plan, or None."""
    if not plans:
        return None
    assignment = max(plans, key=lambda plan: plan[0])[1]
    slots = [list(nodes or ()) for nodes in assignment]
    serving = Oracle(data).serving(list(assignment))
    return [serving[service["name"]] for service in data["services"]], slots


def test_fixing_keeps_what_is_wanted(random_problems):
    fewer = 0
    for seed in range(random_problems):
        data = random_data(seed)
        problem = problem_of(data)
        plans = list(plans_of(data))
        least = min((first for first, _ in plans), default=math.inf)
        for value in (least, 1.2 * least, math.inf):
            left = services.reduced_hosts(problem, value, steps=60)
            assert left.possible or (not plans or least > value), seed
            met = math.inf if left.placement is None else services.evaluate(problem, left.placement).objective
            wanted = [(first, a) for first, a in plans if first <= min(value, met)]
            assert least >= min(left.lower_bound, value, met) * (1 - 1e-9), seed
            if not left.possible:
                assert not wanted, seed
                continue
            ids = [node.id for node in problem.network.nodes]
            for _, assignment in wanted:
                for hosts, nodes in zip(left.hosts, assignment):
                    assert all(ids[v] in allowed for allowed, v in zip(hosts, nodes)), seed
            fewer += all_places(problem) - sum(len(nodes) for task in left.hosts for nodes in task)
    assert fewer > random_problems


def all_places(problem):
    hosts = {service.name: len(nodes) for service, nodes in zip(problem.services, problem._compiled.hosts)}
    return sum(hosts[stage.service] for task in problem.tasks for stage in task.stages)


def test_stopped_early_its_bound_is_true(random_problems):
    """However few steps there are, no plan is below."""
    for seed in range(random_problems):
        data = random_data(seed)
        problem = problem_of(data)
        best = enumerated(data)
        found = services.solve(problem, method="search", time_limit_s=0.0)
        if best is None:
            assert found.status in ("infeasible", "time_limit", "no_plan_found"), seed
            continue
        assert found.lower_bound <= best[0][0] * (1 + 1e-9), seed
        if found.placement is not None:
            assert terms_of(problem, found)[0] >= best[0][0] * (1 - 1e-9), seed


def test_more_steps_raise_the_bound_and_two_runs_are_the_same():
    for seed in range(20):
        problem = problem_of(random_data(seed))
        bounds = [services.reduced_hosts(problem, steps=steps).lower_bound for steps in (0, 20, 200)]
        assert bounds == sorted(bounds)
        one, two = (services.solve(problem, method="search", threads=threads) for threads in (1, 2))
        assert (one.status, one.placement, one.lower_bound) == (two.status, two.placement, two.lower_bound)
        assert dict(one.counters) == dict(two.counters)


def test_a_start_is_taken_where_it_keeps_the_limits():
    data = random_data(3)
    problem = problem_of(data)
    found = services.solve(problem, method="search")
    positions = services.placement.positions_of(problem, found.placement)
    again = _core.search(problem._compiled, problem._routes, math.inf, 0, 1, tuple(positions))
    assert again[0] == found.status
    assert again[2] == found.lower_bound


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"value": -1.0}, ValueError, "value: -1"),
        ({"value": "much"}, TypeError, "value"),
        ({"steps": -1}, ValueError, "steps: -1"),
        ({"steps": 1.5}, TypeError, "steps"),
        ({"time_limit_s": math.nan}, ValueError, "time_limit_s"),
    ],
)
def test_bad_input(change, error, text):
    problem = problem_of(random_data(0))
    with pytest.raises(error, match=text):
        services.reduced_hosts(problem, **change)
    with pytest.raises(TypeError, match="problem"):
        services.reduced_hosts("problem")
