"""Figures in the wrong unit are remarked on, once."""

from __future__ import annotations

import math
import warnings

import pytest

from constellm import codec, network, split
from constellm.core import plausible
from constellm.core.plausible import ImplausibleUnits, warn_implausible
from constellm.model import Layer


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(plausible, "_said", set())


def caught(field, values):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        warn_implausible(field, values)
    return [str(warning.message) for warning in found]


@pytest.mark.parametrize(
    ("field", "values", "words"),
    [
        ("rate_bps", [500.0], "rate_bps of 500 bit/s looks like another unit's; it is in bit/s"),
        ("flop_per_s", [2.0, 0.0], "flop_per_s of 2 FLOP/s looks"),
        ("memory_bytes", [8.0], "memory_bytes of 8 B looks"),
        ("latency_s", [20.0, 40.0], "latency_s of 20 s looks"),
    ],
)
def test_all_values_far_off_are_said_once(field, values, words):
    (message,) = caught(field, values)
    assert message.startswith(words)
    assert caught(field, values) == []


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("rate_bps", [500.0, 1e9]),
        ("flop_per_s", [0.0]),
        ("memory_bytes", [math.inf]),
        ("latency_s", [0.0, 0.01]),
        ("power_w", [1e-9]),
    ],
)
def test_one_that_may_be_meant_is_enough(field, values):
    assert caught(field, values) == []


NODES = [network.Node(id=name, flop_per_s=2, memory_bytes=8e9) for name in "ab"]
LINKS = [network.link("a", "b", rate_bps=500)]
GOOD = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9)
PROBLEM = split.Problem(
    name="p",
    network=GOOD,
    layers=[Layer(name="l", flop=1e9, memory_bytes=1e6, output_bytes=1e3)],
    codecs=codec.none(),
    input_bytes=1e3,
    micro_batches=1,
)
DOORS = {
    "chain": lambda: network.chain(2, flop_per_s=2, memory_bytes=8e9, rate_bps=500),
    "ring": lambda: network.ring(3, flop_per_s=2, memory_bytes=8e9, rate_bps=500),
    "network": lambda: network.Network(nodes=NODES, links=LINKS),
    "network changed": lambda: GOOD.replace(
        nodes=[node.replace(flop_per_s=2) for node in GOOD.nodes],
        links=[link.replace(rate_bps=500) for link in GOOD.links],
    ),
    "graph": lambda: network.Graph(NODES, from_=[0], to=[1], rate_bps=500),
    "problem": lambda: PROBLEM.replace(nodes=NODES, links=LINKS, source="a", sink="b"),
}


def remarks(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    assert all(warning.category is ImplausibleUnits for warning in found)
    assert all(warning.filename == __file__ for warning in found), "where the user is"
    return [str(warning.message).partition(" of ")[0] for warning in found]


@pytest.mark.parametrize("door", DOORS)
def test_networks_are_looked_at_where_they_are_made(door):
    assert remarks(DOORS[door]) == ["flop_per_s", "rate_bps"]
    assert remarks(DOORS[door]) == []


def test_a_graph_with_other_figures_is_looked_at():
    graph = network.Graph.from_network(GOOD)
    assert remarks(lambda: graph.replace(rate_bps=1.5e9)) == []
    assert remarks(lambda: graph.replace(latency_s=20.0)) == ["latency_s"]


def test_links_to_the_ground_are_looked_at_beside_good_ones():
    assert remarks(lambda: network.with_ground(GOOD, at="s1", rate_bps=0.8)) == ["rate_bps"]


def test_memory_bandwidth_is_looked_at():
    decode = [[1e6, 1e6, 1e3]]
    given = {"decode": decode, "new_tokens": 2, "memory_bandwidth_bytes_per_s": 2.0}
    assert remarks(lambda: split.GenerationProblem(PROBLEM, **given)) == ["memory_bandwidth_bytes_per_s"]


def test_a_node_alone_says_nothing_for_others_may_speak_for_its_unit():
    slow = network.Node(id="slow", flop_per_s=2, memory_bytes=8e9)
    assert remarks(lambda: slow.replace(flop_per_s=3)) == []
    assert remarks(lambda: GOOD.replace(nodes=[*GOOD.nodes, slow])) == []


def test_where_warnings_are_errors_nothing_is_made():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImplausibleUnits, match="flop_per_s of 2 FLOP/s"):
            DOORS["network"]()
