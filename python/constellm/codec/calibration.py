"""From measured cuts to a limit that the planner can hold: what a promise of accuracy rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, instance, real
from ..core.display import Display, Displayed
from ..core.quantity import counted, figure
from ..core.table import Table
from .accumulation import accumulate, caused, cut_weights, fit_exponent, weights_of
from .measured_cuts import MeasuredCuts, measured_codec
from .menu import Menu

_FOLDS = 10
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Curve:
    """A function that does not fall: straight lines between points, the first and last value beyond."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray) -> Curve:
        """The one nearest to points in least squares (isotonic regression, pooling adjacent violators)."""
        order = np.argsort(x, kind="stable")
        pools: list[tuple[float, float, int]] = []  # Σ x, Σ y, points
        for at, value in zip(x[order], y[order]):
            pool = (float(at), float(value), 1)
            while pools and pools[-1][1] * pool[2] >= pool[1] * pools[-1][2]:
                last = pools.pop()
                pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
            pools.append(pool)
        return cls(tuple(sx / n for sx, _, n in pools), tuple(sy / n for _, sy, n in pools))

    @classmethod
    def from_zero(cls, x: np.ndarray, y: np.ndarray) -> Curve:
        """The same where no x or y is negative, from (0, 0) on: no error costs nothing."""
        curve = cls.fit(x, y)
        return cls((0.0, *curve.x), (0.0, *curve.y))

    def __call__(self, x: float | np.ndarray) -> NDArray[np.float64]:
        return np.asarray(np.interp(x, self.x, self.y))


@dataclass(frozen=True)
class Calibration(Displayed):
    """What accumulated errors cost in accuracy, with its uncertainty; made by `calibrate`.

    Losses are shares of images (0.01 is one point). An *accumulated error* is the number that the planner
    limits, Σ w^p over the cuts of a plan, with p the `exponent` and w the weight of a codec at a cut: this
    object's `menu` holds w^p as `layer_error`, and `error_rule` is the sum. Made of the same rows it is
    equal, and so is a pickled copy.

    Attributes
    ----------
    basis : str
        What the weights are, see `cut_weights`.
    exponent : float
        p.
    confidence : float
        Of the bound: the share of plans that keep it.
    blocks, images : int
        Of the network; measured on.
    sets : int
        Sets of several cuts that it rests on.
    smallest, largest : float
        Accumulated errors between which limits may lie: at or below the smallest one are half as many sets
        as the confidence takes, at the largest one is the last set that was measured.

    Examples
    --------
    >>> from constellm import infer
    >>> calibration = infer.calibration()
    >>> calibration.max_error(0.01) < calibration.max_error(0.02)
    True
    """

    basis: str
    exponent: float
    confidence: float
    blocks: int
    images: int
    sets: int
    smallest: float
    largest: float
    _weights: dict[tuple[int, str], float] = field(hash=False)
    _single: dict[tuple[int, str], MeasuredCuts] = field(hash=False)
    _mean: Curve
    _image_se: Curve
    _variance: Curve
    _margin: Curve

    error_rule = "sum"
    """For `split.Problem`: w^p add up, whatever p."""

    def __repr__(self) -> str:
        codecs, least = counted(len(self.codecs), "codec"), _rounded_up(self.least_promise())
        return (
            f"Calibration({self.basis!r}, exponent {self.exponent:.2f}, {codecs}, "
            f"{self.sets} sets of cuts, {self.images} images, promises from {least:g})"
        )

    def _display(self) -> Display:
        codecs, least = counted(len(self.codecs), "codec"), 100 * _rounded_up(self.least_promise())
        lines = [
            f"Calibration: {codecs} at {self.blocks - 1} boundaries, {self.images} images",
            f"errors add up as Σ w^{self.exponent:.3g}, with w from {self.basis}; "
            f"promises rest on {self.sets} sets of cuts, from {least:g} points on",
        ]
        rows = [
            (f"{100 * loss:g}", figure(limit), f"{100 * self.loss(limit):.2f}")
            for loss in (0.005, 0.01, 0.02, 0.05)
            if loss >= self.least_promise()
            for limit in (self.max_error(loss),)
        ]
        head = (
            f"promised loss (points, {100 * self.confidence:g} % of plans)",
            "max_error",
            "expected loss (points)",
        )
        return Display(lines, [Table(head, rows)])

    @property
    def weights(self) -> Mapping[tuple[int, str], float]:
        """The w of every pair of boundary and codec; cannot be changed."""
        return MappingProxyType(self._weights)

    @property
    def codecs(self) -> list[str]:
        """Names of the codecs that were measured alone."""
        return list(dict.fromkeys(name for _, name in self.weights))

    def error(self, cuts: Mapping[int, str]) -> float:
        """Accumulated error of a set of cuts, boundary → codec; ``"none"`` adds nothing."""
        total = 0.0
        for pair in cuts.items():
            if pair[1] != "none":
                if pair not in self.weights:
                    raise ValueError(f"cuts: {pair[1]!r} at boundary {pair[0]} was not measured")
                total += self.weights[pair] ** self.exponent
        return total

    def loss(self, error: float) -> float:
        """Expected loss of accuracy at an accumulated error, as `Plan.error` has it."""
        return float(self._mean(self._root(error)))

    def loss_bound(self, error: float, *, images: int | None = None) -> float:
        """Loss that a plan of this accumulated error does not exceed, with the confidence of the object.

        ::

            bound = f(r) + m(r) + z·√( s(r)² + v(r)/n )

        f is the mean loss; m the quantile, over the sets of cuts about r, of what a set loses beyond an f
        that was not fitted to it; s the standard error from the images of the calibration, z the normal
        quantile. The two add up since images are one draw for all sets: with the confidence over draws, that
        share of plans keeps the bound. v/n is there when the loss is to be seen on n other images instead of
        in the long run: v is the variance over images of the loss.

        Parameters
        ----------
        error : float
            Accumulated error, as `Plan.error` has it.
        images : int, optional
            n: the loss is counted on so many new images. Default: the loss in the long run.

        Returns
        -------
        float
            1 beyond the largest error that was measured.
        """
        r = self._root(error)
        if r > self.largest ** (1.0 / self.exponent):
            return 1.0
        from statistics import NormalDist  # with all that it imports, for this line alone

        z = NormalDist().inv_cdf(self.confidence)
        variance = self._se(r) ** 2
        if images is not None:
            variance += float(self._variance(r)) / count("images", images)
        return float(self._mean(r) + self._margin(r)) + z * variance**0.5

    def least_promise(self, *, images: int | None = None) -> float:
        """The least loss that `max_error` can promise: the `loss_bound` at the smallest limit.

        Parameters
        ----------
        images : int, optional
            As in `loss_bound`.

        Returns
        -------
        float
            A share. More images, and more sets of cuts that lose little, make it less.
        """
        return self.loss_bound(self.smallest, images=images)

    def max_error(self, loss: float, *, images: int | None = None) -> float:
        """The largest accumulated error whose `loss_bound` is at most `loss`: a limit for `split.Problem`.

        Parameters
        ----------
        loss : float
            To be promised, a share: 0.01 for one point.
        images : int, optional
            As in `loss_bound`.

        Returns
        -------
        float
            From `smallest` to `largest`.

        Raises
        ------
        ValueError
            If `loss` is below the `least_promise`: names that. Only plans without codecs lose nothing, and
            they need no limit.
        """
        loss = real("loss", loss, least=0.0, most=1.0)
        least = self.least_promise(images=images)
        if loss < least:
            raise ValueError(
                f"loss: {loss:g} cannot be promised with {self.confidence:.4g} confidence; what {self.sets} "
                f"sets of several cuts on {self.images} images support is {_rounded_up(least):g} and more"
            )
        low, high = self.smallest, self.largest
        if self.loss_bound(high, images=images) <= loss:
            return high
        for _ in range(100):
            middle = (low + high) / 2.0
            if self.loss_bound(middle, images=images) <= loss:
                low = middle
            else:
                high = middle
        return low

    def menu(self, names: Iterable[str] | None = None, *, measured: MeasuredCuts | None = None) -> Menu:
        """Codecs for `split.Problem`, with measured ratios and times and the weights as errors.

        Ratios are those of each codec alone at each cut. What another codec passed before is another
        activation: behind one, a codec may send a quarter more or half as much. So measure the cuts of a plan
        once, on a few images, and plan again with that row: the bytes of the same plan are then those sent.

        Parameters
        ----------
        names : iterable of str, optional
            Which; default: all that were measured at every boundary.
        measured : MeasuredCuts, optional
            Of one set of cuts: its codecs have the ratios there that they had in it.

        Returns
        -------
        Menu
            A list of `Codec`. Times are the mean over the cuts. ``codec.none()`` can be added, it costs
            nothing.

        Raises
        ------
        TypeError, ValueError
            If `names` is one text, a codec was not measured at every boundary, or `measured` is of a network
            with other blocks.
        """
        if isinstance(names, str):
            raise TypeError(f"names: expected several names, got {names!r}")
        inside = range(1, self.blocks)
        complete = [name for name in self.codecs if all((k, name) in self.weights for k in inside)]
        together: dict[tuple[int, str], float] = {}
        if measured is not None:
            if instance("measured", measured, MeasuredCuts).blocks != self.blocks:
                raise ValueError(f"measured: a row of {measured.blocks} blocks, expected {self.blocks}")
            together = dict(zip(measured.plan.items(), measured.ratio))
        menu = Menu()
        for name in complete if names is None else names:
            if name not in complete:
                raise ValueError(f"names: {name!r} was not measured at every boundary, {complete} were")
            rows = {k: self._single[k, name] for k in inside}
            errors = {k: self.weights[k, name] ** self.exponent for k in inside}
            option = measured_codec(name, rows, errors)
            ratios = [together.get((k, name), row.ratio[0]) for k, row in rows.items()]
            menu.append(option.replace(layer_ratio=[*ratios, 1.0]))
        return menu

    def _root(self, error: float) -> float:
        if error != error:
            raise ValueError("error: nan; a plan that is not there has no error, see its status")
        return real("error", error, least=0.0) ** (1.0 / self.exponent)

    def _se(self, r: float) -> float:
        return max(float(self._image_se(r)), _least_se(self.images))


def calibrate(
    rows: Sequence[MeasuredCuts],
    *,
    basis: str = "loss",
    exponent: float | None = None,
    confidence: float = 0.95,
) -> Calibration:
    """Calibrate the planner's error limit on measured cuts.

    Single cuts give every codec at every boundary its weight; sets of several cuts say what accumulated
    errors cost. The mean loss is fitted to the latter as a function that does not fall. What sets lose
    beyond it is taken from sets left out of the fit, a tenth at a time (conformal prediction, arXiv
    1905.02928), for every set from its neighbours in accumulated error, twice as many as the confidence
    takes: of plans like these, a share of `confidence` stays within the bound.

    A planner chooses its cuts, so the sets should be plans too, many of them under limits like those that
    are to be promised. It chooses what seemed cheap on the images of the single cuts; that the sets were
    measured on *other* images makes the calibration tell how much of it was chance
    (docs/error-accumulation.md).

    Parameters
    ----------
    rows : sequence of MeasuredCuts
        Single cuts and at least 20 sets of several, best on images of their own.
    basis : str
        See `cut_weights`. With ``"loss"``, one standard error is added to each weight: a planner looks
        for what seems cheap, and finds what was underestimated.
    exponent : float, optional
        p in [1, 2]; default: `fit_exponent`.
    confidence : float
        In [0.5, n/(n + 1)] for n sets of several cuts: 0.95 takes 19, 0.99 takes 99.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If rows are too few, for the confidence or at all, or do not belong together.

    Examples
    --------
    >>> from constellm import codec, infer
    >>> calibration = codec.calibrate(infer.measured_cuts())
    >>> limit = calibration.max_error(0.02)  # for split.Problem: two points
    >>> calibration.loss(limit) < calibration.loss_bound(limit) <= 0.02
    True
    """
    confidence = real("confidence", confidence, least=0.5, most=1.0)
    several = [row for row in rows if len(row.cuts) > 1]
    if len(several) < 2 * _FOLDS:
        raise ValueError(f"rows: {len(several)} sets of several cuts, at least {2 * _FOLDS} are needed")
    if confidence > len(several) / (len(several) + 1):
        most = floor(1e4 * len(several) / (len(several) + 1)) / 1e4
        raise ValueError(
            f"confidence: {confidence} is not in [0.5, {most}], "
            f"what {len(several)} sets of several cuts can support"
        )
    weights = cut_weights(rows, basis)
    single = {(row.cuts[0], row.codecs[0]): row for row in rows if len(row.cuts) == 1}
    plain = [weights_of(row, weights) for row in several]
    loss = np.array([row.expected_loss for row in several])
    if exponent is None:
        unit = "loss" if basis == "loss" else "output_error"
        exponent = fit_exponent(plain, [caused(row, unit) for row in several])
    exponent = real("exponent", exponent, least=1.0, most=2.0)
    if basis == "loss":
        weights = {pair: w + single[pair].expected_loss_se for pair, w in weights.items()}
    images = min(row.images for row in several)
    root = np.array([accumulate(weights_of(row, weights), exponent) for row in several])
    image_se = Curve.from_zero(root, np.array([row.expected_loss_se for row in several]))
    variance = Curve.from_zero(root, np.array([row.images * row.loss_se**2 for row in several]))
    needed = ceil(confidence / (1.0 - confidence) - _ROUNDING)
    return Calibration(
        basis=basis,
        exponent=exponent,
        confidence=confidence,
        blocks=several[0].blocks,
        images=images,
        sets=len(several),
        smallest=float(np.sort(root)[(needed + 1) // 2 - 1] ** exponent),
        largest=float(root.max() ** exponent),
        _weights=weights,
        _single=single,
        _mean=Curve.from_zero(root, loss),
        _image_se=image_se,
        _variance=variance,
        _margin=_margin(root, loss, np.maximum(image_se(root), _least_se(images)), confidence, needed),
    )


def _margin(root: np.ndarray, loss: np.ndarray, scale: np.ndarray, confidence: float, needed: int) -> Curve:
    """Quantile of what the sets about an accumulated error lose beyond the mean of the others."""
    fold = np.arange(len(root)) % _FOLDS
    scores = np.empty(len(root))
    for left_out in range(_FOLDS):
        out = fold == left_out
        mean = Curve.from_zero(root[~out], loss[~out])
        scores[out] = (loss[out] - mean(root[out])) / scale[out]
    order = np.argsort(root, kind="stable")
    near = min(2 * needed, len(root))
    # The quantile of one more than there are, so that a new set is covered with the confidence asked for;
    # `calibrate` saw to it that there are enough, but for rounding.
    rank = min(ceil((near + 1) * confidence - _ROUNDING), near)
    starts = np.clip(np.arange(len(root)) - near // 2, 0, len(root) - near)
    quantiles = [max(np.sort(scores[order[at : at + near]])[rank - 1], 0.0) for at in starts]
    rising = np.maximum.accumulate(quantiles * scale[order])
    return Curve((0.0, *root[order]), (0.0, *rising))


def _least_se(images: int) -> float:
    """Half an image: less cannot be told apart."""
    return 0.5 / images


def _rounded_up(loss: float) -> float:
    """To a hundredth of a point, so that what is named can be promised."""
    return ceil(1e4 * loss) / 1e4
