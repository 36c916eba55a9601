"""Demand that somebody chooses: what it overloads, that none is worse than the exact one, its environment."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from constellm import services
from constellm.services.learned.adversary import (
    ADVERSARY_FEATURES,
    DEMANDS,
    adversary_features,
    demand_rule,
    rates_of,
    used,
    within_budget,
)
from constellm.services.learned.policy import drawn_network
from oracles.placed_services import chain_problem, drawn, three
from oracles.random_services import problem_of, random_data


def placed(problem: services.Problem, seed: int) -> services.Placement:
    """By chance, tasks for which nothing is left out; nominal rates fit."""
    from constellm.services.learned.episode import Episode
    from constellm.services.learned.setting import Setting
    from constellm.services.placement import placement_of

    episode, random = Episode(Setting(problem, guard="nominal")), np.random.default_rng(seed)
    while episode.choice is not None:
        episode.decide(int(random.choice(np.flatnonzero(episode.choice.allowed))))
    return placement_of(problem, episode.positions())


def largest(problem: services.Problem, placement: services.Placement, shares: np.ndarray) -> float:
    """The largest load of a node or a link, relative to its limit."""
    return float((used(problem, placement) @ rates_of(problem, np.asarray(shares, float))).max(initial=0.0))


def pairs(count: int = 4) -> list[tuple[services.Problem, services.Placement]]:
    return [(drawn(seed), placed(drawn(seed), seed)) for seed in range(count)]


def test_no_demand_is_worse_than_the_exact_one(random_problems):
    broken = 0
    for seed in range(random_problems):
        problem = problem_of(random_data(seed))
        if problem.samples is not None:
            continue
        placement = placed(problem, seed)
        random = np.random.default_rng(seed)
        worst = demand_rule("worst")(problem, placement, random)
        most = largest(problem, placement, worst)
        for _ in range(10):
            shares = within_budget(problem, random.random(len(problem.tasks)))
            assert largest(problem, placement, shares) <= most * (1 + 1e-12), seed
        corner = demand_rule("random")(problem, placement, random)
        assert largest(problem, placement, corner) <= most * (1 + 1e-12), seed
        if any(placement.assignment.values()) and most > 0.0:
            exact = services.worst_demand(problem, placement)
            assert most == pytest.approx(exact.load / exact.limit if exact.limit else np.inf, rel=1e-12)
            assert (services.overload(problem, placement, worst) > 0.0) == exact.breaks
        broken += services.overload(problem, placement, worst) > 0.0
        box = problem.replace(budget=None)
        most = services.overload(box, placement, np.ones(len(problem.tasks)))
        assert services.overload(box, placement, random.random(len(problem.tasks))) <= most * (1 + 1e-12)
    assert broken > 0.02 * random_problems


def test_overload_is_that_of_the_evaluator():
    problem = drawn(2)
    placement = placed(problem, 1)
    shares = np.random.default_rng(0).random(len(problem.tasks))
    raised = [
        services.Task(
            task.name,
            rate_per_s=9.0 * (task.rate_per_s + z * task.deviation_per_s),
            source=task.source,
            sink=task.sink,
            stages=task.stages,
            output_bytes=task.output_bytes,
        )
        for task, z in zip(problem.tasks, shares.tolist())
    ]
    found = services.evaluate(problem.replace(tasks=raised), placement)
    limits = 0.9 * np.array([node.flop_per_s for node in problem.network.nodes])
    over = np.maximum(found.node_load_flop_per_s / limits - 1.0, 0.0).sum()
    over += np.maximum(found.link_load_bps / (0.9 * problem.network.rate_bps) - 1.0, 0.0).sum()
    nine = problem.replace(
        tasks=[
            services.Task(
                task.name,
                rate_per_s=9.0 * task.rate_per_s,
                deviation_per_s=9.0 * task.deviation_per_s,
                source=task.source,
                sink=task.sink,
                stages=task.stages,
                output_bytes=task.output_bytes,
            )
            for task in problem.tasks
        ]
    )
    assert over > 0.5
    assert services.overload(nine, placement, shares) == pytest.approx(over, rel=1e-12)


@pytest.mark.parametrize("budget", [None, 0.0, 1.5, 2.0, 99.0])
def test_rules_keep_to_the_budget(budget):
    problem = drawn(3).replace(budget=budget)
    placement, random = placed(problem, 0), np.random.default_rng(1)
    most = len(problem.tasks) if budget is None else min(budget, len(problem.tasks))
    for name in DEMANDS:
        shares = demand_rule(name)(problem, placement, random)
        assert shares.shape == (5,) and (shares >= 0).all() and (shares <= 1).all()
        assert shares.sum() <= most + 1e-12
    everything = demand_rule(lambda problem, placement, random: np.ones(5))
    assert everything(problem, placement, random).sum() == pytest.approx(most)
    assert demand_rule("nominal")(problem, placement, random).tolist() == [0.0] * 5


@pytest.mark.parametrize(
    ("shares", "message"),
    [([0.5], r"shape \(5,\)"), ([2.0] * 5, r"in \[0, 1\]"), (["a"] * 5, "expected numbers")],
)
def test_shares_that_are_none_are_refused(shares, message):
    problem, placement = pairs(1)[0]
    with pytest.raises(ValueError, match=message):
        services.overload(problem, placement, shares)
    with pytest.raises(ValueError, match=message):
        demand_rule(lambda *given: shares)(problem, placement, np.random.default_rng(0))


def test_samples_are_no_set():
    problem = services.nominal_problem(chain_problem(objective="cost")).replace(samples=[[1.0, 1.0]])
    on = services.Placement({"encoder": ["n0"]}, {"first": ["n0"], "second": ["n0"]})
    with pytest.raises(ValueError, match="problem: has samples"):
        services.overload(problem, on, [0.0, 0.0])


def test_what_an_adversary_sees():
    problem = chain_problem(objective="cost")
    placement = services.Placement({"encoder": ["n0"]}, {"first": ["n0"], "second": ["n0"]})
    column = dict(zip(ADVERSARY_FEATURES, adversary_features(problem, placement).T.tolist()))
    assert column["is_served"] == [1.0, 1.0]
    assert column["raise_at_most"] == pytest.approx([0.05 / 1.05] * 2)  # half a request of 0.1 s
    assert column["fills_nominally"] == pytest.approx([0.2 / 1.2] * 2)
    assert column["fills"] == pytest.approx([0.3 / 1.3] * 2)
    assert column["budget"] == [1.0, 1.0]


def test_its_environment():
    pytest.importorskip("gymnasium")
    from gymnasium.utils.env_checker import check_env

    env = services.AdversaryEnv(pairs())
    check_env(env, skip_render_check=True)
    problem, placement = env.placed[2]
    observation, info = env.reset(seed=1, options={"placed": 2})
    assert info == {"placed": 2}
    assert np.array_equal(observation, adversary_features(problem, placement).ravel())
    action = np.linspace(0.0, 1.0, 5).astype(np.float32)
    _, reward, over, cut, info = pickle.loads(pickle.dumps(env)).step(action)
    assert over and not cut
    assert reward == largest(problem, placement, action.astype(np.float64))
    assert info["overload"] == services.overload(problem, placement, info["demand"])
    assert {env.reset(seed=seed)[1]["placed"] for seed in range(30)} == {0, 1, 2, 3}
    env.step(action)
    with pytest.raises(ValueError, match="the episode is over"):
        env.step(action)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action: .* is not in \[0, 1\]"):
        env.step(np.full(5, 2.0))


def test_problems_with_fewer_tasks_than_others():
    pytest.importorskip("gymnasium")
    chain = chain_problem(objective="cost")
    on = services.Placement({"encoder": ["n0"]}, {"first": ["n0"], "second": ["n0"]})
    env = services.AdversaryEnv([*pairs(2), (chain, on)])
    observation, _ = env.reset(options={"placed": 2})
    rows = observation.reshape(5, -1)
    assert np.array_equal(rows[:2], adversary_features(chain, on)) and not rows[2:].any()
    _, reward, _, _, info = env.step([1.0, 0.0, 1.0, 1.0, 1.0])
    assert info["demand"].tolist() == [1.0, 0.0]
    assert reward == largest(chain, on, np.array([1.0, 0.0])) == pytest.approx(0.25)


def test_placements_that_are_refused():
    pytest.importorskip("gymnasium")
    problem, placement = pairs(1)[0]
    chain = chain_problem(objective="cost")
    on = services.Placement({"encoder": ["n0"]}, {"first": ["n0"], "second": ["n0"]})
    sampled = services.nominal_problem(chain).replace(samples=[[1.0, 1.0]])
    for given, error, message in [
        ([], ValueError, "placed: must not be empty"),
        ([problem], TypeError, r"placed\[0\]: expected a problem and its placement"),
        ([(problem, 1)], TypeError, "placement: expected"),
        ([(problem, on)], ValueError, "replicas"),
        ([(sampled, on)], ValueError, "samples"),
    ]:
        with pytest.raises(error, match=message):
            services.AdversaryEnv(given)


def test_a_learned_demand_is_a_rule():
    rule = services.LearnedDemand(drawn_network(len(ADVERSARY_FEATURES), 8, np.random.default_rng(0)))
    problem, placement = pairs(1)[0]
    shares = demand_rule(rule)(problem, placement, np.random.default_rng(0))
    assert shares.shape == (5,)
    assert np.array_equal(shares, pickle.loads(pickle.dumps(rule))(problem, placement))
    with pytest.raises(ValueError, match="reads 3 features"):
        services.LearnedDemand(drawn_network(3, 8, np.random.default_rng(0)))


def test_an_adversary_learns_what_hurts():
    pytest.importorskip("stable_baselines3")
    given = [(problem.replace(budget=2.0), placement) for problem, placement in pairs(12)]
    short = services.train_adversary(given, steps=1_024, seed=2)
    assert short == services.train_adversary(given, steps=1_024, seed=2)
    assert short != services.train_adversary(given, steps=1_024, seed=3)
    random = np.random.default_rng(0)

    def share(rule) -> float:
        """Of the raise of the largest load that is possible at all."""
        shares = []
        for problem, placement in given:
            nothing = largest(problem, placement, np.zeros(5))
            exact = services.worst_demand(problem, placement)
            here = largest(problem, placement, demand_rule(rule)(problem, placement, random))
            shares.append((here - nothing) / (exact.load / exact.limit - nothing))
        assert max(shares) <= 1 + 1e-9
        return sum(shares) / len(shares)

    assert share("worst") == pytest.approx(1.0)
    assert share(services.train_adversary(given, steps=8_192, seed=2)) > share("random") + 0.1


def test_three_problems_are_three():
    assert len({problem.name for problem in three()}) == 3
