"""A problem as arrays: what the mixed-integer programme is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..problem import Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

ROUNDING = 1e-11
"""Relative room of a bound that was summed in another order than the evaluator sums."""

LIMIT_ROOM = 1.0 + 1e-9
"""What the core gives every limit once."""

ENDPOINT = -1


@dataclass(frozen=True, eq=False)
class Instance:
    """Slots are the stages of all tasks, one after the other; limits have their room already."""

    problem: Problem
    compiled: Any
    routes: Any
    objective: str
    # nodes and links
    node_capacity_flop_per_s: Floats
    memory_limit_bytes: Floats
    link_from: Ints
    link_to: Ints
    link_latency_s: Floats
    link_rate_bps: Floats
    link_capacity_bps: Floats
    life_s: Floats | None
    # services
    service_flop: Floats
    service_memory_bytes: Floats
    service_cost: Floats
    hosts: Mask
    """[services, nodes]"""
    # tasks
    rate_per_s: Floats
    deviation_per_s: Floats
    weight: Floats
    source: Ints
    sink: Ints
    deadline_s: Floats
    budget: float
    cost_limit: float
    samples: Floats | None
    may_break: int
    # slots
    first_slot: Ints
    """[tasks + 1]"""
    slot_task: Ints
    slot_service: Ints
    compute_s: Floats
    """[slots, nodes]; infinite where nothing computes"""
    # transfers, of each task by the stage they go to, the way to the sink last
    transfer_task: Ints
    transfer_from: Ints
    """slot, or ENDPOINT for the source"""
    transfer_to: Ints
    """slot, or ENDPOINT for the sink"""
    transfer_bytes: Floats
    _latest: dict[tuple[int, int], Floats] = field(default_factory=dict, init=False, repr=False)
    """What `latest_start` found, by transfer and origin."""

    @property
    def nodes(self) -> int:
        return len(self.memory_limit_bytes)

    @property
    def links(self) -> int:
        return len(self.link_from)

    @property
    def slots(self) -> int:
        return len(self.slot_task)

    @property
    def tasks(self) -> int:
        return len(self.rate_per_s)

    @property
    def services(self) -> int:
        return len(self.service_cost)

    def slots_of(self, task: int) -> range:
        return range(int(self.first_slot[task]), int(self.first_slot[task + 1]))

    def inputs_of(self, slot: int) -> list[int]:
        """Transfers that a slot waits for."""
        return np.flatnonzero(self.transfer_to == slot).tolist()

    def outputs_of(self, slot: int) -> list[int]:
        """Transfers that begin there, the way to the sink among them."""
        return np.flatnonzero(self.transfer_from == slot).tolist()

    def hosts_of(self, slot: int) -> Mask:
        """[nodes] that may serve it, whatever the limits."""
        return self.hosts[self.slot_service[slot]]

    def way_out(self, task: int) -> int:
        """The transfer to the sink."""
        return int(np.flatnonzero((self.transfer_task == task) & (self.transfer_to == ENDPOINT))[0])

    def origin_seconds(self, transfer: int, origin: int) -> Floats:
        """[nodes]"""
        return self.routes.seconds(transfer, origin)

    def seconds(self, transfer: int, origins: Mask) -> Floats:
        """[nodes, nodes] from every one of the origins; infinite from others."""
        table = np.full((self.nodes, self.nodes), np.inf)
        for u in np.flatnonzero(origins).tolist():
            table[u] = self.routes.seconds(transfer, u)
        return table

    def route(self, transfer: int, origin: int, target: int) -> list[int]:
        """Its links in the order of travel."""
        return list(self.routes.links(transfer, origin, target))

    def link_seconds(self, transfer: int) -> Floats:
        """[links]; infinite where the link does not live as long."""
        seconds = self.link_latency_s + 8.0 * self.transfer_bytes[transfer] / self.link_rate_bps
        if self.life_s is not None:
            seconds = np.where(seconds > self.life_s, np.inf, seconds)
        return seconds

    def latest_start(self, transfer: int, origin: int, targets: Ints) -> Floats:
        """[targets] when a transfer may begin at the latest, so that it leaves each link in its life; with
        room."""
        assert self.life_s is not None
        known = self._latest.setdefault((transfer, origin), np.full(self.nodes, np.nan))
        missing = targets[np.isnan(known[targets])]
        if len(missing):
            known[missing] = self._latest_start(transfer, origin, missing)
        return known[targets]

    def _latest_start(self, transfer: int, origin: int, targets: Ints) -> Floats:
        assert self.life_s is not None
        seconds = self.link_seconds(transfer)
        reached = np.isfinite(self.origin_seconds(transfer, origin))
        latest = np.full(len(targets), np.inf)
        for i, v in enumerate(targets.tolist()):
            links = self.route(transfer, origin, v) if reached[v] and v != origin else []
            if links:
                life = self.life_s[links]
                latest[i] = np.min(life * (1 + ROUNDING) - np.cumsum(seconds[links]))
        return latest


def worst_rates(instance: Instance) -> Floats:
    """[tasks] what a task alone can come to."""
    if instance.samples is not None:
        return instance.rate_per_s
    return instance.rate_per_s + min(1.0, instance.budget) * instance.deviation_per_s


def worst_load(instance: Instance, load: Floats) -> float:
    """Of [tasks] loads a request, in the worst case of the demand set; samples are not looked at."""
    if instance.samples is not None:
        return 0.0
    raised = np.sort(instance.deviation_per_s * load)[::-1]
    taken = np.clip(instance.budget - np.arange(len(raised)), 0.0, 1.0)
    return float(instance.rate_per_s @ load + raised @ taken)


def load_limit_of_one(instance: Instance, load: Floats, task: int, capacity: Floats) -> Mask:
    """Where a load a request [slots or nodes] of one task fits alone, whatever else is there."""
    if instance.samples is None:
        return load * worst_rates(instance)[task] <= capacity * (1 + ROUNDING)
    rates = np.sort(instance.samples[:, task])[::-1]
    rate = rates[instance.may_break] if instance.may_break < len(rates) else 0.0
    return load * rate <= capacity * (1 + ROUNDING)


def is_box(instance: Instance) -> bool:
    """Whether all may have their raised rates at once."""
    return bool(instance.budget >= np.count_nonzero(instance.deviation_per_s))


def cost_unit(instance: Instance) -> float:
    """All costs are whole multiples of it; 0 where none was found."""
    return common_unit(instance.service_cost)


def weight_unit(instance: Instance) -> float:
    """All weights are whole multiples of it; 0 where none was found."""
    return common_unit(instance.weight)


def common_unit(values: Floats) -> float:
    """Of numbers whose sums are exact."""
    some = values[values > 0].tolist()
    if not some or any(value != round(value) for value in some) or sum(some) * 1e4 > 2**53:
        return 0.0
    return float(math.gcd(*(int(value) for value in some)))


def instance_of(problem: Problem) -> Instance:
    """What the programme reads of it."""
    compiled, routes, graph = problem._compiled, problem._routes, problem.network
    place = {node.id: v for v, node in enumerate(graph.nodes)}
    service = {each.name: s for s, each in enumerate(problem.services)}
    stages = [stage for task in problem.tasks for stage in task.stages]
    counts = [len(task.stages) for task in problem.tasks]
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    node_limit, link_limit, memory_limit, deadline, cost_limit = compiled.limits()
    hosts = np.zeros((len(problem.services), len(place)), dtype=bool)
    for s, nodes in enumerate(compiled.hosts):
        hosts[s, nodes] = True
    slot_service = np.array([service[stage.service] for stage in stages], dtype=np.int64)
    flop = floats(each.flop for each in problem.services)
    speed = floats(node.flop_per_s for node in graph.nodes)
    with np.errstate(divide="ignore", invalid="ignore"):
        compute = np.where(speed > 0, flop[slot_service][:, None] / speed[None, :], np.inf)
    transfers = compiled.transfers
    task_of = np.array([transfer[0] for transfer in transfers], dtype=np.int64)

    def slot(task: int, stage: int) -> int:
        return ENDPOINT if stage < 0 else int(first[task]) + stage

    return Instance(
        problem=problem,
        compiled=compiled,
        routes=routes,
        objective=problem.objective,
        node_capacity_flop_per_s=np.array(node_limit),
        memory_limit_bytes=np.array(memory_limit),
        link_from=np.asarray(graph.from_, dtype=np.int64),
        link_to=np.asarray(graph.to, dtype=np.int64),
        link_latency_s=np.asarray(graph.latency_s, dtype=float),
        link_rate_bps=np.asarray(graph.rate_bps, dtype=float),
        link_capacity_bps=np.array(link_limit),
        life_s=None if problem.life_s is None else problem.life_s * LIMIT_ROOM,
        service_flop=flop,
        service_memory_bytes=floats(each.memory_bytes for each in problem.services),
        service_cost=floats(each.cost for each in problem.services),
        hosts=hosts,
        rate_per_s=floats(task.rate_per_s for task in problem.tasks),
        deviation_per_s=floats(task.deviation_per_s for task in problem.tasks),
        weight=floats(task.weight for task in problem.tasks),
        source=np.array([place[task.source] for task in problem.tasks], dtype=np.int64),
        sink=np.array([place[task.sink] for task in problem.tasks], dtype=np.int64),
        deadline_s=np.array(deadline),
        budget=np.inf if problem.budget is None else problem.budget,
        cost_limit=cost_limit,
        samples=problem.samples,
        may_break=problem.may_break,
        first_slot=first,
        slot_task=np.repeat(np.arange(len(counts)), counts),
        slot_service=slot_service,
        compute_s=compute,
        transfer_task=task_of,
        transfer_from=np.array([slot(t, k) for t, k, _, _ in transfers], dtype=np.int64),
        transfer_to=np.array([slot(t, j) for t, _, j, _ in transfers], dtype=np.int64),
        transfer_bytes=floats(size for _, _, _, size in transfers),
    )


def floats(values: Iterable[float]) -> Floats:
    return np.fromiter(values, dtype=float)
