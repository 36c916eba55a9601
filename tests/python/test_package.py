"""The package as a whole: import, version, build information, type stub, README."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import inspect
import json
import pkgutil
import re
import runpy
import subprocess
import sys
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest

import constellm

OPTIONAL = [
    *("PIL", "dask", "distributed", "flwr", "matplotlib", "networkx", "onnx", "onnxruntime", "pandas"),
    *("pyarrow", "ray", "safetensors", "scipy", "sgp4", "torch", "tqdm", "transformers", "xarray"),
]


def in_new_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    ).stdout


def test_import_needs_numpy_alone_and_has_no_side_effects() -> None:
    code = f"""
import sys, json, logging
import numpy
before = numpy.get_printoptions(), numpy.geterr(), list(logging.root.handlers)
for name in {OPTIONAL!r}:
    sys.modules[name] = None  # importing it now raises ImportError
import constellm
assert (numpy.get_printoptions(), numpy.geterr(), list(logging.root.handlers)) == before
print(json.dumps(sorted(name for name in constellm.__all__ if getattr(constellm, name) is None)))
"""
    assert json.loads(in_new_python(code)) == []


def test_import_leaves_out_what_is_not_asked_for() -> None:
    code = """
import sys, json
import constellm
print(json.dumps([sorted(sys.modules), dir(constellm)]))
assert constellm.plot.plot_plan and constellm.paper.STUDIES
try:
    constellm.nothing
except AttributeError as error:
    assert str(error) == "module 'constellm' has no attribute 'nothing'"
else:
    raise AssertionError
"""
    loaded, listed = json.loads(in_new_python(code))
    areas = {name.split(".")[1] for name in loaded if name.startswith("constellm.")}
    assert areas == {"_core", "_moved", "codec", "core", "flow"} | {
        *("model", "moe", "network", "orbit", "split", "sweep")
    }
    heavy = {"argparse", "concurrent.futures", "email", "importlib.metadata", "importlib.resources"}
    heavy |= {"multiprocessing", "ssl", "statistics", "tempfile", "unittest", "urllib.request", "zipfile"}
    numpys = json.loads(in_new_python("import sys, json, numpy; print(json.dumps(sorted(sys.modules)))"))
    assert heavy & set(loaded) <= set(numpys)
    assert set(constellm.__all__) <= set(listed)


def test_one_version_everywhere(repository: Path) -> None:
    project = (repository / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(\S+)"$', project, re.M).group(1)
    assert constellm.__version__ == version
    citation = (repository / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (\S+)$", citation, re.M).group(1) == version
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\d\S*)", changelog, re.M).group(1) == version


def test_build_info_tells_how_the_core_was_built() -> None:
    info = constellm.build_info()
    assert info["version"] == constellm.__version__
    assert info["cxx_standard"] >= 202002
    assert re.search(r"(GCC|Clang) \d+\.", info["compiler"])
    assert tuple(map(int, info["eigen"].split(".")[:2])) >= (3, 4)
    assert tuple(map(int, info["pybind11"].split(".")[:2])) >= (2, 12)
    info["version"] = "changed"
    assert constellm.build_info()["version"] == constellm.__version__


def test_package_is_marked_as_typed() -> None:
    assert resources.files("constellm").joinpath("py.typed").is_file()


def test_the_package_holds_every_file_of_its_sources(repository: Path) -> None:
    sources = repository / "python" / "constellm"
    files = [path.relative_to(sources) for path in sources.rglob("*") if path.is_file()]
    files = [path for path in files if path.suffix not in {".pyc", ".so"}]
    installed = Path(str(resources.files("constellm")))
    assert [path for path in files if not (installed / path).is_file()] == []
    assert any(path.suffix == ".json" for path in files)


def test_type_stub_is_up_to_date(repository: Path) -> None:
    pytest.importorskip("pybind11_stubgen")
    generate = runpy.run_path(str(repository / "tools" / "stubs.py"))["generate"]
    folder = Path(str(resources.files("constellm"))) / "_core"
    shipped = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.pyi")
    }
    assert generate() == shipped, "run `make stubs`"


def test_links_between_the_documents_lead_somewhere(repository: Path) -> None:
    documents = [
        *repository.glob("*.md"),
        *repository.glob("docs/**/*.md"),
        *repository.glob("benchmarks/**/*.md"),
    ]
    links = [
        (path.relative_to(repository), target)
        for path in documents
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert len(links) > 10
    assert [link for link in links if not (repository / link[0].parent / link[1]).exists()] == []


class Finder(doctest.DocTestFinder):
    """Finds what a decorator of another module wraps, too."""

    def _from_module(self, module: ModuleType, object: object) -> bool:
        return super()._from_module(module, inspect.unwrap(object))


def test_docstring_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pyplot = pytest.importorskip("matplotlib.pyplot")
    ran, written = 0, 0
    torch = importlib.util.find_spec("torch") is not None
    for info in pkgutil.walk_packages(constellm.__path__, "constellm."):
        needs_torch = info.name.startswith("constellm.train.")
        if info.name.endswith(("__main__", "_core")) or (needs_torch and not torch):
            continue
        module = importlib.import_module(info.name)
        pyplot.close("all")  # those of other tests and modules: matplotlib warns of many
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        for examples in Finder().find(module):
            runner.run(examples)
        results = runner.summarize()
        assert results.failed == 0, info.name
        ran += results.attempted
        written += inspect.getsource(module).count(">>> ")
        written += sum(
            found.__doc__.count(">>> ")
            for found in vars(module).values()
            if type(found).__name__ == "pybind11_type" and found.__module__ == module.__name__
        )
    assert ran == written > 0


def test_build_group_holds_the_build_requirements(repository: Path) -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["build-system"]["requires"]) <= set(project["dependency-groups"]["build"])


def floors_of(repository: Path) -> dict[str, int]:
    table = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {
        area: int(row[1])
        for row in re.finditer(r"^\| (\d) \| (.*) \|$", table, re.MULTILINE)
        for area in re.findall(r"`(\w+)`", row[2])
    }


def test_areas_import_only_areas_on_lower_floors(repository: Path) -> None:
    floors = floors_of(repository)
    package = Path(constellm.__file__).parent
    areas = {path.parent.name for path in package.glob("*/__init__.py")}
    assert areas <= set(floors)  # `search` is C++ alone
    upward = set()
    for path in package.glob("*/**/*.py"):
        inside = path.relative_to(package).parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == len(inside):
                names = [node.module] if node.module else [name.name for name in node.names]
                for name in names:
                    area = name.split(".")[0]
                    if area in floors and area != inside[0] and floors[area] >= floors[inside[0]]:
                        upward.add(("/".join(inside), area))
    # Anywhere in a file, functions included. A display may import `plot` when it is shown.
    assert upward == {("split/display.py", "plot")}


def test_areas_include_only_areas_on_lower_floors(repository: Path) -> None:
    floors = floors_of(repository)
    roots = (repository / "cpp" / "include" / "constellm", repository / "cpp" / "src")
    upward, seen = set(), set()
    for root in roots:
        for path in root.rglob("*.[ch]pp"):
            area, *rest = path.relative_to(root).parts
            seen.add(area)
            for included in re.findall(r"^#include [\"<](.+)[\">]", path.read_text(encoding="utf-8"), re.M):
                assert not re.search(r"\.\.|pybind11|Python\.h", included), (path, included)
                other = included.split("/")[1] if included.startswith("constellm/") else area
                if other != area and floors[other] >= floors[area]:
                    upward.add(("/".join([area, *rest]), other))
    assert {"core", "flow", "moe", "network", "search", "split"} <= seen <= set(floors)
    assert upward == set()
