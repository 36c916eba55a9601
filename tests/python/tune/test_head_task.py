"""A head over frozen features: the core's training against numpy's, values, bad inputs."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from constellm import tune
from python.tune.small import samples, task


def softmax_steps(
    x: np.ndarray, labels: np.ndarray, start: list[np.ndarray], steps: int, rate: float
) -> list:
    """Gradient descent on all images, by numpy."""
    weights, bias = (part.astype(float) for part in start)
    wanted = np.eye(len(bias))[labels]
    for _ in range(steps):
        logits = x @ weights + bias
        errors = np.exp(logits - logits.max(axis=1, keepdims=True))
        errors = errors / errors.sum(axis=1, keepdims=True) - wanted
        weights, bias = weights - rate * x.T @ errors / len(x), bias - rate * errors.mean(axis=0)
    return [weights, bias]


def test_full_batches_are_gradient_descent() -> None:
    x, labels = samples(80, seed=4)
    alone = tune.HeadTask(
        x,
        tune.partition(labels, 1),
        test_features=x,
        test_labels=labels,
        batch=None,
        learning_rate=0.3,
        dtype="float64",
    )
    trained, images, _ = alone.fit(0, alone.start(), {"epochs": 25})
    assert images == 80
    for part, expected in zip(trained, softmax_steps(x, labels, alone.start(), 25, 0.3)):
        assert part == pytest.approx(expected, abs=1e-13)
    logits = x @ trained[0] + trained[1]
    found = alone.evaluate(trained)
    assert found["accuracy"] == (logits.argmax(axis=1) == labels).mean()
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(80), labels]
    assert found["cross_entropy"] == pytest.approx(losses.mean(), rel=1e-13)


def test_the_start_knows_nothing() -> None:
    found = task().evaluate(task().start())
    assert found["cross_entropy"] == pytest.approx(np.log(3), rel=1e-15)


def test_batches_follow_the_seed_and_arguments_are_left_alone() -> None:
    one = task()
    start = one.start()
    trained = [one.fit(2, start, {"epochs": 3, "seed": seed})[0] for seed in (1, 1, 2)]
    assert all((part == 0).all() for part in start)
    assert (trained[0][0] == trained[1][0]).all() and (trained[0][0] != trained[2][0]).any()
    assert trained[0][0].dtype == np.float32


def test_epochs_follow_each_other() -> None:
    """Without shuffling two calls of one epoch are one call of two."""
    one = task(batch=None, dtype="float64")
    once = one.fit(1, one.fit(1, one.start(), {})[0], {})[0]
    assert (once[0] == one.fit(1, one.start(), {"epochs": 2})[0][0]).all()


def test_flower_s_proximal_term_is_the_task_s() -> None:
    own = task(proximal=0.3).fit(0, task().start(), {"epochs": 4, "seed": 5})[0]
    told = task().fit(0, task().start(), {"epochs": 4, "seed": 5, "proximal-mu": 0.3})[0]
    plain = task().fit(0, task().start(), {"epochs": 4, "seed": 5})[0]
    assert (own[0] == told[0]).all() and np.abs(own[0]).sum() < np.abs(plain[0]).sum()


def test_a_satellite_without_images_gives_back_what_it_has() -> None:
    x, labels = samples(10)
    spread = tune.Partition(np.zeros(10, int), labels=labels, satellites=2)
    one = tune.HeadTask(x, spread, test_features=x, test_labels=labels)
    parameters, images, _ = one.fit(1, one.start(), {})
    assert images == 0 and (parameters[0] == 0).all()


def test_values() -> None:
    one = task()
    assert one == task() and one != task(learning_rate=0.2) and one != task(seed=1)
    assert pickle.loads(pickle.dumps(one)) == one
    assert one.parameter_bytes == 4 * (5 * 3 + 3) and replace(one, dtype="float64").parameter_bytes == 144
    assert "learning_rate" in one.summary() and "150 images" in repr(one)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"learning_rate": 0.0}, r"learning_rate: 0.0 is not in \(0, inf\)"),
        ({"batch": 0}, r"batch: 0 is not in \[1, "),
        ({"weight_decay": -1.0}, r"weight_decay: -1.0 is not in \[0, inf\)"),
        ({"proximal": float("nan")}, "proximal: nan is not in"),
        ({"dtype": "float16"}, "dtype: 'float16' is not one of 'float32', 'float64'"),
        ({"features": np.zeros((3, 5))}, "features: 3 rows for 150 labels"),
        ({"features": np.full((150, 5), np.nan)}, r"features\[0\]\[0\]: nan is not finite"),
        ({"features": np.zeros(150)}, "features: expected numbers of shape"),
        ({"test_features": np.zeros((60, 4))}, "test_features: 4 columns, features have 5"),
        ({"test_labels": []}, "test_labels: expected at least one"),
        ({"partition": [0, 1]}, "partition: expected a Partition"),
        ({"partition": tune.Partition([], [], 2)}, "partition: expected at least one image"),
    ],
)
def test_bad_inputs(keywords: dict[str, object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        replace(task(), **keywords)


def test_bad_calls() -> None:
    one = task()
    with pytest.raises(ValueError, match=r"parameters: expected arrays of shapes \[\(5, 3\), \(3,\)\]"):
        one.evaluate([np.zeros((5, 3))])
    with pytest.raises(ValueError, match=r"epochs: -1 is not in \[0, "):
        one.fit(0, one.start(), {"epochs": -1})
    with pytest.raises(ValueError, match=r"satellite: 6 is not in \[0, 5\]"):
        one.fit(6, one.start(), {})
