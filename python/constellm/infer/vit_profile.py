"""Work, memory and traffic of the blocks of a vision transformer, for the planner."""

from __future__ import annotations

from .._core.model import LayerProfile
from ..model import Profile, vit
from .weights import Weights, stem_widths

_ELEMENT_BYTES = 4.0  # float32, as the graphs compute


def profile(weights: Weights, batch: int) -> Profile:
    """The model as it runs: a layer a block, the stem in the first and the head in the last.

    Blocks and head are those of `constellm.model.vit`. In place of its patch embedding stands the stem:
    2·9·a·b FLOP for each output pixel of a 3 × 3 convolution from a to b channels, 2·d² a token for the
    1 × 1 one. Batch normalisation is folded into the convolutions. The raw input is 8 bit a channel. The
    workspace is that of a micro-batch taken whole.
    """
    shape = weights.shape
    config = {
        "model_type": "vit",
        "hidden_size": shape["width"],
        "num_hidden_layers": shape["blocks"],
        "num_attention_heads": shape["heads"],
        "intermediate_size": shape["mlp_width"],
        "image_size": shape["image_px"],
        "patch_size": shape["patch_px"],
        "pool": "mean",
    }
    plain = vit(config, batch=batch, classes=shape["classes"], ends="separate")
    _, *layers, head = plain.detail
    layers[0] = _joined(_stem(weights, batch), layers[0], layers[0])
    layers[-1] = _joined(layers[-1], head, head)
    return Profile(
        name=weights.name,
        detail=tuple(layer.replace(name=f"block-{i}") for i, layer in enumerate(layers)),
        input_bytes=float(batch * 3 * shape["image_px"] ** 2),
        batch=batch,
        note="FLOP are those of matrix products and convolutions.",
    )


def _stem(weights: Weights, batch: int) -> LayerProfile:
    width, tokens = float(weights.shape["width"]), float(weights.tokens)
    widths = stem_widths(weights.shape)
    side = weights.shape["image_px"]
    numbers = [3.0 * side * side]  # of an image: what goes in, then what every convolution leaves
    flop = parameters = 0.0
    for a, b in zip(widths, widths[1:]):
        side //= 2
        flop += 2.0 * 9.0 * a * b * side * side
        parameters += 9.0 * a * b + b
        numbers.append(float(b * side * side))
    flop += 2.0 * width * width * tokens
    parameters += width * width + width + tokens * width
    # A convolution reads one tensor and writes the next; its activation function then writes a third.
    alive = max(max(a + b, 2.0 * b) for a, b in zip(numbers, numbers[1:]))
    return _layer(batch * flop, parameters, batch * alive * _ELEMENT_BYTES, 0.0)


def _joined(one: LayerProfile, two: LayerProfile, sends: LayerProfile) -> LayerProfile:
    """Two layers as one: sums, but of the workspaces the larger."""
    return _layer(
        one.flop + two.flop,
        one.parameters + two.parameters,
        max(one.workspace_bytes, two.workspace_bytes),
        sends.output_bytes,
    )


def _layer(flop: float, parameters: float, workspace_bytes: float, output_bytes: float) -> LayerProfile:
    weight_bytes = parameters * _ELEMENT_BYTES
    return LayerProfile(
        name="",
        flop=flop,
        parameters=parameters,
        weight_bytes=weight_bytes,
        read_bytes=weight_bytes,
        workspace_bytes=workspace_bytes,
        memory_bytes=weight_bytes + workspace_bytes,
        output_bytes=output_bytes,
    )
