"""The way down and the way back of a round as quickest transfers over the contact plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .. import flow
from ..network import ContactPlan
from .contacts import moved

_AT_ONCE_S = 1e-3  # how long a link inside one place takes for all that there is


@dataclass
class Pieces:
    """Data that comes into being in pieces: `size_bytes` each at `first_s` and every `step_s` after it."""

    size_bytes: float
    first_s: float = 0.0
    step_s: float = 0.0
    count: int = 1

    @property
    def total_bytes(self) -> float:
        """Of all of them."""
        return self.size_bytes * self.count


@dataclass
class Network:
    """A contact plan from a moment on, with places added to it; links inside a place take a millisecond."""

    plan: ContactPlan
    ids: list[str] = field(default_factory=list)
    supply_bytes: dict[str, float] = field(default_factory=dict)
    columns: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in ("from_", "to", "open_s", "close_s", "rate_bps")}
    )

    def __post_init__(self) -> None:
        self.ids = self.plan.nodes.ids()

    def place(self, name: str) -> int:
        """Position of a new node, called so unless a node is already."""
        while name in self.ids:
            name += "'"
        self.ids.append(name)
        return len(self.ids) - 1

    def join(self, sender: int, receiver: int, size_bytes: float, open_s: float, close_s: float) -> None:
        """A link that carries `size_bytes` in a millisecond."""
        row = (sender, receiver, open_s, close_s, 8.0 * size_bytes / _AT_ONCE_S)
        for column, value in zip(self.columns.values(), row):
            column.append(value)

    def supply(self, at: int, pieces: Pieces, end_s: float) -> None:
        """Data at a node: there from the start, or made beside it and handed over piece by piece."""
        if pieces.total_bytes == 0.0:
            return
        if pieces.first_s > 0.0 or pieces.count > 1:
            made = self.place(f"{self.ids[at]} makes")
            for i in range(pieces.count):
                open_s = pieces.first_s + i * pieces.step_s
                self.join(made, at, pieces.size_bytes, open_s, open_s + _AT_ONCE_S)
            at = made
        self.supply_bytes[self.ids[at]] = pieces.total_bytes

    def contacts(self) -> ContactPlan:
        """Those of the plan, then those added."""
        plan, more = self.plan, self.columns
        return ContactPlan(
            self.ids,
            from_=np.concatenate([plan.from_, np.array(more["from_"], dtype=np.int32)]),
            to=np.concatenate([plan.to, np.array(more["to"], dtype=np.int32)]),
            open_s=np.concatenate([plan.open_s, more["open_s"]]),
            close_s=np.concatenate([plan.close_s, more["close_s"]]),
            rate_bps=np.concatenate([plan.rate_bps, more["rate_bps"]]),
        )


@dataclass(frozen=True)
class Transfer:
    """A transfer that was planned, with times from the moment that it was asked at."""

    plan: flow.Plan
    real: int
    """The first so many contacts are those of the plan that was given; the others join places."""
    stations: NDArray[np.int32]

    @property
    def finish_s(self) -> float:
        """NaN where there is none [s]."""
        return self.plan.finish_s

    def sent(self) -> dict[str, tuple[float, float]]:
        """Bytes and seconds of sending by kind of link: isl, down, up."""
        plan, contacts = self.plan, self.plan.problem.contacts
        real = plan.contact < self.real
        rows, sent_bytes = plan.contact[real], plan.sent_bytes[real]
        busy_s = 8.0 * sent_bytes / contacts.rate_bps[rows]
        down, up = (np.isin(ends[rows], self.stations) for ends in (contacts.to, contacts.from_))
        kinds = {"isl": ~(down | up), "down": down, "up": up & ~down}
        return {name: (float(sent_bytes[of].sum()), float(busy_s[of].sum())) for name, of in kinds.items()}

    def arrived(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Moments, and bytes at all stations by then; linear between."""
        plan = self.plan
        into = np.isin(plan.problem.contacts.to[plan.contact], self.stations) & (plan.contact < self.real)
        return _curve(plan.start_s[into], plan.end_s[into], plan.sent_bytes[into])

    def met_s(self, demand_bytes: Mapping[str, float]) -> dict[str, float]:
        """When each node has for good what it wants."""
        plan, contacts = self.plan, self.plan.problem.contacts
        total = sum(demand_bytes.values())
        met = {}
        for id, wanted in demand_bytes.items():
            at = contacts.nodes.position(id)
            into, out = contacts.to[plan.contact] == at, contacts.from_[plan.contact] == at
            time_s = np.unique(np.concatenate([plan.start_s[into | out], plan.end_s[into | out], [0.0]]))
            has = sum(
                sign * np.interp(time_s, *_curve(plan.start_s[of], plan.end_s[of], plan.sent_bytes[of]))
                for sign, of in ((1.0, into), (-1.0, out))
            )
            short_of = np.flatnonzero(np.asarray(has) < wanted - 1e-9 * total)
            last = int(short_of[-1]) + 1 if len(short_of) else 0
            met[id] = float(time_s[min(last, len(time_s) - 1)])
        return met


def way_down(
    contacts: ContactPlan,
    t_s: float,
    stations: Sequence[str],
    pieces: Mapping[tuple[str, ...], Pieces],
    *,
    antennas: int | None,
    time_limit_s: float,
) -> Transfer:
    """The quickest way of data to any of the stations.

    `pieces` are the data by who has them: all of a tuple's members have all of it, so that any byte may leave
    from any of them.
    """
    network = Network(_with_antennas(moved(contacts, t_s), stations, antennas, down=True))
    real, end_s = len(network.plan), float(network.plan.close_s.max(initial=0.0))
    nodes = network.plan.nodes
    for members, made in pieces.items():
        at = nodes.position(members[0])
        if len(members) > 1:
            at = network.place(f"replicas of {members[0]}")
            for id in members:
                network.join(at, nodes.position(id), made.total_bytes, 0.0, end_s)
        network.supply(at, made, end_s)
    return _solved(network, real, stations, time_limit_s, sinks=stations)


def way_back(
    contacts: ContactPlan,
    t_s: float,
    stations: Sequence[str],
    demand_bytes: Mapping[str, float],
    *,
    antennas: int | None,
    time_limit_s: float,
) -> Transfer:
    """The quickest way from the server, which is behind all stations, to who wants what."""
    network = Network(_with_antennas(moved(contacts, t_s), stations, antennas, down=False))
    real, end_s = len(network.plan), float(network.plan.close_s.max(initial=0.0))
    total = float(sum(demand_bytes.values()))
    server = network.place("server")
    for id in stations:
        network.join(server, network.plan.nodes.position(id), total, 0.0, end_s)
    network.supply(server, Pieces(total), end_s)
    return _solved(network, real, stations, time_limit_s, demand_bytes=dict(demand_bytes))


def _solved(
    network: Network, real: int, stations: Sequence[str], time_limit_s: float, **wanted: object
) -> Transfer:
    contacts = network.contacts()
    problem = flow.Problem(contacts, supply_bytes=network.supply_bytes, **wanted)  # type: ignore[arg-type]
    plan = flow.solve(problem, time_limit_s=time_limit_s)
    at = np.array([contacts.nodes.position(id) for id in stations], dtype=np.int32)
    return Transfer(plan, real, at)


def _with_antennas(
    plan: ContactPlan, stations: Sequence[str], antennas: int | None, *, down: bool
) -> ContactPlan:
    if antennas is None:
        return plan
    raise NotImplementedError


def _curve(
    start_s: NDArray[np.float64], end_s: NDArray[np.float64], sent_bytes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moments and bytes sent by then, of transmissions at constant rates."""
    time_s, place = np.unique(np.concatenate([start_s, end_s, [0.0]]), return_inverse=True)
    rate = sent_bytes / (end_s - start_s)
    change = np.bincount(place.ravel()[:-1], np.concatenate([rate, -rate]), len(time_s))
    return time_s, np.concatenate([[0.0], np.cumsum(np.cumsum(change)[:-1] * np.diff(time_s))])
