"""Plain vision transformers: patches, blocks that do not differ, and what is read out."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.model import AttentionShape, BlockShape, MlpShape, VisionEnds, VisionStage
from ..fields import Fields, share
from .family import Family, Image, VisionTower


class Grid(NamedTuple):
    """Patches of a square image.

    Learned positions are those of the configuration's own image size; another size resamples them, so it
    changes the number of tokens alone.
    """

    image_px: int
    patch_px: int
    own_patches: int

    @classmethod
    def of(cls, fields: Fields, image: Image) -> Grid:
        """From ``image_size`` and ``patch_size``, and what the caller says."""
        own_px = fields.side("image_size") or image.image_px or 224
        patch_px = fields.side("patch_size")
        if patch_px is None:
            raise ValueError("config.patch_size: missing")
        # A configuration's own size may leave pixels out, as SigLIP's 384 with patches of 14 does.
        if image.image_px and image.image_px != fields.side("image_size") and image.image_px % patch_px:
            below = image.image_px // patch_px * patch_px
            either = f"{below} or {below + patch_px}" if below else str(patch_px)
            raise ValueError(
                f"image_px: {image.image_px} is not a multiple of the patches' {patch_px} px; take {either}"
            )
        return cls(image.image_px or own_px, patch_px, (own_px // patch_px) ** 2)


def classes_of(fields: Fields, image: Image) -> int:
    """Classes of the classifier: the caller's, else the labels; 0 for an architecture that has none."""
    classifies = "ForImageClassification" in fields.architecture
    if image.classes is None:
        return fields.label_count() if classifies else 0
    if image.classes > 0 and not classifies:
        raise ValueError(f"classes: {image.classes} is not 0, {fields.architecture} has no classifier")
    return image.classes


def _tower(fields: Fields, block: BlockShape, ends: VisionEnds) -> VisionTower:
    layers = fields.layers("num_hidden_layers")
    return VisionTower((VisionStage(blocks=[block] * layers, tokens=ends.tokens),), ends)


def _attention(fields: Fields, *, biases: int, tables: int = 0, scaled: bool = False) -> AttentionShape:
    """Even heads behind a layer norm; `biases` of queries, keys and values, and one of the output."""
    width = fields.count("hidden_size", least=1)
    heads = fields.count("num_attention_heads", least=1)
    each = share("num_attention_heads", heads, width)
    return AttentionShape(
        heads=heads,
        kv_heads=heads,
        head_width=each,
        value_width=each,
        vectors=(2 + biases) * width + tables,
        out_vectors=(1 + scaled) * width,
    )


def _mlp(fields: Fields, *, scaled: bool = False) -> MlpShape:
    width = fields.count("hidden_size", least=1)
    return MlpShape(width=fields.count("intermediate_size", least=1), bias=True, vectors=(2 + scaled) * width)


def _vit(fields: Fields, image: Image) -> VisionTower:
    width = fields.count("hidden_size", least=1)
    mlp = _mlp(fields).replace(gated=fields.flag("gated_mlp"))
    attention = _attention(fields, biases=3 if fields.flag("qkv_bias") else 0)
    grid = Grid.of(fields, image)
    pool = fields.choice("pool", ("token", "mean", "attention"))
    registers = fields.count("registers")
    class_tokens = 1 if pool == "token" else 0
    ends = VisionEnds(
        image_px=grid.image_px,
        patch_px=grid.patch_px,
        channels=fields.count("num_channels", least=1),
        extra_tokens=class_tokens + registers,
        positions=grid.own_patches + class_tokens,
        embed_vectors=(1 + class_tokens + registers) * width,
        head_vectors=(4 if pool == "attention" else 2) * width,
        pool_mlp_width=mlp.width if pool == "attention" else 0,
        pooler_width=_pooler(fields, width),
        classes=classes_of(fields, image),
    )
    return _tower(fields, BlockShape(width=width, attention=attention, mlp=mlp), ends)


def _pooler(fields: Fields, width: int) -> int:
    """The dense layer over the class token that the bare model ends with."""
    if not fields.architecture.endswith("Model"):
        return 0
    return fields.optional_count("pooler_output_size") or width


def _deit(fields: Fields, image: Image) -> VisionTower:
    width = fields.count("hidden_size", least=1)
    attention = _attention(fields, biases=3 if fields.flag("qkv_bias") else 0)
    grid = Grid.of(fields, image)
    ends = VisionEnds(
        image_px=grid.image_px,
        patch_px=grid.patch_px,
        channels=fields.count("num_channels", least=1),
        extra_tokens=2,  # class and distillation
        positions=grid.own_patches + 2,
        embed_vectors=3 * width,
        head_vectors=2 * width,
        pooler_width=_pooler(fields, width),
        classes=classes_of(fields, image),
        classifiers=2 if fields.architecture.endswith("WithTeacher") else 1,
    )
    return _tower(fields, BlockShape(width=width, attention=attention, mlp=_mlp(fields)), ends)


def _beit(fields: Fields, image: Image) -> VisionTower:
    width = fields.count("hidden_size", least=1)
    grid = Grid.of(fields, image)
    # A bias for each step between patches within the image, and three for the class token.
    side = fields.side("image_size") or grid.image_px
    offsets = (2 * (side // grid.patch_px) - 1) ** 2 + 3
    table = offsets * fields.count("num_attention_heads", least=1)
    scaled = fields.number("layer_scale_init_value") > 0
    attention = _attention(
        fields,
        biases=2,  # the keys have none
        tables=table if fields.flag("use_relative_position_bias") else 0,
        scaled=scaled,
    )
    shared_table = table if fields.flag("use_shared_relative_position_bias") else 0
    ends = VisionEnds(
        image_px=grid.image_px,
        patch_px=grid.patch_px,
        channels=fields.count("num_channels", least=1),
        extra_tokens=1,
        positions=grid.own_patches + 1 if fields.flag("use_absolute_position_embeddings") else 0,
        embed_vectors=(3 if fields.flag("use_mask_token") else 2) * width + shared_table,
        head_vectors=2 * width,
        classes=classes_of(fields, image),
    )
    block = BlockShape(width=width, attention=attention, mlp=_mlp(fields, scaled=scaled))
    return _tower(fields, block, ends)


def _plain_dinov2(fields: Fields, image: Image) -> VisionTower:
    return _dinov2(fields, image, registers=0, mask_tokens=1 if fields.flag("use_mask_token") else 0)


def _dinov2_with_registers(fields: Fields, image: Image) -> VisionTower:
    return _dinov2(fields, image, registers=fields.count("num_register_tokens"), mask_tokens=1)


def _dinov2(fields: Fields, image: Image, *, registers: int, mask_tokens: int) -> VisionTower:
    width = fields.count("hidden_size", least=1)
    hidden = fields.multiple("mlp_ratio", width)
    gated = fields.flag("use_swiglu_ffn")
    if gated:  # two thirds, in eights: three matrices as large as two
        hidden = (int(hidden * 2 / 3) + 7) // 8 * 8
    grid = Grid.of(fields, image)
    ends = VisionEnds(
        image_px=grid.image_px,
        patch_px=grid.patch_px,
        channels=fields.count("num_channels", least=1),
        extra_tokens=1 + registers,
        positions=grid.own_patches + 1,
        embed_vectors=(2 + mask_tokens + registers) * width,
        head_vectors=2 * width,
        feature_tokens=2 if "ForImageClassification" in fields.architecture else 1,  # beside the mean
        classes=classes_of(fields, image),
    )
    block = BlockShape(
        width=width,
        attention=_attention(fields, biases=3 if fields.flag("qkv_bias") else 0, scaled=True),
        mlp=MlpShape(width=hidden, gated=gated, bias=True, vectors=3 * width),
    )
    return _tower(fields, block, ends)


def _siglip(fields: Fields, image: Image) -> VisionTower:
    width = fields.count("hidden_size", least=1)
    grid = Grid.of(fields, image)
    mlp = _mlp(fields)
    pools = fields.flag("vision_use_head")
    ends = VisionEnds(
        image_px=grid.image_px,
        patch_px=grid.patch_px,
        channels=fields.count("num_channels", least=1),
        extra_tokens=0,
        positions=grid.own_patches,
        embed_vectors=width,
        head_vectors=(4 if pools else 2) * width,
        pool_mlp_width=mlp.width if pools else 0,
        classes=classes_of(fields, image),
    )
    if not pools:  # every token is handed on
        ends = ends.replace(feature_tokens=int(ends.tokens))
    return _tower(fields, BlockShape(width=width, attention=_attention(fields, biases=3), mlp=mlp), ends)


def _clip(fields: Fields, image: Image) -> VisionTower:
    width = fields.count("hidden_size", least=1)
    grid = Grid.of(fields, image)
    ends = VisionEnds(
        image_px=grid.image_px,
        patch_px=grid.patch_px,
        channels=fields.count("num_channels", least=1),
        extra_tokens=1,
        positions=grid.own_patches + 1,
        embed_vectors=(1 + 2) * width,  # the class token and a norm; the patches have no bias
        head_vectors=2 * width,
        classes=classes_of(fields, image),
    )
    block = BlockShape(width=width, attention=_attention(fields, biases=3), mlp=_mlp(fields))
    return _tower(fields, block, ends)


_VIT = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "image_size": 224,
    "patch_size": 16,
    "num_channels": 3,
}
_POOLED = {**_VIT, "qkv_bias": True, "pooler_output_size": None}
_DINO = {
    **{name: value for name, value in _VIT.items() if name != "intermediate_size"},
    "mlp_ratio": 4,
    "qkv_bias": True,
    "use_swiglu_ffn": False,
}
#: Read by the attention though the class does not name it.
_EVEN_HEADS = {"head_dim": (None,)}
#: Read of a configuration of ``vit`` though its class does not know them: timm's variants.
OWN_VIT_FIELDS = {"pool": "token", "registers": 0, "gated_mlp": False}

FAMILIES = (
    Family(
        "vit",
        ("ViTForImageClassification", "ViTModel"),
        {**_POOLED, **OWN_VIT_FIELDS},
        build=_vit,
        vision=True,
        only=_EVEN_HEADS,
        activations=("hidden_act", "pooler_act"),
    ),
    Family(
        "deit",
        ("DeiTForImageClassification", "DeiTForImageClassificationWithTeacher", "DeiTModel"),
        _POOLED,
        build=_deit,
        vision=True,
        only=_EVEN_HEADS,
        activations=("hidden_act", "pooler_act"),
    ),
    Family(
        "beit",
        ("BeitForImageClassification", "BeitModel"),
        {
            **_VIT,
            "use_mask_token": False,
            "use_absolute_position_embeddings": False,
            "use_relative_position_bias": False,
            "use_shared_relative_position_bias": False,
            "layer_scale_init_value": 0.1,
        },
        build=_beit,
        vision=True,
        only=_EVEN_HEADS,
    ),
    Family(
        "dinov2",
        ("Dinov2ForImageClassification", "Dinov2Model"),
        {**_DINO, "patch_size": 14, "use_mask_token": True},
        build=_plain_dinov2,
        vision=True,
        only=_EVEN_HEADS,
    ),
    Family(
        "dinov2_with_registers",
        ("Dinov2WithRegistersForImageClassification", "Dinov2WithRegistersModel"),
        {**_DINO, "num_register_tokens": 4},
        build=_dinov2_with_registers,
        vision=True,
        only=_EVEN_HEADS,
    ),
    Family(
        "siglip_vision_model",
        ("SiglipVisionModel",),
        {**_VIT, "vision_use_head": True},
        build=_siglip,
        vision=True,
    ),
    Family("clip_vision_model", ("CLIPVisionModel",), {**_VIT, "patch_size": 32}, build=_clip, vision=True),
)
