"""``.. entries:: constellm.area`` with names below: the entry of each, classes and constants alike."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.ext.autodoc.mock import mock
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective


def arguments_of(written: str) -> list[str]:
    """``(a: dict[str, int], b)`` in parts."""
    parts, depth = [""], 0
    for character in written[1:-1]:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def without_types(written: str) -> str:
    """What pybind11 wrote, in short: ``(self, *, node: str, first: int = 0)`` as ``(*, node, first=0)``."""
    short = []
    for part in arguments_of(written):
        name, _, default = part.partition(" = ")
        name = name.partition(":")[0]
        if name != "self":
            short.append(f"{name}={default}" if default else name)
    return f"({', '.join(short)})"


def short_signature(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, str] | None:
    """Methods of compiled classes, too, show no types."""
    compiled = what in ("method", "function") and signature and not inspect.isfunction(value)
    return (without_types(signature), "") if compiled else None


def is_compiled(value: Any) -> bool:
    return type(value).__name__ == "pybind11_type"


def compiled_members(record: type) -> Iterator[str]:
    """Directives for its properties and methods, in their order, but for those that its parameters tell."""
    for name, value in vars(record).items():
        told = re.search(rf"^{name} : ", record.__doc__ or "", re.MULTILINE)
        old = name.startswith("_") or type(value).__module__ == "constellm._moved"
        old = old or getattr(value, "__module__", "") == "collections.abc"  # as when it was a dictionary
        if name == "fields":
            yield from (
                ".. py:attribute:: fields",
                "",
                "   Name, unit, range, and sentence of each.",
                "",
            )
        elif not (told or old):
            yield from (f".. {'autoproperty' if isinstance(value, property) else 'automethod'}:: {name}", "")


def own_words(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """A compiled property's sentence as it is: "the menu: names are unique" tells of no type "the menu"."""
    if isinstance(value, property) and value.fget and not inspect.isfunction(value.fget) and value.__doc__:
        lines[:] = [*value.__doc__.splitlines(), ""]


def description_of_constant(name: str, value: Any) -> list[str]:
    """The text that stands by its assignment, wherever it was imported from."""
    for module in [name for name in sorted(sys.modules) if name.startswith("constellm.")]:
        if vars(sys.modules[module]).get(name) is value and "_core" not in module:
            described = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name))
            if described:
                return described
    raise ValueError(f"{name}: nothing is said of it where it is assigned")


# What an area has of another one, where it is described.
ELSEWHERE = {
    (area, "Interrupted"): "constellm.split.Interrupted"
    for area in ("constellm.flow", "constellm.moe", "constellm.services")
}


class Entries(SphinxDirective):
    """Names of one group of an area."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        area = self.arguments[0]
        lines = [f".. currentmodule:: {area}", ""]
        for name in (name for line in self.content for name in line.split()):
            if (area, name) in ELSEWHERE:
                lines += [f".. py:exception:: {name}", "", f"   It is `{ELSEWHERE[area, name]}`.", ""]
                continue
            with mock(self.config.autodoc_mock_imports):
                value = getattr(importlib.import_module(area), name)
            lines += [*self.entry(name, value), ""]
        return self.parse_text_to_nodes(StringList(lines, source=area))

    @staticmethod
    def entry(name: str, value: Any) -> list[str]:
        if inspect.isclass(value):
            what = "autoexception" if issubclass(value, BaseException) else "autoclass"
            first = f".. {what}:: {name}"
            # A compiled class has no source by whose order its members could go: they are named one by one.
            members = ["", *compiled_members(value)] if is_compiled(value) else [":members:"]
            return [first, *(f"   {line}" for line in members)]
        if callable(value):
            return [f".. autofunction:: {name}"]
        shown = [f"   :value: {value!r}"] if isinstance(value, (int, float, str)) else []
        described = (f"   {line}" for line in description_of_constant(name, value))
        return [f".. py:data:: {name}", *shown, "", *described]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("entries", Entries)
    app.connect("autodoc-process-signature", short_signature)
    app.connect("autodoc-process-docstring", own_words, priority=900)  # after napoleon
    return {"parallel_read_safe": True}
