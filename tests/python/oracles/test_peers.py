"""The peers of the benchmarks find the optimum too, or the benchmark would compare different problems."""

from __future__ import annotations

import importlib
import json

import pytest

from oracles import evaluator
from oracles.enumerate import enumerate_plans
from oracles.random_problems import random_problem

REL = {"highs_milp": 2e-6, "networkx_labels": 1e-12, "boost_labels": 1e-12}


@pytest.fixture
def load(repository, monkeypatch):
    """Imports a peer by name, or skips the test where what it needs is not there."""

    def load_peer(name):
        needs = {"highs_milp": "scipy", "networkx_labels": "networkx"}
        if name in needs:
            pytest.importorskip(needs[name])
        monkeypatch.syspath_prepend(str(repository / "benchmarks" / "peers"))
        peer = importlib.import_module(name)
        if name == "boost_labels" and not peer.PROGRAM.exists():
            pytest.skip("benchmarks/peers/boost is not built")
        return peer

    return load_peer


@pytest.mark.parametrize("name", sorted(REL))
def test_finds_the_optimum(load, name):
    peer, rel = load(name), REL[name]
    feasible = 0
    for seed in range(60):
        problem = random_problem(seed)
        problem.update(objective="delay", limits={**problem["limits"], "max_energy_j": None})
        best = enumerate_plans(problem).best()
        found = peer.solve(problem)
        assert (found["plan"] is None) == (best is None), seed
        if best is not None:
            value = evaluator.evaluate(problem, found["plan"])
            assert value.delay_s == pytest.approx(best.delay_s, rel=rel, abs=1e-300), seed
            assert found["objective"] == pytest.approx(value.delay_s, rel=rel, abs=1e-300), seed
            assert evaluator.broken_limits(problem, found["plan"], room=rel) == [], seed
            feasible += 1
    assert feasible > 25


def test_an_upper_bound_leaves_the_optimum(load):
    peer = load("boost_labels")
    for seed in range(60):
        problem = random_problem(seed)
        problem.update(objective="delay", limits={})
        best = enumerate_plans(problem).best()
        if best is not None:
            found = peer.solve(problem, upper_bound_s=best.delay_s)
            assert found["objective"] == pytest.approx(best.delay_s, rel=1e-12, abs=1e-300), seed
            assert peer.solve(problem, upper_bound_s=best.delay_s * 0.99 - 1e-9)["plan"] is None, seed


def test_refuses_what_it_would_not_solve(load, tmp_path):
    graph = load("layered_graph")
    problem = random_problem(1)
    file = tmp_path / "problem.json"
    file.write_text(json.dumps({**problem, "objective": "throughput"}))
    with pytest.raises(ValueError, match="throughput"):
        graph.load(file)
    file.write_text(json.dumps({**problem, "objective": "delay", "limits": {"max_energy_j": 1.0}}))
    with pytest.raises(ValueError, match="max_energy_j"):
        graph.load(file)
