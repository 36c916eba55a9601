"""The tables of docs/formats.md are those by which files are read."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from constellm.codec import Codec
from constellm.core.fields import fields_table
from constellm.model import Layer
from constellm.network import Link, Node
from constellm.orbit import KaBandBudget, OpticalBudget, Shell, Station
from constellm.split import Plan, Problem

TABLES = {
    "Problem": fields_table(Problem),
    "Layer": fields_table(Layer),
    "Node": fields_table(Node),
    "Link": fields_table(Link),
    "Codec": fields_table(Codec),
    "limits": fields_table(Problem, "limits"),
    "Plan": fields_table(Plan),
    "solver": fields_table(Plan, "solver"),
    "Shell": fields_table(Shell),
    "Station": fields_table(Station),
    "OpticalBudget": fields_table(OpticalBudget),
    "KaBandBudget": fields_table(KaBandBudget),
}


def filled(text: str) -> str:
    """The page with its tables; each stands between its mark and an empty line."""
    for name, table in TABLES.items():
        mark = f"<!-- fields of {name} -->"
        assert text.count(mark) == 1, name
        text = re.sub(rf"{mark}\n(\|.*\n)*", lambda _, m=mark, t=table: f"{m}\n{t.to_markdown()}", text)
    return text


def test_the_page_has_the_tables_of_the_fields(repository: Path) -> None:
    page = repository / "docs" / "formats.md"
    text = page.read_text(encoding="utf-8")
    assert filled(text) == text, "python tests/python/split/test_formats_page.py writes them anew"
    assert text.count("| `flop` | [0, inf) |") == 2  # of layers, and of services
    assert "| `group` |  | left out |" in text


def test_the_page_on_sweeps_lists_the_numeric_fields(repository: Path) -> None:
    text = (repository / "docs" / "sweeps.md").read_text(encoding="utf-8")
    for name, record in (("layers", Layer), ("nodes", Node), ("links", Link), ("codecs", Codec)):
        (listed,) = re.findall(rf"`{name}` \(((?:`\w+`,?\s?)+)\)", text)
        assert re.findall(r"\w+", listed) == [field.name for field in record.fields if field.range], name


if __name__ == "__main__":
    page = Path(sys.argv[0]).parents[3] / "docs" / "formats.md"
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
