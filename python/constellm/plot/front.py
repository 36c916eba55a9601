"""Fronts of plans and tables of methods."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core import Plan
from ..core.quantity import quantity, split_unit
from ..split.display import status_text
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELLED = 12  # points of a front that still leave room for words


def plot_pareto(
    front: Sequence[Plan], *, x: str = "delay_s", y: str = "bytes", ax: Axes | None = None
) -> Axes:
    """Plans by two criteria that are both to be small, with the region that they dominate.

    Plans that another one dominates are hollow; the words count the hosting nodes where their number changes.

    Parameters
    ----------
    front
        Plans; those without stages are left out.
    x, y
        Attributes of a plan: ``delay_s``, ``bottleneck_s``, ``bytes``, ``error`` or ``energy_j``.
    ax
        Where to draw; a new figure if None.

    Raises
    ------
    ValueError
        If no plan has stages, or `x` or `y` is no such attribute.
    """
    for axis, criterion in ("x", x), ("y", y):
        if criterion not in ("delay_s", "bottleneck_s", "bytes", "error", "energy_j"):
            raise ValueError(f"{axis}: {criterion!r} is not delay_s, bottleneck_s, bytes, error or energy_j")
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
        right, top = points.max(axis=0) + room
        step = np.vstack([[best[0, 0], top], best, [right, best[-1, 1]]])
        ax.fill_between(step[:, 0], step[:, 1], top, step="post", color=palette.PALE, alpha=0.6, linewidth=0)
        ax.step(step[:, 0], step[:, 1], where="post", color=palette.CYCLE[0], linewidth=1.2)
        ax.plot(best[:, 0], best[:, 1], "o", color=palette.CYCLE[0], markersize=4.5)
        hollow = {"markerfacecolor": "white", "markeredgecolor": palette.MUTED}
        ax.plot(*points[~efficient].T, "o", markersize=4.5, **hollow)
        _count_hosts(ax, [plan for plan, kept in zip(plans, efficient) if kept], best)
        ax.set_xlim(points[:, 0].min() - room[0], right)
        ax.set_ylim(points[:, 1].min() - room[1], top)
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
    for hosts, point in changes[:_LABELLED]:
        words = f"{hosts} host" if hosts == 1 else f"{hosts} hosts"
        ax.annotate(words, point, xytext=(5, 4), textcoords="offset points", fontsize=8)


def plot_comparison(table: Iterable[Mapping[str, Any]], *, ax: Axes | None = None) -> Axes:
    """Delay, and data sent, of several methods on one problem.

    Parameters
    ----------
    table
        Rows of `constellm.split.compare`: ``method``, ``delay_s``, ``status`` and, where known, ``bytes``.
        A row without a finite delay shows its status. The factors are those to the smallest delay.
    ax
        Where to draw the delays; a new figure if None. The data sent stands right of it.

    Raises
    ------
    ValueError
        If the table has no row.
    """
    rows = list(table)
    if not rows:
        raise ValueError("table: it has no row")
    with style.drawing(ax, (8.5, 1.0 + 0.32 * len(rows))) as ax:
        _bars(ax, rows, "delay_s", palette.CYCLE[0], factors=True)
        ax.set_yticks(range(len(rows)), [style.name(row["method"], longest=32) for row in rows])
        if any(math.isfinite(_number(row, "bytes")) for row in rows):
            sent = ax.inset_axes((1.06, 0, 0.5, 1))
            _bars(sent, rows, "bytes", palette.PHASES["transmit"], factors=False)
            sent.set_yticks([])
    return ax


def _number(row: Mapping[str, Any], field: str) -> float:
    value = row.get(field)
    return math.nan if value is None else float(value)


def _bars(ax: Axes, rows: Sequence[Mapping[str, Any]], field: str, colour: str, *, factors: bool) -> None:
    values = [_number(row, field) for row in rows]
    finite = [value for value in values if math.isfinite(value)]
    least, most = min(finite, default=0.0), max(finite, default=1.0)
    unit = split_unit(field)[1]
    for i, (row, value) in enumerate(zip(rows, values)):
        if not math.isfinite(value):
            words = status_text(str(row.get("status", ""))) if factors else "–"
            ax.text(0.01 * most, i, words, va="center", fontsize=8, color=palette.MUTED)
            continue
        ax.barh(i, value, height=0.62, color=colour)
        words = quantity(value, unit)
        if factors and least > 0 and value > least:
            words += f"  ({value / least:.3g}×)"
        ax.text(value + 0.015 * most, i, words, va="center", fontsize=8)
    ax.set_xlim(0, 1.45 * most if most > 0 else 1.0)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    style.label_axis(ax.xaxis, field, finite)
