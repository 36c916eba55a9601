"""The setting of Space-XNet: a model on a constellation, and what a token takes there by each scheme."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...moe import SCHEMES, Arrangement, arrange, evaluate, lognormal_weights
from ...orbit import Constellation, Shell, plus_grid, preset

RATE_BPS = 100e9
"""Of a link: the least that the paper names [bit/s]."""

MESSAGE_S = 8 * 2 * 4096 / RATE_BPS
"""To send a hidden state of 4,096 numbers of two bytes [s]."""

CUT_OFF_S = 0.3
"""What stands for a path that is cut where satellites are ranked by their mean latencies."""


@dataclass(frozen=True)
class Scenario:
    """Space-XNet's setting (arXiv 2605.00515), by the assumptions that come closest to its figures.

    `constellm.paper.space_xnet.PARAMETERS` says of every default whether it is stated, derived or assumed.

    Examples
    --------
    >>> from constellm import paper
    >>> scenario = paper.space_xnet.Scenario(slots=20)
    >>> found = scenario.arrangements(seed=0)
    >>> for name, one in found.items():
    ...     print(f"{name:16} {paper.space_xnet.reached(one)[0]:.1f} s")
    sorted           1.1 s
    nearest-unsorted 1.1 s
    rand-intra-cg    3.4 s
    rand-intra       4.4 s
    rand-place       5.5 s
    greedy           1.3 s
    balanced         4.2 s
    """

    planes: int = 33
    satellites_per_plane: int = 32
    altitude_m: float = 550e3
    inclination_deg: float = 87.0
    raan_spread_deg: float = 360.0
    phase: float = 0.5
    """How far the next plane is ahead, in spacings of satellites in a plane."""
    alternating: bool = False
    """Whether whole spacings are taken off, so that every plane is within half a spacing of the first. Steps
    that add up leave the last plane far ahead, so that links from index to index cannot close the seam."""
    seam: str = "open"
    """``"open"`` or ``"closed"``: whether the last plane has links with the first."""
    max_turn_deg_per_s: float = 0.12
    """Fastest turn of a link's line of sight; inf: no limit [deg/s]."""
    survival: float = 0.95
    """Probability that a link works in a slot."""
    hop_s: float = 0.0
    """Processing on every link, beside the message's own time [s]."""
    expert_s: float = 0.0
    """Compute time of an expert [s]."""
    gateway_s: float = 0.0
    """Compute time of a gateway, once a token and layer [s]."""
    layers: int = 32
    experts: int = 8
    top_k: int = 2
    sigma: float = 0.13
    """Of the normal logarithms of the experts' weights."""
    slots: int = 200
    slot_s: float = math.nan
    """From slot to slot; NaN: an orbit lasts all slots [s]."""

    def replace(self, **changes: Any) -> Scenario:
        """A copy with some fields changed."""
        return replace(self, **changes)

    @property
    def shell(self) -> Shell:
        """The satellites."""
        ahead = self.phase * np.arange(self.planes)
        if self.alternating:
            ahead = ahead - np.round(ahead)
        return preset(
            "space-xnet",
            planes=self.planes,
            satellites_per_plane=self.satellites_per_plane,
            altitude_m=self.altitude_m,
            inclination_deg=self.inclination_deg,
            raan_spread_deg=self.raan_spread_deg,
            phasing=0.0,
            plane_phase_deg=(ahead * 360.0 / self.satellites_per_plane % 360.0).tolist(),
        )

    def world(self, seed: int = 0) -> Constellation:
        """The constellation; `seed` is that of the outages."""
        limited = math.isfinite(self.max_turn_deg_per_s)
        links = plus_grid(
            seam=self.seam,
            max_angular_rate_rad_per_s=math.radians(self.max_turn_deg_per_s) if limited else None,
            survival=self.survival,
            seed=seed,
            overhead_s=MESSAGE_S + self.hop_s,
            rate_bps=RATE_BPS,
        )
        return Constellation(self.shell, links=links, name="space-xnet")

    def times(self) -> NDArray[np.float64]:
        """Seconds at which the slots begin, shape (slots,)."""
        step_s = self.shell.period_s / self.slots if math.isnan(self.slot_s) else self.slot_s
        return step_s * np.arange(self.slots, dtype=np.float64)

    def weights(self, seed: int = 0) -> NDArray[np.float64]:
        """Sampling weights of the experts by `constellm.moe.lognormal_weights`, shape (layers, experts)."""
        return lognormal_weights(self.experts, self.sigma, layers=self.layers, seed=seed)

    def arrangements(
        self,
        seed: int = 0,
        *,
        schemes: Iterable[str] = tuple(SCHEMES),
        weights: NDArray[np.float64] | None = None,
        threads: int = 1,
    ) -> dict[str, Arrangement]:
        """Gateways and experts by scheme, as `constellm.moe.arrange`.

        Parameters
        ----------
        seed : int
            Of outages, weights, random gateways and placements.
        schemes : sequence of str
            Names of `constellm.moe.SCHEMES`.
        weights : array_like, shape (layers, experts), optional
            Default: those of `weights`.
        threads : int
            At most so many.

        Returns
        -------
        dict of str to moe.Arrangement
        """
        return arrange(
            self.world(seed),
            self.times(),
            weights=self.weights(seed) if weights is None else weights,
            top_k=self.top_k,
            schemes=schemes,
            seed=seed,
            compute_s=self.expert_s,
            base_s=self.gateway_s,
            unreachable_s=CUT_OFF_S,
            threads=threads,
        )


def reached(arrangement: Arrangement) -> tuple[float, float]:
    """Token latency over the slots in which a layer's experts are all reached, and the share of the others.

    Parameters
    ----------
    arrangement : moe.Arrangement

    Returns
    -------
    float, float
        Sum over the layers of the mean over its slots, inf where one has none [s]; share of slots and layers
        left out.

    Examples
    --------
    See `constellm.paper.space_xnet.Scenario`.
    """
    slots_s = reached_slots_s(arrangement)
    cut = np.isnan(slots_s)
    if cut.all(axis=1).any():
        return math.inf, float(cut.mean())
    return float(np.nanmean(slots_s, axis=1).sum()), float(cut.mean())


def reached_slots_s(arrangement: Arrangement) -> NDArray[np.float64]:
    """Expected latency of each layer and slot, NaN where one of its experts is not reached [s].

    Not reached is what stands with `Arrangement.unreachable_s` in the problem.

    Parameters
    ----------
    arrangement : moe.Arrangement

    Returns
    -------
    ndarray
        (layers, slots) [s].
    """
    problem, placement = arrangement.problem, arrangement.placement
    slots_s = np.array(evaluate(problem, placement).slot_latency_s)
    position = {id: i for i, id in enumerate(problem.satellites)}
    for i, (layer, hosts) in enumerate(zip(problem.layers, placement)):
        paths_s = layer.latency_s[:, [position[id] for id in hosts]]
        slots_s[i, (paths_s == arrangement.unreachable_s).any(axis=1)] = np.nan
    return slots_s
