"""docs/error-accumulation.md: its example runs, and its tables are those of the stored results."""

import csv
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
    assert table.count("\n") >= 4
    assert f"<!-- {name} -->\n{table}\n<!-- end of {name} -->" in PAGE


def stored_promises():
    with open(ROOT / "docs" / "results" / "errors" / "promises.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("promise", ["0.005", "0.01", "0.02"])
def test_promises_are_kept_on_images_and_plans_that_were_not_calibrated_on(promise):
    plans = [
        row
        for row in stored_promises()
        if row["rule"] == "calibrated, loss" and row["promise"] == promise and not row["images"]
    ]
    kept = [float(row["expected_loss"]) <= float(promise) for row in plans]
    assert len(kept) >= 60 and sum(kept) / len(kept) >= 0.93


def test_what_the_page_says_of_all_promises():
    plans = [row for row in stored_promises() if row["rule"] == "calibrated, loss" and not row["images"]]
    kept = sum(float(row["expected_loss"]) <= float(row["promise"]) for row in plans)
    counted = sum(float(row["loss"]) <= float(row["promise"]) for row in plans)
    assert f"\n{kept} of {len(plans)} plans under a limit from losses kept their promise" in PAGE
    assert counted == len(plans), "and all by count"


def test_bytes_of_plans_are_foretold():
    plans = [row for row in stored_promises() if row["cuts"]]
    off = [float(row["ratio_few"]) / float(row["ratio_sent"]) for row in plans]
    assert len(off) >= 100 and max(abs(value - 1.0) for value in off) <= 0.03
