"""The one place that calls HiGHS: a programme goes in, checked columns and a bound come out."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.optional import optional_import

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Of rows, integrality and reduced costs; rows are scaled so that their sides are about 1."""
OBJECTIVE_SCALE = 1e3
"""What the largest of the objective's values looked for is brought to."""
NO_HEURISTICS = {
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
"""Options of a run that has a plan to begin with: looking for better ones takes half of its time."""


@dataclass(frozen=True, eq=False)
class Sparse:
    """Minimise cost · x over low ≤ A x ≤ high, within the columns' bounds; rows one after the other."""

    cost: Floats
    low: Floats
    high: Floats
    integer: NDArray[np.bool_]
    start: NDArray[np.int64]
    index: NDArray[np.int64]
    value: Floats
    row_low: Floats
    row_high: Floats

    @property
    def columns(self) -> int:
        return len(self.cost)

    @property
    def rows(self) -> int:
        return len(self.row_low)

    def activity(self, x: Floats) -> Floats:
        """A x."""
        terms = self.value * x[self.index]
        sums = np.concatenate([[0.0], np.cumsum(terms)])
        return sums[self.start[1:]] - sums[self.start[:-1]]


@dataclass(frozen=True, eq=False)
class Found:
    """What HiGHS came to, columns checked."""

    status: str
    """``optimal``, ``infeasible``, ``stopped`` or ``interrupted``"""
    x: Floats | None
    """Whose integer columns are whole, where they were asked for."""
    bound: float
    """No column vector has less; infinite where there is none, -inf where nothing was proven."""
    reduced_cost: Floats | None = None
    nodes: int = 0
    seconds: float = 0.0


@dataclass(eq=False)
class Clock:
    """Time that is left, and whether Ctrl-C was pressed."""

    time_limit_s: float = math.inf
    interrupted: bool = False
    begin: float = field(default_factory=time.perf_counter)

    @property
    def spent_s(self) -> float:
        return time.perf_counter() - self.begin

    @property
    def left_s(self) -> float:
        return 0.0 if self.interrupted else max(0.0, self.time_limit_s - self.spent_s)


def module() -> ModuleType:
    return optional_import("highspy", extra="solver", purpose="the programmes of services need highspy")


def solve(
    programme: Sparse,
    *,
    clock: Clock,
    is_relaxed: bool = False,
    start: Mapping[int, float] | None = None,
    upper: float = math.inf,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Found:
    """One thread; `upper` is a value that is known to be reached, `start` integer columns that reach it.

    A run whose reported value its own columns do not have is done again without the start.
    """
    found = attempt(programme, clock, is_relaxed, start, upper, options or {}, seed)
    if found is None and start is not None:
        found = attempt(programme, clock, is_relaxed, None, upper, options or {}, seed)
    if found is None:
        return Found("interrupted" if clock.interrupted else "stopped", None, -math.inf)
    return found


def attempt(
    programme: Sparse,
    clock: Clock,
    is_relaxed: bool,
    start: Mapping[int, float] | None,
    upper: float,
    options: Mapping[str, Any],
    seed: int,
) -> Found | None:
    """None: HiGHS contradicts itself, or ended without a word."""
    highspy = module()
    if clock.left_s <= 0.0:
        return Found("interrupted" if clock.interrupted else "stopped", None, -math.inf)
    solver = highspy._Highs()  # that of `highspy.Highs` prints when it is made
    largest = float(np.max(np.abs(programme.cost), initial=0.0))
    size = upper if math.isfinite(upper) and upper > 0 else largest
    scale = 2.0 ** round(math.log2(OBJECTIVE_SCALE / size)) if size > 0 else 1.0
    settings: dict[str, Any] = {
        "output_flag": False,
        "threads": 1,
        "random_seed": seed % 2**31,
        "primal_feasibility_tolerance": TOLERANCE,
        "dual_feasibility_tolerance": TOLERANCE,
        "mip_feasibility_tolerance": TOLERANCE,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": 0.0,
        "time_limit": min(clock.left_s, 1e9),
        "solve_relaxation": is_relaxed,
        **options,
    }
    for name, value in settings.items():
        if solver.setOptionValue(name, value) == highspy.HighsStatus.kError:
            raise AssertionError(f"HiGHS refuses the option {name}={value}")
    if solver.passModel(model_of(highspy, programme, scale)) == highspy.HighsStatus.kError:
        raise AssertionError("HiGHS refuses the programme")
    if start and not is_relaxed:
        index = np.fromiter(start.keys(), dtype=np.int32, count=len(start))
        value = np.fromiter(start.values(), dtype=np.float64, count=len(start))
        solver.setSolution(len(index), index, value)
    begin = time.perf_counter()
    run(highspy, solver, clock)
    seconds = time.perf_counter() - begin
    return read(highspy, solver, programme, scale, is_relaxed, seconds, clock)


def model_of(highspy: ModuleType, programme: Sparse, scale: float) -> Any:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = programme.columns, programme.rows
    lp.col_cost_ = programme.cost * scale
    lp.col_lower_, lp.col_upper_ = programme.low, programme.high
    lp.row_lower_, lp.row_upper_ = programme.row_low, programme.row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = programme.start.astype(np.int32)
    lp.a_matrix_.index_ = programme.index.astype(np.int32)
    lp.a_matrix_.value_ = programme.value
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(i)] for i in programme.integer]
    return lp


def run(highspy: ModuleType, solver: Any, clock: Clock) -> None:
    """In a thread of its own, so that Ctrl-C reaches this one; a second one waits as well."""

    def stop(kind: Any, message: str, out: Any, answer: Any, given: Any) -> None:
        if clock.interrupted and answer is not None:
            answer.user_interrupt = True

    solver.setCallback(stop, None)
    kinds = highspy.cb.HighsCallbackType
    for kind in (kinds.kCallbackMipInterrupt, kinds.kCallbackSimplexInterrupt, kinds.kCallbackIpmInterrupt):
        solver.startCallback(kind)
    ended = threading.Event()

    def call() -> None:
        try:
            solver.run()
        finally:
            ended.set()

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    while not ended.is_set():
        try:
            ended.wait(0.05)  # Ctrl-C in `Thread.join` makes Python < 3.13 take a thread that runs for ended
        except KeyboardInterrupt:
            clock.interrupted = True
    thread.join()


def read(
    highspy: ModuleType,
    solver: Any,
    programme: Sparse,
    scale: float,
    is_relaxed: bool,
    seconds: float,
    clock: Clock,
) -> Found | None:
    info, status = solver.getInfo(), solver.getModelStatus()
    states = highspy.HighsModelStatus
    nodes = max(0, int(info.mip_node_count))
    if status in (states.kInfeasible, states.kUnboundedOrInfeasible):
        # Every objective here is bounded below by 0.
        return Found("infeasible", None, math.inf, nodes=nodes, seconds=seconds)
    is_optimal = status == states.kOptimal
    x = columns_of(highspy, solver, programme, is_relaxed)
    if is_optimal and x is None:
        return None
    reached = float(programme.cost @ x) if x is not None else math.inf
    if is_relaxed or not programme.integer.any():
        bound = reached if is_optimal else -math.inf
        reduced = np.asarray(solver.getSolution().col_dual) / scale if is_optimal else None
    else:
        bound, reduced = float(info.mip_dual_bound) / scale, None
        told = float(info.objective_function_value) / scale
        if x is not None and abs(told - reached) > 1e-6 * max(abs(told), abs(reached), 1e-12):
            return None
        if is_optimal:
            bound = min(bound, reached)
    if not is_optimal and status not in (states.kTimeLimit, states.kInterrupt, *others(states)):
        return None
    word = "optimal" if is_optimal else "interrupted" if clock.interrupted else "stopped"
    return Found(word, x, bound if bound == bound else -math.inf, reduced, nodes, seconds)


def others(states: Any) -> tuple[Any, ...]:
    """Ends with a true bound that no time limit made."""
    return (states.kSolutionLimit, states.kObjectiveTarget, states.kObjectiveBound)


def columns_of(highspy: ModuleType, solver: Any, programme: Sparse, is_relaxed: bool) -> Floats | None:
    """The columns found, whole where they have to be, or None where they break a row by more than
    rounding."""
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    x = np.array(solver.getSolution().col_value, dtype=float)
    if len(x) != programme.columns:
        return None
    if is_relaxed:
        return x
    whole = np.where(programme.integer, np.round(x), x)
    if np.abs(whole - x).max(initial=0.0) > 1e-5:
        return None
    activity = programme.activity(whole)
    room = 1e-5 * np.maximum(1.0, np.abs(activity))
    if ((activity < programme.row_low - room) | (activity > programme.row_high + room)).any():
        return None
    return whole
