"""Images spread over satellites: all of them, nobody empty, as even as asked, always the same."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from constellm import tune


@pytest.mark.parametrize("alpha", [None, 1e-9, 1e-3, 0.1, 1.0, 100.0, 1e9])
@pytest.mark.parametrize("satellites", [1, 7, 66])
def test_every_image_is_on_one_satellite_and_nobody_is_empty(alpha: float | None, satellites: int) -> None:
    labels = np.random.default_rng(0).integers(10, size=300)
    spread = tune.partition(labels, satellites, alpha=alpha, seed=3)
    together = np.concatenate([spread.images_of(s) for s in range(satellites)])
    assert sorted(together.tolist()) == list(range(300))
    assert spread.counts.sum(axis=1).min() >= 1
    assert spread.counts.sum(axis=0).tolist() == np.bincount(labels).tolist()
    assert spread == tune.partition(labels, satellites, alpha=alpha, seed=3)


def test_as_many_images_as_satellites_is_one_each() -> None:
    for seed in range(20):
        spread = tune.partition([0, 0, 0, 1], 4, alpha=0.01, seed=seed)
        assert spread.counts.sum(axis=1).tolist() == [1, 1, 1, 1]


def test_least_is_kept_and_takes_no_more_than_it_must() -> None:
    labels = np.repeat(np.arange(10), 100)
    free = tune.partition(labels, 20, alpha=0.05, least=0, seed=1)
    for least in (1, 10, 50):
        held = tune.partition(labels, 20, alpha=0.05, least=least, seed=1)
        before, after = free.counts.sum(axis=1), held.counts.sum(axis=1)
        assert after.min() >= least
        short = before < least
        assert (after[short] == least).all() and (after[~short] <= before[~short]).all()
        assert np.count_nonzero(free.satellite_of != held.satellite_of) == (least - before[short]).sum()


def test_some_may_be_empty_where_that_is_asked() -> None:
    spread = tune.partition([0] * 50, 40, alpha=0.01, least=0, seed=0)
    assert spread.counts.sum(axis=1).min() == 0 and spread.counts.sum() == 50


def test_shares_have_the_moments_of_dirichlet(random_problems: int) -> None:
    draws, satellites, alpha = 10 * random_problems, 5, 0.5
    shares = (
        np.array(
            [
                tune.partition(np.zeros(2000, int), satellites, alpha=alpha, least=0, seed=seed).counts[:, 0]
                for seed in range(draws)
            ]
        )
        / 2000
    )
    variance = (1 / satellites) * (1 - 1 / satellites) / (satellites * alpha + 1)
    assert shares.mean(axis=0) == pytest.approx(np.full(satellites, 0.2), abs=6 * np.sqrt(variance / draws))
    assert shares.var(axis=0) == pytest.approx(np.full(satellites, variance), rel=0.15)


def test_small_alpha_gives_a_satellite_few_classes() -> None:
    labels = np.repeat(np.arange(10), 100)
    held = [
        (tune.partition(labels, 20, alpha=alpha, seed=2).counts > 0).sum(axis=1).mean()
        for alpha in (0.01, 0.1, 1.0, 100.0)
    ]
    assert held == sorted(held) and held[0] < 3 and held[-1] == 10


def test_a_seed_is_the_same_everywhere() -> None:
    assert tune.partition(range(8), 3, seed=7).satellite_of.tolist() == [1, 2, 0, 0, 1, 2, 0, 1]
    drawn = tune.partition([0] * 6 + [1] * 6, 3, alpha=0.5, seed=7)
    assert drawn.satellite_of.tolist() == [0, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]


def test_values() -> None:
    spread = tune.partition([0, 1, 0, 1], 2, seed=0)
    assert pickle.loads(pickle.dumps(spread)) == spread
    assert repr(spread) == "Partition(4 images of 2 classes on 2 satellites)"
    assert "class 1" in spread.summary()
    with pytest.raises(ValueError, match="read-only"):
        spread.satellite_of[0] = 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"labels": [0, -1]}, r"labels\[1\]: -1 is not in \[0, 65535\]"),
        ({"labels": [0.5]}, "labels: expected integers of shape"),
        ({"labels": [[0]]}, "labels: expected integers of shape"),
        ({"satellites": 0}, r"satellites: 0 is not in \[1, "),
        ({"satellites": 5}, r"least: 1 is not in \[0, 0\], as there are 4 images for 5 satellites"),
        ({"least": 3}, r"least: 3 is not in \[0, 2\]"),
        ({"alpha": 0.0}, r"alpha: 0.0 is not in \[1e-09, 1e\+09\]"),
        ({"alpha": float("nan")}, "alpha: nan is not in"),
        ({"seed": -1}, r"seed: -1 is not in \[0, "),
        ({"seed": 0.5}, "seed: expected an integer"),
    ],
)
def test_bad_inputs(keywords: dict[str, object], message: str) -> None:
    arguments = {"labels": [0, 1, 0, 1], "satellites": 2, **keywords}
    with pytest.raises((TypeError, ValueError), match=message):
        tune.partition(**arguments)


def test_bad_partitions() -> None:
    with pytest.raises(ValueError, match=r"satellite_of\[1\]: 2 is not in \[0, 1\]"):
        tune.Partition([0, 2], labels=[0, 0], satellites=2)
    with pytest.raises(ValueError, match="labels: 1 of them for 2 images"):
        tune.Partition([0, 1], labels=[0], satellites=2)
    with pytest.raises(ValueError, match=r"satellite: 2 is not in \[0, 1\]"):
        tune.Partition([0, 1], labels=[0, 0], satellites=2).images_of(2)
