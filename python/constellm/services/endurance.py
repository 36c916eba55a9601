"""What a placement is worth in a problem that has changed under it."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core import services as _core
from ..core.checks import instance
from ..core.display import Display, Displayed
from ..core.interrupt import Interrupted
from ..core.table import Table
from .evaluation import evaluation_of, placement_in
from .placement import Placement, Positions, placement_of, positions_of
from .problem import Problem
from .solver import solve
from .tasks import Service
from .travel import links_of, trips

if TYPE_CHECKING:
    from .plan import Plan


@dataclass(frozen=True, eq=False, repr=False)
class Endurance(Displayed):
    """What a placement is still worth; what `endure` gives.

    Shares are of requests, by nominal rates of the changed problem.

    Attributes
    ----------
    problem : Problem
        The changed one.
    kept : Placement
        The assignment as it was, without the tasks that break.
    broken : dict of str to str
        Why each task breaks that does, by its name.
    rerouted : Plan
        The most that the replicas that are left can serve: assignments are chosen anew, nothing is started.
    lost_replicas : int
        How many stood on nodes that are lost.

    Examples
    --------
    See `constellm.services.endure`.
    """

    problem: Problem
    kept: Placement
    broken: dict[str, str]
    rerouted: Plan
    lost_replicas: int

    @property
    def kept_share(self) -> float:
        """Of requests that are served as before, in time and within all limits."""
        return _share(self.problem, set(self.broken))

    @property
    def rerouted_share(self) -> float:
        """Of requests that the replicas left serve; at least so many where `rerouted` is not optimal."""
        served = self.rerouted.assignment
        return _share(self.problem, {task.name for task in self.problem.tasks if not served.get(task.name)})

    def __repr__(self) -> str:
        return (
            f"Endurance({self.problem.name!r}: {self.kept_share:.1%} served as before, "
            f"{self.rerouted_share:.1%} over the replicas that are left)"
        )

    def _display(self) -> Display:
        served = self.rerouted.assignment
        rows = [
            (name, self.broken.get(name, "served"), "served" if served.get(name) else "–")
            for name in (task.name for task in self.problem.tasks)
        ]
        return Display([repr(self)], [Table(("task", "as before", "over what is left"), rows)])


def endure(problem: Problem, placement: Placement | Plan, **options: Any) -> Endurance:
    """What a placement that was made for another demand or network is worth in this one.

    First as it is: a task breaks whose stages lost a replica, which finds no way, comes too late or does not
    fit even alone, or which uses a node or a link that has too much of all that is sent there, what comes too
    late included. Then over the replicas that are left, none started anew: which tasks they can serve at
    most, by requests, each stage at any of them.

    Parameters
    ----------
    problem : Problem
        The changed one, over the same nodes, services and tasks: from `spiked`, `shifted`, `without`, or your
        own.
    placement : Placement or Plan
        The one that was made before.
    **options
        Of `solve`, which finds the second answer: ``method``, ``time_limit_s``, ``seed``, ``threads``.

    Returns
    -------
    Endurance

    Raises
    ------
    TypeError, ValueError
        For names and ids that are not the problem's, and as `solve`.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=4, requests_per_s=5.0)
    >>> plan = services.solve(problem, method="annealing")
    >>> worse = services.without(problem, plan.replicas["image-encoder"][:1])
    >>> services.endure(worse, plan, method="search").kept_share < 1.0
    True
    """
    instance("problem", problem, Problem)
    given = placement_in(placement)
    before = positions_of(problem, given)
    speed = [node.flop_per_s for node in problem.network.nodes]
    left = [[v for v in nodes if speed[v] > 0] for nodes in before.replicas]
    lost = sum(map(len, before.replicas)) - sum(map(len, left))
    broken = _broken(problem.replace(objective="admitted", max_cost=None), before, left)
    assignment = [() if t in broken else nodes for t, nodes in enumerate(before.assignment)]
    names = [task.name for task in problem.tasks]
    return Endurance(
        problem=problem,
        kept=placement_of(problem, Positions(left, assignment)),
        broken={names[t]: why for t, why in sorted(broken.items())},
        rerouted=solve(on_replicas(problem, left), **options),
        lost_replicas=lost,
    )


def on_replicas(problem: Problem, replicas: Sequence[Sequence[int]]) -> Problem:
    """Who can be served by these replicas alone: they cost nothing, and tasks weigh what they ask for."""
    ids = [node.id for node in problem.network.nodes]
    services = [
        Service(of.name, flop=of.flop, memory_bytes=of.memory_bytes, cost=0.0, nodes=[ids[v] for v in nodes])
        for of, nodes in zip(problem.services, replicas)
    ]
    tasks = [replace(task, weight=task.rate_per_s) for task in problem.tasks]
    return problem.replace(services=services, tasks=tasks, objective="admitted", max_cost=None)


def degradation(
    placement: Placement | Plan, problems: Mapping[str, Problem], **options: Any
) -> list[dict[str, Any]]:
    """What a placement is worth in one changed problem after the other: a curve.

    Parameters
    ----------
    placement : Placement or Plan
        The one that was made before.
    problems : mapping of str to Problem
        The changed ones, by what was changed.
    **options
        Of `solve`, as in `endure`.

    Returns
    -------
    list of dict
        A row each: ``stress``, ``kept_share`` and ``rerouted_share`` of requests, ``broken_tasks``,
        ``lost_replicas``, and ``status`` of the plan over what is left.

    Raises
    ------
    TypeError, ValueError
        As `endure`.
    Interrupted
        On Ctrl-C: a `KeyboardInterrupt` whose `result` are the rows so far.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=4, requests_per_s=5.0)
    >>> plan = services.solve(problem, method="annealing")
    >>> worse = {f"x {by}": services.spiked(problem, by) for by in (1, 4)}
    >>> rows = services.degradation(plan, worse, method="search")
    >>> [(row["stress"], round(row["kept_share"], 2), round(row["rerouted_share"], 2)) for row in rows]
    [('x 1', 1.0, 1.0), ('x 4', 0.2, 0.47)]
    """
    rows = []
    for stress, problem in problems.items():
        found = endure(problem, placement, **options)
        rows.append(
            {
                "stress": stress,
                "kept_share": found.kept_share,
                "rerouted_share": found.rerouted_share,
                "broken_tasks": len(found.broken),
                "lost_replicas": found.lost_replicas,
                "status": found.rerouted.status,
            }
        )
        if found.rerouted.status == "interrupted":
            raise Interrupted(rows)
    return rows


def _broken(problem: Problem, before: Positions, left: Sequence[Sequence[int]]) -> dict[int, str]:
    """Why each task breaks that does."""
    service = {of.name: s for s, of in enumerate(problem.services)}
    broken = {}
    sent = []
    for t, (task, nodes) in enumerate(zip(problem.tasks, before.assignment)):
        if not nodes:
            broken[t] = "was not admitted"
        elif any(v not in left[service[stage.service]] for stage, v in zip(task.stages, nodes)):
            broken[t] = "lost a replica"
        elif not _finds_ways(problem, t, nodes):
            broken[t] = "finds no way"
        else:
            sent.append(t)
    over = _overloading(problem, left, before, sent)
    for t in sent:
        if why := _fails_alone(problem, left, before, t) or over.get(t, ""):
            broken[t] = why
    return broken


def _only(before: Positions, tasks: Container[int]) -> list[Sequence[int]]:
    return [nodes if t in tasks else () for t, nodes in enumerate(before.assignment)]


def _fails_alone(problem: Problem, left: Sequence[Sequence[int]], before: Positions, t: int) -> str:
    alone = Positions(left, _only(before, {t}))
    delay_s = evaluation_of(problem, alone).task_delay_s[t]
    if delay_s > problem._compiled.limits()[3][t]:
        return "comes too late"
    return "" if _core.keeps_limits(problem._compiled, problem._routes, *alone) else "does not fit alone"


def _finds_ways(problem: Problem, t: int, nodes: Sequence[int]) -> bool:
    return all(
        np.isfinite(problem._routes.seconds(trip.transfer, trip.origin)[trip.target])
        for trip in trips(problem, t, nodes)
    )


def _overloading(
    problem: Problem, left: Sequence[Sequence[int]], before: Positions, served: Sequence[int]
) -> dict[int, str]:
    """Tasks on nodes and links that have too much of all that is sent there, what comes too late included."""
    found = evaluation_of(problem, Positions(left, _only(before, served)))
    if problem.samples is not None and found.broken_samples <= problem.may_break:
        return {}
    node_limit, link_limit, *_ = problem._compiled.limits()
    nodes = set(np.flatnonzero(found.node_load_flop_per_s > np.asarray(node_limit)).tolist())
    links = set(np.flatnonzero(found.link_load_bps > np.asarray(link_limit)).tolist())
    over = {}
    for t in served:
        if nodes & set(before.assignment[t]):
            over[t] = "uses a node that has too much"
        elif links and any(
            links & set(links_of(problem, trip)) for trip in trips(problem, t, before.assignment[t])
        ):
            over[t] = "uses a link that has too much"
    return over


def _share(problem: Problem, left_out: Container[str]) -> float:
    rates = [0.0 if task.name in left_out else task.rate_per_s for task in problem.tasks]
    return math.fsum(rates) / math.fsum(task.rate_per_s for task in problem.tasks)
