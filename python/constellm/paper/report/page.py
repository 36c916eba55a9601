"""The page of a study, as Markdown and as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ...core.table import Table
from .study import Study, parameters_table

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 70rem; margin: 2rem auto; }
table { border-collapse: collapse; font-size: 12.5px; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 3px 9px; border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #999; }
figure { margin: 1.5rem 0; } figure img { max-width: 100%; } figcaption { color: #555; font-size: 13px; }
.holds { color: #06693f; font-weight: 600; } .region { color: #8a5a00; font-weight: 600; }
.fails { color: #a0122a; font-weight: 600; }
"""

_VERDICT_CLASSES = {
    "holds": "holds",
    "holds in a region": "region",
    "does not hold": "fails",
}


@dataclass(frozen=True)
class Shown:
    """A table of the page."""

    name: str
    table: Table | None
    """None for one that is only linked."""

    @property
    def text(self) -> str:
        """As Markdown."""
        return self.table.to_markdown() if self.table else ""


@dataclass(frozen=True)
class Section:
    """An experiment on the page."""

    title: str
    text: str
    pictures: Sequence[tuple[str, str]]
    """Name and caption."""
    tables: Sequence[Shown]


@dataclass(frozen=True)
class Page:
    """All that the page shows."""

    study: Study
    claims: Shown
    sections: Sequence[Section]
    notebooks: Sequence[str]
    """Paths from the page's folder."""
    quick: bool

    def markdown(self) -> str:
        """``index.md``."""
        parts = [f"# {self.study.title}", *self._notes(), "## The paper's numbers"]
        parts += [self.study.verdicts, self.claims.text]
        for section in self.sections:
            parts += [f"## {section.title}", section.text]
            for name, caption in section.pictures:
                parts += [f"![{caption}](figures/{name}.png)", f"*{caption}* ([PDF](figures/{name}.pdf))"]
            for table in section.tables:
                parts += [f"### {_words(table.name)} ([CSV](rows/{table.name}.csv))", table.text]
        parts += ["## Parameters and assumptions", self.parameters.to_markdown()]
        if self.notebooks:
            parts += ["## Notebooks", "\n".join(f"* [{path}]({path})" for path in self.notebooks)]
        return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"

    def html(self) -> str:
        """``index.html``."""
        parts = [f"<h1>{escape(self.study.title)}</h1>", *map(_paragraph, self._notes())]
        parts += ["<h2>The paper's numbers</h2>", _paragraph(self.study.verdicts), _html(self.claims.table)]
        for section in self.sections:
            parts += [f"<h2>{escape(section.title)}</h2>", _paragraph(section.text)]
            for name, caption in section.pictures:
                parts.append(
                    f'<figure><img src="figures/{name}.png" alt="{escape(caption)}">'
                    f'<figcaption>{escape(caption)} <a href="figures/{name}.pdf">PDF</a></figcaption>'
                    "</figure>"
                )
            for table in section.tables:
                link = f'<a href="rows/{table.name}.csv">CSV</a>'
                head = f"{escape(_words(table.name))} ({link})"
                if table.table is None:
                    parts.append(f"<p>{head}</p>")
                    continue
                parts.append(f"<details><summary>{head}</summary>{_html(table.table)}</details>")
        parts += ["<h2>Parameters and assumptions</h2>", _html(self.parameters)]
        if self.notebooks:
            links = [f'<li><a href="{escape(path)}">{escape(path)}</a></li>' for path in self.notebooks]
            parts.append(f"<h2>Notebooks</h2><ul>{''.join(links)}</ul>")
        body = "\n".join(parts)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
            f"<title>{escape(self.study.title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
        )

    @property
    def parameters(self) -> Table:
        """The study's, and where each comes from."""
        return parameters_table(self.study.parameters)

    def _notes(self) -> list[str]:
        coarse = "A quick run: coarse grids, so regions are rough and some models are left out."
        return [self.study.introduction, coarse] if self.quick else [self.study.introduction]


def _words(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _html(table: Table | None) -> str:
    return table.to_html(cell=_cell) if table is not None else ""


def _cell(text: str) -> str:
    """Code spans stay such, and a verdict gets its colour."""
    kind = _VERDICT_CLASSES.get(text)
    inside = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
    return f'<td class="{kind}">{inside}</td>' if kind else f"<td>{inside}</td>"
