"""Switch Transformers: encoder and decoder of T5's kind, experts in some layers, one of them a token."""

from __future__ import annotations

from ..._core.model import AttentionShape, BlockShape, MlpShape, TextEnds
from ..fields import Fields
from .family import EncoderDecoder, Family


def _attention(fields: Fields, *, positions: bool = False) -> AttentionShape:
    """Behind one RMS norm, without biases; `positions`: with the table of relative ones."""
    heads = fields.count("num_heads", least=1)
    width = fields.count("d_kv", least=1)
    table = fields.count("relative_attention_num_buckets", least=1) * heads if positions else 0
    return AttentionShape(
        heads=heads,
        kv_heads=heads,
        head_width=width,
        value_width=width,
        vectors=fields.count("d_model", least=1) + table,
    )


def _stack(fields: Fields, layers: int, sparse_layers: str, step_field: str) -> tuple[BlockShape, ...]:
    """Blocks of one side. Of every `step` layers the second has experts; all of them where it is one.

    The class finds the step from the number of sparse layers, unless a file gives it; of none it makes the
    step of all layers, which leaves the second one sparse.
    """
    width = fields.count("d_model", least=1)
    step = fields.optional_count(step_field)
    if step is None:
        sparse = fields.count(sparse_layers, most=layers)
        step = layers // sparse if sparse else layers
    dense = MlpShape(width=fields.count("d_ff", least=1), vectors=width)
    experts = fields.count("num_experts", least=1)
    biases = experts if fields.flag("router_bias") else 0
    sparse_mlp = dense.replace(experts=experts, experts_per_token=1, vectors=width + biases)
    return tuple(
        BlockShape(
            width=width,
            attention=_attention(fields, positions=i == 0),
            mlp=sparse_mlp if step == 1 or (step > 1 and i % step == 1) else dense,
        )
        for i in range(layers)
    )


def _switch(fields: Fields) -> EncoderDecoder:
    width = fields.count("d_model", least=1)
    layers = fields.layers("num_layers")
    decoder_layers = fields.layers("num_decoder_layers") if fields.given("num_decoder_layers") else layers
    return EncoderDecoder(
        encoder=_stack(fields, layers, "num_sparse_encoder_layers", "encoder_sparse_step"),
        decoder=_stack(fields, decoder_layers, "num_sparse_decoder_layers", "decoder_sparse_step"),
        cross=_attention(fields),
        ends=TextEnds(
            vocabulary=fields.count("vocab_size", least=1),
            norm_vectors=width,
            tied=True,
        ),
        encoder_norm_vectors=width,
    )


FAMILIES = (
    Family(
        "switch_transformers",
        ("SwitchTransformersForConditionalGeneration",),
        {
            "vocab_size": 32128,
            "d_model": 768,
            "d_kv": 64,
            "d_ff": 2048,
            "num_layers": 12,
            "num_decoder_layers": 12,
            "num_sparse_encoder_layers": 3,
            "num_sparse_decoder_layers": 3,
            "encoder_sparse_step": None,
            "decoder_sparse_step": None,
            "num_heads": 12,
            "num_experts": 8,
            "router_bias": False,
            "relative_attention_num_buckets": 32,
        },
        build=_switch,
        encoder=True,
        aliases={
            "hidden_size": "d_model",
            "num_attention_heads": "num_heads",
            "num_hidden_layers": "num_layers",
        },
        only={
            # Untied, releases of transformers differ in what they build.
            "tie_word_embeddings": (True,),
            "num_selected_experts": (None, 1),
            "feed_forward_proj": (None, "relu"),
            "router_type": (None, "tokens_masked"),
        },
        activations=("dense_act_fn",),
    ),
)
