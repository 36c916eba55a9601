"""The page of the reproduction, as Markdown and as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_TITLE = "Collaborative inference over LEO satellites, reproduced"

_INTRODUCTION = (
    "What comes out here beside what the paper of Zhang, Wu, Li, Wang and Shen (arXiv 2604.04654, 2026) "
    "reports. It was known here through its abstract and summaries of its text; no equation of it was at "
    "hand, nor were its micro-batches, precision, utilisation or raw image format. Each such number is an "
    "assumption: the table of parameters names it, and the sensitivity figures move it. The utilisation of "
    "0.2 is one of them; with it the speed-ups at 1080p come near the paper's, with 0.1 or 0.35 they do not. "
    "Every plan is solved to a proven optimum or comes from a named method; all delays come from one "
    "evaluator, but for rows that name another delay model."
)

_VERDICTS = (
    "A verdict is computed from the stored rows: a claim holds when it does in every examined setting, holds "
    "in a region when it does in some, and does not hold when it does in none. Numbers under “here” rest on "
    "the scenario's assumptions: ViT-G, 1080p, FP16 tensor cores at 0.2 utilisation, 8 micro-batches of "
    "8 images, no layer on the ground."
)

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 70rem; margin: 2rem auto; }
table { border-collapse: collapse; font-size: 12.5px; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 3px 9px; border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #999; }
figure { margin: 1.5rem 0; } figure img { max-width: 100%; } figcaption { color: #555; font-size: 13px; }
.holds { color: #06693f; font-weight: 600; } .region { color: #8a5a00; font-weight: 600; }
.fails { color: #a0122a; font-weight: 600; } .open { color: #555; font-weight: 600; }
"""

_VERDICT_CLASSES = {
    "holds": "holds",
    "holds in a region": "region",
    "does not hold": "fails",
    "not measured here": "open",
}


@dataclass(frozen=True)
class Shown:
    """A table of the page."""

    name: str
    text: str
    """As Markdown; empty for one that is only linked."""


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

    claims: Shown
    sections: Sequence[Section]
    parameters: str
    notebooks: Sequence[str]
    """Paths from the page's folder."""
    quick: bool

    def markdown(self) -> str:
        """``index.md``."""
        parts = [f"# {_TITLE}", *self._notes(), "## The paper's numbers", _VERDICTS, self.claims.text]
        for section in self.sections:
            parts += [f"## {section.title}", section.text]
            for name, caption in section.pictures:
                parts += [f"![{caption}](figures/{name}.png)", f"*{caption}* ([PDF](figures/{name}.pdf))"]
            for table in section.tables:
                parts += [f"### {_words(table.name)} ([CSV](rows/{table.name}.csv))", table.text]
        parts += ["## Parameters and assumptions", self.parameters]
        if self.notebooks:
            parts += ["## Notebooks", "\n".join(f"* [{path}]({path})" for path in self.notebooks)]
        return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"

    def html(self) -> str:
        """``index.html``."""
        parts = [f"<h1>{_TITLE}</h1>", *map(_paragraph, self._notes()), "<h2>The paper's numbers</h2>"]
        parts += [_paragraph(_VERDICTS), _html_table(self.claims.text)]
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
                if not table.text:
                    parts.append(f"<p>{head}</p>")
                    continue
                parts.append(f"<details><summary>{head}</summary>{_html_table(table.text)}</details>")
        parts += ["<h2>Parameters and assumptions</h2>", _html_table(self.parameters)]
        if self.notebooks:
            links = [f'<li><a href="{escape(path)}">{escape(path)}</a></li>' for path in self.notebooks]
            parts.append(f"<h2>Notebooks</h2><ul>{''.join(links)}</ul>")
        body = "\n".join(parts)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
            f"<title>{_TITLE}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
        )

    def _notes(self) -> list[str]:
        coarse = "A quick run: coarse grids, so regions are rough and some models are left out."
        return [_INTRODUCTION, coarse] if self.quick else [_INTRODUCTION]


def _words(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _html_table(text: str) -> str:
    """A Markdown table as HTML; code spans stay such, and a verdict gets its colour."""
    head, _, *lines = text.strip().split("\n")
    rows = ["<tr>" + "".join(f"<th>{_cell(cell)}</th>" for cell in _cells(head)) + "</tr>"]
    for line in lines:
        cells = []
        for cell in _cells(line):
            kind = _VERDICT_CLASSES.get(cell)
            cells.append(f'<td class="{kind}">{cell}</td>' if kind else f"<td>{_cell(cell)}</td>")
        rows.append("<tr>" + "".join(cells) + "</tr>")
    return "<table>" + "\n".join(rows) + "</table>"


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def _cell(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
