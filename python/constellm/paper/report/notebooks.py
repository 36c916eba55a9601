"""Notebooks executed and rendered."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from ...core.files import as_path
from ...core.optional import optional_import

_CELL_TIMEOUT_S = 300


def notebook_tools() -> list[ModuleType]:
    """nbformat, nbclient, nbconvert and traitlets.config; ImportError says what is missing."""
    return [
        optional_import(name, extra="notebook", purpose=f"rendering notebooks needs {name.split('.')[0]}")
        for name in ("nbformat", "nbclient", "nbconvert", "traitlets.config")
    ]


def render_notebooks(
    folder: str | os.PathLike[str], out: Path, *, quick: bool = False, back: str | None = None
) -> dict[Path, str]:
    """Execute every notebook of `folder` there, and write it with its outputs as ``out/<name>.html``.

    Parameters
    ----------
    folder : path
        With ``*.ipynb``.
    out : Path
        Folder, made if absent.
    quick : bool
        Sets ``CONSTELLM_QUICK=1``, which the notebooks take for coarse grids.
    back : str, optional
        Where a link above each notebook leads, seen from `out`.

    Returns
    -------
    dict of Path to str
        The files, each with the notebook's title, its first heading.

    Raises
    ------
    ImportError
        Where nbclient, nbconvert or a kernel's package is not installed.
    FileNotFoundError
        If the folder holds no notebook.
    nbclient.exceptions.CellExecutionError
        When a cell fails.
    """
    nbformat, nbclient, nbconvert, config = notebook_tools()
    sources = sorted(as_path(folder).glob("*.ipynb"))
    if not sources:
        raise FileNotFoundError(f"notebooks: no *.ipynb in {as_path(folder)}")
    out.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "CONSTELLM_QUICK": "1" if quick else "0",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # whatever the caller draws with
        "TQDM_DISABLE": "1",  # nobody waits
    }
    place = {"metadata": {"path": str(as_path(folder).resolve())}}  # stored rows are found from there
    files = {}
    with tempfile.TemporaryDirectory() as sockets:
        # Sockets of the file system, so that no port is opened; where both sides find them, whatever folder
        # they run in.
        local = config.Config({"KernelManager": {"transport": "ipc", "ip": str(Path(sockets) / "kernel")}})
        for source in sources:
            notebook = nbformat.read(source, as_version=4)
            client = nbclient.NotebookClient(
                notebook, timeout=_CELL_TIMEOUT_S, kernel_name="python3", config=local, resources=place
            )
            client.execute(env=environment)
            file = out / f"{source.stem}.html"
            files[file] = _title(notebook, source.stem)
            if back is not None:
                notebook.cells.insert(0, nbformat.v4.new_markdown_cell(f"[← results]({back})"))
            exporter = nbconvert.HTMLExporter()
            page = exporter.from_notebook_node(notebook, {"metadata": {"name": files[file]}})[0]
            file.write_text(page, encoding="utf-8")
    return files


def _title(notebook: Any, name: str) -> str:
    """The first heading of a notebook, or the name of its file."""
    for cell in notebook.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.startswith("# "):
                return str(line[2:].strip())
    return name
