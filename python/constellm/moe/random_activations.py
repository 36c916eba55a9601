"""Activations that nobody measured: sampling weights by a law, and traces drawn from weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, real
from .activation_trace import MOST_EXPERTS, ActivationTrace
from .arguments import as_array

_MOST_WEIGHTS = 10_000_000  # 80 MB
_MOST_IDS = 200_000_000  # of a drawn trace: 400 MB


def lognormal_weights(experts: int, sigma: float, *, layers: int = 1, seed: int = 0) -> NDArray[np.float64]:
    """Sampling weights in proportion to exp(sigma · z), z standard normal.

    Measured shares have a standard deviation of ln share of 0.14 (Mixtral-8x7B), 0.42 (OLMoE on mixed text),
    0.6 to 0.9 (text of one domain); `Activations.log_share_sd` is that of a table. Where a token activates
    several experts, shares are flatter than the weights they come from.

    Parameters
    ----------
    experts : int
        Of a layer, in [1, 65536].
    sigma : float
        Standard deviation of ln weight, in [0, 50].
    layers : int
        With weights of their own each.
    seed : int
        Fixes the weights. With more layers the first ones stay as they are.

    Returns
    -------
    ndarray, shape (layers, experts)
        Each layer sums to 1.

    Raises
    ------
    ValueError, TypeError
        For figures out of range.

    Examples
    --------
    >>> from constellm import moe
    >>> moe.lognormal_weights(4, 0.5, layers=2, seed=1).round(2).tolist()
    [[0.27, 0.34, 0.27, 0.12], [0.24, 0.35, 0.2, 0.21]]
    """
    experts = count("experts", experts, most=MOST_EXPERTS)
    layers = count("layers", layers, most=_MOST_WEIGHTS // experts)
    sigma = real("sigma", sigma, least=0.0, most=50.0)
    rows = [np.exp(sigma * draw.standard_normal(experts)) for draw in _generators(layers, seed)]
    return _normalised(np.array(rows))


def zipf_weights(
    experts: int, exponent: float = 1.0, *, layers: int = 1, seed: int = 0
) -> NDArray[np.float64]:
    """Sampling weights in proportion to r^-exponent for the ranks r = 1, 2, …, which are dealt at random.

    `Activations.zipf_exponent` is that of a table; 1 is a case of stress, above any that was measured.

    Parameters
    ----------
    experts : int
        Of a layer, in [1, 65536].
    exponent : float
        In [0, 50]; at 0 all are alike.
    layers : int
        With ranks dealt anew in each.
    seed : int
        Fixes who has which rank. With more layers the first ones stay as they are.

    Returns
    -------
    ndarray, shape (layers, experts)
        Each layer sums to 1.

    Raises
    ------
    ValueError, TypeError
        For figures out of range.

    Examples
    --------
    >>> from constellm import moe
    >>> moe.zipf_weights(4, 1.0, layers=2, seed=1).round(2).tolist()
    [[0.48, 0.24, 0.16, 0.12], [0.16, 0.48, 0.24, 0.12]]
    """
    experts = count("experts", experts, most=MOST_EXPERTS)
    layers = count("layers", layers, most=_MOST_WEIGHTS // experts)
    exponent = real("exponent", exponent, least=0.0, most=50.0)
    ranks = np.arange(1, experts + 1)
    rows = [draw.permutation(ranks) for draw in _generators(layers, seed)]
    return _normalised(np.array(rows, dtype=np.float64) ** -exponent)


def draw_trace(
    weights: ArrayLike, *, top_k: int, tokens: int, persistence: float = 0.0, seed: int = 0
) -> ActivationTrace:
    """One sequence of tokens that draw their experts by successive sampling without replacement.

    A token draws `top_k` experts one after the other, with probabilities in proportion to the remaining
    weights: those of the largest ln weight + Gumbel noise (Yellott, Journal of Mathematical Psychology 15,
    1977; Efraimidis and Spirakis, Information Processing Letters 97, 2006). Layers are independent.

    Parameters
    ----------
    weights : array_like, shape (layers, experts)
        Each > 0.
    top_k : int
        In [1, experts].
    tokens : int
        At least 1.
    persistence : float
        Probability, in [0, 1], that a token keeps the experts of the one before, in each layer by itself.
        Shares do not depend on it; `Repeats.persistence` of tokens `lag` apart is persistence^lag.
    seed : int
        Fixes the trace.

    Returns
    -------
    ActivationTrace

    Raises
    ------
    ValueError, TypeError
        For figures out of range, and for more than 200 million activations.

    Examples
    --------
    >>> from constellm import moe
    >>> trace = moe.draw_trace([[0.5, 0.3, 0.2]], top_k=1, tokens=10_000, seed=1)
    >>> trace.activations().shares.round(2).tolist()
    [[0.5, 0.3, 0.2]]
    """
    array = as_array("weights", weights, "layers, experts").astype(np.float64)
    for layer, expert in np.argwhere(~((array > 0.0) & np.isfinite(array)))[:1].tolist():
        raise ValueError(f"weights[{layer}][{expert}]: {array[layer, expert]:g} is not in (0, inf)")
    layers, experts = array.shape
    top_k = count("top_k", top_k, most=experts)
    tokens = count("tokens", tokens, most=_MOST_IDS // (layers * top_k))
    persistence = real("persistence", persistence, least=0.0, most=1.0)
    ids = np.empty((layers, tokens, top_k), dtype=np.int64)
    for layer, draw in enumerate(_generators(layers, seed)):
        keeps = draw.random(tokens) < persistence
        keeps[0] = False
        drawn = np.flatnonzero(~keeps)
        log_weights = np.log(array[layer])
        fresh = np.empty((len(drawn), top_k), dtype=np.int64)
        step = max(1, 1_000_000 // experts)  # rows at a time: some 30 MB
        for start in range(0, len(drawn), step):
            rows = fresh[start : start + step]
            keys = log_weights + draw.gumbel(size=(len(rows), experts))
            rows[:] = np.argsort(-keys, axis=1, kind="stable")[:, :top_k]
        ids[layer] = fresh[np.cumsum(~keeps) - 1]
    return ActivationTrace(ids, experts=experts, offsets=[0, tokens])


def _generators(layers: int, seed: int) -> list[np.random.Generator]:
    """One a layer, so that the first layers do not depend on how many follow."""
    seed = count("seed", seed, least=0)
    return [np.random.Generator(np.random.PCG64([seed, layer])) for layer in range(layers)]


def _normalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    normalised: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return normalised
