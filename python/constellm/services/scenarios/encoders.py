"""Encoders of real architectures, and the ViT that ships: what they take and send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ... import model
from ...model.config import element_bytes
from .component import Component

TOKEN_BYTES = 4.0
NUMBER_BYTES = 4.0


@dataclass(frozen=True)
class Choices:
    """What `components` was asked for."""

    dtype: str
    image_px: int
    radar_bits: float
    decoder: str
    prompt_tokens: int
    new_tokens: int
    classes: int
    boxes: int
    fusion_blocks: int
    landuse_cut: int

    @property
    def element(self) -> float:
        return element_bytes("dtype", self.dtype)


_CLIP_PATCH_PX = 14
# The two towers of CLIP ViT-L/14 (Radford et al. 2021, table 20), and what they agree on.
_CLIP_IMAGE = {
    "model_type": "clip_vision_model", "hidden_size": 1024, "num_hidden_layers": 24,
    "num_attention_heads": 16, "intermediate_size": 4096, "patch_size": _CLIP_PATCH_PX,
}  # fmt: skip
_CLIP_TEXT = {
    "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 77, "vocab_size": 49408,
}  # fmt: skip
CLIP_EMBEDDING = 768
_CLIP_TEXT_TOKENS = 77
# ViT-S/16 for the two polarisations of Sentinel-1 (Wang et al. 2023, SSL4EO-S12).
_RADAR_CHANNELS, RADAR_PX = 2, 224
_RADAR = {
    "model_type": "vit", "hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6,
    "intermediate_size": 1536, "patch_size": 16, "num_channels": _RADAR_CHANNELS, "image_size": RADAR_PX,
}  # fmt: skip
# Kirillov et al. 2023, Segment Anything, appendix A, of the ViT-B: images of 1024 px, windows of 14 x 14
# tokens in all blocks but four, a neck of a 1 x 1 and a 3 x 3 convolution to 256 channels; in the decoder of
# masks two blocks of width 256 whose attention is 128 wide.
MASK_PX, _MASK_WINDOW, _MASK_BLOCKS, _MASK_GLOBAL = 1024, 14, 12, 4
MASK_WIDTH, MASK_ATTENTION = 256, 128
MASK_SENT_PX = 256
_MASKS = {
    "model_type": "vit", "hidden_size": 768, "num_hidden_layers": _MASK_BLOCKS, "num_attention_heads": 12,
    "intermediate_size": 3072, "patch_size": 16, "pool": "mean",
}  # fmt: skip
# The model that ships with constellm.infer; in place of its convolutions the plain embedding of patches.
_LANDUSE = {
    "model_type": "vit", "hidden_size": 128, "num_hidden_layers": 12, "num_attention_heads": 4,
    "intermediate_size": 512, "patch_size": 8, "image_size": 64, "pool": "mean",
}  # fmt: skip


def image_tokens(given: Choices) -> int:
    return (given.image_px // _CLIP_PATCH_PX) ** 2


def resident(profile: model.Profile) -> float:
    """What one host of all layers holds: they run one after the other and share a workspace."""
    return profile.weight_bytes + profile.kv_cache_bytes + profile.workspace_bytes


def dense(rows: float, columns: float, times: float = 1.0) -> tuple[float, float]:
    """FLOP and weights of a matrix that is applied so many times."""
    return 2.0 * rows * columns * times, rows * columns


def image_encoder(given: Choices) -> Component:
    tower = model.vit(_CLIP_IMAGE, image_px=given.image_px, dtype=given.dtype, classes=0)
    width, tokens = 1024, image_tokens(given)
    flop, weights = dense(width, CLIP_EMBEDDING)
    return Component(
        "image-encoder",
        "encoder",
        "image",
        flop=tower.flop + flop,
        memory_bytes=resident(tower) + weights * given.element,
        input_bytes=model.image_bytes((given.image_px, given.image_px)),
        outputs={"embedding": CLIP_EMBEDDING * given.element, "tokens": tokens * width * given.element},
        standing={
            "flop": f"derived: CLIP ViT-L/14 at {given.image_px} px, and its projection",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed) and the workspace of one image",
            "input_bytes": "assumed: 24 bit a pixel, not compressed",
            "outputs": "derived: the embedding (stated width 768), or the patches' tokens, as LLaVA takes",
        },
    )


def radar_encoder(given: Choices) -> Component:
    tower = model.vit(_RADAR, dtype=given.dtype, classes=0)
    tokens = (RADAR_PX // 16) ** 2
    return Component(
        "radar-encoder",
        "encoder",
        "radar",
        flop=tower.flop,
        memory_bytes=resident(tower),
        input_bytes=_RADAR_CHANNELS * RADAR_PX**2 * given.radar_bits / 8,
        outputs={"embedding": 384 * given.element, "tokens": tokens * 384 * given.element},
        standing={
            "flop": "derived: ViT-S/16 over 2 polarisations of 224 px (SSL4EO-S12)",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed) and the workspace of one scene",
            "input_bytes": f"assumed: {given.radar_bits:g} bit a number",
            "outputs": "derived: the token that is read out, or those of the patches",
        },
    )


def text_encoder(given: Choices) -> Component:
    tower = model.decoder(_CLIP_TEXT, prompt_tokens=_CLIP_TEXT_TOKENS, dtype=given.dtype, ends="separate")
    body = tower.detail[:-1]  # without the matrix of logits, which CLIP has not
    flop, weights = dense(CLIP_EMBEDDING, CLIP_EMBEDDING)
    held = sum(layer.weight_bytes for layer in body) + max(layer.workspace_bytes for layer in body)
    return Component(
        "text-encoder",
        "encoder",
        "text",
        flop=sum(layer.flop for layer in body) + flop,
        memory_bytes=held + weights * given.element,
        input_bytes=tower.input_bytes,
        outputs={"embedding": CLIP_EMBEDDING * given.element},
        standing={
            "flop": "derived: text tower of CLIP ViT-L/14 over its 77 tokens, and its projection",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed) and the workspace of one text",
            "input_bytes": "derived: 77 numbers of tokens, 4 B each",
            "outputs": "stated: width 768",
        },
    )


def mask_encoder(given: Choices) -> Component:
    def blocks(px: int, batch: int) -> model.Profile:
        return model.vit(_MASKS, image_px=px, batch=batch, dtype=given.dtype, classes=0, ends="separate")

    side = MASK_PX // 16
    windows = -(-side // _MASK_WINDOW)
    whole, parts = blocks(MASK_PX, 1), blocks(_MASK_WINDOW * 16, windows**2)
    tokens = float(side**2)
    neck_flop, neck_weights = dense(768 + 9 * MASK_WIDTH, MASK_WIDTH, tokens)
    in_windows = _MASK_BLOCKS - _MASK_GLOBAL
    block_flop = _MASK_GLOBAL * whole.detail[1].flop + in_windows * parts.detail[1].flop
    # Padding is for attention alone: MLPs have the tokens of the image.
    block_flop -= in_windows * dense(768, 2 * 3072, (windows * _MASK_WINDOW) ** 2 - tokens)[0]
    workspace = max(layer.workspace_bytes for layer in (*whole.detail, *parts.detail))
    return Component(
        "mask-encoder",
        "encoder",
        "image",
        flop=whole.detail[0].flop + block_flop + neck_flop,
        memory_bytes=whole.weight_bytes + neck_weights * given.element + workspace,
        input_bytes=model.image_bytes((MASK_PX, MASK_PX)),
        outputs={"tokens": tokens * MASK_WIDTH * given.element},
        standing={
            "flop": "derived: SAM's ViT-B at 1024 px; attention in padded windows in 8 of 12 blocks",
            "memory_bytes": "derived: as the plain ViT's; relative positions left out",
            "input_bytes": "assumed: 24 bit a pixel, not compressed",
            "outputs": "derived: 64 x 64 places of 256 channels",
        },
    )


def _landuse(given: Choices) -> model.Profile:
    return model.vit(_LANDUSE, classes=10).replace(name="vit-eurosat")


def landuse_front(given: Choices) -> Component:
    return _landuse_part(
        "landuse-front", "encoder", "image", given, slice(0, given.landuse_cut), input_bytes=3.0 * 64**2
    )


def landuse_back(given: Choices) -> Component:
    return _landuse_part(
        "landuse-back", "head", "any", given, slice(given.landuse_cut, None), outputs={"label": NUMBER_BYTES}
    )


def _landuse_part(
    name: str, role: str, modality: str, given: Choices, layers: slice, **more: Any
) -> Component:
    standing = {
        "flop": "derived: the ViT that ships (12 blocks of width 128), patches embedded by one matrix",
        "memory_bytes": "derived: float32, as it ships",
        "outputs": "derived: 64 tokens of float32, or a label's number",
    }
    return Component.of_profile(
        name, _landuse(given), role=role, modality=modality, layers=layers, standing=standing, **more
    )
