"""What decisions buy: every combination on its exact schedule, and the best under limits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import ceil, inf, isnan, nan
from typing import Any

import numpy as np

from ..core.checks import count, instance, known_keywords, real, short
from ..core.display import Display, Displayed
from ..core.quantity import quantity
from ..core.table import Table
from ..core.value import Value
from .fleet import Fleet
from .scheduling import schedule_rounds
from .scheme import SCHEMES, Scheme
from .workload import Workload

OPTIONS: dict[str, tuple[Any, ...]] = {
    "cut": (None, 0, 1),
    "dtype": ("float32", "float16"),
    "all_gather": (False, True),
    "cache": (False, True),
}
"""What `decide` tries of each decision unless told otherwise."""


@dataclass(frozen=True, eq=False)
class Decision(Value):
    """A scheme and what it takes; a row of what `decide` gives.

    Examples
    --------
    >>> from constellm import tune
    >>> figures = {"delay_s": 51.1, "sent_bytes": 9e9, "energy_j": 1e5, "memory_bytes": 3.8e6}
    >>> one = tune.Decision(
    ...     tune.Scheme(), 10, "optimal", **figures, error=0.0, accuracy=0.9, within=True
    ... )
    >>> one.rounds, one.scheme.describe()
    (10, 'cut 1, float32')
    """

    scheme: Scheme
    rounds: int
    """Between orbits."""
    status: str
    """Of the `Rounds`."""
    delay_s: float
    """Of all of them; NaN where they are unfinished [s]."""
    sent_bytes: float
    energy_j: float
    memory_bytes: float
    """See `board_memory_bytes` [B]."""
    error: float
    """That of the codec at the cut; 0 without one."""
    accuracy: float
    """As it was told; NaN where it was not."""
    within: bool
    """Whether it finishes within all limits."""


@dataclass(frozen=True)
class Decisions(Displayed):
    """Combinations of decisions by time; what `decide` gives.

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> found = tune.decide(tune.spectral_gpt(), fleet, rounds=10)
    >>> found
    Decisions(20 of 20 within the limits, best: raw images, float16, cached, 675 ms)
    >>> for step, row in found.ladder(order=("all_gather", "cache", "cut", "dtype")):
    ...     print(step, round(row.delay_s, 2))
    cut 1, float32, all-gather 76.28
    no all-gather 51.11
    cache 5.11
    cut 0 0.68
    dtype float16 0.68
    """

    rows: tuple[Decision, ...]
    """The fastest first, those that are unfinished last."""
    base: Scheme

    @property
    def best(self) -> Decision | None:
        """The fastest within the limits; None where there is none."""
        return next((row for row in self.rows if row.within), None)

    def row(self, scheme: Scheme) -> Decision | None:
        """That of a scheme; None where it was not tried."""
        return next((row for row in self.rows if row.scheme == scheme), None)

    def ladder(self, *, order: Sequence[str] | None = None) -> list[tuple[str, Decision]]:
        """From the base to the best, one decision at a time: what each buys after those before it.

        Parameters
        ----------
        order : sequence of str, optional
            Decisions in the order in which they are changed. Default: always that which saves most.

        Returns
        -------
        list of (str, Decision)
            First the base itself. Decisions that only go together are changed together.

        Raises
        ------
        ValueError
            Where the base was not tried, or nothing is within the limits, or the order names no decision.
        """
        here, best = self.row(self.base), self.best
        if here is None or best is None:
            raise ValueError(
                f"base: {self.base.describe()} was not tried" if here is None else "limits: nothing is within"
            )
        names = [of.name for of in fields(Scheme)]
        for name in order or ():
            if name not in names:
                raise ValueError(f"order: {short(name)} is not one of {', '.join(map(repr, names))}")
        steps = [(self.base.describe(), here)]
        while here.scheme != best.scheme:
            open_ = [n for n in names if getattr(here.scheme, n) != getattr(best.scheme, n)]
            if order is not None:
                open_.sort(key=lambda name: order.index(name) if name in order else len(order))
            step, here = self._step(here, best, open_, greedy=order is None)
            steps.append((step, here))
        return steps

    def _step(
        self, here: Decision, best: Decision, names: Sequence[str], *, greedy: bool
    ) -> tuple[str, Decision]:
        """The next change: of the fewest decisions at once that were tried."""
        for size in range(1, len(names) + 1):
            found = []
            for some in itertools.combinations(names, size):
                changes = {name: getattr(best.scheme, name) for name in some}
                try:
                    row = self.row(here.scheme.replace(**changes))
                except ValueError:
                    continue
                if row is not None:
                    found.append((", ".join(_words(*change) for change in changes.items()), row))
            if found:
                return min(found, key=lambda one: _late(one[1].delay_s)) if greedy else found[0]
        raise AssertionError("the best scheme itself was tried")

    def __repr__(self) -> str:
        within = sum(row.within for row in self.rows)
        best = (
            ""
            if self.best is None
            else (f", best: {self.best.scheme.describe()}, {quantity(self.best.delay_s, 's')}")
        )
        return f"Decisions({within} of {len(self.rows)} within the limits{best})"

    def to_table(self) -> Table:
        """A row for each."""
        return Table.of(
            {
                "scheme": row.scheme.describe(),
                "rounds": row.rounds,
                "delay_s": row.delay_s,
                "sent_bytes": row.sent_bytes,
                "energy_j": row.energy_j,
                "memory_bytes": row.memory_bytes,
                "error": row.error,
                "accuracy": row.accuracy,
                "within": row.within,
                "status": row.status,
            }
            for row in self.rows
        )

    def _display(self) -> Display:
        return Display([repr(self)], [self.to_table()])


def decide(
    workload: Workload,
    fleet: Fleet,
    *,
    rounds: int,
    options: Mapping[str, Iterable[Any]] | None = None,
    base: Scheme = SCHEMES["paper"],
    start_s: float = 0.0,
    accuracy: Callable[[Scheme], float] | None = None,
    min_accuracy: float = -inf,
    max_error: float = inf,
    max_energy_j: float = inf,
    max_memory_bytes: float = inf,
    time_limit_s: float = inf,
) -> Decisions:
    """Try every combination of decisions on its schedule, and tell which is fastest within limits.

    Parameters
    ----------
    workload, fleet, start_s, time_limit_s
        As of `schedule_rounds`.
    rounds : int
        Updates of every satellite; with ``local_rounds`` L, planes sum up with each other in every L-th.
    options : mapping from str to sequence, optional
        What is tried, by field of `Scheme`; default: `OPTIONS`. Combinations that a scheme refuses are left
        out.
    base : Scheme
        Has the decisions that are not open, and is where `Decisions.ladder` begins.
    accuracy : callable, optional
        Of a scheme, as it was measured or is foretold.
    min_accuracy, max_error, max_energy_j, max_memory_bytes : float
        Limits; energy that is not known is within none but infinity.

    Returns
    -------
    Decisions

    Raises
    ------
    TypeError, ValueError
        For what is no decision, no option, and as `schedule_rounds`.

    Examples
    --------
    >>> from constellm import codec, network, tune
    >>> plan = network.ContactPlan(
    ...     ["a", "b", "g"], from_=[0, 1, 0, 2], to=[1, 0, 2, 0], open_s=0, close_s=1e4, rate_bps=1e9
    ... )
    >>> fleet = tune.Fleet(
    ...     plan, [["a", "b"]], ["g"], images=100, board_flop_per_s=1e12, server_flop_per_s=1e15
    ... )
    >>> codecs = [None, *codec.gumbel_mask(keep=[0.221])]
    >>> found = tune.decide(
    ...     tune.spectral_gpt(), fleet, rounds=10, base=tune.SCHEMES["network-flow"],
    ...     options={"cut": [0, 1], "codec": codecs, "cache": [True]},
    ... )
    >>> [(row.scheme.describe(), round(row.delay_s, 3)) for row in found.rows]
    [('cut 1, gumbel-mask-0.221-b8, cached', 0.275), ('raw images, float32, cached', 0.679),
    ('cut 1, float32, cached', 5.113)]
    """
    wanted = count("rounds", rounds)
    instance("base", base, Scheme)
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"options: expected values by decision, got {short(options)}")
    given = dict(OPTIONS if options is None else options)
    if accuracy is not None and not callable(accuracy):
        raise TypeError(f"accuracy: expected a function of a scheme, got {short(accuracy)}")
    known_keywords("options", given, [of.name for of in fields(Scheme)])
    limits = {
        "min_accuracy": real("min_accuracy", min_accuracy),
        "max_error": real("max_error", max_error),
        "max_energy_j": real("max_energy_j", max_energy_j),
        "max_memory_bytes": real("max_memory_bytes", max_memory_bytes),
    }
    rows = []
    for scheme in _schemes(base, {name: _several(name, values) for name, values in given.items()}):
        between = ceil(wanted / scheme.local_rounds)
        done = schedule_rounds(
            workload, fleet, scheme, rounds=between, start_s=start_s, time_limit_s=time_limit_s
        )
        judged = nan if accuracy is None else real("accuracy", accuracy(scheme))
        row = Decision(
            scheme, between, done.status, done.delay_s, done.sent_bytes, done.energy_j,
            board_memory_bytes(workload, fleet, scheme), scheme.error, judged, within=False,
        )  # fmt: skip
        rows.append(_judged(row, **limits))
    if not rows:
        raise ValueError("options: no combination of them is a scheme")
    return Decisions(tuple(sorted(rows, key=lambda row: _late(row.delay_s))), base)


def board_memory_bytes(workload: Workload, fleet: Fleet, scheme: Scheme) -> float:
    """What a satellite has to hold for a scheme, not counting its own raw images and what it relays.

    The weights on board, the head and adapters, its share of what waits to go down (all of its plane's after
    an all-gather), and the features of its images; float32, but for what waits.

    Parameters
    ----------
    workload : Workload
    fleet : Fleet
    scheme : Scheme

    Returns
    -------
    float
        Of the satellite that holds most [B].

    Examples
    --------
    >>> from constellm import network, tune
    >>> plan = network.ContactPlan(["a", "g"], from_=[0], to=[1], open_s=0, close_s=1e4, rate_bps=1e9)
    >>> fleet = tune.Fleet(plan, [["a"]], ["g"], images=500, board_flop_per_s=1e12, server_flop_per_s=1e15)
    >>> for name in ("paper", "on-board"):
    ...     held = tune.board_memory_bytes(tune.spectral_gpt(), fleet, tune.SCHEMES[name])
    ...     print(name, f"{held / 1e6:.0f} MB")
    paper 1578 MB
    on-board 344 MB
    """
    cut = workload.layers if scheme.cut is None else scheme.cut
    waiting, first = [], 0
    for ring in fleet.rings:
        images = fleet.images[first : first + len(ring)]
        first += len(ring)
        own = images if scheme.cut != 0 else np.zeros(len(ring))
        waiting.append(float((images.sum() - images + own if scheme.all_gather else own).max()))
    held = max(waiting) * scheme.sent_image_bytes(workload)
    features = 0.0
    if scheme.cut is not None or scheme.cache:
        features = workload.feature_bytes * float(fleet.images.max())
    adapters = workload.lora_bytes(scheme.lora_rank) - workload.head_bytes
    return float(workload.board_weight_bytes(cut) + held + features + adapters)


def _several(name: str, values: Any) -> list[Any]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"options[{name!r}]: expected several values, got {short(values)}")
    several = list(values)
    if not several:
        raise ValueError(f"options[{name!r}]: must not be empty")
    return several


def _schemes(base: Scheme, options: Mapping[str, Sequence[Any]]) -> list[Scheme]:
    """All combinations that are schemes, each once."""
    found: list[Scheme] = []
    refused: ValueError | None = None
    for values in itertools.product(*options.values()):
        try:
            scheme = base.replace(**dict(zip(options, values)))
        except ValueError as error:
            refused = error
            continue
        if scheme not in found:
            found.append(scheme)
    if not found and refused is not None:
        raise refused
    return found


def _judged(row: Decision, **limits: float) -> Decision:
    within = not isnan(row.delay_s) and row.error <= limits["max_error"]
    within &= row.memory_bytes <= limits["max_memory_bytes"]
    within &= limits["max_energy_j"] == inf or row.energy_j <= limits["max_energy_j"]
    within &= limits["min_accuracy"] == -inf or row.accuracy >= limits["min_accuracy"]
    given = {of.name: getattr(row, of.name) for of in fields(row)}
    return Decision(**{**given, "within": within})


def _late(delay_s: float) -> float:
    return inf if isnan(delay_s) else delay_s


def _words(name: str, value: Any) -> str:
    """A decision that was taken, in words."""
    words = {"all_gather": "all-gather"}.get(name, name.replace("_", " "))
    if isinstance(value, bool):
        return words if value else f"no {words}"
    if value is None:
        return "all on board" if name == "cut" else f"no {words}"
    return f"{words} {getattr(value, 'name', value)}"
