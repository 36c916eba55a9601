"""Long checks, how their results are read, and the page that they go onto."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def verify(tool: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool with a page of its own, and checks that take no time."""
    verify = tool("verify")
    monkeypatch.setattr(verify, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(verify, "PAGE", tmp_path / "verify.md")
    last = verify.last_line(verify.PYTEST)
    checks = {
        "good": verify.Check("A good one", ("echo '3 passed in 1 s'",), last),
        "bad": verify.Check("A bad one", ("false", "echo never"), last),
        "silent": verify.Check("A silent one", ("true",), last),
        "later": verify.Check("A later one", ("echo '4 passed in 1 s'",), last),
    }
    monkeypatch.setattr(verify, "checks", lambda fuzz_seconds: checks)
    return verify


def page_of(verify: ModuleType) -> str:
    return verify.PAGE.read_text(encoding="utf-8")


def test_long_checks_go_onto_their_page(verify: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main(["good"]) == 0
    assert verify.main(["bad"]) == 1
    with pytest.raises(SystemExit):
        verify.main(["other"])
    assert "| A good one | passed | 3 passed in 1 s |" in page_of(verify)
    assert "| A bad one | **FAILED** | `false` ended with 1 |" in page_of(verify)
    assert "never" not in capsys.readouterr().out.replace("echo never", "")


def test_a_result_that_cannot_be_read_is_a_failure_and_the_others_go_on(verify: ModuleType) -> None:
    assert verify.main([]) == 1
    assert "| A silent one | **FAILED** | no result: no line of the output is like" in page_of(verify)
    assert "| A later one | passed | 4 passed in 1 s |" in page_of(verify)
    for line in page_of(verify).splitlines():
        if line.startswith("| A "):
            assert line.replace(r"\|", "").count("|") == 7


def test_all_start_from_nothing_and_some_are_told_from_older_ones(
    verify: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "commit", lambda: "0000001")
    verify.main([])
    assert "more than one commit" not in page_of(verify)
    monkeypatch.setattr(verify, "commit", lambda: "0000002")
    verify.main(["later"])
    assert "**At more than one commit**: 0000001, 0000002." in page_of(verify)
    (verify.KEPT / "silent.json").write_text("left by another version", encoding="utf-8")
    verify.main([])
    assert "0000001" not in page_of(verify)


@pytest.mark.parametrize("reader", ["executed_units", "campaigns"])
def test_fuzzers_that_say_nothing_have_no_result(verify: ModuleType, reader: str) -> None:
    with pytest.raises(ValueError, match="no line of the output"):
        getattr(verify, reader)("started\n")


def test_fuzzers_tell_how_much_they_tried(verify: ModuleType) -> None:
    assert verify.executed_units("Done 5 runs in 1 second(s)\nDone 90 runs in 61 second(s)\n") == (
        "90 messages in 61 s"
    )
    assert verify.campaigns("plans: 4 cases in 1 s\n...\nstores: 2 cases in 1 s\n") == (
        "plans: 4 cases in 1 s; stores: 2 cases in 1 s"
    )


def test_coverage_without_its_files_is_a_failure(
    verify: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = verify.Check("Lines", ("true",), verify.coverage)
    machine, commit = verify.machine(), verify.commit()
    monkeypatch.setattr(verify, "machine", lambda: machine)
    monkeypatch.setattr(verify, "commit", lambda: commit)
    monkeypatch.setattr(verify, "executed", lambda name, command: (0, ""))
    monkeypatch.setattr(verify, "ROOT", tmp_path)
    outcome = verify.run("lines", check)
    assert not outcome.passed and "cpp.json" in outcome.result
