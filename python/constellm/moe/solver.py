"""Placements and what they cost: thin faces of the compiled solvers and evaluator."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count, instance, meant, real, short
from ..core.display import Display, Displayed
from ..core.interrupt import check_on_interrupt, handed_over
from ..core.progress import waiting
from ..core.quantity import quantity
from ..core.table import Table
from ..core.value import Value, relative_gap
from .arguments import frozen
from .problem import Problem

if TYPE_CHECKING:
    from .chain import Chain

Placement = tuple[tuple[str, ...], ...]

METHODS = {
    "optimal": "the best placement with its proof, or a bound of how far it may be from the best",
    "exchange": "the assignment that the bound rests on, improved by moves and swaps",
    "sorted": "layer by layer the heaviest expert on the satellite of the least mean latency that is left",
}
"""What `solve` knows, and what each does."""


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Value, Displayed):
    """What a placement costs; what `evaluate` gives.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer([0.35, 0.25, 0.20, 0.12, 0.08], [[0.010, 0.014, 0.015, 0.022, 0.030]])
    >>> moe.evaluate(moe.Problem([layer], top_k=2), [[0, 1, 2, 3, 4]])
    Evaluation(token_latency_s=0.0191645, 1 layer)
    """

    token_latency_s: float
    """Sum over the layers [s]."""
    layer_latency_s: NDArray[np.float64]
    """Mean over the slots, `base_s` included (layers,) [s]."""
    slot_latency_s: NDArray[np.float64]
    """Of each slot, `base_s` included (layers, slots) [s]."""

    def __post_init__(self) -> None:
        for name in ("layer_latency_s", "slot_latency_s"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Evaluation, (self.token_latency_s, self.layer_latency_s, self.slot_latency_s)

    def __repr__(self) -> str:
        layers = len(self.layer_latency_s)
        return f"Evaluation(token_latency_s={self.token_latency_s:.6g}, {layers} layer{'s' * (layers != 1)})"

    def _display(self) -> Display:
        rows = [
            (str(i), quantity(mean, "s"), quantity(slots.min(), "s"), quantity(slots.max(), "s"))
            for i, (mean, slots) in enumerate(zip(self.layer_latency_s.tolist(), self.slot_latency_s))
        ]
        head = ("layer", "mean", "best slot", "worst slot")
        return Display([f"Token latency {quantity(self.token_latency_s, 's')}"], [Table(head, rows)])


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Value, Displayed):
    """A placement, and what was proved of it; what `solve` gives.

    Plans are equal that say the same of the same problem, however they were found.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer([0.5, 0.3, 0.2], [[0.010, 0.014, 0.015, 0.022]])
    >>> plan = moe.solve(moe.Problem([layer], top_k=1))
    >>> plan.status, plan.placement, plan.gap
    ('optimal', (('s0', 's1', 's2'),), 0.0)
    """

    problem: Problem
    status: str
    """``optimal`` (a proven relative gap of at most 1e-9), ``feasible``, ``infeasible``, ``no_plan_found``,
    ``time_limit`` or ``interrupted``."""
    token_latency_s: float
    """Of the evaluator [s]; NaN without a placement."""
    lower_bound_s: float
    """No placement has less [s]; infinite where there is none."""
    placement: Placement
    """Of each layer the satellite of each expert; empty where there is none."""
    method: str = field(compare=False)
    seconds: float = field(compare=False)
    """Spent [s]."""
    nodes: int = field(default=0, compare=False)
    """Of the search trees."""

    @property
    def gap(self) -> float:
        """How far the placement may be from the best, relative to its own latency; NaN without one."""
        return relative_gap(self.token_latency_s, self.lower_bound_s)

    def __repr__(self) -> str:
        worth = f", token_latency_s={self.token_latency_s:.6g}, gap={self.gap:.3g}" if self.placement else ""
        return f"Plan({self.problem.name!r}: {self.status}{worth})"

    def _display(self) -> Display:
        lines = [f"Plan of {self.problem.name!r}: {self.status}, by {self.method!r}"]
        if not self.placement:
            return Display(lines)
        latency = quantity(self.token_latency_s, "s", digits=4)
        proven = "has less" if self.status == "optimal" else f"is more than {self.gap:.2%} below it"
        lines.append(f"token latency {latency}; no placement {proven}")
        layer_s = evaluate(self.problem, self.placement).layer_latency_s.tolist()
        rows = [
            (str(i), quantity(latency_s, "s"), " ".join(self._heaviest_first(i)))
            for i, latency_s in enumerate(layer_s)
        ]
        return Display(lines, [Table(("layer", "latency", "satellites, heaviest expert first"), rows)])

    def _heaviest_first(self, layer: int) -> list[str]:
        order = np.argsort(-self.problem.layers[layer].weights, kind="stable")
        return [self.placement[layer][e] for e in order.tolist()]


def solve(
    problem: Problem,
    *,
    method: str = "optimal",
    time_limit_s: float = math.inf,
    on_interrupt: str = "return",
) -> Plan:
    """A satellite of its own for every expert, so that a token waits the least.

    For one slot and layers that share no satellites, experts by falling weight on satellites by rising
    latency are optimal. With several slots the mean of the slowest pick is not the slowest of the means, and
    layers may want the same satellites: then the result comes with a bound.

    Parameters
    ----------
    problem : Problem
        What is to be placed where.
    method : str
        One of `METHODS`.
    time_limit_s : float
        Stop after this time, with the best placement and a true bound [s], >= 0.
    on_interrupt : str
        What Ctrl-C does: ``"return"`` the best plan so far, of status ``"interrupted"``, or ``"raise"``
        `Interrupted`, which carries that plan, so that a loop over problems ends.

    Returns
    -------
    Plan

    Raises
    ------
    TypeError, ValueError
        For what is no problem, an unknown method or a wrong limit.
    Interrupted
        A `KeyboardInterrupt`; see `on_interrupt`.

    Examples
    --------
    >>> from constellm import moe
    >>> slots = [[0.010, 0.014, 0.015, 0.022], [0.022, 0.014, 0.010, 0.015]]
    >>> problem = moe.Problem([moe.Layer([0.5, 0.3, 0.2], slots)], top_k=2)
    >>> moe.solve(problem)
    Plan('problem': optimal, token_latency_s=0.0162804, gap=0)
    """
    instance("problem", problem, Problem)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    check_on_interrupt(on_interrupt)
    if not isinstance(method, str) or method not in METHODS:
        known = ", ".join(METHODS)
        raise ValueError(f"method: {short(method)} is not one of {known}{meant(str(method), METHODS)}")
    start = time.perf_counter()
    if method == "sorted":
        found = _core.sorted(problem._compiled)
    else:
        with waiting("solve", limit_s=limit_s):
            found = getattr(_core, "solve" if method == "optimal" else method)(problem._compiled, limit_s)
    status, placement, latency_s, bound_s, nodes = found
    plan = Plan(
        problem=problem,
        status=status,
        token_latency_s=latency_s,
        lower_bound_s=math.inf if status == "infeasible" else bound_s,
        placement=tuple(tuple(problem.satellites[s] for s in layer) for layer in placement),
        method=method,
        seconds=time.perf_counter() - start,
        nodes=nodes,
    )
    return handed_over(plan, interrupted=status == "interrupted", on_interrupt=on_interrupt)


def evaluate(problem: Problem, placement: Plan | Sequence[Sequence[Any]]) -> Evaluation:
    """What a placement costs.

    Parameters
    ----------
    problem : Problem
        That it is a placement for.
    placement : Plan, or sequence of sequences
        Of each layer the satellite of each expert, by id or by position.

    Returns
    -------
    Evaluation
        Exact expectations, to 1e-10 of themselves.

    Raises
    ------
    TypeError, ValueError
        For what is no placement: a satellite that hosts two experts, is unknown or not reachable.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer([0.35, 0.25, 0.20, 0.12, 0.08], [[0.010, 0.014, 0.015, 0.022, 0.030]])
    >>> problem = moe.Problem([layer], top_k=2)
    >>> moe.evaluate(problem, [["s4", "s3", "s2", "s1", "s0"]]).token_latency_s
    0.026225230...
    """
    instance("problem", problem, Problem)
    if isinstance(placement, Plan):
        placement = instance("placement", placement, Plan).placement
    return Evaluation(*_core.evaluate(problem._compiled, positions_of(problem, placement)))


def positions_of(
    problem: Problem | Chain, placement: Sequence[Sequence[Any]], field: str = "placement"
) -> list[list[int]]:
    """A placement by positions; only ids and types are checked. Messages name it as of `field`."""
    if isinstance(placement, str) or not isinstance(placement, Iterable):
        raise TypeError(f"{field}: expected a sequence of layers, got {short(placement)}")
    place = {satellite: i for i, satellite in enumerate(problem.satellites)}
    found = []
    for i, layer in enumerate(placement):
        if isinstance(layer, str) or not isinstance(layer, Iterable):
            raise TypeError(f"{field}[{i}]: expected a sequence of satellites, got {short(layer)}")
        row = []
        for e, satellite in enumerate(layer):
            where = f"{field}[{i}][{e}]"
            if isinstance(satellite, str):
                if satellite not in place:
                    raise ValueError(f"{where}: {short(satellite)} is not one of the problem's satellites")
                row.append(place[satellite])
            else:
                row.append(count(where, satellite, least=0, most=len(place) - 1))
        found.append(row)
    return found


def expected_latency_s(weights: ArrayLike, latency_s: ArrayLike, top_k: int) -> float:
    """Expected latency of the slowest of a token's picks, in one slot.

    Parameters
    ----------
    weights : array_like, shape (experts,)
        Sampling weights, > 0.
    latency_s : array_like, shape (experts,)
        Where each expert is [s], >= 0.
    top_k : int
        Experts that a token picks, in [1, experts].

    Returns
    -------
    float
        In seconds, to 1e-10 of itself.

    Raises
    ------
    TypeError, ValueError
        Naming what is wrong.

    Examples
    --------
    >>> from constellm import moe
    >>> round(moe.expected_latency_s([0.35, 0.25, 0.20, 0.12, 0.08], [10, 14, 15, 22, 30], top_k=3), 6)
    22.326065
    """
    return float(_core.expected_latency_s(weights, latency_s, count("top_k", top_k, most=2**31 - 1)))


def activation_shares(weights: ArrayLike, top_k: int) -> NDArray[np.float64]:
    """Which share of all activations each expert has, from sampling weights.

    Parameters
    ----------
    weights : array_like, shape (experts,)
        Sampling weights, > 0.
    top_k : int
        Experts that a token picks, in [1, experts].

    Returns
    -------
    ndarray, shape (experts,)
        They add up to 1: the probability that a token picks the expert, over `top_k`.

    Raises
    ------
    TypeError, ValueError
        Naming what is wrong.

    Examples
    --------
    >>> from constellm import moe
    >>> (2 * moe.activation_shares([0.35, 0.25, 0.20, 0.12, 0.08], top_k=2)).round(5).tolist()
    [0.63233, 0.50295, 0.41902, 0.26505, 0.18065]
    """
    return _core.activation_shares(weights, count("top_k", top_k, most=2**31 - 1))


def sampling_weights(shares: ArrayLike, top_k: int) -> NDArray[np.float64]:
    """Sampling weights under which experts have these shares of all activations.

    Parameters
    ----------
    shares : array_like, shape (experts,)
        > 0; they are divided by their sum, after which each is below 1 / top_k.
    top_k : int
        Experts that a token picks, in [1, experts].

    Returns
    -------
    ndarray, shape (experts,)
        They add up to 1. Found by w ← w · top_k · share / inclusion with Anderson's acceleration, to 1e-12.

    Raises
    ------
    TypeError, ValueError
        For shares that no weights give; names the expert.

    Examples
    --------
    >>> from constellm import moe
    >>> shares = moe.activation_shares([0.35, 0.25, 0.20, 0.12, 0.08], top_k=2)
    >>> moe.sampling_weights(shares, top_k=2).round(9).tolist()
    [0.35, 0.25, 0.2, 0.12, 0.08]
    """
    return _core.sampling_weights(shares, count("top_k", top_k, most=2**31 - 1))
