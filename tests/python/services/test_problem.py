"""Problems are values, checked once; messages name field, value and range."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

from constellm import network, services
from constellm.services import Input, Problem, Service, Stage, Task
from oracles.random_services import problem_of, random_data

NODES = [
    network.Node(id="s0", flop_per_s=1e12, memory_bytes=8e9),
    network.Node(id="s1", flop_per_s=0.0, memory_bytes=8e9),
    network.Node(id="s2", flop_per_s=2e12, memory_bytes=4e9),
]
GRAPH = network.Graph(NODES, from_=[0, 1, 1, 2], to=[1, 0, 2, 1], rate_bps=1e9, latency_s=0.01)
ENCODER = Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)
HEAD = Service("head", flop=1e9, memory_bytes=1e8, cost=0.5, nodes=["s2"])
TASK = Task(
    "detect",
    rate_per_s=3.0,
    source="s0",
    sink="s1",
    stages=[
        Stage("encoder", [Input(bytes=6e5)]),
        Stage("head", [Input(0, bytes=1e5), Input(-1, bytes=10.0)]),
    ],
    deadline_s=2.0,
    deviation_per_s=1.0,
)


def problem(**changes):
    return Problem(**{"network": GRAPH, "services": [ENCODER, HEAD], "tasks": [TASK], **changes})


def task(**changes):
    given = {"rate_per_s": 1.0, "source": "s0", "sink": "s0", "stages": [Stage("encoder")], **changes}
    return Task(given.pop("name", "t"), **given)


def service(**changes):
    given = {"flop": 1.0, "memory_bytes": 1.0, "cost": 1.0, **changes}
    return Service(given.pop("name", "m"), **given)


def test_values_are_equal_go_through_pickle_and_are_changed_by_replace():
    made = problem(budget=1, max_cost=9, name="one", life_s=[1.0, 2.0, math.inf, 4.0])
    for value in (made, ENCODER, HEAD, TASK, TASK.stages[1], TASK.stages[1].inputs[0]):
        assert pickle.loads(pickle.dumps(value)) == value
        assert copy.deepcopy(value) == value
    for changes in (
        {"budget": None},
        {"name": "two"},
        {"life_s": None},
        {"tasks": [task()]},
        {"objective": "delay"},
    ):
        other = made.replace(**changes)
        assert other != made
        assert made.replace() == made
        assert all(getattr(other, key) == value or key == "tasks" for key, value in changes.items())
    assert made != 3
    assert problem(samples=[[1.0], [2.0]], tasks=[task()]) != problem(tasks=[task()])
    with pytest.raises(TypeError, match="unexpected keyword argument 'budgets'; did you mean 'budget'"):
        made.replace(budgets=1)
    with pytest.raises(AttributeError):
        made.budget = 2
    with pytest.raises(ValueError, match="read-only"):
        made.life_s[0] = 3.0
    with pytest.raises(TypeError, match="unhashable"):
        hash(made)


def test_a_network_is_taken_in_any_form():
    plain = network.Network(
        nodes=NODES,
        links=[
            network.Link(from_=NODES[a].id, to=NODES[b].id, rate_bps=1e9, latency_s=0.01)
            for a, b in zip(GRAPH.from_, GRAPH.to)
        ],
    )
    assert problem(network=plain) == problem()
    assert problem(network=network.Snapshot(0.0, GRAPH)) == problem()
    with pytest.raises(TypeError, match="network: expected a Network, Graph or Snapshot, got 3"):
        problem(network=3)


def test_displays():
    made = problem(budget=1, max_cost=9)
    assert repr(made) == "Problem('services': 3 nodes, 4 links, 2 services, 1 task, least cost)"
    text = made.summary()
    assert "rates of 1 tasks at most may rise at once; replicas cost 9 at most" in text
    assert "s0 → encoder → head → s1" in text
    assert "<table" in made._repr_html_()
    many = problem(
        tasks=[task()], samples=[[1.0]] * 9, risk=0.34, objective="admitted", life_s=[1, 2, 3, math.inf]
    )
    assert "9 samples of demand, of which 3 may have too much; 3 links end" in many.summary()
    assert "most admitted" in repr(many)


@pytest.mark.parametrize(
    ("risk", "samples", "broken"), [(0.0, 7, 0), (0.29, 100, 29), (0.1, 30, 3), (0.999, 10, 9), (1.0, 10, 10)]
)
def test_a_share_of_samples_is_rounded_down(risk, samples, broken):
    assert problem(tasks=[task()], samples=[[1.0]] * samples, risk=risk).may_break == broken


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: service(name=""), ValueError, "name: must not be empty"),
        (lambda: service(name=3), TypeError, "name: expected text, got 3"),
        (lambda: service(flop=-1), ValueError, r"flop: -1 is not in \[0, inf\)"),
        (lambda: service(flop=math.inf), ValueError, r"flop: inf is not in \[0, inf\)"),
        (lambda: service(flop=True), TypeError, "flop: expected a number, got True"),
        (lambda: service(memory_bytes="1"), TypeError, "memory_bytes: expected a number, got '1'"),
        (lambda: service(cost=math.nan), ValueError, r"cost: nan is not in \[0, inf\)"),
        (lambda: service(nodes="s0"), TypeError, "nodes: expected a sequence, got 's0'"),
        (lambda: service(nodes={"s0"}), TypeError, "nodes: expected a sequence, got {'s0'}"),
        (lambda: service(nodes=["s0", "s0"]), ValueError, r"nodes\[1\]: 's0' stands there twice"),
        (lambda: Input(-2), ValueError, r"from_: -2 is not in \[-1, inf\)"),
        (lambda: Input(0.0), TypeError, "from_: expected an integer, got 0.0"),
        (lambda: Input(bytes=-1), ValueError, r"bytes: -1 is not in \[0, inf\)"),
        (lambda: Stage("a", []), ValueError, "inputs: must not be empty"),
        (lambda: Stage("a", [3]), TypeError, r"inputs\[0\]: expected a Input, got 3"),
        (lambda: Stage(3), TypeError, "service: expected text, got 3"),
        (lambda: task(rate_per_s=0), ValueError, r"rate_per_s: 0 is not in \(0, inf\)"),
        (lambda: task(deviation_per_s=-1), ValueError, r"deviation_per_s: -1 is not in \[0, inf\)"),
        (lambda: task(deadline_s=0), ValueError, r"deadline_s: 0 is not in \(0, inf\)"),
        (lambda: task(weight=-1), ValueError, r"weight: -1 is not in \[0, inf\)"),
        (lambda: task(stages=[]), ValueError, "stages: must not be empty"),
        (
            lambda: task(stages=[Stage("a", [Input(0)])]),
            ValueError,
            r"stages\[0\].inputs\[0\].from_: 0 is not in",
        ),
        (
            lambda: task(stages=[Stage("a"), Stage("a")]),
            ValueError,
            r"stages\[0\]: no other stage waits for it",
        ),
        (lambda: problem(services=[]), ValueError, "services: must not be empty"),
        (lambda: problem(tasks=[]), ValueError, "tasks: must not be empty"),
        (lambda: problem(tasks=TASK), TypeError, "tasks: expected a sequence"),
        (
            lambda: problem(services=[ENCODER, HEAD, ENCODER]),
            ValueError,
            r"services\[2\].name: 'encoder' is the name",
        ),
        (
            lambda: problem(tasks=[TASK, TASK]),
            ValueError,
            r"tasks\[1\].name: 'detect' is the name of tasks\[0\] too",
        ),
        (
            lambda: problem(tasks=[task(source="x")]),
            ValueError,
            r"tasks\[0\].source: 'x' is not the id of a node",
        ),
        (
            lambda: problem(tasks=[task(sink="x")]),
            ValueError,
            r"tasks\[0\].sink: 'x' is not the id of a node",
        ),
        (
            lambda: problem(tasks=[task(stages=[Stage("encodr")])]),
            ValueError,
            r"tasks\[0\].stages\[0\].service: 'encodr' is not the name of a service; did you mean 'encoder'",
        ),
        (
            lambda: problem(services=[service(nodes=["x"])]),
            ValueError,
            r"services\[0\].nodes\[0\]: 'x' is not the id",
        ),
        (lambda: problem(max_utilisation=0), ValueError, r"max_utilisation: 0 is not in \(0, 1\]"),
        (lambda: problem(max_utilisation=1.01), ValueError, r"max_utilisation: 1.01 is not in \(0, 1\]"),
        (lambda: problem(budget=-1), ValueError, r"budget: -1 is not in \[0, inf\)"),
        (lambda: problem(max_cost=-1), ValueError, r"max_cost: -1 is not in \[0, inf\)"),
        (
            lambda: problem(objective="costs"),
            ValueError,
            "objective: 'costs' is not one of .*did you mean 'cost'",
        ),
        (lambda: problem(objective=None), TypeError, "objective: expected text, got None"),
        (lambda: problem(name="a b"), ValueError, "name: 'a b' is not 1 to 100 characters"),
        (lambda: problem(life_s=[1, 2]), ValueError, r"life_s: shape \(2,\) is not \(4,\), the links"),
        (lambda: problem(life_s=[1, 2, 3, -1]), ValueError, r"life_s\[3\]: -1 is not in \[0, inf\]"),
        (lambda: problem(life_s=[1, 2, 3, math.nan]), ValueError, r"life_s\[3\]: nan is not in \[0, inf\]"),
        (lambda: problem(life_s="abcd"), TypeError, "life_s: expected numbers"),
        (lambda: problem(samples=[[1.0]]), ValueError, r"tasks\[0\].deviation_per_s: 1 is not in .*samples"),
        (
            lambda: problem(tasks=[task()], samples=[[1]], budget=1),
            ValueError,
            "budget: 1 is not in .*samples",
        ),
        (
            lambda: problem(tasks=[task()], samples=[1.0]),
            ValueError,
            r"samples: shape \(1,\) is not \(samples, tasks\)",
        ),
        (
            lambda: problem(tasks=[task()], samples=[[1, 2]]),
            ValueError,
            r"samples: shape \(1, 2\) is not \(samples, 1\)",
        ),
        (
            lambda: problem(tasks=[task()], samples=[[1], [1, 2]]),
            ValueError,
            "samples: expected .* of one length",
        ),
        (lambda: problem(tasks=[task()], samples=np.zeros((0, 1))), ValueError, "samples: shape"),
        (
            lambda: problem(tasks=[task()], samples=[[-1]]),
            ValueError,
            r"samples\[0\]\[0\]: -1 is not in \[0, inf\)",
        ),
        (lambda: problem(risk=0.1), ValueError, r"risk: 0.1 is not in \[0, 0\]: there are no samples"),
        (
            lambda: problem(tasks=[task()], samples=[[1]], risk=1.5),
            ValueError,
            r"risk: 1.5 is not in \[0, 1\]",
        ),
        (lambda: Service("m", flop=1, memory_bytes=1, costs=1), TypeError, "'costs'; did you mean 'cost'"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_times_of_their_own_are_refused():
    slow = [NODES[0].replace(overhead_s=0.1), *NODES[1:]]
    with pytest.raises(ValueError, match=r"nodes\[0\].overhead_s: 0.1 is not in"):
        problem(network=network.Graph(slow, from_=[0], to=[1], rate_bps=1e9))
    with pytest.raises(ValueError, match=r"links\[0\].overhead_s: 0.1 is not in"):
        problem(network=network.Graph(NODES, from_=[0], to=[1], rate_bps=1e9, overhead_s=0.1))
    timed = [NODES[0].replace(layer_time_s=[0.1]), *NODES[1:]]
    with pytest.raises(ValueError, match=r"nodes\[0\].layer_time_s: services have no layers"):
        problem(network=network.Graph(timed, from_=[0], to=[1], rate_bps=1e9))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"services": [service(name="encoder", cost=1.7e308), HEAD]}, "services: the sum of their cost"),
        (
            {
                "services": [
                    service(name="encoder", memory_bytes=1.7e308),
                    service(name="head", memory_bytes=1e308),
                ]
            },
            "services: the sum of their memory_bytes",
        ),
        (
            {"services": [service(name="encoder", flop=1e308), HEAD], "tasks": [task(rate_per_s=1e10)]},
            r"tasks: the sum of their rate_per_s · flop",
        ),
        (
            {
                "services": [service(name="encoder", flop=0), HEAD],
                "tasks": [task(rate_per_s=1e300, output_bytes=1e300)],
            },
            "rate_per_s · 8 · bytes",
        ),
        ({"tasks": [task(output_bytes=1e308)]}, r"tasks\[0\]: its longest delay"),
        ({"tasks": [task(weight=1.7e308), task(name="u", weight=1.7e308)]}, "the sum of their weight"),
        ({"tasks": [task(rate_per_s=1.7e308), task(name="u", rate_per_s=1.7e308)]}, "figures so large"),
    ],
)
def test_figures_whose_sums_are_no_numbers_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        problem(**changes)


def test_large_and_small_figures_are_numbers():
    large = problem(services=[service(name="encoder", flop=1e200, memory_bytes=1e300, cost=1e300), HEAD])
    found = services.evaluate(
        large, services.Placement({"encoder": ["s0"], "head": ["s2"]}, {"detect": ["s0", "s2"]})
    )
    assert (found.cost, found.task_delay_s[0]) == (1e300, 1e188)
    assert len(services.check(large, services.Placement.serving(large, {"detect": ["s0", "s2"]}))) == 3


def test_relabelling_changes_nothing(random_problems):
    """Nodes, links and services in another order; ties between routes go by positions, so not those."""
    for seed in range(min(random_problems, 1000)):
        data = random_data(seed)
        if any(
            len({link[key] for link in data["links"]}) < len(data["links"])
            for key in ("rate_bps", "latency_s")
        ):
            continue
        made = problem_of(data)
        order = list(range(len(data["links"])))[::-1]
        other = {
            **data,
            "nodes": data["nodes"][::-1],
            "links": [data["links"][i] for i in order],
            "services": data["services"][::-1],
        }
        if data.get("life_s") is not None:
            other["life_s"] = [data["life_s"][i] for i in order]
        hosts = dict(zip((one["name"] for one in data["services"]), made._compiled.hosts))
        if not all(hosts.values()):
            continue
        ids = [node["id"] for node in data["nodes"]]
        assignment = {one.name: [ids[hosts[stage.service][-1]] for stage in one.stages] for one in made.tasks}
        again = problem_of(other)
        results = []
        for of in (made, again):
            placement = services.Placement.serving(of, assignment)
            try:
                results.append((services.evaluate(of, placement), sorted(services.check(of, placement))))
            except ValueError as error:
                assert "no way" in str(error)
                results.append((None, sorted(services.check(of, placement))))
        first, second = results
        assert first[1] == second[1], seed
        if first[0] is not None:
            np.testing.assert_array_equal(first[0].task_delay_s, second[0].task_delay_s)
            np.testing.assert_array_equal(first[0].node_load_flop_per_s, second[0].node_load_flop_per_s[::-1])
            assert (first[0].cost, first[0].delay_s) == (second[0].cost, second[0].delay_s)
