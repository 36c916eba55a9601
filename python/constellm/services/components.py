"""The catalogue of components: encoders, projectors, decoders and heads of real architectures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import model
from ..core.checks import count, non_negative, short
from ..core.display import Display, Displayed
from ..core.table import Table
from ..model.config import element_bytes
from .component import Component

_TOKEN_BYTES = 4.0
_NUMBER_BYTES = 4.0


@dataclass(frozen=True)
class _Choices:
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
_CLIP_EMBEDDING = 768
_CLIP_TEXT_TOKENS = 77
# ViT-S/16 for the two polarisations of Sentinel-1 (Wang et al. 2023, SSL4EO-S12).
_RADAR_CHANNELS, _RADAR_PX = 2, 224
_RADAR = {
    "model_type": "vit", "hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6,
    "intermediate_size": 1536, "patch_size": 16, "num_channels": _RADAR_CHANNELS, "image_size": _RADAR_PX,
}  # fmt: skip
# Kirillov et al. 2023, Segment Anything, appendix A, of the ViT-B: images of 1024 px, windows of 14 x 14
# tokens in all blocks but four, a neck of a 1 x 1 and a 3 x 3 convolution to 256 channels; in the decoder of
# masks two blocks of width 256 whose attention is 128 wide.
_MASK_PX, _MASK_WINDOW, _MASK_BLOCKS, _MASK_GLOBAL = 1024, 14, 12, 4
_MASK_WIDTH, _MASK_ATTENTION = 256, 128
_MASK_SENT_PX = 256
_MASKS = {
    "model_type": "vit", "hidden_size": 768, "num_hidden_layers": _MASK_BLOCKS, "num_attention_heads": 12,
    "intermediate_size": 3072, "patch_size": 16, "pool": "mean",
}  # fmt: skip
# The model that ships with constellm.infer; in place of its convolutions the plain embedding of patches.
_LANDUSE = {
    "model_type": "vit", "hidden_size": 128, "num_hidden_layers": 12, "num_attention_heads": 4,
    "intermediate_size": 512, "patch_size": 8, "image_size": 64, "pool": "mean",
}  # fmt: skip


def components(
    *,
    dtype: str = "float16",
    image_px: int = 336,
    radar_bits: float = 16,
    decoder: str = "qwen2-0.5b",
    prompt_tokens: int = 32,
    new_tokens: int = 32,
    classes: int = 1000,
    boxes: int = 100,
    fusion_blocks: int = 2,
    landuse_cut: int = 6,
) -> Catalogue:
    """Components of real architectures, their figures from the profiles of `constellm.model`.

    A request is one image, one radar scene, one text, or all of them. FLOP are those of matrix products.
    Memory is the weights, the caches of one request, and the workspace of the layer that needs most.

    Parameters
    ----------
    dtype : str
        Of weights and activations. Assumed: half precision loses nothing.
    image_px : int
        Side of the image that CLIP's ViT-L/14 sees [px]. Stated: 336 as in LLaVA-1.5 (Liu et al. 2023).
    radar_bits : float
        A number of a radar scene as it is stored [bit]. Assumed; scenes are 2 polarisations of 224 x 224
        (stated, Wang et al. 2023).
    decoder : str
        A name of `model.available`. Assumed: that of the smallest LLaVA-OneVision (Li et al. 2024).
    prompt_tokens, new_tokens : int
        A question beside the tokens of the image, and the answer. Assumed.
    classes : int
        Labels of the heads that classify. Assumed.
    boxes : int
        Found objects that detection sends down, six numbers each. Assumed.
    fusion_blocks : int
        Blocks of the width of the image encoder over the tokens of both encoders. Assumed.
    landuse_cut : int
        Of the 12 blocks of the shipped ViT those that ``landuse-front`` has, in [1, 11].

    Returns
    -------
    Catalogue
        Components by name.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and the range.

    Notes
    -----
    Generation is counted by its FLOP. On most computers a token takes longer to read the weights than to
    compute (`model.Profile.pass_time_s`): a decoder's time is a lower bound.

    Examples
    --------
    >>> from constellm import services
    >>> parts = services.components()
    >>> parts["image-encoder"]
    Component('image-encoder', image encoder, 382 GFLOP, 615 MB)
    >>> parts["image-encoder"].outputs
    {'embedding': 1536.0, 'tokens': 1179648.0}
    >>> parts["image-encoder"].service(cost=7).memory_bytes == parts["image-encoder"].memory_bytes
    True
    """
    given = _Choices(
        dtype=dtype,
        image_px=count("image_px", image_px),
        radar_bits=non_negative("radar_bits", radar_bits),
        decoder=decoder,
        prompt_tokens=count("prompt_tokens", prompt_tokens),
        new_tokens=count("new_tokens", new_tokens),
        classes=count("classes", classes),
        boxes=count("boxes", boxes),
        fusion_blocks=count("fusion_blocks", fusion_blocks),
        landuse_cut=count("landuse_cut", landuse_cut, most=11),
    )
    image = _image_encoder(given)
    made = [image, _radar_encoder(given), _text_encoder(given), _mask_encoder(given)]
    made += [make(given) for make in _MADE_ALONE]
    return Catalogue({component.name: component for component in made})


class Catalogue(Displayed, dict[str, Component]):
    """Components by name; shows itself as a table.

    Examples
    --------
    >>> from constellm import services
    >>> list(services.components())[:4]
    ['image-encoder', 'radar-encoder', 'text-encoder', 'mask-encoder']
    """

    def _display(self) -> Display:
        rows = [
            (of.name, of.role, of.modality, of.flop, of.memory_bytes, max(of.outputs.values(), default=0.0))
            for of in self.values()
        ]
        columns = ("component", "role", "reads", "flop", "memory_bytes", "most_sent_bytes")
        return Display([f"Catalogue of {len(self)} components"], [Table(columns, rows)])


def _image_tokens(given: _Choices) -> int:
    return (given.image_px // _CLIP_PATCH_PX) ** 2


def _resident(profile: model.Profile) -> float:
    """What one host of all layers holds: they run one after the other and share a workspace."""
    return profile.weight_bytes + profile.kv_cache_bytes + profile.workspace_bytes


def _dense(rows: float, columns: float, times: float = 1.0) -> tuple[float, float]:
    """FLOP and weights of a matrix that is applied so many times."""
    return 2.0 * rows * columns * times, rows * columns


def _image_encoder(given: _Choices) -> Component:
    tower = model.vit(_CLIP_IMAGE, image_px=given.image_px, dtype=given.dtype, classes=0)
    width, tokens = 1024, _image_tokens(given)
    flop, weights = _dense(width, _CLIP_EMBEDDING)
    return Component(
        "image-encoder",
        "encoder",
        "image",
        flop=tower.flop + flop,
        memory_bytes=_resident(tower) + weights * given.element,
        input_bytes=model.image_bytes((given.image_px, given.image_px)),
        outputs={"embedding": _CLIP_EMBEDDING * given.element, "tokens": tokens * width * given.element},
        standing={
            "flop": f"derived: CLIP ViT-L/14 at {given.image_px} px, and its projection",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed) and the workspace of one image",
            "input_bytes": "assumed: 24 bit a pixel, not compressed",
            "outputs": "derived: the embedding (stated width 768), or the patches' tokens, as LLaVA takes",
        },
    )


def _radar_encoder(given: _Choices) -> Component:
    tower = model.vit(_RADAR, dtype=given.dtype, classes=0)
    tokens = (_RADAR_PX // 16) ** 2
    return Component(
        "radar-encoder",
        "encoder",
        "radar",
        flop=tower.flop,
        memory_bytes=_resident(tower),
        input_bytes=_RADAR_CHANNELS * _RADAR_PX**2 * given.radar_bits / 8,
        outputs={"embedding": 384 * given.element, "tokens": tokens * 384 * given.element},
        standing={
            "flop": "derived: ViT-S/16 over 2 polarisations of 224 px (SSL4EO-S12)",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed) and the workspace of one scene",
            "input_bytes": f"assumed: {given.radar_bits:g} bit a number",
            "outputs": "derived: the token that is read out, or those of the patches",
        },
    )


def _text_encoder(given: _Choices) -> Component:
    tower = model.decoder(_CLIP_TEXT, prompt_tokens=_CLIP_TEXT_TOKENS, dtype=given.dtype, ends="separate")
    body = tower.detail[:-1]  # without the matrix of logits, which CLIP has not
    flop, weights = _dense(_CLIP_EMBEDDING, _CLIP_EMBEDDING)
    held = sum(layer.weight_bytes for layer in body) + max(layer.workspace_bytes for layer in body)
    return Component(
        "text-encoder",
        "encoder",
        "text",
        flop=sum(layer.flop for layer in body) + flop,
        memory_bytes=held + weights * given.element,
        input_bytes=tower.input_bytes,
        outputs={"embedding": _CLIP_EMBEDDING * given.element},
        standing={
            "flop": "derived: text tower of CLIP ViT-L/14 over its 77 tokens, and its projection",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed) and the workspace of one text",
            "input_bytes": "derived: 77 numbers of tokens, 4 B each",
            "outputs": "stated: width 768",
        },
    )


def _mask_encoder(given: _Choices) -> Component:
    def blocks(px: int, batch: int) -> model.Profile:
        return model.vit(_MASKS, image_px=px, batch=batch, dtype=given.dtype, classes=0, ends="separate")

    side = _MASK_PX // 16
    windows = -(-side // _MASK_WINDOW)
    whole, parts = blocks(_MASK_PX, 1), blocks(_MASK_WINDOW * 16, windows**2)
    tokens = float(side**2)
    neck_flop, neck_weights = _dense(768 + 9 * _MASK_WIDTH, _MASK_WIDTH, tokens)
    block_flop = _MASK_GLOBAL * whole.detail[1].flop + (_MASK_BLOCKS - _MASK_GLOBAL) * parts.detail[1].flop
    workspace = max(layer.workspace_bytes for layer in (*whole.detail, *parts.detail))
    return Component(
        "mask-encoder",
        "encoder",
        "image",
        flop=whole.detail[0].flop + block_flop + neck_flop,
        memory_bytes=whole.weight_bytes + neck_weights * given.element + workspace,
        input_bytes=model.image_bytes((_MASK_PX, _MASK_PX)),
        outputs={"tokens": tokens * _MASK_WIDTH * given.element},
        standing={
            "flop": "derived: SAM's ViT-B at 1024 px; windows of 14 x 14, padded, in 8 of 12 blocks",
            "memory_bytes": "derived: as the plain ViT's; relative positions left out",
            "input_bytes": "assumed: 24 bit a pixel, not compressed",
            "outputs": "derived: 64 x 64 places of 256 channels",
        },
    )


def _decoder_width(given: _Choices) -> int:
    shape = model.architecture(given.decoder)
    if not isinstance(shape, model.Decoder):
        raise ValueError(f"decoder: {short(given.decoder)} is no language model without an encoder")
    return int(shape.blocks[0].width)


def _projector(given: _Choices) -> Component:
    width, tokens = _decoder_width(given), _image_tokens(given)
    in_flop, in_weights = _dense(1024, width, tokens)
    out_flop, out_weights = _dense(width, width, tokens)
    return Component(
        "projector",
        "projector",
        "any",
        flop=in_flop + out_flop,
        memory_bytes=(in_weights + out_weights + 2 * tokens * width) * given.element,
        outputs={"tokens": tokens * width * given.element},
        standing={
            "flop": "derived: two matrices for each token of the image, as in LLaVA-1.5",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), two tensors of tokens",
            "outputs": "derived: the image's tokens in the width of the decoder",
        },
    )


def _decoder(given: _Choices) -> Component:
    seen = _image_tokens(given) + given.prompt_tokens
    prompt, step = model.generation(
        given.decoder, prompt_tokens=seen, new_tokens=given.new_tokens, dtype=given.dtype
    )
    return Component(
        "decoder",
        "decoder",
        "any",
        flop=prompt.flop + (given.new_tokens - 1) * step.flop,
        memory_bytes=_resident(prompt),
        input_bytes=given.prompt_tokens * _TOKEN_BYTES,
        outputs={"text": given.new_tokens * _TOKEN_BYTES},
        standing={
            "flop": f"derived: {given.decoder}, {_image_tokens(given)} tokens of the image and "
            f"{given.prompt_tokens} of the prompt (assumed), {given.new_tokens} new ones (assumed)",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), the caches of one request",
            "input_bytes": "derived: the prompt's tokens, 4 B each",
            "outputs": "derived: the new tokens, 4 B each",
        },
    )


def _class_head(given: _Choices) -> Component:
    flop, weights = _dense(_CLIP_EMBEDDING, given.classes)
    return Component(
        "class-head",
        "head",
        "any",
        flop=flop,
        memory_bytes=weights * given.element,
        outputs={"label": _NUMBER_BYTES},
        standing={
            "flop": f"derived: an embedding against {given.classes} (assumed) of labels, as CLIP classifies",
            "memory_bytes": "derived: the labels' embeddings",
            "outputs": "derived: the number of a label",
        },
    )


def _match_head(given: _Choices) -> Component:
    return Component(
        "match-head",
        "head",
        "any",
        flop=2.0 * _CLIP_EMBEDDING,
        memory_bytes=2 * _CLIP_EMBEDDING * given.element,
        outputs={"score": _NUMBER_BYTES},
        standing={
            "flop": "derived: the product of two embeddings, as CLIP compares",
            "memory_bytes": "derived: both embeddings",
            "outputs": "derived: one number",
        },
    )


def _detection_head(given: _Choices) -> Component:
    width, tokens = 1024, _image_tokens(given)
    flop = weights = 0.0
    for rows, columns in ((width, width), (width, width), (width, 4), (width, _CLIP_EMBEDDING)):
        one = _dense(rows, columns, tokens)
        flop, weights = flop + one[0], weights + one[1]
    return Component(
        "detection-head",
        "head",
        "any",
        flop=flop + 2.0 * tokens * _CLIP_EMBEDDING,
        memory_bytes=(weights + 2 * tokens * width) * given.element,
        outputs={"boxes": given.boxes * 6 * _NUMBER_BYTES},
        standing={
            "flop": "derived: three layers to a box and one to an embedding for each token, as in OWL-ViT "
            "(Minderer et al. 2022), against one text",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), two tensors of tokens",
            "outputs": f"assumed: {given.boxes} boxes of six numbers",
        },
    )


def _mask_head(given: _Choices) -> Component:
    places, width, narrow = (_MASK_PX / 16) ** 2, _MASK_WIDTH, _MASK_ATTENTION
    # Keys and values for the prompt's tokens, queries and outputs for the places, in each of two blocks, and
    # keys and values once more; two transposed convolutions of 2 x 2 to an eighth of the channels.
    parts: list[tuple[float, float, float]] = [(width, narrow, places)] * (2 * 4 + 2)
    parts += [(width, width / 4 * 4, places), (width / 4, width / 8 * 4, 4 * places)]
    flop = sum(_dense(*part)[0] for part in parts)
    weights = sum(_dense(*part)[1] for part in parts)
    return Component(
        "mask-head",
        "head",
        "any",
        flop=flop,
        memory_bytes=(weights + 2 * 16 * places * width / 8) * given.element,
        outputs={"mask": _MASK_SENT_PX**2 / 8},
        standing={
            "flop": "derived: SAM's decoder of masks, without the few tokens of the prompt",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), two tensors of the upscaled image",
            "outputs": "derived: a mask of 256 x 256 (stated), a bit each (assumed)",
        },
    )


def _fusion_head(given: _Choices) -> Component:
    width, image, radar = 1024, _image_tokens(given), (_RADAR_PX // 16) ** 2
    tokens = float(image + radar)
    blocks = [(width, 12 * width, tokens)] * given.fusion_blocks
    parts = [(384, width, float(radar)), *blocks, (width, given.classes, 1.0)]
    flop = sum(_dense(*part)[0] for part in parts) + given.fusion_blocks * 4.0 * tokens**2 * width
    weights = sum(_dense(*part)[1] for part in parts)
    return Component(
        "fusion-head",
        "head",
        "any",
        flop=flop,
        memory_bytes=(weights + 5 * tokens * width) * given.element,
        outputs={"label": _NUMBER_BYTES, "tokens": image * width * given.element},
        standing={
            "flop": f"derived: {given.fusion_blocks} (assumed) transformer blocks over the tokens of both",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), an MLP's tensors",
            "outputs": "derived: a label's number, or the image's tokens",
        },
    )


def _landuse(given: _Choices) -> model.Profile:
    return model.vit(_LANDUSE, classes=10).replace(name="vit-eurosat")


def _landuse_front(given: _Choices) -> Component:
    return _landuse_part(
        "landuse-front", "encoder", "image", given, slice(0, given.landuse_cut), input_bytes=3.0 * 64**2
    )


def _landuse_back(given: _Choices) -> Component:
    return _landuse_part(
        "landuse-back", "head", "any", given, slice(given.landuse_cut, None), outputs={"label": _NUMBER_BYTES}
    )


def _landuse_part(
    name: str, role: str, modality: str, given: _Choices, layers: slice, **more: Any
) -> Component:
    standing = {
        "flop": "derived: the ViT that ships (12 blocks of width 128), patches embedded by one matrix",
        "memory_bytes": "derived: float32, as it ships",
        "outputs": "derived: 64 tokens of float32, or a label's number",
    }
    return Component.of_profile(
        name, _landuse(given), role=role, modality=modality, layers=layers, standing=standing, **more
    )


_MADE_ALONE: tuple[Callable[[_Choices], Component], ...] = (
    _projector,
    _decoder,
    _class_head,
    _match_head,
    _detection_head,
    _mask_head,
    _fusion_head,
    _landuse_front,
    _landuse_back,
)
