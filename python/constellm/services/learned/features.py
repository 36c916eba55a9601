"""What a policy sees of a decision: a row a node, each figure in [0, 1]."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .episode import Episode
from .setting import Flags, Floats

FEATURES = {
    # of the node
    "allowed": "whether the stage may be there",
    "may_host": "whether the service may be there",
    "is_there": "whether the service has a replica there",
    "others_there": "share of the services that have a replica there",
    "free_memory": "after the decision, of the largest memory",
    "free_nominal": "capacity that nominal rates leave after the decision, of the node's own",
    "free_worst": "the same in the worst case of the demand set",
    "room_for_more": "free capacity ÷ (itself + what the service's other open stages ask for)",
    "data_s": "when the data is there at least ÷ (itself + the least delay of the task)",
    "compute_s": "how long the stage lasts, likewise",
    "delay_s": "how far the task's delay is then above its least, likewise",
    "delay_order": "least of the allowed nodes' delays ÷ delay",
    "time_left": "what the deadline leaves of itself, 1 without one",
    "holds_data": "share of the placed stages and the source before it that are there",
    "goes_on": "share of the placed stages and the sink after it that are there",
    "covers": "share of the service's open stages that can be there in time",
    "covers_most": "that, relative to the allowed node with the most",
    "grows": "what the objective grows by ÷ (itself + the scale of rewards)",
    # of the decision, the same for all nodes
    "cost": "of the service, of the dearest",
    "memory": "of the service, of the largest memory of a node",
    "is_core": "whether the service is a core service",
    "load": "of the stage in the worst case, of the largest capacity",
    "open_stages": "share of the decisions that are left",
    "open_of_service": "share of the open stages that are the service's",
    "depth": "share of the task's stages before this one",
    "some_there": "whether an allowed node has a replica",
    "minimises_cost": "the objective",
    "minimises_delay": "the objective",
}
"""Columns of an observation."""


def features(episode: Episode, scale: float) -> NDArray[np.float32]:
    """(nodes, features); zeros where nothing is left to decide."""
    if episode.choice is None:
        return np.zeros((episode.setting.nodes, len(FEATURES)), np.float32)
    columns = np.column_stack([*_of_nodes(episode, scale), *_of_decision(episode)])
    return np.clip(columns, 0.0, 1.0).astype(np.float32)


def _of_nodes(episode: Episode, scale: float) -> list[Floats | Flags]:
    of, choice = episode.setting, episode.choice
    assert choice is not None
    t, _, s = choice.slot
    allowed = choice.allowed
    memory = episode.free_memory - of.memory[s] * choice.is_new
    nominal, worst = of.nominal(choice.asked), of.worst(choice.asked)
    open_stages = _open_of_service(episode)
    covers = episode.fits[open_stages].sum(axis=0) / len(open_stages)
    most = covers[allowed].max()
    others = [of.order[i].task for i in open_stages[1:]]
    rest = of.flop[s] * float((of.rate + of.deviation)[others].sum())
    least_s = of.least_s[t]
    quickest_s = choice.delay_s[allowed].min()
    return [
        allowed,
        of.can_host[s],
        ~choice.is_new,
        (episode.users > 0).mean(axis=0),
        _share(memory, np.full(of.nodes, of.room.max())),
        1.0 - _share(nominal, of.capacity),
        1.0 - _share(worst, of.capacity),
        _of_sum(np.maximum(of.capacity - worst, 0.0), rest),
        _of_sum(choice.begin_s, least_s),
        _of_sum(of.compute_s[s], least_s),
        _of_sum(np.maximum(choice.delay_s - least_s, 0.0), least_s),
        np.divide(quickest_s, choice.delay_s, out=np.ones(of.nodes), where=choice.delay_s > 0.0),
        1.0 - choice.delay_s / of.deadline_s[t] if math.isfinite(of.deadline_s[t]) else np.ones(of.nodes),
        _neighbours(episode, before=True),
        _neighbours(episode, before=False),
        covers,
        covers / most if most > 0.0 else covers,
        _of_sum(choice.grows, scale),
    ]


def _of_decision(episode: Episode) -> list[Floats]:
    of, choice = episode.setting, episode.choice
    assert choice is not None
    t, k, s = choice.slot
    load = of.flop[s] * (of.rate[t] + of.deviation[t])
    left = episode.open.sum()
    figures = [
        _ratio(of.cost[s], of.cost.max()),
        _ratio(of.memory[s], of.room.max()),
        float(s in of.core),
        _ratio(load, of.capacity.max()),
        left / len(of.order),
        len(_open_of_service(episode)) / left,
        k / len(of.services[t]),
        float((choice.allowed & ~choice.is_new).any()),
        float(of.problem.objective == "cost"),
        float(of.problem.objective == "delay"),
    ]
    return [np.full(of.nodes, figure) for figure in figures]


def _open_of_service(episode: Episode) -> list[int]:
    """Places in the order, the current decision first."""
    assert episode.choice is not None
    s = episode.choice.slot.service
    return [i for i in np.flatnonzero(episode.open).tolist() if episode.setting.order[i].service == s]


def _neighbours(episode: Episode, *, before: bool) -> Floats:
    of, choice = episode.setting, episode.choice
    assert choice is not None
    t, k, _ = choice.slot
    task = of.problem.tasks[t]
    ends: list[int] = []
    for stage, _ in (of.inputs if before else of.feeds)[t][k]:
        ends.append(of.position(task.source) if stage < 0 else episode.nodes[t][stage])
    if not before and k == len(of.services[t]) - 1:
        ends.append(of.position(task.sink))
    known = [v for v in ends if v >= 0]
    shares = np.zeros(of.nodes)
    for v in known:
        shares[v] += 1.0 / len(known)
    return shares


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0.0)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0.0 else 0.0


def _of_sum(values: Floats, other: float) -> Floats:
    """values ÷ (values + other), 1 where they are infinite."""
    found = np.ones(len(values))
    finite = np.isfinite(values)
    some = values[finite] + other
    found[finite] = np.divide(values[finite], some, out=np.zeros(len(some)), where=some > 0.0)
    return found if math.isfinite(other) else np.zeros(len(values))
