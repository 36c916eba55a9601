"""Results of turns of planning and training, round by round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._core.split import Plan
from ..codec.calibration import Calibration
from ..codec.compressor import Compressor, Compressors
from ..codec.measured_cuts import MeasuredCuts
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..split import codecs_at_cuts, compressors_at_cuts
from ..split.display import layout_text

STOPS = {
    "bound": "no codec whatever could gain more than the tolerance",
    "repeats": "the plan is that of the round before",
    "gain": "the round gained less than the tolerance",
    "rounds": "no further round was allowed",
}
"""Why it may stop."""

COLUMNS = {
    "round": "0: nothing trained yet",
    "plan": "who hosts which blocks, and the codec of what is sent on",
    "objective_s": "delay, or time between two results, of the plan [s]",
    "lower_bound_s": "no plan with this menu and limit has less [s]; from the exact search",
    "start_s": "optimum with the menu of round 0, under this round's calibration [s]",
    "before_s": "optimum with the menu of the round before, under this round's calibration [s]",
    "ideal_s": "optimum with a codec of no bytes, error or time at every cut [s]",
    "gain": "1 − objective_s ÷ before_s: what the round's codecs gained",
    "share": "(start_s − objective_s) ÷ (start_s − ideal_s): of all that codecs could gain",
    "bytes": "over all hops and micro-batches [B]",
    "trained": "codecs trained in this round",
    "trained_cuts": "boundaries that they were trained for",
    "train_s": "time to train them [s]",
    "max_error": "limit of the accumulated error",
    "promised_loss": "of accuracy, with the calibration's confidence",
    "expected_loss": "of accuracy, by the calibration",
    "measured_loss": "on the calibration images, expected over labels, see `codec.Flips`",
    "test_loss": "on the test images, by their labels; NaN where there are none",
    "test_loss_se": "its standard error",
    "test_expected_loss": "on the test images, expected over labels",
    "test_expected_loss_se": "its standard error",
    "test_accuracy": "with the plan's cuts; NaN where nothing was tested",
}
"""Of `JointResult.rows`."""


@dataclass(frozen=True, eq=False)
class Round:
    """One round: a plan, and what it rests on.

    Attributes
    ----------
    index : int
        0: nothing trained yet.
    plan : Plan
        The optimum, with status and bound.
    start_s, before_s : float
        Optimum with the menu of round 0, and with that of the round before, both under this round's
        calibration; equal to the plan's in round 0 [s].
    ideal_s : float
        Optimum with a codec of no bytes, error or time at every cut [s].
    trained : tuple of str
        Names of the codecs of this round.
    trained_cuts : tuple of int
        Boundaries that they were trained for.
    train_s : float
        Time to train them [s].
    calibration : Calibration
        Of this round.
    max_error : float
        Limit of the accumulated error, from the calibration.
    measured, tested : MeasuredCuts or None
        The plan's cuts on calibration and test images; None where it has none, or there are no images.

    Examples
    --------
    See `constellm.codesign.alternate`.
    """

    index: int
    plan: Plan
    start_s: float
    before_s: float
    ideal_s: float
    trained: tuple[str, ...]
    trained_cuts: tuple[int, ...]
    train_s: float
    calibration: Calibration
    max_error: float
    measured: MeasuredCuts | None
    tested: MeasuredCuts | None

    @property
    def objective_s(self) -> float:
        """Delay, or time between two results, of the plan [s]."""
        return objective_s(self.plan)

    @property
    def gain(self) -> float:
        """Share of the objective that the codecs of this round saved."""
        return 1.0 - self.objective_s / self.before_s

    @property
    def room(self) -> float:
        """Share of the objective that the ideal codec would save."""
        return 1.0 - self.ideal_s / self.objective_s

    @property
    def share(self) -> float:
        """Of what the ideal codec saves against the menu of round 0; 1 where that is nothing."""
        possible = self.start_s - self.ideal_s
        return (self.start_s - self.objective_s) / possible if possible > 0.0 else 1.0

    def row(self) -> dict[str, Any]:
        """The figures of `COLUMNS`."""
        nan = float("nan")
        test, lossless = self.tested, not codecs_at_cuts(self.plan)
        error = min(self.plan.error, self.max_error)  # a plan may touch the limit, up to rounding
        return {
            "round": self.index,
            "plan": layout_text(self.plan.stages),
            "objective_s": self.objective_s,
            "lower_bound_s": self.plan.lower_bound_s,
            "start_s": self.start_s,
            "before_s": self.before_s,
            "ideal_s": self.ideal_s,
            "gain": self.gain,
            "share": self.share,
            "bytes": self.plan.bytes,
            "trained": ", ".join(self.trained),
            "trained_cuts": ", ".join(map(str, self.trained_cuts)),
            "train_s": self.train_s,
            "max_error": self.max_error,
            "promised_loss": 0.0 if lossless else self.calibration.loss_bound(error),
            "expected_loss": 0.0 if lossless else self.calibration.loss(error),
            "measured_loss": 0.0 if self.measured is None else self.measured.expected_loss,
            "test_loss": nan if test is None else test.loss,
            "test_loss_se": nan if test is None else test.loss_se,
            "test_expected_loss": nan if test is None else test.expected_loss,
            "test_expected_loss_se": nan if test is None else test.expected_loss_se,
            "test_accuracy": nan if test is None else test.accuracy,
        }


@dataclass(frozen=True, eq=False)
class JointResult(Displayed):
    """What `alternate` returns.

    Attributes
    ----------
    rounds : tuple of Round
        In order.
    stopped_because : str
        A key of `STOPS`.
    tolerance : float
        Gains below this share of the objective did not count.
    compressors : dict of str to Compressor, or to a mapping of boundary to Compressor
        The whole menu, what was trained included.
    measured : tuple of MeasuredCuts
        All rows, to go on from.

    Examples
    --------
    See `constellm.codesign.alternate`.
    """

    rounds: tuple[Round, ...]
    stopped_because: str
    tolerance: float
    compressors: Compressors
    measured: tuple[MeasuredCuts, ...]

    @property
    def plan(self) -> Plan:
        """Of the last round."""
        return self.rounds[-1].plan

    def cuts(self, round: int = -1) -> dict[int, Compressor]:
        """The compressors at the cuts of a round's plan, by boundary, for `constellm.infer.infer`."""
        return compressors_at_cuts(self.rounds[round].plan, self.compressors)

    def rows(self) -> list[dict[str, Any]]:
        """A dict a round, with the keys of `COLUMNS`."""
        return [done.row() for done in self.rounds]

    def __repr__(self) -> str:
        last = self.rounds[-1]
        return (
            f"JointResult({counted(len(self.rounds) - 1, 'round')} of training, {last.objective_s:.4g} s, "
            f"{last.share:.0%} of the possible gain, stopped: {self.stopped_because})"
        )

    def _display(self) -> Display:
        return Display([repr(self), self._reason()], [self._table()])

    def _table(self) -> Table:
        return Table(_SHOWN, tuple(_cells(done.row()) for done in self.rounds))

    def _reason(self) -> str:
        last = self.rounds[-1]
        return (
            f"Stopped: {STOPS[self.stopped_because]} (tolerance {self.tolerance:.1%}); "
            f"{last.share:.0%} of what codecs could gain, at most {last.room:.1%} is left."
        )


def objective_s(plan: Plan) -> float:
    """What a plan was sought by [s]."""
    return plan.objective_s


_SHOWN = ("round", "plan", "objective", "bound", "gain", "of possible", "sent", "promised", "test", "trained")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    def share(value: float, digits: int) -> str:
        return "–" if value != value else f"{100 * value:.{digits}f} %"

    first = row["round"] == 0
    tested = row["test_loss"] == row["test_loss"]
    codecs = f"{counted(row['trained'].count(',') + 1, 'codec')} at {row['trained_cuts']}"
    training = "–" if first else f"{codecs}, {quantity(row['train_s'], 's')}"
    return (
        str(row["round"]),
        row["plan"],
        quantity(row["objective_s"], "s", digits=4),
        quantity(row["lower_bound_s"], "s", digits=4),
        "–" if first else share(row["gain"], 1),
        share(row["share"], 0),
        quantity(row["bytes"], "B"),
        share(row["promised_loss"], 2),
        f"{share(row['test_loss'], 2)} ± {share(row['test_loss_se'], 2)}" if tested else "–",
        training,
    )
