"""A ring whose gateways are still open: what its layers cost between any two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count, instance, non_negative
from ..orbit import Constellation
from .paths import as_compute_s, ring_weights, subnet_places, ways
from .ring import Ring

Costs = list[NDArray[np.float64]]
"""For each layer, (gateways, gateways of the next layer) [s]; inf where no placement is possible."""


class OpenRing:
    """The question of gateways, checked once; parameters as of `constellm.moe.best_gateways`."""

    def __init__(
        self,
        world: Constellation,
        ring: Ring,
        *,
        weights: Sequence[ArrayLike] | NDArray[Any],
        top_k: int,
        compute_s: ArrayLike,
        unreachable_s: float | None,
        threads: int,
    ) -> None:
        self._world = instance("world", world, Constellation)
        self._ring = instance("ring", ring, Ring)
        self._top_k = count("top_k", top_k, most=2**31 - 1)
        self._weights = ring_weights(ring, weights, self._top_k)
        self._unreachable_s = None if unreachable_s is None else non_negative("unreachable_s", unreachable_s)
        self._threads = count("threads", threads, most=1024)
        place = {id: i for i, id in enumerate(world.satellite_ids)}
        self._subnets = subnet_places(place, ring)
        _check_apart(ring)
        compute = as_compute_s(compute_s, len(self._subnets), len(place))
        self._compute_s = [of_layer[subnet] for of_layer, subnet in zip(compute, self._subnets)]

    def costs(self, times: NDArray[np.float64], slot: int) -> tuple[Costs, Costs]:
        """Of the best placements found between gateways, and bounds of all."""
        rings = [(self._subnets, self._subnets)]
        own_s, before_s = ways(self._world, times, rings, slot=slot, threads=self._threads)[0]
        values, bounds = [], []
        for i, (weights, compute_s) in enumerate(zip(self._weights, self._compute_s)):
            value, bound = _core.gateway_costs(
                weights=weights,
                top_k=self._top_k,
                from_s=own_s[i] + compute_s,
                to_s=before_s[(i + 1) % len(before_s)],
                own=np.arange(len(compute_s)),
                unreachable_s=self._unreachable_s,
                threads=self._threads,
            )
            values.append(value)
            bounds.append(bound)
        return values, bounds

    def with_gateways(self, chosen: Iterable[int]) -> Ring:
        """The ring with these, by their positions in their subnets; as it came where there are none."""
        gateways = [subnet[g] for subnet, g in zip(self._ring.subnets, chosen)]
        return Ring(self._ring.subnets, gateways) if gateways else self._ring

    @property
    def own(self) -> list[int]:
        """Positions of the gateways that the ring came with."""
        return [subnet.index(gateway) for gateway, subnet in zip(self._ring.gateways, self._ring.subnets)]


def latency_s(costs: Costs, gateways: Sequence[int]) -> float:
    """Around the ring, with these gateways [s]."""
    after = [*gateways[1:], gateways[0]]
    return sum(float(cost[g, h]) for cost, g, h in zip(costs, gateways, after))


def _check_apart(ring: Ring) -> None:
    """Refuse a satellite in two subnets, and a gateway outside its own."""
    used = list(chain.from_iterable(ring.subnets))
    if len(set(used)) < len(used):
        twice = next(id for i, id in enumerate(used) if id in used[:i])
        raise ValueError(f"ring.subnets: {twice!r} is in two of them")
    for i, (gateway, subnet) in enumerate(zip(ring.gateways, ring.subnets)):
        if gateway not in subnet:
            raise ValueError(f"ring.gateways[{i}]: {gateway!r} is not in subnet {i}")
