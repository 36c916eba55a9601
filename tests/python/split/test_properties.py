"""Properties of any problem, tried on many: better means never worsen, names and order mean nothing."""

from __future__ import annotations

import copy
import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import split
from oracles import evaluator
from oracles.random_problems import random_graph, random_problem

ROUNDING = 1e-9
SEEDS = st.integers(0, 10**6)


def solved(data):
    return split.solve(split.problem_from_dict(data))


def value(data) -> float:
    """The optimum of the objective; infinite where there is no plan."""
    plan = solved(data)
    if plan.status == "infeasible":
        return math.inf
    assert plan.status == "optimal"
    return plan.bottleneck_s if data.get("objective") == "throughput" else plan.delay_s


def same(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=ROUNDING, abs_tol=1e-300)


def no_worse(a: float, b: float) -> bool:
    return a <= b or same(a, b)


def without_energy_limit(data: dict) -> dict:
    return {**data, "limits": {k: v for k, v in data["limits"].items() if k != "max_energy_j"}}


# ---- better means never make a plan worse ----------------------------------------------------


@given(SEEDS, st.floats(1, 100), st.data())
def test_more_of_a_resource_never_hurts(seed, factor, draw):
    before = random_problem(seed)
    after = copy.deepcopy(before)
    kinds = ["memory"] + (["rate", "latency", "overhead"] if before["links"] else [])
    kind = draw.draw(st.sampled_from(kinds))
    if kind == "memory":
        draw.draw(st.sampled_from(after["nodes"]))["memory_bytes"] *= factor
    else:
        link = draw.draw(st.sampled_from(after["links"]))
        if kind == "rate":
            link["rate_bps"] *= factor
        elif kind == "latency":
            link["latency_s"] /= factor
        else:
            link["overhead_s"] = link.get("overhead_s", 0.0) / factor
    assert no_worse(value(after), value(before))


@given(SEEDS, st.floats(1, 100), st.data())
def test_a_faster_node_never_hurts(seed, factor, draw):
    before = random_problem(seed)
    after = copy.deepcopy(before)
    node = draw.draw(st.sampled_from(after["nodes"]))
    node["flop_per_s"] *= factor
    if node.get("layer_time_s"):
        node["layer_time_s"] = [t / factor for t in node["layer_time_s"]]
    node["overhead_s"] = node.get("overhead_s", 0.0) / factor
    node["codec_time_scale"] = node.get("codec_time_scale", 1.0) / factor
    assert no_worse(value(after), value(before))


@given(SEEDS, st.sampled_from(["max_error", "max_energy_j"]), st.floats(1, 10) | st.none())
def test_a_looser_limit_never_hurts(seed, limit, factor):
    before = random_problem(seed)
    if before["limits"].get(limit) is None:
        return
    after = copy.deepcopy(before)
    after["limits"][limit] = None if factor is None else before["limits"][limit] * factor
    assert no_worse(value(after), value(before))


@given(SEEDS, st.floats(0.5, 20), st.floats(0, 0.05))
def test_another_codec_never_hurts(seed, ratio, error):
    before = random_problem(seed)
    after = {**before, "codecs": [*before["codecs"], {"name": "more", "ratio": ratio, "error": error}]}
    assert no_worse(value(after), value(before))


@given(SEEDS, st.data())
def test_another_link_never_hurts(seed, draw):
    before = random_problem(seed)
    ids = [node["id"] for node in before["nodes"]]
    taken = {(link["from"], link["to"]) for link in before["links"]}
    free = [(a, b) for a in ids for b in ids if a != b and (a, b) not in taken]
    if not free:
        return
    a, b = draw.draw(st.sampled_from(free))
    link = {"from": a, "to": b, "rate_bps": draw.draw(st.floats(1e6, 1e10)), "latency_s": 0.01}
    assert no_worse(value({**before, "links": [*before["links"], link]}), value(before))


@given(SEEDS, st.integers(1, 60))
def test_more_micro_batches_take_longer(seed, more):
    """Without an energy limit, which is over all of them."""
    before = {**without_energy_limit(random_problem(seed)), "objective": "delay"}
    after = {**before, "micro_batches": before["micro_batches"] + more}
    assert no_worse(value(before), value(after))


@given(SEEDS)
def test_throughput_and_delay_bound_each_other(seed):
    data = random_problem(seed)
    fast, narrow = solved({**data, "objective": "delay"}), solved({**data, "objective": "throughput"})
    assert fast.status == narrow.status
    if fast.path:
        assert no_worse(fast.delay_s, narrow.delay_s)
        assert no_worse(narrow.bottleneck_s, fast.bottleneck_s)


# ---- names, order and units mean nothing -----------------------------------------------------


@given(SEEDS, st.randoms(use_true_random=False))
def test_relabelling_and_reordering_change_nothing(seed, rng: random.Random):
    before = random_problem(seed)
    after = json.loads(json.dumps(before))
    new = [f"x{i}" for i in range(len(after["nodes"]))]
    rng.shuffle(new)
    names = {node["id"]: name for node, name in zip(after["nodes"], new)}
    for node in after["nodes"]:
        node["id"] = names[node["id"]]
    for link in after["links"]:
        link["from"], link["to"] = names[link["from"]], names[link["to"]]
    after["source"], after["sink"] = names[after["source"]], names[after["sink"]]
    for i, codec in enumerate(after["codecs"]):
        codec["name"] = f"y{-i}"
    for layer in after["layers"]:
        layer["name"] = "same"
    for key in ("nodes", "links", "codecs"):
        rng.shuffle(after[key])
    assert same(value(after), value(before))


@given(SEEDS, st.sampled_from([2.0**-20, 0.125, 3.0, 1000.0]))
def test_times_scale(seed, factor):
    before = random_problem(seed)
    after = copy.deepcopy(before)
    for node in after["nodes"]:
        node["flop_per_s"] /= factor
        node["overhead_s"] = node.get("overhead_s", 0.0) * factor
        node["codec_time_scale"] = node.get("codec_time_scale", 1.0) * factor
        if node.get("layer_time_s"):
            node["layer_time_s"] = [t * factor for t in node["layer_time_s"]]
    for link in after["links"]:
        link["rate_bps"] /= factor
        link["latency_s"] *= factor
        link["overhead_s"] = link.get("overhead_s", 0.0) * factor
    # A limit that is some plan's own energy could fall either way in another order of sums.
    before, after = without_energy_limit(before), without_energy_limit(after)
    assert same(value(after), value(before) * factor)


@given(SEEDS)
def test_a_copy_of_a_codec_or_a_dead_end_changes_nothing(seed):
    before = random_problem(seed)
    after = copy.deepcopy(before)
    after["codecs"].append({**after["codecs"][0], "name": "twin"})
    dead_end = {"id": "dead-end", "flop_per_s": 1e15, "memory_bytes": 1e15}
    after["nodes"].append(dead_end)
    after["links"].append({"from": before["source"], "to": "dead-end", "rate_bps": 1e12, "latency_s": 0.0})
    assert same(value(after), value(before))


# ---- closed forms ----------------------------------------------------------------------------


@given(SEEDS)
def test_one_node_is_the_sum_of_its_layers(seed):
    data = random_problem(seed)
    node = {**data["nodes"][0], "memory_bytes": 1e12}
    data.update(nodes=[node], links=[], source=node["id"], sink=node["id"], limits={})
    if node["flop_per_s"] == 0 and not node.get("layer_time_s"):
        assert value(data) == math.inf
        return
    seconds = node.get("overhead_s", 0.0) + math.fsum(
        evaluator.layer_time_s(data, node, layer) for layer in range(len(data["layers"]))
    )
    plan = solved(data)
    assert same(plan.bottleneck_s, seconds)
    assert same(plan.delay_s, data["micro_batches"] * seconds)
    assert plan.error == plan.bytes == 0.0


@given(SEEDS)
def test_one_micro_batch_takes_the_sum(seed):
    plan = solved({**random_problem(seed), "micro_batches": 1, "objective": "delay", "limits": {}})
    if plan.path:
        terms = split.evaluate(plan.problem, plan)
        total = math.fsum(stage.time_s for stage in terms.stages)
        total += math.fsum(hop.time_s + hop.latency_s for hop in terms.hops)
        assert same(plan.delay_s, total)


@given(SEEDS)
def test_delay_is_bounded_by_its_parts(seed):
    plan = solved(random_problem(seed))
    if plan.path:
        count = plan.problem.micro_batches
        assert plan.delay_s >= count * plan.bottleneck_s * (1 - ROUNDING)


@given(SEEDS)
def test_the_optimum_is_what_the_limits_leave(seed):
    """Limits that the optimum without limits keeps do not change it."""
    data = random_problem(seed)
    free = solved({**data, "limits": {"error_rule": data["limits"].get("error_rule", "sum")}})
    if not free.path:
        assert value(data) == math.inf
        return
    limits = {**data["limits"], "max_error": free.error, "max_energy_j": free.energy_j}
    again = solved({**data, "limits": limits})
    assert again.status == "optimal"
    assert same(again.delay_s, free.delay_s)


# ---- larger ones, where the search does its real work ----------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_larger_graphs_keep_the_properties(seed):
    data = random_graph(seed, layers=20, nodes=10, codecs=6, micro_batches=8, max_error=0.1)
    data["limits"]["max_energy_j"] = None
    base = value(data)
    assert math.isfinite(base)
    turned = copy.deepcopy(data)
    for key in ("nodes", "links", "codecs"):
        turned[key].reverse()
    assert same(value(turned), base)
    wider = copy.deepcopy(data)
    for link in wider["links"]:
        link["rate_bps"] *= 2
    assert no_worse(value(wider), base)
    assert no_worse(value({**data, "limits": {**data["limits"], "max_error": 0.2}}), base)
    assert no_worse(
        value({**data, "codecs": [*data["codecs"], {"name": "more", "ratio": 9, "error": 0.01}]}), base
    )
    for options in ({"unroll": False}, {"intervals": False}, {"resource_bound": False}):
        assert same(split.solve(split.problem_from_dict(data), **options).delay_s, base)
