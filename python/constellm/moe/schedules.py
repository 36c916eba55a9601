"""Gateways over windows of time: followed where that gains more than moving them costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import non_negative, short
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..orbit import Constellation
from .open_ring import OpenRing, latency_s
from .paths import some_times
from .ring import Ring


@dataclass(frozen=True, repr=False)
class GatewaySchedule(Displayed):
    """A ring for each window of time; what `gateway_schedule` gives.

    Examples
    --------
    See `constellm.moe.gateway_schedule`.
    """

    rings: tuple[Ring, ...]
    """With the chosen gateways, by window."""
    token_latency_s: tuple[float, ...]
    """By window, of placements between the gateways, without what gateways compute [s]; inf where no ring can
    be placed in some window."""
    tokens: tuple[float, ...]
    """By window."""
    move_s: float
    """What the change of a gateway costs [s]."""
    cost_s: float
    """Sum over windows of tokens · latency, and `move_s` for each change [s]."""
    lower_bound_s: float
    """No gateways and no placements cost less [s]."""
    apart_s: float
    """What the best gateways of each window by itself cost, their changes counted [s]."""
    still_s: float
    """What the best gateways cost that never change [s]."""

    @property
    def moves(self) -> tuple[int, ...]:
        """Gateways that change from each window to the next (windows - 1,)."""
        return tuple(
            sum(a != b for a, b in zip(one.gateways, other.gateways))
            for one, other in zip(self.rings, self.rings[1:])
        )

    @property
    def gap(self) -> float:
        """How far the cost may be from the least, relative to itself."""
        if not 0 < self.cost_s < math.inf:
            return 0.0
        return (self.cost_s - self.lower_bound_s) / self.cost_s

    def __repr__(self) -> str:
        return f"GatewaySchedule({self._size()}, cost_s={self.cost_s:.6g}, gap={self.gap:.3g})"

    def _size(self) -> str:
        return f"{counted(len(self.rings), 'window')}, {counted(sum(self.moves), 'move')}"

    def _display(self) -> Display:
        lines = [
            f"Gateways of {self.rings[0]!r} over {self._size()}",
            f"cost {quantity(self.cost_s, 's')}; the least is at most {self.gap:.2%} below it",
            f"{quantity(self.apart_s, 's')} with windows apart, {quantity(self.still_s, 's')} without moves",
        ]
        rows = [
            (window, quantity(token_s, "s"), moves)
            for window, (token_s, moves) in enumerate(zip(self.token_latency_s, (0, *self.moves)))
        ]
        return Display(lines, [Table(("window", "token latency", "moves"), rows)])


def gateway_schedule(
    world: Constellation,
    ring: Ring,
    windows: Sequence[ArrayLike],
    *,
    weights: Sequence[ArrayLike] | NDArray[Any],
    top_k: int,
    move_s: float,
    tokens: ArrayLike = 1.0,
    compute_s: ArrayLike = 0.0,
    unreachable_s: float | None = None,
    threads: int = 1,
) -> GatewaySchedule:
    """The gateways of every layer in every window, so that latencies and moves together cost the least.

    ::

        Σ_w tokens_w · latency_w + move_s · (gateways that change from a window to the next)

    Without moves each window is for itself, as `best_gateways` plans it; where they cost much, one ring is
    for all. In between layers and windows hang together: what is found is the best of several descents, with
    a bound by Lagrange multipliers, rings of a window on one side and layers over the windows on the other.

    Parameters
    ----------
    world : Constellation
    ring : Ring
        Its subnets, no satellite in two of them, are what gateways are chosen from.
    windows : sequence of array_like, shape (slots,)
        Times of each window, as of `path_latencies`, one window after the other. Slots are counted through
        all windows, so that each has outages of its own: `ring_problem` sees those of a window with the
        number of slots before it as ``slot``.
    weights, top_k, compute_s, unreachable_s, threads
        As of `best_gateways`.
    move_s : float
        What the change of one gateway costs, >= 0: the time that its tokens wait meanwhile, added up [s].
        Experts that move with their gateway are not counted.
    tokens : array_like, broadcast to (windows,)
        How many each window has, > 0.

    Returns
    -------
    GatewaySchedule

    Raises
    ------
    ValueError, TypeError
        For no window, tokens that are not positive or of another shape, a negative move, and what
        `best_gateways` refuses.

    Examples
    --------
    >>> from constellm import moe, orbit
    >>> shell = orbit.preset("iridium-next")
    >>> world = orbit.Constellation(shell, links=orbit.plus_grid(seam="open"))
    >>> given = {"windows": [[0.0], [300.0], [600.0]], "weights": [[5, 3, 2]] * 11, "top_k": 2}
    >>> for move_s in (0.0, 1e-3, 1.0):
    ...     found = moe.gateway_schedule(world, moe.ring(shell, 11), **given, move_s=move_s)
    ...     print(found.moves, f"{sum(found.token_latency_s):.3f} s, gap {found.gap:.1%}")
    (5, 4) 1.401 s, gap 0.0%
    (1, 2) 1.403 s, gap 0.0%
    (0, 0) 1.409 s, gap 0.0%
    """
    open_ring = OpenRing(
        world, ring, weights=weights, top_k=top_k, compute_s=compute_s, unreachable_s=unreachable_s,
        threads=threads,
    )  # fmt: skip
    all_times = _times_of(world, windows)
    move_s = non_negative("move_s", move_s)
    share = _tokens_of(tokens, len(all_times))
    values, bounds = [], []
    slot = 0
    for times in all_times:
        value, bound = open_ring.costs(times, slot)
        slot += len(times)
        values.append(value)
        bounds.append(bound)

    def weighed(costs: list[list[NDArray[np.float64]]]) -> list[list[NDArray[np.float64]]]:
        return [[many * cost for cost in of_window] for many, of_window in zip(share, costs)]

    chosen, cost_s, bound_s, apart_s, still_s = _core.schedule_rings(weighed(values), weighed(bounds), move_s)
    if not chosen:
        chosen = [open_ring.own] * len(values)
    return GatewaySchedule(
        rings=tuple(open_ring.with_gateways(gateways) for gateways in chosen),
        token_latency_s=tuple(latency_s(value, gateways) for value, gateways in zip(values, chosen)),
        tokens=share,
        move_s=move_s,
        cost_s=cost_s,
        lower_bound_s=bound_s,
        apart_s=apart_s,
        still_s=still_s,
    )


def _times_of(world: Constellation, windows: Any) -> list[NDArray[np.float64]]:
    if isinstance(windows, str) or not isinstance(windows, (Sequence, np.ndarray)):
        raise TypeError(f"windows: expected the times of each, got {short(windows)}")
    if not len(windows):
        raise ValueError("windows: must not be empty")
    found = []
    for i, times in enumerate(windows):
        try:
            found.append(some_times(world, times))
        except (ValueError, TypeError) as error:
            raise type(error)(f"windows[{i}]: {error}") from None
    return found


def _tokens_of(tokens: ArrayLike, windows: int) -> tuple[float, ...]:
    try:
        share = np.broadcast_to(np.asarray(tokens, dtype=np.float64), (windows,))
    except ValueError:
        raise ValueError(f"tokens: shape {np.shape(tokens)} does not broadcast to ({windows},)") from None
    bad = ~(np.isfinite(share) & (share > 0))
    if bad.any():
        raise ValueError(f"tokens[{int(bad.argmax())}]: {share[bad][0]:g} is not in (0, inf)")
    return tuple(share.tolist())
