"""One labelled table of what methods make of a problem."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..core.checks import count, instance, meant, real, short
from ..core.display import Display
from ..core.interrupt import Interrupted
from ..core.labelled_rows import _LabelledRows
from ..core.progress import bar
from ..core.quantity import counted, figure, quantity
from ..core.table import Table
from .plan import Plan
from .problem import Problem
from .solver import METHODS, solve

COLUMNS = {
    "method": "name",
    "status": "of its plan",
    "cost": "of all replicas",
    "delay_s": "mean by nominal rates [s]",
    "rejected_weight": "of tasks that are not admitted",
    "replicas": "how many",
    "lower_bound": "of the objective's first term, by the method itself",
    "gap": "(objective − best lower bound of the table) ÷ objective",
    "seconds": "spent [s]",
}
_TOLD = ("method", "status", "cost", "delay_s", "replicas", "gap")


@dataclass(frozen=True, eq=False)
class Comparison(_LabelledRows):
    """What methods make of a problem, in `rows`: a dict each with the keys of `COLUMNS`, NaN for no figure.

    Attributes
    ----------
    problem : Problem
        That was compared.
    rows : tuple of dict
        In the order of the methods.
    plans : tuple of Plan
        Likewise.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> len(services.compare(problem, []))
    0
    """

    _columns: ClassVar[tuple[str, ...]] = tuple(COLUMNS)

    problem: Problem
    rows: tuple[dict[str, Any], ...]
    plans: tuple[Plan, ...]

    def __repr__(self) -> str:
        return f"Comparison({self.problem.name!r}: {counted(len(self.rows), 'method')})"

    def _display(self) -> Display:
        return Display([self._title()], [self._shown()])

    def _title(self) -> str:
        bound = max((row["lower_bound"] for row in self.rows), default=0.0)
        what = {"cost": "cost", "delay": "mean delay [s]", "admitted": "weight not admitted"}
        proven = f"; proven: no {what[self.problem.objective]} below {bound:.6g}" if bound else ""
        return f"{self.problem.name}: least {what[self.problem.objective]}{proven}"

    def _shown(self) -> Table:
        names = list(_TOLD)
        if self.problem.objective == "admitted":
            names.insert(2, "rejected_weight")
        rows = []
        for row in self.rows:
            cells = {
                **row,
                "cost": figure(row["cost"], digits=6),
                "delay_s": quantity(row["delay_s"], "s", digits=4),
                "rejected_weight": figure(row["rejected_weight"]),
                "replicas": str(row["replicas"]) if row["replicas"] else "–",
                "gap": "–" if math.isnan(row["gap"]) else f"{row['gap']:.2%}",
            }
            rows.append(tuple(cells[name] for name in names))
        heads = {"delay_s": "mean delay", "rejected_weight": "not admitted"}
        return Table(tuple(heads.get(name, name) for name in names), tuple(rows))


def compare(
    problem: Problem,
    methods: Sequence[str] | None = None,
    *,
    time_limit_s: float = math.inf,
    seed: int = 0,
    threads: int = 1,
    progress: bool | None = None,
) -> Comparison:
    """What methods make of a problem, as one table.

    Parameters
    ----------
    problem : Problem
        What is to be placed where.
    methods : sequence of str, optional
        Names of `METHODS`; default: all.
    time_limit_s : float
        For each method [s].
    seed, threads : int
        As `solve` takes them.
    progress : bool, optional
        Show a bar (needs tqdm). Default: at a prompt and in notebooks.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError, TypeError
        For an unknown method, or one that stands twice.
    Interrupted
        On Ctrl-C: a `KeyboardInterrupt` whose `result` is the table of the rows so far.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> table = services.compare(problem, ["optimal"])
    >>> table["optimal"]["cost"], table["optimal"]["gap"]
    (1.0, 0.0)
    """
    instance("problem", problem, Problem)
    if isinstance(methods, str):
        raise TypeError(f"methods: expected several names, got {methods!r}")
    names = list(METHODS) if methods is None else list(methods)
    for name in names:
        if name not in METHODS:
            known = ", ".join(METHODS)
            raise ValueError(f"methods: {short(name)} is not one of {known}{meant(str(name), METHODS)}")
    if len(set(names)) != len(names):
        raise ValueError("methods: a name stands twice")
    limit_s = real("time_limit_s", time_limit_s, least=0)
    count("seed", seed, least=0, most=2**64 - 1)
    count("threads", threads, most=2**31 - 1)
    plans: list[Plan] = []
    try:
        with bar(len(names), unit="methods", progress=progress) as move_on:
            for name in names:
                plans.append(solve(problem, method=name, time_limit_s=limit_s, seed=seed, threads=threads))
                move_on(1)
                if plans[-1].status == "interrupted":
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise Interrupted(_table(problem, plans)) from None
    return _table(problem, plans)


def _table(problem: Problem, plans: Sequence[Plan]) -> Comparison:
    bound = max((plan.lower_bound for plan in plans), default=0.0)
    rows = []
    for plan in plans:
        found = plan.evaluation
        gap = math.nan
        if found is not None:
            gap = (found.objective - bound) / found.objective if found.objective else 0.0
        rows.append(
            {
                "method": plan.method,
                "status": plan.status,
                "cost": plan.cost,
                "delay_s": plan.delay_s,
                "rejected_weight": math.nan if found is None else found.rejected_weight,
                "replicas": sum(map(len, plan.replicas.values())),
                "lower_bound": plan.lower_bound,
                "gap": gap,
                "seconds": plan.seconds,
            }
        )
    return Comparison(problem, tuple(rows), tuple(plans))
