"""Stations whose antennas are the limit, not the links to each satellite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ..core.checks import instance, positive, short
from .problem import Problem


def with_antennas(
    problem: Problem,
    *,
    receive_bps: Mapping[str, float] | None = None,
    send_bps: Mapping[str, float] | None = None,
) -> Problem:
    """The same problem, with a cap on what stations receive or send in all.

    Without, a station serves all who see it at once, each at the rate of its contact. Here what reaches a
    station first reaches its antenna: a node that stores nothing and passes on at most so much.

    Parameters
    ----------
    problem : Problem
    receive_bps : mapping from id to bit/s, optional
        What a node receives at most, over all its contacts [bit/s], > 0: through a new node ``<id>/receive``.
    send_bps : mapping from id to bit/s, optional
        What it sends at most [bit/s], > 0: through a new node ``<id>/send``.

    Returns
    -------
    Problem
        The new nodes stand after the others, and so do the contacts between them and their stations; the
        contacts of the problem keep their positions. Sinks stay the stations.

    Raises
    ------
    TypeError, ValueError
        For a node that there is not, one that receives, or sends, over no contact, and a rate out of range.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(
    ...     ["a", "b", "station"], from_=[0, 1], to=[2, 2], open_s=0.0, close_s=60.0, rate_bps=8e6
    ... )
    >>> problem = flow.Problem(contacts, supply_bytes={"a": 10e6, "b": 10e6}, sinks=["station"])
    >>> capped = flow.with_antennas(problem, receive_bps={"station": 8e6})
    >>> [node.id for node in capped.contacts.nodes]
    ['a', 'b', 'station', 'station/receive']
    >>> flow.solve(problem).finish_s, flow.solve(capped).finish_s
    (10.0, 20.0)
    """
    contacts = instance("problem", problem, Problem).contacts
    ids = [node.id for node in contacts.nodes]
    columns = {
        name: list(getattr(contacts, name))
        for name in ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s")
    }
    names: list[str] = []
    for field, rates, end in (("receive_bps", receive_bps, "to"), ("send_bps", send_bps, "from_")):
        for id, rate in _rates(field, rates):
            rate_bps = positive(f"{field}[{id!r}]", rate)
            if id not in ids:
                raise ValueError(f"{field}: {short(id)} is not the id of a node")
            station, antenna = ids.index(id), len(ids) + len(names)
            through = np.flatnonzero(getattr(contacts, end) == station)
            if not len(through):
                how = "receives" if end == "to" else "sends"
                raise ValueError(f"{field}: {short(id)} {how} over no contact")
            for c in through.tolist():
                columns[end][c] = antenna
            ends = (antenna, station) if end == "to" else (station, antenna)
            open_s, close_s = contacts.open_s[through].min(), contacts.close_s[through].max()
            for name, value in zip(columns, (*ends, open_s, close_s, rate_bps, 0.0)):
                columns[name].append(value)
            names.append(f"{id}/{field.partition('_')[0]}")
    added = np.zeros(len(names))
    return problem.replace(
        contacts=contacts.replace(nodes=[*contacts.nodes, *names], **columns),
        supply_bytes=np.append(problem.supply_bytes, added),
        storage_bytes=np.append(problem.storage_bytes, added),
        demand_bytes=np.append(problem.demand_bytes, added),
    )


def _rates(field: str, rates: object) -> Iterable[tuple[str, object]]:
    if rates is None:
        return ()
    if not isinstance(rates, Mapping):
        raise TypeError(f"{field}: expected a mapping from ids to bit/s, got {short(rates)}")
    return rates.items()
