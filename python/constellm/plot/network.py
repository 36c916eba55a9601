"""Nodes and links, with a plan's path."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Union

from .._core import Network, Plan, Problem
from ..core.quantity import quantity
from ..split.display import layers_text
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 8  # nodes in a row of a long chain
_LABELLED_LINKS = 30  # a network of more shows the rates of the path alone

Place = tuple[float, float]


def plot_network(shown: Union[Problem, Plan], *, ax: Axes | None = None) -> Axes:
    """Nodes and links; a chain in rows, everything else on a circle.

    Arrows are links of one direction. Of a plan, the hosts are filled and name their layers, the path is thick.

    Parameters
    ----------
    shown
        A problem, or a plan on its problem's network; a plan without stages shows the network alone.
    ax
        Where to draw; a new figure if None.
    """
    plan = shown if isinstance(shown, Plan) else None
    network = (shown.problem if isinstance(shown, Plan) else shown).network
    pairs = _pairs(network)
    chain = _chain(network, pairs)
    places = _rows(chain) if chain else _circle(network)
    path = plan.path if plan is not None else []
    hops = set(zip(path, path[1:]))
    rows = 1 + (len(network.nodes) - 1) // _ROW
    with style.drawing(ax, (9.0, 0.9 + 1.15 * rows) if chain else (6.5, 6.0)) as ax:
        for (a, b), links in pairs.items():
            _draw_link(ax, places[a], places[b], links, [link for link in links if _ends(link) in hops])
        common = _common_rate(network)
        for (a, b), links in pairs.items():
            on_path = any(_ends(link) in hops for link in links)
            if common is None and (on_path or len(pairs) <= _LABELLED_LINKS):
                _label_link(ax, places[a], places[b], links)
        for node in network.nodes:
            _draw_node(ax, places[node.id], node, network, plan, outward=not chain)
        if common is not None:
            ax.set_title(f"every link {quantity(common, 'bit/s')}", fontweight="normal", fontsize=9)
        ax.set_axis_off()
        xs, ys = zip(*places.values())
        ax.set_xlim(min(xs) - (0.6 if chain else 0.45), max(xs) + (0.6 if chain else 0.45))
        ax.set_ylim(min(ys) - (0.6 if chain else 0.3), max(ys) + 0.3)
        if not chain:
            ax.set_aspect("equal")
    return ax


def _ends(link: Any) -> tuple[str, str]:
    return getattr(link, "from"), link.to


def _pairs(network: Network) -> dict[tuple[str, str], list[Any]]:
    """The links between each two nodes, one or two, under the direction that was given first."""
    pairs: dict[tuple[str, str], list[Any]] = {}
    for link in network.links:
        a, b = _ends(link)
        pairs.setdefault((a, b) if (b, a) not in pairs else (b, a), []).append(link)
    return pairs


def _chain(network: Network, pairs: dict[tuple[str, str], list[Any]]) -> list[str]:
    """The nodes in order along the chain that the network is; empty if it is none."""
    beside: dict[str, list[str]] = {node.id: [] for node in network.nodes}
    for a, b in pairs:
        beside[a].append(b)
        beside[b].append(a)
    if len(pairs) != len(beside) - 1 or any(len(others) > 2 for others in beside.values()):
        return []
    ends = [node for node, others in beside.items() if len(others) <= 1]
    order = [network.source if network.source in ends else ends[0]]
    while True:
        onward = [node for node in beside[order[-1]] if node not in order[-2:]]
        if not onward:
            # One walk does not reach every node where one part of the network is a ring.
            return order if len(order) == len(beside) else []
        order.append(onward[0])


def _rows(chain: list[str]) -> dict[str, Place]:
    """A long chain turns at the end of each row."""
    places = {}
    for i, node in enumerate(chain):
        row, column = divmod(i, _ROW)
        places[node] = (float(column if row % 2 == 0 else _ROW - 1 - column), -1.0 * row)
    return places


def _circle(network: Network) -> dict[str, Place]:
    """Clockwise from the top, in the order of the network."""
    n = len(network.nodes)
    return {
        node.id: (math.sin(2 * math.pi * i / n), math.cos(2 * math.pi * i / n)) for i, node in enumerate(network.nodes)
    }


def _common_rate(network: Network) -> float | None:
    rates = {link.rate_bps for link in network.links}
    return rates.pop() if len(rates) == 1 else None


def _draw_link(ax: Axes, a: Place, b: Place, links: list[Any], used: list[Any]) -> None:
    ax.plot(*zip(a, b), color=palette.PHASES["compute"] if used else palette.MUTED,
            linewidth=3.0 if used else 0.8, alpha=1.0 if used else 0.6, zorder=1)  # fmt: skip
    if used or len(links) == 1:
        # The arrow shows the path's direction, or else the only one there is.
        forward = used[0] is links[0] if used else True
        start, end = (a, b) if forward else (b, a)
        middle = tuple(0.4 * s + 0.6 * e for s, e in zip(start, end))
        ax.annotate("", middle, xytext=tuple(0.45 * s + 0.55 * e for s, e in zip(start, end)), zorder=2,
                    arrowprops={"arrowstyle": "-|>", "color": palette.PHASES["compute"] if used else palette.MUTED,
                                "linewidth": 0})  # fmt: skip


def _label_link(ax: Axes, a: Place, b: Place, links: list[Any]) -> None:
    rates = [quantity(link.rate_bps, "bit/s") for link in links]
    words = rates[0] if len(set(rates)) == 1 else " / ".join(rates)
    # Off the middle, where the chords of a circle cross.
    x, y = (0.58 * p + 0.42 * q for p, q in zip(a, b))
    ax.text(x, y, words, ha="center", va="center", fontsize=7, color=palette.INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}, zorder=4)  # fmt: skip


def _draw_node(ax: Axes, place: Place, node: Any, network: Network, plan: Plan | None, *, outward: bool) -> None:
    stage = next((stage for stage in plan.stages if stage.node == node.id), None) if plan is not None else None
    on_path = plan is not None and node.id in plan.path
    colour = palette.PHASES["compute"] if on_path else palette.MUTED
    ax.plot(*place, "o", markersize=15, markeredgewidth=1.6, markeredgecolor=colour,
            markerfacecolor=colour if stage is not None else "white", zorder=3)  # fmt: skip
    words = [style.name(node.id, longest=14)]
    roles = [role for role, end in (("source", network.source), ("sink", network.sink)) if end == node.id]
    if roles:
        words.append(" and ".join(roles))
    if stage is not None:
        words.append(f"layers {layers_text(stage.first_layer, stage.last_layer)}")
    text = "\n".join(words)
    if outward:
        x, y = (1.14 * p for p in place)
        side = "left" if place[0] > 0.2 else "right" if place[0] < -0.2 else "center"
        ax.text(x, y, text, ha=side, va="center", fontsize=8, zorder=4)
    else:
        ax.text(place[0], place[1] - 0.2, text, ha="center", va="top", fontsize=8, zorder=4)
