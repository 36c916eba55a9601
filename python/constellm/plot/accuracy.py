"""Figures of measurements at cuts: curves of rate, error and accuracy, propagation, predictions, promises.

A table is anything that gives a column for its name: a mapping of names to arrays, a `pandas.DataFrame`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.checks import real
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..codec import Calibration, MeasuredCuts

_COLOUR_MAP = "viridis"
_POINT = {"marker": "o", "markersize": 3.5}


def plot_curves(
    table: Any,
    *,
    x: str,
    y: str,
    hue: str | None = None,
    se: str | None = None,
    dodge: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """One column over another, a line for each value of a third, each with points of its own.

    Parameters
    ----------
    table : mapping of str to array_like, such as a DataFrame
        Columns `x`, `y` and, where given, `hue` and `se`; rows with NaN are left out.
    x, y : str
        Names; the unit that a name ends in is the axis's. Shares such as ``accuracy`` are in hundredths. An
        axis over more than a factor of 50 is logarithmic.
    hue : str, optional
        Name of a column of words or numbers. Lines are in order of first appearance.
    se : str, optional
        Name of a column with standard errors of `y`; bars show one to either side.
    dodge : float, optional
        Shift along x from one line to the next, so that bars at the same place stay apart.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        For a column that `table` lacks, columns of different lengths, and where no row is left.

    Examples
    --------
    >>> from constellm import plot
    >>> table = {"codec": ["a", "a", "b", "b"], "ratio": [4, 8, 4, 8], "accuracy": [0.95, 0.93, 0.94, 0.94]}
    >>> ax = plot.plot_curves(table, x="ratio", y="accuracy", hue="codec")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['a', 'b']
    """
    names = [name for name in (x, y, hue, se) if name is not None]
    columns = _columns(table, names)
    numbers = {name: np.asarray(columns[name], dtype=float) for name in names if name != hue}
    finite = np.all([np.isfinite(column) for column in numbers.values()], axis=0)
    if not finite.any():
        raise ValueError(f"table: no row with {', '.join(numbers)}")
    groups = {"": finite}
    if hue is not None:
        groups = {value: finite & (columns[hue] == value) for value in dict.fromkeys(columns[hue].tolist())}
    groups = {value: rows for value, rows in groups.items() if rows.any()}
    with style.drawing(ax, (6.0, 3.8)) as ax:
        for i, (look, (value, rows)) in enumerate(zip(_looks(list(groups)), groups.items())):
            order = np.argsort(numbers[x][rows], kind="stable")
            at, height = numbers[x][rows][order], numbers[y][rows][order]
            at = at + dodge * (i - (len(groups) - 1) / 2)
            bars = None if se is None else numbers[se][rows][order]
            ax.errorbar(
                at, height, yerr=bars, label=_word(value), capsize=2, elinewidth=0.8, markersize=3.5, **look
            )
        for axis, scale, name in (ax.xaxis, ax.set_xscale, x), (ax.yaxis, ax.set_yscale, y):
            shown = numbers[name][finite]
            log = style.spans_decades(shown)
            if log:
                scale("log")
                _tick_decades(axis, shown)
            elif np.all(shown == np.round(shown)):
                axis.set_major_locator(style.matplotlib().ticker.MaxNLocator(integer=True))
            style.label_axis(axis, name, shown, log=log)
        style.grid(ax)
        if hue is not None:
            beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
            ax.legend(title=hue.replace("_", " "), **beside)
    return ax


def plot_propagation(rows: Iterable[MeasuredCuts], *, ax: Axes | None = None) -> Axes:
    """How an error travels: relative error at every boundary from the cut on, and of the logits.

    Parameters
    ----------
    rows : iterable of MeasuredCuts
        Of one network; a line for each, its cuts as filled points. Later first cuts are lighter.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If there is no row, or rows differ in their number of blocks.

    Examples
    --------
    >>> from constellm import infer, plot
    >>> rows = infer.measured_cuts()
    >>> ax = plot.plot_propagation([row for row in rows if row.codecs == ("quantise-4",)])
    """
    shown = _of_one_network(rows)
    blocks = shown[0].blocks
    codecs = list(dict.fromkeys(name for row in shown for name in row.codecs))
    with style.drawing(ax, (6.0, 3.8)) as ax:
        colours = style.matplotlib().colormaps[_COLOUR_MAP]
        for row in shown:
            first = row.cuts[0]
            colour = colours(0.92 * (first - 1) / max(blocks - 2, 1))
            label = "+".join(map(str, row.cuts))
            ax.plot(range(first, blocks + 1), row.reached, color=colour, label=label)
            ax.plot(row.cuts, [row.reached[k - first] for k in row.cuts], "o", color=colour, markersize=5)
        ax.set_yscale("log")
        _tick_decades(ax.yaxis, np.concatenate([row.reached for row in shown]))
        ax.set_xlim(0.6, blocks + 0.4)
        ax.set_xticks(range(1, blocks + 1), [*map(str, range(1, blocks)), "logits"])
        ax.set_xlabel("boundary")
        style.label_axis(ax.yaxis, "relative_error", [], log=True)
        style.grid(ax)
        if len(codecs) == 1:
            ax.set_title(style.name(codecs[0]), fontweight="normal", fontsize=9)
        beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
        ax.legend(title="cut at", **beside)
    return ax


def plot_calibration(
    calibration: Calibration,
    rows: Iterable[MeasuredCuts] = (),
    *,
    promises: Sequence[float] = (0.01,),
    ax: Axes | None = None,
) -> Axes:
    """What accumulated errors cost: expected loss, the bound above it, and the limits that it gives.

    Parameters
    ----------
    calibration : Calibration
        Of `codec.calibrate`.
    rows : iterable of MeasuredCuts
        Sets of cuts, drawn at their accumulated error with their expected loss and its standard error.
    promises : sequence of float
        Losses; lines lead from each to the error limit that keeps it, which stands beside the frame. The
        figure covers thrice the largest limit, or without any, ``()``, all that was measured.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If a row has a codec that the calibration does not know, or a promise is not in [0, 1] or less than
        the least that the calibration supports.

    Examples
    --------
    >>> from constellm import infer, plot
    >>> rows = infer.measured_cuts()
    >>> ax = plot.plot_calibration(infer.calibration(), rows, promises=(0.01, 0.02))
    """
    promises = [real("promises", promise, least=0.0, most=1.0) for promise in promises]
    sets = [row for row in rows if len(row.cuts) > 1]
    limits = [calibration.max_error(promise) for promise in promises]
    most = min(3.0 * max(limits, default=0.0) or calibration.largest, calibration.largest)
    errors = np.linspace(0.0, most, 400)
    mean = np.array([calibration.loss(error) for error in errors])
    bound = np.array([calibration.loss_bound(error) for error in errors])
    with style.drawing(ax, (6.0, 3.8)) as ax:
        colour, promised = palette.CYCLE[0], palette.ALERT
        ax.fill_between(errors, mean, bound, color=colour, alpha=0.15, linewidth=0)
        ax.plot(errors, mean, color=colour, label="expected")
        kept = f"{100 * calibration.confidence:g} % of plans below"
        ax.plot(errors, bound, color=colour, linestyle="--", linewidth=1.2, label=kept)
        if sets:
            at = [calibration.error(row.plan) for row in sets]
            loss = [row.expected_loss for row in sets]
            bars = [row.expected_loss_se for row in sets]
            ax.errorbar(at, loss, yerr=bars, fmt="o", color=palette.INK, markersize=3, elinewidth=0.6,
                        alpha=0.6, label="measured sets of cuts")  # fmt: skip
        for promise, limit in zip(promises, limits):
            ax.plot([0.0, limit, limit], [promise, promise, 0.0], color=promised, linewidth=0.9)
            ax.plot([limit, most], [promise, promise], color=promised, linewidth=0.7, linestyle=":")
            # Beside the frame: within it a label would hide what was measured.
            words = f"{100 * promise:g} {'point' if promise == 0.01 else 'points'}:\nerror {limit:.3g}"
            ax.annotate(
                words,
                (1.01, promise),
                xycoords=("axes fraction", "data"),
                va="center",
                color=promised,
                fontsize=8,
            )
        ax.set_xlim(0.0, most)
        ax.set_ylim(0.0, 1.05 * max(bound.max(), *promises))
        style.label_axis(ax.xaxis, "accumulated_error", errors)
        style.label_axis(ax.yaxis, "loss", bound)
        style.grid(ax)
        ax.legend(loc="upper left")
    return ax


def plot_predictions(
    table: Any,
    *,
    measured: str = "measured",
    predicted: str = "predicted",
    hue: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Predicted over measured values, with the diagonal where both agree and a factor of two to its sides.

    Both axes are logarithmic; rows with a value that is not positive are left out.

    Parameters
    ----------
    table : mapping of str to array_like, such as a DataFrame
        Columns of the names given.
    measured, predicted, hue : str
        Names of columns.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        For a column that `table` lacks, columns of different lengths, and where no row is left.

    Examples
    --------
    >>> from constellm import plot
    >>> table = {"rule": ["sum", "sum"], "predicted": [0.1, 0.4], "measured": [0.09, 0.3]}
    >>> ax = plot.plot_predictions(table, hue="rule")
    """
    columns = _columns(table, [name for name in (measured, predicted, hue) if name is not None])
    x, y = (np.asarray(columns[name], dtype=float) for name in (measured, predicted))
    positive = np.isfinite(x) & np.isfinite(y) & (x > 0.0) & (y > 0.0)
    if not positive.any():
        raise ValueError(f"table: no row with positive {measured} and {predicted}")
    values = [""] if hue is None else list(dict.fromkeys(columns[hue].tolist()))
    both = np.concatenate([x[positive], y[positive]])
    ends = np.array([both.min() / 1.3, both.max() * 1.3])
    with style.drawing(ax, (5.2, 4.4)) as ax:
        ax.fill_between(ends, ends / 2, ends * 2, color=palette.PALE, alpha=0.6, linewidth=0)
        ax.plot(ends, ends, color=palette.MUTED, linewidth=0.9)
        for look, value in zip(_looks(values), values):
            rows = positive if hue is None else positive & (columns[hue] == value)
            look = {**look, "linestyle": ""}
            ax.plot(x[rows], y[rows], label=_word(value), markersize=3.5, alpha=0.7, **look)
        ax.set(xscale="log", yscale="log")
        for axis, name in (ax.xaxis, measured), (ax.yaxis, predicted):
            _tick_decades(axis, both)
            style.label_axis(axis, name, both, log=True)
        ax.set(xlim=ends, ylim=ends, aspect="equal")
        if hue is not None:
            ax.legend(title=hue.replace("_", " "), loc="upper left")
    return ax


def plot_strips(table: Any, *, x: str, by: str, limit: float | None = None, ax: Axes | None = None) -> Axes:
    """Every value of a column as a dot, in a row for each value of another column.

    Dots are spread over the row's height in order of the table; a tick is the row's mean.

    Parameters
    ----------
    table : mapping of str to array_like, such as a DataFrame
        Columns `x` and `by`; rows with NaN are left out.
    x, by : str
        Names. Shares such as ``loss`` are in hundredths.
    limit : float, optional
        Drawn across all rows; each says how many of its values it keeps.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        For a column that `table` lacks, columns of different lengths, and where no row is left.

    Examples
    --------
    >>> from constellm import plot
    >>> table = {"cuts": [2, 2, 3], "loss": [0.001, 0.004, 0.012]}
    >>> ax = plot.plot_strips(table, x="loss", by="cuts", limit=0.01)
    """
    columns = _columns(table, [x, by])
    values = np.asarray(columns[x], dtype=float)
    finite = np.isfinite(values)
    if not finite.any():
        raise ValueError(f"table: no row with {x}")
    groups = list(dict.fromkeys(columns[by][finite].tolist()))
    with style.drawing(ax, (6.0, 0.9 + 0.45 * len(groups))) as ax:
        for i, group in enumerate(groups):
            here = values[finite & (columns[by] == group)]
            # Steps of the golden ratio fill a row evenly, whatever the number of dots.
            height = i + 0.6 * ((np.arange(len(here)) * 0.6180339887) % 1.0 - 0.5)
            ax.plot(here, height, "o", color=palette.CYCLE[0], markersize=3.5, alpha=0.45, markeredgewidth=0)
            ax.plot([here.mean()] * 2, [i - 0.38, i + 0.38], color=palette.INK, linewidth=1.2)
            if limit is not None:
                words = f"{np.sum(here <= limit)} of {len(here)}"
                ax.annotate(words, (1.01, i), xycoords=("axes fraction", "data"), va="center", fontsize=8)
        if limit is not None:
            ax.axvline(limit, color=palette.ALERT, linewidth=0.9)
        ax.set_yticks(range(len(groups)), [_word(group) for group in groups])
        ax.set_ylim(len(groups) - 0.5, -0.5)
        ax.set_ylabel(by.replace("_", " "))
        style.label_axis(ax.xaxis, x, values[finite])
        style.grid(ax, "x")
    return ax


def plot_rounds(rounds: Sequence[Mapping[str, Any]], *, ax: Axes | None = None) -> Axes:
    """What alternating training and planning reached, round by round.

    The optimum of every round stands between what the first menu reaches under the same calibration and what
    an ideal codec would.

    Parameters
    ----------
    rounds : sequence of mapping
        Rows of `constellm.codesign.JointResult`: ``round``, ``start_s``, ``objective_s``, ``ideal_s``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If there is no round.

    Examples
    --------
    >>> from constellm import plot
    >>> rounds = [
    ...     {"round": 0, "start_s": 4.0, "objective_s": 4.0, "ideal_s": 2.0},
    ...     {"round": 1, "start_s": 4.0, "objective_s": 3.0, "ideal_s": 2.0},
    ... ]
    >>> ax = plot.plot_rounds(rounds)
    """
    rows = list(rounds)
    if not rows:
        raise ValueError("rounds: there is none")
    at = [row["round"] for row in rows]
    start, found, ideal = (
        [float(row[name]) for row in rows] for name in ("start_s", "objective_s", "ideal_s")
    )
    with style.drawing(ax, (6.0, 3.6)) as ax:
        ax.fill_between(at, ideal, start, color=palette.PALE, alpha=0.6, linewidth=0)
        ax.plot(at, start, color=palette.MUTED, label="menu of round 0", **_POINT)
        ax.plot(at, found, color=palette.CYCLE[0], label="optimum of the round", **_POINT)
        ax.plot(at, ideal, color=palette.CYCLE[2], linestyle="--", label="ideal codec", **_POINT)
        ax.set_xticks(at)
        ax.set_xlabel("round")
        style.label_axis(ax.yaxis, "delay_s", [*start, *found, *ideal])
        style.grid(ax)
        beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
        ax.legend(**beside)
    return ax


def _columns(table: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    columns = {}
    for name in names:
        if name not in table:
            known = ", ".join(sorted(map(str, table)))
            raise ValueError(f"{name!r} is not in the table; it has {known}")
        columns[name] = np.asarray(table[name])
    lengths = {name: column.shape for name, column in columns.items()}
    if len(set(lengths.values())) > 1 or any(column.ndim != 1 for column in columns.values()):
        raise ValueError(f"table: columns of different shapes {lengths}")
    return columns


def _tick_decades(axis: Any, values: np.ndarray) -> None:
    """Marks at 1, 2 and 5 of every decade where there are few decades."""
    positive = values[values > 0.0]
    if positive.size and positive.max() < 300 * positive.min():
        axis.set_major_locator(style.matplotlib().ticker.LogLocator(subs=(1.0, 2.0, 5.0)))


def _of_one_network(rows: Iterable[MeasuredCuts]) -> list[MeasuredCuts]:
    shown = list(rows)
    if not shown:
        raise ValueError("rows: there is none")
    blocks = {row.blocks for row in shown}
    if len(blocks) > 1:
        raise ValueError(f"rows: of networks of {sorted(blocks)} blocks")
    return shown


def _looks(values: Sequence[Any]) -> list[dict[str, Any]]:
    """Shades for three or more numbers that rise, else colours."""
    n = len(values)
    if n > 2 and all(isinstance(value, (int, float)) for value in values) and list(values) == sorted(values):
        colours = style.matplotlib().colormaps[_COLOUR_MAP](np.linspace(0, 0.9, n))
        return [{"color": tuple(colour), "marker": "o"} for colour in colours]
    return palette.lines([str(value) for value in values])


def _word(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else style.name(str(value), longest=32)
