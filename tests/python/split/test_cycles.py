"""Graphs with cycles: a search cut short is never worse than the cheap methods."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import codec, model, network, split

CHEAP = ("uniform", "compute-proportional", "scalar-a-star", "pipeedge")
ROOMY = 1e9


def torus(
    *, size=4, layers, memory_bytes=4.5e6, micro_batches=8, max_error=None, menu="quantise", objective="delay"
):
    """A +Grid with wrap-around, the source beside the sink; uneven layers of 1 MB."""
    nodes, links = [], []
    for i in range(size):
        for j in range(size):
            here = f"{i}-{j}"
            nodes.append(network.Node(id=here, flop_per_s=1e12, memory_bytes=memory_bytes))
            for there in (f"{i}-{(j + 1) % size}", f"{(i + 1) % size}-{j}"):
                for ends in ((here, there), (there, here)):
                    link = {"from": ends[0], "to": ends[1], "rate_bps": 1e9, "latency_s": 1e-3}
                    links.append(network.Link(**link))
    return split.Problem(
        model=model.from_arrays(
            flop=np.random.default_rng(0).uniform(1e9, 2e9, layers),
            memory_bytes=[1e6] * layers,
            output_bytes=np.random.default_rng(1).uniform(1e6, 2e6, layers),
            input_bytes=1e6,
        ),
        network=network.Network(nodes=nodes, links=links),
        source="0-0",
        sink="0-1",
        codecs=codec.menu(menu),
        micro_batches=micro_batches,
        max_error=max_error,
        objective=objective,
    )


PROBLEMS = {
    "4x4, 48 layers": torus(layers=48),
    "4x4, 40 layers, error, 32 micro-batches": torus(layers=40, micro_batches=32, max_error=1.0),
    "4x4, all nodes needed": torus(layers=64),
    "4x4, roomy": torus(layers=80, memory_bytes=ROOMY, max_error=2.0),
    "4x4, roomy, uncompressed": torus(layers=24, memory_bytes=ROOMY, menu="none"),
    "4x4, uncompressed": torus(layers=40, menu="none"),
    "4x4, one micro-batch": torus(layers=48, micro_batches=1),
    "4x4, throughput": torus(layers=48, objective="throughput"),
    "5x5, 60 layers": torus(size=5, layers=60),
    "6x6, 60 layers": torus(size=6, layers=60),
    "6x6, 60 layers, error": torus(size=6, layers=60, max_error=2.0),
    "6x6, roomy": torus(size=6, layers=80, memory_bytes=ROOMY),
}


def own_value(problem, plan):
    """The plan's objective; infinite where there is none, or only with codecs that the problem lacks."""
    own = {None, *(c.name for c in problem.codecs)}
    if not plan.stages or any(stage.codec not in own for stage in plan.stages):
        return np.inf
    return plan.bottleneck_s if problem.objective == "throughput" else plan.delay_s


@pytest.mark.parametrize("name", PROBLEMS)
def test_is_never_worse_than_cheap_methods(name):
    problem = PROBLEMS[name]
    plan = split.solve(problem, time_limit_s=1.5)
    assert plan.stages
    assert split.check(problem, plan) == []
    cheap = {
        method: own_value(problem, split.solve(problem, method=method, time_limit_s=1.5)) for method in CHEAP
    }
    assert own_value(problem, plan) <= min(cheap.values()) * (1 + 1e-9), cheap


def test_k_best_is_no_worse_either():
    problem = PROBLEMS["4x4, 48 layers"]
    scalar = split.solve(problem, method="scalar-a-star")
    first, *_ = split.k_best(problem, 3, time_limit_s=1.5)
    assert first.delay_s <= scalar.delay_s * (1 + 1e-9)


def test_generation_and_fronts_end_with_proof():
    problem = PROBLEMS["4x4, 48 layers"]
    decode = [(1e7, 1e6, 1e4)] * len(problem.layers)
    asked = split.GenerationProblem(
        problem, decode, new_tokens=10, memory_bandwidth_bytes_per_s=1e11, token_bytes=4.0
    )
    answer = split.solve_generation(asked, time_limit_s=60)
    assert answer.status == "optimal"
    first, *_ = split.pareto_front(problem, time_limit_s=60).plans
    assert first.delay_s == pytest.approx(split.solve(problem, time_limit_s=60).delay_s, rel=1e-9)
