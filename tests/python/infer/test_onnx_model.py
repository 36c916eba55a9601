"""Blocks under ONNX Runtime: the same wherever they are cut, and the same as PyTorch's."""

from __future__ import annotations

import copy
import itertools
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from constellm import images, infer
from constellm.model import Measured, Profile
from python.infer import small

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytest.importorskip("safetensors")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> infer.OnnxModel:
    return infer.load(small.write(tmp_path_factory.mktemp("weights") / "small.safetensors"))


@pytest.fixture(scope="module")
def shipped() -> infer.OnnxModel:
    return infer.load()


def pixels(images: int, side: int = 16, seed: int = 0) -> np.ndarray:
    random = np.random.Generator(np.random.PCG64(seed))
    return random.integers(256, size=(images, side, side, 3), dtype=np.uint8)


def test_says_what_it_is(net: infer.OnnxModel, shipped: infer.OnnxModel) -> None:
    assert (net.name, net.blocks, net.tokens, net.width, net.image_px) == ("small", 3, 16, 24, 16)
    assert net.classes == ("a", "b", "c", "d", "e")
    assert repr(net) == "OnnxModel('small', 3 blocks of 16 tokens × 24 features, 5 classes, 0.0 M parameters)"
    assert infer.shipped() == ["vit-eurosat"]  # and not the masks for its cuts, which lie beside it
    assert [infer.load(name).name for name in infer.shipped()] == ["vit-eurosat"]
    assert shipped.classes == images.sample().classes


def test_any_composition_is_the_whole_bit_for_bit(net: infer.OnnxModel) -> None:
    x = pixels(5)
    whole = net.segment(0, 3)(x)
    assert whole.shape == (5, 5)
    assert whole.dtype == np.float32
    for cuts in itertools.chain.from_iterable(itertools.combinations((1, 2), n) for n in range(3)):
        part = x
        for first, last in zip((0, *cuts), (*cuts, 3)):
            part = net.segment(first, last)(part)
        assert np.array_equal(part, whole), cuts


def test_any_cut_of_the_shipped_model_is_the_whole_bit_for_bit(shipped: infer.OnnxModel) -> None:
    x = images.sample().pixels[:3]
    whole = shipped.segment(0, 12)(x)
    at = shipped.activations(x)
    assert list(at) == list(range(1, 12))
    for boundary, activation in at.items():
        assert activation.shape == (3, 64, 128)
        assert np.array_equal(shipped.segment(boundary, 12)(activation), whole), boundary


def test_an_image_is_the_same_in_any_company(net: infer.OnnxModel) -> None:
    x = pixels(21)
    found = net.activations(x, (3, 1))
    assert list(found) == [1, 3]
    assert np.array_equal(found[1], net.segment(0, 1)(x))
    assert np.array_equal(found[3], net.segment(0, 3)(x))
    for images_each in (1, 3, 8, 20):
        parts = [net.activations(x[i : i + images_each], (1, 3)) for i in range(0, 21, images_each)]
        for boundary, activation in found.items():
            joined = np.concatenate([part[boundary] for part in parts])
            # Products of other sizes may add in another order.
            np.testing.assert_allclose(joined, activation, rtol=0, atol=1e-5)


def test_a_graph_of_several_blocks_computes_the_same(net: infer.OnnxModel, tmp_path: Path) -> None:
    x = pixels(4)
    at = {0: x, **net.activations(x, (1, 2, 3))}
    paths = infer.save_onnx(net, tmp_path / "parts", cuts=(2,))
    assert [path.name for path in paths] == ["small-0-2.onnx", "small-2-3.onnx"]
    paths += infer.save_onnx(net, tmp_path / "whole")
    assert paths[2].name == "small-0-3.onnx"
    for path, first, last in zip(paths, (0, 2, 0), (2, 3, 3)):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (given,), (taken,) = session.get_outputs(), session.get_inputs()
        assert taken.name == ("pixels" if first == 0 else "activation")
        assert given.name == ("logits" if last == 3 else "activation_out")
        assert taken.shape == ["images", *at[first].shape[1:]]
        (found,) = session.run(None, {taken.name: at[first]})
        # The runtime fuses over the borders of the blocks, and then may round otherwise.
        np.testing.assert_allclose(found, at[last], rtol=0, atol=2e-5)


def test_threads_change_nothing(net: infer.OnnxModel) -> None:
    x = pixels(9)
    expected = net.segment(0, 3)(x)
    assert np.array_equal(infer.OnnxModel(net.weights, threads=3).segment(0, 3)(x), expected)
    fresh = infer.OnnxModel(net.weights)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: fresh.segment(0, 3)(x), range(32)):
            assert np.array_equal(found, expected)


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("copied", [lambda net: pickle.loads(pickle.dumps(net)), copy.copy, copy.deepcopy])
def test_pickles_and_copies_leave_the_sessions(
    shipped: infer.OnnxModel, copied: Callable[[infer.OnnxModel], infer.OnnxModel], used: bool
) -> None:
    net = infer.load()
    x = pixels(3, side=64)
    if used:
        net.segment(0, 2)(x)
    other = copied(net)
    assert repr(other) == repr(net) and other.profile(2) == net.profile(2)
    assert np.array_equal(other.segment(0, 12)(x), shipped.segment(0, 12)(x))
    assert np.array_equal(net.segment(0, 12)(x), shipped.segment(0, 12)(x))


def test_segments_are_pickled_with_their_model(net: infer.OnnxModel) -> None:
    x = pixels(5)
    segment = pickle.loads(pickle.dumps(net.segment(0, 2)))
    assert np.array_equal(segment(x), net.segment(0, 2)(x))


def test_pickled_while_threads_run_it(net: infer.OnnxModel) -> None:
    fresh = infer.OnnxModel(net.weights)
    x = pixels(5)
    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(fresh.segment(0, 3), x) for _ in range(12)]
        copies = [
            threads.submit(lambda: pickle.loads(pickle.dumps(fresh)).segment(0, 3)(x)) for _ in range(4)
        ]
        found = [run.result() for run in (*runs, *copies)]
    assert all(np.array_equal(y, found[0]) for y in found)


def test_any_layout_is_taken(net: infer.OnnxModel) -> None:
    x = pixels(4)
    expected = net.segment(0, 3)(x)
    for same in (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x[::-1].copy()[::-1]):
        assert np.array_equal(net.segment(0, 3)(same), expected)
    frozen = x.copy()
    frozen.setflags(write=False)
    assert np.array_equal(net.segment(0, 3)(frozen), expected)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (0, 0, r"last: 0 is not in \[1, 3\]"),
        (0, 4, r"last: 4 is not in \[1, 3\]"),
        (-1, 2, r"first: -1 is not in \[0, 1\]"),
        (2, 2, r"first: 2 is not in \[0, 1\]"),
    ],
)
def test_no_such_segment(net: infer.OnnxModel, first: int, last: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        net.segment(first, last)


@pytest.mark.parametrize(
    ("boundary", "x", "error", "message"),
    [
        (0, pixels(2).astype(np.float32), TypeError, "pixels: expected an array of uint8, got float32"),
        (0, [[1]], TypeError, "pixels: expected an array of uint8, got list"),
        (0, pixels(2, side=8), ValueError, r"= \(1 or more, 16, 16, 3\) at boundary 0, got \(2, 8, 8, 3\)"),
        (0, pixels(1)[0], ValueError, r"got \(16, 16, 3\)"),
        (0, pixels(1)[:0], ValueError, r"got \(0, 16, 16, 3\)"),
        (1, pixels(2), TypeError, "activation: expected an array of float32, got uint8"),
        (1, np.zeros((2, 16, 24)), TypeError, "activation: expected an array of float32, got float64"),
        (1, np.zeros((2, 24, 16), np.float32), ValueError, r"\(1 or more, 16, 24\) at boundary 1, got"),
    ],
)
def test_wrong_arrays_are_named(
    net: infer.OnnxModel, boundary: int, x: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        net.segment(boundary, 3)(x)


def test_wrong_arguments_are_named(net: infer.OnnxModel, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="threads: 0 is not in"):
        infer.OnnxModel(net.weights, threads=0)
    with pytest.raises(ValueError, match=r"boundaries: 0 is not in \[1, 3\]"):
        net.activations(pixels(1), (0,))
    with pytest.raises(ValueError, match=r"cuts: 3 is not in \[1, 2\]"):
        infer.save_onnx(net, tmp_path, cuts=(3,))


def test_profile_counts_what_runs(net: infer.OnnxModel, shipped: infer.OnnxModel) -> None:
    for model in (net, shipped):
        profile = model.profile(batch=4)
        assert isinstance(profile, Profile)
        assert len(profile) == model.blocks
        assert profile.input_bytes == 4 * model.image_px**2 * 3
        # Four vectors of a batch normalisation become the bias of a convolution.
        folded = sum(
            tensor.size if "norms" not in name else tensor.size / 4
            for name, tensor in model.weights.tensors.items()
        )
        assert profile.parameters == folded
        assert profile.weight_bytes == 4 * folded
        sent = [4 * 4 * model.tokens * model.width] * (model.blocks - 1) + [4 * 4 * len(model.classes)]
        assert profile.array("output_bytes").tolist() == sent
        assert np.all(profile.array("memory_bytes") > profile.array("weight_bytes"))
        assert profile.flop == 4 * model.profile(batch=1).flop


def test_flop_are_those_of_the_graph(net: infer.OnnxModel) -> None:
    """Against a count over the graph's own matrix products and convolutions, shapes inferred by ONNX."""
    from onnx import shape_inference

    from constellm.infer.graph import segment_graph

    counted = []
    for block in range(3):
        graph = shape_inference.infer_shapes(segment_graph(net.weights, block, block + 1)).graph
        sides = {
            value.name: [side.dim_value or 1 for side in value.type.tensor_type.shape.dim]  # one image
            for value in [*graph.value_info, *graph.input, *graph.output]
        }
        sides.update({value.name: list(value.dims) for value in graph.initializer})
        flop = 0
        for node in graph.node:
            if node.op_type == "MatMul":
                flop += 2 * np.prod(sides[node.output[0]]) * sides[node.input[0]][-1]
            elif node.op_type == "Conv":
                flop += 2 * np.prod(sides[node.output[0]]) * np.prod(sides[node.input[1]][1:])
        counted.append(float(flop))
    assert net.profile(batch=1).array("flop").tolist() == counted


def test_measured_profile(net: infer.OnnxModel) -> None:
    measured = net.profile(batch=2, measured=True, repeats=1)
    assert isinstance(measured, Measured)
    assert measured.profile == net.profile(batch=2)
    assert list(measured.device_times) == ["here"]
    assert len(measured.device_times["here"]) == 3
    assert min(measured.device_times["here"]) > 0


def test_runs_without_pytorch() -> None:
    code = """
import sys
sys.modules["torch"] = None
from constellm import images, infer
sample = images.sample().take(slice(10))
print(infer.infer(infer.load(), sample.pixels, batch=4).logits.shape, "transformers" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.split("\n")[0] == "(10, 10) False"


def test_shipped_model_knows_land_use(shipped: infer.OnnxModel) -> None:
    sample = images.sample()
    assert infer.infer(shipped, sample.pixels).accuracy(sample.labels) > 0.9


class TestPyTorch:
    """ONNX Runtime against the PyTorch module of the same weights."""

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch")

    def test_small_model(self, net: infer.OnnxModel, tmp_path: Path) -> None:
        import torch

        from constellm.train import load

        with pytest.raises(ValueError, match="model: 'resnet' is neither one of 'vit-eurosat' nor"):
            load("resnet")
        trained = load(small.write(tmp_path / "small.safetensors"))
        x = pixels(6)
        at = net.activations(x, range(1, 4))
        with torch.inference_mode():
            y = trained.model.stem(torch.from_numpy(images.standardise(x, trained.mean, trained.std)))
            for boundary in range(1, 4):
                y = trained.model.blocks[boundary - 1](y)
                expected = trained.model.head(y) if boundary == 3 else y
                np.testing.assert_allclose(at[boundary], expected.numpy(), rtol=0, atol=1e-4)

    def test_shipped_model(self, shipped: infer.OnnxModel) -> None:
        from constellm.train import load, predict

        sample = images.sample().take(slice(60))
        expected = predict(load("vit-eurosat"), sample, batch=30)
        found = infer.infer(shipped, sample.pixels, batch=20)
        np.testing.assert_allclose(found.logits, expected, rtol=0, atol=1e-4)
        assert np.array_equal(found.labels, expected.argmax(axis=1))

    def test_saved_and_loaded(self, tmp_path: Path) -> None:
        import torch

        from constellm.train import Trained, Vit, VitShape, load, save

        torch.manual_seed(0)
        model = Vit(VitShape(**small.SHAPE)).eval()
        trained = Trained(model=model, mean=(0.3, 0.4, 0.5), std=(0.2, 0.1, 0.15), log=[])
        exact, half = tmp_path / "exact.safetensors", tmp_path / "half.safetensors"
        save(trained, exact, name="exact", classes="abcde", half=False)
        save(trained, half, name="half", classes="abcde")
        assert exact.stat().st_size > 1.7 * half.stat().st_size
        x = images.ImageSet(pixels(5), np.arange(5), tuple("abcde"))
        back = load(exact)
        assert (back.mean, back.std, back.log) == (trained.mean, trained.std, [])
        for name, tensor in model.state_dict().items():
            assert torch.equal(back.model.state_dict()[name], tensor), name
        from constellm.train import predict

        expected = predict(trained, x)
        np.testing.assert_allclose(
            infer.infer(infer.load(exact), x.pixels).logits, expected, rtol=0, atol=1e-4
        )
        np.testing.assert_allclose(
            infer.infer(infer.load(half), x.pixels).logits, predict(load(half), x), rtol=0, atol=1e-4
        )
        first = half.read_bytes()
        save(trained, half, name="half", classes="abcde")
        assert half.read_bytes() == first

    def test_refuses_to_save(self, tmp_path: Path) -> None:
        import torch

        from constellm.train import Trained, Vit, VitShape, load, save

        trained = Trained(Vit(VitShape(**small.SHAPE)), (0.3, 0.4, 0.5), (0.2, 0.1, 0.15), [])
        path = tmp_path / "x.safetensors"
        with pytest.raises(ValueError, match="classes: 4 names are not 5"):
            save(trained, path, name="x", classes="abcd")
        with pytest.raises(ValueError, match="name: 'a/b' is not 1 to 100"):
            save(trained, path, name="a/b", classes="abcde")
        with torch.no_grad():
            trained.model.blocks[1].up.weight[0, 0] = 1e5
        with pytest.raises(ValueError, match=r"blocks\.1\.up\.weight: not all .* finite as torch.float16"):
            save(trained, path, name="x", classes="abcde")
        with pytest.raises(ValueError, match="metadata: version is 2, this release reads 1"):
            load(small.write(path, version=2))
