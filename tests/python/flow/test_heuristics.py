"""The published greedy, direct transfer and antennas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from constellm import flow, network
from oracles.random_transfers import random_transfer

GREEDY = ("intervals", "slots:7", "slots:40")


def contacts_of(ids, rows):
    """Of rows from, to, open_s, close_s and bytes a second."""
    place = {id: v for v, id in enumerate(ids)}
    from_, to, open_s, close_s, rate = zip(*rows)
    return network.ContactPlan(
        list(ids),
        from_=[place[id] for id in from_],
        to=[place[id] for id in to],
        open_s=open_s,
        close_s=close_s,
        rate_bps=8.0 * np.array(rate, dtype=float),
    )


def test_plans_keep_every_rule_and_are_never_sooner(random_problems):
    seen = set()
    for seed in range(random_problems):
        problem = flow.problem_from_dict(random_transfer(seed))
        best = flow.solve(problem)
        for method in (*GREEDY, "direct"):
            plan = flow.solve(problem, method=method)
            assert flow.check(problem, plan) == (), (problem.name, method)
            assert plan.method == method
            seen.add((method, plan.status))
            if not math.isnan(plan.finish_s):
                assert plan.finish_s >= best.finish_s * (1 - 1e-9), (problem.name, method)
                assert plan.lower_bound_s <= best.finish_s * (1 + 1e-9)
                assert flow.plan_from_dict(flow.plan_to_dict(plan), problem) == plan
            else:
                assert plan.status in ("no_plan_found", "infeasible")
                assert (plan.status == "infeasible") <= (best.status == "infeasible")
    for method in (*GREEDY, "direct"):
        found = {status for of, status in seen if of == method}
        assert found == {"optimal", "feasible", "no_plan_found", "infeasible"}, (method, found)


def test_greedy_never_looks_ahead():
    """It sends 10 B/s over b while that is open; the quickest also fills c, which is open to s later."""
    rows = [
        ("a", "b", 0, 10, 10),
        ("b", "s", 0, 10, 10),
        ("a", "c", 0, 10, 10),
        ("c", "s", 10, 20, 10),
        ("a", "s", 10, 60, 2),
    ]
    problem = flow.Problem(contacts_of("abcs", rows), supply_bytes={"a": 200.0}, sinks=["s"])
    quickest, greedy = flow.solve(problem), flow.solve(problem, method="intervals")
    assert (quickest.status, greedy.status) == ("optimal", "feasible")
    assert quickest.finish_s == pytest.approx(10 + 100 / 12)
    assert greedy.finish_s == pytest.approx(10 + 100 / 2)
    assert greedy.lower_bound_s == pytest.approx(quickest.finish_s)


@pytest.mark.parametrize(("length", "finish_s"), [("1", 11.0), ("4", 18.0), ("7", 13.0), ("10", None)])
def test_slots_use_contacts_that_are_open_in_all_of_them(length, finish_s):
    """6 B at 1 B/s from 5 to 15 s and from 15.5 s on; it ends at the moment."""
    rows = [("a", "s", 5, 15, 1), ("a", "s", 15.5, 22, 1)]
    problem = flow.Problem(contacts_of("as", rows), supply_bytes={"a": 6.0}, sinks=["s"])
    assert flow.solve(problem).finish_s == 11.0
    plan = flow.solve(problem, method=f"slots:{length}")
    if finish_s is None:
        assert plan.status == "no_plan_found" and len(plan.contact) == 0 and plan.lower_bound_s == 11.0
        return
    assert plan.finish_s == pytest.approx(finish_s)
    assert flow.check(problem, plan) == ()


def test_slots_that_end_with_a_contact_but_for_rounding():
    rows = [("a", "s", 0.1, 0.3, 1)]  # 3 · 0.1 is a bit above 0.3
    problem = flow.Problem(contacts_of("as", rows), supply_bytes={"a": 0.2}, sinks=["s"])
    plan = flow.solve(problem, method="slots:0.1")
    assert plan.finish_s == pytest.approx(0.3) and flow.check(problem, plan) == ()


def test_greedy_on_demand_gives_what_is_over():
    """The station keeps what it wants itself; a relay passes on and keeps nothing."""
    rows = [("s", "a", 0, 5, 2), ("a", "b", 0, 20, 1), ("b", "a", 0, 20, 1)]
    problem = flow.Problem(
        contacts_of("sab", rows),
        supply_bytes=[12.0, 0.0, 1.0],
        demand_bytes=[3.0, 4.0, 4.0],
        storage_bytes=[12.0, 4.0, math.inf],
    )
    plan = flow.solve(problem, method="intervals")
    assert (
        plan.status == "optimal" and plan.finish_s == pytest.approx(3.5) and flow.check(problem, plan) == ()
    )
    no_room = problem.replace(storage_bytes=[12.0, 3.0, math.inf])
    assert {flow.solve(no_room, method=m).status for m in GREEDY} <= {"no_plan_found", "infeasible"}


def test_nothing_to_do():
    contacts = contacts_of("as", [("a", "s", 0, 9, 1)])
    for problem in (
        flow.Problem(contacts, supply_bytes=[0.0, 5.0], sinks=["s"]),
        flow.Problem(contacts, supply_bytes=[5.0, 5.0], demand_bytes=[5.0, 0.0]),
    ):
        for method in (*GREEDY, "direct", "optimal"):
            plan = flow.solve(problem, method=method)
            assert (plan.status, plan.finish_s, len(plan.contact)) == ("optimal", 0.0, 0)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("slots:0", "method: 'slots:0': '0' is not in (0, inf) s"),
        ("slots:-5", "'-5' is not in (0, inf) s"),
        ("slots:", "'' is not in (0, inf) s"),
        ("slots:1_0", "'1_0' is not in (0, inf) s"),
        ("slots:inf", "'inf' is not in (0, inf) s"),
        ("slots:nan", "'nan' is not in (0, inf) s"),
        ("slots:1e999", "'1e999' is not in (0, inf) s"),
        ("slots:1e-7", "1e-07 is not in [6e-06, inf) s, so that there are at most 10,000,000 slots"),
        ("slots", "method: 'slots' is not one of optimal, slots:<seconds>, intervals, direct"),
        ("intervals:3", "method: 'intervals:3' is not one of"),
        ("Direct", "did you mean 'direct'"),
    ],
)
def test_bad_methods(method, words):
    problem = flow.Problem(contacts_of("as", [("a", "s", 0, 60, 1)]), supply_bytes=[5.0, 0.0], sinks=["s"])
    with pytest.raises(ValueError) as caught:
        flow.solve(problem, method=method)
    assert words in str(caught.value)


def test_greedy_needs_a_last_closing():
    contacts = contacts_of("as", [("a", "s", 0, math.inf, 1)])
    problem = flow.Problem(contacts, supply_bytes=[5.0, 0.0], sinks=["s"])
    for method in ("intervals", "slots:5"):
        with pytest.raises(ValueError, match=r"^contacts\[0\]\.close_s: inf is no last closing"):
            flow.solve(problem, method=method)
    assert flow.solve(problem, method="direct").finish_s == 5.0


def test_no_time():
    problem = flow.problem_from_dict(random_transfer(3))
    for method in GREEDY:
        plan = flow.solve(problem, method=method, time_limit_s=0)
        assert plan.status == "time_limit" and math.isnan(plan.finish_s) and len(plan.contact) == 0
        assert flow.check(problem, plan) == ()


# ---- direct and antennas -----------------------------------------------------------------------


def test_direct_uses_no_relay():
    rows = [
        ("a", "b", 0, 9, 5),
        ("b", "s", 0, 9, 5),
        ("a", "s", 20, 90, 1),
        ("c", "s", 0, 50, 1),
        ("b", "c", 0, 50, 1),
    ]
    problem = flow.Problem(contacts_of("abcs", rows), supply_bytes={"a": 10.0, "b": 5.0}, sinks=["s"])
    plan = flow.solve(problem, method="direct")
    assert plan.finish_s == pytest.approx(30.0) and set(plan.contact.tolist()) == {1, 2}
    assert flow.solve(problem).finish_s < 9.0


def test_direct_takes_the_station_behind_an_antenna_for_the_sink():
    rows = [("a", "s", 0, 90, 2), ("b", "s", 0, 90, 2), ("a", "b", 0, 90, 9)]
    problem = flow.Problem(contacts_of("abs", rows), supply_bytes={"a": 10.0, "b": 10.0}, sinks=["s"])
    assert flow.solve(problem, method="direct").finish_s == pytest.approx(5.0)
    capped = flow.with_antennas(problem, receive_bps={"s": 8.0})
    plan = flow.solve(capped, method="direct")
    assert plan.finish_s == pytest.approx(20.0) and flow.check(capped, plan) == ()
    assert set(plan.contact.tolist()) == {0, 1, 3}


def test_direct_on_demand():
    rows = [("s", "a", 0, 9, 1), ("a", "b", 0, 90, 1), ("s", "b", 10, 90, 1)]
    problem = flow.Problem(
        contacts_of("sab", rows), supply_bytes={"s": 9.0}, demand_bytes={"a": 3.0, "b": 3.0}
    )
    assert flow.solve(problem, method="direct").finish_s == pytest.approx(13.0)
    assert flow.solve(problem).finish_s == pytest.approx(6.0)
    capped = flow.with_antennas(problem, send_bps={"s": 4.0})
    plan = flow.solve(capped, method="direct")
    assert plan.finish_s == pytest.approx(16.0) and flow.check(capped, plan) == ()


def test_antennas_keep_the_rest():
    rows = [("a", "s", 5, 40, 2), ("s", "b", 0, 90, 2), ("b", "s", 20, 60, 3)]
    problem = flow.Problem(
        contacts_of("abs", rows), supply_bytes={"a": 10.0, "b": 9.0}, sinks=["s"], name="x"
    )
    capped = flow.with_antennas(problem, receive_bps={"s": 24.0})
    assert [node.id for node in capped.contacts.nodes] == ["a", "b", "s", "s/receive"]
    contacts = capped.contacts
    assert contacts.from_.tolist() == [0, 2, 1, 3] and contacts.to.tolist() == [3, 1, 3, 2]
    assert contacts.open_s.tolist() == [5, 0, 20, 5] and contacts.close_s.tolist() == [40, 90, 60, 60]
    assert contacts.rate_bps.tolist() == [16, 16, 24, 24]
    assert capped.storage_bytes.tolist() == [math.inf, math.inf, math.inf, 0.0]
    assert (capped.sinks, capped.name, capped.wanted_bytes) == (("s",), "x", 19.0)
    both = flow.with_antennas(
        problem.replace(sinks=[], demand_bytes={"s": 2.0}), receive_bps={"s": 8}, send_bps={"s": 9}
    )
    assert [node.id for node in both.contacts.nodes][3:] == ["s/receive", "s/send"]
    assert both.contacts.from_.tolist() == [0, 4, 1, 3, 2] and both.contacts.to.tolist() == [3, 1, 3, 2, 4]
    assert flow.with_antennas(problem) == problem


def test_caps_that_do_not_bind_change_nothing():
    for seed in range(60):
        problem = flow.problem_from_dict(random_transfer(seed))
        contacts = problem.contacts
        ids = [node.id for node in contacts.nodes]
        most = 1.0 + contacts.rate_bps.sum()
        for field, ends in (("receive_bps", contacts.to), ("send_bps", contacts.from_)):
            capped = flow.with_antennas(problem, **{field: {ids[v]: most for v in set(ends.tolist())}})
            best, again = flow.solve(problem), flow.solve(capped)
            assert again.status == best.status and flow.check(capped, again) == ()
            assert again.finish_s == pytest.approx(best.finish_s, rel=1e-9, nan_ok=True), problem.name


@pytest.mark.parametrize(
    ("caps", "error", "words"),
    [
        ({"receive_bps": {"x": 1.0}}, ValueError, "receive_bps: 'x' is not the id of a node"),
        ({"receive_bps": {"a": 1.0}}, ValueError, "receive_bps: 'a' receives over no contact"),
        ({"send_bps": {"a": 0.0}}, ValueError, r"send_bps\['a'\]: 0.0 is not in \(0, inf\)"),
        ({"send_bps": {"a": None}}, TypeError, r"send_bps\['a'\]: expected a number"),
        ({"send_bps": 5.0}, TypeError, "send_bps: expected a mapping"),
    ],
)
def test_bad_antennas(caps, error, words):
    problem = flow.Problem(contacts_of("as", [("a", "s", 0, 60, 1)]), supply_bytes=[5.0, 0.0], sinks=["s"])
    with pytest.raises(error, match=words):
        flow.with_antennas(problem, **caps)
