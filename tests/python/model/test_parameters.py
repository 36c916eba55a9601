"""Parameter counts, exact to the last digit, against those published with the weights."""

from __future__ import annotations

import json

import pytest

from constellm import model

DECODERS = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3-8b": 8_030_261_248,
    "llama-3-70b": 70_553_706_496,
    "mistral-7b": 7_241_732_096,
    "qwen2-0.5b": 494_032_768,
    "qwen2-1.5b": 1_543_714_304,
    "qwen2-7b": 7_615_616_512,
    "mixtral-8x7b": 46_702_792_704,
    "mixtral-8x22b": 140_620_634_112,
    "olmoe-1b-7b": 6_919_161_856,
    "deepseek-moe-16b": 16_375_728_128,
    "deepseek-v2-lite": 15_706_484_224,
    "deepseek-v3": 671_026_404_352,
    "qwen1.5-moe-a2.7b": 14_315_784_192,
    "qwen3-30b-a3b": 30_532_122_624,
    "qwen3-235b-a22b": 235_093_634_560,
    "gpt-oss-20b": 20_914_757_184,
    "gpt-oss-120b": 116_829_156_672,
    # LLaMA-2-7B, whose MLPs are its experts, and of every layer a router's three matrices.
    "llama-moe-3.0b": 6_738_415_616 + 32 * (4096 * 16 + 16 * 16 + 4096 * 16),
    "llama-moe-3.5b": 6_738_415_616 + 32 * (4096 * 8 + 8 * 8 + 4096 * 8),
}
# By experts: an encoder, a decoder, and their embedding once.
SWITCH_BASE = {
    8: 619_339_008,
    32: 1_978_514_688,
    64: 3_790_748_928,
    128: 7_415_217_408,
    256: 14_664_154_368,
}
# With a classifier of 1,000 classes at 224 px.
VISION = {
    "vit-tiny/16": 5_717_416,
    "vit-small/16": 22_050_664,
    "vit-base/16": 86_567_656,
    "vit-base/32": 88_224_232,
    "vit-large/16": 304_326_632,
    "vit-huge/14": 632_045_800,
}
# To the 0.01 million that timm prints.
VISION_ROUNDED = {"vit-giant/14": 1012.61, "vit-gigantic/14": 1844.44}


def test_every_shipped_decoder_is_checked() -> None:
    decoders = {name for name in model.available() if not name.startswith(("vit-", "switch-"))}
    assert decoders == set(DECODERS)
    switch = {name for name in model.available() if name.startswith("switch-")}
    assert switch == {f"switch-base-{experts}" for experts in SWITCH_BASE}
    assert len(model.available()) == len(set(model.available())) >= 24


@pytest.mark.parametrize("name", DECODERS)
def test_decoder(name: str) -> None:
    for options in (
        {"phase": "prefill", "prompt_tokens": 16},
        {"phase": "decode", "context_tokens": 16, "granularity": "sub-block", "ends": "separate"},
    ):
        assert model.decoder(name, weight_dtype="bfloat16", **options).parameters == DECODERS[name]


@pytest.mark.parametrize("experts", SWITCH_BASE)
def test_encoder_and_decoder(experts: int) -> None:
    name = f"switch-base-{experts}"
    encoder = model.mixture(name, stack="encoder", context_tokens=16)
    decoder = model.mixture(name, stack="decoder", context_tokens=16, source_tokens=16)
    assert encoder.parameters + decoder.parameters - 32128 * 768 == SWITCH_BASE[experts]


@pytest.mark.parametrize("name", VISION)
def test_vision(name: str) -> None:
    assert model.vit(name).parameters == VISION[name]


@pytest.mark.parametrize("name", VISION_ROUNDED)
def test_vision_rounded(name: str) -> None:
    assert round(model.vit(name).parameters / 1e6, 2) == VISION_ROUNDED[name]


def test_config_file_folder_and_mapping_agree(tmp_path) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "rope_theta": 5e5,
    }
    folder = tmp_path / "some-llama"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    from_file = model.from_config(folder / "config.json", prompt_tokens=64)
    assert from_file == model.from_config(str(folder), prompt_tokens=64)
    assert from_file.name == "some-llama prefill"
    assert from_file.detail == model.from_config(config, prompt_tokens=64).detail
    assert from_file.detail == model.decoder("llama-3-8b", prompt_tokens=64).detail


def test_vision_config() -> None:
    config = {
        "model_type": "vit",
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "image_size": 384,
        "patch_size": 16,
        "id2label": {str(i): f"class {i}" for i in range(10)},
    }
    profile = model.from_config(config, batch=2)
    assert profile.detail == model.vit("vit-base/16", image_px=384, classes=10, batch=2).detail


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "bert"}, "config.model_type: 'bert' is not one of beit"),
        ({"model_type": None}, "config.model_type"),
        ({"hidden_size": None}, "config.hidden_size: expected an integer, got None"),
        ({"hidden_size": 4096.0}, "config.hidden_size: expected an integer"),
        ({"hidden_size": -1}, "config.hidden_size: -1"),
        ({"hidden_size": 100}, "32 attention heads do not divide the width 100"),
        ({"num_attention_heads": 0}, "config.num_attention_heads: 0"),
        ({"num_key_value_heads": 5}, "config.num_key_value_heads: 5 does not divide 32"),
        ({"tie_word_embeddings": "yes"}, "config.tie_word_embeddings: expected true or false"),
        ({"vocab_size": 0}, "config.vocab_size: 0"),
        ({"num_hidden_layers": 10**9}, "config.num_hidden_layers: 1000000000 is not in [1, 100000]"),
    ],
)
def test_bad_configs_name_the_field(change: dict, message: str) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 2,
        "num_attention_heads": 32,
        "vocab_size": 32000,
        **change,
    }
    with pytest.raises((ValueError, TypeError)) as error:
        model.from_config(config, prompt_tokens=8)
    assert message in str(error.value)


def test_bad_files(tmp_path) -> None:
    with pytest.raises(ValueError, match="neither a file nor one of vit-tiny/16"):
        model.from_config("vit-gigant/14")
    with pytest.raises(ValueError, match="lacks the patch side, as in 'vit-giant/14'"):
        model.vit("vit-giant")
    broken = tmp_path / "config.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="no JSON"):
        model.from_config(broken)
    broken.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="expected an object"):
        model.from_config(broken)
