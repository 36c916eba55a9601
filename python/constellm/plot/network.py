"""Nodes and links, with a plan's path."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .._core.network import Network
from .._core.split import Plan, Problem
from ..core.quantity import quantity
from ..split.display import layers_text
from ..split.solver import as_plan
from . import palette, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 8  # nodes in a row of a long chain
_LABELLED_PAIRS = 8  # a graph with more links shows the rates of the path alone
_MOST_DRAWN = 50  # nodes with a name and links with an arrow of their own; above, groups are named

Place = tuple[float, float]
Ends = tuple[str, str]


def plot_network(shown: Problem | Plan, *, ax: Axes | None = None) -> Axes:
    """Nodes and links; a chain in rows, everything else on a circle.

    Above 50 nodes, groups of nodes are named instead of nodes, beside source and sink, and links have neither
    arrows nor rates.

    Arrows are links of one direction. Of a plan, the hosts are filled and name their layers, and the path is
    thick, with the rates along it.

    Parameters
    ----------
    shown : Problem or Plan
        A problem, or a plan on its problem's network; a plan without stages shows the network alone.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if None.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> from constellm import paper, plot, split
    >>> plan = split.solve(paper.collaborative.problem(relays=0))
    >>> ax = plot.plot_network(plan)
    """
    plan = None if isinstance(shown, Problem) else as_plan(shown)
    network = (shown.problem if isinstance(shown, Plan) else shown).network
    pairs = _pairs(network)
    chain = _chain(network)
    if len(network.nodes) > _MOST_DRAWN:
        return _plot_many(network, plan, list(pairs), chain, ax)
    places = _rows(chain) if chain else _circle(network)
    path = plan.path if plan is not None else []
    hops = set(zip(path, path[1:]))
    rates = [link.rate_bps for link in network.links]
    same = bool(rates) and min(rates) == max(rates)
    with style.drawing(ax, _size(chain)) as ax:
        for links in pairs.values():
            used = [link for link in links if _ends(link) in hops]
            # Along the path, or the only direction that there is, or the one that was given first.
            first = used[0] if used else links[0]
            start, end = (places[node] for node in _ends(first))
            _draw_link(ax, start, end, used=bool(used), one_way=len(links) == 1)
            if not same and (used or chain or len(pairs) <= _LABELLED_PAIRS):
                _label_link(ax, start, end, [first.rate_bps] if used else [link.rate_bps for link in links])
        for node in network.nodes:
            _draw_node(ax, places[node.id], node.id, network, plan)
            _name_node(ax, places[node.id], _words(node.id, network, plan), _side(node.id, places, chain))
        if rates:
            ends = quantity(min(rates), "bit/s"), quantity(max(rates), "bit/s")
            text = f"every link {ends[0]}" if same else f"links of {ends[0]} to {ends[1]}"
            ax.set_title(text, fontweight="normal", fontsize=9)
        ax.set_axis_off()
        _set_limits(ax, list(places.values()), chain)
    return ax


def _plot_many(
    network: Network, plan: Plan | None, pairs: list[Ends], chain: list[str], ax: Axes | None
) -> Axes:
    """Many nodes: one artist for all links, one for all nodes, names of groups and ends."""
    from matplotlib.collections import LineCollection

    groups: dict[str | None, list[str]] = {}
    for node in network.nodes:
        groups.setdefault(node.group, []).append(node.id)
    places = _rows(chain, math.ceil(math.sqrt(len(chain)))) if chain else _arcs(groups)
    path = plan.path if plan is not None else []
    hosts = {stage.node for stage in plan.stages} if plan is not None else set()
    with style.drawing(ax, _size([])) as ax:
        faint = 0.6 if chain else max(0.08, min(0.6, 300 / (len(pairs) + 1)))
        lines = [(places[a], places[b]) for a, b in pairs]
        ax.add_collection(LineCollection(lines, colors=palette.MUTED, linewidths=0.6, alpha=faint, zorder=1))
        hops = [(places[a], places[b]) for a, b in zip(path, path[1:])]
        accent = palette.PHASES["compute"]
        ax.add_collection(LineCollection(hops, colors=accent, linewidths=2.2, zorder=2))
        others = [place for node, place in places.items() if node not in hosts]
        ax.scatter(*zip(*others), s=6, color=palette.MUTED, linewidths=0, zorder=3)
        if hosts:
            ax.scatter(*zip(*(places[node] for node in hosts)), s=40, color=accent, linewidths=0, zorder=4)
        for end in dict.fromkeys((network.source, network.sink)):
            if end is not None:
                side = (0.0, -1.0) if chain else (-0.8 * places[end][0], -0.8 * places[end][1])
                _name_node(ax, places[end], _words(end, network, plan), side)
        if not chain:
            for group, members in groups.items():
                x, y = places[members[len(members) // 2]]
                words = f"{style.name(group or 'no group', longest=20)}: {len(members)}"
                _name_node(ax, (x, y), words, (x, y))
        ax.set_title(
            f"{len(network.nodes)} nodes, {len(network.links)} links", fontweight="normal", fontsize=9
        )
        ax.set_axis_off()
        _set_limits(ax, list(places.values()), [])
    return ax


def _arcs(groups: dict[str | None, list[str]]) -> dict[str, Place]:
    """Each group an arc of a circle, clockwise from the top, with gaps between them."""
    gap = 0.02 * sum(map(len, groups.values())) if len(groups) > 1 else 0.0
    turn = 2 * math.pi / (sum(map(len, groups.values())) + gap * len(groups))
    places: dict[str, Place] = {}
    along = 0.5 * gap
    for members in groups.values():
        for node in members:
            places[node] = (math.sin(turn * along), math.cos(turn * along))
            along += 1.0
        along += gap
    return places


def _ends(link: Any) -> Ends:
    return getattr(link, "from"), link.to


def _pairs(network: Network) -> dict[Ends, list[Any]]:
    """The links between each two nodes, one or two, under the direction that was given first."""
    pairs: dict[Ends, list[Any]] = {}
    for link in network.links:
        a, b = _ends(link)
        pairs.setdefault((a, b) if (b, a) not in pairs else (b, a), []).append(link)
    return pairs


def _neighbours(network: Network) -> dict[str, list[str]]:
    """Of each node those that a link joins it with, whatever its direction."""
    beside: dict[str, list[str]] = {node.id: [] for node in network.nodes}
    for a, b in _pairs(network):
        beside[a].append(b)
        beside[b].append(a)
    return beside


def _chain(network: Network) -> list[str]:
    """The nodes in order along the chain that the network is; empty if it is none."""
    beside = _neighbours(network)
    degrees = [len(others) for others in beside.values()]
    if sum(degrees) != 2 * (len(degrees) - 1) or max(degrees) > 2:
        return []
    ends = [node for node, others in beside.items() if len(others) <= 1]
    order = [network.source if network.source in ends else ends[0]]
    while True:
        onward = [node for node in beside[order[-1]] if node not in order[-2:]]
        if not onward:
            # The walk misses some nodes where one part of the network is a ring.
            return order if len(order) == len(beside) else []
        order.append(onward[0])


def _size(chain: list[str]) -> tuple[float, float]:
    if not chain:
        return 6.5, 6.0
    columns, rows = min(len(chain), _ROW), math.ceil(len(chain) / _ROW)
    return 1.6 + 1.1 * columns, 0.5 + 0.95 * rows


def _rows(chain: list[str], columns: int = _ROW) -> dict[str, Place]:
    """A long chain turns at the end of each row."""
    places = {}
    for i, node in enumerate(chain):
        row, column = divmod(i, columns)
        places[node] = (float(column if row % 2 == 0 else columns - 1 - column), -1.0 * row)
    return places


def _circle(network: Network) -> dict[str, Place]:
    """Clockwise from the top, in the order of the network; a node with one neighbour stands outside of it."""
    beside = _neighbours(network)
    ends = [node for node, others in beside.items() if len(others) == 1 and len(beside[others[0]]) > 1]
    hanging = {node: beside[node][0] for node in ends}
    around = [node for node in beside if node not in hanging]
    turn = 2 * math.pi / len(around)
    places = {node: (math.sin(turn * i), math.cos(turn * i)) for i, node in enumerate(around)}
    for anchor in dict.fromkeys(hanging.values()):
        group = [node for node, other in hanging.items() if other == anchor]
        middle = turn * around.index(anchor)
        for i, node in enumerate(group):
            angle = middle + (i - (len(group) - 1) / 2) * turn / len(group)
            places[node] = (1.5 * math.sin(angle), 1.5 * math.cos(angle))
    return places


def _set_limits(ax: Axes, places: list[Place], chain: list[str]) -> None:
    xs, ys = zip(*places)
    if chain:
        ax.set_xlim(min(xs) - 0.9, max(xs) + 0.9)
        ax.set_ylim(min(ys) - 0.62, max(ys) + 0.25)
    else:
        ax.set_xlim(min(xs) - 0.5, max(xs) + 0.5)
        ax.set_ylim(min(ys) - 0.4, max(ys) + 0.4)
        ax.set_aspect("equal")


def _between(a: Place, b: Place, share: float) -> Place:
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def _draw_link(ax: Axes, start: Place, end: Place, *, used: bool, one_way: bool) -> None:
    colour = palette.PHASES["compute"] if used else palette.MUTED
    width, alpha = (2.6, 1.0) if used else (0.8, 0.6)
    ax.plot(*zip(start, end), color=colour, linewidth=width, alpha=alpha, zorder=1)
    if used or one_way:
        head = {"arrowstyle": "-|>", "color": colour, "linewidth": 0.1, "mutation_scale": 15 if used else 9}
        tail, tip = _between(start, end, 0.6), _between(start, end, 0.68)
        ax.annotate("", tip, xytext=tail, arrowprops=head, zorder=2)


def _label_link(ax: Axes, start: Place, end: Place, rates: list[float]) -> None:
    """The rates along the link, off its middle, where the chords of a circle cross.

    They stand on the side towards the origin: inside of a circle, whose nodes have their names outside, and
    above a chain, whose rows are at y <= 0 with the names below.
    """
    words = " / ".join(dict.fromkeys(quantity(rate, "bit/s") for rate in rates))
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    upright = (angle + 90) % 180 - 90
    up = -math.sin(math.radians(upright)), math.cos(math.radians(upright))
    place = _between(start, end, 0.4)
    above = up[0] * place[0] + up[1] * place[1] <= 1e-9
    off = 3.0 if above else -3.0
    ax.annotate(words, place, xytext=(off * up[0], off * up[1]), textcoords="offset points", rotation=upright,
                rotation_mode="anchor", ha="center", va="bottom" if above else "top", fontsize=7)  # fmt: skip


def _draw_node(ax: Axes, place: Place, node: str, network: Network, plan: Plan | None) -> None:
    on_path = plan is not None and node in plan.path
    hosts = plan is not None and any(stage.node == node for stage in plan.stages)
    colour = palette.PHASES["compute"] if on_path else palette.MUTED
    ax.plot(*place, "o", markersize=13, markeredgewidth=1.6, markeredgecolor=colour,
            markerfacecolor=colour if hosts else "white", zorder=3)  # fmt: skip


def _words(node: str, network: Network, plan: Plan | None) -> str:
    """The node's name, its role and its layers, in lines."""
    words = [style.name(node, longest=14)]
    roles = [role for role, end in (("source", network.source), ("sink", network.sink)) if end == node]
    if roles:
        words.append(" and ".join(roles))
    for stage in plan.stages if plan is not None else ():
        if stage.node == node:
            layers = layers_text(stage.first_layer, stage.last_layer)
            words.append(f"layer {layers}" if stage.first_layer == stage.last_layer else f"layers {layers}")
    return "\n".join(words)


def _side(node: str, places: dict[str, Place], chain: list[str]) -> Place:
    """Where a node's words stand: below it in a chain, beside it where that turns, outside of a circle, but
    inside where another node hangs there."""
    x, y = places[node]
    if not chain:
        hung = any(math.dist(place, (1.5 * x, 1.5 * y)) < 0.3 for place in places.values())
        return (-x, -y) if hung else (x, y)
    i = chain.index(node)
    turns = any(places[other][1] != y for other in chain[max(i - 1, 0) : i + 2])
    return (1.0 if x > 0 else -1.0, 0.0) if turns else (0.0, -1.0)


def _name_node(ax: Axes, place: Place, words: str, side: Place) -> None:
    across = "left" if side[0] > 0.2 else "right" if side[0] < -0.2 else "center"
    along = "center" if across != "center" else "top" if side[1] < 0 else "bottom"
    offset = (13 * side[0], 13 * side[1])
    ax.annotate(words, place, xytext=offset, textcoords="offset points", ha=across, va=along, fontsize=8)
