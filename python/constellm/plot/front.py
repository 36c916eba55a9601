"""Fronts of plans and tables of methods."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core.split import Plan
from ..core.quantity import figure, quantity
from ..split.display import status_text
from ..split.fronts import ParetoFront
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CRITERIA = ("delay_s", "bottleneck_s", "bytes", "error", "energy_j")
_WORD_POINTS = (36.0, 10.0)  # width and height that a word at a point takes
_LABELLED = 12  # points of a front that still leave room for words


def plot_pareto(
    front: Iterable[Plan], *, x: str | None = None, y: str | None = None, ax: Axes | None = None
) -> Axes:
    """Plans by two criteria that are both to be small, with the region that they dominate.

    Plans that another one dominates are hollow; the words count the hosting nodes where their number changes.

    Parameters
    ----------
    front : iterable of Plan
        A `constellm.split.ParetoFront`, or any plans; those without stages are left out.
    x, y : str
        Attributes of a plan: ``delay_s``, ``bottleneck_s``, ``bytes``, ``error`` or ``energy_j``. None is the
        front's first or second criterion; of other plans ``delay_s`` or ``bytes``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If no plan has stages, or `x` or `y` is no such attribute.

    Examples
    --------
    >>> from constellm import paper, plot, split
    >>> front = split.pareto_front(paper.collaborative.problem(relays=0), ("delay_s", "bytes"))
    >>> ax = plot.plot_pareto(front)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('delay (s)', 'data (MB)')
    """
    criteria = front.criteria if isinstance(front, ParetoFront) else ("delay_s", "bytes")
    x = criteria[0] if x is None else x
    y = criteria[1] if y is None else y
    for axis, criterion in ("x", x), ("y", y):
        if criterion not in _CRITERIA:
            raise ValueError(f"{axis}: {criterion!r} is not one of {', '.join(_CRITERIA)}")
    plans = [plan for plan in front if plan.path]
    if not plans:
        raise ValueError("front: no plan in it has stages")
    plans.sort(key=lambda plan: (getattr(plan, x), getattr(plan, y)))
    points = np.array([[getattr(plan, x), getattr(plan, y)] for plan in plans])
    lowest_before = np.concatenate([[np.inf], np.minimum.accumulate(points[:-1, 1])])
    efficient = points[:, 1] < lowest_before
    best = points[efficient]
    with style.drawing(ax, (5.6, 3.8)) as ax:
        room = 0.08 * np.maximum(points.max(axis=0) - points.min(axis=0), 1e-3 * np.abs(points).max(axis=0))
        right, top = points.max(axis=0) + (2 * room[0], room[1])  # words stand right of the last point
        step = np.vstack([[best[0, 0], top], best, [right, best[-1, 1]]])
        ax.fill_between(step[:, 0], step[:, 1], top, step="post", color=palette.PALE, alpha=0.6, linewidth=0)
        ax.step(step[:, 0], step[:, 1], where="post", color=palette.CYCLE[0], linewidth=1.2)
        ax.plot(best[:, 0], best[:, 1], "o", color=palette.CYCLE[0], markersize=4.5 if len(best) < 30 else 3)
        hollow = {"markerfacecolor": "white", "markeredgecolor": palette.MUTED}
        ax.plot(*points[~efficient].T, "o", markersize=4.5, **hollow)
        ax.set_xlim(points[:, 0].min() - room[0], right)
        ax.set_ylim(points[:, 1].min() - room[1], top)
        _count_hosts(ax, [plan for plan, kept in zip(plans, efficient) if kept], best)
        style.label_axis(ax.xaxis, x, points[:, 0])
        style.label_axis(ax.yaxis, y, points[:, 1])
        corner = {"transform": ax.transAxes, "ha": "right", "va": "top"}
        ax.text(0.98, 0.97, "dominated", color=palette.MUTED, fontsize=8, **corner)
    return ax


def _count_hosts(ax: Axes, plans: Sequence[Plan], points: np.ndarray) -> None:
    said = 0
    changes = []
    for plan, point in zip(plans, points):
        hosts = len(plan.stages)
        if hosts != said:
            changes.append((hosts, point))
        said = hosts
    taken: list[np.ndarray] = []
    for hosts, point in changes[:_LABELLED]:
        words = f"{hosts} host" if hosts == 1 else f"{hosts} hosts"
        # Where it would stand on a word before it, a word is left out.
        place = ax.transData.transform(point) * 72.0 / ax.figure.dpi
        if all(np.any(np.abs(place - other) > _WORD_POINTS) for other in taken):
            ax.annotate(words, point, xytext=(5, 4), textcoords="offset points", fontsize=8)
            taken.append(place)


def plot_comparison(table: Iterable[Mapping[str, Any]], *, ax: Axes | None = None) -> Axes:
    """Delay, and data sent, of several methods on one problem.

    Delays that lie far apart are points on a logarithmic axis, which has no zero for a bar to start from.

    Parameters
    ----------
    table : iterable of mapping
        That of `constellm.split.compare`, or rows with ``method``, ``delay_s``, ``status`` and, where known,
        ``bytes`` and ``delay_model``. A row without a finite delay shows its status; one that breaks limits
        is grey. × is the delay relative to the table's reference, of other rows to the first one with a
        delay; the axis says which.
    ax : matplotlib.axes.Axes, optional
        Where to draw the delays; a new figure if None. The data sent stands right of it.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If the table has no row.

    Examples
    --------
    >>> from constellm import paper, plot, split
    >>> rows = split.compare(paper.collaborative.problem(relays=0), methods=["uniform", "optimal"])
    >>> ax = plot.plot_comparison(rows)
    """
    rows = list(table)
    if not rows:
        raise ValueError("table: it has no row")
    with style.drawing(ax, (8.5, 1.0 + 0.32 * len(rows))) as ax:
        known = {str(row["method"]): _number(row, "delay_s") for row in rows}
        reference = str(getattr(table, "reference", None))
        if not math.isfinite(known.get(reference, math.nan)):
            reference = next((name for name, delay_s in known.items() if math.isfinite(delay_s)), "")
        words = [_verdict(row, known.get(reference, math.nan)) for row in rows]
        _bars(ax, rows, "delay_s", [palette.method(str(row["method"])) for row in rows], words)
        if reference:
            ax.set_xlabel(f"{ax.get_xlabel()}, × relative to {style.name(reference)}")
        ax.set_yticks(range(len(rows)), [_method(row) for row in rows])
        if any(math.isfinite(_number(row, "bytes")) for row in rows):
            sent = ax.inset_axes((1.06, 0, 0.5, 1))
            words = [quantity(_number(row, "bytes"), "B") for row in rows]
            _bars(sent, rows, "bytes", [palette.Look(palette.PHASES["transmit"], "o")] * len(rows), words)
            sent.set_yticks([])
    return ax


def _method(row: Mapping[str, Any]) -> str:
    """The method's name, with its delay model where that is not the pipeline's."""
    model = row.get("delay_model") or "pipeline"
    words = style.name(row["method"], longest=32)
    return words if model == "pipeline" else f"{words}\n({style.name(model)})"


def _number(row: Mapping[str, Any], field: str) -> float:
    value = row.get(field)
    return math.nan if value is None else float(value)


def _breaks(row: Mapping[str, Any]) -> bool:
    return row.get("status") == "breaks_limits"


def _verdict(row: Mapping[str, Any], reference_s: float) -> str:
    delay_s = _number(row, "delay_s")
    if not math.isfinite(delay_s):
        return status_text(str(row.get("status", "")))
    words = quantity(delay_s, "s")
    if reference_s > 0:
        words += f"  ({figure(delay_s / reference_s)}×)"
    return words + "  breaks limits" if _breaks(row) else words


def _bars(
    ax: Axes,
    rows: Sequence[Mapping[str, Any]],
    field: str,
    looks: Sequence[palette.Look],
    words: Sequence[str],
) -> None:
    values = [_number(row, field) for row in rows]
    finite = [value for value in values if math.isfinite(value)]
    log = style.spans_decades(finite)
    least, most = (min(finite) / 2, max(finite)) if log else (0.0, max(finite, default=0.0) or 1.0)
    if log:
        ax.set_xscale("log")
    ax.set_xlim(least, most * (most / least) ** 0.5 if log else 1.6 * most)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    for i, (row, value) in enumerate(zip(rows, values)):
        end = value if math.isfinite(value) else least
        colour = palette.MUTED if _breaks(row) else looks[i].colour
        if not log:
            ax.barh(i, end, height=0.62, color=colour)
        elif math.isfinite(value):
            ax.hlines(i, least, value, color=palette.PALE, linewidth=1.0)
            ax.plot(value, i, looks[i].marker, color=colour, markersize=6)
        ax.annotate(words[i], (end, i), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8)
    ax.tick_params(axis="y", length=0)
    style.label_axis(ax.xaxis, field, finite, log=log)
