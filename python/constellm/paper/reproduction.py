"""The whole reproduction: rows, figures, tables, and a page that shows them all."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.files import as_path
from ..plot import save_figure
from .claims import claims
from .experiments import EXPERIMENTS
from .notebooks import render_notebooks
from .page import Page, Section, Shown
from .parameters import parameters_markdown
from .rows import Rows, Tables, markdown, read_rows, write_rows

_SHOWN_ROWS = 60
"""A longer table stands on the page as a link alone."""


def reproduce(
    out: str | os.PathLike[str], *, quick: bool = False, notebooks: str | os.PathLike[str] | None = None
) -> Path:
    """Compute the comparisons of the collaborative-inference paper (arXiv 2604.04654).

    Writes ``rows/*.csv`` (all that was computed, in full), ``figures/*.png`` and ``*.pdf`` (drawn from the
    stored rows), ``tables/*.csv`` and ``*.md`` (claims and tables to read), ``index.html`` and ``index.md``.
    A second run writes the same bytes, notebooks apart: they measure time.

    Parameters
    ----------
    out : path
        Folder, made if absent.
    quick : bool
        Coarse grids, for a first look and for tests.
    notebooks : path, optional
        Folder of notebooks to execute and render under ``notebooks/``; needs nbclient and nbconvert.

    Returns
    -------
    Path
        Of ``index.html``.

    Raises
    ------
    ImportError
        Where matplotlib, or what notebooks need, is not installed; the message says how to get it.
    """
    out = as_path(out)
    for name in ("rows", "figures", "tables"):
        (out / name).mkdir(parents=True, exist_ok=True)
    everything: Tables = {}
    sections = []
    for experiment in EXPERIMENTS:
        tables = _stored(experiment.compute(quick), out / "rows")
        everything.update(tables)
        pictures = []
        for picture in experiment.draw(tables):
            save_figure(picture.figure, out / "figures", picture.name)
            _close(picture.figure)
            pictures.append((picture.name, picture.caption))
        shown = [_table(name, rows, out / "tables") for name, rows in tables.items()]
        sections.append(Section(experiment.title, experiment.text, pictures, shown))
    judged = _stored({"claims": claims(everything)}, out / "rows")["claims"]
    rendered = render_notebooks(notebooks, out / "notebooks", quick=quick) if notebooks is not None else []
    page = Page(
        claims=_table("claims", judged, out / "tables"),
        sections=sections,
        parameters=parameters_markdown() + "\n",
        notebooks=[file.relative_to(out).as_posix() for file in rendered],
        quick=quick,
    )
    (out / "tables" / "parameters.md").write_text(page.parameters, encoding="utf-8")
    (out / "index.md").write_text(page.markdown(), encoding="utf-8")
    index = out / "index.html"
    index.write_text(page.html(), encoding="utf-8")
    return index


def _stored(tables: Tables, folder: Path) -> Tables:
    """`tables` as they come back from their files: what is drawn is what was stored."""
    return {name: read_rows(write_rows(rows, folder / f"{name}.csv")) for name, rows in tables.items()}


def _table(name: str, rows: Rows, folder: Path) -> Shown:
    write_rows(rows, folder / f"{name}.csv")
    text = markdown(rows)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return Shown(name, text if len(rows) <= _SHOWN_ROWS else "")


def _close(figure: object) -> None:
    from matplotlib import pyplot

    pyplot.close(figure)
