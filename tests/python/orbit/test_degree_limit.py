"""All in sight under a degree limit, against networkx and against a linear programme."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from constellm import orbit


def pairs_of(graph):
    return sorted((a, b) for a, b in zip(graph.from_.tolist(), graph.to.tolist()) if a < b)


def most_by_networkx(pairs, most):
    """Pairs of a largest choice, by Tutte's gadget: a matching has one edge a pair, and one more a choice."""
    gadget = nx.Graph()
    for p, pair in enumerate(pairs):
        gadget.add_edge(("end", p, 0), ("end", p, 1))
        for side, node in enumerate(pair):
            gadget.add_edges_from((("end", p, side), ("port", node, i)) for i in range(most))
    return len(nx.max_weight_matching(gadget, maxcardinality=True)) - len(pairs)


def world(most, seed, **more):
    random = np.random.default_rng(seed)
    shell = orbit.walker(
        "a",
        planes=int(random.integers(2, 5)),
        satellites_per_plane=int(random.integers(2, 6)),
        altitude_m=float(random.uniform(5e5, 2e6)),
        inclination_deg=float(random.uniform(20, 100)),
        phasing=float(random.uniform(0, 2)),
    )
    rule = orbit.LinkRule(pattern="all", max_links=most, max_range_m=float(random.uniform(4e6, 1e7)), **more)
    return orbit.Constellation(shell, links=rule)


@pytest.mark.parametrize("seed", range(25))
def test_there_are_as_many_links_as_can_be(seed):
    for most in (1, 2, 3):
        made = world(most, seed)
        chosen = pairs_of(made.at(0.0).graph)
        every = pairs_of(made.replace(links=made.links[0].replace(max_links=None)).at(0.0).graph)
        assert set(chosen) <= set(every)
        assert np.bincount(np.ravel(chosen).astype(int), minlength=1).max(initial=0) <= most
        assert len(chosen) == most_by_networkx(every, most)


def test_a_shell_of_1584_satellites_reaches_the_bound_of_the_linear_programme():
    rule = orbit.LinkRule(pattern="all", max_links=4, max_range_m=1.5e6)
    made = orbit.Constellation(orbit.preset("starlink-550"), links=rule)
    chosen = pairs_of(made.at(0.0).graph)
    every = np.array(pairs_of(made.replace(links=rule.replace(max_links=None)).at(0.0).graph))
    ends = csr_array(
        (np.ones(every.size), (every.ravel(), np.repeat(np.arange(len(every)), 2))), (1584, len(every))
    )
    most = linprog(-np.ones(len(every)), A_ub=ends, b_ub=np.full(1584, 4.0), bounds=(0, 1))
    assert len(chosen) == int(np.floor(-most.fun + 1e-6)) == 3168
    lengths = made.at(0.0).graph.latency_s
    assert lengths.mean() < made.replace(links=rule.replace(max_links=None)).at(0.0).graph.latency_s.mean()


def test_a_limit_is_for_all_in_sight_at_an_instant():
    with pytest.raises(
        ValueError, match="max_links: means nothing for the pattern 'nearest', only for 'all'"
    ):
        orbit.nearest(4, max_links=2)
    with pytest.raises(ValueError, match=r"max_links: 0 is not in \[1, 100000\]"):
        orbit.LinkRule(pattern="all", max_links=0)
    made = world(2, 0)
    with pytest.raises(
        ValueError, match=r"links\[0\].max_links: 2 is a choice among the links of an instant"
    ):
        made.windows(0.0, 60.0)
    with pytest.raises(ValueError, match=r"links\[0\].pattern: 'all' is in no rule"):
        orbit.save_constellation(made, "never.json")
    assert made.at(0.0).graph.link_count > 0 and made.timeline(0.0, 60.0, 30.0) is not None
