"""Local training on the satellites: what it is asked, what it answers, and where it runs."""

from __future__ import annotations

import hashlib
import struct
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np

from ..core.checks import count
from .head_task import Parameters

_T = TypeVar("_T")


@runtime_checkable
class Task(Protocol):
    """What `federate` trains: `HeadTask`, or anything of your own with these four.

    Whatever `fit` gives follows from its arguments alone, so that a run that is resumed repeats. A checkpoint
    is refused to another task as far as it tells: by the name of its class, and by what ``fingerprint()``
    gives where it has that, text that follows from all that the task consists of.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import tune
    >>> class Mean:  # of the satellites' numbers
    ...     satellites = 3
    ...     def start(self):
    ...         return [np.zeros(1)]
    ...     def fit(self, satellite, parameters, config):
    ...         return [np.array([float(satellite)])], 1, {}
    ...     def evaluate(self, parameters):
    ...         return {"accuracy": 1.0 - abs(float(parameters[0][0]) - 1.0)}
    >>> tune.federate(Mean(), tune.ConstantTiming(3), rounds=1).parameters
    (array([1.]),)
    """

    @property
    def satellites(self) -> int:
        """How many there are."""
        ...

    def start(self) -> Parameters:
        """The global model before training."""
        ...

    def fit(
        self, satellite: int, parameters: Parameters, config: Mapping[str, Any]
    ) -> tuple[Parameters, int, Mapping[str, Any]]:
        """Train on a satellite, as ``fit`` of Flower's ``NumPyClient``.

        `config` has ``epochs``, ``seed``, ``satellite`` and ``server-round``, the version of the global
        model; what comes back are the parameters, the number of images and figures of one's own.
        """
        ...

    def evaluate(self, parameters: Parameters) -> Mapping[str, float]:
        """Figures of a global model, ``accuracy`` among them; always the same ones."""
        ...


class ClientError(RuntimeError):
    """Training failed on a satellite; the message ends with the traceback from there.

    Attributes
    ----------
    satellite : int
    client_traceback : str

    Examples
    --------
    >>> from constellm import tune
    >>> error = tune.ClientError(3, "ValueError: no images", "Traceback …")
    >>> error.satellite, str(error).splitlines()[0]
    (3, 'satellite 3: ValueError: no images')
    """

    def __init__(self, satellite: int, reason: str, client_traceback: str) -> None:
        super().__init__(f"satellite {satellite}: {reason}\n\n{client_traceback}".rstrip())
        self.satellite, self.reason, self.client_traceback = satellite, reason, client_traceback

    def __reduce__(self) -> tuple[Any, ...]:
        return ClientError, (self.satellite, self.reason, self.client_traceback)


class Job(NamedTuple):
    """One local training."""

    number: int
    """Of all jobs of a run, in the order in which they begin."""
    satellite: int
    version: int
    """Of the global model."""
    epochs: int
    seed: int
    parameters: Parameters
    """Of the global model."""

    def config(self) -> dict[str, Any]:
        """What the client is told beside the parameters."""
        return {
            "epochs": self.epochs,
            "satellite": self.satellite,
            "seed": self.seed,
            "server-round": self.version,
        }


class Fitted(NamedTuple):
    """What a job gives."""

    parameters: Parameters
    images: int


class Executor(Protocol):
    """Runs jobs; those that were submitted may run at the same time."""

    def submit(self, job: Job) -> None:
        """Begin a job."""
        ...

    def result(self, job: Job) -> Fitted:
        """Wait for a job that was submitted; ClientError where one failed."""
        ...

    def chosen(
        self, version: int, parameters: Parameters, reachable: Sequence[int], seed: int
    ) -> Sequence[int]:
        """Who trains in a synchronous round; `seed` is the round's."""
        ...

    def combined(
        self, version: int, parameters: Parameters, jobs: Sequence[Job], seed: int
    ) -> Parameters | None:
        """The next global model of a synchronous round, in place of the mode's; None for the mode's."""
        ...

    def state(self) -> bytes:
        """What it has to know when a run is resumed."""
        ...

    def restore(self, state: bytes) -> None:
        """The way back."""
        ...


class Engine(Protocol):
    """Gives executors."""

    def asked(self) -> dict[str, str]:
        """What it changes in what comes out, by field."""
        ...

    def run(self, task: Task, body: Callable[[Executor], _T]) -> _T:
        """What `body` gives when it has an executor."""
        ...


class Inline:
    """A loop in this process: a job runs when its result is asked for."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def submit(self, job: Job) -> None:
        pass

    def result(self, job: Job) -> Fitted:
        copies = [part.copy() for part in job.parameters]
        try:
            found = self._task.fit(job.satellite, copies, job.config())
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise ClientError(job.satellite, reason, traceback.format_exc()) from error
        return checked(job, *found[:2])

    def chosen(
        self, version: int, parameters: Parameters, reachable: Sequence[int], seed: int
    ) -> Sequence[int]:
        return reachable

    def combined(
        self, version: int, parameters: Parameters, jobs: Sequence[Job], seed: int
    ) -> Parameters | None:
        return None

    def state(self) -> bytes:
        return b""

    def restore(self, state: bytes) -> None:
        pass


class InlineEngine:
    """The engine called ``"inline"``."""

    def asked(self) -> dict[str, str]:
        return {}

    def run(self, task: Task, body: Callable[[Executor], _T]) -> _T:
        return body(Inline(task))


def checked(job: Job, parameters: Any, images: Any) -> Fitted:
    """What a client gave, where it is what it should be; ClientError otherwise."""
    try:
        parts = [np.asarray(part) for part in parameters]
        expected, got = ([(part.shape, part.dtype) for part in x] for x in (job.parameters, parts))
        if got != expected:
            raise ValueError(f"parameters: expected shapes and types {expected}, got {got}")
        check_finite("parameters", parts)
        return Fitted(parts, count("images", images, least=0))
    except (TypeError, ValueError) as error:
        raise ClientError(job.satellite, f"its answer: {error}", "") from None


def check_finite(name: str, parameters: Parameters) -> None:
    """ValueError where a number is none."""
    for i, part in enumerate(parameters):
        if not np.isfinite(part).all():
            raise ValueError(f"{name}[{i}]: not finite; is the learning rate too large?")


def job_seed(seed: int, satellite: int, nth: int) -> int:
    """Of the nth job of a satellite, and with the number of satellites in place of one, of the nth round."""
    digest = hashlib.blake2b(struct.pack("<QQQ", seed, satellite, nth), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
