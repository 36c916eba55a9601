"""Rows of a table: computed once, stored, and read again by whatever draws them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.files import read_text
from ..core.quantity import quantity, split_unit

Row = dict[str, Any]
"""Column → text, number or truth value; a number that is not there is NaN."""
Rows = list[Row]
Tables = dict[str, Rows]


def write_rows(rows: Rows, file: Path) -> Path:
    """Store `rows` as CSV, every number in full; `read_rows` gives them back."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=columns(rows), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file


def read_rows(file: Path) -> Rows:
    """Rows of a CSV file, numbers as numbers."""
    lines = csv.DictReader(io.StringIO(read_text(file)))
    return [{name: _value(text) for name, text in row.items()} for row in lines]


def columns(rows: Rows) -> list[str]:
    """Names of the columns; every row has the same ones.

    Raises
    ------
    ValueError
        If there is no row, or one differs in its columns.
    """
    if not rows:
        raise ValueError("rows: a table needs at least one row")
    names = list(rows[0])
    for row in rows:
        if list(row) != names:
            raise ValueError(f"rows: columns {list(row)} differ from {names}")
    return names


def where(rows: Rows, **values: Any) -> Rows:
    """The rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def only(rows: Rows, **values: Any) -> Row:
    """The one row that has these values; KeyError where there is none or several."""
    found = where(rows, **values)
    if len(found) != 1:
        raise KeyError(f"{len(found)} rows with {values}")
    return found[0]


def distinct(rows: Rows, name: str) -> list[Any]:
    """Values of a column in their first order."""
    return list(dict.fromkeys(row[name] for row in rows))


def markdown(rows: Rows) -> str:
    """`rows` as a Markdown table, numbers with the units that the columns' names end in."""
    names = columns(rows)
    lines = ["| " + " | ".join(split_unit(name)[0] for name in names) + " |", "|" + " --- |" * len(names)]
    for row in rows:
        lines.append("| " + " | ".join(shown(name, row[name]) for name in names) + " |")
    return "\n".join(lines) + "\n"


def shown(name: str, value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, float):
        unit = split_unit(name)[1]
        return quantity(value, unit, digits=4) if unit else "–" if math.isnan(value) else f"{value:.4g}"
    return str(value).replace("|", "\\|")


def table_of(rows: Rows, index: str, column: str, value: str, *, order: Sequence[Any] | None = None) -> Rows:
    """Long rows made wide: a row for each value of `index`, a column for each of `column`."""
    heads = distinct(rows, column) if order is None else list(order)
    return [
        {index: at, **{f"{head}": only(rows, **{index: at, column: head})[value] for head in heads}}
        for at in distinct(rows, index)
    ]


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"True": True, "False": False}.get(text, text)
