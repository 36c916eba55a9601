"""The catalogue of components: encoders, projectors, decoders and heads of real architectures."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ... import model
from ...core.checks import count, non_negative, short
from ...core.display import Display, Displayed
from ...core.table import Table
from .component import Component
from .encoders import (
    CLIP_EMBEDDING,
    MASK_ATTENTION,
    MASK_PX,
    MASK_SENT_PX,
    MASK_WIDTH,
    NUMBER_BYTES,
    RADAR_PX,
    TOKEN_BYTES,
    Choices,
    dense,
    image_encoder,
    image_tokens,
    landuse_back,
    landuse_front,
    mask_encoder,
    radar_encoder,
    resident,
    text_encoder,
)


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
    given = Choices(
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
    image = image_encoder(given)
    made = [image, radar_encoder(given), text_encoder(given), mask_encoder(given)]
    made += [make(given) for make in _MADE_ALONE]
    return Catalogue({component.name: component for component in made})


class Catalogue(Displayed, dict[str, Component]):
    """Components by name; shows itself as a table.

    Parameters
    ----------
    components : mapping of str to Component
        By name.

    Examples
    --------
    >>> from constellm import services
    >>> list(services.components())[:4]
    ['image-encoder', 'radar-encoder', 'text-encoder', 'mask-encoder']
    """

    def __init__(self, components: Mapping[str, Component]) -> None:
        super().__init__(components)

    def _display(self) -> Display:
        rows = [
            (of.name, of.role, of.modality, of.flop, of.memory_bytes, max(of.outputs.values(), default=0.0))
            for of in self.values()
        ]
        columns = ("component", "role", "reads", "flop", "memory_bytes", "most_sent_bytes")
        return Display([f"Catalogue of {len(self)} components"], [Table(columns, rows)])


def _decoder_width(given: Choices) -> int:
    shape = model.architecture(given.decoder)
    if not isinstance(shape, model.Decoder):
        raise ValueError(f"decoder: {short(given.decoder)} is no language model without an encoder")
    return int(shape.blocks[0].width)


def _projector(given: Choices) -> Component:
    width, tokens = _decoder_width(given), image_tokens(given)
    in_flop, in_weights = dense(1024, width, tokens)
    out_flop, out_weights = dense(width, width, tokens)
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


def _shared_bytes(given: Choices) -> float:
    """Of the matrix of words where both ends of the decoder have the same: a replica holds it once."""
    shape = model.architecture(given.decoder)
    assert isinstance(shape, model.Decoder)  # as `_decoder_width` made sure
    return shape.ends.vocabulary * _decoder_width(given) * given.element if shape.ends.tied else 0.0


def _decoder(given: Choices) -> Component:
    seen = image_tokens(given) + given.prompt_tokens
    prompt, step = model.generation(
        given.decoder, prompt_tokens=seen, new_tokens=given.new_tokens, dtype=given.dtype
    )
    return Component(
        "decoder",
        "decoder",
        "any",
        flop=prompt.flop + (given.new_tokens - 1) * step.flop,
        memory_bytes=resident(prompt) - _shared_bytes(given),
        input_bytes=given.prompt_tokens * TOKEN_BYTES,
        outputs={"text": given.new_tokens * TOKEN_BYTES},
        standing={
            "flop": f"derived: {given.decoder}, {image_tokens(given)} tokens of the image and "
            f"{given.prompt_tokens} of the prompt (assumed), {given.new_tokens} new ones (assumed)",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), the caches of one request",
            "input_bytes": "derived: the prompt's tokens, 4 B each",
            "outputs": "derived: the new tokens, 4 B each",
        },
    )


def _class_head(given: Choices) -> Component:
    flop, weights = dense(CLIP_EMBEDDING, given.classes)
    return Component(
        "class-head",
        "head",
        "any",
        flop=flop,
        memory_bytes=weights * given.element,
        outputs={"label": NUMBER_BYTES},
        standing={
            "flop": f"derived: an embedding against {given.classes} (assumed) of labels, as CLIP classifies",
            "memory_bytes": "derived: the labels' embeddings",
            "outputs": "derived: the number of a label",
        },
    )


def _match_head(given: Choices) -> Component:
    return Component(
        "match-head",
        "head",
        "any",
        flop=2.0 * CLIP_EMBEDDING,
        memory_bytes=2 * CLIP_EMBEDDING * given.element,
        outputs={"score": NUMBER_BYTES},
        standing={
            "flop": "derived: the product of two embeddings, as CLIP compares",
            "memory_bytes": "derived: both embeddings",
            "outputs": "derived: one number",
        },
    )


def _detection_head(given: Choices) -> Component:
    width, tokens = 1024, image_tokens(given)
    flop = weights = 0.0
    for rows, columns in ((width, width), (width, width), (width, 4), (width, CLIP_EMBEDDING)):
        one = dense(rows, columns, tokens)
        flop, weights = flop + one[0], weights + one[1]
    return Component(
        "detection-head",
        "head",
        "any",
        flop=flop + 2.0 * tokens * CLIP_EMBEDDING,
        memory_bytes=(weights + 2 * tokens * width) * given.element,
        outputs={"boxes": given.boxes * 6 * NUMBER_BYTES},
        standing={
            "flop": "derived: three layers to a box and one to an embedding for each token, as in OWL-ViT "
            "(Minderer et al. 2022), against one text",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), two tensors of tokens",
            "outputs": f"assumed: {given.boxes} boxes of six numbers",
        },
    )


def _mask_head(given: Choices) -> Component:
    places, width, narrow = (MASK_PX / 16) ** 2, MASK_WIDTH, MASK_ATTENTION
    # Keys and values for the prompt's tokens, queries and outputs for the places, in each of two blocks, and
    # keys and values once more; two transposed convolutions of 2 x 2 to an eighth of the channels.
    parts: list[tuple[float, float, float]] = [(width, narrow, places)] * (2 * 4 + 2)
    parts += [(width, width / 4 * 4, places), (width / 4, width / 8 * 4, 4 * places)]
    flop = sum(dense(*part)[0] for part in parts)
    weights = sum(dense(*part)[1] for part in parts)
    return Component(
        "mask-head",
        "head",
        "any",
        flop=flop,
        memory_bytes=(weights + 2 * 16 * places * width / 8) * given.element,
        outputs={"mask": MASK_SENT_PX**2 / 8},
        standing={
            "flop": "derived: SAM's decoder of masks, without the few tokens of the prompt",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), two tensors of the upscaled image",
            "outputs": "derived: a mask of 256 x 256 (stated), a bit each (assumed)",
        },
    )


def _fusion_head(given: Choices) -> Component:
    width, image, radar = 1024, image_tokens(given), (RADAR_PX // 16) ** 2
    tokens = float(image + radar)
    blocks = [(width, 12 * width, tokens)] * given.fusion_blocks
    parts = [(384, width, float(radar)), *blocks, (width, given.classes, 1.0)]
    flop = sum(dense(*part)[0] for part in parts) + given.fusion_blocks * 4.0 * tokens**2 * width
    weights = sum(dense(*part)[1] for part in parts)
    return Component(
        "fusion-head",
        "head",
        "any",
        flop=flop,
        memory_bytes=(weights + 5 * tokens * width) * given.element,
        outputs={"label": NUMBER_BYTES, "tokens": image * width * given.element},
        standing={
            "flop": f"derived: {given.fusion_blocks} (assumed) transformer blocks over the tokens of both",
            "memory_bytes": f"derived: weights of {given.dtype} (assumed), an MLP's tensors",
            "outputs": "derived: a label's number, or the image's tokens",
        },
    )


_MADE_ALONE: tuple[Callable[[Choices], Component], ...] = (
    _projector,
    _decoder,
    _class_head,
    _match_head,
    _detection_head,
    _mask_head,
    _fusion_head,
    landuse_front,
    landuse_back,
)
