"""Reasons for having no plan, and how much would do, against all plans of small problems."""

from __future__ import annotations

import copy
import pickle

import pytest

from constellm import model, network, split
from constellm.cli import main
from constellm.codec import Codec
from oracles.enumerate import CRITERIA, enumerate_plans, simple_paths
from oracles.random_problems import random_problem

ERROR, ENERGY = CRITERIA.index("error"), CRITERIA.index("energy_j")
LESS = 1 - 1e-6


def changed(data, *, memory=None, **limits):
    """`data` with other limits; `memory` multiplies that of every node, infinite where it is inf."""
    new = copy.deepcopy(data)
    for node in new["nodes"]:
        if memory is not None:
            node["memory_bytes"] = min(node["memory_bytes"] * memory, 1e30) if memory < 1e30 else 1e30
    for key, value in limits.items():
        new.setdefault("limits", {})[key] = value
    return new


def least(data, column):
    values = enumerate_plans(data).values
    return float(values[:, column].min()) if len(values) else None


def least_factor(data):
    """The smallest of the largest shares of a node's memory, over plans that keep the other limits."""
    roomy = enumerate_plans(changed(data, memory=1e30))
    memory = {node["id"]: node["memory_bytes"] for node in data["nodes"]}
    factors = []
    for i in range(len(roomy.values)):
        share = 0.0
        for stage in roomy.plan(i)["stages"]:
            block = data["layers"][stage["first_layer"] : stage["last_layer"] + 1]
            need = sum(layer["memory_bytes"] for layer in block)
            if need > 0:
                share = max(share, need / memory[stage["node"]] if memory[stage["node"]] else float("inf"))
        factors.append(share)
    best = min(factors, default=float("inf"))
    return best if best < float("inf") else None


def expected(data):
    """The record by its definition; None where nothing would do."""
    limits = data.get("limits", {})
    free = changed(data, max_error=None, max_energy_j=None)
    error, energy = limits.get("max_error"), limits.get("max_energy_j")
    alone = {
        "least_error_alone": None if error is None else least(free, ERROR),
        "least_energy_alone_j": None if energy is None else least(free, ENERGY),
    }
    if not len(enumerate_plans(changed(free, memory=1e30)).values):
        return {"reason": "no_host"}
    if not len(enumerate_plans(free).values):
        reason = "memory"
    elif error is not None and alone["least_error_alone"] > error * (1 + 1e-9):
        reason = "error"
    elif energy is not None and alone["least_energy_alone_j"] > energy * (1 + 1e-9):
        reason = "energy"
    else:
        reason = "limits"
    return {
        "reason": reason,
        "least_error": None if error is None else least(changed(data, max_error=None), ERROR),
        "least_energy_j": None if energy is None else least(changed(data, max_energy_j=None), ENERGY),
        "least_memory_factor": least_factor(data),
        **alone,
    }


def infeasible_variants(seed):
    data = random_problem(seed)
    data["limits"] = {"error_rule": data.get("limits", {}).get("error_rule", "sum")}
    yield changed(data, memory=0.3)
    yield changed(data, memory=0.0)
    values = enumerate_plans(data).values
    if not len(values):
        return
    error, energy = values[:, ERROR].min(), values[:, ENERGY].min()
    yield changed(data, max_error=0.5 * error)
    yield changed(data, max_energy_j=0.5 * energy)
    yield changed(data, max_error=error, max_energy_j=energy)
    yield changed(data, max_error=0.9 * error, max_energy_j=0.9 * energy)
    yield changed(data, memory=0.3, max_error=error, max_energy_j=energy)
    yield changed(data, memory=0.5, max_error=0.5 * error)


def solved(data):
    return split.solve(split.problem_from_dict(data))


def test_what_is_said_is_so(random_problems):
    reasons = {}
    for seed in range(max(20, random_problems // 8)):
        for data in infeasible_variants(seed):
            plan = solved(data)
            if plan.status != "infeasible":
                assert plan.infeasibility is None
                continue
            found = plan.infeasibility
            assert found.stopped is None
            if not list(simple_paths(data)):
                assert found.reason == "no_route"
                continue
            for key, value in expected(data).items():
                said = getattr(found, key)
                where = f"seed {seed}: {key} of {found}, expected {value}"
                if value is None or isinstance(value, str):
                    assert said == value, where
                else:
                    assert said == pytest.approx(value, rel=1e-8, abs=1e-300), where
            reasons[found.reason] = reasons.get(found.reason, 0) + 1
            assert_enough_and_no_less(data, found)
    assert set(reasons) >= {"memory", "error", "energy", "limits"}


def assert_enough_and_no_less(data, found):
    for key, value in (("max_error", found.least_error), ("max_energy_j", found.least_energy_j)):
        if value is not None:
            assert solved(changed(data, **{key: value})).status == "optimal"
            if value > 0:
                assert solved(changed(data, **{key: value * LESS})).status == "infeasible"
    factor = found.least_memory_factor
    if factor is not None:
        assert factor > 1
        assert solved(changed(data, memory=factor)).status == "optimal"
        assert solved(changed(data, memory=factor * LESS)).status == "infeasible"


# ---- displays and files -------------------------------------------------------------------------

LAYERS = model.from_arrays(flop=[1e9] * 6, memory_bytes=[1e6] * 6, output_bytes=[1e6] * 6, input_bytes=1e6)


def chain(memory_bytes=2.5e6, flop_per_s=1e12, **more):
    nodes = network.chain(3, flop_per_s=flop_per_s, memory_bytes=memory_bytes, rate_bps=1e9, latency_s=1e-3)
    codecs = [Codec(name="half", ratio=2, error=0.1)]
    return split.Problem(model=LAYERS, network=nodes, codecs=codecs, micro_batches=4, **more)


def lonely():
    problem = chain()
    return problem.replace(links=[link for link in problem.links if link.to != problem.sink])


CASES = {
    "no_route": (lonely, "no links lead from"),
    "no_host": (lambda: chain(flop_per_s=0.0), "computes"),
    "memory": (lambda: chain(memory_bytes=1.5e6), "memory of every node times 1.334"),
    "error": (lambda: chain(max_error=0.1), "error 0.2, or memory of every node times 1.2"),
}


@pytest.mark.parametrize("reason", CASES)
def test_every_display_says_why(reason, tmp_path, capsys):
    make, words = CASES[reason]
    problem = make()
    plan = split.solve(problem)
    assert (plan.status, plan.infeasibility.reason) == ("infeasible", reason)
    assert f"infeasible ({reason})" in repr(plan)
    for text in (plan.summary(), plan._repr_html_(), str(split.compare(problem, ["optimal"]))):
        assert words in text
    split.save_problem(problem, tmp_path / "p.json")
    assert main(["split", "solve", str(tmp_path / "p.json"), "--out", str(tmp_path)]) == 0
    assert words in capsys.readouterr().out
    again = split.load_plan(tmp_path / f"{problem.name}.plan.json", problem)
    assert again.infeasibility == plan.infeasibility == pickle.loads(pickle.dumps(plan)).infeasibility
    assert (
        main(["split", "evaluate", str(tmp_path / "p.json"), str(tmp_path / f"{problem.name}.plan.json")])
        == 0
    )


def test_conflicting_limits_are_told_apart():
    """Within the energy that one node takes there is no room for the layers of the cheap one."""
    data = next(
        data
        for seed in range(60)
        for data in infeasible_variants(seed)
        if (plan := solved(data)).status == "infeasible" and plan.infeasibility.reason == "limits"
    )
    plan = solved(data)
    text = plan.summary()
    assert "every limit can be kept, but not all at once" in text
    assert "would do, the other limits kept: error " in text and ", or energy " in text


def test_a_benchmark_says_which_limits_its_plan_breaks():
    problem = chain(max_error=0.15, memory_bytes=3.5e6)
    assert split.solve(problem).status == "optimal"
    tight = problem.replace(max_energy_j=1e-9, nodes=[n.replace(power_w=5.0) for n in problem.nodes])
    plan = split.solve(tight, method="pipeedge")
    assert plan.status == "no_plan_found" and plan.infeasibility is None
    assert len(plan.broken_limits) == 1 and plan.broken_limits[0].startswith("energy: ")
    assert plan.broken_limits[0] in plan.summary() and plan.broken_limits[0] in plan._repr_html_()
    assert split.plan_from_dict(plan.to_dict(), tight).broken_limits == plan.broken_limits
    assert split.solve(lonely(), method="pipeedge").infeasibility.reason == "no_route"


def test_no_time_left_is_told():
    plan = split.solve(chain(max_error=0.1), time_limit_s=1e9)
    assert plan.infeasibility.stopped is None
    data = plan.to_dict()
    data["solver"]["infeasibility"] = {"reason": "unknown", "stopped": "time_limit"}
    text = split.plan_from_dict(data, plan.problem).summary()
    assert "why was not worked out" in text and "not all was worked out: time limit" in text
    for wrong in (
        {"reason": "moon"},
        {"reason": "memory", "phase": 1},
        {"reason": "error", "least_error": -1.0},
    ):
        data["solver"]["infeasibility"] = wrong
        with pytest.raises(ValueError, match=r"^solver\.infeasibility: "):
            split.plan_from_dict(data, plan.problem)


def test_what_is_read_does_as_a_limit():
    for least in (0.123449, 0.12344, 1.00049, 9.99951e-7, 1.00004e20, 0.0):
        text = split.display._enough(least)
        assert least <= float(text) <= least * 1.002
