"""Figures as files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..core.files import as_path
from . import style

# No time and no version, so that the same figure is the same file.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def save_figure(fig: Any, folder: str | os.PathLike[str], name: str) -> list[Path]:
    """Write ``folder/name.png`` and ``folder/name.pdf``; equal figures give equal bytes.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        A matplotlib figure.
    folder : path
        Created if absent.
    name : str
        File name without ending.

    Returns
    -------
    list of Path
        The two files.

    Examples
    --------
    >>> from constellm import paper, plot, split
    >>> plan = split.solve(paper.collaborative.problem(relays=0))
    >>> [path.name for path in plot.save_figure(plot.plot_plan(plan).figure, "figures", "plan")]
    ['plan.png', 'plan.pdf']
    """
    if Path(name).name != name or not name.strip("."):
        raise ValueError(f"name: {name!r} is not a plain file name")
    folder = as_path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with style.matplotlib().rc_context({"pdf.fonttype": 42, "pdf.compression": 6}):
        for ending, metadata in _METADATA.items():
            file = folder / f"{name}.{ending}"
            fig.savefig(file, dpi=150, bbox_inches="tight", metadata=metadata)
            files.append(file)
    return files
