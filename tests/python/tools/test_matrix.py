"""The table of Pythons: what fails on the way is a row of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def matrix(tool: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool with every Python found, wheels that are built and tests that pass."""
    matrix = tool("matrix")
    monkeypatch.setattr(matrix, "found", lambda version: Path(f"python{version}"))
    monkeypatch.setattr(matrix, "built", lambda interpreter, folder: Path("constellm.whl"))
    monkeypatch.setattr(
        matrix, "tried", lambda interpreter, folder, wheel, numpy: ("2.0.0", "9 passed in 1 s", True)
    )
    return matrix


def test_all_pass(matrix: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main([]) == 0
    assert capsys.readouterr().out.count("| 2.0.0 | 9 passed in 1 s |") == 2 * len(matrix.OLDEST_NUMPY)
    with pytest.raises(SystemExit):
        matrix.main(["3.8"])


def test_a_build_that_fails_is_a_row(
    matrix: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def built(interpreter: Path, folder: Path) -> Path:
        if folder.name == "3.9":
            raise subprocess.CalledProcessError(1, ["pip", "wheel", "."])
        return Path("constellm.whl")

    monkeypatch.setattr(matrix, "built", built)
    assert matrix.main(["3.9", "3.10"]) == 1
    table = capsys.readouterr().out
    assert "| 3.9 | - | FAILED: no wheel: `pip wheel .` ended with 1 |" in table
    assert "| 3.10 | 2.0.0 | 9 passed in 1 s |" in table


def test_an_installation_that_fails_is_a_row(
    matrix: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tried(interpreter: Path, folder: Path, wheel: Path, numpy: str) -> tuple[str, str, bool]:
        if folder.name == "oldest":
            raise subprocess.CalledProcessError(2, ["pip", "install", numpy])
        return "2.0.0", "1 failed in 1 s", False

    monkeypatch.setattr(matrix, "tried", tried)
    assert matrix.main(["3.9"]) == 1
    table = capsys.readouterr().out
    assert "| 3.9 | numpy==1.24.0 | FAILED: `pip install numpy==1.24.0` ended with 2 |" in table
    assert "| 3.9 | 2.0.0 | FAILED: 1 failed in 1 s |" in table


def test_a_run_of_tests_without_output_fails(
    tool: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = tool("matrix")
    monkeypatch.setattr(matrix, "environment", lambda interpreter, folder: "python")
    monkeypatch.setattr(matrix.subprocess, "check_output", lambda command, **_: "2.0.0\n")
    monkeypatch.setattr(
        matrix.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, stdout="")
    )
    used, result, passed = matrix.tried(Path("python3"), tmp_path, Path("constellm.whl"), "numpy")
    assert (used, passed) == ("2.0.0", False)
    assert result == "first steps ended with 1; no output of pytest"


def test_a_python_that_is_missing_fails_where_all_are_asked_for(
    matrix: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(matrix, "found", lambda version: None if version == "3.9" else Path("python"))
    assert matrix.main([]) == 0
    assert "| 3.9 | - | not found here, not tried |" in capsys.readouterr().out
    assert matrix.main(["--all"]) == 1
    assert "| 3.9 | - | FAILED: not found here, not tried |" in capsys.readouterr().out
    assert matrix.main(["3.9"]) == 1, "nothing was tried"
