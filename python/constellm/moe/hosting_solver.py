"""Placements of several experts on a satellite, and what they cost: thin faces of the compiled ones."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._core import moe as _core
from ..core.checks import count, instance, real
from ..core.display import Display, Displayed
from ..core.progress import waiting
from ..core.quantity import quantity
from ..core.table import Table
from ..core.value import Value, relative_gap
from .hosting import Copies, Hosting, HostingEvaluation, copies_of


@dataclass(frozen=True, eq=False, repr=False)
class HostingPlan(Value, Displayed):
    """A placement of experts and their copies, and what was proved of it; what `host` gives.

    Plans are equal that say the same of the same hosting, however they were found.

    Examples
    --------
    See `constellm.moe.host`.
    """

    hosting: Hosting
    status: str
    """``optimal`` (a proven relative gap of at most 1e-9), ``feasible``, ``infeasible``, ``no_plan_found``,
    ``time_limit`` or ``interrupted``."""
    token_latency_s: float
    """Of the evaluator [s]; NaN without a placement."""
    lower_bound_s: float
    """No placement has less [s]; infinite where there is none."""
    anew_s: float
    """With every layer placed anew in every slot [s], or a bound of that: no placement has less, however many
    copies of experts it has. Infinite where there is none."""
    placement: Copies
    """Of each layer and expert the satellites that have a copy; empty where there is none."""
    seconds: float = field(compare=False)
    """Spent [s]."""
    nodes: int = field(default=0, compare=False)
    """Of the search trees."""

    @property
    def gap(self) -> float:
        """How far the placement may be from the best, relative to its own latency; NaN without one."""
        return self._above(self.lower_bound_s)

    @property
    def most_saved_by_copies(self) -> float:
        """Which share of the latency more copies of experts could save at most; NaN without a placement."""
        return self._above(self.anew_s)

    def _above(self, bound_s: float) -> float:
        # Rounding may put a bound above.
        return max(relative_gap(self.token_latency_s, bound_s), 0.0) if self.placement else math.nan

    def __repr__(self) -> str:
        worth = f", token_latency_s={self.token_latency_s:.6g}, gap={self.gap:.3g}" if self.placement else ""
        return f"HostingPlan({self.hosting.problem.name!r}: {self.status}{worth})"

    def _display(self) -> Display:
        lines = [f"HostingPlan of {self.hosting.problem.name!r}: {self.status}"]
        if not self.placement:
            return Display(lines)
        latency = quantity(self.token_latency_s, "s", digits=4)
        proven = "has less" if self.status == "optimal" else f"is more than {self.gap:.2%} below it"
        lines.append(f"token latency {latency}; no placement {proven}")
        lines.append(f"more copies of experts save at most {self.most_saved_by_copies:.2%}")
        layer_s = evaluate_hosting(self.hosting, self.placement).layer_latency_s.tolist()
        rows = []
        for i, latency_s in enumerate(layer_s):
            order = np.argsort(-self.hosting.problem.layers[i].weights, kind="stable").tolist()
            experts = ["+".join(self.placement[i][e]) for e in order]
            rows.append((str(i), quantity(latency_s, "s"), " ".join(experts)))
        return Display(lines, [Table(("layer", "latency", "satellites, heaviest expert first"), rows)])


def host(hosting: Hosting, *, time_limit_s: float = math.inf, seed: int = 0) -> HostingPlan:
    """Experts and their copies on satellites with places for several, so that a token waits the least.

    With one copy of each expert, no limited activations, and two picks at most (more, where serving takes no
    time), it is the proof of `solve` over the places of all satellites. Else the placement is annealed; what
    bounds it are every layer placed anew in every slot, for one copy of each also an assignment of all
    experts to places, and for small problems a search of all placements.

    Parameters
    ----------
    hosting : Hosting
        What is to be placed where.
    time_limit_s : float
        Stop after this time, with the best placement and a true bound [s], >= 0.
    seed : int
        Of the annealing, >= 0.

    Returns
    -------
    HostingPlan
        After Ctrl-C the best so far, of status ``interrupted``.

    Raises
    ------
    TypeError, ValueError
        For what is no hosting, and a wrong limit or seed.

    Examples
    --------
    >>> from constellm import moe
    >>> slots = [[0.010, 0.014, 0.015, 0.022], [0.022, 0.014, 0.010, 0.015]]
    >>> problem = moe.Problem([moe.Layer([0.5, 0.3, 0.2], slots)], top_k=2)
    >>> moe.host(moe.Hosting(problem, places=2, service_s=0.001))
    HostingPlan('problem': optimal, token_latency_s=0.0139857, gap=1e-11)
    >>> moe.host(moe.Hosting(problem, places=2, service_s=0.001, copies=2)).placement
    ((('s0', 's2'), ('s0', 's2'), ('s1',)),)
    """
    instance("hosting", hosting, Hosting)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    seed = count("seed", seed, least=0, most=2**64 - 1)
    start = time.perf_counter()
    with waiting("host", limit_s=limit_s):
        status, placement, latency_s, bound_s, anew_s, nodes = _core.host(hosting._compiled, seed, limit_s)
    ids = hosting.problem.satellites
    nothing = status == "infeasible"
    return HostingPlan(
        hosting=hosting,
        status=status,
        token_latency_s=latency_s,
        lower_bound_s=math.inf if nothing else bound_s,
        anew_s=math.inf if nothing else anew_s,
        placement=tuple(tuple(tuple(ids[s] for s in copies) for copies in layer) for layer in placement),
        seconds=time.perf_counter() - start,
        nodes=nodes,
    )


def evaluate_hosting(hosting: Hosting, placement: HostingPlan | Sequence[Sequence[Any]]) -> HostingEvaluation:
    """What a placement of experts and copies costs.

    Parameters
    ----------
    hosting : Hosting
        That it is a placement for.
    placement : HostingPlan, or sequence of sequences
        Of each layer and expert the satellites that have a copy, by id or by position; a lone satellite is
        one copy.

    Returns
    -------
    HostingEvaluation
        Exact expectations, to 1e-9 of themselves.

    Raises
    ------
    TypeError, ValueError
        For what is no placement: a satellite with more experts than places, two copies of an expert or more
        activations than it may have, an expert with too many copies or none in reach.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer([0.35, 0.25, 0.20, 0.12, 0.08], [[0.010, 0.014, 0.015, 0.022, 0.030]])
    >>> hosting = moe.Hosting(moe.Problem([layer], top_k=2), places=3, service_s=0.003)
    >>> found = moe.evaluate_hosting(hosting, [["s0", "s0", "s0", "s1", "s1"]])
    >>> found
    HostingEvaluation(token_latency_s=0.0134884, 1 layer, at most 214 tokens/s)
    >>> found.executions.round(3).tolist()
    [[1.554, 0.446, 0.0, 0.0, 0.0]]
    """
    instance("hosting", hosting, Hosting)
    if isinstance(placement, HostingPlan):
        placement = instance("placement", placement, HostingPlan).placement
    latency_s, layer_s, slot_s, executions = _core.evaluate_hosting(
        hosting._compiled, copies_of(hosting.problem, placement)
    )
    return HostingEvaluation(latency_s, layer_s, slot_s, executions, executions * hosting.service_s)
