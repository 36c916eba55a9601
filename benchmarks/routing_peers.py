"""Least latencies from many sources in many snapshots beside graph libraries, in one run.

Every peer is called as it is fastest: its graph has the links' latencies as an array or a list, and no loop
in Python goes over links, but in rustworkx, which takes weights from a function alone. Making its graphs is
timed apart, and so is constellm's timeline. One that is not installed is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tables
import timing
from orbit_peers import EPOCH, OWN, rows_of

from constellm import network, orbit

SHELL = orbit.preset("space-xnet")
STEP_S = 10.0
THREADS = f"{OWN}, 2 threads"
SCIPY = "scipy's `csgraph.dijkstra`"
IGRAPH = "igraph's `distances`"
RUSTWORKX = "rustworkx's `dijkstra_shortest_path_lengths`"


class Peer(NamedTuple):
    """How a library routes."""

    name: str
    graph: Callable[[network.Graph], Any]
    """Its form of a snapshot's."""
    distances: Callable[[Any, np.ndarray], Any]
    """From the sources to every node; as an array, or what `array` makes one of."""
    array: Callable[[Any], np.ndarray] = np.asarray


def peers() -> list[Peer]:
    """Those that are installed."""
    return [peer for make in (with_scipy, with_igraph, with_rustworkx) if (peer := make()) is not None]


def with_scipy() -> Peer:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    def made(graph: network.Graph) -> Any:
        rows = (graph.latency_s[graph.out_link], graph.to[graph.out_link], graph.out_begin)
        return csr_matrix(rows, shape=(len(graph.nodes),) * 2)

    return Peer(SCIPY, made, lambda graph, sources: dijkstra(graph, indices=sources))


def with_igraph() -> Peer | None:
    try:
        import igraph
    except ImportError:
        return None

    def made(graph: network.Graph) -> Any:
        ends = np.stack((graph.from_, graph.to), axis=1)
        return igraph.Graph(n=len(graph.nodes), edges=ends, directed=True), graph.latency_s.tolist()

    def distances(graph: Any, sources: np.ndarray) -> Any:
        return graph[0].distances(source=sources, weights=graph[1], algorithm="dijkstra")

    return Peer(IGRAPH, made, distances)


def with_rustworkx() -> Peer | None:
    try:
        import rustworkx
    except ImportError:
        return None

    def made(graph: network.Graph) -> Any:
        its = rustworkx.PyDiGraph(multigraph=False)
        its.add_nodes_from(range(len(graph.nodes)))
        its.add_edges_from(list(zip(graph.from_.tolist(), graph.to.tolist(), graph.latency_s.tolist())))
        return its

    def distances(graph: Any, sources: np.ndarray) -> Any:
        # `float` is the function that costs least.
        found = [rustworkx.digraph_dijkstra_shortest_path_lengths(graph, s, float) for s in sources.tolist()]
        return graph.num_nodes(), sources, found

    def array(found: Any) -> np.ndarray:
        nodes, sources, rows = found
        table = np.full((len(rows), nodes), np.inf)
        for row, source, lengths in zip(table, sources, rows):
            row[source] = 0.0
            row[list(lengths.keys())] = list(lengths.values())
        return table

    return Peer(RUSTWORKX, made, distances, array)


def measure(
    shell: orbit.Shell = SHELL, sources: int = 32, snapshots: int = 200, rounds: int = 3
) -> tables.Rows:
    """A row for each library, with ``build_s``, what its graphs took.

    Raises
    ------
    AssertionError
        If a peer finds other latencies.
    """
    sky = orbit.Constellation(shell, links=orbit.plus_grid(), epoch=EPOCH)
    start = time.thread_time()
    timeline = sky.timeline(0.0, snapshots * STEP_S, STEP_S)
    build_s = {OWN: time.thread_time() - start}
    nodes = len(sky.nodes)
    places = np.arange(sources, dtype=np.int32) * (nodes // sources)
    latency_s = network.latencies(timeline, places).latency_s

    def own(threads: int) -> Callable[[], Any]:
        return lambda: network.latencies(timeline, places, threads=threads)

    contenders: dict[str, Callable[[], Any]] = {OWN: own(1)}
    for peer in peers():
        start = time.thread_time()
        graphs = [peer.graph(snapshot.graph) for snapshot in timeline]
        build_s[peer.name] = time.thread_time() - start
        for i in range(0, snapshots, max(snapshots // 5, 1)):
            its_s = peer.array(peer.distances(graphs[i], places))
            np.testing.assert_allclose(its_s, latency_s[i], rtol=1e-9, err_msg=peer.name)
        contenders[peer.name] = lambda peer=peer, graphs=graphs: [peer.distances(g, places) for g in graphs]
    runs = timing.in_turn(contenders, rounds)
    runs |= timing.in_turn({THREADS: own(2)}, rounds, clock=time.perf_counter)
    sizes = {"nodes": nodes, "sources": sources, "snapshots": snapshots}
    rows = rows_of("routing", runs, **sizes)
    for row in rows:
        row["build_s"] = build_s.get(row["solver"], build_s[OWN])
    return rows
