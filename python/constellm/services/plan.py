"""A placement, and what was proved of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from ..core.checks import instance, real, short
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from ..core.value import Value, relative_gap
from .arguments import put
from .evaluation import Evaluation, evaluate
from .placement import Placement
from .problem import Problem

HAS_PLACEMENT = {
    "optimal": True,
    "feasible": True,
    "infeasible": False,
    "no_plan_found": False,
    "time_limit": None,
    "interrupted": None,
}
"""Whether a plan of each status has a placement; None: perhaps."""


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Value, Displayed):
    """A placement, and what was proved of it; what `solve` gives.

    Costs and delays are those of the one evaluator, whatever found the placement. Plans are equal that say
    the same of the same problem, however they were found.

    Parameters
    ----------
    problem : Problem
    status : str
        ``optimal`` (a proven relative gap of at most 1e-9 in the objective's first term), ``feasible``,
        ``infeasible``, ``no_plan_found``, ``time_limit`` or ``interrupted``.
    placement : Placement or None
        Where there is one.
    lower_bound : float
        No placement has less of the objective's first term; infinite where there is none.
    second_optimal : bool
        Whether the second term is proven least among plans that are equal in the first.
    method : str
        That found it.
    seconds : float
        Spent [s].
    counters : mapping of str to int
        What the method counted.

    Raises
    ------
    TypeError, ValueError
        For a placement that is none of the problem's, or an unknown status, or one with which a placement
        must be there, or must not.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> plan = services.Plan(problem, "feasible", services.Placement({"encoder": [a]}, {"detect": [a]}), 0.5)
    >>> plan, plan.delay_s
    (Plan('services': feasible, cost=1, delay_s=0.03, gap=0.5), 0.03)
    """

    problem: Problem
    status: str
    placement: Placement | None
    lower_bound: float
    second_optimal: bool = False
    method: str = field(default="", compare=False)
    seconds: float = field(default=0.0, compare=False)
    counters: Mapping[str, int] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        instance("problem", self.problem, Problem)
        if self.status not in HAS_PLACEMENT:
            raise ValueError(f"status: {short(self.status)} is not one of {', '.join(HAS_PLACEMENT)}")
        has = HAS_PLACEMENT[self.status]
        if has is not None and has != (self.placement is not None):
            raise ValueError(f"placement: {'missing' if has else 'given'}, and the status is {self.status}")
        put(self, lower_bound=real("lower_bound", self.lower_bound, least=0.0))
        if self.placement is not None:
            instance("placement", self.placement, Placement)
            self.evaluation  # noqa: B018  (so that what is wrong is said now)

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """What the placement comes to; None without one."""
        return None if self.placement is None else evaluate(self.problem, self.placement)

    @property
    def cost(self) -> float:
        """Of all replicas; NaN without a placement."""
        return math.nan if self.evaluation is None else self.evaluation.cost

    @property
    def delay_s(self) -> float:
        """Mean by nominal rates [s]; NaN without a placement."""
        return math.nan if self.evaluation is None else self.evaluation.delay_s

    @property
    def replicas(self) -> Mapping[str, tuple[str, ...]]:
        """Of each service the nodes with a replica; empty without a placement."""
        return {} if self.placement is None else self.placement.replicas

    @property
    def assignment(self) -> Mapping[str, tuple[str, ...]]:
        """Of each task the nodes that serve its stages; empty without a placement."""
        return {} if self.placement is None else self.placement.assignment

    @property
    def objective(self) -> float:
        """What is minimised first; NaN without a placement."""
        return math.nan if self.evaluation is None else self.evaluation.objective

    @property
    def gap(self) -> float:
        """How far the objective may be from the least, relative to itself; NaN without a placement."""
        return relative_gap(self.objective, self.lower_bound)

    def __reduce__(self) -> tuple[Any, ...]:
        return Plan, tuple(getattr(self, of.name) for of in fields(self))

    def __repr__(self) -> str:
        worth = ""
        if self.evaluation is not None:
            worth = f", cost={self.cost:.6g}, delay_s={self.delay_s:.6g}, gap={self.gap:.3g}"
        return f"Plan({self.problem.name!r}: {self.status}{worth})"

    def _display(self) -> Display:
        head = f"Plan of {self.problem.name!r}: {self.status}"
        lines = [f"{head}, by {self.method!r}" if self.method else head]
        found = self.evaluation
        if found is None:
            return Display(lines)
        lines.append(f"cost {found.cost:.6g}, mean delay {quantity(found.delay_s, 's')}; {self._proof()}")
        if found.rejected_weight:
            lines.append(f"tasks of weight {found.rejected_weight:g} are not admitted")
        return Display(lines, [self._replica_rows(), self._task_rows(), self._node_rows()])

    def _proof(self) -> str:
        what = {"cost": "costs less", "delay": "has less", "admitted": "admits more"}[self.problem.objective]
        if self.status != "optimal":
            return f"no placement is more than {self.gap:.2%} below it"
        second = "cost" if self.problem.objective != "cost" else "delay"
        return f"no placement {what}" + (f", nor as much with less {second}" if self.second_optimal else "")

    def _replica_rows(self) -> Table:
        rows = [
            (service.name, str(len(nodes)), " ".join(nodes) or "–")
            for service, nodes in zip(self.problem.services, self.replicas.values())
        ]
        return Table(("service", "replicas", "nodes"), rows)

    def _task_rows(self) -> Table:
        assert self.evaluation is not None
        rows = []
        for task, delay_s in zip(self.problem.tasks, self.evaluation.task_delay_s.tolist()):
            nodes = self.assignment[task.name]
            limit = "–" if task.deadline_s is None else quantity(task.deadline_s, "s")
            path = " → ".join([task.source, *nodes, task.sink]) if nodes else "not admitted"
            rows.append((task.name, quantity(delay_s, "s"), limit, path))
        return Table(("task", "delay", "deadline", "nodes"), rows)

    def _node_rows(self) -> Table:
        assert self.evaluation is not None
        rows = []
        loads, memory = self.evaluation.node_load_flop_per_s, self.evaluation.memory_bytes
        for v, node in enumerate(self.problem.network.nodes):
            if not loads[v] and not memory[v]:
                continue
            room = f"{memory[v] / node.memory_bytes:.0%}" if node.memory_bytes else "–"
            rows.append((node.id, f"{loads[v] / node.flop_per_s:.0%}", room))
        return Table(("node", "used", "memory used"), rows)
