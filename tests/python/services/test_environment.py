"""Episodes that place a problem: the spaces, the masks, the rewards, the same again from the same seed."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest

from constellm import network, services
from constellm.services.learned.episode import Episode
from constellm.services.learned.features import FEATURES, features
from constellm.services.learned.setting import Setting
from oracles.placed_services import chain_problem, drawn, three
from oracles.random_services import problem_of, random_data
from oracles.services import enumerated

gymnasium = pytest.importorskip("gymnasium")


def played(env, actions, **reset):
    """Observations, rewards, infos of an episode whose actions a generator draws."""
    observation, info = env.reset(**reset)
    seen, rewards, infos, over = [observation], [], [info], False
    while not over:
        observation, reward, over, cut, info = env.step(int(actions.integers(env.nodes)))
        assert not cut
        seen.append(observation)
        rewards.append(reward)
        infos.append(info)
    return seen, rewards, infos


def same(a, b):
    assert np.array_equal(a[0], b[0]) and a[1] == b[1]
    assert len(a[2]) == len(b[2])
    assert a[2][-1]["placement"] == b[2][-1]["placement"]
    assert a[2][-1]["evaluation"] == b[2][-1]["evaluation"]
    assert np.array_equal(a[2][-1]["demand"], b[2][-1]["demand"])


@pytest.mark.parametrize("objective", ["cost", "delay", "admitted"])
@pytest.mark.parametrize("guard", ["worst", "nominal"])
def test_it_is_an_environment_of_gymnasium(objective, guard):
    from gymnasium.utils.env_checker import check_env

    problems = [problem.replace(objective=objective) for problem in three()]
    env = services.PlacementEnv(problems, guard=guard, demand="random")
    check_env(env, skip_render_check=True)
    assert env.action_space.n == len(problems[0].network.nodes)
    assert env.observation_space.shape == (env.nodes * len(FEATURES),)


def test_stable_baselines_takes_it():
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(services.PlacementEnv(three()), warn=True)


def test_the_same_seed_and_actions_are_the_same_episode():
    env = services.PlacementEnv(three(), guard="nominal", demand="random")
    first = played(env, np.random.default_rng(4), seed=11)
    same(first, played(env, np.random.default_rng(4), seed=11))
    same(
        first,
        played(
            services.PlacementEnv(three(), guard="nominal", demand="random"),
            np.random.default_rng(4),
            seed=11,
        ),
    )
    numbers = {env.reset(seed=seed)[1]["problem"] for seed in range(20)}
    assert numbers == {0, 1, 2}
    assert env.reset(seed=3, options={"problem": 2})[1]["problem"] == 2
    with pytest.raises(ValueError, match=r"problem: 3 is not in \[0, 2\]"):
        env.reset(options={"problem": 3})


def test_it_pickles_between_and_within_episodes():
    env = services.PlacementEnv(drawn, demand="worst")
    other = pickle.loads(pickle.dumps(env))
    same(played(env, np.random.default_rng(1), seed=5), played(other, np.random.default_rng(1), seed=5))
    env.reset(seed=8)
    env.step(0)
    other = pickle.loads(pickle.dumps(env))
    mine, its = env.step(1), other.step(1)
    assert np.array_equal(mine[0], its[0]) and mine[1:3] == its[1:3]
    assert np.array_equal(env.action_masks(), other.action_masks())


def test_a_problem_can_come_from_a_number():
    env = services.PlacementEnv(drawn)
    number = env.reset(seed=1)[1]["problem"]
    assert 0 <= number < 2**31
    assert env.episode.setting.problem == drawn(number)
    assert env.reset(options={"problem": 7})[1]["problem"] == 7
    assert env.episode.setting.problem == drawn(7)


def test_rewards_sum_up_to_the_evaluators_objective(random_problems):
    ends = {"feasible": 0, "unserved": 0, "broken": 0}
    for seed in range(random_problems):
        problem = problem_of(random_data(seed))
        guard = "nominal" if seed % 3 == 0 else "worst"
        env = services.PlacementEnv([problem], guard=guard, demand="worst", penalty=1.5)
        _, rewards, infos = played(env, np.random.default_rng(seed), seed=seed)
        end = infos[-1]
        found = services.evaluate(problem, end["placement"])
        assert found == end["evaluation"]
        assert end["objective"] == found.objective
        assert infos[0]["start"] == end["start"] and infos[0]["scale"] == end["scale"] > 0.0
        assert end["feasible"] == (services.check(problem, end["placement"]) == []), seed
        away = sum(not nodes for nodes in end["placement"].assignment.values())
        assert end["unserved"] == (0 if problem.objective == "admitted" else away)
        expected = (end["start"] - end["objective"]) / end["scale"] - 1.5 * (
            end["unserved"] + end["overload"]
        )
        assert sum(rewards) == pytest.approx(expected, rel=1e-9, abs=1e-9), seed
        if problem.samples is None:
            assert end["overload"] == services.overload(problem, end["placement"], end["demand"])
        if guard == "worst":
            assert end["overload"] == 0.0, seed
            # Nothing but a task that is turned away can break a rule.
            assert end["feasible"] == (end["unserved"] == 0), (
                seed,
                services.check(problem, end["placement"]),
            )
        ends["feasible"] += end["feasible"]
        ends["unserved"] += end["unserved"] > 0
        ends["broken"] += not end["feasible"] and not end["unserved"]
    assert min(ends.values()) > 0.003 * random_problems, ends


def test_no_episode_is_better_than_the_optimum_and_some_are_as_good(random_problems):
    count = met = 0
    for seed in range(min(random_problems, 100)):
        data = random_data(seed)
        problem, best = problem_of(data), enumerated(data)
        env = services.PlacementEnv([problem])
        for attempt in range(8):
            end = played(env, np.random.default_rng(attempt), seed=seed)[2][-1]
            if end["feasible"]:
                assert best is not None
                assert end["objective"] >= best[0][0] * (1 - 1e-12)
                if end["objective"] <= best[0][0] * (1 + 1e-12):
                    break
        else:
            count += best is not None
            continue
        count, met = count + 1, met + 1
    assert met > 0.6 * count, (met, count)


def test_a_masked_choice_falls_to_the_least_growth():
    env = services.PlacementEnv([chain_problem(objective="cost")])
    env.reset(seed=0)
    assert env.action_masks().tolist() == [True, False, True]  # the one between has no memory
    _, reward, over, _, info = env.step(1)
    assert info["replaced"] and info["node"] == 0  # both cost the same; the first is nearer to its data
    assert reward == -1.0 and not over
    assert env.action_masks().tolist() == [True, False, True]
    _, reward, over, _, info = env.step(1)
    assert info["replaced"] and info["node"] == 0 and reward == 0.0  # there it costs nothing
    assert over and info["feasible"] and info["evaluation"].cost == 2.0
    assert info["placement"].replicas["encoder"] == ("n0",)
    with pytest.raises(ValueError, match="the episode is over"):
        env.step(0)


def test_an_allowed_choice_is_kept():
    env = services.PlacementEnv([chain_problem(objective="cost")])
    env.reset(seed=0)
    info = env.step(2)[4]
    assert not info["replaced"] and info["node"] == 2
    reward, over, _, info = env.step(0)[1:]
    assert over and reward == -1.0 and info["evaluation"].cost == 4.0


def test_core_services_come_first_and_order_follows_the_objective():
    problem = three()[0]
    env = services.PlacementEnv([problem], core=["m3"])
    setting = env.episode.setting
    light = [slot.service != 3 for slot in setting.order]
    assert light == sorted(light) and not all(light)
    costs = [problem.services[slot.service].cost for slot, is_light in zip(setting.order, light) if is_light]
    assert costs == sorted(costs, reverse=True)
    delay = Setting(problem.replace(objective="delay"), core=[])
    assert [slot[:2] for slot in delay.order] == sorted(slot[:2] for slot in delay.order)
    used = [{slot.service for slot in setting.order if slot.task == t} for t in range(setting.tasks)]
    several = {s for s in range(8) if sum(s in of for of in used) > 1}
    assert Setting(problem).core == several
    with pytest.raises(ValueError, match=r"core\[0\]: 'nothing' is not the name of a service"):
        services.PlacementEnv([problem], core=["nothing"])


def test_tasks_without_a_node_are_turned_away_before_the_first_step():
    problem = chain_problem(objective="cost", deadline_s=1e-6)
    env = services.PlacementEnv([problem])
    observation, _ = env.reset(seed=0)
    assert not observation.any() and env.action_masks().all()
    _, reward, over, _, info = env.step(2)
    assert over and reward == -2.0 and info["unserved"] == 2 and not info["feasible"]
    assert not any(info["placement"].assignment.values())
    turned = services.PlacementEnv([problem.replace(objective="admitted")])
    turned.reset(seed=0)
    _, reward, over, _, info = turned.step(2)
    assert over and reward == -1.0 and info["unserved"] == 0 and info["feasible"]


def test_links_that_bind_or_end_are_seen_when_a_task_is_whole():
    slow = chain_problem(objective="cost", rate_bps=8e6)  # of which the two tasks ask 4e6 each
    env = services.PlacementEnv([slow.replace(max_utilisation=0.9)])
    env.reset(seed=0)
    env.step(2)
    assert env.action_masks().tolist() == [True, False, False]
    ending = slow.replace(life_s=[0.4] * len(slow.network.rate_bps))
    env = services.PlacementEnv([ending])
    env.reset(seed=0)
    assert env.action_masks().tolist() == [True, False, False]  # half a second is longer than a link lives


def test_figures_of_an_observation():
    problem = chain_problem(objective="cost")
    episode = Episode(Setting(problem))
    seen = features(episode, 2.0)
    assert seen.shape == (3, len(FEATURES)) and seen.dtype == np.float32
    column = dict(zip(FEATURES, seen.T.tolist()))
    assert column["allowed"] == [1.0, 0.0, 1.0]
    assert column["may_host"] == [1.0, 1.0, 1.0]
    assert column["is_there"] == [0.0, 0.0, 0.0]
    assert column["covers"] == [1.0, 1.0, 1.0]
    assert column["grows"] == pytest.approx([0.5] * 3)  # 2 of 2 + 2
    assert column["holds_data"] == [1.0, 0.0, 0.0]
    assert column["goes_on"] == [0.0, 0.0, 1.0]
    assert column["free_memory"] == pytest.approx([0.5, 0.0, 0.5])
    assert column["free_nominal"] == pytest.approx([0.9] * 3)
    assert column["free_worst"] == pytest.approx([0.85] * 3)
    assert column["delay_order"] == pytest.approx([1.0, 0.1 / 0.1005, 0.1 / 0.101])
    assert column["minimises_cost"] == [1.0] * 3 and column["minimises_delay"] == [0.0] * 3
    episode.decide(0)
    column = dict(zip(FEATURES, features(episode, 2.0).T.tolist()))
    assert column["is_there"] == [1.0, 0.0, 0.0] and column["some_there"] == [1.0] * 3
    assert column["grows"] == pytest.approx([0.0, 0.5, 0.5])
    assert column["free_worst"] == pytest.approx([0.7, 0.85, 0.85])


def test_observations_do_not_depend_on_the_order_of_nodes():
    """Rows go with their nodes, so that a policy that reads rows alike places alike."""
    problem = three()[1]
    order = random.Random(3).sample(range(len(problem.network.nodes)), len(problem.network.nodes))
    data = services.problem_to_dict(problem)
    data["nodes"] = [data["nodes"][v] for v in order]
    mine, its = Episode(Setting(problem)), Episode(Setting(services.problem_from_dict(data)))
    while mine.choice is not None and its.choice is not None:
        assert mine.choice.slot == its.choice.slot
        np.testing.assert_array_equal(features(mine, 9.0)[order], features(its, 9.0))
        node = mine.choice.by_rule()
        mine.decide(node)
        its.decide(order.index(node))
    assert mine.done and its.done
    assert mine.evaluation().cost == its.evaluation().cost


def test_bounds_on_the_way_never_exceed_what_comes(random_problems):
    for seed in range(random_problems):
        problem = problem_of(random_data(seed))
        episode, draw = Episode(Setting(problem)), random.Random(seed)
        seen = []
        while episode.choice is not None:
            nodes = np.flatnonzero(episode.choice.allowed).tolist()
            node = draw.choice(nodes)
            seen.append((episode.choice.slot.task, episode.choice.delay_s[node]))
            episode.decide(node)
        delays = episode.evaluation().task_delay_s
        for task, bound_s in seen:
            if not episode.turned_away[task]:
                assert bound_s <= delays[task] * (1 + 1e-12), seed


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"problems": []}, ValueError, "problems: must not be empty"),
        ({"problems": [1]}, TypeError, r"problems\[0\]: expected"),
        ({"problems": lambda number: 1}, TypeError, r"problems\(0\): expected"),
        ({"guard": "best"}, ValueError, "guard: 'best' is not one of 'worst', 'nominal'"),
        ({"guard": ["worst"]}, TypeError, r"guard: expected text, got \['worst'\]"),
        ({"demand": "none"}, ValueError, "demand: 'none' is not one of 'nominal', 'random', 'worst'"),
        ({"demand": 1.0}, TypeError, "demand: expected text or a function, got 1.0"),
        ({"penalty": 0.0}, ValueError, "penalty: "),
        ({"core": "m1"}, TypeError, "core: expected a sequence"),
        ({"guards": "worst"}, TypeError, "guard"),
    ],
)
def test_what_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        services.PlacementEnv(**{"problems": three(), **changes})


def test_problems_have_one_number_of_nodes():
    with pytest.raises(ValueError, match=r"problems\[1\]: has 3 nodes, problems\[0\] has 12"):
        services.PlacementEnv([three()[0], chain_problem(objective="cost")])

    def mixed(number: int) -> services.Problem:
        return three()[0] if number == 0 else chain_problem(objective="cost")

    with pytest.raises(ValueError, match="has 3 nodes, others 12"):
        services.PlacementEnv(mixed).reset(options={"problem": 1})
    with pytest.raises(ValueError, match=r"action: 12 is not in \[0, 11\]"):
        services.PlacementEnv(three()).step(12)


@pytest.mark.parametrize("action", [1.7, True, "1", None, float("nan"), float("inf"), np.array([1])])
def test_an_action_is_an_integer(action):
    env = services.PlacementEnv(three())
    with pytest.raises(TypeError, match="action: expected an integer"):
        env.step(action)
    assert env.step(np.array(1))[4]["stage"] >= 0  # as agents of Stable-Baselines3 predict it


def test_a_network_without_links_is_placed_too():
    node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=0.0)
    stage = services.Stage("encoder", (services.Input(-1, 1e6),))
    task = services.Task("ships", rate_per_s=40.0, source="a", sink="a", stages=(stage,))
    env = services.PlacementEnv([services.Problem(network=graph, services=(encoder,), tasks=(task,))])
    env.reset(seed=0)
    assert env.step(0)[1] == 0.0  # a service that costs nothing
