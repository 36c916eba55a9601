"""Families of architectures: the fields that a class reads, and the blocks that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ..._core.model import AttentionShape, BlockShape, TextEnds, VisionEnds, VisionStage


@dataclass(frozen=True)
class Decoder:
    """A language model that yields one token after the other, layer by layer.

    Attributes
    ----------
    blocks : tuple of BlockShape
        Attention, and MLP or experts, of every layer.
    ends : TextEnds
        Token embedding and output matrix.
    most_tokens : int or None
        Longest text, where learned positions end it.

    Examples
    --------
    >>> from constellm import model
    >>> shape = model.architecture("llama-3-8b")
    >>> type(shape).__name__, len(shape.blocks), shape.blocks[0].attention.heads
    ('Decoder', 32, 32)
    """

    blocks: tuple[BlockShape, ...]
    ends: TextEnds
    most_tokens: int | None = None


@dataclass(frozen=True)
class EncoderDecoder:
    """A language model whose decoder attends to what an encoder has made of another text.

    Attributes
    ----------
    encoder, decoder : tuple of BlockShape
        Attention, and MLP or experts, of every layer of either side.
    cross : AttentionShape
        Attention of each of the decoder's blocks to the encoder's output, between its own two parts.
    ends : TextEnds
        Token embedding, which both sides share, and output matrix.
    encoder_norm_vectors : int
        Parameters of the norm behind the encoder.

    Examples
    --------
    >>> from constellm import model
    >>> shape = model.architecture("switch-base-8")
    >>> type(shape).__name__, len(shape.encoder), len(shape.decoder)
    ('EncoderDecoder', 12, 12)
    >>> [block.mlp.experts for block in shape.decoder[:4]]
    [0, 8, 0, 8]
    """

    encoder: tuple[BlockShape, ...]
    decoder: tuple[BlockShape, ...]
    cross: AttentionShape
    ends: TextEnds
    encoder_norm_vectors: int = 0

    @property
    def blocks(self) -> tuple[BlockShape, ...]:
        """The blocks of both sides."""
        return self.encoder + self.decoder


@dataclass(frozen=True)
class VisionTower:
    """A vision transformer, stage by stage.

    Attributes
    ----------
    stages : tuple of VisionStage
        Blocks that see the same number of tokens; one stage unless patches are merged.
    ends : VisionEnds
        Patch embedding, and what is read out.

    Examples
    --------
    >>> from constellm import model
    >>> shape = model.architecture("vit-base/16")
    >>> type(shape).__name__, len(shape.blocks), len(shape.stages)
    ('VisionTower', 12, 1)
    """

    stages: tuple[VisionStage, ...]
    ends: VisionEnds

    @property
    def blocks(self) -> tuple[BlockShape, ...]:
        """The blocks of all stages."""
        return tuple(block for stage in self.stages for block in stage.blocks)


@dataclass(frozen=True)
class Image:
    """What the caller says of a vision tower's images and classes, before its configuration does."""

    image_px: int | None = None
    classes: int | None = None


@dataclass(frozen=True)
class Family:
    """One ``model_type``.

    Attributes
    ----------
    model_type : str
        Its name in a configuration.
    classes : tuple of str
        Classes of transformers whose weights `build` counts; the first where a file names none.
    defaults : mapping
        Every field that changes a figure, with the default of the configuration's class.
    build : callable
        Makes a `Decoder` or `EncoderDecoder` of `Fields`, or a `VisionTower` of `Fields` and `Image`.
    vision : bool
        Whether it reads images.
    encoder : bool
        Whether an encoder stands before its decoder.
    in_transformers : bool
        Whether transformers has the class; otherwise it comes with the weights.
    aliases : mapping
        Other names of fields, as the class reads them.
    only : mapping
        Fields that are understood with one value alone.
    activations : tuple of str
        Fields that the class looks up among its activation functions.
    """

    model_type: str
    classes: tuple[str, ...]
    defaults: Mapping[str, Any]
    build: Callable[..., Decoder | EncoderDecoder | VisionTower]
    vision: bool = False
    encoder: bool = False
    in_transformers: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Any] = field(default_factory=dict)
    activations: tuple[str, ...] = ("hidden_act",)
