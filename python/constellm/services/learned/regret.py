"""How far methods and learned policies stay behind the exact optimum, over many problems, as one table."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Union

from ...core.checks import count, instance, real, short
from ...core.display import Display
from ...core.labelled_rows import _LabelledRows
from ...core.progress import bar
from ...core.quantity import counted, quantity
from ...core.table import Table
from ..arguments import instances, named, ordered
from ..checking import check
from ..demand import worst_demand
from ..evaluation import evaluate
from ..placement import Placement
from ..plan import Plan
from ..problem import Problem
from ..solver import METHODS, OPTIMAL_GAP, solve
from .policy import Policy
from .setting import GUARDS, nominal_problem

Contestant = Union[str, Policy]

REGRET_COLUMNS = {
    "method": "name of a method or a policy",
    "planned_for": "the demand that it planned for: worst or nominal",
    "problems": "how many",
    "planned": "share of them with a placement that keeps every limit under that demand",
    "holds_nominal": "share whose placement keeps every limit at nominal rates",
    "holds_worst": "share whose placement keeps every limit in the worst case of the demand set",
    "worst_load": "mean of the largest load of a node or link in the worst case ÷ its limit",
    "regret": "mean of (objective − best) ÷ best, over problems with a placement; best: least of the table",
    "regret_at_most": "the same against the reference's lower bound: no regret against the optimum is larger",
    "regret_median": "the median of the first, no placement counting as infinite where another has one",
    "proven": "share of the problems whose best the reference's bound proves to be optimal",
    "seconds": "mean spent [s]",
}
"""Columns of a `Regret`."""
_PERCENTAGES = {"planned": 0, "holds_worst": 0, "worst_load": 0, "regret": 1, "regret_median": 1}
_TOLD = ("method", "planned_for", *_PERCENTAGES, "seconds")


@dataclass(frozen=True, eq=False)
class Regret(_LabelledRows):
    """What `services.regret` gives: a row a method and demand, with the keys of `services.REGRET_COLUMNS`.

    Attributes
    ----------
    rows : tuple of dict
        NaN for no figure.
    cells : tuple of dict
        What the rows sum up: ``method``, ``planned_for``, ``problem`` (its number), ``placement`` or None,
        ``objective``, ``best``, ``lower_bound``, ``holds_nominal``, ``holds_worst``, ``worst_load``,
        ``seconds``.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b,
    ...                          stages=[services.Stage("encoder", [services.Input(bytes=6e5)])])])
    >>> table = services.regret([problem], ["greedy", services.untrained()], reference="greedy")
    >>> [(row["method"], row["regret"]) for row in table]
    [('greedy', 0.0), ('untrained', 0.0)]
    """

    _columns: ClassVar[tuple[str, ...]] = tuple(REGRET_COLUMNS)

    rows: tuple[dict[str, Any], ...]
    cells: tuple[dict[str, Any], ...]

    def __repr__(self) -> str:
        problems = self.rows[0]["problems"] if self.rows else 0
        return f"Regret({counted(len(self.rows), 'row')} over {counted(problems, 'problem')})"

    def _display(self) -> Display:
        return Display([repr(self)], [self._shown()])

    def _shown(self) -> Table:
        shown = []
        for row in self.rows:
            cells = {
                **row,
                **{name: _percent(row[name], digits) for name, digits in _PERCENTAGES.items()},
                "seconds": quantity(row["seconds"], "s", digits=3),
            }
            shown.append(tuple(cells[name] for name in _TOLD))
        return Table(tuple(name.replace("_", " ") for name in _TOLD), tuple(shown))


def regret(
    problems: Sequence[Problem],
    methods: Sequence[Contestant],
    *,
    planned_for: Sequence[str] = ("worst",),
    reference: str = "optimal",
    reference_time_limit_s: float = math.inf,
    time_limit_s: float = math.inf,
    seed: int = 0,
    threads: int = 1,
    progress: bool | None = None,
) -> Regret:
    """Hold methods and learned policies against the exact optimum, over problems.

    A method plans once for each demand in `planned_for`: for the demand set as it is, or as if nominal rates
    were certain. A policy plans for what it was trained to withstand. Every placement is then held against
    nominal rates and against the worst case of the set, which is exact: no adversary finds more. The
    objectives that regret compares are those of the same demand.

    Parameters
    ----------
    problems : sequence of Problem
        At least one.
    methods : sequence of str or Policy
        Names of `METHODS`, and policies.
    planned_for : sequence of str
        ``"worst"``, ``"nominal"``.
    reference : str
        The method whose bound proves the optimum; its own rows come first, also where `methods` does not
        name it. Over slots of time that share nothing its plan is the optimum of each slot.
    reference_time_limit_s, time_limit_s : float
        For each problem [s].
    seed, threads : int
        As `solve` takes them.
    progress : bool, optional
        Show a bar (needs tqdm). Default: at a prompt and in notebooks.

    Returns
    -------
    Regret

    Raises
    ------
    TypeError, ValueError
        Naming the field and the value.

    Examples
    --------
    See `constellm.services.Regret`.
    """
    given = instances("problems", problems, Problem)
    contestants = _contestants(methods, reference)
    demands = _demands(planned_for)
    limits = (
        real("reference_time_limit_s", reference_time_limit_s, least=0.0),
        real("time_limit_s", time_limit_s, least=0.0),
    )
    threads = count("threads", threads)
    seed = count("seed", seed, least=0, most=2**64 - 1)
    for one in contestants:
        if isinstance(one, Policy) and one.guard not in demands:
            raise ValueError(f"planned_for: lacks {one.guard!r}, which the policy {one.name!r} plans for")
    made = _Contest(given, reference, limits, seed, threads)
    runs = [(one, demand) for one in contestants for demand in _demands_of(one, demands)]
    cells: list[dict[str, Any]] = []
    with bar(len(runs) * len(given), unit="plans", progress=progress) as move_on:
        for contestant, demand in runs:
            for i in range(len(given)):
                cells.append(made.cell(contestant, demand, i))
                move_on(1)
    _compare(cells)
    size = len(given)
    return Regret(tuple(_row(cells[i : i + size]) for i in range(0, len(cells), size)), tuple(cells))


@dataclass
class _Contest:
    """Problems, and what the reference made of them."""

    problems: tuple[Problem, ...]
    reference: str
    limits: tuple[float, float]
    """Seconds of the reference, and of others."""
    seed: int
    threads: int

    def __post_init__(self) -> None:
        self.nominal = [nominal_problem(problem) for problem in self.problems]
        self.bounds: dict[tuple[str, int], float] = {}

    def cell(self, contestant: Contestant, demand: str, i: int) -> dict[str, Any]:
        """What one contestant makes of a problem."""
        problem, bound = self.problems[i], math.nan
        start = time.perf_counter()
        if isinstance(contestant, Policy):
            placement = contestant.placement(problem, seed=self.seed)
        else:
            plan = self._solved(contestant, demand, i)
            placement, bound = plan.placement, plan.lower_bound
        seconds = time.perf_counter() - start
        objective = math.nan if placement is None else evaluate(problem, placement).objective
        if contestant == self.reference:
            self.bounds[demand, i] = bound
        return {
            "method": _name(contestant),
            "planned_for": demand,
            "problem": i,
            "placement": placement,
            "objective": objective,
            "lower_bound": self.bounds[demand, i],
            **_held(placement, self.nominal[i], problem),
            "seconds": seconds,
        }

    def _solved(self, method: str, demand: str, i: int) -> Plan:
        return solve(
            (self.nominal if demand == "nominal" else self.problems)[i],
            method=method,
            time_limit_s=self.limits[method != self.reference],
            seed=self.seed,
            threads=self.threads,
            on_interrupt="raise",
        )


def _demands_of(contestant: Contestant, demands: list[str]) -> list[str]:
    return demands if isinstance(contestant, str) else [contestant.guard]


def _name(contestant: Contestant) -> str:
    return contestant if isinstance(contestant, str) else contestant.name


def _held(placement: Placement | None, nominal: Problem, problem: Problem) -> dict[str, Any]:
    """What a placement withstands."""
    if placement is None:
        return {"holds_nominal": False, "holds_worst": False, "worst_load": math.nan}
    found = {
        "holds_nominal": not check(nominal, placement),
        "holds_worst": not check(problem, placement),
        "worst_load": math.nan,
    }
    if problem.samples is None:
        worst = worst_demand(problem, placement)
        found["worst_load"] = worst.load / worst.limit if worst.limit else math.nan
    return found


def _compare(cells: Sequence[dict[str, Any]]) -> None:
    """Each with the best for its demand and problem."""
    best: dict[tuple[str, int], float] = {}
    for cell in cells:
        key = cell["planned_for"], cell["problem"]
        if cell["placement"] is not None:
            best[key] = min(cell["objective"], best.get(key, math.inf))
    for cell in cells:
        cell["best"] = best.get((cell["planned_for"], cell["problem"]), math.nan)


def _row(cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of one method and demand."""
    placed = [cell for cell in cells if cell["placement"] is not None]
    regrets = [_relative(cell["objective"], cell["best"]) for cell in placed]
    could = [cell for cell in cells if not math.isnan(cell["best"])]
    missed = [math.inf] * (len(could) - len(placed))
    proven = [cell["best"] - cell["lower_bound"] <= OPTIMAL_GAP * cell["best"] for cell in could]
    return {
        "method": cells[0]["method"],
        "planned_for": cells[0]["planned_for"],
        "problems": len(cells),
        "planned": len(placed) / len(cells),
        "holds_nominal": sum(cell["holds_nominal"] for cell in cells) / len(cells),
        "holds_worst": sum(cell["holds_worst"] for cell in cells) / len(cells),
        "worst_load": _mean([cell["worst_load"] for cell in placed]),
        "regret": _mean(regrets),
        "regret_at_most": _mean([_relative(cell["objective"], cell["lower_bound"]) for cell in placed]),
        "regret_median": statistics.median([*regrets, *missed]) if could else math.nan,
        "proven": sum(proven) / len(cells),
        "seconds": _mean([cell["seconds"] for cell in cells]),
    }


def _relative(objective: float, reference: float) -> float:
    if objective == reference:
        return 0.0
    return (objective - reference) / reference if reference > 0.0 else math.inf


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return (
        math.fsum(known) / len(known) if known and math.inf not in known else math.inf if known else math.nan
    )


def _percent(value: float, digits: int = 0) -> str:
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.{digits}%}"


def _contestants(methods: Any, reference: Any) -> list[Contestant]:
    if isinstance(methods, (str, Policy)):
        raise TypeError(f"methods: expected several, got {short(methods)}")
    found: list[Contestant] = []
    for i, one in enumerate(ordered("methods", methods)):
        if isinstance(one, str):
            named(f"methods[{i}]", one, METHODS)
        else:
            instance(f"methods[{i}]", one, Policy)
        if _name(one) in map(_name, found) or (_name(one) == reference and one != reference):
            raise ValueError(f"methods[{i}]: {short(_name(one))} stands twice")
        found.append(one)
    return [named("reference", reference, METHODS), *(one for one in found if one != reference)]


def _demands(planned_for: Any) -> list[str]:
    found = ordered("planned_for", planned_for)
    for i, demand in enumerate(found):
        named(f"planned_for[{i}]", demand, GUARDS)
    if not found or len(set(found)) < len(found):
        raise ValueError("planned_for: must name a demand, and each once")
    return found
