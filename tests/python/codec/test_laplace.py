"""The closed forms of the error model, against sampling and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import codec

SAMPLES = 1_000_000


@pytest.fixture(scope="module")
def activation():
    return np.random.default_rng(20240601).laplace(scale=3.0, size=SAMPLES)


def relative_l2(x, y):
    return math.sqrt(np.mean((x - y) ** 2) / np.mean(x**2))


def clip_point(bits):
    """The root of w·e^w = 3·4^bits, by bisection."""
    low, high = 0.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if middle * math.exp(middle) < 3 * 4.0**bits else (low, middle)
    return low


def quantised(x, bits, scale):
    cell = 2 * clip_point(bits) * scale / 2**bits
    return (np.clip(np.floor(x / cell), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) + 0.5) * cell


def select_and_quantise(x, keep, bits, scale):
    magnitude = np.abs(x)
    threshold = np.quantile(magnitude, 1 - keep)
    kept = threshold + np.abs(quantised(magnitude - threshold, bits, scale))
    return np.where(magnitude > threshold, np.sign(x) * kept, 0.0)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8])
def test_quantisation_error_is_what_sampling_gives(activation, bits):
    assert codec.quantisation_error(bits) == pytest.approx(
        relative_l2(activation, quantised(activation, bits, 3.0)), rel=0.02
    )


@pytest.mark.parametrize("keep", [0.02, 0.221, 0.5, 0.9])
def test_selection_error_is_what_sampling_gives(activation, keep):
    magnitude = np.abs(activation)
    kept = np.where(magnitude >= np.quantile(magnitude, 1 - keep), activation, 0.0)
    assert codec.selection_error(keep) == pytest.approx(relative_l2(activation, kept), rel=0.01)


@pytest.mark.parametrize(("keep", "bits"), [(0.1, 2), (0.221, 3), (0.7, 2), (0.9, 4)])
def test_selection_with_quantised_values_is_what_sampling_gives(activation, keep, bits):
    sampled = relative_l2(activation, select_and_quantise(activation, keep, bits, 3.0))
    assert codec.selection_error(keep, bits) == pytest.approx(sampled, rel=0.02)


def test_limits():
    assert codec.selection_error(1.0) == 0.0
    assert codec.selection_error(1e-12) == pytest.approx(1.0, abs=1e-8)
    assert codec.selection_error(1.0, 8) == codec.quantisation_error(8)


def test_many_bits_follow_the_high_resolution_formula():
    # Banner et al.: mean squared error 2e^(-α) + α²/(3·4^b), relative to 2.
    for bits in (8, 10, 12, 16):
        alpha = clip_point(bits)
        formula = math.sqrt(math.exp(-alpha) + alpha**2 / (6 * 4.0**bits))
        assert codec.quantisation_error(bits) == pytest.approx(formula, rel=0.01)


def test_numpy_integers_serve_as_bits():
    assert codec.quantisation_error(np.int64(4)) == codec.quantisation_error(4)
    assert codec.gumbel_mask(bits=np.int8(4))[0] == codec.gumbel_mask(bits=4)[0]


def test_more_bits_cost_less_error():
    errors = [codec.quantisation_error(bits) for bits in range(1, 17)]
    assert errors == sorted(errors, reverse=True) and len(set(errors)) == 16


@given(low=st.floats(1e-6, 1.0), high=st.floats(1e-6, 1.0))
def test_keeping_more_costs_less_error(low, high):
    low, high = sorted((low, high))
    assert 0.0 <= codec.selection_error(high) <= codec.selection_error(low) <= 1.0
    assert codec.selection_error(low, 4) >= codec.selection_error(low)


@pytest.mark.parametrize("bits", [0, -1, 17])
def test_bits_out_of_range(bits):
    with pytest.raises(ValueError, match=rf"bits: {bits} is not in \[1, 16\]"):
        codec.quantisation_error(bits)


@pytest.mark.parametrize("bits", [8.0, True, "8"])
def test_bits_of_wrong_type(bits):
    with pytest.raises(TypeError, match="bits: expected an integer"):
        codec.quantisation_error(bits)


@pytest.mark.parametrize("keep", [0.0, -0.1, 1.01, math.nan])
def test_keep_out_of_range(keep):
    with pytest.raises(ValueError, match=r"keep: .* is not in \(0, 1\]"):
        codec.selection_error(keep)
