"""The gateways of a ring, chosen together with the experts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count, instance, non_negative
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from ..orbit import Constellation
from .paths import as_compute_s, positions, ring_weights, some_times, ways
from .ring import Ring


@dataclass(frozen=True, eq=False, repr=False)
class Gateways(Displayed):
    """A ring whose gateways are chosen; what `best_gateways` gives.

    Examples
    --------
    See `constellm.moe.best_gateways`.
    """

    ring: Ring
    """With the chosen gateways."""
    token_latency_s: float
    """Of placements between them, without what gateways compute [s]; inf where no ring can be placed."""
    lower_bound_s: float
    """No gateways and no placement have less [s]."""
    fixed_s: float
    """As `token_latency_s`, of the gateways that the ring came with [s]."""

    @property
    def gap(self) -> float:
        """How far the latency may be from the least, relative to itself."""
        if not 0 < self.token_latency_s < math.inf:
            return 0.0
        return (self.token_latency_s - self.lower_bound_s) / self.token_latency_s

    def __repr__(self) -> str:
        return f"Gateways({self.ring!r}, token_latency_s={self.token_latency_s:.6g}, gap={self.gap:.3g})"

    def _display(self) -> Display:
        latency = quantity(self.token_latency_s, "s")
        lines = [
            f"Gateways of {self.ring!r}",
            f"token latency {latency}; the least is at most {self.gap:.2%} below it",
            f"{quantity(self.fixed_s, 's')} with the gateways that it came with",
        ]
        rows = list(enumerate(self.ring.gateways))
        return Display(lines, [Table(("layer", "gateway"), rows)])


def best_gateways(
    world: Constellation,
    ring: Ring,
    times: Any,
    *,
    weights: Sequence[ArrayLike] | NDArray[Any],
    top_k: int,
    compute_s: ArrayLike = 0.0,
    unreachable_s: float | None = None,
    threads: int = 1,
) -> Gateways:
    """The gateway of each layer among the satellites of its subnet, experts placed between them.

    A layer costs what a placement between its gateway and the next one costs; over the costs of all pairs a
    programme around the ring is exact. The bound takes for every pair the bound of all placements.

    Parameters
    ----------
    world : Constellation
    ring : Ring
        Its subnets, no satellite in two of them, are what gateways are chosen from; its own gateways are
        compared.
    times : array_like, shape (slots,)
        As of `constellm.moe.path_latencies`.
    weights : sequence of array_like
        Sampling weights of the experts, layer by layer.
    top_k : int
        Experts activated per token and layer.
    compute_s : array_like, broadcast to (layers, satellites)
        Of an expert, in the order of ``world.satellite_ids`` [s].
    unreachable_s : float, optional
        What counts for a satellite of the subnet in a slot in which no way leads there [s], >= 0. Default:
        such a satellite hosts nothing.
    threads : int
        At most so many.

    Returns
    -------
    Gateways

    Raises
    ------
    ValueError, TypeError
        For a satellite in two subnets or unknown to the world, a gateway outside its subnet, and what
        `constellm.moe.ring_problem` refuses.

    Examples
    --------
    >>> from constellm import moe, orbit
    >>> shell = orbit.preset("iridium-next")
    >>> world = orbit.Constellation(shell, links=orbit.plus_grid(seam="open"))
    >>> found = moe.best_gateways(world, moe.ring(shell, 11), [0.0], weights=[[5, 3, 2]] * 11, top_k=2)
    >>> found.token_latency_s < found.fixed_s, len(set(found.ring.gateways))
    (True, 11)
    """
    instance("world", world, Constellation)
    instance("ring", ring, Ring)
    top_k = count("top_k", top_k, most=2**31 - 1)
    weights = ring_weights(ring, weights, top_k)
    times = some_times(world, times)
    if unreachable_s is not None:
        unreachable_s = non_negative("unreachable_s", unreachable_s)
    threads = count("threads", threads, most=1024)
    place = {id: i for i, id in enumerate(world.satellite_ids)}
    subnets = [
        np.array(positions(place, f"ring.subnets[{i}]", subnet), dtype=np.int64)
        for i, subnet in enumerate(ring.subnets)
    ]
    used = list(chain.from_iterable(ring.subnets))
    if len(set(used)) < len(used):
        twice = next(id for i, id in enumerate(used) if id in used[:i])
        raise ValueError(f"ring.subnets: {twice!r} is in two of them")
    fixed = []
    for i, (gateway, subnet) in enumerate(zip(ring.gateways, ring.subnets)):
        if gateway not in subnet:
            raise ValueError(f"ring.gateways[{i}]: {gateway!r} is not in subnet {i}")
        fixed.append(subnet.index(gateway))
    compute = as_compute_s(compute_s, len(subnets), len(place))
    own_s, before_s = ways(world, times, [(subnets, subnets)], threads=threads)[0]
    values: list[NDArray[np.float64]] = []
    bounds: list[NDArray[np.float64]] = []
    for i, (places, weight) in enumerate(zip(subnets, weights)):
        value, bound = _core.gateway_costs(
            weights=weight,
            top_k=top_k,
            from_s=own_s[i] + compute[i, places],
            to_s=before_s[(i + 1) % len(subnets)],
            own=np.arange(len(places)),
            unreachable_s=unreachable_s,
            threads=threads,
        )
        values.append(value)
        bounds.append(bound)
    chosen, latency_s = _core.cheapest_ring([*values])
    _, bound_s = _core.cheapest_ring([*bounds])
    after = [*fixed[1:], fixed[0]]
    found = Ring(ring.subnets, [subnet[g] for subnet, g in zip(ring.subnets, chosen)]) if chosen else ring
    return Gateways(
        ring=found,
        token_latency_s=latency_s,
        lower_bound_s=min(bound_s, latency_s),
        fixed_s=sum(float(value[g, h]) for value, g, h in zip(values, fixed, after)),
    )
