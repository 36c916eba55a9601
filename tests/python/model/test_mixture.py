"""Gateways and experts of mixtures, against published counts, closed forms and lists of all tensors."""

from __future__ import annotations

import math
import pickle
from random import Random

import pytest

from constellm import model

# Billions of parameters, in all and for one token, to the digits that their authors print, rounded or cut
# off; and how many of the two matrices of the vocabulary they count for a token.
PUBLISHED = {
    # Zhu et al. 2024 (arXiv 2406.16554) and their model cards
    "llama-moe-3.0b": ("6.7", "3.0", 2),
    "llama-moe-3.5b": ("6.7", "3.5", 2),
    # Mistral AI, Mixtral of experts, 2023, and Cheaper, better, faster, stronger, 2024
    "mixtral-8x7b": ("46.7", "12.9", 2),
    "mixtral-8x22b": ("141", "39", 2),
    # Muennighoff et al. 2024 (arXiv 2409.02060)
    "olmoe-1b-7b": ("6.9", "1.3", 2),
    # Dai et al. 2024 (arXiv 2401.06066)
    "deepseek-moe-16b": ("16.4", "2.8", 2),
    # DeepSeek-V2 (arXiv 2405.04434), appendix B: without the embedding; DeepSeek-V3 (arXiv 2412.19437)
    "deepseek-v2-lite": ("15.7", "2.4", 1),
    "deepseek-v3": ("671", "37", 2),
    # Model cards of Qwen
    "qwen1.5-moe-a2.7b": ("14.3", "2.7", 2),
    "qwen3-30b-a3b": ("30.5", "3.3", 2),
    "qwen3-235b-a22b": ("235", "22", 2),
    # OpenAI 2025 (arXiv 2508.10925), table 1: the output matrix, not the embedding
    "gpt-oss-20b": ("20.91", "3.61", 1),
    "gpt-oss-120b": ("116.83", "5.13", 1),
}
STORED = {"weight_dtype": "bfloat16"}


def printed(parameters: float, text: str) -> bool:
    """Whether `text` is the number in billions, rounded or cut off."""
    decimals = len(text.partition(".")[2])
    cut = math.floor(parameters / 1e9 * 10**decimals) / 10**decimals
    return text in (f"{parameters / 1e9:.{decimals}f}", f"{cut:.{decimals}f}")


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name: str) -> None:
    total, active, matrices = PUBLISHED[name]
    mixture = model.mixture(name, context_tokens=1, **STORED)
    shape = model.architecture(name)
    uncounted = (2 - matrices) * shape.ends.vocabulary * shape.blocks[0].width
    assert printed(mixture.parameters, total)
    assert printed(mixture.active_parameters - uncounted, active)


def test_every_shipped_mixture_is_checked() -> None:
    sparse = set()
    for name in model.available():
        blocks = () if name.startswith("vit-") else model.architecture(name).blocks
        if any(block.mlp.experts for block in blocks):
            sparse.add(name)
    assert {name for name in sparse if not name.startswith("switch-")} == set(PUBLISHED)


def test_parameters_of_a_token_to_the_last_digit() -> None:
    """DeepSeekMoE 16B as others count it: `num_params_active` of published traces of its inference."""
    assert model.mixture("deepseek-moe-16b", context_tokens=1).active_parameters == 2_828_650_496


@pytest.mark.parametrize(("name", "gibibytes"), [("gpt-oss-20b", 12.8), ("gpt-oss-120b", 60.8)])
def test_checkpoints_whose_experts_are_quantised(name: str, gibibytes: float) -> None:
    """Sizes of arXiv 2508.10925, table 1: MXFP4 keeps 32 values and a scale in 17 bytes."""
    mixture = model.mixture(name, context_tokens=1, weight_dtype="bfloat16", expert_dtype=17 / 32)
    assert mixture.weight_bytes / 2**30 == pytest.approx(gibibytes, rel=2e-3)
    assert mixture.layers[0].message_bytes == 2 * 2880


def test_llama_moe_takes_36_tflop_for_4096_tokens() -> None:
    """2 ((4 d^2 + 2 experts of 3 d f) 32 layers + d V) + 4 d n of attention: 36.33 TFLOP, and routers."""
    d, f, n, layers = 4096, 1376, 4096, 32
    matrices = layers * (4 * d**2 + 2 * 3 * d * f) + d * 32000
    expected = 2 * matrices + layers * 4 * d * n
    assert round(n * expected / 1e12, 2) == 36.33
    mixture = model.mixture("llama-moe-3.5b", context_tokens=n)
    assert mixture.flop_per_token == expected + layers * 2 * d * 8
    assert round(n * mixture.flop_per_token / 1e12, 1) == 36.3


def test_gateways_and_experts_of_mixtral_in_closed_form() -> None:
    d, f, heads, kv_heads, head, seen = 4096, 14336, 32, 8, 128, 1000
    mixture = model.mixture("mixtral-8x7b", context_tokens=seen)
    attention = d * heads * head + 2 * d * kv_heads * head + heads * head * d
    ends = 2 * 32000 * d + d
    for index, layer in enumerate(mixture.layers):
        assert (layer.name, layer.experts, layer.top_k) == (f"block-{index}", 8, 2)
        assert layer.expert_flop_per_token == 2 * 3 * d * f
        assert layer.expert_bytes == 2 * layer.expert_parameters == 2 * 3 * d * f
        gateway = attention + 8 * d + 2 * d + (ends if index == 0 else 0)
        assert layer.gateway_bytes == 2 * layer.gateway_parameters == 2 * gateway
        scores = 4 * heads * head * seen
        assert layer.gateway_flop_per_token == (
            2 * (attention + 8 * d) + scores + (2 * 32000 * d if index == 0 else 0)
        )
        assert layer.cache_bytes == 2 * 2 * kv_heads * head * seen
        assert layer.message_bytes == 2 * d
    assert mixture.layers[0].parts == ("head", "token-embedding", "block-0")
    assert mixture.layers[1].parts == ("block-1",)


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("seen", [1, 1000, 2048.5])
def test_all_gateways_and_the_experts_of_a_token_are_the_decoder(name: str, seen: float) -> None:
    mixture = model.mixture(name, context_tokens=seen, **STORED)
    decoder = model.decoder(name, phase="decode", context_tokens=seen, **STORED)
    assert mixture.flop_per_token == pytest.approx(decoder.flop, rel=1e-14)
    assert mixture.parameters == decoder.parameters
    assert mixture.weight_bytes == decoder.weight_bytes
    assert mixture.cache_bytes == pytest.approx(decoder.kv_cache_bytes, rel=1e-14)


QWEN = {"model_type": "qwen3_moe", "num_hidden_layers": 6, "num_attention_heads": 4, "hidden_size": 64}


@pytest.mark.parametrize(
    ("dense", "parts"),
    [
        ([], [[0], [1], [2], [3], [4], [5]]),
        ([0, 1, 3], [[0, 1, 2], [3, 4], [5]]),
        ([2, 5], [[5, 0], [1], [2, 3], [4]]),  # behind the last experts: where their results arrive
        ([0, 1, 3, 4, 5], [[3, 4, 5, 0, 1, 2]]),
    ],
)
def test_dense_blocks_belong_to_the_gateway_that_feeds_them(dense: list[int], parts: list[list[int]]) -> None:
    config = {**QWEN, "mlp_only_layers": dense}
    mixture = model.mixture(config, context_tokens=10)
    named = [[f"block-{i}" for i in each] for each in parts]
    trailing = [f"block-{i}" for i in dense if i > max(set(range(6)) - set(dense))]
    named[0][len(trailing) : len(trailing)] = ["head", "token-embedding"]
    assert [list(layer.parts) for layer in mixture.layers] == named
    assert mixture.flop_per_token == model.decoder(config, phase="decode", context_tokens=10).flop


def test_a_tied_matrix_is_stored_once() -> None:
    tied = model.mixture({**QWEN, "tie_word_embeddings": True}, context_tokens=10)
    apart = model.mixture(QWEN, context_tokens=10)
    assert apart.weight_bytes - tied.weight_bytes == 2 * 151936 * 64
    assert apart.flop_per_token == tied.flop_per_token


def test_a_file_as_it_is_published() -> None:
    """LLaMA-MoE-v1-3_0B-2_16-sft, with every field that it has."""
    config = {
        "_name_or_path": "llama-moe/LLaMA-MoE-v1-3_0B-2_16",
        "add_weight_norm": False,
        "architectures": ["LlamaMoEForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "auto_map": {"AutoConfig": "configuration_llama_moe.LlamaMoEConfig"},
        "bos_token_id": 1,
        "calculator_type": "UniversalCalculator",
        "capacity_factor": 1.25,
        "drop_tokens": True,
        "dropped_padding": "zero",
        "eos_token_id": 2,
        "gate_add_noise": True,
        "gate_balance_loss_weight": 0.01,
        "gate_network": "mlp",
        "gate_noise_epsilon": 0.01,
        "gate_type": "TopKBalancedNoisyGate",
        "gate_use_balance": True,
        "gate_use_softmax": True,
        "gates": "mlp",
        "hidden_act": "silu",
        "hidden_size": 4096,
        "initializer_range": 0.02,
        "intermediate_size": 11008,
        "max_position_embeddings": 4096,
        "model_type": "llama_moe",
        "multiply_gate_scores": True,
        "num_attention_heads": 32,
        "num_experts": 16,
        "num_hidden_layers": 32,
        "num_key_value_heads": 32,
        "num_selects": 2,
        "pad_token_id": 0,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "rope_theta": 10000.0,
        "score_scale_factor": 8.0,
        "size_experts": [[688] * 16] * 32,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.36.2",
        "use_cache": True,
        "vocab_size": 32000,
    }
    mixture = model.mixture(config, context_tokens=100)
    assert mixture.layers == model.mixture("llama-moe-3.0b", context_tokens=100).layers
    assert (mixture.name, mixture.dtype) == ("llama-moe/LLaMA-MoE-v1-3_0B-2_16", "bfloat16")


Tensors = list[tuple[int, float]]
"""Numbers in each tensor of a checkpoint, and the share of them that multiplies a token's vector."""


def attention_tensors(c: dict) -> Tensors:
    """Of one layer: q, k, v, o, and two norms."""
    d, g = c["hidden_size"], c["num_key_value_heads"] * c["hidden_size"] // c["num_attention_heads"]
    biases = [(d, 0), (g, 0), (g, 0), (d, 0)] if c.get("attention_bias") else []
    return [(d * d, 1), (d * g, 1), (d * g, 1), (d * d, 1), (d, 0), (d, 0), *biases]


def end_tensors(c: dict) -> Tensors:
    """Embedding, final norm, output matrix."""
    d = c["hidden_size"]
    return [(c["vocab_size"] * d, 0), (d, 0), (c["vocab_size"] * d, 1)]


def llama_moe_tensors(c: dict) -> Tensors:
    """All of LLaMA-MoE, by hand from the names in its checkpoints."""
    d, experts = c["hidden_size"], c["num_experts"]
    tensors = end_tensors(c)
    for _ in range(c["num_hidden_layers"]):
        tensors += attention_tensors(c)
        tensors += [(d * experts, 1)]  # gate_network.0
        tensors += [(experts**2, 0)] if c["gate_network"] == "mlp" else []  # gate_network.2, left out
        tensors += [(d * experts, 0)] if c["gate_add_noise"] else []  # weight_noise
        width = c["intermediate_size"] // experts
        tensors += 3 * [(d * width, c["num_selects"] / experts)] * experts
    return tensors


def deepseek_tensors(c: dict) -> Tensors:
    """The same of the first DeepSeek-MoE."""
    d, experts, width = c["hidden_size"], c["n_routed_experts"], c["moe_intermediate_size"]
    tensors = end_tensors(c)
    for layer in range(c["num_hidden_layers"]):
        tensors += attention_tensors(c)
        if experts and layer >= c["first_k_dense_replace"] and layer % c["moe_layer_freq"] == 0:
            tensors += [(d * experts, 1)]  # gate
            tensors += 3 * [(d * width, c["num_experts_per_tok"] / experts)] * experts
            tensors += 3 * [(d * width * (c["n_shared_experts"] or 0), 1)]
        else:
            tensors += 3 * [(d * c["intermediate_size"], 1)]
    return tensors


def test_mixtures_of_other_code_have_all_tensors_of_their_checkpoints() -> None:
    random = Random(3)
    for _ in range(100):
        experts = random.choice((2, 4, 8))
        common = {
            "hidden_size": 8 * random.randint(1, 4),
            "intermediate_size": 8 * random.randint(1, 9),
            "num_attention_heads": 4,
            "num_key_value_heads": random.choice((1, 2, 4)),
            "num_hidden_layers": random.randint(1, 5),
            "vocab_size": random.randint(1, 99),
        }
        llama = {
            **common,
            "model_type": "llama_moe",
            "num_experts": experts,
            "num_selects": random.randint(1, 2),
            "gate_network": random.choice(("mlp", "linear")),
            "gate_add_noise": random.random() < 0.5,
        }
        if random.random() < 0.5:
            each = [common["intermediate_size"] // experts] * experts
            llama["size_experts"] = [each] * common["num_hidden_layers"]
        deepseek = {
            **common,
            "model_type": "deepseek",
            "attention_bias": random.random() < 0.5,
            "n_routed_experts": random.choice((None, experts)),
            "n_shared_experts": random.choice((None, 1, 2)),
            "num_experts_per_tok": random.randint(1, 2),
            "moe_intermediate_size": random.randint(1, 20),
            "first_k_dense_replace": random.randint(0, 2),
            "moe_layer_freq": random.randint(1, 2),
        }
        for config, tensors in ((llama, llama_moe_tensors), (deepseek, deepseek_tensors)):
            decoder = model.decoder(config, phase="decode", context_tokens=7)
            sizes, multiplied = zip(*((size, size * share) for size, share in tensors(config)))
            attending = 4 * 7 * common["hidden_size"] * common["num_hidden_layers"]
            assert decoder.parameters == sum(sizes), config
            assert decoder.flop == 2 * sum(multiplied) + attending, config


@pytest.mark.parametrize("stack", ["encoder", "decoder"])
def test_one_of_eight_experts_in_every_other_layer(stack: str) -> None:
    """Switch-Base: ReLU experts of two matrices, 768 by 3,072."""
    more = {"source_tokens": 300} if stack == "decoder" else {}
    mixture = model.mixture("switch-base-8", stack=stack, context_tokens=40, **more)
    assert mixture.name == f"switch-base-8 {stack}"
    assert [layer.name for layer in mixture.layers] == [f"block-{i}" for i in range(1, 12, 2)]
    assert {(layer.experts, layer.top_k) for layer in mixture.layers} == {(8, 1)}
    assert set(mixture.array("expert_parameters")) == {2 * 768 * 3072}
    assert set(mixture.array("expert_flop_per_token")) == {2 * 2 * 768 * 3072}
    # Two blocks a gateway; a decoder's keep keys and values of both texts.
    assert set(mixture.array("cache_bytes")) == ({2 * 2 * 2 * 768 * 340} if more else {0})


def test_a_decoder_sees_what_the_encoder_has_read() -> None:
    near, far = (
        model.mixture("switch-base-8", stack="decoder", context_tokens=40, source_tokens=source)
        for source in (1, 513)
    )
    assert far.flop_per_token - near.flop_per_token == 12 * 4 * 768 * 512
    assert far.parameters == near.parameters


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        ("llama-2-7b", {}, "config: llama-2-7b has no layer of experts in its decoder"),
        ("vit-base/16", {}, "that is model.vit(config)"),
        ("mixtral-8x7b", {"context_tokens": 0.5}, "context_tokens: 0.5 is not in [1, inf)"),
        ("mixtral-8x7b", {"context_tokens": math.nan}, "context_tokens: "),
        ("mixtral-8x7b", {"dtype": "int3"}, "dtype: 'int3' is not one of float64"),
        ("mixtral-8x7b", {"expert_dtype": "int3"}, "expert_dtype: 'int3' is not one of float64"),
        ("mixtral-8x7b", {"expert_dtype": 0}, "expert_dtype: 0 is not in (0, 1000]"),
        ("gpt-oss-20b", {"expert_dtype": 17 / 32}, "say how with weight_dtype"),
        ("mixtral-8x7b", {"stack": "decoder"}, "stack: not used by mixtral, which has no encoder"),
        ("mixtral-8x7b", {"source_tokens": 5}, "source_tokens: not used by mixtral"),
        ("switch-base-8", {}, "stack: missing, as switch_transformers has two"),
        ("switch-base-8", {"stack": "both"}, "stack: 'both' is not one of encoder, decoder"),
        ("switch-base-8", {"stack": "decoder"}, "source_tokens: missing"),
        ("switch-base-8", {"stack": "encoder", "source_tokens": 3}, "source_tokens: not used by the encoder"),
        (
            {"model_type": "switch_transformers", "encoder_sparse_step": 0},
            {"stack": "encoder"},
            "switch_transformers has no layer of experts in its encoder",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused(config: object, options: dict, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        model.mixture(config, **{"context_tokens": 10, **options})
    assert message in str(error.value)


SWITCH = {"model_type": "switch_transformers"}
LLAMA_MOE = {"model_type": "llama_moe", "num_hidden_layers": 2, "num_experts": 8}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({**LLAMA_MOE, "size_experts": [[1376] * 8]}, "config.size_experts: 1 values are not 2, one per"),
        ({**LLAMA_MOE, "size_experts": []}, "config.size_experts: [] is no list of 2, one per layer"),
        ({**LLAMA_MOE, "size_experts": [[1376] * 8, 5]}, "config.size_experts[1]: 5 is no list of 8"),
        ({**LLAMA_MOE, "size_experts": [[1376] * 8, [0] * 8]}, "config.size_experts[1][0]: 0 is not in [1, "),
        (
            {**LLAMA_MOE, "size_experts": [[1376] * 8, [1366, 1386] * 4]},
            "widths of 1366 to 1386 are not 1376",
        ),
        (
            {**LLAMA_MOE, "size_experts": [[1000] * 8] * 2},
            "widths of 1000 to 1000 are not 1376, an equal part",
        ),
        ({**LLAMA_MOE, "num_experts": 7}, "config.num_experts: 7 experts do not divide the width 11008"),
        ({**LLAMA_MOE, "num_selects": 9}, "config.num_selects: 9 is not in [1, 8]"),
        ({**LLAMA_MOE, "gate_network": "cosine"}, "config.gate_network: 'cosine' is not one of mlp, linear"),
        ({**LLAMA_MOE, "gate_type": "SwitchBalancedGate"}, "config.gate_type: 'SwitchBalancedGate' is not"),
        ({**LLAMA_MOE, "add_weight_norm": True}, "config.add_weight_norm: True is not False"),
        ({**SWITCH, "num_selected_experts": 2}, "config.num_selected_experts: 2 is not None or 1"),
        ({**SWITCH, "dense_act_fn": "gated-gelu"}, "config.dense_act_fn: 'gated-gelu' is not one of gelu"),
        ({**SWITCH, "is_gated_act": True}, "config.is_gated_act: True is not known of switch_transformers"),
        (
            {**SWITCH, "num_sparse_encoder_layers": 13},
            "config.num_sparse_encoder_layers: 13 is not in [0, 12]",
        ),
        ({**SWITCH, "tie_word_embeddings": False}, "config.tie_word_embeddings: False is not True"),
        ({**SWITCH, "architectures": ["SwitchTransformersModel"]}, "config.architectures: "),
        ({"model_type": "deepseek", "n_routed_experts": 8}, "num_experts_per_tok: expected an integer, got"),
    ],
)
def test_fields_that_are_not_understood(config: dict, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        model.architecture(config)
    assert message in str(error.value)


@pytest.mark.parametrize("door", [model.from_config, model.decoder, model.vit])
def test_an_encoder_is_no_part_of_a_profile(door: object) -> None:
    with pytest.raises(ValueError, match=r"has an encoder before its decoder; that is model.mixture\(config"):
        door("switch-base-8")


LAYER = {
    "name": "a",
    "experts": 4,
    "top_k": 2,
    "gateway_flop_per_token": 5.0,
    "expert_flop_per_token": 3.0,
    "gateway_bytes": 7.0,
    "expert_bytes": 2.0,
    "message_bytes": 1.0,
}


def test_figures_of_ones_own() -> None:
    layer = model.MixtureLayer(**LAYER, gateway_parameters=10, expert_parameters=4, cache_bytes=6)
    assert (layer.flop_per_token, layer.parameters, layer.active_parameters) == (11, 26, 18)
    mixture = model.Mixture("own", (layer, layer), context_tokens=3)
    assert (mixture.flop_per_token, mixture.parameters, mixture.active_parameters) == (22, 52, 36)
    assert (mixture.weight_bytes, mixture.cache_bytes) == (30, 12)
    assert mixture.array("top_k").tolist() == [2.0, 2.0]
    assert pickle.loads(pickle.dumps(mixture)) == mixture
    with pytest.raises(ValueError, match="field: 'name' is not one of experts, top_k, gateway_flop"):
        mixture.array("name")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 5}, "name: expected text, got 5"),
        ({"experts": 0}, "experts: 0 is not in [1, inf)"),
        ({"experts": 2.5}, "experts: "),
        ({"top_k": 5}, "top_k: 5 is not in [1, 4]"),
        ({"expert_bytes": -1}, "expert_bytes: -1"),
        ({"gateway_flop_per_token": math.inf}, "gateway_flop_per_token: "),
        ({"parts": [3]}, "parts[0]: "),
    ],
)
def test_bad_layers(change: dict, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        model.MixtureLayer(**{**LAYER, **change})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": ()}, "layers: a mixture needs at least one, got none"),
        ({"layers": (5,)}, "layers[0]: "),
        ({"context_tokens": 0}, "context_tokens: 0.0 is not in [1, inf)"),
        ({"note": None}, "note: expected text, got None"),
    ],
)
def test_bad_mixtures(change: dict, message: str) -> None:
    good = {"name": "own", "layers": (model.MixtureLayer(**LAYER),), "context_tokens": 3}
    with pytest.raises((TypeError, ValueError)) as error:
        model.Mixture(**{**good, **change})
    assert message in str(error.value)


def test_display() -> None:
    lines = model.mixture("deepseek-v2-lite", context_tokens=1024).summary().splitlines()
    assert lines[0] == (
        "Mixture('deepseek-v2-lite', 26 layers, 15,706.5 M parameters, 2,661.2 M and 5.87 GFLOP for a token "
        "that sees 1024)"
    )
    assert lines[1] == "The first gateway holds head, token-embedding, block-0, block-1."
    assert [line.split() for line in lines[-2:]] == [
        ["1", "×", "block-1", "64", "6", "715", "17.3", "1.06", "17.3", "4.1", "2.36"],
        ["25", "×", "block-2", "…", "block-26", "64", "6", "98", "17.3", "0.0624", "17.3", "4.1", "1.18"],
    ]
