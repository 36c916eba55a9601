"""A plan over the layers of its model, and its pipeline over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._core.split import Evaluation, Plan, StageTerms
from ..core.checks import count
from ..core.quantity import quantity
from ..split.display import layers_text, status_text
from ..split.schedule import PHASES, FoldedTime, Schedule, Server, first_and_last, folded, schedule
from ..split.solver import as_plan, evaluate
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLOCK = 0.62  # height of a block, of the row's 1
_CUT_ROOM = 0.26  # right of the last layer, as a share of all layers: the words at the last cuts
_LETTER = 0.0115  # width of a letter at a cut, as a share of the axes of a new figure
_GANTT_END = 100  # micro-batches of either end that a Gantt chart shows of many
_NUMBERED_WIDTH = 0.018  # share of the axes that a Gantt block needs to show its number


def plot_plan(plan: Plan, *, ax: Axes | None = None) -> Axes:
    """Who hosts which layers, what crosses each cut, and how full each memory is.

    A row is a node of the path, from the source down to the sink; a circle is a node that only passes on, or
    the sink that has no layer. Right of each block stand the codec of its cut and the bytes sent per
    micro-batch; the bars show the memory of the hosting nodes as a share of their limits. Blocks compute,
    green lines transmit, and the slowest of both, the bottleneck, is red.

    Parameters
    ----------
    plan : Plan
        A plan with stages.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None. The memory bars stand right of it.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If the plan holds no stages.

    Examples
    --------
    >>> from constellm import paper, plot, split
    >>> plan = split.solve(paper.collaborative.problem(relays=0))
    >>> ax = plot.plot_plan(plan)
    """
    terms = evaluate(as_plan(plan).problem, plan)
    layers = len(plan.problem.layers)
    rows = len(plan.path)
    stages = {stage.node: stage for stage in terms.stages}
    with style.drawing(ax, (8.5, 1.3 + 0.32 * rows)) as ax:
        ax.set_xlim(-0.5 - 0.02 * layers, layers * (1 + _CUT_ROOM) - 0.5)
        ax.set_ylim(rows - 0.45, -0.55)
        _blocks(ax, plan, stages, terms.bottleneck_s)
        _cuts(ax, plan, stages, terms)
        ax.set_xticks(range(0, layers, max(1, round(layers / 8))))
        ax.set_xlabel("layer", x=0.5 / (1 + _CUT_ROOM))
        ax.set_yticks(range(rows), [_row_name(node, stages) for node in plan.path])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_title(_headline(plan), pad=22)
        _plan_legend(ax)
        _memory_bars(ax, plan, stages)
    return ax


def _plan_legend(ax: Axes) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(color=palette.PHASES["compute"], alpha=0.85, label="compute"),
        Line2D([], [], color=palette.PHASES["transmit"], linewidth=2.2, label="transmit"),
        Patch(color=palette.ALERT, alpha=0.85, label="bottleneck"),
    ]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2,
              handlelength=1.4, columnspacing=1.2)  # fmt: skip


def _row_name(node: str, stages: dict[str, StageTerms]) -> str:
    if node not in stages:
        return style.name(node)
    stage = stages[node]
    return f"{style.name(node)}   {layers_text(stage.first_layer, stage.last_layer)}"


def _headline(plan: Plan) -> str:
    delay = quantity(plan.delay_s, "s", digits=4)
    return f"{style.name(plan.problem.name, longest=48)}: {delay}, {status_text(plan.status)}"


def _blocks(ax: Axes, plan: Plan, stages: dict[str, StageTerms], bottleneck_s: float) -> None:
    for row, node in enumerate(plan.path):
        if node not in stages:
            continue
        stage = stages[node]
        width = stage.last_layer - stage.first_layer + 1
        slowest = stage.time_s == bottleneck_s
        ax.barh(row, width, left=stage.first_layer - 0.5, height=_BLOCK,
                color=palette.ALERT if slowest else palette.PHASES["compute"], alpha=0.85)  # fmt: skip
        if width > 0.12 * len(plan.problem.layers):
            middle = (stage.first_layer + stage.last_layer) / 2
            _inside(ax, middle, row, quantity(stage.time_s, "s"), 8)


def _cuts(ax: Axes, plan: Plan, stages: dict[str, StageTerms], terms: Evaluation) -> None:
    """The way of the activation down the rows, and the words at each cut."""
    gap = 0.012 * len(plan.problem.layers)
    done = 0
    said = ""
    for row, node in enumerate(plan.path):
        codec = None
        if node in stages:
            done = stages[node].last_layer + 1
            codec = stages[node].codec
        x = done - 0.5
        hop = terms.hops[row] if row < len(terms.hops) else None
        words = []
        if node not in stages:
            ax.plot(x, row, "o", markersize=6, markerfacecolor="white", markeredgecolor=palette.INK, zorder=3)
            words.append("sink" if row == len(plan.path) - 1 else "source" if row == 0 else "relay")
        if hop is not None:
            slowest = hop.time_s == terms.bottleneck_s
            colour = palette.ALERT if slowest else palette.PHASES["transmit"]
            top = row + _BLOCK / 2 if node in stages else row
            bottom = row + 1 - (_BLOCK / 2 if plan.path[row + 1] in stages else 0)
            ax.plot([x, x], [top, bottom], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
            what = "input" if done == 0 else "result" if done == len(plan.problem.layers) else ""
            label = what if codec is None else style.name(codec)
            load = f"{label} {quantity(hop.bytes, 'B')}".strip()
            # What a relay passes on was said where it was cut.
            if load != said and (node in stages or row == 0):
                words.append(load)
            said = load
        _beside(ax, x, row, ", ".join(words), gap if node in stages else 1.6 * gap)


def _beside(ax: Axes, x: float, row: int, words: str, gap: float) -> None:
    """Words right of the way at `x`, or, where they would not fit, left of it in the next row, also empty."""
    right = ax.get_xlim()[1]
    if x + gap + _LETTER * len(words) * (right - ax.get_xlim()[0]) <= right:
        ax.text(x + gap, row, words, va="center", fontsize=8)
    else:
        ax.text(x - gap, row + 1, words, va="center", ha="right", fontsize=8)


def _inside(ax: Axes, x: float, row: int, words: str, size: int) -> None:
    """White words in the middle of a block."""
    ax.text(x, row, words, color="white", ha="center", va="center_baseline", fontsize=size)


def _memory_bars(ax: Axes, plan: Plan, stages: dict[str, StageTerms]) -> None:
    limits = {node.id: node.memory_bytes for node in plan.problem.nodes}
    bars = ax.inset_axes((1.01, 0, 0.12, 1))
    bars.set_ylim(ax.get_ylim())
    bars.set_xlim(0, 1)
    for row, node in enumerate(plan.path):
        if node not in stages:
            continue
        used, limit = stages[node].memory_bytes, limits[node]
        bars.barh(row, 1, height=0.4, color=palette.PALE)
        bars.barh(row, used / limit if limit > 0 else 0.0, height=0.4, color=palette.MUTED)
        words = f"{quantity(used, 'B')} of {quantity(limit, 'B')}"
        bars.text(1.06, row, words, va="center", fontsize=8)
    bars.set_xticks([0, 1], ["0", "limit"])
    bars.set_yticks([])
    bars.spines["left"].set_visible(False)
    bars.set_xlabel("memory")


def plot_gantt(plan: Plan, *, micro_batches: int | None = None, ax: Axes | None = None) -> Axes:
    """The pipeline over time: when each stage and hop works on each micro-batch.

    The schedule is that of `constellm.split.schedule`, so its end is the plan's delay.

    Parameters
    ----------
    plan : Plan
        A plan with stages.
    micro_batches : int, optional
        Draw only the first so many. Default: all, but of more than 200 the first and the last 100; a pale
        band stands for the time between, and the axis goes on after it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError
        If the plan holds no stages, or `micro_batches` is not in [1, those of the problem].

    Examples
    --------
    >>> from constellm import paper, plot, split
    >>> plan = split.solve(paper.collaborative.problem(relays=0))
    >>> ax = plot.plot_gantt(plan)
    >>> ax.get_xlabel()
    'time (s)'
    """
    batches = as_plan(plan).problem.micro_batches
    if micro_batches is None:
        which = first_and_last(batches, _GANTT_END, _GANTT_END)
    else:
        which = np.arange(count("micro_batches", micro_batches, most=batches))
    flow = schedule(plan, micro_batches=which)
    time = folded(flow)
    rows, end_s = len(flow.servers), time.end_s
    with style.drawing(ax, (9.0, 1.4 + 0.26 * rows)) as ax:
        ax.axhspan(flow.bottleneck - 0.5, flow.bottleneck + 0.5, color=palette.ALERT, alpha=0.12, linewidth=0)
        for row, server in enumerate(flow.servers):
            _draw_server(ax, row, server, time.start_s[row], which, end_s)
        if which[-1] == batches - 1:
            ax.axvline(end_s, color=palette.INK, linewidth=1, linestyle="--")
        ax.set_xlim(0, 1.02 * end_s if end_s > 0 else 1.0)
        ax.set_ylim(rows - 0.5, -0.5)
        ax.set_yticks(range(rows), [_server_name(server) for server in flow.servers])
        ax.tick_params(axis="y", length=0)
        slowest = ax.get_yticklabels()[flow.bottleneck]
        slowest.set(color=palette.ALERT, fontweight="bold")
        style.label_axis(ax.xaxis, "time_s", [end_s])
        style.grid(ax, "x")
        if time.cut_s > 0:
            _mark_fold(ax, time)
        part = ""
        if which.size < batches:
            shown = f"first {which.size}" if micro_batches else f"first and last {_GANTT_END}"
            part = f", {shown} of {batches} micro-batches"
        ax.set_title(_headline(plan) + part, pad=24)
        _gantt_legend(ax, flow)
    return ax


def _server_name(server: Server) -> str:
    return " → ".join(style.name(part, longest=14) for part in server.name.split(" → "))


def _mark_fold(ax: Axes, time: FoldedTime) -> None:
    """The band where time is cut; ticks right of it tell the true time."""
    from matplotlib.ticker import FuncFormatter

    ax.axvspan(time.fold_s, time.fold_s + 0.02 * time.end_s, color=palette.PALE, linewidth=0)
    shown = ax.xaxis.get_major_formatter()
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda at, _: shown(at + time.cut_s if at > time.fold_s else at))
    )


def _draw_server(
    ax: Axes, row: int, server: Server, start_s: np.ndarray, micro_batches: np.ndarray, end_s: float
) -> None:
    drawn = ~np.isnan(start_s)
    start_s, micro_batches = start_s[drawn], micro_batches[drawn]
    offset = 0.0
    for phase, seconds in server.phases:
        spans = [(start + offset, seconds) for start in start_s]
        colour = palette.PHASES[phase]
        # A white edge parts neighbours; it would hide a block that is hardly wider.
        edge = "white" if seconds > 0.004 * end_s else colour
        ax.broken_barh(spans, (row - 0.38, 0.76), facecolors=colour, edgecolors=edge, linewidth=0.4)
        offset += seconds
    if server.latency_s > 0:
        finish_s = start_s + server.time_s
        rows = np.full_like(finish_s, row)
        ax.hlines(rows, finish_s, finish_s + server.latency_s, color=palette.INK, linewidth=0.8)
    if server.time_s > _NUMBERED_WIDTH * end_s:
        for m, start in zip(micro_batches, start_s):
            _inside(ax, start + server.time_s / 2, row, str(m + 1), 7)


def _gantt_legend(ax: Axes, flow: Schedule) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    used = {phase for server in flow.servers for phase, _ in server.phases}
    handles: list[Any] = [
        Patch(color=palette.PHASES[phase], label=phase) for phase in PHASES if phase in used
    ]
    if any(server.latency_s > 0 for server in flow.servers):
        handles.append(Line2D([], [], color=palette.INK, linewidth=0.8, label="latency"))
    handles.append(Patch(color=palette.ALERT, alpha=0.12, label="bottleneck"))
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(handles), borderaxespad=0.2,
              handlelength=1.4, columnspacing=1.2)  # fmt: skip
