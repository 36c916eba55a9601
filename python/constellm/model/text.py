"""Decoders: language models that yield one token after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .. import _core
from .._core.model import Pass
from ..core.checks import known_keywords, non_negative
from ..core.display import Display, attach
from .config import Config, choose, chosen_dtype, element_bytes, weight_element_bytes
from .described import describe
from .families import Decoder
from .profile import Profile

#: A token travels as a 32-bit number.
TOKEN_BYTES = 4.0


def decoder(
    config: Config,
    *,
    phase: str = "prefill",
    prompt_tokens: float | None = None,
    context_tokens: float | None = None,
    cache_tokens: float | None = None,
    chunks: int = 1,
    batch: int = 1,
    dtype: str | None = None,
    weight_dtype: str | float | None = None,
    granularity: str = "block",
    ends: str = "folded",
) -> Profile:
    """Profile of one pass of a decoder.

    Parameters
    ----------
    config : str, path, mapping or object with ``to_dict``
        A name from `available` such as ``"llama-3-8b"``, or a Hugging Face configuration of a known
        ``model_type`` (docs/models.md lists them); of one that nests several models, the text model.
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
    dtype : str
        Element type of activations and cache; default: the configuration's ``dtype`` (``torch_dtype``),
        else ``"float16"``.
    weight_dtype : str or float
        Element type of the weights, or bytes of one; default: `dtype`. Must be given where the
        configuration has a ``quantization_config``.
    granularity, ends : str
        As for `vit`.

    Returns
    -------
    Profile
        `input_bytes` are the token numbers; the last layer sends one sampled token per sequence, so
        logits are computed for the newest position alone.

    Raises
    ------
    TypeError, ValueError
        Naming the option; or the field of the configuration that is wrong, or that changes the figures
        and is not understood.

    Notes
    -----
    Fields that are absent have the default of the configuration's class in transformers, and those that
    the class does not read change nothing. Causal attention counts the pairs that a token may see,
    n(n + 1)/2 in a prompt, fewer in a layer with a window. Memory of a mixture of experts holds them all,
    FLOP those chosen; `read_bytes` the mean number of distinct experts that the pass's tokens choose if
    each chooses independently and evenly (an assumption, exact for one token). The cache holds what
    transformers caches: of latent attention the latents, of Falcon's newer architecture every query
    head's keys and values.

    Examples
    --------
    >>> from constellm import model
    >>> model.decoder("llama-3-8b", phase="decode", context_tokens=1024).kv_cache_bytes
    134217728.0
    """
    found = describe(config, vision=False)
    shape = found.build()
    dtype = chosen_dtype(dtype, found.values, "float16")
    assert isinstance(shape, Decoder)
    if choose("phase", phase, ("prefill", "decode")) == "prefill":
        new, past = tokens_given("prompt_tokens", prompt_tokens), 0.0
        _absent("context_tokens", context_tokens, phase)
    else:
        new, past = 1.0, tokens_given("context_tokens", context_tokens) - 1.0
        _absent("prompt_tokens", prompt_tokens, phase)
        if chunks != 1:
            raise ValueError(f"chunks: {chunks} is not in {{1}} in the phase 'decode'")
    room = new + past if cache_tokens is None else non_negative("cache_tokens", cache_tokens)
    if room < new + past:
        raise ValueError(f"cache_tokens: {room!r} is not in [{new + past!r}, inf), the tokens of the pass")
    if shape.most_tokens is not None and room > shape.most_tokens:
        raise ValueError(f"cache_tokens: {room!r} is not in [1, {shape.most_tokens}], the learned positions")
    one_pass = Pass(
        batch=batch,
        tokens=new,
        past_tokens=past,
        cache_tokens=room,
        chunks=chunks,
        causal=True,
        weight_element_bytes=weight_element_bytes(weight_dtype, dtype, found.values),
        activation_element_bytes=element_bytes("dtype", dtype),
    )
    detail = _core.model.decoder(
        blocks=shape.blocks,
        ends=shape.ends,
        pass_=one_pass,
        sub_blocks=choose("granularity", granularity, ("block", "sub-block")) == "sub-block",
        separate_ends=choose("ends", ends, ("folded", "separate")) == "separate",
    )
    return Profile(
        name=f"{found.name} {phase}",
        detail=tuple(detail),
        input_bytes=batch * new / chunks * TOKEN_BYTES,
        batch=batch,
        dtype=dtype,
        note=found.note,
    )


_OF_BOTH_PASSES = ("batch", "dtype", "weight_dtype", "granularity", "ends")


class Generation(NamedTuple):
    """The two passes of a request: the prompt, and one token at the mean context.

    Examples
    --------
    >>> from constellm import model
    >>> prefill, decode = model.generation("llama-3-8b", prompt_tokens=512, new_tokens=128)
    >>> prefill.name, decode.name
    ('llama-3-8b prefill', 'llama-3-8b decode')
    """

    prefill: Profile
    decode: Profile


def _display(passes: Generation) -> Display:
    shown = [each._display() for each in passes]
    lines = [line for each in shown for line in each.lines]
    return Display(["Generation", *lines], [table for each in shown for table in each.tables])


attach(Generation, _display)  # a named tuple has no other base


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

    Raises
    ------
    ValueError, TypeError
        As `decoder`.

    Examples
    --------
    >>> from constellm import model
    >>> passes = model.generation("llama-3-8b", prompt_tokens=512, new_tokens=128)
    >>> passes.prefill.layers[0].flop > 100 * passes.decode.layers[0].flop
    True
    """
    known_keywords("generation()", options, _OF_BOTH_PASSES)
    p = tokens_given("prompt_tokens", prompt_tokens)
    n = tokens_given("new_tokens", new_tokens)
    return Generation(
        prefill=decoder(
            config, phase="prefill", prompt_tokens=p, cache_tokens=p + n, chunks=chunks, **options
        ),
        decode=decoder(config, phase="decode", context_tokens=p + n / 2, cache_tokens=p + n, **options),
    )


def disaggregated(
    config: Config, *, prompt_tokens: int, new_tokens: int, chunks: int = 1, **options: Any
) -> Generation:
    """Profiles for generating text where the prompt passes on some computers and another one decodes.

    The caches of the prompt travel with its activations: what a layer sends on has the caches of all layers
    up to it, so that whoever gets the last layer's result has the first token and all it needs for the
    others. A plan of ``prefill`` then tells when decoding may begin, exactly; each further token takes
    ``decode.pass_time_s(...)`` there.

    Parameters
    ----------
    config, prompt_tokens, new_tokens, chunks, **options
        As of `generation`.

    Returns
    -------
    Generation
        ``prefill``, whose `output_bytes` count caches, and whose memory has room for those of the prompt
        alone; and ``decode``, one token at the mean context p + n/2, as of `generation`.

    Raises
    ------
    ValueError, TypeError
        As `decoder`.

    Notes
    -----
    A codec of a plan compresses caches and activations alike. Prefill and decoding apart are as in Splitwise
    (Patel et al., 2024) and DistServe (Zhong et al., 2024), which send each stage's caches to the decoder
    directly; along a chain of satellites they pass the same links either way.

    Examples
    --------
    >>> from constellm import model
    >>> apart = model.disaggregated("llama-3-8b", prompt_tokens=512, new_tokens=128)
    >>> together = model.generation("llama-3-8b", prompt_tokens=512, new_tokens=128)
    >>> sent = apart.prefill.array("output_bytes") - together.prefill.array("output_bytes")
    >>> (sent / 512).tolist()[:2], bool(sent[-1] == 512 * 131072)  # each layer's cache: 4 KiB a token
    ([4096.0, 8192.0], True)
    """
    known_keywords("disaggregated()", options, _OF_BOTH_PASSES)
    p = tokens_given("prompt_tokens", prompt_tokens)
    n = tokens_given("new_tokens", new_tokens)
    prefill = decoder(config, phase="prefill", prompt_tokens=p, chunks=chunks, **options)
    caches = np.cumsum(prefill.array("kv_cache_bytes")) / chunks
    layers = zip(prefill.detail, caches.tolist())
    return Generation(
        prefill=replace(
            prefill,
            name=f"{prefill.name} and caches",
            detail=tuple(layer.replace(output_bytes=layer.output_bytes + cache) for layer, cache in layers),
        ),
        decode=decoder(config, phase="decode", context_tokens=p + n / 2, cache_tokens=p + n, **options),
    )


def tokens_given(field: str, value: float | None) -> float:
    """A number of tokens, >= 1; a fraction where it is a mean."""
    if value is None:
        raise TypeError(f"{field}: missing")
    number = non_negative(field, value)
    if number < 1:
        raise ValueError(f"{field}: {number!r} is not in [1, inf)")
    return number


def _absent(field: str, value: float | None, phase: str) -> None:
    if value is not None:
        raise TypeError(f"{field}: not used in the phase {phase!r}, got {value!r}")
