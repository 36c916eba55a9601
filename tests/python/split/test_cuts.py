"""Codecs and compressors at the cuts of a plan."""

from __future__ import annotations

import pytest

from constellm import codec, model, network, split

BLOCKS = 6


class Lost:
    """A compressor after which nothing arrives."""

    name = "lost"

    def encode(self, x: object) -> bytes:
        return b""

    def decode(self, data: bytes) -> object:
        return None


def plan_for(memory_bytes: float = 2e6, **limits: object) -> split.Plan:
    profile = model.from_arrays(
        flop=[1e6] * BLOCKS, memory_bytes=[1e6] * BLOCKS, output_bytes=[1e6] * BLOCKS, input_bytes=1e6
    )
    chain = network.chain(3, flop_per_s=1e6, memory_bytes=memory_bytes, rate_bps=1e6, latency_s=0.001)
    menu = codec.menu("none") + codec.from_table([{"name": "lost", "ratio": 100.0, "error": 0.5}])
    return split.solve(split.Problem(model=profile, network=chain, codecs=menu, micro_batches=3, **limits))


def test_codecs_and_compressors_stand_at_the_plan_s_boundaries() -> None:
    plan = plan_for()
    assert [stage.last_layer for stage in plan.stages] == [1, 3, 5]
    assert split.codecs_at_cuts(plan) == {2: "lost", 4: "lost"}
    lost = Lost()
    assert split.compressors_at_cuts(plan, {"lost": lost}) == {2: lost, 4: lost}


def test_a_plan_takes_the_compressor_of_its_boundary() -> None:
    plan = plan_for()
    trained = {k: Lost() for k in range(1, BLOCKS)}
    cuts = split.compressors_at_cuts(plan, {"lost": trained})
    assert list(cuts) == [2, 4] and all(compressor is trained[k] for k, compressor in cuts.items())


def test_a_compressor_that_is_missing_or_none_is_named() -> None:
    plan = plan_for()
    with pytest.raises(ValueError, match="compressors: 'lost' is not one of 'other'"):
        split.compressors_at_cuts(plan, {"other": Lost()})
    with pytest.raises(ValueError, match="compressors: 'lost' is not given for boundary 2"):
        split.compressors_at_cuts(plan, {"lost": {4: Lost()}})
    with pytest.raises(TypeError, match=r"compressors\['lost'\]: expected a Compressor, got 3"):
        split.compressors_at_cuts(plan, {"lost": {2: Lost(), 4: 3}})


def test_a_plan_that_compresses_nothing_needs_no_compressors() -> None:
    plan = plan_for(max_error=0.0)
    assert len(plan.stages) == 3
    assert split.codecs_at_cuts(plan) == split.compressors_at_cuts(plan, {}) == {}
    lost = Lost()
    assert split.compressors_at_cuts(plan, {"none": lost}) == {2: lost, 4: lost}


def test_no_plan_has_no_cuts() -> None:
    plan = plan_for(memory_bytes=1.0)
    for call in (split.codecs_at_cuts, lambda plan: split.compressors_at_cuts(plan, {})):
        with pytest.raises(ValueError, match="plan: no stages, its status is 'infeasible'"):
            call(plan)
