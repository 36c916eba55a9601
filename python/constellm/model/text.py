"""Decoders: language models that yield one token after the other."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import _core
from .._core import Pass, TextEnds, TransformerShape
from .config import Config, Fields, choose, element_bytes, head_width, read_config
from .profile import Profile, non_negative

#: A token travels as a 32-bit number.
TOKEN_BYTES = 4.0

DECODERS = ("gpt2", "llama", "mistral", "mixtral", "qwen2")


def _gpt2(fields: Fields) -> tuple[TransformerShape, TextEnds]:
    width, heads = fields.count("n_embd"), fields.count("n_head")
    shape = TransformerShape(
        blocks=fields.count("n_layer"),
        width=width,
        heads=heads,
        kv_heads=heads,
        head_width=head_width(width, heads),
        mlp_width=fields.count("n_inner", default=4 * width),
    )
    ends = TextEnds(
        vocabulary=fields.count("vocab_size"),
        positions=fields.count("n_positions"),
        tied=fields.flag("tie_word_embeddings", True),
    )
    return shape, ends


def _llama_like(kind: str, fields: Fields) -> tuple[TransformerShape, TextEnds]:
    """LLaMA and its descendants: rotary positions, RMS norms, gated MLP, grouped queries."""
    width, heads = fields.count("hidden_size"), fields.count("num_attention_heads")
    biased = fields.flag("attention_bias", False)
    # Qwen2 names a window but uses it only where told; the flag exists in no other family.
    windowed = fields.flag("use_sliding_window", kind != "qwen2")
    shape = TransformerShape(
        blocks=fields.count("num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=fields.count("num_key_value_heads", default=heads),
        head_width=fields.count("head_dim", default=0) or head_width(width, heads),
        mlp_width=fields.count("intermediate_size"),
        experts=fields.count("num_local_experts") if kind == "mixtral" else 1,
        experts_per_token=fields.count("num_experts_per_tok") if kind == "mixtral" else 1,
        attention_window=fields.count("sliding_window", default=0) if windowed else 0,
        norm_parameters=1,
        gated_mlp=True,
        qkv_bias=biased or kind == "qwen2",
        attention_out_bias=biased,
        mlp_bias=fields.flag("mlp_bias", False),
    )
    ends = TextEnds(vocabulary=fields.count("vocab_size"), tied=fields.flag("tie_word_embeddings", False))
    return shape, ends


def decoder(
    config: Config,
    *,
    phase: str = "prefill",
    prompt_tokens: float | None = None,
    context_tokens: float | None = None,
    cache_tokens: float | None = None,
    chunks: int = 1,
    batch: int = 1,
    dtype: str = "float16",
    weight_dtype: str | None = None,
    granularity: str = "block",
    ends: str = "folded",
) -> Profile:
    """Profile of one pass of a decoder.

    Parameters
    ----------
    config : str, path or mapping
        A name from `available` such as ``"llama-3-8b"``, or a Hugging Face ``config.json`` of ``model_type``
        gpt2, llama, mistral, mixtral or qwen2.
    phase : {"prefill", "decode"}
        Prefill runs `prompt_tokens` of every sequence at once; decode runs one new token that sees
        `context_tokens`, itself included.
    prompt_tokens, context_tokens : float
        Given for their own phase alone. A mean context may be a fraction.
    cache_tokens : float
        Tokens per sequence for which room is kept; default: those of the pass. For a whole generation:
        prompt and new tokens.
    chunks : int
        Prefill only: the prompt passes in so many equal parts, and the figures are the mean of one part.
    batch : int
        Sequences in a micro-batch.
    dtype, weight_dtype : str
        Element type of activations and cache, and of the weights (default: the same).
    granularity, ends : str
        As for `vit`.

    Returns
    -------
    Profile
        `input_bytes` are the token numbers; the last layer sends one sampled token per sequence, so
        logits are computed for the newest position alone.

    Notes
    -----
    Causal attention counts the pairs that a token may see, n(n + 1)/2 in a prompt. Memory of a mixture of
    experts holds them all, FLOP those chosen; `read_bytes` the mean number of distinct experts that the
    pass's tokens choose if each chooses independently and evenly (an assumption, exact for one token).

    Examples
    --------
    >>> from constellm import model
    >>> model.decoder("llama-3-8b", phase="decode", context_tokens=1024).kv_cache_bytes
    134217728.0
    """
    name, values = read_config(config)
    fields = Fields(values)
    kind = choose("config.model_type", fields.text("model_type"), DECODERS)
    shape, text_ends = _gpt2(fields) if kind == "gpt2" else _llama_like(kind, fields)
    if choose("phase", phase, ("prefill", "decode")) == "prefill":
        new, past = _tokens("prompt_tokens", prompt_tokens), 0.0
        _absent("context_tokens", context_tokens, phase)
    else:
        new, past = 1.0, _tokens("context_tokens", context_tokens) - 1.0
        _absent("prompt_tokens", prompt_tokens, phase)
        if chunks != 1:
            raise ValueError(f"chunks: {chunks} is not in {{1}} in the phase 'decode'")
    room = new + past if cache_tokens is None else non_negative("cache_tokens", cache_tokens)
    if room < new + past:
        raise ValueError(f"cache_tokens: {room!r} is not in [{new + past!r}, inf), the tokens of the pass")
    positions = text_ends.positions
    if positions and room > positions:
        raise ValueError(f"cache_tokens: {room!r} is not in [1, {positions}], the learned positions")
    one_pass = Pass(
        batch=batch,
        tokens=new,
        past_tokens=past,
        cache_tokens=room,
        chunks=chunks,
        causal=True,
        weight_element_bytes=element_bytes("weight_dtype", weight_dtype or dtype),
        activation_element_bytes=element_bytes("dtype", dtype),
    )
    detail = _core.decoder(
        shape=shape,
        ends=text_ends,
        pass_=one_pass,
        sub_blocks=choose("granularity", granularity, ("block", "sub-block")) == "sub-block",
        separate_ends=choose("ends", ends, ("folded", "separate")) == "separate",
    )
    return Profile(
        name=f"{name} {phase}",
        detail=tuple(detail),
        input_bytes=batch * new / chunks * TOKEN_BYTES,
        batch=batch,
        dtype=dtype,
    )


class Generation(NamedTuple):
    """The two passes of a request: the prompt, and one token at the mean context."""

    prefill: Profile
    decode: Profile


def generation(
    config: Config, *, prompt_tokens: int, new_tokens: int, chunks: int = 1, **options: Any
) -> Generation:
    """Profiles for generating text: p prompt tokens, then n new ones.

    Parameters
    ----------
    config : str, path or mapping
        As for `decoder`.
    prompt_tokens, new_tokens : int
        p and n, >= 1.
    chunks : int
        Parts in which the prompt passes.
    **options
        `batch`, `dtype`, `weight_dtype`, `granularity`, `ends`, as for `decoder`.

    Returns
    -------
    Generation
        ``prefill``; and ``decode``, one token at the mean context p + n/2. Both keep a cache for p + n
        tokens.
    """
    p = _tokens("prompt_tokens", prompt_tokens)
    n = _tokens("new_tokens", new_tokens)
    return Generation(
        prefill=decoder(
            config, phase="prefill", prompt_tokens=p, cache_tokens=p + n, chunks=chunks, **options
        ),
        decode=decoder(config, phase="decode", context_tokens=p + n / 2, cache_tokens=p + n, **options),
    )


def _tokens(field: str, value: float | None) -> float:
    if value is None:
        raise TypeError(f"{field}: missing")
    number = non_negative(field, value)
    if number < 1:
        raise ValueError(f"{field}: {number!r} is not in [1, inf)")
    return number


def _absent(field: str, value: float | None, phase: str) -> None:
    if value is not None:
        raise TypeError(f"{field}: not used in the phase {phase!r}, got {value!r}")
