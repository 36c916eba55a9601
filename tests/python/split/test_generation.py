"""Autoregressive generation against the definition, applied to every plan."""

from __future__ import annotations

import math
import pickle
import random

import numpy as np
import pytest

from constellm import split
from oracles.enumerate import enumerate_plans
from oracles.generation import Generation, total_s
from oracles.random_problems import random_problem

MOST_PLANS = 1500


def random_generation(seed: int) -> Generation:
    data = random_problem(seed)
    rng = random.Random(f"generation-{seed}")
    data["objective"] = "delay"
    for node in data["nodes"]:
        node.pop("layer_time_s", None)
    decode = [
        (rng.choice([0.0, rng.uniform(1e9, 1e11)]), rng.uniform(0, 1e9), rng.uniform(0, 1e6))
        for _ in data["layers"]
    ]
    bandwidth = {node["id"]: rng.choice([math.inf, rng.uniform(1e9, 1e11)]) for node in data["nodes"]}
    return Generation(data, decode, bandwidth, rng.choice([1, 2, 10, 200]), rng.choice([4.0, 1e5]))


def asked(g: Generation, **more) -> split.GenerationProblem:
    values = {
        "new_tokens": g.new_tokens,
        "memory_bandwidth_bytes_per_s": g.bandwidth_bytes_per_s,
        "token_bytes": g.token_bytes,
    }
    return split.GenerationProblem(split.problem_from_dict(g.problem), g.decode, **{**values, **more})


def every_total(g: Generation) -> list[tuple[float, float]]:
    """Seconds and joules of every plan that keeps memory and error; the energy limit is of the whole."""
    limits = {k: v for k, v in g.problem.get("limits", {}).items() if k != "max_energy_j"}
    everything = enumerate_plans({**g.problem, "limits": limits})
    return [total_s(g, everything.plan(index)) for index in range(len(everything.values))]


def small(seeds):
    for seed in seeds:
        g = random_generation(seed)
        if len(enumerate_plans(g.problem).values) <= MOST_PLANS:
            yield seed, g


def test_solver_equals_the_definition(random_problems):
    feasible = 0
    for seed, g in small(range(random_problems // 2)):
        limit = g.problem.get("limits", {}).get("max_energy_j")
        most_j = math.inf if limit is None else limit * (1 + 1e-12)
        best = min((seconds for seconds, joules in every_total(g) if joules <= most_j), default=math.inf)
        problem = asked(g)
        answer = split.solve_generation(problem)
        plan, terms = answer.plan, answer.terms
        assert split.check(problem.prefill, plan) == [] and math.isnan(plan.lower_bound_s), seed
        if best == math.inf:
            assert answer.status == "infeasible" and plan.status == "no_plan_found", seed
            assert plan.path == [] and terms is None and math.isnan(answer.gap), seed
            continue
        assert (answer.status, plan.status) == ("optimal", "feasible"), seed
        assert terms == problem.evaluate(plan), seed
        assert (answer.ttft_s, answer.total_s) == (plan.delay_s, terms.total_s), seed
        assert terms.total_s == pytest.approx(best, rel=1e-9, abs=1e-300), seed
        assert 0 <= answer.gap <= 1e-9, seed
        seconds, joules = total_s(g, plan.to_dict())
        assert terms.energy_j == pytest.approx(joules, rel=1e-9, abs=1e-12), seed
        feasible += 1
    assert feasible > random_problems / 8


def test_terms_equal_the_definition_on_any_plan():
    compared = 0
    for _, g in small(range(60)):
        problem = asked(g)
        for plan in split.k_best(problem.prefill, 20):
            seconds, joules = total_s(g, plan.to_dict())
            terms = problem.evaluate(plan)
            assert terms.total_s == pytest.approx(seconds, rel=1e-9, abs=1e-300)
            if math.isfinite(seconds):
                assert terms.energy_j == pytest.approx(joules, rel=1e-9, abs=1e-12)
            assert terms.ttft_s == plan.delay_s
            compared += 1
    assert compared > 200


def test_one_token_is_the_prefill():
    for _, g in small(range(40)):
        problem = asked(g, new_tokens=1)
        answer, prefill = split.solve_generation(problem), split.solve(problem.prefill)
        plan = answer.plan
        assert answer.status == prefill.status
        if plan.path:
            terms = problem.evaluate(plan)
            assert terms.total_s == terms.ttft_s == plan.delay_s
            assert plan.delay_s == pytest.approx(prefill.delay_s, rel=1e-9)
            assert (terms.energy_j, terms.bytes) == (plan.energy_j, plan.bytes)


def test_identities():
    for _, g in small(range(40)):
        problem = asked(g, new_tokens=5)
        plan = split.solve_generation(problem).plan
        if not plan.path:
            continue
        one, many = problem.evaluate(plan), problem.evaluate(plan, requests=1000)
        assert one.total_s == pytest.approx(one.ttft_s + 4 * one.token_s, rel=1e-12)
        assert one.decode_bottleneck_s <= one.token_s
        if one.token_s > 0:
            assert one.tokens_per_s == pytest.approx(
                min(1 / one.token_s, 1 / max(one.decode_bottleneck_s, 1e-300)), rel=1e-12
            )
        if one.decode_bottleneck_s > 0:
            most = 1 / one.decode_bottleneck_s
            assert many.tokens_per_s == pytest.approx(min(1000 / one.token_s, most), rel=1e-12)
        faster = asked(g, new_tokens=5, memory_bandwidth_bytes_per_s=math.inf)
        assert faster.evaluate(plan).total_s <= one.total_s
        longer = asked(g, new_tokens=6)
        assert longer.evaluate(plan).total_s >= one.total_s


def with_plan():
    """A generation with an answer that has a plan."""
    problems = (asked(g, new_tokens=4) for _, g in small(range(40)))
    return next((p, found) for p in problems for found in [split.solve_generation(p)] if found.plan.path)


def test_terms_are_a_record():
    problem, answer = with_plan()
    terms = answer.terms
    assert isinstance(terms, split.GenerationTerms)
    fields = {field.name: (field.unit, field.doc) for field in split.GenerationTerms.fields}
    assert list(fields) == [*terms.to_dict()] and fields["token_s"][0] == "s"
    assert split.GenerationTerms.tokens_per_s.__doc__.endswith("[1/s]")
    assert repr(terms).startswith("GenerationTerms(ttft_s=")
    assert pickle.loads(pickle.dumps(terms)) == terms == split.GenerationTerms(**terms.to_dict())
    endless = terms.replace(token_s=math.inf, total_s=math.inf, tokens_per_s=0.0)
    assert pickle.loads(pickle.dumps(endless)) == endless
    with pytest.raises(ValueError, match=r"ttft_s: -1 is not in \[0, inf\)"):
        terms.replace(ttft_s=-1.0)
    for key in fields:
        with pytest.warns(DeprecationWarning, match=rf"terms\['{key}'\] is .* terms\.{key} now"):
            assert terms[key] == getattr(terms, key)
    assert pickle.loads(pickle.dumps(answer)) == answer
    assert problem.evaluate(answer.plan) == terms


def test_an_answer_of_0_1_0_had_a_dictionary():
    _, answer = with_plan()
    for terms, old in ((answer.terms, answer.terms.to_dict()), (None, {})):
        again = split.GenerationPlan.__new__(split.GenerationPlan)
        again.__setstate__({**vars(answer), "terms": old})
        assert again.terms == terms
        assert math.isnan(again.total_s) if terms is None else again.total_s == answer.total_s


def test_out_of_time_leaves_a_true_bound():
    statuses = set()
    for _, g in small(range(60)):
        problem = asked(g)
        plan, exact = split.solve_generation(problem, time_limit_s=0), split.solve_generation(problem)
        statuses.add(plan.status)
        if exact.plan.path:
            assert plan.lower_bound_s <= exact.total_s
    assert "time_limit" in statuses


def test_values_compare_and_are_read_only():
    g = random_generation(0)
    problem = asked(g)
    assert problem == asked(g)
    assert problem != asked(g, new_tokens=g.new_tokens + 1)
    assert problem != 1
    assert problem.decode.shape == (len(g.decode), 3)
    with pytest.raises(ValueError, match="read-only"):
        problem.decode[0, 0] = 1.0


def call(**changes):
    g = random_generation(0)
    problem = split.problem_from_dict(g.problem)
    values = {"decode": g.decode, "new_tokens": 3, **changes}
    return split.GenerationProblem(problem, **values)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"new_tokens": 0}, ValueError, "new_tokens: 0"),
        ({"new_tokens": 2.0}, TypeError, "new_tokens: expected an integer"),
        ({"new_tokens": True}, TypeError, "new_tokens: expected an integer"),
        ({"token_bytes": -1}, ValueError, "token_bytes: -1"),
        ({"token_bytes": math.nan}, ValueError, "token_bytes: "),
        ({"memory_bandwidth_bytes_per_s": 0}, ValueError, "memory_bandwidth_bytes_per_s"),
        ({"memory_bandwidth_bytes_per_s": math.nan}, ValueError, "memory_bandwidth_bytes_per_s"),
        ({"memory_bandwidth_bytes_per_s": {"nobody": 1.0}}, ValueError, "no node 'nobody'"),
        ({"decode": np.zeros((1, 2))}, ValueError, "decode"),
        ({"decode": np.zeros((99, 3))}, ValueError, "decode"),
        ({"decode": np.zeros(3)}, ValueError, "decode"),
    ],
    ids=str,
)
def test_bad_values(changes, error, message):
    with pytest.raises(error, match=message):
        call(**changes)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0], ids=repr)
def test_bad_decode_figures(value):
    for column in range(3):
        decode = np.array(random_generation(0).decode)
        decode[0, column] = value
        with pytest.raises(ValueError, match=r"decode\[0\]"):
            call(decode=decode)


def test_bad_evaluations():
    problem = asked(random_generation(0))
    infeasible = split.solve(problem.prefill.replace(links=[], source=problem.prefill.nodes[0].id,
                                                     sink=problem.prefill.nodes[1].id))  # fmt: skip
    with pytest.raises(ValueError, match="holds nothing to evaluate"):
        problem.evaluate(infeasible)
    for requests in (0, 1.5, True):
        with pytest.raises((ValueError, TypeError), match="requests"):
            problem.evaluate(infeasible, requests=requests)
