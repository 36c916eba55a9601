"""What is lost by schedule: satellites, stations and links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Union

import numpy as np

from ..core.checks import real, short
from ..core.epoch import Epoch

Moment = Union[float, Epoch]


@dataclass(frozen=True, init=False)
class Outage:
    """A satellite, a station or a link that is lost from one instant to another.

    It is lost at `start` and back at `stop`. A satellite that is lost has no links: the others find other
    neighbours, as if it were not there. The ends of a lost link are still there: by `nearest` they go on
    asking for each other.

    Parameters
    ----------
    ids : str or sequence of str
        The node's id; or those of the two ends of a link, in either order.
    start : float, Epoch, str, datetime or numpy.datetime64, optional
        Seconds since the constellation's epoch, or an instant. Default: it always was.
    stop : float, Epoch, str, datetime or numpy.datetime64, optional
        After the start. Default: it never comes back.

    Raises
    ------
    ValueError, TypeError
        For what are no ids or no instants.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(
    ...     orbit.preset("iridium-next"),
    ...     links=orbit.plus_grid(seam="open"),
    ...     outages=[
    ...         orbit.Outage("iridium-next/0/0"),
    ...         orbit.Outage(("iridium-next/2/1", "iridium-next/2/2"), start=60.0, stop=120.0),
    ...     ],
    ... )
    >>> [world.at(t).graph.link_count for t in (0.0, 60.0, 120.0)]
    [236, 234, 236]
    """

    ids: tuple[str, ...]
    """One of a node, two of a link."""
    start: Moment
    stop: Moment

    def __init__(self, ids: str | Sequence[str], *, start: Any = -inf, stop: Any = inf) -> None:
        names = (ids,) if isinstance(ids, str) else tuple(ids) if isinstance(ids, Iterable) else ()
        if not 1 <= len(names) <= 2 or not all(isinstance(name, str) for name in names):
            raise TypeError(f"ids: expected the id of a node or those of a link's two ends, got {short(ids)}")
        if len(set(names)) < len(names):
            raise ValueError(f"ids: {short(names[0])} has no link with itself")
        object.__setattr__(self, "ids", names)
        for field, value in (("start", start), ("stop", stop)):
            object.__setattr__(self, field, _moment(field, value))


def _moment(field: str, value: Any) -> Moment:
    # numpy's durations pass for its integers, whatever their unit.
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, (bool, np.timedelta64)
    ):
        return real(field, value)
    try:
        return Epoch(value)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{field}: {str(error).removeprefix('epoch: ')}") from None


def outage_rows(
    outages: Sequence[Outage], ids: Sequence[str], satellites: int, epoch: Epoch
) -> list[tuple[int, int, float, float]]:
    """As the core takes them: positions of both ends, or of one node twice, and seconds since the epoch.

    Raises
    ------
    ValueError
        Names the outage whose id is unknown, whose ends never have a link, or whose stop is not after its
        start.
    """
    if not outages:
        return []
    places = {id: i for i, id in enumerate(ids)}
    rows = []
    for i, outage in enumerate(outages):
        for id in outage.ids:
            if id not in places:
                raise ValueError(f"outages[{i}].ids: no satellite or station has id {short(id)}")
        ends = [places[id] for id in outage.ids]
        if len(ends) == 2 and min(ends) >= satellites:
            raise ValueError(f"outages[{i}].ids: {outage.ids} are both stations, which have no link")
        start_s, stop_s = (
            moment - epoch if isinstance(moment, Epoch) else moment for moment in (outage.start, outage.stop)
        )
        if not start_s < stop_s:
            raise ValueError(f"outages[{i}].stop: {stop_s:g} s is not after the start, {start_s:g} s")
        rows.append((ends[0], ends[-1], start_s, stop_s))
    return rows
