"""Pareto fronts: the plans that no other beats in every criterion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .. import _core
from .._core.split import Plan, Problem
from ..core.checks import instance, meant, real, short
from ..core.display import Display, Displayed
from ..core.interrupt import check_on_interrupt, handed_over
from ..core.progress import waiting
from ..core.quantity import counted
from ..core.table import Table
from .display import layout_text, status_text
from .options import check_options

_CRITERIA = ("delay_s", "bytes", "error", "energy_j")


@dataclass(frozen=True)
class ParetoFront(Displayed):
    """Plans by the first criterion, best first; none dominates another.

    Attributes
    ----------
    plans : tuple of Plan
        Each with its figures, stages and codecs.
    criteria : tuple of str
        Names of what was minimised, with their units: ``delay_s`` [s], ``bytes`` [B], ``error``,
        ``energy_j`` [J].
    epsilon : float
        0 for an exact front; else see `pareto_front`.
    status : str
        ``"optimal"``, or ``"time_limit"`` / ``"interrupted"`` when plans may be missing.

    Examples
    --------
    >>> from constellm import paper, split
    >>> front = split.pareto_front(paper.collaborative.problem(relays=0), ("delay_s", "bytes"))
    >>> front.status, all(plan.status == "feasible" for plan in front.plans)
    ('optimal', True)
    """

    plans: tuple[Plan, ...]
    criteria: tuple[str, ...]
    epsilon: float
    status: str

    def __repr__(self) -> str:
        return (
            f"ParetoFront({counted(len(self.plans), 'plan')} by {' and '.join(self.criteria)}, {self.status})"
        )

    def _display(self) -> Display:
        exact = "exact" if self.epsilon == 0 else f"within {self.epsilon:.3g} of any other plan"
        head = f"Pareto front: {counted(len(self.plans), 'plan')}, {exact}, {status_text(self.status)}"
        rows = [
            (*(getattr(plan, name) for name in self.criteria), len(plan.stages), layout_text(plan.stages))
            for plan in self.plans
        ]
        table = Table((*self.criteria, "hosts", "layers"), rows)
        return Display([head], [table.with_units_in_head()] if rows else [])

    def __len__(self) -> int:
        return len(self.plans)

    def __iter__(self) -> Iterator[Plan]:
        return iter(self.plans)

    def __getitem__(self, index: int) -> Plan:
        if isinstance(index, (bool, np.bool_)):
            raise TypeError(f"index: expected an integer, got {index}")
        return self.plans[index]

    def array(self) -> np.ndarray:
        """Values of the criteria, shape (plans, criteria), in their units."""
        return np.array([[getattr(plan, name) for name in self.criteria] for plan in self.plans]).reshape(
            len(self.plans), len(self.criteria)
        )


def pareto_front(
    problem: Problem,
    criteria: Sequence[str] = ("delay_s", "bytes"),
    *,
    epsilon: float = 0.0,
    time_limit_s: float = math.inf,
    on_interrupt: str = "return",
) -> ParetoFront:
    """The trade-off between two or more of delay, bytes, error and energy.

    Parameters
    ----------
    problem : Problem
        What is to be run where.
    criteria : sequence of str
        Two to four of ``"delay_s"``, ``"bytes"``, ``"error"``, ``"energy_j"``; all are minimised.
        The problem's own limits hold throughout; its objective plays no part.
    epsilon : float
        0, for two criteria only: the exact front, but for points closer to each other than 1e-9 of their
        value. Above 0 an epsilon-front: for every plan there is one in the front that is no worse in the
        first criterion (delay, where it is one of them) and at most 1 + epsilon times as large in each other.
    time_limit_s : float
        Stop after this time [s]; the front then says so.
    on_interrupt : str
        As of `constellm.split.solve`; `Interrupted` then carries the front.

    Returns
    -------
    ParetoFront

    Raises
    ------
    ValueError
        For an unknown or repeated criterion, or an epsilon that does not fit their number.
    Interrupted
        See `on_interrupt`.

    Examples
    --------
    >>> import constellm as clm
    >>> problem = clm.paper.collaborative.problem(relays=0)
    >>> front = clm.split.pareto_front(problem, ("delay_s", "error"))
    >>> front.status, front.plans[0].delay_s < front.plans[-1].delay_s
    ('optimal', True)
    """
    instance("problem", problem, Problem)
    if isinstance(criteria, str) or not all(isinstance(name, str) for name in criteria):
        raise TypeError(f"criteria: expected a sequence of names, got {short(criteria)}")
    for name in criteria:
        if name not in _CRITERIA:
            known = ", ".join(map(repr, _CRITERIA))
            raise ValueError(f"criteria: {name!r} is not one of {known}{meant(name, _CRITERIA)}")
    epsilon = real("epsilon", epsilon, least=0)
    limit = check_options({"time_limit_s": time_limit_s})["time_limit_s"]
    check_on_interrupt(on_interrupt)
    with waiting("Pareto front", limit_s=limit):
        plans, status = _core.split.pareto_front(problem, list(criteria), epsilon=epsilon, time_limit_s=limit)
    front = ParetoFront(tuple(plans), tuple(criteria), epsilon, status)
    return handed_over(front, interrupted=status == "interrupted", on_interrupt=on_interrupt)
