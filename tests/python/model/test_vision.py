"""Vision transformers: closed forms, the tables of timm and OpenCLIP, raw images."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from constellm import model


@pytest.fixture(name="reference", scope="module")
def reference_tool(repository):
    """The script that makes the comparison of docs/models.md."""
    spec = importlib.util.spec_from_file_location("vit_reference", repository / "tools" / "vit_reference.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["vit_reference"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="comparisons", scope="module")
def all_comparisons(reference):
    return [reference.compare(row) for row in reference.read_extract()]


def test_every_plain_model_agrees_with_the_tables(comparisons) -> None:
    assert len(comparisons) == 286
    assert [c.row.name for c in comparisons if not c.agrees] == []
    raw = [c for c in comparisons if abs(c.share) <= 0.005]
    assert len(raw) == 282
    # The image towers that OpenCLIP builds itself: to the rounding of the table.
    own = [c for c in comparisons if c.row.name.startswith("ViT-")]
    assert len(own) == 44
    for c in own:
        assert abs(c.gmacs - c.row.gmacs) <= 0.0026
        assert abs(c.parameter_share) < 3e-4


def test_the_document_shows_what_comes_out(reference, comparisons) -> None:
    text = reference.DOCUMENT.read_text(encoding="utf-8")
    assert reference.document(text, comparisons) == text


def test_the_extract_is_the_tables(reference, tmp_path) -> None:
    data = os.environ.get("CONSTELLM_DATA")
    if not data:
        pytest.skip("CONSTELLM_DATA is not set")
    tables = Path(data) / "flops_reference"
    rows = reference.read_timm(tables / "timm") + reference.read_open_clip(tables / "open_clip")
    reference.write_extract(rows, tmp_path / "extract.csv")
    assert (tmp_path / "extract.csv").read_text() == reference.EXTRACT.read_text()


@pytest.mark.parametrize(
    ("name", "width", "mlp", "blocks", "tokens"),
    [
        ("vit-base/16", 768, 3072, 12, 197),
        ("vit-huge/14", 1280, 5120, 32, 257),
        ("vit-gigantic/14", 1664, 8192, 48, 257),
    ],
)
def test_blocks_follow_the_closed_form(name, width, mlp, blocks, tokens) -> None:
    profile = model.vit(name, batch=3)
    assert len(profile) == blocks
    block = 2 * tokens * (4 * width**2 + 2 * width * mlp) + 4 * tokens**2 * width
    np.testing.assert_array_equal(profile.array("flop")[1:-1], np.full(blocks - 2, 3 * block))
    np.testing.assert_array_equal(
        profile.array("output_bytes")[:-1], np.full(blocks - 1, 3 * tokens * width * 4)
    )


def test_figures_of_the_collaborative_inference_paper() -> None:
    """Blocks alone, GFLOP an image; and the batch-64 activation in MB (see the paper's reference)."""
    for name, gflop, megabytes in [
        ("vit-base/16", 34.9, 38.7),
        ("vit-large/16", 122.8, 51.6),
        ("vit-huge/14", 334.0, 84.2),
        ("vit-gigantic/14", 967.0, 109.5),
    ]:
        profile = model.vit(name, batch=64, ends="separate")
        blocks = profile.array("flop")[1:-1]
        assert blocks.sum() / 64e9 == pytest.approx(gflop, rel=0.002)
        assert profile.array("output_bytes")[1] / 1e6 == pytest.approx(megabytes, rel=0.002)


def test_sub_blocks_cut_where_pipeedge_does() -> None:
    profile = model.vit("vit-base/16", granularity="sub-block")
    numbers = profile.array("output_bytes") / 4
    assert list(numbers[:4]) == [302592, 151296, 756480, 151296]
    assert list(numbers[4:8]) == list(numbers[:4])
    assert numbers[-1] == 1000
    assert profile.detail[4].name == "block-1/attention"
    assert profile.flop == pytest.approx(model.vit("vit-base/16").flop, rel=1e-14)


def test_element_types_and_input() -> None:
    single = model.vit("vit-large/16", batch=4)
    half = model.vit("vit-large/16", batch=4, dtype="float16", weight_dtype="int8")
    np.testing.assert_allclose(half.array("output_bytes"), single.array("output_bytes") / 2)
    np.testing.assert_allclose(half.array("weight_bytes"), single.array("weight_bytes") / 4)
    assert single.input_bytes == 4 * 3 * 224 * 224 * 4
    raw = model.vit("vit-large/16", batch=4, input_bytes=model.image_bytes("480p", batch=4))
    assert raw.input_bytes == 854 * 480 * 3 * 4
    assert raw.detail == single.detail


def test_pooling_and_registers() -> None:
    token = model.vit("vit-base/16", ends="separate")
    mean = model.vit("vit-base/16", ends="separate", pool="mean")
    registers = model.vit("vit-base/16", ends="separate", registers=4)
    assert mean.detail[1].output_bytes == 196 * 768 * 4
    assert registers.detail[1].output_bytes == 201 * 768 * 4
    assert token.parameters - mean.parameters == 2 * 768
    assert registers.parameters - token.parameters == 4 * 768
    without = model.vit("vit-base/16", ends="separate", classes=0)
    assert without.detail[-1].output_bytes == 768 * 4
    assert without.detail[-1].flop == 0


@pytest.mark.parametrize("size", ["240p", "360p", "480p", "720p", "1080p"])
def test_image_bytes_of_named_sizes(size) -> None:
    width, height = model.IMAGE_SIZES_PX[size]
    assert height == int(size[:-1])
    assert abs(width / height - 16 / 9) < 0.01
    assert model.image_bytes(size, batch=8) == model.image_bytes((width, height), batch=8)
    assert model.image_bytes(size, batch=8) == 8 * width * height * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_px": 8}, "image_px: 8"),
        ({"image_px": 224.0}, "image_px: expected an integer"),
        ({"batch": 0}, "batch: 0"),
        ({"dtype": "float31"}, "dtype: 'float31'"),
        ({"weight_dtype": "int5"}, "weight_dtype: 'int5'"),
        ({"granularity": "layer"}, "granularity: 'layer'"),
        ({"ends": "loose"}, "ends: 'loose'"),
        ({"pool": "max"}, "pool: 'max'"),
        ({"classes": -1}, "classes: -1"),
        ({"input_bytes": -1}, "input_bytes: -1"),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises((ValueError, TypeError)) as error:
        model.vit("vit-base/16", **options)
    assert message in str(error.value)


def test_bad_image_sizes() -> None:
    with pytest.raises(ValueError, match="size: '4k'"):
        model.image_bytes("4k")
    with pytest.raises(ValueError, match="height: 0"):
        model.image_bytes((3, 0))
    with pytest.raises(ValueError, match="model_type: 'gpt2' is not one of beit, .*that is model.decoder"):
        model.vit("gpt2")


def test_a_size_that_patches_do_not_divide_is_refused() -> None:
    with pytest.raises(
        ValueError, match="image_px: 225 is not a multiple of the patches' 16 px; take 224 or 240"
    ):
        model.vit("vit-base/16", image_px=225)
