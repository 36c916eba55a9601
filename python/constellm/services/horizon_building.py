"""Horizons over a constellation: links that live through a slot, and satellites that regions are seen from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, instance, known_keywords, positive, real, short
from ..network import Graph
from ..orbit import Constellation, geodetic_to_ecef
from .horizons import Horizon
from .problem import Problem

Place = tuple[float, float]
"""Latitude and longitude [deg]."""

_EXACT_S = 1e-3  # to which the ends of windows are found
_JOINT_S = 2 * _EXACT_S  # between windows, each of whose ends is found so, that are one
_TIES = ("core", "start_cost", "start_cost_per_byte", "max_starts", "max_moved_bytes", "initial", "name")


def horizon(
    world: Constellation,
    problem: Problem,
    *,
    start: Any,
    slot_s: float,
    slots: int,
    follow: Mapping[str, Any] | None = None,
    ahead_s: float = 600.0,
    instants: int = 4,
    threads: int = 1,
    **ties: Any,
) -> Horizon:
    """A problem over slots of a constellation that moves.

    The network of a slot has the links that live through all of it, each with the least rate and the longest
    latency that it has at `instants` of the slot. How long a link still lives is counted from the slot's *end*:
    a request comes within the slot, so by then at the latest, and a transfer that leaves each link within that
    life does so before the link closes, whenever in the slot its request came. (Counting from the slot's start
    would let the last requests use links that are gone.) Requests are served by the placement of the slot in
    which they come, to their end.

    Parameters
    ----------
    world : orbit.Constellation
        Its rules of links choose by geometry alone, as `orbit.Constellation.windows` wants it; `computers` says
        which nodes can host.
    problem : Problem
        Services, tasks, limits and objective; its network and `life_s` are replaced by those of each slot.
    start : float, Epoch, str, datetime or numpy.datetime64
        When the first slot begins; seconds count from the constellation's epoch.
    slot_s : float
        How long each slot is [s].
    slots : int
        How many.
    follow : mapping from str to place, optional
        Of tasks whose users stay while the satellites pass: by name a place, latitude and longitude [deg]. In
        each slot their source is the satellite that is nearest to the place in the middle of the slot, and so is
        their sink where the problem has it at the source.
    ahead_s : float
        How far beyond a slot's end the ends of links are looked for [s]: a link is taken to live no longer. Far
        above the delay of any task it changes nothing.
    instants : int
        At how many instants of a slot, its ends among them, rates and latencies are looked at, >= 2.
    threads : int
        At most so many.
    **ties
        ``core``, ``start_cost``, ``start_cost_per_byte``, ``max_starts``, ``max_moved_bytes``, ``initial`` and
        ``name`` of the `Horizon`.

    Returns
    -------
    Horizon
        Its slots are named ``slot-0`` and so on.

    Raises
    ------
    TypeError, ValueError
        For a task to follow that the problem has not, a place that is none, and as `Horizon`, `Problem` and
        `orbit.Constellation.windows`.

    Examples
    --------
    >>> from constellm import orbit, services
    >>> world = orbit.Constellation(
    ...     orbit.preset("iridium-next"), links=orbit.plus_grid(rate_bps=1e9, seam="open"),
    ...     computers={"flop_per_s": 2e12, "memory_bytes": 4e9},
    ... )
    >>> encoder = services.Service("encoder", flop=2e10, memory_bytes=1e9, cost=1.0)
    >>> first = world.ids[0]
    >>> task = services.Task("ships", rate_per_s=5.0, source=first, sink=first,
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 6e5),)),))
    >>> problem = services.Problem(network=world.at(0.0), services=(encoder,), tasks=(task,))
    >>> day = services.horizon(world, problem, start=0.0, slot_s=300.0, slots=3, follow={"ships": (48.1, 11.6)})
    >>> day
    Horizon('horizon': 3 slots, 900 s, 66 nodes, 1 service, 1 task)
    >>> [slot.tasks[0].source for slot in day.slots]
    ['iridium-next/4/2', 'iridium-next/4/1', 'iridium-next/4/1']
    """
    instance("world", world, Constellation)
    instance("problem", problem, Problem)
    known_keywords("horizon", ties, _TIES)
    start_s = real("start", float(world.seconds(start)))
    slot_s, slots = positive("slot_s", slot_s), count("slots", slots)
    ahead_s = positive("ahead_s", ahead_s)
    places = _places(problem, follow)
    edges_s = start_s + slot_s * np.arange(slots + 1)
    followed = _nearest(world, (edges_s[:-1] + edges_s[1:]) / 2, places)
    # A little more than what is asked of, so that no window is cut at the first slot.
    spans = _spans(world, start_s - 1.0, float(edges_s[-1]) + ahead_s, count("threads", threads))
    graphs = _graphs(world, problem, places, start_s, slot_s, slots, count("instants", instants, least=2))
    made = []
    for k in range(slots):
        graph, life_s = _network(graphs[k], spans, float(edges_s[k]), float(edges_s[k + 1]), ahead_s)
        tasks = tuple(
            _moved(task, followed[task.name][k]) if task.name in followed else task for task in problem.tasks
        )
        made.append(problem.replace(network=graph, life_s=life_s, tasks=tasks, name=f"slot-{k}"))
    return Horizon(made, slot_s, **ties)


# ---- regions ------------------------------------------------------------------------------------


def _places(problem: Problem, follow: Any) -> dict[str, Place]:
    if follow is None:
        return {}
    if not isinstance(follow, Mapping):
        raise TypeError(f"follow: expected a mapping from tasks to places, got {short(follow)}")
    names = [task.name for task in problem.tasks]
    found = {}
    for name, place in follow.items():
        if name not in names:
            raise ValueError(f"follow: {short(name)} is not the name of a task")
        try:
            latitude, longitude = place
        except (TypeError, ValueError):
            raise TypeError(
                f"follow[{name!r}]: expected a latitude and a longitude, got {short(place)}"
            ) from None
        found[name] = (
            real(f"follow[{name!r}][0]", latitude, least=-90, most=90),
            real(f"follow[{name!r}][1]", longitude, least=-360, most=360),
        )
    return found


def _nearest(
    world: Constellation, times_s: NDArray[np.float64], places: Mapping[str, Place]
) -> dict[str, list[str]]:
    """Of each followed task the satellite that is nearest to its place at each time."""
    if not places:
        return {}
    position_m = world.states(times_s, frame="ecef").position_m
    ids = world.satellite_ids
    found = {}
    for name, (latitude, longitude) in places.items():
        away_m = np.linalg.norm(position_m - geodetic_to_ecef(latitude, longitude), axis=-1)
        away_m = np.where(np.isnan(away_m), np.inf, away_m)
        found[name] = [ids[v] for v in away_m.argmin(axis=0).tolist()]
    return found


def _moved(task: Any, satellite: str) -> Any:
    sink = satellite if task.sink == task.source else task.sink
    return dataclasses.replace(task, source=satellite, sink=sink)


# ---- links --------------------------------------------------------------------------------------


class _Spans(NamedTuple):
    """When pairs are joined, windows that meet made one: sorted by pair, then opening."""

    pair: NDArray[np.int64]
    open_s: NDArray[np.float64]
    close_s: NDArray[np.float64]


def _spans(world: Constellation, start_s: float, stop_s: float, threads: int) -> _Spans:
    windows = world.windows(start_s, stop_s, threads=threads)
    nodes = len(world.ids)
    pair = windows.from_.astype(np.int64) * nodes + windows.to
    order = np.lexsort((windows.open_s, pair))
    joined: list[tuple[int, float, float]] = []
    for of, opens_s, closes_s in zip(
        pair[order].tolist(), windows.open_s[order].tolist(), windows.close_s[order].tolist()
    ):
        if joined and joined[-1][0] == of and opens_s <= joined[-1][2] + _JOINT_S:
            joined[-1] = (of, joined[-1][1], max(joined[-1][2], closes_s))
        else:
            joined.append((of, opens_s, closes_s))
    columns = list(zip(*joined)) if joined else [(), (), ()]
    return _Spans(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=float),
        np.array(columns[2], dtype=float),
    )


def _graphs(
    world: Constellation,
    problem: Problem,
    places: Mapping[str, Place],
    start_s: float,
    slot_s: float,
    slots: int,
    instants: int,
) -> list[list[Graph]]:
    """Of each slot the network at its instants, both ends among them."""
    stations = {station.id for station in world.stations}
    ends = {
        end
        for task in problem.tasks
        for end in ((task.sink,) if task.name in places else (task.source, task.sink))
        if end in stations
    }
    step_s = slot_s / (instants - 1)
    stop_s = start_s + slot_s * slots
    timeline = world.timeline(start_s, stop_s + step_s / 2, step_s, ends=sorted(ends))
    graphs = [timeline[i].graph for i in range(slots * (instants - 1) + 1)]
    return [graphs[k * (instants - 1) : (k + 1) * (instants - 1) + 1] for k in range(slots)]


def _network(
    graphs: list[Graph], spans: _Spans, open_s: float, close_s: float, ahead_s: float
) -> tuple[Graph, NDArray[np.float64]]:
    """The links that live through a slot, with their worst figures, and how long they live on."""
    first = graphs[0]
    nodes = len(first.nodes)
    through = (spans.open_s <= open_s - _EXACT_S) & (spans.close_s > close_s + _EXACT_S)
    pairs = spans.pair[through]  # sorted; windows of a pair that overlap are one
    kept = pairs
    for graph in graphs:
        kept = np.intersect1d(kept, _pairs(graph, nodes))
    rate_bps = np.full(len(kept), np.inf)
    latency_s = np.zeros(len(kept))
    for graph in graphs:
        mine = _pairs(graph, nodes)
        order = np.argsort(mine)
        at = order[np.searchsorted(mine, kept, sorter=order)]
        rate_bps = np.minimum(rate_bps, graph.rate_bps[at])
        latency_s = np.maximum(latency_s, graph.latency_s[at])
    closes_s = spans.close_s[through][np.searchsorted(pairs, kept)]
    made = Graph(first.nodes, from_=kept // nodes, to=kept % nodes, rate_bps=rate_bps, latency_s=latency_s)
    return made, np.minimum(closes_s - _EXACT_S - close_s, ahead_s)


def _pairs(graph: Graph, nodes: int) -> NDArray[np.int64]:
    return graph.from_.astype(np.int64) * nodes + graph.to
