"""The cheapest way to serve everyone again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..core.checks import instance
from ..core.display import Display, Displayed
from ..core.quantity import counted
from ..core.table import Table
from .evaluation import placement_in
from .horizons.horizon import Horizon
from .horizons.solver import solve_horizon
from .placement import Placement, positions_of
from .problem import Problem

if TYPE_CHECKING:
    from .plan import Plan


@dataclass(frozen=True, eq=False, repr=False)
class Repair(Displayed):
    """Replicas that have to start for all tasks to be served again; what `repair` gives.

    Attributes
    ----------
    problem : Problem
    status : str
        As of a `Plan`: ``optimal`` where no repair costs less, ``infeasible`` where there is none.
    placement : Placement or None
        With the repair; of replicas that serve nothing any more it may have none.
    started : tuple of (str, str)
        Service and node of each replica that starts.
    cost : float
        Of those that start; NaN without a placement.
    lower_bound : float
        No repair costs less.

    Examples
    --------
    See `constellm.services.repair`.
    """

    problem: Problem
    status: str
    placement: Placement | None
    started: tuple[tuple[str, str], ...]
    cost: float
    lower_bound: float

    def __repr__(self) -> str:
        what = f", {counted(len(self.started), 'replica')} for {self.cost:g}" if self.placement else ""
        return f"Repair({self.problem.name!r}: {self.status}{what})"

    def _display(self) -> Display:
        cost = {of.name: of.cost for of in self.problem.services}
        rows = [(service, node, cost[service]) for service, node in self.started]
        return Display([repr(self)], [Table(("starts", "node", "cost"), rows)] if rows else [])


def repair(
    problem: Problem, placement: Placement | Plan, *, time_limit_s: float = math.inf, seed: int = 0
) -> Repair:
    """The replicas of least cost that have to start for all tasks to be served again.

    Those of the placement that are left are there for nothing, also where they serve no more; assignments are
    chosen anew, of repairs that cost the same those of least mean delay. All limits are kept but `max_cost`.

    Parameters
    ----------
    problem : Problem
        The changed one, as of `endure`.
    placement : Placement or Plan
        The one that was made before.
    time_limit_s : float
        As of `solve_horizon` [s]: a repair is a horizon of one slot whose replicas cost their start alone.
    seed : int
        As of `solve_horizon`.

    Returns
    -------
    Repair

    Raises
    ------
    TypeError, ValueError
        For names and ids that are not the problem's, and as `solve_horizon`.
    ImportError
        Without ``highspy``, the extra ``solver``.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=4, requests_per_s=5.0)
    >>> plan = services.solve(problem, method="annealing")
    >>> worse = services.without(problem, plan.replicas["image-encoder"][:1])
    >>> services.repair(worse, plan)
    Repair('scenario-1': optimal, 6 replicas for 24)
    """
    instance("problem", problem, Problem)
    given = placement_in(placement)
    positions_of(problem, given)  # which refuses what is none of the problem's
    speed = {node.id: node.flop_per_s for node in problem.network.nodes}
    left = {name: [id for id in ids if speed[id] > 0] for name, ids in given.replicas.items()}
    there = problem.replace(
        services=[replace(of, cost=0.0) for of in problem.services], objective="cost", max_cost=None
    )
    starts = {of.name: of.cost for of in problem.services}
    horizon = Horizon([there], 1.0, start_cost=starts, initial=left)
    plan = solve_horizon(horizon, time_limit_s=time_limit_s, seed=seed)
    found = plan.placements[0] if plan.placements else None
    started = () if found is None else _started(found, left)
    return Repair(
        problem=problem,
        status=plan.status,
        placement=found,
        started=started,
        cost=math.nan if found is None else math.fsum(starts[service] for service, _ in started),
        lower_bound=plan.lower_bound,
    )


def _started(placement: Placement, left: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, id) for name, ids in placement.replicas.items() for id in ids if id not in left[name])
