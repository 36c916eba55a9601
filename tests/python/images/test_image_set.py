"""Labelled images as arrays: checks, order, division."""

from __future__ import annotations

import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm.images import ImageSet, standardise


def numbered(labels: list[int], classes: int = 3) -> ImageSet:
    """Images whose red channel is their place."""
    pixels = np.zeros((len(labels), 2, 4, 3), dtype=np.uint8)
    pixels[..., 0] = np.arange(len(labels))[:, None, None]
    return ImageSet(pixels, np.array(labels, dtype=int), tuple(f"class {i}" for i in range(classes)))


def places(images: ImageSet) -> list[int]:
    return images.pixels[:, 0, 0, 0].tolist()


LABELS = st.lists(st.integers(0, 2), min_size=1, max_size=60)


def test_shows_itself() -> None:
    assert repr(numbered([0, 1, 1])) == "ImageSet('images', 3 images of 4 × 2 px, 3 classes)"


def test_is_a_value() -> None:
    one, two = numbered([0, 1, 2]), numbered([0, 1, 2])
    assert one == two
    assert one != numbered([0, 1, 1])
    assert one != numbered([0, 1, 2], classes=4)
    assert one != "images"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    with pytest.raises(ValueError, match="read-only"):
        one.pixels[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        one.labels[0] = 1
    copy = pickle.loads(pickle.dumps(one))
    assert copy == one
    assert not copy.pixels.flags.writeable
    labels = np.array([0, 1, 2])
    held = ImageSet(one.pixels, labels, one.classes)
    labels[0] = 2
    assert held == one


def test_nobody_can_change_a_set() -> None:
    pixels = np.zeros((3, 2, 4, 3), dtype=np.uint8)
    views = [pixels, pixels[:], np.asarray(pixels.view())]
    views[1].setflags(write=False)  # what it is a view of can still be written to
    sets = [ImageSet(view, np.zeros(3, dtype=int), ("a",)) for view in views]
    pixels[:] = 7
    for one in [*sets, sets[0].take([1, 0]), sets[0].take(slice(1)), sets[0].shuffled(0)]:
        assert not one.pixels.any()
        for array in (one.pixels, one.labels):
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.setflags(write=True)


def test_what_cannot_change_is_not_copied() -> None:
    one = numbered([0, 1, 2])
    for pixels in (
        one.pixels,
        one.take(slice(3)).pixels,
        ImageSet(one.pixels, one.labels, one.classes).pixels,
    ):
        assert np.shares_memory(pixels, one.pixels)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"pixels": np.zeros((2, 4, 4, 3))}, TypeError, "pixels: expected uint8, got float64"),
        (
            {"pixels": np.zeros((2, 4, 4), np.uint8)},
            ValueError,
            r"pixels: expected shape .*, got \(2, 4, 4\)",
        ),
        ({"pixels": np.zeros((2, 3, 4, 4), np.uint8)}, ValueError, r"got \(2, 3, 4, 4\)"),
        ({"labels": [0.0, 1.0]}, TypeError, "labels: expected integers, got float64"),
        ({"labels": [True, False]}, TypeError, "labels: expected integers, got bool"),
        ({"labels": [0]}, ValueError, r"labels: expected shape \(2,\), got \(1,\)"),
        ({"labels": [0, 2]}, ValueError, r"labels\[1\]: 2 is not in \[0, 1\]"),
        ({"labels": [-1, 0]}, ValueError, r"labels\[0\]: -1 is not in \[0, 1\]"),
        ({"classes": "ab"}, TypeError, "classes: expected several names, got 'ab'"),
        ({"classes": ["a", 1]}, TypeError, r"classes\[1\]: expected text, got 1"),
        ({"classes": ["a", "a"]}, ValueError, "classes: a name occurs twice"),
    ],
)
def test_wrong_fields_are_named(changes: dict[str, object], error: type[Exception], message: str) -> None:
    fields = {"pixels": np.zeros((2, 4, 4, 3), np.uint8), "labels": [0, 1], "classes": ["a", "b"]}
    with pytest.raises(error, match=message):
        ImageSet(**{**fields, **changes})


@given(LABELS, st.integers(0, 5))
def test_shuffled_keeps_every_image_with_its_label(labels: list[int], seed: int) -> None:
    images = numbered(labels)
    mixed = images.shuffled(seed)
    assert sorted(places(mixed)) == places(images)
    assert [labels[place] for place in places(mixed)] == mixed.labels.tolist()
    assert mixed == images.shuffled(seed)


@given(LABELS, st.integers(1, 8))
def test_per_class_takes_the_first_of_each_in_turns(labels: list[int], count: int) -> None:
    taken = numbered(labels).per_class(count)
    for label in range(3):
        own = [place for place, of in enumerate(labels) if of == label]
        assert [p for p in places(taken) if labels[p] == label] == own[:count]
    turns: list[int] = []
    for rank in range(count):
        turns += [label for label in range(3) if labels.count(label) > rank]
    assert taken.labels.tolist() == turns


@given(LABELS, st.integers(1, 8), st.integers(0, 5))
def test_divided_gives_every_image_once(labels: list[int], count: int, seed: int) -> None:
    drawn, rest = numbered(labels).divided(count, seed=seed)
    assert sorted(places(drawn) + places(rest)) == list(range(len(labels)))
    held = Counter(drawn.labels.tolist())
    assert held == Counter({label: min(count, n) for label, n in Counter(labels).items()})


def test_known_order() -> None:
    """The shipped model was calibrated and tested on parts that these orders fix."""
    images = numbered([0, 1, 2] * 4)
    assert places(images.shuffled(0)) == [9, 2, 7, 4, 5, 11, 0, 3, 6, 10, 8, 1]
    drawn, rest = images.divided(1, seed=0)
    assert places(drawn) == [9, 2, 7]
    assert places(rest) == [4, 5, 11, 0, 3, 6, 10, 8, 1]


def test_counts_are_checked() -> None:
    images = numbered([0, 1])
    for call in (images.per_class, images.divided):
        with pytest.raises(ValueError, match="images: 0 is not in"):
            call(0)
        with pytest.raises(TypeError, match=r"images: expected an integer, got 1\.0"):
            call(1.0)
    with pytest.raises(ValueError, match="seed: -1 is not in"):
        images.shuffled(-1)


def test_standardised_pixels() -> None:
    pixels = np.random.Generator(np.random.PCG64(0)).integers(256, size=(3, 4, 5, 3), dtype=np.uint8)
    mean, std = (0.3, 0.4, 0.5), (0.2, 0.1, 0.25)
    found = standardise(pixels, mean, std)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    expected = ((pixels / 255.0 - mean) / std).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("pixels", "mean", "std", "error", "message"),
    [
        (
            np.zeros((1, 2, 2, 3)),
            (0, 0, 0),
            (1, 1, 1),
            TypeError,
            "pixels: expected an array of uint8, got float64",
        ),
        ([[0]], (0, 0, 0), (1, 1, 1), TypeError, "pixels: expected an array of uint8, got list"),
        (np.zeros((2, 2, 3), np.uint8), (0, 0, 0), (1, 1, 1), ValueError, r"pixels: .*got \(2, 2, 3\)"),
        (
            np.zeros((1, 2, 2, 3), np.uint8),
            [0.5],
            (1, 1, 1),
            ValueError,
            "mean: expected three numbers, got 1",
        ),
        (np.zeros((1, 2, 2, 3), np.uint8), (0, 0, 0), (1, 0, 1), ValueError, "std: 0 is not in"),
        (np.zeros((1, 2, 2, 3), np.uint8), (0, 0, 128), (1, 1, 1), ValueError, "mean: 128 is not in"),
    ],
)
def test_only_8_bit_images_are_standardised(
    pixels: np.ndarray, mean: object, std: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        standardise(pixels, mean, std)
