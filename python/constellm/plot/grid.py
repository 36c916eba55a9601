"""Curves and maps of sweeps.

A sweep is an `xarray.Dataset`, or anything with ``dims`` (names), ``coords`` and ``variables`` (mappings from
names to arrays); a cell without a plan is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.quantity import quantity
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEGEND_ENTRIES = 12
_MARKED_POINTS = 16
_COLOUR_MAP = "viridis"


def plot_sweep_curves(
    data: Any, *, x: str, y: str = "delay_s", hue: str | None = None, ax: Axes | None = None
) -> Axes:
    """One value of a sweep over a coordinate, one line for each value of another.

    Where a line has no plan it is interrupted, and a cross above the frame says so.

    Parameters
    ----------
    data : xarray.Dataset or SweepResult
        A sweep, or a mapping of arrays: ``data[x]`` of shape (n,), ``data[y]`` of shape (n,) or, with
        ``data[hue]`` of shape (h,), (n, h).
    x, y, hue : str
        Names; the unit that a name ends in is the axis's. Numbers in `hue` get shades, words colours.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        For a name that `data` lacks, and where another dimension has more than one value.

    Examples
    --------
    >>> from constellm import paper, plot, sweep
    >>> problem = paper.collaborative.problem(relays=0)
    >>> found = sweep.run(problem, rate_bps=[1e8, 1e9], max_error=[0.1, 0.3])
    >>> ax = plot.plot_sweep_curves(found, x="rate_bps", hue="max_error")
    >>> ax.get_ylabel()
    'delay (s)'
    """
    dims = (x,) if hue is None else (x, hue)
    coords, values = _grid(data, y, dims)
    lines = values[:, None] if hue is None else values
    positions, words = _positions(coords[0])
    log_x = words is None and style.is_geometric(positions)
    log_y = style.spans_decades(lines)
    with style.drawing(ax, (6.0, 3.8)) as ax:
        looks = [{"color": palette.CYCLE[0], "marker": "o"}] if hue is None else _looks(coords[1])
        labels = [""] if hue is None else _labels(hue, coords[1])
        missing = ~np.isfinite(lines)
        for j, look in enumerate(looks):
            if labels[j] != "_" and missing[:, j].all():
                labels[j] += " (no plan)"
            if len(positions) > _MARKED_POINTS:
                look = {**look, "marker": ""}
            ax.plot(positions, lines[:, j], label=labels[j], markersize=3.5, **look)
        crosses = _mark_missing(ax, positions, missing, looks)
        if log_x:
            ax.set_xscale("log")
        if log_y:
            ax.set_yscale("log")
        _label_coordinate(ax.xaxis, x, coords[0], log=log_x)
        style.label_axis(ax.yaxis, y, lines, log=log_y)
        style.grid(ax)
        if hue is not None:
            _legend(ax, hue, len(looks), crosses)
    return ax


def plot_heat_map(data: Any, *, x: str, y: str, value: str = "delay_s", ax: Axes | None = None) -> Axes:
    """One value of a sweep over two coordinates; cells without a plan are grey and hatched.

    Parameters
    ----------
    data : xarray.Dataset or SweepResult
        A sweep.
    x, y, value : str
        Names of two coordinates and a variable.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        For a name that `data` lacks, and where another dimension has more than one value.

    Examples
    --------
    >>> from constellm import paper, plot, sweep
    >>> problem = paper.collaborative.problem(relays=0)
    >>> found = sweep.run(problem, rate_bps=[1e8, 1e9], max_error=[0.1, 0.3])
    >>> ax = plot.plot_heat_map(found, x="rate_bps", y="max_error")
    """
    coords, values = _grid(data, value, (y, x))
    with style.drawing(ax, (5.8, 4.0)) as ax:
        from matplotlib.colors import LogNorm
        from matplotlib.patches import Patch

        edges = []
        for axis, scale, field, coord in (
            (ax.yaxis, ax.set_yscale, y, coords[0]),
            (ax.xaxis, ax.set_xscale, x, coords[1]),
        ):
            positions, words = _positions(coord)
            log = words is None and style.is_geometric(positions)
            if log:
                scale("log")
            edges.append(_edges(positions, log=log))
            _label_coordinate(axis, field, coord, log=log)
        finite = np.isfinite(values)
        log_value = style.spans_decades(values[finite])
        no_plan = {"facecolor": palette.PALE, "edgecolor": palette.MUTED, "hatch": "////", "linewidth": 0.0}
        if not finite.all():
            y_edges, x_edges = edges
            ax.fill_between(x_edges[[0, -1]], y_edges[0], y_edges[-1], **no_plan, zorder=0)
            ax.legend(handles=[Patch(label="no plan", **no_plan)], loc="lower left", bbox_to_anchor=(0, 1))
        if finite.any():
            mesh = ax.pcolormesh(edges[1], edges[0], np.ma.masked_invalid(values), cmap=_COLOUR_MAP,
                                 norm=LogNorm() if log_value else None, rasterized=True)  # fmt: skip
            bar = ax.figure.colorbar(mesh, ax=ax)
            bar.outline.set_visible(False)
            style.label_axis(bar.ax.yaxis, value, values[finite], log=log_value)
        ax.set_xlim(edges[1][0], edges[1][-1])
        ax.set_ylim(edges[0][0], edges[0][-1])
    return ax


def _grid(data: Any, value: str, dims: tuple[str, ...]) -> tuple[list[np.ndarray], np.ndarray]:
    """The coordinates of `dims`, and `value` as an array over them in that order."""
    if isinstance(data, Mapping) and not hasattr(data, "variables"):
        coords, variables, of_data = data, data, list(dims)
    else:
        coords, variables, of_data = data.coords, data.variables, list(data.dims)
    for name in (*dims, value):
        known = variables if name == value else coords
        if name not in known:
            raise ValueError(f"{name!r} is not in the data; it has {', '.join(sorted(map(str, known)))}")
    variable = variables[value]
    of_value = list(getattr(variable, "dims", of_data))
    array = np.asarray(variable, dtype=float)
    for name in [name for name in of_value if name not in dims]:
        axis = of_value.index(name)
        if array.shape[axis] != 1:
            raise ValueError(f"{name}: {array.shape[axis]} values of {value}; select one before drawing")
        array = array.squeeze(axis)
        of_value.remove(name)
    if sorted(of_value) != sorted(dims):
        raise ValueError(f"{value} is over {', '.join(of_value)}, not over {', '.join(dims)}")
    array = array.transpose([of_value.index(name) for name in dims])
    found = [np.asarray(coords[name]) for name in dims]
    if array.shape != tuple(coord.size for coord in found):
        wanted = tuple(coord.size for coord in found)
        raise ValueError(f"{value}: shape {array.shape} over {', '.join(dims)} is not {wanted}")
    return found, array


def _positions(coord: np.ndarray) -> tuple[np.ndarray, list[str] | None]:
    """Where a coordinate's values lie on its axis; words lie at 0, 1, ... and are returned as labels."""
    if coord.dtype.kind in "iuf":
        return coord.astype(float), None
    return np.arange(coord.size, dtype=float), [style.name(str(word)) for word in coord]


def _label_coordinate(axis: Any, field: str, coord: np.ndarray, *, log: bool) -> None:
    positions, words = _positions(coord)
    if words is None:
        style.label_axis(axis, field, positions, log=log)
        if coord.dtype.kind in "iu" and not log:
            axis.set_major_locator(style.matplotlib().ticker.MaxNLocator(integer=True))
        return
    axis.set_ticks(positions, words)
    axis.set_label_text(style.field_words(field)[0])


def _edges(positions: np.ndarray, *, log: bool) -> np.ndarray:
    """Borders of the cells around `positions`, half-way on the axis's scale."""
    at = np.log(positions) if log else positions
    if at.size == 1:
        middle = np.array([at[0]])
        outer = 0.5
    else:
        middle = (at[:-1] + at[1:]) / 2
        outer = 0.0
    first = at[0] - outer if outer else 2 * at[0] - middle[0]
    last = at[-1] + outer if outer else 2 * at[-1] - middle[-1]
    edges = np.array([first, last]) if outer else np.concatenate([[first], middle, [last]])
    return np.exp(edges) if log else edges


def _looks(coord: np.ndarray) -> list[dict[str, Any]]:
    n = coord.size
    if coord.dtype.kind in "iuf":
        colours = style.matplotlib().colormaps[_COLOUR_MAP](np.linspace(0, 0.9, n))
        return [{"color": tuple(colour), "marker": "o"} for colour in colours]
    return palette.lines([str(word) for word in coord])


def _labels(hue: str, coord: np.ndarray) -> list[str]:
    """Names of the lines; of many numbers only some, as shades say the rest."""
    if coord.dtype.kind not in "iuf":
        return [style.name(str(word), longest=32) for word in coord]
    unit = style.field_words(hue)[1]
    said = set(np.linspace(0, coord.size - 1, min(coord.size, _LEGEND_ENTRIES)).round().astype(int))
    words = [quantity(value, unit) if unit else f"{value:.4g}" for value in coord.tolist()]
    return [word if j in said else "_" for j, word in enumerate(words)]


def _mark_missing(
    ax: Axes, positions: np.ndarray, missing: np.ndarray, looks: Sequence[dict[str, Any]]
) -> bool:
    """A row of crosses above the frame for each line that has gaps, but for one that is nothing else."""
    gaps = [j for j in range(len(looks)) if missing[:, j].any() and not missing[:, j].all()]
    for row, j in enumerate(gaps):
        at = positions[missing[:, j]]
        height = np.full_like(at, 1.02 + 0.03 * row)
        ax.plot(at, height, "x", color=looks[j]["color"], markersize=4, clip_on=False, label="_",
                transform=ax.get_xaxis_transform())  # fmt: skip
    return bool(gaps)


def _legend(ax: Axes, hue: str, lines: int, crosses: bool) -> None:
    from matplotlib.lines import Line2D

    handles = ax.get_legend_handles_labels()[0]
    if crosses:
        cross = {"linestyle": "", "marker": "x", "markersize": 4, "color": palette.MUTED}
        handles.append(Line2D([], [], label="no plan", **cross))
    beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
    title = style.field_words(hue)[0]
    if any(line.get_label() == "_" for line in ax.lines[:lines]):
        title += f"\n(some of {lines})"
    ax.legend(handles=handles, title=title, **beside)
