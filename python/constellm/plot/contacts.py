"""When links exist: the contacts of a plan over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..core.checks import count, instance, short
from ..core.quantity import counted
from ..network import ContactPlan
from . import palette, style
from .scene import ids_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GROUND = "ground"
_BAR = 0.62  # height of a bar, of the row's 1

Span = tuple[float, float]
Rows = dict[int, dict[tuple[int, str], list[Span]]]
"""By node, other node and arrow: from when to when."""


def plot_contacts(
    plan: ContactPlan, *, of: str | Iterable[str] | None = None, most: int = 40, ax: Axes | None = None
) -> Axes:
    """The contacts of some nodes over time: below each node a row for every other one that it meets.

    Contacts there and back at the same times are one bar; those of one direction alone have an arrow before
    the name, and of two of these nodes stand below the one that sends. A contact without an end goes on to
    the last opening or closing of the plan.

    Parameters
    ----------
    plan : ContactPlan
        What is drawn.
    of : str or sequence of str, optional
        Ids of the nodes. Default: those of the group ``ground``, or all where there are none.
    most : int
        Rows that are drawn; of more those of the longest contact time, shared evenly among the nodes. The
        title says how many there are.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    ValueError, TypeError
        For an unknown id, and where the nodes have no contacts.

    Examples
    --------
    >>> from constellm import orbit, plot
    >>> world = orbit.Constellation(
    ...     orbit.preset("iridium-next"), stations=orbit.station("Svalbard", 78.2, 15.4), links=orbit.ground()
    ... )
    >>> ax = plot.plot_contacts(world.contacts(0.0, 3600.0))
    >>> ax.get_xlabel()
    'time since 2000-01-01T12:00:00Z (s)'
    """
    instance("plan", plan, ContactPlan)
    ids = plan.nodes.ids()
    chosen = _chosen(plan, ids, of)
    last_s = float(np.max(np.concatenate([plan.open_s, plan.close_s[np.isfinite(plan.close_s)], [0.0]])))
    rows = _rows(plan, chosen, last_s)
    if not rows:
        raise ValueError(f"plan: {counted(len(chosen), 'node')} of {len(ids)} have no contacts in it")
    drawn = _longest(rows, count("most", most))
    labels: list[tuple[str, bool]] = []
    with style.drawing(ax, (9.0, 1.2 + 0.17 * sum(1 + len(spans) for spans in drawn.values()))) as ax:
        for node, others in drawn.items():
            labels.append((style.name(ids[node]), True))
            for (other, arrow), spans in others.items():
                bars = [(start, stop - start) for start, stop in spans]
                ax.broken_barh(bars, (len(labels) - _BAR / 2, _BAR), facecolors=palette.CONTACT, linewidth=0)
                labels.append((arrow + style.name(ids[other]), False))
        _axes(ax, plan, labels, rows, drawn, len(chosen))
    return ax


def _axes(
    ax: Axes,
    plan: ContactPlan,
    labels: list[tuple[str, bool]],
    rows: Rows,
    drawn: Rows,
    nodes: int,
) -> None:
    # A pair of two nodes that both have rows has two.
    every, shown = (
        len({frozenset((node, other)) for node, others in found.items() for other, _ in others})
        for found in (rows, drawn)
    )
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_yticks(range(len(labels)), [words for words, _ in labels])
    for tick, (_, head) in zip(ax.get_yticklabels(), labels):
        tick.set(fontsize=8 if head else 7, fontweight="bold" if head else "normal")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.01)
    ax.autoscale_view(scaley=False)
    style.grid(ax, "x")
    style.label_axis(ax.xaxis, "time_s", [ax.get_xlim()[1]])
    if plan.epoch is not None:
        ax.set_xlabel(f"time since {style.name(plan.epoch, longest=40)} (s)")
    part = f"{shown} longest of {every}" if shown < every else f"{every}"
    ax.set_title(f"Contacts of {counted(nodes, 'node')}: {part} pairs", fontsize=9, fontweight="normal")


def _chosen(plan: ContactPlan, ids: list[str], of: str | Iterable[str] | None) -> list[int]:
    if of is None:
        grounded = [i for i, node in enumerate(plan.nodes) if node.group == _GROUND]
        return grounded or list(range(len(ids)))
    position = {id: i for i, id in enumerate(ids)}
    found = []
    for i, id in enumerate([of] if isinstance(of, str) else ids_of("of", of)):
        if id not in position:
            raise ValueError(f"of[{i}]: no node has id {short(id)}")
        found.append(position[id])
    return list(dict.fromkeys(found))


def _rows(plan: ContactPlan, chosen: list[int], last_s: float) -> Rows:
    spans: dict[tuple[int, int], list[Span]] = defaultdict(list)
    ends = np.stack([plan.from_, plan.to], axis=1)
    some = np.isin(ends, chosen).any(axis=1)
    columns = (ends[some, 0], ends[some, 1], plan.open_s[some], np.minimum(plan.close_s[some], last_s))
    for a, b, open_s, close_s in zip(*(column.tolist() for column in columns)):
        spans[a, b].append((open_s, close_s))
    rows: Rows = {node: {} for node in chosen}
    for (a, b), there in spans.items():
        back = spans.get((b, a))
        both = back is not None and sorted(back) == sorted(there)
        if a in rows and not (both and (b, "") in rows[a]):
            rows[a][b, "" if both else "→ "] = there
        if b in rows and a not in rows and not (both and (a, "") in rows[b]):
            rows[b][a, "" if both else "← "] = there
    return {node: others for node, others in rows.items() if others}


def _longest(rows: Rows, most: int) -> Rows:
    """Of each node as many as fit, in the order of their first opening."""
    left, drawn = most, {}
    for i, (node, others) in enumerate(sorted(rows.items(), key=lambda item: len(item[1]))):
        share = -(-left // (len(rows) - i))
        order = sorted(others, key=lambda key: -sum(stop - start for start, stop in others[key]))[:share]
        left -= len(order)
        drawn[node] = {key: others[key] for key in sorted(order, key=lambda key: min(others[key]))}
    return {node: drawn[node] for node in rows if drawn.get(node)}
