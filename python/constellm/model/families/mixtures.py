"""Mixtures of experts: a router chooses a few of each layer's experts for every token."""

from __future__ import annotations

from ..._core.model import BlockShape, MlpShape
from ..fields import Fields
from .family import Decoder, Family
from .grouped import every, text_ends
from .parts import CHUNKED, FULL, SLIDING, alike, gated_experts, grouped_attention, layer_types


def _mixtral(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    window = fields.optional_count("sliding_window", least=1) or 0
    attention = grouped_attention(fields, vectors=width, window=window)
    mlp = gated_experts(fields, count="num_local_experts", width="intermediate_size")
    return Decoder(alike(fields.layers("num_hidden_layers"), width, attention, mlp), text_ends(fields))


def _olmoe(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    bias = fields.flag("attention_bias")
    plain = grouped_attention(fields, vectors=width, qkv_bias=bias, out_bias=bias)
    # Norms over all queries and over all keys at once.
    norms = (plain.heads + plain.kv_heads) * plain.head_width
    attention = plain.replace(vectors=plain.vectors + norms)
    mlp = gated_experts(fields, count="num_experts", width="intermediate_size")
    return Decoder(alike(fields.layers("num_hidden_layers"), width, attention, mlp), text_ends(fields))


def _qwen_mlps(fields: Fields, sparse: MlpShape | None) -> list[MlpShape]:
    """Experts in every ``decoder_sparse_step``-th layer, dense where ``mlp_only_layers`` says so."""
    step = fields.count("decoder_sparse_step", least=1)
    dense_layers = fields.counts("mlp_only_layers")
    dense = MlpShape(
        width=fields.count("intermediate_size", least=1),
        gated=True,
        vectors=fields.count("hidden_size", least=1),
    )
    return [
        dense if sparse is None or i in dense_layers or (i + 1) % step else sparse
        for i in range(fields.layers("num_hidden_layers"))
    ]


def _qwen2_moe(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    layers = fields.layers("num_hidden_layers")
    sparse = None
    if fields.count("num_experts"):
        shared = fields.count("shared_expert_intermediate_size")
        sparse = gated_experts(
            fields, count="num_experts", width="moe_intermediate_size", shared_width=shared
        ).replace(shared_gate=True)
    # Unlike Qwen2: windows in every other layer up to max_window_layers.
    windowed = fields.flag("use_sliding_window")
    first_full = fields.count("max_window_layers")
    otherwise = [SLIDING if windowed and i % 2 == 0 and i < first_full else FULL for i in range(layers)]
    types = layer_types(fields, layers, otherwise, "sliding_window")
    if SLIDING in types and not windowed:
        raise ValueError(f"config.use_sliding_window: false, and layer_types has {SLIDING}")
    blocks = tuple(
        BlockShape(
            width=width,
            attention=grouped_attention(
                fields,
                vectors=width,
                qkv_bias=fields.flag("qkv_bias"),
                window=fields.count("sliding_window", least=1) if kind == SLIDING else 0,
            ),
            mlp=mlp,
        )
        for kind, mlp in zip(types, _qwen_mlps(fields, sparse))
    )
    return Decoder(blocks, text_ends(fields))


def _qwen3_moe(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    bias = fields.flag("attention_bias")
    # Unlike Qwen3: a window is one for all layers.
    window = fields.optional_count("sliding_window", least=1) if fields.flag("use_sliding_window") else None
    attention = grouped_attention(
        fields, vectors=width, qkv_bias=bias, out_bias=bias, head_norms=2, window=window or 0
    )
    sparse = None
    if fields.count("num_local_experts"):
        sparse = gated_experts(fields, count="num_local_experts", width="moe_intermediate_size")
    blocks = tuple(
        BlockShape(width=width, attention=attention, mlp=mlp) for mlp in _qwen_mlps(fields, sparse)
    )
    return Decoder(blocks, text_ends(fields))


def _gpt_oss(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    layers = fields.layers("num_hidden_layers")
    bias = fields.flag("attention_bias")
    mlp = gated_experts(fields, count="num_local_experts", width="intermediate_size")
    mlp = mlp.replace(bias=True, vectors=mlp.vectors + mlp.experts)
    sinks = fields.count("num_attention_heads", least=1)
    blocks = tuple(
        BlockShape(
            width=width,
            attention=grouped_attention(
                fields,
                vectors=width + sinks,
                qkv_bias=bias,
                out_bias=bias,
                window=fields.count("sliding_window", least=1) if kind == SLIDING else 0,
            ),
            mlp=mlp,
        )
        for kind in layer_types(fields, layers, every(2, layers), "sliding_window")
    )
    return Decoder(blocks, text_ends(fields))


def _llama4(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    layers = fields.layers("num_hidden_layers")
    bias = fields.flag("attention_bias")
    dense = MlpShape(width=fields.count("intermediate_size_mlp", least=1), gated=True, vectors=width)
    shared = fields.count("intermediate_size", least=1)
    sparse = gated_experts(fields, count="num_local_experts", width="intermediate_size", shared_width=shared)
    chunk = fields.optional_count("attention_chunk_size", least=1)
    interval = fields.count("no_rope_layer_interval", least=1)
    rotary = fields.counts("no_rope_layers", layers) or [int((i + 1) % interval != 0) for i in range(layers)]
    types = fields.choices("layer_types", layers, (FULL, CHUNKED)) or [
        CHUNKED if chunk and rotary[i] else FULL for i in range(layers)
    ]
    if CHUNKED in types and not chunk:
        raise ValueError(f"config.attention_chunk_size: missing, as layer_types has {CHUNKED}")
    step = fields.count("interleave_moe_layer_step", least=1)
    sparse_layers = fields.counts("moe_layers")
    if not fields.given("moe_layers"):
        sparse_layers = list(range(step - 1, layers, step))
    blocks = tuple(
        BlockShape(
            width=width,
            attention=grouped_attention(
                fields,
                vectors=width,
                qkv_bias=bias,
                out_bias=bias,
                window=chunk or 0 if kind == CHUNKED else 0,
                chunked=kind == CHUNKED,
            ),
            mlp=sparse if i in sparse_layers else dense,
        )
        for i, kind in enumerate(types)
    )
    return Decoder(blocks, text_ends(fields))


_COMMON = {
    "vocab_size": 32000,
    "hidden_size": 2048,
    "intermediate_size": 2048,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "head_dim": None,
    "num_experts_per_tok": 4,
    "tie_word_embeddings": False,
}
_QWEN = {
    **_COMMON,
    "vocab_size": 151936,
    "decoder_sparse_step": 1,
    "mlp_only_layers": None,
    "moe_intermediate_size": 1408,
    "use_sliding_window": False,
    "sliding_window": 4096,
}

FAMILIES = (
    Family(
        "mixtral",
        ("MixtralForCausalLM",),
        {
            **_COMMON,
            "hidden_size": 4096,
            "intermediate_size": 14336,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "num_local_experts": 8,
            "num_experts_per_tok": 2,
            "sliding_window": None,
        },
        build=_mixtral,
        aliases={"num_experts": "num_local_experts"},
    ),
    Family(
        "olmoe",
        ("OlmoeForCausalLM",),
        {
            **_COMMON,
            "vocab_size": 50304,
            "num_hidden_layers": 16,
            "num_key_value_heads": None,
            "attention_bias": False,
            "num_experts": 64,
            "num_experts_per_tok": 8,
        },
        build=_olmoe,
        aliases={"num_local_experts": "num_experts"},
        # Read by its attention though its class does not name them.
        only={"sliding_window": (None,), "head_dim": (None,)},
    ),
    Family(
        "qwen2_moe",
        ("Qwen2MoeForCausalLM",),
        {
            **_QWEN,
            "intermediate_size": 5632,
            "shared_expert_intermediate_size": 5632,
            "num_experts": 60,
            "qkv_bias": True,
            "max_window_layers": 28,
            "layer_types": None,
        },
        build=_qwen2_moe,
    ),
    Family(
        "qwen3_moe",
        ("Qwen3MoeForCausalLM",),
        {
            **_QWEN,
            "intermediate_size": 6144,
            "moe_intermediate_size": 768,
            "num_attention_heads": 32,
            "num_key_value_heads": 4,
            "attention_bias": False,
            "num_local_experts": 128,
            "num_experts_per_tok": 8,
        },
        build=_qwen3_moe,
        aliases={"num_experts": "num_local_experts"},
    ),
    Family(
        "gpt_oss",
        ("GptOssForCausalLM",),
        {
            **_COMMON,
            "vocab_size": 201088,
            "hidden_size": 2880,
            "intermediate_size": 2880,
            "num_hidden_layers": 36,
            "num_attention_heads": 64,
            "num_key_value_heads": 8,
            "head_dim": 64,
            "attention_bias": True,
            "num_local_experts": 128,
            "sliding_window": 128,
            "layer_types": None,
        },
        build=_gpt_oss,
        aliases={"num_experts": "num_local_experts"},
        activations=(),
    ),
    Family(
        "llama4_text",
        ("Llama4ForCausalLM",),
        {
            **_COMMON,
            "vocab_size": 202048,
            "hidden_size": 5120,
            "intermediate_size": 8192,
            "intermediate_size_mlp": 16384,
            "num_hidden_layers": 48,
            "num_attention_heads": 40,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "attention_bias": False,
            "num_local_experts": 16,
            "num_experts_per_tok": 1,
            "interleave_moe_layer_step": 1,
            "moe_layers": None,
            "no_rope_layers": None,
            "no_rope_layer_interval": 4,
            "attention_chunk_size": 8192,
            "layer_types": None,
        },
        build=_llama4,
    ),
)
