"""Learned policies: the same without PyTorch, in any order of nodes, from their files, and after training."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
import random

import numpy as np
import pytest

from constellm import services
from constellm.services.learned.features import FEATURES
from constellm.services.learned.policy import drawn_network
from constellm.services.learned.row_network import RowNetwork
from oracles.placed_services import chain_problem, drawn, three
from oracles.random_services import problem_of, random_data


def table(rows: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    made = random.random((rows, len(FEATURES))).astype(np.float32)
    made[:, 0] = random.random(rows) < 0.6
    made[0, 0] = 1.0
    return made


def test_scores_go_with_their_rows():
    network = drawn_network(len(FEATURES), 16, np.random.default_rng(0))
    for seed in range(20):
        rows, order = table(9, seed), np.random.default_rng(seed).permutation(9)
        np.testing.assert_allclose(network.scores(rows)[order], network.scores(rows[order]), rtol=1e-12)
    with_other = np.vstack([rows, np.zeros((1, len(FEATURES)), np.float32)])
    np.testing.assert_allclose(network.scores(with_other)[:-1], network.scores(rows), rtol=1e-12)
    assert np.isfinite(network.scores(np.zeros((3, len(FEATURES))))).all()


def test_pytorch_scores_the_same():
    torch = pytest.importorskip("torch")
    pytest.importorskip("stable_baselines3")
    from constellm.services.learned.torch_rows import REFUSED, Rows

    network = drawn_network(len(FEATURES), 16, np.random.default_rng(1))
    rows = Rows(network, 9, masks=True)
    seen = np.stack([table(9, seed) for seed in range(5)] + [np.zeros((9, len(FEATURES)), np.float32)])
    with torch.no_grad():
        scores, critic = rows(torch.tensor(seen.reshape(6, -1)))
    for one, found in zip(seen, scores.numpy()):
        allowed = one[:, 0] > 0.5
        expected = network.scores(one)
        if allowed.any():
            np.testing.assert_allclose(found[allowed], expected[allowed], atol=1e-5)
            assert (found[~allowed] == np.float32(REFUSED)).all()
        else:
            np.testing.assert_allclose(found, expected, atol=1e-5)
    assert critic.shape == (6, 16) and bool(torch.isfinite(critic).all())
    assert rows.network() == network


def test_it_places_problems_of_any_size(random_problems):
    policy = services.untrained(seed=4)
    planned = 0
    for seed in range(min(random_problems, 100)):
        problem = problem_of(random_data(seed))
        plan = policy.place(problem)
        assert plan.status in ("feasible", "optimal", "no_plan_found") and plan.method == "untrained"
        if plan.placement is not None:
            assert services.check(problem, plan) == []
            assert plan.lower_bound == 0.0
            assert policy.placement(problem) == plan.placement
            patient = dataclasses.replace(policy, tries=5)
            more = patient.place(problem, seed=seed)
            assert (more.objective, more.evaluation.second) <= (plan.objective, plan.evaluation.second)
            assert more == patient.place(problem, seed=seed)
            planned += 1
        assert policy.search(problem, time_limit_s=math.inf, seed=0, threads=1).status == (
            "no_plan_found" if plan.placement is None else "feasible"
        )
    assert planned > 20


def test_the_order_of_nodes_does_not_matter():
    problem, policy = drawn(2), services.untrained(seed=2)
    data = services.problem_to_dict(problem)
    random.Random(1).shuffle(data["nodes"])
    other = policy.place(services.problem_from_dict(data))
    assert other.placement is not None
    assert other.assignment == policy.place(problem).assignment
    assert other.replicas.keys() == policy.place(problem).replicas.keys()


def test_time_ends_tries_but_the_first():
    plan = dataclasses.replace(services.untrained(), tries=1000).place(drawn(2), time_limit_s=0.0)
    assert plan.counters == {"steps": 1}


def test_a_guard_says_what_has_to_hold():
    problem = chain_problem(objective="cost").replace(
        max_utilisation=0.15
    )  # two tasks: 0.2; raised one: 0.15
    tight = problem.replace(max_utilisation=0.12)  # one task 0.1, raised 0.15
    nominal = services.untrained(seed=1, guard="nominal")
    placement = nominal.placement(tight)
    assert placement is not None and services.check(services.nominal_problem(tight), placement) == []
    assert nominal.place(tight).status == "no_plan_found"
    assert services.untrained(seed=1).placement(tight) is None
    assert services.untrained(seed=1).placement(problem) is not None


def test_it_is_a_value_with_a_file(tmp_path):
    policy = services.untrained(seed=6, guard="nominal")
    policy.save(tmp_path / "policy.npz")
    found = services.load_policy(tmp_path / "policy.npz")
    assert found == policy == pickle.loads(pickle.dumps(policy))
    assert found != services.untrained(seed=7, guard="nominal")
    policy.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "policy.npz").read_bytes()
    assert (tmp_path / "policy.npz").stat().st_size < 300_000
    assert not policy.network.own.flags.writeable


def stored(path, **changes):
    """The file of a policy with something else in it."""
    policy = services.untrained()
    said = {
        "format": "constellm.placement-policy",
        "version": 1,
        "name": "p",
        "guard": "worst",
        "told": "",
        "features": list(FEATURES),
    }
    weights = policy.network.arrays()
    for key, value in changes.items():
        (said if key in said else weights)[key] = value
    text = np.frombuffer(json.dumps({k: v for k, v in said.items() if v is not None}).encode(), np.uint8)
    np.savez(path, said=text, **weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "another"}, "format 'another' is not 'constellm.placement-policy'"),
        ({"version": 2}, "version 1"),
        ({"guard": "best"}, "policy.npz: holds no policy: guard: 'best'"),
        ({"guard": []}, r"policy.npz: holds no policy: guard: expected text, got \[\]"),
        ({"name": 1}, "policy.npz: holds no policy: name: expected"),
        ({"told": None}, "holds no policy: keys"),
        ({"features": ["allowed"]}, "sees other features"),
        ({"own": np.zeros((3, 4))}, "own: expected finite numbers of shape"),
        ({"score": np.full(32, np.nan)}, "score: expected finite numbers of shape"),
        ({"inner": np.array(["a"])}, "holds no policy"),
        ({"more": np.zeros(1)}, "holds no policy"),
    ],
)
def test_files_that_are_refused(tmp_path, changes, message):
    stored(tmp_path / "policy.npz", **changes)
    with pytest.raises(ValueError, match=message):
        services.load_policy(tmp_path / "policy.npz")


@pytest.mark.parametrize("text", ["[]", "1", "[" * 100_000, "{"])
def test_words_that_are_no_object(tmp_path, text):
    said = np.frombuffer(text.encode(), np.uint8)
    np.savez(tmp_path / "policy.npz", said=said, **services.untrained().network.arrays())
    with pytest.raises(ValueError, match="policy.npz: holds no policy"):
        services.load_policy(tmp_path / "policy.npz")


def test_damaged_files_are_refused_or_hold_a_policy(tmp_path):
    services.untrained().save(tmp_path / "policy.npz")
    whole = (tmp_path / "policy.npz").read_bytes()
    draw = np.random.default_rng(1)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for at in draw.integers(1, 900, int(draw.integers(1, 6))):  # most of it is said at the end
            damaged[-int(at)] = int(draw.integers(256))
        (tmp_path / "damaged.npz").write_bytes(damaged)
        try:
            assert isinstance(services.load_policy(tmp_path / "damaged.npz"), services.Policy)
        except ValueError:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04", b"\x93NUMPY"])
def test_bytes_that_are_no_policy(tmp_path, content):
    (tmp_path / "policy.npz").write_bytes(content)
    with pytest.raises(ValueError, match="holds no policy"):
        services.load_policy(tmp_path / "policy.npz")


def test_what_is_refused():
    network = services.untrained().network
    with pytest.raises(ValueError, match="guard: 'best' is not one of"):
        services.Policy("p", network, "best")
    with pytest.raises(TypeError, match="network: expected"):
        services.Policy("p", None)
    with pytest.raises(ValueError, match=f"reads 3 features, there are {len(FEATURES)}"):
        services.Policy("p", drawn_network(3, 4, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="tries: 0"):
        dataclasses.replace(services.untrained(), tries=0)
    with pytest.raises(TypeError, match="problem: expected"):
        services.untrained().place(1)
    with pytest.raises(ValueError, match="inner: expected finite numbers"):
        RowNetwork(**{**network.arrays(), "inner": np.zeros(3)})


# ---- training ----------------------------------------------------------------------------------


def test_training_is_repeatable_and_leaves_global_generators_alone():
    pytest.importorskip("stable_baselines3")
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    before = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    first = services.train_policy(three(), steps=1_024, seed=3)
    assert first == services.train_policy(three(), steps=1_024, seed=3)
    assert first.network != services.untrained(seed=3).network
    assert first.network != services.train_policy(three(), steps=1_024, seed=4).network
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # noqa: NPY002
    assert first.told == "PPO, 1024 decisions on 3 problems, guard worst, demand nominal, seed 3"


@pytest.mark.parametrize("demand", ["random", "worst", "learned"])
def test_training_against_somebody(demand):
    pytest.importorskip("stable_baselines3")
    options = {"steps": 1_024, "seed": 1, "guard": "nominal", "demand": demand, "rounds": 1}
    policy = services.train_policy(three(), start=services.untrained(seed=9, guard="nominal"), **options)
    assert policy.guard == "nominal" and f"demand {demand}" in policy.told
    assert policy.told.endswith("seed 1, from untrained")
    assert policy.network != services.untrained(seed=9, guard="nominal").network


def test_training_refuses():
    for changes, error, message in [
        ({"problems": []}, ValueError, "problems: must not be empty"),
        ({"problems": [drawn(1), 2]}, TypeError, r"problems\[1\]: expected"),
        ({"steps": 0}, ValueError, "steps: 0"),
        ({"demand": "any"}, ValueError, "demand: 'any' is not one of"),
        ({"guard": "any"}, ValueError, "guard: 'any' is not one of"),
        ({"learning_rate": 0}, ValueError, "learning_rate: "),
        ({"start": 1}, TypeError, "start: expected"),
    ]:
        with pytest.raises(error, match=message):
            services.train_policy(**{"problems": three(), **changes})
    with pytest.raises(ValueError, match="steps: 0"):
        services.train_adversary([], steps=0)
