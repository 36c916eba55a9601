"""The tables of docs/accuracy.md are those of the stored results."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("accuracy_tables", ROOT / "tools" / "accuracy_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("part", ["accuracy", "paired", "rivals", "curves", "ladder", "random"])
def test_table(tool, part):
    page = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    table = getattr(tool, f"{part}_table")()
    assert table.count("\n") >= 5
    assert f"<!-- {part} -->\n{table}\n<!-- end of {part} -->" in page
