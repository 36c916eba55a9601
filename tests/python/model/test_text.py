"""Decoders: FLOP by another count, caches, prefill against decode."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import model

LLAMA = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 500,
}


def test_prefill_flop_by_matrix_shapes() -> None:
    p, d, f, heads, groups, head, blocks, words = 37, 64, 96, 8, 2, 8, 3, 500
    one = np.ones
    products = [
        (p, d, heads * head),
        (p, d, groups * head),
        (p, d, groups * head),
        (p, heads * head, d),
        (p, d, f),
        (p, d, f),
        (p, f, d),
    ]
    flop = 2 * sum(np.prod(product) for product in products)
    seen = np.tril(one((p, p))).sum()
    flop += 2 * 2 * seen * heads * head
    profile = model.decoder(LLAMA, prompt_tokens=p, batch=5)
    assert profile.flop == 5 * (blocks * flop + 2 * d * words)


def test_one_token_after_another_is_the_prompt_at_once() -> None:
    """The causal count: a prompt's attention is what its tokens take one by one."""
    prompt = model.decoder(LLAMA, prompt_tokens=20, ends="separate").array("flop")[1:-1]
    tokens = [
        model.decoder(LLAMA, phase="decode", context_tokens=context, ends="separate").array("flop")[1:-1]
        for context in range(1, 21)
    ]
    np.testing.assert_allclose(np.sum(tokens, axis=0), prompt, rtol=1e-14)


def test_generation_takes_the_mean_context_and_the_whole_cache() -> None:
    prefill, decode = model.generation("llama-3-8b", prompt_tokens=512, new_tokens=101, batch=2)
    assert prefill.detail == model.decoder("llama-3-8b", prompt_tokens=512, cache_tokens=613, batch=2).detail
    for profile in (prefill, decode):
        # 8 key-value heads of 128, two bytes, keys and values.
        np.testing.assert_array_equal(profile.array("kv_cache_bytes"), np.full(32, 2 * 8 * 128 * 2 * 613 * 2))
    each = decode.array("read_bytes")[1]
    assert each == decode.array("weight_bytes")[1] + 2 * 2 * 8 * 128 * 2 * (512 + 50.5)
    assert prefill.input_bytes == 2 * 512 * 4
    assert decode.input_bytes == 2 * 4
    assert prefill.layers[-1].output_bytes == decode.layers[-1].output_bytes == 2 * 4
    assert decode.layers[0].output_bytes == 2 * 4096 * 2


@given(
    prompt=st.integers(1, 300),
    new=st.integers(1, 300),
    window=st.one_of(st.none(), st.integers(1, 400)),
)
def test_a_window_never_adds(prompt: int, new: int, window) -> None:
    free = model.generation(LLAMA, prompt_tokens=prompt, new_tokens=new)
    windowed = {**LLAMA, "model_type": "mistral", "sliding_window": window}
    bound = model.generation(windowed, prompt_tokens=prompt, new_tokens=new)
    for plain, within in zip(free, bound):
        assert within.flop <= plain.flop
        assert within.kv_cache_bytes <= plain.kv_cache_bytes
        assert within.read_bytes <= plain.read_bytes
        if window is None or window >= prompt + new:
            assert within.detail == plain.detail


def test_mixture_reads_two_of_eight_for_one_token() -> None:
    decode = model.generation("mixtral-8x7b", prompt_tokens=64, new_tokens=8).decode
    expert = 3 * 4096 * 14336 * 2
    idle = decode.array("weight_bytes") + 2 * 8 * 128 * 2 * 68 - decode.array("read_bytes")
    np.testing.assert_allclose(idle[1:], np.full(31, 6 * expert))
    dense = model.decoder("mistral-7b", phase="decode", context_tokens=68)
    extra = (decode.array("flop") - dense.array("flop"))[1]
    assert extra == pytest.approx(2 * (3 * 4096 * 14336 + 4096 * 8))


def test_chunks_make_the_whole_prompt() -> None:
    whole = model.decoder("gpt2", prompt_tokens=512)
    part = model.decoder("gpt2", prompt_tokens=512, chunks=4)
    assert 4 * part.flop == pytest.approx(whole.flop, rel=1e-14)
    assert 4 * part.input_bytes == whole.input_bytes
    assert part.weight_bytes == whole.weight_bytes


@pytest.mark.parametrize("chunks", [1, 4])
def test_caches_travel_where_another_computer_decodes(chunks: int) -> None:
    apart = model.disaggregated(LLAMA, prompt_tokens=32, new_tokens=8, chunks=chunks)
    together = model.generation(LLAMA, prompt_tokens=32, new_tokens=8, chunks=chunks)
    cache = 2 * 2 * 8 * 2 * 32  # keys and values of two groups of eight, two bytes each, 32 tokens
    assert apart.prefill.array("kv_cache_bytes").tolist() == [cache] * 3
    sent = apart.prefill.array("output_bytes") - together.prefill.array("output_bytes")
    assert (chunks * sent).tolist() == [cache, 2 * cache, 3 * cache]
    assert apart.prefill.array("flop").tolist() == together.prefill.array("flop").tolist()
    assert apart.decode == together.decode
    room = together.prefill.array("memory_bytes") - apart.prefill.array("memory_bytes")
    assert room.tolist() == [cache * 8 / 32] * 3  # new tokens are kept where they are decoded
    with pytest.raises(TypeError, match="phase"):
        model.disaggregated(LLAMA, prompt_tokens=32, new_tokens=8, phase="decode")


def test_a_pass_takes_the_longer_of_computing_and_reading_layer_by_layer() -> None:
    step = model.from_arrays(
        flop=[8.0, 1.0], memory_bytes=[1.0, 1.0], output_bytes=[1.0, 1.0], input_bytes=1.0
    )
    assert step.pass_time_s(flop_per_s=4.0) == 2.25
    decode = model.generation(LLAMA, prompt_tokens=32, new_tokens=8).decode
    compute_s, read_s = decode.array("flop") / 1e9, decode.array("read_bytes") / 5e8
    told = decode.pass_time_s(flop_per_s=1e9, memory_bandwidth_bytes_per_s=5e8)
    assert told == pytest.approx(np.maximum(compute_s, read_s).sum(), rel=1e-15)
    with pytest.raises(ValueError, match=r"flop_per_s: 0.* is not in \(0, inf\)"):
        step.pass_time_s(flop_per_s=0.0)
    with pytest.raises(ValueError, match=r"memory_bandwidth_bytes_per_s: -1.* is not in \(0, inf\)"):
        step.pass_time_s(flop_per_s=1.0, memory_bandwidth_bytes_per_s=-1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "prompt_tokens: missing"),
        ({"prompt_tokens": 0}, "prompt_tokens: 0.0"),
        ({"prompt_tokens": float("inf")}, "prompt_tokens: inf"),
        ({"prompt_tokens": 5, "context_tokens": 5}, "context_tokens: not used"),
        ({"phase": "decode"}, "context_tokens: missing"),
        ({"phase": "decode", "context_tokens": 5, "chunks": 2}, "chunks: 2"),
        ({"phase": "decode", "context_tokens": 5, "prompt_tokens": 5}, "prompt_tokens: not used"),
        ({"phase": "both"}, "phase: 'both'"),
        ({"prompt_tokens": 5, "cache_tokens": 4}, "cache_tokens: 4.0"),
        ({"prompt_tokens": 2000}, "the learned positions"),
        ({"prompt_tokens": 5, "chunks": 0}, "chunks: 0"),
        ({"prompt_tokens": 5, "dtype": "half"}, "dtype: 'half'"),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises((ValueError, TypeError)) as error:
        model.decoder("gpt2", **options)
    assert message in str(error.value)
