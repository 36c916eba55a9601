"""Problems, plans and their parts go there and back: files, dictionaries, pickles, `replace`."""

from __future__ import annotations

import copy
import json
import math
import pickle

import pytest

from constellm import split
from constellm.core.files import parse_json, read_json, write_json
from oracles.random_problems import random_problem

SEEDS = range(80)


@pytest.fixture(scope="module")
def problems():
    return [split.problem_from_dict(random_problem(seed)) for seed in SEEDS]


def test_file_round_trip_is_exact(problems, tmp_path):
    for problem in problems:
        file = tmp_path / "problem.json"
        split.save_problem(problem, file)
        assert split.load_problem(file) == problem
        assert split.load_problem(file).to_dict() == problem.to_dict()
    assert [entry.name for entry in tmp_path.iterdir()] == ["problem.json"]  # no scratch files are left


def test_dictionary_round_trip_is_exact(problems):
    for problem in problems:
        data = problem.to_dict()
        assert split.problem_from_dict(data) == problem
        assert split.problem_from_dict(json.loads(json.dumps(data, allow_nan=False))) == problem


def test_dictionary_says_what_the_file_said():
    """All that was given is there again, to the last bit."""

    def holds(said, data):
        if isinstance(said, dict):
            return all(holds(value, data[key]) for key, value in said.items())
        if isinstance(said, list):
            return len(said) == len(data) and all(map(holds, said, data))
        return said == data

    for seed in SEEDS:
        data = random_problem(seed)
        assert holds(data, split.problem_from_dict(data).to_dict()), seed


def test_awkward_numbers_survive(tmp_path):
    data = random_problem(0)
    data["limits"] = {}
    for number in (0.1, 1 / 3, 5e-324, 2.0**53 + 2, 1.7976931348623157e-300, math.pi):
        data["layers"][0]["flop"] = number
        file = tmp_path / "problem.json"
        split.save_problem(split.problem_from_dict(data), file)
        assert split.load_problem(file).layers[0].flop == number


def test_problems_pickle_copy_and_compare(problems):
    for problem in problems:
        again = pickle.loads(pickle.dumps(problem))
        assert again == problem and again is not problem
        assert copy.copy(problem) == problem and copy.deepcopy(problem) == problem
        assert problem != problem.replace(name="other")
        assert problem != "text"
        assert split.solve(again).path == split.solve(problem).path
    assert problems[0] != problems[1]


def test_parts_pickle_and_compare(problems):
    for problem in problems[:20]:
        for part in [*problem.layers, *problem.nodes, *problem.links, *problem.codecs, problem.network]:
            assert pickle.loads(pickle.dumps(part)) == part
            assert copy.deepcopy(part) == part
            assert part.replace() == part
            assert part != 1


def test_plans_pickle_and_compare(problems):
    for problem in problems:
        plan = split.solve(problem)
        again = pickle.loads(pickle.dumps(plan))
        assert again == plan
        assert repr(again.to_dict()) == repr(plan.to_dict())  # counters, seconds and bound as well
        assert again.problem == problem
        assert (again.method, again.counters) == (plan.method, plan.counters)
        for stage in plan.stages:
            assert pickle.loads(pickle.dumps(stage)) == stage
            assert stage.replace(first_layer=0).first_layer == 0


def test_plan_file_round_trip(problems, tmp_path):
    for problem in problems:
        plan = split.solve(problem)
        file = tmp_path / "plan.json"
        write_json(plan.to_dict(), file)
        data = read_json(file)
        assert data == plan.to_dict()
        assert split.check(problem, data) == []
        assert ("path" in data) == (plan.status == "optimal")
        assert set(data["solver"]) >= {"labels", "dominated", "expanded", "seconds", "version"}
        if plan.path:
            assert split.evaluate(problem, data) == split.evaluate(problem, plan)
            assert {key: data[key] for key in ("delay_s", "lower_bound_s", "error")} == {
                "delay_s": plan.delay_s, "lower_bound_s": plan.lower_bound_s, "error": plan.error
            }  # fmt: skip


def test_replace_checks_as_the_constructor_does(problems):
    problem = problems[0]
    assert problem.replace(micro_batches=7).micro_batches == 7
    assert problem.replace(micro_batches=7).replace(micro_batches=problem.micro_batches) == problem
    with pytest.raises(ValueError, match="^micro_batches: 0"):
        problem.replace(micro_batches=0)
    with pytest.raises(ValueError, match="^source: no node"):
        problem.replace(source="nowhere")
    with pytest.raises(TypeError, match="unknown"):
        problem.replace(sauce="nowhere")
    assert problem.replace(max_error=None).max_error is None


def test_values_do_not_change(problems):
    problem = problems[0]
    plan = split.solve(problem)
    for value, name in ((problem, "name"), (plan, "delay_s"), (problem.layers[0], "flop")):
        with pytest.raises(AttributeError):
            setattr(value, name, 1)
    before = problem.to_dict()
    nodes = problem.nodes
    if isinstance(nodes, list):
        nodes.clear()
    problem.to_dict()["layers"].clear()
    assert problem.to_dict() == before


def test_meta_is_ignored():
    data = random_problem(1)
    for meta in ({}, {"a": {"b": [None, True, "x", 1e300]}}):
        assert split.problem_from_dict({**data, "meta": meta}) == split.problem_from_dict(data)


def test_integers_and_floats_say_the_same():
    data = random_problem(2)
    assert split.problem_from_dict({**data, "input_bytes": 7}) == split.problem_from_dict(
        {**data, "input_bytes": 7.0}
    )


def test_source_may_be_the_sink():
    """The only path is then that node alone, whatever links there are."""
    data = random_problem(3)
    alone = data["source"]
    data.update(sink=alone, limits={}, objective="delay")
    data["links"] = [
        {"from": a["id"], "to": b["id"], "rate_bps": 1e12, "latency_s": 0.0}
        for a in data["nodes"]
        for b in data["nodes"]
        if a is not b
    ]
    for node in data["nodes"]:
        node.update(flop_per_s=1e9 if node["id"] == alone else 1e15, memory_bytes=1e15, layer_time_s=None)
        node["overhead_s"] = 0.0
    for options in ({}, {"unroll": False}):
        plan = split.solve(split.problem_from_dict(data), **options)
        assert plan.path == [alone]
        assert [(s.first_layer, s.last_layer, s.codec) for s in plan.stages] == [
            (0, len(data["layers"]) - 1, None)
        ]
        assert plan.bytes == 0.0 and plan.error == 0.0
        seconds = sum(layer["flop"] for layer in data["layers"]) / 1e9
        assert plan.delay_s == pytest.approx(data["micro_batches"] * seconds, rel=1e-12)


def test_strict_json():
    assert parse_json('{"a": [1, 2.5, null, true, "x"]}') == {"a": [1, 2.5, None, True, "x"]}
    for text, message in (
        ('{"a": NaN}', "NaN"), ('{"a": -Infinity}', "-Infinity"), ('{"a": 1e400}', "1e400"),
        ('{"a": 1, "a": 1}', "'a' stands twice"), ('{"x": {"a": 1, "a": 2}}', "'a' stands twice"),
        ("[1]", "expected an object"), ("", "Expecting value"),
    ):  # fmt: skip
        with pytest.raises((ValueError, TypeError), match=message):
            parse_json(text)


def test_a_file_is_whole_or_the_old_one(tmp_path):
    file = tmp_path / "plan.json"
    write_json({"a": 1}, file)
    for broken in ({"a": math.nan}, {"a": object()}):
        with pytest.raises((ValueError, TypeError)):
            write_json(broken, file)
    assert read_json(file) == {"a": 1}
    assert list(tmp_path.iterdir()) == [file]
