"""The API reference: every public name has its entry, and every entry is of a public name."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import constellm

ENTRIES = re.compile(r"^\.\. entries:: (\S+)\n\n((?:   .+\n)+)", re.MULTILINE)


def areas() -> list[ModuleType]:
    inside = [getattr(constellm, name) for name in constellm.__all__]
    return [
        constellm,
        *(area for area in inside if isinstance(area, ModuleType)),
        constellm.paper.collaborative,
    ]


def public_names() -> list[str]:
    return [
        f"{area.__name__}.{name}"
        for area in areas()
        for name in area.__all__
        if not isinstance(getattr(area, name), ModuleType)
    ]


def documented_names(repository: Path) -> list[str]:
    pages = [page.read_text(encoding="utf-8") for page in sorted((repository / "docs" / "api").glob("*.rst"))]
    return [
        f"{area}.{name}" for page in pages for area, names in ENTRIES.findall(page) for name in names.split()
    ]


def test_every_public_name_has_one_entry(repository: Path) -> None:
    assert Counter(documented_names(repository)) == Counter(public_names())


def test_every_area_has_a_page(repository: Path) -> None:
    index = (repository / "docs" / "api" / "index.rst").read_text(encoding="utf-8")
    for area in areas()[1:-1]:
        name = area.__name__.rpartition(".")[2]
        page = (repository / "docs" / "api" / f"{name}.rst").read_text(encoding="utf-8")
        assert f"\n.. automodule:: {area.__name__}\n" in page and f"\n   {name}\n" in index


def test_entries_are_found_where_they_are_said_to_be(repository: Path) -> None:
    for full in documented_names(repository):
        area, _, name = full.rpartition(".")
        assert hasattr(importlib.import_module(area), name), full
