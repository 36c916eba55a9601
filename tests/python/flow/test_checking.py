"""`flow.check`: every rule of the format, against the rules in fractions and by hand."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest

from constellm import flow, network
from oracles.random_transfers import random_transfer
from oracles.transfer_rules import broken

KINDS = {
    "is above finish_s": "bound",
    "is later than the last flow ends": "later",
    ", inf)": "backwards",
    "is before contacts": "opens",
    "is after contacts": "closes",
    "is after finish_s": "after",
    "sends on": "sink",
    "bit/s, more than its rate_bps": "rate",
    "bit/s together": "rate",
    "more than it had got": "sent",
    "more than its storage_bytes": "storage",
    "less than its demand_bytes": "demand",
    "have not arrived": "arrived",
}


def kinds(rules):
    found = [{kind for words, kind in KINDS.items() if words in rule} for rule in rules]
    assert all(len(one) == 1 for one in found), rules
    return set().union(*found)


def damaged(rng, data, plan):
    """A plan with something else in it than before."""
    flows = [dict(flow) for flow in plan["flows"]]
    changed = {**plan, "flows": flows}
    one = rng.choice(flows)
    what = rng.randrange(9)
    if what == 0:
        one["bytes"] *= rng.choice([0.0, 0.5, 0.999, 1.001, 2.0])
    elif what == 1:
        one["contact"] = rng.randrange(len(data["contacts"]))
    elif what == 2:
        flows.remove(one)
    elif what == 3:
        flows.append(dict(one))
    elif what == 4:
        shift = rng.uniform(-1, 1) * (one["end_s"] - one["start_s"])
        one["start_s"], one["end_s"] = (
            max(0.0, one["start_s"] + shift),
            one["end_s"] + max(shift, -one["start_s"]),
        )
    elif what == 5:
        one["start_s"], one["end_s"] = one["end_s"], one["start_s"]
    elif what == 6:
        changed["finish_s"] *= rng.choice([0.9, 0.999999, 1.000001, 1.1])
    elif what == 7:
        changed["lower_bound_s"] = plan["finish_s"] * rng.choice([0.5, 1.0, 1.00001])
    else:
        node = rng.choice(data["nodes"])
        if node.get("supply_bytes", 0) < (node.get("storage_bytes") or math.inf):
            node["storage_bytes"] = max(node.get("supply_bytes", 0), 1.0)
    return changed


def test_the_rules_in_fractions(random_problems):
    """Of plans that are right and of plans that are damaged."""
    seen = []
    for seed in range(random_problems):
        rng = random.Random(seed)
        data = random_transfer(seed)
        problem = flow.problem_from_dict(data)
        plan = flow.solve(problem, method=rng.choice(["intervals", "slots:7"]))
        if not len(plan.contact):
            assert flow.check(problem, plan) == ()
            continue
        assert flow.check(problem, plan) == () and broken(data, flow.plan_to_dict(plan)) == set()
        changed = damaged(rng, data, flow.plan_to_dict(plan))
        problem = flow.problem_from_dict(data)
        columns = {
            "contact": "contact",
            "start_s": "start_s",
            "end_s": "end_s",
            "sent_bytes": "bytes",
        }
        again = dataclasses.replace(
            plan,
            problem=problem,
            finish_s=changed["finish_s"],
            lower_bound_s=changed["lower_bound_s"],
            status="feasible",
            cut=None,
            **{name: np.array([one[key] for one in changed["flows"]]) for name, key in columns.items()},
        )
        expected = broken(data, changed)
        found = kinds(flow.check(problem, again))
        if "backwards" in expected:
            assert "backwards" in found
            seen.append("backwards")
        else:
            assert found == expected, data["name"]
            seen += sorted(expected) or ["none"]
    if random_problems >= 300:
        assert {"none", *KINDS.values()} <= {*seen, "sink", "storage", "demand", "opens"}, set(seen)


# ---- by hand -----------------------------------------------------------------------------------


@pytest.fixture
def problem():
    """Two satellites and a station: b may hold 3 B, each contact sends 1 B/s."""
    contacts = network.ContactPlan(
        ["a", "b", "s"], from_=[0, 1, 2], to=[1, 2, 0], open_s=[0, 5, 0], close_s=[10, 20, 20], rate_bps=8.0
    )
    return flow.Problem(contacts, supply_bytes={"a": 4.0}, storage_bytes={"b": 3.0}, sinks=["s"])


def plan_of(problem, flows, finish_s, **others):
    contact, start_s, end_s, sent_bytes = (np.array(column) for column in zip(*flows))
    known = {"status": "feasible", "lower_bound_s": 0.0, **others}
    return flow.Plan(
        problem,
        finish_s=finish_s,
        contact=contact.astype(np.int32),
        start_s=start_s.astype(float),
        end_s=end_s.astype(float),
        sent_bytes=sent_bytes.astype(float),
        **known,
    )


RIGHT = [(0, 2.0, 6.0, 4.0), (1, 5.0, 9.0, 4.0)]


def test_a_plan_that_is_right(problem):
    assert flow.check(problem, plan_of(problem, RIGHT, 9.0)) == ()


@pytest.mark.parametrize(
    ("flows", "finish_s", "others", "rules"),
    [
        (
            [(0, 0.0, 4.0, 4.0), RIGHT[1]],
            9.0,
            {},
            ["node 'b' holds 4.0 B at 4.0 s, more than its storage_bytes, 3.0"],
        ),
        ([RIGHT[0], (1, 5.0, 8.0, 3.0)], 8.0, {}, ["finish_s: 1.0 B of 4.0 B have not arrived by 8.0"]),
        (
            [RIGHT[0], (1, 5.0, 8.0, 4.0)],
            8.0,
            {},
            ["flows[1]: contacts[1] sends 10.666666666666666 bit/s, more than its rate_bps, 8.0"],
        ),
        (
            [RIGHT[0], (1, 4.0, 8.0, 4.0)],
            8.0,
            {},
            ["flows[1].start_s: 4.0 is before contacts[1] opens, at 5.0"],
        ),
        (
            [(0, 2.0, 11.0, 4.0), (1, 11.0, 15.0, 4.0)],
            15.0,
            {},
            ["closes, at 10.0", "more than its storage_bytes, 3.0"],
        ),
        (RIGHT, 8.0, {}, ["flows[1].end_s: 9.0 is after finish_s, 8.0"]),
        (RIGHT, 10.0, {}, ["finish_s: 10.0 is later than the last flow ends, at 9.0"]),
        (RIGHT, 9.0, {"lower_bound_s": 9.5}, ["lower_bound_s: 9.5 is above finish_s, 9.0"]),
        (
            RIGHT,
            9.0,
            {"status": "optimal"},
            ["status: optimal, with a lower_bound_s of 0.0 below finish_s, 9.0"],
        ),
        (
            RIGHT,
            9.0,
            {"status": "infeasible"},
            ["finish_s: 9.0, and the status is infeasible", "lower_bound_s: 0.0"],
        ),
        (RIGHT, 9.0, {"status": "great"}, ["status: 'great' is not one of"]),
        (RIGHT, 9.0, {"lower_bound_s": math.nan}, ["lower_bound_s: nan is not in [0, inf]"]),
        (
            RIGHT,
            math.nan,
            {},
            ["finish_s: missing, and the status is feasible", "finish_s: missing, and there are 2"],
        ),
        ([*RIGHT, (2, 0.0, 1.0, 1.0)], 9.0, {}, ["flows[2]: the sink 's' sends on", "node 's' has sent"]),
        ([*RIGHT, (3, 0.0, 1.0, 1.0)], 9.0, {}, ["flows[2].contact: 3 is not in [0, 2]"]),
        ([*RIGHT, (0, 9.0, 9.0, 0.0)], 9.0, {}, ["flows[2].end_s: 9.0 is not in (9.0, inf)"]),
        (
            [*RIGHT, (0, 8.0, 9.0, -1.0)],
            9.0,
            {},
            ["flows[2].bytes: -1.0 is not in [0, inf)"],
        ),
        (
            [(0, 2.0, 6.0, 2.0), (0, 3.0, 5.0, 2.0), RIGHT[1]],
            9.0,
            {},
            [
                "contacts[0]: its flows send 12.0 bit/s together at 3.0 s, more than its rate_bps, 8.0",
                "more than its storage_bytes, 3.0",
            ],
        ),
    ],
)
def test_plans_that_are_not(problem, flows, finish_s, others, rules):
    found = flow.check(problem, plan_of(problem, flows, finish_s, **others))
    assert len(found) >= len(rules)
    for rule in rules:
        assert any(rule in line for line in found), found
    if len(rules) == 1:
        assert len(found) == 1, found


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("column", [1, 2, 3])
def test_figures_that_are_none(problem, column, figure):
    flows = [list(RIGHT[0]), list(RIGHT[1])]
    flows[1][column] = figure
    found = flow.check(problem, plan_of(problem, flows, 9.0))
    assert found and found[0].startswith(("flows[1].end_s: ", "flows[1].bytes: ")), found


def test_many_flows_in_an_instant_of_one_contact(problem):
    """Each is short and no faster than the contact, all together they are."""
    many = [(1, 6.0, 6.0 + 1e-9, 1e-9)] * 1000
    found = flow.check(problem, plan_of(problem, [RIGHT[0], (1, 5.0, 9.0, 4.0 - 1e-6), *many], 9.0))
    assert any("contacts[1]: its flows send" in rule for rule in found), found


def test_demands():
    contacts = network.ContactPlan(["s", "a"], from_=[0], to=[1], open_s=0, close_s=10, rate_bps=8.0)
    problem = flow.Problem(contacts, supply_bytes=[5.0, 1.0], demand_bytes=[1.0, 4.0])
    assert flow.check(problem, plan_of(problem, [(0, 0.0, 3.0, 3.0)], 3.0)) == ()
    assert flow.check(problem, plan_of(problem, [(0, 0.0, 2.0, 2.0)], 2.0)) == (
        "finish_s: node 'a' holds 3.0 B by 2.0, less than its demand_bytes, 4.0",
    )
    assert flow.check(problem, plan_of(problem, [(0, 0.0, 5.0, 5.0)], 5.0)) == (
        "finish_s: node 's' holds 0.0 B by 5.0, less than its demand_bytes, 1.0",
    )


def test_many_moments_do_not_blur_what_is_held():
    """A byte a second beside a terabyte a second, for a hundred thousand seconds: rates are added exactly."""
    steps = 20_000
    contacts = network.ContactPlan(
        ["a", "b", "s"], from_=[0, 0, 1], to=[1, 2, 2], open_s=0, close_s=1e5, rate_bps=[8e12, 8e12, 8.0]
    )
    problem = flow.Problem(contacts, supply_bytes={"a": 1e6, "b": 1e5}, storage_bytes={"b": 1e5}, sinks=["s"])
    ends = np.linspace(0.0, 1.0, steps + 1)
    flows = [(1, begin, end, 1e6 / steps) for begin, end in zip(ends, ends[1:])]
    assert flow.check(problem, plan_of(problem, [*flows, (2, 0.0, 1e5, 1e5)], 1e5)) == ()
    (rule,) = flow.check(problem, plan_of(problem, [*flows, (2, 0.0, 1e5 - 0.01, 1e5 - 0.01)], 1e5 - 0.01))
    assert "have not arrived" in rule


# ---- certificates ------------------------------------------------------------------------------


def test_certificates(problem):
    """All but the station: 1 B/s from 5 s on, so that 4 B need 9 s."""
    cut = flow.Cut([0.0], [[True, True, False]])
    right = plan_of(problem, RIGHT, 9.0, status="optimal", lower_bound_s=9.0, cut=cut)
    assert flow.check(problem, right) == ()
    slow = plan_of(
        problem,
        [(0, 3.0, 7.0, 4.0), (1, 6.0, 10.0, 4.0)],
        10.0,
        status="optimal",
        lower_bound_s=10.0,
        cut=cut,
    )
    assert flow.check(problem, slow) == (
        "certificate: its cut lets 5.0 B through by lower_bound_s, 10.0, and 4.0 B are wanted",
    )
    for stretches, side, crossed in [
        ([0.0], [[False, True, True]], "9.0 B"),  # 4 B start outside
        ([0.0, 5.0], [[True, True, True], [True, False, False]], "8.0 B"),  # 3 B stored, 5 B over a → b
        ([0.0, 5.0], [[True, False, False], [True, True, False]], "10.0 B"),
    ]:
        plan = dataclasses.replace(slow, cut=flow.Cut(stretches, side))
        (rule,) = flow.check(problem, plan)
        assert f"lets {crossed} through" in rule, rule
    wrong = dataclasses.replace(right, cut=flow.Cut([0.0], [[True]]))
    assert flow.check(problem, wrong) == ("certificate: 1 nodes are not the problem's 3",)


def test_certificates_that_let_all_through_long_before(problem):
    """What starts outside proves nothing, and what has all crossed by 4 s proves no more than that."""
    contacts = problem.contacts.replace(close_s=[4.0, 20.0, 20.0])
    problem = problem.replace(contacts=contacts, storage_bytes={"b": 4.0})
    nobody, first = [[False, False, False]], [[True, False, False]]
    for side, bound_s, proven in [
        (nobody, 1e-3, False),
        (nobody, 9.0, False),
        (first, 3.0, True),
        (first, 4.0, True),
        (first, 4.001, False),
        (first, 9.0, False),
    ]:
        plan = plan_of(problem, [(0, 0.0, 4.0, 4.0), (1, 5.0, 9.0, 4.0)], 9.0, lower_bound_s=bound_s)
        rules = flow.check(problem, dataclasses.replace(plan, cut=flow.Cut([0.0], side)))
        assert [rule.partition(":")[0] for rule in rules] == ["certificate"] * (not proven), (bound_s, rules)
        assert all("lets 4.0 B through before" in rule for rule in rules)


def test_flows_faster_than_numbers_go(problem):
    """They are told of as any other fault, without a warning of overflow."""
    for end_s, sent_bytes in ((1e-300, 1e300), (1e-3, 1e308), (1e-300, 4.0)):
        (first, second) = flow.check(problem, plan_of(problem, [(0, 0.0, end_s, sent_bytes)] * 2, end_s))
        for i, rule in enumerate((first, second)):
            assert rule == f"flows[{i}].bytes: {sent_bytes} by {end_s} s is faster than any contact"


def test_flows_far_apart_in_rate():
    """A slow flow's bytes count beside those of one a million million times as fast."""
    contacts = network.ContactPlan(
        ["a", "s"], from_=[0, 0], to=[1, 1], open_s=[2.4, 3.2], close_s=9.0, rate_bps=[0.0559, 8e14]
    )
    problem = flow.Problem(contacts, supply_bytes=[0.007, 0.0], sinks=["s"])
    plan = flow.solve(problem)
    assert plan.finish_s == pytest.approx(3.2, rel=1e-12)
    assert flow.check(problem, plan) == ()


def test_certificates_of_infeasible_problems(problem):
    none = {"finish_s": math.nan, "lower_bound_s": math.inf, "status": "infeasible"}
    empty = [np.array([], kind) for kind in (np.int32, float, float, float)]
    cut = flow.Cut([0.0], [[True, True, False]])
    for supply, proven in ((15.0, False), (15.5, True)):
        more = problem.replace(supply_bytes={"a": supply})
        plan = flow.Plan(more, none["status"], none["finish_s"], none["lower_bound_s"], *empty, cut)
        assert flow.check(more, plan) == (
            () if proven else ("certificate: its cut lets 15.0 B through, of 15.0 B: it may be feasible",)
        )


def test_what_is_neither_problem_nor_plan(problem):
    with pytest.raises(TypeError, match="^problem: expected a Problem"):
        flow.check(None, None)
    with pytest.raises(TypeError, match="^plan: expected a Plan"):
        flow.check(problem, problem)


def test_little_that_is_wanted_beside_much_that_is_there():
    """What a sink has of its own is of no account; a demand is met to its own tolerance."""
    contacts = network.ContactPlan(["a", "s"], from_=[0], to=[1], open_s=0, close_s=10, rate_bps=8.0)
    down = flow.Problem(contacts, supply_bytes=[5.0, 1e13], sinks=["s"])
    back = flow.Problem(contacts, supply_bytes=[1e13, 0.0], demand_bytes=[0.0, 5.0])
    for problem, words in ((down, "1.0 B of 5.0 B have not arrived"), (back, "node 's' holds 4.0 B")):
        assert flow.check(problem, flow.solve(problem)) == ()
        (rule,) = flow.check(problem, plan_of(problem, [(0, 0.0, 4.0, 4.0)], 4.0))
        assert words in rule
