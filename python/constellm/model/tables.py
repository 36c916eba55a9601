"""Profiles from a user's own figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .._core.model import LayerProfile
from ..core.checks import hint_for, known_keywords, short
from ..core.files import as_path, read_text
from .config import PathName
from .profile import FIELDS, Profile

_REQUIRED = ("flop", "memory_bytes", "output_bytes")
_OPTIONS = ("name", "names", "batch", "dtype", "note")


def from_arrays(
    *,
    flop: Iterable[float],
    memory_bytes: Iterable[float],
    output_bytes: Iterable[float],
    input_bytes: float,
    names: Sequence[str] | None = None,
    name: str = "table",
    batch: int = 1,
    dtype: str = "float32",
    note: str = "",
    **more: Iterable[float],
) -> Profile:
    """Profile from one array per figure, all for one micro-batch.

    Parameters
    ----------
    flop, memory_bytes, output_bytes : array_like, shape (layers,)
        Computation [FLOP], resident memory [B] and activation sent on [B] of every layer, >= 0.
    input_bytes : float
        Raw input [B].
    names : sequence of str, shape (layers,)
        Labels; default ``layer-0``, ``layer-1``, …
    name, batch, dtype, note
        As for `Profile`.
    **more : array_like, shape (layers,)
        Any other figure of `LayerProfile`: parameters, weight_bytes, kv_cache_bytes, workspace_bytes,
        read_bytes, error_gain.

    Returns
    -------
    Profile

    Raises
    ------
    ValueError, TypeError
        Names the figure, and the layer where it is one; for columns of unequal length, or an unknown figure.

    Examples
    --------
    >>> from constellm import model
    >>> profile = model.from_arrays(
    ...     flop=[2e9, 3e9],
    ...     memory_bytes=[4e6, 8e6],
    ...     output_bytes=[1e6, 4e3],
    ...     input_bytes=3e6,
    ...     names=["stem", "head"],
    ... )
    >>> [layer.name for layer in profile.layers]
    ['stem', 'head']
    """
    known_keywords("from_arrays()", more, [*FIELDS, *_OPTIONS])
    columns = {"flop": flop, "memory_bytes": memory_bytes, "output_bytes": output_bytes, **more}
    arrays = {field: _column(field, values) for field, values in columns.items()}
    layers = arrays["flop"].size
    for field, values in arrays.items():
        if values.size != layers:
            raise ValueError(f"{field}: {values.size} values are not {layers}, one per layer as flop has")
    if names is None:
        names = [f"layer-{index}" for index in range(layers)]
    if isinstance(names, str) or len(names) != layers:
        raise ValueError(f"names: {names!r} are not {layers} labels, as many as flop has")
    detail = []
    for index in range(layers):
        row: dict[str, Any] = {field: float(values[index]) for field, values in arrays.items()}
        try:
            detail.append(LayerProfile(name=names[index], **row))
        except (TypeError, ValueError) as error:
            raise type(error)(f"layer {index}: {error}") from None
    return Profile(
        name=name, detail=tuple(detail), input_bytes=input_bytes, batch=batch, dtype=dtype, note=note
    )


def _column(field: str, values: Iterable[float]) -> np.ndarray:
    """One number per layer."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{field}: expected one number per layer, got {short(values)}")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{field}: expected numbers, got {short(values)}")
    return array


def from_csv(path: PathName, *, input_bytes: float, **options: Any) -> Profile:
    r"""Profile from a table with a heading and one line per layer.

    Parameters
    ----------
    path : str or path
        Comma-separated, UTF-8 with or without a byte order mark. Columns flop, memory_bytes,
        output_bytes; of name and the other figures of `from_arrays` as many as there are.
    input_bytes : float
        Raw input of a micro-batch [B].
    **options
        `name` (default: the file's), `batch`, `dtype`, `note`, as for `from_arrays`.

    Returns
    -------
    Profile

    Raises
    ------
    ValueError, TypeError
        For a column that is missing or no figure; names the file, the line and the column.

    Examples
    --------
    >>> from pathlib import Path
    >>> from constellm import model
    >>> text = "name,flop,memory_bytes,output_bytes\nstem,1e9,2e6,4e5\nhead,2e9,3e6,4e3\n"
    >>> _ = Path("detector.csv").write_text(text)
    >>> profile = model.from_csv("detector.csv", input_bytes=1.5e5)
    >>> profile.name, [layer.name for layer in profile.layers]
    ('detector', ['stem', 'head'])
    """
    known_keywords("from_csv()", options, _OPTIONS)
    path = as_path(path)
    reader = csv.DictReader(io.StringIO(read_text(path)), strict=True)
    try:
        headings = reader.fieldnames or []
        rows = list(reader)
    except csv.Error as error:
        raise ValueError(f"{path}: {error}") from None
    for field in _REQUIRED:
        if field not in headings:
            raise ValueError(f"{path}: no column {field!r}; it has {', '.join(headings) or 'none'}")
    for heading in headings:
        if heading != "name" and heading not in FIELDS:
            raise ValueError(f"{path}: unknown column {heading!r}{hint_for(heading, ['name', *FIELDS])}")
    if len(set(headings)) != len(headings):
        raise ValueError(f"{path}: a column stands twice in {', '.join(headings)}")
    columns: dict[str, Any] = {heading: [] for heading in headings if heading != "name"}
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ValueError(f"{path}, line {line}: not {len(headings)} values")
        for field, values in columns.items():
            try:
                values.append(float(row[field]))
            except ValueError:
                raise ValueError(f"{path}, line {line}: {field}: {row[field]!r} is no number") from None
    if "name" in headings:
        options.setdefault("names", [row["name"] for row in rows])
    return from_arrays(input_bytes=input_bytes, **{"name": path.stem, **options}, **columns)
