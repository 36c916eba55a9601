"""Rounds of satellite federated fine-tuning as values: phases, one round, many."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from .. import flow
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value
from .fleet import Fleet
from .scheme import Scheme
from .workload import Workload

PHASES = ("embed", "all-gather", "down", "server", "back", "update", "all-reduce", "between orbits")
"""Names of phases in their order: what is on board is computed, planes exchange it, it goes down, the server
computes the rest, features come back, heads are updated, planes sum up, and then sum up with each other."""


@dataclass(frozen=True, eq=False)
class Phase(Value):
    """What a phase of a round takes.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.Phase("server", 10.0, 12.5, adds_s=2.5, sent_bytes=0.0, energy_j=500.0).delay_s
    2.5
    """

    name: str
    """One of `PHASES`."""
    start_s: float
    """When the first begins [s]."""
    end_s: float
    """When the last has ended [s]."""
    adds_s: float
    """By how much it ends after all phases before it: these add up to the round's delay [s]."""
    sent_bytes: float
    """Over all links together [B]."""
    energy_j: float
    """Of all computers and transmitters that work for it; NaN where a power is not known [J]."""
    detail: str = ""
    """Who was last, or how it was done."""

    @property
    def delay_s(self) -> float:
        """From the start to the end [s]."""
        return self.end_s - self.start_s


@dataclass(frozen=True, eq=False)
class Round(Value, Displayed):
    """A round as it runs; what `schedule_round` gives.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> found = tune.schedule_round(tune.spectral_gpt(), fleet)
    >>> found
    Round(optimal: 5.11 s in 6 phases, 945 MB)
    >>> [(phase.name, round(phase.delay_s, 3)) for phase in found.phases][:3]
    [('embed', 0.03), ('down', 5.033), ('server', 0.043)]
    """

    workload: Workload
    fleet: Fleet
    scheme: Scheme
    start_s: float
    status: str
    """That of the transfers: ``optimal`` where both are proven, or the worse of both; ``unfinished`` where a
    phase has no end, because the contacts or the time to find a transfer end before it."""
    phases: tuple[Phase, ...]
    """Those that there are, in their order; of an unfinished round the last one has no end."""
    down: flow.Plan | None = None
    """The way down, with times from that phase's start; None without one."""
    back: flow.Plan | None = None
    """The way back; likewise."""

    @property
    def finish_s(self) -> float:
        """When it has ended; NaN where it is unfinished [s]."""
        if self.status == "unfinished":
            return nan
        return self.phases[-1].end_s if self.phases else self.start_s

    @property
    def delay_s(self) -> float:
        """From the start to the finish [s]."""
        return self.finish_s - self.start_s

    @property
    def sent_bytes(self) -> float:
        """Over all links together [B]."""
        return float(sum(phase.sent_bytes for phase in self.phases))

    @property
    def energy_j(self) -> float:
        """Of all phases; NaN where a power is not known [J]."""
        return float(sum(phase.energy_j for phase in self.phases))

    @property
    def critical_path(self) -> tuple[str, ...]:
        """Phases that end after all before them: without any of them the round were shorter."""
        return tuple(dict.fromkeys(phase.name for phase in self.phases if phase.adds_s > 0.0))

    def seconds(self, name: str) -> float:
        """What the phases of a name add to the delay [s]."""
        return float(sum(phase.adds_s for phase in self.phases if phase.name == name))

    def __repr__(self) -> str:
        delay = f"{quantity(self.delay_s, 's')} in " if self.status != "unfinished" else ""
        return f"Round({self.status}: {delay}{len(self.phases)} phases, {quantity(self.sent_bytes, 'B')})"

    def _display(self) -> Display:
        rows = [
            (
                phase.name,
                quantity(phase.start_s - self.start_s, "s", digits=4),
                quantity(phase.delay_s, "s", digits=4),
                quantity(phase.adds_s, "s", digits=4),
                quantity(phase.sent_bytes, "B"),
                quantity(phase.energy_j, "J"),
                phase.detail,
            )
            for phase in self.phases
        ]
        lines = [repr(self), self.scheme.describe(), f"critical: {', '.join(self.critical_path)}"]
        return Display(lines, [Table(("phase", "start", "takes", "adds", "sent", "energy", ""), rows)])


@dataclass(frozen=True)
class Rounds(Displayed):
    """Rounds that follow each other on the contact plan; what `schedule_rounds` gives.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> tune.schedule_rounds(tune.spectral_gpt(), fleet, tune.Scheme(cache=True), rounds=10)
    Rounds(10 rounds, optimal: 5.11 s, 945 MB)
    """

    rounds: tuple[Round, ...]
    """Up to the first that is unfinished."""
    wanted: int
    """How many were asked for."""

    @property
    def status(self) -> str:
        """The worst of theirs: unfinished, then anything else than optimal."""
        return next((one.status for one in self.rounds[::-1] if one.status != "optimal"), "optimal")

    @property
    def finish_s(self) -> float:
        """When the last has ended; NaN where one is unfinished [s]."""
        return self.rounds[-1].finish_s

    @property
    def delay_s(self) -> float:
        """From the start of the first to the end of the last [s]."""
        return self.finish_s - self.rounds[0].start_s

    @property
    def sent_bytes(self) -> float:
        """Over all links together [B]."""
        return float(sum(one.sent_bytes for one in self.rounds))

    @property
    def energy_j(self) -> float:
        """Of all rounds; NaN where a power is not known [J]."""
        return float(sum(one.energy_j for one in self.rounds))

    def seconds(self, name: str) -> float:
        """What the phases of a name add to the delay, all rounds together [s]."""
        return float(sum(one.seconds(name) for one in self.rounds))

    def __repr__(self) -> str:
        return (
            f"Rounds({counted(self.wanted, 'round')}, {self.status}: {quantity(self.delay_s, 's')}, "
            f"{quantity(self.sent_bytes, 'B')})"
        )

    def _display(self) -> Display:
        rows = [
            (
                i + 1,
                quantity(one.start_s, "s", digits=4),
                quantity(one.delay_s, "s", digits=4),
                *(quantity(one.seconds(name), "s") for name in PHASES),
                quantity(one.sent_bytes, "B"),
                quantity(one.energy_j, "J"),
            )
            for i, one in enumerate(self.rounds)
        ]
        head = ("round", "start", "takes", *PHASES, "sent", "energy")
        return Display([repr(self), self.rounds[0].scheme.describe()], [Table(head, rows)])
