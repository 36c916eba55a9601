"""Inference with compressors at the cuts."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from constellm import codec, images, infer, network, split
from constellm.codec.compressor import Compressor
from python.infer import small

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytest.importorskip("safetensors")


HEADER_BYTES = 32


class Exact:
    """Everything arrives as it was sent; counts its calls."""

    name = "exact"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode(self, x: np.ndarray) -> bytes:
        self.batches.append(len(x))
        return repr(x.shape).encode().ljust(HEADER_BYTES) + x.tobytes()

    def decode(self, data: bytes) -> np.ndarray:
        shape = tuple(int(side) for side in data[1:HEADER_BYTES].decode().strip(" ()").split(","))
        return np.frombuffer(data, dtype=np.float32, offset=HEADER_BYTES).reshape(shape)


class Lost(Exact):
    """Nothing arrives."""

    name = "lost"

    def decode(self, data: bytes) -> np.ndarray:
        return np.zeros_like(super().decode(data))


class Model:
    """Blocks that add their number to an array and remember how many images they were given."""

    name = "adds"
    blocks = 4

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, int]] = []

    def segment(self, first: int, last: int) -> Callable[[np.ndarray], np.ndarray]:
        def through(x: np.ndarray) -> np.ndarray:
            self.calls.append((first, last, len(x)))
            x = x.astype(np.float32) + sum(range(first, last))
            return x[:, 0] if last == 4 else x

        return through


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> infer.OnnxModel:
    return infer.load(small.write(tmp_path_factory.mktemp("weights") / "small.safetensors"))


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.Generator(np.random.PCG64(1)).integers(256, size=(11, 16, 16, 3), dtype=np.uint8)


def test_a_compressor_is_any_class_with_three_members() -> None:
    assert isinstance(Exact(), Compressor)


def test_cuts_that_lose_nothing_change_nothing(net: infer.OnnxModel, pixels: np.ndarray) -> None:
    plain = infer.infer(net, pixels, batch=4)
    assert plain.cuts == {}
    assert plain.ratio == 1.0
    one, two = Exact(), Exact()
    cut = infer.infer(net, pixels, cuts={2: two, 1: one}, batch=4)
    assert np.array_equal(cut.logits, plain.logits)
    assert list(cut.cuts) == [1, 2]
    assert one.batches == two.batches == [4, 4, 3]
    crossing = cut.cuts[1]
    assert crossing.compressor == "exact"
    assert crossing.raw_bytes == 11 * 16 * 24 * 4
    assert crossing.sent_bytes == crossing.raw_bytes + 3 * HEADER_BYTES
    assert crossing.encode_s > 0 < crossing.decode_s
    assert cut.ratio == crossing.ratio == crossing.raw_bytes / crossing.sent_bytes
    assert repr(cut) == f"Inference(11 images, cuts {{1: exact {cut.ratio:.4g}×, 2: exact {cut.ratio:.4g}×}})"


def test_what_a_compressor_loses_is_lost(net: infer.OnnxModel, pixels: np.ndarray) -> None:
    found = infer.infer(net, pixels, cuts={2: Lost()})
    expected = net.segment(2, 3)(np.zeros((1, 16, 24), dtype=np.float32))
    np.testing.assert_allclose(found.logits, np.repeat(expected, 11, axis=0), rtol=0, atol=1e-6)
    assert found.accuracy(np.full(11, expected.argmax())) == 1.0
    assert found.labels.shape == (11,)


def test_starts_at_any_boundary(net: infer.OnnxModel, pixels: np.ndarray) -> None:
    at = net.activations(pixels)
    whole = infer.infer(net, pixels, cuts={2: Lost()}, batch=8)
    rest = infer.infer(net, at[1], cuts={2: Lost()}, batch=8, first=1)
    assert np.array_equal(rest.logits, whole.logits)
    here = infer.infer(net, at[2], cuts={2: Lost()}, batch=8, first=2)
    assert np.array_equal(here.logits, whole.logits)
    assert here.cuts[2].raw_bytes == whole.cuts[2].raw_bytes


def test_takes_any_model_in_micro_batches() -> None:
    model, x = Model(), np.arange(10.0).reshape(5, 2)
    found = infer.infer(model, x, cuts={1: Exact(), 3: Exact()}, batch=2)
    assert np.array_equal(found.logits, x[:, 0] + 6)
    segments = [(0, 1), (1, 3), (3, 4)]
    assert model.calls == [(*segment, images) for images in (2, 2, 1) for segment in segments]


def test_wrong_arguments_are_named(net: infer.OnnxModel, pixels: np.ndarray) -> None:
    def message_of(error: type[Exception], *args: object, **options: object) -> str:
        with pytest.raises(error) as raised:
            infer.infer(*args, **options)
        return str(raised.value)

    exact = Exact()
    assert "cuts: 0 is not in [1, 2]" in message_of(ValueError, net, pixels, cuts={0: exact})
    assert "cuts: 3 is not in [1, 2]" in message_of(ValueError, net, pixels, cuts={3: exact})
    assert "cuts: 1 is not in [2, 2]" in message_of(ValueError, net, pixels, cuts={1: exact}, first=2)
    assert "cuts: expected an integer, got 'a'" in message_of(TypeError, net, pixels, cuts={"a": exact})
    assert "cuts[1]: expected name, encode" in message_of(TypeError, net, pixels, cuts={1: "exact"})
    assert "first: 3 is not in [0, 2]" in message_of(ValueError, net, pixels, first=3)
    assert "batch: 0 is not in" in message_of(ValueError, net, pixels, batch=0)
    assert "at least one image, got (0, 16, 16, 3)" in message_of(ValueError, net, pixels[:0])
    assert "got ()" in message_of(ValueError, net, 1.0)
    with pytest.raises(ValueError, match=r"labels: expected shape \(11,\), got \(3,\)"):
        infer.infer(net, pixels).accuracy([0, 1, 2])


@pytest.mark.parametrize("wrong", [lambda x: x[:, 1:], lambda x: x.astype(np.float64)])
def test_a_compressor_that_changes_shape_or_type_is_named(
    net: infer.OnnxModel, pixels: np.ndarray, wrong: Callable[[np.ndarray], np.ndarray]
) -> None:
    class Wrong(Exact):
        name = "wrong"

        def decode(self, data: bytes) -> np.ndarray:
            return wrong(super().decode(data))

    with pytest.raises(ValueError, match=r"cuts\[1\]: wrong turned float32 \(11, 16, 24\) into float"):
        infer.infer(net, pixels, cuts={1: Wrong()})


class Rows(Exact):
    """Sends a view of an array, whose ``len`` are its rows."""

    name = "rows"

    def __init__(self, wrap: Callable[[np.ndarray], object] = memoryview) -> None:
        self.wrap = wrap

    def encode(self, x: np.ndarray) -> object:  # type: ignore[override]
        self.x = x
        return self.wrap(np.ascontiguousarray(x[..., :8]))

    def decode(self, data: object) -> np.ndarray:  # type: ignore[override]
        return self.x


@pytest.mark.parametrize(
    "wrap",
    [lambda x: x, memoryview, lambda x: x.astype(np.float64)[..., ::2], lambda x: x.tobytes(), bytearray],
)
def test_bytes_that_are_sent_are_counted_whatever_holds_them(
    net: infer.OnnxModel, pixels: np.ndarray, wrap: Callable[[np.ndarray], object]
) -> None:
    cuts = infer.infer(net, pixels, cuts={2: Rows(wrap)}, batch=4).cuts
    assert cuts[2].sent_bytes == 11 * 16 * 8 * 4
    assert cuts[2].ratio == 3.0


@pytest.mark.parametrize(
    "wrap",
    [lambda x: x.tolist(), lambda x: "text", lambda x: None, lambda x: x.size, lambda x: x.astype(object)],
)
def test_what_is_no_bytes_is_refused(
    net: infer.OnnxModel, pixels: np.ndarray, wrap: Callable[[np.ndarray], object]
) -> None:
    with pytest.raises(TypeError, match=r"cuts\[2\]: rows: encode gave .*, expected bytes"):
        infer.infer(net, pixels, cuts={2: Rows(wrap)})


def test_nothing_sent_is_an_infinite_ratio(net: infer.OnnxModel, pixels: np.ndarray) -> None:
    result = infer.infer(net, pixels, cuts={1: Rows(lambda x: b"")})
    assert result.cuts[1].sent_bytes == 0
    assert result.cuts[1].ratio == result.ratio == np.inf
    assert repr(result) == "Inference(11 images, cuts {1: rows inf×})"


def test_raw_bytes_are_those_of_the_model_where_it_says_so(pixels: np.ndarray) -> None:
    class Halved(Model):
        def item_bytes(self, boundary: int) -> int:
            return 2

    x = np.ones((6, 4), np.float32)
    plain, halved = (infer.infer(kind(), x, cuts={1: Exact()}).cuts[1] for kind in (Model, Halved))
    assert plain.raw_bytes == 2 * halved.raw_bytes
    assert plain.sent_bytes == halved.sent_bytes


def test_a_plan_runs(net: infer.OnnxModel, pixels: np.ndarray) -> None:
    profile = net.profile(batch=4)
    chain = network.chain(
        3, flop_per_s=1e6, memory_bytes=0.6 * profile.memory_bytes, rate_bps=1e6, latency_s=0.001
    )
    menu = codec.menu("none") + codec.from_table([{"name": "lost", "ratio": 100.0, "error": 0.5}])
    plan = split.solve(split.Problem(model=profile, network=chain, codecs=menu, micro_batches=3))
    assert len(plan.stages) > 1
    assert {stage.codec for stage in plan.stages[:-1]} == {"lost"}
    cuts = split.compressors_at_cuts(plan, {"lost": Lost()})
    assert list(cuts) == [stage.last_layer + 1 for stage in plan.stages[:-1]]
    assert list(infer.infer(net, pixels, cuts=cuts, batch=4).cuts) == list(cuts)


def test_labels_are_places_of_classes(net: infer.OnnxModel, pixels: np.ndarray) -> None:
    found = infer.infer(net, pixels)
    assert found.accuracy(found.labels) == 1.0
    with pytest.raises(TypeError, match="labels: expected integers"):
        found.accuracy(np.array(["a"] * len(pixels)))


def test_the_arrays_of_an_image_set_are_asked_for(net: infer.OnnxModel) -> None:
    held = images.synthetic(1, side_px=16)
    with pytest.raises(TypeError, match=r"x: expected an array, got an ImageSet; its images are \.pixels"):
        infer.infer(net, held)


def test_temporary_file_is_not_held(tmp_path: Path) -> None:
    path = small.write(tmp_path / "small.safetensors")
    weights = infer.read_weights(path)
    path.unlink()
    assert weights.tensors["head.classify.bias"].shape == (5,)


def test_features_are_what_the_classifier_takes() -> None:
    net = infer.load()
    pixels = images.sample().per_class(2).pixels
    coder = codec.Direct(codec.Scheme(bits=3, scale="token"))
    for cuts in ({}, {1: coder}, {6: coder, 11: coder}):
        found = infer.features(net, pixels, cuts=cuts, batch=7)
        whole = infer.infer(net, pixels, cuts=cuts, batch=7)
        tensors = net.weights.tensors
        logits = found.values @ tensors["head.classify.weight"].T + tensors["head.classify.bias"]
        assert found.values.dtype == np.float32 and found.values.shape == (20, 128)
        assert logits == pytest.approx(whole.logits, rel=1e-5, abs=1e-5)
        sent = {boundary: cut.sent_bytes for boundary, cut in whole.cuts.items()}
        assert {boundary: cut.sent_bytes for boundary, cut in found.cuts.items()} == sent
    plain = infer.features(net, pixels)
    assert (infer.features(pickle.loads(pickle.dumps(net)), pixels).values == plain.values).all()
    assert repr(plain) == "Features(20 images × 128, cuts {})"
    with pytest.raises(TypeError, match="net: expected a OnnxModel"):
        infer.features(object(), pixels)
