"""Figures that several experiments share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.quantity import common_prefix, split_unit
from ...core.table import Rows, distinct, only
from ...plot import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE = 20
"""Values whose largest is so many times the smallest get a logarithmic axis."""


@contextmanager
def panels(lines: int, columns: int, size: tuple[float, float]) -> Iterator[tuple[Any, Any]]:
    """A figure of `size` inches and its axes, shape (lines, columns), with the style in force."""
    with style.in_force():
        from matplotlib import pyplot

        yield pyplot.subplots(lines, columns, squeeze=False, layout="constrained", figsize=size)


def curves(rows: Rows, *, x: str, hue: str, title: str, y: str = "delay_s", log_x: bool = False) -> Axes:
    """`y` over `x`, a line for each value of `hue`; markers tell lines apart that lie on each other."""
    at, lines = distinct(rows, x), distinct(rows, hue)
    numbers = not any(isinstance(here, str) for here in at)
    places = at if numbers else range(len(at))
    with panels(1, 1, (6.4, 3.6)) as (_, axes):
        ax = axes[0, 0]
        values = [[only(rows, **{x: here, hue: line})[y] for here in at] for line in lines]
        looks = palette.series([str(line) for line in lines])
        for j, (line, look, heights) in enumerate(zip(lines, looks, values)):
            ax.plot(
                places,
                heights,
                marker=look.marker,
                markersize=7 - 0.6 * j,
                markerfacecolor="none",
                label=str(line),
                color=look.colour,
            )
        if log_x:
            log_ticks(ax, "x", at, x)
        else:
            ax.set_xticks(places, at)
            ax.set_xlabel(split_unit(x)[0])
        if _spread(np.ravel(values)) > _WIDE:
            log_ticks(ax, "y", _decades(np.ravel(values)), y)
        else:
            style.label_axis(ax.yaxis, y, np.ravel(values))
            ax.set_ylim(bottom=0)
        style.grid(ax)
        ax.set_title(title)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def log_ticks(ax: Axes, which: str, values: Sequence[float], field: str) -> None:
    """The x or y axis logarithmic and labelled, with ticks at `values` that are not close to each other."""
    ticks: list[float] = []
    for value in sorted(values):
        if not ticks or value > 1.3 * ticks[-1]:
            ticks.append(value)
    name, unit = split_unit(field)
    prefix, scale = common_prefix(ticks, unit) if unit else ("", 1.0)
    getattr(ax, f"set_{which}scale")("log")
    axis = getattr(ax, f"{which}axis")
    axis.set_ticks(ticks, [f"{tick / scale:,.9g}" for tick in ticks])
    axis.set_ticks([], minor=True)
    axis.set_label_text(f"{name} ({prefix}{unit})" if unit else name)


def reduction_map(rows: Rows, *, ax: Axes, x: str = "s2g_rate_bps", y: str = "image") -> Any:
    """How much less delay in per cent, a cell for each `x` and `y`; red cells take longer."""
    columns, lines = distinct(rows, x), distinct(rows, y)
    shares = np.array([[only(rows, **{x: c, y: line})["reduction"] for c in columns] for line in lines])
    values = 100 * shares
    # Beyond a twofold delay the colour says no more.
    mesh = ax.imshow(values, cmap="RdBu", vmin=-100, vmax=100, aspect="auto", origin="lower")
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 60 else palette.INK
        ax.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=6.5, color=colour)
    name, unit = split_unit(x)
    prefix, scale = common_prefix(columns, unit)
    ax.set_xticks(range(len(columns)), [f"{c / scale:g}" for c in columns])
    ax.set_yticks(range(len(lines)), [str(line) for line in lines])
    ax.set_xlabel(f"{name} ({prefix}{unit})")
    ax.set_ylabel(split_unit(y)[0])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return mesh


def grouped_points(rows: Rows, *, group: str, hue: str, y: str, ax: Axes) -> None:
    """Points of `y` side by side for each `group`, on a logarithmic axis; a cross where there is no value."""
    groups, bars = distinct(rows, group), distinct(rows, hue)
    looks = palette.series([str(bar) for bar in bars])
    width = 0.8 / len(bars)
    values = {bar: [float(only(rows, **{group: g, hue: bar})[y]) for g in groups] for bar in bars}
    for j, (look, (bar, heights)) in enumerate(zip(looks, values.items())):
        places = [i - 0.4 + width * (j + 0.5) for i in range(len(groups))]
        ax.plot(places, heights, look.marker, color=look.colour, markersize=6, label=str(bar))
        missing = [place for place, height in zip(places, heights) if math.isnan(height)]
        ax.plot(
            missing,
            [0.03] * len(missing),
            "x",
            color=look.colour,
            markersize=5,
            transform=ax.get_xaxis_transform(),
        )
    if any(math.isnan(height) for heights in values.values() for height in heights):
        ax.plot([], [], "x", color=palette.MUTED, markersize=5, label="no plan")
    ax.set_xticks(range(len(groups)), [str(g) for g in groups])
    log_ticks(ax, "y", _decades(np.concatenate(list(values.values()))), y)
    ax.tick_params(axis="x", length=0)
    style.grid(ax, "y")


def _spread(values: Any) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max() / finite.min()) if finite.size and finite.min() > 0 else 1.0


def _decades(values: Any) -> list[float]:
    """1, 2 and 5 of every decade that the values span; 1 alone where there are more than three."""
    finite = values[np.isfinite(values)]
    low, high = math.floor(math.log10(finite.min())), math.ceil(math.log10(finite.max()))
    steps = (1, 2, 5) if high - low <= 3 else (1,)
    return [
        step * 10.0**power
        for power in range(low, high + 1)
        for step in steps
        if 0.8 * finite.min() <= step * 10.0**power <= 1.25 * finite.max()
    ]
