"""What the one evaluator says of an assignment, and which rows would have kept a programme from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..._core import services as _core
from .instance import ENDPOINT, Floats, Instance
from .programme import Programme

Assignment = Sequence[Sequence[int]]
Chain = tuple[tuple[int, int], ...]
"""Slots and their nodes."""


class Judged(NamedTuple):
    """An assignment and what it comes to."""

    assignment: tuple[tuple[int, ...], ...]
    replicas: tuple[tuple[int, ...], ...]
    cost: float
    delay_s: float
    rejected_weight: float
    node_load_flop_per_s: Floats
    link_load_bps: Floats
    memory_bytes: Floats
    task_delay_s: Floats
    keeps_limits: bool

    def value(self, objective: str) -> float:
        return {"cost": self.cost, "delay": self.delay_s, "admitted": self.rejected_weight}[objective]


class Cut(NamedTuple):
    """A row that every plan keeps."""

    kind: str
    """``link``: its load is to be counted; ``slots``: they are not all there; ``late``: with all of them
    there, none of `others`; ``replicas``: not all of these; ``all``: not all of them and nothing else."""
    link: int = -1
    places: Chain = ()
    """slots and nodes; for ``replicas`` services and nodes"""
    slot: int = -1
    others: tuple[int, ...] = ()
    """nodes of `slot`; of ``all`` the tasks that are left out"""


def judge(
    instance: Instance, assignment: Assignment, replicas: Sequence[Sequence[int]] | None = None
) -> Judged:
    """By the evaluator of the core; replicas are those that serve, where none are given."""
    if replicas is None:
        nodes: list[set[int]] = [set() for _ in range(instance.services)]
        for task, each in enumerate(assignment):
            for k, v in zip(instance.slots_of(task), each):
                nodes[int(instance.slot_service[k])].add(int(v))
        replicas = [sorted(each) for each in nodes]
    given = [[int(v) for v in each] for each in assignment]
    of: tuple[Any, ...] = (instance.compiled, instance.routes, replicas, given)
    cost, delay_s, rejected, task_delay_s, node_load, link_load, memory, _ = _core.evaluate(*of)
    return Judged(
        tuple(tuple(each) for each in given),
        tuple(tuple(each) for each in replicas),
        cost,
        delay_s,
        rejected,
        np.asarray(node_load),
        np.asarray(link_load),
        np.asarray(memory),
        np.asarray(task_delay_s),
        bool(_core.keeps_limits(*of)),
    )


def cuts_of(instance: Instance, judged: Judged, known_links: set[int]) -> list[Cut]:
    """At least one: rows for links that are not yet counted, else what a solver's tolerances let through,
    forbidden as it stands."""
    if instance.samples is None:
        over = judged.link_load_bps > instance.link_capacity_bps
    else:
        over = sample_links(instance, judged)
    cuts = [Cut("link", link=a) for a in np.flatnonzero(over).tolist() if a not in known_links]
    cuts += late_cuts(instance, judged)
    if cuts:
        return cuts
    cuts += covers(instance, judged)
    for task in np.flatnonzero(judged.task_delay_s > instance.deadline_s).tolist():
        cuts.append(Cut("slots", places=chain_of(instance, judged, task)))
    if judged.cost > instance.cost_limit:
        pairs = tuple((s, v) for s, nodes in enumerate(judged.replicas) for v in nodes)
        cuts.append(Cut("replicas", places=pairs))
    if not cuts:
        everything = [chain_of(instance, judged, task) for task in range(instance.tasks)]
        left_out = tuple(task for task, chain in enumerate(everything) if not chain)
        places = tuple(place for chain in everything for place in chain)
        cuts.append(Cut("all", places=places, others=left_out))
    return cuts


def sample_links(instance: Instance, judged: Judged) -> np.ndarray:
    """[links] overloaded in the worst sample, where more samples break than may."""
    return judged.link_load_bps > instance.link_capacity_bps


def chain_of(instance: Instance, judged: Judged, task: int) -> Chain:
    return tuple(zip(instance.slots_of(task), judged.assignment[task]))


def covers(instance: Instance, judged: Judged) -> list[Cut]:
    """Slots on an overloaded node, replicas on one without the memory."""
    cuts = []
    everything = [place for t in range(instance.tasks) for place in chain_of(instance, judged, t)]
    if instance.samples is None:
        for v in np.flatnonzero(judged.node_load_flop_per_s > instance.node_capacity_flop_per_s).tolist():
            cuts.append(Cut("slots", places=tuple((k, w) for k, w in everything if w == v)))
    for v in np.flatnonzero(judged.memory_bytes > instance.memory_limit_bytes).tolist():
        pairs = tuple((s, v) for s, nodes in enumerate(judged.replicas) if v in nodes)
        cuts.append(Cut("replicas", places=pairs))
    return cuts


def late_cuts(instance: Instance, judged: Judged) -> list[Cut]:
    """Transfers that outlive a link of their route.

    The start of a transfer is no earlier than the chain of stages it waited for makes it, each waiting for
    the one before; so while that chain stands, none of the nodes may receive to which the data would be too
    late.
    """
    if instance.life_s is None:
        return []
    cuts = []
    for task, places in enumerate(judged.assignment):
        if not places:
            continue
        slots = instance.slots_of(task)
        end, waited = times_of(instance, task, places)
        for e in np.flatnonzero(instance.transfer_task == task).tolist():
            k, j = int(instance.transfer_from[e]), int(instance.transfer_to[e])
            if k == ENDPOINT:
                continue
            origin, start = places[k - slots.start], end[k - slots.start]
            targets = (
                [int(instance.sink[task])] if j == ENDPOINT else np.flatnonzero(instance.hosts_of(j)).tolist()
            )
            late = tuple(v for v in targets if is_late(instance, e, origin, v, start))
            target = targets[0] if j == ENDPOINT else places[j - slots.start]
            if target not in late:
                continue
            chain = [(k, origin)]
            while waited[chain[-1][0] - slots.start] != ENDPOINT:
                before = waited[chain[-1][0] - slots.start]
                chain.append((before, places[before - slots.start]))
            if j == ENDPOINT:
                cuts.append(Cut("slots", places=tuple(chain)))
            else:
                cuts.append(Cut("late", places=tuple(chain), slot=j, others=late))
    return cuts


def times_of(instance: Instance, task: int, places: Sequence[int]) -> tuple[list[float], list[int]]:
    """When each stage ends, and the slot that it waited for last, or ENDPOINT."""
    slots = instance.slots_of(task)
    end: list[float] = []
    waited: list[int] = []
    for j in slots:
        begin, last = 0.0, ENDPOINT
        target = places[j - slots.start]
        for e in instance.inputs_of(j):
            k = int(instance.transfer_from[e])
            origin = int(instance.source[task]) if k == ENDPOINT else places[k - slots.start]
            start = 0.0 if k == ENDPOINT else end[k - slots.start]
            came = start + float(instance.origin_seconds(e, origin)[target])
            if came > begin:
                begin, last = came, k
        end.append(begin + float(instance.compute_s[j, target]))
        waited.append(last)
    return end, waited


def is_late(instance: Instance, e: int, origin: int, target: int, start: float) -> bool:
    """As the evaluator sums."""
    assert instance.life_s is not None
    if origin == target or not np.isfinite(instance.origin_seconds(e, origin)[target]):
        return False
    seconds, on_route = instance.link_seconds(e), 0.0
    for link in instance.route(e, origin, target):
        on_route += float(seconds[link])
        if start + on_route > instance.life_s[link]:
            return True
    return False


def add_cut(programme: Programme, cut: Cut) -> None:
    """To a programme, which may have lost some of the nodes: then there is nothing to forbid."""
    if cut.kind == "link":
        programme.add_link(cut.link)
        return
    table = programme.y if cut.kind == "replicas" else programme.x
    columns = [int(table[k, v]) for k, v in cut.places]
    if min(columns, default=0) < 0:
        return
    if cut.kind == "all":
        programme.forbid(columns, but=programme.admitted[list(cut.others)])
    elif cut.kind == "late":
        others = programme.x[cut.slot, list(cut.others)]
        if (others >= 0).any():
            programme.forbid(columns, others[others >= 0])
    else:
        programme.forbid(columns)
