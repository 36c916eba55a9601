"""The terms of a campaign, and the trainer that makes codecs in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ..codec.compressor import Compressor
from ..core.checks import count, real
from ..images import ImageSet

LEAST_SETS = 20
"""Sets of several cuts without which nothing is calibrated."""


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
    """

    round: int
    ratios: Mapping[int, float]


class Trainer(Protocol):
    """Makes codecs for the cuts of a plan, such as `constellm.train.CutTrainer`."""

    def __call__(self, images: ImageSet, order: Order) -> Mapping[str, Mapping[int, Compressor]]:
        """Codecs by name, which is new, then by boundary, which is one of the order's."""
        ...
