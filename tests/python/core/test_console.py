"""Text on consoles that lack characters."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from constellm.core.console import for_console, never_fail


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)


def test_what_an_encoding_has_stays() -> None:
    assert for_console("3 × 4 → …", stream("utf-8")) == "3 × 4 → …"
    assert for_console("3 × 4", stream("latin-1")) == "3 × 4"


@pytest.mark.parametrize("encoding", ["ascii", "cp850", "cp437", "latin-1"])
def test_what_it_lacks_is_written_alike(encoding: str) -> None:
    assert for_console("a → b, 1–3, … 猫", stream(encoding)) == "a -> b, 1-3, ... ?"


def test_half_a_surrogate_pair_can_be_written() -> None:
    assert for_console("\ud800", stream("utf-8")) == "?"


def test_streams_that_never_fail() -> None:
    out = stream("ascii")
    never_fail(out, io.StringIO())
    out.write("1–3 → 4")
    assert out.buffer.getvalue() == b"1-3 -> 4"


@pytest.mark.parametrize("encoding", ["cp850", "latin-1", "cp437", "ascii"])
def test_the_command_line_prints_on_any_console(repository, encoding: str) -> None:
    problem = repository / "tests" / "data" / "split" / "three-stages-lossy.json"
    done = subprocess.run(
        [sys.executable, "-m", "constellm.cli", "split", "compare", str(problem)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 0, done.stderr
    assert b"optimal" in done.stdout and b"0-" in done.stdout


@pytest.mark.parametrize("encoding", ["cp850", "ascii"])
def test_what_objects_show_of_themselves_can_be_printed(repository, encoding: str) -> None:
    code = f"""
from constellm import network, split
problem = split.load_problem({str(repository / "tests" / "data" / "split" / "three-stages-lossy.json")!r})
plan = split.solve(problem)
for shown in (problem, problem.network, plan, split.schedule(plan), split.compare(problem, ["optimal"])):
    print(shown)
print(plan.summary(), problem.summary(), split.schedule(plan).servers)
"""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
