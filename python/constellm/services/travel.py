"""Where the data of a placed task goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .problem import Problem


class Trip(NamedTuple):
    """A transfer between two nodes; both are one where it stays where it is."""

    transfer: int
    origin: int
    target: int
    bytes: float


def trips(problem: Problem, task: int, nodes: Sequence[int]) -> list[Trip]:
    """Of a task whose stages are on these nodes: its inputs by stage, then the answer."""
    ids = [node.id for node in problem.network.nodes]
    ends = {-1: (ids.index(problem.tasks[task].source), ids.index(problem.tasks[task].sink))}
    ends |= {k: (v, v) for k, v in enumerate(nodes)}
    first = problem._compiled.first_transfer
    moved = problem._compiled.transfers[first[task] : first[task + 1]]
    return [
        Trip(first[task] + i, ends[sender][0], ends[receiver][1], size)
        for i, (_, sender, receiver, size) in enumerate(moved)
    ]


def links_of(problem: Problem, trip: Trip) -> list[int]:
    """The links that it goes over; none on one node."""
    if trip.origin == trip.target:
        return []
    return [int(a) for a in problem._routes.links(trip.transfer, trip.origin, trip.target)]
