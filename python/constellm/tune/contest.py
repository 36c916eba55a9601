"""A scheme against computing on board: where it wins, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, instance, positive
from ..core.display import Display, Displayed
from ..core.quantity import figure, quantity
from ..core.table import Table
from ..core.value import Value
from .fleet import Fleet
from .scheduling import schedule_rounds
from .scheme import SCHEMES, Scheme
from .workload import Workload


@dataclass(frozen=True, eq=False)
class Contest(Value, Displayed):
    """A scheme against a rival over speeds on board and passes; what `against` gives.

    Examples
    --------
    >>> from constellm import tune
    >>> found = tune.Contest([1e12, 2e12], [1, 2], [[1.5, 0.75], [3.0, 1.5]])
    >>> found.share(1.0), found.share(2 / 3)
    (0.25, 0.0)
    """

    board_flop_per_s: NDArray[np.float64]
    """(speeds,)"""
    passes: NDArray[np.int64]
    """(passes,)"""
    ratio: NDArray[np.float64]
    """Time of the scheme / time of the rival (speeds, passes)."""

    def __post_init__(self) -> None:
        for field, kind in (("board_flop_per_s", np.float64), ("passes", np.int64), ("ratio", np.float64)):
            array = np.array(getattr(self, field), dtype=kind)
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        if self.ratio.shape != (len(self.board_flop_per_s), len(self.passes)):
            raise ValueError(f"ratio: shape {self.ratio.shape} is not (speeds, passes)")

    def __repr__(self) -> str:
        speeds, passes = self.ratio.shape
        return f"Contest({speeds} speeds × {passes} passes, faster in {self.share(1.0):.0%})"

    def _display(self) -> Display:
        head = ("on board", *(f"{passes} {'pass' if passes == 1 else 'passes'}" for passes in self.passes))
        rows = [
            (quantity(speed, "FLOP/s"), *(figure(value) for value in row))
            for speed, row in zip(self.board_flop_per_s.tolist(), self.ratio.tolist())
        ]
        return Display([repr(self), "time of the scheme / time of the rival"], [Table(head, rows)])

    def share(self, most: float) -> float:
        """Of all cells, those whose ratio is at most so: 2/3 is "by 33 %", 1/3 "to 33 %"."""
        return float(np.mean(self.ratio <= most))


def against(
    workload: Workload,
    fleet: Fleet,
    scheme: Scheme,
    *,
    rounds: int,
    board_flop_per_s: ArrayLike,
    passes: ArrayLike,
    rival: Scheme = SCHEMES["on-board"],
    start_s: float = 0.0,
) -> Contest:
    """A scheme's time by that of a rival that computes on board, over speeds on board and passes a round.

    Parameters
    ----------
    workload, fleet, rounds, start_s
        As of `schedule_rounds`.
    scheme : Scheme
        Its satellites are as fast as the rival's. Not all on board; its head has the most passes throughout,
        which take it microseconds.
    board_flop_per_s : array_like, shape (speeds,)
        Effective speeds of a satellite [FLOP/s].
    passes : array_like of int, shape (passes,)
        Passes over the images in a round: ``local_epochs`` of both. A rival that does not cache computes all
        layers in each.
    rival : Scheme
        With all layers on board.

    Returns
    -------
    Contest

    Raises
    ------
    TypeError, ValueError
        For a rival that is not all on board, and as `schedule_rounds`.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> speeds, passes = [1e12, 4e12], [1, 3]
    >>> found = tune.against(
    ...     tune.spectral_gpt(), fleet, tune.Scheme(), rounds=2, board_flop_per_s=speeds, passes=passes
    ... )
    >>> found.ratio.round(2).tolist()
    [[0.24, 0.08], [0.96, 0.32]]
    """
    if instance("rival", rival, Scheme).cut is not None:
        raise ValueError(f"rival: {rival.describe()} is not all on board")
    if instance("scheme", scheme, Scheme).cut is None:
        raise ValueError(f"scheme: {scheme.describe()} is all on board itself")
    given = np.ravel(board_flop_per_s).tolist()
    speeds = [positive(f"board_flop_per_s[{i}]", speed) for i, speed in enumerate(given)]
    epochs = [count(f"passes[{i}]", times) for i, times in enumerate(np.ravel(passes).tolist())]
    if not speeds or not epochs:
        raise ValueError(f"{'passes' if speeds else 'board_flop_per_s'}: must not be empty")
    ratio = np.empty((len(speeds), len(epochs)))
    for i, speed in enumerate(speeds):
        own = fleet.replace(board_flop_per_s=speed)

        def delay_s(one: Scheme, times: int, own: Fleet = own) -> float:
            local = one.replace(local_epochs=times)
            return schedule_rounds(workload, own, local, rounds=rounds, start_s=start_s).delay_s

        mine_s = delay_s(scheme, max(epochs))
        ratio[i] = [mine_s / delay_s(rival, times) for times in epochs]
    return Contest(np.array(speeds), np.array(epochs), ratio)
