"""README and the pages of the documentation: their code runs, and what they say it prints is what it prints.

``python tests/python/docs/test_pages.py README.md …``, from the root of the sources, writes outputs anew.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import constellm

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# A cell of a page that is executed when the site is built; or a block, and below it what it prints.
CELL = re.compile(r"^```\{code-cell\} python\n(?P<cell>.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?P<gap>\n\n```text\n)?(?(gap)(?P<printed>.*?)^```$)",
    re.MULTILINE | re.DOTALL,
)
NEEDS = {
    "README.md": ("onnxruntime",),
    "docs/concepts.md": ("matplotlib",),
    "docs/error-accumulation.md": ("onnxruntime",),
    "docs/constellations.md": ("matplotlib", "networkx", "plotly", "sgp4", "xarray"),
    "docs/federated.md": ("flwr", "onnxruntime"),
    "docs/gallery.md": ("highspy", "matplotlib", "plotly", "xarray"),
    "docs/how-to/calibration.md": ("onnxruntime",),
    "docs/how-to/dask.md": ("distributed",),
    "docs/how-to/own-images.md": ("onnxruntime",),
    "docs/how-to/pareto.md": ("matplotlib",),
    "docs/how-to/shared-services.md": ("highspy",),
    "docs/how-to/pytorch.md": ("torch", "onnxruntime"),
    "docs/inference.md": ("onnxruntime",),
    "docs/orbit-elements.md": ("sgp4",),
    "docs/own-models.md": ("torch", "onnxruntime"),
    "docs/round-trips.md": ("sgp4",),
    "docs/services.md": ("highspy",),
    "docs/services-learned.md": ("gymnasium",),
    "docs/services-time.md": ("highspy",),
    "docs/services-uncertainty.md": ("highspy",),
    "docs/sweeps.md": ("xarray",),
}
ELSEWHERE = {"docs/joint-training.md": "tests/python/tools/test_joint_page.py"}  # with what it must find


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def pages_with(pattern: re.Pattern[str]) -> list[Path]:
    return [page for page in PAGES if pattern.search(page.read_text(encoding="utf-8"))]


def shell(command: str) -> None:
    """As a cell's line that begins with ``!``, with this interpreter and package."""
    words = {"constellm": [sys.executable, "-m", "constellm.cli"], "python": [sys.executable]}
    first, *rest = command.split(" ", 1)
    line = " ".join([shlex.join(words[first]), *rest])
    here = {**os.environ, "PYTHONPATH": str(Path(constellm.__file__).parents[1])}
    subprocess.run(["/bin/bash", "-c", line], check=True, env=here)


def run_cell(source: str, page: str, namespace: dict[str, object]) -> None:
    code = re.sub(r"^:tags:.*\n", "", source)
    code = re.sub(r"^!(.*)$", lambda found: f"shell({found[1]!r})", code, flags=re.MULTILINE)
    exec(compile(code, page, "exec"), namespace)


def run_block(code: str, page: str, namespace: dict[str, object]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, page, "exec"), namespace)
    return printed.getvalue()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch with one thread, and its generator left as it was."""
    if importlib.util.find_spec("torch") is None:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("page", pages_with(CELL), ids=name_of)
def test_cells_run_one_after_the_other(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in NEEDS.get(name_of(page), ()):
        pytest.importorskip(module)
    text = page.read_text(encoding="utf-8")
    cells = [found["cell"] for found in CELL.finditer(text)]
    assert len(cells) == text.count("```{code-cell}")
    monkeypatch.chdir(page.parent)
    namespace: dict[str, object] = {"__name__": "__main__", "shell": shell}
    for cell in cells:
        run_cell(cell, name_of(page), namespace)
        if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
            pyplot.close("all")  # as the site's own figures are, once shown


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("page", pages_with(BLOCK), ids=name_of)
def test_blocks_print_what_stands_below_them(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name_of(page) in ELSEWHERE:
        assert page.name in (ROOT / ELSEWHERE[name_of(page)]).read_text(encoding="utf-8")
        return
    for module in NEEDS.get(name_of(page), ()):
        pytest.importorskip(module)
    text = page.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count("```python")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in blocks:
        printed = run_block(block["code"], name_of(page), namespace)
        if block["printed"] is not None:
            assert printed == block["printed"], f"{Path(__file__).name} {page.name} writes it anew"


def test_readme_and_how_to_pages_show_what_is_printed() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs" / "how-to").glob("*.md")]:
        for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
            assert ("print(" in block["code"]) == (block["printed"] is not None), (page.name, block["code"])


def test_every_notebook_is_linked_by_its_title() -> None:
    linked = set()
    for page in PAGES:
        for title, notebook in re.findall(
            r"\[([^\]]+)\]\([./]*(notebooks/[\w-]+\.ipynb)\)", page.read_text("utf-8")
        ):
            first = json.loads((ROOT / notebook).read_text(encoding="utf-8"))["cells"][0]["source"][0]
            assert title == first.strip().removeprefix("# "), (page.name, notebook)
            linked.add(notebook)
    assert linked == {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_the_gallery_has_every_figure() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"\bplot\.(plot_\w+)\(", page))
    assert drawn == {name for name in constellm.plot.__all__ if name.startswith("plot_")}


def written_anew(page: Path) -> str:
    namespace: dict[str, object] = {"__name__": "__main__"}

    def with_output(block: re.Match[str]) -> str:
        printed = run_block(block["code"], page.name, namespace)
        below = f"\n\n```text\n{printed}```" if block["printed"] is not None else ""
        return f"```python\n{block['code']}```{below}"

    return BLOCK.sub(with_output, page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        Path(argument).write_text(written_anew(Path(argument)), encoding="utf-8")
