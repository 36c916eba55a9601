"""Rules of accumulated error against measurements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.checks import real
from .gain import propagated_gain
from .measured_cuts import MeasuredCuts

BASES = ("error", "propagated", "propagated_each", "output_error", "loss")
"""What the error of one cut may be taken as, see `cut_weights`."""


def fit_amplification(rows: Iterable[MeasuredCuts]) -> NDArray[np.float64]:
    """a_m of every block: by how much it magnifies a relative error, measured at single cuts.

    The geometric mean, over cuts before the block and codecs, of the relative error after block m ÷ that
    before. The last block's includes the head: its output are the logits. A block with no cut before it,
    such as the first, passes none of these errors: 1.

    Parameters
    ----------
    rows : iterable of MeasuredCuts
        Those with one cut count.

    Returns
    -------
    ndarray, shape (blocks,)
        For `propagated_gain`.

    Raises
    ------
    ValueError
        If no row has a single cut, or no error passes a block that comes after one.

    Examples
    --------
    >>> from constellm import codec, infer
    >>> rows = infer.measured_cuts()
    >>> gain = codec.fit_amplification(rows)
    >>> gain.shape, float(gain[0])
    ((12,), 1.0)
    """
    single = _single(rows)
    blocks = single[0].blocks
    logs: list[list[float]] = [[] for _ in range(blocks)]
    for row in single:
        for m, (before, after) in enumerate(zip(row.reached, row.reached[1:]), start=row.cuts[0]):
            if before > 0.0 and after > 0.0:
                logs[m].append(np.log(after / before))
    first = min(row.cuts[0] for row in single)
    for m in range(first, blocks):
        if not logs[m]:
            raise ValueError(f"rows: no error of a single cut passes block {m + 1}")
    return np.array([1.0] * first + [float(np.exp(np.mean(logs[m]))) for m in range(first, blocks)])


def cut_weights(rows: Iterable[MeasuredCuts], basis: str) -> dict[tuple[int, str], float]:
    """What one cut with one codec adds, for every pair of boundary and codec that was measured alone.

    ================= ===========================================================
    `basis`           weight
    ================= ===========================================================
    "error"           ε, the codec's relative error at the cut
    "propagated"      g·ε, with `propagated_gain` of the `fit_amplification`
    "propagated_each" g·ε, the amplification fitted to each codec by itself
    "output_error"    the relative error of the logits that this cut alone caused
    "loss"            the expected loss of accuracy that it alone caused
    ================= ===========================================================

    Parameters
    ----------
    rows : iterable of MeasuredCuts
        Those of single cuts count, others are passed over.
    basis : str
        One of `BASES`.

    Returns
    -------
    dict of (int, str) to float
        Weight by boundary and name of the codec.

    Raises
    ------
    ValueError
        For an unknown basis.

    Examples
    --------
    >>> from constellm import codec, infer
    >>> rows = infer.measured_cuts()
    >>> weights = codec.cut_weights(rows, "error")
    >>> round(weights[6, "quantise-4"], 3)
    0.1
    """
    single = _single(rows)
    if basis == "error":
        return {(row.cuts[0], row.codecs[0]): row.error[0] for row in single}
    if basis == "propagated":
        return _propagated(single)
    if basis == "propagated_each":
        found = {}
        for name in dict.fromkeys(row.codecs for row in single):
            found.update(_propagated([row for row in single if row.codecs == name]))
        return found
    if basis == "output_error":
        return {(row.cuts[0], row.codecs[0]): row.output_error for row in single}
    if basis == "loss":
        return {(row.cuts[0], row.codecs[0]): row.expected_loss for row in single}
    raise ValueError(f"basis: {basis!r} is not one of {', '.join(map(repr, BASES))}")


def accumulate(weights: Iterable[float], exponent: float) -> float:
    """(Σ w^p)^(1/p): the sum for p = 1, the root of the sum of squares for p = 2.

    Anything between is as good for an exact search, which adds up the w^p.

    Parameters
    ----------
    weights : iterable of float
        What each cut adds, as of `cut_weights`; none is negative.
    exponent : float
        p, in [1, 2].

    Returns
    -------
    float
        0 for no cut.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range; names it.

    Examples
    --------
    >>> from constellm import codec
    >>> codec.accumulate([3.0, 4.0], 1.0), codec.accumulate([3.0, 4.0], 2.0)
    (7.0, 5.0)
    """
    exponent = real("exponent", exponent, least=1.0, most=2.0)
    values = np.asarray(list(weights), dtype=np.float64)
    if (wrong := values[~(values >= 0.0)]).size:
        raise ValueError(f"weights: {wrong[0]:g} is not in [0, inf]")
    return float(np.sum(values**exponent) ** (1.0 / exponent))


def fit_exponent(predictors: Sequence[Sequence[float]], measured: Sequence[float]) -> float:
    """The p between 1 and 2 with the least squared difference of √measured and √accumulated.

    Roots, because the scatter of both errors and losses grows with their size.

    Parameters
    ----------
    predictors : sequence of sequences of float
        Weights of the cuts of each set.
    measured : sequence of float
        What the sets caused, in the weights' unit.

    Returns
    -------
    float
        Of the 21 from 1 to 2 in steps of 0.05.

    Raises
    ------
    ValueError
        Where there is no set.

    Examples
    --------
    >>> from constellm import codec
    >>> codec.fit_exponent([[3.0, 4.0], [5.0, 12.0]], measured=[5.0, 13.0])
    2.0
    """
    target = np.sqrt(np.maximum(np.asarray(measured, dtype=np.float64), 0.0))
    if len(target) == 0:
        raise ValueError("measured: no set of several cuts")
    best = (np.inf, 1.0)
    for p in np.linspace(1.0, 2.0, 21):
        predicted = np.sqrt([accumulate(weights, float(p)) for weights in predictors])
        best = min(best, (float(np.sum((predicted - target) ** 2)), float(p)))
    return best[1]


@dataclass(frozen=True)
class RuleScore:
    """How a rule did on sets of cuts that it was not fitted to.

    Attributes
    ----------
    basis : str
        See `cut_weights`.
    exponent : float
        See `accumulate`.
    target : str
        ``"output_error"`` or ``"loss"``, what was predicted.
    median_ratio : float
        Median of predicted ÷ measured; the bias. NaN where units differ.
    within : float
        Nine of ten predictions are off by this factor at most, either way; NaN likewise.
    scatter : float
        The same after the bias is taken out.
    rank_correlation : float
        Spearman's, which no unit or monotone map changes.

    Examples
    --------
    >>> from constellm import codec, infer
    >>> rows = infer.measured_cuts()
    >>> score = codec.score_rules(rows, bases=["loss"], exponents=[1.0])[-1]
    >>> score.basis, score.target, round(score.median_ratio, 2)
    ('loss', 'loss', 0.76)
    """

    basis: str
    exponent: float
    target: str
    median_ratio: float
    within: float
    scatter: float
    rank_correlation: float


def score_rules(
    rows: Sequence[MeasuredCuts],
    *,
    bases: Sequence[str] = BASES,
    exponents: Sequence[float] = (1.0, 2.0),
    least: float = 1e-4,
) -> list[RuleScore]:
    """Predict every set of several cuts from the single ones, by each basis and exponent.

    Parameters
    ----------
    rows : sequence of MeasuredCuts
        Single cuts, which the rules are made from, and sets of several, which they are tried on.
    bases : sequence of str
        See `cut_weights`.
    exponents : sequence of float
        See `accumulate`.
    least : float
        Sets with a smaller measured loss or error do not count in the ratios: those of zeros mean nothing.

    Returns
    -------
    list of RuleScore
        For every basis and exponent, once against the error of the logits and once against the loss.

    Raises
    ------
    ValueError
        Where no row has several cuts, or a codec of one was not measured alone at that boundary.

    Examples
    --------
    >>> from constellm import codec, infer
    >>> rows = infer.measured_cuts()
    >>> scores = codec.score_rules(rows, bases=["error", "loss"], exponents=[1.0])
    >>> [(score.basis, round(score.rank_correlation, 2)) for score in scores if score.target == "loss"]
    [('error', 0.72), ('loss', 0.91)]
    """
    several = [row for row in rows if len(row.cuts) > 1]
    if not several:
        raise ValueError("rows: no set of several cuts to predict")
    scores = []
    for target in ("output_error", "loss"):
        measured = np.array([caused(row, target) for row in several])
        for basis in bases:
            weights = cut_weights(rows, basis)
            for p in exponents:
                p = real("exponents", p, least=1.0, most=2.0)
                predicted = np.array([accumulate(weights_of(row, weights), p) for row in several])
                same_unit = (basis == "loss") == (target == "loss")
                scores.append(_score(basis, p, target, predicted, measured, least if same_unit else None))
    return scores


def weights_of(row: MeasuredCuts, weights: dict[tuple[int, str], float]) -> list[float]:
    """The weights of a row's cuts; ValueError where a pair was not measured alone."""
    for pair in row.plan.items():
        if pair not in weights:
            raise ValueError(f"rows: {pair[1]!r} at boundary {pair[0]} was not measured alone")
    return [weights[pair] for pair in row.plan.items()]


def caused(row: MeasuredCuts, target: str) -> float:
    """What a row's cuts did to the logits ("output_error") or the accuracy ("loss")."""
    return row.expected_loss if target == "loss" else row.output_error


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's, ties at their mean rank.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Pairs.

    Returns
    -------
    float
        In [-1, 1]; NaN where all of one are equal.

    Examples
    --------
    >>> from constellm import codec
    >>> codec.rank_correlation([1.0, 2.0, 3.0], [10.0, 40.0, 90.0])
    1.0
    """
    a, b = _ranks(x), _ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0.0 else float("nan")


def _score(
    basis: str, p: float, target: str, predicted: np.ndarray, measured: np.ndarray, least: float | None
) -> RuleScore:
    rank = rank_correlation(predicted, measured)
    if least is None:
        return RuleScore(basis, p, target, np.nan, np.nan, np.nan, rank)
    counted = (measured >= least) & (predicted > 0.0)
    if not counted.any():
        return RuleScore(basis, p, target, np.nan, np.nan, np.nan, rank)
    logs = np.log(predicted[counted] / measured[counted])
    middle = float(np.median(logs))
    return RuleScore(
        basis=basis,
        exponent=p,
        target=target,
        median_ratio=float(np.exp(middle)),
        within=float(np.exp(np.quantile(np.abs(logs), 0.9))),
        scatter=float(np.exp(np.quantile(np.abs(logs - middle), 0.9))),
        rank_correlation=rank,
    )


def _ranks(values: np.ndarray) -> NDArray[np.float64]:
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(times) - (times - 1) / 2.0)[place]


def _propagated(single: list[MeasuredCuts]) -> dict[tuple[int, str], float]:
    gain = propagated_gain(fit_amplification(single))
    return {(row.cuts[0], row.codecs[0]): float(gain[row.cuts[0] - 1]) * row.error[0] for row in single}


def _single(rows: Iterable[MeasuredCuts]) -> list[MeasuredCuts]:
    single = [row for row in rows if len(row.cuts) == 1]
    if not single:
        raise ValueError("rows: no single cut among them")
    if len({row.blocks for row in single}) > 1:
        raise ValueError(f"rows: of networks of {sorted({row.blocks for row in single})} blocks")
    return single
