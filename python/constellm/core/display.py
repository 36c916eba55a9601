"""How values show themselves: lines and tables, as text and in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

from .checks import short
from .console import for_console
from .quantity import printable, quantity, split_unit
from .table import Table

_SHOWN_ROWS = 12  # of a long table: the first ones and the last one

# Colours are those of the page, dark or light, so none is named. What is wider than the page scrolls in a box
# of its own, below a head that stays.
_LOOKS = {
    "": "font-size:13px;line-height:1.45",
    " .wide": "overflow-x:auto",
    " table": "table-layout:auto;width:auto;display:table;border-collapse:collapse;font-size:inherit;"
    "margin:.5em 0 1em 0",
    " caption": "caption-side:top;text-align:left;font-weight:bold;color:inherit;padding:0",
    " :is(th,td)": "text-align:left;vertical-align:top;white-space:nowrap;border:0;"
    "padding:.15em 1em .15em 0;max-width:none",
    " thead th": "border-bottom:1px solid currentColor",
    " .figure": "text-align:right",
    " .long": "white-space:normal;overflow-wrap:anywhere;min-width:26em",
}
# A notebook's own rules for tables squeeze columns to equal widths and set words to the right. A class that
# is named twice goes before them.
_STYLE = "".join(f"div.constellm.constellm{part}{{{look}}}" for part, look in _LOOKS.items())


class Display(NamedTuple):
    """What a value shows of itself."""

    lines: Sequence[str]
    """The first one is the head."""
    tables: Sequence[Table] = ()
    picture: Callable[[], str] | None = None
    """Draws an SVG element, for HTML alone."""

    def text(self) -> str:
        """Lines, then tables, for a console."""
        blocks = ["\n".join(map(printable, self.lines)) + "\n"]
        blocks += [table.to_text(most=_SHOWN_ROWS, indent="  ") for table in self.tables]
        return for_console("\n".join(blocks))

    def html(self, *, most: int | None = _SHOWN_ROWS) -> str:
        """Lines, picture and tables as an element that can be read on light and on dark ground.

        Parameters
        ----------
        most : int, optional
            Rows of a table; of a longer one the first ones and the last. None: all.
        """
        head = "<br>".join([f"<b>{escape(self.lines[0])}</b>", *map(escape, self.lines[1:])])
        wide = [self.picture()] if self.picture else []
        wide += [table.to_html(most=most) for table in self.tables]
        boxes = [f'<div class="wide">{part}</div>' for part in wide if part]
        body = "\n".join([f"<style>{_STYLE}</style>", f"<p>{head}</p>", *boxes])
        return f'<div class="constellm">\n{body}\n</div>'


class Displayed:
    """Shows itself as `_display` says: `summary` as text, ``_repr_html_`` in a notebook."""

    def _display(self) -> Display:
        raise NotImplementedError

    def summary(self) -> str:
        """The value as text: what it is, then tables."""
        return self._display().text()

    def _repr_html_(self) -> str:
        """The value as HTML: what it is, a picture where there is one, then tables."""
        return self._display().html()


def record_display(record: Any) -> Display:
    """The fields of a compiled record that have a value, each in its unit."""
    rows = []
    for field in type(record).fields:
        value = getattr(record, "from_" if field.name == "from" else field.name)
        if value is not None:
            rows.append((split_unit(field.name)[0], _shown(value, field.unit)))
    return Display([type(record).__name__], [Table(("field", "value"), rows)])


def _shown(value: Any, unit: str) -> str:
    if isinstance(value, float):
        return quantity(value, unit) if unit else f"{value:.3g}"
    return value if isinstance(value, str) else short(value)


def attach(shown: type, display: Callable[[Any], Display]) -> None:
    """Give a compiled class the methods of `Displayed`."""

    def summary(self: Any) -> str:
        return display(self).text()

    def html(self: Any) -> str:
        return display(self).html()

    for name, method, like in (
        ("summary", summary, Displayed.summary),
        ("_repr_html_", html, Displayed._repr_html_),
    ):
        method.__name__, method.__doc__ = name, like.__doc__
        setattr(shown, name, method)
