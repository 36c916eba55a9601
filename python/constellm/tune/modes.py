"""When a server takes updates of satellites into the global model, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Union

import numpy as np

from ..core.checks import count, non_negative, positive, short
from .head_task import Parameters


class Update(NamedTuple):
    """What a satellite made of the global model that it was sent."""

    satellite: int
    staleness: int
    """Versions of the global model between the one that it was sent and the one that it meets."""
    images: int
    base: Parameters
    """What it was sent."""
    parameters: Parameters


@dataclass(frozen=True)
class Synchronous:
    """Rounds: satellites train the same model; their mean, weighted by images, is the next one.

    FedAvg (McMahan et al., AISTATS 2017, algorithm 1). With a deadline a round ends there, or when the last
    update has come.

    Parameters
    ----------
    participants : int, optional
        Of a round: the first so many that can have the model, as FedAvg for satellites chooses (Kim et al.,
        arXiv 2511.14889, algorithm 1). Default: all that can be reached.
    deadline_s : float, optional
        After the round's start [s], > 0. Default: the server waits for everyone who has a way to it.
    late : {'drop', 'keep'}
        What comes after the deadline is not used; or its change is added in the round in which it comes,
        weighted by (1 + staleness)^-staleness_exponent, and its satellite sits out until then.
    staleness_exponent : float
        >= 0.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.Synchronous(deadline_s=600.0, late="keep")
    Synchronous(participants=None, deadline_s=600.0, late='keep', staleness_exponent=0.5)
    """

    participants: int | None = None
    deadline_s: float | None = None
    late: str = "drop"
    staleness_exponent: float = 0.5

    def __post_init__(self) -> None:
        if self.participants is not None:
            object.__setattr__(self, "participants", count("participants", self.participants))
        if self.deadline_s is not None:
            object.__setattr__(self, "deadline_s", positive("deadline_s", self.deadline_s))
        if self.late not in ("drop", "keep"):
            raise ValueError(f"late: {short(self.late)} is not one of 'drop', 'keep'")
        object.__setattr__(
            self, "staleness_exponent", non_negative("staleness_exponent", self.staleness_exponent)
        )

    def combine(self, parameters: Parameters, updates: Sequence[Update]) -> Parameters:
        """The mean of the updates; of late ones of what they would be from here."""
        weights = [update.images * _weight(update.staleness, self.staleness_exponent) for update in updates]
        total = sum(weights)
        if total == 0:  # nobody has an image
            return parameters
        sums = [np.zeros(part.shape) for part in parameters]
        for weight, update in zip(weights, updates):
            for i, part in enumerate(update.parameters):
                moved = part.astype(np.float64)
                if update.staleness:
                    moved += parameters[i].astype(np.float64) - update.base[i]
                sums[i] += weight / total * moved
        return _typed(sums, parameters)


@dataclass(frozen=True)
class Buffered:
    """Each satellite trains whenever it has a model; every so many updates the server takes their mean.

    FedBuff (Nguyen et al., AISTATS 2022, arXiv 2106.06639, algorithm 1): the mean of the changes in the
    buffer, each weighted by (1 + staleness)^-staleness_exponent, times `rate` is added to the global model.

    Parameters
    ----------
    size : int
        Updates of one aggregation, >= 1.
    rate : float
        The server's learning rate, > 0.
    staleness_exponent : float
        >= 0; 0.5 in the paper.
    most_staleness : int, optional
        Staler updates are dropped, and counted. Default: none is.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.Buffered(size=10)
    Buffered(size=10, rate=1.0, staleness_exponent=0.5, most_staleness=None)
    """

    size: int = 10
    rate: float = 1.0
    staleness_exponent: float = 0.5
    most_staleness: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", count("size", self.size))
        object.__setattr__(self, "rate", positive("rate", self.rate))
        _check_staleness(self)

    def combine(self, parameters: Parameters, updates: Sequence[Update]) -> Parameters:
        """The global model after a full buffer."""
        sums = [part.astype(np.float64) for part in parameters]
        for update in updates:
            weight = self.rate / len(updates) * _weight(update.staleness, self.staleness_exponent)
            for i, part in enumerate(update.parameters):
                sums[i] += weight * (part.astype(np.float64) - update.base[i])
        return _typed(sums, parameters)


@dataclass(frozen=True)
class Asynchronous:
    """Each satellite trains whenever it has a model; every update is mixed into the global one at once.

    FedAsync (Xie et al., arXiv 1903.03934, algorithm 1 with polynomial staleness): the global model becomes
    (1 − α) · itself + α · the update, α = mixing · (1 + staleness)^-staleness_exponent.

    Parameters
    ----------
    mixing : float
        In (0, 1]; 0.6 in the paper.
    staleness_exponent : float
        >= 0; 0.5 in the paper.
    most_staleness : int, optional
        Staler updates are dropped, and counted. Default: none is.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.Asynchronous(mixing=0.9, most_staleness=20)
    Asynchronous(mixing=0.9, staleness_exponent=0.5, most_staleness=20)
    """

    mixing: float = 0.6
    staleness_exponent: float = 0.5
    most_staleness: int | None = None

    size = 1  # of the buffer

    def __post_init__(self) -> None:
        object.__setattr__(self, "mixing", positive("mixing", self.mixing, most=1.0))
        _check_staleness(self)

    def combine(self, parameters: Parameters, updates: Sequence[Update]) -> Parameters:
        """The global model after one update."""
        (update,) = updates
        share = self.mixing * _weight(update.staleness, self.staleness_exponent)
        mixed = [
            (1.0 - share) * part.astype(np.float64) + share * new.astype(np.float64)
            for part, new in zip(parameters, update.parameters)
        ]
        return _typed(mixed, parameters)


Mode = Union[Synchronous, Buffered, Asynchronous]


def _weight(staleness: int, exponent: float) -> float:
    return float((1.0 + staleness) ** -exponent)


def _check_staleness(mode: Buffered | Asynchronous) -> None:
    exponent = non_negative("staleness_exponent", mode.staleness_exponent)
    object.__setattr__(mode, "staleness_exponent", exponent)
    if mode.most_staleness is not None:
        most = count("most_staleness", mode.most_staleness, least=0)
        object.__setattr__(mode, "most_staleness", most)


def _typed(sums: Sequence[np.ndarray], like: Parameters) -> Parameters:
    with np.errstate(over="ignore"):  # refused by who asks
        return [part.astype(old.dtype) for part, old in zip(sums, like)]
