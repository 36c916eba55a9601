"""What a placement costs the tokens of a trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count, instance, short
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value
from .activation_trace import ActivationTrace
from .arguments import as_array, frozen
from .problem import Problem
from .solver import Plan, positions_of


@dataclass(frozen=True, eq=False, repr=False)
class TraceEvaluation(Value, Displayed):
    """What a placement costs tokens whose experts are known; what `evaluate_trace` gives.

    Examples
    --------
    See `constellm.moe.evaluate_trace`.
    """

    slot_latency_s: NDArray[np.float64]
    """Mean over the tokens, `base_s` included (layers, slots) [s]."""
    by_token_s: NDArray[np.float64]
    """Sum over the layers, mean over the slots, `base_s` included (tokens,) [s]."""

    def __post_init__(self) -> None:
        for name in ("slot_latency_s", "by_token_s"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def layer_latency_s(self) -> NDArray[np.float64]:
        """Mean over the tokens and the slots (layers,) [s]."""
        return np.asarray(self.slot_latency_s.mean(axis=1))

    @property
    def token_latency_s(self) -> float:
        """Sum over the layers [s]."""
        return float(self.layer_latency_s.sum())

    def quantiles_s(self, shares: ArrayLike) -> NDArray[np.float64]:
        """Latencies that these shares of the tokens do not exceed.

        Parameters
        ----------
        shares : array_like, shape (n,)
            In [0, 1].

        Returns
        -------
        ndarray, shape (n,)
            Each is that of a token, never between two of them [s].

        Raises
        ------
        ValueError, TypeError
            For shares out of range.

        Examples
        --------
        See `constellm.moe.evaluate_trace`.
        """
        wanted = as_array("shares", shares, "n").astype(np.float64)
        for i in np.flatnonzero(~((wanted >= 0.0) & (wanted <= 1.0)))[:1].tolist():
            raise ValueError(f"shares[{i}]: {wanted[i]:g} is not in [0, 1]")
        tokens = len(self.by_token_s)
        # Less what rounding adds to a share of the tokens that is whole.
        needed = np.ceil(wanted * tokens - 1e-9).astype(np.int64)
        return np.asarray(np.sort(self.by_token_s)[np.maximum(needed, 1) - 1])

    def __reduce__(self) -> tuple[Any, ...]:
        return TraceEvaluation, (self.slot_latency_s, self.by_token_s)

    def __repr__(self) -> str:
        tokens = counted(len(self.by_token_s), "token")
        return f"TraceEvaluation(token_latency_s={self.token_latency_s:.6g}, {tokens})"

    def _display(self) -> Display:
        tokens = counted(len(self.by_token_s), "token")
        lines = [f"Token latency {quantity(self.token_latency_s, 's')}, mean over {tokens}"]
        rows = [
            (f"{share:.0%}", quantity(latency_s, "s"))
            for share, latency_s in zip(_SHOWN, self.quantiles_s(_SHOWN).tolist())
        ]
        return Display(lines, [Table(("of the tokens", "at most"), rows)])


_SHOWN = (0.05, 0.5, 0.95, 0.99, 1.0)


def evaluate_trace(
    problem: Problem,
    placement: Plan | Sequence[Sequence[Any]],
    trace: ActivationTrace,
    *,
    layers: Sequence[int] | None = None,
    slot: int | None = None,
) -> TraceEvaluation:
    """What a placement costs the tokens of a trace, each with the experts that it activated.

    `evaluate` draws a token's experts by weights, one after the other, so that of a layer's experts it knows
    how often each is picked and not which are picked together. Here nothing is drawn: over tokens and slots
    the mean of the sum over layers of the slowest of a token's experts.

    Parameters
    ----------
    problem : Problem
        Its weights do not matter here.
    placement : Plan, or sequence of sequences
        As of `evaluate`.
    trace : ActivationTrace
        With the problem's `top_k` and experts.
    layers : sequence of int, optional
        Of each layer of the problem the position in the trace; default: as many, in the same order.
    slot : int, optional
        One slot alone, in [0, slots - 1]; default: all.

    Returns
    -------
    TraceEvaluation

    Raises
    ------
    TypeError, ValueError
        Where trace and problem differ in layers, experts or `top_k`, and as of `evaluate`.

    Examples
    --------
    Experts that always go together cost less than if they were drawn apart:

    >>> from constellm import moe
    >>> problem = moe.Problem([moe.Layer([1, 1, 1, 1], [[0.01, 0.02, 0.03, 0.04]])], top_k=2)
    >>> trace = moe.ActivationTrace([[[0, 1], [2, 3], [0, 1], [2, 3]]], experts=4)
    >>> found = moe.evaluate_trace(problem, [["s0", "s1", "s2", "s3"]], trace)
    >>> round(found.token_latency_s, 4), round(moe.evaluate(problem, [[0, 1, 2, 3]]).token_latency_s, 4)
    (0.03, 0.0333)
    >>> found.quantiles_s([0.5, 1.0]).tolist()
    [0.02, 0.04]
    """
    instance("problem", problem, Problem)
    instance("trace", trace, ActivationTrace)
    if isinstance(placement, Plan):
        placement = instance("placement", placement, Plan).placement
    hosts = positions_of(problem, placement)
    if trace.top_k != problem.top_k:
        raise ValueError(f"trace: {trace.top_k} experts a token are not the problem's top_k, {problem.top_k}")
    ids = trace.expert_ids[_positions(problem, trace, layers)]
    for i, experts in enumerate(problem.experts):
        if experts != trace.experts:
            raise ValueError(f"trace: {trace.experts} experts are not the {experts} of layers[{i}]")
    if slot is None:
        first, end = 0, problem.slots
    else:
        first = count("slot", slot, least=0, most=problem.slots - 1)
        end = first + 1
    by_slot, by_token = _core.trace_latency(problem._compiled, hosts, ids, first, end)
    return TraceEvaluation(by_slot, by_token)


def _positions(problem: Problem, trace: ActivationTrace, layers: Sequence[int] | None) -> list[int]:
    """Of each layer of the problem where it is in the trace."""
    wanted = len(problem.layers)
    if layers is None:
        if trace.layers != wanted:
            raise ValueError(f"trace: {trace.layers} layers are not the problem's {wanted}")
        return list(range(wanted))
    if isinstance(layers, str) or not isinstance(layers, Iterable):
        raise TypeError(f"layers: expected a sequence of positions, got {short(layers)}")
    found = [count(f"layers[{i}]", at, least=0, most=trace.layers - 1) for i, at in enumerate(layers)]
    if len(found) != wanted:
        raise ValueError(f"layers: {len(found)} of them are not the problem's {wanted}")
    return found
