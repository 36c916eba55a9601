"""Reading and writing `constellm.services-horizon` files, version 1, and those of plans over time.

What may change from slot to slot stands in *columns*: one value for all slots, or a list of one for each.
Where a link or a task is not there in a slot, its columns have null.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..core.checks import instance, non_negative, positive, short
from ..core.plain import as_list, as_object, as_text, check_header, check_keys
from ..network import Graph
from .files import _limits as limits_of
from .files import _network as network_of
from .files import _service as service_of
from .files import _task as task_of
from .files import _task_dict as task_dict
from .files import problem_to_dict
from .horizons import Horizon
from .problem import Problem
from .tasks import Task

HORIZON_FORMAT = "constellm.services-horizon"
_KINDS = {HORIZON_FORMAT: "services horizon"}

_T = TypeVar("_T")
_Read = Callable[[str, Any], _T]


# ---- horizons to content -----------------------------------------------------------------------


def horizon_to_dict(horizon: Horizon) -> dict[str, Any]:
    """What a file of the horizon says, as `horizon_from_dict` reads it.

    Parameters
    ----------
    horizon : Horizon
        Of nodes the ids, speeds and memories are kept, of links rates, latencies and lives.

    Returns
    -------
    dict

    Raises
    ------
    TypeError, ValueError
        For what is no horizon, and slots with `samples`, which no file holds.

    Examples
    --------
    >>> from constellm import network, services
    >>> nodes = [network.Node(id=id, flop_per_s=1e12, memory_bytes=4e9) for id in ("a", "b")]
    >>> graph = network.Graph(nodes, from_=[0, 1], to=[1, 0], rate_bps=1e9, latency_s=0.01)
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> def slot(source):
    ...     stage = services.Stage("encoder", (services.Input(-1, 1e6),))
    ...     task = services.Task("caption", rate_per_s=5.0, source=source, sink="a", stages=(stage,))
    ...     return services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> data = services.horizon_to_dict(services.Horizon([slot("a"), slot("b")], 60.0))
    >>> data["tasks"][0]["source"], data["tasks"][0]["rate_per_s"], data["links"][0]["latency_s"]
    (['a', 'b'], 5.0, 0.01)
    """
    instance("horizon", horizon, Horizon)
    for k, slot in enumerate(horizon.slots):
        if slot.samples is not None:
            raise ValueError(f"slots[{k}].samples: are in no file")
    return {
        "format": HORIZON_FORMAT,
        "version": 1,
        "name": horizon.name,
        "slots": [
            {"name": slot.name, "duration_s": duration_s}
            for slot, duration_s in zip(horizon.slots, horizon.durations_s.tolist())
        ],
        **_of_all(horizon.slots[0]),
        "links": _links_of(horizon),
        "tasks": _tasks_of(horizon),
        "objective": horizon.objective,
        "core": list(horizon.core),
        "starts": {
            "cost": {of.name: cost for of, cost in zip(horizon.services, horizon.start_cost) if cost},
            "cost_per_byte": horizon.start_cost_per_byte,
            "max_starts": horizon.max_starts,
            "max_moved_bytes": horizon.max_moved_bytes,
        },
        "initial": None if horizon.initial is None else {of: list(on) for of, on in horizon.initial.items()},
    }


def _of_all(slot: Problem) -> dict[str, Any]:
    """Nodes, services and limits, as a file of the slot has them."""
    plain = problem_to_dict(_plain(slot))
    return {key: plain[key] for key in ("nodes", "services", "limits")}


def _plain(slot: Problem) -> Problem:
    """Without what files of problems do not hold."""
    tasks = [dataclasses.replace(task, weight=1.0) for task in slot.tasks]
    return slot.replace(tasks=tasks, objective="cost", life_s=None)


def _column(values: Sequence[Any]) -> Any:
    """One value where all are alike."""
    return list(values) if any(value != values[0] for value in values) else values[0]


def _links_of(horizon: Horizon) -> list[dict[str, Any]]:
    ids = horizon.node_ids
    slots = len(horizon.slots)
    columns: dict[tuple[int, int], dict[str, list[Any]]] = {}
    in_order = True
    for k, slot in enumerate(horizon.slots):
        graph = slot.network
        lives_s = [math.inf] * graph.link_count if slot.life_s is None else np.asarray(slot.life_s).tolist()
        pairs = list(zip(graph.from_.tolist(), graph.to.tolist()))
        in_order = in_order and pairs == sorted(pairs)
        for pair, rate_bps, latency_s, life_s in zip(
            pairs, graph.rate_bps.tolist(), graph.latency_s.tolist(), lives_s
        ):
            if pair not in columns:
                columns[pair] = {key: [None] * slots for key in ("rate_bps", "latency_s", "life_s")}
            here = columns[pair]
            here["rate_bps"][k], here["latency_s"][k] = rate_bps, latency_s
            here["life_s"][k] = None if math.isinf(life_s) else life_s
    return [
        {"from": ids[a], "to": ids[b], **{key: _column(values) for key, values in columns[a, b].items()}}
        for a, b in (sorted(columns) if in_order else columns)
    ]


_OF_TASK = ("rate_per_s", "deviation_per_s", "source", "sink", "deadline_s", "weight")


def _tasks_of(horizon: Horizon) -> list[dict[str, Any]]:
    slots = len(horizon.slots)
    found: dict[str, dict[str, Any]] = {}
    columns: dict[str, dict[str, list[Any]]] = {}
    for k, slot in enumerate(horizon.slots):
        for task in slot.tasks:
            if task.name not in found:
                found[task.name] = task_dict(task)
                columns[task.name] = {key: [None] * slots for key in _OF_TASK}
            for key in _OF_TASK:
                columns[task.name][key][k] = getattr(task, key)
    return [
        {**entry, **{key: _column(values) for key, values in columns[name].items()}}
        for name, entry in found.items()
    ]


# ---- content to horizons -----------------------------------------------------------------------


def horizon_from_dict(data: Mapping[str, Any]) -> Horizon:
    """The horizon that the content of a file says.

    Parameters
    ----------
    data : mapping
        As ``json`` reads it.

    Returns
    -------
    Horizon

    Raises
    ------
    ValueError, TypeError
        For an unknown, missing or wrong entry; the message names the place.

    Examples
    --------
    >>> from constellm import services
    >>> services.horizon_from_dict(
    ...     {"format": "constellm.services-horizon", "version": 1, "name": "pass",
    ...      "slots": [{"name": "early", "duration_s": 60}, {"name": "late", "duration_s": 60}],
    ...      "nodes": [{"id": "a", "flop_per_s": 1e12, "memory_bytes": 4e9},
    ...                {"id": "b", "flop_per_s": 1e12, "memory_bytes": 4e9}],
    ...      "links": [{"from": "a", "to": "b", "rate_bps": [1e9, None], "latency_s": [0.01, None]}],
    ...      "services": [{"name": "encoder", "flop": 1e10, "memory_bytes": 1e9, "cost": 1}],
    ...      "tasks": [{"name": "caption", "rate_per_s": 5, "source": ["a", "b"], "sink": "b",
    ...                 "stages": [{"service": "encoder", "inputs": [{"from": -1, "bytes": 1e6}]}]}]})
    Horizon('pass': 2 slots, 120 s, 2 nodes, 1 service, 1 task)
    """
    data = as_object("horizon", data)
    check_header(data, HORIZON_FORMAT, _KINDS)
    check_keys(
        "horizon",
        data,
        ("format", "version", "name", "slots", "nodes", "links", "services", "tasks"),
        ("limits", "objective", "core", "starts", "initial"),
    )
    slots = [_slot(f"slots[{k}]", entry) for k, entry in enumerate(as_list("slots", data["slots"]))]
    if not slots:
        raise ValueError("slots: must not be empty")
    networks = _networks(data, len(slots))
    services = [
        service_of(f"services[{s}]", entry) for s, entry in enumerate(as_list("services", data["services"]))
    ]
    shared = {"services": services, "objective": data.get("objective", "cost")}
    shared.update(limits_of(data.get("limits", {})))
    tasks = _tasks(data["tasks"], len(slots))
    problems = []
    for k, ((name, _), (graph, life_s)) in enumerate(zip(slots, networks)):
        try:
            problems.append(Problem(network=graph, life_s=life_s, tasks=tasks[k], name=name, **shared))
        except (TypeError, ValueError) as error:
            raise type(error)(f"slots[{k}]: {error}") from None
    return Horizon(
        problems,
        [duration_s for _, duration_s in slots],
        core=as_list("core", data.get("core", [])),
        initial=data.get("initial"),
        name=as_text("name", data["name"]),
        **_starts(as_object("starts", data.get("starts", {}))),
    )


def _slot(where: str, entry: Any) -> tuple[str, float]:
    entry = as_object(where, entry)
    check_keys(where, entry, ("name", "duration_s"), ())
    return as_text(f"{where}.name", entry["name"]), positive(f"{where}.duration_s", entry["duration_s"])


def _starts(entry: dict[str, Any]) -> dict[str, Any]:
    check_keys("starts", entry, (), ("cost", "cost_per_byte", "max_starts", "max_moved_bytes"))
    return {
        "start_cost": as_object("starts.cost", entry.get("cost", {})),
        "start_cost_per_byte": entry.get("cost_per_byte", 0.0),
        "max_starts": entry.get("max_starts"),
        "max_moved_bytes": entry.get("max_moved_bytes"),
    }


def _slotted(where: str, value: Any, slots: int, read: _Read[_T]) -> list[_T | None]:
    """A column, slot by slot; None where it has null."""
    if not isinstance(value, list):
        return [None if value is None else read(where, value)] * slots
    if len(value) != slots:
        raise ValueError(f"{where}: {len(value)} values for {slots} slots")
    return [None if one is None else read(f"{where}[{k}]", one) for k, one in enumerate(value)]


def _required(where: str, values: Sequence[Any], there: Sequence[bool]) -> None:
    """ValueError for a value that is missing, or one where nothing is."""
    for k, (value, here) in enumerate(zip(values, there)):
        if here and value is None:
            raise ValueError(f"{where}: null in slot {k}, in which it is there")


class _Link(NamedTuple):
    from_: int
    to: int
    rate_bps: list[float | None]
    latency_s: list[float | None]
    life_s: list[float | None]


def _networks(data: Mapping[str, Any], slots: int) -> list[tuple[Graph, list[float] | None]]:
    """Of each slot the graph and how long its links live."""
    empty = network_of({**data, "links": []})
    place = {node.id: v for v, node in enumerate(empty.nodes)}
    entries = as_list("links", data["links"])
    links = [_link(f"links[{i}]", entry, place, slots) for i, entry in enumerate(entries)]
    pairs: dict[tuple[int, int], int] = {}
    for i, link in enumerate(links):
        if pairs.setdefault((link.from_, link.to), i) != i:
            raise ValueError(f"links[{i}]: joins the same nodes as links[{pairs[link.from_, link.to]}]")
    found = []
    for k in range(slots):
        here = [link for link in links if link.rate_bps[k] is not None]
        graph = Graph(
            empty.nodes,
            from_=[link.from_ for link in here],
            to=[link.to for link in here],
            rate_bps=np.array([link.rate_bps[k] for link in here], dtype=float),
            latency_s=np.array([link.latency_s[k] for link in here], dtype=float),
        )
        lives_s = [link.life_s[k] for link in here]
        ends = any(life_s is not None for life_s in lives_s)
        found.append((graph, [math.inf if one is None else one for one in lives_s] if ends else None))
    return found


def _link(where: str, entry: Any, place: Mapping[str, int], slots: int) -> _Link:
    entry = as_object(where, entry)
    check_keys(where, entry, ("from", "to", "rate_bps", "latency_s"), ("life_s",))
    ends = []
    for key in ("from", "to"):
        if as_text(f"{where}.{key}", entry[key]) not in place:
            raise ValueError(f"{where}.{key}: {short(entry[key])} is not the id of a node")
        ends.append(place[entry[key]])
    if ends[0] == ends[1]:
        raise ValueError(f"{where}.to: {short(entry['to'])} is where it comes from")
    rate_bps = _slotted(f"{where}.rate_bps", entry["rate_bps"], slots, positive)
    latency_s = _slotted(f"{where}.latency_s", entry["latency_s"], slots, non_negative)
    life_s = _slotted(f"{where}.life_s", entry.get("life_s"), slots, positive)
    _required(f"{where}.latency_s", latency_s, [rate is not None for rate in rate_bps])
    return _Link(ends[0], ends[1], rate_bps, latency_s, life_s)


def _tasks(entries: Any, slots: int) -> list[list[Task]]:
    """Of each slot the tasks that are there, in the order of the file."""
    found: list[list[Task]] = [[] for _ in range(slots)]
    names: set[str] = set()
    for t, entry in enumerate(as_list("tasks", entries)):
        where = f"tasks[{t}]"
        entry = as_object(where, entry)
        required = ("name", "rate_per_s", "source", "sink", "stages")
        check_keys(where, entry, required, ("deviation_per_s", "deadline_s", "weight", "output_bytes"))
        name = as_text(f"{where}.name", entry["name"])
        if name in names:
            raise ValueError(f"{where}.name: {short(name)} is the name of another task too")
        names.add(name)
        columns = _columns_of_task(where, entry, slots)
        once = {key: entry[key] for key in ("name", "stages", "output_bytes") if key in entry}
        for k in range(slots):
            if columns["rate_per_s"][k] is not None:
                here = {key: values[k] for key, values in columns.items() if values[k] is not None}
                weight = here.pop("weight", 1.0)
                found[k].append(dataclasses.replace(task_of(where, {**once, **here}), weight=weight))
    return found


def _columns_of_task(where: str, entry: Mapping[str, Any], slots: int) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        key: _slotted(f"{where}.{key}", entry.get(key), slots, read)
        for key, read in (
            ("rate_per_s", positive),
            ("deviation_per_s", non_negative),
            ("source", as_text),
            ("sink", as_text),
            ("deadline_s", positive),
            ("weight", non_negative),
        )
    }
    there = [rate is not None for rate in columns["rate_per_s"]]
    for key in ("source", "sink"):
        _required(f"{where}.{key}", columns[key], there)
    return columns
