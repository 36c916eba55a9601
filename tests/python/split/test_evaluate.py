"""The evaluator and `check`: the formulas of the format, one by one, and every rule a plan can break."""

from __future__ import annotations

import copy
import json
import math

import pytest

from constellm import split
from oracles import evaluator
from oracles.enumerate import CRITERIA, enumerate_plans
from oracles.random_problems import random_problem


def problem() -> dict:
    """Three layers on a, r, b: a computes, r relays, b computes. Every number is its own."""
    return {
        "format": "constellm.split-problem",
        "version": 1,
        "name": "by-hand",
        "layers": [
            {"name": "l0", "flop": 3e9, "memory_bytes": 5, "output_bytes": 1000, "error_gain": 2},
            {"name": "l1", "flop": 5e9, "memory_bytes": 7, "output_bytes": 600, "error_gain": 3},
            {"name": "l2", "flop": 7e9, "memory_bytes": 11, "output_bytes": 50},
        ],
        "input_bytes": 2000,
        "nodes": [
            {"id": "a", "flop_per_s": 1e9, "memory_bytes": 12, "power_w": 10, "tx_power_w": 2,
             "overhead_s": 0.25, "codec_time_scale": 2},
            {"id": "r", "flop_per_s": 0, "memory_bytes": 0, "power_w": 100, "tx_power_w": 3,
             "overhead_s": 100, "codec_time_scale": 100},
            {"id": "b", "flop_per_s": 9, "memory_bytes": 18, "power_w": 20, "tx_power_w": 4,
             "overhead_s": 0.5, "codec_time_scale": 3, "layer_time_s": [1.0, 2.0, 4.0]},
        ],
        "links": [
            {"from": "a", "to": "r", "rate_bps": 1600, "latency_s": 0.125, "overhead_s": 0.0625},
            {"from": "r", "to": "b", "rate_bps": 800, "latency_s": 0.375},
            {"from": "b", "to": "a", "rate_bps": 1, "latency_s": 9.0},
        ],
        "source": "a",
        "sink": "b",
        "micro_batches": 4,
        "codecs": [
            {"name": "none", "ratio": 1, "error": 0},
            {"name": "half", "ratio": 2, "error": 0.01, "encode_s_per_byte": 1e-3, "decode_s_per_byte": 2e-3},
        ],
    }  # fmt: skip


def plan(*stages, path=("a", "r", "b"), **more) -> dict:
    """A plan file; a stage is (node, first layer, last layer, codec)."""
    keys = ("node", "first_layer", "last_layer", "codec")
    return {
        "format": "constellm.split-plan",
        "version": 1,
        "problem": "by-hand",
        "status": "feasible",
        "path": list(path),
        "stages": [dict(zip(keys, stage)) for stage in stages],
        **more,
    }


SPLIT = plan(("a", 0, 0, "half"), ("b", 1, 2, None))


def terms(data, of=SPLIT):
    return split.evaluate(split.problem_from_dict(data), of)


def faults(data, of=SPLIT):
    return split.check(split.problem_from_dict(data), of)


def test_every_term_by_hand():
    found = terms(problem())
    a, b = found.stages
    assert (a.overhead_s, a.decode_s, a.compute_s, a.encode_s) == (0.25, 0.0, 3.0, 2.0)
    assert a.time_s == 5.25
    # measured times take the place of flop / flop_per_s; decoding is scaled where it happens
    assert (b.overhead_s, b.decode_s, b.compute_s, b.encode_s) == (0.5, 6.0, 6.0, 0.0)
    assert b.time_s == 12.5
    assert [hop.bytes for hop in found.hops] == [500.0, 500.0]  # the relay forwards it as it is
    assert [hop.time_s for hop in found.hops] == [0.0625 + 2.5, 5.0]
    assert [hop.latency_s for hop in found.hops] == [0.125, 0.375]
    assert found.bottleneck_s == 12.5
    assert found.delay_s == 5.25 + 12.5 + 2.5625 + 5.0 + 0.5 + 3 * 12.5
    assert found.error == 0.02
    assert found.energy_j == 4 * (10 * 5.25 + 20 * 12.5 + 2 * 2.5625 + 3 * 5.0)
    assert found.bytes == 4 * 1000
    assert [stage.memory_bytes for stage in found.stages] == [5.0, 18.0]
    assert found.broken_limits == []


def test_before_any_layer_the_raw_input_crosses():
    found = terms(problem() | {"source": "r"}, plan(("b", 0, 2, None), path=("r", "b")))
    assert [hop.bytes for hop in found.hops] == [2000.0]
    assert found.stages[0].decode_s == 0.0  # it received no activation
    assert found.broken_limits == ["memory of 'b': 23 is over the limit of 18 bytes"]


def test_after_the_last_layer_its_output_crosses_uncompressed():
    data = problem()
    data["nodes"][0]["memory_bytes"] = 23
    found = terms(data, plan(("a", 0, 2, None)))
    assert [hop.bytes for hop in found.hops] == [50.0, 50.0]
    assert found.stages[0].encode_s == 0.0
    assert found.error == 0.0
    assert found.bytes == 4 * 100


def test_a_hop_can_be_the_bottleneck():
    data = problem()
    data["links"][1]["rate_bps"] = 100
    assert terms(data).bottleneck_s == 40.0


def test_one_micro_batch_has_no_waiting():
    found = terms(problem() | {"micro_batches": 1})
    assert found.delay_s == 5.25 + 12.5 + 2.5625 + 5.0 + 0.5


def test_layer_ratio_and_layer_error_take_the_place():
    data = problem()
    data["codecs"][1].update(layer_ratio=[4, 8, 1], layer_error=[0.5, 0.25, 9])
    assert terms(data).hops[0].bytes == 250.0
    assert terms(data).error == 0.5  # without error_gain
    data["codecs"][1]["layer_error"] = None
    assert terms(data).error == 0.02


def test_error_rules():
    data = problem()
    data["nodes"][1] = {"id": "r", "flop_per_s": 1e9, "memory_bytes": 100}
    three = plan(("a", 0, 0, "half"), ("r", 1, 1, "half"), ("b", 2, 2, None))
    assert terms(data, three).error == pytest.approx(0.02 + 0.03, rel=1e-15)
    data["limits"] = {"error_rule": "root_sum_square"}
    assert terms(data, three).error == pytest.approx(math.hypot(0.02, 0.03), rel=1e-15)


def test_defaults():
    """What a file leaves out is as if it said the default."""
    data = problem()
    for layer in data["layers"]:
        layer.pop("error_gain", None)
    for node in data["nodes"]:
        for key in ("power_w", "tx_power_w", "overhead_s", "codec_time_scale"):
            del node[key]
    for link in data["links"]:
        link.pop("overhead_s", None)
    for codec in data["codecs"]:
        for key in ("encode_s_per_byte", "decode_s_per_byte"):
            codec.pop(key, None)
    full = copy.deepcopy(data)
    for layer in full["layers"]:
        layer["error_gain"] = 1
    for node in full["nodes"]:
        node.update(power_w=0, tx_power_w=0, overhead_s=0, codec_time_scale=1, group=None)
        node.setdefault("layer_time_s", None)
    for link in full["links"]:
        link.update(overhead_s=0, group=None)
    for codec in full["codecs"]:
        codec.update(encode_s_per_byte=0, decode_s_per_byte=0, layer_ratio=None, layer_error=None)
    full.update(limits={"max_error": None, "max_energy_j": None, "error_rule": "sum"}, objective="delay")
    assert split.problem_from_dict(data) == split.problem_from_dict(full)
    assert split.problem_from_dict(data | {"limits": {}}) == split.problem_from_dict(full)
    found = terms(data)
    assert found.energy_j == 0.0 and found.error == 0.01 and found.stages[0].time_s == 3.0


# ---- limits ----------------------------------------------------------------------------------

LIMITS = {"max_error": "error", "max_energy_j": "energy_j"}


@pytest.mark.parametrize(("limit", "figure"), LIMITS.items())
@pytest.mark.parametrize("rule", ["sum", "root_sum_square"])
def test_a_plans_own_figure_as_the_limit_allows_it(limit, figure, rule):
    data = problem() | {"codecs": problem()["codecs"][1:]}
    own = getattr(terms(data), figure)
    for share, allowed in ((1, True), (1 - 5e-13, True), (1 - 1e-9, False), (1 - 2e-12, False)):
        data["limits"] = {limit: own * share, "error_rule": rule}
        assert (faults(data) == []) == allowed, share
        if limit == "max_error":  # no plan without that cut: memory asks for two hosts
            assert (split.solve(split.problem_from_dict(data)).status == "optimal") == allowed, share
    assert figure.split("_")[0] in faults(data)[0]


def test_memory_limit_has_the_same_room():
    data = problem()
    data["nodes"][2]["memory_bytes"] = 18 * (1 - 5e-13)
    assert faults(data) == []
    data["nodes"][2]["memory_bytes"] = 18 * (1 - 1e-9)
    assert faults(data)[0].startswith("memory of 'b': 18 is over the limit of 17.99")
    assert split.solve(split.problem_from_dict(data)).status == "optimal"  # layers 0 and 1 on a
    data["nodes"][0]["memory_bytes"] = 12 * (1 - 1e-9)
    assert split.solve(split.problem_from_dict(data)).status == "infeasible"


def test_limits_at_the_optimum_of_random_problems():
    """Whatever order sums are taken in, the optimum under its own error and energy is the same."""
    tried = 0
    for seed in range(150):
        data = random_problem(seed)
        best = split.solve(split.problem_from_dict(data))
        if best.status != "optimal":
            continue
        rule = data["limits"].get("error_rule", "sum")
        data["limits"] = {"max_error": best.error, "max_energy_j": best.energy_j, "error_rule": rule}
        again = split.solve(split.problem_from_dict(data))
        assert again.status == "optimal", seed
        assert again.delay_s == pytest.approx(best.delay_s, rel=1e-9, abs=1e-300), seed
        tried += 1
    assert tried > 60


def test_a_limit_of_zero_is_a_limit():
    assert "error: 0.02 is over the limit of 0" in faults(problem() | {"limits": {"max_error": 0}})[0]
    assert "energy" in faults(problem() | {"limits": {"max_energy_j": 0}})[0]


# ---- form of a plan --------------------------------------------------------------------------

BROKEN = {
    "no path": (plan(("a", 0, 2, None), path=()), "path: empty"),
    "unknown node": (plan(("a", 0, 2, None), path=("a", "z")), "path[1]: the problem has no node 'z'"),
    "unknown host": (plan(("z", 0, 2, None)), "stages[0].node: the problem has no node 'z'"),
    "unknown codec": (plan(("a", 0, 0, "zip"), ("b", 1, 2, None)),
                      "stages[0].codec: the problem has no codec 'zip'"),
    "not from the source": (plan(("b", 0, 2, None), path=("r", "b")), "path: starts at 'r'"),
    "not to the sink": (plan(("a", 0, 2, None), path=("a", "r")), "path: ends at 'r'"),
    "no link": (plan(("a", 0, 2, None), path=("a", "b")), "path: no link from 'a' to 'b'"),
    "twice": (plan(("a", 0, 2, None), path=("a", "r", "b", "a", "r", "b")), "path: visits 'a' twice"),
    "relay hosts": (plan(("r", 0, 2, None)), "stages[0]: 'r' only relays"),
    "host off the path": (plan(("b", 0, 0, "half"), ("a", 1, 2, None)),
                          "stages[1]: 'a' is not on the rest of the path"),
    "host twice": (plan(("a", 0, 0, "half"), ("a", 1, 2, None)),
                   "stages[1]: 'a' is not on the rest of the path"),
    "no layer": (plan(), "stages: cover 0 of 3 layers"),
    "layers missing at the end": (plan(("a", 0, 1, "half")), "stages: cover 2 of 3 layers"),
    "layers missing inside": (plan(("a", 0, 0, "half"), ("b", 2, 2, None)), "stages[1]: layers 2..2"),
    "layers twice": (plan(("a", 0, 1, "half"), ("b", 1, 2, None)), "stages[1]: layers 1..2"),
    "too many layers": (plan(("a", 0, 3, None)), "stages[0]: layers 0..3"),
    "empty block": (plan(("a", 0, -1, "half"), ("b", 0, 2, None)), "last_layer: -1 is not in"),
    "turned block": (plan(("a", 1, 0, "half"), ("b", 1, 2, None)), "stages[0]: layers 1..0"),
    "no codec": (plan(("a", 0, 0, None), ("b", 1, 2, None)), "stages[0]: no codec"),
    "codec at the end": (plan(("a", 0, 0, "half"), ("b", 1, 2, "half")),
                         "stages[1]: a codec after the last layer"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_form(name):
    wrong, expected = BROKEN[name]
    made = split.problem_from_dict(problem())
    with pytest.raises(ValueError) as caught:
        split.evaluate(made, wrong)
    assert expected in str(caught.value)
    try:
        found = split.check(made, wrong)
    except ValueError as error:
        found = [str(error)]
    assert any(expected in fault for fault in found), found


def test_no_compression_only_where_it_is_listed():
    data = problem()
    data["codecs"] = data["codecs"][1:]
    with pytest.raises(ValueError, match="no codec 'none'"):
        terms(data, plan(("a", 0, 0, "none"), ("b", 1, 2, None)))
    assert split.solve(split.problem_from_dict(data)).error > 0


def test_all_faults_are_listed():
    data = problem() | {"limits": {"max_error": 0.001, "max_energy_j": 1}}
    data["nodes"][0]["memory_bytes"] = data["nodes"][2]["memory_bytes"] = 1
    found = faults(data)
    assert [fault.split(":")[0] for fault in found] == ["memory of 'a'", "memory of 'b'", "error", "energy"]
    found = faults(problem(), plan(("r", 0, 1, "half"), path=("r", "a")))
    assert len(found) >= 4
    found = faults(problem(), plan(("a", 1, 0, "half"), ("b", 0, 5, None), ("r", 2, 2, None)))
    assert found == [
        "stages[0]: layers 1..0, expected to start at 0 and end in [0, 2]",
        "stages[1]: layers 0..5, expected to start at 1 and end in [1, 2]",
        "stages[2]: 'r' is not on the rest of the path",
        "stages[2]: 'r' only relays",
        "stages[2]: layers 2..2, though all layers are done",
    ]


# ---- claims ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["delay_s", "bottleneck_s", "error", "energy_j", "bytes"])
def test_false_claims(key):
    true = getattr(terms(problem()), key)
    assert faults(problem(), SPLIT | {key: true}) == []
    assert faults(problem(), SPLIT | {key: true * (1 + 1e-12)}) == []
    for false in (true * (1 + 1e-8), true * (1 - 1e-8), 0, -true, true + 1):
        assert faults(problem(), SPLIT | {key: false})[0].startswith(f"{key}: claimed")


def test_false_bounds_and_statuses():
    delay = terms(problem()).delay_s
    assert faults(problem(), SPLIT | {"lower_bound_s": delay}) == []
    assert faults(problem(), SPLIT | {"lower_bound_s": delay / 2}) == []
    assert "above" in faults(problem(), SPLIT | {"lower_bound_s": delay * 1.001})[0]
    optimal = SPLIT | {"status": "optimal"}
    assert faults(problem(), optimal | {"lower_bound_s": delay * (1 - 1e-10)}) == []
    assert "gap" in faults(problem(), optimal | {"lower_bound_s": delay / 2})[0]
    for status in ("infeasible", "no_plan_found"):
        assert faults(problem(), SPLIT | {"status": status}) == [f"status: {status!r} with a plan"]
    bare = {key: value for key, value in SPLIT.items() if key not in ("path", "stages")}
    for status in ("optimal", "feasible"):
        assert faults(problem(), bare | {"status": status}) == [f"status: {status!r} without a plan"]
    for status in ("infeasible", "no_plan_found", "time_limit", "interrupted"):
        assert faults(problem(), bare | {"status": status}) == []
    assert "plan is for 'other'" in faults(problem(), SPLIT | {"problem": "other"})[0]


def test_bound_is_of_the_objective():
    data = problem() | {"objective": "throughput"}
    assert faults(data, SPLIT | {"lower_bound_s": 12.5, "status": "optimal"}) == []
    assert "bottleneck_s" in faults(data, SPLIT | {"lower_bound_s": 13.0})[0]


PLAN_FORM = {
    "format": ("constellm.split-problem", "format: "), "version": (2, "version: "),
    "problem": (3, "problem: "), "status": ("good", "status: 'good' is not one of"),
    "delay_s": ("1", "delay_s: expected a number"), "bytes": (True, "bytes: expected a number"),
    "path": ("arb", "path: expected a list"), "stages": ({}, "stages: expected a list"),
    "solver": ([], "solver: expected an object"), "extra": (1, "plan: unknown key 'extra'"),
}  # fmt: skip


@pytest.mark.parametrize("key", PLAN_FORM)
def test_plan_files_are_read_strictly(key):
    value, expected = PLAN_FORM[key]
    with pytest.raises((ValueError, TypeError)) as caught:
        faults(problem(), SPLIT | {key: value})
    assert expected in str(caught.value)


def test_plan_files_miss_nothing():
    for key in ("format", "version", "problem", "status"):
        with pytest.raises(ValueError, match=f"missing required key '{key}'"):
            faults(problem(), {k: v for k, v in SPLIT.items() if k != key})
    for key in ("path", "stages"):
        with pytest.raises(ValueError, match="path and stages"):
            faults(problem(), {k: v for k, v in SPLIT.items() if k != key})
    for key in ("node", "first_layer", "last_layer"):
        data = copy.deepcopy(SPLIT)
        del data["stages"][1][key]
        with pytest.raises(ValueError, match=rf"stages\[1\]: .*missing.*'{key}'"):
            faults(problem(), data)
    data = copy.deepcopy(SPLIT)
    data["stages"][0]["extra"] = 1
    with pytest.raises(ValueError, match=r"stages\[0\]: .*unknown.*'extra'"):
        faults(problem(), data)


def test_nothing_to_evaluate():
    made = split.problem_from_dict(problem())
    bare = {key: value for key, value in SPLIT.items() if key not in ("path", "stages")}
    with pytest.raises(ValueError, match="holds nothing to evaluate"):
        split.evaluate(made, bare | {"status": "infeasible"})


# ---- against the oracle ----------------------------------------------------------------------


def test_equals_the_oracle_on_every_kind_of_plan():
    compared = 0
    for seed in range(80):
        data = random_problem(seed)
        made = split.problem_from_dict(data)
        everything = enumerate_plans(data | {"limits": {**data["limits"], "max_error": None}})
        step = max(1, len(everything.values) // 15)
        for index in range(0, len(everything.values), step):
            chosen = everything.plan(index)
            header = {"format": "constellm.split-plan", "version": 1, "problem": data["name"]}
            found = split.evaluate(made, header | {"status": "feasible"} | chosen)
            expected = evaluator.evaluate(data, chosen)
            for figure in CRITERIA:
                assert getattr(found, figure) == pytest.approx(
                    getattr(expected, figure), rel=1e-12, abs=1e-300
                )
            broken = bool(evaluator.broken_limits(data, chosen))
            assert bool(found.broken_limits) == broken, (seed, index)
            compared += 1
    assert compared > 400


def test_flow_line_simulation_equals_the_delay():
    """Micro-batches that queue one by one at stages and links end when the formula says."""
    for seed in range(100):
        data = random_problem(seed)
        found = split.solve(split.problem_from_dict(data))
        if not found.path:
            continue
        parts = split.evaluate(found.problem, found)
        servers, stages = [], {stage.node: stage for stage in parts.stages}
        for i, node in enumerate(found.path):
            if node in stages:
                servers.append((stages[node].time_s, 0.0))
            if i < len(parts.hops):
                servers.append((parts.hops[i].time_s, parts.hops[i].latency_s))
        free = [0.0] * len(servers)
        for _ in range(data["micro_batches"]):
            now = 0.0
            for i, (busy, latency) in enumerate(servers):
                free[i] = max(now, free[i]) + busy
                now = free[i] + latency
        assert now == pytest.approx(found.delay_s, rel=1e-12)


def test_numbers_in_the_result_are_plain():
    json.dumps(terms(problem()).to_dict(), allow_nan=False)
