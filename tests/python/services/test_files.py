"""Services go there and back: files and dictionaries of problems and plans; what is wrong is named."""

from __future__ import annotations

import copy
import gzip
import json
import math
import random

import pytest

from constellm import services
from constellm.services.plan_files import broken_rules
from oracles.random_services import random_problem


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


@pytest.fixture
def data(folder):
    return json.loads((folder / "services-4.json").read_text(encoding="utf-8"))


@pytest.fixture
def plan(folder):
    return json.loads((folder / "services-4.plan.json").read_text(encoding="utf-8"))


# ---- problems ----------------------------------------------------------------------------------


def test_examples_go_there_and_back(example, tmp_path):
    data, plan = example
    problem = services.problem_from_dict(data)
    services.save_problem(problem, tmp_path / "x.json.gz")
    assert services.load_problem(tmp_path / "x.json.gz") == problem
    found = services.plan_from_dict(plan, problem)
    assert (found.status, found.method) == (plan["status"], "unknown")
    services.save_plan(found, tmp_path / "x.plan.json")
    assert services.load_plan(tmp_path / "x.plan.json", problem) == found
    if found.placement is not None:
        assert (found.cost, found.delay_s, found.gap) == (plan["cost"], plan["delay_s"], 0.0)
        assert {name: list(nodes) for name, nodes in found.replicas.items()} == plan["replicas"]
        assert {name: list(nodes) for name, nodes in found.assignment.items()} == plan["assignment"]
    else:
        assert services.plan_to_dict(found) == plan


def test_problems_go_there_and_back():
    for seed in range(100):
        problem = services.problem_from_dict(random_problem(random.Random(seed)))
        data = services.problem_to_dict(problem)
        assert services.problem_from_dict(json.loads(json.dumps(data))) == problem


def test_what_is_left_out_has_its_default(data):
    least = {
        **{key: data[key] for key in ("format", "version", "name", "nodes", "links")},
        "services": [
            {key: one[key] for key in ("name", "flop", "memory_bytes", "cost")} for one in data["services"]
        ],
        "tasks": [
            {key: one[key] for key in ("name", "rate_per_s", "source", "sink", "stages")}
            for one in data["tasks"]
        ],
    }
    told = changed(least, ["limits"], {"max_utilisation": 1, "budget": None, "max_cost": None})
    told["objective"] = "cost"
    for one in told["services"]:
        one["nodes"] = None
    for one in told["tasks"]:
        one.update(deviation_per_s=0, deadline_s=None, output_bytes=0)
    problem = services.problem_from_dict(least)
    assert problem == services.problem_from_dict(told)
    assert problem == services.problem_from_dict({**least, "limits": {}})


def test_what_no_file_holds_is_refused(data):
    problem = services.problem_from_dict(data)
    links = len(problem.network.rate_bps)
    weighted = services.Task(
        "w", rate_per_s=1, source=problem.tasks[0].source, sink=problem.tasks[0].sink,
        stages=problem.tasks[0].stages, weight=2,
    )  # fmt: skip
    steady = [
        services.Task(t.name, rate_per_s=1, source=t.source, sink=t.sink, stages=t.stages)
        for t in problem.tasks
    ]
    for changes, message in (
        ({"objective": "admitted"}, "objective: 'admitted' is not one of 'cost', 'delay', as in files"),
        ({"tasks": [weighted]}, r"tasks\[0\].weight: 2.0 is not 1"),
        ({"life_s": [math.inf] * links}, "life_s: files of problems have none"),
        (
            {"samples": [[1.0] * len(steady)], "tasks": steady, "budget": None},
            "samples: files of problems have none",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            services.problem_to_dict(problem.replace(**changes))
    with pytest.raises(TypeError, match="problem: expected a Problem, got 3"):
        services.problem_to_dict(3)


@pytest.mark.parametrize(
    ("path", "value", "error", "message"),
    [
        (["format"], "constellm.services-plan", ValueError, "format: .*this is a services plan"),
        (["format"], ..., ValueError, "services problem: missing required key 'format'"),
        (["version"], 2, ValueError, "version: 2 is not 1"),
        (["version"], 1.0, ValueError, "version: 1.0 is not 1"),
        (["name"], ..., ValueError, "problem: missing required key 'name'"),
        (["name"], "", ValueError, "name: '' is not 1 to 100 characters"),
        (["extra"], 1, ValueError, "problem: unknown key 'extra'"),
        (["life_s"], [], ValueError, "problem: unknown key 'life_s'"),
        (["nodes"], [], ValueError, "nodes: must not be empty"),
        (["nodes"], {}, TypeError, "nodes: expected a list, got {}"),
        (["nodes", 0, "id"], "n1", ValueError, r"nodes\[1\].id: 'n1' is the id of nodes\[0\] too"),
        (["nodes", 0, "id"], "", ValueError, r"nodes\[0\].id: must not be empty"),
        (["nodes", 0, "power_w"], 1, ValueError, r"nodes\[0\]: unknown key 'power_w'"),
        (["nodes", 0, "flop_per_s"], -1, ValueError, r"nodes\[0\].flop_per_s: -1 is not in \[0, inf\)"),
        (
            ["nodes", 0, "flop_per_s"],
            10**400,
            ValueError,
            r"nodes\[0\].flop_per_s: 1000.* is not in \[0, inf\)",
        ),
        (["nodes", 0, "memory_bytes"], ..., ValueError, r"nodes\[0\]: missing required key 'memory_bytes'"),
        (["links", 0, "rate_bps"], 0, ValueError, r"links\[0\].rate_bps: 0 is not in \(0, inf\)"),
        (["links", 0, "latency_s"], None, TypeError, r"links\[0\].latency_s: expected a number, got None"),
        (["links", 0, "to"], "x", ValueError, r"links\[0\].to: 'x' is not the id of a node"),
        (["links", 0, "to"], 3, TypeError, r"links\[0\].to: expected text, got 3"),
        (["services"], [], ValueError, "services: must not be empty"),
        (
            ["services", 0, "name"],
            "m1",
            ValueError,
            r"services\[1\].name: 'm1' is the name of services\[0\] too",
        ),
        (["services", 0, "cost"], -1, ValueError, r"services\[0\].cost: -1 is not in \[0, inf\)"),
        (
            ["services", 0, "nodes"],
            ["x"],
            ValueError,
            r"services\[0\].nodes\[0\]: 'x' is not the id of a node",
        ),
        (["services", 0, "nodes"], "n0", TypeError, r"services\[0\].nodes: expected a list, got 'n0'"),
        (["services", 0, "node"], [], ValueError, r"services\[0\]: unknown key 'node'; did you mean 'nodes'"),
        (["tasks"], [], ValueError, "tasks: must not be empty"),
        (["tasks", 0, "rate_per_s"], 0, ValueError, r"tasks\[0\].rate_per_s: 0 is not in \(0, inf\)"),
        (["tasks", 0, "rate_per_s"], True, TypeError, r"tasks\[0\].rate_per_s: expected a number, got True"),
        (["tasks", 0, "deadline_s"], 0, ValueError, r"tasks\[0\].deadline_s: 0 is not in \(0, inf\)"),
        (["tasks", 0, "weight"], 1, ValueError, r"tasks\[0\]: unknown key 'weight'"),
        (["tasks", 0, "source"], "x", ValueError, r"tasks\[0\].source: 'x' is not the id of a node"),
        (["tasks", 0, "stages"], [], ValueError, r"tasks\[0\].stages: must not be empty"),
        (
            ["tasks", 0, "stages", 0, "inputs"],
            [],
            ValueError,
            r"tasks\[0\].stages\[0\].inputs: must not be empty",
        ),
        (
            ["tasks", 0, "stages", 0, "inputs", 0, "from"],
            0,
            ValueError,
            r"inputs\[0\].from: 0 is not in \[-1, 0\)",
        ),
        (
            ["tasks", 0, "stages", 0, "inputs", 0, "from"],
            -1.0,
            TypeError,
            r"from: expected an integer, got -1.0",
        ),
        (
            ["tasks", 0, "stages", 0, "inputs", 0, "from"],
            False,
            TypeError,
            r"from: expected an integer, got False",
        ),
        (
            ["tasks", 0, "stages", 0, "inputs", 0, "byte"],
            1,
            ValueError,
            "unknown key 'byte'; did you mean 'bytes'",
        ),
        (["tasks", 0, "stages", 0, "service"], "x", ValueError, "service: 'x' is not the name of a service"),
        (["tasks", 0, "name"], "a\ud800", ValueError, r"tasks\[0\].name: 'a\\ud800' is not valid Unicode"),
        (
            ["services", 0, "name"],
            "\ud800",
            ValueError,
            r"services\[0\].name: '\\ud800' is not valid Unicode",
        ),
        (["limits"], None, TypeError, "limits: expected an object, got None"),
        (["limits"], {"gamma": 1}, ValueError, "limits: unknown key 'gamma'"),
        (["limits"], {"max_utilisation": 0}, ValueError, r"limits.max_utilisation: 0 is not in \(0, 1\]"),
        (["limits"], {"budget": -1}, ValueError, r"limits.budget: -1 is not in \[0, inf\)"),
        (["limits"], {"max_cost": "9"}, TypeError, "limits.max_cost: expected a number, got '9'"),
        (["objective"], "admitted", ValueError, "objective: 'admitted' is not one of 'cost', 'delay'"),
        (["objective"], None, TypeError, "objective: expected text, got None"),
    ],
)
def test_wrong_problems(data, path, value, error, message):
    with pytest.raises(error, match=message):
        services.problem_from_dict(changed(data, path, value))


def test_links_twice_and_to_themselves(data):
    again = changed(data, ["links"], [*data["links"], data["links"][0]])
    with pytest.raises(ValueError, match=r"links\[\d+\]: links\[0\] has the same from and to"):
        services.problem_from_dict(again)
    with pytest.raises(ValueError, match=r"links\[0\].to: '\w+' is where it comes from"):
        services.problem_from_dict(changed(data, ["links", 0, "to"], data["links"][0]["from"]))


def test_keys_that_stand_twice_and_figures_that_are_none(data, tmp_path):
    text = json.dumps(data)
    file = tmp_path / "x.json"
    for old, new, message in (
        ('"version": 1', '"version": 1, "version": 1', "key 'version' stands twice"),
        ('"version": 1', '"version": NaN', "NaN is not a finite number"),
        ('"version": 1', '"version": 1e999', "1e999 is not a finite number"),
    ):
        assert old in text
        file.write_text(text.replace(old, new))
        with pytest.raises(ValueError, match=message):
            services.load_problem(file)
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert services.load_problem(file) == services.problem_from_dict(data)
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(text.encode()))
    assert services.load_problem(tmp_path / "x.json.gz") == services.problem_from_dict(data)


# ---- plans -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format"], "constellm.services-problem", "format: .*this is a services problem"),
        (["problem"], "x", "problem: 'x' is not 'services-4'"),
        (["status"], "best", "status: 'best' is not one of optimal"),
        (["extra"], 1, "plan: unknown key 'extra'"),
        (["cost"], ..., "plan: missing required key 'cost', and the status is optimal"),
        (["replicas"], ..., "plan: missing required key 'replicas', and the status is optimal"),
        (["status"], "infeasible", "cost: stands there, and the status is infeasible"),
        (["status"], "no_plan_found", "cost: stands there, and the status is no_plan_found"),
        (["cost"], 23.0, "cost: 23.0 is claimed, and it is 24.0"),
        (["delay_s"], 0.5, "delay_s: 0.5 is claimed, and it is 0.558"),
        (["lower_bound"], 25, "lower_bound: 25 is above the cost, 24.0"),
        (["lower_bound"], 23, "status: optimal, with a lower_bound of 23 below the cost, 24.0"),
        (["lower_bound"], None, "lower_bound: expected a number, got None"),
        (["second_optimal"], 1, "second_optimal: expected true or false, got 1"),
        (["replicas", "x"], [], "replicas: 'x' is not the name of a service"),
        (["replicas", "m0"], ..., "replicas: the service 'm0' is missing"),
        (["replicas", "m0"], "n0", r"replicas\['m0'\]: expected a list, got 'n0'"),
        (["replicas", "m0"], ["x"], r"replicas\['m0'\]\[0\]: 'x' is not the id of a node"),
        (["replicas", "m0"], ["n0", "n0"], r"replicas\['m0'\]: 'n0' stands there twice"),
        (["replicas", "m0"], [3], r"replicas\['m0'\]\[0\]: expected text, got 3"),
        (["assignment"], [], r"assignment: expected an object, got \[\]"),
        (["assignment", "t0"], ..., "assignment: the task 't0' is missing"),
        (["assignment", "t0"], [], r"assignment\['t0'\]: must not be empty"),
        (["assignment", "t0"], ["n0"] * 9, r"assignment\['t0'\]: 9 nodes for \d stages?"),
    ],
)
def test_wrong_plans(data, plan, path, value, message):
    problem = services.problem_from_dict(data)
    with pytest.raises((ValueError, TypeError), match=message):
        services.plan_from_dict(changed(plan, path, value), problem)


def test_every_rule_is_told(data, plan):
    problem = services.problem_from_dict(changed(data, ["limits", "max_cost"], 3.0))
    told = [str(error) for error in broken_rules(changed(plan, ["delay_s"], 9.0), problem)]
    assert len(told) == 2
    assert told[0].startswith("delay_s: 9.0 is claimed")
    assert told[1] == "max_cost: the cost of replicas of 24 is above the limit, 3.0000000030000002"


def test_plans_of_every_status(data):
    problem = services.problem_from_dict(data)
    for status in ("infeasible", "no_plan_found", "time_limit", "interrupted"):
        bound = math.inf if status == "infeasible" else 3.0
        plan = services.Plan(problem, status, None, bound)
        written = services.plan_to_dict(plan)
        assert written.get("lower_bound") == (None if status == "infeasible" else 3.0)
        assert services.plan_from_dict(written, problem) == plan
    with pytest.raises(TypeError, match="plan: expected a Plan, got 3"):
        services.plan_to_dict(3)


def test_tasks_that_are_not_admitted_are_in_no_file(data):
    problem = services.problem_from_dict(data).replace(objective="admitted")
    placement = services.Placement.serving(problem, {task.name: [] for task in problem.tasks})
    with pytest.raises(ValueError, match="assignment: the task 't0' is not admitted, and files have no such"):
        services.plan_to_dict(services.Plan(problem, "feasible", placement, 0.0))
