"""The mixed-integer programme of a horizon: a block of each slot, and the rows that tie them.

A block is the programme of its slot (see `Programme`) with a column y[k, s, v] wherever service s may have a
replica, as replicas may wait for their use. The ties:

- the core stays: y[k, s, v] = y[0, s, v] for s in the core;
- starts: s[k, s, v] ≥ y[k, s, v] − y[k − 1, s, v], s[k, s, v] ≥ 0, with what was there at first for k = 0;
- few start: Σ s[k, ·, ·] ≤ most starts, Σ m_s s[k, s, v] ≤ most bytes, slot by slot.

Costs are Σ share_k c_s y[k, s, v] + Σ b_s s[k, s, v], mean delays Σ share_k · delay of the block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .horizons import Horizon
from .instance import Floats, Instance, Mask
from .preprocessing import Reduction, reduce, tighten
from .programme import Programme
from .rows import INF, Linear, Rows, linear, total


class Replicas(NamedTuple):
    """Of one slot, by positions."""

    places: tuple[tuple[int, ...], ...]
    """Nodes of each service."""
    assignment: tuple[tuple[int, ...], ...]
    """Nodes of each task's stages."""


class Caps(NamedTuple):
    """What replicas of a slot may cost, and what its mean delay may be."""

    cost: float = INF
    delay_s: float = INF


class HorizonProgramme:
    """All slots of a horizon as one programme.

    `core` fixes the replicas of its core services; only placements are looked for that are within the caps.
    """

    def __init__(
        self,
        horizon: Horizon,
        instances: Sequence[Instance],
        *,
        form: str,
        needs_delay: bool,
        core: Mapping[str, Sequence[str]] | None = None,
        caps: Sequence[Caps] = (),
    ) -> None:
        self.horizon, self.instances = horizon, instances
        self.core = core
        self.rows = Rows()
        admits_all = horizon.objective != "admitted"
        self.blocks: list[Programme] = []
        self.is_infeasible = False
        for k, instance in enumerate(instances):
            reduction = reduced(instance, admits_all, caps[k] if caps else Caps())
            if reduction.is_infeasible:
                self.is_infeasible = True
                return
            self.blocks.append(
                Programme(
                    reduction,
                    form=form,
                    admits_all=admits_all,
                    needs_delay=needs_delay,
                    rows=self.rows,
                    spare=places_of(instance),
                )
            )
        self._core()
        self._starts()
        self._few_start()
        for block in self.blocks:
            if np.isfinite(block.instance.cost_limit):
                self.rows.at_most(block.cost(), block.instance.cost_limit)

    # Ties -------------------------------------------------------------------------------------------------

    def _core(self) -> None:
        """y[k, s, v] = y[0, s, v], or what is given."""
        place = {id: v for v, id in enumerate(self.horizon.node_ids)}
        for s, service in enumerate(self.horizon.services):
            if service.name not in self.horizon.core:
                continue
            nodes = np.flatnonzero(self.blocks[0].y[s] >= 0)
            first = self.blocks[0].y[s, nodes]
            row = np.arange(len(nodes))
            for block in self.blocks[1:]:
                column = np.concatenate([block.y[s, nodes], first])
                value = np.concatenate([np.ones(len(nodes)), np.full(len(nodes), -1.0)])
                self.rows.add_rows(len(nodes), np.concatenate([row, row]), column, value, 0.0, 0.0)
            if self.core is not None:
                there = np.isin(nodes, [place[id] for id in self.core[service.name]]).astype(float)
                self.rows.add_rows(len(nodes), row, first, 1.0, there, there)

    def _starts(self) -> None:
        """s[k, s, v] ≥ y[k, s, v] − y[k − 1, s, v]; only where a start costs or counts, and can happen."""
        horizon = self.horizon
        initial = before_first(horizon)
        counts = horizon.max_starts is not None or horizon.max_moved_bytes is not None
        costs = np.array(horizon.cost_of_start) > 0
        self.starts = [np.full(block.y.shape, -1, dtype=np.int64) for block in self.blocks]
        core = np.array([service.name in horizon.core for service in horizon.services])
        for k, block in enumerate(self.blocks):
            if k == 0 and initial is None:
                continue
            wanted = (block.y >= 0) & (counts | costs)[:, None]
            wanted &= ~initial if k == 0 and initial is not None else ~core[:, None]
            service, node = np.nonzero(wanted)
            column = self.rows.add_columns(len(service), high=1.0)
            self.starts[k][service, node] = column
            row = np.arange(len(service))
            parts = [(column, -1.0), (block.y[service, node], 1.0)]
            if k:
                parts.append((self.blocks[k - 1].y[service, node], -1.0))
            self.rows.add_rows(
                len(service),
                np.tile(row, len(parts)),
                np.concatenate([columns for columns, _ in parts]),
                np.concatenate([np.full(len(row), value) for _, value in parts]),
                -INF,
                0.0,
            )

    def _few_start(self) -> None:
        """Σ s[k, ·, ·] ≤ most starts; Σ m_s s[k, s, v] ≤ most bytes."""
        most_bytes = self.horizon.most_moved_bytes
        for starts in self.starts:
            service, node = np.nonzero(starts >= 0)
            column = starts[service, node]
            if self.horizon.max_starts is not None:
                self.rows.add_rows(1, 0, column, 1.0, -INF, float(self.horizon.max_starts))
            if np.isfinite(most_bytes):
                memory = np.array([of.memory_bytes for of in self.horizon.services])[service]
                # A replica that alone is too much never starts; the others by their part of the limit.
                fits = memory <= most_bytes
                self.rows.add_rows(1, 0, column[~fits], 1.0, -INF, 0.0)
                share = memory / most_bytes if most_bytes else np.zeros(len(memory))
                self.rows.add_rows(1, 0, column[fits], share[fits], -INF, 1.0)

    # Objectives -------------------------------------------------------------------------------------------

    def term(self, name: str) -> Linear:
        """``cost``, ``delay`` or ``admitted``, whose constants are kept."""
        shares = self.horizon.shares
        if name == "delay":
            return total([block.mean_delay_s().times(share) for share, block in zip(shares, self.blocks)])
        if name == "admitted":
            return total([block.rejected_weight().times(share) for share, block in zip(shares, self.blocks)])
        parts = [block.cost().times(share) for share, block in zip(shares, self.blocks)]
        each = np.array(self.horizon.cost_of_start)
        for starts in self.starts:
            service, node = np.nonzero(starts >= 0)
            parts.append(linear(starts[service, node], each[service]))
        return total(parts)

    # Between columns and placements -----------------------------------------------------------------------

    def replicas(self, x: Floats) -> list[Replicas]:
        """Of each slot, those that wait for nothing left out."""
        chosen = [np.where(block.y >= 0, x[block.y], 0.0) > 0.5 for block in self.blocks]
        assignments = [block.assignment(x) for block in self.blocks]
        fixed = () if self.core is None else self.horizon.core
        for placed, kept in zip(chosen, needed(self.horizon, self.instances, chosen, assignments)):
            placed &= kept | np.array([service.name in fixed for service in self.horizon.services])[:, None]
        return [
            Replicas(
                tuple(tuple(np.flatnonzero(nodes).tolist()) for nodes in placed),
                tuple(tuple(int(v) for v in places) for places in assignment),
            )
            for placed, assignment in zip(chosen, assignments)
        ]

    def start(self, slots: Sequence[Replicas]) -> dict[int, float] | None:
        """Integer columns of placements; None where they are not within the reductions."""
        values: dict[int, float] = {}
        for block, slot in zip(self.blocks, slots):
            mine = block.start([list(places) for places in slot.assignment])
            if mine is None:
                return None
            for s, nodes in enumerate(slot.places):
                for v in nodes:
                    if block.y[s, v] < 0:
                        return None
                    mine[int(block.y[s, v])] = 1.0
            values.update(mine)
        return values


def reduced(instance: Instance, admits_all: bool, caps: Caps) -> Reduction:
    """Of a slot by itself, whose replicas may also wait: as many as are not too dear."""
    if not admits_all:
        return reduce(instance, admits_all=False)
    reduction = reduce(instance, delay_cap_s=caps.delay_s)
    reduction.single[:] = False
    reduction.most_replicas[:] = instance.nodes
    if not reduction.is_infeasible:
        tighten(reduction, cost_cap=min(caps.cost, instance.cost_limit), delay_cap_s=caps.delay_s, tasks=[])
    return reduction


def places_of(instance: Instance) -> Mask:
    """[services, nodes] where replicas may be, whatever they serve."""
    computes = instance.node_capacity_flop_per_s > 0
    fits = instance.service_memory_bytes[:, None] <= instance.memory_limit_bytes[None, :]
    return instance.hosts & fits & computes[None, :]


def before_first(horizon: Horizon) -> Mask | None:
    """[services, nodes] what is there before the first slot; None: whatever it has."""
    if horizon.initial is None:
        return None
    place = {id: v for v, id in enumerate(horizon.node_ids)}
    there = np.zeros((len(horizon.services), len(place)), dtype=bool)
    for s, service in enumerate(horizon.services):
        there[s, [place[id] for id in horizon.initial[service.name]]] = True
    return there


def needed(
    horizon: Horizon,
    instances: Sequence[Instance],
    chosen: Sequence[Mask],
    assignments: Sequence[Sequence[Sequence[int]]],
) -> list[Mask]:
    """[services, nodes] of each slot: replicas that serve in it or, as long as they stay, in a later one."""
    serving = []
    for instance, assignment in zip(instances, assignments):
        serves = np.zeros((instance.services, instance.nodes), dtype=bool)
        for task, places in enumerate(assignment):
            for k, v in zip(instance.slots_of(task), places):
                serves[instance.slot_service[k], v] = True
        serving.append(serves)
    kept: list[Mask] = []
    later = np.zeros_like(serving[-1])
    for serves, placed in zip(reversed(serving), reversed(list(chosen))):
        later = (serves | later) & placed
        kept.append(later)
    kept.reverse()
    ever = np.any(serving, axis=0)
    core = np.array([service.name in horizon.core for service in horizon.services])
    return [np.where(core[:, None], ever, mine) for mine in kept]
