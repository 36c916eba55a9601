"""The page on joint training: its tables are those of the stored rows, which bear out what it claims."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from constellm import codec


def stored(repository: Path, name: str) -> list[dict[str, str]]:
    with open(repository / "docs" / "results" / "joint" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tables_are_those_of_the_rows(
    repository: Path, tool: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (repository / "docs" / "joint-training.md").read_text(encoding="utf-8")
    page = tmp_path / "joint-training.md"
    page.write_text(re.sub(r"^\| \d.*\n", "", before, flags=re.MULTILINE), encoding="utf-8")
    joint = tool("joint_training")
    monkeypatch.setattr(joint, "PAGE", page)
    joint.main(["docs"])
    assert page.read_text(encoding="utf-8") == before


def test_the_example_runs(repository: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxruntime")
    text = (repository / "docs" / "joint-training.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    namespace: dict[str, Any] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            exec(compile(block, "joint-training.md", "exec"), namespace)
    finally:
        torch.set_num_threads(threads)
    found = namespace["found"]
    assert len(found.rounds) == 2 and found.rounds[1].trained
    assert list(namespace["inference"].cuts) == list(found.cuts()) != []


def test_rounds_keep_their_bounds_and_promises(repository: Path) -> None:
    rows = stored(repository, "rounds.csv")
    assert len({row["case"] for row in rows}) == 3
    for row in rows:
        value, before, start, bound, ideal = (
            float(row[f"{name}_s"]) for name in ("objective", "before", "start", "lower_bound", "ideal")
        )
        assert ideal <= bound <= value <= before * (1 + 1e-5) and before <= start * (1 + 1e-5)
        assert float(row["promised_loss"]) <= 0.01
        assert float(row["test_expected_loss"]) <= 0.01 and float(row["test_loss"]) <= 0.01
    last = [row for row in rows if row["case"] == "slow links"][-1]
    assert float(last["share"]) > 0.8
    fast = [row for row in rows if row["case"] == "fast links"]
    assert len(fast) == 1 and fast[0]["stopped_because"] == "bound"


def test_rates_lie_between_no_training_and_the_ideal_codec(repository: Path) -> None:
    rows = stored(repository, "rates.csv")
    assert len(rows) == 13
    for row in rows:
        assert float(row["ideal_s"]) < float(row["trained_s"]) <= float(row["free_s"])


def test_measured_rows_can_be_read(repository: Path) -> None:
    folder = repository / "docs" / "results" / "joint"
    for name in ("slow-links", "slow-links-principal-components"):
        rows = codec.read_measured_cuts(folder / f"{name}.csv")
        assert rows and {row.images for row in rows} == {1000}
