"""LLaMA-MoE and the first DeepSeek-MoE: their classes come with their weights, not with transformers."""

from __future__ import annotations

from ..._core.model import BlockShape, MlpShape
from ..fields import Fields, share
from .family import Decoder, Family
from .grouped import text_ends
from .parts import gated_experts, grouped_attention


def _expert_width(fields: Fields, experts: int) -> int:
    """The width of every expert; those of unequal widths are refused."""
    all_width = fields.count("intermediate_size", least=1)
    if not fields.given("size_experts"):
        return share("num_experts", experts, all_width, what="experts")
    layers = fields.rows("size_experts", fields.layers("num_hidden_layers"), experts)
    widths = {width for layer in layers for width in layer}
    if widths != {all_width // experts} or all_width % experts:
        raise ValueError(
            f"config.size_experts: widths of {min(widths)} to {max(widths)} are not {all_width / experts:g}, "
            f"an equal part of intermediate_size = {all_width}; only experts that are alike are counted"
        )
    return all_width // experts


def _llama_moe(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    experts = fields.count("num_experts", least=1)
    gate = fields.choice("gate_network", ("mlp", "linear"))
    # Beside the matrix that every router has: the second one of an MLP, and that of the noise of training,
    # which is stored and never read. The second one's 2 E^2 FLOP are left out, as those of norms are.
    beside = (experts**2 if gate == "mlp" else 0) + (width * experts if fields.flag("gate_add_noise") else 0)
    mlp = MlpShape(
        width=_expert_width(fields, experts),
        gated=True,
        experts=experts,
        experts_per_token=fields.count("num_selects", least=1, most=experts),
        vectors=width + beside,
    )
    block = BlockShape(width=width, attention=grouped_attention(fields, vectors=width), mlp=mlp)
    return Decoder((block,) * fields.layers("num_hidden_layers"), text_ends(fields))


def _deepseek(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    bias = fields.flag("attention_bias")
    attention = grouped_attention(fields, vectors=width, qkv_bias=bias, out_bias=bias)
    dense = MlpShape(width=fields.count("intermediate_size", least=1), gated=True, vectors=width)
    sparse = dense
    if fields.given("n_routed_experts"):
        expert = fields.count("moe_intermediate_size", least=1)
        shared = expert * (fields.optional_count("n_shared_experts") or 0)
        sparse = gated_experts(
            fields, count="n_routed_experts", width="moe_intermediate_size", shared_width=shared
        )
    first = fields.count("first_k_dense_replace")
    step = fields.count("moe_layer_freq", least=1)
    blocks = tuple(
        BlockShape(width=width, attention=attention, mlp=sparse if i >= first and i % step == 0 else dense)
        for i in range(fields.layers("num_hidden_layers"))
    )
    return Decoder(blocks, text_ends(fields))


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

FAMILIES = (
    Family(
        "llama_moe",
        ("LlamaMoEForCausalLM",),
        {
            **_LLAMA,
            "num_experts": 16,
            "num_selects": 4,
            "size_experts": None,
            "gate_network": "mlp",
            "gate_add_noise": True,
        },
        build=_llama_moe,
        only={
            "head_dim": (None,),
            "attention_bias": (False,),
            "add_weight_norm": (False,),
            "gate_type": ("TopKBalancedNoisyGate",),
            "calculator_type": ("UniversalCalculator",),
        },
        in_transformers=False,
    ),
    Family(
        "deepseek",
        ("DeepseekForCausalLM",),
        {
            **_LLAMA,
            "vocab_size": 102400,
            "num_hidden_layers": 30,
            "num_key_value_heads": 32,
            "attention_bias": False,
            "n_routed_experts": None,
            "n_shared_experts": None,
            "num_experts_per_tok": None,
            "moe_intermediate_size": 1407,
            "first_k_dense_replace": 0,
            "moe_layer_freq": 1,
        },
        build=_deepseek,
        only={"head_dim": (None,)},
        in_transformers=False,
    ),
)
