"""Values from Python or a file are refused in words, or do what they say."""

from __future__ import annotations

import copy
import errno
import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from constellm import network, split
from constellm.codec import Codec
from constellm.core.checks import count, real
from constellm.core.files import parse_json, read_json, write_json
from constellm.model import Layer
from constellm.network import Node
from constellm.split import micro_batches
from constellm.split.solver import solve as real_solve

HALF = "\ud800"  # of a surrogate pair; JSON can write it
HUGE = 10**400


@pytest.fixture
def data(repository):
    return read_json(repository / "tests" / "data" / "split" / "three-stages-lossy.json")


@pytest.fixture
def claims(repository):
    return read_json(repository / "tests" / "data" / "split" / "three-stages-lossy.plan.json")


@pytest.fixture
def problem(data):
    return split.problem_from_dict(data)


def refused(kind, match):
    return pytest.raises(kind, match=match)


# ---- text ------------------------------------------------------------------------------------


def test_half_a_surrogate_pair(data, problem, claims):
    with refused(ValueError, r"^source: '\\ud800' is not valid Unicode$"):
        split.problem_from_dict({**data, "source": HALF})
    with refused(ValueError, r"^layers\[0\]: unknown key '\\ud800'"):
        split.problem_from_dict({**data, "layers": [{**data["layers"][0], HALF: 1}]})
    with refused(TypeError, r"Problem: unknown key '\\ud800'"):
        split.Problem(**{**problem_keywords(problem), HALF: 1})
    for call in (split.check, split.evaluate):
        with refused(ValueError, r"^path\[0\]: '\\ud800' is not valid Unicode$"):
            call(problem, {**claims, "path": [HALF]})


def problem_keywords(problem):
    parts = {"layers": problem.layers, "network": problem.network, "codecs": problem.codecs}
    return {**parts, "input_bytes": 1.0}


def test_messages_cut_between_characters():
    with refused(TypeError, "^flop: expected a number, got str$"):
        Layer(name="é" * 500, flop="1", memory_bytes=0.0, output_bytes=0.0)
    with refused(TypeError, "^name: expected text, got .'é+…$"):
        Layer(name=["é" * 500], flop=1.0, memory_bytes=0.0, output_bytes=0.0)
    assert "é..." in repr(Layer(name="é" * 500, flop=1.0, memory_bytes=0.0, output_bytes=0.0))


# ---- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [np.complex64(3), np.complex128(3), np.bool_(True), True, "3", 3j, np.array(3.0)], ids=repr
)
def test_no_silent_number(value):
    with refused(TypeError, "^flop_per_s: expected a number, got "):
        Node(id="a", flop_per_s=value, memory_bytes=0.0)
    with refused(TypeError, "^x: expected a number, got "):
        real("x", value)


@pytest.mark.parametrize("value", [3, 3.0, np.float32(3), np.int8(3), np.float64(3)], ids=repr)
def test_real_numbers(value):
    assert Node(id="a", flop_per_s=value, memory_bytes=0.0).flop_per_s == 3.0
    assert (real("x", value), type(real("x", value))) == (3.0, float)


def test_an_exception_of_ones_own_comes_through():
    class Unfinished:
        def __float__(self):
            raise LookupError("not measured yet")

    with refused(LookupError, "not measured yet"):
        Node(id="a", flop_per_s=Unfinished(), memory_bytes=0.0)


@pytest.mark.parametrize("value", [HUGE, -HUGE, 10**5000], ids=["huge", "-huge", "no repr"])
def test_huge_integers(problem, value):
    with refused(ValueError, r"^flop_per_s: .* is not in \[-1.8e308, 1.8e308\]"):
        Node(id="a", flop_per_s=value, memory_bytes=0.0)
    with refused(ValueError, r"^micro_batches: .* is not (< 2\^63|>= -2\^63)$"):
        problem.replace(micro_batches=value)
    with refused(ValueError, "^time_limit_s: .* is not in "):
        split.solve(problem, time_limit_s=value)
    with refused(ValueError, "^n: .* is not in "):
        count("n", value, most=5)


@pytest.mark.parametrize(
    "value", [{3.0, 1.0}, {1.0: 2}, "12", b"ab", (x for x in (1.0, 2.0)), 5, np.array(1.0)], ids=str
)
def test_sequences_have_an_order_and_a_length(value):
    with refused(TypeError, "^layer_time_s: expected a sequence, got "):
        Node(id="a", flop_per_s=1.0, memory_bytes=0.0, layer_time_s=value)


@pytest.mark.parametrize("value", [[3.0, 1.0], (3.0, 1.0), np.array([3.0, 1.0]), range(3, 0, -2)], ids=repr)
def test_sequences(value):
    assert Node(id="a", flop_per_s=1.0, memory_bytes=0.0, layer_time_s=value).layer_time_s == [3.0, 1.0]


def test_counts_of_numpy(problem):
    two = np.int64(2)
    assert len(split.k_best(problem, two)) == 2
    assert split.with_micro_batches(problem, two).micro_batches == 2
    assert len(split.best_micro_batches(problem, batch=two)) == 2
    plans = split.best_micro_batches(problem, counts=np.arange(1, 3))
    assert sorted(plan.problem.micro_batches for plan in plans) == [1, 2]
    with refused(TypeError, r"^counts\[1\]: expected an integer, got 2.5"):
        split.best_micro_batches(problem, counts=[1, 2.5])


# ---- arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["5", None, "abc", [1.0], np.array([1.0, 2.0])], ids=str)
def test_time_limit(problem, value):
    with refused(TypeError, "^time_limit_s: expected a number, got "):
        split.solve(problem, time_limit_s=value)


def test_what_is_no_problem():
    for call in (
        split.solve, split.with_micro_batches, split.pareto_front, split.k_best, split.check, split.evaluate,
    ):  # fmt: skip
        arguments = () if call in (split.solve, split.pareto_front) else (1,)
        with refused(TypeError, "^problem: expected a Problem, got 3"):
            call(3, *arguments)
    with refused(TypeError, "^problem: expected a Problem, got 3"):
        split.solve(3, method="uniform")


def test_arguments_of_a_front(problem):
    with refused(TypeError, r"^criteria: expected a sequence of names, got \(1, 2\)"):
        split.pareto_front(problem, (1, 2))
    with refused(TypeError, "^epsilon: expected a number, got 'x'"):
        split.pareto_front(problem, epsilon="x")


@pytest.mark.parametrize("value", [None, [1], 3], ids=repr)
def test_what_is_no_mapping(problem, value):
    for call in (split.check, split.evaluate):
        with refused(TypeError, "^plan: expected an object, got "):
            call(problem, value)
    with refused(TypeError, "^problem: expected an object, got "):
        split.problem_from_dict(value)
    with refused(TypeError, "^file: expected an object at the top level, got "):
        parse_json("[1]")


def test_nothing_instead_of_a_model_or_network_changes_nothing(problem):
    assert problem.replace(model=None, network=None) == problem
    with refused(TypeError, "^model: expected a profile"):
        problem.replace(model=3)


def test_a_missing_or_unknown_key_is_a_value_of_the_file(data):
    for change in ({"memory_bytes"}, {"id"}):
        broken = copy.deepcopy(data)
        for key in change:
            del broken["nodes"][1][key]
        with refused(ValueError, r"^nodes\[1\]: missing required key '"):
            split.problem_from_dict(broken)
    broken["nodes"][0]["extra"] = 1
    with refused(ValueError, r"^nodes\[0\]: unknown key 'extra'"):
        split.problem_from_dict(broken)
    with refused(TypeError, "missing required key"):
        Node(id="a", flop_per_s=1.0)


def test_a_failed_write_names_the_target(tmp_path):
    target = tmp_path / "plan.json"
    target.mkdir()
    with pytest.raises(OSError) as caught:
        write_json({}, target)
    assert caught.value.filename == str(target)
    with pytest.raises(FileNotFoundError) as caught:
        write_json({}, tmp_path / "none" / "plan.json")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(tmp_path / "none" / "plan.json"))
    assert list(tmp_path.iterdir()) == [target]


# ---- generation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"new_tokens": -3}, ValueError, r"^new_tokens: -3 is not in \[1, "),
        ({"new_tokens": 10**30}, ValueError, r"^new_tokens: 10+ is not in \[1, "),
        ({"token_bytes": -1}, ValueError, "^token_bytes: -1 is not in "),
        ({"token_bytes": "4"}, TypeError, "^token_bytes: expected a number"),
        ({"memory_bandwidth_bytes_per_s": -2}, ValueError, "^memory_bandwidth_bytes_per_s: -2 is not in "),
        (
            {"memory_bandwidth_bytes_per_s": 0},
            ValueError,
            "^memory_bandwidth_bytes_per_s of '.*': 0 is not in ",
        ),
        ({"memory_bandwidth_bytes_per_s": {"n0": "fast"}}, TypeError, "^memory_bandwidth_bytes_per_s"),
        ({"decode": [[1.0]]}, ValueError, "^decode: expected shape"),
        ({"decode": [[1.0], [1.0, 2.0]]}, TypeError, "^decode: expected numbers of shape"),
        ({"decode": "fast"}, TypeError, "^decode: expected numbers of shape"),
        ({"decode": [[1j, 0, 0]]}, TypeError, "^decode: expected numbers of shape"),
        ({"prefill": 3}, TypeError, "^prefill: expected a Problem, got 3"),
    ],
    ids=str,
)
def test_generation_is_checked_when_it_is_made(data, changes, kind, message):
    for node in data["nodes"]:
        node.pop("layer_time_s", None)
    prefill = split.problem_from_dict(data)
    if isinstance(changes.get("memory_bandwidth_bytes_per_s"), dict):
        changes = {"memory_bandwidth_bytes_per_s": {prefill.source: "fast"}}
    good = {"prefill": prefill, "decode": np.ones((len(prefill.layers), 3)), "new_tokens": np.int64(3)}
    made = split.GenerationProblem(**good)
    assert made.evaluate(split.solve(prefill), requests=np.int64(2)).total_s > 0
    with refused(kind, message):
        split.GenerationProblem(**{**good, **changes})


# ---- claims of a plan ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [HUGE, -HUGE, math.inf, math.nan], ids=["huge", "-huge", "inf", "nan"])
@pytest.mark.parametrize("key", ["delay_s", "lower_bound_s"])
def test_figures_are_finite(problem, claims, key, value):
    for call in (split.check, split.evaluate):
        with refused(ValueError, f"^{key}: .* is not in "):
            call(problem, {**claims, key: value})


def test_the_gap_of_a_plan_that_takes_no_time():
    instant = split.Problem(
        name="instant",
        layers=[Layer(name="l", flop=0.0, memory_bytes=0.0, output_bytes=0.0)],
        input_bytes=0.0,
        nodes=[Node(id="a", flop_per_s=1.0, memory_bytes=1.0)],
        links=[],
        source="a",
        sink="a",
        codecs=[Codec(name="none", ratio=1.0, error=0.0)],
    )
    plan = split.solve(instant)
    assert plan.delay_s == 0 and split.check(instant, plan) == []
    (broken,) = split.check(instant, {**plan.to_dict(), "lower_bound_s": -1})
    assert broken == "status: 'optimal' with a gap of 1 s between delay_s and lower_bound_s"


def test_figures_need_a_plan(problem, claims):
    bare = {key: claims[key] for key in ("format", "version", "problem")} | {"status": "infeasible"}
    assert split.check(problem, {**bare, "lower_bound_s": 1}) == []
    assert split.check(problem, {**bare, "delay_s": 1, "error": 5}) == [
        "delay_s: a figure without a plan",
        "error: a figure without a plan",
    ]


def test_every_fault_is_named_at_once(problem, claims):
    wrong = copy.deepcopy(claims)
    wrong["path"][0] = "z"
    wrong["stages"][0].update(node="y", codec="zip")
    wrong["stages"][-1]["codec"] = "zap"
    faults = split.check(problem, wrong)
    for expected in (
        "path[0]: the problem has no node 'z'",
        "stages[0].node: the problem has no node 'y'",
        "stages[0].codec: the problem has no codec 'zip'",
        "the problem has no codec 'zap'",
        "path: starts at 'z', not at the source",
        "stages[0]: 'y' is not on the rest of the path",
    ):
        assert any(expected in fault for fault in faults), (expected, faults)
    wrong = copy.deepcopy(claims)
    wrong["path"][0] = "z"
    wrong["stages"][-1]["last_layer"] += 1
    faults = split.check(problem, wrong)
    assert any("stages[" in fault for fault in faults) and any("'z'" in fault for fault in faults), faults
    wrong["path"][0] = ""
    assert split.check(problem, wrong) == ["path[0]: the problem has no node ''"]


# ---- Ctrl-C ----------------------------------------------------------------------------------


def test_an_interrupted_list_ends(problem, monkeypatch):
    asked = []

    def solve(cut, **options):
        asked.append(cut.micro_batches)
        plan = real_solve(cut, **options)
        if len(asked) < 2:
            return plan
        return SimpleNamespace(status="interrupted", path=[], problem=cut)

    monkeypatch.setattr(micro_batches, "solve", solve)
    plans = split.best_micro_batches(problem, counts=[1, 2, 3, 4])
    assert asked == [1, 2]
    assert [plan.status for plan in plans] == ["optimal", "interrupted"]


def test_endpoints_are_the_problem_s_and_else_the_network_s(problem):
    figures = {"flop_per_s": 1e12, "memory_bytes": 1e15, "rate_bps": 1e9}
    ring = network.ring(4, **figures)
    keywords = {"layers": problem.layers, "input_bytes": 1.0, "codecs": problem.codecs}
    plain = network.Network(nodes=ring.nodes, links=ring.links)
    assert (plain.source, plain.sink) == (None, None)

    own = split.Problem(network=ring, **keywords)
    assert (own.source, own.sink) == ("s0", "s3")
    other = split.Problem(network=ring, source="s2", **keywords)
    assert (other.source, other.sink) == ("s2", "s3")
    assert split.solve(other).path[0] == "s2"
    # A network says nothing of its own beside what the problem says.
    assert other == split.Problem(network=plain, source="s2", sink="s3", **keywords)
    assert other == split.problem_from_dict(other.to_dict()) == pickle.loads(pickle.dumps(other))
    assert (other.network.source, other.network.sink) == ("s2", "s3")

    for missing, given in (("source", "sink"), ("sink", "source")):
        with refused(TypeError, f"^Problem: missing required key '{missing}': the network has none$"):
            split.Problem(network=plain, **{given: "s1"}, **keywords)
    with refused(ValueError, "^sink: no node has id 's9'$"):
        split.Problem(network=ring, sink="s9", **keywords)
    with refused(ValueError, "^source: no node has id 's9'$"):
        plain.replace(source="s9")


def test_another_network_brings_its_endpoints_or_the_problem_keeps_its_own(problem):
    ring = network.ring(4, flop_per_s=1e12, memory_bytes=1e15, rate_bps=1e9)
    keywords = {"layers": problem.layers, "input_bytes": 1.0, "codecs": problem.codecs}
    here = split.Problem(network=ring, source="s1", sink="s2", **keywords)
    assert (here.replace(sink="s0").source, here.replace(sink="s0").sink) == ("s1", "s0")
    assert here.replace(network=ring).source == "s0"
    assert here.replace(network=ring.replace(source=None)).source == "s1"
    assert here.replace(network=ring, source="s2").source == "s2"
    assert here.replace(nodes=ring.nodes, links=ring.links) == here
    assert here.replace(links=ring.links[:4]).links == ring.links[:4]
