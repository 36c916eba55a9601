"""Placements over time: slots, what stays over all of them, and what starts cost between them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.checks import count, instance, known_keywords, non_negative, positive, short
from ...core.display import Display, Displayed
from ...core.quantity import counted, quantity
from ...core.table import Table
from ...core.value import Value
from ..problem import Problem
from ..tasks import Service

StartCost = Union[float, Mapping[str, float]]
"""Of each replica that starts: one number for all services, or numbers by name."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_SHARED = ("services", "max_utilisation", "budget", "max_cost", "objective")
_ROOM = 1.0 + 1e-9  # of limits, as of those of a problem


@dataclass(frozen=True, eq=False, repr=False)
class Horizon(Value, Displayed):
    """Slots of time, each a problem of its own, and what ties them: replicas that stay, and those that start.

    Each slot has a placement, which serves the requests that come in it. A replica *starts* in a slot if it
    was not there in the slot before: its memory has to be sent there. What is minimised is, by the
    objective of the slots,

    - ``"cost"``: Σ share · cost of the replicas + Σ cost of the starts, ties by Σ share · mean delay;
    - ``"delay"``: Σ share · mean delay, ties by that cost;
    - ``"admitted"``: Σ share · weight of the tasks that are not admitted, ties by that cost,

    where share is the slot's part of the whole time.

    Parameters
    ----------
    slots : sequence of Problem
        With the same nodes, services, limits and objective. Links, how long they live, tasks, their rates,
        sources and sinks are each slot's own; tasks of one name have the same stages in all slots.
    durations_s : array_like, scalar or shape (slots,)
        How long each slot is [s], > 0.
    core : sequence of str
        Names of services whose replicas are the same in all slots; the others are placed slot by slot.
    start_cost : float or mapping from name to float
        Of a replica that starts, >= 0; services that a mapping does not name: 0.
    start_cost_per_byte : float
        Is added for each byte of its memory, >= 0.
    max_starts : int, optional
        Most replicas that start in a slot.
    max_moved_bytes : float, optional
        Most memory of the replicas that start in a slot [B], >= 0.
    initial : mapping from name to sequence of str, optional
        Nodes of the replicas that are there before the first slot, by service; of services that are not named
        none. Default: whatever the first slot has was there.
    name : str
        1 to 100 characters of ``[A-Za-z0-9._-]``.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import network, services
    >>> nodes = [network.Node(id=id, flop_per_s=1e12, memory_bytes=4e9) for id in ("a", "b")]
    >>> graph = network.Graph(nodes, from_=[0, 1], to=[1, 0], rate_bps=1e9, latency_s=0.01)
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> def slot(source):
    ...     stage = services.Stage("encoder", (services.Input(-1, 1e6),))
    ...     task = services.Task("caption", rate_per_s=5.0, source=source, sink=source, stages=(stage,))
    ...     return services.Problem(network=graph, services=(encoder,), tasks=(task,), objective="delay")
    >>> services.Horizon([slot("a"), slot("b")], 60.0, start_cost_per_byte=1e-9, max_starts=1)
    Horizon('horizon': 2 slots, 120 s, 2 nodes, 1 service, 1 task)
    """

    slots: tuple[Problem, ...]
    durations_s: NDArray[np.float64]
    """(slots,)"""
    core: tuple[str, ...]
    """In the order of the services."""
    start_cost: tuple[float, ...]
    """Of each service."""
    start_cost_per_byte: float
    max_starts: int | None
    max_moved_bytes: float | None
    initial: dict[str, tuple[str, ...]] | None
    """Of every service its nodes, in their order."""
    name: str

    def __init__(
        self,
        slots: Sequence[Problem],
        durations_s: ArrayLike,
        *,
        core: Sequence[str] = (),
        start_cost: StartCost = 0.0,
        start_cost_per_byte: float = 0.0,
        max_starts: int | None = None,
        max_moved_bytes: float | None = None,
        initial: Mapping[str, Sequence[str]] | None = None,
        name: str = "horizon",
    ) -> None:
        problems = _alike(slots)
        of = problems[0].services
        values = (
            problems,
            _durations(durations_s, len(problems)),
            _core(core, of),
            _start_costs(start_cost, of),
            non_negative("start_cost_per_byte", start_cost_per_byte),
            None if max_starts is None else count("max_starts", max_starts, least=0),
            None if max_moved_bytes is None else non_negative("max_moved_bytes", max_moved_bytes),
            None if initial is None else _initial(initial, problems[0]),
            _name(name),
        )
        for one, value in zip(fields(self), values):
            object.__setattr__(self, one.name, value)
        for service, cost in zip(of, self.cost_of_start):
            if math.isinf(cost):
                raise ValueError(
                    f"start_cost_per_byte: {short(start_cost_per_byte)} for each of the "
                    f"{service.memory_bytes:g} B of {service.name!r} is beyond all numbers"
                )

    @property
    def services(self) -> tuple[Service, ...]:
        """Of every slot."""
        return self.slots[0].services

    @property
    def objective(self) -> str:
        """Of every slot."""
        return self.slots[0].objective

    @property
    def node_ids(self) -> tuple[str, ...]:
        """Of every slot."""
        return tuple(self.slots[0].network.nodes.ids())

    @property
    def shares(self) -> tuple[float, ...]:
        """Of the whole time, slot by slot."""
        whole_s = math.fsum(self.durations_s.tolist())
        return tuple(duration_s / whole_s for duration_s in self.durations_s.tolist())

    @property
    def cost_of_start(self) -> tuple[float, ...]:
        """Of each service what a replica costs that starts, its bytes included."""
        return tuple(
            cost + self.start_cost_per_byte * service.memory_bytes
            for cost, service in zip(self.start_cost, self.services)
        )

    @property
    def most_moved_bytes(self) -> float:
        """`max_moved_bytes` with the room that limits have; infinite without one."""
        return math.inf if self.max_moved_bytes is None else self.max_moved_bytes * _ROOM

    def replace(self, **changes: Any) -> Horizon:
        """A copy with some of the parameters changed."""
        parameters = self._parameters()
        known_keywords("replace", changes, parameters)
        return Horizon(**{**parameters, **changes})

    def _parameters(self) -> dict[str, Any]:
        parameters = {of.name: getattr(self, of.name) for of in fields(self)}
        costs = {service.name: cost for service, cost in zip(self.services, self.start_cost)}
        return {**parameters, "start_cost": costs}

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self._parameters(),)

    def __repr__(self) -> str:
        return f"Horizon({self._size()})"

    def _size(self) -> str:
        tasks = {task.name for slot in self.slots for task in slot.tasks}
        return (
            f"{self.name!r}: {counted(len(self.slots), 'slot')}, "
            f"{quantity(math.fsum(self.durations_s.tolist()), 's')}, {counted(len(self.node_ids), 'node')}, "
            f"{counted(len(self.services), 'service')}, {counted(len(tasks), 'task')}"
        )

    def _display(self) -> Display:
        lines = [f"Horizon {self._size()}"]
        if self.core:
            lines.append(f"the same in all slots: {', '.join(self.core)}")
        limits = []
        if self.max_starts is not None:
            limits.append(counted(self.max_starts, "replica"))
        if self.max_moved_bytes is not None:
            limits.append(quantity(self.max_moved_bytes, "B"))
        if limits:
            lines.append(f"at most {' and '.join(limits)} start in a slot")
        slots = [
            (
                str(k),
                problem.name,
                quantity(duration_s, "s"),
                str(problem.network.link_count),
                str(len(problem.tasks)),
                quantity(math.fsum(task.rate_per_s for task in problem.tasks), "1/s"),
            )
            for k, (problem, duration_s) in enumerate(zip(self.slots, self.durations_s.tolist()))
        ]
        starts = [
            (service.name, "core" if service.name in self.core else "light", f"{cost:.4g}")
            for service, cost in zip(self.services, self.cost_of_start)
        ]
        return Display(
            lines,
            [
                Table(("slot", "problem", "lasts", "links", "tasks", "requests"), slots),
                Table(("service", "", "cost of a start"), starts),
            ],
        )


def _made(parameters: dict[str, Any]) -> Horizon:
    return Horizon(**parameters)


def _alike(slots: Any) -> tuple[Problem, ...]:
    """Problems of the same nodes, services and limits, whose tasks of one name are the same."""
    if isinstance(slots, Problem) or not isinstance(slots, Iterable):
        raise TypeError(f"slots: expected a sequence of Problem, got {short(slots)}")
    problems = tuple(_ending(instance(f"slots[{k}]", slot, Problem)) for k, slot in enumerate(slots))
    if not problems:
        raise ValueError("slots: must not be empty")
    first = problems[0]
    known: dict[str, tuple[int, Any]] = {}
    for k, problem in enumerate(problems):
        if problem.network.nodes != first.network.nodes:
            raise ValueError(f"slots[{k}].network: its nodes are not those of slots[0]")
        for name in _SHARED:
            mine, its = getattr(problem, name), getattr(first, name)
            if mine != its:
                raise ValueError(f"slots[{k}].{name}: {short(mine)} is not {short(its)}, as in slots[0]")
        for task in problem.tasks:
            work = (task.stages, task.output_bytes)
            where, before = known.setdefault(task.name, (k, work))
            if work != before:
                raise ValueError(
                    f"slots[{k}].tasks: {task.name!r} has other stages or output_bytes than in slots[{where}]"
                )
    return problems


def _ending(problem: Problem) -> Problem:
    """With lives of links only where one ends: that is what files of horizons tell apart."""
    if problem.life_s is None or np.isfinite(problem.life_s).any():
        return problem
    return problem.replace(life_s=None)


def _durations(values: Any, slots: int) -> NDArray[np.float64]:
    if np.ndim(values) == 0:
        values = [values] * slots
    listed = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if len(listed) != slots:
        raise ValueError(f"durations_s: {len(listed)} of them for {counted(slots, 'slot')}")
    array = np.array([positive(f"durations_s[{k}]", value, most=1e12) for k, value in enumerate(listed)])
    array.flags.writeable = False
    return array.view()


def _names(field: str, values: Any, services: Sequence[Service]) -> set[str]:
    """Those of `values`, each the name of a service."""
    known = [service.name for service in services]
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{field}: expected names of services, got {short(values)}")
    listed = list(values)
    for value in listed:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{field}: {short(value)} is not the name of a service")
    if len(set(listed)) != len(listed):
        twice = next(value for value in listed if listed.count(value) > 1)
        raise ValueError(f"{field}: {twice!r} stands twice")
    return set(listed)


def _core(values: Any, services: Sequence[Service]) -> tuple[str, ...]:
    chosen = _names("core", values, services)
    return tuple(service.name for service in services if service.name in chosen)


def _start_costs(values: Any, services: Sequence[Service]) -> tuple[float, ...]:
    if not isinstance(values, Mapping):
        return (non_negative("start_cost", values),) * len(services)
    _names("start_cost", values, services)
    return tuple(
        non_negative(f"start_cost[{service.name!r}]", values.get(service.name, 0.0)) for service in services
    )


def _initial(values: Any, problem: Problem) -> dict[str, tuple[str, ...]]:
    if not isinstance(values, Mapping):
        raise TypeError(f"initial: expected a mapping from services to nodes, got {short(values)}")
    _names("initial", values, problem.services)
    place = {id: v for v, id in enumerate(problem.network.nodes.ids())}
    found: dict[str, tuple[str, ...]] = {}
    for service in problem.services:
        nodes = values.get(service.name, ())
        if isinstance(nodes, str) or not isinstance(nodes, Iterable):
            raise TypeError(f"initial[{service.name!r}]: expected ids of nodes, got {short(nodes)}")
        listed = list(nodes)
        for id in listed:
            if not isinstance(id, str) or id not in place:
                raise ValueError(f"initial[{service.name!r}]: {short(id)} is not the id of a node")
        if len(set(listed)) != len(listed):
            raise ValueError(f"initial[{service.name!r}]: {short(listed)} names a node twice")
        found[service.name] = tuple(sorted(listed, key=place.__getitem__))
    return found


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"name: expected text, got {short(name)}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"name: {short(name)} is not 1 to 100 characters of [A-Za-z0-9._-]")
    return name
