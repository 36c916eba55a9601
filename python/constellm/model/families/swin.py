"""Swin: attention in windows, and from stage to stage four patches merged into one."""

from __future__ import annotations

from ..._core.model import AttentionShape, BlockShape, MlpShape, VisionEnds, VisionStage
from ..fields import MOST_LAYERS, Fields, share
from .family import Family, Image, VisionTower
from .vision import Grid, classes_of


def _block(fields: Fields, width: int, heads: int) -> BlockShape:
    window = fields.count("window_size", least=1)
    each = share("num_heads", heads, width)
    bias = 3 * width if fields.flag("qkv_bias") else 0
    # A bias for each head and each step between two patches of a window.
    table = (2 * window - 1) ** 2 * heads
    return BlockShape(
        width=width,
        attention=AttentionShape(
            heads=heads,
            kv_heads=heads,
            head_width=each,
            value_width=each,
            window=window**2,
            vectors=2 * width + bias + table,
            out_vectors=width,
        ),
        mlp=MlpShape(width=fields.multiple("mlp_ratio", width), bias=True, vectors=2 * width),
    )


def _swin(fields: Fields, image: Image) -> VisionTower:
    depths = fields.counts("depths")
    heads = fields.counts("num_heads")
    if not depths or min(depths) < 1 or len(heads) != len(depths) or min(heads) < 1:
        raise ValueError(f"config.num_heads: {heads} and depths {depths} are not two lists of as many counts")
    if sum(depths) > MOST_LAYERS:
        raise ValueError(f"config.depths: {depths} are more than {MOST_LAYERS} layers")
    grid = Grid.of(fields, image)
    window = fields.count("window_size", least=1)
    # Patches a side in the first stage: halved before each other stage, cut into windows in all.
    multiple = grid.patch_px * window * 2 ** (len(depths) - 1)
    if grid.image_px % multiple:
        raise ValueError(
            f"image_px: {grid.image_px} is no multiple of {multiple}; padded windows are not counted"
        )
    side = grid.image_px // grid.patch_px
    first = fields.count("embed_dim", least=1)
    stages = tuple(
        VisionStage(blocks=[_block(fields, first * 2**i, heads[i])] * depths[i], tokens=(side // 2**i) ** 2)
        for i in range(len(depths))
    )
    ends = VisionEnds(
        image_px=grid.image_px,
        patch_px=grid.patch_px,
        channels=fields.count("num_channels", least=1),
        extra_tokens=0,
        positions=grid.own_patches if fields.flag("use_absolute_embeddings") else 0,
        embed_vectors=(1 + 2) * first,
        head_vectors=2 * first * 2 ** (len(depths) - 1),
        classes=classes_of(fields, image),
    )
    return VisionTower(stages, ends)


FAMILIES = (
    Family(
        "swin",
        ("SwinForImageClassification", "SwinModel"),
        {
            "image_size": 224,
            "patch_size": 4,
            "num_channels": 3,
            "embed_dim": 96,
            "depths": (2, 2, 6, 2),
            "num_heads": (3, 6, 12, 24),
            "window_size": 7,
            "mlp_ratio": 4.0,
            "qkv_bias": True,
            "use_absolute_embeddings": False,
        },
        build=_swin,
        vision=True,
    ),
)
