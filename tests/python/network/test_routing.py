"""Routing against networkx on random graphs; refusals."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from constellm import network

nx = pytest.importorskip("networkx")
GRAPHS = int(os.environ.get("CONSTELLM_RANDOM_PROBLEMS", "1500"))


def random_graph(seed: int) -> tuple[network.Graph, np.ndarray]:
    """Up to 25 nodes; weights of few values, zero among them, or of many."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 26))
    links = np.argwhere((random.random((n, n)) < random.uniform(0.03, 0.5)) & ~np.eye(n, dtype=bool))
    random.shuffle(links)
    weight = random.integers(0, 5, len(links)).astype(float) if seed % 2 else random.random(len(links))
    graph = network.Graph(
        [f"n{i}" for i in range(n)], from_=links[:, 0], to=links[:, 1], rate_bps=1e9, latency_s=weight
    )
    return graph, weight


def test_least_costs_are_those_of_networkx():
    reached = 0
    for seed in range(GRAPHS):
        graph, weight = random_graph(seed)
        peer = nx.DiGraph()
        peer.add_nodes_from(range(len(graph.nodes)))
        peer.add_weighted_edges_from(zip(graph.from_.tolist(), graph.to.tolist(), weight.tolist()))
        paths = network.shortest_paths(graph, threads=1 + seed % 3)
        for source, expected in nx.all_pairs_dijkstra_path_length(peer):
            full = [expected.get(v, math.inf) for v in range(len(graph.nodes))]
            np.testing.assert_allclose(paths.cost[source], full, rtol=1e-12, err_msg=f"seed {seed}")
            reached += len(expected)
        jumps = dict(nx.all_pairs_shortest_path_length(peer))
        node = seed % len(graph.nodes)
        assert network.hops(graph, node).tolist() == [jumps[node].get(v, -1) for v in range(len(graph.nodes))]
        assert network.hops(graph, f"n{node}", to=True).tolist() == [
            jumps[v].get(node, -1) for v in range(len(graph.nodes))
        ]
        target = (7 * seed) % len(graph.nodes)
        way = paths.path(node, target)
        if math.isinf(paths.cost[node, target]):
            assert way == []
        else:
            links = [graph.link_between(a, b) for a, b in zip(way, way[1:])]
            assert sum(weight[link] for link in links) == pytest.approx(paths.cost[node, target], rel=1e-12)
            assert (way[0], way[-1]) == (f"n{node}", f"n{target}")
    assert reached > 20 * GRAPHS


def test_ties_go_to_fewest_hops_and_then_to_the_earlier_link():
    graph = network.Graph(
        list("abcd"), from_=[0, 2, 0, 1, 0], to=[2, 3, 1, 3, 3], rate_bps=1e9, latency_s=[1, 1, 1, 1, 2]
    )
    paths = network.shortest_paths(graph, ["a"])
    assert paths.path(0, "d") == ["a", "d"]
    closed = network.shortest_paths(graph, ["a"], weight=[1, 1, 1, 1, math.inf])
    assert closed.path(0, "d") == ["a", "c", "d"]
    assert (closed.cost.shape, closed.cost.dtype, closed.link.dtype) == ((1, 4), np.float64, np.int32)
    assert repr(closed) == "ShortestPaths(1 source, 4 nodes)"


def test_refusals():
    graph, _ = random_graph(4)
    for sources, error, says in [
        ("z", ValueError, r"sources\[0\]: no node has id 'z'"),
        ([0, 99], ValueError, r"sources\[1\]: 99 is not in \[0, "),
        ([1.0], TypeError, r"sources\[0\]: expected an integer, got 1.0"),
    ]:
        with pytest.raises(error, match=says):
            network.shortest_paths(graph, sources)
    with pytest.raises(ValueError, match=r"weight\[0\]: -1 is not in \[0, inf\]"):
        network.shortest_paths(graph, 0, weight=-1.0)
    with pytest.raises(ValueError, match=r"weight\[0\]: nan is not in \[0, inf\]"):
        network.shortest_paths(graph, 0, weight=math.nan)
    with pytest.raises(ValueError, match="weight: expected a scalar or shape"):
        network.shortest_paths(graph, 0, weight=[1.0])
    with pytest.raises(ValueError, match="threads: 0 is not in"):
        network.shortest_paths(graph, 0, threads=0)
    with pytest.raises(TypeError, match="graph: expected a Graph"):
        network.shortest_paths(network.ring(3, flop_per_s=1.0, memory_bytes=1.0, rate_bps=1.0), 0)
    with pytest.raises(ValueError, match="node: no node has id 'z'"):
        network.hops(graph, "z")
    with pytest.raises(ValueError, match=r"target: 99 is not in"):
        network.shortest_paths(graph, 0).path(0, 99)


@pytest.mark.parametrize("sources", [{"a", "b"}, {"a": 1}, b"a", 1.5])
def test_sources_without_an_order_are_refused(sources: object) -> None:
    graph = network.Graph(["a", "b"], from_=[0], to=[1], rate_bps=1e9, latency_s=[1.0])
    with pytest.raises(TypeError, match="sources: expected nodes in order"):
        network.shortest_paths(graph, sources)
