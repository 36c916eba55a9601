"""Placements over time by name of the method: all slots at once, some ahead, or each for itself."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...core.checks import count, instance, meant, real, short
from ...core.interrupt import check_on_interrupt, handed_over
from ...core.progress import waiting
from ..exact.highs import Clock
from ..placement import Placement
from ..solver import solve
from .horizon import Horizon
from .plans import OPTIMAL_GAP, HorizonPlan
from .search import HorizonWork, is_large, is_reached, optimise, prepare, summed_bound
from .starts import alone


def solve_horizon(
    horizon: Horizon,
    *,
    method: str = "clairvoyant",
    window: int = 3,
    time_limit_s: float = math.inf,
    seed: int = 0,
    on_interrupt: str = "return",
) -> HorizonPlan:
    """Placements over the slots of a horizon, and what is proved of them.

    Parameters
    ----------
    horizon : Horizon
    method : str
        One of `HORIZON_METHODS`: ``"clairvoyant"``, all slots at once, exact; ``"rolling"``, in each slot
        the best for it and the slots of a window ahead, of which only the first is kept; ``"per-slot"``, each
        slot's own best, whatever has to start for it; ``"static"``, replicas that never change.
    window : int
        How many slots ``"rolling"`` knows, the present one among them; on large horizons ``"clairvoyant"``
        starts from what rolling comes to.
    time_limit_s : float
        Stop after this time, with the best placements and a true bound [s], >= 0.
    seed : int
        Of the solver, >= 0.
    on_interrupt : str
        What Ctrl-C does: ``"return"`` the best plan so far, of status ``"interrupted"``, or ``"raise"``
        `Interrupted`, which carries it.

    Returns
    -------
    HorizonPlan
        Its bound is one of the whole horizon, whatever the method: that of all slots at once, or Σ share ·
        bound of each slot by itself. ``no_plan_found`` where a method that does not look at the whole
        comes to a slot from which there is no way on.

    Raises
    ------
    TypeError, ValueError
        For what is no horizon, an unknown method or a wrong number.
    ImportError
        Without ``highspy``, the extra ``solver``.
    Interrupted
        A `KeyboardInterrupt`; see `on_interrupt`.

    Notes
    -----
    With core services, ``"rolling"`` and ``"per-slot"`` settle the core in the first slot they solve, and
    keep it. In a window, costs of starts weigh against costs of replicas as they do in the whole.

    Examples
    --------
    >>> from constellm import network, services
    >>> nodes = [network.Node(id=id, flop_per_s=1e12, memory_bytes=4e9) for id in ("a", "b")]
    >>> graph = network.Graph(nodes, from_=[0, 1], to=[1, 0], rate_bps=1e9, latency_s=0.01)
    >>> encoder = services.Service("encoder", flop=1e10, memory_bytes=1e9, cost=1.0)
    >>> def slot(source):
    ...     stage = services.Stage("encoder", (services.Input(-1, 1e6),))
    ...     task = services.Task("caption", rate_per_s=5.0, source=source, sink=source, stages=(stage,))
    ...     return services.Problem(network=graph, services=(encoder,), tasks=(task,), objective="delay")
    >>> day = services.Horizon(
    ...     [slot("a"), slot("b"), slot("a")], 60.0, max_starts=1, initial={"encoder": ["b"]})
    >>> plan = services.solve_horizon(day)
    >>> plan
    HorizonPlan('horizon': optimal, cost=1, delay_s=0.01, 3 starts, gap=0)
    >>> [placement.replicas["encoder"] for placement in plan.placements]
    [('a',), ('b',), ('a',)]
    >>> services.solve_horizon(day, method="static").cost  # one on each node, all the time
    2.0
    """
    instance("horizon", horizon, Horizon)
    if not isinstance(method, str) or method not in HORIZON_METHODS:
        known = ", ".join(map(repr, HORIZON_METHODS))
        raise ValueError(
            f"method: {short(method)} is not one of {known}{meant(str(method), HORIZON_METHODS)}"
        )
    window = count("window", window)
    limit_s = real("time_limit_s", time_limit_s, least=0)
    seed = count("seed", seed, least=0, most=2**31 - 1)
    check_on_interrupt(on_interrupt)
    clock = Clock(limit_s)
    with waiting("solve_horizon", limit_s=limit_s):
        found = _SEARCHES[method](horizon, clock=clock, seed=seed, window=window)
    plan = _plan(found, method=method, clock=clock)
    return handed_over(plan, interrupted=plan.status == "interrupted", on_interrupt=on_interrupt)


_CROSSED = 1e-6
"""Relative; so much above its own plan a bound may be by the solver's tolerances."""


class _Found:
    """What a method came to."""

    def __init__(self, horizon: Horizon) -> None:
        self.horizon = horizon
        self.placements: list[Placement] | None = None
        self.bound = 0.0
        self.ended = False
        """Whether the method came to its end, not to that of its time."""
        self.second_optimal = False
        self.counters: dict[str, int] = {}


def _plan(found: _Found, *, method: str, clock: Clock) -> HorizonPlan:
    """With the status that its placements and its bound have."""
    placements, bound = found.placements or [], max(0.0, found.bound)
    status = "infeasible" if math.isinf(bound) else "no_plan_found"
    if placements:
        plan = HorizonPlan(found.horizon, "feasible", tuple(placements), 0.0)
        if bound > plan.objective * (1 + _CROSSED):
            raise RuntimeError(f"{method}: its bound, {bound!r}, is above its plan's {plan.objective!r}")
        bound = min(bound, plan.objective)
        is_proven = plan.objective - bound <= OPTIMAL_GAP * plan.objective
        status = "optimal" if is_proven else "feasible"
    if clock.interrupted and status not in ("optimal", "infeasible"):
        status = "interrupted"
    elif not found.ended and math.isfinite(clock.time_limit_s) and status in ("feasible", "no_plan_found"):
        status = "time_limit"
    return HorizonPlan(
        found.horizon,
        status,
        tuple(placements),
        bound,
        found.second_optimal and status == "optimal",
        method,
        clock.spent_s,
        found.counters,
    )


# ---- all slots at once --------------------------------------------------------------------------


def _clairvoyant(horizon: Horizon, *, clock: Clock, seed: int, window: int) -> _Found:
    found = _Found(horizon)
    work = HorizonWork(horizon, clock, seed)
    if is_large(work) and len(horizon.slots) > 1:
        _begin(work, window)
    found.ended, found.second_optimal = optimise(work)
    found.placements, found.bound, found.counters = work.best, work.bound, work.counters
    return found


def _begin(work: HorizonWork, window: int) -> None:
    """From slot to slot, first each by itself, then as a rolling horizon does."""
    horizon = work.horizon
    prepare(work)
    if math.isinf(work.bound):
        return
    # Half of the time is left: windows not proven in it say that the whole would not be either.
    for ahead in dict.fromkeys((1, window)):
        if ahead >= len(horizon.slots) or is_reached(work, horizon.objective, work.bound):
            continue
        clock = Clock(work.clock.left_s / 2)
        # The tie too where it is what rolling does, so as to come to the same placements.
        placements, _ = _walk(work, clock, ahead, {}, with_second=ahead == window)
        work.clock.interrupted = work.clock.interrupted or clock.interrupted
        if len(placements) == len(horizon.slots):
            work.offer(placements, horizon.objective, {})


def _static(horizon: Horizon, *, clock: Clock, seed: int, window: int) -> _Found:
    found = _Found(horizon)
    found.bound = _bound(HorizonWork(horizon, clock, seed))
    names = [service.name for service in horizon.services]
    fixed = _clairvoyant(horizon.replace(core=names), clock=clock, seed=seed, window=window)
    found.placements, found.ended, found.counters = fixed.placements, fixed.ended, fixed.counters
    return found


# ---- one slot after the other -------------------------------------------------------------------


def _rolling(horizon: Horizon, *, clock: Clock, seed: int, window: int) -> _Found:
    if window >= len(horizon.slots):
        return _clairvoyant(horizon, clock=clock, seed=seed, window=window)
    found = _Found(horizon)
    work = HorizonWork(horizon, clock, seed)
    found.bound = _bound(work)
    if math.isinf(found.bound):
        found.ended = True
        return found
    placements, found.ended = _walk(work, clock, window, found.counters)
    if len(placements) == len(horizon.slots):
        found.placements = placements
    elif found.ended and not placements:  # the first slots alone are infeasible
        found.bound = math.inf
    return found


def _bound(work: HorizonWork) -> float:
    """Σ share · bound of each slot by itself."""
    if not work.slots:
        work.slots = alone(work.horizon, work.instances, work.clock, work.seed)
    return summed_bound(work.horizon, work.slots)


def _walk(
    work: HorizonWork, clock: Clock, window: int, counters: dict[str, int], *, with_second: bool = True
) -> tuple[list[Placement], bool]:
    """The first placement of each window, until there is none; and whether all of them are proven."""
    horizon, slots = work.horizon, len(work.horizon.slots)
    placements: list[Placement] = []
    before: Mapping[str, Sequence[str]] | None = horizon.initial
    core, ended = work.core, True
    for k in range(slots):
        behind = (horizon.slots[k - 1], placements[-1]) if placements else None
        # Where time ends before a window has a plan, the slot by itself may.
        for last, share in ((min(k + window, slots), 1 / (slots - k)), (k + 1, 1 / 2)):
            mine = Clock(share * clock.left_s)
            part = HorizonWork(
                _ahead(horizon, k, last, before),
                mine,
                work.seed,
                core,
                behind,
                work.instances[k:last],
                slots=work.slots[k:last],
            )
            proven, _ = optimise(part, with_second=with_second)
            clock.interrupted = clock.interrupted or mine.interrupted
            ended = ended and proven
            _add(counters, part.counters)
            if proven or part.best is not None:
                break
        if part.best is None:
            # With more time what came before could have been another.
            return placements, proven and (ended or not placements)
        placements.append(part.best[0])
        before = part.best[0].replicas
        core = {name: before[name] for name in horizon.core}
    return placements, ended


def _add(counters: dict[str, int], others: Mapping[str, int]) -> None:
    for name, number in others.items():
        most = max if name in ("columns", "rows") else operator.add
        counters[name] = most(counters.get(name, 0), number)


def _ahead(horizon: Horizon, first: int, last: int, before: Mapping[str, Sequence[str]] | None) -> Horizon:
    """Some slots as a horizon whose objective is that of the whole, but for a factor."""
    durations_s = horizon.durations_s.tolist()
    factor = math.fsum(durations_s) / math.fsum(durations_s[first:last])
    costs = {service.name: cost * factor for service, cost in zip(horizon.services, horizon.start_cost)}
    return horizon.replace(
        slots=horizon.slots[first:last],
        durations_s=durations_s[first:last],
        initial=before,
        start_cost=costs,
        start_cost_per_byte=horizon.start_cost_per_byte * factor,
    )


def _per_slot(horizon: Horizon, *, clock: Clock, seed: int, window: int) -> _Found:
    """Each slot's own best; those after the first with the core that it has."""
    found = _Found(horizon)
    placements: list[Placement] = []
    bounds: list[float] = []
    core: dict[str, tuple[str, ...]] | None = None
    found.ended, found.second_optimal = True, not _is_tied(horizon)
    found.counters = {"slots": 0}
    for k, (share, slot) in enumerate(zip(horizon.shares, horizon.slots)):
        if clock.left_s <= 0.0:
            found.ended = False
            break
        limit_s = clock.left_s / (len(horizon.slots) - k)
        plan = solve(slot, time_limit_s=limit_s, seed=seed, on_interrupt="return")
        clock.interrupted = clock.interrupted or plan.status == "interrupted"
        bounds.append(share * plan.lower_bound)
        if math.isinf(plan.lower_bound):
            break
        best = plan.placement
        found.ended = found.ended and plan.status == "optimal"
        found.second_optimal = found.second_optimal and plan.second_optimal
        if core:
            one = Horizon([slot], 1.0, core=horizon.core)
            mine = Clock(clock.left_s / (len(horizon.slots) - k))
            work = HorizonWork(one, mine, seed, core)
            proven, _ = optimise(work)
            clock.interrupted = clock.interrupted or mine.interrupted
            found.ended = found.ended and proven
            best = None if work.best is None else work.best[0]
        if best is None:
            continue
        placements.append(best)
        if len(placements) == 1 and horizon.core:
            core = {name: tuple(best.replicas[name]) for name in horizon.core}
    found.bound = math.fsum(bounds) if not any(map(math.isinf, bounds)) else math.inf
    found.counters["slots"] = len(placements)
    if len(placements) == len(horizon.slots) and HorizonWork(horizon, clock, seed).offer(
        placements, horizon.objective, {}
    ):
        found.placements = placements
    return found


def _is_tied(horizon: Horizon) -> bool:
    """Whether what is best in one slot depends on another."""
    limited = horizon.max_starts is not None or horizon.max_moved_bytes is not None
    return bool(horizon.core) or limited or any(horizon.cost_of_start)


_SEARCHES: dict[str, Callable[..., Any]] = {
    "clairvoyant": _clairvoyant,
    "rolling": _rolling,
    "per-slot": _per_slot,
    "static": _static,
}
HORIZON_METHODS: tuple[str, ...] = tuple(_SEARCHES)
"""What `solve_horizon` knows, by name."""
