"""Sequences that a problem holds: the same objects at every access, and nothing to change."""

from __future__ import annotations

import sys

import pytest

from constellm import network, paper, split
from constellm.codec import Codec
from constellm.model import Layer


def long_chain(layers: int) -> split.Problem:
    return split.Problem(
        layers=[
            Layer(name=f"l{i}", flop=1e9, memory_bytes=1.0, output_bytes=1.0, group="half" if i % 2 else None)
            for i in range(layers)
        ],
        input_bytes=1.0,
        network=network.chain(2, flop_per_s=1e12, memory_bytes=1e9, rate_bps=1e9, latency_s=0.0),
        codecs=[Codec(name="none", ratio=1.0, error=0.0)],
    )


@pytest.mark.parametrize("name", ["layers", "nodes", "links", "codecs", "network"])
def test_the_same_object_at_every_access(name):
    problem = long_chain(3)
    assert getattr(problem, name) is getattr(problem, name)
    assert getattr(problem.replace(name="other"), name) == getattr(problem, name)


def test_parts_of_plans_and_networks_too():
    plan = split.solve(paper.collaborative.edge_boards())
    assert plan.problem is plan.problem and plan.codecs is plan.codecs
    assert plan.problem.network.nodes is plan.problem.network.nodes
    assert isinstance(plan.problem.nodes, tuple)


def test_reading_every_field_of_many_layers_makes_each_layer_once():
    problem = long_chain(1000)
    seen = {id(problem.layers[i]) for i in range(1000) for _ in range(3)}
    assert len(seen) == 1000
    before = sys.getallocatedblocks()
    total = sum(getattr(problem.layers[i], field.name) == 1.0 for i in range(1000) for field in Layer.fields)
    assert total == 3000  # memory, output and error_gain
    assert sys.getallocatedblocks() - before < 1000  # a copy of the list would be a thousand a step


def test_nothing_that_is_handed_out_changes_the_problem():
    problem = long_chain(2)
    with pytest.raises(TypeError):
        problem.layers[0] = problem.layers[1]
    with pytest.raises(AttributeError):
        problem.layers.append(problem.layers[0])
    with pytest.raises(AttributeError):
        problem.layers[0].flop = 0.0
    with pytest.raises(AttributeError):
        problem.layers = ()
    node = problem.nodes[0].replace(layer_time_s=[1.0, 2.0])
    node.layer_time_s.append(3.0)
    assert node.layer_time_s == [1.0, 2.0]


def test_groups_of_layers_and_codecs(tmp_path):
    problem = long_chain(4).replace(codecs=[Codec(name="q", ratio=2.0, error=0.1, group="quantise")])
    data = problem.to_dict()
    assert [layer.get("group") for layer in data["layers"]] == [None, "half", None, "half"]
    assert "group" not in data["layers"][0], "files without groups stay as they were"
    assert data["codecs"][0]["group"] == "quantise"
    split.save_problem(problem, tmp_path / "p.json")
    assert split.load_problem(tmp_path / "p.json") == problem
    assert "quantise-only" in split.methods.applicable(problem)
    assert "quantise-only" not in split.methods.applicable(long_chain(4))
