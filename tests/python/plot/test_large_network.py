"""Networks of a constellation's size: few artists, groups and ends by name."""

from __future__ import annotations

import pytest

from constellm import network, plot, split
from constellm.codec import Codec
from constellm.model import Layer


@pytest.fixture(scope="module")
def problem():
    """Sixty satellites in a ring, over two ground stations."""
    figures = {"flop_per_s": 1e12, "memory_bytes": 2.0}
    net = network.ring(60, **figures, rate_bps=1e9)
    net = network.with_ground(net, at="s3", id="north", rate_bps=1e8)
    net = network.with_ground(net, at=["s30", "s31"], id="south", rate_bps=2e8)
    return split.Problem(
        network=net,
        source="s0",
        sink="north",
        layers=[Layer(name=f"l{i}", flop=1e9, memory_bytes=1.0, output_bytes=1e6) for i in range(4)],
        input_bytes=1e6,
        codecs=[Codec(name="none", ratio=1.0, error=0.0)],
    )


def test_one_artist_for_all_links_and_names_of_groups(problem):
    plan = split.solve(problem)
    axes = plot.plot_network(plan)
    lines, path = axes.collections[:2]
    assert len(lines.get_segments()) == 63 and len(path.get_segments()) == len(plan.path) - 1
    assert not axes.lines
    said = [text.get_text() for text in axes.texts]
    assert {"satellite: 60", "ground: 2"} <= set(said)
    assert any(text.startswith("s0\nsource") for text in said)
    assert any(text.startswith("north\nsink") for text in said)
    assert len(said) == 4 and axes.get_title(loc="left") == "62 nodes, 123 links"


def test_a_long_chain_turns_in_a_square(problem):
    chain = network.chain(100, flop_per_s=1e12, memory_bytes=8.0, rate_bps=1e9)
    axes = plot.plot_network(problem.replace(network=chain))
    low, high = axes.get_xlim()
    assert high - low < 11
    assert len(axes.texts) == 2
