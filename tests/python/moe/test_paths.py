"""Path latencies against networkx on the graphs of the slots, and the problems made of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from constellm import moe, orbit

SHELL = orbit.walker(
    "w", planes=5, satellites_per_plane=6, altitude_m=550e3, inclination_deg=87.0, phasing=2.0
)
TIMES = [0.0, 400.0, 1300.0, 2500.0]


def world(**more: object) -> orbit.Constellation:
    rule = orbit.plus_grid(**{"seam": "open", "grazing_altitude_m": -3e6, **more})
    return orbit.Constellation(SHELL, links=rule)


def least_latencies(world: orbit.Constellation, slot: int) -> dict[int, dict[int, float]]:
    """Between all nodes that reach each other, by networkx."""
    networkx = pytest.importorskip("networkx")
    graph = world.at(TIMES[slot], slot=slot).graph
    joined = networkx.DiGraph()
    joined.add_nodes_from(range(len(world.ids)))
    for start, end, latency_s in zip(graph.from_.tolist(), graph.to.tolist(), graph.latency_s.tolist()):
        joined.add_edge(start, end, weight=latency_s)
    return dict(networkx.all_pairs_dijkstra_path_length(joined))


def test_paths_are_those_of_networkx() -> None:
    sky = world(survival=0.6, seed=5, overhead_s=1e-3)
    gateways = ["w/2/0", "w/0/3", "w/4/4"]
    at = [sky.ids.index(id) for id in gateways]
    compute_s = np.random.default_rng(1).random((3, 30))
    found = moe.path_latencies(sky, gateways, TIMES, compute_s=compute_s, threads=2)
    assert found.shape == (3, 4, 30)
    cut = 0
    for slot in range(4):
        latency_s = least_latencies(sky, slot)
        for layer in range(3):
            for satellite in range(30):
                there = latency_s[at[layer]].get(satellite, math.nan)
                back = latency_s[satellite].get(at[(layer + 1) % 3], math.nan)
                expected = there + compute_s[layer, satellite] + back
                assert found[layer, slot, satellite] == pytest.approx(expected, rel=1e-12, nan_ok=True)
                cut += math.isnan(expected)
    assert 0 < cut < 180, "some are cut off, not all"


def test_one_layer_goes_there_and_back() -> None:
    sky = world()
    one = sky.latencies("w/2/2", TIMES).latency_s[:, 0]
    np.testing.assert_allclose(moe.path_latencies(sky, ["w/2/2"], TIMES)[0], 2.0 * one, rtol=1e-15)


def test_threads_change_nothing() -> None:
    sky = world(survival=0.7)
    one, two = (moe.path_latencies(sky, ["w/0/0", "w/3/3"], TIMES, threads=n) for n in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_no_times_are_refused() -> None:
    with pytest.raises(ValueError, match="^times: must not be empty$"):
        moe.path_latencies(world(), ["w/0/0"], [])
    with pytest.raises(ValueError, match=r"^gateways\[1\]: no node has id 'x'"):
        moe.path_latencies(world(), ["w/0/0", "x"], [0.0])


def test_slots_go_on_from_the_first() -> None:
    sky, gateways = world(survival=0.7), ["w/0/0", "w/3/3"]
    found = moe.path_latencies(sky, gateways, TIMES)
    later = moe.path_latencies(sky, gateways, TIMES[1:], slot=1)
    assert later.tobytes() == found[:, 1:].tobytes()
    given = {"weights": [[2.0, 1.0]] * 3, "top_k": 1}
    all_slots = moe.ring_problem(sky, moe.ring(SHELL, 3), TIMES, **given)
    late = moe.ring_problem(sky, moe.ring(SHELL, 3), TIMES[2:], **given, slot=2)
    for one, other in zip(all_slots.layers, late.layers):
        np.testing.assert_array_equal(one.latency_s[2:], other.latency_s)


def test_a_problem_has_the_satellites_of_the_subnets_and_no_gateway() -> None:
    sky = world(survival=0.8, seed=2)
    ring = moe.ring(SHELL, 3)
    weights = [[3.0, 2.0, 1.0], [1.0, 1.0], [5.0, 1.0, 1.0, 1.0]]
    problem = moe.ring_problem(
        sky, ring, TIMES, weights=weights, top_k=2, compute_s=0.5, base_s=0.25, unreachable_s=2.0, name="r"
    )
    assert problem.satellites == tuple(id for id in sky.satellite_ids if id not in ring.gateways)
    assert (problem.name, problem.top_k, problem.unreachable_s) == ("r", 2, None)
    assert problem.experts == (3, 2, 4) and {layer.base_s for layer in problem.layers} == {0.25}
    paths = moe.path_latencies(sky, ring.gateways, TIMES, compute_s=0.5)
    assert np.isnan(paths).any(), "some are cut off"
    paths[np.isnan(paths)] = 2.0
    for i, (layer, subnet) in enumerate(zip(problem.layers, ring.subnets)):
        for j, id in enumerate(problem.satellites):
            own = paths[i, :, sky.ids.index(id)] if id in subnet else np.full(4, math.nan)
            np.testing.assert_array_equal(layer.latency_s[:, j], own)


def test_only_cut_off_satellites_of_the_subnet_are_charged() -> None:
    """Those outside host nothing, however little an outage is charged."""
    sky = world(survival=0.5, seed=3)
    given = {"weights": [[1.0] * 9] * 3, "top_k": 2, "unreachable_s": 0.0}
    ring = moe.ring(SHELL, 3)
    for method in moe.METHODS:
        plan = moe.solve(moe.ring_problem(sky, ring, TIMES, **given), method=method)
        assert all(set(hosts) <= set(subnet) for hosts, subnet in zip(plan.placement, ring.subnets))
        assert len(plan.placement) == 3
    few = moe.Ring([subnet[:9] for subnet in ring.subnets], [subnet[0] for subnet in ring.subnets])
    assert moe.solve(moe.ring_problem(sky, few, TIMES, **given)).status == "infeasible"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"weights": [[1.0]]}, ValueError, "weights: of 1 layers, the ring has 2"),
        ({"compute_s": -1.0}, ValueError, r"compute_s: -1 is not in \[0, inf\)"),
        ({"compute_s": math.nan}, ValueError, r"compute_s: nan is not in \[0, inf\)"),
        ({"compute_s": [1.0, 2.0, 3.0]}, ValueError, r"compute_s: shape \(3,\) does not broadcast"),
        ({"ring": "ring"}, TypeError, "ring: expected a Ring"),
        ({"world": SHELL}, TypeError, "world: expected a Constellation"),
        (
            {"ring": moe.Ring([["w/0/0"], ["x"]], ["w/1/0", "w/1/1"])},
            ValueError,
            r"ring.subnets\[1\]\[0\]: no sat",
        ),
        (
            {"ring": moe.Ring([["w/0/0"], ["w/0/1"]], ["w/1/0", "x"])},
            ValueError,
            r"ring.gateways\[1\]: no sat",
        ),
        ({"times": [math.inf]}, ValueError, "times: inf is not a finite number"),
        ({"top_k": 3}, ValueError, r"top_k: 3 is not in \[1, 2\], the number of weights\[0\]"),
        ({"times": []}, ValueError, "times: must not be empty"),
        ({"weights": 5}, TypeError, "weights: expected those of each layer, got 5"),
        ({"weights": [[1.0], 5]}, TypeError, r"weights\[1\]: expected numbers of shape \(experts\), got 5"),
        ({"weights": [[1.0], []]}, TypeError, r"weights\[1\]: expected numbers of shape \(experts\), got \["),
        ({"weights": [[1.0], [2.0, -3.0]]}, ValueError, r"weights\[1\]\[1\]: -3 is not in \(0, inf\)"),
        (
            {"weights": np.ma.masked_greater([[1.0], [2.0]], 1.5)},
            TypeError,
            r"weights\[1\]: expected numbers, got masked ones",
        ),
        ({"weights": [[1.0], [math.nan]]}, ValueError, r"weights\[1\]\[0\]: nan is not in \(0, inf\)"),
        ({"unreachable_s": -1}, ValueError, r"unreachable_s: -1 is not in \[0, inf\)"),
    ],
)
def test_bad_problems_are_refused_with_fixed_gateways_and_chosen_ones(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    given = {
        "world": world(),
        "ring": moe.ring(SHELL, 2),
        "times": [0.0],
        "weights": [[2.0, 1.0]] * 2,
        "top_k": 1,
    }
    for make in (moe.ring_problem, moe.best_gateways):
        if make is moe.best_gateways and "x" in getattr(change.get("ring"), "gateways", ()):
            continue  # not of its subnet, which it says first
        with pytest.raises(error, match=message):
            make(**{**given, **change})
