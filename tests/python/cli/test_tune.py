"""`constellm tune`: transfers in, plans out, exit statuses; never a traceback."""

from __future__ import annotations

import gzip
import json

import pytest

from constellm import flow
from constellm.cli import main

NAMES = ["transfer-1", "transfer-back-2", "transfer-infeasible"]


@pytest.fixture
def examples(repository):
    return repository / "tests" / "data" / "flow"


@pytest.fixture
def plan(examples, tmp_path):
    """Of transfer-2, in plan.json."""
    flow.save_plan(flow.solve(flow.load_problem(examples / "transfer-2.json")), tmp_path / "plan.json")
    return json.loads((tmp_path / "plan.json").read_text())


def write(path, data):
    path.write_text(json.dumps(data))
    return path


def transfer(*arguments):
    return main(["tune", "transfer", *map(str, arguments)])


def check(*arguments):
    return main(["tune", "check-transfer", *map(str, arguments)])


# ---- transfer ----------------------------------------------------------------------------------


def test_solves_many_files_into_a_new_folder(examples, tmp_path, capsys):
    out = tmp_path / "deep" / "er"
    assert transfer(*(examples / f"{name}.json" for name in NAMES), "--out", out) == 0
    assert sorted(file.name for file in out.iterdir()) == [f"{name}.plan.json" for name in NAMES]
    for name in NAMES:
        found = json.loads((out / f"{name}.plan.json").read_text())
        least = json.loads((examples / f"{name}.least.json").read_text())
        assert found["status"] == least["status"]
        assert found.get("finish_s", 0.0) == pytest.approx(least.get("finish_s", 0.0), rel=1e-12)
        assert check(examples / f"{name}.json", out / f"{name}.plan.json") == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert [line.split(": ")[1] for line in output.out.splitlines()] == [
        "optimal, all there after 240.093 s, gap 0",
        "optimal, all there after 233.091 s, gap 0",
        "infeasible",
    ]


def test_an_unreadable_file_leaves_the_others_answered(examples, tmp_path, capsys, repository):
    bad = sorted((repository / "tests" / "data" / "bad").glob("*.json"))
    others = [
        repository / "tests" / "data" / "split" / "throughput.json",
        tmp_path / "missing.json",
        examples,
    ]
    files = [examples / f"{name}.json" for name in NAMES]
    out = tmp_path / "out"
    assert transfer(files[0], *bad, *others, files[1], "--out", out) == 2
    assert sorted(file.name for file in out.iterdir()) == [f"{name}.plan.json" for name in NAMES[:2]]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(bad) + len(others)
    for file, line in zip([*bad, *others], lines):
        assert line.startswith(f"constellm: {file}: "), line


def test_a_plan_is_no_problem(plan, tmp_path, capsys):
    assert transfer(tmp_path / "plan.json", "--out", tmp_path / "out") == 2
    assert "this is a transfer plan, not a transfer problem" in capsys.readouterr().err


def test_a_name_given_twice(examples, tmp_path, capsys):
    data = json.loads((examples / "transfer-1.json").read_text())
    second = write(tmp_path / "second.json", {**data, "contacts": []})
    assert transfer(examples / "transfer-1.json", second, "--out", tmp_path / "out") == 2
    assert "second.json: name 'transfer-1' was given before, by " in capsys.readouterr().err


def test_names_stay_in_the_folder(examples, tmp_path, capsys):
    data = json.loads((examples / "transfer-1.json").read_text())
    for name in ("../up", "/tmp/x", "a\\b", "", "a\0"):
        assert transfer(write(tmp_path / "x.json", {**data, "name": name}), "--out", tmp_path / "out") == 2
        assert "name: " in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_methods(examples, tmp_path, capsys):
    file = examples / "transfer-back-1.json"
    assert transfer(file, "--out", tmp_path, "--method", "nonsense") == 2
    assert (
        "method: 'nonsense' is not one of optimal, slots:<seconds>, intervals, direct"
        in capsys.readouterr().err
    )
    assert transfer(file, "--out", tmp_path, "--method", "slots:0") == 2
    assert "method: 'slots:0': '0' is not in (0, inf) s" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    for method in ("slots:10", "intervals", "direct"):
        assert transfer(file, "--out", tmp_path, "--method", method) == 0
        plan = json.loads((tmp_path / "transfer-back-1.plan.json").read_text())
        assert plan["status"] == "feasible" and 0 < plan["lower_bound_s"] < 129.7 < plan["finish_s"]
        assert check(file, tmp_path / "transfer-back-1.plan.json") == 0
    assert transfer(file, "--out", tmp_path, "--method", "slots:300") == 0
    assert capsys.readouterr().out.endswith("transfer-back-1.plan.json: no_plan_found\n")


def test_time_limit(examples, tmp_path):
    assert transfer(examples / "transfer-1.json", "--out", tmp_path, "--time-limit", 0) == 0
    plan = json.loads((tmp_path / "transfer-1.plan.json").read_text())
    assert plan["status"] == "time_limit" and plan["lower_bound_s"] <= 240.1
    assert check(examples / "transfer-1.json", tmp_path / "transfer-1.plan.json") == 0


@pytest.mark.parametrize("value", ["-1", "nan", "soon", ""])
def test_time_limit_out_of_range(examples, tmp_path, capsys, value):
    with pytest.raises(SystemExit) as caught:
        transfer(examples / "transfer-1.json", "--out", tmp_path, f"--time-limit={value}")
    assert caught.value.code == 2
    assert f"argument --time-limit: {value!r} is not in [0, inf] s" in capsys.readouterr().err


def test_ctrl_c_ends_the_command_with_what_there_is(examples, tmp_path, monkeypatch, capsys):
    real = flow.solve

    def interrupted(problem, **options):
        plan = real(problem, **options)
        return type(plan)(**{**vars(plan), "status": "interrupted"})

    monkeypatch.setattr(flow, "solve", interrupted)
    assert transfer(*(examples / f"{name}.json" for name in NAMES), "--out", tmp_path) == 130
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["status"] == "interrupted"
    assert ": interrupted, all there after" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["transfer"], ["transfer", "a.json"], ["check-transfer", "a.json"]], ids=str
)
def test_too_few_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["tune", *arguments])
    assert caught.value.code == 2
    assert "usage: constellm tune" in capsys.readouterr().err


def test_help(capsys):
    for arguments in ([], ["transfer"], ["check-transfer"]):
        with pytest.raises(SystemExit) as caught:
            main(["tune", *arguments, "--help"])
        assert caught.value.code == 0
        assert "usage: constellm tune" in capsys.readouterr().out


def test_files_of_other_programs(examples, tmp_path, capsys):
    """With a byte order mark, compressed, and ids that a terminal would follow."""
    data = json.loads((examples / "transfer-1.json").read_text())
    (tmp_path / "x.json").write_text(json.dumps(data), encoding="utf-8-sig")
    (tmp_path / "y.json.gz").write_bytes(gzip.compress(json.dumps({**data, "name": "y"}).encode()))
    assert transfer(tmp_path / "x.json", tmp_path / "y.json.gz", "--out", tmp_path / "out") == 0
    data["contacts"][0]["from"] = "\x1b[31mred"
    assert transfer(write(tmp_path / "x.json", data), "--out", tmp_path / "out") == 2
    output = capsys.readouterr()
    assert (
        "contacts[0].from: '\\x1b[31mred' is not the id of a node" in output.err and "\x1b" not in output.err
    )


# ---- check-transfer ----------------------------------------------------------------------------


def broken(examples, file, capsys, status=1):
    assert check(examples / "transfer-2.json", file) == status
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("breaks: ") for line in lines)
    return [line.removeprefix("breaks: ") for line in lines]


def test_a_plan_that_is_right_breaks_nothing(examples, plan, tmp_path, capsys):
    assert broken(examples, tmp_path / "plan.json", capsys, status=0) == []


def test_every_rule_that_a_plan_breaks_is_printed(examples, plan, tmp_path, capsys):
    def rules(**changes):
        return broken(examples, write(tmp_path / "x.json", {**plan, **changes}), capsys)

    found = rules(problem="other", status="good", version=3, extra=1, finish_s=plan["finish_s"] * 2)
    assert [one.split(":")[0] for one in found] == ["version", "plan", "problem", "status", "finish_s"]
    found = rules(flows=[*plan["flows"], {"contact": 12}, 3], lower_bound_s=None)
    assert [one.split(":")[0] for one in found] == ["lower_bound_s", "flows[" + str(len(plan["flows"])) + "]",
                                                    "flows[" + str(len(plan["flows"]) + 1) + "]"]  # fmt: skip
    double = [{**flow, "bytes": 2 * flow["bytes"]} for flow in plan["flows"]]
    assert len(rules(flows=double, finish_s=plan["finish_s"] / 2)) > 3
    (rule,) = rules(lower_bound_s=plan["finish_s"] * 0.99)
    assert rule.startswith("status: optimal, with a lower_bound_s of ")


def test_plans_of_another_problem(examples, plan, tmp_path, capsys):
    assert check(examples / "transfer-3.json", tmp_path / "plan.json") == 1
    assert "breaks: problem: the plan is for 'transfer-2', not for 'transfer-3'" in capsys.readouterr().out


def test_what_cannot_be_read(examples, plan, tmp_path, capsys, repository):
    problem, good = examples / "transfer-2.json", tmp_path / "plan.json"
    (tmp_path / "half.json").write_text(good.read_text()[:100])
    for arguments, named in (
        ((problem, tmp_path / "half.json"), tmp_path / "half.json"),
        ((problem, tmp_path / "none.json"), tmp_path / "none.json"),
        ((tmp_path / "none.json", good), tmp_path / "none.json"),
        ((good, good), good),
    ):
        assert check(*arguments) == 2
        output = capsys.readouterr()
        assert output.out == "" and output.err.startswith(f"constellm: {named}: ")
