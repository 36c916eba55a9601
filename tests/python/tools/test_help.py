"""Every tool says how it is called, and does nothing else then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = sorted(path.stem for path in (Path(__file__).parents[3] / "tools").glob("*.py"))
NEEDED = {"eurosat_sample": "PIL", "reproduction_docs": "PIL", "train_masks": "torch", "train_vit": "torch"}


@pytest.mark.parametrize("name", TOOLS)
def test_help(
    tool: Callable[[str], ModuleType],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip(NEEDED.get(name, "numpy"))
    monkeypatch.chdir(tmp_path)
    module = tool(name)
    with pytest.raises(SystemExit) as ended:
        module.main(["--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage:")
    with pytest.raises(SystemExit) as ended:
        module.main(["--no-such-option"])
    assert ended.value.code == 2
    assert not list(tmp_path.iterdir())
