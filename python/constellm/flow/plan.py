"""What contacts carry when, by when all has arrived, and what proves that it cannot be sooner."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import short
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value, relative_gap
from .problem import Problem


@dataclass(frozen=True, eq=False, repr=False)
class Cut(Value):
    """Which nodes are on the source side of a cut of the network in time, by stretches of time.

    What is wanted by a moment T has to cross it before T: it starts outside, is stored or sent from inside to
    outside, or there is no way. So no transfer ends before the moment when so much can have crossed.

    Examples
    --------
    >>> from constellm import flow
    >>> flow.Cut(start_s=[0.0, 40.0], source_side=[[True, False], [True, True]])
    Cut(2 stretches, 2 nodes)
    """

    start_s: NDArray[np.float64]
    """When each stretch begins, the first at 0; the last never ends (stretches,) [s]."""
    source_side: NDArray[np.bool_]
    """Whether a node is on the source side (stretches, nodes)."""

    def __init__(self, start_s: ArrayLike, source_side: ArrayLike) -> None:
        start = frozen("start_s", start_s, np.float64)
        side = frozen("source_side", source_side, np.bool_, dimensions=2)
        if len(start) != len(side) or not len(start):
            raise ValueError(f"source_side: shape {side.shape} is not ({len(start)}, nodes)")
        if start[0] != 0.0 or not (np.diff(start) > 0.0).all() or not np.isfinite(start).all():
            raise ValueError(f"start_s: {short(start.tolist())} do not rise from 0")
        object.__setattr__(self, "start_s", start)
        object.__setattr__(self, "source_side", side)

    def __reduce__(self) -> tuple[Any, ...]:
        return Cut, (self.start_s, self.source_side)

    def __repr__(self) -> str:
        stretches, nodes = self.source_side.shape
        return f"Cut({counted(stretches, 'stretch', 'stretches')}, {counted(nodes, 'node')})"


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Value, Displayed):
    """What contacts carry when, and what was proved of it; what `solve` gives.

    Plans are equal that say the same of the same problem, however they were found.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(
    ...     ["satellite", "station"], from_=[0], to=[1], open_s=30.0, close_s=90.0, rate_bps=8e6
    ... )
    >>> plan = flow.solve(flow.Problem(contacts, supply_bytes=[2e6, 0.0], sinks=["station"]))
    >>> plan
    Plan('transfer': optimal, finish_s=32, gap=0)
    >>> plan.contact.tolist(), plan.start_s.tolist(), plan.end_s.tolist(), plan.sent_bytes.tolist()
    ([0], [30.0], [32.0], [2000000.0])
    """

    problem: Problem
    status: str
    """``optimal`` (nothing ends sooner, to rounding), ``feasible``, ``infeasible``, ``no_plan_found``,
    ``time_limit`` or ``interrupted``."""
    finish_s: float
    """By when all has arrived that is wanted [s]; NaN without a plan."""
    lower_bound_s: float
    """No plan finishes sooner [s]; infinite where there is none."""
    contact: NDArray[np.int32]
    """Position of the contact that carries each flow (flows,)."""
    start_s: NDArray[np.float64]
    """From when on it flows, at a constant rate (flows,) [s]."""
    end_s: NDArray[np.float64]
    """Until when (flows,) [s]."""
    sent_bytes: NDArray[np.float64]
    """How much (flows,) [B]."""
    cut: Cut | None = None
    """The certificate of the bound, or of there being no plan; None where the bound needs none."""
    method: str = field(default="optimal", compare=False)
    seconds: float = field(default=0.0, compare=False)
    """Spent [s]."""
    maximum_flows: int = field(default=0, compare=False)
    """How many were computed."""
    rounds: int = field(default=0, compare=False)
    """How many grids of time were tried, each finer than the one before."""
    network_nodes: int = field(default=0, compare=False)
    """Of the largest network in time."""
    network_arcs: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "contact", frozen("contact", self.contact, np.int32))
        for name in ("start_s", "end_s", "sent_bytes"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), np.float64))
        sizes = {name: len(getattr(self, name)) for name in ("contact", "start_s", "end_s", "sent_bytes")}
        if len(set(sizes.values())) != 1:
            raise ValueError(f"contact, start_s, end_s, sent_bytes: {sizes} are not of one length")

    @property
    def gap(self) -> float:
        """How much sooner another plan may finish, relative to this one; NaN without one."""
        return relative_gap(self.finish_s, self.lower_bound_s)

    def __repr__(self) -> str:
        known = "" if math.isnan(self.finish_s) else f", finish_s={self.finish_s:.6g}, gap={self.gap:.3g}"
        return f"Plan({self.problem.name!r}: {self.status}{known})"

    def _display(self) -> Display:
        lines = [f"Plan of {self.problem.name!r}: {self.status}, by {self.method!r}"]
        if math.isnan(self.finish_s):
            return Display(lines)
        proven = "sooner" if self.status == "optimal" else f"more than {self.gap:.2%} sooner"
        lines.append(
            f"all has arrived after {quantity(self.finish_s, 's', digits=6)}; no plan finishes {proven}"
        )
        lines.append(
            f"{counted(len(self.contact), 'flow')} over {counted(len(np.unique(self.contact)), 'contact')}"
        )
        contacts, ids = self.problem.contacts, [node.id for node in self.problem.contacts.nodes]
        rows = []
        for i in np.lexsort((self.contact, self.start_s)).tolist():
            c = self.contact[i]
            ends = (ids[contacts.from_[c]], ids[contacts.to[c]])
            rows.append(
                (
                    *ends,
                    f"{self.start_s[i]:.6g} s",
                    f"{self.end_s[i]:.6g} s",
                    quantity(self.sent_bytes[i], "B"),
                )
            )
        return Display(lines, [Table(("from", "to", "start", "end", "data"), rows)])


def frozen(name: str, values: ArrayLike, kind: type, *, dimensions: int = 1) -> NDArray[Any]:
    """`values` as an array of its own that cannot be written.

    Raises
    ------
    TypeError, ValueError
        For what is no array of such numbers.
    """
    given = np.asarray(values)
    kinds = {np.float64: "iuf", np.int32: "iu", np.bool_: "b"}[kind]
    if given.size and given.dtype.kind not in kinds:
        raise TypeError(f"{name}: expected an array of {kind.__name__}, got {short(values)}")
    if given.ndim != dimensions:
        raise ValueError(f"{name}: expected {counted(dimensions, 'dimension')}, got shape {given.shape}")
    array: NDArray[Any] = given.astype(kind)
    if not np.array_equal(array, given, equal_nan=kind is np.float64):
        raise ValueError(f"{name}: {short(values)} are not in the range of {kind.__name__}")
    array.flags.writeable = False
    return array.view()
