"""Menus by family: ratios, errors, costs, names."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import codec


def test_none_changes_nothing():
    assert codec.menu("none") == [codec.Codec(name="none", ratio=1.0, error=0.0)]


def test_quantise():
    menu = codec.menu("quantise")
    assert [option.name for option in menu] == [f"quantise-{b}" for b in range(2, 9)]
    assert [option.ratio for option in menu] == [32 / b for b in range(2, 9)]
    assert [option.error for option in menu] == [codec.quantisation_error(b) for b in range(2, 9)]
    assert codec.menu("quantise", bits=[4], reference_bits=16)[0].ratio == 4.0


def test_top_k():
    exact = codec.top_k(keep=[0.2], index_bits=11)[0]
    assert exact.ratio == pytest.approx(32 / (0.2 * 43))
    assert exact.error == codec.selection_error(0.2)
    coarse = codec.top_k(keep=[0.2], index_bits=8, value_bits=8)[0]
    assert coarse.ratio == pytest.approx(10.0)
    assert coarse.error == codec.selection_error(0.2, 8)
    assert (exact.name, coarse.name) == ("top-k-0.2", "top-k-0.2-b8")
    assert all(option.ratio > 1 for option in codec.top_k())


def test_gumbel_mask_ladder_of_the_paper():
    mask, both = (
        codec.gumbel_mask(keep=[0.221], bits=8, lossless_gain=gain)[0] for gain in (1, codec.LOSSLESS_GAIN)
    )
    assert pytest.approx(3.96, abs=0.005) == 32 / (32 * 0.221 + 1)
    assert mask.ratio == pytest.approx(11.56, abs=0.005)
    assert both.ratio == pytest.approx(25.82, abs=0.005)
    assert pytest.approx(2.23, abs=0.005) == codec.LOSSLESS_GAIN


def test_gumbel_mask_default_menu():
    menu = codec.menu("gumbel-mask")
    assert len(menu) == len({option.name for option in menu}) == 10
    assert "gumbel-mask-0.221-b8" in [option.name for option in menu]
    ratios = [option.ratio for option in menu]
    errors = [option.error for option in menu]
    assert ratios == sorted(ratios, reverse=True) and errors == sorted(errors, reverse=True)


def test_mask_weight_spans_from_quantisation_to_top_k():
    for keep in (0.1, 0.221, 0.6):
        options = [
            codec.gumbel_mask(keep=[keep], mask_weight=weight)[0].error
            for weight in (0, codec.MASK_WEIGHT, 1)
        ]
        assert options[0] == pytest.approx(math.sqrt(keep) * codec.quantisation_error(8))
        assert options[2] == pytest.approx(codec.selection_error(keep, 8))
        assert options[0] < options[1] < options[2]


@pytest.mark.parametrize("family", ["quantise", "top-k", "gumbel-mask"])
def test_costs_and_reference_reach_every_option(family):
    plain = codec.menu(family)
    half = codec.menu(family, reference_bits=16, encode_s_per_byte=2e-11, decode_s_per_byte=1e-11)
    assert all((option.encode_s_per_byte, option.decode_s_per_byte) == (2e-11, 1e-11) for option in half)
    assert all((option.encode_s_per_byte, option.decode_s_per_byte) == (0, 0) for option in plain)
    assert all(a.ratio < b.ratio for a, b in zip(half, plain))


@given(keep=st.lists(st.floats(0.001, 1.0), min_size=2, max_size=8, unique=True), bits=st.integers(1, 16))
def test_keeping_more_means_less_ratio_and_less_error(keep, bits):
    menu = codec.gumbel_mask(keep=sorted(keep), bits=bits, mask_weight=1.0)
    dropped = codec.top_k(keep=sorted(keep))
    for options in (menu, dropped):
        assert all(a.ratio >= b.ratio for a, b in zip(options, options[1:]))
    assert all(a.error >= b.error for a, b in zip(dropped, dropped[1:]))


def test_menus_combine_with_plus_and_take_numpy_values():
    menu = codec.menu("none") + codec.quantise(bits=np.arange(2, 5)) + codec.top_k(keep=np.array([0.1, 0.2]))
    names = [option.name for option in menu]
    assert names == ["none", "quantise-2", "quantise-3", "quantise-4", "top-k-0.1", "top-k-0.2"]


def test_describe():
    menu = codec.menu("none") + [
        codec.Codec(name="measured", ratio=2.0, error=0.1, layer_error=[0.125, 0.25], encode_s_per_byte=2e-10)
    ]
    assert codec.describe(menu) == (
        "codec     ratio          error  encode s/GB  decode s/GB\n"
        "none          1              0            0            0\n"
        "measured      2  0.125 to 0.25          0.2            0"
    )


@pytest.mark.parametrize(
    ("family", "options", "error", "says"),
    [
        ("zip", {}, ValueError, "menu: 'zip' is not one of 'none', 'quantise', 'top-k', 'gumbel-mask'"),
        ("none", {"bits": 3}, TypeError, "bits"),
        ("quantise", {"bits": 8}, TypeError, "bits: expected several numbers, got 8"),
        ("quantise", {"bits": []}, ValueError, "bits: expected at least one number"),
        ("quantise", {"bits": [0]}, ValueError, r"bits: 0 is not in \[1, 16\]"),
        ("quantise", {"reference_bits": 0}, ValueError, r"ratio: 0 is not in \(0, inf\)"),
        ("quantise", {"encode_s_per_byte": -1}, ValueError, "encode_s_per_byte: -1"),
        ("top-k", {"keep": [0.1, 2]}, ValueError, r"keep: 2 is not in \(0, 1\]"),
        ("top-k", {"keep": "0.1"}, TypeError, "keep: expected several numbers"),
        ("gumbel-mask", {"bits": 0}, ValueError, r"bits: 0"),
        ("gumbel-mask", {"lossless_gain": 0.9}, ValueError, r"lossless_gain: 0.9 is not in \[1, inf\)"),
        ("gumbel-mask", {"mask_weight": math.nan}, ValueError, r"mask_weight: nan is not in \[0, 1\]"),
    ],
)
def test_bad_options(family, options, error, says):
    with pytest.raises(error, match=says):
        codec.menu(family, **options)


def test_documentation_shows_the_default_menus():
    docs = (Path(__file__).parents[3] / "docs" / "error-model.md").read_text(encoding="utf-8")
    shown = docs.split("<!-- menus -->\n```\n")[1].split("\n```\n<!-- end of menus -->")[0]
    menus = codec.menu("none") + codec.menu("quantise") + codec.menu("top-k") + codec.menu("gumbel-mask")
    assert shown == codec.describe(menus), "put codec.describe(...) of the default menus between the marks"
