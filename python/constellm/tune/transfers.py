"""The way down and the way back of a round as quickest transfers over the contact plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import flow
from ..network import ContactPlan
from .contacts import moved
from .fleet import Fleet

_HANDED_OVER_S = 1e-3  # how long a piece takes from where it is made to where it can leave


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


class Network:
    """What is left of a fleet's contacts at a moment, with places and links added.

    A station with antennas receives, and sends, through a node that stores nothing. A link inside a place
    is as fast as all that leave it together.
    """

    def __init__(self, fleet: Fleet, t_s: float) -> None:
        self.plan = moved(fleet.contacts, t_s)
        self.real, nodes = len(self.plan), len(self.plan.nodes)
        if fleet.antennas is not None:
            self.plan = _capped(self.plan, fleet, fleet.antennas)
        self.ids = self.plan.nodes.ids()
        # Places are joined as long as there are contacts.
        self.end_s = float(self.plan.close_s.max(initial=0.0))
        self.leaves_bps = np.bincount(self.plan.from_, self.plan.rate_bps, len(self.ids))
        self.added: list[tuple[int, int, float, float, float]] = []
        self.supply_bytes: dict[str, float] = {}
        self.storage_bytes = dict.fromkeys(self.ids[nodes:], 0.0)
        self.stations = [*map(self.ids.index, fleet.stations), *range(nodes, len(self.ids))]

    def place(self, name: str) -> int:
        """Position of a new node, called so unless a node is already."""
        while name in self.ids:
            name += "'"
        self.ids.append(name)
        return len(self.ids) - 1

    def join(self, sender: int, receiver: int, rate_bps: float, open_s: float, close_s: float) -> None:
        """A link that is added."""
        self.added.append((sender, receiver, open_s, close_s, rate_bps))

    def inside(self, sender: int, receiver: int) -> None:
        """A link inside a place: what is at its start might as well be at its end."""
        if rate_bps := float(self.leaves_bps[receiver]):
            self.join(sender, receiver, rate_bps, 0.0, self.end_s)

    def supply(self, at: int, pieces: Pieces) -> None:
        """Data at a node: there from the start, or made beside it and handed over piece by piece."""
        if pieces.first_s > 0.0 or pieces.count > 1:
            made = self.place(f"{self.ids[at]} makes")
            for i in range(pieces.count):
                open_s = pieces.first_s + i * pieces.step_s
                rate_bps = 8.0 * pieces.size_bytes / _HANDED_OVER_S
                self.join(made, at, rate_bps, open_s, open_s + _HANDED_OVER_S)
            at = made
        self.supply_bytes[self.ids[at]] = pieces.total_bytes

    def solve(self, time_limit_s: float, *, method: str = "optimal", **wanted: Any) -> Transfer:
        """The transfer to `sinks`, or of `demand_bytes`."""
        plan, columns = self.plan, list(zip(*self.added)) or [()] * 5
        more = [np.array(column, dtype=np.float64) for column in columns]
        contacts = ContactPlan(
            self.ids,
            from_=np.concatenate([plan.from_, more[0].astype(np.int32)]),
            to=np.concatenate([plan.to, more[1].astype(np.int32)]),
            open_s=np.concatenate([plan.open_s, more[2]]),
            close_s=np.concatenate([plan.close_s, more[3]]),
            rate_bps=np.concatenate([plan.rate_bps, more[4]]),
        )
        problem = flow.Problem(
            contacts, supply_bytes=self.supply_bytes, storage_bytes=self.storage_bytes, **wanted
        )
        found = flow.solve(problem, method=method, time_limit_s=time_limit_s, on_interrupt="raise")
        return Transfer(found, self.real, np.array(self.stations, dtype=np.int32))


@dataclass(frozen=True)
class Transfer:
    """A transfer that was planned, with times from the moment that it was asked at."""

    plan: flow.Plan
    real: int
    """The first so many contacts are those of the plan that was given; the others join places."""
    stations: NDArray[np.int32]
    """And their antennas."""

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

    def last_sent_s(self, ids: Sequence[str]) -> float:
        """When nothing is sent any more among these; 0 where nothing ever is."""
        plan, contacts = self.plan, self.plan.problem.contacts
        at = [contacts.nodes.position(id) for id in ids]
        among = np.isin(contacts.from_[plan.contact], at) & np.isin(contacts.to[plan.contact], at)
        return float(plan.end_s[among].max(initial=0.0))

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
    fleet: Fleet,
    t_s: float,
    pieces: Mapping[tuple[str, ...], Pieces],
    *,
    method: str = "optimal",
    time_limit_s: float,
) -> Transfer:
    """The way of data to any of the stations.

    `pieces` are the data by who has them: all of a tuple's members have all of it, so that any byte may leave
    from any of them.
    """
    network = Network(fleet, t_s)
    nodes = network.plan.nodes
    for members, made in pieces.items():
        if made.total_bytes == 0.0:
            continue
        at = nodes.position(members[0])
        if len(members) > 1:
            at = network.place(f"replicas of {members[0]}")
            for id in members:
                network.inside(at, nodes.position(id))
        network.supply(at, made)
    # Without a station data has somewhere to go where no contact leads.
    sinks = fleet.stations or [network.ids[network.place("ground")]]
    return network.solve(time_limit_s, method=method, sinks=sinks)


def way_back(fleet: Fleet, t_s: float, demand_bytes: Mapping[str, float], *, time_limit_s: float) -> Transfer:
    """The quickest way from the server, which is behind all stations, to who wants what."""
    network, total = Network(fleet, t_s), float(sum(demand_bytes.values()))
    server = network.place("server")
    for id in fleet.stations:
        network.inside(server, network.plan.nodes.position(id))
    network.supply(server, Pieces(total))
    return network.solve(time_limit_s, demand_bytes=dict(demand_bytes))


def _capped(plan: ContactPlan, fleet: Fleet, antennas: int) -> ContactPlan:
    """With as many antennas of its best contact's rate for what a station receives, and for what it sends.

    The best of all contacts that the fleet ever has, so that antennas are the same at any time.
    """
    rates: dict[str, dict[str, float]] = {"receive_bps": {}, "send_bps": {}}
    ever = fleet.contacts
    for of, left, ends in zip(rates.values(), (plan.to, plan.from_), (ever.to, ever.from_)):
        for id in fleet.stations:
            at = plan.nodes.position(id)
            if (left == at).any():
                of[id] = antennas * float(ever.rate_bps[ends == at].max())
    return flow.with_antennas(flow.Problem(plan, supply_bytes={}, sinks=fleet.stations), **rates).contacts


def _curve(
    start_s: NDArray[np.float64], end_s: NDArray[np.float64], sent_bytes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moments and bytes sent by then, of transmissions at constant rates."""
    time_s, place = np.unique(np.concatenate([start_s, end_s, [0.0]]), return_inverse=True)
    rate = sent_bytes / (end_s - start_s)
    change = np.bincount(place.ravel()[:-1], np.concatenate([rate, -rate]), len(time_s))
    return time_s, np.concatenate([[0.0], np.cumsum(np.cumsum(change)[:-1] * np.diff(time_s))])
