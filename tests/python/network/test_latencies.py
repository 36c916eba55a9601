"""Latencies over timelines against scipy and networkx; relays, threads, displays, refusals."""

from __future__ import annotations

import os

import numpy as np
import pytest

from constellm import network

TIMELINES = int(os.environ.get("CONSTELLM_RANDOM_PROBLEMS", "200"))


def random_timeline(seed: int) -> network.Timeline:
    """Up to 30 nodes and 4 snapshots; latencies that are whole numbers, zero among them, or of many sizes."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 31))
    graphs = []
    for _ in range(int(random.integers(1, 5))):
        links = np.argwhere((random.random((n, n)) < random.uniform(0.03, 0.5)) & ~np.eye(n, dtype=bool))
        random.shuffle(links)
        latency_s = (
            random.integers(0, 5, len(links)) if seed % 2 else 10.0 ** random.uniform(-6, 3, len(links))
        )
        graphs.append(
            network.Graph(
                [f"n{i}" for i in range(n)],
                from_=links[:, 0],
                to=links[:, 1],
                rate_bps=1e9,
                latency_s=latency_s.astype(float),
            )
        )
    return network.Timeline(60.0 * np.arange(len(graphs)), graphs)


def without_relays(graph: network.Graph, source: int, relays: np.ndarray) -> np.ndarray:
    """The links of which a path from the source may consist."""
    return np.isin(graph.from_, relays) | (graph.from_ == source)


def test_latencies_are_those_of_scipy():
    csgraph = pytest.importorskip("scipy.sparse.csgraph")
    sparse = pytest.importorskip("scipy.sparse")
    reached = 0
    for seed in range(TIMELINES):
        timeline = random_timeline(seed)
        random = np.random.default_rng(seed)
        n = len(timeline[0].graph.nodes)
        sources, targets = random.integers(0, n, 3), random.integers(0, n, 4)
        relays = np.flatnonzero(random.random(n) < 0.7)
        found = network.latencies(timeline, sources, targets, relays=relays, threads=1 + seed % 3)
        assert found.latency_s.shape == found.hops.shape == (len(timeline), 3, 4)
        for i, snapshot in enumerate(timeline):
            graph = snapshot.graph
            for s, source in enumerate(sources.tolist()):
                kept = without_relays(graph, source, relays)
                # A stored zero is a link for csgraph.
                rows = (graph.latency_s[kept], (graph.from_[kept], graph.to[kept]))
                peer = csgraph.dijkstra(sparse.csr_matrix(rows, shape=(n, n)), indices=source)
                np.testing.assert_allclose(found.latency_s[i, s], peer[targets], rtol=1e-12)
                paths = network.shortest_paths(graph, source, relays=relays)
                assert np.array_equal(paths.cost[0, targets], found.latency_s[i, s])
                for t, target in enumerate(targets.tolist()):
                    assert len(paths.path(0, target)) - 1 == found.hops[i, s, t]
                reached += int(np.isfinite(peer).sum())
    assert reached > 10 * TIMELINES


def test_hops_are_the_fewest_of_the_paths_of_least_latency():
    nx = pytest.importorskip("networkx")
    ties = 0
    for seed in range(1, TIMELINES, 2):  # whole numbers: a hop may cost a thousandth
        timeline = random_timeline(seed)
        found = network.latencies(timeline, 0)
        for snapshot, latency_s, hops in zip(timeline, found.latency_s[:, 0], found.hops[:, 0]):
            graph = snapshot.graph
            peer = nx.DiGraph()
            peer.add_nodes_from(range(len(graph.nodes)))
            ends = zip(graph.from_.tolist(), graph.to.tolist(), (1000 * graph.latency_s + 1).tolist())
            peer.add_weighted_edges_from(ends)
            costs = nx.single_source_dijkstra_path_length(peer, 0)
            assert {v: 1000 * latency_s[v] + hops[v] for v in costs} == costs
            assert np.all(hops[[v not in costs for v in range(len(hops))]] == -1)
            ties += int(np.sum(hops > 1))
    assert ties > TIMELINES


def test_threads_change_nothing():
    random = np.random.default_rng(5)
    ring = np.arange(500)
    ends = {
        "from_": np.concatenate([ring, ring]),
        "to": np.concatenate([(ring + 1) % 500, (ring + 23) % 500]),
    }
    first = network.Graph([f"n{i}" for i in ring], **ends, rate_bps=1e9, latency_s=random.random(1000))
    graphs = [first, *(first.replace(latency_s=random.random(1000)) for _ in range(9))]
    timeline = network.Timeline(np.arange(10.0), graphs)
    alone = network.latencies(timeline, range(0, 500, 9))
    for threads in (2, 7):
        together = network.latencies(timeline, range(0, 500, 9), threads=threads)
        assert np.array_equal(alone.latency_s, together.latency_s)
        assert np.array_equal(alone.hops, together.hops)


def two_snapshots() -> network.Timeline:
    early = network.Graph(["a", "b", "c", "d"], from_=[0, 1], to=[1, 2], rate_bps=1e9, latency_s=[1, 2])
    return network.Timeline([0.0, 60.0], [early, early.replace(latency_s=[3, 4])])


def test_they_show_themselves():
    found = network.latencies(two_snapshots(), ["a", "d"])
    assert repr(found) == "Latencies(2 times, 2 sources, 4 targets)"
    lines = found.summary().splitlines()
    assert lines[0] == "Latencies 2 times, 2 sources, 4 targets"
    assert lines[2].split() == ["source", "reached", "least", "median", "greatest"]
    assert lines[3].split() == ["a", "6", "of", "8", "0", "s", "2", "s", "7", "s"]
    assert lines[4].split() == ["d", "2", "of", "8", "0", "s", "0", "s", "0", "s"]
    nothing = network.latencies(two_snapshots(), "d", "a")
    assert nothing.summary().splitlines()[3].split() == ["d", "0", "of", "2", "–", "–", "–"]


def test_they_become_a_dataset():
    pytest.importorskip("xarray")
    found = network.latencies(two_snapshots(), ["a", "d"])
    dataset = found.to_xarray()
    assert dict(dataset.sizes) == {"t_s": 2, "source": 2, "target": 4}
    assert dataset.latency_s.attrs == dataset.t_s.attrs == {"units": "s"}
    assert float(dataset.latency_s.sel(t_s=60.0, source="a", target="c")) == 7.0
    assert int(dataset.hops.sel(t_s=0.0, source="d", target="a")) == -1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda made: network.latencies(made[0].graph), "timeline: expected a Timeline, got Graph"),
        (lambda made: network.latencies(made, "z"), r"sources\[0\]: no node has id 'z'"),
        (lambda made: network.latencies(made, "a", [4]), r"targets\[0\]: 4 is not in \[0, 3\]"),
        (lambda made: network.latencies(made, relays=["a", "z"]), r"relays\[1\]: no node has id 'z'"),
        (lambda made: network.latencies(made, threads=0), r"threads: 0 is not in \[1, 1024\]"),
        (
            lambda made: network.latencies(made, np.zeros(100_000, int), np.zeros(5_000, int)),
            "targets: 5000 of them, 100000 sources and 2 times make 1000000000 latencies, more than",
        ),
    ],
)
def test_refusals(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call(two_snapshots())
