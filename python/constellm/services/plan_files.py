"""Reading and writing `constellm.services-plan` files, version 1."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.checks import instance, non_negative, short
from ..core.files import read_json, write_json
from ..core.plain import as_list, as_object, as_text, check_header, check_keys
from .checking import check
from .evaluation import Evaluation, evaluate
from .files import KINDS, PLAN_FORMAT
from .placement import Placement
from .plan import HAS_PLACEMENT, Plan
from .problem import Problem
from .solver import OPTIMAL_GAP

TOLERANCE = 1e-9
"""Relative, of what a plan claims."""

_HEADER = ("format", "version", "problem", "status")
_PLACED = ("cost", "delay_s", "lower_bound", "replicas", "assignment")
_Error = (ValueError, TypeError)


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """What a file of the plan says, as `plan_from_dict` reads it.

    Parameters
    ----------
    plan : Plan
        With or without a placement; of one, every task is admitted.

    Returns
    -------
    dict

    Raises
    ------
    TypeError, ValueError
        For what is no `Plan`, and for tasks that are not admitted, which no file holds.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> plan = services.Plan(problem, "feasible", services.Placement({"encoder": [a]}, {"detect": [a]}), 0.5)
    >>> data = services.plan_to_dict(plan)
    >>> data["cost"], data["delay_s"], data["lower_bound"]
    (1.0, 0.03, 0.5)
    """
    instance("plan", plan, Plan)
    data: dict[str, Any] = {
        "format": PLAN_FORMAT,
        "version": 1,
        "problem": plan.problem.name,
        "status": plan.status,
    }
    if plan.placement is None:
        if math.isfinite(plan.lower_bound) and plan.lower_bound > 0.0:
            data["lower_bound"] = plan.lower_bound
        return data
    for name, nodes in plan.assignment.items():
        if not nodes:
            raise ValueError(
                f"assignment: the task {short(name)} is not admitted, and files have no such tasks"
            )
    return {
        **data,
        "cost": plan.cost,
        "delay_s": plan.delay_s,
        "lower_bound": plan.lower_bound,
        "second_optimal": plan.second_optimal,
        "replicas": {name: list(nodes) for name, nodes in plan.replicas.items()},
        "assignment": {name: list(nodes) for name, nodes in plan.assignment.items()},
    }


def plan_from_dict(data: Mapping[str, Any], problem: Problem) -> Plan:
    """The plan that the content of a plan file says, held against its problem.

    Parameters
    ----------
    data : mapping
        As ``json`` reads it.
    problem : Problem
        That it is a plan of.

    Returns
    -------
    Plan
        What the file says; `method` is ``"unknown"``.

    Raises
    ------
    ValueError, TypeError
        For content that is no plan, a plan of another problem, figures that are not so, and any rule that
        `check` finds broken.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=9e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> services.plan_from_dict({"format": "constellm.services-plan", "version": 1, "problem": "services",
    ...                          "status": "infeasible"}, problem)
    Plan('services': infeasible)
    """
    instance("problem", problem, Problem)
    for error in broken_rules(data, problem):
        raise error
    return _plan(data, problem)


def broken_rules(data: Any, problem: Problem) -> Iterator[ValueError | TypeError]:
    """Why the content of a plan file is no plan of the problem, one reason after the other."""
    try:
        placement = read(data, problem)
        rules = [] if placement is None else check(problem, placement)
    except _Error as error:
        yield error
        return
    yield from (ValueError(rule) for rule in (*_claims(data, problem, placement), *rules))


def read(data: Any, problem: Problem) -> Placement | None:
    """The placement that content says, whose keys and types are checked; None: it has none.

    Raises
    ------
    ValueError, TypeError
        For what has not the form of a plan of the problem.
    """
    data = as_object("plan", data)
    check_header(data, PLAN_FORMAT, KINDS)
    check_keys("plan", data, _HEADER, (*_PLACED, "second_optimal"))
    name, status = as_text("problem", data["problem"]), as_text("status", data["status"])
    if name != problem.name:
        raise ValueError(f"problem: {short(name)} is not {problem.name!r}")
    if status not in HAS_PLACEMENT:
        raise ValueError(f"status: {short(status)} is not one of {', '.join(HAS_PLACEMENT)}")
    for key in ("cost", "delay_s", "lower_bound"):
        if key in data:
            non_negative(key, data[key])
    if not isinstance(data.get("second_optimal", False), bool):
        raise TypeError(f"second_optimal: expected true or false, got {short(data['second_optimal'])}")
    has = HAS_PLACEMENT[status]
    if has is None:
        has = any(key in data for key in ("replicas", "assignment"))
    if not has:
        allowed = _HEADER if status == "infeasible" else (*_HEADER, "lower_bound")
        for key in data:
            if key not in allowed:
                raise ValueError(f"{key}: stands there, and the status is {status}")
        return None
    for key in _PLACED:
        if key not in data:
            raise ValueError(f"plan: missing required key {key!r}, and the status is {status}")
    placement = placement_from_dict(data)
    assert placement is not None
    for task in problem.tasks:
        if not placement.assignment.get(task.name, (None,)):
            raise ValueError(f"assignment[{task.name!r}]: must not be empty")
    return placement


def placement_from_dict(data: Mapping[str, Any]) -> Placement | None:
    """The placement of a plan file, whatever else it says; None: it has none."""
    if "replicas" not in data and "assignment" not in data:
        return None
    return Placement(_lists("replicas", data.get("replicas")), _lists("assignment", data.get("assignment")))


def _lists(field: str, value: Any) -> dict[str, list[Any]]:
    lists = as_object(field, value)
    return {name: as_list(f"{field}[{short(name)}]", nodes) for name, nodes in lists.items()}


def _claims(data: Mapping[str, Any], problem: Problem, placement: Placement | None) -> Iterator[str]:
    """What figures and status say that is not so."""
    status, second = data["status"], data.get("second_optimal", False)
    if second and status != "optimal":
        yield f"second_optimal: true, and the status is {status}"
    if placement is None:
        return
    found = _terms(problem, placement)
    if found is None:
        return
    for key, value in (("cost", found.cost), ("delay_s", found.delay_s)):
        if abs(data[key] - value) > TOLERANCE * max(abs(value), abs(data[key])):
            yield f"{key}: {data[key]!r} is claimed, and it is {value!r}"
    bound, objective = data["lower_bound"], found.objective
    if bound > objective * (1.0 + TOLERANCE):
        yield f"lower_bound: {bound!r} is above the {problem.objective}, {objective!r}"
    if status == "optimal" and objective - bound > OPTIMAL_GAP * objective:
        yield f"status: optimal, with a lower_bound of {bound!r} below the {problem.objective}, {objective!r}"


def _terms(problem: Problem, placement: Placement) -> Evaluation | None:
    """None for what `check` names."""
    try:
        return evaluate(problem, placement)
    except ValueError:
        return None


def _plan(data: Mapping[str, Any], problem: Problem) -> Plan:
    """The plan that content says in which nothing is wrong."""
    status = data["status"]
    return Plan(
        problem=problem,
        status=status,
        placement=read(data, problem),
        lower_bound=math.inf if status == "infeasible" else float(data.get("lower_bound", 0.0)),
        second_optimal=data.get("second_optimal", False),
        method="unknown",
    )


def save_plan(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write `plan` as a `constellm.services-plan` file, in one step.

    Parameters
    ----------
    plan : Plan
        As `plan_to_dict` takes it.
    path : path-like
        Replaced where it exists.

    Raises
    ------
    OSError, ValueError, TypeError
        If the file cannot be written, or as `plan_to_dict`.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> services.save_plan(services.Plan(problem, "time_limit", None, 1.0), "none.plan.json")
    >>> services.load_plan("none.plan.json", problem)
    Plan('services': time_limit)
    """
    write_json(plan_to_dict(plan), path)


def load_plan(path: str | os.PathLike[str], problem: Problem) -> Plan:
    """Read a `constellm.services-plan` file.

    Parameters
    ----------
    path : path-like
        Of the plan.
    problem : Problem
        That it is a plan of.

    Returns
    -------
    Plan
        See `plan_from_dict`.

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or as `plan_from_dict`.

    Examples
    --------
    >>> from constellm import network, services
    >>> chain = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=1e9, latency_s=0.01)
    >>> a, b = (node.id for node in chain.nodes)
    >>> stage = services.Stage("encoder", [services.Input(bytes=6e5)])
    >>> problem = services.Problem(
    ...     network=chain, services=[services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)],
    ...     tasks=[services.Task("detect", rate_per_s=3.0, source=a, sink=b, stages=[stage])])
    >>> plan = services.Plan(problem, "feasible", services.Placement({"encoder": [a]}, {"detect": [a]}), 0.5)
    >>> services.save_plan(plan, "one.plan.json")
    >>> services.load_plan("one.plan.json", problem) == plan
    True
    """
    return plan_from_dict(read_json(path), problem)
