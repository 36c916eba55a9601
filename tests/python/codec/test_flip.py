"""The cost of changed predictions."""

from __future__ import annotations

import numpy as np
import pytest

from constellm.codec import expected_losses, fit_temperature, flips


def logits_and_labels(images=4000, temperature=1.7, seed=0):
    """Labels drawn from softmax(logits / temperature): calibrated at that temperature."""
    random = np.random.Generator(np.random.PCG64(seed))
    logits = 3.0 * random.standard_normal((images, 5))
    weights = np.exp(logits / temperature)
    chance = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    return logits, (random.random(images)[:, None] > chance).sum(axis=1).clip(max=4), random


def test_counts_what_changes_and_what_it_costs():
    logits = np.log([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.3, 0.6, 0.1]])
    found = flips(logits, np.array([0, 1, 2, 1]), np.array([0, 1, 0, 1]), temperature=1.0)
    assert found.agreement == 0.5
    assert found.loss == 0.0  # one image gained, one lost
    assert found.expected_loss == pytest.approx((0.1 + 0.7) / 4)
    assert found.loss_se == pytest.approx(np.std([0, -1, 1, 0], ddof=1) / 2)


def test_nothing_changes_nothing_is_lost():
    logits, labels, _ = logits_and_labels(100)
    found = flips(logits, labels, logits.argmax(axis=1))
    assert (found.agreement, found.loss, found.loss_se, found.expected_loss) == (1.0, 0.0, 0.0, 0.0)


def test_temperature_is_found_and_scales_with_the_logits():
    logits, labels, _ = logits_and_labels(20000)
    assert fit_temperature(logits, labels) == pytest.approx(1.7, rel=0.04)
    assert fit_temperature(10.0 * logits, labels) == pytest.approx(
        10.0 * fit_temperature(logits, labels), rel=1e-6
    )


def test_temperature_is_the_likeliest():
    logits, labels, _ = logits_and_labels(500)
    best = fit_temperature(logits, labels)

    def likelihood(temperature):
        scaled = logits / temperature
        return np.mean(scaled[np.arange(500), labels] - np.log(np.exp(scaled).sum(axis=1)))

    assert likelihood(best) > max(likelihood(best * 0.99), likelihood(best * 1.01))


@pytest.mark.parametrize("logits", [np.eye(3) * 5.0, -np.eye(3) * 5.0, np.zeros((3, 3))])
def test_temperature_is_bounded_where_it_is_not_determined(logits):
    assert 0.05 <= fit_temperature(logits, np.arange(3)) <= 20.0


def test_the_expected_loss_has_the_mean_of_the_loss_and_less_variance():
    logits, labels, random = logits_and_labels(20000)
    noisy = (logits + 0.5 * random.standard_normal(logits.shape)).argmax(axis=1)
    found = flips(logits, labels, noisy, temperature=1.7)
    assert abs(found.loss - found.expected_loss) < 3 * found.loss_se
    assert found.expected_loss_se < found.loss_se / 3


def test_expected_losses_take_several_changes_at_once():
    logits, labels, random = logits_and_labels(50)
    changed = random.integers(0, 5, (3, 50))
    several = expected_losses(logits, changed, 1.7)
    assert several.shape == (3, 50) and (several >= 0.0).all()
    for one, predicted in zip(several, changed):
        assert flips(logits, labels, predicted, temperature=1.7).expected_loss == pytest.approx(one.mean())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"logits": np.zeros(3)}, r"logits: expected shape \(images, classes\)"),
        ({"labels": np.zeros(2, int)}, r"labels: expected shape \(3,\), got \(2,\)"),
        ({"predicted": np.zeros(2, int)}, r"predicted: expected shape \(3,\), got \(2,\)"),
        ({"logits": np.diag([1.0, np.nan, 1.0])}, "logits: those of image 1 are not finite"),
        ({"labels": np.array([0, 7, 1])}, r"labels: 7 is not in \[0, 2\]"),
        ({"predicted": np.array([0, -1, 1])}, r"predicted: -1 is not in \[0, 2\]"),
        ({"temperature": 0.0}, r"temperature: 0.0 is not in \(0, inf\)"),
    ],
)
def test_says_what_is_wrong(change, says):
    given = {"logits": np.eye(3), "labels": np.arange(3), "predicted": np.arange(3), "temperature": 1.0}
    given.update(change)
    with pytest.raises(ValueError, match=says):
        flips(given["logits"], given["labels"], given["predicted"], temperature=given["temperature"])


@pytest.mark.parametrize("classes", [np.zeros(3), np.zeros(3, bool), np.array(["a", "b", "c"])])
def test_classes_are_integers(classes):
    for call in (
        lambda: flips(np.eye(3), classes, np.arange(3)),
        lambda: flips(np.eye(3), np.arange(3), classes),
        lambda: fit_temperature(np.eye(3), classes),
        lambda: expected_losses(np.eye(3), classes, 1.0),
    ):
        with pytest.raises(TypeError, match="expected integers, the places of classes, got"):
            call()
