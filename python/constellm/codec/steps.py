"""Ratios after each step of coding: sparsify, quantise, entropy-code."""

from __future__ import annotations

import numpy as np

from .._core.codec import Scheme
from ..core.checks import count, instance
from .coding import encode


def coding_steps(
    x: np.ndarray, scheme: Scheme, *, mask: np.ndarray | None = None, batch: int = 64
) -> dict[str, float]:
    """Uncompressed bytes ÷ bytes of an activation when coding ends after each step.

    Parameters
    ----------
    x : ndarray of float32, shape (images, …, features)
        Activation.
    scheme : Scheme
        What is kept, and how it is quantised.
    mask : ndarray of bool, shape of `x`, optional
        What is kept; with ``scheme.sparsify == "mask"`` and only then.
    batch : int
        Images that are encoded together.

    Returns
    -------
    dict of str to float
        ``"sparsify"``: what is kept as it is, with a bitmap of where; ``"quantise"``: the same in the
        scheme's bits; ``"zero_order"`` and ``"entropy"``: those by the coder without and with context.

    Raises
    ------
    TypeError, ValueError
        As of `encode`, or if the scheme does not quantise.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import codec
    >>> x = np.random.default_rng(0).laplace(size=(8, 16, 64)).astype(np.float32)
    >>> steps = codec.coding_steps(x, codec.Scheme(sparsify="top-k", keep=0.25, bits=8))
    >>> list(steps), steps["sparsify"] < steps["quantise"] < steps["entropy"]
    (['sparsify', 'quantise', 'zero_order', 'entropy'], True)
    """
    if instance("scheme", scheme, Scheme).bits is None:
        raise ValueError("scheme: bits=None, it does not quantise")
    ends = {
        "sparsify": scheme.replace(bits=None, entropy="none"),
        "quantise": scheme.replace(entropy="none"),
        "zero_order": scheme.replace(entropy="zero-order"),
        "entropy": scheme.replace(entropy="context"),
    }
    batch = count("batch", batch)
    parts = [slice(start, start + batch) for start in range(0, len(x), batch)]
    return {
        step: x.nbytes
        / sum(len(encode(x[part], end, mask=None if mask is None else mask[part])) for part in parts)
        for step, end in ends.items()
    }
