"""Tables: columns and rows of values, and how they look as text, Markdown, HTML and CSV."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from .files import read_text, write_text
from .quantity import printable, quantity, split_unit

Row = dict[str, Any]
"""Column → text, number or truth value; a number that is not there is NaN."""
Rows = list[Row]
Tables = dict[str, Rows]
"""By name."""


@dataclass(frozen=True)
class Table:
    """Rows of values under named columns.

    A float is shown with four digits and the unit that its column's name ends in (``delay_s``), anything else
    as its text; CSV has every value in full.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple
        As many values each as there are columns.
    title : str
        Above the table; none in CSV and Markdown.

    Examples
    --------
    >>> from constellm.core.table import Table
    >>> table = Table.of([{"method": "optimal", "delay_s": 0.25}, {"method": "uniform", "delay_s": 0.5}])
    >>> print(table.to_markdown(), end="")
    | method | delay |
    | --- | --- |
    | optimal | 250 ms |
    | uniform | 500 ms |
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(map(tuple, self.rows)))
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"rows[{i}]: {len(row)} values for {len(self.columns)} columns")

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], *, title: str = "") -> Table:
        """A table of dictionaries.

        Raises
        ------
        ValueError
            If there is no row, or one differs in its columns.
        """
        rows = list(rows)
        if not rows:
            raise ValueError("rows: a table needs at least one row")
        columns = tuple(rows[0])
        for row in rows:
            if tuple(row) != columns:
                raise ValueError(f"rows: columns {list(row)} differ from {list(columns)}")
        return cls(columns, tuple(tuple(row.values()) for row in rows), title)

    @classmethod
    def read_csv(cls, path: str | os.PathLike[str]) -> Table:
        """The table in a CSV file, as `to_csv` writes it: numbers and truth values become such."""
        lines = list(csv.reader(io.StringIO(read_text(path)), strict=True))
        if not lines:
            raise ValueError(f"{os.fspath(path)!r}: no header, the file is empty")
        return cls(tuple(lines[0]), tuple(tuple(map(_value, line)) for line in lines[1:]))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        """The rows as dictionaries."""
        return (dict(zip(self.columns, row)) for row in self.rows)

    def to_csv(self, path: str | os.PathLike[str] | None = None, *, digits: int | None = None) -> str:
        """The table as CSV, written to `path` where one is given.

        Parameters
        ----------
        path : path, optional
            Where to.
        digits : int, optional
            Significant ones of a float; default: as many as tell it from any other.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(
            [f"{value:.{digits}g}" if digits and isinstance(value, float) else value for value in row]
            for row in self.rows
        )
        if path is not None:
            write_text(text.getvalue(), path)
        return text.getvalue()

    def to_markdown(self, *, align: str = "left") -> str:
        """The table as Markdown.

        Parameters
        ----------
        align : {'left', 'right'}
            Of the columns after the first: numbers are read from the right.
        """
        rules = ["---"] + ["---" if align == "left" else "---:"] * (len(self.columns) - 1)
        cells = [[cell.replace("|", "\\|") for cell in row] for row in (self._head(), *self._cells())]
        lines = [cells[0], rules, *cells[1:]]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def to_text(self, *, most: int | None = None, indent: str = "") -> str:
        """The table for a console; of more than `most` rows the first ones and the last."""
        head, body = self._head(), self._cells()
        widths = [max(map(len, column)) for column in zip(head, *body)]
        lines = [self.title] if self.title else []
        for row in (head, *_shortened(body, most)):
            if row is None:
                lines.append(f"{indent}{_left_out(body, most)}")
            else:
                padded = "  ".join(printable(cell).ljust(width) for cell, width in zip(row, widths))
                lines.append(f"{indent}{padded}".rstrip())
        return "\n".join(lines) + "\n"

    def to_html(self, *, most: int | None = None, cell: Callable[[str], str] | None = None) -> str:
        """The table as an HTML element; of more than `most` rows the first ones and the last.

        Parameters
        ----------
        cell : callable, optional
            Makes the ``<td>`` element of a cell's text; default: the text, escaped.
        """
        make = cell or (lambda text: f"<td>{escape(text)}</td>")
        body, lines = self._cells(), []
        for row in _shortened(body, most):
            if row is None:
                lines.append(f'<tr><td colspan="{len(self.columns)}">{_left_out(body, most)}</td></tr>')
            else:
                lines.append(f"<tr>{''.join(map(make, row))}</tr>")
        caption = (
            f'<caption style="text-align: left; font-weight: bold">{escape(self.title)}</caption>'
            if self.title
            else ""
        )
        head = "".join(f"<th>{escape(text)}</th>" for text in self._head())
        rows = "\n".join(lines)
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"

    def _head(self) -> list[str]:
        return [split_unit(name)[0] for name in self.columns]

    def _cells(self) -> list[list[str]]:
        return [[shown(name, value) for name, value in zip(self.columns, row)] for row in self.rows]


def shown(column: str, value: Any) -> str:
    """A value as a person reads it under a column of this name."""
    if isinstance(value, float):
        unit = split_unit(column)[1]
        return quantity(value, unit, digits=4) if unit else "–" if math.isnan(value) else f"{value:.4g}"
    return str(value)


def where(rows: Iterable[Row], **values: Any) -> Rows:
    """The rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def only(rows: Iterable[Row], **values: Any) -> Row:
    """The one row that has these values; KeyError where there is none or several."""
    found = where(rows, **values)
    if len(found) != 1:
        raise KeyError(f"{len(found)} rows with {values}")
    return found[0]


def distinct(rows: Iterable[Row], name: str) -> list[Any]:
    """Values of a column in their first order."""
    return list(dict.fromkeys(row[name] for row in rows))


def _shortened(rows: Sequence[list[str]], most: int | None) -> list[list[str] | None]:
    """The rows, or of more than `most` the first ones, None for what is left out, and the last."""
    if most is None or len(rows) <= most:
        return list(rows)
    return [*rows[: most - 2], None, rows[-1]]


def _left_out(rows: Sequence[list[str]], most: int | None) -> str:
    return f"… {len(rows) - len(_shortened(rows, most)) + 1} more"


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"True": True, "False": False}.get(text, text)
