"""Menus from the user's own measurements."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from typing import Any, Union

from .._core.codec import Codec
from ..core.files import read_text
from .menu import Menu

_NUMBERS = ("ratio", "error", "encode_s_per_byte", "decode_s_per_byte")
_KEYS = tuple(field.name for field in Codec.fields)

Table = Union[str, "os.PathLike[str]", Mapping[str, Any], Iterable[Mapping[str, Any]]]


def from_table(table: Table) -> Menu:
    """A menu from rows, columns or a CSV file.

    Keys are those of `Codec`: `name`, `ratio` and `error` are needed, `encode_s_per_byte`,
    `decode_s_per_byte`, `layer_ratio`, `layer_error` and `group` optional.

    Parameters
    ----------
    table : list of dict, dict of arrays, or path
        Rows; or columns of equal length, those of `layer_ratio` and `layer_error` of shape (options,
        layers); or a CSV file with a header, in which an empty field is an absent value and values per
        layer do not occur.

    Returns
    -------
    Menu
        A list of `Codec`.

    Raises
    ------
    ValueError, TypeError
        Names the row, the key and what is wrong.

    Examples
    --------
    >>> from constellm import codec
    >>> menu = codec.from_table({"name": ["half", "quarter"], "ratio": [2.0, 4.0], "error": [0.0, 0.01]})
    >>> menu[1].ratio
    4.0
    """
    rows: list[Any]
    if isinstance(table, (str, os.PathLike)):
        place, rows = os.fspath(table) + ": row", _csv_rows(table)
    elif isinstance(table, Mapping):
        place, rows = "row", _column_rows(table)
    else:
        place, rows = "row", list(table)
    codecs = []
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise TypeError(f"{place} {i}: expected a mapping of {', '.join(_KEYS)}, got {row!r}")
        try:
            codecs.append(Codec(**row))
        except (ValueError, TypeError) as error:
            raise type(error)(f"{place} {i}: {error}") from None
    if not codecs:
        raise ValueError("table: no row, at least one option is needed")
    names = [codec.name for codec in codecs]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f"{place} {i}: name: {name!r} is used by row {names.index(name)}")
    return Menu(codecs)


def _column_rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    lengths = {key: len(column) for key, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"table: columns of different lengths: {lengths}")
    plain = {
        key: column.tolist() if hasattr(column, "tolist") else list(column) for key, column in columns.items()
    }
    return [dict(zip(plain, values)) for values in zip(*plain.values())]


def _csv_rows(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    lines = csv.DictReader(io.StringIO(read_text(path)), strict=True)
    try:
        for i, text in enumerate(lines):
            row: dict[str, Any] = {}
            for key, value in text.items():
                if key is None:
                    raise ValueError(
                        f"{os.fspath(path)}: row {i}: {len(value)} fields more than the header has"
                    )
                if value is None or value == "":
                    continue
                row[key] = _number(f"{os.fspath(path)}: row {i}: {key}", value) if key in _NUMBERS else value
            rows.append(row)
    except csv.Error as error:
        raise ValueError(f"{os.fspath(path)}: line {lines.line_num}: {error}") from None
    return rows


def _number(place: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{place}: {text!r} is not a number") from None
