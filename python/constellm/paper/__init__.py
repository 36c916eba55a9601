"""Studies of published systems: settings with every number's standing, and their comparisons reproduced.

Each study is a package, here `collaborative`, `space_xnet` and `satellite_edge`; `report` is what they
share. `reproduce` computes one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .._moved import old_modules
from ..core.deprecation import moved_names
from ..core.keywords import tell_of_slips as _tell_of_slips
from . import collaborative, satellite_edge, space_xnet
from .report.study import Study

STUDIES: dict[str, Study] = {
    study.name: study for study in (collaborative.STUDY, space_xnet.STUDY, satellite_edge.STUDY)
}
"""By name."""

__all__ = ["STUDIES", "collaborative", "reproduce", "satellite_edge", "space_xnet"]


def reproduce(
    out: str | os.PathLike[str],
    study: str = "collaborative",
    *,
    quick: bool = False,
    notebooks: str | os.PathLike[str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Compute the comparisons of a study.

    Parameters
    ----------
    out : path
        Folder, made if absent: ``rows/``, ``tables/`` and ``figures/`` of every experiment, and a page,
        ``index.html`` and ``index.md``.
    study : str
        A name of `STUDIES`.
    quick : bool
        Coarse grids, for a first look and for tests.
    notebooks : path, optional
        Folder of notebooks to execute and render as well; needs the extra ``[notebook]``.
    tell : callable, optional
        Is told what is being done, in a line each; default: a bar where somebody waits.

    Returns
    -------
    Path
        Of the page, ``index.html``.

    Raises
    ------
    ValueError
        If the study is not known.
    ImportError
        Where matplotlib, or what notebooks need, is not installed; the message says how to get it.
    """
    if study not in STUDIES:
        raise ValueError(f"study: {study!r} is not one of {', '.join(map(repr, STUDIES))}")
    from .report.reproduction import reproduce_study

    return reproduce_study(STUDIES[study], out, quick=quick, notebooks=notebooks, tell=tell)


_tell_of_slips(__name__)

__getattr__ = moved_names(
    __name__,
    {
        "Parameter": "constellm.paper.report.study.Parameter",
        "parameters_markdown": "constellm.paper.collaborative.parameters_markdown",
        **{
            name: f"constellm.paper.collaborative.{name}"
            for name in ("FOOTPRINT_BYTES", "MAX_ERROR", "PAPER_KEEP", "PARAMETERS", "edge_boards")
        },
    },
)

old_modules(__name__)
