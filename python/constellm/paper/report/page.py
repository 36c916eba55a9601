"""The page of a study, as Markdown and as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ...core.table import Table
from .study import Study, parameters_table

# Figures are drawn on white, and keep it as a card on a dark page.
_STYLE = """
:root { color-scheme: light dark; --ink: #222; --ground: #fff; --quiet: #555; --line: #ddd; --link: #0b5cad;
  --holds: #06693f; --region: #8a5a00; --fails: #a0122a; }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --ground: #16181c; --quiet: #aaa; --line: #3a3d44;
  --link: #7db7f0; --holds: #58c690; --region: #e0b050; --fails: #ff8090; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 70rem;
  margin: 2rem auto; padding: 0 1rem; }
a { color: var(--link); }
table { border-collapse: collapse; font-size: 12.5px; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 3px 9px; border-bottom: 1px solid var(--line); }
th { border-bottom: 2px solid var(--quiet); }
figure { margin: 1.5rem 0; } figcaption { color: var(--quiet); font-size: 13px; }
figure img { max-width: 100%; background: #fff; border-radius: 4px; }
.holds { color: var(--holds); font-weight: 600; } .region { color: var(--region); font-weight: 600; }
.fails { color: var(--fails); font-weight: 600; }
"""

_CLAIMS, _PARAMETERS, _NOTEBOOKS = "The paper's numbers", "Parameters and assumptions", "Notebooks"

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
    notebooks: Mapping[str, str]
    """Path from the page's folder to title."""
    quick: bool

    def markdown(self) -> str:
        """``index.md``."""
        parts = [f"# {self.study.title}", *self._notes(), f"## {_CLAIMS}"]
        parts += [self.study.verdicts, self.claims.text]
        for section in self.sections:
            parts += [f"## {section.title}", section.text]
            for name, caption in section.pictures:
                parts += [f"![{caption}](figures/{name}.png)", f"*{caption}* ([PDF](figures/{name}.pdf))"]
            for table in section.tables:
                parts += [f"### {_words(table.name)} ([CSV](rows/{table.name}.csv))", table.text]
        parts += [f"## {_PARAMETERS}", self.parameters.to_markdown()]
        if self.notebooks:
            links = [f"* [{title}]({path})" for path, title in self.notebooks.items()]
            parts += [f"## {_NOTEBOOKS}", "\n".join(links)]
        return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"

    def html(self) -> str:
        """``index.html``."""
        parts = [f"<h1>{escape(self.study.title)}</h1>", *map(_paragraph, self._notes()), self._contents()]
        parts += [_heading(_CLAIMS), _paragraph(self.study.verdicts), _html(self.claims.table)]
        for section in self.sections:
            parts += [_heading(section.title), _paragraph(section.text)]
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
        parts += [_heading(_PARAMETERS), _html(self.parameters)]
        if self.notebooks:
            links = [
                f'<li><a href="{escape(path)}">{escape(title)}</a></li>'
                for path, title in self.notebooks.items()
            ]
            parts += [_heading(_NOTEBOOKS), f"<ul>{''.join(links)}</ul>"]
        body = "\n".join(parts)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.study.title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
        )

    def _contents(self) -> str:
        titles = [_CLAIMS, *(section.title for section in self.sections), _PARAMETERS]
        if self.notebooks:
            titles.append(_NOTEBOOKS)
        links = [f'<li><a href="#{_anchor(title)}">{escape(title)}</a></li>' for title in titles]
        return f'<nav aria-label="contents"><ul>{"".join(links)}</ul></nav>'

    @property
    def parameters(self) -> Table:
        """The study's, and where each comes from."""
        return parameters_table(self.study.parameters)

    def _notes(self) -> list[str]:
        coarse = "A quick run: coarse grids, so regions are rough and some models are left out."
        return [self.study.introduction, coarse] if self.quick else [self.study.introduction]


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _heading(title: str) -> str:
    return f'<h2 id="{_anchor(title)}">{escape(title)}</h2>'


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
