"""Reading and writing `constellm.services-problem` files, version 1."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._core.network import Graph, Node
from ..core.checks import instance, non_negative, positive, real, short
from ..core.files import read_json, write_json
from ..core.plain import as_list, as_object, as_text, check_header, check_keys
from .problem import Problem
from .tasks import Input, Service, Stage, Task

PROBLEM_FORMAT = "constellm.services-problem"
PLAN_FORMAT = "constellm.services-plan"
KINDS = {PROBLEM_FORMAT: "services problem", PLAN_FORMAT: "services plan"}


def problem_from_dict(data: Mapping[str, Any]) -> Problem:
    """The problem that the content of a problem file says.

    Parameters
    ----------
    data : mapping
        As ``json`` reads it.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError, TypeError
        For an unknown, missing or wrong entry; the message names the place.

    Examples
    --------
    >>> from constellm import services
    >>> services.problem_from_dict(
    ...     {"format": "constellm.services-problem", "version": 1, "name": "one",
    ...      "nodes": [{"id": "s0", "flop_per_s": 1e12, "memory_bytes": 8e9}], "links": [],
    ...      "services": [{"name": "encoder", "flop": 2e10, "memory_bytes": 1e9, "cost": 1}],
    ...      "tasks": [{"name": "detect", "rate_per_s": 3, "source": "s0", "sink": "s0", "stages": [
    ...          {"service": "encoder", "inputs": [{"from": -1, "bytes": 6e5}]}]}]})
    Problem('one': 1 node, 0 links, 1 service, 1 task, least cost)
    """
    data = as_object("problem", data)
    check_header(data, PROBLEM_FORMAT, KINDS)
    required = ("format", "version", "name", "nodes", "links", "services", "tasks")
    check_keys("problem", data, required, ("limits", "objective"))
    objective = as_text("objective", data.get("objective", "cost"))
    if objective not in ("cost", "delay"):
        raise ValueError(f"objective: {short(objective)} is not one of 'cost', 'delay'")
    network = _network(data)
    services = [
        _service(f"services[{s}]", one) for s, one in enumerate(as_list("services", data["services"]))
    ]
    tasks = [_task(f"tasks[{t}]", one) for t, one in enumerate(as_list("tasks", data["tasks"]))]
    return Problem(
        network=network,
        services=services,
        tasks=tasks,
        objective=objective,
        name=as_text("name", data["name"]),
        **_limits(data.get("limits", {})),
    )


def _network(data: Mapping[str, Any]) -> Graph:
    nodes: list[Node] = []
    place: dict[str, int] = {}
    for v, entry in enumerate(as_list("nodes", data["nodes"])):
        where = f"nodes[{v}]"
        entry = as_object(where, entry)
        check_keys(where, entry, ("id", "flop_per_s", "memory_bytes"), ())
        id = as_text(f"{where}.id", entry["id"])
        if not id:
            raise ValueError(f"{where}.id: must not be empty")
        if place.setdefault(id, v) != v:
            raise ValueError(f"{where}.id: {short(id)} is the id of nodes[{place[id]}] too")
        speed = non_negative(f"{where}.flop_per_s", entry["flop_per_s"])
        memory = non_negative(f"{where}.memory_bytes", entry["memory_bytes"])
        nodes.append(Node(id=id, flop_per_s=speed, memory_bytes=memory))
    if not nodes:
        raise ValueError("nodes: must not be empty")
    known: dict[tuple[int, int], int] = {}
    rate_bps, latency_s = [], []
    for a, entry in enumerate(as_list("links", data["links"])):
        where = f"links[{a}]"
        entry = as_object(where, entry)
        check_keys(where, entry, ("from", "to", "rate_bps", "latency_s"), ())
        for key in ("from", "to"):
            if as_text(f"{where}.{key}", entry[key]) not in place:
                raise ValueError(f"{where}.{key}: {short(entry[key])} is not the id of a node")
        if entry["from"] == entry["to"]:
            raise ValueError(f"{where}.to: {short(entry['to'])} is where it comes from")
        ends = (place[entry["from"]], place[entry["to"]])
        if known.setdefault(ends, a) != a:
            raise ValueError(f"{where}: links[{known[ends]}] has the same from and to")
        rate_bps.append(positive(f"{where}.rate_bps", entry["rate_bps"]))
        latency_s.append(non_negative(f"{where}.latency_s", entry["latency_s"]))
    from_, to = [a for a, _ in known], [b for _, b in known]
    return Graph(nodes, from_=from_, to=to, rate_bps=rate_bps, latency_s=latency_s)


def _service(where: str, entry: Any) -> Service:
    entry = as_object(where, entry)
    check_keys(where, entry, ("name", "flop", "memory_bytes", "cost"), ("nodes",))
    nodes = entry.get("nodes")
    try:
        return Service(
            entry["name"],
            flop=entry["flop"],
            memory_bytes=entry["memory_bytes"],
            cost=entry["cost"],
            nodes=None if nodes is None else as_list("nodes", nodes),
        )
    except (ValueError, TypeError) as error:
        raise type(error)(f"{where}.{error}") from None


def _task(where: str, entry: Any) -> Task:
    entry = as_object(where, entry)
    required = ("name", "rate_per_s", "source", "sink", "stages")
    check_keys(where, entry, required, ("deviation_per_s", "deadline_s", "output_bytes"))
    stages = []
    for k, stage in enumerate(as_list(f"{where}.stages", entry["stages"])):
        here = f"{where}.stages[{k}]"
        stage = as_object(here, stage)
        check_keys(here, stage, ("service", "inputs"), ())
        inputs = [
            _input(f"{here}.inputs[{i}]", one, k)
            for i, one in enumerate(as_list(f"{here}.inputs", stage["inputs"]))
        ]
        if not inputs:
            raise ValueError(f"{here}.inputs: must not be empty")
        service = as_text(f"{here}.service", stage["service"])
        if not service:
            raise ValueError(f"{here}.service: must not be empty")
        stages.append(Stage(service, tuple(inputs)))
    given = {key: value for key, value in entry.items() if key not in ("name", "stages")}
    try:
        return Task(entry["name"], stages=stages, **given)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{where}.{error}") from None


def _input(where: str, entry: Any, stage: int) -> Input:
    entry = as_object(where, entry)
    check_keys(where, entry, ("from", "bytes"), ())
    from_ = entry["from"]
    if type(from_) is not int:
        raise TypeError(f"{where}.from: expected an integer, got {short(from_)}")
    if not -1 <= from_ < stage:
        raise ValueError(f"{where}.from: {short(from_)} is not in [-1, {stage}), earlier stages")
    return Input(from_, non_negative(f"{where}.bytes", entry["bytes"]))


def _limits(entry: Any) -> dict[str, Any]:
    entry = as_object("limits", entry)
    check_keys("limits", entry, (), ("max_utilisation", "budget", "max_cost"))
    utilisation = real("limits.max_utilisation", entry.get("max_utilisation", 1.0))
    if not 0.0 < utilisation <= 1.0:
        raise ValueError(f"limits.max_utilisation: {short(entry['max_utilisation'])} is not in (0, 1]")
    found: dict[str, Any] = {"max_utilisation": utilisation}
    for key in ("budget", "max_cost"):
        value = entry.get(key)
        found[key] = None if value is None else non_negative(f"limits.{key}", value)
    return found


def problem_to_dict(problem: Problem) -> dict[str, Any]:
    """What a file of the problem says, as `problem_from_dict` reads it.

    Parameters
    ----------
    problem : Problem
        Of its network what has no meaning for services (power, groups) is left out.

    Returns
    -------
    dict

    Raises
    ------
    TypeError, ValueError
        For what is no problem, and for what no file holds: the objective ``"admitted"``, weights other than
        1, ``life_s`` and ``samples``; the message names it.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=chain.nodes[0].id, sink=chain.nodes[1].id,
    ...                          stages=[stage])])
    >>> services.problem_to_dict(problem)["services"]
    [{'name': 'encoder', 'flop': 20000000000.0, 'memory_bytes': 1000000000.0, 'cost': 1.0, 'nodes': None}]
    """
    instance("problem", problem, Problem)
    if problem.objective not in ("cost", "delay"):
        raise ValueError(f"objective: {problem.objective!r} is not one of 'cost', 'delay', as in files")
    for t, task in enumerate(problem.tasks):
        if task.weight != 1.0:
            raise ValueError(f"tasks[{t}].weight: {task.weight!r} is not 1, and files have no weights")
    for field in ("life_s", "samples"):
        if getattr(problem, field) is not None:
            raise ValueError(f"{field}: files of problems have none")
    network = problem.network
    ids = [node.id for node in network.nodes]
    columns = [getattr(network, name).tolist() for name in ("from_", "to", "rate_bps", "latency_s")]
    return {
        "format": PROBLEM_FORMAT,
        "version": 1,
        "name": problem.name,
        "nodes": [
            {"id": node.id, "flop_per_s": node.flop_per_s, "memory_bytes": node.memory_bytes}
            for node in network.nodes
        ],
        "links": [
            {"from": ids[a], "to": ids[b], "rate_bps": rate_bps, "latency_s": latency_s}
            for a, b, rate_bps, latency_s in zip(*columns)
        ],
        "services": [
            {
                "name": service.name,
                "flop": service.flop,
                "memory_bytes": service.memory_bytes,
                "cost": service.cost,
                "nodes": None if service.nodes is None else list(service.nodes),
            }
            for service in problem.services
        ],
        "tasks": [_task_dict(task) for task in problem.tasks],
        "limits": {
            "max_utilisation": problem.max_utilisation,
            "budget": problem.budget,
            "max_cost": problem.max_cost,
        },
        "objective": problem.objective,
    }


def _task_dict(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "rate_per_s": task.rate_per_s,
        "deviation_per_s": task.deviation_per_s,
        "source": task.source,
        "sink": task.sink,
        "stages": [
            {
                "service": stage.service,
                "inputs": [{"from": one.from_, "bytes": one.bytes} for one in stage.inputs],
            }
            for stage in task.stages
        ],
        "output_bytes": task.output_bytes,
        "deadline_s": task.deadline_s,
    }


def load_problem(path: str | os.PathLike[str]) -> Problem:
    """Read a `constellm.services-problem` file.

    Parameters
    ----------
    path : path-like
        From a name that ends in ``.gz`` it is read compressed.

    Returns
    -------
    Problem

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or as `problem_from_dict`; duplicate keys are refused.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=chain.nodes[0].id, sink=chain.nodes[1].id,
    ...                          stages=[stage])])
    >>> services.save_problem(problem, "one.json")
    >>> services.load_problem("one.json").tasks == problem.tasks
    True
    """
    return problem_from_dict(read_json(path))


def save_problem(problem: Problem, path: str | os.PathLike[str]) -> None:
    """Write `problem` as a `constellm.services-problem` file, in one step.

    Parameters
    ----------
    problem : Problem
        As `problem_to_dict` takes it.
    path : path-like
        Replaced where it exists.

    Raises
    ------
    OSError, ValueError, TypeError
        If the file cannot be written, or as `problem_to_dict`.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> services.save_problem(problem, "one.json")
    >>> services.load_problem("one.json").name
    'services'
    """
    write_json(problem_to_dict(problem), path)
