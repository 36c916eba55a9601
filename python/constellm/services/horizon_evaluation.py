"""What placements over the slots of a horizon come to, and every rule that they break."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.checks import instance, short
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from .checking import check
from .evaluation import Evaluation, evaluate
from .horizons import Horizon
from .placement import Placement

Starts = tuple[tuple[str, str], ...]
"""Service and node of each replica."""


@dataclass(frozen=True, repr=False)
class HorizonEvaluation(Displayed):
    """The terms of placements over time; what `evaluate_horizon` gives.

    Examples
    --------
    See `constellm.services.evaluate_horizon`.
    """

    horizon: Horizon
    slots: tuple[Evaluation, ...]
    """What each slot comes to by itself."""
    started: tuple[Starts, ...]
    """The replicas that start in each slot."""

    @property
    def replica_cost(self) -> float:
        """Σ share · cost of the slot's replicas."""
        return self._mean("cost")

    @property
    def start_cost(self) -> float:
        """Σ cost of the replicas that start."""
        by_name = {
            service.name: cost for service, cost in zip(self.horizon.services, self.horizon.cost_of_start)
        }
        return math.fsum(by_name[service] for starts in self.started for service, _ in starts)

    @property
    def cost(self) -> float:
        """Of replicas and starts together."""
        return self.replica_cost + self.start_cost

    @property
    def delay_s(self) -> float:
        """Σ share · mean delay of the slot [s]."""
        return self._mean("delay_s")

    @property
    def rejected_weight(self) -> float:
        """Σ share · weight of the slot's tasks that are not admitted."""
        return self._mean("rejected_weight")

    @property
    def starts(self) -> tuple[int, ...]:
        """How many replicas start, slot by slot."""
        return tuple(map(len, self.started))

    @property
    def moved_bytes(self) -> tuple[float, ...]:
        """Memory of the replicas that start, slot by slot [B]."""
        memory = {service.name: service.memory_bytes for service in self.horizon.services}
        return tuple(math.fsum(memory[service] for service, _ in starts) for starts in self.started)

    @property
    def objective(self) -> float:
        """What is minimised."""
        return {"cost": self.cost, "delay": self.delay_s, "admitted": self.rejected_weight}[
            self.horizon.objective
        ]

    @property
    def second(self) -> float:
        """What is minimised among those equal in the objective."""
        return self.delay_s if self.horizon.objective == "cost" else self.cost

    def _mean(self, name: str) -> float:
        return math.fsum(share * getattr(slot, name) for share, slot in zip(self.horizon.shares, self.slots))

    def __repr__(self) -> str:
        return f"HorizonEvaluation({self._worth()})"

    def _worth(self) -> str:
        return f"cost={self.cost:.6g}, delay_s={self.delay_s:.6g}, {counted(sum(self.starts), 'start')}"

    def _display(self) -> Display:
        rows = [
            (str(k), quantity(slot.delay_s, "s"), f"{slot.cost:.4g}", str(starts), quantity(moved, "B"))
            for k, (slot, starts, moved) in enumerate(zip(self.slots, self.starts, self.moved_bytes))
        ]
        lines = [f"Placements over {counted(len(self.slots), 'slot')} of {self.horizon.name!r}"]
        lines.append(
            f"cost {self.cost:.4g}, {self.start_cost:.4g} of it for starts; "
            f"mean delay {quantity(self.delay_s, 's')}"
        )
        return Display(lines, [Table(("slot", "mean delay", "cost", "starts", "moved"), rows)])


def evaluate_horizon(horizon: Horizon, placements: Sequence[Placement]) -> HorizonEvaluation:
    """What placements over the slots of a horizon come to.

    Parameters
    ----------
    horizon : Horizon
    placements : sequence of Placement
        One of each slot. Limits are not looked at: see `check_horizon`.

    Returns
    -------
    HorizonEvaluation

    Raises
    ------
    TypeError, ValueError
        For what is no placement of its slot; names the slot.

    Examples
    --------
    >>> from constellm import network, services
    >>> nodes = [network.Node(id=id, flop_per_s=1e12, memory_bytes=4e9) for id in ("a", "b")]
    >>> graph = network.Graph(nodes, from_=[0, 1], to=[1, 0], rate_bps=1e9, latency_s=0.01)
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("caption", rate_per_s=5.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> slot = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> horizon = services.Horizon([slot, slot], 60.0, start_cost=0.5)
    >>> on = {id: services.Placement({"encoder": [id]}, {"caption": [id]}) for id in ("a", "b")}
    >>> services.evaluate_horizon(horizon, [on["a"], on["b"]])
    HorizonEvaluation(cost=1.5, delay_s=0.024, 1 start)
    """
    instance("horizon", horizon, Horizon)
    listed = _listed(horizon, placements)
    slots = []
    for k, (slot, placement) in enumerate(zip(horizon.slots, listed)):
        try:
            slots.append(evaluate(slot, placement))
        except (TypeError, ValueError) as error:
            raise type(error)(f"placements[{k}]: {error}") from None
    return HorizonEvaluation(horizon, tuple(slots), started_in(horizon, listed))


def check_horizon(horizon: Horizon, placements: Sequence[Placement]) -> list[str]:
    """Every rule that placements over the slots of a horizon break.

    Parameters
    ----------
    horizon : Horizon
    placements : sequence of Placement
        One of each slot.

    Returns
    -------
    list of str
        In words that name the slot and the ids; empty where none is broken.

    Raises
    ------
    TypeError, ValueError
        As `evaluate_horizon`.

    Examples
    --------
    >>> from constellm import network, services
    >>> nodes = [network.Node(id=id, flop_per_s=1e12, memory_bytes=4e9) for id in ("a", "b")]
    >>> graph = network.Graph(nodes, from_=[0, 1], to=[1, 0], rate_bps=1e9, latency_s=0.01)
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> task = services.Task("caption", rate_per_s=5.0, source="a", sink="a",
    ...                      stages=(services.Stage("encoder", (services.Input(-1, 1e6),)),))
    >>> slot = services.Problem(network=graph, services=(encoder,), tasks=(task,))
    >>> horizon = services.Horizon([slot, slot], 60.0, core=["encoder"])
    >>> on = {id: services.Placement({"encoder": [id]}, {"caption": [id]}) for id in ("a", "b")}
    >>> services.check_horizon(horizon, [on["a"], on["b"]])
    ["slot 1: core service 'encoder' is on ['b'], and on ['a'] in slot 0"]
    """
    instance("horizon", horizon, Horizon)
    listed = _listed(horizon, placements)
    broken = []
    for k, (slot, placement) in enumerate(zip(horizon.slots, listed)):
        broken += [f"slot {k}: {rule}" for rule in check(slot, placement)]
    for k, placement in enumerate(listed):
        for name in horizon.core:
            here, first = (sorted(one.replicas.get(name, ())) for one in (placement, listed[0]))
            if here != first:
                broken.append(f"slot {k}: core service {name!r} is on {here}, and on {first} in slot 0")
    memory = {service.name: service.memory_bytes for service in horizon.services}
    for k, starts in enumerate(started_in(horizon, listed)):
        if horizon.max_starts is not None and len(starts) > horizon.max_starts:
            broken.append(
                f"slot {k}: {counted(len(starts), 'replica')} start, more than max_starts, "
                f"{horizon.max_starts}"
            )
        moved = math.fsum(memory[service] for service, _ in starts)
        if moved > horizon.most_moved_bytes:
            broken.append(
                f"slot {k}: {moved!r} B start, more than max_moved_bytes, {horizon.max_moved_bytes!r}"
            )
    return broken


def started_in(horizon: Horizon, placements: Sequence[Placement]) -> tuple[Starts, ...]:
    """The replicas of each slot that are not in the slot before, by service and node in their orders."""
    place = {id: v for v, id in enumerate(horizon.node_ids)}
    before: Mapping[str, Sequence[str]] | None = horizon.initial
    started = []
    for placement in placements:
        starts: list[tuple[str, str]] = []
        if before is not None:
            for service in horizon.services:
                new = set(placement.replicas.get(service.name, ())) - set(before.get(service.name, ()))
                starts += [(service.name, id) for id in sorted(new, key=place.__getitem__)]
        started.append(tuple(starts))
        before = placement.replicas
    return tuple(started)


def _listed(horizon: Horizon, placements: Any) -> list[Placement]:
    if isinstance(placements, Placement) or not isinstance(placements, Iterable):
        raise TypeError(f"placements: expected a Placement of each slot, got {short(placements)}")
    listed = [instance(f"placements[{k}]", one, Placement) for k, one in enumerate(placements)]
    if len(listed) != len(horizon.slots):
        raise ValueError(f"placements: {len(listed)} of them for {counted(len(horizon.slots), 'slot')}")
    return listed
