"""How a horizon is proved: its programme solved until the answer keeps every rule, then the tie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..exact import highs
from ..exact.highs import Clock
from ..exact.instance import Floats, Instance, instance_of
from ..exact.judging import Cut, add_cut, cuts_of, judge
from ..exact.optimal import SECOND
from ..exact.rows import Linear, linear
from ..exact.work import EQUAL
from ..placement import Placement, Positions, placement_of, positions_of
from ..problem import Problem
from .evaluation import HorizonEvaluation, check_horizon, evaluate_horizon
from .horizon import Horizon
from .programme import Caps, HorizonProgramme, Replicas
from .starts import Alone, Known, alone, chained, places_of

LARGE = 400
"""From so many choices of nodes on slots are looked at by themselves first."""
MOST_UNREACHED = 10
"""Answers that are forbidden because their bound does not reach them, before nothing is proven."""
_SOLVER_ROOM = 1e-6
"""Relative; how far a value of the solver's may be from that of the evaluator."""


@dataclass(eq=False)
class HorizonWork:
    """What is known of a horizon while it is being solved."""

    horizon: Horizon
    clock: Clock
    seed: int
    core: Mapping[str, Sequence[str]] | None = None
    """Replicas of the core services, where they are given."""
    before: tuple[Problem, Placement] | None = None
    """What was placed in the slot before the first."""
    instances: list[Instance] = field(default_factory=list)
    best: list[Placement] | None = None
    worth: HorizonEvaluation | None = None
    bound: float = 0.0
    """Of the first term."""
    slots: list[Alone] = field(default_factory=list)
    """Each by itself, where that was looked at."""
    cuts: list[tuple[int, Cut]] = field(default_factory=list)
    """Each with its slot."""
    counters: dict[str, int] = field(
        default_factory=lambda: {"programmes": 0, "nodes": 0, "cuts": 0, "columns": 0, "rows": 0}
    )

    def __post_init__(self) -> None:
        if not self.instances:
            self.instances = [instance_of(slot) for slot in self.horizon.slots]

    def offer(self, placements: list[Placement], objective: str, caps: Mapping[str, float]) -> bool:
        """Keeps what is better in `objective`; False where it is not within the caps, or breaks a rule."""
        if check_horizon(self.horizon, placements) or self._moves_core(placements):
            return False
        worth = evaluate_horizon(self.horizon, placements)
        if any(value(worth, name) > cap for name, cap in caps.items()):
            return False
        if self.worth is None or value(worth, objective) < value(self.worth, objective):
            self.best, self.worth = placements, worth
        return True

    def _moves_core(self, placements: list[Placement]) -> bool:
        core = self.core or {}
        return any(set(placements[0].replicas[name]) != set(nodes) for name, nodes in core.items())


def value(worth: HorizonEvaluation, objective: str) -> float:
    return {"cost": worth.cost, "delay": worth.delay_s, "admitted": worth.rejected_weight}[objective]


def optimise(work: HorizonWork, *, with_second: bool = True) -> tuple[bool, bool]:
    """Whether the first term is proven, and the second, where it is looked at."""
    objective = work.horizon.objective
    if is_large(work) or work.clock.left_s <= 0.0:
        prepare(work)
    if math.isinf(work.bound):
        return True, False
    if not least(work, objective, {}):
        return False, False
    if work.worth is None:
        work.bound = math.inf
        return True, False
    work.bound = value(work.worth, objective)
    return True, with_second and least(work, SECOND[objective], {objective: work.bound * (1 + EQUAL)})


def is_large(work: HorizonWork) -> bool:
    """Whether there are many choices of a node for a stage."""
    return sum(instance.slots * instance.nodes for instance in work.instances) > LARGE


def prepare(work: HorizonWork) -> None:
    """Each slot by itself: Σ share · bound is a bound, as what waits and what starts only costs more."""
    horizon = work.horizon
    if not work.slots:
        work.slots = alone(horizon, work.instances, work.clock, work.seed)
    work.bound = summed_bound(horizon, work.slots)
    if math.isinf(work.bound):
        return
    core = None if work.core is None else places_of(horizon, work.core, horizon.core)
    start = chained(horizon, work.instances, work.slots, Known(work.before, core))
    if start is not None:
        work.offer(placements_of(horizon, start), horizon.objective, {})


def summed_bound(horizon: Horizon, slots: Sequence[Alone]) -> float:
    """Σ share · bound of each slot by itself; infinite: there is no plan."""
    if any(math.isinf(slot.bound) for slot in slots):
        return math.inf
    return math.fsum(share * slot.bound for share, slot in zip(horizon.shares, slots))


def caps_of(work: HorizonWork, caps: Mapping[str, float]) -> list[Caps]:
    """What is left to each slot when all others have their bounds, and a little for rounding."""
    objective = work.horizon.objective
    if not work.slots or work.worth is None or objective == "admitted":
        return []
    most = min(value(work.worth, objective), caps.get(objective, math.inf))
    left = max(0.0, most - summed_bound(work.horizon, work.slots)) + _SOLVER_ROOM * most
    found = []
    for share, slot in zip(work.horizon.shares, work.slots):
        cap = slot.bound + left / share
        found.append(Caps(cost=cap) if objective == "cost" else Caps(delay_s=cap))
    return found


def least(work: HorizonWork, objective: str, caps: Mapping[str, float]) -> bool:
    """Improves the best until it is proven that nothing within the caps has less; False: it is not.

    Where there are no caps, this is the first term, whose bound is kept. What HiGHS calls optimal is taken
    for a proof only where the evaluator gives the best placements the value that HiGHS proves to be least.
    """
    if work.clock.left_s <= 0.0:
        return False
    if not caps and is_reached(work, objective, work.bound):
        return True
    programme = _programme(work, objective, caps)
    if programme.is_infeasible:
        return True
    target = programme.term(objective)
    before, unreached = work.bound, 0
    while work.clock.left_s > 0.0 and unreached < MOST_UNREACHED:
        found = _solved(work, programme, target, objective)
        bound = found.bound + target.constant
        within = False
        if found.x is not None:
            placements = placements_of(work.horizon, programme.replicas(found.x))
            within = work.offer(placements, objective, caps)
        if not unreached and _is_crossed(work, objective, bound if caps else max(bound, work.bound)):
            work.bound = before
            return False
        if not caps:
            _raise_bound(work, objective, bound)
        if found.status == "infeasible":
            return True
        if found.x is None or found.status != "optimal":
            return False
        if is_reached(work, objective, bound):
            return True
        if within:
            # Placements that are forbidden with these have the same value.
            programme.forbid(found.x, by_replicas=objective == "cost")
            unreached += 1
        elif not _cut(work, programme, found.x):
            programme.forbid(found.x, by_replicas="cost" in caps)
    return False


def _programme(work: HorizonWork, objective: str, caps: Mapping[str, float]) -> HorizonProgramme:
    """With rows for the caps and all cuts that are known."""
    programme = HorizonProgramme(
        work.horizon,
        work.instances,
        form="flow",
        needs_delay=objective == "delay" or "delay" in caps,
        core=work.core,
        caps=caps_of(work, caps),
    )
    if programme.is_infeasible:
        return programme
    for name, cap in caps.items():
        # With room for the solver's tolerances; what takes it is forbidden by itself.
        programme.rows.at_most(programme.term(name), cap * (1 + 10 * EQUAL))
    for k, cut in work.cuts:
        add_cut(programme.blocks[k], cut)
    return programme


def _solved(work: HorizonWork, programme: HorizonProgramme, target: Linear, objective: str) -> highs.Found:
    """From the best that is known."""
    start = None if work.best is None else programme.start(slots_of(work.horizon, work.best))
    upper = math.inf if work.worth is None else value(work.worth, objective)
    sparse = programme.rows.finish(target)
    found = highs.solve(sparse, clock=work.clock, start=start, upper=upper - target.constant, seed=work.seed)
    _count(work, found, sparse)
    return found


def is_reached(work: HorizonWork, objective: str, bound: float) -> bool:
    """Whether the best has what is proven to be least.

    Room in the rows of caps only lowers a bound, so that a value that reaches it is least all the more.
    """
    if work.worth is None:
        return False
    best = value(work.worth, objective)
    return best - max(bound, 0.0) <= EQUAL * best


def _is_crossed(work: HorizonWork, objective: str, bound: float) -> bool:
    """Whether HiGHS claims a bound that the best, which its programme has, is below: it proves nothing."""
    if work.worth is None:
        return False
    best = value(work.worth, objective)
    return best > 0.0 and bound > best * (1 + _SOLVER_ROOM)


def _raise_bound(work: HorizonWork, objective: str, bound: float) -> None:
    """Nothing has less than the bound of a programme, or else is forbidden in it, and no better than the
    best."""
    if work.worth is not None:
        bound = min(bound, value(work.worth, objective))
    if math.isfinite(bound):
        work.bound = max(work.bound, bound)


def _cut(work: HorizonWork, programme: HorizonProgramme, x: Floats) -> bool:
    """Rows against what an answer breaks; False where it only misses a cap."""
    slots = programme.replicas(x)
    new: list[tuple[int, Cut]] = []
    for k, (instance, slot) in enumerate(zip(work.instances, slots)):
        judged = judge(instance, slot.assignment, slot.places)
        if not judged.keeps_limits:
            known = {cut.link for of, cut in work.cuts if of == k and cut.kind == "link"}
            new += [(k, cut) for cut in cuts_of(instance, judged, known)]
    for k, cut in new:
        work.cuts.append((k, cut))
        add_cut(programme.blocks[k], cut)
    if new:
        work.counters["cuts"] += len(new)
        return True
    return _forbid_starts(work, programme, placements_of(work.horizon, slots))


def _forbid_starts(work: HorizonWork, programme: HorizonProgramme, placements: list[Placement]) -> bool:
    """Starts that are too many by less than the solver sees: not all of them."""
    place = {id: v for v, id in enumerate(work.horizon.node_ids)}
    names = [service.name for service in work.horizon.services]
    worth = evaluate_horizon(work.horizon, placements)
    found = False
    for k, starts in enumerate(worth.started):
        if worth.moved_bytes[k] > work.horizon.most_moved_bytes:
            columns = [int(programme.starts[k][names.index(of), place[id]]) for of, id in starts]
            programme.rows.at_most(linear(columns, 1.0), len(columns) - 1.0)
            found = True
    return found


def _count(work: HorizonWork, found: highs.Found, sparse: highs.Sparse) -> None:
    work.counters["programmes"] += 1
    work.counters["nodes"] += found.nodes
    work.counters["columns"] = max(work.counters["columns"], sparse.columns)
    work.counters["rows"] = max(work.counters["rows"], sparse.rows)


def placements_of(horizon: Horizon, slots: Sequence[Replicas]) -> list[Placement]:
    return [
        placement_of(problem, Positions(slot.places, slot.assignment))
        for problem, slot in zip(horizon.slots, slots)
    ]


def slots_of(horizon: Horizon, placements: Sequence[Placement]) -> list[Replicas]:
    found = []
    for problem, placement in zip(horizon.slots, placements):
        positions = positions_of(problem, placement)
        found.append(Replicas(tuple(map(tuple, positions.replicas)), tuple(map(tuple, positions.assignment))))
    return found
