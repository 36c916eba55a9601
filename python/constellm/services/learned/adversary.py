"""Who chooses the demand that comes after services are placed: nobody, chance, or an adversary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.checks import instance, short
from ..arguments import named
from ..demand import worst_demand
from ..loads import loads_of
from ..placement import Placement
from ..problem import Problem

Floats = NDArray[np.float64]
DemandRule = Callable[[Problem, Placement, np.random.Generator], ArrayLike]

_ROOM = 1.0 + 1e-9  # of limits, as of those of a problem


def overload(problem: Problem, placement: Placement, shares: ArrayLike) -> float:
    """What a demand loads nodes and links with above their limits.

    Parameters
    ----------
    problem : Problem
    placement : Placement
        Of the problem; tasks that are not placed load nothing.
    shares : array_like, shape (tasks,)
        Of each task how much of its deviation comes, in [0, 1].

    Returns
    -------
    float
        The sum over nodes and links of what is above the limit ÷ the limit; 0: all of it fits.

    Raises
    ------
    TypeError, ValueError
        For what is no placement of the problem, shares that are none, and a problem with samples.

    Examples
    --------
    >>> from constellm import network, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("ships", rate_per_s=90.0, deviation_per_s=40.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> problem = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> on = services.Placement({"encoder": ["a"]}, {"ships": ["a"]})
    >>> services.overload(problem, on, [0.25]), round(services.overload(problem, on, [1.0]), 9)
    (0.0, 0.3)
    """
    given = _checked("shares", instance("problem", problem, Problem), shares)
    return above(used(problem, placement) @ rates_of(problem, given))


def within_budget(problem: Problem, shares: ArrayLike) -> Floats:
    """Shares of deviations, scaled down to the budget of a problem where their sum is above it."""
    found = np.asarray(shares, dtype=np.float64)
    total = float(found.sum())
    if problem.budget is None or total <= problem.budget:
        return found
    return found * (problem.budget / total)


def _nominal(problem: Problem, placement: Placement, random: np.random.Generator) -> Floats:
    return np.zeros(len(problem.tasks))


def _random(problem: Problem, placement: Placement, random: np.random.Generator) -> Floats:
    """A corner: of a box, each task is raised or not; of a budgeted set, so many are that it is used up."""
    count = len(problem.tasks)
    if problem.budget is None or problem.budget >= count:
        return random.integers(0, 2, count).astype(np.float64)
    shares = np.zeros(count)
    shares[random.permutation(count)] = np.clip(problem.budget - np.arange(count), 0.0, 1.0)
    return shares


def _worst(problem: Problem, placement: Placement, random: np.random.Generator) -> Floats:
    """Of those that load a node or a link most relative to its limit; of a box, all that there is."""
    if problem.samples is not None:
        return np.zeros(len(problem.tasks))
    if problem.budget is None or problem.budget >= len(problem.tasks):
        return np.ones(len(problem.tasks))
    if not loads_of(problem, placement):
        return np.zeros(len(problem.tasks))
    raised = worst_demand(problem, placement).rate_per_s
    rate = np.array([task.rate_per_s for task in problem.tasks])
    deviation = np.array([task.deviation_per_s for task in problem.tasks])
    return np.clip(np.divide(raised - rate, deviation, out=np.zeros(len(rate)), where=deviation > 0), 0, 1)


DEMANDS: dict[str, DemandRule] = {"nominal": _nominal, "random": _random, "worst": _worst}


@dataclass(frozen=True)
class Demand:
    """A rule whose shares are checked, and kept within the budget."""

    rule: DemandRule

    def __call__(self, problem: Problem, placement: Placement, random: np.random.Generator) -> Floats:
        shares = _checked("demand", problem, self.rule(problem, placement, random))
        return within_budget(problem, shares)


def demand_rule(demand: Any) -> Demand:
    """One of `DEMANDS` by name, or a function of the user's own."""
    if callable(demand):
        return Demand(demand)
    if not isinstance(demand, str):
        raise TypeError(f"demand: expected text or a function, got {short(demand)}")
    return Demand(DEMANDS[named("demand", demand, DEMANDS)])


def _checked(field: str, problem: Problem, shares: ArrayLike) -> Floats:
    found = np.asarray(shares)
    count = len(problem.tasks)
    if found.dtype.kind not in "iuf" or found.shape != (count,):
        raise ValueError(f"{field}: expected numbers of shape ({count},), got {short(shares)}")
    found = found.astype(np.float64)
    if not ((found >= 0.0) & (found <= 1.0)).all():
        raise ValueError(f"{field}: {short(shares)} is not in [0, 1]")
    return found


# ---- what an adversary sees --------------------------------------------------------------------

ADVERSARY_FEATURES = {
    "is_served": "whether the task is placed",
    "raise_at_most": "what its deviation adds to a node or a link at most ÷ (itself + the limit)",
    "raise_at_fullest": "the same at the node or link that all deviations together fill most",
    "fills": "how full, in the worst case of the box, the fullest of its nodes and links is: u ÷ (1 + u)",
    "fills_nominally": "the same by nominal rates",
    "budget": "of the problem, of its tasks",
}
"""Columns of what an adversary sees; a row a task."""


def adversary_features(problem: Problem, placement: Placement) -> NDArray[np.float32]:
    """(tasks, features) in [0, 1]."""
    tasks = problem.tasks
    rate = np.array([task.rate_per_s for task in tasks])
    deviation = np.array([task.deviation_per_s for task in tasks])
    count = len(tasks)
    columns = np.zeros((count, len(ADVERSARY_FEATURES)))
    columns[:, 0] = [bool(placement.assignment[task.name]) for task in tasks]
    columns[:, 5] = 1.0 if problem.budget is None else min(1.0, problem.budget / count)
    takes = used(problem, placement)
    if len(takes):
        raises, nominal = takes * deviation, takes @ rate
        box = nominal + raises.sum(axis=1)
        columns[:, 1] = _half(raises.max(axis=0))
        columns[:, 2] = _half(raises[int(box.argmax())])
        columns[:, 3] = _half((box[:, None] * (takes > 0.0)).max(axis=0))
        columns[:, 4] = _half((nominal[:, None] * (takes > 0.0)).max(axis=0))
    return columns.astype(np.float32)


def used(problem: Problem, placement: Placement) -> Floats:
    """(nodes and links that are loaded, tasks) what a request a second takes of their limits."""
    loads = [one for one in loads_of(problem, placement) if one.limit > 0.0]
    return np.array([one.per_request / one.limit for one in loads]).reshape(len(loads), len(problem.tasks))


def rates_of(problem: Problem, shares: Floats) -> Floats:
    """(tasks,) with so much of their deviations [1/s]."""
    return np.array([t.rate_per_s + z * t.deviation_per_s for t, z in zip(problem.tasks, shares.tolist())])


def above(loads: Floats) -> float:
    """The sum of what loads relative to their limits are above 1."""
    return float((loads[loads > _ROOM] - 1.0).sum())


def _half(values: Floats) -> Floats:
    return values / (1.0 + values)
