"""Costs of changed predictions, with their uncertainty.

The loss of accuracy is the share of images that go from right to wrong, less the share that goes from wrong
to right. On a thousand images it is known to a few tenths of a point only: most predictions that change
belong to images between two classes, where the label is a toss. `expected_loss` replaces the toss by its
mean, the network's own calibrated probabilities, and is several times sharper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.checks import real


@dataclass(frozen=True)
class Flips:
    """What a change of predictions does to accuracy; all are shares, not percent.

    Attributes
    ----------
    agreement : float
        Images whose predicted class stays.
    loss, loss_se : float
        Accuracy before less accuracy after, by the labels, and its standard error over images.
    expected_loss, expected_loss_se : float
        The same by the probabilities of the unchanged network, never negative.

    Examples
    --------
    >>> from constellm import codec
    >>> found = codec.flips([[2.0, 0.0], [0.1, 0.0]], labels=[0, 1], predicted=[0, 1], temperature=1.0)
    >>> found.agreement, found.loss  # one of two changed, from wrong to right
    (0.5, -0.5)
    """

    agreement: float
    loss: float
    loss_se: float
    expected_loss: float
    expected_loss_se: float


def flips(
    logits: np.ndarray, labels: np.ndarray, predicted: np.ndarray, *, temperature: float | None = None
) -> Flips:
    """Compare the classes predicted after a change with those of the unchanged network.

    ::

        loss          = mean( 1[c = y] - 1[c' = y] )
        expected_loss = mean( p(c) - p(c') ),   p = softmax(logits / T)

    c and c' are the classes predicted before and after, y the label. With probabilities that are calibrated
    the two have the same mean, and the second a smaller variance: an image that the network gives 0.5 and
    0.45 counts 0.05 where the label says +1 or -1.

    Parameters
    ----------
    logits : ndarray, shape (images, classes)
        Of the unchanged network.
    labels, predicted : ndarray of integers, shape (images,)
        The true classes, and those predicted after the change.
    temperature : float, optional
        T > 0; default: `fit_temperature` of these logits and labels.

    Returns
    -------
    Flips

    Raises
    ------
    TypeError, ValueError
        If shapes do not fit, logits are not finite, or classes are no integers in [0, classes - 1].

    Examples
    --------
    >>> from constellm import codec
    >>> logits = [[2.0, 0.0], [0.1, 0.0], [0.0, 3.0]]
    >>> found = codec.flips(logits, labels=[0, 1, 1], predicted=[0, 1, 1], temperature=1.0)
    >>> round(found.agreement, 3), round(found.loss, 3), round(found.expected_loss, 3)
    (0.667, -0.333, 0.017)
    """
    logits = _logits(logits)
    labels = _classes("labels", labels, logits)
    predicted = _classes("predicted", predicted, logits)
    temperature = fit_temperature(logits, labels) if temperature is None else temperature
    before = logits.argmax(axis=1)
    lost = (before == labels).astype(np.float64) - (predicted == labels)
    expected = expected_losses(logits, predicted, temperature)
    return Flips(
        agreement=float(np.mean(before == predicted)),
        loss=float(lost.mean()),
        loss_se=_standard_error(lost),
        expected_loss=float(expected.mean()),
        expected_loss_se=_standard_error(expected),
    )


def expected_losses(logits: np.ndarray, predicted: np.ndarray, temperature: float) -> NDArray[np.float64]:
    """p(c) - p(c') of every image, in the terms of `flips`.

    Parameters
    ----------
    logits : ndarray, shape (images, classes)
        Of the unchanged network.
    predicted : ndarray of integers, shape (..., images)
        c', for one change or several.
    temperature : float
        T > 0.

    Returns
    -------
    ndarray, shape of `predicted`

    Raises
    ------
    TypeError, ValueError
        As of `flips`.

    Examples
    --------
    >>> from constellm import codec
    >>> logits = [[2.0, 0.0], [0.1, 0.0], [0.0, 3.0]]
    >>> codec.expected_losses(logits, predicted=[0, 1, 1], temperature=1.0).round(3)
    array([0.  , 0.05, 0.  ])
    """
    logits = _logits(logits)
    predicted = _classes("predicted", predicted, logits, several=True)
    if real("temperature", temperature) <= 0.0:
        raise ValueError(f"temperature: {temperature} is not in (0, inf)")
    probability = _softmax(logits / temperature)
    return probability.max(axis=1) - probability[np.arange(len(probability)), predicted]


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The T that makes softmax(logits / T) most likely: one number against over- and underconfidence.

    Newton's method on 1/T, in which the likelihood is concave (arXiv 1706.04599 calls it temperature
    scaling). Bounded to 0.05 to 20: logits that classify every image right would make T zero.

    Parameters
    ----------
    logits : ndarray, shape (images, classes)
    labels : ndarray of integers, shape (images,)

    Returns
    -------
    float
        T.

    Raises
    ------
    TypeError, ValueError
        As of `flips`.

    Examples
    --------
    >>> from constellm import codec
    >>> logits = [[4.0, 0.0]] * 4  # sure of the first class, which is right three times of four
    >>> round(codec.fit_temperature(logits, [0, 0, 0, 1]), 3)
    3.641
    """
    logits = _logits(logits)
    labels = _classes("labels", labels, logits)
    own = logits[np.arange(len(labels)), labels]
    inverse, low, high = 1.0, 0.05, 20.0
    for _ in range(60):
        probability = _softmax(inverse * logits)
        mean = (probability * logits).sum(axis=1)
        slope = float(np.mean(own - mean))
        curvature = float(np.mean((probability * logits**2).sum(axis=1) - mean**2))
        # Newton may jump too far where the likelihood is flat; the slope's sign says which side is left.
        low, high = (inverse, high) if slope > 0.0 else (low, inverse)
        step = inverse + slope / curvature if curvature > 0.0 else high
        inverse, before = (step if low < step < high else (low + high) / 2.0), inverse
        if abs(inverse - before) <= 1e-10 * inverse:
            break
    return 1.0 / inverse


def _logits(logits: np.ndarray) -> NDArray[np.float64]:
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim != 2 or logits.size == 0:
        raise ValueError(f"logits: expected shape (images, classes) with images, got {logits.shape}")
    if not np.isfinite(logits).all():
        image = int(np.argmin(np.isfinite(logits).all(axis=1)))
        raise ValueError(f"logits: those of image {image} are not finite")
    return logits


def _classes(
    field: str, values: np.ndarray, logits: NDArray[np.float64], *, several: bool = False
) -> NDArray[np.int64]:
    """Places of classes, shape (images,), or (…, images) where there may be `several`."""
    values = np.asarray(values)
    images, classes = logits.shape
    if values.shape[-1:] != (images,) or not (several or values.ndim == 1):
        raise ValueError(f"{field}: expected shape ({'…, ' if several else ''}{images},), got {values.shape}")
    if not np.issubdtype(values.dtype, np.integer):
        raise TypeError(f"{field}: expected integers, the places of classes, got {values.dtype}")
    wrong = values[(values < 0) | (values >= classes)]
    if wrong.size:
        raise ValueError(f"{field}: {wrong[0]} is not in [0, {classes - 1}]")
    return values.astype(np.int64)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")
