"""A problem at many instants: each cell is the problem of its snapshot, and plans live as their links do."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from constellm import codec, model, network, orbit, split
from constellm.split.instants import solve_grid

INSTANTS = [0.0, 120.0, 480.0]
STATIONS = [
    orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.2),
    orbit.station("Chandler", 33.3, -111.8, min_elevation_deg=8.2),
]


@pytest.fixture(scope="module")
def world() -> orbit.Constellation:
    return orbit.Constellation(
        orbit.preset("iridium-next"),
        stations=STATIONS,
        links=[orbit.plus_grid(seam="open", max_latitude_deg=60), orbit.ground()],
        computers={"flop_per_s": 1e12, "memory_bytes": 2e8},
    )


@pytest.fixture(scope="module")
def problem(world: orbit.Constellation) -> split.Problem:
    return split.Problem(
        model=model.vit("vit-base/16", image_px=224),
        network=world.at(0.0),
        source="iridium-next/0/0",
        sink="Svalbard",
        codecs=codec.none(),
        micro_batches=1,
    )


def values(found, name: str) -> np.ndarray:
    return np.asarray(found[name])


def test_every_cell_is_the_problem_of_its_snapshot(world, problem) -> None:
    found = split.over_time(problem, world, INSTANTS, horizon_s=900.0, answers=True)
    assert values(found, "t_s").tolist() == INSTANTS
    windows = world.windows(0.0, 2000.0)
    ids = world.ids
    for i, t_s in enumerate(INSTANTS):
        alone = split.solve(problem.replace(network=world.at(t_s, ends="Svalbard")))
        plan = values(found, "plan")[i]
        assert plan == alone or (plan.path, plan.delay_s) == (alone.path, alone.delay_s)
        assert values(found, "delay_s")[i] == alone.delay_s
        assert "Chandler" not in plan.path
        closes = []
        for a, b in zip(plan.path, plan.path[1:]):
            pair = (windows.from_ == ids.index(a)) & (windows.to == ids.index(b))
            (close_s,) = windows.close_s[pair & (windows.open_s <= t_s) & (t_s < windows.close_s)]
            closes.append(close_s if close_s < 2000.0 else np.inf)
        lives_s = min(closes) - t_s
        assert values(found, "lifetime_s")[i] == pytest.approx(
            lives_s if lives_s <= 900.0 else np.inf, abs=2e-3
        )


def test_axes_stand_after_the_instants_and_methods_last(world, problem) -> None:
    axes = {"nodes[iridium-next].flop_per_s *": [0.5, 1.0]}
    found = split.over_time(problem, world, INSTANTS[:2], axes, method=["optimal", "uniform"])
    assert values(found, "delay_s").shape == (2, 2, 2)
    assert "lifetime_s" not in found.variables
    slow, fast = values(found, "delay_s")[:, 0, 0], values(found, "delay_s")[:, 1, 0]
    assert (slow > fast).all()


def test_more_instants_than_are_held_at_once_make_one_result(world, problem, monkeypatch) -> None:
    whole = split.over_time(problem, world, INSTANTS, horizon_s=300.0)
    monkeypatch.setattr("constellm.split.instants._AT_ONCE", 2)
    parts = split.over_time(problem, world, INSTANTS, horizon_s=300.0)
    for name in ("delay_s", "lifetime_s", "status", "t_s"):
        assert np.array_equal(values(whole, name), values(parts, name))


def test_links_that_survive_by_chance_are_drawn_for_every_instant(world, problem, monkeypatch) -> None:
    chancy = world.replace(links=[rule.replace(survival=0.7, seed=1) for rule in world.links])
    monkeypatch.setattr("constellm.split.instants._AT_ONCE", 2)
    found = split.over_time(problem, chancy, INSTANTS, answers=True)  # without a horizon
    assert "lifetime_s" not in found.variables
    plans = values(found, "plan")

    def alone(t_s: float, slot: int):
        return split.solve(problem.replace(network=chancy.at(t_s, ends="Svalbard", slot=slot)))

    assert [plan.path for plan in plans] == [alone(t_s, i).path for i, t_s in enumerate(INSTANTS)]
    assert any(plan.path != alone(t_s, 0).path for plan, t_s in zip(plans, INSTANTS))


def test_an_executor_gives_the_same(world, problem) -> None:
    here = split.over_time(problem, world, INSTANTS, horizon_s=300.0)
    with ThreadPoolExecutor(2) as pool:
        there = split.over_time(problem, world, INSTANTS, horizon_s=300.0, executor=pool)
    for name in ("delay_s", "lifetime_s", "status"):
        assert np.array_equal(values(here, name), values(there, name))
    with pytest.raises(TypeError, match="threads: given together with an executor"):
        split.over_time(problem, world, INSTANTS, executor=pool, threads=2)


def test_ctrl_c_leaves_the_rest_as_interrupted(world, problem, monkeypatch) -> None:
    monkeypatch.setattr("constellm.split.instants._AT_ONCE", 1)
    calls = []

    def stopped(grid, *args, **kwargs):
        calls.append(grid)
        part = solve_grid(grid, *args, **kwargs)
        if len(calls) == 2:
            part.variables["status"] = np.full(part.shape, "interrupted")
        return part

    monkeypatch.setattr("constellm.split.instants.solve_grid", stopped)
    found = split.over_time(problem, world, [*INSTANTS, 600.0], horizon_s=300.0, answers=True)
    assert len(calls) == 2
    assert values(found, "status").tolist() == ["optimal", *["interrupted"] * 3]
    assert np.isnan(values(found, "delay_s")[2:]).all() and np.isnan(values(found, "lifetime_s")[2:]).all()


def test_a_timeline_knows_how_long_links_live() -> None:
    nodes = [network.Node(id=id, flop_per_s=1e12, memory_bytes=1e9) for id in "abc"]
    table = network.Nodes(nodes)
    near = network.Graph(table, from_=[0, 1, 0], to=[1, 2, 2], rate_bps=1e9, latency_s=[0.01, 0.01, 0.05])
    far = network.Graph(table, from_=[0, 1], to=[1, 2], rate_bps=1e9, latency_s=[0.01, 0.01])
    line = network.Timeline([0.0, 60.0, 90.0], [near, near, far], end_s=200.0)
    profile = model.from_arrays(flop=[1e9], memory_bytes=[1.0], output_bytes=[1.0], input_bytes=1e3)
    problem = split.Problem(model=profile, network=near, source="a", sink="c", codecs=codec.none())
    found = split.over_time(problem, line, [10.0, 95.0], answers=True)
    assert [plan.path for plan in values(found, "plan")] == [["a", "b", "c"]] * 2
    assert values(found, "lifetime_s").tolist() == [np.inf, np.inf]  # cut off by the end of the timeline
    with pytest.raises(TypeError, match="times: expected seconds, as of the timeline, got '2026"):
        split.over_time(problem, line, "2026-03-01")
    direct = problem.replace(network=far)  # only there a and c have no link
    slow = network.Timeline([0.0, 60.0], [near.replace(latency_s=[0.1, 0.1, 0.05]), far], end_s=90.0)
    found = split.over_time(direct, slow, [10.0])
    assert values(found, "lifetime_s").tolist() == [50.0]


def test_lifetimes_of_paths() -> None:
    graph = network.Graph(["a", "b", "c"], from_=[0, 1], to=[1, 2], rate_bps=1e9, latency_s=0.01)
    snapshot = network.Snapshot(5.0, graph, lifetime_s=[60.0, 25.0])
    assert network.path_lifetime_s(snapshot, ["a", "b"]) == 60.0
    assert network.path_lifetime_s(snapshot, [0, 1, 2]) == 25.0
    assert network.path_lifetime_s(snapshot, ["b"]) == np.inf
    with pytest.raises(ValueError, match=r"path\[1\]: there is no link from 'b' to 'a'"):
        network.path_lifetime_s(snapshot, ["a", "b", "a"])
    with pytest.raises(ValueError, match=r"snapshot: it does not know how long its links live"):
        network.path_lifetime_s(network.Snapshot(5.0, graph), ["a", "b"])


def test_where_there_is_no_plan_nothing_lives(world, problem) -> None:
    found = split.over_time(
        problem.replace(max_error=0.0), world.replace(links=orbit.plus_grid()), [0.0], horizon_s=60.0
    )
    assert values(found, "status").tolist() == ["infeasible"]
    assert np.isnan(values(found, "lifetime_s")).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"times": []}, ValueError, r"times: expected shape \(times,\), at least one, got \(0,\)"),
        ({"times": 5.0}, ValueError, r"times: expected shape \(times,\), at least one, got \(\)"),
        ({"times": [1.0, 2.0, 1.0]}, ValueError, r"times: 1 s is given twice"),
        ({"times": [float("nan")]}, ValueError, r"times: nan is not a finite number"),
        ({"axes": {"t_s": [1.0]}}, ValueError, r"axes: 't_s' is the axis of the instants"),
        ({"horizon_s": 0}, ValueError, r"horizon_s: 0.* is not in \(0, inf\)"),
        ({"threads": 0}, ValueError, r"threads: 0 is not in \[1, 1024\]"),
        ({"network": "sky"}, TypeError, r"network: expected a Constellation or a Timeline, got 'sky'"),
        ({"problem": None}, TypeError, r"problem: expected a Problem, got None"),
        ({"time_limit_s": -1}, ValueError, r"time_limit_s: -1.* is not in \[0, inf\]"),
        ({"method": "best"}, ValueError, r"best"),
    ],
)
def test_refusals(world, problem, arguments, error, message) -> None:
    given = {"problem": problem, "network": world, "times": INSTANTS, **arguments}
    with pytest.raises(error, match=message):
        split.over_time(**given)


def test_a_source_that_is_not_there_is_named(world, problem) -> None:
    other = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
    with pytest.raises(ValueError, match="no satellite or station has id 'iridium-next/0/0'"):
        split.over_time(problem, other, [0.0])


def test_a_shell_of_1584_satellites_is_never_without_a_plan() -> None:
    world = orbit.Constellation(
        orbit.preset("starlink-550"),
        stations=orbit.station("Munich", 48.1, 11.6),
        links=[orbit.plus_grid(rate_bps=2.5e9), orbit.ground(rate_bps=0.8e9)],
    )
    speeds = random.Random(5)
    computers = {
        id: {"flop_per_s": 4e13 * speeds.uniform(0.5, 2.0), "memory_bytes": 8e9} for id in world.satellite_ids
    }
    snapshot = world.replace(computers=computers).at(300.0)
    graph = snapshot.graph
    overhead = graph.nodes[int(graph.to[graph.from_ == len(graph.nodes) - 1][0])].id
    passes = model.generation("llama-3-70b", prompt_tokens=512, new_tokens=128, chunks=8)
    for source in ("starlink-550/3/7", overhead):
        problem = split.Problem(
            model=passes.prefill,
            network=snapshot,
            source=source,
            sink="Munich",
            codecs=codec.none(),
            micro_batches=8,
        )
        plan = split.solve(problem, time_limit_s=4.0)
        assert len(plan.stages) >= 19  # what memories of 8 GB force
        assert 0.0 < plan.lower_bound_s <= plan.delay_s
