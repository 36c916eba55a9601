"""Workloads: the published figures of SpectralGPT, those of the shipped network, cuts, bad values."""

from __future__ import annotations

import pickle

import pytest

from constellm import model, tune


def test_spectral_gpt_has_the_published_figures(spectral):
    assert spectral.image_bytes == 128 * 128 * 12 * 2 == 393_216
    assert spectral.cut_bytes(1) == 1024 * 768 * 4 == 3_145_728
    assert spectral.feature_bytes == 3072
    assert spectral.head_bytes == (768 + 1) * 10 * 4 == 30_760
    encoder, embedding = spectral.server_flop(1) / 2, spectral.board_flop(1) / 2
    assert encoder == 12 * (1024 * 12 * 768**2 + 2 * 1024**2 * 768)
    assert round(encoder / 1e9, 1) == 106.3 and round((encoder + embedding) / 1e9, 1) == 106.5
    assert sum(spectral.layer_weight_bytes[1:]) / 4 == 85_056_000  # 85.06 M
    assert round(encoder / (encoder + embedding), 4) == 0.9986


def test_cuts_part_the_work_and_the_weights(spectral):
    whole = spectral.board_flop(spectral.layers)
    for cut in range(spectral.layers + 1):
        assert spectral.board_flop(cut) + spectral.server_flop(cut) == pytest.approx(whole, rel=1e-15)
    assert spectral.cut_bytes(spectral.layers) == 0.0 and spectral.server_flop(spectral.layers) == 0.0
    assert spectral.board_weight_bytes(0) == spectral.head_bytes
    assert spectral.head_flop == 2 * 768 * 10 and spectral.head_training_flop == 2 * spectral.head_flop


@pytest.mark.parametrize("classes", [0, 10])
@pytest.mark.parametrize("ends", ["folded", "separate"])
@pytest.mark.parametrize("batch", [1, 8])
def test_a_profile_gives_the_same_workload_with_its_ends_folded_and_with_or_without_head(
    ends, classes, batch
):
    made = tune.workload(
        model.vit("vit-base/16", classes=classes, pool="mean", ends=ends, batch=batch), width=768, classes=10
    )
    plain = tune.workload(
        model.vit("vit-base/16", classes=0, pool="mean", ends="separate"), width=768, classes=10
    )
    assert made.blocks == plain.blocks == 12
    assert made.layers == (12 if ends == "folded" else 13)
    assert made.board_flop(made.layers) == pytest.approx(plain.board_flop(13), rel=1e-14)
    assert sum(made.layer_weight_bytes) == pytest.approx(sum(plain.layer_weight_bytes), rel=1e-14)
    assert made.layer_output_bytes[-1] == 3072 and made.image_bytes == plain.image_bytes


def test_the_shipped_network():
    infer = pytest.importorskip("constellm.infer")
    pytest.importorskip("onnxruntime")
    net = infer.load()
    made = tune.workload(net.profile(64), width=net.width, classes=len(net.classes))
    assert (made.layers, made.blocks) == (12, 12)
    assert made.cut_bytes(1) == 64 * 128 * 4 and made.image_bytes == 64 * 64 * 3
    assert made.feature_bytes == 512 and made.head_bytes == (128 + 1) * 10 * 4
    parameters = (sum(made.layer_weight_bytes) + made.head_bytes) / 4
    assert parameters == net.profile(1).parameters


def test_lora_adapts_queries_and_values(spectral):
    assert spectral.lora_parameters(8) == 12 * 2 * 2 * 8 * 768
    assert spectral.lora_bytes(8) == 4 * spectral.lora_parameters(8) + spectral.head_bytes
    assert spectral.lora_bytes(0) == spectral.head_bytes
    forward = spectral.board_flop(spectral.layers)
    adapters = 2 * 1024 * spectral.lora_parameters(8)
    expected = 2 * forward + 3 * (adapters + spectral.head_flop)
    assert spectral.lora_training_flop(8) == pytest.approx(expected, rel=1e-15)


def test_workloads_are_values(spectral):
    assert pickle.loads(pickle.dumps(spectral)) == spectral == tune.spectral_gpt()
    assert spectral.replace(classes=5).head_bytes == 769 * 5 * 4
    assert "3.15 MB" in spectral.summary() and "<table" in spectral._repr_html_()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image_bytes": 0}, r"image_bytes: 0 is not in \(0, inf\)"),
        ({"width": 2.0}, "width: expected an integer, got 2.0"),
        ({"layer_flop": []}, "layer_flop: must not be empty"),
        ({"layer_flop": "12"}, "layer_flop: expected numbers, got '12'"),
        ({"layer_flop": [1.0, -1.0]}, r"layer_flop\[1\]: -1.0 is not in \[0, inf\)"),
        ({"layer_output_bytes": [1.0]}, "layer_output_bytes: 1 of them for 13 layers"),
        ({"blocks": 14}, r"blocks: 14 is not in \[0, 13\]"),
        ({"name": 3}, "name: expected a str, got 3"),
        ({"nam": "x"}, "unexpected keyword argument 'nam'"),
    ],
)
def test_what_is_no_workload_is_refused(spectral, changes, said):
    with pytest.raises((ValueError, TypeError), match=said):
        spectral.replace(**changes)


def test_what_is_no_profile_of_these_sizes_is_refused(spectral):
    profile = model.vit("vit-base/16", classes=1000)
    with pytest.raises(
        ValueError, match="hands on 4000 B an image, which are neither 10 logits nor a feature of 768"
    ):
        tune.workload(profile, width=768, classes=10)
    with pytest.raises(ValueError, match="numbers of 'float16' are not float32"):
        tune.workload(model.vit("vit-base/16", dtype="float16"), width=768, classes=1000)
    with pytest.raises(ValueError, match=r"cut: 14 is not in \[0, 13\]"):
        spectral.cut_bytes(14)
