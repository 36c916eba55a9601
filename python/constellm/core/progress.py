"""Bars for calls that take a while: shown to somebody who waits, silent in programs."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from .optional import optional_import

_PATIENCE_S = 1.5  # what is done by then shows no bar
_TICK_S = 0.5


def watched() -> bool:
    """Whether somebody waits at a prompt: IPython, a notebook, or Python's own in a terminal.

    The environment variable ``TQDM_DISABLE`` says no, for notebooks that are executed and rendered.
    """
    # Looks that cost least first: fast solves ask each time, and a failed `hasattr` costs a microsecond.
    if _ipython() is None and not ("ps1" in vars(sys) and getattr(sys.stderr, "isatty", bool)()):
        return False
    return os.environ.get("TQDM_DISABLE", "0") in ("", "0")


@contextlib.contextmanager
def bar(
    total: int, *, unit: str, done: int = 0, progress: bool | None = None
) -> Iterator[Callable[[int], Any]]:
    """A bar over `total` steps, and the call that moves it on by some. One that was asked for stays.

    Parameters
    ----------
    total, done
        Steps in all, and those that were done before.
    unit
        What a step is.
    progress
        Whether to show it, from the start, which needs tqdm. None: if `watched` and tqdm is there, after a
        while.
    """
    if not _shows(progress):
        yield lambda steps: None
        return
    asked = {"delay": 0, "leave": True} if progress else {"delay": _PATIENCE_S}
    with _tqdm(progress)(total=total, initial=done, unit=f" {unit}", **{**_look(), **asked}) as shown:
        yield shown.update


def waiting(what: str, *, limit_s: float) -> contextlib.AbstractContextManager[None]:
    """Tells how long a call has taken that cannot say how far it is, and of a limit how much is left."""
    return _NOTHING if limit_s <= _PATIENCE_S or not _shows(None) else _followed(what, limit_s)


_NOTHING = contextlib.nullcontext()  # one for all: making one would cost a fast solve a percent


@contextlib.contextmanager
def _followed(what: str, limit_s: float) -> Iterator[None]:
    task = _Task(what, limit_s)
    _watch.follow(task)
    try:
        yield
    finally:
        _watch.leave(task)


class _Task:
    """A call that may come to show how long it has taken."""

    def __init__(self, what: str, limit_s: float) -> None:
        self.what, self.limit_s = what, limit_s
        self.since_s = time.monotonic()
        self.bar: Any = None

    def tell(self) -> None:
        taken_s = time.monotonic() - self.since_s
        if taken_s < _PATIENCE_S:
            return
        if self.bar is None:
            total = self.limit_s if math.isfinite(self.limit_s) else None
            form = "{desc} {n:.0f} s" + (" of at most {total:.0f} s |{bar}|" if total else "")
            self.bar = _tqdm(None)(total=total, initial=taken_s, desc=self.what, bar_format=form, **_look())
        self.bar.n = taken_s
        self.bar.refresh()


class _Watch:
    """One thread that looks at the tasks now and then: starting one for each would cost more than a solve."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: list[_Task] = []
        self._thread: threading.Thread | None = None

    def follow(self, task: _Task) -> None:
        with self._lock:
            self._tasks.append(task)
            if self._thread is None or not self._thread.is_alive():  # it is not, in a forked child
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def leave(self, task: _Task) -> None:
        with self._lock:
            self._tasks.remove(task)
            if task.bar is not None:
                task.bar.close()

    def _run(self) -> None:
        while True:
            time.sleep(_TICK_S)
            with self._lock:
                for task in self._tasks:
                    task.tell()


_watch = _Watch()


def _shows(progress: bool | None) -> bool:
    if progress is not None:
        return progress
    if not watched():
        return False
    with contextlib.suppress(ImportError):
        _tqdm(None)
        return True
    return False


def _tqdm(progress: bool | None) -> Any:
    # Its plain bar: `tqdm.auto` warns in red where a notebook lacks ipywidgets.
    purpose = "progress=True needs tqdm" if progress else "bars need tqdm"
    return optional_import("tqdm", extra="sweep", purpose=purpose).tqdm


def _look() -> dict[str, Any]:
    # A notebook shows standard error on red.
    return {"file": sys.stderr if _ipython() is None else sys.stdout, "leave": False}


def _ipython() -> Any:
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()
