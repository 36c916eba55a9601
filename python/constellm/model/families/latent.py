"""DeepSeek-V2 and V3: latent attention, shared experts, first layers dense."""

from __future__ import annotations

from ..._core.model import AttentionShape, BlockShape, MlpShape
from ..fields import Fields
from .family import Decoder, Family
from .grouped import text_ends
from .parts import gated_experts


def _attention(fields: Fields) -> AttentionShape:
    width = fields.count("hidden_size", least=1)
    heads = fields.count("num_attention_heads", least=1)
    kv_heads = fields.optional_count("num_key_value_heads", least=1) or heads
    if kv_heads != heads:
        raise ValueError(f"config.num_key_value_heads: {kv_heads} is not {heads}, one per attention head")
    query_rank = fields.optional_count("q_lora_rank", least=1) or 0
    kv_rank = fields.count("kv_lora_rank", least=1)
    rope = fields.count("qk_rope_head_dim", least=1)
    # Biases where the tokens' vectors come in: the latents' matrices and the output's.
    bias = fields.flag("attention_bias")
    biases = (query_rank + kv_rank + rope) if bias else 0
    return AttentionShape(
        heads=heads,
        kv_heads=heads,
        head_width=fields.count("qk_nope_head_dim", least=1) + rope,
        value_width=fields.count("v_head_dim", least=1),
        query_rank=query_rank,
        kv_rank=kv_rank,
        rope_width=rope,
        vectors=width + query_rank + kv_rank + biases,
        out_vectors=width if bias else 0,
    )


def _deepseek(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    expert = fields.count("moe_intermediate_size", least=1)
    dense = MlpShape(width=fields.count("intermediate_size", least=1), gated=True, vectors=width)
    sparse = gated_experts(
        fields,
        count="n_routed_experts",
        width="moe_intermediate_size",
        shared_width=expert * fields.count("n_shared_experts"),
    )
    first_sparse = fields.count("first_k_dense_replace")
    attention = _attention(fields)
    blocks = tuple(
        BlockShape(width=width, attention=attention, mlp=sparse if i >= first_sparse else dense)
        for i in range(fields.layers("num_hidden_layers"))
    )
    return Decoder(blocks, text_ends(fields))


_V2 = {
    "vocab_size": 102400,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": None,
    "attention_bias": False,
    "tie_word_embeddings": False,
    "first_k_dense_replace": 0,
    "n_routed_experts": 64,
    "n_shared_experts": 2,
    "num_experts_per_tok": None,
    "moe_intermediate_size": 1407,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
}

FAMILIES = (
    Family(
        "deepseek_v2",
        ("DeepseekV2ForCausalLM",),
        _V2,
        build=_deepseek,
        aliases={"num_experts": "n_routed_experts"},
        only={"mlp_bias": (False,)},
    ),
    Family(
        "deepseek_v3",
        ("DeepseekV3ForCausalLM",),
        {
            **_V2,
            "vocab_size": 129280,
            "hidden_size": 7168,
            "intermediate_size": 18432,
            "num_hidden_layers": 61,
            "num_attention_heads": 128,
            "num_key_value_heads": 128,
            "first_k_dense_replace": 3,
            "n_routed_experts": 256,
            "n_shared_experts": 1,
            "num_experts_per_tok": 8,
            "moe_intermediate_size": 2048,
        },
        build=_deepseek,
        aliases={"num_local_experts": "n_routed_experts"},
    ),
)
