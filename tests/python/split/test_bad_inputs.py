"""Bad files and values: every one is refused with one line that names the field. What it says is asserted."""

from __future__ import annotations

import copy
import json
import math

import pytest

from constellm import split
from constellm.codec import Codec
from constellm.core.files import parse_json
from constellm.model import Layer
from constellm.network import Link, Node


def good() -> dict:
    """A small problem with every key of the format in it."""
    return {
        "format": "constellm.split-problem",
        "version": 1,
        "name": "good",
        "layers": [
            {"name": "l0", "flop": 1e9, "memory_bytes": 10, "output_bytes": 1e6, "error_gain": 1.5},
            {"name": "l1", "flop": 2e9, "memory_bytes": 20, "output_bytes": 1e3},
        ],
        "input_bytes": 1e6,
        "nodes": [
            {"id": "a", "flop_per_s": 1e9, "memory_bytes": 100, "power_w": 5, "tx_power_w": 1,
             "overhead_s": 0.1, "codec_time_scale": 2, "layer_time_s": None, "group": None},
            {"id": "b", "flop_per_s": 0, "memory_bytes": 100, "layer_time_s": [1.0, 2.0], "group": "g"},
        ],
        "links": [
            {"from": "a", "to": "b", "rate_bps": 1e6, "latency_s": 0.01, "overhead_s": 0.0, "group": "isl"}
        ],
        "source": "a",
        "sink": "b",
        "micro_batches": 4,
        "codecs": [
            {"name": "none", "ratio": 1, "error": 0},
            {"name": "half", "ratio": 2, "error": 0.1, "encode_s_per_byte": 1e-9, "decode_s_per_byte": 1e-9,
             "layer_ratio": [2, 3], "layer_error": [0.1, 0.2]},
        ],
        "limits": {"max_error": 0.5, "max_energy_j": 1e6, "error_rule": "sum"},
        "objective": "delay",
        "meta": {"anything": [1, {"goes": None}]},
    }  # fmt: skip


def changed(*where, to) -> dict:
    """`good()` with the value at a place put to something else."""
    data = good()
    inner = data
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = to
    return data


def refused(data) -> str:
    with pytest.raises((ValueError, TypeError)) as caught:
        split.problem_from_dict(data)
    text = str(caught.value)
    assert text and "\n" not in text, text
    return text


def place(where) -> str:
    """How a message names a place: `layers[0].flop` and `layers[0]: flop` are both fine."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in where).lstrip(".")


def names(text: str, where) -> bool:
    return text.replace("]: ", "].").replace("limits.", "").startswith(place(where).replace("limits.", ""))


def test_the_good_problem_is_good():
    assert split.solve(split.problem_from_dict(good())).status == "optimal"


# ---- numbers ---------------------------------------------------------------------------------

NUMBERS = [
    *(("layers", 0, key) for key in ("flop", "memory_bytes", "output_bytes", "error_gain")),
    ("input_bytes",),
    *(
        ("nodes", 0, key)
        for key in ("flop_per_s", "memory_bytes", "power_w", "tx_power_w", "overhead_s", "codec_time_scale")
    ),
    ("nodes", 1, "layer_time_s", 1),
    *(("links", 0, key) for key in ("rate_bps", "latency_s", "overhead_s")),
    *(("codecs", 1, key) for key in ("ratio", "error", "encode_s_per_byte", "decode_s_per_byte")),
    ("codecs", 1, "layer_ratio", 0),
    ("codecs", 1, "layer_error", 0),
    ("limits", "max_error"),
    ("limits", "max_energy_j"),
]
PER_LAYER = [("nodes", 1, "layer_time_s"), ("codecs", 1, "layer_ratio"), ("codecs", 1, "layer_error")]
POSITIVE = {"rate_bps", "ratio", "layer_ratio"}


@pytest.mark.parametrize("where", NUMBERS, ids=place)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, -1e-300], ids=repr)
def test_number_out_of_range(where, value):
    text = refused(changed(*where, to=value))
    assert names(text, where), text
    assert "is not in" in text and str(value).removesuffix(".0") in text, text


@pytest.mark.parametrize("where", NUMBERS, ids=place)
@pytest.mark.parametrize("value", [True, "1", [1], {}, 1j], ids=repr)
def test_not_a_number(where, value):
    text = refused(changed(*where, to=value))
    assert names(text, where), text
    assert "expected" in text, text


@pytest.mark.parametrize("where", NUMBERS, ids=place)
def test_zero(where):
    data = changed(*where, to=0)
    if POSITIVE & set(where):
        assert "0 is not in (0, inf)" in refused(data)
    else:
        split.problem_from_dict(data)


@pytest.mark.parametrize("where", NUMBERS, ids=place)
def test_null(where):
    data = changed(*where, to=None)
    if where[0] == "limits":  # no limit
        assert getattr(split.problem_from_dict(data), where[1]) is None
    else:
        assert names(refused(data), where)


@pytest.mark.parametrize("where", NUMBERS, ids=place)
def test_huge_number_never_overflows(where):
    """Either refused in words, or every figure of the answer stays finite."""
    for value in (1e308, 10**400):
        try:
            problem = split.problem_from_dict(changed(*where, to=value))
        except (ValueError, TypeError) as error:
            assert names(str(error), where) or "could add up to more than 1e300" in str(error)
            continue
        assert value == 1e308
        plan = split.solve(problem)
        assert plan.status in ("optimal", "infeasible")
        if plan.path:
            assert split.check(problem, plan) == []
            assert math.isfinite(plan.delay_s + plan.energy_j + plan.bytes + plan.error)


@pytest.mark.parametrize("value", [0, -1, 2**53 + 1, 2**70])
def test_micro_batches_out_of_range(value):
    text = refused(changed("micro_batches", to=value))
    assert text.startswith("micro_batches: ") and str(value) in text


@pytest.mark.parametrize("value", [4.0, 1.5, True, "4", None, [4]], ids=repr)
def test_micro_batches_is_an_integer(value):
    assert refused(changed("micro_batches", to=value)).startswith("micro_batches: expected an integer")


# ---- texts, lists and objects ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a b", "ü", "a/b", "x" * 101, "a\t", "../up"], ids=repr)
def test_name_out_of_its_letters(name):
    assert refused(changed("name", to=name)).startswith("name: ")


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "x" * 100, "..", "-"])
def test_name_within_its_letters(name):
    assert split.problem_from_dict(changed("name", to=name)).name == name


TEXTS = [
    ("name",), ("source",), ("sink",), ("objective",), ("limits", "error_rule"), ("layers", 0, "name"),
    ("nodes", 0, "id"), ("links", 0, "from"), ("links", 0, "to"), ("codecs", 0, "name"),
]  # fmt: skip


@pytest.mark.parametrize("where", TEXTS, ids=place)
@pytest.mark.parametrize("value", [1, None, True, ["a"], {"a": 1}], ids=repr)
def test_not_a_text(where, value):
    assert names(refused(changed(*where, to=value)), where)


@pytest.mark.parametrize("where", [("nodes", 1, "group"), ("links", 0, "group")], ids=place)
def test_group_is_a_text(where):
    assert names(refused(changed(*where, to=7)), where)


@pytest.mark.parametrize("key", ["layers", "nodes", "links", "codecs"])
@pytest.mark.parametrize("value", [None, {}, "ab", 3, {"0": {}}], ids=repr)
def test_not_a_list(key, value):
    assert refused(changed(key, to=value)).startswith(f"{key}: expected a list")


@pytest.mark.parametrize("key", ["layers", "nodes", "links", "codecs"])
@pytest.mark.parametrize("value", [None, [], "ab", 3], ids=repr)
def test_entry_is_not_an_object(key, value):
    assert refused(changed(key, 0, to=value)).startswith(f"{key}[0]: expected an object")


@pytest.mark.parametrize("key", ["limits", "meta"])
@pytest.mark.parametrize("value", [None, [], "ab", 3], ids=repr)
def test_not_an_object(key, value):
    assert refused(changed(key, to=value)).startswith(f"{key}: expected an object")


@pytest.mark.parametrize("key", ["layers", "nodes", "codecs"])
def test_empty_list(key):
    assert refused(changed(key, to=[])).startswith(f"{key}: at least one is needed")


@pytest.mark.parametrize(
    "where",
    [("nodes", 1, "layer_time_s"), ("codecs", 1, "layer_ratio"), ("codecs", 1, "layer_error")],
    ids=place,
)
@pytest.mark.parametrize("value", [[], [1.0], [1.0, 2.0, 3.0]], ids=repr)
def test_list_of_another_length_than_the_layers(where, value):
    text = refused(changed(*where, to=value))
    assert names(text, where) and f"{len(value)} entries for 2 layers" in text


@pytest.mark.parametrize(
    "where",
    [("nodes", 1, "layer_time_s"), ("codecs", 1, "layer_ratio"), ("codecs", 1, "layer_error")],
    ids=place,
)
@pytest.mark.parametrize("value", ["12", 3, {}, True, [[1], [2]]], ids=repr)
def test_not_a_list_of_numbers(where, value):
    assert names(refused(changed(*where, to=value)), where)


# ---- keys ------------------------------------------------------------------------------------

LEVELS = [(), ("layers", 0), ("nodes", 1), ("links", 0), ("codecs", 1), ("limits",)]
OPTIONAL = {
    (): {"limits", "objective", "meta"},
    ("layers", 0): {"error_gain"},
    ("nodes", 1): {"power_w", "tx_power_w", "overhead_s", "codec_time_scale", "layer_time_s", "group"},
    ("links", 0): {"overhead_s", "group"},
    ("codecs", 1): {"encode_s_per_byte", "decode_s_per_byte", "layer_ratio", "layer_error"},
    ("limits",): {"max_error", "max_energy_j", "error_rule"},
}


def level(data, where):
    for key in where:
        data = data[key]
    return data


@pytest.mark.parametrize("where", LEVELS, ids=lambda w: place(w) or "top")
@pytest.mark.parametrize("key", ["extra", "Flop", "from_", "meta ", ""], ids=repr)
def test_unknown_key(where, key):
    data = good()
    level(data, where)[key] = 1
    text = refused(data)
    assert repr(key) in text and "unknown" in text, text
    assert names(text, where)


@pytest.mark.parametrize("where", LEVELS, ids=lambda w: place(w) or "top")
def test_missing_key(where):
    for key in list(level(good(), where)):
        data = good()
        del level(data, where)[key]
        if key in OPTIONAL[where]:
            split.problem_from_dict(data)
        else:
            text = refused(data)
            assert repr(key) in text and "missing" in text, text
            assert names(text, where)


def test_meta_is_for_the_top_level_only():
    for where in LEVELS[1:]:
        data = good()
        level(data, where)["meta"] = {}
        assert "'meta'" in refused(data)


@pytest.mark.parametrize(
    "value", ["constellm.split-plan", "", None, 1, ["constellm.split-problem"]], ids=repr
)
def test_format(value):
    assert refused(changed("format", to=value)).startswith("format: ")


@pytest.mark.parametrize("value", [0, 2, "1", 1.0, True, None], ids=repr)
def test_version(value):
    assert refused(changed("version", to=value)).startswith("version: ")


# ---- things that do not fit each other -------------------------------------------------------


def twice(key, **update) -> dict:
    data = good()
    data[key].append({**copy.deepcopy(data[key][0]), **update})
    return data


def test_duplicates_and_strangers():
    assert refused(twice("nodes")) == "nodes[2].id: 'a' is used by another node"
    assert refused(twice("codecs")) == "codecs[2].name: 'none' is used by another codec"
    assert refused(twice("links", rate_bps=5.0)) == "links[1]: a second link from 'a' to 'b'"
    assert refused(changed("links", 0, "to", to="a")) == "links[0]: to: a link from 'a' to itself"
    assert refused(changed("links", 0, "to", to="z")) == "links[0].to: no node has id 'z'"
    assert refused(changed("links", 0, "from", to="z")) == "links[0].from: no node has id 'z'"
    assert refused(changed("source", to="z")) == "source: no node has id 'z'"
    assert refused(changed("sink", to="z")) == "sink: no node has id 'z'"
    assert refused(changed("objective", to="fastest")).startswith("objective: ")
    assert refused(changed("limits", "error_rule", to="max")).startswith("error_rule: ")


def test_layers_may_share_a_name_and_links_may_come_back():
    data = changed("layers", 1, "name", to="l0")
    data["links"].append({"from": "b", "to": "a", "rate_bps": 1e6, "latency_s": 0.0})
    assert split.solve(split.problem_from_dict(data)).status == "optimal"


# ---- values made in Python -------------------------------------------------------------------

VALUES = [
    (Layer, {"name": "l", "flop": 1.0, "memory_bytes": 1.0, "output_bytes": 1.0}),
    (Node, {"id": "a", "flop_per_s": 1.0, "memory_bytes": 1.0}),
    (Link, {"from": "a", "to": "b", "rate_bps": 1.0, "latency_s": 0.0}),
    (Codec, {"name": "c", "ratio": 1.0, "error": 0.0}),
]


@pytest.mark.parametrize(("kind", "fields"), VALUES, ids=lambda x: getattr(x, "__name__", ""))
def test_values_check_themselves(kind, fields):
    value = kind(**fields)
    with pytest.raises(TypeError, match="unknown.*'extra'"):
        kind(**fields, extra=1)
    for key, given in fields.items():
        rest = {k: v for k, v in fields.items() if k != key}
        with pytest.raises(TypeError, match=f"missing.*'{key}'"):
            kind(**rest)
        wrong = 5 if isinstance(given, str) else "5"
        with pytest.raises(TypeError, match=f"^{key}: expected"):
            kind(**{**fields, key: wrong})
        with pytest.raises(TypeError, match=f"^{key}: expected"):
            value.replace(**{key: wrong})
    with pytest.raises(TypeError):
        kind(*fields.values())
    with pytest.raises(AttributeError):
        setattr(value, next(iter(fields)).replace("from", "from_"), 1)


# ---- the corpus of files ---------------------------------------------------------------------

# What the one line of each file in tests/data/bad must say.
CORPUS = {
    "array.json": "file: expected an object",
    "bad-escape.json": "escape",
    "big-integer.json": "input_bytes: ",
    "boolean-for-number.json": "layers[0]: flop: expected a number, got bool",
    "broken.json": "Expecting",
    "comment.json": "Expecting",
    "duplicate-codec.json": "codecs[1].name: 'none' is used by another codec",
    "duplicate-key-deep.json": "key 'flop' stands twice",
    "duplicate-key.json": "key 'name' stands twice",
    "duplicate-link.json": "links[1]: a second link from 'a' to 'b'",
    "duplicate-node.json": "nodes[1].id: 'a' is used by another node",
    "empty-codecs.json": "codecs: at least one is needed",
    "empty-layers.json": "layers: at least one is needed",
    "empty-nodes.json": "nodes: at least one is needed",
    "empty-object.json": "missing required key 'format'",
    "empty.json": "Expecting value",
    "float-micro-batches.json": "micro_batches: expected an integer",
    "huge.json": "could add up to more than 1e300",
    "infinity.json": "Infinity is not a finite number",
    "list-for-object.json": "limits: expected an object",
    "nan.json": "NaN is not a finite number",
    "negative.json": "nodes[0]: memory_bytes: -1 is not in [0, inf)",
    "null.json": "file: expected an object",
    "not-utf-8.json": "utf-8",
    "overflow.json": "1e999 is not a finite number",
    "plan.json": "this is a plan, not a problem",
    "self-loop.json": "a link from 'a' to itself",
    "string-for-number.json": "nodes[0]: flop_per_s: expected a number",
    "trailing.json": "Extra data",
    "truncated.json": "Expecting",
    "unknown-key.json": "nodes[0]: ",
    "unknown-source.json": "source: no node has id 'z'",
    "utf-16.json": "utf-8",
    "version.json": "version: 2 is not 1",
}


@pytest.fixture(scope="session")
def corpus(repository):
    return repository / "tests" / "data" / "bad"


def test_corpus_is_whole(corpus):
    assert sorted(file.name for file in corpus.glob("*.json")) == sorted(CORPUS)


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_corpus(corpus, name):
    with pytest.raises((ValueError, TypeError)) as caught:
        split.load_problem(corpus / name)
    assert CORPUS[name] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_anywhere():
    text = json.dumps(good())
    for end in range(0, len(text), 7):
        with pytest.raises(ValueError):
            parse_json(text[:end])


def test_deep_nesting_does_not_crash():
    for deep in ('{"meta": ' + "[" * 1_000_000, '{"a": ' * 1_000_000):
        with pytest.raises(ValueError, match="nested too deeply|Expecting"):
            parse_json(deep)


def test_not_a_file(tmp_path):
    with pytest.raises(OSError):
        split.load_problem(tmp_path)
    with pytest.raises(FileNotFoundError):
        split.load_problem(tmp_path / "none.json")
