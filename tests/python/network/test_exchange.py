"""Graphs there and back through networkx; timelines and contact plans as xarray has them."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import network

nx = pytest.importorskip("networkx")


def graph(**changes):
    nodes = [
        network.Node(id="a", flop_per_s=1e12, memory_bytes=8e9, power_w=20.0, group="satellite"),
        network.Node(id="b", flop_per_s=0.0, memory_bytes=0.0, layer_time_s=[0.1, 0.2]),
        network.Node(id="c", flop_per_s=0.0, memory_bytes=0.0, codec_time_scale=2.0, group="ground"),
    ]
    given = {
        "from_": [1, 0, 2, 0],
        "to": [2, 1, 0, 2],
        "rate_bps": [1e9, 2e9, 3e9, 4e9],
        "latency_s": [0.01, 0.02, 0.03, 0.04],
        "overhead_s": [0.0, 1e-3, 0.0, 0.0],
        "group": ["isl", None, "s2g", "isl"],
    }
    return network.Graph(nodes, **{**given, **changes})


def links_of(made):
    return {(getattr(link, "from"), link.to): link for link in map(made.link, range(made.link_count))}


def test_there_and_back():
    first = graph()
    second = network.from_networkx(first.to_networkx())
    assert list(second.nodes) == list(first.nodes)
    assert links_of(second) == links_of(first)


def test_fields_are_attributes():
    made = graph().to_networkx()
    assert isinstance(made, nx.DiGraph) and list(made.nodes) == ["a", "b", "c"]
    assert made.nodes["a"]["power_w"] == 20.0 and "group" not in made.nodes["b"]
    assert made.edges["a", "b"] == {"rate_bps": 2e9, "latency_s": 0.02, "overhead_s": 1e-3}
    assert made.edges["c", "a"]["group"] == "s2g"


def test_a_snapshot_says_when_it_holds_and_how_long_links_live():
    snapshot = network.Snapshot(60.0, graph(), valid_s=30.0, lifetime_s=[1.0, 2.0, 3.0, np.inf])
    made = snapshot.to_networkx()
    assert made.graph == {"t_s": 60.0, "valid_s": 30.0}
    lives = {ends: made.edges[ends]["lifetime_s"] for ends in made.edges}
    assert lives == {("b", "c"): 1.0, ("a", "b"): 2.0, ("c", "a"): 3.0, ("a", "c"): np.inf}
    assert links_of(network.from_networkx(made)) == links_of(graph())


def test_routes_are_those_of_networkx():
    first = graph()
    lengths = dict(nx.all_pairs_dijkstra_path_length(first.to_networkx(), weight="latency_s"))
    found = network.shortest_paths(first, weight=first.latency_s)
    for i, a in enumerate("abc"):
        for j, b in enumerate("abc"):
            assert found.cost[i, j] == pytest.approx(lengths[a][b])


def test_undirected_edges_are_links_both_ways():
    grid = nx.relabel_nodes(nx.grid_2d_graph(3, 4), lambda at: f"{at[0]}-{at[1]}")
    nx.set_edge_attributes(grid, 0.25, "delay")
    made = network.from_networkx(grid, rate_bps=1e9, latency_s="delay")
    assert made.link_count == 2 * grid.number_of_edges()
    assert (made.latency_s == 0.25).all() and (made.rate_bps == 1e9).all()


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            lambda g: g.nodes["a"].update(flops=1.0),
            ValueError,
            r"nodes\['a'\]: attribute 'flops' means nothing",
        ),
        (lambda g: g.nodes["a"].update(memory_bytes=-1.0), ValueError, r"nodes\['a'\]\.memory_bytes: -1"),
        (lambda g: g.add_node(7), TypeError, r"nodes\[7\]: not called by a text"),
        (
            lambda g: g.edges["a", "b"].pop("rate_bps"),
            ValueError,
            r"edges\['a', 'b'\]: no attribute 'rate_bps'",
        ),
        (
            lambda g: g.edges["a", "b"].update(latency_s="1"),
            TypeError,
            r"edges\['a', 'b'\]\.latency_s: expected",
        ),
        (
            lambda g: g.edges["a", "b"].update(weight=1.0),
            ValueError,
            r"attribute 'weight' means nothing here",
        ),
        (
            lambda g: g.edges["a", "b"].update(rate_bps=0.0),
            ValueError,
            r"edges\['a', 'b'\]\.rate_bps: 0.0 is not in \(0, inf\)",
        ),
        (
            lambda g: g.edges["a", "b"].update(latency_s=np.nan),
            ValueError,
            r"edges\['a', 'b'\]\.latency_s: nan is not in \[0, inf\)",
        ),
        (
            lambda g: g.edges["a", "b"].update(overhead_s=-1.0),
            ValueError,
            r"edges\['a', 'b'\]\.overhead_s: -1.0 is not in",
        ),
        (lambda g: g.edges["a", "b"].update(group=3), TypeError, r"edges\['a', 'b'\]\.group: expected a str"),
    ],
)
def test_what_is_not_understood_is_refused(change, error, said):
    made = graph().to_networkx()
    change(made)
    with pytest.raises(error, match=said):
        network.from_networkx(made)


def test_other_attributes_and_other_graphs():
    made = graph().to_networkx()
    nx.set_node_attributes(made, (0.0, 1.0), "pos")
    assert links_of(network.from_networkx(made, ignore="pos")) == links_of(graph())
    with pytest.raises(TypeError, match="expected a Graph or DiGraph of networkx, got 3"):
        network.from_networkx(3)
    with pytest.raises(TypeError, match="multigraph"):
        network.from_networkx(nx.MultiDiGraph())
    with pytest.raises(ValueError, match=r"^rate_bps: -1.0 is not in \(0, inf\)"):
        network.from_networkx(made, rate_bps=-1.0, ignore=["pos", "rate_bps"])
    with pytest.raises(TypeError, match="rate_bps: expected a number, got None"):
        network.from_networkx(made, rate_bps=None, ignore="pos")


def test_a_timeline_as_a_table_of_links_and_times():
    pytest.importorskip("xarray")
    first = graph()
    later = network.Graph(first.nodes, from_=[0, 1], to=[2, 0], rate_bps=[5e9, 6e9], latency_s=[0.5, 0.6])
    found = network.Timeline([0.0, 60.0], [first, later], end_s=90.0).to_xarray()
    assert dict(found.sizes) == {"link": 5, "t_s": 2} and found.attrs == {"end_s": 90.0}
    pairs = list(zip(found["from"].values.tolist(), found.to.values.tolist()))
    rates = found.rate_bps.values
    assert rates[pairs.index(("a", "c"))].tolist() == [4e9, 5e9]
    assert np.isnan(rates[pairs.index(("a", "b"))]).tolist() == [False, True]
    assert found.latency_s.sel(t_s=60.0).values[pairs.index(("b", "a"))] == 0.6
    assert found.rate_bps.attrs == {"units": "bit/s"}


def test_a_table_that_would_fill_the_memory_is_refused(monkeypatch):
    pytest.importorskip("xarray")
    monkeypatch.setattr("constellm.network.exchange._MOST_CELLS", 3)
    with pytest.raises(ValueError, match="4 links at 1 times are more than 3 cells"):
        network.Timeline([0.0], [graph()]).to_xarray()


def test_a_contact_plan_with_names():
    pytest.importorskip("xarray")
    plan = network.ContactPlan(
        ["a", "b"], from_=[1, 0], to=[0, 1], open_s=[0.0, 5.0], close_s=[10.0, np.inf], rate_bps=1e6,
        epoch="2026-03-01T12:00:00Z",
    )  # fmt: skip
    found = plan.to_xarray()
    assert found["from"].values.tolist() == ["b", "a"] and found.attrs == {"epoch": "2026-03-01T12:00:00Z"}
    assert found.open_s.where(found.to == "a", drop=True).values.tolist() == [0.0]
    assert found.close_s.values.tolist() == [10.0, np.inf]
