"""Parts that many architectures share."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.model import AttentionShape, BlockShape, MlpShape
from ..fields import Fields, share

FULL, SLIDING, CHUNKED = "full_attention", "sliding_attention", "chunked_attention"


def kv_heads_of(fields: Fields, heads: int, name: str = "num_key_value_heads") -> int:
    """Key and value heads, as many as query heads where the field is null."""
    kv_heads = fields.optional_count(name, least=1) or heads
    if heads % kv_heads:
        raise ValueError(f"config.{name}: {kv_heads} does not divide {heads}, the attention heads")
    return kv_heads


def gated_experts(fields: Fields, *, count: str, width: str, shared_width: int = 0) -> MlpShape:
    """Gated experts behind one RMS norm, `count` and `width` being the names of their fields."""
    experts = fields.count(count, least=1)
    return MlpShape(
        width=fields.count(width, least=1),
        gated=True,
        experts=experts,
        experts_per_token=fields.count("num_experts_per_tok", least=1, most=experts),
        shared_width=shared_width,
        vectors=fields.count("hidden_size", least=1),
    )


def grouped_attention(
    fields: Fields,
    *,
    vectors: int,
    qkv_bias: bool = False,
    out_bias: bool = False,
    head_norms: int = 0,
    window: int = 0,
    chunked: bool = False,
) -> AttentionShape:
    """Attention of LLaMA's kind, from the fields that all of it names alike.

    Parameters
    ----------
    fields : Fields
        With hidden_size, num_attention_heads, num_key_value_heads and head_dim.
    vectors : int
        Parameters of the norms.
    qkv_bias, out_bias : bool
        Biases of the matrices.
    head_norms : int
        Norms as wide as a head: one for all queries, one for all keys.
    window : int
        Newest tokens that a query sees; 0: all.
    chunked : bool
        The window does not slide.
    """
    heads = fields.count("num_attention_heads", least=1)
    kv_heads = kv_heads_of(fields, heads)
    width = fields.optional_count("head_dim", least=1)
    if width is None:
        width = share("num_attention_heads", heads, fields.count("hidden_size", least=1))
    return AttentionShape(
        heads=heads,
        kv_heads=kv_heads,
        head_width=width,
        value_width=width,
        window=window,
        chunked=chunked,
        vectors=vectors + head_norms * width + ((heads + 2 * kv_heads) * width if qkv_bias else 0),
        out_vectors=fields.count("hidden_size") if out_bias else 0,
    )


def alike(layers: int, width: int, attention: AttentionShape, mlp: MlpShape) -> tuple[BlockShape, ...]:
    """Blocks that do not differ."""
    return (BlockShape(width=width, attention=attention, mlp=mlp),) * layers


def layer_types(fields: Fields, layers: int, otherwise: Sequence[str], window_field: str) -> list[str]:
    """The attention of each layer: ``layer_types``, or `otherwise` where the field is null.

    A window that a layer asks for and the configuration does not name is an error.
    """
    types = fields.choices("layer_types", layers, (FULL, SLIDING)) or list(otherwise)
    if SLIDING in types and not fields.optional_count(window_field, least=1):
        raise ValueError(f"config.{window_field}: missing, as layer_types has {SLIDING}")
    return types
