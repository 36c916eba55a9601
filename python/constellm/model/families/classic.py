"""Decoders of GPT's kind: layer norms with shifts, a plain MLP, most of them with biases."""

from __future__ import annotations

from ..._core.model import AttentionShape, BlockShape, MlpShape, TextEnds
from ..fields import Fields, share
from .family import Decoder, Family
from .parts import kv_heads_of


def _even_attention(heads: int, width: int, *, vectors: int, out_vectors: int = 0) -> AttentionShape:
    """As many keys and values as queries, in heads that share the width evenly."""
    each = share("num_attention_heads", heads, width)
    return AttentionShape(
        heads=heads,
        kv_heads=heads,
        head_width=each,
        value_width=each,
        vectors=vectors,
        out_vectors=out_vectors,
    )


def _gpt2(fields: Fields) -> Decoder:
    width = fields.count("n_embd", least=1)
    positions = fields.count("n_positions", least=1)
    block = BlockShape(
        width=width,
        attention=_even_attention(
            fields.count("n_head", least=1), width, vectors=(2 + 3) * width, out_vectors=width
        ),
        mlp=MlpShape(
            width=fields.optional_count("n_inner", least=1) or 4 * width, bias=True, vectors=2 * width
        ),
    )
    ends = TextEnds(
        vocabulary=fields.count("vocab_size", least=1),
        positions=positions,
        norm_vectors=2 * width,
        tied=fields.flag("tie_word_embeddings"),
    )
    return Decoder((block,) * fields.layers("n_layer"), ends, most_tokens=positions)


def _gptj(fields: Fields) -> Decoder:
    width = fields.count("n_embd", least=1)
    block = BlockShape(
        width=width,
        attention=_even_attention(fields.count("n_head", least=1), width, vectors=2 * width),
        mlp=MlpShape(width=fields.optional_count("n_inner", least=1) or 4 * width, bias=True),
        parallel=True,
    )
    ends = TextEnds(
        vocabulary=fields.count("vocab_size", least=1),
        norm_vectors=2 * width,
        tied=fields.flag("tie_word_embeddings"),
        head_bias=True,
    )
    return Decoder((block,) * fields.layers("n_layer"), ends)


def _gpt_neox(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    bias = fields.flag("attention_bias")
    block = BlockShape(
        width=width,
        attention=_even_attention(
            fields.count("num_attention_heads", least=1),
            width,
            vectors=(2 + 3) * width if bias else 2 * width,
            out_vectors=width if bias else 0,
        ),
        mlp=MlpShape(width=fields.count("intermediate_size", least=1), bias=True, vectors=2 * width),
        parallel=fields.flag("use_parallel_residual"),
    )
    ends = TextEnds(
        vocabulary=fields.count("vocab_size", least=1),
        norm_vectors=2 * width,
        tied=fields.flag("tie_word_embeddings"),
    )
    return Decoder((block,) * fields.layers("num_hidden_layers"), ends)


def _phi(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    heads = fields.count("num_attention_heads", least=1)
    kv_heads = kv_heads_of(fields, heads)
    each = share("num_attention_heads", heads, width)
    head_norms = 4 * each if fields.flag("qk_layernorm") else 0
    block = BlockShape(
        width=width,
        attention=AttentionShape(
            heads=heads,
            kv_heads=kv_heads,
            head_width=each,
            value_width=each,
            vectors=2 * width + (heads + 2 * kv_heads) * each + head_norms,
            out_vectors=width,
        ),
        mlp=MlpShape(width=fields.count("intermediate_size", least=1), bias=True),
        parallel=True,
    )
    ends = TextEnds(
        vocabulary=fields.count("vocab_size", least=1),
        norm_vectors=2 * width,
        tied=fields.flag("tie_word_embeddings"),
        head_bias=True,
    )
    return Decoder((block,) * fields.layers("num_hidden_layers"), ends)


def _bloom(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    block = BlockShape(
        width=width,
        attention=_even_attention(
            fields.count("n_head", least=1), width, vectors=(2 + 3) * width, out_vectors=width
        ),
        mlp=MlpShape(width=4 * width, bias=True, vectors=2 * width),
    )
    ends = TextEnds(
        vocabulary=fields.count("vocab_size", least=1),
        embed_vectors=2 * width,
        norm_vectors=2 * width,
        tied=fields.flag("tie_word_embeddings"),
    )
    return Decoder((block,) * fields.layers("n_layer"), ends)


#: OPT's positions begin at 2, behind two rows that no token uses.
OPT_POSITION_OFFSET = 2


def _opt(fields: Fields) -> Decoder:
    width = fields.count("hidden_size", least=1)
    positions = fields.count("max_position_embeddings", least=1)
    norm = 2 * width if fields.flag("layer_norm_elementwise_affine") else 0
    bias = fields.flag("enable_bias")
    block = BlockShape(
        width=width,
        attention=_even_attention(
            fields.count("num_attention_heads", least=1),
            width,
            vectors=norm + (3 * width if bias else 0),
            out_vectors=width if bias else 0,
        ),
        mlp=MlpShape(width=fields.count("ffn_dim", least=1), bias=bias, vectors=norm),
    )
    final = fields.flag("do_layer_norm_before") and not fields.flag("_remove_final_layer_norm")
    ends = TextEnds(
        vocabulary=fields.count("vocab_size", least=1),
        embed_width=fields.optional_count("word_embed_proj_dim", least=1) or width,
        positions=positions + OPT_POSITION_OFFSET,
        norm_vectors=norm if final else 0,
        tied=fields.flag("tie_word_embeddings"),
    )
    return Decoder((block,) * fields.layers("num_hidden_layers"), ends, most_tokens=positions)


def _falcon(fields: Fields) -> Decoder:
    """Falcon 7B (one key-value head), RW (one per query) and 40B (a few, each cached for every query)."""
    width = fields.count("hidden_size", least=1)
    heads = fields.count("num_attention_heads", least=1)
    each = share("num_attention_heads", heads, width)
    bias = fields.flag("bias")
    new = fields.flag("new_decoder_architecture")
    parallel = fields.flag("parallel_attn")
    if new and not parallel:
        raise ValueError("config.parallel_attn: false is not true, as new_decoder_architecture has it")
    norms = fields.optional_count("num_ln_in_parallel_attn", least=1, most=2) or (2 if new else 1)
    if norms == 2 and not new and parallel:
        raise ValueError("config.num_ln_in_parallel_attn: 2 is not 1 without new_decoder_architecture")
    if not parallel:
        norms = 2
    kv_heads = kv_heads_of(fields, heads, "num_kv_heads")
    if not new:
        if not fields.flag("multi_query") and kv_heads != heads:
            raise ValueError(
                f"config.num_kv_heads: {kv_heads} is not {heads}, one per attention head without multi_query"
            )
        kv_heads = 1 if fields.flag("multi_query") else heads
    # The first norm is the attention's; in parallel attention without a second one the MLP reads it too.
    block = BlockShape(
        width=width,
        attention=AttentionShape(
            heads=heads,
            kv_heads=kv_heads,
            head_width=each,
            value_width=each,
            cached_heads=heads if new else 0,
            vectors=2 * width + ((heads + 2 * kv_heads) * each if bias else 0),
            out_vectors=width if bias else 0,
        ),
        mlp=MlpShape(
            width=fields.optional_count("ffn_hidden_size", least=1) or 4 * width,
            bias=bias,
            vectors=2 * width * (norms - 1),
        ),
        parallel=parallel,
    )
    ends = TextEnds(
        vocabulary=fields.count("vocab_size", least=1),
        norm_vectors=2 * width,
        tied=fields.flag("tie_word_embeddings"),
    )
    return Decoder((block,) * fields.layers("num_hidden_layers"), ends)


_GPT = {
    "vocab_size": 50257,
    "n_positions": 1024,
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "n_inner": None,
    "tie_word_embeddings": True,
}
_GPT_ALIASES = {
    "hidden_size": "n_embd",
    "max_position_embeddings": "n_positions",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}

FAMILIES = (
    Family(
        "gpt2",
        ("GPT2LMHeadModel",),
        _GPT,
        build=_gpt2,
        aliases=_GPT_ALIASES,
        activations=("activation_function",),
    ),
    Family(
        "gptj",
        ("GPTJForCausalLM",),
        {
            **_GPT,
            "vocab_size": 50400,
            "n_positions": 2048,
            "n_embd": 4096,
            "n_layer": 28,
            "n_head": 16,
            "tie_word_embeddings": False,
        },
        build=_gptj,
        aliases=_GPT_ALIASES,
        activations=("activation_function",),
    ),
    Family(
        "gpt_neox",
        ("GPTNeoXForCausalLM",),
        {
            "vocab_size": 50432,
            "hidden_size": 6144,
            "num_hidden_layers": 44,
            "num_attention_heads": 64,
            "intermediate_size": 24576,
            "attention_bias": True,
            "use_parallel_residual": True,
            "tie_word_embeddings": False,
        },
        build=_gpt_neox,
    ),
    Family(
        "phi",
        ("PhiForCausalLM",),
        {
            "vocab_size": 51200,
            "hidden_size": 2048,
            "intermediate_size": 8192,
            "num_hidden_layers": 24,
            "num_attention_heads": 32,
            "num_key_value_heads": None,
            "qk_layernorm": False,
            "tie_word_embeddings": False,
        },
        build=_phi,
        only={"head_dim": (None,)},  # read by its attention though its class does not name it
    ),
    Family(
        "bloom",
        ("BloomForCausalLM",),
        {
            "vocab_size": 250880,
            "hidden_size": 64,
            "n_layer": 2,
            "n_head": 8,
            "tie_word_embeddings": True,
        },
        build=_bloom,
        aliases={"num_hidden_layers": "n_layer", "num_attention_heads": "n_head", "n_embed": "hidden_size"},
        activations=(),
    ),
    Family(
        "opt",
        ("OPTForCausalLM",),
        {
            "vocab_size": 50272,
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "ffn_dim": 3072,
            "max_position_embeddings": 2048,
            "do_layer_norm_before": True,
            "_remove_final_layer_norm": False,
            "word_embed_proj_dim": None,
            "num_attention_heads": 12,
            "enable_bias": True,
            "layer_norm_elementwise_affine": True,
            "tie_word_embeddings": True,
        },
        build=_opt,
        activations=("activation_function",),
    ),
    Family(
        "falcon",
        ("FalconForCausalLM",),
        {
            "vocab_size": 65024,
            "hidden_size": 4544,
            "num_hidden_layers": 32,
            "num_attention_heads": 71,
            "num_ln_in_parallel_attn": None,
            "num_kv_heads": None,
            "new_decoder_architecture": False,
            "multi_query": True,
            "parallel_attn": True,
            "bias": False,
            "ffn_hidden_size": None,
            "tie_word_embeddings": True,
        },
        build=_falcon,
        aliases={"n_embed": "hidden_size"},
        only={"ff_factor": (None, 4)},  # the class has 4 where ffn_hidden_size is absent, whatever it says
        activations=("activation",),
    ),
)
