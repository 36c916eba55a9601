"""Architectures against what transformers builds: recorded, and counted again where it is installed."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import json
import re
import sys
from pathlib import Path
from random import Random

import pytest

from constellm import model
from constellm.model.described import ACTIVATIONS, ONLY_EVERYWHERE
from constellm.model.families import FAMILIES, Family
from constellm.model.families.inert import is_inert
from constellm.model.families.vision import OWN_VIT_FIELDS

DATA = Path(__file__).resolve().parents[2] / "data" / "architectures.json"
RECORDED = json.loads(DATA.read_text(encoding="utf-8"))
PUBLISHED = {row["name"]: row for row in RECORDED["published"]}
SMALL = {f"{row['config']['model_type']}-{index}": row for index, row in enumerate(RECORDED["small"])}
#: Those whose classes come with their weights are checked in test_mixture.py.
IN_TRANSFORMERS = [name for name, family in FAMILIES.items() if family.in_transformers]
ENCODERS = [name for name, row in SMALL.items() if FAMILIES[row["config"]["model_type"]].encoder]
TOKENS = 11


def family_of(config: dict) -> Family:
    return FAMILIES[config["model_type"]]


def profile_of(config: dict, **options: object) -> model.Profile:
    if "quantization_config" in config:
        options = {"weight_dtype": 1.0, **options}
    if family_of(config).vision:
        return model.vit(config)
    return model.decoder(config, **{"prompt_tokens": TOKENS, **options})


def stacks_of(config: dict, context_tokens: float = TOKENS) -> tuple[model.Mixture, model.Mixture]:
    """A token of the encoder that sees all `TOKENS`, and one of the decoder behind them."""
    return (
        model.mixture(config, stack="encoder", context_tokens=TOKENS),
        model.mixture(config, stack="decoder", context_tokens=context_tokens, source_tokens=TOKENS),
    )


def parameters_of(config: dict) -> float:
    if not family_of(config).encoder:
        return profile_of(config).parameters
    shape = model.architecture(config)
    embedding = shape.ends.vocabulary * shape.blocks[0].width  # at both first gateways
    return sum(stack.parameters for stack in stacks_of(config)) - embedding


@pytest.fixture(name="reference", scope="module")
def reference_tool(repository):
    """The script that records what transformers builds."""
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    if transformers.__version__.split(".")[0] != RECORDED["transformers"].split(".")[0]:
        pytest.skip(f"transformers is {transformers.__version__}, not like {RECORDED['transformers']}")
    path = repository / "tools" / "architecture_reference.py"
    spec = importlib.util.spec_from_file_location("architecture_reference", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["architecture_reference"] = module
    spec.loader.exec_module(module)
    assert module.TOKENS == TOKENS
    return module


def test_every_architecture_is_recorded() -> None:
    assert {row["config"]["model_type"] for row in RECORDED["published"]} == set(IN_TRANSFORMERS)
    assert {row["config"]["model_type"] for row in RECORDED["small"]} == set(IN_TRANSFORMERS)


def test_the_document_lists_every_architecture(repository) -> None:
    text = (repository / "docs" / "models.md").read_text(encoding="utf-8")
    table = text.split("| `model_type` |")[1].split("\n\n")[0]
    first_columns = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert sorted(re.findall(r"`(\w+)`", " ".join(first_columns))) == sorted(FAMILIES)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_of_published_models(name: str) -> None:
    row = PUBLISHED[name]
    assert parameters_of(row["config"]) == row["parameters"]


#: What stands around the text model or the tower in files of several models.
AROUND = {
    "clip-vit-base-patch32 vision": {
        "_commit_hash": None,
        "architectures": ["CLIPModel"],
        "initializer_factor": 1.0,
        "logit_scale_init_value": 2.6592,
        "model_type": "clip",
        "projection_dim": 512,
        "text_config": {"model_type": "clip_text_model", "vocab_size": 49408},
        "text_config_dict": None,
        "torch_dtype": "float32",
        "vision_config_dict": {"patch_size": 32},
    },
    "siglip-so400m-patch14-384 vision": {
        "architectures": ["SiglipModel"],
        "initializer_factor": 1.0,
        "model_type": "siglip",
        "text_config": {"model_type": "siglip_text_model", "projection_size": 1152},
        "torch_dtype": "float32",
    },
    "Llama-4-Scout text": {
        "architectures": ["Llama4ForConditionalGeneration"],
        "boi_token_index": 200080,
        "eoi_token_index": 200081,
        "image_token_index": 200092,
        "model_type": "llama4",
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "vision_config": {"model_type": "llama4_vision_model", "pixel_shuffle_ratio": 0.5},
    },
    "gemma-3-27b text": {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "boi_token_index": 255999,
        "eos_token_id": [1, 106],
        "initializer_range": 0.02,
        "mm_tokens_per_image": 256,
        "model_type": "gemma3",
        "torch_dtype": "bfloat16",
        "vision_config": {"model_type": "siglip_vision_model", "vision_use_head": False},
    },
}


@pytest.mark.parametrize("name", AROUND)
def test_published_files_that_nest_several_models(name: str) -> None:
    row = PUBLISHED[name]
    if family_of(row["config"]).vision:
        profile = model.vit({**AROUND[name], "vision_config": row["config"]})
    else:
        profile = model.decoder({**AROUND[name], "text_config": row["config"]}, prompt_tokens=TOKENS)
    assert (profile.parameters, profile.dtype) == (row["parameters"], AROUND[name]["torch_dtype"])


@pytest.mark.parametrize("name", sorted(SMALL.keys() - set(ENCODERS)))
def test_small_models(name: str) -> None:
    row = SMALL[name]
    config = row["config"]
    profile = profile_of(config)
    assert profile.parameters == row["parameters"]
    if family_of(config).vision:
        assert profile.flop == row["flop"]
        return
    assert cache_elements(config) == row["cache_elements"]
    assert [flop_of_token(config, token) for token in range(TOKENS)] == row["flop_by_token"]


@pytest.mark.parametrize("name", ENCODERS)
def test_small_models_with_an_encoder(name: str) -> None:
    """Token by token; of the first one transformers makes the encoder's keys and values too."""
    row = SMALL[name]
    config, shape = row["config"], model.architecture(row["config"])
    assert parameters_of(config) == row["parameters"]
    encoder, _ = stacks_of(config)
    assert TOKENS * encoder.flop_per_token == row["encoder_flop"]
    tokens = [stacks_of(config, seen)[1].flop_per_token for seen in range(1, TOKENS + 1)]
    cross = shape.cross
    tokens[0] += len(shape.decoder) * TOKENS * 4 * shape.blocks[0].width * cross.heads * cross.head_width
    assert tokens == row["flop_by_token"]


@pytest.mark.parametrize("name", sorted(SMALL.keys() - set(ENCODERS)))
def test_small_prompts_take_what_their_tokens_take_one_by_one(name: str) -> None:
    """Windows and chunks included; of latent attention a prompt's order is the cheaper one."""
    config = SMALL[name]["config"]
    if family_of(config).vision or model.architecture(config).blocks[0].attention.kv_rank:
        pytest.skip("not a decoder whose tokens cost the same alone")
    prompt = profile_of(config, ends="separate").array("flop")[1:-1]
    tokens = [
        model.decoder(config, phase="decode", context_tokens=seen, ends="separate").array("flop")[1:-1]
        for seen in range(1, TOKENS + 1)
    ]
    assert sum(tokens).tolist() == prompt.tolist()


def cache_elements(config: dict) -> list[float]:
    """Numbers that transformers keeps of each layer after `TOKENS` tokens.

    It drops a sliding window's oldest token as soon as the newest has seen it, so it keeps one less than
    the window between passes, and as many as the window during one, which is what a profile counts.
    """
    profile = model.decoder(config, prompt_tokens=TOKENS, dtype="int8", ends="separate")
    kept = []
    for block, layer in zip(model.architecture(config).blocks, profile.detail[1:-1]):
        window = block.attention.window
        between_passes = (window - 1) / window if 0 < window <= TOKENS else 1
        kept.append(layer.kv_cache_bytes * between_passes)
    return kept


def flop_of_token(config: dict, token: int) -> float:
    """FLOP that transformers spends on a token behind `token` others: what a profile counts, and

    * of latent attention always the order in which keys and values are made anew of all latents, where
      a profile takes the cheaper of two orders;
    * in chunks the pairs with cached tokens of the chunk before, which are masked;
    * of Llama 4 every expert, whether it was chosen or not.
    """
    seen = token + 1
    flop = model.decoder(config, phase="decode", context_tokens=seen).flop
    for block in model.architecture(config).blocks:
        attention, mlp = block.attention, block.mlp
        pair = 2 * attention.heads * (attention.head_width + attention.value_width)
        if attention.kv_rank:
            values = attention.head_width - attention.rope_width + attention.value_width
            expansion = 2 * attention.kv_rank * attention.heads * values
            latent_pair = 2 * attention.heads * (2 * attention.kv_rank + attention.rope_width)
            anew = seen * (expansion + pair)
            flop += anew - min(anew, expansion + seen * latent_pair)
        if attention.chunked:
            flop += pair * (min(seen, attention.window) - (token % attention.window + 1))
        if config["model_type"] == "llama4_text" and mlp.experts:
            flop += 2 * 3 * block.width * mlp.width * (mlp.experts - mlp.experts_per_token)
    return flop


@pytest.mark.parametrize("name", SMALL)
def test_transformers_builds_the_same_small_models(reference, name: str) -> None:
    row = SMALL[name]
    figures = reference.figures(row["config"], family_of(row["config"]))
    assert figures == {field: value for field, value in row.items() if field != "config"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_transformers_builds_the_same_published_models(reference, name: str) -> None:
    row = PUBLISHED[name]
    config = row["config"]
    assert reference.parameters(config, family_of(config).classes[0]) == row["parameters"]


FLAGS = """
attention_bias mlp_bias qkv_bias bias enable_bias tie_word_embeddings use_parallel_residual qk_layernorm
do_layer_norm_before _remove_final_layer_norm layer_norm_elementwise_affine new_decoder_architecture
multi_query parallel_attn use_mask_token use_absolute_position_embeddings use_relative_position_bias
use_shared_relative_position_bias use_swiglu_ffn vision_use_head use_absolute_embeddings router_bias
"""
#: Values that a random configuration may have in place of its own.
VARIATIONS = {
    "num_key_value_heads": (1, 2, 4),
    "num_kv_heads": (None, 2, 4),
    "head_dim": (8, 12),
    "n_inner": (None, 20),
    "ffn_hidden_size": (None, 30),
    "word_embed_proj_dim": (None, 20),
    "num_ln_in_parallel_attn": (None, 1, 2),
    "num_experts": (4, 6),
    "num_local_experts": (4, 6),
    "mlp_only_layers": ([], [0, 3]),
    "decoder_sparse_step": (1, 2),
    "interleave_moe_layer_step": (1, 2),
    "moe_layers": (None, [], [1, 2]),
    "n_shared_experts": (1, 3),
    "num_sparse_encoder_layers": (0, 1, 2, 4),
    "num_sparse_decoder_layers": (1, 2),
    "encoder_sparse_step": (0, 1, 2, 3),
    "first_k_dense_replace": (0, 2, 9),
    "q_lora_rank": (None, 12),
    "pooler_output_size": (None, 20),
    "num_register_tokens": (2, 5),
    "mlp_ratio": (2, 4),
    **dict.fromkeys(FLAGS.split(), (False, True)),
}


def test_random_configurations_are_what_transformers_builds(reference, random_problems: int) -> None:
    """Or they are refused here, or there."""
    random = Random(5)
    compared = 0
    rows = [row["config"] for row in RECORDED["small"]]
    for index in range(random_problems // 2):
        config = dict(rows[index % len(rows)])
        family = family_of(config)
        for name in sorted(VARIATIONS.keys() & family.defaults.keys()):
            if random.random() < 0.5:
                config[name] = random.choice(VARIATIONS[name])
        if random.random() < 0.5:
            config["architectures"] = [random.choice(family.classes)]
        try:
            ours = parameters_of(config)
            theirs = reference.parameters(config, family.classes[0])
        except (TypeError, ValueError):
            continue
        assert ours == theirs, config
        compared += 1
    assert compared > random_problems // 3


#: Fields of a class that it writes over, or reads for another head than the one that is counted.
WRITTEN_OVER = {("deepseek_v2", "head_dim"), ("beit", "vocab_size")}
#: Fields that a class takes though it does not list them.
TAKEN = {"head_dim", "sliding_window_pattern", "encoder_sparse_step", "decoder_sparse_step", *OWN_VIT_FIELDS}


@pytest.mark.parametrize("model_type", IN_TRANSFORMERS)
def test_fields_and_defaults_are_those_of_the_class(reference, model_type: str) -> None:
    """Every field of the configuration's class is read, with its default, or changes no figure."""
    from transformers import PretrainedConfig
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    family = FAMILIES[model_type]
    of_any = {field.name for field in dataclasses.fields(PretrainedConfig)}
    of_class = {
        family.aliases.get(field.name, field.name): field.default
        for field in dataclasses.fields(CONFIG_MAPPING[model_type])
    }
    for name, default in of_class.items():
        if name in family.defaults:
            assert family.defaults[name] == default, name
        elif name not in of_any and (model_type, name) not in WRITTEN_OVER:
            assert is_inert(name) or name in {**family.only, **ONLY_EVERYWHERE}, name
    assert set(family.defaults) - set(of_class) <= TAKEN
    assert set(family.activations) <= set(of_class)


#: Families whose rotary angles alone read it.
HEAD_DIM_OF_ANGLES = {"gpt_neox", "falcon", "deepseek_v2", "deepseek_v3"}


@pytest.mark.parametrize("model_type", IN_TRANSFORMERS)
def test_fields_that_the_code_asks_for_though_the_class_does_not_list_them(
    reference, model_type: str
) -> None:
    import transformers
    from transformers import masking_utils

    family = FAMILIES[model_type]
    modules = [sys.modules[getattr(transformers, family.classes[0]).__module__], masking_utils]
    source = "".join(inspect.getsource(module) for module in modules)
    # What sliding masks ask for, which are made of the layers that have windows.
    asked = set(re.findall(r'getattr\((?:self\.)?config, "(\w+)"', source)) - {"sliding_window"}
    if model_type in HEAD_DIM_OF_ANGLES:
        asked.discard("head_dim")
    understood = {**family.defaults, **family.only, **ONLY_EVERYWHERE}
    assert {"is_causal"} <= asked
    assert [name for name in sorted(asked) if name not in understood and not is_inert(name)] == []


#: Their parameters would be counted nowhere.
WITH_PARAMETERS = {"prelu", "xielu"}


def test_activation_functions_are_those_of_transformers(reference) -> None:
    from transformers.activations import ACT2CLS

    assert set(ACTIVATIONS) == set(ACT2CLS) - WITH_PARAMETERS


@pytest.mark.parametrize("model_type", IN_TRANSFORMERS)
def test_a_bare_model_type_is_the_class_with_its_defaults(reference, model_type: str) -> None:
    import transformers

    if model_type == "deepseek_v2":
        with pytest.raises(TypeError, match="num_experts_per_tok: expected an integer, got None"):
            model.architecture({"model_type": model_type})
        return
    bare = model.architecture({"model_type": model_type})
    assert bare == model.architecture(transformers.AutoConfig.for_model(model_type))
