"""Task-oriented communication: what is sent at a split, by the accuracy that it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..codec import MeasuredCuts
from ..core.checks import instance, positive, real, short
from ..core.display import Display, Displayed
from ..core.plain import as_object
from ..core.quantity import counted
from ..core.table import Table
from .problem import Problem
from .tasks import Input, Stage, Task

Split = tuple[str, str]
SOURCE, SINK = "source", "sink"

_ROOM = 1e-12  # of a limit of losses: sums of them are rounded


@dataclass(frozen=True)
class Option:
    """A way to send data at a split.

    Parameters
    ----------
    codec : str
        Its name.
    ratio : float
        Bytes without it over bytes with it, > 0.
    loss : float
        Accuracy that it costs, as a fraction, in [-1, 1]; one that was measured may be a little below 0.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the allowed range.

    Examples
    --------
    >>> from constellm import services
    >>> services.Option("quantise-4", ratio=7.9, loss=0.002).ratio
    7.9
    """

    codec: str
    ratio: float
    loss: float

    def __post_init__(self) -> None:
        instance("codec", self.codec, str)
        object.__setattr__(self, "ratio", positive("ratio", self.ratio))
        object.__setattr__(self, "loss", real("loss", self.loss, least=-1.0, most=1.0))


AS_IT_IS = Option("none", 1.0, 0.0)


class Choice(NamedTuple):
    """Of a task, what is sent how.

    Examples
    --------
    See `constellm.services.RateAccuracy`.
    """

    options: tuple[Option, ...]
    """Of each of its transfers: inputs by stage, then the answer."""
    bytes: float
    """Of all its transfers [B]."""
    loss: float
    """Sum of the options'."""


class Compressed(NamedTuple):
    """A problem with smaller transfers, and how each task got them.

    Examples
    --------
    See `constellm.services.RateAccuracy`.
    """

    problem: Problem
    choices: dict[str, Choice]
    """By name of the task."""


@dataclass(frozen=True, repr=False)
class RateAccuracy(Displayed):
    """Rates and accuracies at splits: for each what can be sent, and what it costs.

    Losses of the splits of a task add up: an assumption, near the truth for small ones.

    Parameters
    ----------
    options : mapping of (str, str) to sequence of Option
        By split: the service that sends and the one that receives; ``"source"`` and ``"sink"`` for a task's
        ends. Sending the data as it is is an option at every split, and need not be given.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the allowed range.

    Examples
    --------
    >>> from constellm import services
    >>> four = services.Option("quantise-4", ratio=8.0, loss=0.004)
    >>> two = services.Option("quantise-2", ratio=16.0, loss=0.02)
    >>> table = services.RateAccuracy({("image-encoder", "projector"): [four, two]})
    >>> problem = services.scenario(seed=1, templates=["captioning"], tasks=1)
    >>> smaller, choices = table.compressed(problem, max_loss=0.01)
    >>> [task.stages[1].inputs[0].bytes for task in (problem.tasks[0], smaller.tasks[0])]
    [1179648.0, 147456.0]
    >>> [option.codec for option in choices[problem.tasks[0].name].options]
    ['none', 'quantise-4', 'none', 'none']
    """

    options: Mapping[Split, tuple[Option, ...]]

    def __post_init__(self) -> None:
        made: dict[Split, tuple[Option, ...]] = {}
        for split, given in as_object("options", self.options).items():
            if not isinstance(split, tuple) or len(split) != 2 or not all(isinstance(x, str) for x in split):
                raise TypeError(f"options: expected pairs of names of services, got {short(split)}")
            if isinstance(given, Option) or not isinstance(given, Iterable):
                raise TypeError(f"options[{split!r}]: expected a sequence of Option, got {short(given)}")
            made[split] = tuple(instance(f"options[{split!r}]", one, Option) for one in given)
        object.__setattr__(self, "options", made)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of_measured(
        cls, rows: Iterable[MeasuredCuts], splits: Mapping[Split, int], *, expected: bool = True
    ) -> RateAccuracy:
        """From what was measured of codecs at cuts of a model, one cut at a time.

        Parameters
        ----------
        rows : iterable of codec.MeasuredCuts
            Such as those of `infer.measured_cuts` or `infer.measure`; rows of several cuts are left out.
        splits : mapping of (str, str) to int
            Which cut of the model stands between two services: k, after k blocks.
        expected : bool
            Whether the loss is the expected one, with less noise, or that which was counted on the images.

        Returns
        -------
        RateAccuracy

        Raises
        ------
        TypeError, ValueError
            For a cut that no row measures, and as the class.

        Examples
        --------
        >>> from constellm import infer, services
        >>> table = services.RateAccuracy.of_measured(
        ...     infer.measured_cuts(), {("landuse-front", "landuse-back"): 6}
        ... )
        >>> len(table.options["landuse-front", "landuse-back"])
        10
        """
        single = [row for row in rows if len(instance("rows", row, MeasuredCuts).cuts) == 1]
        found: dict[Split, list[Option]] = {}
        for split, cut in splits.items():
            found[split] = [
                Option(row.codecs[0], row.ratio[0], row.expected_loss if expected else row.loss)
                for row in single
                if row.cuts[0] == cut
            ]
            if not found[split]:
                raise ValueError(f"splits[{split!r}]: no row measures a codec at cut {cut} alone")
        return cls({split: tuple(given) for split, given in found.items()})

    def choose(self, task: Task, max_loss: float) -> Choice:
        """The options that send the least bytes in all within a limit of losses: exact.

        Every split has an option that costs nothing, so that there is always a choice for a limit >= 0. Of
        equal bytes the least loss counts, then options that come first.

        Parameters
        ----------
        task : services.Task
        max_loss : float
            Of the sum of the losses, in [0, 1].

        Returns
        -------
        Choice

        Raises
        ------
        TypeError, ValueError
            For what is no task or limit.
        """
        instance("task", task, Task)
        limit = real("max_loss", max_loss, least=0.0, most=1.0) + _ROOM
        transfers = list(_transfers(task))
        # Pareto front of (bytes, loss) over the transfers so far: a multiple choice knapsack. A loss that was
        # measured below 0 may make room, so the limit is held against the least that is still to come.
        offered = [(size, (AS_IT_IS, *self.options.get(split, ()))) for split, size in transfers]
        ahead = [0.0]
        for _, options in reversed(offered):
            ahead.append(ahead[-1] + min(option.loss for option in options))
        front: list[_State] = [_State(0.0, 0.0, ())]
        for (size, options), rest in zip(offered, reversed(ahead[:-1])):
            grown = [
                _State(state.bytes + size / option.ratio, state.loss + option.loss, (*state.picked, i))
                for state in front
                for i, option in enumerate(options)
            ]
            front = _pareto([state for state in grown if state.loss + rest <= limit])
        best = front[0]
        return Choice(
            tuple(options[i] for (_, options), i in zip(offered, best.picked)), best.bytes, best.loss
        )

    def compressed(self, problem: Problem, max_loss: float | Mapping[str, float]) -> Compressed:
        """The problem with the least bytes within the losses that its tasks bear.

        The work of coding is left out.

        Parameters
        ----------
        problem : Problem
        max_loss : float, or mapping of str to float
            Of each task, or by name, 0 for those that are not named.

        Returns
        -------
        Compressed

        Raises
        ------
        TypeError, ValueError
            For an unknown task, and as `choose`.
        """
        instance("problem", problem, Problem)
        names = [task.name for task in problem.tasks]
        limits = max_loss if isinstance(max_loss, Mapping) else dict.fromkeys(names, max_loss)
        for name in limits:
            if name not in names:
                raise ValueError(f"max_loss: {short(name)} is not the name of a task")
        choices = {task.name: self.choose(task, limits.get(task.name, 0.0)) for task in problem.tasks}
        tasks = [_smaller(task, choices[task.name].options) for task in problem.tasks]
        return Compressed(problem.replace(tasks=tasks), choices)

    def __repr__(self) -> str:
        options = counted(sum(map(len, self.options.values())), "option")
        return f"RateAccuracy({counted(len(self.options), 'split')}, {options})"

    def _display(self) -> Display:
        rows = [
            (f"{sender} → {receiver}", option.codec, option.ratio, option.loss)
            for (sender, receiver), given in self.options.items()
            for option in given
        ]
        return Display([repr(self)], [Table(("split", "codec", "ratio", "loss"), rows)])


class _State(NamedTuple):
    bytes: float
    loss: float
    picked: tuple[int, ...]


def _pareto(states: Sequence[_State]) -> list[_State]:
    """Those that none beats in both, fewest bytes first."""
    kept: list[_State] = []
    least = math.inf
    for state in sorted(states):
        if state.loss < least:
            kept.append(state)
            least = state.loss
    return kept


def _transfers(task: Task) -> Iterator[tuple[Split, float]]:
    for stage in task.stages:
        for of in stage.inputs:
            sender = SOURCE if of.from_ < 0 else task.stages[of.from_].service
            yield (sender, stage.service), of.bytes
    yield (task.stages[-1].service, SINK), task.output_bytes


def _smaller(task: Task, options: Sequence[Option]) -> Task:
    left = iter(options)
    stages = tuple(
        Stage(stage.service, tuple(Input(of.from_, of.bytes / next(left).ratio) for of in stage.inputs))
        for stage in task.stages
    )
    return replace(task, stages=stages, output_bytes=task.output_bytes / next(left).ratio)
