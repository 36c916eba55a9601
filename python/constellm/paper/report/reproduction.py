"""A study reproduced: rows, figures, tables, and a page that shows them all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ...core.files import as_path, write_text
from ...core.progress import bar
from ...core.table import Rows, Table, Tables
from ...plot import save_figure, style
from .notebooks import notebook_tools, render_notebooks
from .page import Page, Section, Shown
from .study import Study

_SHOWN_ROWS = 60
"""A longer table stands on the page as a link alone."""


def reproduce_study(
    study: Study,
    out: str | os.PathLike[str],
    *,
    quick: bool = False,
    notebooks: str | os.PathLike[str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Compute the comparisons of a study.

    Writes ``rows/*.csv`` (all that was computed, in full), ``figures/*.png`` and ``*.pdf`` (drawn from the
    stored rows), ``tables/*.csv``, ``*.md`` and ``*.tex`` (claims and tables to read), ``index.html`` and
    ``index.md``. A second run writes the same bytes, notebooks apart: they measure time.

    Parameters
    ----------
    study : Study
    out : path
        Folder, made if absent.
    quick : bool
        Coarse grids, for a first look and for tests.
    notebooks : path, optional
        Folder of notebooks to execute and render under ``notebooks/``; needs nbclient and nbconvert.
    tell : callable, optional
        Is told what is being done, in a line each; default: a bar where somebody waits.

    Returns
    -------
    Path
        Of ``index.html``.

    Raises
    ------
    ImportError
        Where matplotlib, or what notebooks need, is not installed; the message says how to get it.
    """
    style.matplotlib()  # what is missing is said before anything is written
    if notebooks is not None:
        notebook_tools()
    out = as_path(out)
    for name in ("rows", "figures", "tables"):
        (out / name).mkdir(parents=True, exist_ok=True)
    everything: Tables = {}
    sections = []
    many = len(study.experiments)
    with bar(many, unit="experiments", progress=None if tell is None else False) as move_on:
        for i, experiment in enumerate(study.experiments):
            if tell is not None:
                tell(f"{i + 1} of {many}: {experiment.title}")
            tables = _stored(experiment.compute(quick), out / "rows")
            everything.update(tables)
            pictures = []
            for picture in experiment.draw(tables):
                save_figure(picture.figure, out / "figures", picture.name)
                _close(picture.figure)
                pictures.append((picture.name, picture.caption))
            shown = [_table(name, rows, out / "tables") for name, rows in tables.items()]
            sections.append(Section(experiment.title, experiment.text, pictures, shown))
            move_on(1)
    if tell is not None and notebooks is not None:
        tell("notebooks")
    judged = _stored({"claims": study.claims(everything)}, out / "rows")["claims"]
    rendered = {}
    if notebooks is not None:
        rendered = render_notebooks(notebooks, out / "notebooks", quick=quick, back="../index.html")
    page = Page(
        study=study,
        claims=_table("claims", judged, out / "tables"),
        sections=sections,
        notebooks={file.relative_to(out).as_posix(): title for file, title in rendered.items()},
        quick=quick,
    )
    write_text(page.parameters.to_markdown(), out / "tables" / "parameters.md")
    write_text(page.markdown(), out / "index.md")
    index = out / "index.html"
    write_text(page.html(), index)
    return index


def _stored(tables: Tables, folder: Path) -> Tables:
    """`tables` as they come back from their files: what is drawn is what was stored."""
    found = {}
    for name, rows in tables.items():
        Table.of(rows).to_csv(folder / f"{name}.csv")
        found[name] = list(Table.read_csv(folder / f"{name}.csv"))
    return found


def _table(name: str, rows: Rows, folder: Path) -> Shown:
    table = Table.of(rows)
    table.to_csv(folder / f"{name}.csv")
    write_text(table.to_markdown(), folder / f"{name}.md")
    write_text(table.to_latex(), folder / f"{name}.tex")
    return Shown(name, table if len(rows) <= _SHOWN_ROWS else None)


def _close(figure: object) -> None:
    from matplotlib import pyplot

    pyplot.close(figure)
