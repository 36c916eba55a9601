"""The page on joint training: its tables are those of the stored rows, which bear out what it claims."""

from __future__ import annotations

import ast
import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

from constellm import codec


def stored(repository: Path, name: str) -> list[dict[str, str]]:
    with open(repository / "docs" / "results" / "joint" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tables_are_those_of_the_rows(repository: Path, tmp_path: Path) -> None:
    for part in ("docs/joint-training.md", "docs/results/joint", "tools/joint_training.py"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (repository / part).is_dir() else shutil.copy
        copy(repository / part, tmp_path / part)
    page = tmp_path / "docs" / "joint-training.md"
    before = page.read_text(encoding="utf-8")
    page.write_text(re.sub(r"^\| \d.*\n", "", before, flags=re.MULTILINE), encoding="utf-8")
    command = [sys.executable, str(tmp_path / "tools" / "joint_training.py"), "docs"]
    subprocess.run(command, check=True, timeout=120)
    assert page.read_text(encoding="utf-8") == before


def test_the_example_is_python(repository: Path) -> None:
    text = (repository / "docs" / "joint-training.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(ast.parse(block).body) == 7


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
    assert float(last["share"]) > 0.85
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
