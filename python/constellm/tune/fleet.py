"""Who learns: satellites on their planes, what joins them and the ground, and how fast each computes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, instance, known_keywords, non_negative, positive, real, short
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value
from ..network import ContactPlan
from ..orbit import Constellation, ElementSets
from .contacts import cut_out, moved


@dataclass(frozen=True)
class Powers:
    """What computers and transmitters draw while they work [W]; a phase of unknown power has no energy.

    Parameters
    ----------
    board_w, server_w : float, optional
        A satellite's computer, and the server.
    isl_w, down_w, up_w : float, optional
        A transmitter between satellites, from one to the ground, and from a station.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.Powers(board_w=30.0, isl_w=10.0).down_w is None
    True
    """

    board_w: float | None = None
    server_w: float | None = None
    isl_w: float | None = None
    down_w: float | None = None
    up_w: float | None = None

    def __post_init__(self) -> None:
        for of in fields(self):
            value = getattr(self, of.name)
            if value is not None:
                object.__setattr__(self, of.name, non_negative(of.name, value))


@dataclass(frozen=True, eq=False, repr=False)
class Fleet(Value, Displayed):
    """Satellites that learn together, on planes, with their contacts; `fleet` makes one of a constellation.

    Parameters
    ----------
    contacts : network.ContactPlan
        Among satellites and with stations, from time 0 on.
    rings : sequence of sequences of str
        Ids of the satellites of each plane in the order of its ring. A plane's links are those of neighbours
        that have contacts both ways; where one is missing the ring is a chain.
    stations : sequence of str
        Ids; the server is on the ground behind all of them.
    images : float or array_like, shape (satellites,)
        Of each satellite, in the order of the rings, >= 0.
    board_flop_per_s, server_flop_per_s : float
        Effective speed of every satellite and of the server [FLOP/s], > 0.
    antennas : int, optional
        Satellites that a station hears, or talks to, at once, in sum of their rates; default: all in view.
    powers : Powers, optional
        Default: none known, and no energy told.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range: of an id that is no node or stands twice, of no image.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> tune.Fleet(plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15)
    Fleet(2 satellites on 1 plane, 1 station, 200 images, 4 contacts)
    """

    contacts: ContactPlan
    rings: tuple[tuple[str, ...], ...]
    stations: tuple[str, ...]
    images: NDArray[np.float64]
    board_flop_per_s: float
    server_flop_per_s: float
    antennas: int | None
    powers: Powers

    def __init__(
        self,
        contacts: ContactPlan,
        rings: Sequence[Sequence[str]],
        stations: Sequence[str],
        *,
        images: ArrayLike,
        board_flop_per_s: float,
        server_flop_per_s: float,
        antennas: int | None = None,
        powers: Powers | None = None,
    ) -> None:
        instance("contacts", contacts, ContactPlan)
        if len(contacts) and float(contacts.open_s.min()) < 0.0:
            raise ValueError(f"contacts: one opens at {contacts.open_s.min():g} s, before 0")
        known = set(contacts.nodes.ids())
        taken: set[str] = set()
        if isinstance(rings, str) or not isinstance(rings, Iterable) or not (rings := tuple(rings)):
            raise ValueError("rings: expected the satellites of at least one plane")
        put: dict[str, Any] = {
            "contacts": contacts,
            "rings": tuple(_ids(f"rings[{i}]", ring, known, taken) for i, ring in enumerate(rings)),
            "stations": _ids("stations", stations, known, taken),
        }
        if not all(put["rings"]):
            raise ValueError(f"rings[{put['rings'].index(())}]: must not be empty")
        satellites = sum(map(len, put["rings"]))
        put["images"] = _images(images, satellites)
        put["board_flop_per_s"] = positive("board_flop_per_s", board_flop_per_s)
        put["server_flop_per_s"] = positive("server_flop_per_s", server_flop_per_s)
        put["antennas"] = None if antennas is None else count("antennas", antennas)
        put["powers"] = Powers() if powers is None else instance("powers", powers, Powers)
        for field, value in put.items():
            object.__setattr__(self, field, value)

    @property
    def satellites(self) -> tuple[str, ...]:
        """Ids, ring by ring."""
        return tuple(id for ring in self.rings for id in ring)

    @property
    def end_s(self) -> float:
        """When the last contact closes [s]; 0 without any."""
        return float(self.contacts.close_s.max()) if len(self.contacts) else 0.0

    def without(
        self,
        ids: str | Sequence[str] = (),
        *,
        links: Sequence[tuple[str, str]] = (),
        start_s: float = 0.0,
        stop_s: float = inf,
    ) -> Fleet:
        """The fleet with satellites, stations or links lost.

        Parameters
        ----------
        ids : str or sequence of str
            Satellites and stations that have no contact meanwhile. What is lost from 0 on for good is no
            longer part of the fleet: a satellite goes with its images, a ring is open there.
        links : sequence of (str, str)
            Links, by their ends, that have no contact meanwhile, either way.
        start_s, stop_s : float
            From when to when [s]; default: always.

        Returns
        -------
        Fleet

        Raises
        ------
        TypeError, ValueError
            For what is no id of the fleet, or a stop that is not after the start, or where no satellite is
            left.

        Examples
        --------
        >>> from constellm import network, tune
        >>> plan = network.ContactPlan(
        ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
        ... )
        >>> fleet = tune.Fleet(plan, [["a", "b"]], ["g"], images=1, board_flop_per_s=1, server_flop_per_s=1)
        >>> fleet.without("b")
        Fleet(1 satellite on 1 plane, 1 station, 1 image, 2 contacts)
        >>> fleet.without(links=[("a", "g")], start_s=10, stop_s=20).contacts.close_s.tolist()
        [10000.0, 10000.0, 10.0, 10000.0, 10.0, 10000.0]
        """
        nodes = self.contacts.nodes
        if not isinstance(ids, Iterable):
            raise TypeError(f"ids: expected an id or several, got {short(ids)}")
        lost = [ids] if isinstance(ids, str) else list(ids)
        of_fleet = (*self.satellites, *self.stations)
        for i, id in enumerate(lost):
            if id not in of_fleet:
                raise ValueError(f"ids[{i}]: {short(id)} is no satellite or station of the fleet")
        pairs = []
        for i, link in enumerate(links):
            ends = tuple(link) if isinstance(link, Iterable) else ()
            if len(ends) != 2 or not all(id in of_fleet for id in ends):
                raise ValueError(f"links[{i}]: {short(link)} are no two satellites or stations of the fleet")
            pairs.append((nodes.position(ends[0]), nodes.position(ends[1])))
        start_s = non_negative("start_s", start_s)
        if not start_s < real("stop_s", stop_s):
            raise ValueError(f"stop_s: {stop_s:g} s is not after the start, {start_s:g} s")
        positions = [nodes.position(id) for id in lost]
        left: dict[str, Any] = {"contacts": cut_out(self.contacts, positions, pairs, [(start_s, stop_s)])}
        if lost and start_s == 0.0 and stop_s == inf:
            stays = [id not in lost for id in self.satellites]
            left["rings"] = [ring for ring in _broken(self.rings, lost) if ring]
            left["stations"] = [id for id in self.stations if id not in lost]
            left["images"] = self._images_of([id for ring in left["rings"] for id in ring])
            if not any(stays):
                raise ValueError("ids: no satellite is left")
        return self.replace(**left)

    def _images_of(self, ids: Sequence[str]) -> NDArray[np.float64]:
        place = {id: i for i, id in enumerate(self.satellites)}
        return self.images[[place[id] for id in ids]]

    def replace(self, **changes: Any) -> Fleet:
        """A copy with some of the parameters changed."""
        given = self._parameters()
        known_keywords("replace()", changes, given)
        given.update(changes)
        return Fleet(given.pop("contacts"), given.pop("rings"), given.pop("stations"), **given)

    def _parameters(self) -> dict[str, Any]:
        return {of.name: getattr(self, of.name) for of in fields(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        return _of_parameters, (self._parameters(),)

    def __repr__(self) -> str:
        return (
            f"Fleet({counted(len(self.satellites), 'satellite')} on {counted(len(self.rings), 'plane')}, "
            f"{counted(len(self.stations), 'station')}, {self.images.sum():g} "
            f"{'image' if self.images.sum() == 1 else 'images'}, {counted(len(self.contacts), 'contact')})"
        )

    def _display(self) -> Display:
        image_counts = [self._images_of(ring) for ring in self.rings]
        rows = [
            (i, ring[0], len(ring), f"{images.min():g}", f"{images.max():g}")
            for i, (ring, images) in enumerate(zip(self.rings, image_counts))
        ]
        speeds = ", ".join(
            f"{name} {quantity(speed, 'FLOP/s')}"
            for name, speed in (("on board", self.board_flop_per_s), ("server", self.server_flop_per_s))
        )
        lines = [repr(self), f"{speeds}, contacts until {quantity(self.end_s, 's')}"]
        head = ("plane", "first", "satellites", "fewest images", "most images")
        return Display(lines, [Table(head, rows)])


def fleet(
    constellation: Constellation,
    start: Any,
    stop: Any,
    *,
    images: ArrayLike,
    board_flop_per_s: float,
    server_flop_per_s: float,
    uplink_bps: float | None = None,
    antennas: int | None = None,
    powers: Powers | None = None,
    threads: int = 1,
) -> Fleet:
    """The satellites of a constellation as a fleet, with their contacts from a start to a stop.

    Parameters
    ----------
    constellation : orbit.Constellation
        Of shells, each plane of which is a ring; with stations, and rules for all links.
    start, stop : float, Epoch, str, datetime or numpy.datetime64
        As of its `contacts`; the start is the fleet's time 0.
    images, board_flop_per_s, server_flop_per_s, antennas, powers
        As of `Fleet`.
    uplink_bps : float, optional
        Rate of the contacts from stations [bit/s]; default: that of the rule, both ways.
    threads : int
        At most so many.

    Returns
    -------
    Fleet

    Raises
    ------
    TypeError, ValueError
        For element sets, which have no planes, and as `Fleet` and `contacts`.

    Examples
    --------
    >>> from constellm import orbit, tune
    >>> world = orbit.Constellation(
    ...     orbit.preset("iridium-next"),
    ...     stations=orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=10.0),
    ...     links=[orbit.plus_grid(seam="open", rate_bps=1e9), orbit.ground(rate_bps=0.3e9)],
    ... )
    >>> tune.fleet(world, 0.0, 3600.0, images=500, board_flop_per_s=1e12, server_flop_per_s=1e15)
    Fleet(66 satellites on 6 planes, 1 station, 33000 images, 334 contacts)
    """
    instance("constellation", constellation, Constellation)
    for part in constellation.satellites:
        if isinstance(part, ElementSets):
            raise TypeError("constellation: its element sets have no planes; a fleet is of shells")
    plan = moved(constellation.contacts(start, stop, threads=threads), float(constellation.seconds(start)))
    stations = [station.id for station in constellation.stations]
    if uplink_bps is not None:
        ground = np.isin(plan.from_, [plan.nodes.position(id) for id in stations])
        plan = plan.replace(rate_bps=np.where(ground, positive("uplink_bps", uplink_bps), plan.rate_bps))
    rings = []
    for shell in constellation.shells:
        ids, each = shell.ids, shell.satellites_per_plane
        rings += [ids[first : first + each] for first in range(0, len(ids), each)]
    return Fleet(
        plan,
        rings,
        stations,
        images=images,
        board_flop_per_s=board_flop_per_s,
        server_flop_per_s=server_flop_per_s,
        antennas=antennas,
        powers=powers,
    )


def _of_parameters(given: dict[str, Any]) -> Fleet:
    return Fleet(given.pop("contacts"), given.pop("rings"), given.pop("stations"), **given)


def _ids(field: str, ids: Any, known: set[str], taken: set[str]) -> tuple[str, ...]:
    """Ids of nodes, none of them taken yet; takes them."""
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise TypeError(f"{field}: expected a sequence of ids, got {short(ids)}")
    ids = tuple(ids)
    for i, id in enumerate(ids):
        if not isinstance(id, str) or id not in known:
            raise ValueError(f"{field}[{i}]: {short(id)} is no node of the contacts")
        if id in taken:
            raise ValueError(f"{field}[{i}]: {short(id)} stands twice")
        taken.add(id)
    return ids


def _images(images: ArrayLike, satellites: int) -> NDArray[np.float64]:
    try:
        given = np.asarray(images)
    except ValueError:
        given = np.array(None)
    if given.dtype.kind not in "iuf":
        raise TypeError(f"images: expected numbers, got {short(images)}")
    if given.shape not in ((), (satellites,)):
        raise ValueError(f"images: shape {given.shape} is neither () nor ({satellites},)")
    each = np.array(np.broadcast_to(given, satellites), dtype=np.float64)
    for i, value in enumerate(each):
        if not 0.0 <= value < inf:
            raise ValueError(f"images[{i}]: {value:g} is not in [0, inf)")
    if not each.any():
        raise ValueError("images: no satellite has any")
    each.flags.writeable = False
    return each


def _broken(rings: Sequence[Sequence[str]], lost: Sequence[str]) -> list[list[str]]:
    """Rings without the lost, begun behind a lost one, so that what is left stands in the chain's order."""
    left = []
    for ring in rings:
        gone = [i for i, id in enumerate(ring) if id in lost]
        turned = [*ring[gone[0] + 1 :], *ring[: gone[0]]] if gone else list(ring)
        left.append([id for id in turned if id not in lost])
    return left
