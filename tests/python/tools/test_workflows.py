"""The workflows of ``.github`` do nothing but set up and call targets of the Makefile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


def test_workflows_call_targets_that_are_there(repository: Path) -> None:
    yaml = pytest.importorskip("yaml")
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    called = set()
    for path in sorted((repository / ".github" / "workflows").glob("*.yml")):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            targets = job.get("strategy", {}).get("matrix", {}).get("target", [])
            for step in job["steps"]:
                assert ("uses" in step) != ("run" in step), step
                words = step.get("run", "make help").split()
                assert words[0] == "make", step
                called.update(targets if "matrix.target" in step.get("run", "") else words[1:])
    assert called == {"clang", "docs", "help", "matrix", "test", "wheel"}
    assert called <= set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
