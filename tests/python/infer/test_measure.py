"""Measuring cuts, on a network small enough to compute everything twice."""

from __future__ import annotations

import numpy as np
import pytest

import constellm as clm
from constellm import codec
from constellm.images import ImageSet
from constellm.infer import infer, measure, random_combinations


class Net:
    """Five blocks that bend and mix, the last of them to three logits; no ONNX Runtime in the way."""

    name, blocks = "net", 5

    def __init__(self):
        random = np.random.Generator(np.random.PCG64(0))
        self.mix = (np.eye(12) + 0.2 * random.standard_normal((4, 12, 12))).astype(np.float32)
        self.head = random.standard_normal((12, 3)).astype(np.float32)
        self.calls = 0

    def segment(self, first, last):
        def forward(x):
            for k in range(first, last):
                self.calls += 1
                if k == 0:
                    x = x.reshape(len(x), -1, 12).astype(np.float32) / 255.0 - 0.5
                x = np.tanh(x @ self.mix[k]) if k < 4 else x.mean(axis=1) @ self.head
            return x

        return forward


class Coarse:
    """Rounds to a grid and remembers: what it sends has the size asked for."""

    def __init__(self, step, size=100):
        self.step, self.size, self.name = step, size, f"coarse-{step}"

    def encode(self, x):
        self.kept = (np.rint(x / self.step) * self.step).astype(np.float32)
        return bytes(self.size)

    def decode(self, data):
        return self.kept


def images(count=40):
    random = np.random.Generator(np.random.PCG64(1))
    pixels = random.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return ImageSet(pixels, random.integers(0, 3, count), ("a", "b", "c"))


COARSE = {"fine": Coarse(0.05), "rough": Coarse(0.4)}
COMBINATIONS = [{1: "fine", 3: "rough"}, {1: "fine", 2: "fine", 4: "rough"}, {2: "rough", 3: "rough"}]


def test_every_row_is_what_plain_inference_gives():
    net, data = Net(), images()
    found = measure(net, data, COARSE, combinations=COMBINATIONS, batch=16)
    clean = [data.pixels]
    for k in range(5):
        clean.append(net.segment(k, k + 1)(clean[-1]))
    np.testing.assert_allclose(found.logits, clean[5], atol=1e-6)
    assert [row.plan for row in found.rows] == [
        *({k: name} for name in COARSE for k in range(1, 5)),
        *COMBINATIONS,
    ]
    for row, predicted in zip(found.rows, found.predicted):
        x, at = clean[1], []
        for k in range(1, 6):
            x = net.segment(k - 1, k)(x) if k > 1 else x
            if k in row.plan:
                before, x = x, COARSE[row.plan[k]].decode(COARSE[row.plan[k]].encode(x))
                i = row.cuts.index(k)
                assert row.error[i] == pytest.approx(
                    np.linalg.norm(x - before) / np.linalg.norm(before), rel=1e-5
                )
            if k == 5:
                x, clean[5] = (y - y.mean(axis=1, keepdims=True) for y in (x, clean[5]))
            if k >= row.cuts[0]:
                at.append(np.linalg.norm(x - clean[k]) / np.linalg.norm(clean[k]))
        np.testing.assert_allclose(row.reached, at, rtol=1e-4, atol=1e-6)
        cuts = {k: COARSE[name] for k, name in row.plan.items()}
        plain = infer(net, data.pixels, cuts=cuts, batch=16)
        np.testing.assert_array_equal(predicted, plain.labels)
        assert row.accuracy == plain.accuracy(data.labels)
        assert row.ratio == pytest.approx([cut.ratio for cut in plain.cuts.values()])
        expected = codec.flips(clean[5], data.labels, predicted, temperature=found.temperature)
        assert (row.loss, row.agreement) == (expected.loss, expected.agreement)
        assert row.expected_loss == pytest.approx(expected.expected_loss, abs=1e-6)


def test_what_sets_have_in_common_is_computed_once():
    net, data = Net(), images(8)
    measure(net, data, COARSE, boundaries=(), combinations=[{4: "rough"}, {3: "fine", 4: "rough"}], batch=8)
    # Five blocks exact; one behind cut 4; one from cut 3 to cut 4 and one behind it.
    assert net.calls == 5 + 1 + 2
    net.calls = 0
    common = [{1: "fine", 3: "fine"}, {1: "fine", 3: "rough"}, {1: "fine", 4: "rough"}, {1: "fine"}]
    measure(net, data, COARSE, boundaries=(), combinations=common, batch=8)
    # The walk from cut 1 to the end once, for all four; behind the others 2 + 2 + 1.
    assert net.calls == 5 + 4 + 2 + 2 + 1


def test_a_codec_without_error_changes_nothing():
    found = measure(Net(), images(), {"exact": Coarse(2.0**-40)}, combinations=[{1: "exact", 4: "exact"}])
    for row in found.rows:
        assert row.agreement == 1.0 and row.loss == row.expected_loss == row.loss_se == 0.0
        assert max(row.reached) < 1e-6


def test_compressors_of_their_own_cut_stay_there():
    own = {2: Coarse(0.05), 3: Coarse(0.4)}
    found = measure(Net(), images(), {"own": own, "fine": COARSE["fine"]}, boundaries=(2, 3, 4))
    assert [row.plan for row in found.rows] == [{2: "own"}, {3: "own"}, {2: "fine"}, {3: "fine"}, {4: "fine"}]
    assert found.rows[0].error == found.rows[2].error
    with pytest.raises(ValueError, match="'own' is not given for boundary 4"):
        measure(Net(), images(), {"own": own}, combinations=[{4: "own"}])


def test_the_size_of_batches_does_not_matter_to_a_codec_that_works_by_value():
    one = measure(Net(), images(), COARSE, combinations=COMBINATIONS, batch=64, temperature=1.0)
    other = measure(Net(), images(), COARSE, combinations=COMBINATIONS, batch=7, temperature=1.0)
    np.testing.assert_array_equal(one.predicted, other.predicted)
    for a, b in zip(one.rows, other.rows):
        np.testing.assert_allclose(a.reached, b.reached, rtol=1e-4)


def test_random_combinations_are_distinct_repeatable_and_spread():
    drawn = random_combinations(["x", "y"], 12, 200, seed=3)
    assert drawn == random_combinations(["x", "y"], 12, 200, seed=3)
    assert drawn != random_combinations(["x", "y"], 12, 200, seed=4)
    assert len({tuple(cuts.items()) for cuts in drawn}) == 200
    assert {len(cuts) for cuts in drawn} == {2, 3, 4}
    assert {k for cuts in drawn for k in cuts} == set(range(1, 12))
    assert all(list(cuts) == sorted(cuts) for cuts in drawn)
    with pytest.raises(ValueError, match="sets: 9 distinct sets were not found"):
        random_combinations(["x"], 4, 9, cuts=(2, 3))
    with pytest.raises(ValueError, match=r"cuts: 4 is not in \[1, 3\]"):
        random_combinations(["x"], 4, 1)
    for names in ([], "x"):
        with pytest.raises(ValueError, match="names: expected at least one codec"):
            random_combinations(names, 12, 3)
    with pytest.raises(ValueError, match="cuts: there is none"):
        random_combinations(["x"], 4, 1, cuts=())


def test_logits_are_those_of_the_network():
    held = images(8)
    np.testing.assert_array_equal(
        measure(Net(), held, COARSE, boundaries=(4,)).logits, infer(Net(), held.pixels).logits
    )


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"boundaries": (5,)}, ValueError, r"boundaries: 5 is not in \[1, 4\]"),
        ({"combinations": [{0: "fine"}]}, ValueError, r"combinations: 0 is not in \[1, 4\]"),
        ({"combinations": [{1: "other"}]}, ValueError, "'other' is not one of 'fine', 'rough'"),
        ({"combinations": [{1: "fine"}]}, ValueError, "is asked for twice"),
        ({"combinations": [{}]}, ValueError, "a set without cuts"),
        ({"batch": 0}, ValueError, "batch: 0 is not in"),
    ],
)
def test_says_what_is_wrong(options, error, says):
    with pytest.raises(error, match=says):
        measure(Net(), images(), COARSE, **options)


def test_arrays_serve_where_the_network_takes_no_pixels():
    class FloatNet(Net):
        def segment(self, first, last):
            forward = super().segment(first, last)
            return lambda x: forward(x if first else np.rint(255.0 * (x + 0.5)))

    held = images()
    floats = (held.pixels / 255.0 - 0.5).astype(np.float32)
    options = {"combinations": COMBINATIONS, "batch": 16}
    found = measure(FloatNet(), (floats, held.labels.tolist()), COARSE, **options)
    expected = measure(Net(), held, COARSE, **options)
    np.testing.assert_array_equal(found.logits, expected.logits)
    np.testing.assert_array_equal(found.predicted, expected.predicted)
    np.testing.assert_array_equal(found.labels, held.labels)
    assert [row.loss for row in found.rows] == [row.loss for row in expected.rows]


def test_arguments_are_what_they_should_be():
    with pytest.raises(TypeError, match="images: expected an ImageSet or a pair"):
        measure(Net(), images().pixels, COARSE)
    with pytest.raises(ValueError, match=r"inputs of shape \(2, 4\), but labels of shape \(3,\)"):
        measure(Net(), (np.zeros((2, 4)), np.arange(3)), COARSE)
    with pytest.raises(TypeError, match="images: expected integers as labels"):
        measure(Net(), (np.zeros((2, 4)), np.zeros(2)), COARSE)
    with pytest.raises(ValueError, match=r"labels: 9 is not in \[0, 2\]"):
        measure(Net(), (images().pixels, np.full(40, 9)), COARSE)
    with pytest.raises(ValueError, match="images: none to measure on"):
        measure(Net(), images().take(slice(0, 0)), COARSE)
    with pytest.raises(TypeError, match=r"compressors\['x'\]: expected a Compressor, got 3"):
        measure(Net(), images(), {"x": 3})
    with pytest.raises(ValueError, match=r"compressors\[.*turned float32"):
        measure(Net(), images(), {"x": Wrong()})


class Wrong(Coarse):
    def __init__(self):
        super().__init__(1.0)

    def decode(self, data):
        return self.kept[:1]


class Sends(Coarse):
    """Whatever it is given to send."""

    def __init__(self, data):
        super().__init__(1.0)
        self.data = data

    def encode(self, x):
        self.x = x
        return self.data

    def decode(self, data):
        return self.x


def test_bytes_are_counted_whatever_holds_them():
    data = {"rows": Sends(np.zeros((3, 5), np.float64)), "nothing": Sends(b"")}
    rows = measure(Net(), images(), data, boundaries=[1]).rows
    raw = 40 * 4 * 12 * 4
    assert [row.ratio for row in rows] == [(raw / 120,), (np.inf,)]
    with pytest.raises(TypeError, match=r"compressors\['coarse-1.0'\]: coarse-1.0: encode gave \[1\]"):
        measure(Net(), images(), {"list": Sends([1])})


def test_it_is_exported():
    assert clm.infer.measure is measure
