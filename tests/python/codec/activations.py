"""Activations, and what selects of them, for the codec's tests."""

from __future__ import annotations

import numpy as np

from constellm.codec import Scheme

SPARSIFY = ("none", "mask", "top-k", "block-top-k", "slicer")


def activation(images: int = 2, tokens: int = 64, features: int = 128, seed: int = 0) -> np.ndarray:
    """Laplace values, features of different scale and mean, tokens like their neighbours."""
    rng = np.random.default_rng(seed)
    noise = rng.laplace(size=(images, tokens, features))
    for token in range(1, tokens):
        noise[:, token] = 0.8 * noise[:, token - 1] + 0.6 * noise[:, token]
    return (noise * np.exp(rng.normal(0, 0.7, features)) + rng.normal(0, 0.5, features)).astype(np.float32)


def keep_of(sparsify: str, keep: float = 0.2) -> float:
    return 1.0 if sparsify in ("none", "mask") else keep


def mask_of(x: np.ndarray, scheme: Scheme) -> np.ndarray | None:
    return np.abs(x) > 1 if scheme.sparsify == "mask" else None
