"""Services over a network from the text of the format alone: plain Python, nothing of the package.

Problems are the dictionaries of `constellm.services-problem` files, with three entries more that no file has:
``life_s`` (by link), ``samples`` and ``may_break``; a task may have a ``weight``.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

ROOM = 1.0 + 1e-9

Route = tuple[float, tuple[int, ...]]
"""Seconds, and positions of nodes."""


class Oracle:
    """What a problem says, by positions."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.place = {node["id"]: v for v, node in enumerate(data["nodes"])}
        self.link = {(self.place[a["from"]], self.place[a["to"]]): i for i, a in enumerate(data["links"])}
        self.service = {service["name"]: service for service in data["services"]}
        limits = data.get("limits", {})
        self.utilisation = limits.get("max_utilisation", 1.0)
        self.budget = limits.get("budget")
        self.max_cost = limits.get("max_cost")
        self.objective = data.get("objective", "cost")
        self.known: dict[tuple[float, int], dict[int, Route]] = {}
        self.of_tasks: dict[tuple[int, tuple[int, ...]], dict[str, Any] | None] = {}

    def hosts(self, name: str) -> list[int]:
        nodes = self.service[name].get("nodes")
        allowed = range(len(self.place)) if nodes is None else sorted(self.place[id] for id in nodes)
        return [v for v in allowed if self.data["nodes"][v]["flop_per_s"] > 0]

    def hop_s(self, a: int, b: int, size: float) -> float:
        link = self.data["links"][self.link[a, b]]
        return link["latency_s"] + 8.0 * size / link["rate_bps"]

    def life_s(self, a: int, b: int) -> float:
        lives = self.data.get("life_s")
        return math.inf if lives is None else lives[self.link[a, b]] * ROOM

    def routes(self, size: float, origin: int) -> dict[int, Route]:
        """Of all simple paths the quickest, then shortest, then first: by looking at every one of them."""
        if (size, origin) not in self.known:
            best: dict[int, tuple[float, int, tuple[int, ...]]] = {origin: (0.0, 0, (origin,))}
            stack: list[tuple[float, tuple[int, ...]]] = [(0.0, (origin,))]
            while stack:
                seconds, path = stack.pop()
                for a, b in self.link:
                    if a != path[-1] or b in path or self.hop_s(a, b, size) > self.life_s(a, b):
                        continue
                    there = (seconds + self.hop_s(a, b, size), len(path), (*path, b))
                    if b not in best or there < best[b]:
                        best[b] = there
                    stack.append((there[0], there[2]))
            self.known[size, origin] = {v: (way[0], way[2]) for v, way in best.items()}
        return self.known[size, origin]

    def transfers(self, task: dict[str, Any], nodes: list[int]) -> list[tuple[int, int, int, int, float]]:
        """From stage, to stage (-1: source, sink), from node, to node, bytes."""
        source, sink = self.place[task["source"]], self.place[task["sink"]]
        found = []
        for k, stage in enumerate(task["stages"]):
            for one in stage["inputs"]:
                start = source if one["from"] < 0 else nodes[one["from"]]
                found.append((one["from"], k, start, nodes[k], float(one["bytes"])))
        last = len(nodes) - 1
        return [*found, (last, -1, nodes[last], sink, float(task.get("output_bytes", 0.0)))]

    def task_terms(self, task: dict[str, Any], nodes: list[int]) -> dict[str, Any] | None:
        """Delay, what a request asks of nodes and links, whether links live; None without a way."""
        end_s = [0.0] * len(nodes)
        arrived = [0.0] * len(nodes)
        flop: dict[int, float] = {}
        bits: dict[tuple[int, int], float] = {}
        alive, done, delay_s = True, 0, 0.0
        for from_, to, start, goal, size in self.transfers(task, nodes):
            while done < (to if to >= 0 else len(nodes)):  # stages whose inputs have all been seen
                work = self.service[task["stages"][done]["service"]]["flop"]
                end_s[done] = arrived[done] + work / self.data["nodes"][nodes[done]]["flop_per_s"]
                flop[nodes[done]] = flop.get(nodes[done], 0.0) + work
                done += 1
            route = self.routes(size, start).get(goal)
            if route is None:
                return None
            begin_s = 0.0 if from_ < 0 else end_s[from_]
            on_way_s = 0.0
            for a, b in zip(route[1], route[1][1:]):
                on_way_s += self.hop_s(a, b, size)
                alive &= begin_s + on_way_s <= self.life_s(a, b)
                bits[a, b] = bits.get((a, b), 0.0) + 8.0 * size
            if to >= 0:
                arrived[to] = max(arrived[to], begin_s + route[0])
            else:
                delay_s = begin_s + route[0]
        return {"delay_s": delay_s, "flop": flop, "bits": bits, "alive": alive}

    def worst(self, shares: dict[int, float]) -> float:
        """The worst case over the corners of the demand set, each tried (fractions last)."""
        tasks = self.data["tasks"]
        if self.data.get("samples") is not None:
            return max(sum(rates[t] * share for t, share in shares.items()) for rates in self.data["samples"])
        nominal = sum(tasks[t]["rate_per_s"] * share for t, share in shares.items())
        raises = [tasks[t].get("deviation_per_s", 0.0) * share for t, share in shares.items()]
        if self.budget is None or self.budget >= len(raises):
            return nominal + sum(raises)
        whole = int(self.budget)
        most = 0.0
        for chosen in itertools.combinations(range(len(raises)), whole):
            rest = [raises[i] for i in range(len(raises)) if i not in chosen]
            part = (self.budget - whole) * max(rest, default=0.0)
            most = max(most, sum(raises[i] for i in chosen) + part)
        return nominal + most

    def terms(self, assignment: list[list[int]], replicas: dict[str, list[int]]) -> dict[str, Any] | None:
        """All that a placement comes to; None where it cannot be."""
        tasks, nodes = self.data["tasks"], self.data["nodes"]
        cost, memory = 0.0, [0.0] * len(nodes)
        for name, places in replicas.items():
            cost += self.service[name]["cost"] * len(places)
            for v in places:
                memory[v] += self.service[name]["memory_bytes"]
        of_nodes: list[dict[int, float]] = [{} for _ in nodes]
        of_links: list[dict[int, float]] = [{} for _ in self.link]
        delays, alive, rejected = [], True, 0.0
        for t, (task, places) in enumerate(zip(tasks, assignment)):
            if not places:
                delays.append(math.nan)
                rejected += task.get("weight", 1.0)
                continue
            key = (t, tuple(places))
            if key not in self.of_tasks:
                self.of_tasks[key] = self.task_terms(task, places)
            found = self.of_tasks[key]
            if found is None:
                return None
            delays.append(found["delay_s"])
            alive &= found["alive"]
            for v, amount in found["flop"].items():
                of_nodes[v][t] = amount
            for ends, amount in found["bits"].items():
                of_links[self.link[ends]][t] = amount
        admitted = [t for t, places in enumerate(assignment) if places]
        rates = sum(tasks[t]["rate_per_s"] for t in admitted)
        mean = sum(tasks[t]["rate_per_s"] * delays[t] for t in admitted) / rates if admitted else 0.0
        return {
            "cost": cost,
            "delay_s": mean,
            "rejected_weight": rejected,
            "task_delay_s": delays,
            "node_load": [self.worst(shares) for shares in of_nodes],
            "link_load": [self.worst(shares) for shares in of_links],
            "memory": memory,
            "alive": alive,
            "broken_samples": self.broken_samples(of_nodes, of_links),
        }

    def capacity(self) -> tuple[list[float], list[float]]:
        return (
            [self.utilisation * node["flop_per_s"] * ROOM for node in self.data["nodes"]],
            [self.utilisation * link["rate_bps"] * ROOM for link in self.data["links"]],
        )

    def broken_samples(self, of_nodes: list[dict[int, float]], of_links: list[dict[int, float]]) -> int:
        shares = [*zip(of_nodes, self.capacity()[0]), *zip(of_links, self.capacity()[1])]
        return sum(
            any(sum(rates[t] * amount for t, amount in of.items()) > most for of, most in shares)
            for rates in self.data.get("samples") or ()
        )

    def allowed(self, terms: dict[str, Any] | None) -> bool:
        if terms is None or not terms["alive"]:
            return False
        nodes, links = self.capacity()
        loads = [*zip(terms["node_load"], nodes), *zip(terms["link_load"], links)]
        if self.data.get("samples") is not None:
            if terms["broken_samples"] > self.data.get("may_break", 0):
                return False
        elif any(load > most for load, most in loads):
            return False
        if any(m > node["memory_bytes"] * ROOM for m, node in zip(terms["memory"], self.data["nodes"])):
            return False
        if self.max_cost is not None and terms["cost"] > self.max_cost * ROOM:
            return False
        if self.objective != "admitted" and terms["rejected_weight"] > 0:
            return False
        return not any(
            task.get("deadline_s") is not None and delay > task["deadline_s"] * ROOM
            for task, delay in zip(self.data["tasks"], terms["task_delay_s"])
        )

    def rank(self, terms: dict[str, Any]) -> tuple[float, float]:
        """What is minimised, first and second."""
        if self.objective == "cost":
            return terms["cost"], terms["delay_s"]
        return terms["delay_s" if self.objective == "delay" else "rejected_weight"], terms["cost"]

    def choices(self, task: dict[str, Any]) -> list[list[int]]:
        """Of those that can be, alone and in time."""
        limit_s = (task.get("deadline_s") or math.inf) * ROOM
        made = []
        for places in itertools.product(*(self.hosts(s["service"]) for s in task["stages"])):
            found = self.task_terms(task, list(places))
            if found is not None and found["alive"] and found["delay_s"] <= limit_s:
                made.append(list(places))
        return [*made, []] if self.objective == "admitted" else made

    def size(self) -> int:
        """How many assignments there are, whatever they come to."""
        stages = [stage for task in self.data["tasks"] for stage in task["stages"]]
        return math.prod(len(self.hosts(stage["service"])) for stage in stages)

    def serving(self, assignment: list[list[int]]) -> dict[str, list[int]]:
        found: dict[str, set[int]] = {name: set() for name in self.service}
        for task, places in zip(self.data["tasks"], assignment):
            for stage, v in zip(task["stages"], places):
                found[stage["service"]].add(v)
        return {name: sorted(places) for name, places in found.items()}

    def best(self) -> tuple[tuple[float, float], list[list[int]]] | None:
        """The least, and a placement that has it: every assignment is tried; None: none is allowed."""
        best: tuple[tuple[float, float], list[list[int]]] | None = None
        for chosen in itertools.product(*(self.choices(task) for task in self.data["tasks"])):
            assignment = list(chosen)
            terms = self.terms(assignment, self.serving(assignment))
            if not self.allowed(terms):
                continue
            assert terms is not None
            first, second = self.rank(terms)
            if best is not None:
                tie = abs(first - best[0][0]) <= 1e-12 * max(abs(first), abs(best[0][0]))
                if (second >= best[0][1]) if tie else (first > best[0][0]):
                    continue
            best = ((first, second), assignment)
        return best


def enumerated(data: dict[str, Any]) -> tuple[tuple[float, float], dict[str, list[str]]] | None:
    """Both terms of the best placement and its assignment by names; None: the problem is infeasible."""
    found = Oracle(data).best()
    if found is None:
        return None
    ids = [node["id"] for node in data["nodes"]]
    names = [task["name"] for task in data["tasks"]]
    return found[0], {name: [ids[v] for v in nodes] for name, nodes in zip(names, found[1])}
