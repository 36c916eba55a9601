"""What a placement comes to, by the one evaluator."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._core import services as _core
from ..core.checks import instance, short
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from ..core.value import Value
from .placement import Placement, Positions, positions_of
from .problem import Problem

if TYPE_CHECKING:
    from .plan import Plan


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Value, Displayed):
    """What a placement comes to; what `evaluate` gives.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> services.evaluate(problem, services.Placement({"encoder": [b]}, {"detect": [b]}))
    Evaluation(cost=1, delay_s=0.0348)
    """

    cost: float
    """Of all replicas."""
    delay_s: float
    """Mean over admitted tasks by their nominal rates [s]; 0 without any."""
    rejected_weight: float
    """Of tasks that are not admitted."""
    task_delay_s: NDArray[np.float64]
    """(tasks,) [s]; NaN where one is not admitted."""
    node_load_flop_per_s: NDArray[np.float64]
    """(nodes,) in the worst case of the demand set, of samples the largest [FLOP/s]."""
    link_load_bps: NDArray[np.float64]
    """(links,) likewise [bit/s]."""
    memory_bytes: NDArray[np.float64]
    """(nodes,) of replicas [B]."""
    broken_samples: int
    """In which a node or a link has too much."""
    minimised: str
    """The problem's objective."""

    def __post_init__(self) -> None:
        for name in ("task_delay_s", "node_load_flop_per_s", "link_load_bps", "memory_bytes"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def objective(self) -> float:
        """What is minimised first."""
        firsts = {"cost": self.cost, "delay": self.delay_s, "admitted": self.rejected_weight}
        return firsts[self.minimised]

    @property
    def second(self) -> float:
        """What is minimised among placements that are equal in the first."""
        return self.delay_s if self.minimised == "cost" else self.cost

    def __reduce__(self) -> tuple[Any, ...]:
        return Evaluation, tuple(getattr(self, field.name) for field in fields(self))

    def __repr__(self) -> str:
        rejected = f", rejected_weight={self.rejected_weight:.6g}" if self.rejected_weight else ""
        return f"Evaluation(cost={self.cost:.6g}, delay_s={self.delay_s:.6g}{rejected})"

    def _display(self) -> Display:
        lines = [f"cost {self.cost:.6g}, mean delay {quantity(self.delay_s, 's')}"]
        if self.rejected_weight:
            lines.append(f"tasks of weight {self.rejected_weight:g} are not admitted")
        rows = [(str(t), quantity(delay_s, "s")) for t, delay_s in enumerate(self.task_delay_s.tolist())]
        return Display(lines, [Table(("task", "delay"), rows)])


def evaluate(problem: Problem, placement: Placement | Plan) -> Evaluation:
    """What a placement comes to; limits are not looked at, `check` names those that it breaks.

    Parameters
    ----------
    problem : Problem
        That it is a placement of.
    placement : Placement or Plan
        With an entry for every service and every task.

    Returns
    -------
    Evaluation

    Raises
    ------
    TypeError, ValueError
        For what is no placement: unknown names and ids, wrong lengths, a stage on a node without a replica of
        its service, replicas on nodes that may not host them, no way between two stages; for a plan without
        a placement.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> found = services.evaluate(problem, services.Placement({"encoder": [a, b]}, {"detect": [a]}))
    >>> found.cost, round(found.delay_s, 9)
    (2.0, 0.03)
    """
    instance("problem", problem, Problem)
    return evaluation_of(problem, positions_of(problem, placement_in(placement)))


def placement_in(placement: Any) -> Placement:
    """A placement, or that of a plan that has one."""
    if isinstance(placement, Placement):
        return placement
    held = getattr(placement, "placement", placement)
    if held is None:
        raise ValueError(f"placement: {short(placement)} has none")
    if not isinstance(held, Placement):
        raise TypeError(f"placement: expected a Placement or a Plan, got {short(placement)}")
    return held


def evaluation_of(problem: Problem, positions: Positions) -> Evaluation:
    """What positions come to."""
    found = _core.evaluate(problem._compiled, problem._routes, *positions)
    return Evaluation(*found, minimised=problem.objective)
