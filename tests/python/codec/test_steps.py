"""Ratios after each step of coding."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import codec


def test_every_step_is_what_encode_makes_with_it() -> None:
    x = np.random.Generator(np.random.PCG64(3)).laplace(size=(10, 16, 64)).astype(np.float32)
    scheme = codec.Scheme(sparsify="top-k", keep=0.2)
    steps = codec.coding_steps(x, scheme, batch=10)
    assert list(steps) == ["sparsify", "quantise", "zero_order", "entropy"]
    assert steps["entropy"] == x.nbytes / len(codec.encode(x, scheme))
    assert steps["sparsify"] < steps["quantise"] < steps["zero_order"]
    kept = round(0.2 * 64) * 160
    assert steps["sparsify"] == pytest.approx(x.nbytes / (4 * kept + x.size / 8), rel=0.01)
    parted = codec.coding_steps(x, scheme, batch=4)
    sent = sum(len(codec.encode(x[i : i + 4], scheme)) for i in (0, 4, 8))
    assert parted["entropy"] == x.nbytes / sent


def test_a_mask_is_taken_along() -> None:
    x = np.random.Generator(np.random.PCG64(3)).standard_normal((4, 2, 8)).astype(np.float32)
    mask = x > 0.0
    steps = codec.coding_steps(x, codec.Scheme(sparsify="mask"), mask=mask, batch=3)
    sent = sum(
        len(codec.encode(x[s], codec.Scheme(sparsify="mask"), mask=mask[s])) for s in (slice(3), slice(3, 4))
    )
    assert steps["entropy"] == x.nbytes / sent


def test_a_scheme_that_does_not_quantise_is_refused() -> None:
    with pytest.raises(ValueError, match="scheme: bits=None"):
        codec.coding_steps(
            np.zeros((1, 1, 8), np.float32), codec.Scheme(sparsify="top-k", keep=0.5, bits=None)
        )
    with pytest.raises(ValueError, match="batch: 0"):
        codec.coding_steps(np.zeros((1, 1, 8), np.float32), codec.Scheme(), batch=0)
