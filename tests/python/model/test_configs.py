"""Configurations as people have them: what their classes read, and refusals that name the field."""

from __future__ import annotations

import json

import pytest

from constellm import model

LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 32000,
}
MISTRAL = {**LLAMA, "model_type": "mistral"}
QWEN = {**LLAMA, "model_type": "qwen2", "use_sliding_window": True, "sliding_window": 4096}
VIT = {"model_type": "vit", "hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 2}
ALL_TOKENS = 2 * 32 * 8 * 128 * 2 * 32768
WINDOW = 2 * 32 * 8 * 128 * 2 * 4096


def profile(config: dict, tokens: int = 9, **options: object) -> model.Profile:
    return model.from_config(config, prompt_tokens=tokens, **options)


@pytest.mark.parametrize(
    ("config", "cache"),
    [
        (LLAMA, ALL_TOKENS),
        ({**LLAMA, "sliding_window": 4096}, ALL_TOKENS),  # LLaMA has no window
        (MISTRAL, WINDOW),  # the class's own default
        ({**MISTRAL, "sliding_window": None}, ALL_TOKENS),
        ({**QWEN, "max_window_layers": 24}, ALL_TOKENS * 24 // 32 + WINDOW * 8 // 32),
        (QWEN, ALL_TOKENS * 28 // 32 + WINDOW * 4 // 32),  # 28 by default
        ({**QWEN, "max_window_layers": 0}, WINDOW),
        ({**QWEN, "max_window_layers": 32}, ALL_TOKENS),
        ({**QWEN, "use_sliding_window": False, "max_window_layers": 0}, ALL_TOKENS),
        (
            {**QWEN, "layer_types": ["sliding_attention"] * 8 + ["full_attention"] * 24},
            ALL_TOKENS * 24 // 32 + WINDOW * 8 // 32,
        ),
        ({**LLAMA, "model_type": "mixtral"}, ALL_TOKENS),
        ({**LLAMA, "model_type": "phi3"}, ALL_TOKENS),
    ],
)
def test_cache_by_what_the_class_reads(config: dict, cache: int) -> None:
    assert profile(config, 32768).kv_cache_bytes == cache


def test_flop_by_layers_with_windows() -> None:
    """Attention alone differs: 2 · (128 + 128) FLOP a pair and head."""
    full, mixed = profile(LLAMA, 6000), profile({**QWEN, "max_window_layers": 24}, 6000)
    hidden_pairs = 6000 * 6001 // 2 - (4096 * 4097 // 2 + (6000 - 4096) * 4096)
    assert full.flop - mixed.flop == 8 * 32 * 512 * hidden_pairs
    assert mixed.array("flop")[1] - mixed.array("flop")[30] == 32 * 512 * hidden_pairs


def test_absent_fields_have_the_class_defaults() -> None:
    without = {name: value for name, value in MISTRAL.items() if name != "num_key_value_heads"}
    assert profile({**without, "sliding_window": None}).parameters == 7_241_732_096
    assert profile({**without, "num_key_value_heads": None}).parameters > 8e9  # null: one per query head
    assert profile({"model_type": "llama"}).parameters == 6_738_415_616


def test_fields_that_the_class_does_not_read_change_nothing() -> None:
    plain = profile(MISTRAL)
    for extra in (
        {"attention_bias": True},
        {"mlp_bias": True},
        {"num_local_experts": 8},
        {"use_sliding_window": False},
        {"torch_dtype": "bfloat16", "_name_or_path": "mistral", "transformers_version": "4.40.0"},
        {
            "rope_theta": 1e6,
            "rope_scaling": {"type": "linear"},
            "attention_dropout": 0.1,
            "eos_token_id": [2],
        },
        {"architectures": ["MistralForCausalLM"], "auto_map": {"AutoConfig": "x.Y"}},
        {"never_heard_of": None, "use_mrope": False, "lm_head_bias": False},  # switched off
        {"activation": "swiglu", "activation_function": "foo"},  # functions of other classes
    ):
        assert profile({**MISTRAL, **extra}).detail == plain.detail
    assert plain.parameters == 7_241_732_096


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"model_type": "gpt2", "add_cross_attention": True},
            "config.add_cross_attention: True is not None or",
        ),
        ({**LLAMA, "num_cells": 3}, "config.num_cells: 3 is not known of llama; leave it out if it changes"),
        ({**LLAMA, "is_causal": False}, "config.is_causal: False is not True, all that is understood"),
        ({**LLAMA, "more_cells": True}, "config.more_cells: True is not known of llama"),
        ({**LLAMA, "more_cells": 0}, "config.more_cells: 0 is not known of llama"),
        ({**LLAMA, "quantization": {"bits": 4}}, "config.quantization: {'bits': 4} is not known of llama"),
        ({"model_type": "gpt2", "n_special": 40}, "config.n_special: 40 is not None or 0"),
        ({"model_type": "opt", "learned_embeddings": False}, "config.learned_embeddings: False is not None"),
        ({"model_type": "falcon", "ff_factor": 3}, "config.ff_factor: 3 is not None or 4"),
        ({**LLAMA, "hidden_act": "foo"}, "config.hidden_act: 'foo' is not one of gelu, gelu_10, "),
        ({**LLAMA, "hidden_act": None}, "config.hidden_act: None is not one of gelu"),
        ({**LLAMA, "hidden_act": "prelu"}, "config.hidden_act: 'prelu' is not one of gelu"),
        ({"model_type": "gpt2", "activation_function": "xielu"}, "config.activation_function: 'xielu' is"),
        ({"model_type": "gemma2", "hidden_activation": "foo"}, "config.hidden_activation: 'foo' is not"),
        ({"model_type": "falcon", "activation": "foo"}, "config.activation: 'foo' is not one of gelu"),
        ({**LLAMA, "torch_dtype": "float99"}, "config.torch_dtype: 'float99' is not one of float64, float32"),
        ({**LLAMA, "dtype": 5}, "config.dtype: 5 is not one of float64, float32"),
        ({**LLAMA, "torch_dtype": "int8"}, "say which with dtype"),
        ({**LLAMA, "attention_chunk_size": 8192}, "config.attention_chunk_size: 8192 is not None"),
        ({**LLAMA, "pruned_heads": {"1": [0]}}, "config.pruned_heads: "),
        ({**MISTRAL, "layer_types": ["sliding_attention"] * 32}, "config.layer_types: "),
        (
            {**LLAMA, "architectures": ["LlamaModel"]},
            "config.architectures: 'LlamaModel' is not one of Llama",
        ),
        (
            {**LLAMA, "architectures": ["LlamaForSequenceClassification"]},
            "leave it out for LlamaForCausalLM",
        ),
        ({**LLAMA, "quantization_config": {"quant_method": "awq"}}, "say how with weight_dtype"),
        ({**QWEN, "layer_types": ["full_attention"]}, "config.layer_types: 1 values are not 32"),
        ({**QWEN, "layer_types": ["linear_attention"] * 32}, "config.layer_types[0]: 'linear_attention'"),
        (
            {**QWEN, "use_sliding_window": False, "layer_types": ["sliding_attention"] * 32},
            "config.use_sliding_window: false",
        ),
        ({"model_type": "gpt2", "n_embd": 768, "hidden_size": 1024}, "config.hidden_size: 1024 is not 768"),
        (
            {"model_type": "deepseek_v2", "num_experts_per_tok": 2, "num_key_value_heads": 8},
            "is not 32, one per",
        ),
        (
            {"model_type": "gemma", "use_bidirectional_attention": True},
            "config.use_bidirectional_attention: ",
        ),
        ({"model_type": "falcon", "new_decoder_architecture": True, "parallel_attn": False}, "parallel_attn"),
        ({"model_type": "olmoe", "head_dim": 64}, "config.head_dim: 64 is not None"),
        (
            {**LLAMA, "model_type": "mixtral", "num_experts_per_tok": 9},
            "num_experts_per_tok: 9 is not in [1, 8]",
        ),
        (
            {**LLAMA, "model_type": "mixtral", "num_experts": 4, "num_local_experts": 8},
            "is not 4, as num_local",
        ),
    ],
)
def test_what_is_not_understood_is_refused_by_name(config: dict, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        profile(config)
    assert message in str(error.value)


def test_quantised_weights_are_counted_as_told() -> None:
    quantised = {**LLAMA, "quantization_config": {"quant_method": "awq", "bits": 4}}
    plain = profile(LLAMA)
    assert profile(quantised, weight_dtype="int4").weight_bytes == plain.weight_bytes / 4
    assert profile(quantised, weight_dtype=0.53125).weight_bytes == pytest.approx(plain.parameters * 0.53125)
    assert profile(quantised, weight_dtype="int4").kv_cache_bytes == plain.kv_cache_bytes
    assert profile({**LLAMA, "quantization_config": None}).detail == plain.detail
    for wrong, message in [(0, "weight_dtype: 0 is not in"), (True, "weight_dtype: expected a number")]:
        with pytest.raises((TypeError, ValueError), match=message):
            profile(quantised, weight_dtype=wrong)


def test_weights_are_stored_as_the_configuration_says() -> None:
    """Unless the caller says otherwise; half precision where nobody does, and single for images."""
    plain = profile(LLAMA)
    assert plain.weight_bytes == 2 * plain.parameters
    for word, size in [("float64", 8), ("float32", 4), ("float16", 2), ("bfloat16", 2), (None, 2)]:
        for field in ("torch_dtype", "dtype"):
            stored = profile({**LLAMA, field: word})
            assert stored.weight_bytes == size * plain.parameters
            assert stored.kv_cache_bytes == size / 2 * plain.kv_cache_bytes
            assert stored.dtype == word or (word, stored.dtype) == (None, "float16")
    single = {**LLAMA, "torch_dtype": "float32"}
    assert profile({**single, "dtype": "float16"}).detail == plain.detail  # the newer name holds
    assert profile(single, dtype="bfloat16").detail == plain.detail
    assert profile(single, weight_dtype="int8").weight_bytes == plain.parameters
    assert profile(single, weight_dtype="int8").dtype == "float32"
    assert profile({**LLAMA, "torch_dtype": "float99"}, dtype="float16").detail == plain.detail
    tower = model.vit(VIT)
    assert tower.weight_bytes == 4 * tower.parameters
    assert model.vit({**VIT, "torch_dtype": "float16"}).weight_bytes == 2 * tower.parameters
    text = {"model_type": "gemma3_text", "num_hidden_layers": 3}
    nested = {"model_type": "gemma3", "text_config": text, "torch_dtype": "float32"}
    assert profile(nested).weight_bytes == 2 * profile(text).weight_bytes
    request = model.generation(single, prompt_tokens=5, new_tokens=5)
    assert request.decode.weight_bytes == 4 * plain.parameters


def test_options_are_refused_by_the_function_that_was_called() -> None:
    with pytest.raises(
        TypeError,
        match=r"^from_config\(\) of llama got an unexpected keyword argument 'foo'; known: phase, ",
    ):
        model.from_config(LLAMA, foo=1)
    with pytest.raises(TypeError, match=r"^from_config\(\) of vit got .* 'prompt_tokens'; known: image_px, "):
        model.from_config(VIT, prompt_tokens=5)
    for option in ("foo", "phase", "context_tokens", "cache_tokens"):
        with pytest.raises(TypeError, match=rf"^generation\(\) got .* '{option}'; known: batch, dtype, "):
            model.generation(LLAMA, prompt_tokens=5, new_tokens=5, **{option: 1})


def test_an_unknown_type_lists_all_that_are_known() -> None:
    with pytest.raises(ValueError, match="config.model_type: 'bert' is not one of ") as error:
        model.from_config({"model_type": "bert"})
    known = str(error.value).split("is not one of ")[1].split(", ")
    assert known == sorted(known)
    assert {"vit", "deit", "llama", "gpt_oss", "deepseek_v3", "swin"} <= set(known)
    for kind in known:
        if kind != "deepseek_v2":  # whose class leaves the experts of a token open
            model.architecture({"model_type": kind})
    with pytest.raises(
        TypeError, match="config: expected a name, a path, a mapping or a configuration, got 5"
    ):
        model.from_config(5)


def test_a_saved_file_leaves_the_two_default_labels_out() -> None:
    saved = model.from_config({"model_type": "vit"})
    assert saved.parameters == 85_800_194
    assert saved.layers[-1].output_bytes == 8
    assert model.from_config({"model_type": "vit"}, classes=1000).parameters == 86_567_656
    assert model.from_config({"model_type": "vit", "num_labels": 1000}).parameters == 86_567_656
    assert model.from_config({"model_type": "vit", "id2label": {"0": "a"}}).layers[-1].output_bytes == 4


def test_files_saved_by_transformers(tmp_path) -> None:
    transformers = pytest.importorskip("transformers")
    settings = transformers.ViTConfig()
    settings.save_pretrained(tmp_path / "vit")
    for config in (tmp_path / "vit", str(tmp_path / "vit"), tmp_path / "vit" / "config.json", settings):
        saved = model.from_config(config)
        assert (saved.parameters, saved.layers[-1].output_bytes) == (85_800_194, 8)
    llama = transformers.LlamaConfig(num_key_value_heads=8)
    assert profile(llama).parameters == profile({"model_type": "llama", "num_key_value_heads": 8}).parameters


def test_a_byte_order_mark_is_no_part_of_a_configuration(tmp_path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8-sig")
    assert profile(tmp_path).detail == profile(LLAMA).detail
    (tmp_path / "config.json").write_text('{"model_type": "vit", "model_type": "deit"}', encoding="utf-8")
    with pytest.raises(ValueError, match="'model_type' stands twice"):
        profile(tmp_path)


BOTH = {
    "model_type": "gemma3",
    "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 3},
    "vision_config": {**VIT, "model_type": "siglip_vision_model"},
}


def test_of_nested_models_the_one_that_is_asked_for() -> None:
    text = model.decoder(BOTH, prompt_tokens=5)
    assert text.detail == model.decoder(BOTH["text_config"], prompt_tokens=5).detail
    assert text.note == "The text_config of 'gemma3', alone."
    assert model.vit(BOTH).detail == model.vit(BOTH["vision_config"]).detail
    with pytest.raises(
        ValueError, match=r"vision_config; take model.decoder\(config\) or model.vit\(config\)"
    ):
        model.from_config(BOTH)
    flat = {"model_type": "some_vl", "hidden_size": 64, "vision_config": BOTH["vision_config"]}
    with pytest.raises(ValueError, match=r"'some_vl' holds vision_config; take model.vit\(config\)"):
        model.from_config(flat)
    heard = {"model_type": "x", "text_config": BOTH["text_config"], "audio_config": {"model_type": "y"}}
    with pytest.raises(ValueError, match="holds text_config and audio_config; take model.decoder"):
        model.from_config(heard, prompt_tokens=5)
    only_text = {**BOTH, "vision_config": None}
    assert model.from_config(only_text, prompt_tokens=5).detail == text.detail
    untied = model.decoder({**BOTH, "tie_word_embeddings": False}, prompt_tokens=5)
    assert untied.parameters - text.parameters == 262208 * 2304
    for broken, message in [
        ({"model_type": "qwen2_vl", "vision_config": {}}, "config.text_config: missing"),
        ({"model_type": "x", "text_config": {"hidden_size": 4}}, "config.text_config.model_type: None"),
        ({"model_type": "x", "text_config": 5}, "config.model_type: 'x' is not one of"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.decoder(broken, prompt_tokens=5)


def test_another_image_size_resamples_the_learned_positions() -> None:
    own = model.vit({**VIT, "image_size": 64}, ends="separate")
    larger = model.vit({**VIT, "image_size": 64}, image_px=128, ends="separate")
    assert larger.parameters == own.parameters
    assert (own.layers[1].output_bytes, larger.layers[1].output_bytes) == (17 * 48 * 4, 65 * 48 * 4)
    # A shipped name has no size of its own.
    assert model.vit("vit-base/16", image_px=32).parameters < model.vit("vit-base/16").parameters
    assert model.vit({**VIT, "image_size": [64, 64]}).detail == model.vit({**VIT, "image_size": 64}).detail
    assert model.vit({**VIT, "image_size": 70}).note == "Patches of 16 px leave out 6 of 70 px."


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        ({**VIT, "image_size": [64, 32]}, {}, "config.image_size: [64, 32] is no square"),
        ({**VIT, "architectures": ["ViTForMaskedImageModeling"]}, {}, "config.architectures: "),
        ({**VIT, "architectures": ["ViTModel"]}, {"classes": 5}, "classes: 5 is not 0, ViTModel has no"),
        ({**VIT, "model_type": "deit"}, {"pool": "mean"}, "pool: not used by deit, got 'mean'"),
        ({**VIT, "model_type": "deit"}, {"registers": 4}, "registers: not used by deit"),
        ({**VIT, "model_type": "deit", "registers": 4}, {}, "config.registers: 4 is not known of deit"),
        ({**VIT, "model_type": "clip_vision_model"}, {"classes": 5}, "CLIPVisionModel has no classifier"),
        *(
            ({"model_type": kind, "head_dim": 32}, {}, "config.head_dim: 32 is not None, all that is under")
            for kind in ("vit", "deit", "beit", "dinov2", "dinov2_with_registers")
        ),
        ({"model_type": "swin"}, {"image_px": 256}, "image_px: 256 is no multiple of 224"),
        (
            {"model_type": "swin", "depths": [2, 2, 2**65, 2]},
            {},
            "config.depths: [2, 2, 36893488147419103232, 2] are more than 100000 layers",
        ),
        ({"model_type": "swin", "depths": [2, 2]}, {}, "config.num_heads: [3, 6, 12, 24] and depths [2, 2]"),
        ({"model_type": "swin", "mlp_ratio": 10**400}, {}, "config.mlp_ratio: 1000"),
        ({"model_type": "dinov2", "hidden_size": 12 * 10**400}, {}, "config.mlp_ratio: 4.0 times 1200"),
        ({**VIT, "quantization_config": {"quant_method": "x"}}, {}, "config.quantization_config: "),
        ({"model_type": "llama"}, {}, "that is model.decoder(config)"),
    ],
)
def test_bad_towers(config: dict, options: dict, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        model.vit(config, **options)
    assert message in str(error.value)


def test_layers_carry_what_they_are() -> None:
    gemma = model.architecture({"model_type": "gemma2"})
    assert [block.attention.window for block in gemma.blocks[:4]] == [4096, 0, 4096, 0]
    deepseek = model.architecture({"model_type": "deepseek_v3"})
    assert [block.mlp.experts for block in deepseek.blocks[:5]] == [0, 0, 0, 256, 256]
    assert deepseek.blocks[3].mlp.experts_per_token == 8
    assert deepseek.blocks[3].mlp.shared_width == 2048
    cached = model.from_config({"model_type": "deepseek_v3"}, prompt_tokens=100).kv_cache_bytes
    assert cached == 61 * 100 * (512 + 64) * 2
    swin = model.architecture({"model_type": "swin"})
    assert [stage.tokens for stage in swin.stages] == [56**2, 28**2, 14**2, 7**2]
    assert len(swin.blocks) == 12


def test_falcon_40b_keeps_every_query_heads_keys_and_values() -> None:
    """As transformers does: it repeats the few key-value heads before they are cached."""
    config = {"model_type": "falcon", "new_decoder_architecture": True, "num_kv_heads": 1}
    assert profile(config, 10).kv_cache_bytes == 32 * 10 * 2 * 4544 * 2
    old = {"model_type": "falcon"}
    assert profile(old, 10).kv_cache_bytes == 32 * 10 * 2 * 64 * 2


def test_cuts_within_parallel_blocks_carry_both_streams() -> None:
    config = {"model_type": "gptj", "n_embd": 64, "n_head": 4, "rotary_dim": 4}
    cuts = profile(config, 3, granularity="sub-block").array("output_bytes")[4:8] / (3 * 2)
    assert list(cuts) == [128, 128, 64 + 256, 64]
