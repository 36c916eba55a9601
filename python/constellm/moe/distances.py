"""How far satellites are from each other, as a chain of experts wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import instance, non_negative
from ..orbit import Constellation
from .paths import some_times

_MOST_AT_ONCE = 20_000_000  # latencies: 160 MB


def mean_latencies(
    world: Constellation,
    times: Any,
    *,
    satellites: Sequence[str] | None = None,
    unreachable_s: float | None = None,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Least latencies from satellite to satellite, the mean over time slots.

    Parameters
    ----------
    world : Constellation
    times : array_like, shape (slots,)
        As of `Constellation.seconds`. Links that survive with a probability are drawn for each.
    satellites : sequence of str, optional
        Ids; default: all of the world. Routes may pass others.
    unreachable_s : float, optional
        What counts in a slot in which no way leads from one to another [s], >= 0. Default: that is refused.
    threads : int
        At most so many.

    Returns
    -------
    ndarray, shape (satellites, satellites)
        For `Chain` [s].

    Raises
    ------
    ValueError, TypeError
        Where no way leads from a satellite to another in some slot, for no time, and what
        `Constellation.latencies` raises.

    Examples
    --------
    >>> from constellm import moe, orbit
    >>> world = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
    >>> (1e3 * moe.mean_latencies(world, [0.0, 60.0])[0, :4]).round(2).tolist()
    [0.0, 11.88, 23.75, 35.63]
    """
    instance("world", world, Constellation)
    ids = list(world.satellite_ids if satellites is None else satellites)
    seconds = some_times(world, times)
    if unreachable_s is not None:
        unreachable_s = non_negative("unreachable_s", unreachable_s)
    mean_s = np.empty((len(ids), len(ids)))
    # All slots at once, for outages are drawn by the slot's number; some satellites at a time.
    step = max(1, _MOST_AT_ONCE // (len(seconds) * max(1, len(ids))))
    for start in range(0, len(ids), step):
        some = ids[start : start + step]
        found = world.latencies(some, seconds, targets=ids, threads=threads).latency_s
        if unreachable_s is not None:
            found = np.where(np.isinf(found), unreachable_s, found)
        for t, a, b in np.argwhere(np.isinf(found))[:1].tolist():
            raise ValueError(
                f"world: no way leads from {some[a]!r} to {ids[b]!r} in slot {t}, and unreachable_s "
                "is not given"
            )
        mean_s[start : start + step] = found.mean(axis=0)
    return mean_s
