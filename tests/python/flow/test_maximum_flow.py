"""Maximum flows against networkx, and what is refused. Cuts by enumeration are in the tests of the core."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import flow


def test_networkx_finds_the_same(random_problems):
    networkx = pytest.importorskip("networkx")
    rng = np.random.default_rng(3)
    for _ in range(min(random_problems, 300)):
        nodes = int(rng.integers(2, 30))
        ends = rng.integers(0, nodes, (2, int(rng.integers(1, 120))))
        capacity = rng.integers(0, 10 ** int(rng.integers(1, 15)), ends.shape[1])
        graph = networkx.DiGraph()
        graph.add_nodes_from(range(nodes))
        for a, b, most in zip(*ends.tolist(), capacity.tolist()):
            known = graph.get_edge_data(a, b, {"capacity": 0})["capacity"]
            graph.add_edge(a, b, capacity=known + most)
        value = networkx.maximum_flow_value(graph, 0, nodes - 1)
        assert flow.maximum_flow(*ends, capacity, 0, nodes - 1).value == value


def test_capacities_of_sixty_bits_are_whole():
    most = 2**61 - 1
    found = flow.maximum_flow([0, 1], [1, 2], [most, most - 3], 0, 2)
    assert (found.value, found.flow.tolist()) == (most - 3, [most - 3] * 2)
    assert found.flow.dtype == np.int64
    assert found.on_source_side.dtype == np.bool_


def test_nothing_to_flow_through():
    found = flow.maximum_flow([], [], [], 0, 1)
    assert (found.value, found.flow.tolist(), found.on_source_side.tolist()) == (0, [], [True, False])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [1], [-1], 0, 1), r"capacity\[0\]: -1 is not in \[0, 4611686018427387904\)"),
        (([0, 0], [1, 1], [2**61, 2**61], 0, 1), r"capacity\[1\]: .*: all add up to less than 2\^62"),
        (([0], [1], np.array([2**63], np.uint64), 0, 1), "capacity: 9223372036854775808 is not below"),
        (([0], [1, 2], [1], 0, 1), "from_, to, capacity: 1, 2 and 1 entries are not as many"),
        (([-1], [1], [1], 0, 1), r"from_\[0\]: -1 is not in"),
        (([0], [1], [1], 0, 0), "target: 0 is the source"),
        (([0], [1], [1], -1, 0), "source: -1 is not in"),
        (([0], [1], [1], 0, 2**40), "target: 1099511627776 is not in"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        flow.maximum_flow(*arguments)


def test_only_integers_are_taken():
    with pytest.raises(TypeError, match="capacity: expected integers"):
        flow.maximum_flow([0], [1], [1.5], 0, 1)
    with pytest.raises(TypeError, match="source: expected an integer"):
        flow.maximum_flow([0], [1], [1], 0.0, 1)
