"""Rounds of federated fine-tuning over time, what decisions buy, and where a scheme wins."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ..core.quantity import quantity
from ..tune import PHASES, Contest, Decision, Phase, Round, Rounds
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COMPUTED = ("embed", "server", "update")
"""Phases that compute; the others send."""


def plot_phases(found: Round | Rounds, *, ax: Axes | None = None) -> Axes:
    """When each phase of a round, or of many, runs: a row a phase.

    Phases that compute are blue, those that send green; pale while another one still ends later, so that what
    is not pale adds up to the delay. How much that is stands on the right.

    Parameters
    ----------
    found : tune.Round or tune.Rounds
        Finished or not; a phase that never ends is hollow.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If there is no phase.

    Examples
    --------
    >>> from constellm import network, plot, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> ax = plot.plot_phases(tune.schedule_round(tune.spectral_gpt(), fleet))
    >>> [label.get_text() for label in ax.get_yticklabels()][:3]
    ['embed', 'down', 'server']
    """
    rounds = found.rounds if isinstance(found, Rounds) else (found,)
    phases = [phase for one in rounds for phase in one.phases]
    if not phases:
        raise ValueError("found: it has no phase")
    names = [name for name in PHASES if any(phase.name == name for phase in phases)]
    start_s = rounds[0].start_s
    end_s = max((p.end_s for p in phases if isfinite(p.end_s)), default=phases[-1].start_s) - start_s
    end_s = end_s if end_s > 0.0 else 1.0
    with style.drawing(ax, (9.0, 1.2 + 0.3 * len(names))) as ax:
        for phase in phases:
            _draw(ax, phase, names.index(phase.name), start_s, end_s)
        for row, name in enumerate(names):
            adds_s = found.seconds(name)
            words = f"+{quantity(adds_s, 's')}" if isfinite(adds_s) else "never ends"
            ax.text(1.01, row, words, va="center", fontsize=8, transform=ax.get_yaxis_transform())
        ax.set_xlim(0, 1.02 * end_s)
        ax.set_ylim(len(names) - 0.5, -0.7)
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(axis="y", length=0)
        style.label_axis(ax.xaxis, "time_s", [end_s])
        style.grid(ax, "x")
        ax.set_title(_title(found), pad=24)
        _legend(ax)
    return ax


def _draw(ax: Axes, phase: Phase, row: int, start_s: float, end_s: float) -> None:
    left = phase.start_s - start_s
    colour = palette.PHASES["compute" if phase.name in _COMPUTED else "transmit"]
    # An edge, for what is hardly wider; snapped to pixels some would be nothing.
    look = {"height": 0.62, "color": colour, "linewidth": 0.8, "snap": False}
    if not isfinite(phase.end_s):
        ax.barh(row, 1.02 * end_s - left, left=left, height=0.62, facecolor="none", edgecolor=colour)
        return
    ax.barh(row, phase.delay_s - phase.adds_s, left=left, alpha=0.35, height=0.62, color=colour)
    ax.barh(row, phase.adds_s, left=phase.end_s - start_s - phase.adds_s, **look)


def plot_ladder(steps: Iterable[tuple[str, Decision]], *, ax: Axes | None = None) -> Axes:
    """How long all rounds take as one decision after the other changes, on a logarithmic axis.

    Parameters
    ----------
    steps : sequence of (str, tune.Decision)
        As of `tune.Decisions.ladder`, or words and rows of your own.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If there is no step, or one whose rounds never end.

    Examples
    --------
    >>> from constellm import network, plot, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> ax = plot.plot_ladder(tune.decide(tune.spectral_gpt(), fleet, rounds=10).ladder())
    >>> ax.get_xscale()
    'log'
    """
    given = list(steps)
    if not given:
        raise ValueError("steps: there is none")
    for i, (words, row) in enumerate(given):
        if not isfinite(row.delay_s):
            raise ValueError(f"steps[{i}]: the rounds of {words!r} never end")
    delays = [row.delay_s for _, row in given]
    with style.drawing(ax, (7.5, 1.1 + 0.34 * len(given))) as ax:
        low, high = 0.5 * min(delays), 2.5 * max(delays)
        rows = range(len(given))
        ax.hlines(rows, low, delays, color=palette.PALE, linewidth=5)
        ax.plot(delays, rows, "o", color=palette.CYCLE[0], markersize=6)
        for at, delay in enumerate(delays):
            factor = f"   ÷ {delays[at - 1] / delay:.2g}" if at else ""
            ax.text(1.12 * delay, at, f"{quantity(delay, 's')}{factor}", va="center", fontsize=8)
        ax.set_xscale("log")
        ax.set_xlim(low, high)
        ax.set_ylim(len(given) - 0.5, -0.5)
        ax.set_yticks(rows, [style.name(words, longest=48) for words, _ in given])
        ax.tick_params(axis="y", length=0)
        style.label_axis(ax.xaxis, "time_s", delays, log=True)
        style.grid(ax, "x")
    return ax


def plot_contest(found: Contest, *, ax: Axes | None = None) -> Axes:
    """Time of a scheme by that of computing on board, over speeds on board and passes a round.

    Contours are drawn where the scheme is as fast, and where its time is two thirds and one third.

    Parameters
    ----------
    found : tune.Contest
        Two speeds and two numbers of passes at least, both rising.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        For fewer, or such as do not rise.

    Examples
    --------
    >>> from constellm import plot, tune
    >>> ax = plot.plot_contest(tune.Contest([1e12, 2e12], [1, 2], [[1.5, 0.75], [3.0, 1.5]]))
    >>> ax.get_xlabel()
    'speed on board (TFLOP/s)'
    """
    speeds, passes = found.board_flop_per_s, found.passes
    for field, values in (("board_flop_per_s", speeds), ("passes", passes)):
        if len(values) < 2 or not (np.diff(values) > 0).all():
            raise ValueError(f"{field}: expected two at least, rising")
    from matplotlib.lines import Line2D

    levels = {1.0: ("as fast", "-"), 2 / 3: ("by 33 %", "--"), 1 / 3: ("to 33 %", ":")}
    with style.drawing(ax, (5.6, 4.0)) as ax:
        shades = np.log2(found.ratio.T)
        most = max(float(np.nanmax(np.abs(shades))), 1e-9)
        mesh = ax.pcolormesh(speeds, passes, shades, shading="nearest", cmap="RdBu_r", vmin=-most, vmax=most)
        handles = []
        for level, (words, dashes) in levels.items():
            if float(np.nanmin(found.ratio)) < level < float(np.nanmax(found.ratio)):
                ax.contour(speeds, passes, found.ratio.T, [level], colors=palette.INK, linestyles=dashes)
                handles.append(Line2D([], [], color=palette.INK, linestyle=dashes, label=words))
        log = style.is_geometric(speeds)
        ax.set_xscale("log" if log else "linear")
        style.label_axis(ax.xaxis, "speed_on_board_flop_per_s", speeds, log=log)
        if log:
            some = speeds[:: 1 + len(speeds) // 7]
            ax.set_xticks(some, [quantity(speed) for speed in some])
            ax.set_xticks([], minor=True)
        ax.set_ylabel("passes on board a round")
        bar = ax.figure.colorbar(mesh, ax=ax)
        step = 1 + int(most) // 5
        ticks = step * np.arange(-(int(most) // step), int(most) // step + 1)
        bar.set_ticks(ticks, labels=[f"{2.0**tick:.3g}" for tick in ticks])
        bar.set_label("time of the scheme / on board")
        if handles:
            ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return ax


def _title(found: Round | Rounds) -> str:
    one = found.rounds[0] if isinstance(found, Rounds) else found
    many = f"{len(found.rounds)} rounds, " if isinstance(found, Rounds) else ""
    delay = quantity(found.delay_s, "s", digits=4) if found.status != "unfinished" else "unfinished"
    return f"{many}{style.name(one.scheme.describe(), longest=60)}: {delay}"


def _legend(ax: Axes) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=palette.PHASES["compute"], label="compute"),
        Patch(color=palette.PHASES["transmit"], label="transmit"),
        Patch(color=palette.MUTED, alpha=0.35, label="while another ends later"),
    ]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
