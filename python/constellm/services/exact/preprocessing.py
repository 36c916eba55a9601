"""What can be said before a programme is solved: the nodes left to each slot, how many replicas it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from .instance import (
    ENDPOINT,
    ROUNDING,
    Floats,
    Instance,
    Ints,
    Mask,
    load_limit_of_one,
    worst_load,
)

EQUAL = 1e-9
"""Relative; values this close are the same."""
FEW_NODES = 300
"""Up to which tables between all nodes are kept."""


@dataclass(eq=False)
class Reduction:
    """What is left; changed in place, only ever smaller."""

    instance: Instance
    allowed: Mask
    """[slots, nodes]"""
    deadline_s: Floats
    """[tasks] given or implied"""
    head_s: Floats
    """[slots, nodes] when the stage can have ended at the earliest"""
    tail_s: Floats
    """[slots, nodes] from its end to that of the task at least"""
    least_replicas: Ints
    """[services]"""
    most_replicas: Ints
    """[services]"""
    single: Mask
    """[services] that have one replica in every plan looked for"""
    is_infeasible: bool = False
    conflicts: list[tuple[int, ...]] = field(default_factory=list)
    """services of which not all have one replica"""
    _seconds: dict[int, Floats] = field(default_factory=dict)
    _latest: dict[int, Floats] = field(default_factory=dict)

    def seconds(self, transfer: int) -> Floats:
        """[nodes, nodes] or, from a source, [1, nodes]; kept while that is little memory."""
        if transfer in self._seconds:
            return self._seconds[transfer]
        instance = self.instance
        origin = instance.transfer_from[transfer]
        if origin == ENDPOINT:
            source = int(instance.source[instance.transfer_task[transfer]])
            table = np.array([instance.origin_seconds(transfer, source)])
        else:
            table = instance.seconds(transfer, self.allowed[origin])
        if instance.nodes <= FEW_NODES:
            self._seconds[transfer] = table
        return table

    def in_time_s(self, transfer: int) -> Floats:
        """The same; infinite also where a link's life ends before data can have left it."""
        table = self.seconds(transfer)
        latest = self.latest_s(transfer)
        if latest is None:
            return table
        origin = int(self.instance.transfer_from[transfer])
        earliest = np.zeros((1, 1)) if origin == ENDPOINT else self.head_s[origin][:, None]
        return np.where(earliest * (1 - ROUNDING) > latest, np.inf, table)

    def latest_s(self, transfer: int) -> Floats | None:
        """When it may begin, laid out as `seconds`; None where links live beyond the deadline, or nodes are
        too many."""
        instance = self.instance
        if instance.life_s is None or instance.nodes > FEW_NODES:
            return None
        deadline_s = float(instance.deadline_s[instance.transfer_task[transfer]])
        if instance.life_s.min(initial=np.inf) > deadline_s * (1 + ROUNDING) ** 2:
            return None
        if transfer not in self._latest:
            k, j = int(instance.transfer_from[transfer]), int(instance.transfer_to[transfer])
            task = int(instance.transfer_task[transfer])
            everywhere = np.arange(instance.nodes)
            targets = (
                everywhere[instance.sink[task] :][:1] if j == ENDPOINT else np.flatnonzero(self.allowed[j])
            )
            origins = (
                [int(instance.source[task])] if k == ENDPOINT else np.flatnonzero(self.allowed[k]).tolist()
            )
            latest = np.full((1 if k == ENDPOINT else instance.nodes, instance.nodes), np.inf)
            for u in origins:
                latest[0 if k == ENDPOINT else u, targets] = instance.latest_start(transfer, u, targets)
            self._latest[transfer] = latest
        return self._latest[transfer]

    def copy(self) -> Reduction:
        """One that can be changed by itself; tables are shared."""
        names = ("allowed", "deadline_s", "head_s", "tail_s", "least_replicas", "most_replicas", "single")
        return replace(self, **{name: getattr(self, name).copy() for name in names})

    @property
    def least_delay_s(self) -> Floats:
        """[tasks] with the nodes that are left, whatever the loads."""
        last = self.instance.first_slot[1:] - 1
        through = np.where(self.allowed[last], self.head_s[last] + self.tail_s[last], np.inf)
        return through.min(axis=1)

    def through_s(self, transfer: int) -> Floats:
        """[nodes, nodes] the least delay of the task when an inner transfer goes from one node to the
        other."""
        instance = self.instance
        k, j = int(instance.transfer_from[transfer]), int(instance.transfer_to[transfer])
        return (
            self.head_s[k][:, None]
            + self.in_time_s(transfer)
            + (instance.compute_s[j] + self.tail_s[j])[None, :]
        )

    def pairs(self, transfer: int) -> Mask:
        """[nodes, nodes] between which an inner transfer may go."""
        instance = self.instance
        k, j = int(instance.transfer_from[transfer]), int(instance.transfer_to[transfer])
        limit = self.deadline_s[instance.transfer_task[transfer]] * (1 + ROUNDING)
        with np.errstate(invalid="ignore"):
            through = self.through_s(transfer)
            return (
                self.allowed[k][:, None]
                & self.allowed[j][None, :]
                & np.isfinite(through)
                & (through <= limit)
            )


def reduce(
    instance: Instance,
    *,
    cost_cap: float = np.inf,
    delay_cap_s: float = np.inf,
    admits_all: bool = True,
    left: Mask | None = None,
) -> Reduction:
    """Keeps every plan whose cost is at most `cost_cap`, whose mean delay is at most `delay_cap_s`, and
    whose nodes [slots, nodes] are in `left`.

    With ``admits_all=False`` tasks may be left out: then nothing is said of counts, costs and mean delays.
    """
    slots, nodes = instance.slots, instance.nodes
    reduction = Reduction(
        instance,
        allowed=hosts_of_slots(instance) if left is None else hosts_of_slots(instance) & left,
        deadline_s=instance.deadline_s.copy(),
        head_s=np.zeros((slots, nodes)),
        tail_s=np.zeros((slots, nodes)),
        least_replicas=np.zeros(instance.services, dtype=np.int64),
        most_replicas=np.bincount(instance.slot_service, minlength=instance.services),
        single=np.zeros(instance.services, dtype=bool),
    )
    if not admits_all:
        tighten_times(reduction, range(instance.tasks))
    else:
        tighten(reduction, cost_cap=cost_cap, delay_cap_s=delay_cap_s)
    return reduction


def tighten(
    reduction: Reduction,
    *,
    cost_cap: float = np.inf,
    delay_cap_s: float = np.inf,
    tasks: Iterable[int] | None = None,
) -> None:
    """To the fixpoint of times, counts and single replicas; at first only `tasks` have to be looked at."""
    instance = reduction.instance
    dirty = set(range(instance.tasks) if tasks is None else tasks)
    if tasks is not None:
        dirty |= merge_single(reduction, cost_cap)
    while dirty and not reduction.is_infeasible:
        if np.isfinite(delay_cap_s):
            dirty |= imply_deadlines(reduction, delay_cap_s)
        changed = tighten_times(reduction, sorted(dirty))
        if not reduction.allowed.any(axis=1).all():
            reduction.is_infeasible = True
            return
        slots = np.isin(instance.slot_task, sorted(changed | (dirty if tasks is None else set())))
        count_replicas(reduction, np.unique(instance.slot_service[slots]).tolist())
        dirty = merge_single(reduction, cost_cap)
        if np.isfinite(delay_cap_s) and changed:
            dirty |= imply_deadlines(reduction, delay_cap_s)


def hosts_of_slots(instance: Instance) -> Mask:
    """[slots, nodes] that may host it, have the memory, and carry its task alone in the worst case."""
    memory = instance.service_memory_bytes[:, None] <= instance.memory_limit_bytes[None, :]
    allowed = (instance.hosts & memory)[instance.slot_service]
    for k in range(instance.slots):
        flop = np.full(instance.nodes, instance.service_flop[instance.slot_service[k]])
        task = int(instance.slot_task[k])
        allowed[k] &= load_limit_of_one(instance, flop, task, instance.node_capacity_flop_per_s)
    return allowed & np.isfinite(instance.compute_s)


def tighten_times(reduction: Reduction, tasks: Iterable[int]) -> set[int]:
    """Heads, tails and what they leave of the slots' nodes, to the fixpoint; the tasks that lost some.

    head(j, v) = f_l / c_v + max over inputs (k → j) of min over u of head(k, u) + τ(u, v)
    tail(k, u) = max over outputs (k → j) of min over v of τ(u, v) + f_l / c_v + tail(j, v)
    """
    instance = reduction.instance
    touched: set[int] = set()
    open_tasks = list(tasks)
    while open_tasks:
        changed = []
        for task in open_tasks:
            slots = instance.slots_of(task)
            before = int(reduction.allowed[slots.start : slots.stop].sum())
            heads_of(reduction, task)
            tails_of(reduction, task)
            limit = reduction.deadline_s[task] * (1 + ROUNDING)
            for k in slots:
                through = reduction.head_s[k] + reduction.tail_s[k]
                reduction.allowed[k] &= np.isfinite(through) & (through <= limit)
            after = int(reduction.allowed[slots.start : slots.stop].sum())
            if after < before:
                touched.add(task)
            if 0 < after < before:
                changed.append(task)
        open_tasks = changed
    return touched


def heads_of(reduction: Reduction, task: int) -> None:
    instance = reduction.instance
    for j in instance.slots_of(task):
        begin = np.zeros(instance.nodes)
        for e in instance.inputs_of(j):
            k = int(instance.transfer_from[e])
            table = reduction.in_time_s(e)
            if k == ENDPOINT:
                came = table[0]
            else:
                came = best(reduction.head_s[k][:, None] + table, reduction.allowed[k], axis=0)
            begin = np.maximum(begin, came)
        reduction.head_s[j] = np.where(reduction.allowed[j], begin + instance.compute_s[j], np.inf)


def tails_of(reduction: Reduction, task: int) -> None:
    instance = reduction.instance
    for k in reversed(instance.slots_of(task)):
        tail = np.zeros(instance.nodes)
        for e in instance.outputs_of(k):
            j = int(instance.transfer_to[e])
            table = reduction.in_time_s(e)
            if j == ENDPOINT:
                left = table[:, instance.sink[task]]
            else:
                after = instance.compute_s[j] + reduction.tail_s[j]
                left = best(table + after[None, :], reduction.allowed[j], axis=1)
            tail = np.maximum(tail, left)
        reduction.tail_s[k] = np.where(reduction.allowed[k], tail, np.inf)


def best(table: Floats, allowed: Mask, axis: int) -> Floats:
    """The least along an axis over what is allowed."""
    if not allowed.any():
        return np.full(table.shape[1 - axis], np.inf)
    return np.compress(allowed, table, axis=axis).min(axis=axis)


def left_after_s(reduction: Reduction, e: int) -> Floats:
    """[nodes] least seconds to the task's end of data that is at a node; by links, whatever its origin."""
    instance = reduction.instance
    j = int(instance.transfer_to[e])
    left = np.where(reduction.allowed[j], instance.compute_s[j] + reduction.tail_s[j], np.inf)
    seconds = instance.link_seconds(e)
    for _ in range(instance.nodes):
        better = left.copy()
        np.minimum.at(better, instance.link_from, seconds + left[instance.link_to])
        if np.array_equal(better, left):
            break
        left = better
    return left


def imply_deadlines(reduction: Reduction, delay_cap_s: float) -> set[int]:
    """D_t ≤ (Σ r · cap − Σ over the others of r · least delay) / r_t; the tasks whose deadline got
    shorter."""
    rate = reduction.instance.rate_per_s
    least = reduction.least_delay_s
    if not np.isfinite(least).all():
        return set()
    room = delay_cap_s * rate.sum() * (1 + EQUAL) - rate @ least
    if room < 0:
        reduction.is_infeasible = True
    implied = least + max(room, 0.0) / rate
    shorter = implied < reduction.deadline_s * (1 - 1e-3 * EQUAL)
    reduction.deadline_s = np.where(shorter, implied, reduction.deadline_s)
    return set(np.flatnonzero(shorter).tolist())


def count_replicas(reduction: Reduction, services: Iterable[int]) -> None:
    """n_s ≥ the worst load over the largest node; slots without a common node need different replicas."""
    instance = reduction.instance
    for s in services:
        slots = np.flatnonzero(instance.slot_service == s)
        sets = reduction.allowed[slots]
        load = instance.service_flop[s] * np.bincount(instance.slot_task[slots], minlength=instance.tasks)
        total = worst_load(instance, load) * (1 - ROUNDING)
        capacity = instance.node_capacity_flop_per_s
        largest = float(capacity[sets.any(axis=0)].max())
        least = max(1, int(np.ceil(total / largest))) if total > 0 else 1
        common = sets.all(axis=0)
        if least == 1 and not (capacity[common] >= total).any():
            least = 2
        least = max(least, disjoint(sets))
        reduction.least_replicas[s] = max(reduction.least_replicas[s], least)


def disjoint(sets: Mask) -> int:
    """How many of them have no node in common, greedily from the smallest."""
    taken = np.zeros(sets.shape[1], dtype=bool)
    count = 0
    for i in np.argsort(sets.sum(axis=1), kind="stable"):
        if not (sets[i] & taken).any():
            taken |= sets[i]
            count += 1
    return count


def merge_single(reduction: Reduction, cost_cap: float) -> set[int]:
    """Services of which the cap leaves no second replica: their slots share one set of nodes.

    Returns the tasks that lost nodes.
    """
    instance = reduction.instance
    cost = instance.service_cost
    spare = cost_cap * (1 + EQUAL) - float(cost @ reduction.least_replicas)
    if spare < 0:
        reduction.is_infeasible = True
        return set()
    if np.isfinite(spare):
        extra = np.floor(spare / np.where(cost > 0, cost, 1.0) * (1 + EQUAL))
        most = np.where(cost > 0, reduction.least_replicas + extra, instance.nodes)
        reduction.most_replicas = np.minimum(reduction.most_replicas, most.astype(np.int64))
    reduction.is_infeasible |= bool((reduction.most_replicas < reduction.least_replicas).any())
    reduction.single = reduction.most_replicas == 1
    changed: set[int] = set()
    for s in np.flatnonzero(reduction.single).tolist():
        slots = np.flatnonzero(instance.slot_service == s)
        common = reduction.allowed[slots].all(axis=0)
        load = instance.service_flop[s] * np.bincount(instance.slot_task[slots], minlength=instance.tasks)
        common &= worst_load(instance, load) <= instance.node_capacity_flop_per_s * (1 + ROUNDING)
        lost = (reduction.allowed[slots] & ~common).any(axis=1)
        reduction.allowed[slots] = common
        changed |= set(instance.slot_task[slots[lost]].tolist())
        if not common.any():
            reduction.is_infeasible = True
    return changed


def doubtful(reduction: Reduction) -> list[int]:
    """Services that may have one replica or more."""
    one = (reduction.least_replicas == 1) & (reduction.most_replicas > 1)
    return np.flatnonzero(one).tolist()


def with_single(reduction: Reduction, services: Iterable[int], **caps: float) -> Reduction:
    """A copy in which they have one replica each."""
    tried = reduction.copy()
    for s in services:
        tried.most_replicas[s] = 1
    tighten(tried, tasks=[], **caps)
    return tried
