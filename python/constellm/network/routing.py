"""Paths of least cost and of fewest hops in a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import network as _core
from ..core.checks import count, instance, short
from ..core.quantity import counted

Place = Union[str, int]
"""A node: its id or its position."""


@dataclass(frozen=True, eq=False)
class ShortestPaths:
    """Paths of least cost from each of some sources to every node; what `shortest_paths` gives.

    Examples
    --------
    >>> from constellm import network
    >>> ring = network.ring(6, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.004)
    >>> paths = network.shortest_paths(network.Graph.from_network(ring), ["s0", "s1"])
    >>> paths
    ShortestPaths(2 sources, 6 nodes)
    >>> paths.path(1, "s5"), float(paths.cost[1, 5])
    (['s1', 's0', 's5'], 0.008)
    """

    graph: _core.Graph
    sources: NDArray[np.int32]
    """Positions of the sources (sources,)."""
    cost: NDArray[np.float64]
    """Least cost, in the unit of the weight; inf where no way leads (sources, nodes)."""
    link: NDArray[np.int32]
    """Position of the path's last link; -1 at the source and where no way leads (sources, nodes)."""

    def __repr__(self) -> str:
        return f"ShortestPaths({counted(len(self.sources), 'source')}, {counted(self.cost.shape[1], 'node')})"

    def path(self, source: int, target: Place) -> list[str]:
        """Ids of the nodes on the way to a node.

        Parameters
        ----------
        source : int
            Which of the sources: the row of the tables.
        target : str or int
            Id or position of the node.

        Returns
        -------
        list of str
            From the source to the target; empty where no way leads.
        """
        last = self.link[count("source", source, least=0, most=len(self.sources) - 1)]
        nodes = self.graph.nodes
        here = position(self.graph.nodes, "target", target)
        if not np.isfinite(self.cost[source, here]):
            return []
        way = [nodes[here].id]
        while (link := int(last[here])) >= 0:
            here = int(self.graph.from_[link])
            way.append(nodes[here].id)
        return way[::-1]


def shortest_paths(
    graph: _core.Graph,
    sources: Place | Sequence[Place] | NDArray[np.integer] | None = None,
    *,
    weight: ArrayLike | None = None,
    relays: Place | Sequence[Place] | NDArray[np.integer] | None = None,
    threads: int = 1,
) -> ShortestPaths:
    """Paths of least cost by Dijkstra's algorithm, one tree a source.

    Of paths of equal cost the one with fewest hops counts, then the one whose last link comes first, so that
    the result depends on nothing else, the number of threads included.

    Parameters
    ----------
    graph : Graph
    sources : str or int, or sequence of them, optional
        Ids or positions; default: every node.
    weight : array_like, scalar or shape (links,), optional
        Cost of each link, in [0, inf]; inf closes it. Default: ``graph.latency_s`` [s].
    relays : str or int, or sequence of them, optional
        The nodes that pass on what is for others; the rest only begin or end a path. Default: every node.
    threads : int
        At most so many; small tasks use fewer.

    Returns
    -------
    ShortestPaths

    Raises
    ------
    ValueError, TypeError
        For a source or relay that is no node, and for a weight of another shape or out of range.

    Examples
    --------
    >>> from constellm import network
    >>> ends = {"from_": [0, 1, 0], "to": [1, 2, 2]}
    >>> graph = network.Graph(["a", "b", "c"], **ends, rate_bps=1e9, latency_s=[1, 1, 3])
    >>> paths = network.shortest_paths(graph, "a")
    >>> paths.cost.tolist(), paths.path(0, "c")
    ([[0.0, 1.0, 2.0]], ['a', 'b', 'c'])
    """
    instance("graph", graph, _core.Graph)
    start = places_of(graph.nodes, "sources", sources)
    cost, link = _core.shortest_paths(
        graph,
        start,
        graph.latency_s if weight is None else weight,
        None if relays is None else as_positions(graph.nodes, "relays", relays),
        count("threads", threads, most=1024),
    )
    return ShortestPaths(graph, start, cost, link)


def hops(graph: _core.Graph, node: Place, *, to: bool = False) -> NDArray[np.int32]:
    """Fewest hops from a node to every node, or the other way round.

    Parameters
    ----------
    graph : Graph
    node : str or int
        Id or position.
    to : bool
        Whether the hops from every node to this one are wanted.

    Returns
    -------
    ndarray of int32, shape (nodes,)
        -1 where no way leads.

    Raises
    ------
    ValueError, TypeError
        If `node` is none of the graph.

    Examples
    --------
    >>> from constellm import network
    >>> chain = network.chain(4, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9)
    >>> network.hops(network.Graph.from_network(chain), "s0").tolist()
    [0, 1, 2, 3]
    """
    return _core.hops(instance("graph", graph, _core.Graph), position(graph.nodes, "node", node), to)


def position(nodes: _core.Nodes, field: str, node: Place) -> int:
    """Where a node stands, given by its id or its position; messages begin with `field`."""
    if not isinstance(node, str):
        return count(field, node, least=0, most=len(nodes) - 1)
    try:
        return nodes.position(node)
    except ValueError:
        raise ValueError(f"{field}: no node has id {node!r}") from None


def as_positions(
    nodes: _core.Nodes, field: str, places: Place | Sequence[Place] | NDArray[np.integer]
) -> NDArray[np.int32]:
    """Where one node or several stand, as `position`."""
    if isinstance(places, np.ndarray) and places.dtype.kind in "iu" and places.ndim == 1:
        inside = (places >= 0) & (places < len(nodes))
        if inside.all():
            return places.astype(np.int32)
    given = [places] if isinstance(places, (str, int, np.integer)) else places
    if isinstance(given, (bytes, Set, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"{field}: expected nodes in order, got {short(places)}")
    return np.asarray(
        [position(nodes, f"{field}[{i}]", place) for i, place in enumerate(given)], dtype=np.int32
    )


def places_of(
    nodes: _core.Nodes, field: str, places: Place | Sequence[Place] | NDArray[np.integer] | None
) -> NDArray[np.int32]:
    """As `as_positions`; every node for None."""
    return np.arange(len(nodes), dtype=np.int32) if places is None else as_positions(nodes, field, places)
