"""One problem placed stage by stage: what is decided, what may be next, and what it comes to so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._core import services as _core
from ..core.checks import instance, meant, short
from .arguments import texts, values_of
from .evaluation import Evaluation, evaluation_of
from .placement import Positions
from .problem import Problem, Task

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
        if guard not in GUARDS:
            known = ", ".join(map(repr, GUARDS))
            raise ValueError(f"guard: {short(guard)} is not one of {known}{meant(str(guard), GUARDS)}")
        self.problem, self.guard = problem, guard
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
                source = self._position(self.problem.tasks[t].source)
                self.inputs[t][to].append(Feed(-1, np.asarray(routes.seconds(e, source))))
                continue
            key = self.services[t][from_], size
            if key not in known:
                ways = known[key] = np.full((self.nodes, self.nodes), math.inf)
                for v in np.flatnonzero(self.can_host[key[0]]).tolist():
                    ways[v] = routes.seconds(e, v)
            if to < 0:
                self.out_s.append(known[key][:, self._position(self.problem.tasks[t].sink)])
            else:
                self.inputs[t][to].append(Feed(from_, known[key]))
                self.feeds[t][from_].append(Feed(to, known[key]))

    def _position(self, id: str) -> int:
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


class Choice(NamedTuple):
    """The next decision: of each node whether it may be, and what it would come to."""

    slot: Slot
    allowed: Flags
    is_new: Flags
    """Where a replica of the service would start."""
    begin_s: Floats
    """When the data is there, at least."""
    delay_s: Floats
    """Of the task, at least."""
    asked: Floats
    """(nodes, tasks) of each node, were the stage there [FLOP a request]."""
    grows: Floats
    """What the objective grows by, at least."""

    def by_rule(self) -> int:
        """The allowed node that lets the objective grow least, of equal ones the task's delay, then the first."""
        nodes = np.flatnonzero(self.allowed)
        return int(min(nodes.tolist(), key=lambda v: (self.grows[v], self.delay_s[v], v)))


class Episode:
    """A placement on its way; decisions in the order of its setting.

    A task for which no node is left is turned away: its stages are taken back. That is a plan where tasks may
    be turned away, and breaks a rule elsewhere.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.nodes = [[-1] * len(of) for of in setting.services]
        self.users = np.zeros(setting.can_host.shape, dtype=np.int64)
        self.asked = np.zeros((setting.nodes, setting.tasks))
        self.ready, self.rest = list(setting.ready), list(setting.rest)
        self.bound_s = setting.least_s.copy()
        self.turned_away = np.zeros(setting.tasks, dtype=bool)
        self.fits = np.array([setting.fits(s, self.ready[s.task], self.rest[s.task]) for s in setting.order])
        self.open = np.ones(len(setting.order), dtype=bool)
        self.decided = 0
        self.choice: Choice | None = None
        self.start = self.objective
        for t in np.flatnonzero(~setting.hopeful).tolist():
            self._turn_away(t)  # before it takes what others can use
        self._move_on()

    @property
    def done(self) -> bool:
        return self.choice is None

    @property
    def objective(self) -> float:
        """What it comes to at least with what is decided; at the end the evaluator has the last word."""
        of = self.setting
        if of.problem.objective == "cost":
            return float((of.cost * (self.users > 0).sum(axis=1)).sum())
        if of.problem.objective == "admitted":
            return float(of.weight[self.turned_away].sum())
        can = ~self.turned_away & np.isfinite(self.bound_s)
        return float((of.rate * self.bound_s)[can].sum() / of.rate[can].sum()) if can.any() else 0.0

    @property
    def unserved(self) -> int:
        """Tasks that were turned away though each has to be served."""
        return 0 if self.setting.problem.objective == "admitted" else int(self.turned_away.sum())

    @property
    def free_memory(self) -> Floats:
        """(nodes,) [B]"""
        return self.setting.room - self.setting.memory @ (self.users > 0)

    def decide(self, node: int) -> None:
        """Place the stage of `choice` on a node that it allows."""
        assert self.choice is not None and self.choice.allowed[node]
        t, k, s = self.choice.slot
        self.nodes[t][k] = node
        self.users[s, node] += 1
        self.asked[node, t] += self.setting.flop[s]
        self._renew(t)
        self.open[self.decided] = False
        self.decided += 1
        self._move_on()

    def positions(self) -> Positions:
        """Of what is decided, with those replicas alone that serve."""
        assignment = [[] if away else list(nodes) for away, nodes in zip(self.turned_away, self.nodes)]
        return Positions([np.flatnonzero(users).tolist() for users in self.users], assignment)

    def evaluation(self) -> Evaluation:
        return evaluation_of(self.setting.problem, self.positions())

    def feasible(self) -> bool:
        """Whether it is a plan."""
        problem = self.setting.problem
        return bool(_core.keeps_limits(problem._compiled, problem._routes, *self.positions()))

    # ---- one decision after another ------------------------------------------------------------

    def _renew(self, t: int) -> None:
        of = self.setting
        self.ready[t] = of.ready_s(t, self.nodes[t])
        self.rest[t] = of.rest_s(t, self.ready[t], self.nodes[t])
        self.bound_s[t] = max(self.bound_s[t], of.least(t, self.ready[t]))
        for i, slot in enumerate(of.order):
            if slot.task == t:
                self.fits[i] = of.fits(slot, self.ready[t], self.rest[t])

    def _move_on(self) -> None:
        """To the next stage of a task that is not turned away and has a node for it."""
        order = self.setting.order
        while self.decided < len(order):
            slot = order[self.decided]
            if not self.turned_away[slot.task]:
                self.choice = self._choice(slot)
                if self.choice.allowed.any():
                    return
                self._turn_away(slot.task)
            self.open[self.decided] = False
            self.decided += 1
        self.choice = None

    def _turn_away(self, t: int) -> None:
        for k, v in enumerate(self.nodes[t]):
            if v >= 0:
                self.users[self.setting.services[t][k], v] -= 1
        self.asked[:, t] = 0.0
        self.nodes[t] = [-1] * len(self.nodes[t])
        self.turned_away[t] = True
        for i, slot in enumerate(self.setting.order):
            if slot.task == t:
                self.open[i] = False

    def _choice(self, slot: Slot) -> Choice:
        of = self.setting
        t, k, s = slot
        is_new = self.users[s] == 0
        after = self.asked.copy()
        after[:, t] += of.flop[s]
        delay_s = np.maximum(self.bound_s[t], self.ready[t][k] + self.rest[t][k])
        allowed = self.fits[self.decided] & of.carries(self.asked, after)
        allowed &= ~is_new | (self.free_memory >= of.memory[s])
        if of.max_cost < math.inf:
            spent = (of.cost * (self.users > 0).sum(axis=1)).sum()
            allowed &= spent + of.cost[s] * is_new <= of.max_cost
        if of.judge is not None and sum(v < 0 for v in self.nodes[t]) == 1:
            for v in np.flatnonzero(allowed).tolist():
                allowed[v] = self._judged(slot, v)
        grows = np.zeros(of.nodes)
        if of.problem.objective == "cost":
            grows = of.cost[s] * is_new
        elif of.problem.objective == "delay":
            rates = float((of.rate * ~self.turned_away).sum())
            grows = of.rate[t] * (delay_s - self.bound_s[t]) / rates
        begin_s = np.full(of.nodes, math.inf)
        np.subtract(self.ready[t][k], of.compute_s[s], out=begin_s, where=of.can_host[s])
        return Choice(slot, allowed, is_new, begin_s, delay_s, after, grows)

    def _judged(self, slot: Slot, node: int) -> bool:
        """Whether the tasks that are whole with this stage keep the limits, those of links too."""
        judge = self.setting.judge
        assert judge is not None
        assignment = [list(of) if min(of) >= 0 else [] for of in self.nodes]
        assignment[slot.task] = [v if v >= 0 else node for v in self.nodes[slot.task]]
        replicas: list[set[int]] = [set() for _ in self.users]
        for of, nodes in zip(self.setting.services, assignment):
            for s, v in zip(of, nodes):
                replicas[s].add(v)
        serving = [sorted(nodes) for nodes in replicas]
        return bool(_core.keeps_limits(judge._compiled, judge._routes, serving, assignment))


def _only(values: Floats, node: int) -> Floats:
    kept = np.full_like(values, math.inf)
    kept[node] = values[node]
    return kept
