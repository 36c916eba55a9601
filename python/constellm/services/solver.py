"""Methods by name, and what becomes of what they find."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._core import services as _core
from ..core.checks import count, instance, meant, real, short
from ..core.interrupt import check_on_interrupt, handed_over
from ..core.progress import waiting
from .evaluation import evaluation_of
from .placement import Positions, placement_of
from .plan import Plan
from .problem import Problem

OPTIMAL_GAP = 1e-9
"""``optimal`` means a proven relative gap of at most this."""


@dataclass(frozen=True)
class Found:
    """What a method says that it found; `solve` believes none of its figures but the bound."""

    status: str
    positions: Positions | None = None
    lower_bound: float = 0.0
    second_optimal: bool = False
    counters: Mapping[str, int] = field(default_factory=dict)


class Search(Protocol):
    """How a method is called."""

    def __call__(self, problem: Problem, *, time_limit_s: float, seed: int, threads: int) -> Found: ...


@dataclass(frozen=True)
class Method:
    """A method that `solve` knows.

    Examples
    --------
    >>> from constellm import services
    >>> all(services.METHODS[name].name == name for name in services.METHODS)
    True
    """

    name: str
    doc: str
    """What it does."""
    search: Search = field(repr=False)


def compiled(name: str) -> Search:
    """A method of the core: ``_core.<name>(problem, routes, time_limit_s, seed, threads)``."""

    def search(problem: Problem, *, time_limit_s: float, seed: int, threads: int) -> Found:
        call = getattr(_core, name)
        return found_by_core(call(problem._compiled, problem._routes, time_limit_s, seed, threads))

    return search


def found_by_core(answer: tuple[str, Any, float, bool, int, int]) -> Found:
    """What a method of the core gives, as a `Found`."""
    status, positions, lower_bound, second_optimal, steps, bounds = answer
    return Found(
        status,
        None if positions is None else Positions(*positions),
        lower_bound,
        second_optimal,
        {"steps": steps, "bounds": bounds},
    )


def programme(problem: Problem, *, time_limit_s: float, seed: int, threads: int, **known: Any) -> Found:
    """Imported when it is called: it starts from other methods."""
    from .exact import optimal

    return optimal.programme(problem, time_limit_s=time_limit_s, seed=seed, threads=threads, **known)


def optimal(problem: Problem, *, time_limit_s: float, seed: int, threads: int) -> Found:
    """By programmes where HiGHS is installed, else by our own search; small problems by that first.

    Nodes of its tree, not seconds, say when a small problem is left to the programmes, so that machines of
    any speed find the same placement where time does not end.
    """
    if has_highs() and is_large(problem):
        return programme(problem, time_limit_s=time_limit_s, seed=seed, threads=threads)
    start, nodes = time.perf_counter(), SMALL_NODES if has_highs() else None
    of = problem._compiled, problem._routes, time_limit_s, seed, threads
    found = found_by_core(_core.search(*of, nodes=nodes))
    if nodes is None or found.status in ("infeasible", "interrupted") or found.second_optimal:
        return found
    left_s = max(0.0, time_limit_s - (time.perf_counter() - start))
    return programme(
        problem,
        time_limit_s=left_s,
        seed=seed,
        threads=threads,
        start=found.positions,
        lower_bound=found.lower_bound,
    )


def has_highs() -> bool:
    return importlib.util.find_spec("highspy") is not None


def is_large(problem: Problem) -> bool:
    """Whether our own search is not tried first."""
    return sum(len(task.stages) for task in problem.tasks) * len(problem.network.nodes) > SMALL


SMALL = 300
"""Stages times nodes."""
SMALL_NODES = 100
"""Of our own search's tree."""

_ALL: tuple[Method, ...] = (
    Method("optimal", "the best placement with its proof, by programmes and our own search", optimal),
    Method("programme", "mixed-integer programmes for HiGHS, from an annealed start", programme),
    Method("search", "branch and bound with Lagrangian bounds of tasks and nodes", compiled("search")),
    Method("annealing", "simulated annealing whose penalties learn", compiled("annealing")),
    Method("greedy", "tasks one by one, each where it adds least", compiled("greedy")),
    Method("nearest", "every stage on the nearest node to its task's source with room", compiled("nearest")),
    Method("random", "every stage on any node with room, until limits are kept", compiled("random")),
    Method("monolith", "every task on replicas of its own, on one node where they fit", compiled("monolith")),
    Method("tabu", "tabu search over moves of one stage", compiled("tabu")),
    Method("genetic", "a genetic algorithm with crossover by task and repair", compiled("genetic")),
)
"""A line a method."""

METHODS: dict[str, Method] = {method.name: method for method in _ALL}
"""What `solve` knows, by name."""


def solve(
    problem: Problem,
    *,
    method: str = "optimal",
    time_limit_s: float = math.inf,
    seed: int = 0,
    threads: int = 1,
    on_interrupt: str = "return",
) -> Plan:
    """A placement of services and tasks, with what is proved of it.

    Whatever a method says of its placement is thrown away: costs, delays and limits are those of the one
    evaluator, and a placement that breaks a limit is no plan.

    Parameters
    ----------
    problem : Problem
        What is to be placed where.
    method : str
        One of `METHODS`.
    time_limit_s : float
        Stop after this time, with the best placement and a true bound [s], >= 0.
    seed : int
        Of methods that draw, >= 0.
    threads : int
        At most so many, >= 1; their number changes no result.
    on_interrupt : str
        What Ctrl-C does: ``"return"`` the best plan so far, of status ``"interrupted"``, or ``"raise"``
        `Interrupted`, which carries that plan, so that a loop over problems ends.

    Returns
    -------
    Plan

    Raises
    ------
    TypeError, ValueError
        For what is no problem, an unknown method or a wrong number.
    ImportError
        Where a method needs an extra that is not installed; the message names it.
    Interrupted
        A `KeyboardInterrupt`; see `on_interrupt`.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> plan = services.solve(problem)
    >>> plan, plan.assignment["detect"]
    (Plan('services': optimal, cost=1, delay_s=0.03, gap=0), ('s0',))
    """
    instance("problem", problem, Problem)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    seed = count("seed", seed, least=0, most=2**64 - 1)
    threads = count("threads", threads, most=2**31 - 1)
    check_on_interrupt(on_interrupt)
    if not isinstance(method, str) or method not in METHODS:
        known = ", ".join(METHODS)
        raise ValueError(f"method: {short(method)} is not one of {known}{meant(str(method), METHODS)}")
    start = time.perf_counter()
    with waiting("solve", limit_s=limit_s):
        found = METHODS[method].search(problem, time_limit_s=limit_s, seed=seed, threads=threads)
    plan = plan_of(problem, found, method=method, seconds=time.perf_counter() - start)
    return handed_over(plan, interrupted=plan.status == "interrupted", on_interrupt=on_interrupt)


def plan_of(problem: Problem, found: Found, *, method: str = "", seconds: float = 0.0) -> Plan:
    """What a method found as a plan: evaluated anew, checked, its bound held against it.

    Raises
    ------
    RuntimeError
        For a bound above its own plan: the method is wrong.
    """
    positions, bound = found.positions, found.lower_bound
    if positions is not None:
        positions = Positions([sorted(nodes) for nodes in positions.replicas], positions.assignment)
        if not _core.keeps_limits(problem._compiled, problem._routes, *positions):
            positions = None
    status = found.status
    placement = None
    if positions is not None:
        objective = evaluation_of(problem, positions).objective
        if bound > objective + 1e-6 * abs(objective):
            raise RuntimeError(
                f"{method or 'method'}: its bound, {bound!r}, is above its plan's {objective!r}"
            )
        bound = min(bound, objective)
        placement = placement_of(problem, positions)
        is_proven = objective - bound <= OPTIMAL_GAP * objective
        if is_proven and status in ("feasible", "time_limit", "no_plan_found"):
            status = "optimal"
        elif status in ("optimal", "infeasible", "no_plan_found") and not is_proven:
            status = "feasible"
    elif status in ("optimal", "feasible"):
        status = "no_plan_found"
    if status == "infeasible":
        bound = math.inf
    return Plan(
        problem=problem,
        status=status,
        placement=placement,
        lower_bound=bound,
        second_optimal=found.second_optimal and status == "optimal",
        method=method,
        seconds=seconds,
        counters=dict(found.counters),
    )
