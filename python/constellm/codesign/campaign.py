"""What a campaign rests on: its images, its terms, its measurements, and the trainer that makes codecs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any, Protocol

import numpy as np

from ..codec.compressor import Compressor
from ..codec.measured_cuts import MeasuredCuts
from ..core.checks import count, instance, real
from ..images import ImageSet
from ..infer.measurement import measure as measure_cuts

_SHARED_BY_CHANCE = 0.5
"""Of the images of two sets: archives hold some pictures several times, but more than half is a slip."""

LEAST_SETS = 20
"""Sets of several cuts without which nothing is calibrated."""


@dataclass(frozen=True)
class Images:
    """What codecs are trained on, what is measured, and what tells the truth in the end: no image twice.

    Parameters
    ----------
    training, calibration : ImageSet
        For the codecs; and for measuring every codec alone at its cuts.
    test : ImageSet, optional
        The plan of every round is measured on these too; nothing depends on what comes of it.
    sets : ImageSet, optional
        Sets of several cuts are measured on these. A planner takes what seemed cheap on the calibration
        images, and only others tell how much of that was chance. Default: one half of the calibration images
        of every class is for single cuts, the other for sets.

    Raises
    ------
    TypeError, ValueError
        If one is no ImageSet or empty, there is one calibration image and no `sets`, or more than half of
        the images of one are in another too; names it.

    Examples
    --------
    >>> from constellm import codesign, images
    >>> divided = codesign.Images(training=images.synthetic(50), calibration=images.synthetic(40, seed=1))
    >>> [len(part) for part in divided.measured()]
    [20, 20]
    """

    training: ImageSet
    calibration: ImageSet
    test: ImageSet | None = None
    sets: ImageSet | None = None

    def __post_init__(self) -> None:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.test is None:
            del given["test"]
        if self.sets is None:
            del given["sets"]
        for name, images in given.items():
            if not len(instance(name, images, ImageSet)):
                raise ValueError(f"{name}: no image in it, at least one is needed")
        if self.sets is None and len(self.calibration) < 2:
            raise ValueError("calibration: one image cannot be divided; give sets=... too")
        pictures = {name: {hash(image.tobytes()) for image in s.pixels} for name, s in given.items()}
        for one, other in combinations(pictures, 2):
            fewer = min(len(pictures[one]), len(pictures[other]))
            shared = len(pictures[one] & pictures[other])
            if shared > _SHARED_BY_CHANCE * fewer:
                raise ValueError(f"{other}: shares {shared} of {fewer} images with {one}, expected others")

    def measured(self) -> tuple[ImageSet, ImageSet]:
        """What single cuts are measured on, and what sets of several are."""
        if self.sets is not None:
            return self.calibration, self.sets
        mixed = self.calibration.shuffled(0)
        by_class = np.argsort(mixed.labels, kind="stable")
        return mixed.take(np.sort(by_class[1::2])), mixed.take(np.sort(by_class[::2]))


@dataclass(frozen=True)
class Measuring:
    """How cuts are measured, and which have been.

    Parameters
    ----------
    measure : callable
        `constellm.infer.measure`, or what takes its arguments and returns something with its `rows`.
    known : sequence of MeasuredCuts
        Rows at hand, of the same network and images (`Images.measured`): what is among them is not measured
        again, and sets of several cuts of the menu count towards the campaign's.

    Examples
    --------
    >>> from constellm import codesign, infer
    >>> len(codesign.Measuring(known=infer.measured_cuts()).known)
    210
    """

    measure: Callable[..., Any] = measure_cuts
    known: Sequence[MeasuredCuts] = ()


@dataclass(frozen=True)
class Campaign:
    """What every plan promises, when turns end, and how much is measured.

    Parameters
    ----------
    loss, confidence : float
        Every plan promises to lose at most this share of accuracy, see `codec.Calibration.max_error`.
    rounds : int
        At most so many after round 0.
    tolerance : float
        Gains below this share of the objective do not count.
    sets : int
        Sets of several cuts to calibrate on in round 0, at least 20; a later round measures half as many
        new ones. Two thirds are plans for other error limits as far as there are such, for it is plans that
        the calibration is to hold for; random ones reach beyond what plans accumulate.
    batch : int
        Images that are encoded together.
    seed : int
        Of the random sets.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range; names it.

    Examples
    --------
    >>> from constellm import codesign
    >>> codesign.Campaign(loss=0.02, rounds=1)
    Campaign(loss=0.02, confidence=0.95, rounds=1, tolerance=0.01, sets=40, batch=64, seed=0)
    """

    loss: float = 0.01
    confidence: float = 0.95
    rounds: int = 3
    tolerance: float = 0.01
    sets: int = 40
    batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        real("loss", self.loss, least=1e-6, most=1.0)
        real("confidence", self.confidence, least=0.5, most=1.0)
        count("rounds", self.rounds, least=0)
        real("tolerance", self.tolerance, least=0.0, most=1.0)
        count("sets", self.sets, least=LEAST_SETS)
        count("batch", self.batch)
        count("seed", self.seed, least=0)


@dataclass(frozen=True)
class Order:
    """What a trainer is asked for.

    Attributes
    ----------
    round : int
        From 1; for names.
    ratios : mapping of int to float
        The plan's cuts, by boundary, with the ratio of the codec that it has there.

    Examples
    --------
    >>> from constellm import codesign
    >>> codesign.Order(round=1, ratios={4: 8.0, 8: 12.5})
    Order(round=1, ratios={4: 8.0, 8: 12.5})
    """

    round: int
    ratios: Mapping[int, float]


class Trainer(Protocol):
    """Makes codecs for the cuts of a plan, such as `constellm.train.CutTrainer`.

    Examples
    --------
    >>> from constellm import codec, codesign
    >>> def trainer(images, order):
    ...     three = codec.Direct(codec.Scheme(bits=3), name=f"three-{order.round}")  # or trained
    ...     return {three.name: dict.fromkeys(order.ratios, three)}
    >>> list(trainer(images=None, order=codesign.Order(round=2, ratios={4: 8.0})))
    ['three-2']
    """

    def __call__(self, images: ImageSet, order: Order) -> Mapping[str, Mapping[int, Compressor]]:
        """Codecs by name, which is new, then by boundary, which is one of the order's."""
        ...
