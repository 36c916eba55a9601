"""Every command that README and the pages tell is one: targets, subcommands, options; the planner's are run.

What the measuring ones do is tried on few images by ``tests/python/tools`` and ``tests/python/benchmarks``.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest

from constellm import cli, flow, moe, network, paper, split

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += sorted((ROOT / "benchmarks").rglob("*.md"))


def commands(first: str) -> list[str]:
    """Those that begin with a word, out of shell blocks and out of code in the text, without comments."""
    found = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```(?:sh|bash)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        for line in [*lines, *re.findall(r"`([^`\n]+)`", text)]:
            found.update(re.findall(rf"(?:^|: ){first} [^#|…]*[^#|… ]", line))
    return sorted(command.removeprefix(": ") for command in found)


class Parsed(Exception):
    """Raised instead of going on, once a command line was understood."""


@pytest.fixture
def parse_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def stop(parser: argparse.ArgumentParser, *arguments: object, **keywords: object) -> None:
        parse(parser, *arguments, **keywords)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)


def test_targets_of_make_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = commands("make")
    assert len(told) >= 10
    for command in told:
        words = [word for word in shlex.split(command)[1:] if "=" not in word]
        assert set(words) <= targets, command


def test_extras_are_told_as_they_install_from_the_sources() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = [command for command in commands("pip install") if "[" in command]
    assert len(told) >= 4
    for command in told:
        assert re.fullmatch(r'pip install "\.\[[a-z,]+\]"', command), command
        extras = re.findall(r"[a-z]+", command.removeprefix("pip install"))
        assert set(extras) <= project["optional-dependencies"].keys(), command


@pytest.mark.usefixtures("parse_alone")
def test_command_lines_of_constellm_are_understood() -> None:
    told = [command for command in commands("constellm") if "STUDY" not in command]
    assert len(told) >= 6
    for command in told:
        words = shlex.split(command)[1:]
        if len(words) == 1 or words[0] not in ("split", "moe", "services", "tune") or len(words) > 2:
            with pytest.raises(Parsed):
                cli.main(words)


def test_the_command_lines_of_experts_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    problem = moe.Problem([moe.Layer([0.5, 0.3, 0.2], [[0.01, 0.02, 0.03, 0.04]])], top_k=2, name="ring")
    moe.save_problem(problem, "ring.json")
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    told = re.findall(r"^constellm (moe [^#\n]+)", page, re.MULTILINE)
    assert len(told) == 2
    for command in told:
        assert cli.main(shlex.split(command)) == 0, command
    assert "token_latency_s" in capsys.readouterr().out


def test_the_command_lines_of_transfers_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    contacts = network.ContactPlan(["a", "b"], from_=[0], to=[1], open_s=0.0, close_s=90.0, rate_bps=8e6)
    problem = flow.Problem(contacts, supply_bytes={"a": 2e6}, sinks=["b"], name="pass")
    for page in ("formats.md", "transfers.md"):
        monkeypatch.chdir(tmp_path)
        flow.save_problem(problem, "pass.json")
        told = re.findall(
            r"^constellm (tune [^#\n]+)", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE
        )
        assert len(told) == 2
        for command in told:
            assert cli.main(shlex.split(command)) == 0, command
        assert "all there after 2 s" in capsys.readouterr().out


def test_the_planners_command_lines_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        split.save_problem(paper.collaborative.problem(relays=0, name=name), f"{name}.json")
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    told = re.findall(r"^constellm (split [^#\n]+)", page, re.MULTILINE)
    assert len(told) == 4
    for command in told:
        assert cli.main(shlex.split(command)) == 0, command
    assert {path.name for path in (tmp_path / "plans").iterdir()} == {"a.plan.json", "b.plan.json"}
    assert "edgeshard-latency" in capsys.readouterr().out


@pytest.mark.usefixtures("parse_alone")
@pytest.mark.parametrize("command", commands("python"))
def test_scripts_understand_their_command_lines(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, *arguments = shlex.split(command)[1:]
    path = ROOT / script
    text = path.read_text(encoding="utf-8")
    if "argparse" not in text:
        assert "sys.argv" in text or not arguments
        return
    for module in ("torch", "onnxruntime", "zstandard"):
        if re.search(rf"^(import|from) {module}\b", text, re.MULTILINE):
            pytest.importorskip(module)
    monkeypatch.syspath_prepend(str(path.parent))
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    spec = importlib.util.spec_from_file_location(f"told_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclasses look for it
    spec.loader.exec_module(module)
    with pytest.raises(Parsed):
        module.main()
