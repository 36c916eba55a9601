"""Satellites, stations and links together, as a network that changes with time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._core import orbit as _core
from .._core.orbit import LinkRule, Shell, Station
from ..core.checks import count, positive, short
from ..core.constants import LIGHT_M_PER_S
from ..core.display import Display, Displayed
from ..core.epoch import Epoch
from ..core.quantity import counted
from ..network import ContactPlan, Graph, Nodes, Snapshot, Timeline
from . import czml
from .constellation_display import display_of
from .constellation_instants import _AtInstants
from .constellation_parts import (
    Computer,
    Part,
    check_ids,
    figures_by_key,
    instant_s,
    instants,
    node_of,
    rules_of,
    several,
)
from .constellation_windows import lifetimes_s
from .element_sets import ElementSets
from .frames import teme_to_ecef, velocity_teme_to_ecef
from .labelled import states_dataset
from .link_rules import EVERY_SHELL
from .motion import DEFAULT_EPOCH
from .outages import Outage, outage_rows
from .sky import Sky
from .states import States

if TYPE_CHECKING:
    import xarray

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Constellation(_AtInstants, Displayed):
    """Satellites, ground stations and the links between them; immutable.

    Its nodes are the satellites of the shells, then those of the element sets, then the stations. Satellites
    relay, stations do not. Times are seconds from `epoch`, or instants (an `Epoch`, ISO 8601 text, datetime).

    Parameters
    ----------
    satellites : Shell or ElementSets, or sequence of them
        At most 100,000 satellites together. Ids are ``<name>/<plane>/<index>`` for shells and catalogue
        numbers for element sets.
    stations : Station or sequence of them
        See `station`.
    links : LinkRule or sequence of them
        See `plus_grid`, `nearest` and `ground`. Of two rules that join a pair the first counts whose
        conditions hold. A rule for shell ``"*"`` becomes one for each shell.
    outages : Outage or sequence of them
        Satellites, stations and links that are lost by schedule.
    computers : Device or mapping, optional
        What computes, by fields of `network.Node`: ``{"flop_per_s": 1e12, "memory_bytes": 8e9}`` or a
        `network.Device` for every satellite; or a mapping of those by id, by name of a shell, or by ``"*"``
        for the other satellites. What is not named relays.
    epoch : Epoch, str, datetime or numpy.datetime64, optional
        Time 0, and the moment of the elements of shells. Default: the epoch of the first element set; for
        shells alone 2000-01-01T12:00:00Z.
    name : str
        1 to 100 characters of ``[A-Za-z0-9._-]``.

    Raises
    ------
    ValueError, TypeError
        If two ids are alike, a rule names no shell, an outage no node, or what any of the values refuse;
        names the place.

    Examples
    --------
    >>> from constellm import orbit
    >>> world = orbit.Constellation(
    ...     orbit.preset("starlink-550"),
    ...     stations=[orbit.station("Munich", 48.1, 11.6), orbit.station("Dubai", 25.2, 55.3)],
    ...     links=[orbit.plus_grid(rate_bps=2.5e9), orbit.ground(rate_bps=0.8e9)],
    ...     epoch="2026-03-01T12:00:00Z",
    ... )
    >>> world
    Constellation(1584 satellites, 2 stations, 2 rules of links, epoch 2026-03-01T12:00:00Z)
    >>> world.ids[:2], world.ids[-2:]
    (('starlink-550/0/0', 'starlink-550/0/1'), ('Munich', 'Dubai'))
    >>> world.at(0.0).graph
    Graph(1586 nodes, 6398 links)
    """

    satellites: tuple[Part, ...]
    """Shells, then element sets."""
    stations: tuple[Station, ...]
    links: tuple[LinkRule, ...]
    outages: tuple[Outage, ...]
    computers: dict[str, dict[str, Any]]
    """Fields of nodes by id, by name of a shell, or by ``"*"``."""
    epoch: Epoch
    name: str

    def __init__(
        self,
        satellites: Part | Iterable[Part],
        *,
        stations: Station | Iterable[Station] = (),
        links: LinkRule | Iterable[LinkRule] = (),
        outages: Outage | Iterable[Outage] = (),
        computers: Computer | Mapping[str, Computer] | None = None,
        epoch: Any = None,
        name: str = "constellation",
    ) -> None:
        def put(field: str, value: Any) -> None:
            object.__setattr__(self, field, value)

        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"name: {short(name)} is not 1 to 100 characters of [A-Za-z0-9._-]")
        parts = several("satellites", satellites, (Shell, ElementSets), "a Shell or ElementSets")
        # In the order of the files, which the numbers of nodes follow.
        put("satellites", tuple(sorted(parts, key=lambda part: isinstance(part, ElementSets))))
        put("stations", several("stations", stations, (Station,), "a Station"))
        check_ids(self.satellites, self.stations)
        names = [shell.name for shell in self.shells]
        put("links", rules_of(several("links", links, (LinkRule,), "a LinkRule"), names))
        put("computers", figures_by_key(computers, {EVERY_SHELL, *names, *self.ids}))
        if epoch is None:
            first = next((sets for sets in self.element_sets if len(sets)), None)
            epoch = DEFAULT_EPOCH if first is None else first.epoch[0]
        put("epoch", Epoch(epoch))
        put("outages", several("outages", outages, (Outage,), "an Outage"))
        _ = self._lost  # which refuses outages of nothing
        put("name", name)

    # --- what it consists of -----------------------------------------------------------------------

    @property
    def shells(self) -> tuple[Shell, ...]:
        """Those of the satellites that are shells."""
        return tuple(part for part in self.satellites if isinstance(part, Shell))

    @property
    def element_sets(self) -> tuple[ElementSets, ...]:
        """Those of the satellites that are element sets."""
        return tuple(part for part in self.satellites if isinstance(part, ElementSets))

    @cached_property
    def satellite_ids(self) -> tuple[str, ...]:
        """Ids of the satellites, in the order of their states."""
        return tuple(id for part in self.satellites for id in part.ids)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the nodes: satellites, then stations."""
        return (*self.satellite_ids, *(station.id for station in self.stations))

    @cached_property
    def nodes(self) -> Nodes:
        """The nodes of its graphs, which share them.

        Satellites of a shell have its name as group, the others ``satellite``, stations ``ground``.
        """
        nodes = []
        for part in self.satellites:
            group = part.name if isinstance(part, Shell) else "satellite"
            keys = (group, EVERY_SHELL) if isinstance(part, Shell) else (EVERY_SHELL,)
            nodes += [node_of(id, group, self.computers, keys) for id in part.ids]
        nodes += [node_of(station.id, "ground", self.computers, ()) for station in self.stations]
        return Nodes(nodes)

    @cached_property
    def _lost(self) -> list[tuple[int, int, float, float]]:
        """The outages as the core takes them."""
        return outage_rows(self.outages, self.ids, len(self.satellite_ids), self.epoch)

    # --- where they are ----------------------------------------------------------------------------

    def seconds(self, times: Any) -> NDArray[np.float64]:
        """Instants as seconds since the epoch.

        Parameters
        ----------
        times : array_like of float, or Epoch, str, datetime or numpy.datetime64, or several of them
            Seconds stay what they are.

        Returns
        -------
        ndarray
            Finite, of the shape of `times` [s].

        Raises
        ------
        ValueError, TypeError
            For what is no instant.
        """
        array = np.asarray(times)
        if array.dtype.kind not in "iuf":
            array = array if array.dtype.kind == "M" else np.asarray(times, dtype=object)
            found = np.empty(array.shape)
            for place in np.ndindex(array.shape):
                try:
                    found[place] = Epoch(array[place]) - self.epoch
                except (TypeError, ValueError) as error:
                    raise type(error)(f"times: {str(error).removeprefix('epoch: ')}") from None
            array = found
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            raise ValueError(f"times: {array[~np.isfinite(array)][0]:g} is not a finite number")
        return array

    def states(self, times: Any, frame: str = "teme") -> States:
        """Where the satellites are and how they move.

        Parameters
        ----------
        times : array_like, shape (times,), or a scalar
            As of `seconds`.
        frame : str
            ``"teme"``, or ``"ecef"``, which turns with the Earth.

        Returns
        -------
        States
            Arrays (satellites, times, 3) in the order of `satellite_ids`; (satellites, 3) for a scalar.

        Raises
        ------
        ValueError, TypeError
            For an unknown frame, and as `propagate`.
        ImportError
            Where SGP4 is needed and the package `sgp4` is absent.
        """
        if frame not in ("teme", "ecef"):
            raise ValueError(f"frame: {short(frame)} is not 'teme' or 'ecef'")
        time_s = self.seconds(times)
        position, velocity, error = self._sky.states(time_s)
        if frame == "ecef":
            velocity = velocity_teme_to_ecef(position, velocity, epoch=self.epoch, time_s=time_s)
            position = teme_to_ecef(position, epoch=self.epoch, time_s=time_s)
        return States(position, velocity, error)

    @cached_property
    def _sky(self) -> Sky:
        return Sky(self.satellites, self.stations, self.links, self._lost, self.epoch)

    # --- who is joined with whom -------------------------------------------------------------------

    def at(
        self,
        t: Any,
        *,
        ends: str | Iterable[str] | None = None,
        slot: int = 0,
        horizon_s: float | None = None,
    ) -> Snapshot:
        """The network at an instant.

        Parameters
        ----------
        t : float, Epoch, str, datetime or numpy.datetime64
            As of `seconds`.
        ends : str or sequence of str, optional
            Ids of the stations that are ends of what is planned: the others have no links then, so that a
            planner that relays over any node relays over satellites alone. Default: all.
        slot : int
            Which slot it is, for rules whose links survive with a probability.
        horizon_s : float, optional
            How far ahead the ends of links are looked for [s]; as `windows`. Default: not at all.

        Returns
        -------
        Snapshot
            Links in the order of sender and receiver, with the groups ``isl`` between satellites and ``s2g``
            with stations. A latency is range / c plus the rule's overhead. With a horizon links have
            lifetimes, inf where they live on beyond it.

        Raises
        ------
        ValueError, TypeError
            For what is no instant, and what `states` and `windows` raise.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(orbit.preset("iridium-next"), links=orbit.plus_grid(seam="open"))
        >>> snapshot = world.at("2000-01-01T12:01:00Z")
        >>> snapshot.t_s, snapshot.graph.link_count
        (60.0, 242)
        """
        t_s = instant_s(self, "t", t)
        links = next(self._sky.links_at(np.array([t_s]), slot=count("slot", slot, least=0)))
        graph = self._graph(links, self._joined(ends))
        lifetime_s = None
        if horizon_s is not None:
            stop_s = t_s + positive("horizon_s", horizon_s)
            windows = self.windows(t_s, stop_s)
            lifetime_s = lifetimes_s(graph, windows, t_s, stop_s)
            self._sky.check_lifetimes(graph, lifetime_s, t_s, stop_s)
        return Snapshot(t_s, graph, lifetime_s=lifetime_s)

    def timeline(
        self, start: Any, stop: Any, step_s: float, *, ends: str | Iterable[str] | None = None
    ) -> Timeline:
        """The network at instants one step apart, each held until the next.

        Parameters
        ----------
        start, stop : float, Epoch, str, datetime or numpy.datetime64
            As of `seconds`; the stop is the timeline's end.
        step_s : float
            How long each slot is [s]. Links that survive with a probability are drawn for each.
        ends : str or sequence of str, optional
            As of `at`.

        Returns
        -------
        Timeline

        Raises
        ------
        ValueError, TypeError
            If the stop is not after the start, and what `at` raises.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
        >>> world.timeline(0.0, 600.0, 60.0)
        Timeline(10 snapshots from 0 s to 600 s, 24 contacts)
        """
        first_s, last_s = instant_s(self, "start", start), instant_s(self, "stop", stop)
        time_s = instants(first_s, last_s, step_s)
        joined = self._joined(ends)
        graphs = [self._graph(links, joined) for links in self._sky.links_at(time_s)]
        return Timeline(time_s, graphs, end_s=last_s)

    def windows(
        self, start: Any, stop: Any, *, slot_s: float | None = None, threads: int = 1
    ) -> _core.Windows:
        """When each link of the rules exists, to a millisecond.

        Parameters
        ----------
        start, stop : float, Epoch, str, datetime or numpy.datetime64
            As of `seconds`; windows are cut to them.
        slot_s : float, optional
            How long each slot is, from the start on, for rules whose links survive with a probability: a link
            exists in those that it is drawn for, which are those of ``timeline(start, stop, slot_s)`` [s].
        threads : int
            At most so many.

        Returns
        -------
        Windows
            Columns ``from_``, ``to`` (positions of nodes), ``rule``, ``open_s``, ``close_s``, ``range_m``
            (at the middle), ``rate_bps`` (at that range) and ``overhead_s``, in the order of opening, then of
            sender and receiver.

        Raises
        ------
        ValueError, TypeError
            For rules with ``max_links``, which choose at instants; for those whose links survive with a
            probability where there is no `slot_s`, and more than 10 million slots; for rules of `nearest`
            where satellites times seconds are more than 200 million; what is no instant; and a span in which
            SGP4 has too many states.
        """
        return self._sky.windows(
            instant_s(self, "start", start),
            instant_s(self, "stop", stop),
            None if slot_s is None else positive("slot_s", slot_s),
            count("threads", threads, most=1024),
        )

    def contacts(
        self, start: Any, stop: Any, *, slot_s: float | None = None, threads: int = 1
    ) -> ContactPlan:
        """The windows of the links as a plan of contacts.

        Parameters
        ----------
        start, stop : float, Epoch, str, datetime or numpy.datetime64
            As of `seconds`.
        slot_s : float, optional
            As of `windows` [s].
        threads : int
            At most so many.

        Returns
        -------
        ContactPlan
            The light time of a contact is that at its middle, plus the rule's overhead.

        Raises
        ------
        ValueError, TypeError
            As `windows`.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(
        ...     orbit.preset("iridium-next"),
        ...     stations=orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.2),
        ...     links=orbit.ground(),
        ...     epoch="2026-03-01T12:00:00Z",
        ... )
        >>> plan = world.contacts(0.0, 3600.0)
        >>> len(plan) > 10, plan.epoch
        (True, '2026-03-01T12:00:00Z')
        """
        windows = self.windows(start, stop, slot_s=slot_s, threads=threads)
        return ContactPlan(
            self.nodes,
            from_=windows.from_,
            to=windows.to,
            open_s=windows.open_s,
            close_s=windows.close_s,
            rate_bps=windows.rate_bps,
            owlt_s=windows.range_m / LIGHT_M_PER_S + windows.overhead_s,
            epoch=str(self.epoch),
        )

    # --- for other tools -----------------------------------------------------------------------------

    def to_xarray(self, times: Any, frame: str = "teme") -> xarray.Dataset:
        """States with labels.

        Parameters
        ----------
        times : array_like, shape (times,)
            As of `seconds`.
        frame : str
            As of `states`.

        Returns
        -------
        xarray.Dataset
            ``position_m``, ``velocity_m_per_s`` and ``error`` over ``satellite``, ``t_s`` and ``axis``; with
            the epoch and the frame in its attributes.

        Raises
        ------
        ValueError, TypeError
            As `states`, and where the times have not one dimension.
        ImportError
            Where xarray is absent.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(orbit.preset("iridium-next"))
        >>> states = world.to_xarray([0.0, 60.0])
        >>> states.position_m.sel(satellite="iridium-next/0/3", t_s=60.0).shape
        (3,)
        """
        time_s = self._several(times)
        attrs = {"epoch": str(self.epoch), "frame": frame}
        return states_dataset(self.states(time_s, frame), self.satellite_ids, time_s, attrs)

    def to_czml(
        self, start: Any, stop: Any, step_s: float = 60.0, *, links: bool = True, threads: int = 1
    ) -> list[dict[str, Any]]:
        """What happens from start to stop as packets of CZML, for Cesium; `write_czml` makes a file of it.

        Satellites are points with samples in the frame that turns with the Earth, between which Cesium
        interpolates, to a centimetre in low orbits at the default step; links are lines that are there while
        their windows are. A satellite without a state is left out from then on.

        Parameters
        ----------
        start, stop : float, Epoch, str, datetime or numpy.datetime64
            As of `seconds`.
        step_s : float
            The most between samples, which are evenly spaced, eight at least [s].
        links : bool
            Without them for rules that have no windows, as those with ``max_links``.
        threads : int
            As of `windows`.

        Returns
        -------
        list of dict
            Packets ``document``, ``satellite/<id>``, ``station/<id>`` and ``link/<packet>/<packet>``.

        Raises
        ------
        ValueError, TypeError
            As `windows`, and for more than five million samples.

        Examples
        --------
        >>> from constellm import orbit
        >>> world = orbit.Constellation(orbit.preset("iridium-next"), links=orbit.plus_grid(seam="open"))
        >>> packets = world.to_czml(0.0, 600.0)
        >>> len(packets), packets[1]["id"], packets[1]["position"]["cartesian"][4]
        (188, 'satellite/iridium-next/0/0', 60.0)
        """
        return czml.packets(self, start, stop, step_s, links=links, threads=threads)

    def _joined(self, ends: str | Iterable[str] | None) -> NDArray[np.bool_]:
        """Which nodes have links: satellites, and the stations that are ends."""
        joined = np.ones(len(self.nodes), dtype=np.bool_)
        if ends is not None:
            joined[len(self.satellite_ids) :] = False
            for id in [ends] if isinstance(ends, str) else ends:
                joined[self._position("ends", id)] = True
        return joined

    def _graph(self, links: _core.Links, joined: NDArray[np.bool_]) -> Graph:
        kept = joined[links.from_] & joined[links.to]
        sender, receiver = links.from_[kept], links.to[kept]
        satellites = len(self.satellite_ids)
        return Graph(
            self.nodes,
            from_=sender,
            to=receiver,
            rate_bps=links.rate_bps[kept],
            latency_s=links.latency_s[kept],
            group=np.where((sender < satellites) & (receiver < satellites), "isl", "s2g").tolist(),
        )

    # --- as a value --------------------------------------------------------------------------------

    def _fields(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def replace(self, **changes: Any) -> Constellation:
        """A copy with some of the constructor's arguments changed."""
        return Constellation(**{**self._fields(), **changes})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Constellation):
            return NotImplemented
        return self._fields() == other._fields()

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        # By the arguments alone: what is kept for later calls is made anew.
        return _of_fields, (self._fields(),)

    def __repr__(self) -> str:
        return f"Constellation({self._size()}, epoch {self.epoch})"

    def _size(self) -> str:
        sizes = [
            counted(len(self.satellite_ids), "satellite"),
            counted(len(self.stations), "station"),
            counted(len(self.links), "rule of links", "rules of links"),
        ]
        return ", ".join(sizes + ([counted(len(self.outages), "outage")] if self.outages else []))

    def _display(self) -> Display:
        return display_of(self)


def _of_fields(values: dict[str, Any]) -> Constellation:
    return Constellation(**values)
