"""When a global model is at a satellite, when its update is back, and what that costs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol, Union, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..core.checks import count, instance, non_negative, real, short
from ..core.display import Display, Displayed
from ..core.quantity import quantity, split_unit
from ..core.table import Table
from ..network import ContactPlan, earliest_arrival

_TERRESTRIAL_BPS = 1e300  # of the ground's network: its latency is all that it takes

OneOrEach = Union[float, Sequence[float], NDArray[np.float64]]
"""A figure for all satellites, or one for each."""


class Passage(NamedTuple):
    """The way of a message between server and satellite.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.ConstantTiming(2, up_s=3.0, message_bytes=100).up(1, 10.0)
    Passage(start_s=10.0, arrival_s=13.0, sent_bytes=100.0, energy_j=0.0)
    """

    start_s: float
    """When it leaves; until then what it says may change."""
    arrival_s: float
    """When the whole of it is there; inf where it never comes."""
    sent_bytes: float
    """Over all links together [B]."""
    energy_j: float
    """What satellites take to send it [J]."""


NEVER = Passage(math.inf, math.inf, 0.0, 0.0)


def _figures(field: str, value: Any) -> Any:
    """A float, or a tuple of them, in [0, inf]; only delays and `ready_s` may be inf."""
    most = math.inf if field in ("ready_s", "down_s", "up_s") else np.finfo(float).max
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, np.ndarray)):
        return real(field, value, least=0.0, most=most)
    return tuple(real(f"{field}[{i}]", one, least=0.0, most=most) for i, one in enumerate(value))


def _of(figures: Any, satellite: int) -> float:
    found: float = figures[satellite] if isinstance(figures, tuple) else figures
    return found


def check_length(field: str, figures: Any, satellites: int) -> None:
    """ValueError where there is one for each of another number of satellites."""
    if isinstance(figures, tuple) and len(figures) != satellites:
        raise ValueError(f"{field}: {len(figures)} of them for {satellites} satellites")


@dataclass(frozen=True)
class Computing:
    """What local training takes on the satellites.

    Each figure is one for all satellites, or one each.

    Parameters
    ----------
    epoch_s : float or sequence of float
        Of one local epoch [s], in [0, inf).
    before_s : float or sequence of float
        Of what comes before each local training, such as features that come anew [s], in [0, inf).
    ready_s : float or sequence of float
        When a satellite can train for the first time, such as when its features are there, in [0, inf]:
        where inf, it never trains [s].
    power_w : float or sequence of float
        While it trains, and before it [W], in [0, inf).

    Raises
    ------
    TypeError, ValueError
        Naming field, value and range.

    Examples
    --------
    >>> from constellm import tune
    >>> computing = tune.Computing(epoch_s=[2.0, 5.0], ready_s=10.0, power_w=20.0)
    >>> computing.done_s(1, 4.0, epochs=3), computing.energy_j(1, epochs=3)
    (25.0, 300.0)
    """

    epoch_s: OneOrEach = 0.0
    before_s: OneOrEach = 0.0
    ready_s: OneOrEach = 0.0
    power_w: OneOrEach = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _figures(field.name, getattr(self, field.name)))

    def done_s(self, satellite: int, t_s: float, epochs: int) -> float:
        """When a satellite that has the model from `t_s` on has trained so many epochs [s]."""
        begin_s = max(t_s, _of(self.ready_s, satellite))
        return begin_s + _of(self.before_s, satellite) + epochs * _of(self.epoch_s, satellite)

    def energy_j(self, satellite: int, epochs: int) -> float:
        """Of one local training [J]."""
        busy_s = _of(self.before_s, satellite) + epochs * _of(self.epoch_s, satellite)
        return _of(self.power_w, satellite) * busy_s

    def check(self, satellites: int) -> None:
        """ValueError where figures are of another number of satellites."""
        for field in fields(self):
            check_length(f"computing.{field.name}", getattr(self, field.name), satellites)


@runtime_checkable
class Timing(Protocol):
    """What `federate` asks of time: `ConstantTiming`, `ContactTiming`, or one of your own.

    With a ``fingerprint()`` as a task has it, a checkpoint of another one is refused.

    Examples
    --------
    >>> from constellm import tune
    >>> isinstance(tune.ConstantTiming(2), tune.Timing)
    True
    """

    @property
    def satellites(self) -> int:
        """How many there are."""
        ...

    @property
    def computing(self) -> Computing:
        """What local training takes."""
        ...

    def down(self, satellite: int, t_s: float) -> Passage:
        """The global model, which the server has from `t_s` on, to a satellite."""
        ...

    def up(self, satellite: int, t_s: float) -> Passage:
        """The update, which the satellite has from `t_s` on, to the server."""
        ...


@dataclass(frozen=True)
class ConstantTiming:
    """Delays that are the same at any time; sending takes no energy.

    Parameters
    ----------
    satellites : int
    down_s, up_s : float or sequence of float
        How long the model takes to a satellite, and its update back [s], in [0, inf]; inf: never there.
    message_bytes : float
        Size of model and update [B], in [0, inf).
    computing : Computing

    Raises
    ------
    TypeError, ValueError
        Naming field, value and range.

    Examples
    --------
    >>> from constellm import tune
    >>> timing = tune.ConstantTiming(2, down_s=[1.0, 4.0])
    >>> timing.down(0, 7.0).arrival_s, timing.down(1, 7.0).arrival_s
    (8.0, 11.0)
    """

    satellites: int
    down_s: OneOrEach = 0.0
    up_s: OneOrEach = 0.0
    message_bytes: float = 0.0
    computing: Computing = Computing()

    def __post_init__(self) -> None:
        satellites = count("satellites", self.satellites)
        for name in ("down_s", "up_s"):
            value = _figures(name, getattr(self, name))
            check_length(name, value, satellites)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "satellites", satellites)
        object.__setattr__(self, "message_bytes", non_negative("message_bytes", self.message_bytes))
        instance("computing", self.computing, Computing).check(satellites)

    def down(self, satellite: int, t_s: float) -> Passage:
        """As `Timing.down`."""
        return self._passage(t_s, _of(self.down_s, satellite))

    def up(self, satellite: int, t_s: float) -> Passage:
        """As `Timing.up`."""
        return self._passage(t_s, _of(self.up_s, satellite))

    def fingerprint(self) -> str:
        """Of everything that it consists of, as text."""
        return repr(self)

    def _passage(self, t_s: float, delay_s: float) -> Passage:
        return NEVER if math.isinf(delay_s) else Passage(t_s, t_s + delay_s, self.message_bytes, 0.0)


@dataclass(frozen=True)
class ContactTiming(Displayed):
    """Messages over a contact plan: each takes the way of earliest arrival (`network.earliest_arrival`).

    Nothing follows where a plan ends: who waits for a contact then waits for ever, and a round does not wait
    for them. A plan is to last longer than what is trained over it, by the longest wait.

    The model waits at the server until the first contact of its way opens, and is the newest one then. Each
    message has its contacts for itself: heads are small, a thousand of 30 kB take 2.4 s of a link of
    100 Mbit/s.

    Parameters
    ----------
    plan : ContactPlan
        Without contacts of what is lost, as `orbit.Constellation` with its outages gives it.
    satellites : sequence of str
        Ids of those that train, in the order of the task.
    server : str or sequence of str
        Id of the node that aggregates, which may be one of the satellites; or ids of stations that reach it
        over the ground.
    message_bytes : float
        Size of model and update [B], in [0, inf).
    ground_s : float
        Between any of several stations and the server [s], in [0, inf).
    transmit_w : float
        What a satellite takes while it sends [W], in [0, inf). What the server and its stations take is
        left out.
    computing : Computing

    Raises
    ------
    TypeError, ValueError
        Naming field, value and range; for an id that is no node of the plan.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["station", "a", "b"], from_=[0, 1, 1, 2], to=[1, 0, 2, 1], open_s=[5, 50, 0, 0],
    ...     close_s=[9, 60, 99, 99], rate_bps=8e6, owlt_s=0.25,
    ... )
    >>> timing = tune.ContactTiming(plan, ["a", "b"], server="station", message_bytes=1e6, transmit_w=2.0)
    >>> timing.down(1, 0.0)
    Passage(start_s=5.0, arrival_s=7.5, sent_bytes=2000000.0, energy_j=2.0)
    >>> timing.up(1, 20.0)
    Passage(start_s=20.0, arrival_s=51.25, sent_bytes=2000000.0, energy_j=4.0)
    >>> timing.up(0, 60.0).arrival_s
    inf
    """

    plan: ContactPlan
    satellite_ids: tuple[str, ...]
    server: tuple[str, ...]
    message_bytes: float
    ground_s: float
    transmit_w: float
    computing: Computing

    def __init__(
        self,
        plan: ContactPlan,
        satellites: Sequence[str],
        *,
        server: str | Sequence[str],
        message_bytes: float,
        ground_s: float = 0.0,
        transmit_w: float = 0.0,
        computing: Computing | None = None,
    ) -> None:
        position = {node.id: i for i, node in enumerate(instance("plan", plan, ContactPlan).nodes)}
        checked = {
            "plan": plan,
            "satellite_ids": _ids("satellites", satellites, position),
            "server": _ids("server", [server] if isinstance(server, str) else server, position),
            "message_bytes": non_negative("message_bytes", message_bytes),
            "ground_s": non_negative("ground_s", ground_s),
            "transmit_w": non_negative("transmit_w", transmit_w),
            "computing": instance("computing", Computing() if computing is None else computing, Computing),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        self.computing.check(self.satellites)
        joined = plan if len(self.server) == 1 else _with_ground(plan, self.server, self.ground_s)
        object.__setattr__(self, "_joined", joined)
        object.__setattr__(self, "_places", [position[id] for id in self.satellite_ids])
        hub = position[self.server[0]] if len(self.server) == 1 else len(plan.nodes)
        object.__setattr__(self, "_hub", hub)
        object.__setattr__(self, "_grounded", {hub, *(position[id] for id in self.server)})

    @property
    def satellites(self) -> int:
        """How many train."""
        return len(self.satellite_ids)

    def down(self, satellite: int, t_s: float) -> Passage:
        """As `Timing.down`."""
        return self._passage(self._hub, self._places[satellite], t_s)  # type: ignore[attr-defined]

    def up(self, satellite: int, t_s: float) -> Passage:
        """As `Timing.up`."""
        return self._passage(self._places[satellite], self._hub, t_s)  # type: ignore[attr-defined]

    def fingerprint(self) -> str:
        """Of everything that it consists of, as text."""
        digest = hashlib.sha256(repr([node.id for node in self.plan.nodes]).encode())
        for name in ("from_", "to", "open_s", "close_s", "rate_bps", "owlt_s"):
            digest.update(getattr(self.plan, name).tobytes())
        rest = (self.satellite_ids, self.server, self.message_bytes, self.ground_s, self.transmit_w)
        digest.update(repr((rest, self.computing)).encode())
        return digest.hexdigest()

    def _passage(self, source: int, target: int, t_s: float) -> Passage:
        plan: ContactPlan = self._joined  # type: ignore[attr-defined]
        grounded: set[int] = self._grounded  # type: ignore[attr-defined]
        if math.isinf(t_s):
            return NEVER
        found = earliest_arrival(plan, source, t_s=t_s, size_bytes=self.message_bytes)
        route = found.route(0, target)
        if route is None:
            return NEVER
        start_s, sent_bytes, energy_j, left = t_s, 0.0, 0.0, False
        for contact, sends_s in zip(route.contacts.tolist(), route.start_s.tolist()):
            sender, receiver = int(plan.from_[contact]), int(plan.to[contact])
            if sender in grounded and receiver in grounded:
                continue
            if not left and source in grounded:
                start_s = max(t_s, sends_s - (self.ground_s if sender != source else 0.0))
            left = True
            sent_bytes += self.message_bytes
            if sender not in grounded:
                energy_j += self.transmit_w * 8.0 * self.message_bytes / float(plan.rate_bps[contact])
        return Passage(start_s, float(found.arrival_s[0, target]), sent_bytes, energy_j)

    def __reduce__(self) -> tuple[Any, ...]:
        return _contact_timing, ({field.name: getattr(self, field.name) for field in fields(self)},)

    def __repr__(self) -> str:
        return f"ContactTiming({self.satellites} satellites, {self.plan!r})"

    def _display(self) -> Display:
        rows = [("server", ", ".join(self.server))]
        for name in ("message_bytes", "ground_s", "transmit_w"):
            stem, unit = split_unit(name)
            rows.append((stem, quantity(getattr(self, name), unit)))
        return Display([repr(self)], [Table(("field", "value"), rows)])


def _contact_timing(values: dict[str, Any]) -> ContactTiming:
    satellites = values.pop("satellite_ids")
    return ContactTiming(values.pop("plan"), satellites, **values)


def _with_ground(plan: ContactPlan, stations: Sequence[str], delay_s: float) -> ContactPlan:
    """The plan with one node more, always joined to the stations both ways."""
    nodes = list(plan.nodes)
    place = {node.id: i for i, node in enumerate(nodes)}
    name = "server"
    while name in place:
        name += "'"
    ends = np.array([place[id] for id in stations])
    hub = np.full(len(ends), len(nodes))
    more = np.ones(2 * len(ends))
    first_s = min(0.0, float(plan.open_s.min(initial=0.0)))
    return ContactPlan(
        [*nodes, name],
        from_=np.concatenate([plan.from_, hub, ends]),
        to=np.concatenate([plan.to, ends, hub]),
        open_s=np.concatenate([plan.open_s, first_s * more]),
        close_s=np.concatenate([plan.close_s, math.inf * more]),
        rate_bps=np.concatenate([plan.rate_bps, _TERRESTRIAL_BPS * more]),
        owlt_s=np.concatenate([plan.owlt_s, delay_s * more]),
        epoch=plan.epoch,
    )


def _ids(field: str, ids: Any, known: dict[str, int]) -> tuple[str, ...]:
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise TypeError(f"{field}: expected ids of nodes, got {short(ids)}")
    names = tuple(ids)
    for i, id in enumerate(names):
        if id not in known:
            raise ValueError(f"{field}[{i}]: {short(id)} is no node of the plan")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{field}: expected one id or more, each once, got {short(names)}")
    return names
