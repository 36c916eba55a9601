"""Odd files and arguments on the command line: what it says, and when it stops."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import constellm
from constellm import split
from constellm.cli import main
from constellm.split import comparison


@pytest.fixture
def examples(repository):
    return repository / "tests" / "data" / "split"


def test_half_a_surrogate_pair_leaves_the_others_answered(examples, tmp_path, capsys):
    data = json.loads((examples / "three-stages-lossy.json").read_text())
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps({**data, "source": "\ud800"}))
    good = examples / "throughput.json"
    assert main(["split", "solve", str(odd), str(good), "--out", str(tmp_path / "out")]) == 2
    assert "source: '\\ud800' is not valid Unicode" in capsys.readouterr().err
    assert os.listdir(tmp_path / "out") == ["throughput.plan.json"]


def evaluated(examples, tmp_path, capsys, **changes):
    plan = json.loads((examples / "three-stages-lossy.plan.json").read_text())
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({**plan, **changes}))
    status = main(["split", "evaluate", str(examples / "three-stages-lossy.json"), str(file)])
    rules = [line for line in capsys.readouterr().out.splitlines() if line.startswith("breaks: ")]
    assert len(rules) == len(set(rules))
    return status, rules


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delay_s": 10**400}, "delay_s: 1000"),
        ({"lower_bound_s": -(10**400)}, "lower_bound_s: -1000"),
        ({"path": ["\ud800"]}, "path[0]: '\\ud800' is not valid Unicode"),
    ],
    ids=["delay", "bound", "path"],
)
def test_claims_that_cannot_be(examples, tmp_path, capsys, changes, message):
    status, rules = evaluated(examples, tmp_path, capsys, **changes)
    assert status == 1
    assert len(rules) == 1 and message in rules[0]


def test_figures_without_a_plan(examples, tmp_path, capsys):
    problem = json.loads((examples / "three-stages-lossy.json").read_text())
    file = tmp_path / "plan.json"
    bare = {"format": "constellm.split-plan", "version": 1, "problem": problem["name"]}
    file.write_text(json.dumps({**bare, "status": "infeasible", "delay_s": 1, "error": 5}))
    assert main(["split", "evaluate", str(examples / "three-stages-lossy.json"), str(file)]) == 1
    output = capsys.readouterr().out
    assert "breaks: delay_s: a figure without a plan" in output
    assert "breaks: error: a figure without a plan" in output


def test_the_time_limit_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["split", "solve", "any.json", "--out", str(tmp_path), "--time-limit", "abc"])
    assert "--time-limit: 'abc' is not in [0, inf] s" in capsys.readouterr().err


def test_a_plan_that_cannot_be_written_is_named(examples, tmp_path, capsys):
    target = tmp_path / "throughput.plan.json"
    target.mkdir()
    assert main(["split", "solve", str(examples / "throughput.json"), "--out", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert str(target) in message and ".tmp" not in message


def test_ctrl_c_ends_the_list_of_files(examples, tmp_path, capsys, monkeypatch):
    asked, solved = [], split.solve

    def solve(problem, **_):
        asked.append(problem.name)
        return split.plan_from_dict({**solved(problem).to_dict(), "status": "interrupted"}, problem)

    monkeypatch.setattr(split, "solve", solve)
    first, second = examples / "throughput.json", examples / "error-limit.json"
    assert main(["split", "solve", str(first), str(second), "--out", str(tmp_path)]) == 130
    assert asked == ["throughput"]
    assert ": interrupted, delay " in capsys.readouterr().out


def test_ctrl_c_leaves_the_rows_of_a_comparison(examples, capsys, monkeypatch):
    row = comparison._row

    def raising(problem, name, limit_s):
        if name == "pipeedge":
            raise KeyboardInterrupt
        return row(problem, name, limit_s)

    monkeypatch.setattr(comparison, "_row", raising)
    methods = ["--methods", "uniform", "pipeedge"]
    assert main(["split", "compare", str(examples / "throughput.json"), *methods]) == 130
    output = capsys.readouterr()
    assert "uniform" in output.out and output.err == ""


def test_ctrl_c_outside_the_solver_leaves_no_traceback(examples, tmp_path, capsys, monkeypatch):
    def load(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(split, "load_problem", load)
    assert main(["split", "solve", str(examples / "throughput.json"), "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "constellm: interrupted\n"


def test_a_file_that_is_not_there_is_named_once(tmp_path, capsys):
    missing = tmp_path / "nope.json"
    assert main(["split", "compare", str(missing)]) == 2
    assert capsys.readouterr().err == f"constellm: {missing}: No such file or directory\n"


def test_the_package_is_a_program():
    told = subprocess.run([sys.executable, "-m", "constellm", "--version"], capture_output=True, text=True)
    assert told.stdout == f"constellm {constellm.__version__}\n" and told.stderr == ""


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"constellm {constellm.__version__}\n"
