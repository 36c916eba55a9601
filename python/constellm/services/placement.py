"""Where replicas are, and which of them serves which stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from ..core.checks import instance, short
from ..core.quantity import counted
from ..core.value import Value
from .arguments import ordered, text
from .problem import Problem


class Positions(NamedTuple):
    """A placement by positions of nodes."""

    replicas: Sequence[Sequence[int]]
    """Of each service, ascending."""
    assignment: Sequence[Sequence[int]]
    """Of each task, one a stage; none where it is not admitted."""


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Placement(Value):
    """Where replicas are, and which of them serves which stage.

    Parameters
    ----------
    replicas : mapping of str to sequence of str
        Of each service the ids of the nodes with a replica.
    assignment : mapping of str to sequence of str
        Of each task the ids of the nodes that serve its stages; empty: it is not admitted.

    Raises
    ------
    TypeError
        For what is no such mapping.

    Examples
    --------
    >>> from constellm import services
    >>> services.Placement({"encoder": ["s1"]}, {"detect": ["s1"]})
    Placement(1 replica, 1 task)
    """

    replicas: Mapping[str, tuple[str, ...]]
    assignment: Mapping[str, tuple[str, ...]]

    def __init__(
        self, replicas: Mapping[str, Sequence[str]], assignment: Mapping[str, Sequence[str]]
    ) -> None:
        object.__setattr__(self, "replicas", _lists("replicas", replicas))
        object.__setattr__(self, "assignment", _lists("assignment", assignment))

    @classmethod
    def serving(cls, problem: Problem, assignment: Mapping[str, Sequence[str]]) -> Placement:
        """Those replicas alone that serve.

        Parameters
        ----------
        problem : Problem
            Whose tasks are assigned.
        assignment : mapping of str to sequence of str
            As of a placement.

        Returns
        -------
        Placement

        Raises
        ------
        TypeError, ValueError
            For what is no assignment of the problem.

        Examples
        --------
        >>> from constellm import network, services
        >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
        >>> a, b = (node.id for node in chain.nodes)
        >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
        >>> problem = services.Problem(
        ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
        ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
        >>> services.Placement.serving(problem, {"detect": ["s1"]}).replicas["encoder"]
        ('s1',)
        """
        instance("problem", problem, Problem)
        nodes = _by_position(problem, _lists("assignment", assignment))
        return placement_of(problem, Positions(_serving(problem, nodes), nodes))

    def __reduce__(self) -> tuple[Any, ...]:
        return Placement, (dict(self.replicas), dict(self.assignment))

    def __repr__(self) -> str:
        replicas = counted(sum(map(len, self.replicas.values())), "replica")
        return f"Placement({replicas}, {counted(sum(map(bool, self.assignment.values())), 'task')})"


def placement_of(problem: Problem, positions: Positions) -> Placement:
    """The placement that positions say."""
    ids = [node.id for node in problem.network.nodes]
    return Placement(
        {
            service.name: [ids[v] for v in nodes]
            for service, nodes in zip(problem.services, positions.replicas)
        },
        {task.name: [ids[v] for v in nodes] for task, nodes in zip(problem.tasks, positions.assignment)},
    )


def positions_of(problem: Problem, placement: Placement) -> Positions:
    """A placement by positions; names, ids and lengths are checked."""
    place = {node.id: v for v, node in enumerate(problem.network.nodes)}
    names = [service.name for service in problem.services]
    _check_names("replicas", placement.replicas, names, "service")
    replicas = []
    for name in names:
        nodes = sorted(_nodes(f"replicas[{name!r}]", placement.replicas[name], place))
        for v, w in zip(nodes, nodes[1:]):
            if v == w:
                twice = short(problem.network.nodes[v].id)
                raise ValueError(f"replicas[{name!r}]: {twice} stands there twice")
        replicas.append(nodes)
    return Positions(replicas, _by_position(problem, placement.assignment))


def _by_position(problem: Problem, assignment: Mapping[str, Sequence[str]]) -> list[list[int]]:
    place = {node.id: v for v, node in enumerate(problem.network.nodes)}
    _check_names("assignment", assignment, [task.name for task in problem.tasks], "task")
    found = []
    for task in problem.tasks:
        where = f"assignment[{task.name!r}]"
        nodes = _nodes(where, assignment[task.name], place)
        if nodes and len(nodes) != len(task.stages):
            raise ValueError(
                f"{where}: {counted(len(nodes), 'node')} for {counted(len(task.stages), 'stage')}"
            )
        found.append(nodes)
    return found


def _serving(problem: Problem, assignment: Sequence[Sequence[int]]) -> list[list[int]]:
    found: dict[str, set[int]] = {service.name: set() for service in problem.services}
    for task, nodes in zip(problem.tasks, assignment):
        for stage, v in zip(task.stages, nodes):
            found[stage.service].add(v)
    return [sorted(nodes) for nodes in found.values()]


def _lists(field: str, lists: Any) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(lists, Mapping):
        raise TypeError(f"{field}: expected a mapping from names to lists of ids, got {short(lists)}")
    made = {}
    for name, nodes in lists.items():
        where = f"{field}[{short(name)}]"
        given = ordered(where, nodes)
        made[text(field, name)] = tuple(text(f"{where}[{i}]", v) for i, v in enumerate(given))
    return MappingProxyType(made)


def _check_names(field: str, given: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"{field}: {short(name)} is not the name of a {what}")
    for name in known:
        if name not in given:
            raise ValueError(f"{field}: the {what} {short(name)} is missing")


def _nodes(where: str, ids: Sequence[str], place: Mapping[str, int]) -> list[int]:
    for i, id in enumerate(ids):
        if id not in place:
            raise ValueError(f"{where}[{i}]: {short(id)} is not the id of a node")
    return [place[id] for id in ids]
