"""Random small problems of services, of every kind that the format and the package have."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

from constellm import services

from .services import Oracle


def random_problem(
    draw: random.Random, *, nodes: int = 5, services: int = 4, tasks: int = 3, most: int = 1000
) -> dict[str, Any]:
    """Small enough to be enumerated, of every kind that the format has; of `most` assignments."""
    while True:
        data = _any_problem(draw, nodes, services, tasks)
        if Oracle(data).size() <= most:
            return data


def _any_problem(draw: random.Random, nodes: int, services: int, tasks: int) -> dict[str, Any]:
    even = draw.random() < 0.35  # equal figures: many ways are equally quick
    n, of_services = draw.randint(2, nodes), [f"m{s}" for s in range(draw.randint(1, services))]
    ids = [f"n{v}" for v in range(n)]
    listed = [_node(draw, id, even) for id in ids]
    tight = draw.random()  # how much of the problems have to think
    data: dict[str, Any] = {
        "format": "constellm.services-problem",
        "version": 1,
        "name": "random",
        "nodes": listed,
        "links": _links(draw, ids, even),
        "services": [_service(draw, name, ids) for name in of_services],
        "tasks": [_task(draw, f"t{t}", ids, of_services, even, tight) for t in range(draw.randint(1, tasks))],
        "limits": {"max_utilisation": draw.choice([1.0, 0.9, 0.7])},
        "objective": draw.choice(["cost", "delay"]),
    }
    if draw.random() < 0.6:
        data["limits"]["budget"] = draw.choice([None, 0, 1, 2, 0.5, 1.5])
    if draw.random() < 0.15:
        data["limits"]["max_cost"] = draw.randint(3, 20)
    return data


def random_extended(draw: random.Random, **sizes: int) -> dict[str, Any]:
    """With what no file has: tasks that may be turned away, links that end, samples."""
    data = random_problem(draw, **sizes)
    if draw.random() < 0.5:
        data["objective"] = "admitted"
        for task in data["tasks"]:
            task["weight"] = draw.choice([0.0, 1.0, 1.0, 2.0, 3.5])
    if draw.random() < 0.5:
        data["life_s"] = [
            draw.choice([math.inf, draw.uniform(0.005, 0.6), draw.uniform(0.2, 2.0)]) for _ in data["links"]
        ]
    if draw.random() < 0.5:
        data["limits"]["budget"] = None
        for task in data["tasks"]:
            task["deviation_per_s"] = 0.0
        count = draw.randint(1, 6)
        data["samples"] = [
            [task["rate_per_s"] * draw.choice([1.0, draw.uniform(0.2, 2.5)]) for task in data["tasks"]]
            for _ in range(count)
        ]
        data["may_break"] = draw.randint(0, count // 2)
    return data


def _node(draw: random.Random, id: str, even: bool) -> dict[str, Any]:
    relay = draw.random() < 0.12
    speed = 1e12 if even else draw.uniform(0.7e12, 2.5e12)
    memory = draw.choice([0, 1e9, 2e9]) if even else draw.uniform(0.3e9, 4.5e9)
    return {"id": id, "flop_per_s": 0.0 if relay else speed, "memory_bytes": memory}


def _links(draw: random.Random, ids: list[str], even: bool) -> list[dict[str, Any]]:
    dense, slow = draw.uniform(0.35, 1.0), draw.random() < 0.3
    links = []
    for a, b in itertools.permutations(ids, 2):
        if draw.random() > dense:
            continue
        rate = draw.choice([1e9, 1e9, 5e8]) if even else draw.uniform(1e8, 1e9)
        latency = draw.choice([0.0, 0.01, 0.01, 0.02]) if even else draw.uniform(0.0, 0.02)
        links.append({"from": a, "to": b, "rate_bps": rate / (15.0 if slow else 1.0), "latency_s": latency})
    draw.shuffle(links)
    return links


def _service(draw: random.Random, name: str, ids: list[str]) -> dict[str, Any]:
    service = {
        "name": name,
        "flop": draw.choice([0.0, 1e11, draw.uniform(1e10, 4e11)]),
        "memory_bytes": draw.choice([0.0, 5e8, draw.uniform(1e8, 1.5e9)]),
        "cost": draw.choice([0, 1, draw.randint(1, 9), draw.randint(1, 9)]),
    }
    pick = draw.random()
    if pick < 0.25:
        service["nodes"] = sorted(draw.sample(ids, draw.randint(1, len(ids))))
    elif pick < 0.4:
        service["nodes"] = None
    return service


def _task(
    draw: random.Random, name: str, ids: list[str], services: list[str], even: bool, tight: float
) -> dict[str, Any]:
    count = draw.choice([1, 2, 2, 3])
    stages: list[dict[str, Any]] = []
    unfed = set()
    for k in range(count):
        froms = {draw.randrange(-1, k) for _ in range(draw.choice([1, 1, 2]))}
        if k == count - 1 and k > 0:
            froms = (froms if draw.random() < 0.3 else set()) | unfed
        froms = froms or {-1}
        unfed = (unfed - froms) | {k}
        inputs = [{"from": f, "bytes": _bytes(draw, even)} for f in sorted(froms)]
        if draw.random() < 0.1:
            inputs.append({"from": inputs[0]["from"], "bytes": _bytes(draw, even)})
        stages.append({"service": draw.choice(services), "inputs": inputs})
    task: dict[str, Any] = {
        "name": name,
        "rate_per_s": draw.choice([1.0, draw.uniform(0.2, 3.0)]),
        "source": draw.choice(ids),
        "sink": draw.choice(ids),
        "stages": stages,
    }
    if draw.random() < 0.7:
        task["output_bytes"] = _bytes(draw, even)
    if draw.random() < 0.6:
        task["deviation_per_s"] = draw.choice([0.0, draw.uniform(0.1, 2.0)])
    if draw.random() < tight:
        task["deadline_s"] = draw.choice([None, draw.uniform(0.1, 1.5), draw.uniform(0.4, 2.0)])
    return task


def _bytes(draw: random.Random, even: bool) -> float:
    return (
        draw.choice([0, 1e6, 1e6])
        if even
        else draw.choice([0.0, draw.uniform(1e4, 1e6), draw.uniform(1e6, 8e6)])
    )


# ---- as the package has them -------------------------------------------------------------------


def problem_of(data: dict) -> services.Problem:
    """With what no file has."""
    plain = {key: value for key, value in data.items() if key not in ("life_s", "samples", "may_break")}
    plain["tasks"] = [{k: v for k, v in task.items() if k != "weight"} for task in data["tasks"]]
    plain["objective"] = "cost"
    problem = services.problem_from_dict(plain)
    changes: dict = {"objective": data.get("objective", "cost")}
    if any("weight" in task for task in data["tasks"]):
        changes["tasks"] = [
            weighted(task, of.get("weight", 1.0)) for task, of in zip(problem.tasks, data["tasks"])
        ]
    if data.get("life_s") is not None:
        changes["life_s"] = data["life_s"]
    if data.get("samples") is not None:
        changes.update(samples=data["samples"], risk=data["may_break"] / len(data["samples"]))
    return problem.replace(**changes)


def weighted(task: services.Task, weight: float) -> services.Task:
    return services.Task(
        task.name,
        rate_per_s=task.rate_per_s,
        source=task.source,
        sink=task.sink,
        stages=task.stages,
        output_bytes=task.output_bytes,
        deviation_per_s=task.deviation_per_s,
        deadline_s=task.deadline_s,
        weight=weight,
    )


def random_data(seed: int) -> dict:
    """Every other one with what no file has."""
    return (random_extended if seed % 2 else random_problem)(random.Random(f"services {seed}"))


def random_assignment(oracle: Oracle, draw: random.Random) -> list[list[int]] | None:
    """Any of those that hosts allow; None where a service has no host."""
    made = []
    for task in oracle.data["tasks"]:
        if oracle.objective == "admitted" and draw.random() < 0.2:
            made.append([])
            continue
        hosts = [oracle.hosts(stage["service"]) for stage in task["stages"]]
        if not all(hosts):
            return None
        made.append([draw.choice(of) for of in hosts])
    return made


def placement_of(
    oracle: Oracle, assignment: list[list[int]], replicas: dict[str, list[int]]
) -> services.Placement:
    ids = [node["id"] for node in oracle.data["nodes"]]
    names = [task["name"] for task in oracle.data["tasks"]]
    return services.Placement(
        {name: [ids[v] for v in nodes] for name, nodes in replicas.items()},
        {name: [ids[v] for v in nodes] for name, nodes in zip(names, assignment)},
    )
