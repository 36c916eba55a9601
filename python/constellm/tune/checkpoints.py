"""The state of a run in a file: arrays and JSON, written in one step."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.checks import short
from ..core.files import as_path, write_bytes
from .clients import Job
from .head_task import Parameters
from .loop import Event, State
from .modes import Update
from .timing import Passage

_NAME = "federated.npz"
_VERSION = 1


class Checkpoint:
    """A folder that holds the last state of one run.

    Parameters
    ----------
    folder : path
        Made where it is not there.
    asked : dict
        What the run was asked; of a file that holds another run's it is refused.
    """

    def __init__(self, folder: str | os.PathLike[str], asked: dict[str, Any]) -> None:
        self._path = as_path(folder) / _NAME
        self._asked = json.loads(json.dumps(asked))
        self._path.parent.mkdir(parents=True, exist_ok=True)

    def save(self, state: State, executor: bytes) -> None:
        """Write the state and that of the executor."""
        arrays = _Arrays()
        told = _told(state, arrays)
        text = json.dumps({"version": _VERSION, "asked": self._asked, "state": told})
        content = io.BytesIO()
        parts: dict[str, Any] = {f"array_{i}": array for i, array in enumerate(arrays.kept)}
        for name, value in (("state", text.encode()), ("executor", executor)):
            parts[name] = np.frombuffer(value, np.uint8)
        np.savez(content, **parts)
        write_bytes(content.getbuffer(), self._path)

    def load(self) -> tuple[State, bytes] | None:
        """What was written last; None where nothing was.

        Raises
        ------
        ValueError
            For a file that is damaged, or of a run that was asked something else.
        """
        if not self._path.exists():
            return None
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as found:
                content = {name: found[name] for name in found.files}
            told = json.loads(content.pop("state").tobytes().decode())
            executor = content.pop("executor").tobytes()
            version, asked = told["version"], told["asked"]
            state = _state(told["state"], content)
        except Exception as error:  # whatever numpy and zipfile make of it
            raise ValueError(f"checkpoint: {self._path} is damaged: {short(error)}") from None
        if version != _VERSION:
            raise ValueError(f"checkpoint: {self._path} is of version {version}, not {_VERSION}")
        for name in sorted({*asked, *self._asked}):
            was, now = asked.get(name), self._asked.get(name)
            if was != now:
                raise ValueError(
                    f"checkpoint: {self._path} is of another run: {name} was {short(was)}, is {short(now)}"
                )
        return state, executor


class _Arrays:
    """Arrays by number; those of one version of the model are kept once."""

    def __init__(self) -> None:
        self.kept: list[np.ndarray] = []
        self._numbers: dict[int, list[int]] = {}
        self._alive: list[Parameters] = []  # so that no other list gets the same identity

    def number(self, parameters: Parameters) -> list[int]:
        if id(parameters) not in self._numbers:
            self._alive.append(parameters)
            first = len(self.kept)
            self.kept.extend(parameters)
            self._numbers[id(parameters)] = list(range(first, len(self.kept)))
        return self._numbers[id(parameters)]


_PLAIN = (
    *("version", "time_s", "jobs_of", "events_made", "jobs_made", "updates", "late", "dropped", "sent_bytes"),
    *("energy_j", "rows"),
)


def _told(state: State, arrays: _Arrays) -> dict[str, Any]:
    def job(one: Job | None) -> Any:
        return None if one is None else [*one[:-1], arrays.number(one.parameters)]

    return {
        **{name: getattr(state, name) for name in _PLAIN},
        "parameters": arrays.number(state.parameters),
        "events": [[*event[:4], list(event.passage), job(event.job)] for event in state.events],
        "buffer": [
            [*update[:3], arrays.number(update.base), arrays.number(update.parameters)]
            for update in state.buffer
        ],
    }


def _state(told: dict[str, Any], content: dict[str, np.ndarray]) -> State:
    lists: dict[tuple[int, ...], Parameters] = {}

    def parameters(numbers: Sequence[int]) -> Parameters:
        return lists.setdefault(tuple(numbers), [content[f"array_{i}"] for i in numbers])

    def job(one: Any) -> Job | None:
        return None if one is None else Job._make([*one[:-1], parameters(one[-1])])

    return State(
        **{name: told[name] for name in _PLAIN},
        parameters=parameters(told["parameters"]),
        events=[
            Event._make([*event[:4], Passage._make(event[4]), job(event[5])]) for event in told["events"]
        ],
        buffer=[Update._make([*one[:3], parameters(one[3]), parameters(one[4])]) for one in told["buffer"]],
    )
