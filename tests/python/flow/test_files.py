"""Transfers go there and back: files and dictionaries of problems and plans."""

from __future__ import annotations

import copy
import json
import math

import pytest

from constellm import flow, network
from constellm.core.files import read_json
from oracles.random_transfers import random_transfer

NAMES = [f"transfer-{i}" for i in (1, 2, 3, 4, 5, "back-1", "back-2", "back-3", "infeasible")]


@pytest.fixture
def folder(repository):
    return repository / "tests" / "data" / "flow"


@pytest.fixture
def data(folder):
    return read_json(folder / "transfer-2.json")


@pytest.fixture
def problem(data):
    return flow.problem_from_dict(data)


# ---- problems ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_examples(folder, tmp_path, name):
    """Each is solved as said, its plan keeps every rule, and both go there and back to the last bit."""
    problem = flow.load_problem(folder / f"{name}.json")
    flow.save_problem(problem, tmp_path / "again.json")
    assert flow.load_problem(tmp_path / "again.json") == problem
    plan = flow.solve(problem)
    assert flow.check(problem, plan) == ()
    least = read_json(folder / f"{name}.least.json")
    assert (problem.name, plan.status) == (least["problem"], least["status"])
    if "finish_s" in least:
        assert plan.finish_s == pytest.approx(least["finish_s"], rel=1e-12)
        assert plan.lower_bound_s == pytest.approx(least["finish_s"], rel=1e-12)
    assert plan.cut is not None
    flow.save_plan(plan, tmp_path / "plan.json")
    assert flow.load_plan(tmp_path / "plan.json", problem) == plan


def test_problems_go_there_and_back():
    for seed in range(100):
        data = random_transfer(seed)
        problem = flow.problem_from_dict(data)
        assert flow.problem_from_dict(flow.problem_to_dict(problem)) == problem
        contacts = problem.contacts
        assert [node.id for node in contacts.nodes] == [node["id"] for node in data["nodes"]]
        for of, key in (("supply_bytes", "supply_bytes"), ("demand_bytes", "demand_bytes")):
            assert getattr(problem, of).tolist() == [node.get(key, 0) for node in data["nodes"]]
        limits = [node.get("storage_bytes") for node in data["nodes"]]
        assert [None if math.isinf(s) else s for s in problem.storage_bytes.tolist()] == limits
        for c, contact in enumerate(data["contacts"]):
            found = (contacts.open_s[c], contacts.close_s[c], contacts.rate_bps[c])
            assert found == tuple(contact[key] for key in ("open_s", "close_s", "rate_bps"))
        assert list(problem.sinks) == data.get("sinks", [])


def changed(data, path, value):
    """A copy with another value at a path; `...` takes it away."""
    data = copy.deepcopy(data)
    *before, last = path
    place = data
    for key in before:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            ["format"],
            "constellm.moe-problem",
            "format: 'constellm.moe-problem' is not 'constellm.transfer-problem'",
        ),
        (["format"], "constellm.transfer-plan", "this is a transfer plan, not a transfer problem"),
        (["version"], 2, "version: 2 is not 1"),
        (["version"], True, "version: True is not 1"),
        (["extra"], 1, "problem: unknown key 'extra'"),
        (["nodes"], ..., "problem: missing required key 'nodes'"),
        (["nodes"], [], "nodes: must not be empty"),
        (["nodes"], {}, "nodes: expected a list"),
        (["name"], "a/b", "name: 'a/b' is not 1 to 100 characters of [A-Za-z0-9._-]"),
        (["name"], 3, "name: expected text"),
        (["nodes", 1], 3, "nodes[1]: expected an object"),
        (["nodes", 1, "id"], "n0", "nodes[1].id: 'n0' is the id of nodes[0] too"),
        (["nodes", 1, "id"], ..., "nodes[1]: missing required key 'id'"),
        (["nodes", 1, "suply_bytes"], 1, "nodes[1]: unknown key 'suply_bytes'; did you mean 'supply_bytes'"),
        (["nodes", 1, "supply_bytes"], -1, "nodes[1].supply_bytes: -1 is not in [0, inf)"),
        (["nodes", 1, "supply_bytes"], True, "nodes[1].supply_bytes: expected a number, got True"),
        (["nodes", 1, "supply_bytes"], None, "nodes[1].supply_bytes: expected a number, got None"),
        (["nodes", 0, "storage_bytes"], 5, "nodes[0].storage_bytes: 5 is not in [2339751556.0, inf)"),
        (["nodes", 0, "storage_bytes"], "5", "nodes[0].storage_bytes: expected a number, got '5'"),
        (["nodes", 0, "demand_bytes"], 5, "demand_bytes[0]: 5 is not in [0, 0]: there are sinks"),
        (["contacts", 2, "from"], "x", "contacts[2].from: 'x' is not the id of a node"),
        (["contacts", 2, "to"], "n2", "contacts[2].to: 'n2' is where it comes from"),
        (["contacts", 2, "to"], 3, "contacts[2].to: expected text"),
        (["contacts", 2, "open_s"], -1.0, "contacts[2].open_s: -1.0 is not in [0, inf)"),
        (
            ["contacts", 2, "close_s"],
            248.85229977920412,
            "contacts[2].close_s: 248.85229977920412 is not in (248.85",
        ),
        (["contacts", 2, "close_s"], math.inf, "contacts[2].close_s: inf is not in [0, inf)"),
        (["contacts", 2, "rate_bps"], 0, "contacts[2].rate_bps: 0 is not in (0, inf)"),
        (["contacts", 2, "rate_bps"], ..., "contacts[2]: missing required key 'rate_bps'"),
        (["contacts", 2, "latency_s"], 0, "contacts[2]: unknown key 'latency_s'"),
        (["sinks"], "n4", "sinks: expected a list"),
        (["sinks"], ["n9"], "'n9' is not the id of a node"),
        (["sinks"], ["n4", "n4"], "stands there twice"),
        (["sinks"], ..., "sinks: must not be empty where there are no demand_bytes"),
    ],
)
def test_bad_problems(data, path, value, words):
    if path[-1] == "close_s" and value != math.inf:
        data["contacts"][2]["open_s"] = value
    if words.startswith("contacts[2].to: 'n2'"):
        data["contacts"][2]["from"] = "n2"
    with pytest.raises((ValueError, TypeError)) as caught:
        flow.problem_from_dict(changed(data, path, value))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_demands_that_are_more_than_there_is(folder):
    data = read_json(folder / "transfer-back-1.json")
    total = sum(node.get("supply_bytes", 0) for node in data["nodes"])
    with pytest.raises(ValueError, match="^demand_bytes: their sum"):
        flow.problem_from_dict(changed(data, ["nodes", 1, "demand_bytes"], total + 1))


def test_duplicate_keys(tmp_path, folder):
    text = (folder / "transfer-2.json").read_text()
    (tmp_path / "x.json").write_text(text.replace('"id": "n1"', '"id": "n1", "id": "n1"', 1))
    with pytest.raises(ValueError, match="^key 'id' stands twice in one object$"):
        flow.load_problem(tmp_path / "x.json")


def test_contacts_that_no_file_holds(tmp_path):
    for close_s, words in (
        (5.0, r"5\.0 is not in \(5\.0, inf\)"),
        (math.inf, r"inf is not in \(5\.0, inf\)"),
    ):
        contacts = network.ContactPlan(
            ["a", "b"], from_=[0], to=[1], open_s=5.0, close_s=close_s, rate_bps=8.0
        )
        problem = flow.Problem(contacts, supply_bytes=[1.0, 0.0], sinks=["b"])
        with pytest.raises(ValueError, match=r"^contacts\[0\]\.close_s: " + words):
            flow.save_problem(problem, tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []


def test_nothing_wanted_goes_there_and_back():
    contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=9.0, rate_bps=8.0)
    problem = flow.Problem(contacts, supply_bytes=[1.0, 0.0], demand_bytes=[0.0, 0.0])
    assert flow.problem_from_dict(flow.problem_to_dict(problem)) == problem
    plan = flow.solve(problem)
    assert (plan.status, plan.finish_s) == ("optimal", 0.0) and flow.check(problem, plan) == ()


# ---- plans -------------------------------------------------------------------------------------


def test_a_plan_file_has_what_the_format_says(problem):
    plan = flow.solve(problem)
    data = flow.plan_to_dict(plan)
    assert list(data) == [
        *("format", "version", "problem", "status", "finish_s", "lower_bound_s", "flows", "certificate")
    ]
    assert set(data["flows"][0]) == {"contact", "start_s", "end_s", "bytes"}
    inside = set()
    for stretch, side in zip(data["certificate"], plan.cut.source_side):
        inside = inside - set(stretch["leaves"]) | set(stretch["joins"])
        assert inside == {node.id for node, on in zip(problem.contacts.nodes, side) if on}
    infeasible = problem.replace(supply_bytes=problem.supply_bytes * 1e3, storage_bytes=None)
    data = flow.plan_to_dict(flow.solve(infeasible))
    assert set(data) == {"format", "version", "problem", "status", "certificate"}
    again = flow.plan_from_dict(data, infeasible)
    assert (again.status, again.lower_bound_s) == ("infeasible", math.inf) and math.isnan(again.finish_s)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["format"], "constellm.transfer-problem", "this is a transfer problem, not a transfer plan"),
        (["problem"], "other", "problem: the plan is for 'other', not for 'transfer-2'"),
        (["problem"], 3, "problem: the plan is for 3"),
        (["status"], "great", "status: 'great' is not one of optimal"),
        (["status"], [], "status: expected text, got []"),
        (["status"], "infeasible", "lower_bound_s: there is one, and the status is infeasible"),
        (["flow"], [], "plan: unknown key 'flow'; did you mean 'flows'"),
        (["flows"], ..., "finish_s and flows: one is given without the other"),
        (["flows"], {}, "flows: expected a list"),
        (["lower_bound_s"], ..., "lower_bound_s: missing beside finish_s"),
        (["lower_bound_s"], "0", "lower_bound_s: expected a number"),
        (["finish_s"], -1.0, "finish_s: -1.0 is not in [0, inf)"),
        (["flows", 0], [], "flows[0]: expected an object"),
        (["flows", 0, "contact"], 12, "flows[0].contact: 12 is not in [0, 12)"),
        (["flows", 0, "contact"], 1.0, "flows[0].contact: expected an integer"),
        (["flows", 0, "contact"], 2**40, "flows[0].contact: 1099511627776 is not in [0, 12)"),
        (["flows", 0, "bytes"], -1.0, "flows[0].bytes: -1.0 is not in [0, inf)"),
        (["flows", 0, "sent"], 1.0, "flows[0]: unknown key 'sent'"),
        (["flows", 0, "end_s"], ..., "flows[0]: missing required key 'end_s'"),
        (["certificate"], [], "certificate: must not be empty"),
        (["certificate"], None, "certificate: expected a list"),
        (["certificate", 0, "start_s"], 1.0, "certificate[0].start_s: 1.0 is not 0, the first"),
        (["certificate", 0, "joins"], ["n9"], "certificate[0].joins[0]: 'n9' is not the id of a node"),
        (
            ["certificate", 0, "joins"],
            ["n1", "n1"],
            "certificate[0].joins[1]: 'n1' is already on the source side",
        ),
        (["certificate", 0, "leaves"], ["n4"], "certificate[0].leaves[0]: 'n4' is not on the source side"),
        (["certificate", 0, "nodes"], [], "certificate[0]: unknown key 'nodes'"),
    ],
)
def test_bad_plans(problem, path, value, words):
    data = flow.plan_to_dict(flow.solve(problem))
    with pytest.raises((ValueError, TypeError)) as caught:
        flow.plan_from_dict(changed(data, path, value), problem)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_stretches_rise(problem):
    data = flow.plan_to_dict(flow.solve(problem))
    data["certificate"] = [data["certificate"][0], {"start_s": 0.0, "joins": [], "leaves": []}]
    with pytest.raises(ValueError, match=r"^certificate\[1\]\.start_s: 0\.0 is not after 0\.0$"):
        flow.plan_from_dict(data, problem)


def test_a_plan_that_breaks_a_rule_is_not_read(problem, tmp_path):
    data = flow.plan_to_dict(flow.solve(problem))
    data["flows"][0]["bytes"] *= 2.0
    (tmp_path / "x.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"^(flows\[0\]: contacts\[\d+\] sends|node )"):
        flow.load_plan(tmp_path / "x.json", problem)


def test_what_is_neither_problem_nor_plan(problem, tmp_path):
    with pytest.raises(TypeError, match="^problem: expected a Problem"):
        flow.save_problem(flow.solve(problem), tmp_path / "x.json")
    with pytest.raises(TypeError, match="^plan: expected a Plan"):
        flow.save_plan(problem, tmp_path / "x.json")
    with pytest.raises(TypeError, match="^plan: expected an object"):
        flow.plan_from_dict([], problem)
    with pytest.raises(OSError):
        flow.save_problem(problem, tmp_path / "none" / "x.json")
    assert list(tmp_path.iterdir()) == []
