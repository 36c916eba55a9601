"""Compression that follows the content."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constellm import codec

LADDER = [
    codec.Direct(codec.Scheme(sparsify="top-k", keep=keep, scale="token"), name=f"keep-{keep}")
    for keep in (0.05, 0.2, 0.6)
]


def activations(images=12, seed=0):
    """The later the image, the less of it a few features hold."""
    random = np.random.Generator(np.random.PCG64(seed))
    x = random.standard_normal((images, 8, 32))
    spread = np.exp(-np.arange(32)[None, None, :] / (1.0 + np.arange(images)[:, None, None]))
    return (x * spread).astype(np.float32)


def fixed(rungs):
    return codec.AdaptiveCompressor(LADDER, lambda x: np.asarray(rungs), name="fixed")


@pytest.mark.parametrize("rungs", [[0] * 12, [2] * 12, [0, 1, 2] * 4, [2, 2, 1, 0, 0, 0, 1, 1, 2, 0, 1, 2]])
def test_every_image_comes_back_from_its_own_rung(rungs):
    x = activations()
    compressor = fixed(rungs)
    y = compressor.decode(compressor.encode(x))
    assert y.shape == x.shape and y.dtype == x.dtype
    for rung, alone in enumerate(LADDER):
        here = np.flatnonzero(np.asarray(rungs) == rung)
        np.testing.assert_array_equal(y[here], alone.decode(alone.encode(x[here])))


def test_it_is_a_compressor_and_costs_little_more_than_its_parts():
    x = activations(64)
    compressor = fixed([1] * 64)
    assert isinstance(compressor, codec.Compressor)
    more = len(compressor.encode(x)) - len(LADDER[1].encode(x))
    assert more == 14 + 16 + 4  # header, two bits an image, one length


@pytest.mark.parametrize("rungs", [1, 2, 3, 4, 5, 8, 9, 255])
def test_any_length_of_ladder(rungs):
    exact = codec.Direct(codec.Scheme(bits=None), name="exact")
    ladder = [exact] * rungs
    x = activations(10)
    chosen = np.arange(10) * 37 % rungs
    compressor = codec.AdaptiveCompressor(ladder, lambda x: chosen, name="many")
    np.testing.assert_array_equal(compressor.decode(compressor.encode(x)), x)


def test_errors_are_made_equal():
    x = activations(40)
    compressor = codec.AdaptiveCompressor(LADDER, codec.ByError(LADDER, 0.3), name="by-error")
    chosen = compressor.choose(x)
    assert set(chosen.tolist()) == {0, 1, 2}
    difference = np.linalg.norm((compressor.decode(compressor.encode(x)) - x).reshape(40, -1), axis=1)
    error = difference / np.linalg.norm(x.reshape(40, -1), axis=1)
    assert (error[chosen < 2] <= 0.3).all()
    for rung in (1, 2):  # the rung below would not do
        below = np.flatnonzero(chosen == rung)
        y = LADDER[rung - 1].decode(LADDER[rung - 1].encode(x[below]))
        worse = np.linalg.norm((y - x[below]).reshape(len(below), -1), axis=1)
        assert (worse > 0.3 * np.linalg.norm(x[below].reshape(len(below), -1), axis=1)).all()


@pytest.mark.parametrize("shift", [0.0, -5.0])
def test_thresholds_spend_the_budget_on_hard_images(shift):
    random = np.random.Generator(np.random.PCG64(0))
    difficulty = random.random(2000) + shift
    sizes = [100.0, 200.0, 400.0]
    loss = (difficulty - shift) ** 4 / np.array([[1.0], [3.0], [20.0]])
    losses = []
    for budget in (100.0, 150.0, 200.0, 300.0, 400.0):
        thresholds = codec.fit_thresholds(difficulty, loss, sizes, budget)
        chosen = codec.ByDifficulty(lambda x: difficulty, thresholds)(np.empty(0))
        assert np.mean(np.take(sizes, chosen)) <= budget * (1 + 1e-9)
        assert (np.diff(chosen[np.argsort(difficulty)]) >= 0).all()
        losses.append(loss[chosen, np.arange(2000)].mean())
    assert (np.diff(losses) < 0.0).all()
    assert losses[2] < 0.7 * loss[1].mean()  # the same bytes as the middle rung for all
    assert losses[0] == pytest.approx(loss[0].mean()) and losses[-1] == pytest.approx(loss[2].mean())


def test_a_step_that_costs_little_and_gains_much_is_not_taken_beyond_the_budget():
    loss = np.array([[0.5] * 4, [0.0] * 4])
    assert codec.fit_thresholds(np.arange(4.0), loss, [1000.0, 1010.0], 1000.0) == (np.inf,)
    assert codec.fit_thresholds(np.arange(4.0), loss, [1000.0, 1010.0], 1010.0) == (-np.inf,)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
    st.floats(-9.0, 3.0),
    st.floats(0.0, 1.0),
)
def test_the_budget_is_kept(rungs, images, seed, steps, share):
    random = np.random.Generator(np.random.PCG64(seed))
    sizes = 100.0 + np.cumsum(10.0**steps * random.uniform(0.5, 1.5, rungs))
    difficulty = random.integers(0, 2 * images, images).astype(float)  # some alike
    budget = sizes[0] + share * (sizes[-1] - sizes[0])
    thresholds = codec.fit_thresholds(difficulty, random.random((rungs, images)), sizes, budget)
    chosen = codec.ByDifficulty(lambda x: difficulty, thresholds)(np.empty(0))
    assert len(thresholds) == rungs - 1
    assert np.mean(sizes[chosen]) <= budget * (1 + 1e-12)


def test_a_probe_finds_what_is_linear():
    random = np.random.Generator(np.random.PCG64(0))
    x = random.standard_normal((400, 5, 16)).astype(np.float32)
    logits = x.mean(axis=1) @ random.standard_normal((16, 4)) + random.standard_normal(4)
    probe = codec.Probe.fit(x, logits, ridge=0.0)
    top = np.sort(logits, axis=1)
    np.testing.assert_allclose(probe(x), top[:, -2] - top[:, -1], atol=1e-5)


def test_a_feature_that_never_changes_does_not_disturb_the_probe():
    random = np.random.Generator(np.random.PCG64(0))
    x = random.standard_normal((100, 5, 8)).astype(np.float32)
    x[..., 3] = 7.0
    assert np.isfinite(codec.Probe.fit(x, x.mean(axis=1)[:, :3]).weights).all()


def damaged(change):
    """Encoded bytes with `change` made behind the checksum, which is set right again."""
    data = fixed([0, 1, 2] * 4).encode(activations())
    head, rest = bytearray(data[:14]), bytearray(data[14:])
    head, rest = change(head, rest)
    return bytes(head[:10]) + struct.pack("<I", zlib.crc32(bytes(rest))) + bytes(rest)


def test_random_damage_is_found():
    data = fixed([0, 1, 2] * 4).encode(activations())
    random = np.random.Generator(np.random.PCG64(0))
    compressor = fixed([0])
    for _ in range(300):
        broken = bytearray(data)
        broken[random.integers(len(data))] ^= 1 << random.integers(8)
        with pytest.raises(ValueError):
            compressor.decode(bytes(broken))
    for length in range(len(data)):
        with pytest.raises(ValueError):
            compressor.decode(data[:length])


def test_damage_with_a_right_checksum_never_crashes():
    random = np.random.Generator(np.random.PCG64(1))
    compressor = fixed([0])
    refused = 0
    for _ in range(300):

        def change(head, rest):
            rest[random.integers(len(rest))] = random.integers(256)
            return head, rest

        try:
            assert compressor.decode(damaged(change)).shape == (12, 8, 32)
        except ValueError:
            refused += 1
    assert refused > 200  # a byte may be replaced by itself


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda head, rest: (head, rest[:2]), "damaged"),
        (lambda head, rest: (head, rest + b"x"), "1 bytes too many"),
        (lambda head, rest: (head, b"\xff" + rest[1:]), r"rung 3 is not in \[0, 2\]"),
        (lambda head, rest: (head, rest[:20]), "ends within rung 0"),
        (lambda head, rest: (head, rest[:3]), "ends before rung 0"),
        (lambda head, rest: (head[:5] + b"\x02" + head[6:], rest), "of a ladder of 2 rungs, this one has 3"),
        (lambda head, rest: (b"ABCD" + head[4:], rest), "not an adaptive activation"),
        (lambda head, rest: (head[:6] + b"\xff\xff\xff\xff", rest), "damaged"),
    ],
)
def test_hostile_bytes_are_refused(change, says):
    with pytest.raises(ValueError, match=says):
        fixed([0]).decode(damaged(change))


def test_calls_say_what_is_wrong():
    with pytest.raises(ValueError, match="ladder: 0 rungs"):
        codec.AdaptiveCompressor([], lambda x: x, name="empty")
    with pytest.raises(TypeError, match=r"ladder\[0\]: expected a Compressor, got 3"):
        codec.ByError([3], 0.1)
    with pytest.raises(ValueError, match=r"rung 3 of image 1 is not in \[0, 2\]"):
        fixed([0, 3] * 6).encode(activations())
    with pytest.raises(ValueError, match="expected integers of shape"):
        fixed([0.5] * 12).encode(activations())
    with pytest.raises(ValueError, match=r"thresholds: \(2.0, 1.0\) fall"):
        codec.ByDifficulty(np.sum, (2.0, 1.0))
    with pytest.raises(ValueError, match="do not rise"):
        codec.fit_thresholds(np.zeros(2), np.zeros((2, 2)), [2.0, 1.0], 2.0)
    with pytest.raises(ValueError, match="loss: nan is not finite"):
        codec.fit_thresholds(np.zeros(1), np.full((2, 1), np.nan), [1.0, 2.0], 2.0)
    with pytest.raises(ValueError, match=r"difficulty: expected shape \(images,\)"):
        codec.fit_thresholds(np.zeros(0), np.zeros((2, 0)), [1.0, 2.0], 2.0)
    with pytest.raises(ValueError, match=r"x: expected shape .* with at least one image, got \(0, 8, 32\)"):
        fixed([]).encode(activations(0))
    with pytest.raises(ValueError, match="budget_bytes: 0.5 is less than 1.0"):
        codec.fit_thresholds(np.zeros(2), np.zeros((2, 2)), [1.0, 2.0], 0.5)
    with pytest.raises(ValueError, match=r"loss: expected shape \(2, 3\)"):
        codec.fit_thresholds(np.zeros(3), np.zeros((2, 2)), [1.0, 2.0], 2.0)
    with pytest.raises(ValueError, match="logits: 2 images, activations have 4"):
        codec.Probe.fit(np.zeros((4, 2, 2)), np.zeros((2, 3)))


def test_the_error_target_is_the_least_within_the_budget():
    x = np.random.Generator(np.random.PCG64(4)).standard_normal((40, 8, 32)).astype(np.float32)
    ladder = [codec.Direct(codec.Scheme(sparsify="top-k", keep=keep)) for keep in (0.1, 0.3, 0.9)]
    errors = codec.image_errors(x, ladder)
    assert errors.shape == (3, 40) and (np.diff(errors, axis=0) < 0.0).all()
    restored = ladder[1].decode(ladder[1].encode(x))
    expected = np.linalg.norm((restored - x)[7]) / np.linalg.norm(x[7])
    assert errors[1, 7] == pytest.approx(expected, rel=1e-5)
    sizes = np.array([10.0, 30.0, 90.0])
    for budget in (10.0, 17.0, 30.0, 61.5, 90.0, 1e3):
        target = codec.fit_error_target(errors, sizes, budget)
        taken = codec.ByError(ladder, target)(x)
        assert sizes[taken].mean() <= budget
        stricter = codec.ByError(ladder, target * (1 - 1e-6))(x)
        assert sizes[stricter].mean() > budget or target == 0.0


def test_one_rung_needs_no_error_target():
    assert codec.fit_error_target(np.array([[0.3, 0.2]]), [5.0], 5.0) == 0.0


@pytest.mark.parametrize(
    ("errors", "sizes", "budget", "says"),
    [
        ([[0.1, 0.2]], [1.0, 2.0], 1.0, r"errors: expected shape \(2, 2\), got \(1, 2\)"),
        ([], [1.0], 1.0, r"errors: expected shape \(1, images\), got \(0,\)"),
        ([[0.1], [np.nan]], [1.0, 2.0], 1.0, "errors: nan is not finite"),
        ([[0.1], [0.05]], [2.0, 2.0], 2.0, r"rung_bytes: \[2.0, 2.0\] do not rise"),
        ([[0.1], [0.05]], [2.0, 3.0], 1.0, "budget_bytes: 1.0 is less than 2.0"),
    ],
)
def test_an_error_target_of_nothing_is_refused(errors, sizes, budget, says):
    with pytest.raises(ValueError, match=says):
        codec.fit_error_target(errors, sizes, budget)


def test_difficulty_is_minus_the_lead():
    assert list(codec.difficulty(np.array([[1.0, 4.0, 2.0], [0.0, 0.0, -1.0]]))) == [-2.0, 0.0]
    with pytest.raises(
        ValueError, match=r"logits: expected shape \(images, classes\) of two or more, got \(2, 1\)"
    ):
        codec.difficulty(np.zeros((2, 1)))
