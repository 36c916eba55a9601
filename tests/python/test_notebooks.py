"""The notebooks run, coarsely, and are stored without outputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("nbconvert")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")
pytest.importorskip("xarray")

FOLDER = Path(__file__).parents[2] / "notebooks"
DRAWS = re.compile(r"^((ax = )?plot\.plot_|ax = plt)", re.MULTILINE)
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_all_of_them_are_found():
    assert [file.stem[:2] for file in NOTEBOOKS] == [f"{i:02}" for i in range(1, 28)]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_stored_without_outputs_and_with_checks(file):
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert code[-1].source.count("assert ") >= 4, "the last cell checks the numbers"
    assert notebook.cells[-2].source == "## Checks"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_runs(file, tmp_path):
    from constellm.paper.report.notebooks import render_notebooks

    # As in a clone: notebooks find stored rows in the documentation beside their folder.
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "docs").symlink_to(FOLDER.parent / "docs")
    (page,) = render_notebooks(tmp_path / "notebooks", tmp_path / "out", quick=True)
    drawing = [cell for cell in nbformat.read(file, as_version=4).cells if DRAWS.search(cell.source)]
    shown = page.read_text(encoding="utf-8").count('src="data:image/png;base64,')
    assert shown >= len(drawing) >= 1, "every cell that draws shows its figure"
