"""Placements over time as an answer: what was found, and what proves how good it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from ...core.checks import instance, real, short
from ...core.display import Display, Displayed
from ...core.quantity import counted, quantity
from ...core.value import Value, relative_gap
from ..placement import Placement
from .evaluation import HorizonEvaluation, check_horizon, evaluate_horizon
from .horizon import Horizon

_WITH_PLACEMENTS = {
    "optimal": True,
    "feasible": True,
    "infeasible": False,
    "no_plan_found": False,
    "time_limit": None,
    "interrupted": None,
}
OPTIMAL_GAP = 1e-9
"""``optimal`` means a proven relative gap of at most this."""


@dataclass(frozen=True, eq=False, repr=False)
class HorizonPlan(Value, Displayed):
    """Placements over the slots of a horizon, and what was proved of them; what `solve_horizon` gives.

    Its terms are evaluated anew from its placements; placements that break a rule are refused. Plans are
    equal that say the same of the same horizon, however they were found.

    Raises
    ------
    TypeError, ValueError
        For placements that `check_horizon` finds a broken rule in, and a status that does not go with them.

    Examples
    --------
    See `constellm.services.solve_horizon`.
    """

    horizon: Horizon
    status: str
    """``optimal`` (a proven relative gap of at most 1e-9), ``feasible``, ``infeasible``, ``no_plan_found``,
    ``time_limit`` or ``interrupted``."""
    placements: tuple[Placement, ...]
    """Slot by slot; empty where there are none."""
    lower_bound: float
    """No placements have a smaller objective; infinite where there are none."""
    second_optimal: bool = False
    """Whether none equal in the objective have a smaller second term."""
    method: str = field(default="unknown", compare=False)
    seconds: float = field(default=0.0, compare=False)
    """Spent [s]."""
    counters: Mapping[str, int] = field(default_factory=dict, compare=False)
    """What the method counts."""

    def __post_init__(self) -> None:
        instance("horizon", self.horizon, Horizon)
        object.__setattr__(self, "placements", tuple(self.placements))
        object.__setattr__(self, "counters", dict(self.counters))
        object.__setattr__(self, "lower_bound", real("lower_bound", self.lower_bound, least=0))
        if self.status not in _WITH_PLACEMENTS:
            raise ValueError(f"status: {short(self.status)} is not one of {', '.join(_WITH_PLACEMENTS)}")
        expected = _WITH_PLACEMENTS[self.status]
        if expected is not None and expected != bool(self.placements):
            raise ValueError(
                f"placements: {'missing' if expected else 'given'}, and the status is {self.status}"
            )
        if self.placements:
            broken = check_horizon(self.horizon, self.placements)
            if broken:
                raise ValueError(f"placements: {broken[0]}")
        if self.status == "optimal" and not self.gap <= OPTIMAL_GAP:
            raise ValueError(f"status: optimal, with a gap of {self.gap!r}")

    @cached_property
    def evaluation(self) -> HorizonEvaluation:
        """Its terms; ValueError without placements."""
        if not self.placements:
            raise ValueError(f"placements: there are none, the status is {self.status}")
        return evaluate_horizon(self.horizon, self.placements)

    @property
    def cost(self) -> float:
        """Of replicas and starts; NaN without placements."""
        return self._term("cost")

    @property
    def delay_s(self) -> float:
        """Mean over the time [s]; NaN without placements."""
        return self._term("delay_s")

    @property
    def start_cost(self) -> float:
        """Of the replicas that start; NaN without placements."""
        return self._term("start_cost")

    @property
    def objective(self) -> float:
        """What is minimised; NaN without placements."""
        return self._term("objective")

    @property
    def starts(self) -> int:
        """How many replicas start, over all slots."""
        return sum(self.evaluation.starts) if self.placements else 0

    @property
    def gap(self) -> float:
        """How far the objective may be from the least, relative to itself; NaN without placements."""
        return relative_gap(self.objective, self.lower_bound)

    def _term(self, name: str) -> float:
        return float(getattr(self.evaluation, name)) if self.placements else math.nan

    def __reduce__(self) -> tuple[Any, ...]:
        return HorizonPlan, tuple(getattr(self, of.name) for of in fields(self))

    def __repr__(self) -> str:
        worth = ""
        if self.placements:
            worth = (
                f", cost={self.cost:.6g}, delay_s={self.delay_s:.6g}, "
                f"{counted(self.starts, 'start')}, gap={self.gap:.3g}"
            )
        return f"HorizonPlan({self.horizon.name!r}: {self.status}{worth})"

    def _display(self) -> Display:
        head = f"Plan of horizon {self.horizon._size()}: {self.status}, by {self.method!r}"
        if not self.placements:
            return Display([head])
        proven = "less" if self.status == "optimal" else f"more than {self.gap:.2%} less"
        what = {"cost": "cost", "delay": "mean delay", "admitted": "rejected weight"}[self.horizon.objective]
        terms = (
            f"cost {self.cost:.4g}, {self.start_cost:.4g} of it for starts; "
            f"mean delay {quantity(self.delay_s, 's')}"
        )
        return Display(
            [head, terms, f"no placements have a {what} that is {proven}"], self.evaluation._display().tables
        )
