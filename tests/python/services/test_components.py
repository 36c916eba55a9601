"""Components have the figures of their architectures."""

from __future__ import annotations

import pickle

import pytest

from constellm import model, services


@pytest.fixture(scope="module")
def parts():
    return services.components()


def test_the_catalogue_has_every_role_and_modality(parts):
    assert {part.role for part in parts.values()} == {"encoder", "projector", "decoder", "head"}
    assert {part.modality for part in parts.values()} == {"image", "radar", "text", "any"}
    for name, part in parts.items():
        assert part.name == name
        assert part.flop > 0 and part.memory_bytes > 0 and part.outputs
        assert {"flop", "memory_bytes", "outputs"} <= set(part.standing)
        assert all(
            words.split(":")[0] in ("stated", "derived", "assumed") for words in part.standing.values()
        )


def test_image_encoder_is_clips(parts):
    # OpenCLIP's table has 381.92 GFLOP and 304.29 M parameters for the image tower of ViT-L-14-336.
    part = parts["image-encoder"]
    tokens, d, hidden = 577, 1024, 4096
    block = 2 * tokens * (4 * d * d + 2 * d * hidden) + 4 * tokens**2 * d
    embedding = 2 * 576 * 3 * 14**2 * d
    assert part.flop == pytest.approx(24 * block + embedding + 2 * d * 768, rel=1e-12)
    assert part.flop == pytest.approx(381.92e9, rel=1e-3)
    assert part.memory_bytes == pytest.approx(2 * 304.29e6, rel=0.02)
    assert part.outputs == {"embedding": 768 * 2, "tokens": 576 * 1024 * 2}


def test_text_encoder_has_no_matrix_of_logits(parts):
    # OpenCLIP's table has 13.3 GFLOP, attention over all pairs counted, and 123.65 M parameters.
    assert parts["text-encoder"].memory_bytes == pytest.approx(2 * 123.65e6, rel=0.01)
    assert parts["text-encoder"].flop == pytest.approx(13.3e9, rel=0.01)
    tokens, d = 77, 768
    block = 2 * tokens * 12 * d * d + 4 * d * tokens * (tokens + 1) / 2
    assert parts["text-encoder"].flop == pytest.approx(12 * block + 2 * d * d, rel=1e-12)


def test_mask_encoder_is_cheaper_than_a_plain_vit_and_near_sams(parts):
    plain = model.vit(
        {"model_type": "vit", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
         "intermediate_size": 3072, "patch_size": 16},
        image_px=1024, classes=0, dtype="float16",
    )  # fmt: skip
    part = parts["mask-encoder"]
    assert part.flop < plain.flop
    # timm's table has 486.43 G multiply-adds for samvit_base_patch16, relative positions among them.
    assert part.flop / 2 == pytest.approx(486.43e9, rel=0.01)
    assert part.outputs["tokens"] == 64 * 64 * 256 * 2


@pytest.mark.parametrize(("name", "parameters"), [("qwen2-0.5b", 494.03e6), ("qwen2-1.5b", 1543.71e6)])
def test_decoder_holds_shared_words_once(name, parameters):
    # The model cards' files hold so many parameters; both share the matrix of words.
    part = services.components(decoder=name)["decoder"]
    prompt, _ = model.generation(name, prompt_tokens=608, new_tokens=32, dtype="float16")
    weights = part.memory_bytes - prompt.kv_cache_bytes - prompt.workspace_bytes
    assert weights == pytest.approx(2 * parameters, rel=1e-3)


def test_decoder_counts_prompt_and_new_tokens():
    few, many = (services.components(new_tokens=n)["decoder"] for n in (1, 65))
    step = model.decoder("qwen2-0.5b", phase="decode", context_tokens=576 + 32)
    assert (many.flop - few.flop) / 64 == pytest.approx(step.flop, rel=0.02)
    prompt = model.decoder("qwen2-0.5b", prompt_tokens=608, cache_tokens=609, dtype="float16")
    assert few.flop == prompt.flop
    large = services.components(decoder="qwen2-1.5b")
    assert large["decoder"].flop > 2 * few.flop
    assert large["projector"].outputs["tokens"] == 576 * 1536 * 2


def test_the_shipped_vit_in_two_parts():
    for cut in (1, 6, 11):
        parts = services.components(landuse_cut=cut)
        front, back = parts["landuse-front"], parts["landuse-back"]
        vit = model.vit(
            {"model_type": "vit", "hidden_size": 128, "num_hidden_layers": 12, "num_attention_heads": 4,
             "intermediate_size": 512, "patch_size": 8, "image_size": 64, "pool": "mean"},
            classes=10,
        )  # fmt: skip
        assert front.flop + back.flop == pytest.approx(vit.flop, rel=1e-12)
        assert front.outputs == {"tokens": 64 * 128 * 4}
        assert front.input_bytes == 3 * 64 * 64


def test_half_of_a_profile_and_its_service():
    vit = model.vit("vit-base/16")
    halves = [
        services.Component.of_profile("h", vit, role="encoder", modality="image", layers=part)
        for part in (slice(0, 6), slice(6, None))
    ]
    assert sum(half.flop for half in halves) == pytest.approx(vit.flop)
    assert (halves[0].input_bytes, halves[1].input_bytes) == (vit.input_bytes, 0.0)
    service = halves[0].service(cost=2, nodes=["a"], name="half")
    assert (service.name, service.flop, service.cost, service.nodes) == ("half", halves[0].flop, 2.0, ("a",))


def test_values(parts):
    part = parts["decoder"]
    assert pickle.loads(pickle.dumps(part)) == part
    assert part != parts["projector"]
    assert "qwen2-0.5b" in part.summary() and "<table" in part._repr_html_()
    assert "decoder" in parts.summary() and "<table" in parts._repr_html_()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"role": "nose"}, "role: 'nose' is not one of encoder"),
        ({"modality": "smell"}, "modality: 'smell' is not one of image"),
        ({"flop": -1.0}, r"flop: -1.0 is not in \[0, inf\)"),
        ({"memory_bytes": float("nan")}, "memory_bytes"),
        ({"outputs": {"tokens": -2}}, r"outputs\['tokens'\]: -2 is not in"),
    ],
)
def test_bad_components(change, words):
    good = {"name": "a", "role": "head", "modality": "any", "flop": 1.0, "memory_bytes": 1.0}
    with pytest.raises(ValueError, match=words):
        services.Component(**{**good, **change})


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"landuse_cut": 12}, r"landuse_cut: 12 is not in \[1, 11\]"),
        ({"new_tokens": 0}, "new_tokens: 0 is not in"),
        ({"dtype": "int3"}, "dtype: 'int3' is not one of"),
        ({"decoder": "no-such"}, "no-such"),
        ({"decoder": "vit-base/16"}, "decoder: 'vit-base/16' is no language model"),
    ],
)
def test_bad_choices(keywords, words):
    with pytest.raises(ValueError, match=words):
        services.components(**keywords)


def test_unknown_outputs_and_layers(parts):
    with pytest.raises(
        ValueError, match="output: 'smoke' is not one of embedding, tokens of 'image-encoder'"
    ):
        parts["image-encoder"].output_bytes("smoke")
    with pytest.raises(ValueError, match="none of the profile's 12"):
        services.Component.of_profile(
            "a", model.vit("vit-base/16"), role="head", modality="any", layers=slice(12, None)
        )
