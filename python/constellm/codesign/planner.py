"""Problems over what was measured, and their exact optima."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from .._core.codec import Codec
from .._core.split import Plan, Problem
from ..codec.calibration import Calibration
from ..codec.measured_cuts import measured_codec
from ..core.checks import instance
from ..split import codecs_at_cuts, k_best, solve
from ..split.display import why_none
from .campaign import Order
from .measurements import Measurements
from .result import Round
from .sets import planned_sets

ProblemOf = Callable[[list[Codec], float], Problem]

IDEAL = Codec(name="ideal", ratio=1e12, error=0.0)
"""No bytes, no error, no time: what no codec surpasses."""

_LADDER = 12  # error limits at which sets of cuts for the calibration are planned
_ALIKE = 4  # plans of each of them, best first


class Planner:
    """Solves a user's problem with menus of measured codecs.

    Parameters
    ----------
    problem_of : callable
        (menu, max_error) → Problem over the network's blocks, see `alternate`.
    measurements : Measurements
        Rows of the codecs, which grow with every round.
    """

    def __init__(self, problem_of: ProblemOf, measurements: Measurements) -> None:
        self._problem_of, self._measurements = problem_of, measurements

    def ideal(self) -> Plan:
        """The optimum with the ideal codec at every cut."""
        return self._solved(self._problem([IDEAL], 0.0))

    def solve(self, names: Sequence[str], calibration: Calibration, limit: float) -> Plan:
        """The optimum with these codecs, under a calibration's errors and limit."""
        errors = {pair: w**calibration.exponent for pair, w in calibration.weights.items()}
        return self._solved(self._problem(self._menu(names, errors, limit), limit))

    def order(self, last: Round, ideal: Plan, *, explore: bool) -> Order:
        """The cuts to train for, with the ratio to go on from: of the last plan, or of the ideal one.

        Where no plan says which ratio, it is the largest whose error is within an equal share of the limit.
        """
        single, coded = self._measurements.single(), codecs_at_cuts(last.plan)
        if explore or len(last.plan.stages) == 1:
            cuts, coded = cuts_of(ideal), {}
        else:
            cuts = cuts_of(last.plan)
        share = last.max_error / max(len(cuts), 1)
        within = [row for row in single.values() if last.calibration.error(row.plan) <= share]
        ratios = {
            k: single[k, coded[k]].ratio[0]
            if k in coded
            else max((row.ratio[0] for row in within if row.cuts[0] == k), default=1.0)
            for k in cuts
        }
        return Order(last.index + 1, ratios)

    def sets(self, loss: float, wanted: int, draw: np.random.Generator) -> list[dict[int, str]]:
        """Sets of several cuts to calibrate on: plans under limits around the right one, then random."""
        if not wanted:
            return []
        # Losses as they would add up: rough, but it only says which plans to look at.
        errors = {
            pair: row.expected_loss + row.expected_loss_se
            for pair, row in self._measurements.single().items()
        }
        known = [row.plan for row in self._measurements.rows]
        found = planned_sets(self._ladder(loss, errors), -(-2 * wanted // 3), known=known)
        pairs = [pair for pair, error in errors.items() if error <= 2 * loss] or list(errors)
        places = sorted({k for k, _ in pairs})
        for _ in range(100 * wanted if len(places) > 1 else 0):
            if len(found) == wanted:
                break
            chosen = draw.choice(places, size=int(draw.integers(2, min(len(places), 4) + 1)), replace=False)
            several = [[pair for pair in pairs if pair[0] == k] for k in np.sort(chosen)]
            cuts = dict(some[int(draw.integers(len(some)))] for some in several)
            if cuts not in known and cuts not in found:
                found.append(cuts)
        return found

    def _ladder(self, loss: float, errors: Mapping[tuple[int, str], float]) -> Iterator[Plan]:
        """The best plans of every limit, then the second best, and so on."""
        names = list(self._measurements.compressors)
        limits = [float(limit) for limit in np.geomspace(loss / 8, loss * 4, _LADDER)]
        ranked = [
            k_best(self._problem(self._menu(names, errors, limit), limit), _ALIKE, on_interrupt="raise")
            for limit in limits
        ]
        return (plans[rank] for rank in range(_ALIKE) for plans in ranked if rank < len(plans))

    def _menu(
        self, names: Sequence[str], errors: Mapping[tuple[int, str], float], limit: float
    ) -> list[Codec]:
        single, inside = self._measurements.single(), range(1, self._measurements.blocks)
        menu = [Codec(name="none", ratio=1.0, error=0.0)]
        for name in names:
            rows = {k: single[k, name] for k in inside if (k, name) in single}
            here = {k: errors[k, name] for k in rows}
            # Where a codec is not, its error is beyond the limit, so that no plan has it there.
            menu.append(measured_codec(name, rows, here, absent_error=2.0 * limit + 1.0))
        return menu

    def _problem(self, menu: list[Codec], limit: float) -> Problem:
        problem = instance("problem_of", self._problem_of(menu, limit), Problem)
        blocks = self._measurements.blocks
        if len(problem.layers) != blocks:
            raise ValueError(f"problem_of: {len(problem.layers)} layers, expected {blocks}")
        if problem.error_rule != "sum" or problem.max_error is None:
            raise ValueError(
                f"problem_of: error rule {problem.error_rule!r} and limit {problem.max_error}, "
                f"expected 'sum' and {limit}"
            )
        if [codec.name for codec in problem.codecs] != [codec.name for codec in menu]:
            raise ValueError("problem_of: other codecs than those it was given")
        return problem

    @staticmethod
    def _solved(problem: Problem) -> Plan:
        plan = solve(problem, on_interrupt="raise")
        if plan.status != "optimal":
            why = "; ".join([f"status {plan.status!r}", *why_none(plan)])
            raise ValueError(f"problem_of: the problem {problem.name!r} has no plan, {why}")
        return plan


def cuts_of(plan: Plan) -> list[int]:
    """Boundaries at which a plan changes hosts, whatever it sends there."""
    return [stage.last_layer + 1 for stage in plan.stages[:-1]]
