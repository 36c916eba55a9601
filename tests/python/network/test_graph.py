"""Graphs as columns: views without copies, sharing, values, refusals; a constellation's size by counts."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc

import numpy as np
import pytest

from constellm import network, split
from constellm.codec import Codec
from constellm.model import Layer

COLUMNS = (
    "from_",
    "to",
    "rate_bps",
    "latency_s",
    "overhead_s",
    "out_begin",
    "out_link",
    "in_begin",
    "in_link",
)


@pytest.fixture
def graph():
    """a → b → c, a → c; the second link in a group."""
    return network.Graph(
        ["a", "b", "c"],
        from_=[0, 1, 0],
        to=[1, 2, 2],
        rate_bps=[1e9, 2e9, 3e9],
        latency_s=[1.0, 1.0, 3.0],
        group=[None, "isl", None],
    )


def test_columns_are_views_that_cannot_be_written(graph):
    for name in COLUMNS:
        column = getattr(graph, name)
        assert np.shares_memory(column, getattr(graph, name)), name
        assert column.base is graph and not column.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 7
        with pytest.raises(ValueError, match="WRITEABLE"):
            column.flags.writeable = True
    rates = graph.rate_bps
    del graph
    gc.collect()
    assert rates.tolist() == [1e9, 2e9, 3e9], "a view keeps its graph alive"


def test_rows_both_ways(graph):
    assert graph.from_.dtype == np.int32 and graph.rate_bps.dtype == np.float64
    assert (graph.out_begin.tolist(), graph.out_link.tolist()) == ([0, 2, 3, 3], [0, 2, 1])
    assert (graph.in_begin.tolist(), graph.in_link.tolist()) == ([0, 0, 1, 3], [0, 1, 2])
    assert graph.link_between("a", "c") == 2 and graph.link_between("c", "a") is None
    with pytest.raises(ValueError, match="to: no node has id 'z'"):
        graph.link_between("a", "z")


def test_graph_and_network_say_the_same(graph):
    plain = graph.to_network()
    assert plain.links[1] == graph.link(1) == network.link("b", "c", rate_bps=2e9, latency_s=1.0, group="isl")
    assert network.Graph.from_network(plain) == graph
    assert graph.to_dict() == plain.to_dict()
    ring = network.ring(5, flop_per_s=1e12, memory_bytes=1e9, rate_bps=1e9)
    again = network.Graph.from_network(ring)
    assert list(again.nodes) == list(ring.nodes) and again.to_network().links == ring.links
    assert (again.groups, again.group_of.tolist()) == (("isl",), [0] * 10)


def test_values(graph):
    assert repr(graph) == "Graph(3 nodes, 3 links)"
    assert pickle.loads(pickle.dumps(graph)) == graph == copy.deepcopy(graph)
    assert graph.__getstate__()[0] == 2, "pickles say their version"
    faster = graph.replace(rate_bps=9e9)
    assert faster.rate_bps.tolist() == [9e9] * 3 and faster != graph
    assert np.shares_memory(faster.to, graph.to) and faster.nodes is graph.nodes
    fewer = graph.replace(from_=[0], to=[2], rate_bps=1e9, latency_s=0.0, overhead_s=0.0, group="s2g")
    assert fewer.nodes is graph.nodes and fewer.link(0).group == "s2g"
    with pytest.raises(TypeError, match="unhashable"):
        hash(graph)
    with pytest.raises(TypeError, match="speed"):
        graph.replace(speed=1)
    assert graph != 3


def test_nodes_are_a_sequence_without_copies():
    made = [network.Node(id=i, flop_per_s=1e12, memory_bytes=1e9) for i in "xyz"]
    nodes = network.Nodes(made)
    assert list(nodes) == made and nodes[-1] == made[2] and nodes.ids() == ["x", "y", "z"]
    assert nodes[1] is nodes[1] and nodes.position("y") == 1 and len(nodes) == 3
    assert pickle.loads(pickle.dumps(nodes)) == nodes and repr(nodes) == "Nodes(3: 'x' … 'z')"
    last = nodes[2]
    del nodes
    gc.collect()
    assert last.id == "z", "a node keeps its table alive"
    with pytest.raises(IndexError, match=r"node 3 is not in \[-3, 3\)"):
        network.Nodes(made)[3]
    with pytest.raises(ValueError, match="no node has id 'q'"):
        network.Nodes(made).position("q")


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"nodes": "abc"}, TypeError, "nodes: expected a sequence of Node or ids, got 'abc'"),
        ({"nodes": ["a", 2, "c"]}, TypeError, r"nodes\[1\]: expected a Node, got 2"),
        ({"nodes": ["a", "b", "a"]}, ValueError, r"nodes\[2\]\.id: 'a' is used by another node"),
        ({"nodes": []}, ValueError, r"from_\[0\]: 0 is not in \[0, 0\)|nodes: at least one"),
        ({"from_": [0.0, 1.0, 0.0]}, TypeError, "from_: expected integers"),
        ({"from_": [True, False, True]}, TypeError, "from_: expected integers"),
        ({"to": [1, 2, 3]}, ValueError, r"to\[2\]: 3 is not in \[0, 3\)"),
        ({"to": [1, 2, -1]}, ValueError, r"to\[2\]: -1 is not in \[0, 3\)"),
        ({"to": [1, 2, 2**32]}, ValueError, r"to\[2\]: 4294967296 is not in \[0, 3\)"),
        ({"to": np.array([1, 2, 2**63], np.uint64)}, ValueError, r"to\[2\]: 9223372036854775808 is not in"),
        ({"to": [1, 2]}, ValueError, "to: 2 entries for 3 links"),
        ({"to": [[1, 2, 2]]}, ValueError, r"to: expected one dimension, got shape \(1, 3\)"),
        ({"to": [1, 2, 0]}, ValueError, r"links\[2\]\.to: a link from 'a' to itself"),
        ({"from_": [0, 0, 0], "to": [1, 2, 1]}, ValueError, r"links\[2\]: a second link from 'a' to 'b'"),
        ({"rate_bps": [1e9, 0.0, 1e9]}, ValueError, r"links\[1\]\.rate_bps: 0 is not in \(0, inf\)"),
        (
            {"rate_bps": [1e9, 1e9]},
            ValueError,
            r"rate_bps: expected a scalar or shape \(3,\), got shape \(2,\)",
        ),
        ({"rate_bps": ["fast"] * 3}, TypeError, "rate_bps: expected numbers"),
        ({"rate_bps": True}, TypeError, "rate_bps: expected numbers, got True"),
        ({"latency_s": [0, np.nan, 0]}, ValueError, r"links\[1\]\.latency_s: nan is not in \[0, inf\)"),
        ({"overhead_s": 1j}, TypeError, "overhead_s: expected numbers"),
        ({"group": ["isl"]}, ValueError, "group: expected one name or 3 of them, got 1"),
        ({"group": [1, 2, 3]}, TypeError, r"group\[0\]: expected text, got 1"),
    ],
)
def test_refusals(change, error, says):
    keywords = {"nodes": ["a", "b", "c"], "from_": [0, 1, 0], "to": [1, 2, 2], "rate_bps": 1e9, **change}
    with pytest.raises(error, match=says):
        network.Graph(**keywords)


def test_a_graph_without_links():
    alone = network.Graph(["a"], from_=[], to=[], rate_bps=1e9)
    assert alone.link_count == 0 and alone.out_begin.tolist() == [0, 0]
    assert pickle.loads(pickle.dumps(alone)) == alone


def test_problems_take_graphs_and_snapshots():
    ring = network.ring(4, flop_per_s=1e12, memory_bytes=1e9, rate_bps=1e9)
    rest = {
        "layers": [Layer(name="l", flop=1e9, memory_bytes=1.0, output_bytes=1e6)],
        "input_bytes": 1e6,
        "codecs": [Codec(name="none", ratio=1.0, error=0.0)],
    }
    made = split.Problem(network=ring, source="s0", sink="s2", **rest)
    graph = network.Graph.from_network(ring)
    assert split.Problem(network=graph, source="s0", sink="s2", **rest) == made
    assert split.Problem(network=network.Snapshot(0.0, graph), source="s0", sink="s2", **rest) == made
    with pytest.raises(TypeError, match="missing required key 'source': the network has none"):
        split.Problem(network=graph, sink="s2", **rest)
    assert made.replace(network=graph) == made


def plus_grid(planes: int, each: int) -> dict[str, np.ndarray]:
    """Links of every satellite to its neighbours in the plane and in the next planes."""
    plane, place = np.divmod(np.arange(planes * each), each)
    ends = [
        (plane * each + (place + 1) % each),
        (plane * each + (place - 1) % each),
        ((plane + 1) % planes * each + place),
        ((plane - 1) % planes * each + place),
    ]
    return {"from_": np.tile(np.arange(planes * each), 4), "to": np.concatenate(ends)}


def test_a_day_of_a_constellation_is_columns_and_no_objects():
    links, snapshots = plus_grid(72, 22), 100
    assert links["to"].size == 6336
    nodes = network.Nodes([f"shell/{i // 22}/{i % 22}" for i in range(1584)])
    times = 60.0 * np.arange(snapshots)
    latency = 0.01 + 0.001 * np.sin(times[:, None] / 900 + np.arange(6336))
    gc.collect()
    objects = len(gc.get_objects())
    tracemalloc.start()
    graphs = [network.Graph(nodes, **links, rate_bps=1e9, latency_s=row, group="isl") for row in latency]
    timeline = network.Timeline(times, graphs, end_s=6000.0)
    python_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    gc.collect()
    assert len(gc.get_objects()) - objects < 1000
    assert python_bytes < 1e6, "links are no Python objects"
    assert all(graph.nodes is nodes for graph in graphs)
    first, last = timeline[0].graph, timeline[99].graph
    assert np.shares_memory(first.to, last.to) and np.shares_memory(first.out_link, last.out_link)
    own = sum(column.nbytes for column in (last.rate_bps, last.latency_s, last.overhead_s))
    assert own + timeline[99].lifetime_s.nbytes == 6336 * 32, "bytes of one more snapshot"
    assert len(timeline.contacts) == 6336
    assert len(pickle.dumps(timeline)) < 100 * 6336 * 60
