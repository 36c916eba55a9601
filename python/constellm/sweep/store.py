"""Rows of a sweep in a folder: a manifest that says what they are rows of, and files of rows.

``manifest.json`` holds the format, its version, the kind of the row files and, under ``sweep``, all that the
rows depend on. ``rows/00000.parquet``, ... (or ``.jsonl``, without pyarrow) hold a row for every cell and
method: ``cell`` (its number, the last axis fastest), ``method``, a column for every axis, the figures,
``status`` and ``message``. A file appears in one step, whole.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.files import read_json, write_json
from .grid import plain
from .result import SweepResult, Table, axis_labels, best_form
from .rows import COLUMNS, INTERRUPTED, STATUSES, Rows

if TYPE_CHECKING:
    import xarray

FORMAT = "constellm.sweep"
_MOST_ROWS = 4096  # of a file
_MOST_SECONDS = 5.0  # of work that a crash may lose
_log = logging.getLogger(__name__)


class RowStore:
    """A folder that rows are added to.

    Parameters
    ----------
    folder
        Made where there is none. One that holds rows of the same sweep goes on; ValueError for another's.
    description
        `Grid.description`.
    """

    def __init__(self, folder: str | os.PathLike[str], description: dict[str, Any]) -> None:
        self._folder = Path(folder)
        self._description = description
        self._axes = description["axes"]
        self._methods = _methods(description)
        self._waiting: list[Rows] = []
        self._written_at = time.monotonic()
        manifest = self._folder / "manifest.json"
        if manifest.exists():
            self._kind = _read_manifest(self._folder, description)["rows"]
        else:
            if self._folder.exists() and any(self._folder.iterdir()):
                raise ValueError(f"store: {str(self._folder)!r} holds something else than a sweep's rows")
            self._folder.mkdir(parents=True, exist_ok=True)
            self._kind = "parquet" if _has_pyarrow() else "jsonl"
            write_json({"format": FORMAT, "version": 1, "rows": self._kind, "sweep": description}, manifest)

    def rows(self) -> Iterator[Rows]:
        """What is there already."""
        return _stored_rows(self._folder, self._description, self._kind)

    def accept(self, rows: Rows) -> None:
        """Keep `rows`, those apart that an interruption cut short; writes now and then."""
        whole = rows.columns["status"] != INTERRUPTED
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
                _write(self._new_file(), {k: v[start : start + _MOST_ROWS] for k, v in table.items()})
            self._waiting = []
        self._written_at = time.monotonic()

    def _new_file(self) -> Path:
        taken = [int(path.stem) for path in _row_files(self._folder, self._kind)]
        return self._folder / "rows" / f"{max(taken, default=-1) + 1:05d}.{self._kind}"

    def _table(self, parts: list[Rows]) -> dict[str, list[Any]]:
        index = np.concatenate([part.index for part in parts])
        cells = index // len(self._methods)
        messages = {row: text for part in parts for row, text in part.messages.items()}
        table: dict[str, list[Any]] = {"cell": cells.tolist()}
        table["method"] = [self._methods[m] for m in (index % len(self._methods)).tolist()]
        shape = [len(axis["values"]) for axis in self._axes]
        for axis, places in zip(self._axes, np.unravel_index(cells, shape)):
            table[axis["name"]] = axis_labels(axis)[places].tolist()
        for column in COLUMNS:
            table[column.name] = np.concatenate([part.columns[column.name] for part in parts]).tolist()
        table["status"] = [STATUSES[code] for code in table["status"]]
        table["message"] = [messages.get(row, "") for row in index.tolist()]
        return table


def _stored_rows(folder: Path, description: dict[str, Any], kind: str) -> Iterator[Rows]:
    """The rows in a folder. A file that a crash tore is left out, a torn last line likewise."""
    methods = _methods(description)
    for path in _row_files(folder, kind):
        table = _read(path)
        if table is None:
            _log.warning("%s is torn; its rows are left out", path)
            continue
        position = np.array([methods.index(m) for m in table["method"]], dtype=np.int64)
        index = np.array(table["cell"], dtype=np.int64) * len(methods) + position
        columns: dict[str, NDArray[Any]] = {
            c.name: np.array(table[c.name], dtype=c.dtype) for c in COLUMNS if c.name != "status"
        }
        columns["status"] = np.array([STATUSES.index(s) for s in table["status"]], dtype="i1")
        yield Rows(index, columns, {i: m for i, m in zip(index.tolist(), table["message"]) if m}, [])


def load_rows(folder: str | os.PathLike[str]) -> xarray.Dataset | SweepResult:
    """The result of a stored sweep, as `sweep` returned it; cells not computed yet are ``interrupted``.

    Parameters
    ----------
    folder
        The ``store`` of a call of `sweep`.

    Raises
    ------
    ValueError
        If it holds no manifest of a sweep.
    """
    manifest = _read_manifest(Path(folder))
    description = manifest["sweep"]
    table = Table(math.prod(len(axis["values"]) for axis in description["axes"]) * len(_methods(description)))
    for rows in _stored_rows(Path(folder), description, manifest["rows"]):
        table.accept(rows)
    return best_form(table.result(description))


def _methods(description: dict[str, Any]) -> list[str]:
    method = description["method"]
    return [method] if isinstance(method, str) else list(method)


def _read_manifest(folder: Path, expected: dict[str, Any] | None = None) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.exists():
        raise ValueError(f"{str(folder)!r} holds no manifest.json of a sweep")
    manifest = read_json(path)
    if manifest.get("format") != FORMAT or manifest.get("version") != 1:
        raise ValueError(f"{str(path)!r} is not of format {FORMAT!r}, version 1")
    if expected is not None:
        stored = manifest["sweep"]
        differing = [key for key in expected if stored.get(key) != expected[key]]
        if differing:
            told = [
                f"{key} {_short(stored.get(key))} there, {_short(expected[key])} here" for key in differing
            ]
            raise ValueError(f"store: {str(folder)!r} holds rows of another sweep: {'; '.join(told)}")
    return manifest


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


def _write(path: Path, table: dict[str, list[Any]]) -> None:
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        if path.suffix == ".parquet":
            import pyarrow
            import pyarrow.parquet

            pyarrow.parquet.write_table(pyarrow.table(table), scratch)
        else:
            with open(scratch, "w", encoding="utf-8") as file:
                for values in zip(*table.values()):
                    row = {key: plain(value) for key, value in zip(table, values)}
                    file.write(json.dumps(row, allow_nan=False) + "\n")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, list[Any]] | None:
    """The columns of a file of rows; None for one that a crash tore."""
    if path.suffix == ".parquet":
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise ImportError("these rows are parquet files: pip install 'constellm[sweep]'") from error
        try:
            table: dict[str, list[Any]] = pyarrow.parquet.read_table(path).to_pydict()
            return table
        except pyarrow.ArrowInvalid:
            return None
    rows = []
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            if number + 1 < len(lines):
                raise ValueError(f"{str(path)!r}: line {number + 1} is no row") from None
    return {key: [row[key] for row in rows] for key in rows[0]} if rows else None
