"""Tables of rows by name: shown, written, and handed to other tools in one way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from .console import for_console
from .display import Displayed
from .optional import optional_import
from .table import Table


class _LabelledRows(Displayed):
    """A base of frozen dataclasses with `rows`: dicts with the keys of `_columns`, ``method`` among them."""

    _columns: ClassVar[tuple[str, ...]]

    if TYPE_CHECKING:

        @property
        def rows(self) -> tuple[dict[str, Any], ...]: ...

        def _shown(self) -> Table: ...

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, method: str) -> dict[str, Any]:
        """The first row of a method."""
        for row in self.rows:
            if row["method"] == method:
                return row
        raise KeyError(method)

    def __str__(self) -> str:
        return for_console(self._shown().to_text().rstrip("\n"))

    def to_markdown(self) -> str:
        """The table as Markdown, figures rounded."""
        return self._shown().to_markdown()

    def to_latex(self) -> str:
        """The table as a LaTeX ``tabular`` for the package booktabs, figures as in `to_markdown`."""
        return self._shown().to_latex()

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """The table as CSV, all columns in full precision: written to `path`, or returned without one."""
        rows = tuple(tuple(row[name] for name in self._columns) for row in self.rows)
        text = Table(self._columns, rows).to_csv(path)
        return text if path is None else None

    def to_pandas(self) -> Any:
        """The table as a ``pandas.DataFrame``, indexed by method.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = optional_import("pandas", extra="sweep", purpose="to_pandas needs pandas")
        return pandas.DataFrame(list(self.rows), columns=list(self._columns)).set_index("method")
