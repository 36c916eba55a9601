"""`constellm services`: files in, files out, exit statuses; never a traceback."""

from __future__ import annotations

import json

import pytest

from constellm import services
from constellm.cli import main
from constellm.services import solver
from constellm.services.placement import positions_of
from constellm.services.solver import Found, Method

NAMES = [f"services-{i}" for i in (1, 2, 3, 4, 5, 6, "infeasible")]


@pytest.fixture
def examples(repository):
    return repository / "tests" / "data" / "services"


@pytest.fixture
def told(examples, monkeypatch):
    """A method that finds what the examples' plans say."""

    def search(problem, *, time_limit_s, seed, threads):
        plan = json.loads((examples / f"{problem.name}.plan.json").read_text(encoding="utf-8"))
        if plan["status"] == "infeasible":
            return Found("infeasible")
        placement = services.Placement(plan["replicas"], plan["assignment"])
        return Found("optimal", positions_of(problem, placement), plan["lower_bound"])

    monkeypatch.setitem(solver.METHODS, "told", Method("told", "for tests", search))


def solve(*arguments):
    return main(["services", "solve", *map(str, arguments), "--method", "told"])


def evaluate(*arguments):
    return main(["services", "evaluate", *map(str, arguments)])


def write(path, data):
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_solves_many_files_into_a_new_folder(examples, told, tmp_path, capsys):
    out = tmp_path / "deep" / "er"
    assert solve(*(examples / f"{name}.json" for name in NAMES), "--out", out) == 0
    assert sorted(file.name for file in out.iterdir()) == sorted(f"{name}.plan.json" for name in NAMES)
    for name in NAMES:
        found = json.loads((out / f"{name}.plan.json").read_text(encoding="utf-8"))
        plan = json.loads((examples / f"{name}.plan.json").read_text(encoding="utf-8"))
        if "replicas" in plan:  # in the order of the problem's nodes
            plan["replicas"] = {service: sorted(nodes) for service, nodes in plan["replicas"].items()}
            plan["second_optimal"] = False
        assert found == plan
    output = capsys.readouterr()
    assert output.err == ""
    assert "services-4.plan.json: optimal, cost 24, mean delay 0.55814 s, gap 0\n" in output.out
    assert output.out.endswith("services-infeasible.plan.json: infeasible\n")


def test_what_cannot_be_read_is_reported_and_the_others_are_answered(examples, told, tmp_path, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text("{", encoding="utf-8")
    first = examples / "services-1.json"
    assert solve(bad, first, first, tmp_path / "none.json", "--out", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert [line.split(": ")[1] for line in error.splitlines()] == [
        *(str(bad), str(first), str(tmp_path / "none.json"))
    ]
    assert "name 'services-1' was given before" in error
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["services-1.plan.json"]


def test_evaluate_prints_terms_and_rules(examples, tmp_path, capsys):
    for name in NAMES:
        assert evaluate(examples / f"{name}.json", examples / f"{name}.plan.json") == 0
    output = capsys.readouterr().out
    plan = json.loads((examples / "services-4.plan.json").read_text(encoding="utf-8"))
    assert '"cost": 24.0' in output and "breaks" not in output
    wrong = {**plan, "delay_s": 9.0, "replicas": {**plan["replicas"], "m0": []}}
    served = any("m0" in str(rule) for rule in plan["replicas"])
    assert evaluate(examples / "services-4.json", write(tmp_path / "x.json", wrong)) == 1
    output = capsys.readouterr().out
    assert served and "no terms: task" in output and "breaks: task" in output
    elsewhere = {**plan, "assignment": {**plan["assignment"], "t0": ["zzz"] * len(plan["assignment"]["t0"])}}
    assert evaluate(examples / "services-4.json", write(tmp_path / "x.json", elsewhere)) == 1
    output = capsys.readouterr().out
    assert "breaks: assignment['t0'][0]: 'zzz' is not the id of a node\n" in output
    assert evaluate(examples / "services-4.json", write(tmp_path / "x.json", {**plan, "delay_s": 9.0})) == 1
    output = capsys.readouterr().out
    terms, _, rules = output.partition("breaks: ")
    assert json.loads(terms)["cost"] == 24.0
    assert rules == f"delay_s: 9.0 is claimed, and it is {plan['delay_s']!r}\n"


def test_evaluate_of_what_is_no_plan(examples, tmp_path, capsys):
    problem = examples / "services-4.json"
    for content in ([], {}, {"format": "constellm.services-plan"}, {"replicas": 3, "assignment": {}}):
        assert evaluate(problem, write(tmp_path / "x.json", content)) in (1, 2)
    assert evaluate(problem, tmp_path / "none.json") == 2
    assert evaluate(tmp_path / "none.json", problem) == 2
    assert evaluate(problem, problem) == 1
    assert "this is a services problem, not a services plan" in capsys.readouterr().out


def test_an_unknown_method_is_one_line(examples, tmp_path, capsys):
    status = main(
        ["services", "solve", str(examples / "services-1.json"), "--out", str(tmp_path), "--method", "x"]
    )
    assert status == 2
    assert "method: 'x' is not one of" in capsys.readouterr().err
