"""Horizons over a constellation: links that live through a slot, satellites over regions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.checks import count, instance, known_keywords, positive, real, short
from ...network import Graph, Nodes
from ...orbit import Constellation
from ..problem import Problem
from ..scenarios.regions import Region, overhead
from .horizon import Horizon

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
    follow: Mapping[str, Any] | Iterable[Region] | None = None,
    ahead_s: float = 600.0,
    instants: int = 4,
    min_elevation_deg: float = 5.0,
    threads: int = 1,
    **ties: Any,
) -> Horizon:
    """A problem over slots of a constellation that moves.

    The network of a slot has the links that live through all of it, each with the least rate and the
    longest latency that it has at `instants` of the slot. How long a link still lives is counted from the
    slot's *end*: a request comes within the slot, so by then at the latest, and a transfer that leaves each
    link within that life does so before the link closes, whenever in the slot its request came. (Counting
    from the slot's start would let the last requests use links that are gone.) Requests are served by the
    placement of the slot in which they come, to their end.

    Parameters
    ----------
    world : orbit.Constellation
        Its rules of links choose by geometry alone, as `orbit.Constellation.windows` wants it.
    problem : Problem
        Nodes with the ids of the constellation, services, tasks, limits and objective; its links and
        `life_s` are replaced by those of each slot.
    start : float, Epoch, str, datetime or numpy.datetime64
        When the first slot begins; seconds count from the constellation's epoch.
    slot_s : float
        How long each slot is [s].
    slots : int
        How many.
    follow : mapping from str to place, or iterable of Region, optional
        Tasks whose users stay while the satellites pass: by name a `Region`, or latitude and longitude
        [deg]; of regions alone all tasks called ``kind/region``, as those of `scenario` are. In each slot
        their source is the satellite that is `overhead` in the middle of the slot, and so is their sink
        where the problem has it at the source.
    ahead_s : float
        How far beyond a slot's end the ends of links are looked for [s]: a link is taken to live no longer.
        Far above the delay of any task it changes nothing.
    instants : int
        At how many instants of a slot, its ends among them, rates and latencies are looked at, >= 2.
    min_elevation_deg : float
        As of `overhead`.
    threads : int
        At most so many.
    **ties
        ``core``, ``start_cost``, ``start_cost_per_byte``, ``max_starts``, ``max_moved_bytes``, ``initial``
        and ``name`` of the `Horizon`.

    Returns
    -------
    Horizon
        Its slots are named ``slot-0`` and so on.

    Raises
    ------
    TypeError, ValueError
        For nodes that are not the constellation's, a task to follow that the problem has not, a place that is
        none, and as `overhead`, `Horizon`, `Problem` and `orbit.Constellation.windows`.

    Examples
    --------
    >>> from constellm import orbit, services
    >>> world = orbit.Constellation(
    ...     orbit.preset("iridium-next"), links=orbit.plus_grid(rate_bps=0.5e9, seam="open"))
    >>> problem = services.scenario(world, seed=1, tasks=4, requests_per_s=5.0)
    >>> day = services.horizon(world, problem, start=0.0, slot_s=300.0, slots=3, follow=services.regions())
    >>> day
    Horizon('horizon': 3 slots, 900 s, 66 nodes, 9 services, 4 tasks)
    >>> [slot.tasks[0].source for slot in day.slots]
    ['iridium-next/5/9', 'iridium-next/5/9', 'iridium-next/5/8']
    """
    instance("world", world, Constellation)
    instance("problem", problem, Problem)
    known_keywords("horizon", ties, _TIES)
    nodes = problem.network.nodes
    if nodes.ids() != list(world.ids):
        raise ValueError("problem: its nodes are not those of the constellation")
    start_s = real("start", float(world.seconds(start)))
    slot_s, slots = positive("slot_s", slot_s), count("slots", slots)
    ahead_s = positive("ahead_s", ahead_s)
    places = _places(problem, follow)
    edges_s = start_s + slot_s * np.arange(slots + 1)
    middles_s = ((edges_s[:-1] + edges_s[1:]) / 2).tolist()
    followed = _overhead(world, middles_s, places, min_elevation_deg)
    # A little more than what is asked of, so that no window is cut at the first slot.
    spans = _spans(world, start_s - 1.0, float(edges_s[-1]) + ahead_s, count("threads", threads))
    graphs = _graphs(world, problem, places, start_s, slot_s, slots, count("instants", instants, least=2))
    made = []
    for k in range(slots):
        graph, life_s = _network(nodes, graphs[k], spans, float(edges_s[k]), float(edges_s[k + 1]), ahead_s)
        tasks = tuple(
            _moved(task, followed[k][task.name]) if task.name in followed[k] else task
            for task in problem.tasks
        )
        made.append(problem.replace(network=graph, life_s=life_s, tasks=tasks, name=f"slot-{k}"))
    return Horizon(made, slot_s, **ties)


# ---- regions ------------------------------------------------------------------------------------


def _places(problem: Problem, follow: Any) -> dict[str, Region]:
    """Of each task that is followed the place of its users."""
    names = [task.name for task in problem.tasks]
    if follow is None:
        return {}
    if not isinstance(follow, Mapping):
        return _by_name(names, follow)
    found = {}
    for name, place in follow.items():
        if name not in names:
            raise ValueError(f"follow: {short(name)} is not the name of a task")
        if isinstance(place, Region):
            found[name] = place
            continue
        try:
            latitude, longitude = place
        except (TypeError, ValueError):
            raise TypeError(
                f"follow[{name!r}]: expected a Region, or a latitude and a longitude, got {short(place)}"
            ) from None
        found[name] = Region(name, latitude, longitude, population=1.0)
    return found


def _by_name(names: Sequence[str], places: Any) -> dict[str, Region]:
    """Tasks called kind/region by their regions."""
    if isinstance(places, (str, Region)) or not isinstance(places, Iterable):
        raise TypeError(f"follow: expected a mapping from tasks to places, or regions, got {short(places)}")
    regions = {place.name: place for place in (instance("follow", one, Region) for one in places)}
    found = {name: regions[name.partition("/")[2]] for name in names if name.partition("/")[2] in regions}
    if not found:
        raise ValueError("follow: no task is called kind/region with the name of one of the regions")
    return found


def _overhead(
    world: Constellation, times_s: list[float], places: Mapping[str, Region], least_deg: float
) -> list[dict[str, str]]:
    """At each time the satellite over the place of each task that is followed."""
    if not places:
        return [{} for _ in times_s]
    regions = list(dict.fromkeys(places.values()))
    found = []
    for t_s in times_s:
        over = dict(zip(regions, overhead(world, regions, t_s, min_elevation_deg=least_deg)))
        found.append({name: over[place] for name, place in places.items()})
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
    places: Mapping[str, Region],
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
    ids: Nodes, graphs: list[Graph], spans: _Spans, open_s: float, close_s: float, ahead_s: float
) -> tuple[Graph, NDArray[np.float64]]:
    """The links that live through a slot, with their worst figures, and how long they live on."""
    nodes = len(ids)
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
    made = Graph(ids, from_=kept // nodes, to=kept % nodes, rate_bps=rate_bps, latency_s=latency_s)
    return made, np.minimum(closes_s - _EXACT_S - close_s, ahead_s)


def _pairs(graph: Graph, nodes: int) -> NDArray[np.int64]:
    return graph.from_.astype(np.int64) * nodes + graph.to
