"""A problem as arrays, for episodes that place it stage by stage: ways, loads, the order of decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.checks import instance, short
from ..arguments import named, texts, values_of
from ..problem import Problem
from ..tasks import Task

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

GUARDS = {
    "worst": "no node is chosen that is overloaded in the worst case of the demand set",
    "nominal": "no node is chosen that is overloaded by nominal rates",
}
"""Which demand a choice has to withstand."""


class Slot(NamedTuple):
    """A stage that is to be placed."""

    task: int
    stage: int
    service: int


class Feed(NamedTuple):
    """A transfer of a task between two of its stages, or from its source (`stage` -1)."""

    stage: int
    seconds: Floats
    """(nodes,) from the source, (nodes, nodes) from a stage; infinite where it cannot be."""


class Setting:
    """A problem as arrays: made once for all episodes that place it."""

    def __init__(self, problem: Problem, *, core: Sequence[str] | None = None, guard: str = "worst") -> None:
        instance("problem", problem, Problem)
        self.problem, self.guard = problem, named("guard", guard, GUARDS)
        compiled = problem._compiled
        self.nodes, self.tasks = len(problem.network.nodes), len(problem.tasks)
        self.place = {service.name: s for s, service in enumerate(problem.services)}
        speed = np.array([node.flop_per_s for node in problem.network.nodes])
        self.can_host = np.zeros((len(problem.services), self.nodes), dtype=bool)
        for s, nodes in enumerate(compiled.hosts):
            self.can_host[s, nodes] = True
        self.flop = np.array([service.flop for service in problem.services])
        self.memory = np.array([service.memory_bytes for service in problem.services])
        self.cost = np.array([service.cost for service in problem.services])
        with np.errstate(divide="ignore", invalid="ignore"):
            self.compute_s = np.where(self.can_host, self.flop[:, None] / speed, math.inf)
        limits = compiled.limits()
        self.capacity, self.link_capacity, self.room, self.deadline_s = map(np.asarray, limits[:4])
        self.max_cost = float(limits[4])
        self.rate = np.array([task.rate_per_s for task in problem.tasks])
        self.deviation = np.array([task.deviation_per_s for task in problem.tasks])
        self.weight = np.array([task.weight for task in problem.tasks])
        self.budget = math.inf if problem.budget is None else problem.budget
        self.services = [[self.place[stage.service] for stage in task.stages] for task in problem.tasks]
        self._connect(compiled.transfers)
        self.ready = [self.ready_s(t) for t in range(self.tasks)]
        self.rest = [self.rest_s(t, self.ready[t]) for t in range(self.tasks)]
        self.least_s = np.array([self.least(t, self.ready[t]) for t in range(self.tasks)])
        self.hopeful = np.isfinite(self.least_s) & (self.least_s <= self.deadline_s)
        self.core = self._core_services(core)
        self.order = self._order()

    # ---- ways ----------------------------------------------------------------------------------

    def _connect(self, transfers: Sequence[tuple[int, int, int, float]]) -> None:
        """Of each task and stage what it waits for, and what waits for it."""
        self.inputs: list[list[list[Feed]]] = [[[] for _ in of] for of in self.services]
        self.feeds: list[list[list[Feed]]] = [[[] for _ in of] for of in self.services]
        self.out_s: list[Floats] = []
        known: dict[tuple[int, float], Floats] = {}
        routes = self.problem._routes
        for e, (t, from_, to, size) in enumerate(transfers):
            if from_ < 0:
                source = self.position(self.problem.tasks[t].source)
                self.inputs[t][to].append(Feed(-1, np.asarray(routes.seconds(e, source))))
                continue
            key = self.services[t][from_], size
            if key not in known:
                ways = known[key] = np.full((self.nodes, self.nodes), math.inf)
                for v in np.flatnonzero(self.can_host[key[0]]).tolist():
                    ways[v] = routes.seconds(e, v)
            if to < 0:
                self.out_s.append(known[key][:, self.position(self.problem.tasks[t].sink)])
            else:
                self.inputs[t][to].append(Feed(from_, known[key]))
                self.feeds[t][from_].append(Feed(to, known[key]))

    def position(self, id: str) -> int:
        return self._positions[id]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {node.id: v for v, node in enumerate(self.problem.network.nodes)}

    def ready_s(self, t: int, nodes: Sequence[int] | None = None) -> Floats:
        """(stages, nodes) when each stage can be over on each node at the earliest; placed ones only where
        they are. `nodes` has -1 for those that are not."""
        ready = np.empty((len(self.services[t]), self.nodes))
        for k, s in enumerate(self.services[t]):
            begin = np.zeros(self.nodes)
            for stage, seconds in self.inputs[t][k]:
                if stage < 0:
                    came = seconds
                elif nodes is not None and nodes[stage] >= 0:
                    came = ready[stage, nodes[stage]] + seconds[nodes[stage]]
                else:
                    came = (ready[stage][:, None] + seconds).min(axis=0)
                np.maximum(begin, came, out=begin)
            ready[k] = begin + self.compute_s[s]
            if nodes is not None and nodes[k] >= 0:
                ready[k] = _only(ready[k], nodes[k])
        return ready

    def rest_s(self, t: int, ready: Floats, nodes: Sequence[int] | None = None) -> Floats:
        """(stages, nodes) what it takes from the end of each stage to the sink at least."""
        rest = np.empty_like(ready)
        rest[-1] = self.out_s[t]
        for k in range(len(ready) - 2, -1, -1):
            rest[k] = 0.0
            for stage, seconds in self.feeds[t][k]:
                then = self.compute_s[self.services[t][stage]] + rest[stage]
                if nodes is not None and nodes[stage] >= 0:
                    way = seconds[:, nodes[stage]] + then[nodes[stage]]
                else:
                    way = (seconds + then).min(axis=1)
                np.maximum(rest[k], way, out=rest[k])
        return rest

    def least(self, t: int, ready: Floats) -> float:
        """What a task takes at least."""
        return float((ready[-1] + self.out_s[t]).min())

    # ---- the order of decisions ----------------------------------------------------------------

    def _core_services(self, names: Sequence[str] | None) -> frozenset[int]:
        if names is None:
            users = [{t for t, of in enumerate(self.services) if s in of} for s in range(len(self.place))]
            return frozenset(s for s, tasks in enumerate(users) if len(tasks) > 1)
        for i, name in enumerate(texts("core", names)):
            if name not in self.place:
                raise ValueError(f"core[{i}]: {short(name)} is not the name of a service")
        return frozenset(self.place[name] for name in names)

    def _order(self) -> list[Slot]:
        """Core services first. For delay along the tasks; else by service, the dearest first, of its stages
        those that fewest nodes can serve first."""
        slots = [Slot(t, k, s) for t, of in enumerate(self.services) for k, s in enumerate(of)]

        def key(slot: Slot) -> tuple[Any, ...]:
            light = slot.service not in self.core
            if self.problem.objective == "delay":
                return light, slot.task, slot.stage
            fits = int(self.fits(slot, self.ready[slot.task], self.rest[slot.task]).sum())
            return light, -self.cost[slot.service], slot.service, fits, slot.task, slot.stage

        return sorted(slots, key=key)

    def fits(self, slot: Slot, ready: Floats, rest: Floats) -> Flags:
        """(nodes,) where a stage can be within its task's deadline."""
        delay_s = ready[slot.stage] + rest[slot.stage]
        return (delay_s <= self.deadline_s[slot.task]) & np.isfinite(delay_s)

    # ---- loads ---------------------------------------------------------------------------------

    def nominal(self, asked: Floats) -> Floats:
        """(nodes,) load by nominal rates of what a request of each task asks of each node, (nodes, tasks)."""
        return asked @ self.rate

    def worst(self, asked: Floats) -> Floats:
        """(nodes,) the same in the worst case of the demand set, of samples in the largest."""
        if self.problem.samples is not None:
            return (asked @ self.problem.samples.T).max(axis=1)
        raises = asked * self.deviation
        if self.budget >= self.tasks:
            return self.nominal(asked) + raises.sum(axis=1)
        raises = -np.sort(-raises, axis=1)
        whole = int(self.budget)
        most = raises[:, :whole].sum(axis=1) + (self.budget - whole) * raises[:, whole]
        return self.nominal(asked) + most

    def carries(self, asked: Floats, after: Floats) -> Flags:
        """(nodes,) where `after` is no overload, in place of that node's part of `asked`."""
        if self.guard == "nominal":
            return self.nominal(after) <= self.capacity
        if self.problem.samples is None:
            return self.worst(after) <= self.capacity
        broken = ((asked @ self.problem.samples.T) > self.capacity[:, None]).any(axis=0)
        more = (after @ self.problem.samples.T) > self.capacity[:, None]
        return (broken | more).sum(axis=1) <= self.problem.may_break

    @cached_property
    def judge(self) -> Problem | None:
        """The problem that whole tasks are held against, by the evaluator, where links can refuse them."""
        problem = self.problem
        bits = np.zeros(self.tasks)
        for t, _, _, size in problem._compiled.transfers:
            bits[t] += 8.0 * size
        most = self.rate + self.deviation if problem.samples is None else problem.samples
        may_bind = bool(self.link_capacity.size) and bool((most @ bits).max() > self.link_capacity.min())
        if not may_bind and problem.life_s is None and (problem.samples is None or self.guard == "nominal"):
            return None
        if self.guard == "nominal":
            problem = nominal_problem(problem)
        return problem.replace(objective="admitted", max_cost=None)


def scale_of(setting: Setting) -> float:
    """What an objective is divided by: of cost a replica of each service that is used; of delay the least
    mean of an empty network; of tasks turned away the weight of all."""
    if setting.problem.objective == "cost":
        scale = sum(setting.cost[s] for s in {s for of in setting.services for s in of})
    elif setting.problem.objective == "delay":
        least_s = np.where(np.isfinite(setting.least_s), setting.least_s, 0.0)
        scale = (setting.rate * least_s).sum() / setting.rate.sum()
    else:
        scale = setting.weight.sum()
    return float(scale) if math.isfinite(scale) and scale > 0.0 else 1.0


def nominal_problem(problem: Problem) -> Problem:
    """The problem as if its nominal rates were certain: no deviations, no samples.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    Problem

    Raises
    ------
    TypeError
        For what is no problem.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, deviation_per_s=1.0, source=a, sink=b,
    ...                          stages=[services.Stage("encoder", [services.Input(bytes=6e5)])])])
    >>> services.nominal_problem(problem).tasks[0].deviation_per_s
    0.0
    """
    instance("problem", problem, Problem)
    tasks = [Task(**{**values_of(task), "deviation_per_s": 0.0}) for task in problem.tasks]
    return problem.replace(tasks=tasks, samples=None, risk=0.0)


def _only(values: Floats, node: int) -> Floats:
    kept = np.full_like(values, math.inf)
    kept[node] = values[node]
    return kept
