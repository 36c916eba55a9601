"""Chains, rings and ground stations from scalars and arrays."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import network

FIGURES = {"flop_per_s": 1e12, "memory_bytes": 8e9, "rate_bps": 0.5e9}


def ends(net):
    return [(link.from_, link.to) for link in net.links]


def test_chain_of_arrays():
    net = network.chain(
        3,
        flop_per_s=np.array([1e12, 2e12, 3e12]),
        memory_bytes=8e9,
        rate_bps=[1e9, 2e9],
        latency_s=0.01,
        link_overhead_s=[0.001, 0.002],
        node_overhead_s=[0.1, 0.2, 0.3],
        power_w=[15, 30, 50],
        tx_power_w=2,
        codec_time_scale=[1, 2, 3],
    )
    assert [node.id for node in net.nodes] == ["s0", "s1", "s2"]
    assert [node.flop_per_s for node in net.nodes] == [1e12, 2e12, 3e12]
    assert [node.overhead_s for node in net.nodes] == [0.1, 0.2, 0.3]
    assert [node.power_w for node in net.nodes] == [15, 30, 50]
    assert [node.tx_power_w for node in net.nodes] == [2, 2, 2]
    assert [node.codec_time_scale for node in net.nodes] == [1, 2, 3]
    assert [node.group for node in net.nodes] == ["satellite"] * 3
    assert ends(net) == [("s0", "s1"), ("s1", "s2")]
    assert [link.rate_bps for link in net.links] == [1e9, 2e9]
    assert [link.latency_s for link in net.links] == [0.01, 0.01]
    assert [link.overhead_s for link in net.links] == [0.001, 0.002]
    assert [link.group for link in net.links] == ["isl", "isl"]
    assert (net.source, net.sink) == ("s0", "s2")


def test_chain_two_way_mirrors_every_link():
    net = network.chain(3, **{**FIGURES, "rate_bps": [1e9, 2e9]}, two_way=True, link_group=["a", "b"])
    assert ends(net) == [("s0", "s1"), ("s1", "s2"), ("s1", "s0"), ("s2", "s1")]
    assert [link.rate_bps for link in net.links] == [1e9, 2e9, 1e9, 2e9]
    assert [link.group for link in net.links] == ["a", "b", "a", "b"]


def test_chain_of_one_has_no_links():
    net = network.chain(1, **FIGURES)
    assert (len(net.nodes), net.links, net.source, net.sink) == (1, (), "s0", "s0")


def test_names_and_groups():
    net = network.chain(2, **FIGURES, ids=["alpha", "beta"], node_group=["eo", None], link_group=None)
    assert [(node.id, node.group) for node in net.nodes] == [("alpha", "eo"), ("beta", None)]
    assert net.links[0].group is None


def test_ring_closes_both_ways():
    net = network.ring(4, **{**FIGURES, "rate_bps": [1, 2, 3, 4]})
    rates = {pair: link.rate_bps for pair, link in zip(ends(net), net.links)}
    assert rates == {
        ("s0", "s1"): 1,
        ("s1", "s2"): 2,
        ("s2", "s3"): 3,
        ("s3", "s0"): 4,
        ("s1", "s0"): 1,
        ("s2", "s1"): 2,
        ("s3", "s2"): 3,
        ("s0", "s3"): 4,
    }
    assert (net.source, net.sink) == ("s0", "s3")
    assert network.ring(4, **FIGURES, sink="s2").sink == "s2"


def test_with_ground():
    orbit = network.ring(5, **FIGURES)
    net = network.with_ground(
        orbit,
        at=["s2", "s3"],
        rate_bps=[1e8, 2e8],
        latency_s=0.002,
        flop_per_s=1e13,
        memory_bytes=12e9,
        power_w=285,
    )
    ground = net.nodes[-1]
    assert (ground.id, ground.group, ground.flop_per_s, ground.memory_bytes, ground.power_w) == (
        "ground",
        "ground",
        1e13,
        12e9,
        285,
    )
    assert ends(net)[-2:] == [("s2", "ground"), ("s3", "ground")]
    assert [(link.rate_bps, link.latency_s, link.group) for link in net.links[-2:]] == [
        (1e8, 0.002, "s2g"),
        (2e8, 0.002, "s2g"),
    ]
    assert (net.source, net.sink) == ("s0", "ground")
    assert len(orbit.nodes) == 5 and orbit.sink == "s4", "the network given is left as it was"
    relay = network.with_ground(orbit, at="s2", rate_bps=1e8).nodes[-1]
    assert relay.flop_per_s == 0 and relay.memory_bytes == 0


def test_link_names_its_sender():
    one = network.link("a", "b", rate_bps=1e6, latency_s=0.1, overhead_s=0.2, group="g")
    assert one.to_dict() == {
        "from": "a",
        "to": "b",
        "rate_bps": 1e6,
        "latency_s": 0.1,
        "overhead_s": 0.2,
        "group": "g",
    }


@given(n=st.integers(3, 12), rate=st.floats(1e3, 1e12), two_way=st.booleans())
def test_counts_and_pickle(n, rate, two_way):
    chain = network.chain(n, flop_per_s=1e12, memory_bytes=1e9, rate_bps=rate, two_way=two_way)
    ring = network.ring(n, flop_per_s=1e12, memory_bytes=1e9, rate_bps=rate)
    assert len(chain.links) == (n - 1) * (2 if two_way else 1)
    assert len(ring.links) == len(set(ends(ring))) == 2 * n
    assert pickle.loads(pickle.dumps(ring)) == ring
    assert chain == network.chain(
        n, flop_per_s=[1e12] * n, memory_bytes=[1e9] * n, rate_bps=[rate] * (n - 1), two_way=two_way
    )


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (
            {"flop_per_s": [1e12, 2e12]},
            ValueError,
            r"flop_per_s: expected a scalar or shape \(3,\), got shape \(2,\)",
        ),
        ({"rate_bps": [1e9] * 3}, ValueError, r"rate_bps: expected a scalar or shape \(2,\)"),
        ({"memory_bytes": np.ones((3, 1))}, ValueError, r"memory_bytes: .* got shape \(3, 1\)"),
        ({"memory_bytes": [1, [2, 3], 4]}, ValueError, r"memory_bytes: expected a scalar or shape \(3,\)"),
        ({"rate_bps": [1e9, 0.0]}, ValueError, r"links\[1\]\.rate_bps: 0 is not in \(0, inf\)"),
        ({"flop_per_s": [1, math.nan, 1]}, ValueError, r"nodes\[1\]\.flop_per_s: nan"),
        ({"memory_bytes": -1}, ValueError, r"nodes\[0\]\.memory_bytes: -1"),
        ({"latency_s": math.inf}, ValueError, r"links\[0\]\.latency_s: inf"),
        ({"power_w": ["a", "b", "c"]}, TypeError, r"nodes\[0\]\.power_w: expected a number"),
        ({"flop_per_s": [True, True, True]}, TypeError, r"nodes\[0\]\.flop_per_s: expected a number"),
        ({"ids": ["a", "b"]}, ValueError, r"ids: expected 3 names"),
        ({"ids": "abc"}, ValueError, r"ids: expected 3 names"),
        ({"ids": ["a", "b", "a"]}, ValueError, r"nodes\[2\]\.id: 'a' is used"),
        ({"node_group": ["a"]}, ValueError, r"node_group: expected one name or 3"),
        ({"speed": 1}, TypeError, r"speed"),
    ],
)
def test_bad_figures(change, error, says):
    with pytest.raises(error, match=says):
        network.chain(3, **{**FIGURES, **change})


def test_bad_counts_and_names():
    with pytest.raises(ValueError, match=r"n: 0 is not in \[1, inf\)"):
        network.chain(0, **FIGURES)
    with pytest.raises(ValueError, match=r"n: 2 is not in \[3, inf\)"):
        network.ring(2, **FIGURES)
    with pytest.raises(TypeError, match="n: expected an integer, got 2.5"):
        network.chain(2.5, **FIGURES)
    orbit = network.chain(3, **FIGURES)
    with pytest.raises(ValueError, match=r"at\[0\]: no node has id 's9'"):
        network.with_ground(orbit, at="s9", rate_bps=1e8)
    with pytest.raises(ValueError, match="at: names no satellite"):
        network.with_ground(orbit, at=[], rate_bps=1e8)
    with pytest.raises(ValueError, match="'s1' is used by another node"):
        network.with_ground(orbit, at="s2", rate_bps=1e8, id="s1")
    with pytest.raises(ValueError, match="second link from 's2' to 'ground'"):
        network.with_ground(orbit, at=["s2", "s2"], rate_bps=1e8)
