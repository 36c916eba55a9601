"""Vision transformers, and the size of the images that they are given."""

from __future__ import annotations

from typing import Any

from .. import _core
from .._core import Pass, TransformerShape, VisionEnds
from .config import Config, Fields, choose, element_bytes, head_width, read_config
from .profile import Profile

#: Width and height of the usual video sizes [px]. 240p and 480p are the 16:9 ones, rounded to even.
IMAGE_SIZES_PX = {
    "240p": (426, 240),
    "360p": (640, 360),
    "480p": (854, 480),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
}


def image_bytes(size: str | tuple[int, int], *, batch: int = 1, bits_per_pixel: float = 24) -> float:
    """Bytes of raw images.

    Parameters
    ----------
    size : str or (int, int)
        One of 240p, 360p, 480p, 720p, 1080p, or width and height [px].
    batch : int
        Number of images.
    bits_per_pixel : float
        24 for three channels of eight bits.

    Returns
    -------
    float
        [B]

    Examples
    --------
    >>> from constellm import model
    >>> model.image_bytes("1080p", batch=8)
    49766400.0
    """
    if isinstance(size, str):
        choose("size", size, tuple(IMAGE_SIZES_PX))
        width, height = IMAGE_SIZES_PX[size]
    else:
        width, height = size
    factors = {"width": width, "height": height, "batch": batch, "bits_per_pixel": bits_per_pixel}
    for field, value in factors.items():
        if isinstance(value, (bool, str)):
            raise TypeError(f"{field}: expected a number, got {value!r}")
        if not 0 < value < float("inf"):
            raise ValueError(f"{field}: {value!r} is not in (0, inf)")
    return width * height * bits_per_pixel / 8 * batch


def vit(
    config: Config,
    *,
    image_px: int | None = None,
    batch: int = 1,
    dtype: str = "float32",
    weight_dtype: str | None = None,
    granularity: str = "block",
    ends: str = "folded",
    classes: int | None = None,
    pool: str | None = None,
    registers: int | None = None,
    input_bytes: float | None = None,
) -> Profile:
    """Profile of a plain vision transformer.

    Parameters
    ----------
    config : str, path or mapping
        A name from `available` such as ``"vit-gigantic/14"`` (size and patch side), or a Hugging Face
        ``config.json`` of ``model_type`` ``vit``.
    image_px : int
        Side of the square image that the model sees [px]; default from the configuration, else 224.
    batch : int
        Images in a micro-batch.
    dtype, weight_dtype : str
        Element type of the activations and of the weights (default: the same).
    granularity : {"block", "sub-block"}
        Cuts after every block, or at four places in each: after the attention's weighted values, its
        output matrix, the MLP's way up and down, as PipeEdge cuts. There the residual stream
        crosses beside the inner tensor.
    ends : {"folded", "separate"}
        Patch embedding and head as part of the first and last layer (so a model of 48 blocks has 48
        layers), or as layers of their own.
    classes : int
        Width of the classifier; 0 for none. Default 1000.
    pool : {"token", "mean", "attention"}
        What is read out: a class token, the mean of all tokens, or a learned query over them. The
        latter two have no class token. Default ``"token"``.
    registers : int
        Learned tokens without a place in the image. Default 0.
    input_bytes : float
        Raw input of a micro-batch [B], for instance from `image_bytes`; default: the image as the model
        takes it, three numbers a pixel of `dtype`.

    Returns
    -------
    Profile

    Notes
    -----
    FLOP are matrix products only, two per multiply-add: 2n(4d² + 2·d·d_ff) + 4n²d a block and image for n
    tokens, width d and MLP width d_ff, plus 2·(patches)·(3·patch²)·d for the embedding. Attention scores
    are not counted as memory (fused kernels).

    Examples
    --------
    >>> from constellm import model
    >>> model.vit("vit-gigantic/14", batch=8)
    Profile('vit-gigantic/14', 48 layers, 1,844.4 M parameters, 7,740.0 GFLOP and 11.93 GB for a batch of 8)
    """
    name, values = read_config(config)
    fields = Fields(values)
    kind = fields.text("model_type")
    if kind != "vit":
        raise ValueError(f"config.model_type: {kind!r} is not 'vit'")
    width = fields.count("hidden_size")
    heads = fields.count("num_attention_heads")
    pool = choose("pool", pool or str(values.get("pool", "token")), ("token", "mean", "attention"))
    shape = TransformerShape(
        blocks=fields.count("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=head_width(width, heads),
        mlp_width=fields.count("intermediate_size"),
        gated_mlp=fields.flag("gated_mlp", False),
        qkv_bias=fields.flag("qkv_bias", True),
    )
    ends_shape = VisionEnds(
        image_px=fields.count("image_size", default=224) if image_px is None else image_px,
        patch_px=fields.count("patch_size"),
        channels=fields.count("num_channels", default=3),
        classes=_classes(fields, values) if classes is None else classes,
        registers=fields.count("registers", default=0) if registers is None else registers,
        class_token=pool == "token",
        attention_pool=pool == "attention",
    )
    element = element_bytes("dtype", dtype)
    one_pass = Pass(
        batch=batch,
        tokens=ends_shape.tokens,
        weight_element_bytes=element_bytes("weight_dtype", weight_dtype or dtype),
        activation_element_bytes=element,
    )
    detail = _core.vision_transformer(
        shape=shape,
        ends=ends_shape,
        pass_=one_pass,
        sub_blocks=choose("granularity", granularity, ("block", "sub-block")) == "sub-block",
        separate_ends=choose("ends", ends, ("folded", "separate")) == "separate",
    )
    if input_bytes is None:
        input_bytes = batch * ends_shape.channels * ends_shape.image_px**2 * element
    return Profile(name=name, detail=tuple(detail), input_bytes=input_bytes, batch=batch, dtype=dtype)


def _classes(fields: Fields, values: dict[str, Any]) -> int:
    # Hugging Face writes the labels, not their number; a file without either has no classifier of its own.
    labels = values.get("id2label")
    return len(labels) if isinstance(labels, dict) else fields.count("num_labels", default=1000)
