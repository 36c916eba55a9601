"""docs/error-accumulation.md: its example runs, and its tables are those of the stored results."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "error-accumulation.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables(tool):
    return tool("error_docs").tables(ROOT / "docs" / "results" / "errors")


def test_the_examples_run_one_after_the_other():
    pytest.importorskip("onnxruntime")
    namespace = {}
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    for block in blocks:
        exec(compile(block, "error-accumulation.md", "exec"), namespace)
    assert len(blocks) == PAGE.count("```python") == 1
    plan, calibration = namespace["plan"], namespace["calibration"]
    assert plan.status == "optimal" and len(plan.stages) > 1
    assert 0.0 < calibration.loss(plan.error) < calibration.loss_bound(plan.error) <= 0.01


@pytest.mark.parametrize("name", re.findall(r"<!-- end of (\w+) -->", PAGE))
def test_table(tables, name):
    table = tables[name]()
    assert table.count("\n") >= 5
    assert f"<!-- {name} -->\n{table}\n<!-- end of {name} -->" in PAGE
