"""One labelled table of what methods make of a problem."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from .. import _core
from .._core.split import Problem
from ..core.display import Display
from ..core.interrupt import Interrupted
from ..core.labelled_rows import _LabelledRows
from ..core.progress import bar
from ..core.quantity import counted, figure, printable, quantity
from ..core.table import Table
from .display import layout_text, status_text, why_none
from .evaluation import objective_figure
from .interrupt import was_interrupted
from .methods import SEQUENTIAL, TENSOR_PARALLEL, applicable, method_of
from .options import check_options

COLUMNS = {
    "method": "name",
    "status": "of the method's own answer; 'breaks_limits' where its plan is not allowed",
    "delay_s": "by the delay model of the row [s]",
    "speed_up": "objective of the reference row ÷ that of this one",
    "bottleneck_s": "time between two results [s]",
    "bytes": "over all hops and micro-batches [B]",
    "error": "accumulated",
    "energy_j": "over all micro-batches [J]",
    "lower_bound_s": "no plan of the problem has a smaller objective [s]; from the exact search",
    "gap": "(objective − best lower bound of the table) ÷ objective, for plans of the very problem",
    "delay_model": "pipeline, sequential or tensor parallel",
    "breaks": "limits that the plan breaks",
    "note": "codecs that the method adds to the menu; why there is no plan",
    "layers": "who hosts which layers, and the codec of what is sent on",
}
_FIGURES = ("delay_s", "bottleneck_s", "bytes", "error", "energy_j")


@dataclass(frozen=True, eq=False)
class Comparison(_LabelledRows):
    """What methods make of a problem, in `rows`: a dict each with the keys of `COLUMNS`, NaN for no figure.

    Shown, the column ``× …`` has each objective as a multiple of the reference's: 0.5 is half its delay.

    Attributes
    ----------
    problem : Problem
        That was compared.
    rows : tuple of dict
        In the order of the methods.
    reference : str or None
        The method that ``speed_up`` and × refer to; None where no method has a plan.

    Examples
    --------
    >>> from constellm import paper, split
    >>> table = split.compare(paper.collaborative.problem(), methods=["uniform", "optimal"])
    >>> round(table["optimal"]["speed_up"], 2), len(table)
    (2.51, 2)
    """

    _columns: ClassVar[tuple[str, ...]] = tuple(COLUMNS)

    problem: Problem
    rows: tuple[dict[str, Any], ...]
    reference: str | None

    def __repr__(self) -> str:
        return f"Comparison({self.problem.name!r}: {counted(len(self.rows), 'method')})"

    def _display(self) -> Display:
        return Display([self._title()], [replace(self._shown(), title="")])

    def _repr_html_(self) -> str:
        return self._display().html(most=None)

    def _title(self) -> str:
        objective = objective_figure(self.problem).removesuffix("_s")
        parts = [f"{self.problem.name}: {self.problem.objective}"]
        if self.reference is not None:
            parts.append(f"× is {objective} relative to {self.reference}")
        bound = max((row["lower_bound_s"] for row in self.rows if _told(row["lower_bound_s"])), default=None)
        if bound is not None and math.isfinite(bound):
            parts.append(f"proven: none below {quantity(bound, 's')}")
        return "; ".join(parts)

    def _shown(self) -> Table:
        """The rows for people: no columns that are empty throughout, and notes behind the layers.

        Notes are few: a column of theirs would be a long way off, behind the longest plan.
        """
        rows = [
            {**row, "layers": "; ".join(filter(None, (row["layers"], _model(row), row["note"])))}
            for row in self.rows
        ]
        columns = {name: [row[name] for row in rows] for name in _SHOWN}
        shown = [name for name in columns if name == "method" or any(map(_told, columns[name]))]
        cells = [list(map(_CELLS.get(name, _as_it_is), columns[name])) for name in shown]
        heads = [f"× {self.reference}" if name == "speed_up" else name for name in shown]
        return Table(heads, tuple(zip(*cells)), self._title()).with_units_in_head()


def compare(
    problem: Problem,
    methods: Sequence[str] | None = None,
    *,
    reference: str | None = None,
    time_limit_s: float = math.inf,
    progress: bool | None = None,
) -> Comparison:
    """What methods make of a problem, as one table.

    Parameters
    ----------
    problem : Problem
        What is to be run where.
    methods : sequence of str, optional
        Names of `METHODS`; default: all that fit the menu.
    reference : str, optional
        The method that ``speed_up`` and × refer to; default: the first one with a plan.
    time_limit_s : float
        For each method [s].
    progress : bool, optional
        Show a bar (needs tqdm). Default: at a prompt and in notebooks.

    Returns
    -------
    Comparison
        Plans that break a limit are shown with what they break, not hidden. A row whose delay follows
        another model than the problem's own says so.

    Raises
    ------
    ValueError, TypeError
        For an unknown method, one that does not fit the menu, or a reference that is not among them.
    Interrupted
        On Ctrl-C: a `KeyboardInterrupt` whose `result` is the table of the rows so far; the last one may have
        status ``"interrupted"``.

    Examples
    --------
    >>> from constellm import paper, split
    >>> table = split.compare(paper.collaborative.edge_boards(), ["uniform", "pipeedge", "optimal"])
    >>> [row["status"] for row in table]
    ['feasible', 'feasible', 'optimal']
    >>> table["uniform"]["delay_s"] > table["optimal"]["delay_s"]
    True
    """
    if isinstance(methods, str):
        raise TypeError(f"methods: expected several names, got {methods!r}")
    names = applicable(problem) if methods is None else list(methods)
    if len(set(names)) != len(names):
        raise ValueError("methods: a name stands twice")
    if reference is not None and reference not in names:
        raise ValueError(f"reference: {reference!r} is not among the methods")
    limit_s = check_options({"time_limit_s": time_limit_s})["time_limit_s"]
    for name in names:
        method_of(name)
    rows: list[dict[str, Any]] = []
    try:
        with bar(len(names), unit="methods", progress=progress) as move_on:
            for name in names:
                rows.append(_row(problem, name, limit_s))
                move_on(1)
                if rows[-1]["status"] == "interrupted":
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise Interrupted(_table(problem, rows, reference)) from None
    return _table(problem, rows, reference)


def _table(problem: Problem, rows: Sequence[dict[str, Any]], reference: str | None) -> Comparison:
    """Rows with what one says beside the others: speed-up and gap."""
    objective = objective_figure(problem)
    with_plan = [row for row in rows if not math.isnan(row[objective])]
    if with_plan and reference not in [row["method"] for row in rows]:
        reference = with_plan[0]["method"]
    base = next((row[objective] for row in rows if row["method"] == reference), math.nan)
    bound = max(
        (row["lower_bound_s"] for row in rows if not math.isnan(row["lower_bound_s"])), default=math.nan
    )
    for row in rows:
        value = row[objective]
        if math.isnan(value) or value == 0.0:
            continue
        row["speed_up"] = base / value
        if not row["breaks"] and not row["note"] and row["delay_model"] == "pipeline":
            row["gap"] = (value - bound) / value
    return Comparison(problem, tuple(rows), reference)


def _row(problem: Problem, name: str, time_limit_s: float) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    row.update(dict.fromkeys((*_FIGURES, "speed_up", "lower_bound_s", "gap"), math.nan))
    model = method_of(name).delay_model
    row.update(method=name, delay_model=model.split(":")[0])
    if model == TENSOR_PARALLEL:
        return _tensor_parallel_row(problem, row)
    if name == "optimal":
        plan = _core.split.solve(problem, **check_options({"time_limit_s": time_limit_s}))
        status = "interrupted" if was_interrupted(plan) else plan.status
        row.update(status=status, lower_bound_s=plan.lower_bound_s, note="; ".join(why_none(plan)))
        asked, path, stages = problem, plan.path, plan.stages
    else:
        found = _core.split.propose(problem, name, time_limit_s=time_limit_s)
        row["status"] = found["status"]
        asked, path, stages = found["problem"], found["path"], found["stages"]
    if not path:
        return row
    terms = _core.split.evaluate(asked, path, stages)
    row.update({figure: getattr(terms, figure) for figure in _FIGURES})
    if model == SEQUENTIAL:
        one_s = math.fsum(t.time_s for t in terms.stages) + math.fsum(
            t.time_s + t.latency_s for t in terms.hops
        )
        row.update(delay_s=problem.micro_batches * one_s, bottleneck_s=one_s)
    row["layers"] = layout_text(stages)
    row["breaks"] = "; ".join(terms.broken_limits)
    if row["breaks"]:
        row["status"] = "breaks_limits"
    added = {codec.name for codec in asked.codecs[len(problem.codecs) :]} & {stage.codec for stage in stages}
    if added:
        row["note"] = "adds to the menu: " + ", ".join(sorted(filter(None, added)))
    return row


def _tensor_parallel_row(problem: Problem, row: dict[str, Any]) -> dict[str, Any]:
    found = _core.split.tensor_parallel(problem)
    row["status"] = "no_plan_found" if found is None else "feasible"
    if found is not None:
        row.update({figure: found[figure] for figure in ("delay_s", "bottleneck_s", "bytes")}, error=0.0)
        row["layers"] = ", ".join(
            f"{host} {share:.0%}" for host, share in zip(found["hosts"], found["share"])
        )
    return row


def _as_it_is(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value


def _model(row: Mapping[str, Any]) -> str:
    return "" if row["delay_model"] == "pipeline" else str(row["delay_model"])


# Of the table for people: the delay model and notes stand with the layers, the bound in the title.
_SHOWN = tuple(name for name in COLUMNS if name not in ("delay_model", "lower_bound_s", "note"))

# How a column's values are shown; figures with a unit get theirs in the head.
_CELLS: dict[str, Callable[[Any], Any]] = {
    "status": status_text,
    "speed_up": lambda value: figure(1.0 / value) if value else "–",
    "gap": lambda value: "–" if math.isnan(value) else f"{value:.2%}",
    "error": lambda value: figure(value),
}


def _told(cell: Any) -> bool:
    return cell != "" and cell == cell
