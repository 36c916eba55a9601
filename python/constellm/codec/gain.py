"""Gains of the errors at cuts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def propagated_gain(layer_gain: ArrayLike) -> NDArray[np.float64]:
    """Gain from the cut after each layer to the output, given what every layer does to an error.

    ::

        g_l = Π_{m > l} a_m

    With relative errors and a_m the factor by which layer m magnifies the relative error of its input
    (1: it passes through), an error ε at the cut after layer l arrives at the output as g_l·ε, to first
    order. Errors of several cuts then add up, so that the exact search keeps an additive resource.

    Parameters
    ----------
    layer_gain : array_like, shape (layers,)
        a_m >= 0 of every layer in execution order; the first one's has no cut before it and is not used.

    Returns
    -------
    ndarray, shape (layers,)
        For `Layer.error_gain`; the last entry is 1.

    Raises
    ------
    ValueError
        If the shape is wrong, a factor is negative or not finite, or a product overflows.

    Examples
    --------
    >>> from constellm import codec
    >>> codec.propagated_gain([1.0, 2.0, 0.5]).tolist()
    [1.0, 0.5, 1.0]
    """
    factors = np.asarray(layer_gain, dtype=np.float64)
    if factors.ndim != 1 or factors.size == 0:
        raise ValueError(f"layer_gain: expected shape (layers,) with at least one layer, got {factors.shape}")
    wrong = np.flatnonzero(~(np.isfinite(factors) & (factors >= 0.0)))
    if wrong.size:
        raise ValueError(f"layer_gain[{wrong[0]}]: {factors[wrong[0]]} is not in [0, inf)")
    with np.errstate(over="ignore", invalid="ignore"):
        gain = np.append(np.cumprod(factors[:0:-1])[::-1], 1.0)
    if not np.all(np.isfinite(gain)):
        raise ValueError("layer_gain: the product of the factors is beyond the largest double")
    return gain
