"""Rows of a sweep in a folder: a manifest that says what they are rows of, and files of rows.

``manifest.json`` holds the format, its version, the kind of the row files and, under ``sweep``, all that the
rows depend on. ``rows/00000.parquet``, ... (or ``.jsonl``, without pyarrow) hold a row for every cell and
method: ``cell`` (its number, the last axis fastest), ``method``, a column for every axis, the figures,
``status`` and ``message``. A file appears in one step, whole, and with checksums; nothing else is ever in
``rows``, so that other tools can read the folder. Row files that are damaged, or of something else, are moved
to ``damaged/``, and their rows computed again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib
import json
import logging
import math
import os
import re
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.files import as_path, parse_json, read_json, read_text, write_json
from ..core.optional import optional_import
from .grid import plain
from .result import GatheredRows, SweepResult, axis_labels, best_form
from .rows import Rows
from .system import INTERRUPTED, System, registered_at

if TYPE_CHECKING:
    import xarray

FORMAT = "constellm.sweep"
_FIRST_SYSTEM = "constellm.split.sweeping"  # manifests of 0.1.0 name none
_MOST_ROWS = 4096  # of a file
_MOST_SECONDS = 5.0  # of work that a crash may lose
_CHECKSUM = ', "crc32": '
# What a process that was killed may leave: its scratch files.
_LEFTOVER = re.compile(r"(\d+\.(parquet|jsonl)|manifest\.json)\.\d+\.tmp")
_log = logging.getLogger(__name__)


class RowStore:
    """A folder that rows are added to, by one process at a time.

    Parameters
    ----------
    folder
        Made where there is none. One that holds rows of the same sweep goes on; ValueError for another's.
        What a crash left behind is removed; row files that are damaged or of something else are set aside.
    system
        Whose rows they are.
    description
        `Grid.description`.

    Raises
    ------
    ValueError
        If the folder holds something else, or rows of another sweep.
    RuntimeError
        If another sweep is writing to it.
    """

    def __init__(self, folder: str | os.PathLike[str], system: System, description: dict[str, Any]) -> None:
        self._system = system
        self._folder = as_path(folder)
        self._description = description
        self._methods = _methods(description)
        self._waiting: list[Rows] = []
        self._written_at = time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = _Lock(self._folder)
        try:
            self._kind = self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> str:
        """Kind of the row files, of a folder that was made ready."""
        for path in (*self._folder.glob("*.tmp"), *self._folder.glob("rows/*.tmp")):
            if _LEFTOVER.fullmatch(path.name):
                path.unlink()
        if (self._folder / "manifest.json").exists():
            manifest = _read_manifest(self._folder, self._description)
            self._description = manifest[
                "sweep"
            ]  # equal, and as its files are marked: 1 and 1.0 differ there
            return str(manifest["rows"])
        if any(self._folder.iterdir()):
            raise ValueError(f"store: {str(self._folder)!r} holds something else than a sweep's rows")
        kind = "parquet" if _has_pyarrow() else "jsonl"
        manifest = {"format": FORMAT, "version": 1, "rows": kind, "sweep": self._description}
        write_json(manifest, self._folder / "manifest.json")
        return kind

    def close(self) -> None:
        """Write what is waiting, and let others write."""
        try:
            self.flush()
        finally:
            self._lock.release()

    def rows(self) -> Iterator[Rows]:
        """What is there already."""
        for path in _row_files(self._folder, self._kind):
            try:
                yield _rows_in(path, self._system, self._description)
            except _Damaged as error:
                aside = _free_name(self._folder / "damaged", path.name)
                _log.warning("%s %s; set aside as %s, its rows are computed again", path, error, aside)
                aside.parent.mkdir(exist_ok=True)
                path.rename(aside)

    def accept(self, rows: Rows) -> None:
        """Keep `rows`, those apart that an interruption cut short; writes now and then."""
        whole = rows.columns["status"] != self._system.code(INTERRUPTED)
        if not whole.any():
            return
        kept = {name: column[whole] for name, column in rows.columns.items()}
        self._waiting.append(Rows(rows.index[whole], kept, rows.messages, []))
        many = sum(len(r.index) for r in self._waiting) >= _MOST_ROWS
        if many or time.monotonic() - self._written_at >= _MOST_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if self._waiting:
            (self._folder / "rows").mkdir(exist_ok=True)
            table = self._table(self._waiting)
            for start in range(0, len(table["cell"]), _MOST_ROWS):
                self._write({k: v[start : start + _MOST_ROWS] for k, v in table.items()})
            self._waiting = []
        self._written_at = time.monotonic()

    def _write(self, table: dict[str, list[Any]]) -> None:
        """A new file of rows. Its scratch file is no neighbour: other tools read all that is in ``rows``."""
        taken = [int(path.stem) for path in _row_files(self._folder, self._kind)]
        name = f"{max(taken, default=-1) + 1:05d}.{self._kind}"
        scratch = self._folder / f"{name}.{os.getpid()}.tmp"
        try:
            (_write_parquet if self._kind == "parquet" else _write_lines)(scratch, table, self._description)
            scratch.replace(self._folder / "rows" / name)
        finally:
            scratch.unlink(missing_ok=True)

    def _table(self, parts: list[Rows]) -> dict[str, list[Any]]:
        index = np.concatenate([part.index for part in parts])
        cells = index // len(self._methods)
        messages = {row: text for part in parts for row, text in part.messages.items()}
        table: dict[str, list[Any]] = {"cell": cells.tolist()}
        table["method"] = [self._methods[m] for m in (index % len(self._methods)).tolist()]
        shape = [len(axis["values"]) for axis in self._description["axes"]]
        for axis, places in zip(self._description["axes"], np.unravel_index(cells, shape)):
            table[axis["name"]] = axis_labels(axis)[places].tolist()
        for column in self._system.columns:
            table[column.name] = np.concatenate([part.columns[column.name] for part in parts]).tolist()
        table["status"] = [self._system.statuses[code] for code in table["status"]]
        table["message"] = [messages.get(row, "") for row in index.tolist()]
        return table


class _Lock:
    """Keeps other writers from a folder until it is released, or its process has ended."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise RuntimeError(f"store: another sweep is writing to {str(folder)!r}") from None
        except OSError as error:  # some network file systems
            _log.warning(
                "%s cannot be locked (%s): take care that one process alone writes to it", folder, error
            )

    def release(self) -> None:
        # By name, since processes that were forked meanwhile hold the descriptor too.
        with contextlib.suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)


class _Damaged(Exception):
    """A file that holds no rows of the sweep; says why."""


def _rows_in(path: Path, system: System, description: dict[str, Any]) -> Rows:
    """The rows in a file; _Damaged where they are not the sweep's, or not as they were written."""
    table = (_read_parquet if path.suffix == ".parquet" else _read_lines)(path, description)
    axes, methods = description["axes"], _methods(description)
    shape = [len(axis["values"]) for axis in axes]
    names = ["cell", "method", *(axis["name"] for axis in axes), *(c.name for c in system.columns), "message"]
    if sorted(table) != sorted(names):
        raise _Damaged(f"is not of this sweep: its columns are {', '.join(map(str, table))}")
    try:
        cells = np.array(table["cell"], dtype=np.int64)
        places = np.unravel_index(cells, shape)
        position = np.array([methods.index(m) for m in table["method"]], dtype=np.int64)
        index = cells * len(methods) + position
        table["status"] = [system.code(status) for status in table["status"]]
        columns = {c.name: np.array(table[c.name], dtype=c.dtype) for c in system.columns}
        messages = {i: m for i, m in zip(index.tolist(), table["message"]) if m}
    except (TypeError, ValueError) as error:
        raise _Damaged(f"is not of this sweep: {error}") from None
    for axis, place in zip(axes, places):
        if not _same(axis_labels(axis)[place].tolist(), _numbers(axis, table[axis["name"]])):
            raise _Damaged(f"is not of this sweep: axis {axis['name']!r} has other values")
    return Rows(index, columns, messages, [])


def _numbers(axis: dict[str, Any], values: list[Any]) -> list[Any]:
    """`values` of an axis in a row file, where numbers that are not finite may be texts."""
    return [float(v) if isinstance(v, str) else v for v in values] if axis["numbers"] else values


def _same(expected: list[Any], found: list[Any]) -> bool:
    """Whether they are equal; NaN is equal to itself here."""
    pairs = zip(expected, found)
    return len(expected) == len(found) and all(a == b or (a != a and b != b) for a, b in pairs)


def _free_name(folder: Path, name: str) -> Path:
    number = 0
    while (folder / f"{name}.{number}").exists():
        number += 1
    return folder / f"{name}.{number}"


def load_rows(folder: str | os.PathLike[str]) -> xarray.Dataset | SweepResult:
    """The result of a stored sweep, as `run` returned it; cells not computed yet are ``interrupted``.

    Parameters
    ----------
    folder
        The ``store`` of a call of `run`.

    Returns
    -------
    xarray.Dataset or SweepResult
        The former where xarray is installed.

    Raises
    ------
    ValueError
        If it holds no manifest of a sweep, or rows of a system that is not registered.

    Examples
    --------
    >>> from constellm import paper, sweep
    >>> problem = paper.collaborative.problem(relays=0)
    >>> found = sweep.run(problem, rate_bps=[1e8, 1e9], store="rates")
    >>> bool((sweep.load_rows("rates")["delay_s"] == found["delay_s"]).all())
    True
    """
    place = as_path(folder)
    manifest = _read_manifest(place)
    description = manifest["sweep"]
    system = registered_at(description.get("system", _FIRST_SYSTEM))
    if system is None:
        raise ValueError(
            f"{str(place)!r} holds rows of {_short(description['system'])}, which is not known here: "
            "import the module that registers it"
        )
    cells = math.prod(len(axis["values"]) for axis in description["axes"])
    table = GatheredRows(system, cells * len(_methods(description)))
    for path in _row_files(place, manifest["rows"]):
        try:
            table.accept(_rows_in(path, system, description))
        except _Damaged as error:
            _log.warning("%s %s; its rows are left out", path, error)
    return best_form(table.result(description))


def _methods(description: dict[str, Any]) -> list[str]:
    method = description["method"]
    return [method] if isinstance(method, str) else list(method)


def _read_manifest(folder: Path, expected: dict[str, Any] | None = None) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.exists():
        raise ValueError(f"{str(folder)!r} holds no manifest.json of a sweep")
    try:
        manifest = read_json(path)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is no manifest of a sweep: {error}") from None
    if manifest.get("format") != FORMAT or manifest.get("version") != 1:
        raise ValueError(f"{str(path)!r} is not of format {FORMAT!r}, version 1")
    if manifest.get("rows") not in ("parquet", "jsonl") or not _describes(manifest.get("sweep")):
        raise ValueError(f"{str(path)!r} does not say what it is the sweep of")
    if expected is not None:
        stored = manifest["sweep"]
        differing = [key for key in expected if stored.get(key) != expected[key]]
        if differing:
            told = [
                f"{key} {_short(stored.get(key))} there, {_short(expected[key])} here" for key in differing
            ]
            raise ValueError(f"store: {str(folder)!r} holds rows of another sweep: {'; '.join(told)}")
    return manifest


def _describes(sweep: Any) -> bool:
    """Whether `sweep` has the form of `Grid.description`."""
    axes = sweep.get("axes") if isinstance(sweep, dict) else None
    keys = {"name", "unit", "numbers", "values"}
    return (
        isinstance(axes, list)
        and all(isinstance(axis, dict) and keys <= axis.keys() for axis in axes)
        and {"constellm", "problem", "method"} <= sweep.keys()
    )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _has_pyarrow() -> bool:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return False
    return True


def _row_files(folder: Path, kind: str) -> list[Path]:
    return sorted(path for path in (folder / "rows").glob(f"*.{kind}") if path.stem.isdigit())


def _mark(description: dict[str, Any]) -> bytes:
    """What tells row files of one sweep from those of another with the same axes."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest().encode()


def _write_parquet(path: Path, table: dict[str, list[Any]], description: dict[str, Any]) -> None:
    import pyarrow
    import pyarrow.parquet

    marked = pyarrow.table(table).replace_schema_metadata({FORMAT: _mark(description)})
    pyarrow.parquet.write_table(marked, path, write_page_checksum=True)


def _read_parquet(path: Path, description: dict[str, Any]) -> dict[str, list[Any]]:
    """The columns of a file of rows."""
    parquet = optional_import("pyarrow.parquet", extra="sweep", purpose="these rows are parquet files")
    pyarrow = importlib.import_module("pyarrow")
    content = pyarrow.BufferReader(path.read_bytes())
    try:
        table = parquet.read_table(content, page_checksum_verification=True)
        columns: dict[str, list[Any]] = table.to_pydict()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _Damaged(f"is damaged ({str(error).splitlines()[0] if str(error) else 'no parquet'})") from None
    # Files of 0.1.0 are not marked.
    if (table.schema.metadata or {}).get(FORMAT.encode(), _mark(description)) != _mark(description):
        raise _Damaged("is not of this sweep")
    return columns


def _write_lines(path: Path, table: dict[str, list[Any]], description: dict[str, Any]) -> None:
    """Rows of JSON; the last key of each is the checksum of the sweep's mark and the row without it."""
    mark = zlib.crc32(_mark(description))
    with open(path, "w", encoding="utf-8") as file:
        for values in zip(*table.values()):
            row = json.dumps({key: plain(value) for key, value in zip(table, values)}, allow_nan=False)
            file.write(f"{row[:-1]}{_CHECKSUM}{zlib.crc32(row.encode(), mark)}}}\n")


def _read_lines(path: Path, description: dict[str, Any]) -> dict[str, list[Any]]:
    """The columns of a file of rows. Rows of 0.1.0 have no checksum."""
    mark = zlib.crc32(_mark(description))
    rows: list[dict[str, Any]] = []
    number = 0
    try:
        for number, line in enumerate(read_text(path).splitlines(), start=1):  # noqa: B007
            row, found, checksum = line.rpartition(_CHECKSUM)
            text = row + "}" if found else line
            if found and checksum != f"{zlib.crc32(text.encode(), mark)}}}":
                raise ValueError("its checksum is not that of a row of this sweep")
            rows.append(parse_json(text))
            if rows[-1].keys() != rows[0].keys():
                raise ValueError("it has other columns")
    except (TypeError, ValueError) as error:
        raise _Damaged(f"is damaged (line {number}: {error})") from None
    if not rows:
        raise _Damaged("is empty")
    return {key: [row[key] for row in rows] for key in rows[0]}
