"""Gateways chosen together with experts: against every ring on small constellations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from constellm import moe, orbit


@pytest.fixture(scope="module")
def shell() -> orbit.Shell:
    return orbit.walker("w", planes=4, satellites_per_plane=6, altitude_m=800e3, inclination_deg=80.0)


@pytest.fixture(scope="module")
def world(shell) -> orbit.Constellation:
    return orbit.Constellation(shell, links=orbit.plus_grid(seam="open", survival=0.9, seed=3))


TIMES = [0.0, 600.0, 1200.0]
WEIGHTS = [[5, 3, 2], [2, 2, 1], [9, 3, 1]]


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_as_good_as_the_best_of_all_rings(shell, world, top_k) -> None:
    subnets = [subnet[:4] for subnet in moe.ring(shell, 3).subnets]
    ring = moe.Ring(subnets, [subnet[0] for subnet in subnets])
    compute_s = np.linspace(0.0, 0.01, 24)
    keywords = {"weights": WEIGHTS, "top_k": top_k, "unreachable_s": 0.3, "compute_s": compute_s}
    found = moe.best_gateways(world, ring, TIMES, **keywords)
    best = {}
    for gateways in itertools.product(*subnets):
        problem = moe.ring_problem(world, moe.Ring(subnets, gateways), TIMES, **keywords)
        best[gateways] = moe.solve(problem).token_latency_s
    least = min(best.values())
    assert found.lower_bound_s <= least * (1 + 1e-12)
    assert least <= found.token_latency_s * (1 + 1e-12)
    assert found.token_latency_s == pytest.approx(least, rel=2e-2 if top_k == 3 else 1e-9)
    assert best[found.ring.gateways] <= found.token_latency_s * (1 + 1e-12)
    assert found.fixed_s == pytest.approx(best[ring.gateways], rel=2e-2)
    assert found.gap == pytest.approx(1 - found.lower_bound_s / found.token_latency_s)
    again = moe.best_gateways(world, ring, TIMES, **keywords, threads=2)
    assert again.ring == found.ring and again.token_latency_s == found.token_latency_s
    assert "gateway" in found.summary() and found.ring.gateways[0] in found._repr_html_()


def test_outages_are_those_of_the_problem() -> None:
    """Many slots of a large constellation, whose latencies are found a subnet at a time."""
    shell = orbit.preset("space-xnet")
    world = orbit.Constellation(shell, links=orbit.plus_grid(seam="open", survival=0.9))
    given = {"weights": moe.lognormal_weights(8, 0.3, layers=32), "top_k": 2, "unreachable_s": 0.3}
    times = 10.0 * np.arange(20)
    found = moe.best_gateways(world, moe.ring(shell, 32), times, **given, threads=2)
    problem = moe.ring_problem(world, found.ring, times, **given)
    latency_s = moe.solve(problem, method="sorted").token_latency_s
    assert found.lower_bound_s * (1 - 1e-12) <= latency_s <= found.token_latency_s * 1.01


@pytest.mark.parametrize("method", ["optimal", "sorted"])
def test_the_bound_holds_where_the_outside_is_nearer(shell, method) -> None:
    """Short subnets over many outages: satellites of the others would cost less, and host nothing."""
    world = orbit.Constellation(shell, links=orbit.plus_grid(seam="open", survival=0.6, seed=1))
    subnets = [subnet[:4] for subnet in moe.ring(shell, 3).subnets]
    given = {"weights": WEIGHTS, "top_k": 2, "unreachable_s": 0.3}
    found = moe.best_gateways(world, moe.Ring(subnets, [s[0] for s in subnets]), TIMES, **given)
    for gateways in itertools.product(*subnets):
        problem = moe.ring_problem(world, moe.Ring(subnets, gateways), TIMES, **given)
        plan = moe.solve(problem, method=method)
        assert plan.token_latency_s >= found.lower_bound_s * (1 - 1e-12)
        assert all(set(hosts) <= set(subnet) for hosts, subnet in zip(plan.placement, subnets))


def test_where_no_ring_can_be_placed(shell, world) -> None:
    subnets = [subnet[:3] for subnet in moe.ring(shell, 3).subnets]
    ring = moe.Ring(subnets, [subnet[0] for subnet in subnets])
    found = moe.best_gateways(world, ring, TIMES, weights=WEIGHTS, top_k=2)
    assert found.token_latency_s == np.inf and found.ring == ring and found.gap == 0


def test_what_is_refused(shell, world) -> None:
    ring = moe.ring(shell, 3)
    keywords = {"weights": WEIGHTS, "top_k": 2}
    with pytest.raises(ValueError, match=r"weights: of 2 layers, the ring has 3"):
        moe.best_gateways(world, ring, TIMES, weights=WEIGHTS[:2], top_k=2)
    with pytest.raises(ValueError, match=r"ring.gateways\[0\]: 'w/0/5' is not in subnet 0"):
        moe.best_gateways(world, moe.Ring(ring.subnets, ["w/0/5", "w/0/2", "w/0/4"]), TIMES, **keywords)
    overlapping = moe.Ring([ring.subnets[0]] * 2 + [ring.subnets[2]], ring.gateways)
    with pytest.raises(ValueError, match=r"ring.subnets: 'w/0/0' is in two of them"):
        moe.best_gateways(world, overlapping, TIMES, **keywords)
    elsewhere = moe.Ring([["x"], *ring.subnets[1:]], ["x", *ring.gateways[1:]])
    with pytest.raises(ValueError, match=r"ring.subnets\[0\]\[0\]: no satellite of the world has id 'x'"):
        moe.best_gateways(world, elsewhere, TIMES, **keywords)
    with pytest.raises(ValueError, match=r"top_k: 4 is not in \[1, 3\]"):
        moe.best_gateways(world, ring, TIMES, weights=WEIGHTS, top_k=4)
    with pytest.raises(ValueError, match=r"unreachable_s: -1 is not in \[0, inf\)"):
        moe.best_gateways(world, ring, TIMES, **keywords, unreachable_s=-1)
