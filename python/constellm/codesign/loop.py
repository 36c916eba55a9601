"""Partition and codecs made for each other: train for the plan's cuts, plan again, while it pays."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .. import _core
from .._core import Codec, Plan, Problem
from ..codec.calibration import Calibration, calibrate
from ..codec.compressor import AtCuts, Compressor, Compressors
from ..codec.measured_cuts import MeasuredCuts
from ..core.checks import count, instance, real
from ..images import ImageSet
from ..infer.infer import Segmented
from ..infer.measurement import measure as measure_cuts
from ..split import codecs_at_cuts, k_best, solve
from .result import JointResult, Round, objective_s

ProblemOf = Callable[[list[Codec], float], Problem]

IDEAL = Codec(name="ideal", ratio=1e12, error=0.0)
"""No bytes, no error, no time: what no codec surpasses."""

_LADDER = 12  # error limits at which sets of cuts for the calibration are planned
_ALIKE = 4  # plans of each of them, best first
_LEAST_SETS = 20  # without which nothing is calibrated


@dataclass(frozen=True)
class Order:
    """What a trainer is asked for.

    Attributes
    ----------
    round : int
        From 1; for names.
    ratios : mapping of int to float
        The plan's cuts, by boundary, with the ratio of the codec that it has there.
    """

    round: int
    ratios: Mapping[int, float]


class Trainer(Protocol):
    """Makes codecs for the cuts of a plan, such as `constellm.train.CutTrainer`."""

    def __call__(self, images: ImageSet, order: Order) -> Mapping[str, Mapping[int, Compressor]]:
        """Codecs by name, which is new, then by boundary, which is one of the order's."""
        ...


def alternate(
    problem_of: ProblemOf,
    net: Segmented,
    training: ImageSet,
    calibration: ImageSet,
    *,
    compressors: Compressors,
    trainer: Trainer,
    test: ImageSet | None = None,
    loss: float = 0.01,
    confidence: float = 0.95,
    rounds: int = 3,
    tolerance: float = 0.01,
    sets: int = 40,
    batch: int = 64,
    seed: int = 0,
    measured: Sequence[MeasuredCuts] = (),
    measure: Callable[..., Any] = measure_cuts,
    report: Callable[[Round], None] | None = None,
) -> JointResult:
    """Train codecs for the cuts of the best plan, measure them, plan again.

    Round 0 measures the menu that there is, calibrates the error limit on it and solves exactly. Every
    further round has codecs trained for exactly the cuts of the last plan, measures them there, adds them to
    the menu, calibrates anew, and solves exactly. Nothing leaves the menu, so the optimum under one
    calibration can only fall; what a new calibration moves by itself is told apart from it
    (`Round.before_s`).

    It stops when the ideal codec (`IDEAL` at every cut, solved exactly) would gain no more than the
    tolerance, when the plan repeats, when a round gains less than the tolerance, or after `rounds`. Codecs
    trained for a plan's cuts make these cuts better than others, so that turns can end where other cuts
    with codecs of their own would do better. Therefore one round is for the cuts of the ideal plan: before
    it would stop for a repeated plan or too small a gain, or where the last plan has no cut at all.

    Parameters
    ----------
    problem_of : callable
        (menu, max_error) → Problem over `net`'s blocks with just these codecs and this limit, error rule
        ``"sum"``. A menu holds ``"none"`` and what was measured, with measured times: those are the one
        thing here that no seed repeats, and may be replaced.
    net : Segmented
        The network, which is not changed.
    training, calibration : ImageSet
        For the codecs; and for measuring and calibrating. They should share no image.
    compressors : mapping of name to Compressor, or to a mapping of boundary to Compressor
        The menu of round 0, without ``"none"``, which is always there.
    trainer : Trainer
        Makes the codecs.
    test : ImageSet, optional
        The plan of every round is measured on these too; nothing depends on what comes of it.
    loss, confidence : float
        Every plan promises to lose at most this share of accuracy, see `codec.Calibration.max_error`.
    rounds : int
        At most so many after round 0.
    tolerance : float
        Gains below this share of the objective do not count.
    sets : int
        Sets of several cuts to calibrate on in round 0, at least 20; a later round measures half as many
        new ones. Two thirds are plans for other error limits as far as there are such, for it is plans that
        the calibration is to hold for; random ones reach beyond what plans accumulate.
    batch : int
        Images that are encoded together.
    seed : int
        Of the random sets.
    measured : sequence of MeasuredCuts
        Rows at hand, of the same calibration images: what is among them is not measured again, and sets of
        several cuts of the menu count towards `sets`.
    measure : callable, optional
        In place of `constellm.infer.measure`; with its arguments, and `rows` in what it returns.
    report : callable, optional
        Called with every round when it is done.

    Returns
    -------
    JointResult

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, `problem_of` gives another problem than asked for or one without a
        plan, or the trainer gives codecs for other cuts or under a name in use.
    """
    for field, value in (("training", training), ("calibration", calibration)):
        instance(field, value, ImageSet)
    count("sets", sets, least=_LEAST_SETS)
    rounds = count("rounds", rounds, least=0)
    tolerance = real("tolerance", tolerance, least=0.0, most=1.0)
    loss = real("loss", loss, least=1e-6, most=1.0)
    if not compressors or "none" in compressors or IDEAL.name in compressors:
        raise ValueError(f"compressors: expected some, none called 'none' or {IDEAL.name!r}")
    table = _Table(net, calibration, batch, measure, measured)
    planner = _Planner(problem_of, table)
    draw = np.random.Generator(np.random.PCG64(seed))
    table.add(compressors)
    first = before = list(compressors)
    ideal = planner.ideal()
    done: list[Round] = []
    stopped, explore, explored = None, False, False
    ideal_cuts = {stage.last_layer + 1 for stage in ideal.stages[:-1]}
    while stopped is None:
        index, train_s = len(done), 0.0
        new: list[str] = []
        cuts_trained: tuple[int, ...] = ()
        if done:
            order = Order(index, planner.ratios(done[-1], ideal, explore))
            explored = explored or explore or order.ratios.keys() == ideal_cuts
            cuts_trained, explore = tuple(order.ratios), False
            start = time.perf_counter()
            made = _checked(trainer(training, order), order, table)
            train_s, new = time.perf_counter() - start, list(made)
            table.add(made)
        wanted = (sets + 1) // 2 if index else max(sets - table.known_sets(), 0)
        table.measure_sets(planner.sets(loss, wanted, draw))
        calibrated = calibrate(table.rows, confidence=confidence)
        limit = calibrated.max_error(loss)
        # With too few images not even an error of nothing allows the promise: then no codec is allowed.
        allowed = calibrated.loss_bound(0.0) <= loss
        menus = [names if allowed else [] for names in (first, before, [*before, *new])]
        values = [planner.solve(names, calibrated, limit) for names in menus]
        start_s, before_s, value_s = map(objective_s, values)
        # A longer menu never hurts; optima are proven to a relative gap, and may differ by that.
        gap = 1 + _core.optimal_gap
        if not value_s <= before_s * gap <= start_s * gap**2:
            raise ValueError(
                f"problem_of: longer menus have optima of {start_s:g}, {before_s:g} and {value_s:g} s: "
                "the problem depends on the menu by more than its codecs"
            )
        cuts = codecs_at_cuts(values[-1])
        done.append(
            Round(
                index=index,
                plan=values[-1],
                start_s=start_s,
                before_s=before_s,
                ideal_s=objective_s(ideal),
                trained=tuple(new),
                trained_cuts=cuts_trained,
                train_s=train_s,
                calibration=calibrated,
                max_error=limit,
                measured=table.row(cuts),
                tested=None if test is None else table.tested(cuts, test),
            )
        )
        if report is not None:
            report(done[-1])
        before = [*before, *new]
        stopped = _stop(done, tolerance)
        if stopped in ("repeats", "gain") and not explored:
            stopped, explore = None, True
        if stopped is None and index == rounds:
            stopped = "rounds"
    return JointResult(tuple(done), stopped, tolerance, table.compressors, tuple(table.rows))


def _stop(done: Sequence[Round], tolerance: float) -> str | None:
    last = done[-1]
    if last.room <= tolerance:
        return "bound"
    if len(done) > 1:
        plan, before = last.plan, done[-2].plan
        if plan.path == before.path and plan.stages == before.stages:
            return "repeats"
        if last.gain < tolerance:
            return "gain"
    return None


class _Table:
    """All that was measured, every codec alone at its boundaries and sets of cuts, and who was measured."""

    def __init__(
        self,
        net: Segmented,
        images: ImageSet,
        batch: int,
        measure: Callable[..., Any],
        known: Sequence[MeasuredCuts],
    ) -> None:
        self.blocks = count("net.blocks", net.blocks, least=2)
        self.compressors: dict[str, AtCuts] = {}
        self._net, self._images, self._batch, self._measure = net, images, batch, measure
        self._rows: dict[tuple[tuple[int, str], ...], MeasuredCuts] = {}
        self._known = {tuple(row.plan.items()): row for row in known}
        for row in known:
            if (row.blocks, row.images) != (self.blocks, len(images)):
                raise ValueError(
                    f"measured: a row of {row.blocks} blocks and {row.images} images, "
                    f"expected {self.blocks} and {len(images)}"
                )

    @property
    def rows(self) -> list[MeasuredCuts]:
        return list(self._rows.values())

    def single(self) -> dict[tuple[int, str], MeasuredCuts]:
        """By boundary and codec."""
        return {cuts[0]: row for cuts, row in self._rows.items() if len(cuts) == 1}

    def known_sets(self) -> int:
        """Take the sets of several cuts that were at hand, as far as the menu has their codecs; how many."""
        names = self.compressors.keys()
        given = [dict(key) for key in self._known if len(key) > 1 and {name for _, name in key} <= names]
        self.measure_sets(given)
        return len(given)

    def row(self, cuts: Mapping[int, str]) -> MeasuredCuts | None:
        """Of a set of cuts, measured now where it was not; None for none."""
        if not cuts:
            return None
        self.measure_sets([dict(cuts)])
        return self._rows[tuple(sorted(cuts.items()))]

    def tested(self, cuts: Mapping[int, str], images: ImageSet) -> MeasuredCuts | None:
        """The same on other images; kept apart."""
        return self._run(images, [dict(cuts)])[0] if cuts else None

    def add(self, compressors: Compressors) -> None:
        """Measure codecs alone, wherever they are."""
        self.compressors.update(compressors)
        inside = range(1, self.blocks)
        alone = [
            {count(f"compressors[{name!r}]", k, most=self.blocks - 1): name}
            for name, at in compressors.items()
            for k in (sorted(at) if isinstance(at, Mapping) else inside)
        ]
        self.measure_sets(alone)

    def measure_sets(self, wanted: Sequence[dict[int, str]]) -> None:
        """Measure sets of cuts that have no row yet."""
        keys = {tuple(sorted(cuts.items())): cuts for cuts in wanted}
        for key in keys:
            if key in self._known:
                self._rows.setdefault(key, self._known[key])
        missing = [cuts for key, cuts in keys.items() if key not in self._rows]
        for row in self._run(self._images, missing) if missing else ():
            self._rows[tuple(row.plan.items())] = row

    def _run(self, images: ImageSet, sets: list[dict[int, str]]) -> list[MeasuredCuts]:
        found = self._measure(
            self._net, images, self.compressors, boundaries=(), combinations=sets, batch=self._batch
        )
        return list(found.rows)


class _Planner:
    """Problems over what was measured."""

    def __init__(self, problem_of: ProblemOf, table: _Table) -> None:
        self._problem_of, self._table = problem_of, table

    def ideal(self) -> Plan:
        return self._solved(self._problem([IDEAL], 0.0))

    def solve(self, names: Sequence[str], calibrated: Calibration, limit: float) -> Plan:
        errors = {pair: w**calibrated.exponent for pair, w in calibrated.weights.items()}
        return self._solved(self._problem(self._menu(names, errors, limit), limit))

    def ratios(self, last: Round, ideal: Plan, explore: bool) -> dict[int, float]:
        """The cuts to train for, with the ratio to go on from: of the last plan, or of the ideal one.

        Where no plan says which ratio, it is the largest whose error is within an equal share of the limit.
        """
        single, coded = self._table.single(), codecs_at_cuts(last.plan)
        if explore or len(last.plan.stages) == 1:
            cuts, coded = [stage.last_layer + 1 for stage in ideal.stages[:-1]], {}
        else:
            cuts = [stage.last_layer + 1 for stage in last.plan.stages[:-1]]
        within = [
            row
            for row in single.values()
            if last.calibration.error(row.plan) <= last.max_error / max(len(cuts), 1)
        ]
        return {
            k: single[k, coded[k]].ratio[0]
            if k in coded
            else max((row.ratio[0] for row in within if row.cuts[0] == k), default=1.0)
            for k in cuts
        }

    def sets(self, loss: float, wanted: int, draw: np.random.Generator) -> list[dict[int, str]]:
        """Sets of several cuts to calibrate on: plans under limits around the right one, then random."""
        single = self._table.single()
        # Losses as they would add up: rough, but it only says which plans to look at.
        errors = {pair: row.expected_loss + row.expected_loss_se for pair, row in single.items()}
        names = list(self._table.compressors)
        ranked = []
        for limit in np.geomspace(loss / 8, loss * 4, _LADDER):
            problem = self._problem(self._menu(names, errors, float(limit)), float(limit))
            ranked.append([codecs_at_cuts(plan) for plan in k_best(problem, _ALIKE)])
        known = {tuple(row.plan.items()) for row in self._table.rows}
        found: dict[tuple[tuple[int, str], ...], None] = {}
        for rank in range(_ALIKE):
            for plans in ranked:
                key = tuple(plans[rank].items()) if rank < len(plans) else ()
                if len(key) > 1 and key not in known and len(found) < -(-2 * wanted // 3):
                    found[key] = None
        pairs = [pair for pair, error in errors.items() if error <= 2 * loss] or list(errors)
        places = sorted({k for k, _ in pairs})
        for _ in range(100 * wanted if len(places) > 1 else 0):
            if len(found) == wanted:
                break
            chosen = draw.choice(places, size=int(draw.integers(2, min(len(places), 4) + 1)), replace=False)
            several = [[pair for pair in pairs if pair[0] == k] for k in np.sort(chosen)]
            key = tuple(some[int(draw.integers(len(some)))] for some in several)
            if key not in known:
                found[key] = None
        return [dict(cuts) for cuts in found]

    def _menu(
        self, names: Sequence[str], errors: Mapping[tuple[int, str], float], limit: float
    ) -> list[Codec]:
        single = self._table.single()
        nowhere = (
            2.0 * limit + 1.0
        )  # the error of a codec where there is none: no plan under the limit has it
        menu = [Codec(name="none", ratio=1.0, error=0.0)]
        for name in names:
            rows = {k: single[k, name] for k in range(1, self._table.blocks) if (k, name) in single}
            ratio = [rows[k].ratio[0] if k in rows else 1.0 for k in range(1, self._table.blocks)]
            error = [errors[k, name] if k in rows else nowhere for k in range(1, self._table.blocks)]
            menu.append(
                Codec(
                    name=name,
                    ratio=max(row.ratio[0] for row in rows.values()),
                    error=min(error),
                    encode_s_per_byte=sum(row.encode_s_per_byte[0] for row in rows.values()) / len(rows),
                    decode_s_per_byte=sum(row.decode_s_per_byte[0] for row in rows.values()) / len(rows),
                    layer_ratio=[*ratio, 1.0],  # nothing is sent to another block after the last
                    layer_error=[*error, 0.0],
                )
            )
        return menu

    def _problem(self, menu: list[Codec], limit: float) -> Problem:
        problem = instance("problem_of", self._problem_of(menu, limit), Problem)
        if len(problem.layers) != self._table.blocks:
            raise ValueError(f"problem_of: {len(problem.layers)} layers, expected {self._table.blocks}")
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
        plan = solve(problem)
        if plan.status != "optimal":
            raise ValueError(f"problem_of: the problem {problem.name!r} has no plan, status {plan.status!r}")
        return plan


def _checked(
    made: Mapping[str, Mapping[int, Compressor]], order: Order, table: _Table
) -> Mapping[str, Mapping[int, Compressor]]:
    for name, at in made.items():
        if name in table.compressors or name in ("none", IDEAL.name):
            raise ValueError(f"trainer: the name {name!r} is in use")
        if not at or not at.keys() <= order.ratios.keys():
            raise ValueError(f"trainer: {name!r} is for cuts {sorted(at)}, asked for {sorted(order.ratios)}")
    return made
