"""Graphs to and from networkx; timelines and contact plans as labelled arrays of xarray."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np

from .._core.network import ContactPlan, Graph, Node, Snapshot, Timeline
from ..core.checks import hint_for, instance, non_negative, positive, short
from ..core.optional import optional_import

_NODE_FIELDS = tuple(field.name for field in Node.fields if field.name != "id")
_LINK_FIELDS = ("overhead_s", "group")  # beside rate and latency, which may go by other names
_IN_RANGE = {"rate_bps": positive, "latency_s": non_negative}
_OF_SNAPSHOTS = "lifetime_s"  # known, but no part of a graph

_MOST_CELLS = 50_000_000  # of a table of links and times: 400 MB a variable


def attach() -> None:
    """Give graphs and what changes in them their ways out."""
    for owner, method in (
        (Graph, _graph_to_networkx), (Snapshot, _snapshot_to_networkx),
        (Timeline, _timeline_to_xarray), (ContactPlan, _plan_to_xarray),
    ):  # fmt: skip
        method.__name__ = "to_" + method.__name__.rpartition("_to_")[2]
        method.__doc__ = inspect.cleandoc(method.__doc__ or "")
        setattr(owner, method.__name__, method)


def from_networkx(
    graph: Any,
    *,
    rate_bps: str | float = "rate_bps",
    latency_s: str | float = "latency_s",
    ignore: Iterable[str] = (),
) -> Graph:
    """The graph that a graph of networkx describes.

    Nodes may have the attributes that `Node` has as fields; what has no speed relays. Edges have a rate and a
    latency, and may have ``overhead_s`` and ``group``. An undirected edge is a link each way. The
    ``lifetime_s`` of a snapshot's edges is left out. ``Graph.to_networkx`` is the way back.

    Parameters
    ----------
    graph : networkx.Graph or networkx.DiGraph
        Nodes are called by texts.
    rate_bps, latency_s : str or float
        Name of the edges' attribute, or one number for all of them.
    ignore : sequence of str
        Other attributes of nodes or edges, which have no meaning here. What is not named is refused.

    Returns
    -------
    Graph
        Nodes and links in their order there.

    Raises
    ------
    TypeError, ValueError
        For another kind of graph, several edges from one node to another, an attribute that is missing or
        unknown, and for values out of range; names the node or edge.

    Examples
    --------
    >>> import networkx as nx
    >>> from constellm import network
    >>> graph = nx.path_graph(["a", "b", "c"])
    >>> made = network.from_networkx(graph, rate_bps=1e9, latency_s=0.01)
    >>> made, made.link_between("b", "a")
    (Graph(3 nodes, 4 links), 1)
    """
    if not all(hasattr(graph, name) for name in ("nodes", "edges", "is_directed", "is_multigraph")):
        raise TypeError(f"graph: expected a Graph or DiGraph of networkx, got {short(graph)}")
    if graph.is_multigraph():
        raise TypeError("graph: a multigraph may have several edges where a graph here has one link")
    left_out = {ignore} if isinstance(ignore, str) else set(ignore)
    nodes = []
    for name, attributes in graph.nodes(data=True):
        where = f"nodes[{short(name)}]"
        if not isinstance(name, str):
            raise TypeError(f"{where}: not called by a text; networkx.relabel_nodes(graph, str) changes that")
        given = _known(where, attributes, _NODE_FIELDS, left_out)
        try:
            nodes.append(Node(**{"id": name, "flop_per_s": 0.0, "memory_bytes": 0.0, **given}))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{where}.{error}") from None
    position = {node.id: i for i, node in enumerate(nodes)}
    columns: dict[str, list[Any]] = {name: [] for name in ("from_", "to", "rate_bps", "latency_s")}
    columns.update({name: [] for name in _LINK_FIELDS})
    named: dict[str, Any] = {"rate_bps": rate_bps, "latency_s": latency_s}
    named = {
        field: key if isinstance(key, str) else _IN_RANGE[field](field, key) for field, key in named.items()
    }
    keys = [key for key in named.values() if isinstance(key, str)]
    for a, b, attributes in graph.edges(data=True):
        where = f"edges[{short(a)}, {short(b)}]"
        given = _known(where, attributes, (*keys, *_LINK_FIELDS, _OF_SNAPSHOTS), left_out)
        values: dict[str, Any] = {field: _figure(where, given, field, key) for field, key in named.items()}
        values["overhead_s"] = non_negative(f"{where}.overhead_s", given.get("overhead_s", 0.0))
        group = given.get("group")
        values["group"] = None if group is None else instance(f"{where}.group", group, str)
        for start, end in ((a, b),) if graph.is_directed() else ((a, b), (b, a)):
            columns["from_"].append(position[start])
            columns["to"].append(position[end])
            for field, value in values.items():
                columns[field].append(value)
    return Graph(nodes, **columns)


def _known(where: str, attributes: Any, names: Iterable[str], left_out: set[str]) -> dict[str, Any]:
    """The attributes that mean something."""
    names = list(names)
    found = {}
    for key, value in attributes.items():
        if key in names:
            found[key] = value
        elif key not in left_out:
            raise ValueError(
                f"{where}: attribute {short(key)} means nothing here{hint_for(str(key), names)}; "
                f"leave it out with ignore=[{short(key)}]"
            )
    return found


def _figure(where: str, given: dict[str, Any], field: str, key: str | float) -> float:
    if not isinstance(key, str):
        return key
    if key not in given:
        raise ValueError(
            f"{where}: no attribute {key!r}; {field}= names the one that it has, or is a number for all"
        )
    return _IN_RANGE[field](f"{where}.{key}", given[key])


def _graph_to_networkx(self: Graph) -> Any:
    """As a `networkx.DiGraph`: fields of nodes and links are attributes; `from_networkx` is the way back."""
    networkx = optional_import("networkx", extra="graphs", purpose="this needs networkx")
    made = networkx.DiGraph()
    for node in self.nodes:
        values = {name: getattr(node, name) for name in _NODE_FIELDS}
        made.add_node(node.id, **{name: value for name, value in values.items() if value is not None})
    names = [*self.groups, None]
    columns = (self.from_, self.to, self.rate_bps, self.latency_s, self.overhead_s, self.group_of)
    ids = self.nodes.ids()
    for a, b, rate_bps, latency_s, overhead_s, group in zip(*(column.tolist() for column in columns)):
        more = {} if names[group] is None else {"group": names[group]}
        made.add_edge(ids[a], ids[b], rate_bps=rate_bps, latency_s=latency_s, overhead_s=overhead_s, **more)
    return made


def _snapshot_to_networkx(self: Snapshot) -> Any:
    """As a `networkx.DiGraph`, as of its graph, with ``t_s`` and ``valid_s``, and ``lifetime_s`` of links."""
    made = _graph_to_networkx(self.graph)
    made.graph.update(t_s=self.t_s, valid_s=self.valid_s)
    if self.lifetime_s is not None:
        graph, ids = self.graph, self.graph.nodes.ids()
        columns = (graph.from_, graph.to, self.lifetime_s)
        for a, b, lifetime_s in zip(*(column.tolist() for column in columns)):
            made.edges[ids[a], ids[b]]["lifetime_s"] = lifetime_s
    return made


def _timeline_to_xarray(self: Timeline) -> Any:
    """As an `xarray.Dataset` of ``rate_bps`` and ``latency_s`` (link, t_s), NaN where a link does not exist.

    A link has the coordinates ``from`` and ``to``, ids of its nodes. Refused above 50 million cells.
    """
    xarray = optional_import("xarray", extra="sweep", purpose="this needs xarray")
    graphs = [self[i].graph for i in range(len(self))]
    nodes = graphs[0].nodes
    keys = [graph.from_.astype(np.int64) * len(nodes) + graph.to for graph in graphs]
    links = np.unique(np.concatenate(keys))
    if len(links) * len(graphs) > _MOST_CELLS:
        raise ValueError(
            f"timeline: {len(links)} links at {len(graphs)} times are more than {_MOST_CELLS} cells"
        )
    ids = np.array(nodes.ids())
    found = {name: np.full((len(links), len(graphs)), np.nan) for name in ("rate_bps", "latency_s")}
    for i, (graph, key) in enumerate(zip(graphs, keys)):
        rows = np.searchsorted(links, key)
        for name, table in found.items():
            table[rows, i] = getattr(graph, name)
    units = {"rate_bps": "bit/s", "latency_s": "s"}
    return xarray.Dataset(
        {name: (("link", "t_s"), table, {"units": units[name]}) for name, table in found.items()},
        {
            "t_s": ("t_s", np.array(self.t_s), {"units": "s"}),
            "from": ("link", ids[links // len(nodes)]),
            "to": ("link", ids[links % len(nodes)]),
        },
        {"end_s": self.end_s},
    )


def _plan_to_xarray(self: ContactPlan) -> Any:
    """As an `xarray.Dataset`: its columns over ``contact``, with the coordinates ``from`` and ``to``, ids."""
    xarray = optional_import("xarray", extra="sweep", purpose="this needs xarray")
    ids = np.array(self.nodes.ids())
    units = {"open_s": "s", "close_s": "s", "rate_bps": "bit/s", "owlt_s": "s"}
    return xarray.Dataset(
        {name: ("contact", np.array(getattr(self, name)), {"units": unit}) for name, unit in units.items()},
        {"from": ("contact", ids[self.from_]), "to": ("contact", ids[self.to])},
        {} if self.epoch is None else {"epoch": self.epoch},
    )
