"""What a map or a globe shows of a constellation: places of nodes, links and a route at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Union

import numpy as np
from numpy.typing import NDArray

from .._core.split import Plan
from ..core.checks import instance, short
from ..core.quantity import counted, quantity
from ..network import ContactRoute
from ..orbit import Constellation, Routes, geodetic_to_ecef
from ..orbit.constellation_parts import instant_s
from . import style

Route = Union[Routes, Plan, ContactRoute, Sequence[str]]


class Scene(NamedTuple):
    """A constellation at an instant, in the frame that turns with the Earth."""

    world: Constellation
    time_s: float
    place_m: NDArray[np.float64]
    """Of satellites, then of stations; NaN where there is no state (nodes, 3)."""
    isl: NDArray[np.int32]
    """Nodes of each pair of satellites with a link, once (pairs, 2)."""
    contacts: NDArray[np.int32]
    """Satellite and station of each pair with a link, once (pairs, 2)."""
    route: list[int]
    """Nodes on the way; empty where there is none."""
    words: tuple[str, ...]
    """What is shown, a phrase each."""

    @property
    def satellites(self) -> int:
        """How many of the nodes are satellites."""
        return len(self.world.satellite_ids)

    @property
    def hops(self) -> list[tuple[int, int]]:
        """The links of the route."""
        return list(zip(self.route, self.route[1:]))


def scene(world: Constellation, t: Any, *, route: Route | None, links: bool) -> Scene:
    """The scene of a moment, checked."""
    instance("world", world, Constellation)
    t_s = instant_s(world, "t", t)
    moving = world.states(t_s, frame="ecef").position_m
    moment = str(world.epoch + t_s)
    stations = world.stations
    standing = geodetic_to_ecef(
        [one.latitude_deg for one in stations],
        [one.longitude_deg for one in stations],
        [one.altitude_m for one in stations],
    )
    pairs = np.empty((0, 2), dtype=np.int32)
    if links:
        graph = world.at(t_s).graph
        pairs = np.unique(np.sort(np.stack([graph.from_, graph.to], axis=1), axis=1), axis=0)
    of_ground = pairs[:, 1] >= len(moving)  # stations come last, and have no links with each other
    nodes, said = _route(world, t_s, route)
    for i, node in enumerate(nodes):
        if node < len(moving) and not np.isfinite(moving[node]).all():
            raise ValueError(f"route[{i}]: {short(world.ids[node])} has no state at {moment}")
    shown = [f"{counted(len(moving), 'satellite')} at {moment}"]
    if len(pairs):
        shown.append(counted(int(np.count_nonzero(~of_ground)), "link") + " between them")
    if said:
        shown.append(said)
    return Scene(
        world,
        t_s,
        np.concatenate([moving, standing.reshape(-1, 3)]),
        pairs[~of_ground],
        pairs[of_ground],
        nodes,
        tuple(shown),
    )


def ids_of(field: str, given: Any, wanted: str = "ids") -> list[str]:
    """The ids in a sequence of them."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"{field}: expected {wanted}, got {short(given)}")
    return [instance(f"{field}[{i}]", id, str) for i, id in enumerate(given)]


def satellite_positions(world: Constellation, field: str, ids: str | Iterable[str]) -> list[int]:
    """Where the satellites with these ids stand."""
    known = {id: i for i, id in enumerate(world.satellite_ids)}
    given = ids_of(field, [ids] if isinstance(ids, str) else ids)
    for i, id in enumerate(given):
        if id not in known:
            raise ValueError(f"{field}[{i}]: no satellite has id {short(id)}")
    return [known[id] for id in given]


def _route(world: Constellation, time_s: float, route: Route | None) -> tuple[list[int], str]:
    """Positions of the nodes on the way, and what is said of it."""
    if route is None:
        return [], ""
    said = ""
    if isinstance(route, Routes):
        at = np.flatnonzero(route.time_s == time_s)
        if not at.size:
            raise ValueError(f"route: it has no instant {time_s:g}, at which the world is drawn")
        ids: Sequence[str] = route.paths[at[0]]
        if not ids:
            return [], f"no route from {route.source} to {route.target}"
        said = f", {quantity(route.latency_s[at[0]], 's')}"
    elif isinstance(route, Plan):
        ids = route.path
        said = f", delay {quantity(route.delay_s, 's')}"
    else:
        ids = (
            route.nodes
            if isinstance(route, ContactRoute)
            else ids_of("route", route, "Routes, a Plan, a ContactRoute or ids in order")
        )
    nodes = []
    for i, id in enumerate(ids):
        try:
            nodes.append(world.nodes.position(id))
        except ValueError:
            raise ValueError(f"route[{i}]: no satellite or station has id {short(id)}") from None
    hops = counted(max(len(ids) - 1, 0), "hop")
    ends = f"{style.plain(ids[0])} → {style.plain(ids[-1])}: " if ids else ""
    return nodes, f"{ends}{hops}{said}"
