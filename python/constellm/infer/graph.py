"""ONNX graphs of consecutive blocks, built straight from the weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.optional import optional_import
from .weights import Weights, stem_widths

#: The first operator set with LayerNormalization, and a file version that goes with it: runtimes of the last
#: years read both.
OPSET, IR_VERSION = 17, 8

_NORM_EPSILON = 1e-5  # PyTorch's default, of layer and batch normalisation alike


def segment_graph(weights: Weights, first: int, last: int, *, classify: bool = True) -> Any:
    """The blocks `first` to `last` - 1 as a model of their own.

    Parameters
    ----------
    weights : Weights
        Of the whole model.
    first, last : int
        0 <= first < last <= blocks. From 0 the stem belongs to it, to the last block the head.
    classify : bool
        Whether the head ends in its classifier, or before it.

    Returns
    -------
    onnx.ModelProto
        Input ``pixels``, uint8 (images, height, width, 3), or ``activation``, float32 (images, tokens,
        features); output ``activation_out``, or ``logits``, float32 (images, classes), or ``features``,
        float32 (images, features). The number of images is free.
    """
    onnx = optional_import("onnx", extra="infer", purpose="building graphs needs onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    shape = weights.shape
    graph = _Graph(weights, onnx)
    activation: list[Any] = ["images", weights.tokens, shape["width"]]
    if first == 0:
        sides: list[Any] = ["images", shape["image_px"], shape["image_px"], 3]
        taken = helper.make_tensor_value_info("pixels", kinds.UINT8, sides)
        x = graph.stem("pixels")
    else:
        taken = helper.make_tensor_value_info("activation", kinds.FLOAT, activation)
        x = "activation"
    for block in range(first, last):
        x = graph.block(x, block)
    if last == shape["blocks"]:
        x = graph.pooled(x)
        if classify:
            x = graph.linear(x, "head.classify")
        name, size = ("logits", shape["classes"]) if classify else ("features", shape["width"])
        given = helper.make_tensor_value_info(name, kinds.FLOAT, ["images", size])
    else:
        given = helper.make_tensor_value_info("activation_out", kinds.FLOAT, activation)
    graph.add("Identity", x, out=given.name)
    body = helper.make_graph(
        graph.nodes, f"{weights.name}-{first}-{last}", [taken], [given], graph.initializers
    )
    opset = helper.make_opsetid("", OPSET)
    made = helper.make_model(body, producer_name="constellm", ir_version=IR_VERSION, opset_imports=[opset])
    onnx.checker.check_model(made, full_check=True)
    return made


class _Graph:
    """Nodes in order; every method adds some and returns the name of their result."""

    def __init__(self, weights: Weights, onnx: Any) -> None:
        self.weights = weights
        self._node, self._array = onnx.helper.make_node, onnx.numpy_helper.from_array
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._named: set[str] = set()

    def add(self, operator: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        name = out or f"{operator}_{len(self.nodes)}"
        self.nodes.append(self._node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: Any) -> str:
        """An array that the graph carries; one of the same name is carried once."""
        if name not in self._named:
            self._named.add(name)
            self.initializers.append(self._array(np.ascontiguousarray(value), name))
        return name

    def number(self, value: float) -> str:
        return self.constant(f"number {value!r}", np.float32(value))

    def sizes(self, *values: int) -> str:
        return self.constant(f"sizes {values}", np.array(values, dtype=np.int64))

    def tensor(self, name: str) -> str:
        return self.constant(name, self.weights.tensors[name])

    def stem(self, pixels: str) -> str:
        """Standardised pixels through the convolutions to tokens."""
        mean, std = (np.array(v, dtype=np.float32) for v in (self.weights.mean, self.weights.std))
        x = self.add("Cast", pixels, to=1)  # 1: float32
        x = self.add("Mul", x, self.constant("pixel scale", np.float32(1.0) / (np.float32(255.0) * std)))
        x = self.add("Add", x, self.constant("pixel shift", -mean / std))
        x = self.add("Transpose", x, perm=[0, 3, 1, 2])
        for i in range(len(stem_widths(self.weights.shape)) - 1):
            weight, bias = _folded(self.weights.tensors, i)
            kernel, offset = (
                self.constant(f"stem.convs.{i}.{n}", v) for n, v in (("kernel", weight), ("bias", bias))
            )
            x = self.add("Conv", x, kernel, offset, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
            x = self.gelu(x)
        x = self.add(
            "Conv", x, self.tensor("stem.mix.weight"), self.tensor("stem.mix.bias"), kernel_shape=[1, 1]
        )
        shape = self.weights.shape
        x = self.add("Reshape", x, self.sizes(0, shape["width"], self.weights.tokens))
        x = self.add("Transpose", x, perm=[0, 2, 1])
        return self.add("Add", x, self.tensor("stem.position"))

    def block(self, x: str, index: int) -> str:
        """Attention and MLP, each added to what it was given (pre-norm)."""
        place = f"blocks.{index}."
        x = self.add("Add", x, self.attention(self.norm(x, place + "norm1"), place + "attention."))
        hidden = self.gelu(self.linear(self.norm(x, place + "norm2"), place + "up"))
        return self.add("Add", x, self.linear(hidden, place + "down"))

    def attention(self, x: str, place: str) -> str:
        shape = self.weights.shape
        width, heads, tokens = shape["width"], shape["heads"], self.weights.tokens
        qkv = self.linear(x, place + "qkv")
        parts = [f"{place}{part}" for part in ("queries", "keys", "values")]
        thirds = self.sizes(width, width, width)
        self.nodes.append(self._node("Split", [qkv, thirds], parts, name=place + "split", axis=2))
        apart = self.sizes(0, tokens, heads, width // heads)
        queries, keys, values = (
            self.add("Transpose", self.add("Reshape", part, apart), perm=perm)
            for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
        )
        scores = self.add("Mul", self.add("MatMul", queries, keys), self.number(math.sqrt(heads / width)))
        mixed = self.add("MatMul", self.add("Softmax", scores, axis=-1), values)
        together = self.add("Transpose", mixed, perm=[0, 2, 1, 3])
        return self.linear(self.add("Reshape", together, self.sizes(0, tokens, width)), place + "out")

    def pooled(self, x: str) -> str:
        """Mean over the normalised tokens: what the classifier takes."""
        return self.add("ReduceMean", self.norm(x, "head.norm"), axes=[1], keepdims=0)

    def linear(self, x: str, name: str) -> str:
        matrix = self.constant(f"{name}.matrix", self.weights.tensors[f"{name}.weight"].T)
        return self.add("Add", self.add("MatMul", x, matrix), self.tensor(f"{name}.bias"))

    def norm(self, x: str, name: str) -> str:
        scale, shift = self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=_NORM_EPSILON)

    def gelu(self, x: str) -> str:
        """The exact one: x (1 + erf(x / √2)) / 2. An operator of its own came with a later set."""
        error = self.add("Erf", self.add("Div", x, self.number(math.sqrt(2.0))))
        return self.add("Mul", self.add("Mul", x, self.add("Add", error, self.number(1.0))), self.number(0.5))


def _folded(tensors: dict[str, np.ndarray], index: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a convolution and the batch normalisation after it, which is linear at inference."""
    norm = {
        part: tensors[f"stem.norms.{index}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    }
    scale = norm["weight"] / np.sqrt(norm["running_var"] + _NORM_EPSILON)
    kernel = tensors[f"stem.convs.{index}.weight"] * scale[:, None, None, None]
    bias = norm["bias"] - norm["running_mean"] * scale
    return kernel.astype(np.float32), bias.astype(np.float32)
