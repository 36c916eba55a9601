"""Tools as modules, and images in the layout that they take."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def tool(repository: Path) -> Callable[[str], ModuleType]:
    """A script of ``tools/`` by its name, as a module of its own."""

    def load(name: str) -> ModuleType:
        path = repository / "tools" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"tools_{name}", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # where dataclasses look for it
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def eurosat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip with ``test/`` and ``train/``: the shipped images, four times in the latter.

    So that 100 a class can be kept back and 20 remain.
    """
    path = tmp_path_factory.mktemp("images") / "eurosat.zip"
    shipped = resources.files("constellm.images") / "data" / "eurosat" / "sample.zip"
    with (
        resources.as_file(shipped) as source,
        zipfile.ZipFile(source) as sample,
        zipfile.ZipFile(path, "w") as out,
    ):
        for name in sample.namelist():
            if name.endswith(".jpg"):
                content = sample.read(name)
                out.writestr(f"test/{name}", content)
                for copy in range(4):
                    out.writestr(f"train/{name[:-4]}-{copy}.jpg", content)
    return path
