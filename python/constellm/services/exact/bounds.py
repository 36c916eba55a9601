"""Our own bound of placements: what is left of a problem once a plan is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..._core import services as _core
from ...core.checks import count, instance, real
from ...core.interrupt import RAISE, handed_over
from ..placement import Placement, Positions, placement_of
from ..problem import Problem


@dataclass(frozen=True)
class Reduction:
    """What a bound leaves of a problem.

    Made by `reduced_hosts`.

    Examples
    --------
    See `constellm.services.reduced_hosts`.
    """

    possible: bool
    """False: no placement has a first term of at most the value asked for, which is proven."""

    hosts: tuple[tuple[tuple[str, ...], ...], ...]
    """Of each task, of each stage: ids of the nodes that such a placement may use, in the network's order."""

    lower_bound: float
    """Of the objective's first term over such placements, infinite where there is none: no placement at all
    is below the least of this, the value and `placement`'s."""

    placement: Placement | None
    """The best that was met on the way; None: none was. If it is below the value, hosts are those of
    placements that are at least as good as it."""

    bounds: int
    """How many bounds were computed."""


def reduced_hosts(
    problem: Problem, value: float = math.inf, *, steps: int = 1000, time_limit_s: float = math.inf
) -> Reduction:
    """Nodes that each stage may still use in a placement that is at least as good as a given one.

    Lagrangian bounds: tasks choose nodes for their stages and nodes choose what they serve, and prices make
    them agree. A node goes from a stage where the bound with it is above `value`.

    Parameters
    ----------
    problem : Problem
        What is to be placed.
    value : float
        Of the objective's first term: **every** placement whose first term is at most this is kept whole,
        equal ones too (with 1e-9 of room), unless a better placement is met. For better ones alone pass less:
        with whole costs the value of a known plan minus 1.
    steps : int
        Of the multipliers at most, >= 0.
    time_limit_s : float
        Stop after this time with what is proven by then [s], >= 0.

    Returns
    -------
    Reduction

    Raises
    ------
    ValueError, TypeError
        For arguments that are none of these.
    Interrupted
        On Ctrl-C, with what is proven by then.

    Examples
    --------
    >>> import constellm as clm
    >>> from constellm import services
    >>> pair = clm.network.Network(
    ...     nodes=[clm.network.Node(id=v, flop_per_s=1e12, memory_bytes=8e9) for v in ("a", "b")],
    ...     links=[clm.network.Link(from_=f, to=t, rate_bps=1e9, latency_s=0.01) for f, t in ("ab", "ba")],
    ... )
    >>> head = services.Service("head", flop=1e11, memory_bytes=1e9, cost=2.0)
    >>> stage = services.Stage("head", inputs=(services.Input(bytes=1e6),))
    >>> task = services.Task("flood", rate_per_s=1.0, source="a", sink="a", stages=(stage,))
    >>> problem = services.Problem(network=pair, services=(head,), tasks=(task,), objective="delay")
    >>> services.reduced_hosts(problem, 0.1).hosts
    ((('a',),),)
    """
    instance("problem", problem, Problem)
    value = real("value", value, least=0)
    steps = count("steps", steps, least=0, most=2**31 - 1)
    time_limit_s = real("time_limit_s", time_limit_s, least=0)
    possible, hosts, lower_bound, positions, bounds, is_interrupted = _core.reduced_hosts(
        problem._compiled, problem._routes, value, steps, time_limit_s
    )
    ids = [node.id for node in problem.network.nodes]
    of_stages = iter(tuple(ids[v] for v in nodes) for nodes in hosts)
    of_tasks = (
        tuple(tuple(next(of_stages) for _ in task.stages) for task in problem.tasks) if possible else ()
    )
    placement = None if positions is None else placement_of(problem, Positions(*positions))
    reduction = Reduction(possible, of_tasks, lower_bound, placement, bounds)
    return handed_over(reduction, interrupted=is_interrupted, on_interrupt=RAISE)
