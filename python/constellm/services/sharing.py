"""The same tasks without sharing: what it buys that services are shared."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from ..core.checks import instance, short
from .problem import Problem
from .tasks import Input, Service, Stage, Task


def monoliths(problem: Problem, *, shared: Collection[str] = (), whole: bool = False) -> Problem:
    """The problem in which every task has services of its own.

    A service that several tasks use becomes one for each of them, ``service of task``, with the work, memory,
    cost and hosts of the first: nothing that one task keeps in memory serves another. Its least cost beside
    that of the problem itself says what sharing saves, exactly.

    Parameters
    ----------
    problem : Problem
    shared : collection of str
        Services that stay shared, such as the encoders alone.
    whole : bool
        Every task is one service, ``task``: the work of its stages, one after the other on one node; memory
        and cost of its services, each once; nodes that may host them all. Nothing can stay shared then.

    Returns
    -------
    Problem
        Services that no task uses are left out.

    Raises
    ------
    TypeError, ValueError
        For what is no problem or no service of it; and for `shared` beside `whole`.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, tasks=8)
    >>> apart = services.monoliths(problem)
    >>> len(problem.services), len(apart.services)
    (13, 23)
    >>> encoders = [service.name for service in problem.services if service.name.endswith("encoder")]
    >>> len(services.monoliths(problem, shared=encoders).services)
    16
    """
    instance("problem", problem, Problem)
    names = {service.name: service for service in problem.services}
    kept = _known("shared", shared, names)
    if whole and kept:
        raise ValueError(f"shared: {short(sorted(kept))} is not empty, but whole tasks share nothing")
    made: dict[str, Service] = {}
    tasks = []
    for task in problem.tasks:
        tasks.append(_whole(task, names, made) if whole else _own(task, names, kept, made))
    return problem.replace(services=list(made.values()), tasks=tasks)


def _known(field: str, given: Iterable[str], names: Collection[str]) -> set[str]:
    if isinstance(given, str):
        raise TypeError(f"{field}: expected names of services, got the text {short(given)}")
    for name in given:
        if name not in names:
            raise ValueError(f"{field}: {short(name)} is not one of {', '.join(names)}")
    return set(given)


def _own(task: Task, names: dict[str, Service], kept: set[str], made: dict[str, Service]) -> Task:
    stages = []
    for stage in task.stages:
        name = stage.service if stage.service in kept else f"{stage.service} of {task.name}"
        of = names[stage.service]
        made.setdefault(name, _named(of, name))
        stages.append(Stage(name, stage.inputs))
    return replace(task, stages=tuple(stages))


def _whole(task: Task, names: dict[str, Service], made: dict[str, Service]) -> Task:
    used = dict.fromkeys(stage.service for stage in task.stages)
    hosts = [names[name].nodes for name in used if names[name].nodes is not None]
    nodes = None
    if hosts:
        nodes = [id for id in hosts[0] or () if all(id in (others or ()) for others in hosts)]
    made[task.name] = Service(
        task.name,
        flop=sum(names[stage.service].flop for stage in task.stages),
        memory_bytes=sum(names[name].memory_bytes for name in used),
        cost=sum(names[name].cost for name in used),
        nodes=nodes,
    )
    raw = [of for stage in task.stages for of in stage.inputs if of.from_ < 0]
    return replace(task, stages=(Stage(task.name, tuple(raw) or (Input(),)),))


def _named(service: Service, name: str) -> Service:
    return Service(
        name,
        flop=service.flop,
        memory_bytes=service.memory_bytes,
        cost=service.cost,
        nodes=service.nodes,
    )
