"""Bad files and values: every one is refused with one line that names the field. What it says is asserted."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from constellm import moe
from constellm.core.files import parse_json


def good() -> dict:
    """A small problem with every key of the format in it, but latencies in an archive."""
    return {
        "format": "constellm.moe-problem",
        "version": 1,
        "name": "good",
        "top_k": 2,
        "satellites": ["a", "b", "c", "d", "e"],
        "unreachable_s": 0.5,
        "layers": [
            {"weights": [0.5, 0.3, 0.2], "latency_s": [[0.1, 0.2, None, 0.4, 0.5]] * 2, "base_s": 0.01},
            {"weights": [3, 1], "latency_s": [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]]},
        ],
    }


def changed(*where, to) -> dict:
    """`good()` with the value at a place put to something else."""
    data = json.loads(json.dumps(good()))
    inner = data
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = to
    return data


def refused(data) -> str:
    with pytest.raises((ValueError, TypeError)) as caught:
        moe.problem_from_dict(data)
    text = str(caught.value)
    assert text and "\n" not in text, text
    return text


def place(where) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in where).lstrip(".")


def test_the_good_problem_is_good():
    assert moe.solve(moe.problem_from_dict(good())).status == "optimal"


# ---- numbers ---------------------------------------------------------------------------------

NUMBERS = [
    ("unreachable_s",),
    ("layers", 0, "base_s"),
    ("layers", 0, "weights", 1),
    ("layers", 1, "weights", 0),
    ("layers", 0, "latency_s", 1, 3),
    ("layers", 1, "latency_s", 0, 0),
]


@pytest.mark.parametrize("where", NUMBERS, ids=place)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, -1e-300], ids=repr)
def test_number_out_of_range(where, value):
    allowed = "(0, inf)" if "weights" in where else "[0, inf)"
    assert refused(changed(*where, to=value)) == f"{place(where)}: {value!r} is not in {allowed}"


@pytest.mark.parametrize("where", NUMBERS, ids=place)
@pytest.mark.parametrize("value", [True, "1", [1], {}, 1j], ids=repr)
def test_not_a_number(where, value):
    assert refused(changed(*where, to=value)) == f"{place(where)}: expected a number, got {value!r}"


@pytest.mark.parametrize("where", NUMBERS, ids=place)
def test_zero(where):
    if "weights" in where:
        assert refused(changed(*where, to=0)) == f"{place(where)}: 0 is not in (0, inf)"
    else:
        assert moe.solve(moe.problem_from_dict(changed(*where, to=0))).status == "optimal"


@pytest.mark.parametrize("where", NUMBERS, ids=place)
def test_null(where):
    data = changed(*where, to=None)
    if where == ("unreachable_s",):
        assert moe.problem_from_dict(data).unreachable_s is None
    elif "latency_s" in where:
        layer = moe.problem_from_dict(data).layers[where[1]]
        assert np.isnan(layer.latency_s[where[3], where[4]])
    else:
        assert refused(data) == f"{place(where)}: expected a number, got None"


@pytest.mark.parametrize("where", NUMBERS, ids=place)
def test_huge_number_never_overflows(where):
    """Either refused in words, or every figure of the answer stays finite."""
    for value in (1e290, 1e308, 10**400):
        try:
            problem = moe.problem_from_dict(changed(*where, to=value))
        except (ValueError, TypeError) as error:
            assert str(error).startswith(place(where).partition("].")[0]), error
            assert value > 1e290 or "weights" in where, error
            continue
        plan = moe.solve(problem)
        assert plan.status == "optimal" and math.isfinite(plan.token_latency_s)
        assert math.isfinite(moe.evaluate(problem, [[0, 1, 3], [2, 4]]).token_latency_s)


@pytest.mark.parametrize("where", NUMBERS, ids=place)
def test_tiny_number(where):
    data = changed(*where, to=5e-324)
    if "weights" in where:
        assert refused(data).startswith(f"layers[{where[1]}].")
    else:
        assert moe.solve(moe.problem_from_dict(data)).status == "optimal"


@pytest.mark.parametrize("value", [0, -1, 3, 2**31, 10**30])
def test_top_k_out_of_range(value):
    assert refused(changed("top_k", to=value)).startswith(f"top_k: {value} is not in [1, ")


@pytest.mark.parametrize("value", [2.0, 1.5, True, "2", None, [2]], ids=repr)
def test_top_k_is_an_integer(value):
    assert refused(changed("top_k", to=value)) == f"top_k: expected an integer, got {value!r}"


def test_top_k_is_held_to_every_layer():
    text = refused(changed("layers", 1, "weights", to=[1]))
    assert text == "top_k: 2 is not in [1, 1], the number of layers[1].weights"


# ---- texts, lists and objects ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a b", "ü", "a/b", "x" * 101, "a\t", "../up", "a\n"], ids=repr)
def test_name_out_of_its_letters(name):
    text = refused(changed("name", to=name))
    assert text.startswith("name: ") and text.endswith("is not 1 to 100 characters of [A-Za-z0-9._-]")


@pytest.mark.parametrize("where", [("name",), ("satellites", 1), ("latency_npz",)], ids=place)
@pytest.mark.parametrize("value", [1, None, ["a"], {}, True], ids=repr)
def test_not_text(where, value):
    if where == ("latency_npz",) and value is None:
        return  # left out
    data = changed(*where, to=value)
    assert refused(data) == f"{place(where)}: expected text, got {value!r}"


LISTS = [
    ("satellites",),
    ("layers",),
    ("layers", 0, "weights"),
    ("layers", 0, "latency_s"),
    ("layers", 0, "latency_s", 1),
]


@pytest.mark.parametrize("where", LISTS, ids=place)
@pytest.mark.parametrize("value", [1, "ab", None, {"a": 1}], ids=repr)
def test_not_a_list(where, value):
    assert refused(changed(*where, to=value)) == f"{place(where)}: expected a list, got {value!r}"


EMPTY = {
    "layers: must not be empty": ("layers",),
    "layers[0].latency_s[0]: 5 numbers are not 0, one per satellite": ("satellites",),
    "layers[0].weights: must not be empty": ("layers", 0, "weights"),
    "layers[1].latency_s: shape (2, 5) is not (0, 5)": ("layers", 0, "latency_s"),
    "layers[0].latency_s[1]: 0 numbers are not 5, one per satellite": ("layers", 0, "latency_s", 1),
}


@pytest.mark.parametrize("message", EMPTY)
def test_empty(message):
    assert refused(changed(*EMPTY[message], to=[])).startswith(message)


def test_nothing_at_all():
    data = changed("satellites", to=[])
    for layer in data["layers"]:
        layer["latency_s"] = [[], []]
    assert refused(data) == "satellites: must not be empty"


def test_as_many_slots_in_every_layer():
    text = refused(changed("layers", 1, "latency_s", to=[[1, 2, 3, 4, 5]]))
    assert (
        text == "layers[1].latency_s: shape (1, 5) is not (2, 5), the slots of layers[0] and the satellites"
    )


IDS = {
    "satellites[2]: 'a' is satellites[0] too": "a",
    "satellites[2]: must not be empty": "",
    "satellites[2]: '\\ud800' is not valid Unicode": "\ud800",
}


@pytest.mark.parametrize("message", IDS)
def test_ids(message):
    assert refused(changed("satellites", 2, to=IDS[message])) == message


def test_any_other_text_is_an_id():
    for name in ("shell/3/7", "é", "a b", "\x1b[2J", "x" * 5000, "0"):
        problem = moe.problem_from_dict(changed("satellites", 0, to=name))
        assert problem.satellites[0] == name
        assert moe.solve(problem).status == "optimal"


@pytest.mark.parametrize("where", [(), ("layers", 0)], ids=place)
def test_unknown_and_missing_keys(where):
    data = good()
    inner = data if not where else data["layers"][0]
    for key in list(inner):
        held = inner.pop(key)
        if key in ("unreachable_s", "base_s"):
            moe.problem_from_dict(data)
        else:
            assert f"missing required key {key!r}" in refused(data)
        inner[key] = held
    text = refused(changed(*where, "latency", to=1))
    assert text.startswith(f"{place(where) or 'problem'}: unknown key 'latency'; did you mean 'latency_")


def test_header():
    assert refused({}) == "problem of experts: missing required key 'format'"
    plan = refused(changed("format", to="constellm.moe-plan"))
    assert plan.endswith(": this is a plan of experts, not a problem of experts")
    for value in ("constellm.split-problem", "", None, 1, [], {}):
        assert refused(changed("format", to=value)).startswith(f"format: {value!r} is not ")
    for value in (2, 0, "1", 1.0, True, None):
        assert refused(changed("version", to=value)) == f"version: {value!r} is not 1"


def test_truncated_anywhere():
    text = json.dumps(good())
    for end in range(0, len(text), 3):
        with pytest.raises(ValueError):
            parse_json(text[:end])


# ---- values from Python ----------------------------------------------------------------------

LAYER = moe.Layer([0.5, 0.3], [[0.1, 0.2, 0.3]])
CALLS = {
    "weights: shape (1, 1) is not (experts,)": lambda: moe.Layer([[1]], [[1]]),
    "weights: must not be empty": lambda: moe.Layer([], [[1]]),
    "weights: expected numbers, got masked ones": lambda: moe.Layer(np.ma.array([1, 2], mask=[0, 1]), [[1]]),
    "layers[0]: expected a value, got an instance that __new__ made without __init__": (
        lambda: moe.Problem([moe.Layer.__new__(moe.Layer)], 1)
    ),
    "problem: expected a value, got an instance that __new__ made without __init__": (
        lambda: moe.solve(moe.Problem.__new__(moe.Problem))
    ),
    "placement: expected a value, got an instance that __new__ made without __init__": (
        lambda: moe.evaluate(moe.Problem([LAYER], 1), moe.Plan.__new__(moe.Plan))
    ),
    "latency_s: shape (1,) is not (slots, satellites)": lambda: moe.Layer([1], [1]),
    "latency_s: rows of different lengths": lambda: moe.Layer([1], [[1], [2, 3]]),
    "weights: expected numbers, got [1, 'x']": lambda: moe.Layer([1, "x"], [[1]]),
    "weights: expected numbers, got [True]": lambda: moe.Layer([True], [[1]]),
    "weights: expected numbers, got [1j]": lambda: moe.Layer([1j], [[1]]),
    "latency_s: expected numbers, got [[None]]": lambda: moe.Layer([1], [[None]]),
    "base_s: -1 is not in [0, inf)": lambda: moe.Layer([1], [[1]], -1),
    "base_s: expected a number, got '1'": lambda: moe.Layer([1], [[1]], "1"),
    "layers: expected a sequence of Layer, got Layer(": lambda: moe.Problem(LAYER, 1),
    "layers: expected a sequence of Layer, got 5": lambda: moe.Problem(5, 1),
    "layers[1]: expected a Layer, got 5": lambda: moe.Problem([LAYER, 5], 1),
    "layers: must not be empty": lambda: moe.Problem([], 1),
    "satellites: expected a sequence of ids, got 'abc'": lambda: moe.Problem([LAYER], 1, "abc"),
    "satellites: expected a sequence of ids, got 5": lambda: moe.Problem([LAYER], 1, 5),
    "satellites[1]: expected a str, got 2": lambda: moe.Problem([LAYER], 1, ["a", 2, "c"]),
    "layers[0].latency_s: shape (1, 3) is not (1, 2), the": lambda: moe.Problem([LAYER], 1, ["a", "b"]),
    "unreachable_s: -1 is not in [0, inf)": lambda: moe.Problem([LAYER], 1, None, -1),
    "unreachable_s: expected a number, got '1'": lambda: moe.Problem([LAYER], 1, None, "1"),
    "name: expected text, got 5": lambda: moe.Problem([LAYER], 1, name=5),
    "top_k: 3 is not in [1, 2], the number of": lambda: moe.Problem([LAYER], 3),
    "problem: expected a Problem, got 5": lambda: moe.solve(5),
    "method: 'optimum' is not one of optimal, exchange, sorted; did you mean 'optimal'?": (
        lambda: moe.solve(moe.Problem([LAYER], 1), method="optimum")
    ),
    "method: ['optimal'] is not one of": lambda: moe.solve(moe.Problem([LAYER], 1), method=["optimal"]),
    "time_limit_s: -1 is not in [0, inf]": lambda: moe.solve(moe.Problem([LAYER], 1), time_limit_s=-1),
    "time_limit_s: nan is not in [0, inf]": lambda: moe.solve(moe.Problem([LAYER], 1), time_limit_s=math.nan),
    "time_limit_s: expected a number, got '1'": lambda: moe.solve(moe.Problem([LAYER], 1), time_limit_s="1"),
}


@pytest.mark.parametrize("message", CALLS)
def test_wrong_calls(message):
    with pytest.raises((ValueError, TypeError)) as caught:
        CALLS[message]()
    assert str(caught.value).startswith(message), caught.value


PLACEMENTS = {
    "placement: expected a sequence of layers, got 'ab'": "ab",
    "placement: expected a sequence of layers, got 5": 5,
    "placement: has 2 layers, the problem 1": [[0, 1], [2]],
    "placement: has 0 layers, the problem 1": [],
    "placement[0]: expected a sequence of satellites, got 's0'": ["s0"],
    "placement[0]: expected a sequence of satellites, got 5": [5],
    "placement[0]: has 1 satellites for 2 experts": [[0]],
    "placement[0]: has 3 satellites for 2 experts": [[0, 1, 2]],
    "placement[0][1]: 3 is not in [0, 2]": [[0, 3]],
    "placement[0][1]: -1 is not in [0, 2]": [[0, -1]],
    "placement[0][1]: expected an integer, got 1.0": [[0, 1.0]],
    "placement[0][1]: expected an integer, got True": [[0, True]],
    "placement[0][1]: expected an integer, got None": [[0, None]],
    "placement[0][1]: 's3' is not one of the problem's satellites": [["s0", "s3"]],
    "placement[0][1]: 's1' hosts expert 0 of layer 0 already": [[1, "s1"]],
}


@pytest.mark.parametrize("message", PLACEMENTS)
def test_wrong_placements(message):
    with pytest.raises((ValueError, TypeError)) as caught:
        moe.evaluate(moe.Problem([LAYER], 1), PLACEMENTS[message])
    assert str(caught.value) == message


def test_a_plan_without_a_placement_costs_nothing_that_can_be_said():
    plan = moe.solve(moe.Problem([moe.Layer([1, 1], [[1]])], 1))
    with pytest.raises(ValueError, match="^placement: has 0 layers, the problem 1$"):
        moe.evaluate(plan.problem, plan)


def test_a_slip_in_a_keyword():
    with pytest.raises(TypeError, match="did you mean 'top_k'"):
        moe.Problem([LAYER], topk=1)
    with pytest.raises(TypeError, match="did you mean 'unreachable_s'"):
        moe.Problem([LAYER], 1).replace(unreachable=1)
