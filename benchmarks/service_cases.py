"""Placements of the benchmarks: services of large models on a grid of satellites, seeded, as dicts and
problems."""

from __future__ import annotations

import heapq
import random
from typing import NamedTuple

from constellm import services


class Case(NamedTuple):
    """Satellites in planes of equal size, services, tasks and what is asked of them."""

    name: str
    planes: int
    satellites_per_plane: int
    services: int
    tasks: int
    objective: str = "cost"
    slack: tuple[float, float] = (1.1, 1.6)
    """A deadline is the least delay of an empty network times a number from this range; of (1, 1): none."""
    speed: float = 1.0
    """Satellites of 1 to 3 TFLOP/s times this."""
    budget: float | None = 0.0
    """Of raised rates at once; None: all of them."""
    deviation: float = 0.4
    """Rates may rise by up to this share; drawn whatever the budget."""

    @property
    def nodes(self) -> int:
        return self.planes * self.satellites_per_plane


IRIDIUM = Case("66 satellites, 20 services, 10 tasks", 6, 11, 20, 10)
LARGER = Case("200 satellites, 20 services, 10 tasks", 10, 20, 20, 10)
LARGEST = Case("1,000 satellites, 20 services, 10 tasks", 25, 40, 20, 10)
CROWDED = Case("24 satellites, 12 services, 30 tasks", 4, 6, 12, 30, speed=2.0)
TIGHT = (1.03, 1.15)
WIDE = (1.3, 2.0)


def data_of(case: Case, seed: int) -> dict:
    """A file of the format, as a dict.

    A grid without links over the seam: planes are rings, and neighbours in adjacent planes see each other.
    Links have 1 to 10 Gbit/s and 5 to 15 ms, the same both ways; satellites 3 to 5 GB; services 0.4 to 2 GB,
    50 to 500 GFLOP and a whole cost of 1 to 10; tasks 3 to 6 stages, and two fifths of those with at least 4
    begin with two encoders that join.
    """
    draw = random.Random(seed)
    nodes = [
        {
            "id": f"s{v}",
            "flop_per_s": case.speed * draw.uniform(1e12, 3e12),
            "memory_bytes": draw.uniform(3e9, 5e9),
        }
        for v in range(case.nodes)
    ]
    links = grid_links(case, draw)
    offered = [
        {
            "name": f"m{s}",
            "flop": draw.uniform(50e9, 500e9),
            "memory_bytes": draw.uniform(0.4e9, 2e9),
            "cost": float(draw.randint(1, 10)),
        }
        for s in range(case.services)
    ]
    tasks = [task_of(case, draw, t) for t in range(case.tasks)]
    data = {
        "format": "constellm.services-problem",
        "version": 1,
        "name": f"{case.nodes}-{case.services}-{case.tasks}-{case.objective}-{seed}",
        "nodes": nodes,
        "links": links,
        "services": offered,
        "tasks": tasks,
        "limits": {"max_utilisation": 0.9, "budget": case.budget},
        "objective": case.objective,
    }
    for task in tasks:
        slack = draw.uniform(*case.slack)
        if case.slack != (1, 1):
            task["deadline_s"] = slack * least_delay_s(data, task)
    return data


def problem_of(case: Case, seed: int) -> services.Problem:
    """The same as a problem."""
    return services.problem_from_dict(data_of(case, seed))


def grid_links(case: Case, draw: random.Random) -> list[dict]:
    """Both directions of each link."""
    size = case.satellites_per_plane
    pairs = [(p * size + i, p * size + (i + 1) % size) for p in range(case.planes) for i in range(size)]
    pairs += [(p * size + i, (p + 1) * size + i) for p in range(case.planes - 1) for i in range(size)]
    links = []
    for u, v in pairs:
        terms = {"rate_bps": draw.uniform(1e9, 10e9), "latency_s": draw.uniform(0.005, 0.015)}
        links += [{"from": f"s{u}", "to": f"s{v}", **terms}, {"from": f"s{v}", "to": f"s{u}", **terms}]
    return links


def task_of(case: Case, draw: random.Random, number: int) -> dict:
    """Without a deadline."""
    count = draw.randint(3, 6)
    joins = count >= 4 and draw.random() < 0.4
    stages = []
    for k in range(count):
        froms = [-1] if k == 0 or (joins and k == 1) else [0, 1] if joins and k == 2 else [k - 1]
        inputs = [{"from": k0, "bytes": size_bytes(draw)} for k0 in froms]
        stages.append({"service": f"m{draw.randrange(case.services)}", "inputs": inputs})
    rate_per_s = draw.uniform(0.5, 2.0)
    return {
        "name": f"t{number}",
        "rate_per_s": rate_per_s,
        "deviation_per_s": draw.uniform(0.0, case.deviation) * rate_per_s,
        "source": f"s{draw.randrange(case.nodes)}",
        "sink": f"s{draw.randrange(case.nodes)}",
        "stages": stages,
        "output_bytes": size_bytes(draw),
    }


def size_bytes(draw: random.Random) -> float:
    """From 10 kB to 10 MB, even in the logarithm."""
    return float(round(10 ** draw.uniform(4, 7)))


def least_delay_s(data: dict, task: dict) -> float:
    """Of a task alone on an empty network: each stage on every node at its earliest."""
    position = {node["id"]: v for v, node in enumerate(data["nodes"])}
    flop = {service["name"]: service["flop"] for service in data["services"]}
    out: list[list[tuple[int, dict]]] = [[] for _ in position]
    for link in data["links"]:
        out[position[link["from"]]].append((position[link["to"]], link))
    start = [float("inf")] * len(position)
    start[position[task["source"]]] = 0.0
    ends: list[list[float]] = []
    for stage in task["stages"]:
        came = [
            arrivals(out, start if i["from"] < 0 else ends[i["from"]], i["bytes"]) for i in stage["inputs"]
        ]
        ends.append(
            [
                max(times) + flop[stage["service"]] / node["flop_per_s"]
                for times, node in zip(zip(*came), data["nodes"])
            ]
        )
    return arrivals(out, ends[-1], task["output_bytes"])[position[task["sink"]]]


def arrivals(out: list[list[tuple[int, dict]]], start: list[float], size: float) -> list[float]:
    """When data that may leave every node from its time in `start` on is at every node, at the earliest."""
    times = list(start)
    heap = [(time, v) for v, time in enumerate(times)]
    heapq.heapify(heap)
    while heap:
        time, v = heapq.heappop(heap)
        if time > times[v]:
            continue
        for w, link in out[v]:
            later = time + link["latency_s"] + 8.0 * size / link["rate_bps"]
            if later < times[w]:
                times[w] = later
                heapq.heappush(heap, (later, w))
    return times
