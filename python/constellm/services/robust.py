"""What safety against uncertain demand costs, and placements that keep their core and adapt the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import instance, non_negative, positive, short
from ..core.display import Display, Displayed
from ..core.interrupt import Interrupted
from ..core.quantity import counted
from ..core.table import Table
from .demand import guarantee, violation
from .evaluation import evaluate
from .horizons.horizon import Horizon
from .placement import Placement
from .plan import Plan
from .problem import Problem
from .solver import OPTIMAL_GAP, solve

COLUMNS = (
    "budget",
    "status",
    "cost",
    "delay_s",
    "lower_bound",
    "gap",
    "price",
    "guarantee",
    "violated",
)


@dataclass(frozen=True, repr=False, eq=False)
class PriceOfRobustness(Displayed):
    """What each budget of raised demand costs; what `price_of_robustness` gives.

    In `rows` a dict each with ``budget`` (infinite: all tasks at once), ``status``, ``cost``, ``delay_s``,
    ``lower_bound`` and ``gap`` of the plan; ``price``, its objective over that of the first row, less 1;
    ``guarantee``, the most that any limit breaks under symmetric independent demand; ``violated``, the
    share of the given samples in which one does. NaN for no figure.

    Examples
    --------
    See `constellm.services.price_of_robustness`.
    """

    problem: Problem
    rows: tuple[dict[str, Any], ...]
    """In the order of the budgets."""
    plans: tuple[Plan, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"PriceOfRobustness({self.problem.name!r}: {counted(len(self.rows), 'budget')})"

    def _display(self) -> Display:
        table = Table(COLUMNS, [tuple(row[name] for name in COLUMNS) for row in self.rows])
        return Display([f"Price of robustness of {self.problem.name!r}"], [table])


def price_of_robustness(
    problem: Problem,
    budgets: Iterable[float | None] | None = None,
    *,
    method: str = "optimal",
    time_limit_s: float = math.inf,
    seed: int = 0,
    samples: ArrayLike | None = None,
) -> PriceOfRobustness:
    """Plans that are safe against ever more raised demand, and what that costs.

    More budget allows more demands, so what fits for a budget fits for a smaller one, and no plan of a
    budget is better than the bound of a smaller one: plans and bounds are handed on, which settles budgets
    that a time limit left open.

    Parameters
    ----------
    problem : Problem
        With deviations; its own budget is put aside.
    budgets : iterable of float, optional
        At most so many tasks have their raised rates at once, rising; None: all. Default: 0, 1, … up to the
        tasks that have deviations.
    method, time_limit_s, seed
        As of `solve`; the limit is that of one budget.
    samples : array_like, shape (n, tasks), optional
        Rates under which the plans are tried, as of `sample_demand` [1/s].

    Returns
    -------
    PriceOfRobustness

    Raises
    ------
    TypeError, ValueError
        For budgets that do not rise, and as `solve` and `violation`.
    Interrupted
        On Ctrl-C: a `KeyboardInterrupt` whose `result` has the budgets so far.

    Examples
    --------
    >>> from constellm import network, services
    >>> nodes = [network.Node(id=id, flop_per_s=1e12, memory_bytes=4e9) for id in ("a", "b", "c")]
    >>> graph = network.Graph(nodes, from_=[0, 1, 0, 2], to=[1, 0, 2, 0], rate_bps=1e9, latency_s=0.01)
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> def task(name, rise):
    ...     stage = services.Stage("encoder", (services.Input(-1, 1e6),))
    ...     return services.Task(name, rate_per_s=30.0, deviation_per_s=rise, source="a", sink="a",
    ...                          stages=(stage,))
    >>> problem = services.Problem(network=graph, services=(encoder,),
    ...                            tasks=(task("ships", 8.0), task("fires", 6.0), task("clouds", 4.0)))
    >>> drawn = services.sample_demand(problem, 200, spread="symmetric")
    >>> for row in services.price_of_robustness(problem, method="programme", samples=drawn):
    ...     print(row["budget"], row["cost"], f"{row['guarantee']:.3f}", row["violated"])
    0.0 1.0 0.438 0.05
    1.0 1.0 0.438 0.05
    2.0 2.0 0.000 0.0
    3.0 2.0 0.000 0.0
    """
    instance("problem", problem, Problem)
    if problem.samples is not None:
        raise ValueError("problem: has samples in place of a set of demands")
    raised = sum(task.deviation_per_s > 0 for task in problem.tasks)
    chosen = _budgets(range(raised + 1) if budgets is None else budgets)
    plans: list[Plan] = []
    for budget in chosen:
        one = problem.replace(budget=None if math.isinf(budget) else budget)
        plans.append(solve(one, method=method, time_limit_s=time_limit_s, seed=seed))
        if plans[-1].status == "interrupted":
            raise Interrupted(_curve(problem, chosen, plans, samples))
    return _curve(problem, chosen, plans, samples)


def _curve(
    problem: Problem, budgets: Sequence[float], plans: Sequence[Plan], samples: ArrayLike | None
) -> PriceOfRobustness:
    """Of as many budgets as there are plans."""
    plans = handed_on(plans)
    first = plans[0].objective
    rows = []
    for budget, plan in zip(budgets, plans):
        rows.append(
            {
                "budget": budget,
                "status": plan.status,
                "cost": plan.cost,
                "delay_s": plan.delay_s,
                "lower_bound": plan.lower_bound,
                "gap": plan.gap,
                "price": plan.objective / first - 1.0 if first else math.nan,
                "guarantee": guarantee(problem, plan) if plan.placement else math.nan,
                "violated": _violated(problem, plan, samples),
            }
        )
    return PriceOfRobustness(problem, tuple(rows), tuple(plans))


def _violated(problem: Problem, plan: Plan, samples: ArrayLike | None) -> float:
    return math.nan if samples is None or plan.placement is None else violation(problem, plan, samples).share


def handed_on(plans: Sequence[Plan]) -> list[Plan]:
    """Plans of ever harder problems: bounds go up, placements down, where they are better."""
    found = list(plans)
    for i in range(1, len(found)):
        if found[i - 1].lower_bound > found[i].lower_bound:
            found[i] = _made(found[i], found[i].placement, found[i - 1].lower_bound)
    for i in range(len(found) - 2, -1, -1):
        mine, harder = found[i], found[i + 1]
        if harder.placement is not None and not mine.objective <= harder.objective:
            found[i] = _made(mine, harder.placement, mine.lower_bound)
    return found


def _made(plan: Plan, placement: Placement | None, bound: float) -> Plan:
    """The same with another placement or bound, and the status that these have; what ended it stays said."""
    kept = plan.status if plan.status in ("time_limit", "interrupted") else "feasible"
    if placement is None:
        status = "infeasible" if math.isinf(bound) else plan.status
        return replace(plan, status=status, lower_bound=bound)
    objective = evaluate(plan.problem, placement).objective
    bound = min(bound, objective)
    status = "optimal" if objective - bound <= OPTIMAL_GAP * objective else kept
    second = plan.second_optimal and plan.status == status and placement is plan.placement
    return replace(plan, status=status, placement=placement, lower_bound=bound, second_optimal=second)


def recourse(
    problem: Problem,
    samples: ArrayLike,
    *,
    core: Sequence[str],
    weights: ArrayLike | None = None,
    name: str = "recourse",
) -> Horizon:
    """A core that is placed before demand is known, and light services that are placed when it is.

    Each sample of the rates is a slot of a horizon, as long as it is likely; nothing is paid for starts. So
    `solve_horizon` finds the core that is best on the average over the samples, when the other services are
    placed anew for each: the two-stage stochastic programme with replicas of the core as its first stage,
    feasible for every sample.

    Parameters
    ----------
    problem : Problem
        Its deviations and its budget are put aside.
    samples : array_like, shape (n, tasks)
        Rates, as of `sample_demand` [1/s], > 0.
    core : sequence of str
        Services of the first stage.
    weights : array_like, shape (n,), optional
        How likely each sample is, > 0; default: all alike.
    name : str
        Of the horizon.

    Returns
    -------
    Horizon

    Raises
    ------
    TypeError, ValueError
        As `Problem` and `Horizon`.

    Examples
    --------
    >>> from constellm import network, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("ships", rate_per_s=40.0, deviation_per_s=20.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> problem = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> services.recourse(problem, services.sample_demand(problem, 5), core=["encoder"])
    Horizon('recourse': 5 slots, 1 s, 1 node, 1 service, 1 task)
    """
    instance("problem", problem, Problem)
    if problem.samples is not None:
        raise ValueError("problem: has samples of its own")
    rates = np.asarray(samples)
    if rates.dtype.kind not in "iuf" or rates.ndim != 2 or rates.shape[1] != len(problem.tasks):
        raise ValueError(
            f"samples: expected numbers of shape (n, {len(problem.tasks)}), got {short(samples)}"
        )
    slots = []
    for i, row in enumerate(rates.tolist()):
        tasks = tuple(
            replace(task, rate_per_s=rate, deviation_per_s=0.0) for task, rate in zip(problem.tasks, row)
        )
        slots.append(problem.replace(tasks=tasks, budget=None, name=f"sample-{i}"))
    likely = [1.0] * len(slots) if weights is None else _weights(weights, len(slots))
    whole = math.fsum(likely)
    return Horizon(slots, [one / whole for one in likely], core=core, name=name)


def _weights(values: ArrayLike, samples: int) -> list[float]:
    given = np.asarray(values)
    if given.shape != (samples,):
        raise ValueError(f"weights: shape {given.shape} is not ({samples},), the samples")
    return [positive(f"weights[{i}]", value, most=1e12) for i, value in enumerate(given.tolist())]


def _budgets(values: Iterable[Any]) -> list[float]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"budgets: expected numbers, got {short(values)}")
    found = [
        math.inf if value is None else non_negative(f"budgets[{i}]", value) for i, value in enumerate(values)
    ]
    if not found:
        raise ValueError("budgets: must not be empty")
    for i in range(1, len(found)):
        if not found[i - 1] < found[i]:
            raise ValueError(f"budgets[{i}]: {found[i]!r} is not above {found[i - 1]!r}, the one before")
    return found
