"""Turns of planning and training: codecs for the cuts of the last plan, a plan for all codecs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .. import _core
from ..codec.calibration import calibrate
from ..codec.compressor import Compressor, Compressors
from ..core.checks import instance, short
from ..core.keywords import with_hints
from ..images import ImageSet
from ..infer.infer import Segmented
from ..split import codecs_at_cuts
from .campaign import Campaign, Images, Measuring, Order, Trainer
from .measurements import Measurements
from .old_arguments import with_old_arguments
from .planner import IDEAL, Planner, ProblemOf, cuts_of
from .result import JointResult, Round, objective_s


@with_old_arguments
@with_hints
def alternate(
    problem_of: ProblemOf,
    net: Segmented,
    images: Images,
    *,
    compressors: Compressors,
    trainer: Trainer,
    campaign: Campaign | None = None,
    measuring: Measuring | None = None,
    report: Callable[[Round], None] | None = None,
) -> JointResult:
    """Train codecs for the cuts of the best plan, measure them, plan again.

    Round 0 measures the menu that there is, calibrates the error limit on it and solves exactly. Every
    further round has codecs trained for exactly the cuts of the last plan, measures them there, adds them to
    the menu, calibrates anew, and solves exactly. Nothing leaves the menu, so the optimum under one
    calibration can only fall; what a new calibration moves by itself is told apart from it
    (`Round.before_s`).

    It stops when the ideal codec (`IDEAL` at every cut, solved exactly) would gain no more than the
    tolerance, when the plan repeats, when a round gains less than the tolerance, or after the rounds of the
    campaign. Codecs trained for a plan's cuts make these cuts better than others, so that turns can end where
    other cuts with codecs of their own would do better. Therefore one round is for the cuts of the ideal
    plan: before it would stop for a repeated plan or too small a gain, or where the last plan has no cut at
    all.

    Parameters
    ----------
    problem_of : callable
        (menu, max_error) → Problem over `net`'s blocks with just these codecs and this limit, error rule
        ``"sum"``. A menu holds ``"none"`` and what was measured, with measured times: those are the one
        thing here that no seed repeats, and may be replaced.
    net : Segmented
        The network, such as `constellm.infer.OnnxModel`, which is not changed.
    images : Images
        For training, calibrating and, if there are such, testing.
    compressors : mapping of name to Compressor, or to a mapping of boundary to Compressor
        The menu of round 0, without ``"none"``, which is always there.
    trainer : Trainer
        Makes the codecs.
    campaign : Campaign, optional
        The promise, the end and the extent; default: ``Campaign()``.
    measuring : Measuring, optional
        How cuts are measured, and rows at hand; default: ``Measuring()``.
    report : callable, optional
        Called with every round when it is done.

    Returns
    -------
    JointResult

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, `problem_of` gives another problem than asked for or one without a
        plan, or the trainer gives no codecs, or codecs for other cuts or under a name in use.

    Examples
    --------
    >>> from constellm import codec, codesign, images, infer, network, split
    >>> net = infer.load()
    >>> sets = codesign.Images(training=images.synthetic(20), calibration=images.sample().per_class(1))
    >>> def problem_of(codecs, max_error):
    ...     chain = network.chain(3, flop_per_s=1e11, memory_bytes=50e6, rate_bps=2e7)
    ...     return split.Problem(model=net.profile(batch=8), network=chain, codecs=codecs, micro_batches=4,
    ...                          max_error=max_error)
    >>> def trainer(images, order):
    ...     return {f"new-{order.round}": dict.fromkeys(order.ratios, codec.Direct(codec.Scheme(bits=3)))}
    >>> result = codesign.alternate(
    ...     problem_of, net, sets, compressors={"four": codec.Direct(codec.Scheme(bits=4))}, trainer=trainer,
    ...     campaign=codesign.Campaign(loss=0.3, rounds=1, sets=20),
    ... )
    >>> result.stopped_because in codesign.STOPS
    True
    >>> [(done.index, done.trained) for done in result.rounds]
    [(0, ()), (1, ('new-1',))]
    """
    instance("images", images, Images)
    campaign = Campaign() if campaign is None else instance("campaign", campaign, Campaign)
    measuring = Measuring() if measuring is None else instance("measuring", measuring, Measuring)
    if not compressors or "none" in compressors or IDEAL.name in compressors:
        raise ValueError(f"compressors: expected some, none called 'none' or {IDEAL.name!r}")
    measurements = Measurements(net, images.measured(), campaign.batch, measuring)
    measurements.add(compressors)
    turns = _Turns(Planner(problem_of, measurements), measurements, campaign, images.test)
    done: list[Round] = []
    trained = _Trained()
    explored = False  # whether the cuts of the ideal plan had their codecs
    stopped = None
    while stopped is None:
        done.append(turns.round(len(done), trained))
        if report is not None:
            report(done[-1])
        stuck = _stuck(done, campaign.tolerance)
        stopped = _stopped(done, stuck if explored else None, campaign)
        if stopped is None:
            order = turns.planner.order(done[-1], turns.ideal, explore=stuck is not None)
            explored = explored or list(order.ratios) == cuts_of(turns.ideal)
            trained = _train(trainer, images.training, order, measurements)
    return JointResult(
        tuple(done), stopped, campaign.tolerance, measurements.compressors, tuple(measurements.rows)
    )


@dataclass(frozen=True)
class _Trained:
    """What a round's training gave: nothing in round 0."""

    names: tuple[str, ...] = ()
    cuts: tuple[int, ...] = ()
    seconds: float = 0.0


def _train(trainer: Trainer, images: ImageSet, order: Order, measurements: Measurements) -> _Trained:
    """Have codecs trained, check them, and measure them alone."""
    start = time.perf_counter()
    made: Mapping[str, Mapping[int, Compressor]] = trainer(images, order)
    seconds = time.perf_counter() - start
    if not isinstance(made, Mapping) or not all(isinstance(at, Mapping) for at in made.values()):
        raise TypeError(
            f"trainer: expected codecs by name, then by boundary, as {{'new': {{4: …}}}}, got {short(made)}"
        )
    for name, at in made.items():
        if name in measurements.compressors or name in ("none", IDEAL.name):
            raise ValueError(f"trainer: the name {name!r} is in use")
        if not at or not at.keys() <= order.ratios.keys():
            raise ValueError(f"trainer: {name!r} is for cuts {sorted(at)}, asked for {sorted(order.ratios)}")
    measurements.add(made)
    return _Trained(tuple(made), tuple(order.ratios), seconds)


class _Turns:
    """What every round does with the codecs that there are."""

    def __init__(
        self, planner: Planner, measurements: Measurements, campaign: Campaign, test: ImageSet | None
    ) -> None:
        self.planner, self.ideal = planner, planner.ideal()
        self._measurements, self._campaign, self._test = measurements, campaign, test
        self._draw = np.random.Generator(np.random.PCG64(campaign.seed))
        self._menus = [list(measurements.compressors)]

    def round(self, index: int, trained: _Trained) -> Round:
        """Measure sets of cuts, calibrate on them, and solve with the first, the last and the new menu."""
        campaign, measurements = self._campaign, self._measurements
        if index == 0:
            wanted = max(campaign.sets - measurements.take_known_sets(), 0)
        else:
            wanted = (campaign.sets + 1) // 2
        measurements.measure_sets(self.planner.sets(campaign.loss, wanted, self._draw))
        calibrated = calibrate(measurements.rows, confidence=campaign.confidence)
        # What images and sets are too few to promise is kept by plans without codecs alone.
        allowed = campaign.loss >= calibrated.least_promise()
        limit = calibrated.max_error(campaign.loss) if allowed else 0.0
        first, before = self._menus[0], self._menus[-1]
        self._menus.append([*before, *trained.names])
        plans = [
            self.planner.solve(names if allowed else [], calibrated, limit)
            for names in (first, before, self._menus[-1])
        ]
        start_s, before_s, value_s = map(objective_s, plans)
        # A longer menu never hurts; optima are proven to a relative gap, and may differ by that.
        gap = 1 + _core.split.optimal_gap
        if not value_s <= before_s * gap <= start_s * gap**2:
            raise ValueError(
                f"problem_of: longer menus have optima of {start_s:g}, {before_s:g} and {value_s:g} s: "
                "the problem depends on the menu by more than its codecs"
            )
        cuts = codecs_at_cuts(plans[-1])
        return Round(
            index=index,
            plan=plans[-1],
            start_s=start_s,
            before_s=before_s,
            ideal_s=objective_s(self.ideal),
            trained=trained.names,
            trained_cuts=trained.cuts,
            train_s=trained.seconds,
            calibration=calibrated,
            max_error=limit,
            measured=measurements.row(cuts),
            tested=None if self._test is None else measurements.on(self._test, cuts),
        )


def _stuck(done: Sequence[Round], tolerance: float) -> str | None:
    """Why turns do not help any more, if so: a key of `STOPS`."""
    if len(done) > 1:
        plan, before = done[-1].plan, done[-2].plan
        if plan.path == before.path and plan.stages == before.stages:
            return "repeats"
        if done[-1].gain < tolerance:
            return "gain"
    return None


def _stopped(done: Sequence[Round], stuck: str | None, campaign: Campaign) -> str | None:
    """Why it ends with the last round, if so: a key of `STOPS`."""
    if done[-1].room <= campaign.tolerance:
        return "bound"
    return stuck or ("rounds" if len(done) > campaign.rounds else None)
