"""Reading and writing `constellm.transfer-problem` and `constellm.transfer-plan` files, version 1."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .._core.network import ContactPlan
from ..core.checks import count, instance, non_negative, positive, real, short
from ..core.files import read_json, write_json
from ..core.plain import as_list, as_object, as_text, check_header, check_keys
from . import checking
from .plan import Cut, Plan
from .problem import Problem

PROBLEM_FORMAT = "constellm.transfer-problem"
PLAN_FORMAT = "constellm.transfer-plan"
_KINDS = {PROBLEM_FORMAT: "transfer problem", PLAN_FORMAT: "transfer plan"}


# ---- problems ----------------------------------------------------------------------------------


def problem_from_dict(data: Mapping[str, Any]) -> Problem:
    """The problem that the content of a problem file says.

    Parameters
    ----------
    data : mapping
        As ``json`` reads it.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError, TypeError
        For an unknown, missing or wrong entry; the message names the place.

    Examples
    --------
    >>> from constellm import flow
    >>> flow.problem_from_dict(
    ...     {"format": "constellm.transfer-problem", "version": 1, "name": "pass",
    ...      "nodes": [{"id": "satellite", "supply_bytes": 2e6}, {"id": "station"}], "sinks": ["station"],
    ...      "contacts": [
    ...          {"from": "satellite", "to": "station", "open_s": 30, "close_s": 90, "rate_bps": 8e6}]})
    Problem('pass': 2 nodes, 1 contact, 2 MB to 1 sink)
    """
    data = as_object("problem", data)
    check_header(data, PROBLEM_FORMAT, _KINDS)
    check_keys("problem", data, ("format", "version", "name", "nodes", "contacts"), ("sinks",))
    nodes = [_node(f"nodes[{v}]", entry) for v, entry in enumerate(as_list("nodes", data["nodes"]))]
    if not nodes:
        raise ValueError("nodes: must not be empty")
    place: dict[str, int] = {}
    for v, node in enumerate(nodes):
        if place.setdefault(node["id"], v) != v:
            raise ValueError(
                f"nodes[{v}].id: {short(node['id'])} is the id of nodes[{place[node['id']]}] too"
            )
    contacts = [
        _contact(f"contacts[{c}]", entry, place)
        for c, entry in enumerate(as_list("contacts", data["contacts"]))
    ]
    sinks = [as_text(f"sinks[{i}]", sink) for i, sink in enumerate(as_list("sinks", data.get("sinks", [])))]
    wants = any("demand_bytes" in node for node in nodes)
    from_, to, open_s, close_s, rate_bps = zip(*contacts) if contacts else ((),) * 5
    return Problem(
        ContactPlan(
            list(place), from_=list(from_), to=list(to), open_s=open_s, close_s=close_s, rate_bps=rate_bps
        ),
        supply_bytes=[node.get("supply_bytes", 0.0) for node in nodes],
        storage_bytes=[node.get("storage_bytes", math.inf) for node in nodes],
        demand_bytes=[node.get("demand_bytes", 0.0) for node in nodes] if wants else None,
        sinks=sinks,
        name=as_text("name", data["name"]),
    )


def _node(where: str, entry: Any) -> dict[str, Any]:
    """A node's figures, those alone that are told; no limit of storage is not."""
    entry = as_object(where, entry)
    check_keys(where, entry, ("id",), ("supply_bytes", "storage_bytes", "demand_bytes"))
    found: dict[str, Any] = {"id": as_text(f"{where}.id", entry["id"])}
    for key in ("supply_bytes", "demand_bytes"):
        if key in entry:
            found[key] = non_negative(f"{where}.{key}", entry[key])
    if entry.get("storage_bytes") is not None:
        storage = real(f"{where}.storage_bytes", entry["storage_bytes"])
        least = found.get("supply_bytes", 0.0)
        if not least <= storage < math.inf:
            raise ValueError(
                f"{where}.storage_bytes: {short(entry['storage_bytes'])} is not in [{least!r}, inf)"
            )
        found["storage_bytes"] = storage
    return found


def _contact(where: str, entry: Any, place: Mapping[str, int]) -> tuple[int, int, float, float, float]:
    """From, to, open_s, close_s, rate_bps."""
    entry = as_object(where, entry)
    check_keys(where, entry, ("from", "to", "open_s", "close_s", "rate_bps"), ())
    for key in ("from", "to"):
        if as_text(f"{where}.{key}", entry[key]) not in place:
            raise ValueError(f"{where}.{key}: {short(entry[key])} is not the id of a node")
    if entry["from"] == entry["to"]:
        raise ValueError(f"{where}.to: {short(entry['to'])} is where it comes from")
    open_s = non_negative(f"{where}.open_s", entry["open_s"])
    close_s = non_negative(f"{where}.close_s", entry["close_s"])
    if not open_s < close_s:
        raise ValueError(f"{where}.close_s: {short(entry['close_s'])} is not in ({open_s!r}, inf)")
    return (
        place[entry["from"]],
        place[entry["to"]],
        open_s,
        close_s,
        positive(f"{where}.rate_bps", entry["rate_bps"]),
    )


def problem_to_dict(problem: Problem) -> dict[str, Any]:
    """What a file of the problem says, as `problem_from_dict` reads it.

    Parameters
    ----------
    problem : Problem
        Of contacts that have a length and an end. Of its contact plan the light times and the epoch are left
        out, of its nodes all but the ids.

    Returns
    -------
    dict

    Raises
    ------
    TypeError, ValueError
        For what is no problem, and for a contact that no file holds; the message names it.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=9.0, rate_bps=8e6)
    >>> flow.problem_to_dict(flow.Problem(contacts, supply_bytes={"a": 2e6}, sinks=["b"]))["nodes"]
    [{'id': 'a', 'supply_bytes': 2000000.0}, {'id': 'b'}]
    """
    contacts = instance("problem", problem, Problem).contacts
    ids = [node.id for node in contacts.nodes]
    for c in np.flatnonzero(~(contacts.open_s < contacts.close_s) | ~np.isfinite(contacts.close_s)).tolist():
        open_s, close_s = float(contacts.open_s[c]), float(contacts.close_s[c])
        raise ValueError(f"contacts[{c}].close_s: {close_s!r} is not in ({open_s!r}, inf), as in files")
    nodes: list[dict[str, Any]] = [{"id": id} for id in ids]
    for node, supply, storage, demand in zip(
        nodes, problem.supply_bytes.tolist(), problem.storage_bytes.tolist(), problem.demand_bytes.tolist()
    ):
        if supply:
            node["supply_bytes"] = supply
        if storage < math.inf:
            node["storage_bytes"] = storage
        if not problem.sinks:
            node["demand_bytes"] = demand
    columns = [getattr(contacts, name).tolist() for name in ("from_", "to", "open_s", "close_s", "rate_bps")]
    data: dict[str, Any] = {
        "format": PROBLEM_FORMAT,
        "version": 1,
        "name": problem.name,
        "nodes": nodes,
        "contacts": [
            {"from": ids[a], "to": ids[b], "open_s": open_s, "close_s": close_s, "rate_bps": rate_bps}
            for a, b, open_s, close_s, rate_bps in zip(*columns)
        ],
    }
    return {**data, "sinks": list(problem.sinks)} if problem.sinks else data


def load_problem(path: str | os.PathLike[str]) -> Problem:
    """Read a `constellm.transfer-problem` file.

    Parameters
    ----------
    path : path-like
        From a name that ends in ``.gz`` it is read compressed.

    Returns
    -------
    Problem

    Raises
    ------
    OSError, ValueError, TypeError
        Where it cannot be read, or as `problem_from_dict`.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=9.0, rate_bps=8e6)
    >>> flow.save_problem(flow.Problem(contacts, supply_bytes={"a": 2e6}, sinks=["b"]), "pass.json")
    >>> flow.load_problem("pass.json")
    Problem('transfer': 2 nodes, 1 contact, 2 MB to 1 sink)
    """
    return problem_from_dict(read_json(path))


def save_problem(problem: Problem, path: str | os.PathLike[str]) -> None:
    """Write `problem` as a `constellm.transfer-problem` file, in one step.

    Parameters
    ----------
    problem : Problem
        As `problem_to_dict` takes it.
    path : path-like
        Replaced where it exists.

    Raises
    ------
    OSError, ValueError, TypeError
        If the file cannot be written, or as `problem_to_dict`.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=9.0, rate_bps=8e6)
    >>> problem = flow.Problem(contacts, supply_bytes={"a": 2e6}, sinks=["b"])
    >>> flow.save_problem(problem, "pass.json")
    >>> flow.load_problem("pass.json") == problem
    True
    """
    write_json(problem_to_dict(problem), path)


# ---- plans -------------------------------------------------------------------------------------


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """What a file of the plan says, as `plan_from_dict` reads it.

    Parameters
    ----------
    plan : Plan
        With or without flows.

    Returns
    -------
    dict

    Raises
    ------
    TypeError
        For what is no `Plan`.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=9.0, rate_bps=8e6)
    >>> plan = flow.solve(flow.Problem(contacts, supply_bytes={"a": 2e6}, sinks=["b"]))
    >>> data = flow.plan_to_dict(plan)
    >>> data["finish_s"], data["flows"]
    (2.0, [{'contact': 0, 'start_s': 0.0, 'end_s': 2.0, 'bytes': 2000000.0}])
    """
    instance("plan", plan, Plan)
    data: dict[str, Any] = {
        "format": PLAN_FORMAT,
        "version": 1,
        "problem": plan.problem.name,
        "status": plan.status,
    }
    finished = not math.isnan(plan.finish_s)
    if finished:
        data["finish_s"] = plan.finish_s
    if math.isfinite(plan.lower_bound_s):
        data["lower_bound_s"] = plan.lower_bound_s
    if finished:
        columns = (
            plan.contact.tolist(),
            plan.start_s.tolist(),
            plan.end_s.tolist(),
            plan.sent_bytes.tolist(),
        )
        data["flows"] = [
            {"contact": contact, "start_s": start_s, "end_s": end_s, "bytes": sent_bytes}
            for contact, start_s, end_s, sent_bytes in zip(*columns)
        ]
    if plan.cut is not None:
        data["certificate"] = _stretches(plan.cut, [node.id for node in plan.problem.contacts.nodes])
    return data


def _stretches(cut: Cut, ids: list[str]) -> list[dict[str, Any]]:
    """A cut by who joins its source side and who leaves it, from when on."""
    side = cut.source_side
    before = np.vstack((np.zeros((1, len(ids)), dtype=bool), side[:-1]))
    return [
        {
            "start_s": start_s,
            "joins": [ids[v] for v in np.flatnonzero(now & ~was).tolist()],
            "leaves": [ids[v] for v in np.flatnonzero(was & ~now).tolist()],
        }
        for start_s, was, now in zip(cut.start_s.tolist(), before, side)
    ]


def save_plan(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write `plan` as a `constellm.transfer-plan` file, in one step.

    Parameters
    ----------
    plan : Plan
        With or without flows.
    path : path-like
        Replaced where it exists.

    Raises
    ------
    TypeError
        For what is no `Plan`.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=9.0, rate_bps=8e6)
    >>> plan = flow.solve(flow.Problem(contacts, supply_bytes={"a": 2e6}, sinks=["b"]))
    >>> flow.save_plan(plan, "pass.plan.json")
    >>> flow.load_plan("pass.plan.json", plan.problem) == plan
    True
    """
    write_json(plan_to_dict(plan), path)


def load_plan(path: str | os.PathLike[str], problem: Problem) -> Plan:
    """Read a `constellm.transfer-plan` file.

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
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=9.0, rate_bps=8e6)
    >>> plan = flow.solve(flow.Problem(contacts, supply_bytes={"a": 2e6}, sinks=["b"]))
    >>> flow.save_plan(plan, "pass.plan.json")
    >>> flow.load_plan("pass.plan.json", plan.problem)
    Plan('transfer': optimal, finish_s=2, gap=0)
    """
    return plan_from_dict(read_json(path), problem)


def plan_from_dict(data: Mapping[str, Any], problem: Problem) -> Plan:
    """The plan that the content of a plan file says, held against its problem by `check`.

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
        For content that is no plan, a plan of another problem, and any rule that `check` finds broken.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=9.0, rate_bps=8e6)
    >>> problem = flow.Problem(contacts, supply_bytes={"a": 2e6}, sinks=["b"])
    >>> flow.plan_from_dict(
    ...     {"format": "constellm.transfer-plan", "version": 1, "problem": "transfer", "status": "feasible",
    ...      "finish_s": 4.0, "lower_bound_s": 0.0,
    ...      "flows": [{"contact": 0, "start_s": 0.0, "end_s": 4.0, "bytes": 2e6}]}, problem)
    Plan('transfer': feasible, finish_s=4, gap=1)
    """
    instance("problem", problem, Problem)
    for error in broken_rules(data, problem):
        raise error
    return _plan(data, problem)


def broken_rules(data: Any, problem: Problem) -> Iterator[ValueError | TypeError]:
    """Why the content of a plan file is no plan of the problem, one reason after the other."""
    if not isinstance(data, Mapping):
        yield from _refused(as_object, "plan", data)
        return
    yield from _misfits(data, problem)
    unread = list(_unread(data, problem))
    yield from unread
    if not unread:
        yield from (ValueError(rule) for rule in checking.broken_rules(problem, _plan(data, problem)))


def _plan(data: Mapping[str, Any], problem: Problem) -> Plan:
    """The plan that content says which has been read before."""
    flows = data.get("flows", [])
    certificate = data.get("certificate")
    infeasible = data.get("status") == "infeasible"
    return Plan(
        problem=problem,
        status=data.get("status", ""),
        finish_s=float(data.get("finish_s", math.nan)),
        lower_bound_s=math.inf if infeasible else float(data.get("lower_bound_s", 0.0)),
        contact=np.array([flow["contact"] for flow in flows], dtype=np.int32),
        start_s=np.array([flow["start_s"] for flow in flows], dtype=np.float64),
        end_s=np.array([flow["end_s"] for flow in flows], dtype=np.float64),
        sent_bytes=np.array([flow["bytes"] for flow in flows], dtype=np.float64),
        cut=None if certificate is None else _cut(certificate, problem),
        method="unknown",
        seconds=math.nan,
    )


def _misfits(data: Mapping[str, Any], problem: Problem) -> Iterator[ValueError | TypeError]:
    """What does not fit a plan of the problem, or is not given where it should be."""
    yield from _refused(check_header, data, PLAN_FORMAT, _KINDS)
    needed = ("format", "version", "problem", "status")
    optional = ("finish_s", "lower_bound_s", "flows", "certificate")
    yield from _refused(check_keys, "plan", data, needed, optional)
    if "problem" in data and data["problem"] != problem.name:
        yield ValueError(f"problem: the plan is for {short(data['problem'])}, not for {problem.name!r}")
    if ("finish_s" in data) != ("flows" in data):
        yield ValueError("finish_s and flows: one is given without the other")
    if "finish_s" in data and "lower_bound_s" not in data:
        yield ValueError("lower_bound_s: missing beside finish_s")
    if data.get("status") == "infeasible" and "lower_bound_s" in data:
        yield ValueError("lower_bound_s: there is one, and the status is infeasible")


def _unread(data: Mapping[str, Any], problem: Problem) -> Iterator[ValueError | TypeError]:
    """What cannot be read at all."""
    yield from _refused(as_text, "status", data.get("status", ""))
    for key in ("finish_s", "lower_bound_s"):
        yield from _refused(non_negative, key, data.get(key, 0.0))
    unread = list(_refused(as_list, "flows", data.get("flows", [])))
    yield from unread
    for i, flow in enumerate([] if unread else data.get("flows", ())):
        yield from _refused(_check_flow, f"flows[{i}]", flow, len(problem.contacts))
    if "certificate" in data:
        yield from _refused(_cut, data["certificate"], problem)


def _check_flow(where: str, flow: Any, contacts: int) -> None:
    flow = as_object(where, flow)
    check_keys(where, flow, ("contact", "start_s", "end_s", "bytes"), ())
    number = count(f"{where}.contact", flow["contact"], least=0)
    if number >= contacts:
        raise ValueError(f"{where}.contact: {short(number)} is not in [0, {contacts})")
    for key in ("start_s", "end_s", "bytes"):
        non_negative(f"{where}.{key}", flow[key])


def _cut(stretches: Any, problem: Problem) -> Cut:
    """A certificate, from who joins and who leaves the source side."""
    place = {node.id: v for v, node in enumerate(problem.contacts.nodes)}
    side = np.zeros(len(place), dtype=bool)
    start_s, sides = [], []
    for k, stretch in enumerate(as_list("certificate", stretches)):
        where = f"certificate[{k}]"
        stretch = as_object(where, stretch)
        check_keys(where, stretch, ("start_s", "joins", "leaves"), ())
        start_s.append(non_negative(f"{where}.start_s", stretch["start_s"]))
        if (start_s[k] != 0.0) if k == 0 else not start_s[k - 1] < start_s[k]:
            expected = "not 0, the first" if k == 0 else f"not after {start_s[k - 1]!r}"
            raise ValueError(f"{where}.start_s: {start_s[k]!r} is {expected}")
        for key, joins in (("joins", True), ("leaves", False)):
            for i, id in enumerate(as_list(f"{where}.{key}", stretch[key])):
                if as_text(f"{where}.{key}[{i}]", id) not in place:
                    raise ValueError(f"{where}.{key}[{i}]: {short(id)} is not the id of a node")
                if side[place[id]] == joins:
                    state = "is already" if joins else "is not"
                    raise ValueError(f"{where}.{key}[{i}]: {short(id)} {state} on the source side")
                side[place[id]] = joins
        sides.append(side.copy())
    if not sides:
        raise ValueError("certificate: must not be empty")
    return Cut(start_s, sides)


def _refused(check: Callable[..., Any], *arguments: Any) -> Iterator[ValueError | TypeError]:
    """What a check raises, if it does."""
    try:
        check(*arguments)
    except (ValueError, TypeError) as error:
        yield error
