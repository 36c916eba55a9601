"""What the gateways and the experts of a mixture hold and compute, from its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import _core
from .._core.model import AttentionShape, BlockShape, LayerProfile, Pass, TextEnds
from .config import Config, choose, chosen_dtype, element_bytes, weight_element_bytes
from .described import Described, describe
from .experts import Mixture, MixtureLayer
from .families import Decoder, EncoderDecoder
from .text import tokens_given


def mixture(
    config: Config,
    *,
    context_tokens: float,
    stack: str | None = None,
    source_tokens: float | None = None,
    dtype: str | None = None,
    weight_dtype: str | float | None = None,
    expert_dtype: str | float | None = None,
) -> Mixture:
    """Gateways and experts of a mixture, for one new token.

    Parameters
    ----------
    config : str, path, mapping or object with ``to_dict``
        A name from `available` such as ``"llama-moe-3.5b"``, or a Hugging Face configuration of a
        ``model_type`` that has experts.
    context_tokens : float
        Tokens that the new one sees, itself included: attention grows with them. A mean may be a fraction:
        (n + 1)/2 for those of a prompt of n.
    stack : {"encoder", "decoder"}
        Which side, for a model that has both, and for no other.
    source_tokens : float
        Tokens that its encoder has read, for the decoder of such a model.
    dtype : str
        Element type of hidden states and cache; default: the configuration's ``dtype`` (``torch_dtype``),
        else ``"float16"``.
    weight_dtype, expert_dtype : str or float
        Element type of the weights, or bytes of one, as for `decoder`; default: `dtype`. The experts' may
        differ; default: `weight_dtype`.

    Returns
    -------
    Mixture

    Raises
    ------
    TypeError, ValueError
        Naming the option; or the field of the configuration that is wrong, or that changes the figures and
        is not understood; and where no layer has experts.

    Notes
    -----
    A layer of experts is one transformer block. Its gateway has all but the experts that a router chooses:
    norms, attention and its cache, router, and the shared experts that every token takes. What stands
    before it and has no experts, a dense block or the token embedding, belongs to the same gateway, where
    the experts' results arrive that it reads. By the same rule dense blocks behind the last experts, the
    final norm and the output matrix belong to the **first** gateway: the ring closes there, the next token
    is chosen and looked up. Hence a tied matrix is stored once.

    One expert of width f computes 2 m d f FLOP for a token of d numbers, with m = 3 matrices where it is
    gated and 2 where it is not. All gateways' FLOP and those of the experts that a token takes are together
    what `decoder` counts in the phase ``"decode"``. `message_bytes` are the d numbers of a hidden state; the
    router's weight travels along and is left out, and so is the residual stream from one gateway to the next.

    Of an encoder and a decoder each is a ring of its own. The keys and values that a layer of the decoder
    makes of the encoder's output are made once a source token, 4 d h a FLOP, and are counted in neither.

    Examples
    --------
    LLaMA-MoE for a prompt of 4,096 tokens of which each attends to all:

    >>> from constellm import model
    >>> mixture = model.mixture("llama-moe-3.5b", context_tokens=4096)
    >>> f"{4096 * mixture.flop_per_token / 1e12:.1f} TFLOP"
    '36.3 TFLOP'
    >>> layer = mixture.layers[1]
    >>> layer.expert_flop_per_token, layer.message_bytes
    (33816576.0, 8192.0)

    The first layer of DeepSeek-V2-Lite is dense, so that 26 layers have experts:

    >>> model.mixture("deepseek-v2-lite", context_tokens=1024).layers[0].parts
    ('head', 'token-embedding', 'block-0', 'block-1')
    """
    found = describe(config, vision=False, encoder=True)
    dtype = chosen_dtype(dtype, found.values, "float16")
    activation = element_bytes("dtype", dtype)
    weight = weight_element_bytes(weight_dtype, dtype, found.values)
    expert_weight = weight
    if expert_dtype is not None:
        expert_weight = weight_element_bytes(expert_dtype, dtype, found.values, field="expert_dtype")
    context = tokens_given("context_tokens", context_tokens)
    side = _side(found, stack, source_tokens)
    layers = []
    for block, parts in _gateways(side, context, activation):
        mlp, expert = block.mlp, _expert(block)
        parameters = sum(part.parameters for part in parts) - mlp.experts * expert.parameters
        layers.append(
            MixtureLayer(
                name=parts[-1].name,
                experts=mlp.experts,
                top_k=mlp.experts_per_token,
                gateway_flop_per_token=sum(part.flop for part in parts) - mlp.experts_per_token * expert.flop,
                expert_flop_per_token=expert.flop,
                gateway_bytes=weight * parameters,
                expert_bytes=expert_weight * expert.parameters,
                message_bytes=activation * block.width,
                cache_bytes=sum(part.kv_cache_bytes for part in parts),
                gateway_parameters=parameters,
                expert_parameters=expert.parameters,
                parts=tuple(part.name for part in parts),
            )
        )
    if not layers:
        raise ValueError(f"config: {found.name} has no layer of experts in its {stack or 'decoder'}")
    name = f"{found.name} {stack}" if stack else found.name
    return Mixture(name=name, layers=tuple(layers), context_tokens=context, dtype=dtype, note=found.note)


class _Side(NamedTuple):
    """The blocks that a token passes, and what stands around them."""

    blocks: tuple[BlockShape, ...]
    ends: TextEnds
    last: LayerProfile | None = None  # in the place of final norm and output matrix
    cross: AttentionShape | None = None
    source_tokens: float = 0.0


def _side(found: Described, stack: str | None, source_tokens: float | None) -> _Side:
    shape, kind = found.build(), found.family.model_type
    if isinstance(shape, Decoder):
        for field, value in (("stack", stack), ("source_tokens", source_tokens)):
            if value is not None:
                raise TypeError(f"{field}: not used by {kind}, which has no encoder, got {value!r}")
        return _Side(shape.blocks, shape.ends)
    assert isinstance(shape, EncoderDecoder)
    if stack is None:
        raise TypeError(f"stack: missing, as {kind} has two, encoder and decoder")
    if choose("stack", stack, ("encoder", "decoder")) == "decoder":
        source = tokens_given("source_tokens", source_tokens)
        return _Side(shape.decoder, shape.ends, cross=shape.cross, source_tokens=source)
    if source_tokens is not None:
        raise TypeError(f"source_tokens: not used by the encoder, got {source_tokens!r}")
    norm = _figures("norm", parameters=shape.encoder_norm_vectors)
    return _Side(shape.encoder, shape.ends, last=norm)


def _gateways(
    side: _Side, context: float, activation: float
) -> Iterator[tuple[BlockShape, list[LayerProfile]]]:
    """Each block with experts, and the parts that its gateway holds, experts included."""
    embedding, *middle, head = _core.model.decoder(
        blocks=side.blocks,
        ends=side.ends,
        pass_=Pass(
            batch=1,
            tokens=1.0,
            past_tokens=context - 1.0,
            # Nothing comes after what an encoder reads.
            cache_tokens=context if side.last is None else 0.0,
            causal=True,
            activation_element_bytes=activation,
        ),
        sub_blocks=False,
        separate_ends=True,
    )
    if side.cross is not None:
        cross = _cross_attention(side.cross, side.blocks[0].width, side.source_tokens, activation)
        middle = [_sum(block, cross) for block in middle]
    sparse = [i for i, block in enumerate(side.blocks) if block.mlp.experts]
    if not sparse:
        return
    ends = [0, *(i + 1 for i in sparse)]
    around = [*middle[ends[-1] :], head if side.last is None else side.last, embedding]
    for begin, end in zip(ends, ends[1:]):
        yield side.blocks[end - 1], [*around, *middle[begin:end]]
        around = []


def _expert(block: BlockShape) -> LayerProfile:
    """One expert and token: ``2 m d f`` FLOP, with m matrices of d times f numbers."""
    mlp, d = block.mlp, block.width
    matrices = 3 if mlp.gated else 2
    biases = (matrices - 1) * mlp.width + d if mlp.bias else 0
    return _figures(
        "expert", flop=2.0 * matrices * d * mlp.width, parameters=matrices * d * mlp.width + biases
    )


def _cross_attention(shape: AttentionShape, d: int, source: float, activation: float) -> LayerProfile:
    """One token that sees `source` tokens of the encoder, whose keys and values are there.

    ``2 d h (a + b) + 2 s h (a + b)`` FLOP, with h heads, keys and queries of a numbers and values of b: query
    and output matrix, then scores and weighted values (Vaswani et al., 2017, section 3.2.3).
    """
    each = shape.head_width + shape.value_width
    return _figures(
        "cross-attention",
        flop=2.0 * (d + source) * shape.heads * each,
        parameters=d * (shape.heads + shape.kv_heads) * each + shape.vectors + shape.out_vectors,
        kv_cache_bytes=source * shape.kv_heads * each * activation,
    )


def _figures(name: str, **figures: float) -> LayerProfile:
    return LayerProfile(name=name, memory_bytes=0.0, output_bytes=0.0, **{"flop": 0.0, **figures})


def _sum(block: LayerProfile, more: LayerProfile) -> LayerProfile:
    return block.replace(
        flop=block.flop + more.flop,
        parameters=block.parameters + more.parameters,
        kv_cache_bytes=block.kv_cache_bytes + more.kv_cache_bytes,
    )
