"""The quickest transfer: closed forms, certificates, limits of time, Ctrl-C, a constellation."""

from __future__ import annotations

import math
import os
import signal
import threading

import numpy as np
import pytest

from constellm import flow, network, orbit
from oracles.random_transfers import random_transfer


def contacts_of(nodes, rows):
    """Rows of from, to, open_s, close_s, rate_bps."""
    columns = dict(zip(("from_", "to", "open_s", "close_s", "rate_bps"), map(list, zip(*rows))))
    return network.ContactPlan(nodes, **columns)


def crossing_bytes(problem, cut, by_s):
    """What can cross a cut by a moment: the formula of the documentation, in a few lines of numpy."""
    contacts, inside = problem.contacts, cut.source_side
    sinks = np.isin([node.id for node in contacts.nodes], problem.sinks)
    supply = np.where(sinks, 0.0, problem.supply_bytes)
    total = supply[~inside[0]].sum()
    for before, after in zip(inside, inside[1:]):
        total += problem.storage_bytes[before & ~after].sum()
    if not problem.sinks and inside[-1].any():
        over = supply.sum() - problem.demand_bytes.sum()
        kept = np.minimum(problem.storage_bytes, problem.demand_bytes)[inside[-1]].sum()
        total += min(problem.storage_bytes[inside[-1]].sum(), over + kept)
    ends = np.append(cut.start_s[1:], math.inf)
    for start, end, side in zip(cut.start_s, ends, inside):
        close = np.minimum(np.minimum(contacts.close_s, end), by_s)
        seconds = np.clip(close - np.maximum(contacts.open_s, start), 0.0, None)
        crosses = side[contacts.from_] & ~side[contacts.to]
        total += (seconds * contacts.rate_bps / 8)[crosses].sum()
    return total, supply.sum()


def test_the_cut_proves_the_bound(random_problems):
    for seed in range(random_problems):
        problem = flow.problem_from_dict(random_transfer(seed))
        plan = flow.solve(problem)
        if plan.cut is None:
            assert plan.lower_bound_s == 0.0
            continue
        ends = [node.id for node in problem.contacts.nodes]
        assert not plan.cut.source_side[:, np.isin(ends, problem.sinks)].any()
        by_s = min(plan.lower_bound_s * (1 - 1e-9), 1e300)
        crossing, wanted = crossing_bytes(problem, plan.cut, by_s)
        assert crossing < wanted * (1 + 1e-12), problem.name


def test_two_ways_are_used_as_they_open():
    contacts = contacts_of(
        ["a", "b", "s"],
        [(0, 2, 10.0, math.inf, 8e6), (0, 1, 0.0, 20.0, 8e6), (1, 2, 15.0, math.inf, 24e6)],
    )
    plan = flow.solve(flow.Problem(contacts, supply_bytes={"a": 40e6}, sinks=["s"]))
    # 20 MB by b, of which all is there at 21.67 s at the earliest; the others from 10 s on at 1 MB a second.
    assert plan.finish_s == pytest.approx(30.0, rel=1e-12)
    assert flow.check(plan.problem, plan) == ()


def test_contacts_without_end_and_without_length():
    contacts = contacts_of(["a", "s"], [(0, 1, 5.0, 5.0, 1e12), (0, 1, 7.0, math.inf, 8.0)])
    problem = flow.Problem(contacts, supply_bytes={"a": 1e9}, sinks=["s"])
    plan = flow.solve(problem)
    assert (plan.status, plan.finish_s) == ("optimal", 1e9 + 7.0)
    assert flow.check(problem, plan) == ()


def test_light_time_is_left_out():
    ends = {"from_": [0], "to": [1], "open_s": 0.0, "close_s": 10.0, "rate_bps": 8e6}
    contacts = network.ContactPlan(["a", "s"], **ends, owlt_s=3.0)
    assert flow.solve(flow.Problem(contacts, supply_bytes=[1e6, 0], sinks=["s"])).finish_s == 1.0


@pytest.fixture(scope="module")
def world():
    """A Walker star over three polar stations, four hours; links are slower than the ground's."""
    stations = [("Svalbard", 78.2, 15.4), ("Troll", -72.0, 2.5), ("Inuvik", 68.3, -133.5)]
    return orbit.Constellation(
        orbit.walker(
            "s", planes=6, satellites_per_plane=11, altitude_m=780e3, inclination_deg=86.4, kind="star"
        ),
        stations=[orbit.station(*one, min_elevation_deg=10.0) for one in stations],
        links=[
            orbit.plus_grid(rate_bps=1e8, seam="open", max_latitude_deg=70.0),
            orbit.ground(rate_bps=3e8),
        ],
        epoch="2026-03-01T12:00:00Z",
    ).contacts(0.0, 4 * 3600.0)


def satellites_of(contacts):
    return np.array([node.id.startswith("s/") for node in contacts.nodes])


@pytest.mark.parametrize("storage", [1e6, 1.5])
def test_down_from_a_constellation(world, storage):
    supply = np.where(satellites_of(world), 10e9, 0.0) * (1 + np.arange(len(world.nodes)) % 3)
    problem = flow.Problem(
        world,
        supply_bytes=supply,
        storage_bytes=np.where(supply > 0, supply * storage, math.inf),
        sinks=["Svalbard", "Troll", "Inuvik"],
    )
    plan = flow.solve(problem)
    assert plan.status == "optimal"
    assert plan.finish_s == plan.lower_bound_s > 1000.0
    assert plan.maximum_flows < 40
    assert flow.check(problem, plan) == ()
    greedy = flow.solve(problem, method="intervals")
    assert math.isnan(greedy.finish_s) or greedy.finish_s >= plan.finish_s


def test_back_to_a_constellation(world):
    wanted = np.where(satellites_of(world), 2e9, 0.0)
    problem = flow.Problem(world, supply_bytes={"Svalbard": wanted.sum()}, demand_bytes=wanted)
    plan = flow.solve(problem)
    assert plan.status == "optimal"
    assert flow.check(problem, plan) == ()


def test_a_limit_of_time_gives_a_true_bound_and_perhaps_a_plan(world):
    supply = np.where(satellites_of(world), 10e9, 0.0)
    problem = flow.Problem(world, supply_bytes=supply, sinks=["Inuvik"])
    best = flow.solve(problem)
    none = flow.solve(problem, time_limit_s=0.0)
    assert (none.status, len(none.contact)) == ("time_limit", 0)
    assert math.isnan(none.finish_s)
    assert math.isnan(none.gap)
    assert 0.0 < none.lower_bound_s <= best.finish_s
    assert flow.check(problem, none) == ()
    for limit_s in (0.001, 0.01, 0.03):
        plan = flow.solve(problem, time_limit_s=limit_s)
        assert plan.lower_bound_s <= best.finish_s
        assert flow.check(problem, plan) == ()


@pytest.fixture(scope="module")
def hard():
    """Many satellites whose links to each other are slow: the exact solution takes seconds."""
    stations = {"Inuvik": (68.3, -133.5), "Punta Arenas": (-52.9, -70.9), "Singapore": (1.35, 103.8)}
    shell = orbit.walker(
        "s", planes=72, satellites_per_plane=22, altitude_m=550e3, inclination_deg=53.0, phasing=17
    )
    contacts = orbit.Constellation(
        shell,
        stations=[orbit.station(name, *place, min_elevation_deg=25.0) for name, place in stations.items()],
        links=[orbit.plus_grid(rate_bps=1e8), orbit.ground(rate_bps=1e9)],
        epoch="2026-03-01T12:00:00Z",
    ).contacts(0.0, 3600.0)
    supply = np.where(satellites_of(contacts), 1.6e9, 0.0)
    return flow.Problem(contacts, supply_bytes=supply, sinks=list(stations))


def test_a_hard_problem_has_a_gap_first(hard):
    plan = flow.solve(hard, time_limit_s=1.5)
    assert plan.status == "time_limit"
    assert plan.lower_bound_s > flow.solve(hard, time_limit_s=0.0).lower_bound_s > 0.0
    assert flow.check(hard, plan) == ()


@pytest.mark.parametrize("on_interrupt", ["return", "raise"])
def test_ctrl_c_ends_with_what_there_is(hard, on_interrupt):
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    try:
        plan = flow.solve(hard, on_interrupt=on_interrupt)
        assert on_interrupt == "return"
    except flow.Interrupted as stop:
        assert on_interrupt == "raise"
        plan = stop.result
    finally:
        timer.join()
    assert plan.status == "interrupted"
    assert plan.lower_bound_s > 0.0


def test_solving_twice_gives_the_same(world):
    supply = np.where(satellites_of(world), 10e9, 0.0)
    problem = flow.Problem(world, supply_bytes=supply, sinks=["Inuvik"])
    assert flow.solve(problem) == flow.solve(problem)


def test_problems_side_by_side_give_what_they_give_alone():
    problems = [flow.problem_from_dict(random_transfer(seed)) for seed in range(40)]
    alone = [flow.solve(problem) for problem in problems]
    found = [None] * len(problems)

    def work(first):
        for i in range(first, len(problems), 4):
            found[i] = flow.solve(problems[i])

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def test_wrong_calls_are_refused():
    contacts = contacts_of(["a", "s"], [(0, 1, 0.0, 1.0, 8.0)])
    problem = flow.Problem(contacts, supply_bytes=[1.0, 0.0], sinks=["s"])
    with pytest.raises(TypeError, match="problem: expected a Problem"):
        flow.solve(contacts)
    with pytest.raises(ValueError, match="method: 'optimum' is not one of optimal.*did you mean 'optimal'"):
        flow.solve(problem, method="optimum")
    with pytest.raises(ValueError, match=r"time_limit_s: -1 is not in \[0, inf\]"):
        flow.solve(problem, time_limit_s=-1)
    with pytest.raises(ValueError, match="on_interrupt: 'stop' is not one of"):
        flow.solve(problem, on_interrupt="stop")
