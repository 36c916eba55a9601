"""Sums over a changing network: the earliest tree that gathers and hands out, and the narrowest one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import instance, non_negative, positive, short
from ..network import ContactPlan, ContactRoute, EarliestArrival, Graph, earliest_arrival, shortest_paths
from ..network.routing import as_positions
from .contacts import backwards, chosen


@dataclass(frozen=True)
class Hop:
    """A message on its way over one contact of a tree.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.Hop("a", "b", start_s=0.0, end_s=1.0, arrival_s=1.5).receiver
    'b'
    """

    sender: str
    receiver: str
    start_s: float
    end_s: float
    """When the last bit has left [s]."""
    arrival_s: float


@dataclass(frozen=True)
class SumTree:
    """How all come to know a sum; what `sum_tree` gives.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b"], from_=[0, 1], to=[1, 0], open_s=[0, 5], close_s=[10, 20], rate_bps=8e6
    ... )
    >>> found = tune.sum_tree(plan, [["a"], ["b"]], message_bytes=1e6)
    >>> found.root, found.gathered_s, found.finish_s, found.lower_bound_s
    ('b', 1.0, 6.0, 6.0)
    """

    root: str | None
    """Where the sum is made; None where no node hears of all and reaches all."""
    start_s: float
    gathered_s: float
    """When it is there [s]; inf for None."""
    finish_s: float
    """When the last node has it [s]; inf for None."""
    lower_bound_s: float
    """No way of exchanging messages of this size whole is quicker [s]."""
    gather: tuple[Hop, ...]
    """Up the tree, leaves first."""
    hand_out: tuple[Hop, ...]
    """Down from the root, in the order of arrival."""

    @property
    def delay_s(self) -> float:
        """From the start to the finish [s]."""
        return self.finish_s - self.start_s

    @property
    def hops(self) -> int:
        """Messages that are sent."""
        return len(self.gather) + len(self.hand_out)


def sum_tree(
    contacts: ContactPlan,
    groups: Sequence[Sequence[str]],
    *,
    message_bytes: float,
    start_s: float = 0.0,
    threads: int = 1,
) -> SumTree:
    """The earliest way that all members of all groups know a sum to which each group adds a message.

    At the start all members of a group have the same message. Messages of one size run up a tree over
    contacts to a root, added up where they meet, and the sum from there to all. Nodes of no group pass on,
    add up and may be the root too. A node sends over several contacts at once.

    Parameters
    ----------
    contacts : network.ContactPlan
    groups : sequence of sequences of str
        Ids, none twice.
    message_bytes : float
        Of each message, and of the sum [B], > 0.
    start_s : float
        From when on the groups have theirs [s], >= 0.
    threads : int
        At most so many.

    Returns
    -------
    SumTree
        Of all roots the one whose sum is with all members first; of several the first member, then the first
        of the other nodes.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Notes
    -----
    The earliest of all trees, for it is exact for each root. No root can hear of all groups before the last
    earliest arrival of any of them; at that deadline the latest departures, which are the earliest arrivals
    of the plan played backwards, make a tree in which every node has heard from those below it when it has to
    send, and none departs before the start. So the bound is met. From then on the sum takes the tree of
    earliest arrivals. The bound of any exchange of whole messages is the last earliest arrival of any group
    at any member; without a common root some exchange may come nearer to it.

    Examples
    --------
    >>> from constellm import network, tune
    >>> line = {"from_": [0, 1, 1, 2], "to": [1, 0, 2, 1]}
    >>> plan = network.ContactPlan(["a", "b", "c"], **line, open_s=0, close_s=60, rate_bps=8e6, owlt_s=0.5)
    >>> found = tune.sum_tree(plan, [["a"], ["b"], ["c"]], message_bytes=1e6)
    >>> found.root, found.gathered_s, found.finish_s, found.hops
    ('b', 1.5, 3.0, 4)
    >>> found.gather[0]
    Hop(sender='a', receiver='b', start_s=0.0, end_s=1.0, arrival_s=1.5)
    """
    nodes = instance("contacts", contacts, ContactPlan).nodes
    given = [as_positions(nodes, f"groups[{i}]", list(group)) for i, group in enumerate(groups)]
    if not given or not all(map(len, given)):
        raise ValueError("groups: expected at least one, of at least one id each")
    members = np.concatenate(given)
    if len(set(members.tolist())) < len(members):
        raise ValueError("groups: an id stands twice")
    size = positive("message_bytes", message_bytes)
    start_s = non_negative("start_s", start_s)
    if len(given) == 1 and len(members) == 1:
        root = nodes[int(members[0])].id
        return SumTree(root, start_s, start_s, start_s, start_s, (), ())

    roots = np.append(members, np.setdiff1d(np.arange(len(nodes), dtype=members.dtype), members))
    gathered_s = _gathered_s(contacts, given, roots, start_s, size, threads)
    bound_s = float(gathered_s[: len(members)].max())
    found: tuple[float, int, EarliestArrival] | None = None

    def hand_out_from(i: int) -> None:
        nonlocal found
        onward = earliest_arrival(contacts, roots[i], t_s=gathered_s[i], size_bytes=size)
        finish_s = float(onward.arrival_s[0, members].max())
        if finish_s < inf and (found is None or (finish_s, i) < found[:2]):
            found = finish_s, i, onward

    if gathered_s.min() < inf:
        hand_out_from(int(np.argmin(gathered_s)))
    if found is not None:  # what opens later is of no use
        contacts = chosen(contacts, (contacts.open_s <= found[0]) & (contacts.close_s > start_s))
    # Nobody hands out sooner than over links that are always open; so most roots need not be tried.
    least_s = gathered_s + _least_ways(contacts, roots, members, size, threads)
    for i in np.argsort(least_s, kind="stable").tolist():
        if not least_s[i] < inf or (found is not None and least_s[i] > found[0]):
            break
        hand_out_from(i)
    if found is None:
        return SumTree(None, start_s, inf, inf, bound_s, (), ())
    finish_s, best, onward = found
    at, end_s = int(roots[best]), float(gathered_s[best])
    gather = _gather(contacts, given, at, end_s, size)
    return SumTree(
        nodes[at].id, start_s, end_s, finish_s, bound_s, gather, handed_out(onward, 0, members.tolist())
    )


def _gathered_s(
    contacts: ContactPlan,
    groups: Sequence[NDArray[np.int32]],
    roots: NDArray[np.int32],
    start_s: float,
    size: float,
    threads: int,
) -> NDArray[np.float64]:
    """When each root can have heard of all groups (roots,); members of groups are the first of them."""
    ids, members = contacts.nodes.ids(), np.concatenate(groups)
    prefix = "group" + "'" * max(map(len, ids))  # longer than any id
    group = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
    # A node for each group, behind the others, from which its members have all at once.
    plan = ContactPlan(
        [*ids, *(f"{prefix}{i}" for i in range(len(groups)))],
        from_=np.append(contacts.from_, len(ids) + group),
        to=np.append(contacts.to, members),
        open_s=np.append(contacts.open_s, np.full(len(members), start_s)),
        close_s=np.append(contacts.close_s, np.full(len(members), inf)),
        rate_bps=np.append(contacts.rate_bps, np.full(len(members), 1e300)),
        owlt_s=np.append(contacts.owlt_s, np.zeros(len(members))),
    )
    sources = np.arange(len(ids), len(ids) + len(groups))
    heard = earliest_arrival(plan, sources, t_s=start_s, size_bytes=size, threads=threads)
    arrival_s = heard.arrival_s[:, roots]
    arrival_s[group, np.arange(len(members))] = start_s
    return np.asarray(arrival_s.max(axis=0))


def _least_ways(
    contacts: ContactPlan, roots: NDArray[np.int32], members: NDArray[np.int32], size: float, threads: int
) -> NDArray[np.float64]:
    """From each root to the member that is farthest, were all contacts always open (roots,)."""
    n, cost = len(contacts.nodes), 8.0 * size / contacts.rate_bps + contacts.owlt_s
    order = np.argsort(cost, kind="stable")
    _, first = np.unique(contacts.from_[order].astype(np.int64) * n + contacts.to[order], return_index=True)
    link = order[first]
    graph = Graph(contacts.nodes, from_=contacts.from_[link], to=contacts.to[link], rate_bps=1e9)
    # A little less, so that sums in another order are no larger.
    paths = shortest_paths(graph, roots, weight=cost[link] * (1.0 - 1e-9), threads=threads)
    return paths.cost[:, members].max(axis=1)


def hops_of(route: ContactRoute) -> list[Hop]:
    """Hop by hop."""
    times = (route.start_s.tolist(), route.end_s.tolist(), route.arrival_s.tolist())
    return [Hop(*hop) for hop in zip(route.nodes, route.nodes[1:], *times)]


def handed_out(found: EarliestArrival, message: int, members: Sequence[int]) -> tuple[Hop, ...]:
    """To every member the last hop of its earliest way, and so to those before it."""
    hops, ids = dict[str, Hop](), found.plan.nodes.ids()
    waiting = [ids[at] for at in members]
    while waiting:
        receiver = waiting.pop()
        route = found.route(message, receiver)
        if receiver in hops or route is None or len(route.nodes) == 1:
            continue
        hops[receiver] = hops_of(route)[-1]
        waiting.append(route.nodes[-2])
    return tuple(sorted(hops.values(), key=lambda hop: (hop.arrival_s, hop.receiver)))


def _gather(
    contacts: ContactPlan, groups: Sequence[NDArray[np.int32]], root: int, end_s: float, size: float
) -> tuple[Hop, ...]:
    """From one member of each group the first hop of its latest way, and so from those behind it."""
    played = backwards(contacts, end_s)
    found = earliest_arrival(played, root, size_bytes=size)
    hops, ids = dict[str, Hop](), contacts.nodes.ids()
    nearest = [group[np.argmin(found.arrival_s[0, group])] for group in groups if root not in group]
    waiting = [ids[at] for at in nearest]
    while waiting:
        sender = waiting.pop()
        route = found.route(0, sender)
        if sender in hops or route is None or len(route.nodes) == 1:
            continue
        # Backwards the light went last: what arrives at end - start was sent from end - arrival on.
        start_s, sent_s = end_s - float(route.arrival_s[-1]), float(route.end_s[-1] - route.start_s[-1])
        hops[sender] = Hop(
            sender, route.nodes[-2], start_s, start_s + sent_s, end_s - float(route.start_s[-1])
        )
        waiting.append(route.nodes[-2])
    return tuple(sorted(hops.values(), key=lambda hop: (hop.start_s, hop.sender)))


@dataclass(frozen=True)
class NarrowTree:
    """A spanning tree of least diameter; what `minimum_diameter_tree` gives.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.minimum_diameter_tree([[0.0, 1.0], [1.0, 0.0]])
    NarrowTree(edges=((0, 1),), diameter=1.0, center=(0, 1, 0.5))
    """

    edges: tuple[tuple[int, int], ...]
    """Two nodes each."""
    diameter: float
    """The longest way between two nodes of the tree."""
    center: tuple[int, int, float]
    """An edge, and how far from its first node its point lies from which all are near."""


def minimum_diameter_tree(weights: ArrayLike) -> NarrowTree:
    """The spanning tree in which the two nodes that are farthest apart are nearest: that of RelaySum.

    Parameters
    ----------
    weights : array_like, shape (nodes, nodes)
        Of each edge, the same both ways, > 0; inf where there is none. The diagonal does not count.

    Returns
    -------
    NarrowTree
        The tree of shortest ways from the absolute centre of the graph, the point on an edge from which the
        farthest node is nearest; its diameter is twice that distance.

    Raises
    ------
    TypeError, ValueError
        For another shape, weights that are not > 0 or not symmetric, and a graph that is not connected.

    Notes
    -----
    Hassin and Tamir, *On the minimum diameter spanning tree problem*, Inform. Process. Lett. 53 (1995), with
    the absolute centre of Hakimi (1964). RelaySum: Vogels et al., *RelaySum for decentralized deep learning
    on heterogeneous data*, NeurIPS 2021; its messages need the tree's diameter to reach all.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import tune
    >>> ring = np.full((5, 5), inf)
    >>> for i in range(5):
    ...     ring[i, (i + 1) % 5] = ring[(i + 1) % 5, i] = 1.0
    >>> tune.minimum_diameter_tree(ring).diameter
    4.0
    """
    edge = np.array(weights, dtype=np.float64)
    if edge.ndim != 2 or edge.shape[0] != edge.shape[1] or not len(edge):
        raise ValueError(f"weights: shape {edge.shape} is not (nodes, nodes)")
    np.fill_diagonal(edge, 0.0)
    off = ~np.eye(len(edge), dtype=bool)
    if np.isnan(edge).any() or not (edge[off] > 0.0).all():
        bad = edge[off][~(edge[off] > 0.0)][0]
        raise ValueError(f"weights: {short(float(bad))} is not in (0, inf]")
    if not np.array_equal(edge, edge.T):
        raise ValueError("weights: not the same both ways")
    n = len(edge)
    if n == 1:
        return NarrowTree((), 0.0, (0, 0, 0.0))
    far = edge.copy()
    for k in range(n):
        np.minimum(far, far[:, k, None] + far[None, k], out=far)
    if not np.isfinite(far).all():
        raise ValueError("weights: the graph is not connected")
    (radius, x), a, b = min(
        (_center_of(far[a], far[b], edge[a, b]), int(a), int(b))
        for a, b in np.argwhere(np.triu(np.isfinite(edge), 1))
    )
    return NarrowTree(_shortest_ways(edge, a, b, x), 2.0 * radius, (a, b, x))


def _center_of(to_a: NDArray[np.float64], to_b: NDArray[np.float64], length: float) -> tuple[float, float]:
    """Radius and place of the best point on an edge.

    Nodes by falling distance from one end: the first so many are reached over the other end, and of all ways
    to part them so the best is the best there is.
    """
    order = np.argsort(-to_a, kind="stable")
    over_a = np.append(to_a[order], -inf)  # the farthest of those that are left
    over_b = np.append(-inf, np.maximum.accumulate(to_b[order])) + length
    with np.errstate(invalid="ignore"):
        place = np.clip((over_b - over_a) / 2.0, 0.0, length)
    radius = np.maximum(over_a + place, over_b - place)
    best = int(np.argmin(radius))
    return float(radius[best]), float(place[best])


def _shortest_ways(edge: NDArray[np.float64], a: int, b: int, x: float) -> tuple[tuple[int, int], ...]:
    """The tree of shortest ways from a point on an edge."""
    n = len(edge)
    distance, before = np.full(n, inf), np.full(n, -1)
    distance[a], distance[b], before[b] = x, edge[a, b] - x, a
    if distance[b] < x:
        before[a], before[b] = b, -1
    left = np.ones(n, dtype=bool)
    for _ in range(n):
        v = int(np.argmin(np.where(left, distance, inf)))
        left[v] = False
        nearer = left & (distance[v] + edge[v] < distance)
        distance[nearer], before[nearer] = distance[v] + edge[v, nearer], v
    return tuple(sorted((min(v, u), max(v, u)) for v, u in enumerate(before.tolist()) if u >= 0))
