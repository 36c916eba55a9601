"""Tables: columns and rows of values, and how they look as text, Markdown, HTML and CSV."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from .files import read_text, write_text
from .quantity import common_prefix, figure, printable, quantity, split_unit

Row = dict[str, Any]
"""Column → text, number or truth value; a number that is not there is NaN."""
Rows = list[Row]
Tables = dict[str, Rows]
"""By name."""

_LONG_CELL = 32  # characters that a cell shows on one line
_FIGURE = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?( ?[^\W\d_][\w/]*| ?[%×°])?|–|-?∞.*")

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi",
    "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "–": "--", "…": r"\dots{}", "×": r"$\times$", "÷": r"$\div$", "·": r"$\cdot$", "−": "$-$", "→": r"$\to$",
    **{letter: rf"$\{name}$" for letter, name in _GREEK.items()},
    "∞": r"$\infty$", "≤": r"$\le$", "≥": r"$\ge$", "±": r"$\pm$", "µ": r"\textmu{}", "°": r"\textdegree{}",
}  # fmt: skip


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
        """The table in a CSV file, as `to_csv` writes it: numbers and truth values become such.

        Raises
        ------
        OSError, ValueError
            Where it cannot be read, is no CSV, or has a row of another length than its header.
        """
        reader = csv.reader(io.StringIO(read_text(path)), strict=True)
        try:
            lines = list(reader)
        except csv.Error as error:
            raise ValueError(f"{os.fspath(path)!r}: line {reader.line_num}: {error}") from None
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

    def to_latex(self, *, digits: int = 4) -> str:
        r"""The table as a LaTeX ``tabular`` for the package booktabs: figures right, units in the head.

        Parameters
        ----------
        digits : int
            Significant ones of a float.

        Examples
        --------
        >>> from constellm.core.table import Table
        >>> print(Table.of([{"method": "top_k", "delay_s": 0.25}]).to_latex(), end="")
        \begin{tabular}{lr}
        \toprule
        method & delay (ms) \\
        \midrule
        top\_k & 250 \\
        \bottomrule
        \end{tabular}
        """
        table = self.with_units_in_head(digits=digits)
        head, body = table._head(), table._cells()
        columns = "".join("r" if right else "l" for right in _are_figures(head, body))
        lines = [" & ".join(map(_latex, row)) + r" \\" for row in (head, *body)]
        rules = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", lines[0], r"\midrule"]
        return "\n".join([*rules, *lines[1:], r"\bottomrule", r"\end{tabular}"]) + "\n"

    def with_units_in_head(self, *, digits: int = 3) -> Table:
        """The same as texts, every column of figures in one unit, which its head names: ``delay (ms)``."""
        heads, columns = [], []
        for name, values in zip(self.columns, zip(*self.rows) if self.rows else [()] * len(self.columns)):
            stem, unit = split_unit(name)
            if unit and all(isinstance(value, (float, int)) for value in values):
                sizes = sorted(abs(value) for value in values if math.isfinite(value) and value)
                # That of the middle: one that is far off shall not take the digits of all others.
                prefix, scale = common_prefix(sizes[len(sizes) // 2 :][:1], unit)
                heads.append(f"{stem} ({prefix}{unit})")
                columns.append([figure(value / scale, digits=digits) for value in values])
            else:
                heads.append(stem)
                columns.append([shown(name, value, digits=digits) for value in values])
        return Table(heads, tuple(zip(*columns)), self.title)

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
        body, lines = self._cells(), []
        right = _are_figures(self._head(), body)
        for row in _shortened(body, most):
            if row is None:
                lines.append(f'<tr><td colspan="{len(self.columns)}">{_left_out(body, most)}</td></tr>')
            else:
                cells = map(cell, row) if cell else map(_td, row, right)
                lines.append(f"<tr>{''.join(cells)}</tr>")
        caption = (
            f'<caption style="text-align: left; font-weight: bold">{escape(self.title)}</caption>'
            if self.title
            else ""
        )
        look = (' class="figure"' if here and not cell else "" for here in right)
        head = "".join(f"<th{how}>{escape(text)}</th>" for how, text in zip(look, self._head()))
        rows = "\n".join(lines)
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"

    def _head(self) -> list[str]:
        return [split_unit(name)[0] for name in self.columns]

    def _cells(self) -> list[list[str]]:
        return [[shown(name, value) for name, value in zip(self.columns, row)] for row in self.rows]


def shown(column: str, value: Any, *, digits: int = 4) -> str:
    """A value as a person reads it under a column of this name."""
    if isinstance(value, float):
        unit = split_unit(column)[1]
        if unit:
            return quantity(value, unit, digits=digits)
        return "–" if math.isnan(value) else f"{value:.{digits}g}"
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


def _are_figures(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[bool]:
    """Of each column whether it has figures alone, which are read from the right."""
    return [
        bool(body) and all(_FIGURE.fullmatch(row[i]) is not None for row in body) for i in range(len(head))
    ]


def _td(text: str, right: bool) -> str:
    look = ' class="figure"' if right else ' class="long"' if len(text) > _LONG_CELL else ""
    return f"<td{look}>{escape(text)}</td>"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in printable(text))


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
