"""Placements of chains and what they cost: thin faces of the compiled solver and evaluator."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import moe as _core
from ..core.checks import count, instance, real
from ..core.display import Display, Displayed
from ..core.progress import waiting
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value, relative_gap
from .arguments import frozen
from .chain import Chain
from .solver import Placement, positions_of


@dataclass(frozen=True, eq=False, repr=False)
class ChainEvaluation(Value, Displayed):
    """What a placement of a chain costs; what `evaluate_chain` gives.

    Examples
    --------
    See `constellm.moe.evaluate_chain`.
    """

    token_latency_s: float
    """Sum over the layers [s]."""
    hop_s: NDArray[np.float64]
    """Mean time from each layer to the next; of a closed chain last to the next token (layers - 1,) or
    (layers,) [s]."""
    compute_s: NDArray[np.float64]
    """Mean time that the expert of a layer computes (layers,) [s]."""

    def __post_init__(self) -> None:
        for name in ("hop_s", "compute_s"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __reduce__(self) -> tuple[Any, ...]:
        return ChainEvaluation, (self.token_latency_s, self.hop_s, self.compute_s)

    def __repr__(self) -> str:
        hops = counted(len(self.hop_s), "hop")
        return f"ChainEvaluation(token_latency_s={self.token_latency_s:.6g}, {hops})"

    def _display(self) -> Display:
        hops = [quantity(s, "s") for s in self.hop_s.tolist()]
        hops += ["–"] * (len(self.compute_s) - len(hops))
        rows = [
            (str(i), quantity(compute, "s"), hop)
            for i, (compute, hop) in enumerate(zip(self.compute_s.tolist(), hops))
        ]
        head = ("layer", "computes", "to the next")
        return Display([f"Token latency {quantity(self.token_latency_s, 's')}"], [Table(head, rows)])


@dataclass(frozen=True, eq=False, repr=False)
class ChainPlan(Value, Displayed):
    """A placement of a chain, and what was proved of it; what `solve_chain` gives.

    Plans are equal that say the same of the same chain, however they were found.

    Examples
    --------
    See `constellm.moe.solve_chain`.
    """

    chain: Chain
    status: str
    """As of `Plan`."""
    token_latency_s: float
    """Of the evaluator [s]; NaN without a placement."""
    lower_bound_s: float
    """No placement has less [s]; infinite where there is none."""
    placement: Placement
    """Of each layer the satellite of each expert; empty where there is none."""
    seconds: float = field(compare=False)
    """Spent [s]."""
    nodes: int = field(default=0, compare=False)
    """Of the search tree."""

    @property
    def gap(self) -> float:
        """How far the placement may be from the best, relative to its own latency; NaN without one."""
        return relative_gap(self.token_latency_s, self.lower_bound_s)

    def __repr__(self) -> str:
        worth = f", token_latency_s={self.token_latency_s:.6g}, gap={self.gap:.3g}" if self.placement else ""
        return f"ChainPlan({self.chain.name!r}: {self.status}{worth})"

    def _display(self) -> Display:
        lines = [f"Plan of {self.chain.name!r}: {self.status}"]
        if not self.placement:
            return Display(lines)
        latency = quantity(self.token_latency_s, "s", digits=4)
        proven = "has less" if self.status == "optimal" else f"is more than {self.gap:.2%} below it"
        lines.append(f"token latency {latency}; no placement {proven}")
        hosted = np.bincount(
            [self.chain.satellites.index(s) for layer in self.placement for s in layer],
            minlength=len(self.chain.satellites),
        )
        used = int(np.count_nonzero(hosted))
        lines.append(f"{counted(used, 'satellite')} used, of up to {counted(int(hosted.max()), 'expert')}")
        rows = [(str(i), " ".join(layer)) for i, layer in enumerate(self.placement)]
        return Display(lines, [Table(("layer", "satellites by expert"), rows)])


def solve_chain(chain: Chain, *, time_limit_s: float = math.inf, seed: int = 0) -> ChainPlan:
    """A satellite for every expert of a chain, so that a token waits the least.

    A quadratic assignment problem over all layers. A placement layer by layer, each at best given the one
    before, is annealed (moves and swaps, each judged over the neighbouring layers alone), and then every
    second layer is placed at best given the others, in turns, until nothing gains. The bound is Gilmore and
    Lawler's, with what two experts hand on charged to the one or the other by subgradient steps. Where
    satellites are few or experts strongly bound it is far below: the gap says how far at most. Small chains
    are proven by a search tree, within a fixed amount of work.

    Parameters
    ----------
    chain : Chain
    time_limit_s : float
        Stop after this time, with the best placement and a true bound [s], >= 0.
    seed : int
        Of the annealing, in [0, 2^31 - 1].

    Returns
    -------
    ChainPlan
        After Ctrl-C the best so far, of status ``interrupted``.

    Raises
    ------
    TypeError, ValueError
        For what is no chain, and a wrong limit or seed.

    Examples
    --------
    >>> from constellm import moe
    >>> affinities = [[[4, 1, 0], [0, 3, 2], [0, 0, 2]], [[3, 1, 0], [2, 0, 2], [0, 4, 0]]]
    >>> line_s = [[0.0, 0.01, 0.02], [0.01, 0.0, 0.01], [0.02, 0.01, 0.0]]
    >>> moe.solve_chain(moe.Chain(affinities, line_s, places=3))
    ChainPlan('chain': optimal, token_latency_s=0.00583333, gap=0)
    """
    instance("chain", chain, Chain)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    seed = count("seed", seed, least=0, most=2**31 - 1)
    start = time.perf_counter()
    with waiting("solve", limit_s=limit_s):
        status, hosts, latency_s, bound_s, nodes = _core.solve_chain(chain._compiled, seed, limit_s)
    ids = iter([chain.satellites[s] for s in hosts])
    placement = tuple(tuple(next(ids) for _ in range(experts)) for experts in chain.experts) if hosts else ()
    return ChainPlan(
        chain=chain,
        status=status,
        token_latency_s=latency_s,
        lower_bound_s=bound_s,
        placement=placement,
        seconds=time.perf_counter() - start,
        nodes=nodes,
    )


def evaluate_chain(chain: Chain, placement: ChainPlan | Sequence[Sequence[Any]]) -> ChainEvaluation:
    """What a placement of a chain costs.

    Parameters
    ----------
    chain : Chain
        Not necessarily that which it was planned for, but with its layers and satellites.
    placement : ChainPlan, or sequence of sequences
        Of each layer the satellite of each expert, by id or by position.

    Returns
    -------
    ChainEvaluation

    Raises
    ------
    TypeError, ValueError
        For what is no placement: a satellite that is unknown or hosts more experts than it has places.

    Examples
    --------
    >>> from constellm import moe
    >>> chain = moe.Chain([[[45, 5], [5, 45]]], [[0.0, 0.01], [0.01, 0.0]], places=2)
    >>> found = moe.evaluate_chain(chain, [["s0", "s1"], ["s1", "s0"]])
    >>> found, found.hop_s.round(9).tolist()
    (ChainEvaluation(token_latency_s=0.009, 1 hop), [0.009])
    """
    instance("chain", chain, Chain)
    if isinstance(placement, ChainPlan):
        placement = instance("placement", placement, ChainPlan).placement
    layers = positions_of(chain, placement)
    if len(layers) != len(chain.experts):
        raise ValueError(f"placement: has {len(layers)} layers, the chain {len(chain.experts)}")
    for i, (layer, experts) in enumerate(zip(layers, chain.experts)):
        if len(layer) != experts:
            raise ValueError(f"placement[{i}]: has {len(layer)} satellites for {experts} experts")
    return ChainEvaluation(*_core.evaluate_chain(chain._compiled, [s for layer in layers for s in layer]))
