"""`constellm moe`: files in, files out, exit statuses; never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from constellm import moe
from constellm.cli import main

NAMES = ["moe-competing-layers", "moe-many-slots", "moe-one-slot"]
TIMEOUT_S = 120  # of a subprocess that hangs


@pytest.fixture
def examples(repository):
    return repository / "tests" / "data" / "moe"


@pytest.fixture
def example(examples):
    return json.loads((examples / "moe-many-slots.json").read_text())


def write(path, data):
    path.write_text(json.dumps(data))
    return path


def solve(*arguments):
    return main(["moe", "solve", *map(str, arguments)])


def evaluate(*arguments):
    return main(["moe", "evaluate", *map(str, arguments)])


# ---- solve -----------------------------------------------------------------------------------


def test_solves_many_files_into_a_new_folder(examples, tmp_path, capsys):
    out = tmp_path / "deep" / "er"
    assert solve(*(examples / f"{name}.json" for name in NAMES), "--out", out) == 0
    assert sorted(file.name for file in out.iterdir()) == [f"{name}.plan.json" for name in NAMES]
    for name in NAMES:
        found = json.loads((out / f"{name}.plan.json").read_text())
        told = json.loads((examples / f"{name}.plan.json").read_text())
        assert found.keys() == told.keys()
        assert [found[key] for key in ("format", "version", "problem", "status")] == [
            *("constellm.moe-plan", 1, name, "optimal")
        ]
        assert found["token_latency_s"] == pytest.approx(told["token_latency_s"], rel=1e-9)
        assert found["lower_bound_s"] <= found["token_latency_s"]
        moe.load_plan(out / f"{name}.plan.json", moe.load_problem(examples / f"{name}.json"))
    output = capsys.readouterr()
    assert output.err == ""
    assert [line.split(": ")[1].split(", gap ")[0] for line in output.out.splitlines()] == [
        "optimal, token latency 0.0568474 s",
        "optimal, token latency 0.0437309 s",
        "optimal, token latency 0.0178521 s",
    ]


def test_an_infeasible_problem_is_answered(example, tmp_path, capsys):
    example["layers"][0]["latency_s"][2][:5] = [None] * 5
    assert solve(write(tmp_path / "x.json", example), "--out", tmp_path) == 0
    assert json.loads((tmp_path / "moe-many-slots.plan.json").read_text()) == {
        "format": "constellm.moe-plan",
        "version": 1,
        "problem": "moe-many-slots",
        "status": "infeasible",
    }
    assert capsys.readouterr().out.endswith("moe-many-slots.plan.json: infeasible\n")
    example["unreachable_s"] = 0.2
    assert solve(write(tmp_path / "x.json", example), "--out", tmp_path) == 0
    assert json.loads((tmp_path / "moe-many-slots.plan.json").read_text())["status"] == "optimal"


def test_latencies_in_an_archive(examples, tmp_path):
    problem = moe.load_problem(examples / "moe-one-slot.json")
    moe.save_problem(problem, tmp_path / "x.json", latency_npz="x.npz")
    assert solve(tmp_path / "x.json", "--out", tmp_path / "out") == 0
    assert evaluate(tmp_path / "x.json", tmp_path / "out" / "moe-one-slot.plan.json") == 0


def test_an_unreadable_file_leaves_the_others_answered(examples, tmp_path, capsys, repository):
    bad = sorted((repository / "tests" / "data" / "bad").glob("*.json"))
    split = repository / "tests" / "data" / "split" / "throughput.json"
    plan = examples / "moe-one-slot.plan.json"
    missing = tmp_path / "missing.json"
    files = [examples / f"{name}.json" for name in NAMES]
    out = tmp_path / "out"
    assert solve(files[0], *bad, split, plan, missing, examples, files[1], "--out", out) == 2
    assert sorted(file.name for file in out.iterdir()) == [f"{name}.plan.json" for name in NAMES[:2]]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(bad) + 4
    for file, line in zip([*bad, split, plan, missing, examples], lines):
        assert line.startswith(f"constellm: {file}: "), line
    assert "this is a plan of experts, not a problem of experts" in lines[-3]


def test_a_missing_archive(examples, tmp_path, capsys):
    problem = moe.load_problem(examples / "moe-one-slot.json")
    moe.save_problem(problem, tmp_path / "x.json", latency_npz="x.npz")
    (tmp_path / "x.npz").unlink()
    assert solve(tmp_path / "x.json", "--out", tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"constellm: {tmp_path / 'x.json'}: ") and "x.npz" in line


def test_a_name_given_twice(examples, example, tmp_path, capsys):
    first = examples / "moe-many-slots.json"
    second = write(tmp_path / "second.json", {**example, "top_k": 1})
    out = tmp_path / "out"
    assert solve(first, second, examples / "moe-one-slot.json", "--out", out) == 2
    assert "second.json: name 'moe-many-slots' was given before, by " in capsys.readouterr().err
    assert sorted(file.name for file in out.iterdir()) == [f"{name}.plan.json" for name in NAMES[1:]]
    moe.load_plan(out / "moe-many-slots.plan.json", moe.load_problem(first))  # the first one's


def test_the_output_is_no_folder(examples, tmp_path, capsys):
    taken = tmp_path / "taken"
    taken.write_text("")
    assert solve(examples / "moe-one-slot.json", "--out", taken) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_methods(examples, tmp_path, capsys):
    file = examples / "moe-competing-layers.json"
    assert solve(file, "--out", tmp_path, "--method", "nonsense") == 2
    assert "method: 'nonsense' is not one of optimal, exchange, sorted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert solve(file, "--out", tmp_path, "--method", "sorted") == 0
    plan = json.loads((tmp_path / "moe-competing-layers.plan.json").read_text())
    assert plan["status"] == "feasible"
    assert 0 < plan["lower_bound_s"] < 0.0569 < plan["token_latency_s"]


def test_time_limit(examples, tmp_path):
    assert solve(examples / "moe-many-slots.json", "--out", tmp_path, "--time-limit", 0) == 0
    plan = json.loads((tmp_path / "moe-many-slots.plan.json").read_text())
    assert plan["status"] in ("time_limit", "optimal") and plan["placement"]


@pytest.mark.parametrize("value", ["-1", "nan", "soon", ""])
def test_time_limit_out_of_range(examples, tmp_path, capsys, value):
    with pytest.raises(SystemExit) as caught:
        solve(examples / "moe-one-slot.json", "--out", tmp_path, f"--time-limit={value}")
    assert caught.value.code == 2
    assert f"argument --time-limit: {value!r} is not in [0, inf] s" in capsys.readouterr().err


def test_ctrl_c_ends_the_command_with_what_there_is(examples, tmp_path, monkeypatch, capsys):
    real = moe.solve

    def interrupted(problem, **options):
        plan = real(problem, method="sorted")
        return type(plan)(**{**vars(plan), "status": "interrupted"})

    monkeypatch.setattr(moe, "solve", interrupted)
    assert solve(*(examples / f"{name}.json" for name in NAMES), "--out", tmp_path) == 130
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["status"] == "interrupted"
    assert ": interrupted, token latency" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["solve"], ["solve", "a.json"], ["evaluate", "a.json"]], ids=str)
def test_too_few_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["moe", *arguments])
    assert caught.value.code == 2
    assert "usage: constellm moe" in capsys.readouterr().err


def test_help(capsys):
    for arguments in ([], ["solve"], ["evaluate"]):
        with pytest.raises(SystemExit) as caught:
            main(["moe", *arguments, "--help"])
        assert caught.value.code == 0
        assert "usage: constellm moe" in capsys.readouterr().out


# ---- evaluate --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_evaluates_a_good_plan(examples, capsys, name):
    file = examples / f"{name}.plan.json"
    assert evaluate(examples / f"{name}.json", file) == 0
    terms = json.loads(capsys.readouterr().out)
    assert terms["token_latency_s"] == pytest.approx(
        json.loads(file.read_text())["token_latency_s"], rel=1e-12
    )
    assert sum(terms["layer_latency_s"]) == pytest.approx(terms["token_latency_s"])
    for mean_s, slot_s in zip(terms["layer_latency_s"], terms["slot_latency_s"]):
        assert sum(slot_s) / len(slot_s) == pytest.approx(mean_s)


# What it breaks: the changes, and whether there are terms all the same.
BREAKS = {
    "token_latency_s: 1.5 is not what the placement costs": ({"token_latency_s": 1.5}, True),
    "lower_bound_s: 1000.0 is above": ({"lower_bound_s": 1000.0}, True),
    "status: optimal, with a lower_bound_s of 0.0": ({"lower_bound_s": 0.0}, True),
    "problem: the plan is for 'other'": ({"problem": "other"}, True),
    "status: 'good' is not one of": ({"status": "good"}, True),
    "placement: there is one, and the status is infeasible": ({"status": "infeasible"}, True),
    "plan: unknown key 'extra'": ({"extra": 1}, True),
    "version: 2 is not 1": ({"version": 2}, True),
    "placement[1][0]: 's6' hosts expert 0 of layer 0 already": (
        {"placement": [["s6", "s1", "s3"], ["s6", "s2", "s4"]]}, False
    ),
    "placement[0][0]: 'z' is not one of the problem's satellites": (
        {"placement": [["z", "s1", "s3"], ["s0", "s2", "s4"]]}, False
    ),
    "placement: has 1 layers, the problem 2": ({"placement": [["s6", "s1", "s3"]]}, False),
    "placement: expected a list, got None": ({"placement": None}, False),
    "placement[0]: expected a list, got 's6'": ({"placement": ["s6", "s1"]}, False),
}  # fmt: skip


@pytest.mark.parametrize("message", BREAKS)
def test_what_a_plan_breaks_is_printed(examples, tmp_path, capsys, message):
    changes, terms = BREAKS[message]
    plan = json.loads((examples / "moe-many-slots.plan.json").read_text())
    file = write(tmp_path / "plan.json", {**plan, **changes})
    assert evaluate(examples / "moe-many-slots.json", file) == 1
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("breaks: ")).startswith(f"breaks: {message}")
    assert lines[0] == "{" if terms else lines[0].startswith("no terms: placement")


def test_every_rule_that_a_plan_breaks_is_printed(examples, tmp_path, capsys):
    problem, plan = (
        json.loads((examples / f"moe-many-slots{end}.json").read_text()) for end in ("", ".plan")
    )

    def rules(**changes):
        file = write(tmp_path / "plan.json", {**plan, **changes})
        assert evaluate(examples / "moe-many-slots.json", file) == 1
        lines = capsys.readouterr().out.splitlines()
        return [line.removeprefix("breaks: ") for line in lines if line.startswith("breaks: ")]

    assert len(problem["satellites"]) == 7
    found = rules(placement=[["s6", "z", 3], ["s6", "y", "s4"]], problem="other", status="good", version=3)
    assert [one.split(":")[0] for one in found] == [
        "version", "problem", "status", "placement[0][1]", "placement[0][2]", "placement[1][1]",
    ]  # fmt: skip
    found = rules(placement=[["s6", "s1", "s1"], ["s6", "s2", "s3", "s4"]])
    assert found == [
        "placement[0][2]: 's1' hosts expert 1 of layer 0 already",
        "placement[1]: has 4 satellites for 3 experts",
        "placement[1][0]: 's6' hosts expert 0 of layer 0 already",
    ]
    found = rules(token_latency_s=1.5, lower_bound_s=1000.0, extra=1)
    assert [one.split(":")[0] for one in found] == ["plan", "token_latency_s", "lower_bound_s"]
    found = rules(status="infeasible", token_latency_s=None)
    assert [one.split(":")[0] for one in found] == ["placement", "lower_bound_s", "token_latency_s"]


def test_a_plan_without_a_placement_breaks_nothing(examples, tmp_path, capsys):
    plan = {"format": "constellm.moe-plan", "version": 1, "problem": "moe-one-slot", "status": "infeasible"}
    assert evaluate(examples / "moe-one-slot.json", write(tmp_path / "plan.json", plan)) == 0
    assert capsys.readouterr().out == "no terms: placement: has 0 layers, the problem 1\n"


def test_evaluate_cannot_read(examples, tmp_path, capsys, repository):
    plan = examples / "moe-one-slot.plan.json"
    for file in [tmp_path / "missing.json", tmp_path, *(repository / "tests/data/bad").glob("*.json")]:
        assert evaluate(file, plan) == 2, file.name
        assert len(capsys.readouterr().err.splitlines()) == 1, file.name
    broken_json = repository / "tests/data/bad/broken.json"
    assert evaluate(examples / "moe-one-slot.json", broken_json) == 2
    assert str(broken_json) in capsys.readouterr().err


def test_as_a_process(examples, tmp_path, repository):
    def run(*arguments):
        command = [sys.executable, "-m", "constellm.cli", "moe", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)

    bad = repository / "tests" / "data" / "bad" / "nan.json"
    done = run("solve", examples / "moe-one-slot.json", bad, "--out", tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1
    done = run("evaluate", examples / "moe-one-slot.json", tmp_path / "moe-one-slot.plan.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["token_latency_s"] > 0
