"""The made-up set: repeatable, balanced, and worth learning."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import images


@pytest.fixture(scope="module")
def training() -> images.ImageSet:
    return images.synthetic(600, seed=0)


def test_same_seed_same_pixels(training: images.ImageSet) -> None:
    again = images.synthetic(30, seed=0)
    assert again == training.take(slice(30))
    other = images.synthetic(30, seed=1)
    assert not any(np.array_equal(a, b) for a, b in zip(again.pixels, other.pixels))


KNOWN_MEANS = [107.67, 72.31, 77.86, 99.06, 124.63, 101.5, 102.26, 108.83, 77.04, 74.98]


def test_pixels_are_the_same_everywhere() -> None:
    """A last bit of a sine may differ between machines; sums to a thousandth do not."""
    means = images.synthetic(10, seed=5).pixels.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(means, KNOWN_MEANS, rtol=1e-3)


def test_looks_like_the_real_set_to_a_program(training: images.ImageSet) -> None:
    sample = images.sample() if pytest.importorskip("PIL") else None
    assert training.classes == sample.classes
    assert training.pixels.shape[1:] == sample.pixels.shape[1:]
    assert training.labels[:20].tolist() == list(range(10)) * 2


def test_other_sizes_and_classes() -> None:
    some = images.synthetic(5, side_px=17, classes=("River", "Forest"), seed=2)
    assert some.pixels.shape == (5, 17, 17, 3)
    assert some.classes == ("River", "Forest")
    assert some.labels.tolist() == [0, 1, 0, 1, 0]
    for side in (8, 9, 128):
        assert images.synthetic(10, side_px=side).pixels.shape == (10, side, side, 3)


def colour(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(float).mean(axis=(1, 2))


def texture(pixels: np.ndarray) -> np.ndarray:
    """Means, spreads and mean absolute differences of neighbours, first and second."""
    x = pixels.astype(float)
    steps = [np.abs(np.diff(x, axis=2, n=n)).mean(axis=(1, 2)) for n in (1, 2)]
    return np.concatenate([x.mean(axis=(1, 2)), x.std(axis=(1, 2)), *steps], axis=1)


def test_is_learnable_and_not_by_colour_alone(training: images.ImageSet) -> None:
    test = images.synthetic(200, seed=1)

    def accuracy(features) -> float:
        """Of the nearest training image."""
        known, asked = features(training.pixels), features(test.pixels)
        scale = known.std(axis=0)
        distance = ((known[None] / scale - asked[:, None] / scale) ** 2).sum(axis=2)
        return float((training.labels[distance.argmin(axis=1)] == test.labels).mean())

    assert 0.25 < accuracy(colour) < 0.6
    assert accuracy(texture) > 0.8


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"images": 0}, ValueError, r"images: 0 is not in \[1, inf\)"),
        ({"images": 1.0}, TypeError, "images: expected an integer"),
        ({"images": 1, "side_px": 7}, ValueError, r"side_px: 7 is not in \[8, inf\)"),
        ({"images": 1, "seed": -1}, ValueError, "seed: -1 is not in"),
        (
            {"images": 1, "classes": ["Desert"]},
            ValueError,
            "classes: 'Desert' is not one of AnnualCrop",
        ),
        ({"images": 1, "classes": []}, ValueError, "classes: expected one or more different"),
        ({"images": 1, "classes": 3}, TypeError, "classes: expected several names, got 3"),
        ({"images": 1, "classes": "River"}, TypeError, "classes: expected several names, got 'River'"),
        (
            {"images": 1, "classes": ["River"] * 2},
            ValueError,
            "classes: expected one or more different names",
        ),
    ],
)
def test_wrong_arguments_are_named(
    arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        images.synthetic(**arguments)
