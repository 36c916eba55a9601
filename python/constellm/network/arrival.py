"""Earliest arrival over a contact plan, and what is left of the plan when a message has its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import network as _core
from ..core.checks import count, instance
from .routing import Place, as_positions, position


@dataclass(frozen=True, eq=False)
class ContactRoute:
    """How a message comes to a node; what `EarliestArrival.route` gives.

    Examples
    --------
    >>> from constellm import network
    >>> ends = {"from_": [0, 1], "to": [1, 2]}
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "c"], **ends, open_s=[0, 5], close_s=[10, 20], rate_bps=8e6, owlt_s=0.5
    ... )
    >>> route = network.earliest_arrival(plan, "a", size_bytes=1e6).route(0, "c")
    >>> route.nodes, route.contacts.tolist()
    (['a', 'b', 'c'], [0, 1])
    >>> route.start_s.tolist(), route.end_s.tolist(), route.arrival_s.tolist()
    ([0.0, 5.0], [1.0, 6.0], [1.5, 6.5])
    """

    nodes: list[str]
    """Ids of the nodes on the way, from the source to the target (hops + 1,)."""
    contacts: NDArray[np.int32]
    """Position of the contact that each hop takes (hops,)."""
    start_s: NDArray[np.float64]
    """When it begins to send (hops,)."""
    end_s: NDArray[np.float64]
    """When the last bit has left (hops,)."""
    arrival_s: NDArray[np.float64]
    """When the whole is at the next node (hops,)."""

    def __repr__(self) -> str:
        return f"ContactRoute({' → '.join(self.nodes)})"


@dataclass(frozen=True, eq=False)
class EarliestArrival:
    """When messages can be where, each alone in the plan; what `earliest_arrival` gives.

    Examples
    --------
    >>> from constellm import network
    >>> plan = network.ContactPlan(
    ...     ["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=10.0, rate_bps=8e6, owlt_s=0.5
    ... )
    >>> found = network.earliest_arrival(plan, ["a", "a"], t_s=[0.0, 10.0])
    >>> found.arrival_s.tolist(), found.hops.tolist()
    ([[0.0, 0.5], [10.0, inf]], [[0, 1], [0, -1]])
    >>> found.route(0, "b"), found.route(1, "b")
    (ContactRoute(a → b), None)
    """

    plan: _core.ContactPlan
    sources: NDArray[np.int32]
    """Position of the node where each message is (messages,)."""
    t_s: NDArray[np.float64]
    """From when on it is there (messages,)."""
    size_bytes: NDArray[np.float64]
    """How large it is (messages,)."""
    arrival_s: NDArray[np.float64]
    """Earliest arrival; inf where it never comes (messages, nodes)."""
    hops: NDArray[np.int32]
    """Fewest hops of a way that arrives then; -1 where it never comes (messages, nodes)."""

    def __repr__(self) -> str:
        return f"EarliestArrival({len(self.sources)} messages, {self.hops.shape[1]} nodes)"

    def route(self, message: int, target: Place) -> ContactRoute | None:
        """The way of a message to a node.

        Parameters
        ----------
        message : int
            Which of the messages: the row of the tables.
        target : str or int
            Id or position of the node.

        Returns
        -------
        ContactRoute or None
            Of no hops where the message is there already; None where it never comes.
        """
        row = count("message", message, least=0, most=len(self.sources) - 1)
        nodes = self.plan.nodes
        source = int(self.sources[row])
        hops = _core.earliest_route(
            self.plan,
            source,
            float(self.t_s[row]),
            float(self.size_bytes[row]),
            position(nodes, "target", target),
        )
        if hops is None:
            return None
        ids = [nodes[at].id for at in (source, *self.plan.to[hops[0]].tolist())]
        return ContactRoute(ids, *hops)


def earliest_arrival(
    plan: _core.ContactPlan,
    sources: Place | Sequence[Place] | NDArray[np.integer],
    *,
    t_s: ArrayLike = 0.0,
    size_bytes: ArrayLike = 0.0,
    threads: int = 1,
) -> EarliestArrival:
    """When messages can be at every node of a contact plan.

    A node keeps a message until a contact opens. A contact sends it in one piece while it is open: from a
    start in [open_s, close_s) to start + 8 size / rate, which is no later than close_s; the whole of it is at
    the receiver ``owlt_s`` after that. So what comes as a contact closes has missed it, even if it is of no
    bytes; what ends as the contact closes is through; and a contact of no length carries nothing.

    Of ways that arrive at once the one with fewest hops counts, then the one whose first receiver (the entry
    node) stands first among the nodes, then the one whose last contact stands first in the plan; each node
    before is reached as early as its number of hops allows, and by the same rule.

    Parameters
    ----------
    plan : ContactPlan
    sources : str or int, or sequence of them
        Where each message is: id or position.
    t_s : array_like, scalar or shape (messages,)
        From when on it is there [s].
    size_bytes : array_like, scalar or shape (messages,)
        How large it is [B], in [0, inf).
    threads : int
        At most so many; small tasks use fewer.

    Returns
    -------
    EarliestArrival

    Raises
    ------
    ValueError, TypeError
        For a source that is no node, and for a time or size of another shape or out of range.

    Notes
    -----
    Label setting in the order of arrival, then of hops. It is exact since whoever has a message earlier never
    delivers it later. An end of sending may pass ``close_s`` by 1e-12 of it, for rounding.

    Examples
    --------
    >>> from constellm import network
    >>> ends = {"from_": [0, 1], "to": [1, 2]}
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "c"], **ends, open_s=[0, 5], close_s=[10, 20], rate_bps=8e6, owlt_s=0.5
    ... )
    >>> found = network.earliest_arrival(plan, "a", size_bytes=1e6)
    >>> found.arrival_s.tolist(), found.route(0, "c")
    ([[0.0, 1.5, 6.5]], ContactRoute(a → b → c))
    """
    nodes = instance("plan", plan, _core.ContactPlan).nodes
    start = as_positions(nodes, "sources", sources)
    return EarliestArrival(
        plan,
        start,
        *_core.earliest_arrivals(plan, start, t_s, size_bytes, count("threads", threads, most=1024)),
    )


def book(plan: _core.ContactPlan, route: ContactRoute) -> _core.ContactPlan:
    """What is left of a plan when a message has its way.

    A contact that sends it is cut into what lies before and after, and the next message takes one of these,
    or none where it does not fit. So messages that are booked one after the other never share a moment of a
    contact, and use up its volume. A message of no bytes takes no time.

    Parameters
    ----------
    plan : ContactPlan
        The one in which the route was found.
    route : ContactRoute

    Returns
    -------
    ContactPlan
        Pieces of a contact stand in its place, so that later contacts may have other positions.

    Raises
    ------
    ValueError
        For a route that does not lie within the contacts of this plan.

    Examples
    --------
    >>> from constellm import network
    >>> plan = network.ContactPlan(
    ...     ["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=3.0, rate_bps=8e6
    ... )
    >>> for _ in range(3):
    ...     route = network.earliest_arrival(plan, "a", size_bytes=1.25e6).route(0, "b")
    ...     if route is None:
    ...         print("no room")
    ...     else:
    ...         print(route.start_s, route.arrival_s)
    ...         plan = network.book(plan, route)
    [0.] [1.25]
    [1.25] [2.5]
    no room
    """
    instance("plan", plan, _core.ContactPlan)
    instance("route", route, ContactRoute)
    return _core.booked(plan, route.contacts, route.start_s, route.end_s)
