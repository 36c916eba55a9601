"""Sums between orbits, by the ways that are known for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from ..core.checks import instance, non_negative, positive, short
from ..core.quantity import quantity
from ..network import ContactPlan, book, earliest_arrival
from .collectives import all_reduce
from .fleet import Fleet
from .gossip import gossip
from .planes import Link, Piece, lasting_pieces, open_links, pieces
from .scheme import AGGREGATIONS
from .trees import Hop, handed_out, hops_of, sum_tree


@dataclass(frozen=True)
class Aggregation:
    """How long it takes until all satellites have the sum of all updates; what `aggregate` gives.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.Aggregation("tree", 10.0, 10.2, 1e6, "root a/0/1").delay_s
    0.1999999999999993
    """

    method: str
    start_s: float
    finish_s: float
    """Inf where it never ends within the contacts [s]."""
    sent_bytes: float
    """Over all links together [B]."""
    detail: str
    """Root, rounds or what else tells one such sum from another."""
    isl_s: float = 0.0
    """Seconds of sending between satellites, of all links together."""
    down_s: float = 0.0
    """To the ground."""
    up_s: float = 0.0
    """From it."""

    @property
    def delay_s(self) -> float:
        """From the start to the finish [s]."""
        return self.finish_s - self.start_s


def aggregate(
    fleet: Fleet,
    message_bytes: float,
    *,
    start_s: float = 0.0,
    method: str = "tree",
    tolerance: float = 1e-3,
    summed: Sequence[Sequence[str]] | None = None,
) -> Aggregation:
    """Sum up between orbits, from a moment at which every plane has summed up by itself.

    Parameters
    ----------
    fleet : Fleet
    message_bytes : float
        An update [B], > 0.
    start_s : float
        [s], >= 0.
    method : str
        ``tree``
            The earliest: `sum_tree`, of planes as they are joined then.
        ``chain``
            From both ends of the row of planes to the middle one and back, over the next contact between two
            planes each time; between hops the message goes around the plane, to all of its members.
        ``ring``
            `all_reduce` over all satellites in one row, in place of the sums of planes: a winding way through
            all planes, which are joined by whatever links last until it ends. An estimate, for these are not
            asked to lie side by side.
        ``gossip``
            `gossip` at one half among planes with links that last until it ends, to the tolerance; in every
            round a message each way, then the sum of the plane anew.
        ``ground``
            In place of the sums of planes: every satellite's update goes to the station where it is first,
            one booked after the other, and the sum from all stations to every satellite as soon as it can be;
            over whatever links there are, and whatever antennas stations have.
    tolerance : float
        Of gossip.
    summed : sequence of sequences of str, optional
        Ids of satellites that have summed up with each other, each once. Default: those of each plane whose
        links last for an `all_reduce` from the start on.

    Returns
    -------
    Aggregation

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import orbit, tune
    >>> links = orbit.plus_grid(seam="open", rate_bps=1e9, max_latitude_deg=70)
    >>> world = orbit.Constellation(orbit.preset("iridium-next"), links=links)
    >>> fleet = tune.fleet(world, 0, 600, images=1, board_flop_per_s=1e12, server_flop_per_s=1e15)
    >>> for method in ("tree", "chain", "ring", "gossip"):
    ...     print(method, round(tune.aggregate(fleet, 30760.0, method=method).delay_s, 2), "s")
    tree 0.13 s
    chain 0.47 s
    ring 1.75 s
    gossip 16.22 s
    """
    instance("fleet", fleet, Fleet)
    size = positive("message_bytes", message_bytes)
    start_s = non_negative("start_s", start_s)
    if method not in AGGREGATIONS:
        raise ValueError(f"method: {short(method)} is not one of {', '.join(map(repr, AGGREGATIONS))}")
    if method == "ground":
        return _over_ground(fleet, size, start_s)
    if summed is None:
        planned = lasting_pieces(
            fleet.contacts, fleet.rings, start_s, lambda piece: piece.exchange(all_reduce, size)
        )
        summed = [piece.members for piece, _ in planned]
    elif sorted(id for plane in summed for id in plane) != sorted(fleet.satellites):
        raise ValueError("summed: not every satellite of the fleet once")
    if len(fleet.satellites) == 1 or (len(summed) == 1 and method != "ring"):
        return Aggregation(method, start_s, start_s, 0.0, "one plane")
    if method == "tree":
        return _over_tree(fleet, summed, size, start_s)

    def way(joined: Sequence[Piece], crossings: dict[tuple[int, int], Link]) -> Aggregation:
        if method == "chain":
            return _over_chain(fleet.contacts, joined, size, start_s)
        if method == "ring":
            return _over_ring(joined, crossings, size, start_s)
        return _by_gossip(joined, crossings, size, start_s, tolerance)

    return _while_it_lasts(fleet.contacts, summed, start_s, way)


def _while_it_lasts(
    contacts: ContactPlan,
    planes: Sequence[Sequence[str]],
    start_s: float,
    way: Callable[[Sequence[Piece], dict[tuple[int, int], Link]], Aggregation],
) -> Aggregation:
    """A way over links that are open from the start until it ends."""
    links, until_s = open_links(contacts, start_s), start_s
    while True:
        links = {pair: link for pair, link in links.items() if link[2] >= until_s}
        joined = [piece for plane in planes for piece in pieces(plane, links)]
        found = way(joined, _crossings(links, joined))
        if found.finish_s <= until_s or found.finish_s == inf:
            return found
        until_s = found.finish_s


def _over_tree(fleet: Fleet, summed: Sequence[Sequence[str]], size: float, start_s: float) -> Aggregation:
    tree = sum_tree(fleet.contacts, summed, message_bytes=size, start_s=start_s)
    sent_s = _sent_s(fleet, (*tree.gather, *tree.hand_out))
    return Aggregation("tree", start_s, tree.finish_s, size * tree.hops, f"root {tree.root}", **sent_s)


def _over_chain(contacts: ContactPlan, joined: Sequence[Piece], size: float, start_s: float) -> Aggregation:
    middle, messages, busy_s = len(joined) // 2, 0, 0.0

    def along(steps: Sequence[int], t_s: float) -> float:
        """From plane to plane, each time around the plane that it came to."""
        nonlocal messages, busy_s
        for a, b in zip(steps, steps[1:]):
            t_s, sent_s = _next_contact(contacts, joined[a].members, joined[b].members, size, t_s)
            t_s += joined[b].spread_s(size)
            messages += len(joined[b].members)
            busy_s += sent_s + (len(joined[b].members) - 1) * 8.0 * size / joined[b].rate_bps
        return t_s

    up, down = range(middle + 1), range(len(joined) - 1, middle - 1, -1)
    gathered_s = max(along(up, start_s), along(down, start_s))
    finish_s = max(along(up[::-1], gathered_s), along(down[::-1], gathered_s))
    detail = f"to {joined[middle].members[0]}'s plane"
    return Aggregation("chain", start_s, finish_s, messages * size, detail, isl_s=busy_s)


def _over_ring(
    joined: Sequence[Piece], crossings: dict[tuple[int, int], Link], size: float, start_s: float
) -> Aggregation:
    members = sum(len(piece.members) for piece in joined)
    between = [crossings.get((i, i + 1)) for i in range(len(joined) - 1)]
    links = [link for link in between if link is not None]
    if len(links) < len(between):
        return Aggregation("ring", start_s, inf, 0.0, "planes that no open link joins")
    rate_bps = min(*(piece.rate_bps for piece in joined), *(link[0] for link in links), inf)
    hop_s = max(*(piece.hop_s for piece in joined), *(link[1] for link in links), 0.0)
    done = all_reduce(members, size, rate_bps=rate_bps, hop_s=hop_s)
    busy_s = 8.0 * done.sent_bytes / rate_bps
    detail = f"{members} members"
    return Aggregation("ring", start_s, start_s + done.delay_s, done.sent_bytes, detail, isl_s=busy_s)


def _by_gossip(
    joined: Sequence[Piece],
    crossings: dict[tuple[int, int], Link],
    size: float,
    start_s: float,
    tolerance: float,
) -> Aggregation:
    neighbours = [[j for j in range(len(joined)) if (i, j) in crossings] for i in range(len(joined))]
    reached = {0}
    for _ in joined:
        reached |= {j for i in reached for j in neighbours[i]}
    if len(reached) < len(joined):
        return Aggregation("gossip", start_s, inf, 0.0, "planes that no open links join")
    inside = [piece.exchange(all_reduce, size) for piece in joined]
    found = gossip(neighbours, alpha=0.5, tolerance=tolerance)
    over_s = [8.0 * size / rate_bps for rate_bps, _, _ in crossings.values()]
    across_s = max(sent_s + link[1] for sent_s, link in zip(over_s, crossings.values()))
    round_s = across_s + max(done.delay_s for done in inside)
    round_bytes = size * len(crossings) + sum(done.sent_bytes for done in inside)
    busy_s = sum(over_s) + sum(8.0 * done.sent_bytes / piece.rate_bps for piece, done in zip(joined, inside))
    return Aggregation(
        "gossip",
        start_s,
        start_s + found.rounds * round_s,
        found.rounds * round_bytes,
        f"{found.rounds} rounds",
        isl_s=found.rounds * busy_s,
    )


def _over_ground(fleet: Fleet, size: float, start_s: float) -> Aggregation:
    plan, at = fleet.contacts, fleet.contacts.nodes.position
    stations, satellites = [at(id) for id in fleet.stations], [at(id) for id in fleet.satellites]
    never = Aggregation("ground", start_s, inf, 0.0, "updates that do not all come down")
    if not stations:
        return never
    summed_s, hops = start_s, list[Hop]()
    alone = (
        earliest_arrival(plan, satellites, t_s=start_s, size_bytes=size).arrival_s[:, stations].min(axis=1)
    )
    for i in np.argsort(alone, kind="stable").tolist():  # whose own way is soonest goes first
        found = earliest_arrival(plan, satellites[i], t_s=start_s, size_bytes=size)
        route = found.route(0, stations[int(np.argmin(found.arrival_s[0, stations]))])
        if route is None:
            return never
        summed_s = max(summed_s, float(route.arrival_s[-1]))
        hops += hops_of(route)
        plan = book(plan, route)
    back = earliest_arrival(fleet.contacts, stations, t_s=summed_s, size_bytes=size)
    soonest = back.arrival_s[:, satellites]
    finish_s = float(soonest.min(axis=0).max())
    if not finish_s < inf:
        return replace(never, detail="sums that do not come back to all")
    for k in range(len(stations)):
        own = [at for i, at in enumerate(satellites) if int(np.argmin(soonest[:, i])) == k]
        hops += handed_out(back, k, own)
    detail = f"summed after {quantity(summed_s - start_s, 's')}"
    return Aggregation("ground", start_s, finish_s, size * len(hops), detail, **_sent_s(fleet, hops))


def _sent_s(fleet: Fleet, hops: Iterable[Hop]) -> dict[str, float]:
    """Seconds of sending by kind of link."""
    found = {"isl_s": 0.0, "down_s": 0.0, "up_s": 0.0}
    for hop in hops:
        to_ground, from_ground = hop.receiver in fleet.stations, hop.sender in fleet.stations
        found["down_s" if to_ground else "up_s" if from_ground else "isl_s"] += hop.end_s - hop.start_s
    return found


def _next_contact(
    contacts: ContactPlan, senders: Sequence[str], receivers: Sequence[str], size: float, t_s: float
) -> tuple[float, float]:
    """When a message can be at any receiver from any sender over one contact, and how long it is sent."""
    at = contacts.nodes.position
    between = np.isin(contacts.from_, [at(id) for id in senders])
    rows = np.flatnonzero(between & np.isin(contacts.to, [at(id) for id in receivers]))
    sent_s = 8.0 * size / contacts.rate_bps[rows]
    end_s = np.maximum(contacts.open_s[rows], t_s) + sent_s
    arrival_s = np.where(end_s <= contacts.close_s[rows], end_s + contacts.owlt_s[rows], inf)
    if not np.isfinite(arrival_s).any():
        return inf, 0.0
    best = int(np.argmin(arrival_s))
    return float(arrival_s[best]), float(sent_s[best])


def _crossings(links: dict[tuple[str, str], Link], joined: Sequence[Piece]) -> dict[tuple[int, int], Link]:
    """Of each two planes, either way, the link of least light time, where there are links both ways."""
    plane = {id: i for i, piece in enumerate(joined) for id in piece.members}
    found: dict[tuple[int, int], Link] = {}
    for (a, b), link in links.items():
        pair = plane.get(a, -1), plane.get(b, -1)
        if -1 not in pair and pair[0] != pair[1] and (pair not in found or link[1] < found[pair][1]):
            found[pair] = link
    return {pair: link for pair, link in found.items() if pair[::-1] in found}
