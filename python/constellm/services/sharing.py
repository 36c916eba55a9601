"""The same tasks without sharing: what it buys that services are shared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ..core.checks import instance, short
from ..core.plain import as_object, as_text
from .problem import Problem
from .tasks import Input, Service, Stage, Task


def monoliths(
    problem: Problem,
    *,
    shared: Collection[str] = (),
    groups: Mapping[str, str] | None = None,
    whole: bool = False,
) -> Problem:
    """The problem in which every task, or every group of tasks, has services of its own.

    A service that several tasks use becomes one for each of them, ``service of task``, with the work, memory,
    cost and hosts of the first: nothing that one task keeps in memory serves another. Its least cost beside
    that of the problem itself says what sharing saves, exactly.

    Parameters
    ----------
    problem : Problem
    shared : collection of str
        Services that stay shared, such as the encoders alone.
    groups : mapping of str to str, optional
        Of tasks by name the group: tasks of a group share with each other, and no others. A task that is not
        named is by itself, as all are by default.
    whole : bool
        A group is one service of its name: the work of the stages, one after the other on one node; memory
        and cost of its services, each once; nodes that may host them all. Nothing stays shared then, and the
        tasks of a group need the same stages.

    Returns
    -------
    Problem
        Services that no task uses are left out.

    Raises
    ------
    TypeError, ValueError
        For what is no problem, and no service or task of it; for `shared` beside `whole`, and a group of
        tasks of several kinds that is to be whole.

    Examples
    --------
    >>> from constellm import services
    >>> problem = services.scenario(seed=1, requests_per_s=20.0)
    >>> kinds = {task.name: task.name.partition("/")[0].partition(".")[0] for task in problem.tasks}
    >>> encoders = [service.name for service in problem.services if service.name.endswith("encoder")]
    >>> apart = [
    ...     services.monoliths(problem, groups=kinds, shared=encoders),
    ...     services.monoliths(problem, groups=kinds),
    ...     services.monoliths(problem),
    ...     services.monoliths(problem, whole=True),
    ... ]
    >>> [len(of.services) for of in (problem, *apart)]
    [13, 18, 26, 29, 10]
    """
    instance("problem", problem, Problem)
    names = {service.name: service for service in problem.services}
    kept = _known("shared", shared, names)
    if whole and kept:
        raise ValueError(f"shared: {short(sorted(kept))} is not empty, but whole tasks share nothing")
    given = {} if groups is None else as_object("groups", groups)
    _known("groups", given, [task.name for task in problem.tasks])
    made: dict[str, Service] = {}
    tasks = []
    for task in problem.tasks:
        group = as_text(f"groups[{task.name!r}]", given.get(task.name, task.name))
        one = _whole(task, group, names, made) if whole else _own(task, group, names, kept, made)
        tasks.append(one)
    return problem.replace(services=list(made.values()), tasks=tasks)


def _known(field: str, given: Iterable[str], names: Collection[str]) -> set[str]:
    if isinstance(given, str):
        raise TypeError(f"{field}: expected names, got the text {short(given)}")
    for name in given:
        if name not in names:
            raise ValueError(f"{field}: {short(name)} is not one of {', '.join(names)}")
    return set(given)


def _own(task: Task, group: str, names: dict[str, Service], kept: set[str], made: dict[str, Service]) -> Task:
    stages = []
    for stage in task.stages:
        name = stage.service if stage.service in kept else f"{stage.service} of {group}"
        of = names[stage.service]
        made.setdefault(name, _named(of, name))
        stages.append(Stage(name, stage.inputs))
    return replace(task, stages=tuple(stages))


def _whole(task: Task, group: str, names: dict[str, Service], made: dict[str, Service]) -> Task:
    used = dict.fromkeys(stage.service for stage in task.stages)
    limited = [set(nodes) for name in used if (nodes := names[name].nodes) is not None]
    first = next((nodes for name in used if (nodes := names[name].nodes) is not None), None)
    one = Service(
        group,
        flop=sum(names[stage.service].flop for stage in task.stages),
        memory_bytes=sum(names[name].memory_bytes for name in used),
        cost=sum(names[name].cost for name in used),
        nodes=None if first is None else [id for id in first if all(id in nodes for nodes in limited)],
    )
    if made.setdefault(group, one) != one:
        raise ValueError(f"groups[{task.name!r}]: {short(group)} has tasks of other stages")
    raw = [of for stage in task.stages for of in stage.inputs if of.from_ < 0]
    return replace(task, stages=(Stage(group, tuple(raw) or (Input(),)),))


def _named(service: Service, name: str) -> Service:
    return Service(
        name,
        flop=service.flop,
        memory_bytes=service.memory_bytes,
        cost=service.cost,
        nodes=service.nodes,
    )
