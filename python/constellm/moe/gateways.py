"""The gateways of a ring, chosen together with the experts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from ..orbit import Constellation
from .open_ring import OpenRing, latency_s
from .paths import some_times
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
    slot: int = 0,
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
    slot : int
        Which slot the first time is, for links that survive with a probability.
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
    open_ring = OpenRing(
        world, ring, weights=weights, top_k=top_k, compute_s=compute_s, unreachable_s=unreachable_s,
        threads=threads,
    )  # fmt: skip
    values, bounds = open_ring.costs(some_times(world, times), count("slot", slot, least=0))
    chosen, token_latency_s = _core.cheapest_ring([*values])
    _, bound_s = _core.cheapest_ring([*bounds])
    return Gateways(
        ring=open_ring.with_gateways(chosen),
        token_latency_s=token_latency_s,
        lower_bound_s=min(bound_s, token_latency_s),
        fixed_s=latency_s(values, open_ring.own),
    )
