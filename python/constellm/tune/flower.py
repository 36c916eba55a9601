"""Local training by Flower: its messages, its simulation, a user's strategies and clients."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import random
import shutil
import signal
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np

from ..core.checks import count, short
from ..core.optional import optional_import
from .clients import ClientError, Executor, Fitted, Job, Task, check_finite, checked
from .head_task import Parameters
from .modes import Mode, Synchronous

_T = TypeVar("_T")

_FAILURE = "constellm-failure"
_WHO = "query.constellm_satellite"
_POLL_S = 0.005
_LONG_PATH = 32  # a socket's name has 107 characters at most, of which Ray takes up to 75
_MOST_LOOKS = 3  # at the nodes, of a strategy that chooses among them


@dataclass(frozen=True)
class Flower:
    """Settings of the engine ``"flower"`` of `federate` (extra ``[federated]``).

    Time is simulated by `federate`: Flower gets a message when a satellite begins to train, and its reply is
    used when the update is at the server.

    Parameters
    ----------
    strategy : flwr.serverapp.strategy.Strategy, optional
        Chooses who trains in a synchronous round, by its ``configure_train``, and combines the replies, by
        its ``aggregate_train``; random draws of both are seeded. Each run has a copy of it, as it is now.
        Default: the mode does.
    client_app : flwr.clientapp.ClientApp, optional
        Its ``train`` replaces the task's ``fit``: a message brings ``arrays`` and ``config`` (or what the
        strategy calls them), the reply has arrays of the same shapes and types, and a metric
        ``num-examples``. The satellite's number is ``partition-id`` of the node. Default: the task's ``fit``.
    backend : {'ray', 'inline'}
        Processes of Flower's simulation, which starts Ray; or this process, for what is small.
    workers : int, optional
        Processes; default: as many as there are processors, and no more than satellites.
    verbose : bool
        Whether Flower and Ray may write to the console.

    Raises
    ------
    TypeError, ValueError
        Naming field, value and range.

    Examples
    --------
    >>> from constellm import tune
    >>> tune.Flower(backend="inline").workers is None
    True
    """

    strategy: Any = None
    client_app: Any = None
    backend: str = "ray"
    workers: int | None = None
    verbose: bool = False

    def __post_init__(self) -> None:
        if self.backend not in ("ray", "inline"):
            raise ValueError(f"backend: {short(self.backend)} is not one of 'ray', 'inline'")
        if self.workers is not None:
            object.__setattr__(self, "workers", count("workers", self.workers))
        for field, module, methods in (
            ("strategy", "flwr.serverapp.strategy", ("configure_train", "aggregate_train")),
            ("client_app", "flwr.clientapp", ("__call__",)),
        ):
            value = getattr(self, field)
            can = all(callable(getattr(value, name, None)) for name in methods)
            if value is not None and (isinstance(value, type) or not can):
                raise TypeError(f"{field}: expected an object of {module}, got {short(value)}")
        if getattr(self.client_app, "_call", None) is not None:
            raise TypeError(
                "client_app: one of a client_fn has no train; a task of your own can call the client's fit"
            )

    def asked(self) -> dict[str, str]:
        """What it changes in what comes out, by field."""
        told = {} if self.strategy is None else {"strategy": _described(self.strategy)}
        return told if self.client_app is None else {**told, "client_app": type(self.client_app).__qualname__}

    def check(self, mode: Mode) -> None:
        """ValueError for a mode that a strategy cannot serve."""
        if self.strategy is not None and (not isinstance(mode, Synchronous) or mode.late != "drop"):
            raise ValueError(
                f"strategy: combines the updates of one round; it is not for {short(mode)}, only for "
                "Synchronous(late='drop')"
            )

    def run(self, task: Task, body: Callable[[Executor], _T]) -> _T:
        """What `body` gives with an executor of this engine."""
        flower = import_flower()
        if self.backend == "inline":
            with _identity(), _quiet(self.verbose):
                app = _Satellites(self.client_app, task)
                grid = _local_grid(flower, app, task.satellites)
                nodes = dict(enumerate(grid.get_node_ids()))
                return body(_FlowerExecutor(flower, grid, nodes, self.strategy, threading.Event()))
        return _in_simulation(flower, self, task, body)


def import_flower() -> Any:
    """What is used of Flower, imported without telemetry."""
    # Both are read when the modules are first imported.
    os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Flower itself imports
        modules = {
            name: optional_import(f"flwr.{name}", extra="federated", purpose="engine='flower' needs Flower")
            for name in ("app", "serverapp", "clientapp", "simulation")
        }
    return SimpleNamespace(**modules)


# ---- on the satellites ----


class _Satellites:
    """Flower's client application: trains by the task or by a user's application; failures are replies.

    Flower logs a client's exception and passes its first line on; here the whole of it comes back.
    """

    def __init__(self, app: Any, task: Task | None, path: str | None = None) -> None:
        self._app, self._task, self._path = app, task, path

    def __call__(self, message: Any, context: Any) -> Any:
        flower = import_flower()
        app = flower.app
        if message.metadata.message_type == _WHO:
            record = app.ConfigRecord({"satellite": int(context.node_config["partition-id"])})
            return app.Message(app.RecordDict({"who": record}), reply_to=message)
        try:
            if self._app is not None:
                reply = self._app(message, context)
                if not isinstance(reply, app.Message):
                    raise TypeError(f"client_app: expected a Message for an answer, got {short(reply)}")
                return reply
            return self._fit(app, message, context)
        except Exception as error:
            told = {"reason": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
            return app.Message(app.RecordDict({_FAILURE: app.ConfigRecord(told)}), reply_to=message)

    def _fit(self, app: Any, message: Any, context: Any) -> Any:
        task = _task_in(self._path) if self._path is not None else self._task
        assert task is not None
        (arrays,) = message.content.array_records.values()
        config = dict(next(iter(message.content.config_records.values())))
        satellite = int(context.node_config["partition-id"])
        parameters, images, metrics = task.fit(satellite, arrays.to_numpy_ndarrays(), config)
        numbers = {name: value for name, value in metrics.items() if isinstance(value, (int, float))}
        content = app.RecordDict(
            {
                "arrays": app.ArrayRecord(list(parameters)),
                "metrics": app.MetricRecord({**numbers, "num-examples": images}),
            }
        )
        return app.Message(content, reply_to=message)


@lru_cache(maxsize=1)
def _task_in(path: str) -> Task:
    """A task that was written by `_in_simulation`; each process reads it once."""
    task: Task = pickle.loads(Path(path).read_bytes())
    return task


# ---- at the server ----


class _FlowerExecutor:
    """Sends jobs as messages of Flower."""

    def __init__(
        self, flower: Any, grid: Any, nodes: Mapping[int, int], strategy: Any, ended: threading.Event
    ) -> None:
        self._app, self._grid, self._ended = flower.app, grid, ended
        # A copy: what a strategy remembers of one run is not to change the next.
        self._strategy = copy.deepcopy(strategy)
        self._serverapp = flower.serverapp
        self._node_of = dict(nodes)
        self._satellite_of = {node: satellite for satellite, node in self._node_of.items()}
        self._configured: dict[int, Any] = {}
        """The strategy's message to each satellite of the round."""
        self._sent: dict[str, Job] = {}
        self._replies: dict[int, Any] = {}
        """By the number of the job."""

    def submit(self, job: Job) -> None:
        configured = self._configured.get(job.satellite)
        if configured is None:
            records = {"arrays": self._app.ArrayRecord(job.parameters), "config": self._app.ConfigRecord()}
        else:
            records = dict(configured.content)
        # Of its own: a strategy sends one record to all.
        for name, record in records.items():
            if isinstance(record, self._app.ConfigRecord):
                records[name] = self._app.ConfigRecord({**job.config(), **record})
        node = self._node_of[job.satellite]
        message = self._app.Message(self._app.RecordDict(records), node, "train")
        (number,) = self._grid.push_messages([message])
        self._sent[number] = job

    def result(self, job: Job) -> Fitted:
        content = self._reply(job).content
        arrays = list(content.array_records.values())
        metrics = list(content.metric_records.values())
        if len(arrays) != 1 or not metrics or "num-examples" not in metrics[0]:
            reason = "its reply has not one ArrayRecord, and a MetricRecord with num-examples"
            raise ClientError(job.satellite, reason, "")
        if self._strategy is None:
            self._replies.pop(job.number)
        images = metrics[0]["num-examples"]
        whole = int(images) if isinstance(images, float) and images.is_integer() else images
        return checked(job, arrays[0].to_numpy_ndarrays(), whole)

    def _reply(self, job: Job) -> Any:
        """The reply to a job; until it is there whichever come are taken, and failures raised at once."""
        while job.number not in self._replies:
            if self._ended.is_set():
                raise RuntimeError("Flower's simulation ended before the training did")
            came = list(self._grid.pull_messages(list(self._sent)))
            for reply in came:
                of = self._sent.pop(reply.metadata.reply_to_message_id)
                if reply.has_error():
                    raise ClientError(of.satellite, reply.error.reason or "its reply is an error", "")
                if _FAILURE in reply.content:
                    told = reply.content[_FAILURE]
                    raise ClientError(of.satellite, str(told["reason"]), str(told["traceback"]))
                self._replies[of.number] = reply
            if not came:
                time.sleep(_POLL_S)
        return self._replies[job.number]

    def chosen(
        self, version: int, parameters: Parameters, reachable: Sequence[int], seed: int
    ) -> Sequence[int]:
        if self._strategy is None:
            return reachable
        arrays, config = self._app.ArrayRecord(parameters), self._app.ConfigRecord()
        nodes = [self._node_of[satellite] for satellite in reachable]
        seen = _only_nodes(self._serverapp, self._grid, nodes)
        with _seeded(seed):
            messages = list(self._strategy.configure_train(version, arrays, config, seen))
        self._configured = {self._satellite_of[m.metadata.dst_node_id]: m for m in messages}
        if not self._configured:
            raise ValueError(f"strategy: it chose none of {len(reachable)} satellites for round {version}")
        return sorted(self._configured)

    def combined(
        self, version: int, parameters: Parameters, jobs: Sequence[Job], seed: int
    ) -> Parameters | None:
        if self._strategy is None:
            return None
        replies = [self._replies.pop(job.number) for job in jobs]
        with _seeded(seed):
            arrays, _ = self._strategy.aggregate_train(version, replies)
        if arrays is None:  # the model stays as it is, as in Flower
            return parameters
        combined = arrays.to_numpy_ndarrays()
        expected, got = ([np.shape(part) for part in x] for x in (parameters, combined))
        if got != expected:
            raise ValueError(f"strategy: expected parameters of shapes {expected}, got {got}")
        # Some compute in doubles whatever they are given.
        typed = [np.asarray(new, part.dtype) for new, part in zip(combined, parameters)]
        check_finite("strategy: parameters", typed)
        return typed

    def state(self) -> bytes:
        if self._strategy is None:
            return b""
        return pickle.dumps({k: v for k, v in vars(self._strategy).items() if not callable(v)})

    def restore(self, state: bytes) -> None:
        if self._strategy is not None and state:
            vars(self._strategy).update(pickle.loads(state))


def _only_nodes(serverapp: Any, grid: Any, nodes: Sequence[int]) -> Any:
    """The grid, where no other nodes are than those that can be reached."""

    class Reachable(serverapp.Grid):
        looks = 0

        def get_node_ids(self) -> list[int]:
            # Flower's strategies wait for ever for nodes that are too few.
            self.looks += 1
            if self.looks > _MOST_LOOKS:
                raise ValueError(
                    f"strategy: waits for more than the {len(nodes)} satellites that can be reached; see its "
                    "min_available_nodes and min_train_nodes"
                )
            return list(nodes)

        @property
        def run(self) -> Any:
            return grid.run

        def set_run(self, *given: Any, **more: Any) -> Any:
            return grid.set_run(*given, **more)

        def create_message(self, *given: Any, **more: Any) -> Any:
            return grid.create_message(*given, **more)

        def push_messages(self, messages: Any) -> Any:
            return grid.push_messages(messages)

        def pull_messages(self, message_ids: Any) -> Any:
            return grid.pull_messages(message_ids)

        def send_and_receive(self, messages: Any, *, timeout: float | None = None) -> Any:
            return grid.send_and_receive(messages, timeout=timeout)

    return Reachable()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Draws of Python's and numpy's global generators follow from a seed; both are left as they were."""
    before, before_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(before_numpy)  # noqa: NPY002


def _described(strategy: Any) -> str:
    """Its class and settings, as text; what it holds beside numbers and names cannot be told apart."""
    told = []
    for name, value in sorted(vars(strategy).items()):
        if value is None or isinstance(value, (bool, int, float, str)):
            told.append(f"{name}={value!r}")
        elif callable(getattr(value, "aggregate_train", None)):  # one around another
            told.append(f"{name}={_described(value)}")
    return f"{type(strategy).__qualname__}({', '.join(told)})"


# ---- backends ----


def _local_grid(flower: Any, app: Callable[[Any, Any], Any], satellites: int) -> Any:
    """A grid whose nodes are in this process: a message is answered when its reply is asked for."""

    class LocalGrid(flower.serverapp.Grid):
        def __init__(self) -> None:
            self._contexts = {
                satellite + 1: flower.app.Context(
                    run_id=0,
                    node_id=satellite + 1,
                    node_config={"partition-id": satellite, "num-partitions": satellites},
                    state=flower.app.RecordDict(),
                    run_config={},
                )
                for satellite in range(satellites)
            }
            self._waiting: dict[str, Any] = {}
            self._sent = 0

        def get_node_ids(self) -> list[int]:
            return list(self._contexts)

        @property
        def run(self) -> Any:
            raise NotImplementedError("a grid in this process has no run")

        def set_run(self, run: Any) -> None:
            raise NotImplementedError("a grid in this process has no run")

        def create_message(self, *given: Any, **more: Any) -> Any:
            raise NotImplementedError("deprecated: use flwr.app.Message")

        def push_messages(self, messages: Any) -> list[str]:
            numbers = []
            for message in messages:
                self._sent += 1
                numbers.append(str(self._sent))
                message.metadata.__dict__["_message_id"] = numbers[-1]
                self._waiting[numbers[-1]] = message
            return numbers

        def pull_messages(self, message_ids: Any) -> list[Any]:
            asked = [self._waiting.pop(number) for number in message_ids if number in self._waiting]
            return [app(message, self._contexts[message.metadata.dst_node_id]) for message in asked]

        def send_and_receive(self, messages: Any, *, timeout: float | None = None) -> list[Any]:
            return self.pull_messages(self.push_messages(messages))

    return LocalGrid()


@contextmanager
def _identity() -> Iterator[None]:
    """Flower's messages ask who sends them, which its own backends have set."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from flwr.supercore.task_identity import TaskIdentity
        except ImportError:  # versions before had no such question
            yield
            return
    before = TaskIdentity._run_id, TaskIdentity._node_id, TaskIdentity._task_id
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 0, 0, 0
    try:
        yield
    finally:
        TaskIdentity._run_id, TaskIdentity._node_id, TaskIdentity._task_id = before


def _in_simulation(flower: Any, settings: Flower, task: Task, body: Callable[[Executor], _T]) -> _T:
    """`body` as the server of Flower's simulation, whose clients are processes of Ray."""
    optional_import("ray", extra="federated", purpose="Flower's simulation needs Ray")
    from ray import cloudpickle

    found: list[_T] = []
    failures: list[BaseException] = []
    ended = threading.Event()
    folder = Path(tempfile.mkdtemp(prefix="constellm-"))
    server = flower.serverapp.ServerApp()

    @server.main()
    def main(grid: Any, context: Any) -> None:
        try:
            nodes = _satellites_of(flower, grid, task.satellites, ended)
            found.append(body(_FlowerExecutor(flower, grid, nodes, settings.strategy, ended)))
        except BaseException as error:  # raised below: Flower would log it, and may lose it
            failures.append(error)

    try:
        path = folder / "task.pickle"
        if settings.client_app is None:
            path.write_bytes(cloudpickle.dumps(task))
        app = _Satellites(settings.client_app, None, str(path))
        with _interrupted_in_order(ended), _quiet(settings.verbose):
            try:
                flower.simulation.run_simulation(
                    server,
                    app,
                    num_supernodes=task.satellites,
                    backend_config=_backend(settings, task, folder),
                )
            finally:
                ended.set()
                gc.collect()  # Ray leaves files open, of which Python would warn whenever it finds them
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if failures:
        raise failures[0]
    return found[0]


@contextmanager
def _interrupted_in_order(ended: threading.Event) -> Iterator[None]:
    """Ctrl-C ends the server, and with it the simulation, and is raised then; a second one is raised at once.

    Raised within Flower it would leave threads behind that wait for Ray for ever.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (None, signal.SIG_IGN):
        yield
        return
    came = False

    def first(number: int, frame: Any) -> None:
        nonlocal came
        came = True
        ended.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def _satellites_of(flower: Any, grid: Any, satellites: int, ended: threading.Event) -> dict[int, int]:
    """The node of each satellite: they are numbered at random, and come while the server runs already."""
    app = flower.app
    while len(nodes := list(grid.get_node_ids())) < satellites and not ended.is_set():
        time.sleep(_POLL_S)
    asked = [app.Message(app.RecordDict(), node, _WHO) for node in nodes]
    waiting = set(grid.push_messages(asked))
    found: dict[int, int] = {}
    while waiting and not ended.is_set():
        for reply in grid.pull_messages(list(waiting)):
            waiting.discard(reply.metadata.reply_to_message_id)
            if reply.has_error():
                raise RuntimeError(f"a node of Flower's simulation does not answer: {reply.error.reason}")
            found[int(reply.content["who"]["satellite"])] = reply.metadata.src_node_id
        time.sleep(_POLL_S)
    return dict(sorted(found.items()))


def _backend(settings: Flower, task: Task, folder: Path) -> dict[str, Any]:
    """Ray's files go where they are removed, where that leaves room for the names of its sockets."""
    place = {"_temp_dir": str(folder / "ray")} if len(str(folder)) < _LONG_PATH else {}
    workers = settings.workers or min(os.cpu_count() or 1, task.satellites)
    quiet = {} if settings.verbose else {"log_to_driver": False, "logging_level": logging.ERROR}
    return {
        "init_args": {"num_cpus": workers, "include_dashboard": False, **place, **quiet},
        "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
    }


@contextmanager
def _quiet(verbose: bool) -> Iterator[None]:
    """Nothing on the console, no warnings of Ray's; the environment is left as it was."""
    logger = logging.getLogger("flwr")
    level, disabled = logger.level, logger.disabled
    environment = dict(os.environ)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with warnings.catch_warnings():
        if not verbose:
            warnings.simplefilter("ignore")
            logger.disabled = True
        try:
            yield
        finally:
            logger.setLevel(level)
            logger.disabled = disabled
            for name in set(os.environ) - set(environment):
                del os.environ[name]
            os.environ.update(environment)
