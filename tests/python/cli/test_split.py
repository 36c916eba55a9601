"""`constellm split`: files in, files out, exit statuses; never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from constellm import split
from constellm.cli import main

TIMEOUT_S = 120  # of a subprocess that hangs


@pytest.fixture
def examples(repository):
    return repository / "tests" / "data" / "split"


@pytest.fixture
def example(examples):
    return json.loads((examples / "three-stages-lossy.json").read_text())


def write(path, data):
    path.write_text(json.dumps(data))
    return path


def run(*arguments, **more):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "constellm.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, **more)


def solve(*arguments):
    return main(["split", "solve", *map(str, arguments)])


def evaluate(*arguments):
    return main(["split", "evaluate", *map(str, arguments)])


# ---- solve -----------------------------------------------------------------------------------


def test_solves_many_files_into_a_new_folder(examples, tmp_path, capsys):
    files = sorted(set(examples.glob("*.json")) - set(examples.glob("*.plan.json")))
    out = tmp_path / "deep" / "er"
    assert solve(*files, "--out", out) == 0
    assert sorted(file.name for file in out.iterdir()) == sorted(f"{file.stem}.plan.json" for file in files)
    for file in files:
        problem = split.load_problem(file)
        plan = json.loads((out / f"{problem.name}.plan.json").read_text())
        expected = json.loads(file.with_suffix(".plan.json").read_text())
        assert plan["format"] == "constellm.split-plan" and plan["version"] == 1
        assert plan["problem"] == problem.name
        assert plan["status"] == expected["status"]
        assert split.check(problem, plan) == []
        if "delay_s" in expected:
            assert plan["delay_s"] == pytest.approx(expected["delay_s"], rel=1e-9)
            assert plan["lower_bound_s"] <= plan["delay_s"]
    output = capsys.readouterr()
    assert output.err == ""
    assert len(output.out.splitlines()) == len(files)


def test_an_infeasible_problem_is_answered(examples, tmp_path):
    assert solve(examples / "infeasible.json", "--out", tmp_path) == 0
    plan = json.loads((tmp_path / "infeasible.plan.json").read_text())
    assert plan["status"] == "infeasible"
    assert "path" not in plan and "delay_s" not in plan


def test_the_name_names_the_file(example, tmp_path):
    file = write(tmp_path / "anything.json", {**example, "name": "my.name_1-2"})
    assert solve(file, "--out", tmp_path / "out") == 0
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["my.name_1-2.plan.json"]


def test_an_unreadable_file_leaves_the_others_answered(examples, tmp_path, capsys, repository):
    bad = sorted((repository / "tests" / "data" / "bad").glob("*.json"))
    good = [examples / "throughput.json", examples / "error-limit.json"]
    missing = tmp_path / "missing.json"
    out = tmp_path / "out"
    assert solve(good[0], *bad, missing, examples, good[1], "--out", out) == 2
    assert sorted(file.name for file in out.iterdir()) == ["error-limit.plan.json", "throughput.plan.json"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(bad) + 2
    for file, line in zip([*bad, missing, examples], lines):
        assert line.startswith(f"constellm: {file}: "), line


def test_a_name_given_twice(examples, example, tmp_path, capsys):
    first = examples / "three-stages-lossy.json"
    second = write(tmp_path / "second.json", {**example, "micro_batches": 1})
    third = examples / "throughput.json"
    out = tmp_path / "out"
    assert solve(first, second, third, "--out", out) == 2
    assert "second.json: name 'three-stages-lossy' was given before" in capsys.readouterr().err
    assert sorted(file.name for file in out.iterdir()) == [
        "three-stages-lossy.plan.json",
        "throughput.plan.json",
    ]
    plan = json.loads((out / "three-stages-lossy.plan.json").read_text())
    assert split.check(split.load_problem(first), plan) == []  # the first one is what was answered


def test_one_error_is_one_line(example, tmp_path, capsys):
    file = write(tmp_path / "bad.json", {**example, "source": "two\nlines"})
    assert solve(file, "--out", tmp_path / "out") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_output_is_no_folder(examples, tmp_path, capsys):
    taken = tmp_path / "taken"
    taken.write_text("")
    assert solve(examples / "throughput.json", "--out", taken) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_methods(examples, tmp_path, capsys):
    assert solve(examples / "throughput.json", "--out", tmp_path, "--method", "nonsense") == 2
    assert "nonsense" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert solve(examples / "three-stages-lossy.json", "--out", tmp_path, "--method", "uniform") == 0
    plan = json.loads((tmp_path / "three-stages-lossy.plan.json").read_text())
    assert plan["status"] in ("feasible", "no_plan_found")
    assert plan["solver"]["method"] == "uniform"


def test_time_limit(examples, tmp_path):
    assert solve(examples / "throughput.json", "--out", tmp_path, "--time-limit", 0) == 0
    plan = json.loads((tmp_path / "throughput.plan.json").read_text())
    assert plan["status"] in ("time_limit", "optimal")
    assert split.check(split.load_problem(examples / "throughput.json"), plan) == []


@pytest.mark.parametrize("value", ["-1", "nan", "soon", ""])
def test_time_limit_out_of_range(examples, tmp_path, capsys, value):
    with pytest.raises(SystemExit) as caught:
        solve(examples / "throughput.json", "--out", tmp_path, f"--time-limit={value}")
    assert caught.value.code == 2
    assert "--time-limit" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["split"], ["split", "solve"], ["split", "solve", "a.json"]], ids=str
)
def test_too_few_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: constellm" in capsys.readouterr().err


# ---- evaluate --------------------------------------------------------------------------------


def test_evaluates_a_good_plan(examples, capsys):
    for file in sorted(examples.glob("*.plan.json")):
        problem = file.with_name(file.name.replace(".plan", ""))
        assert evaluate(problem, file) == 0, file.name
        output = capsys.readouterr().out
        assert "breaks:" not in output
        expected = json.loads(file.read_text())
        if "delay_s" in expected:
            terms = json.loads(output)
            for key in ("delay_s", "bottleneck_s", "error", "energy_j", "bytes"):
                assert terms[key] == pytest.approx(expected[key], rel=1e-12)


def broken(examples, tmp_path, change):
    plan = json.loads((examples / "three-stages-lossy.plan.json").read_text())
    change(plan)
    return examples / "three-stages-lossy.json", write(tmp_path / "plan.json", plan)


BREAKS = {
    "delay_s: claimed 1.5": lambda plan: plan.update(delay_s=1.5),
    "bytes: claimed 0": lambda plan: plan.update(bytes=0),
    "lower_bound_s: 1000.0 is above": lambda plan: plan.update(lower_bound_s=1000.0),
    "'optimal' with a gap": lambda plan: plan.update(lower_bound_s=0.0),
    "problem: the plan is for 'other'": lambda plan: plan.update(problem="other"),
    "not at the sink": lambda plan: plan["path"].pop(),
    "the problem has no node 'z'": lambda plan: plan["path"].__setitem__(0, "z"),
    "the problem has no codec 'z'": lambda plan: plan["stages"][0].update(codec="z"),
    "stages: cover": lambda plan: plan["stages"].pop(),
    "a codec after the last layer": lambda plan: plan["stages"][-1].update(codec="c1"),
    "memory of": lambda plan: plan.update(
        path=["n3", "n2", "n5"],
        stages=[
            {"node": "n3", "first_layer": 0, "last_layer": 0, "codec": "c1"},
            {"node": "n2", "first_layer": 1, "last_layer": 3, "codec": None},
        ],
    ),
    "status: 'infeasible' with a plan": lambda plan: plan.update(status="infeasible"),
    "status: 'good' is not one of": lambda plan: plan.update(status="good"),
    "unknown key 'extra'": lambda plan: plan.update(extra=1),
    "missing required key 'status'": lambda plan: plan.pop("status"),
    "version: 2 is not 1": lambda plan: plan.update(version=2),
}


@pytest.mark.parametrize("message", BREAKS)
def test_every_broken_rule_is_printed(examples, tmp_path, capsys, message):
    assert evaluate(*broken(examples, tmp_path, BREAKS[message])) == 1
    rules = [line for line in capsys.readouterr().out.splitlines() if line.startswith("breaks: ")]
    assert any(message in rule for rule in rules), rules


@pytest.mark.parametrize("limit", ["error-limit", "energy-limit", "root-sum-square"])
def test_a_limit_that_is_broken(examples, tmp_path, capsys, limit):
    data = json.loads((examples / f"{limit}.json").read_text())
    key, figure = ("max_energy_j", "energy_j") if limit == "energy-limit" else ("max_error", "error")
    plan = json.loads((examples / f"{limit}.plan.json").read_text())
    data["limits"][key] = plan[figure]
    assert evaluate(write(tmp_path / "p.json", data), examples / f"{limit}.plan.json") == 0
    data["limits"][key] = plan[figure] * (1 - 1e-9)
    assert evaluate(write(tmp_path / "p.json", data), examples / f"{limit}.plan.json") == 1
    assert f"breaks: {figure.split('_')[0]}: " in capsys.readouterr().out


def test_evaluate_cannot_read(examples, tmp_path, capsys, repository):
    plan = examples / "throughput.plan.json"
    for file in [tmp_path / "missing.json", tmp_path, *(repository / "tests/data/bad").glob("*.json")]:
        assert evaluate(file, plan) == 2, file.name
        assert len(capsys.readouterr().err.splitlines()) == 1, file.name
    broken_json = repository / "tests/data/bad/broken.json"
    assert evaluate(examples / "throughput.json", broken_json) == 2
    assert str(broken_json) in capsys.readouterr().err


# ---- the command itself ----------------------------------------------------------------------


def test_as_a_process(examples, tmp_path, repository):
    done = run("split", "solve", examples / "throughput.json", repository / "tests/data/bad/nan.json",
               "--out", tmp_path)  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    done = run("split", "evaluate", examples / "throughput.json", tmp_path / "throughput.plan.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bottleneck_s"] > 0


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_goes_away(examples):
    """As `constellm split evaluate ... | head -1`."""
    command = [sys.executable, "-m", "constellm.cli", "split", "evaluate",
               str(examples / "throughput.json"), str(examples / "throughput.plan.json")]  # fmt: skip
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S)
    os.close(writer)
    assert "Traceback" not in done.stderr


def test_info_and_help(capsys):
    assert main(["info"]) == 0
    output = capsys.readouterr().out
    assert "numpy: " in output and "python: " in output
    for name in ("onnxruntime", "onnx", "safetensors", "pillow", "torch", "pandas", "distributed"):
        assert f"\n{name}: " in output
    for arguments in (["--help"], ["split", "--help"], ["split", "solve", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        assert "usage: constellm" in capsys.readouterr().out
