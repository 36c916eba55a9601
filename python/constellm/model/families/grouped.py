"""Decoders of LLaMA's kind: rotary positions, RMS norms, grouped queries, a gated MLP."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.model import AttentionShape, BlockShape, MlpShape, TextEnds
from ..fields import Fields
from .family import Decoder, Family
from .parts import FULL, SLIDING, grouped_attention, layer_types


def text_ends(fields: Fields) -> TextEnds:
    """Embedding, final RMS norm and output matrix."""
    return TextEnds(
        vocabulary=fields.count("vocab_size", least=1),
        norm_vectors=fields.count("hidden_size", least=1),
        tied=fields.flag("tie_word_embeddings"),
    )


def _decoder(fields: Fields, attentions: Sequence[AttentionShape], mlp: MlpShape) -> Decoder:
    width = fields.count("hidden_size", least=1)
    blocks = tuple(BlockShape(width=width, attention=attention, mlp=mlp) for attention in attentions)
    return Decoder(blocks, text_ends(fields))


def _gated(fields: Fields, *, bias: bool = False, norms: int = 1) -> MlpShape:
    return MlpShape(
        width=fields.count("intermediate_size", least=1),
        gated=True,
        bias=bias,
        vectors=norms * fields.count("hidden_size", least=1),
    )


def _windows(fields: Fields, types: Sequence[str]) -> list[int]:
    return [fields.count("sliding_window", least=1) if kind == SLIDING else 0 for kind in types]


def _llama(fields: Fields) -> Decoder:
    bias = fields.flag("attention_bias")
    attention = grouped_attention(
        fields, vectors=fields.count("hidden_size", least=1), qkv_bias=bias, out_bias=bias
    )
    layers = fields.layers("num_hidden_layers")
    return _decoder(fields, [attention] * layers, _gated(fields, bias=fields.flag("mlp_bias")))


def _mistral(fields: Fields) -> Decoder:
    attention = grouped_attention(
        fields,
        vectors=fields.count("hidden_size", least=1),
        window=fields.optional_count("sliding_window", least=1) or 0,
    )
    return _decoder(fields, [attention] * fields.layers("num_hidden_layers"), _gated(fields))


def qwen_windows(fields: Fields, layers: int) -> list[int]:
    """Windows of Qwen's layers: those from ``max_window_layers`` on, and only where they are switched on."""
    windowed = fields.flag("use_sliding_window") and fields.optional_count("sliding_window", least=1)
    first = fields.count("max_window_layers")
    otherwise = [SLIDING if windowed and i >= first else FULL for i in range(layers)]
    types = layer_types(fields, layers, otherwise, "sliding_window")
    if SLIDING in types and not windowed:
        raise ValueError(f"config.use_sliding_window: false, and layer_types has {SLIDING}")
    return _windows(fields, types)


def _qwen2(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    attentions = [
        grouped_attention(fields, vectors=width, qkv_bias=True, window=window)
        for window in qwen_windows(fields, fields.layers("num_hidden_layers"))
    ]
    return _decoder(fields, attentions, _gated(fields))


def _qwen3(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    bias = fields.flag("attention_bias")
    attentions = [
        grouped_attention(fields, vectors=width, qkv_bias=bias, out_bias=bias, head_norms=2, window=window)
        for window in qwen_windows(fields, fields.layers("num_hidden_layers"))
    ]
    return _decoder(fields, attentions, _gated(fields))


def _gemma(fields: Fields) -> Decoder:
    bias = fields.flag("attention_bias")
    attention = grouped_attention(
        fields, vectors=fields.count("hidden_size", least=1), qkv_bias=bias, out_bias=bias
    )
    return _decoder(fields, [attention] * fields.layers("num_hidden_layers"), _gated(fields))


def _sandwiched(fields: Fields, otherwise: Sequence[str], head_norms: int) -> Decoder:
    """Gemma 2 and 3: a norm before and one after both attention and MLP, windows in some layers."""
    width = fields.count("hidden_size", least=1)
    bias = fields.flag("attention_bias")
    attentions = [
        grouped_attention(
            fields, vectors=2 * width, qkv_bias=bias, out_bias=bias, head_norms=head_norms, window=window
        )
        for window in _windows(fields, layer_types(fields, len(otherwise), otherwise, "sliding_window"))
    ]
    return _decoder(fields, attentions, _gated(fields, norms=2))


def every(step: int, layers: int) -> list[str]:
    """Windows but in every `step`-th layer."""
    return [FULL if (i + 1) % step == 0 else SLIDING for i in range(layers)]


def _gemma2(fields: Fields) -> Decoder:
    return _sandwiched(fields, every(2, fields.layers("num_hidden_layers")), head_norms=0)


def _gemma3(fields: Fields) -> Decoder:
    step = fields.count("sliding_window_pattern", least=1)
    return _sandwiched(fields, every(step, fields.layers("num_hidden_layers")), head_norms=2)


_LLAMA = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": None,
    "head_dim": None,
    "tie_word_embeddings": False,
}
_QWEN = {
    **_LLAMA,
    "vocab_size": 151936,
    "intermediate_size": 22016,
    "num_key_value_heads": 32,
    "use_sliding_window": False,
    "sliding_window": 4096,
    "max_window_layers": 28,
    "layer_types": None,
}
_GEMMA = {
    **_LLAMA,
    "vocab_size": 256000,
    "hidden_size": 3072,
    "intermediate_size": 24576,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "head_dim": 256,
    "tie_word_embeddings": True,
    "attention_bias": False,
}
_GEMMA2 = {
    **_GEMMA,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "sliding_window": 4096,
    "layer_types": None,
}
#: An attention that sees what comes after is another one.
_CAUSAL = {"use_bidirectional_attention": (None, False)}

FAMILIES = (
    Family(
        "llama", ("LlamaForCausalLM",), {**_LLAMA, "attention_bias": False, "mlp_bias": False}, build=_llama
    ),
    Family(
        "mistral",
        ("MistralForCausalLM",),
        {**_LLAMA, "intermediate_size": 14336, "num_key_value_heads": 8, "sliding_window": 4096},
        build=_mistral,
    ),
    Family(
        "phi3",
        ("Phi3ForCausalLM",),
        {
            **_LLAMA,
            "vocab_size": 32064,
            "hidden_size": 3072,
            "intermediate_size": 8192,
            "sliding_window": None,
        },
        build=_mistral,
    ),
    Family("qwen2", ("Qwen2ForCausalLM",), _QWEN, build=_qwen2),
    Family("qwen3", ("Qwen3ForCausalLM",), {**_QWEN, "head_dim": 128, "attention_bias": False}, build=_qwen3),
    Family("gemma", ("GemmaForCausalLM",), _GEMMA, build=_gemma, only=_CAUSAL),
    Family(
        "gemma2",
        ("Gemma2ForCausalLM",),
        _GEMMA2,
        build=_gemma2,
        only=_CAUSAL,
        activations=("hidden_activation",),
    ),
    Family(
        "gemma3_text",
        ("Gemma3ForCausalLM",),
        {**_GEMMA2, "vocab_size": 262208, "sliding_window_pattern": 6},
        build=_gemma3,
        only=_CAUSAL,
        activations=("hidden_activation",),
    ),
)
