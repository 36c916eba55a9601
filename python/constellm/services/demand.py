"""Demand that is not known: which breaks a placement, how often it does, and what a budget promises."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import count, instance, real, short
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from .loads import ROOM, Floats, Loaded, loads_of, rates_of, taken, withstood
from .placement import Placement
from .plan import Plan
from .problem import Problem

SPREADS = ("raised", "symmetric")
_MOST_TASKS = 100_000  # whose ways to be raised are added up in a second


@dataclass(frozen=True, repr=False, eq=False)
class WorstDemand(Displayed):
    """The demand of a problem's set that loads a node or a link the most, relative to its limit.

    Examples
    --------
    See `constellm.services.worst_demand`.
    """

    where: str | tuple[str, str]
    """A node, or a link as the nodes from which and to which it leads."""
    rate_per_s: Floats
    """Of each task; raised are only those that load it (tasks,) [1/s]."""
    load: float
    """[FLOP/s] of a node, [bit/s] of a link."""
    limit: float
    """``max_utilisation`` times its capacity, in the same unit."""
    withstands: float
    """The largest budget of raised tasks that every node and link withstands; infinite where it is all of
    them, NaN where not even the nominal rates fit."""

    @property
    def breaks(self) -> bool:
        """Whether that is more than the limit."""
        return self.load > self.limit * ROOM

    def __repr__(self) -> str:
        word = "breaks" if self.breaks else "fits"
        share = self.load / self.limit if self.limit else math.inf if self.load else 0.0
        return f"WorstDemand({self.where!r}: {share:.4g} of its limit, {word})"

    def _display(self) -> Display:
        rows = [(str(t), quantity(rate, "1/s")) for t, rate in enumerate(self.rate_per_s.tolist())]
        return Display([repr(self)], [Table(("task", "rate"), rows)])


@dataclass(frozen=True)
class Violation:
    """In how many of the sampled demands a placement has more load somewhere than it may.

    Examples
    --------
    See `constellm.services.violation`.
    """

    broken: int
    """Samples in which a node or a link has too much."""
    samples: int
    worst: float
    """The largest share of samples in which one and the same node or link has too much."""

    @property
    def share(self) -> float:
        """broken / samples"""
        return self.broken / self.samples


def worst_demand(problem: Problem, placement: Placement | Plan) -> WorstDemand:
    """Which demand of the problem's set hurts a placement the most: the adversary, in closed form.

    Loads grow with every rate, and each node and link has a limit of its own. So the worst demand of one
    node or link raises the tasks that load it, those first whose raise loads it the most, as far as the
    budget goes; and the worst of all is that of the node or link whose load is then the largest part of its
    limit. No search is needed, and none finds more.

    Parameters
    ----------
    problem : Problem
        With deviations, and a budget or none (then all tasks may be raised at once: the box).
    placement : Placement or Plan

    Returns
    -------
    WorstDemand
        Of several that are equally bad the first: nodes in their order, then links. Where nothing loads
        anything, the first node without a load.

    Raises
    ------
    TypeError, ValueError
        For what is no placement of the problem, and for a problem with samples in place of a set.

    Examples
    --------
    >>> from constellm import network, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> def task(name, rise):
    ...     stage = services.Stage("encoder", (services.Input(-1, 1e6),))
    ...     return services.Task(name, rate_per_s=40.0, deviation_per_s=rise, source="a", sink="a",
    ...                          stages=(stage,))
    >>> problem = services.Problem(network=graph, services=(encoder,), budget=1,
    ...                            tasks=(task("ships", 10.0), task("fires", 15.0)))
    >>> on = services.Placement({"encoder": ["a"]}, {"ships": ["a"], "fires": ["a"]})
    >>> services.worst_demand(problem, on), services.worst_demand(problem.replace(budget=None), on)
    (WorstDemand('a': 0.95 of its limit, fits), WorstDemand('a': 1.05 of its limit, breaks))
    >>> services.worst_demand(problem, on).rate_per_s.tolist(), services.worst_demand(problem, on).withstands
    ([40.0, 55.0], 1.5)
    """
    loads = loads_of(problem, placement)
    rate, deviation = rates_of(problem)
    budget = math.inf if problem.budget is None else float(problem.budget)
    first = problem.network.nodes[0]
    nowhere = Loaded(first.id, np.zeros(len(rate)), problem.max_utilisation * first.flop_per_s)
    worst: tuple[float, Loaded, Floats, float] = (0.0, nowhere, rate.copy(), 0.0)
    withstands = math.inf
    for one in loads:
        rates = rate + taken(one.per_request * deviation, budget) * deviation
        load = float(one.per_request @ rates)
        share = load / one.limit if one.limit else math.inf if load else 0.0
        if share > worst[0]:
            worst = (share, one, rates, load)
        withstands = min(
            withstands, withstood(one, rate, deviation), key=lambda value: (value == value, value)
        )
    _, one, rates, load = worst
    rates.flags.writeable = False
    return WorstDemand(one.where, rates.view(), load, one.limit, withstands)


def sample_demand(problem: Problem, n: int, *, seed: int = 0, spread: str = "raised") -> Floats:
    """Rates drawn from the box of a problem's demands, each task's by itself.

    Parameters
    ----------
    problem : Problem
    n : int
        How many demands.
    seed : int
        The same seed, the same rates.
    spread : str
        ``"raised"``: uniform in [rate, rate + deviation], the problem's own box; ``"symmetric"``: uniform in
        [rate − deviation, rate + deviation], of which `probability_bound` speaks.

    Returns
    -------
    ndarray, shape (n, tasks)
        [1/s]; as ``samples`` of a `Problem` takes them.

    Raises
    ------
    TypeError, ValueError
        For a wrong argument, and where a rate is not above its deviation if the spread is symmetric.

    Examples
    --------
    >>> from constellm import network, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("ships", rate_per_s=40.0, deviation_per_s=20.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> problem = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> drawn = services.sample_demand(problem, 1000, seed=1)
    >>> drawn.shape, bool((drawn >= 40).all() and (drawn <= 60).all())
    ((1000, 1), True)
    """
    rate, deviation = rates_of(problem)
    n = count("n", n)
    if spread not in SPREADS:
        raise ValueError(f"spread: {short(spread)} is not one of {', '.join(map(repr, SPREADS))}")
    draw = np.random.Generator(np.random.PCG64(count("seed", seed, least=0)))
    z = draw.random((n, len(rate)))
    if spread == "symmetric":
        for task, r, d in zip(problem.tasks, rate.tolist(), deviation.tolist()):
            if not d < r:
                raise ValueError(
                    f"spread: of task {task.name!r} the rate, {r!r}, is not above its deviation, {d!r}"
                )
        z = 2.0 * z - 1.0
    return rate + deviation * z


def violation(problem: Problem, placement: Placement | Plan, samples: ArrayLike) -> Violation:
    """How often a placement has more load somewhere than it may, under demands that it was not made for.

    Parameters
    ----------
    problem : Problem
    placement : Placement or Plan
    samples : array_like, shape (n, tasks)
        Rates, as of `sample_demand` [1/s].

    Returns
    -------
    Violation

    Raises
    ------
    TypeError, ValueError
        For what is no placement of the problem, and samples that are none.

    Examples
    --------
    >>> from constellm import network, services
    >>> node = network.Node(id="a", flop_per_s=1e12, memory_bytes=4e9)
    >>> graph = network.Graph([node], from_=[], to=[], rate_bps=[])
    >>> encoder = services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("ships", rate_per_s=40.0, deviation_per_s=20.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> problem = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> on = services.Placement({"encoder": ["a"]}, {"ships": ["a"]})
    >>> services.violation(problem, on, [[40.0], [50.0], [60.0]]).share == 1 / 3
    True
    """
    instance("problem", problem, Problem)
    rates = np.asarray(samples)
    if rates.dtype.kind not in "iuf" or rates.ndim != 2 or rates.shape[1] != len(problem.tasks):
        raise ValueError(
            f"samples: expected numbers of shape (n, {len(problem.tasks)}), got {short(samples)}"
        )
    rates = rates.astype(np.float64)
    if not len(rates) or not (np.isfinite(rates) & (rates >= 0)).all():
        raise ValueError("samples: expected at least one, all in [0, inf)")
    broken, worst = np.zeros(len(rates), dtype=bool), 0.0
    for one in loads_of(problem, placement):
        too_much = rates @ one.per_request > one.limit * ROOM
        worst = max(worst, float(too_much.mean()))
        broken |= too_much
    return Violation(int(broken.sum()), len(rates), worst)


def probability_bound(tasks: int, budget: float) -> float:
    """Most that a limit breaks which was kept for a budget: the bound of Bertsimas and Sim.

    Where the rates of the tasks that load a node or a link vary independently and symmetrically in [rate −
    deviation, rate + deviation], whatever their distributions, and the limit is kept for every demand with
    at most `budget` raised rates, it is broken with a probability of at most

        B(n, Γ) = 2⁻ⁿ · ((1 − μ) · Σ C(n, l) over l ≥ ⌊ν⌋ + μ · Σ C(n, l) over l ≥ ⌊ν⌋ + 1),

    ν = (Γ + n) / 2, μ = ν − ⌊ν⌋ (D. Bertsimas, M. Sim: The price of robustness, Operations Research 52
    (2004), theorem 3).

    Parameters
    ----------
    tasks : int
        n, whose rates vary, at most 100 000.
    budget : float
        Γ ≥ 0.

    Returns
    -------
    float
        0 from Γ = n on, where nothing can break it.

    Raises
    ------
    TypeError, ValueError
        For what is not in range.

    Examples
    --------
    >>> from constellm import services
    >>> [round(services.probability_bound(10, budget), 4) for budget in (0, 4, 8, 10)]
    [0.623, 0.1719, 0.0107, 0.0]
    """
    n = count("tasks", tasks, least=0, most=_MOST_TASKS)
    gamma = real("budget", budget, least=0)
    if gamma >= n:
        return 0.0
    nu = (gamma + n) / 2.0
    floor = math.floor(nu)
    # In whole numbers and fractions, for these are beyond what a float holds.
    choose = math.comb(n, floor)
    ways = (1 - Fraction(nu - floor)) * choose
    for raised in range(floor + 1, n + 1):
        choose = choose * (n - raised + 1) // raised
        ways += choose
    return float(ways / 2**n)


def guarantee(problem: Problem, placement: Placement | Plan) -> float:
    """Most that any limit of a placement breaks, whatever symmetric independent demand comes.

    Each node and link withstands a budget of its own, the largest for which its worst load keeps the limit:
    `probability_bound` with that, summed over all of them.

    Parameters
    ----------
    problem : Problem
        With deviations.
    placement : Placement or Plan

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    TypeError, ValueError
        As `worst_demand`.

    Examples
    --------
    See `constellm.services.price_of_robustness`.
    """
    rate, deviation = rates_of(problem)
    bounds = []
    for one in loads_of(problem, placement):
        n = int(np.count_nonzero(one.per_request * deviation))
        most = withstood(one, rate, deviation)
        if math.isnan(most):
            return 1.0
        bounds.append(0.0 if math.isinf(most) else probability_bound(n, most))
    return min(1.0, math.fsum(bounds))
