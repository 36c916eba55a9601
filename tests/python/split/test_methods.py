"""Benchmark methods against enumeration of their own rules."""

from __future__ import annotations

import math

import pytest

from constellm import _core, codec, paper, split
from constellm.split import methods
from oracles.enumerate import enumerate_plans
from oracles.random_problems import random_problem

NONE = {"name": "none", "ratio": 1.0, "error": 0.0}


def propose(problem, name):
    return _core.split.propose(problem, name, time_limit_s=math.inf)


def objective(problem, plan):
    return plan.delay_s if problem.objective == "delay" else plan.bottleneck_s


def terms_of(proposal):
    return _core.split.evaluate(proposal["problem"], proposal["path"], proposal["stages"])


def changed(problem, *, limits=True, **changes):
    """The dictionary of a problem with another question."""
    data = {**problem, **changes}
    if not limits:
        data["limits"] = {k: v for k, v in problem.get("limits", {}).items() if k == "error_rule"}
    return data


def least(problem, keep=lambda plan: True):
    """Smallest objective among the enumerated plans that `keep` likes; None if there is none."""
    plans = enumerate_plans(problem)
    column = 0 if problem.get("objective", "delay") == "delay" else 1
    worth = [plans.values[i, column] for i in range(len(plans.values)) if keep(plans.plan(i))]
    return min(worth, default=None)


def check_value(value, expected, name):
    assert (value is None) == (expected is None), name
    if value is not None:
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-300), name


def test_every_method_makes_a_plan_within_memory_and_never_beats_the_optimum(random_problems):
    plans = 0
    for seed in range(random_problems):
        data = random_problem(seed)
        problem = split.problem_from_dict(data)
        best = enumerate_plans(data).best()
        for name in methods.applicable(problem):
            if name in ("optimal", "galaxy"):
                continue
            proposal = propose(problem, name)
            if not proposal["path"]:
                assert proposal["status"] in ("no_plan_found", "infeasible")
                continue
            plans += 1
            faults = _core.split.structural_faults(proposal["problem"], proposal["path"], proposal["stages"])
            assert faults == [], (seed, name)
            terms = terms_of(proposal)
            assert not any("memory" in broken for broken in terms.broken_limits), (seed, name)
            assert (proposal["status"] == "feasible") == (not terms.broken_limits), (seed, name)
            if proposal["status"] == "feasible" and len(proposal["problem"].codecs) == len(problem.codecs):
                assert best is not None, (seed, name)
                bound = best.delay_s if problem.objective == "delay" else best.bottleneck_s
                assert objective(problem, terms) >= bound * (1 - 1e-12), (seed, name)
    assert plans > 5 * random_problems


def rules_of(data):
    """For each method that is an exact optimum: its question, and which plans it may choose from."""
    source, sink, m = data["source"], data["sink"], data["micro_batches"]
    one_batch = changed(data, micro_batches=1, objective="delay")
    limits = dict(data.get("limits", {}))
    if limits.get("max_energy_j") is not None:
        limits["max_energy_j"] /= m
    latency = {**one_batch, "limits": limits}
    plain = changed(data, limits=False, codecs=[NONE])
    hosts = {
        node["id"] for node in data["nodes"] if node["flop_per_s"] or node.get("layer_time_s") is not None
    }
    return {
        "no-pipeline": (latency, lambda plan: True),
        "no-compression": (changed(data, codecs=[NONE]), lambda plan: True),
        "ground-only": (data, lambda plan: {s["node"] for s in plan["stages"]} == {sink}),
        "single-best": (
            data,
            lambda plan: len(plan["stages"]) == 1 and (source == sink or plan["stages"][0]["node"] != sink),
        ),
        "neurosurgeon": (
            {**plain, "micro_batches": 1, "objective": "delay"},
            lambda plan: {s["node"] for s in plan["stages"]} <= {source, sink},
        ),
        "pipeedge": ({**plain, "objective": "throughput"}, lambda plan: True),
        "edgeshard-latency": (
            {**plain, "micro_batches": 1, "objective": "delay"},
            lambda plan: source not in hosts or plan["stages"][0]["node"] == source,
        ),
        "edgeshard-throughput": (
            {**plain, "objective": "throughput"},
            lambda plan: source not in hosts or plan["stages"][0]["node"] == source,
        ),
    }


def test_rules_equal_their_own_enumeration(random_problems):
    found = 0
    for seed in range(min(random_problems, 300)):
        data = random_problem(seed)
        problem = split.problem_from_dict(data)
        m = data["micro_batches"]
        for name, (question, keep) in rules_of(data).items():
            proposal = propose(problem, name)
            value = None
            if proposal["path"]:
                found += 1
                terms = terms_of(proposal)
                value = terms.bottleneck_s
                if question.get("objective", "delay") == "delay":
                    left_out = m - question["micro_batches"]
                    value = terms.delay_s - left_out * terms.bottleneck_s
            check_value(value, least(question, keep), (seed, name))
    assert found > 2 * min(random_problems, 300)


def test_uniform_has_the_best_codecs_for_its_blocks(random_problems):
    compared = 0
    for seed in range(min(random_problems, 300)):
        data = random_problem(seed)
        problem = split.problem_from_dict(data)
        for name in ("uniform", "compute-proportional"):
            proposal = propose(problem, name)
            if not proposal["path"]:
                continue
            blocks = [(s.node, s.first_layer, s.last_layer) for s in proposal["stages"]]
            best = least(
                data,
                lambda plan, path=proposal["path"], blocks=blocks: (
                    plan["path"] == path
                    and [(s["node"], s["first_layer"], s["last_layer"]) for s in plan["stages"]] == blocks
                ),
            )
            check_value(objective(problem, terms_of(proposal)), best, (seed, name))
            compared += len(blocks) > 1
    assert compared > 20


def test_scalar_search_is_exact_where_the_objective_is_additive(random_problems):
    compared = 0
    for seed in range(random_problems):
        data = random_problem(seed)
        # one-way links, so that no label's history forbids a step
        order = {node["id"]: i for i, node in enumerate(data["nodes"])}
        forward = [link for link in data["links"] if order[link["from"]] < order[link["to"]]]
        data = changed(data, limits=False, micro_batches=1, objective="delay", links=forward)
        proposal = propose(split.problem_from_dict(data), "scalar-a-star")
        best = enumerate_plans(data).best()
        value = terms_of(proposal).delay_s if proposal["path"] else None
        check_value(value, None if best is None else best.delay_s, seed)
        compared += best is not None
    assert compared > 0.1 * random_problems


def test_scalar_search_loses_on_the_paper_preset():
    problem = paper.collaborative.problem()
    scalar = split.solve(problem, method="scalar-a-star")
    optimal = split.solve(problem)
    assert scalar.status == "feasible"
    assert scalar.delay_s > optimal.delay_s * 1.01


def test_quantpipe_keeps_pipeedges_blocks_and_lets_no_hand_off_be_slower_than_its_target():
    problem = paper.collaborative.problem(ground_computes=True, isl_rate_bps=2e8, max_error=None)
    pipeedge, quantpipe = (split.solve(problem, method=name) for name in ("pipeedge", "quantpipe"))
    blocks = [(s.node, s.first_layer, s.last_layer) for s in pipeedge.stages]
    assert [(s.node, s.first_layer, s.last_layer) for s in quantpipe.stages] == blocks
    bits = [
        32 / next(c.ratio for c in quantpipe.problem.codecs if c.name == s.codec)
        for s in quantpipe.stages[:-1]
    ]
    assert set(bits) <= {32, 16, 8, 6, 4, 2} and min(bits) < 32
    target = max(stage.time_s for stage in split.evaluate(pipeedge.problem, pipeedge).stages)
    terms = split.evaluate(quantpipe.problem, quantpipe)
    source_hops = quantpipe.path.index(blocks[0][0])
    assert all(hop.time_s <= target for hop in terms.hops[source_hops:] if hop.bytes > 1e6)
    assert quantpipe.error > 0


def test_jalad_is_the_best_of_its_bit_widths_under_the_error_limit():
    data = random_problem(3)
    seen = 0
    for seed in range(200):
        data = random_problem(seed)
        data["codecs"] = [option.to_dict() for option in codec.quantise(bits=(2, 4, 8))]
        limit = data.get("limits", {}).get("max_error")
        problem = split.problem_from_dict(data)
        proposal = propose(problem, "jalad")
        question = changed(data, limits=False, micro_batches=1, objective="delay")
        question["limits"]["max_error"] = limit
        value = None
        if proposal["path"]:
            terms = terms_of(proposal)
            value = terms.delay_s - (data["micro_batches"] - 1) * terms.bottleneck_s
            seen += any(stage.codec for stage in proposal["stages"])
        check_value(value, least(question), seed)
    assert seen > 5


def test_clipping_point_is_lamberts(random_problems):
    special = pytest.importorskip("scipy.special")
    for bits in range(1, 17):
        alpha = special.lambertw(3 * 4.0**bits).real
        values = 2.0**-bits * alpha
        # the core's error at this α, as the cells' integrals sum up
        after, cell = values**2 + 2 * values + 2, values**2 - 2 * values + 2
        inside = (cell - math.exp(-2 * values) * after) * math.expm1(-alpha) / math.expm1(-2 * values)
        error = math.sqrt((inside + math.exp(-alpha) * after) / 2)
        assert codec.quantisation_error(bits) == pytest.approx(error, rel=1e-9)


def test_added_codecs_are_part_of_the_answered_problem():
    problem = paper.collaborative.problem(image="720p")
    plan = split.solve(problem, method="pipeedge")
    assert plan.status == "feasible" and math.isnan(plan.lower_bound_s) and plan.method == "pipeedge"
    assert [c.name for c in plan.problem.codecs] == [*(c.name for c in problem.codecs), "none"]
    assert split.check(plan.problem, plan) == split.check(problem, plan) == []


def test_a_plan_that_breaks_a_limit_is_no_answer():
    problem = paper.collaborative.problem(ground_computes=True, isl_rate_bps=1e8, max_error=1e-6)
    plan = split.solve(problem, method="quantpipe")
    assert plan.status == "no_plan_found" and plan.path == []
    assert split.compare(problem, ["quantpipe"])["quantpipe"]["status"] == "breaks_limits"


@pytest.mark.parametrize("name", ["nonsense", "fixed:zip", "galaxy", "quantise-only", 3, None])
def test_what_is_no_method_is_refused(name):
    with pytest.raises(ValueError, match="method"):
        split.solve(paper.collaborative.edge_boards(), method=name)


def test_methods_take_a_time_limit_and_nothing_else():
    problem = paper.collaborative.edge_boards()
    assert split.solve(problem, method="pipeedge", time_limit_s=60).status == "feasible"
    with pytest.raises(TypeError, match="heuristic"):
        split.solve(problem, method="pipeedge", heuristic=False)
    with pytest.raises(ValueError, match="time_limit_s"):
        split.solve(problem, method="pipeedge", time_limit_s=-1)


def test_registry_and_core_agree():
    planned = {name for name, method in methods.METHODS.items() if method.has_plan}
    assert planned - {"optimal", "fixed:<codec>"} == set(_core.split.baseline_names())
    for method in methods.METHODS.values():
        assert all((method.rule, method.source, method.adapted))


@pytest.mark.parametrize("memory_bytes", [1e300, 1e9])
def test_first_layer_at_the_source_whatever_the_memory(memory_bytes):
    problem = paper.collaborative.edge_boards()
    nodes = [node.replace(memory_bytes=memory_bytes) for node in problem.nodes]
    nodes[0] = nodes[0].replace(layer_time_s=[10 * t for t in nodes[0].layer_time_s])
    slow_source = problem.replace(nodes=nodes)
    for name in ("edgeshard-latency", "edgeshard-throughput"):
        first = split.solve(slow_source, method=name).stages[0]
        assert (first.node, first.last_layer) == (problem.source, 0)
    assert split.solve(slow_source, method="pipeedge").stages[0].node != problem.source


def test_documentation_is_generated(repository):
    assert (repository / "docs" / "methods.md").read_text(encoding="utf-8") == methods.methods_markdown()
