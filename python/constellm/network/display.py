"""Displays of networks: ``summary()`` as text, ``_repr_html_`` in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .._core.network import ContactPlan, Contacts, Graph, Network, Node, Nodes, Snapshot, Timeline
from ..core import display
from ..core.display import Display
from ..core.quantity import counted, cut_in_the_middle, quantity
from ..core.table import Table

LONGEST_ID = 32
"""Characters of an id in a table."""

_ONE_BY_ONE = 50  # nodes; above, groups of them are shown
_NODE_FIGURES = {
    "memory_bytes": ("memory", "B"),
    "power_w": ("power", "W"),
    "tx_power_w": ("sending", "W"),
    "overhead_s": ("overhead", "s"),
}
_LINK_FIGURES = {
    "rate_bps": ("rate", "bit/s"),
    "latency_s": ("latency", "s"),
    "overhead_s": ("overhead", "s"),
}
_NODE_HEAD = ("speed", *(name for name, _ in _NODE_FIGURES.values()))
_LINK_HEAD = tuple(name for name, _ in _LINK_FIGURES.values())


def attach() -> None:
    """Give networks, graphs and what changes in them their displays."""
    for shown, shows in (
        (Network, _network), (Nodes, _nodes), (Graph, _graph), (Snapshot, _snapshot), (Timeline, _timeline),
        (Contacts, _contacts), (ContactPlan, _contact_plan),
    ):  # fmt: skip
        display.attach(shown, shows)
    Network.__repr__ = _network_repr  # type: ignore[method-assign]


def network_tables(nodes: Sequence[Node], links: Sequence[Any]) -> list[Table]:
    """Nodes and links one by one; of a large network, group by group with the ranges of their figures."""
    if len(nodes) > _ONE_BY_ONE:
        link_rows = [
            (group, str(len(members)), *_figures(members, _LINK_FIGURES))
            for group, members in _by_group(links).items()
        ]
        table = Table(("group", "links", *_LINK_HEAD), link_rows, "Links by group")
        return [_nodes_by_group(nodes), table]
    link_rows = [
        (shown_id(getattr(link, "from")), shown_id(link.to), *_figures([link], _LINK_FIGURES))
        for link in links
    ]
    return [_nodes_one_by_one(nodes), Table(("from", "to", *_LINK_HEAD), link_rows, "Links")]


def shown_id(text: str) -> str:
    """An id as a table shows it: a long one cut in the middle."""
    return cut_in_the_middle(text, LONGEST_ID)


def _network_repr(network: Network) -> str:
    ends = [f"{role} {end!r}" for role, end in _ends(network)]
    sizes = [counted(len(network.nodes), "node"), counted(len(network.links), "link")]
    return f"Network({', '.join([*sizes, *ends])})"


def _ends(network: Network) -> list[tuple[str, str]]:
    roles = ("source", network.source), ("sink", network.sink)
    return [(role, end) for role, end in roles if end is not None]


def _network(network: Network) -> Display:
    ends = [f"{role} {end}" for role, end in _ends(network)]
    head = f"Network: {counted(len(network.nodes), 'node')}, {counted(len(network.links), 'link')}"
    return Display([head, *([", ".join(ends)] if ends else [])], network_tables(network.nodes, network.links))


def _nodes(nodes: Nodes) -> Display:
    every = list(nodes)
    table = _nodes_by_group(every) if len(every) > _ONE_BY_ONE else _nodes_one_by_one(every)
    return Display([f"Nodes: {len(every)}"], [table])


def _graph(graph: Graph) -> Display:
    head = [f"Graph: {counted(len(graph.nodes), 'node')}, {counted(graph.link_count, 'link')}"]
    nodes = list(graph.nodes)
    if len(nodes) <= _ONE_BY_ONE:
        return Display(head, network_tables(nodes, graph.to_network().links))
    # Of thousands of links, columns rather than a value each.
    rows = []
    for position, group in (*enumerate(graph.groups), (-1, "–")):
        members = graph.group_of == position if graph.groups else np.full(graph.link_count, position == -1)
        if members.any():
            figures = [
                _range(getattr(graph, field)[members], unit) for field, (_, unit) in _LINK_FIGURES.items()
            ]
            rows.append((group, str(np.count_nonzero(members)), *figures))
    links = Table(("group", "links", *_LINK_HEAD), rows, "Links by group")
    return Display(head, [_nodes_by_group(nodes), links])


def _snapshot(snapshot: Snapshot) -> Display:
    of_graph = _graph(snapshot.graph)
    held = quantity(snapshot.valid_s, "s")
    head = f"Snapshot at {quantity(snapshot.t_s, 's', digits=6)}, holds for {held}"
    return Display([head, *of_graph.lines], of_graph.tables)


def _timeline(timeline: Timeline) -> Display:
    head = (
        f"Timeline: {counted(len(timeline), 'snapshot')} from {quantity(timeline.t_s[0], 's', digits=6)} "
        f"to {quantity(timeline.end_s, 's', digits=6)}, {counted(len(timeline.contacts), 'contact')}"
    )
    rows = [
        (quantity(t_s, "s", digits=6), str(timeline[i].graph.link_count), str(opened), str(closed))
        for i, (t_s, opened, closed) in enumerate(zip(timeline.t_s, timeline.opened, timeline.closed))
    ]
    nodes = f"{counted(len(timeline[0].graph.nodes), 'node')}, the same throughout"
    return Display([head, nodes], [Table(("from", "links", "opened", "closed"), rows, "Snapshots")])


def _contacts(contacts: Contacts) -> Display:
    rows = [
        (str(a), str(b), quantity(opened, "s", digits=6), quantity(closed, "s", digits=6))
        for a, b, opened, closed in zip(contacts.from_, contacts.to, contacts.open_s, contacts.close_s)
    ]
    head = f"Contacts: {len(contacts)}, nodes by their positions"
    return Display([head], [Table(("from", "to", "opens", "closes"), rows, "Contacts")])


def _contact_plan(plan: ContactPlan) -> Display:
    ids = [shown_id(node.id) for node in plan.nodes]
    columns = (plan.from_, plan.to, plan.open_s, plan.close_s, plan.rate_bps, plan.owlt_s)
    rows = [
        (
            *(ids[a], ids[b]),
            *(quantity(moment, "s", digits=6) for moment in (opened, closed)),
            *(quantity(rate, "bit/s"), quantity(owlt, "s")),
        )
        for a, b, opened, closed, rate, owlt in zip(*(column.tolist() for column in columns))
    ]
    head = f"Contact plan: {counted(len(ids), 'node')}, {counted(len(plan), 'contact')}"
    lines = [head] if plan.epoch is None else [head, f"time 0 is {plan.epoch}"]
    return Display(lines, [Table(("from", "to", "opens", "closes", "rate", "light time"), rows, "Contacts")])


def _nodes_one_by_one(nodes: Sequence[Node]) -> Table:
    rows = [(shown_id(node.id), _speed(node), *_figures([node], _NODE_FIGURES)) for node in nodes]
    return Table(("node", *_NODE_HEAD), rows, "Nodes")


def _nodes_by_group(nodes: Sequence[Node]) -> Table:
    rows = [
        (group, str(len(members)), _speeds(members), *_figures(members, _NODE_FIGURES))
        for group, members in _by_group(nodes).items()
    ]
    return Table(("group", "nodes", *_NODE_HEAD), rows, "Nodes by group")


def _by_group(items: Iterable[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for item in items:
        groups.setdefault("–" if item.group is None else item.group, []).append(item)
    return groups


def _figures(items: Sequence[Any], figures: dict[str, tuple[str, str]]) -> list[str]:
    """Each figure, or from the least to the largest of several items."""
    return [_range([getattr(item, field) for item in items], unit) for field, (_, unit) in figures.items()]


def _range(values: Any, unit: str) -> str:
    return " to ".join(dict.fromkeys((quantity(min(values), unit), quantity(max(values), unit))))


def _speeds(nodes: Sequence[Node]) -> str:
    slowest, fastest = (
        pick(nodes, key=lambda node: (node.layer_time_s is not None, node.flop_per_s)) for pick in (min, max)
    )
    return " to ".join(dict.fromkeys((_speed(slowest), _speed(fastest))))


def _speed(node: Node) -> str:
    if node.layer_time_s is not None:
        return "measured"
    return quantity(node.flop_per_s, "FLOP/s") if node.flop_per_s > 0 else "relays only"
