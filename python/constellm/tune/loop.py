"""Federated training in simulated time: who trains which version when, and when the server has it."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from ..core.table import Table
from .clients import Executor, Job, Task, check_finite, job_seed
from .federated_run import FINISHED, OUT_OF_CONTACT, TIME_LIMIT, FederatedRun
from .head_task import Parameters
from .modes import Asynchronous, Buffered, Synchronous, Update
from .timing import Passage, Timing

# Of events at one moment updates come first, so that a model that leaves then has them.
_ARRIVES, _LEAVES = 0, 1


class Settings(NamedTuple):
    """What `federate` was asked, checked."""

    mode: Synchronous | Buffered | Asynchronous
    rounds: int
    epochs: tuple[int, int]
    until_s: float
    seed: int


class Event(NamedTuple):
    """In the order in which they happen; no two have the same number."""

    time_s: float
    kind: int
    number: int
    """First come, first served: by satellite, the first of those without delays would be the only one."""
    satellite: int
    passage: Passage
    job: Job | None


@dataclass
class State:
    """All that changes; what a checkpoint holds."""

    parameters: Parameters
    version: int = 0
    time_s: float = 0.0
    events: list[Event] = field(default_factory=list)
    """A heap; of synchronous rounds, those late updates that are kept."""
    buffer: list[Update] = field(default_factory=list)
    jobs_of: list[int] = field(default_factory=list)
    """Begun on each satellite."""
    events_made: int = 0
    jobs_made: int = 0
    updates: int = 0
    late: int = 0
    """Of synchronous rounds, updates that were not there when theirs ended, dropped or kept."""
    dropped: int = 0
    sent_bytes: float = 0.0
    energy_j: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)


class Loop:
    """One run."""

    def __init__(self, task: Task, timing: Timing, settings: Settings, executor: Executor) -> None:
        self._task, self._timing, self._settings, self._executor = task, timing, settings, executor
        self.state = State([part.copy() for part in task.start()], jobs_of=[0] * task.satellites)

    def resume(self, state: State) -> None:
        """Go on from a state; what was under way then begins anew."""
        self.state = state
        for event in sorted(state.events):
            if event.job is not None:
                self._executor.submit(event.job)

    def run(self, at_version: Callable[[State], None]) -> FederatedRun:
        """To the end; `at_version` is called when each version stands."""
        state, settings = self.state, self._settings
        if not state.rows:
            self._record([])
            if not isinstance(settings.mode, Synchronous):
                for satellite in range(self._task.satellites):
                    self._ask(satellite)
        step = self._round if isinstance(settings.mode, Synchronous) else self._event
        status = FINISHED
        while state.version < settings.rounds:
            version = state.version
            stopped = step()
            if stopped:
                status = stopped
                break
            if state.version > version:
                at_version(state)
        history = Table.of(state.rows)
        return FederatedRun(settings.mode, status, history, tuple(state.parameters))

    # ---- synchronous rounds ----

    def _round(self) -> str:
        """One round; why there is none, or an empty text.

        Who has no way to the server now has none later: nobody waits for them.
        """
        state, mode = self.state, self._settings.mode
        assert isinstance(mode, Synchronous)
        kept = state.events
        busy = {event.satellite for event in kept}
        ways = {s: self._down(s, state.time_s) for s in range(self._task.satellites) if s not in busy}
        reachable = [s for s, way in ways.items() if self._can_train(s, way)]
        if mode.participants is not None:
            reachable = self._first(mode.participants, {s: ways[s].arrival_s for s in reachable})
        version = state.version + 1
        seed = job_seed(self._settings.seed, self._task.satellites, version)
        chosen = self._executor.chosen(version, state.parameters, reachable, seed) if reachable else []
        begun = [event for event in (self._send(s, ways[s]) for s in chosen) if event is not None]
        coming = [*kept, *begun]
        if not coming:
            return OUT_OF_CONTACT
        end_s = max(event.time_s for event in coming)
        if mode.deadline_s is not None:
            end_s = min(end_s, state.time_s + mode.deadline_s)
        if end_s > self._settings.until_s:
            return TIME_LIMIT
        on_time = [event for event in coming if event.time_s <= end_s]
        late = [event for event in coming if event.time_s > end_s]
        state.late += sum(event.time_s > end_s for event in begun)
        keeps = mode.late == "keep"
        for event in begun:
            if keeps or event.time_s <= end_s:
                self._executor.submit(_job(event))
        if not keeps:
            state.dropped += len(late)
            late = []
        state.time_s, state.events = end_s, late
        updates = [self._arrived(event) for event in on_time]
        combined = self._executor.combined(
            version, state.parameters, [_job(event) for event in on_time], seed
        )
        self._new_version(updates, combined)
        return ""

    def _first(self, most: int, model_s: dict[int, float]) -> list[int]:
        """The first so many that can have the model and send an update back, of when each has the model."""
        first = sorted(model_s, key=lambda s: (model_s[s], s))
        back = (s for s in first if math.isfinite(self._trained(s, model_s[s])[1].arrival_s))
        return sorted(islice(back, most))

    # ---- buffered and asynchronous ----

    def _event(self) -> str:
        """The next event; why there is none, or an empty text."""
        state, mode = self.state, self._settings.mode
        assert not isinstance(mode, Synchronous)
        if not state.events:
            return OUT_OF_CONTACT
        if state.events[0].time_s > self._settings.until_s:
            return TIME_LIMIT
        event = heapq.heappop(state.events)
        state.time_s = event.time_s
        if event.kind == _LEAVES:
            coming = self._send(event.satellite, event.passage)
            if coming:
                heapq.heappush(state.events, coming)
                self._executor.submit(_job(coming))
            return ""
        update = self._arrived(event)
        if mode.most_staleness is not None and update.staleness > mode.most_staleness:
            state.dropped += 1
        else:
            state.buffer.append(update)
        if len(state.buffer) == mode.size:
            updates, state.buffer = state.buffer, []
            self._new_version(updates, None)
        self._ask(event.satellite)
        return ""

    def _ask(self, satellite: int) -> None:
        """A satellite wants the next model: it leaves when there is a way."""
        way = self._down(satellite, self.state.time_s)
        if self._can_train(satellite, way):
            event = Event(way.start_s, _LEAVES, self._event_number(), satellite, way, None)
            heapq.heappush(self.state.events, event)

    # ---- both ----

    def _down(self, satellite: int, t_s: float) -> Passage:
        return _in_order("down", satellite, t_s, self._timing.down(satellite, t_s))

    def _can_train(self, satellite: int, way: Passage) -> bool:
        return math.isfinite(self._timing.computing.done_s(satellite, way.arrival_s, 0))

    def _send(self, satellite: int, way: Passage) -> Event | None:
        """The present model goes to a satellite, which trains it; None where no update can come back."""
        state = self.state
        epochs, back = self._trained(satellite, way.arrival_s)
        seed = job_seed(self._settings.seed, satellite, state.jobs_of[satellite])
        job = Job(state.jobs_made, satellite, state.version, epochs, seed, state.parameters)
        state.jobs_made += 1
        state.jobs_of[satellite] += 1
        state.sent_bytes += way.sent_bytes
        state.energy_j += way.energy_j + self._timing.computing.energy_j(satellite, epochs)
        if math.isinf(back.arrival_s):
            state.dropped += 1
            return None
        return Event(back.arrival_s, _ARRIVES, self._event_number(), satellite, back, job)

    def _trained(self, satellite: int, model_s: float) -> tuple[int, Passage]:
        """Epochs, and the way back: as many as do not delay the update, by bisection."""
        least, most = self._settings.epochs

        def back(epochs: int) -> Passage:
            done_s = self._timing.computing.done_s(satellite, model_s, epochs)
            return _in_order("up", satellite, done_s, self._timing.up(satellite, done_s))

        best = back(least)
        if math.isinf(best.arrival_s):
            return least, best
        while least < most:
            middle = (least + most + 1) // 2
            tried = back(middle)
            if tried.arrival_s <= best.arrival_s:
                least, best = middle, tried
            else:
                most = middle - 1
        return least, best

    def _arrived(self, event: Event) -> Update:
        job = _job(event)
        self.state.sent_bytes += event.passage.sent_bytes
        self.state.energy_j += event.passage.energy_j
        fitted = self._executor.result(job)
        staleness = self.state.version - job.version
        return Update(job.satellite, staleness, fitted.images, job.parameters, fitted.parameters)

    def _new_version(self, updates: list[Update], combined: Parameters | None) -> None:
        state = self.state
        if combined is not None:
            state.parameters = combined
        elif updates:
            state.parameters = self._settings.mode.combine(state.parameters, updates)
            check_finite("the global model", state.parameters)
        state.version += 1
        state.updates += len(updates)
        self._record(updates)

    def _record(self, updates: list[Update]) -> None:
        state = self.state
        figures = {name: float(value) for name, value in self._task.evaluate(state.parameters).items()}
        if "accuracy" not in figures:
            raise ValueError(f"task: evaluate gives {', '.join(figures) or 'nothing'}, and no accuracy")
        state.rows.append(
            {
                "version": state.version,
                "time_s": state.time_s,
                **figures,
                "updates": state.updates,
                "late": state.late,
                "dropped": state.dropped,
                "staleness": sum(update.staleness for update in updates) / max(len(updates), 1),
                "sent_bytes": state.sent_bytes,
                "energy_j": state.energy_j,
            }
        )

    def _event_number(self) -> int:
        self.state.events_made += 1
        return self.state.events_made


def _in_order(name: str, satellite: int, t_s: float, way: Passage) -> Passage:
    """A passage, where it neither leaves before it can nor arrives before it leaves."""
    if not t_s <= way.start_s <= way.arrival_s:
        raise ValueError(
            f"timing: {name}({satellite}, {t_s:g}) leaves at {way.start_s:g} s, comes at {way.arrival_s:g} s"
        )
    return way


def _job(event: Event) -> Job:
    assert event.job is not None
    return event.job
