"""The API reference: every public name has its entry, and every entry is of a public name."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import constellm

ENTRIES = re.compile(r"^\.\. entries:: (\S+)\n\n((?:   .+\n)+)", re.MULTILINE)


def areas() -> list[ModuleType]:
    inside = [getattr(constellm, name) for name in constellm.__all__]
    return [
        constellm,
        *(area for area in inside if isinstance(area, ModuleType)),
        constellm.paper.collaborative,
        constellm.paper.space_xnet,
        constellm.paper.satellite_edge,
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
    pytest.importorskip("torch")  # of constellm.train
    assert Counter(documented_names(repository)) == Counter(public_names())


def test_every_area_has_a_page(repository: Path) -> None:
    index = (repository / "docs" / "api" / "index.rst").read_text(encoding="utf-8")
    for area in areas()[1:]:
        _, name, *study = area.__name__.split(".")
        if study:
            continue
        page = (repository / "docs" / "api" / f"{name}.rst").read_text(encoding="utf-8")
        assert f"\n.. automodule:: {area.__name__}\n" in page and f"\n   {name}\n" in index


def test_entries_are_found_where_they_are_said_to_be(repository: Path) -> None:
    pytest.importorskip("torch")  # of constellm.train
    for full in documented_names(repository):
        area, _, name = full.rpartition(".")
        assert hasattr(importlib.import_module(area), name), full


SECTION = re.compile(r"^(\w[\w ]*)\n-+$", re.MULTILINE)


def sections_of(value: object) -> dict[str, str]:
    """Sections of a numpydoc docstring by their headings."""
    text = inspect.getdoc(value) or ""
    parts = SECTION.split(text)
    return dict(zip(parts[1::2], parts[2::2]), summary=parts[0])


def described(section: str) -> set[str]:
    """Names before the types: ``flop, memory_bytes : array_like``."""
    lines = re.findall(r"^(\S.*)$", section, re.MULTILINE)
    return {name.strip().lstrip("*") for line in lines for name in line.partition(" : ")[0].split(",")}


def is_part(base: type) -> bool:
    """Whether it is a private base, whose methods are those of the classes made from it."""
    return base.__name__.startswith("_") and base.__module__.startswith("constellm.")


def functions() -> Iterator[tuple[str, Callable[..., object]]]:
    """Public functions, and public methods of public classes that are written in Python."""
    for full in public_names():
        area, _, name = full.rpartition(".")
        value = getattr(importlib.import_module(area), name)
        if inspect.isfunction(value):
            yield full, value
        elif inspect.isclass(value):
            own = [base for base in inspect.getmro(value) if base is value or is_part(base)]
            for method, member in (item for base in own for item in vars(base).items()):
                inner = getattr(member, "__func__", member)
                if inspect.isfunction(inner) and not method.startswith("_"):
                    yield f"{full}.{method}", inner


def test_docstrings_tell_every_parameter_and_what_comes_back() -> None:
    pytest.importorskip("torch")  # of constellm.train
    missing = []
    for full, function in functions():
        sections = sections_of(function)
        signature = inspect.signature(function)
        given = [name for name in signature.parameters if name not in ("self", "cls")]
        method = full.split(".")[-2][:1].isupper()
        if not sections["summary"].strip():
            missing.append(f"{full}: no docstring")
        if not method:
            names = described(sections.get("Parameters", ""))
            missing += [f"{full}: parameter {name}" for name in given if name not in names]
            silent = signature.return_annotation in ("None", None)
            if not silent and not {"Returns", "Yields"} & set(sections):
                missing.append(f"{full}: what it returns")
    assert missing == []


def test_raises_name_exceptions_and_say_when() -> None:
    pytest.importorskip("torch")  # of constellm.train
    for full, function in functions():
        section = sections_of(function).get("Raises", "")
        for line in re.findall(r"^(\S.*)$", section, re.MULTILINE):
            for name in line.split(", "):
                assert re.fullmatch(r"([\w.]*\.)?\w*(Error|Interrupt|Interrupted)", name), (full, line)
                assert re.search(rf"^{re.escape(line)}\n    +\S", section, re.MULTILINE), (full, line)


WITHOUT_EXAMPLE = {"constellm.paper.reproduce": "computes for minutes; README has the command"}
SEE = re.compile(r"See `(constellm\.[\w.]+)`\.")


def reference_pages(repository: Path) -> list[Path]:
    return sorted((repository / "docs" / "api").glob("*.rst"))


def test_examples_on_the_reference_pages_run(repository: Path) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    ran = 0
    for page in reference_pages(repository):
        if ">>> " in page.read_text(encoding="utf-8"):
            results = doctest.testfile(str(page), module_relative=False, optionflags=flags, encoding="utf-8")
            assert results.failed == 0, page.name
            ran += results.attempted
    assert ran > 0


def test_every_class_and_function_has_an_example(repository: Path) -> None:
    """In its docstring, in that of the entry which this one names, or, shown by its name, on its page."""
    pytest.importorskip("torch")  # of constellm.train
    shown = set()
    for page in reference_pages(repository):
        text = page.read_text(encoding="utf-8")
        given = set(re.findall(r"^(\w+)\(", text, re.MULTILINE))  # as the examples print it
        for area, names in ENTRIES.findall(text):
            shown |= {f"{area}.{name}" for name in given.intersection(names.split())}
    values = {
        full: getattr(importlib.import_module(full.rpartition(".")[0]), full.rpartition(".")[2])
        for full in public_names()
    }
    callables = {full: value for full, value in values.items() if callable(value)}
    examples = {full: sections_of(value).get("Examples", "").strip() for full, value in callables.items()}
    with_example = {full for full, text in examples.items() if ">>> " in text} | shown
    referring = {
        full for full, text in examples.items() if (see := SEE.fullmatch(text)) and see[1] in with_example
    }
    assert set(examples) - with_example - referring == set(WITHOUT_EXAMPLE)
