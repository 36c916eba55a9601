"""The file of weights: read, and refused where it is not what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from constellm import infer
from python.infer import small

pytest.importorskip("safetensors")


def test_read_as_written(tmp_path: Path) -> None:
    weights = infer.read_weights(small.write(tmp_path / "small.safetensors"))
    assert (weights.name, weights.shape) == ("small", small.SHAPE)
    assert (weights.mean, weights.std) == ((0.3, 0.4, 0.5), (0.2, 0.1, 0.15))
    assert weights.classes == ("a", "b", "c", "d", "e")
    assert weights.tokens == 16
    written = small.tensors()
    assert set(weights.tensors) == set(written)
    for name, tensor in weights.tensors.items():
        assert tensor.dtype == np.float32
        assert np.array_equal(tensor, written[name]), name


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    half = {name: tensor.astype(np.float16) for name, tensor in small.tensors().items()}
    weights = infer.read_weights(small.write(tmp_path / "half.safetensors", half))
    for name, tensor in weights.tensors.items():
        assert tensor.dtype == np.float32
        assert np.array_equal(tensor, half[name])


def shape(**changes: object) -> dict[str, object]:
    return {**small.SHAPE, **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": None}, "version is None, this release reads 1"),
        ({"version": 2}, "version is 2, this release reads 1"),
        ({"shape": None}, "shape is missing"),
        ({"shape": [1]}, "shape: expected blocks, width"),
        ({"shape": shape(depth=1)}, "shape: expected blocks, width"),
        ({"shape": shape(blocks=0)}, r"shape\.blocks: 0 is not in \[1, 65536\]"),
        ({"shape": shape(blocks=10**12)}, r"shape\.blocks: 1000000000000 is not in"),
        ({"shape": shape(blocks=2.0)}, r"shape\.blocks: expected an integer"),
        ({"shape": shape(heads=5)}, "does not divide into heads and patches"),
        ({"shape": shape(patch_px=3)}, "does not divide into heads and patches"),
        ({"shape": shape(image_px=18)}, "does not divide into heads and patches"),
        ({"shape": shape(blocks=4)}, r"blocks\.3\.norm1\.weight: missing"),
        ({"shape": shape(blocks=2)}, r"blocks\.2\.attention\.out\.bias: not a tensor of this model"),
        ({"shape": shape(mlp_width=41)}, r"blocks\.0\.up\.weight: expected shape \(41, 24\), got \(40, 24\)"),
        ({"mean": [1, 2]}, "mean: expected three numbers"),
        ({"mean": ["a", 0, 0]}, "mean: expected a number"),
        ({"std": [0, 0.1, 0.1]}, r"std: 0 is not in \[1e-06, 1\]"),
        ({"std": [float("nan"), 0.1, 0.1]}, "std: nan is not in"),
        ({"classes": "abcde"}, "classes: expected a list of names"),
        ({"classes": ["a"]}, "classes: 1 names are not 5"),
        ({"name": None}, "name is missing"),
        ({"name": 3}, "name: 3 is not 1 to 100"),
        ({"name": "../etc"}, r"name: '\.\./etc' is not 1 to 100"),
    ],
)
def test_wrong_fields_are_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = small.write(tmp_path / "wrong.safetensors", **changes)
    with pytest.raises(ValueError, match=message) as raised:
        infer.read_weights(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "no 'constellm.vit': not a file of constellm.train.save"),
        ({"format": "pt"}, "no 'constellm.vit'"),
        ({"constellm.vit": "{"}, "metadata: Expecting property name"),
        ({"constellm.vit": "[1]"}, r"metadata: expected an object, got \[1\]"),
        ({"constellm.vit": "[" * 100_000}, "metadata: maximum recursion|metadata: .*recursion"),
    ],
)
def test_files_of_others_are_refused(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    path = small.write(tmp_path / "other.safetensors", metadata=metadata)
    with pytest.raises(ValueError, match=message):
        infer.read_weights(path)


def test_wrong_tensors_are_named(tmp_path: Path) -> None:
    def message_of(**changes: np.ndarray) -> str:
        content = {**small.tensors(), **{name.replace("__", "."): value for name, value in changes.items()}}
        with pytest.raises(ValueError) as raised:
            infer.read_weights(small.write(tmp_path / "wrong.safetensors", content))
        return str(raised.value)

    width = np.zeros(24, dtype=np.float32)
    assert message_of(more=width).endswith("more: not a tensor of this model")
    assert "head.norm.bias: expected shape (24,), got (24, 1)" in message_of(head__norm__bias=width[:, None])
    assert "expected float16 or float32, got I64" in message_of(head__norm__bias=width.astype(np.int64))
    assert "head.norm.bias: not all values are finite" in message_of(head__norm__bias=width + np.inf)
    assert "stem.norms.1.running_var: -1.0 is not in" in message_of(stem__norms__1__running_var=width - 1)


def test_no_part_and_no_damaged_header_is_taken_for_a_file(tmp_path: Path) -> None:
    whole = small.write(tmp_path / "small.safetensors").read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    random = np.random.Generator(np.random.PCG64(0))
    lengths = [0, 1, 7, 8, 9, len(whole) // 2, len(whole) - 1]
    contents = [whole[:length] for length in lengths]
    contents += [whole + b"x", b"\xff" * 8 + whole[8:], random.bytes(1000), b"{}"]
    for content in contents:
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match="damaged.safetensors"):
            infer.read_weights(damaged)
    refused = 0
    header = int.from_bytes(whole[:8], "little") + 8
    for _ in range(200):
        content = bytearray(whole)
        content[random.integers(header)] = random.integers(256)
        damaged.write_bytes(content)
        try:
            infer.read_weights(damaged)
        except ValueError:
            refused += 1
    assert refused > 150  # the rest changed a name of a class, a digit of the mean, or nothing


def test_what_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="path: no file at"):
        infer.read_weights(tmp_path)
    with pytest.raises(FileNotFoundError, match="path: no file at"):
        infer.load(str(tmp_path / "none.safetensors"))
    with pytest.raises(ValueError, match="model: 'vit' is neither one of 'vit-eurosat' nor a .safetensors"):
        infer.load("vit")
