"""Weights of the project's vision transformer: the file that training writes and inference reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.checks import count, real, short
from ..core.optional import optional_import

FORMAT = "constellm.vit"
"""The one key of the file's metadata, whose value is JSON: several would be stored in random order."""

VERSION = 1
"""Value of ``version`` in it."""

_SHAPE = ("blocks", "width", "heads", "mlp_width", "image_px", "patch_px", "classes")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_MOST = 1 << 16  # of any number of the shape, so that no product of a few of them is absurd


@dataclass(frozen=True)
class Weights:
    """A vision transformer as arrays.

    Attributes
    ----------
    name : str
        Of the model.
    shape : dict of str to int
        ``blocks``, ``width``, ``heads``, ``mlp_width``, ``image_px``, ``patch_px``, ``classes``.
    mean, std : tuple of float
        Of the training images' channels, on a scale of 0 to 1.
    classes : tuple of str
        Names of the logits.
    tensors : dict of str to ndarray of float32
        By the names of the PyTorch module's state.

    Examples
    --------
    >>> from constellm import infer
    >>> weights = infer.load().weights
    >>> weights.name, weights.shape["blocks"], weights.tokens
    ('vit-eurosat', 12, 64)
    """

    name: str
    shape: dict[str, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]
    tensors: dict[str, np.ndarray]

    @property
    def tokens(self) -> int:
        """Tokens of an image."""
        return (self.shape["image_px"] // self.shape["patch_px"]) ** 2


def stem_widths(shape: dict[str, int]) -> list[int]:
    """Channels before, between and after the stem's strided convolutions."""
    steps = shape["patch_px"].bit_length() - 1
    inner = [max(shape["width"] >> (steps - 1 - i), 16) for i in range(steps - 1)]
    return [3, *inner, shape["width"]]


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """Read and check a file that `constellm.train.save` wrote.

    Parameters
    ----------
    path : path
        A ``.safetensors`` file. Its numbers may be float16 or float32.

    Returns
    -------
    Weights
        In float32.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    ValueError
        If the file is damaged or not of this format and version, a tensor is absent, too many, of another
        shape or type, or not finite; names the file and the entry.
    ImportError
        If safetensors is absent.

    Examples
    --------
    See `constellm.train.save`.
    """
    safetensors = optional_import("safetensors", extra="infer", purpose="reading weights needs safetensors")
    place = Path(path)
    if not place.is_file():
        raise FileNotFoundError(f"path: no file at {os.fspath(path)!r}")
    try:
        with safetensors.safe_open(os.fspath(place), framework="numpy") as file:
            named = _read_metadata(file.metadata() or {})
            tensors = dict(_read_tensors(file, named["shape"]))
    except (safetensors.SafetensorError, ValueError) as error:
        raise ValueError(f"{place}: {error}") from None
    return Weights(tensors=tensors, **named)


def _read_metadata(metadata: dict[str, str]) -> dict[str, Any]:
    if FORMAT not in metadata:
        raise ValueError(f"metadata: no {FORMAT!r}: not a file of constellm.train.save")
    try:
        fields = json.loads(metadata[FORMAT])
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"metadata: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"metadata: expected an object, got {short(fields)}")
    if fields.get("version") != VERSION:
        raise ValueError(f"metadata: version is {short(fields.get('version'))}, this release reads {VERSION}")
    for key in ("name", "shape", "mean", "std", "classes"):
        if key not in fields:
            raise ValueError(f"metadata: {key} is missing")
    try:
        shape = _checked_shape(fields["shape"])
        mean, std = (_three_numbers(key, fields[key]) for key in ("mean", "std"))
        classes = fields["classes"]
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise TypeError("classes: expected a list of names")
    except TypeError as error:  # a file's content is a value
        raise ValueError(f"metadata: {error}") from None
    if len(classes) != shape["classes"]:
        raise ValueError(f"metadata: classes: {len(classes)} names are not {shape['classes']}")
    name = fields["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):  # it becomes part of file names
        raise ValueError(f"metadata: name: {short(name)} is not 1 to 100 characters of A-Z a-z 0-9 . _ -")
    return {
        "name": name,
        "shape": shape,
        "mean": mean,
        "std": std,
        "classes": tuple(classes),
    }


def _checked_shape(shape: Any) -> dict[str, int]:
    if not isinstance(shape, dict) or set(shape) != set(_SHAPE):
        raise TypeError(f"shape: expected {', '.join(_SHAPE)}")
    shape = {key: count(f"shape.{key}", shape[key], most=_MOST) for key in _SHAPE}
    patch = shape["patch_px"]
    if shape["width"] % shape["heads"] or patch < 2 or patch & (patch - 1) or shape["image_px"] % patch:
        raise ValueError(f"metadata: shape: {shape} does not divide into heads and patches")
    return shape


def _three_numbers(key: str, values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != 3:
        raise TypeError(f"{key}: expected three numbers")
    least = 1e-6 if key == "std" else 0.0  # by which is divided
    return tuple(real(key, value, least=least, most=1.0) for value in values)


def _tensor_shapes(shape: dict[str, int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every tensor, in the module's order."""
    width, hidden = shape["width"], shape["mlp_width"]
    widths = stem_widths(shape)
    yield "stem.position", ((shape["image_px"] // shape["patch_px"]) ** 2, width)
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        yield f"stem.convs.{i}.weight", (b, a, 3, 3)
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"stem.norms.{i}.{part}", (b,)
    yield "stem.mix.weight", (width, width, 1, 1)
    yield "stem.mix.bias", (width,)
    linear = {
        "attention.qkv": (3 * width, width),
        "attention.out": (width, width),
        "up": (hidden, width),
        "down": (width, hidden),
    }
    for i in range(shape["blocks"]):
        for norm in ("norm1", "norm2"):
            yield f"blocks.{i}.{norm}.weight", (width,)
            yield f"blocks.{i}.{norm}.bias", (width,)
        for name, sides in linear.items():
            yield f"blocks.{i}.{name}.weight", sides
            yield f"blocks.{i}.{name}.bias", sides[:1]
    yield "head.norm.weight", (width,)
    yield "head.norm.bias", (width,)
    yield "head.classify.weight", (shape["classes"], width)
    yield "head.classify.bias", (shape["classes"],)


def _read_tensors(file: Any, shape: dict[str, int]) -> Iterator[tuple[str, np.ndarray]]:
    present = set(file.keys())
    for name, sides in _tensor_shapes(shape):
        if name not in present:
            raise ValueError(f"{name}: missing")
        present.remove(name)
        header = file.get_slice(name)
        if tuple(header.get_shape()) != sides:
            raise ValueError(f"{name}: expected shape {sides}, got {tuple(header.get_shape())}")
        if header.get_dtype() not in ("F16", "F32"):
            raise ValueError(f"{name}: expected float16 or float32, got {header.get_dtype()}")
        tensor = file.get_tensor(name).astype(np.float32)
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name}: not all values are finite")
        if name.endswith("running_var") and tensor.min() < 0.0:
            raise ValueError(f"{name}: {tensor.min()} is not in [0, inf)")
        yield name, tensor
    if present:
        raise ValueError(f"{min(present)}: not a tensor of this model")
