"""Figures that several experiments share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.quantity import split_unit
from ...plot import palette, plot_sweep_curves, style
from ..rows import Rows, distinct, only

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def curves(rows: Rows, *, x: str, hue: str, y: str = "delay_s", ax: Axes | None = None) -> Axes:
    """`y` over `x`, a line for each value of `hue`."""
    at, lines = distinct(rows, x), distinct(rows, hue)
    values = [[only(rows, **{x: here, hue: line})[y] for line in lines] for here in at]
    data = {x: np.array(at), hue: np.array(lines), y: np.array(values, dtype=float)}
    return plot_sweep_curves(data, x=x, y=y, hue=hue, ax=ax)


def reduction_map(rows: Rows, *, ax: Axes, x: str = "s2g_rate_bps", y: str = "image") -> Any:
    """How much less delay, a cell for each `x` and `y` with its per cent; red cells take longer."""
    columns, lines = distinct(rows, x), distinct(rows, y)
    values = np.array([[only(rows, **{x: c, y: line})["reduction"] for c in columns] for line in lines])
    # Beyond a twofold delay the colour says no more.
    mesh = ax.imshow(values, cmap="RdBu", vmin=-1, vmax=1, aspect="auto", origin="lower")
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.6 else palette.INK
        ax.text(j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=6.5, color=colour)
    numbers = all(isinstance(c, (int, float)) for c in columns)
    name, unit = split_unit(x)
    prefix, scale = style.common_prefix(columns, unit) if numbers else ("", 1.0)
    ax.set_xticks(range(len(columns)), [f"{c / scale:g}" if numbers else str(c) for c in columns])
    ax.set_yticks(range(len(lines)), [str(line) for line in lines])
    ax.set_xlabel(f"{name} ({prefix}{unit})" if unit else name)
    ax.set_ylabel(split_unit(y)[0])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return mesh


def grouped_bars(
    rows: Rows, *, group: str, hue: str, y: str, ax: Axes, labels: Sequence[str] | None = None, log: bool = False
) -> None:
    """Bars of `y` side by side for each `group`; where there is no value a cross stands on the floor."""
    groups, bars = distinct(rows, group), distinct(rows, hue)
    width = 0.8 / len(bars)
    for j, bar in enumerate(bars):
        heights = [float(only(rows, **{group: g, hue: bar})[y]) for g in groups]
        places = [i - 0.4 + width * (j + 0.5) for i in range(len(groups))]
        colour = palette.CYCLE[j % len(palette.CYCLE)]
        ax.bar(places, heights, width=0.92 * width, color=colour, label=bar)
        missing = [place for place, height in zip(places, heights) if math.isnan(height)]
        floor = ax.get_xaxis_transform()
        ax.plot(missing, [0.02] * len(missing), "x", color=colour, markersize=5, transform=floor)
    ax.set_xticks(range(len(groups)), labels or [str(g) for g in groups])
    if log:
        ax.set_yscale("log")
    ax.tick_params(axis="x", length=0)
    ax.grid(axis="y")
