"""The page on users' own models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")


def test_the_examples_run_one_after_the_other(repository: Path) -> None:
    text = (repository / "docs" / "own-models.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    namespace: dict[str, object] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        for block in blocks:
            exec(compile(block, "own-models.md", "exec"), namespace)
    torch.set_num_threads(threads)
    assert len(blocks) == text.count("```python") == 4
    assert namespace["plan"].status == "optimal"
