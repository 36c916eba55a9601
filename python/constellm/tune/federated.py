"""Federated training of a task over simulated time."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..core.checks import count, instance, positive, short
from ..core.progress import bar
from .checkpoints import Checkpoint
from .clients import Engine, Executor, InlineEngine, Task
from .federated_run import FederatedRun
from .loop import Loop, Settings, State
from .modes import Asynchronous, Buffered, Mode, Synchronous
from .timing import Timing

if TYPE_CHECKING:
    from .flower import Flower


def federate(
    task: Task,
    timing: Timing,
    *,
    rounds: int,
    mode: Mode | None = None,
    epochs: int | tuple[int, int] = 1,
    until_s: float | None = None,
    seed: int = 0,
    engine: str | Flower = "inline",
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 1,
    progress: bool | None = None,
) -> FederatedRun:
    """Train a model that satellites share, each on what it has; time is simulated, training is not.

    Parameters
    ----------
    task : HeadTask or Task
        What is trained.
    timing : ConstantTiming, ContactTiming or Timing
        When models and updates are where, of as many satellites.
    rounds : int
        Versions of the global model at most: synchronous rounds, or aggregations.
    mode : Synchronous, Buffered or Asynchronous, optional
        How updates are taken in; default: `Synchronous`.
    epochs : int or (int, int)
        Of one local training; or the fewest and the most: as many as do not delay the update, for who has to
        wait for a contact may as well train, as FedProx for satellites does (Kim et al., arXiv 2511.14889).
    until_s : float, optional
        No version later than this [s], > 0.
    seed : int
        Of the order of images. The same seed gives the same run, bit for bit, whatever the engine.
    engine : 'inline' or 'flower' or Flower
        Where local training runs: a loop in this process, or Flower (extra ``[federated]``).
    checkpoint : path, optional
        A folder that holds the run as it stands: a run that was killed goes on from there when the same call
        is made again, and gives what it would have given. With more `rounds` or a later `until_s` it goes
        further.
    checkpoint_every : int
        Versions between two writes of the checkpoint.
    progress : bool, optional
        Whether to show a bar; default: where somebody waits.

    Returns
    -------
    FederatedRun
        Its ``history`` has a row for the start, version 0, and each version: ``version``, ``time_s``, what
        the task's ``evaluate`` gives (``accuracy``, ``cross_entropy``), ``updates`` taken in, ``late`` and
        ``dropped`` until then, ``staleness``, the mean of those that were taken in now, ``sent_bytes`` and
        ``energy_j`` until then: a model and the training that follows count when it leaves, an update when
        it arrives.

    Raises
    ------
    TypeError, ValueError
        Naming argument, value and range; for a checkpoint of another run.
    ClientError
        If training fails on a satellite, with the traceback from there.

    Notes
    -----
    An event is a model that leaves the server or an update that reaches it; of those of one moment updates
    come first, and then who was first to ask, or to send. A model that waits for a contact is the newest one
    when it leaves. Late are updates that miss the end of their round, kept or not; dropped are late ones that
    are not kept, stale ones, and those that have no way back.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import tune
    >>> draw = np.random.default_rng(0)
    >>> labels = np.arange(120) % 3
    >>> x = np.eye(3)[labels] + 0.3 * draw.standard_normal((120, 3))
    >>> spread = tune.partition(labels[:90], 6, alpha=0.5, seed=1)
    >>> tested = {"test_features": x[90:], "test_labels": labels[90:]}
    >>> task = tune.HeadTask(x[:90], spread, **tested, learning_rate=1.0)
    >>> timing = tune.ConstantTiming(6, down_s=[1, 2, 3, 4, 5, 6], message_bytes=task.parameter_bytes)
    >>> run = tune.federate(task, timing, rounds=3)
    >>> run.status, run.column("time_s").tolist(), run.column("updates").tolist()
    ('finished', [0.0, 6.0, 12.0, 18.0], [0, 6, 12, 18])
    >>> run.column("sent_bytes").tolist(), run.accuracy > 0.8
    ([0.0, 576.0, 1152.0, 1728.0], True)
    """
    instance("task", task, Task)  # type: ignore[type-abstract]
    instance("timing", timing, Timing)  # type: ignore[type-abstract]
    if timing.satellites != task.satellites:
        raise ValueError(f"timing: {timing.satellites} satellites, the task has {task.satellites}")
    mode = Synchronous() if mode is None else mode
    if not isinstance(mode, (Synchronous, Buffered, Asynchronous)):
        raise TypeError(f"mode: expected Synchronous, Buffered or Asynchronous, got {short(mode)}")
    settings = Settings(
        mode,
        count("rounds", rounds),
        _epochs(epochs),
        math.inf if until_s is None else positive("until_s", until_s),
        count("seed", seed, least=0, most=2**64 - 1),
    )
    every = count("checkpoint_every", checkpoint_every)
    chosen = _engine(engine, mode)
    kept = (
        None
        if checkpoint is None
        else Checkpoint(checkpoint, {**_asked(task, timing, settings), **chosen.asked()})
    )

    def run(executor: Executor) -> FederatedRun:
        loop = Loop(task, timing, settings, executor)
        found = None if kept is None else kept.load()
        if found is not None:
            state, executor_state = found
            _check_reach(state, settings)
            executor.restore(executor_state)
            loop.resume(state)
        with bar(settings.rounds, unit="round", done=loop.state.version, progress=progress) as moved:

            def at_version(state: State) -> None:
                moved(1)
                if kept is not None and (state.version % every == 0 or state.version == settings.rounds):
                    kept.save(state, executor.state())

            return loop.run(at_version)

    return chosen.run(task, run)


def _epochs(epochs: Any) -> tuple[int, int]:
    if not isinstance(epochs, Sequence):
        fixed = count("epochs", epochs)
        return fixed, fixed
    if len(epochs) != 2:
        raise ValueError(f"epochs: expected a number, or the fewest and the most, got {short(epochs)}")
    least = count("epochs[0]", epochs[0])
    return least, count("epochs[1]", epochs[1], least=least, most=2**31 - 1)


def _engine(engine: Any, mode: Mode) -> Engine:
    if isinstance(engine, str) and engine == "inline":
        return InlineEngine()
    from .flower import Flower

    if isinstance(engine, str) and engine == "flower":
        return Flower()
    if not isinstance(engine, Flower):
        raise ValueError(f"engine: {short(engine)} is not 'inline', 'flower' or a Flower")
    engine.check(mode)
    return engine


def _asked(task: Task, timing: Timing, settings: Settings) -> dict[str, Any]:
    """What tells runs apart, but for how far they go."""
    mode = settings.mode
    return {
        "mode": type(mode).__name__,
        **{f"mode.{name}": value for name, value in asdict(mode).items()},
        "epochs": list(settings.epochs),
        "seed": settings.seed,
        "task": _fingerprint(task),
        "timing": _fingerprint(timing),
        "parameters": [[str(part.dtype), list(part.shape)] for part in task.start()],
    }


def _fingerprint(value: Any) -> str:
    """The name of its class, and its own where it has one."""
    own = getattr(value, "fingerprint", None)
    return " ".join([type(value).__qualname__] + ([] if own is None else [str(own())]))


def _check_reach(state: State, settings: Settings) -> None:
    if state.version > settings.rounds:
        raise ValueError(f"rounds: {settings.rounds} is not in [{state.version}, inf), the checkpoint's")
    last_s = state.rows[-1]["time_s"]
    if last_s > settings.until_s:
        raise ValueError(f"until_s: {settings.until_s:g} is not in [{last_s:g}, inf], the checkpoint's")
