"""Pickles that constellm 0.1.0 wrote are read; those of a newer version are refused by name."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from constellm import codec, model, network, split

FOLDER = Path(__file__).parents[2] / "data" / "pickles" / "0.1.0"

VALUES = {
    "Layer": model.Layer(name="block", flop=1e9, memory_bytes=4e6, output_bytes=2e5, error_gain=1.5),
    "Codec": codec.Codec(
        name="half",
        ratio=2.0,
        error=0.25,
        encode_s_per_byte=1e-9,
        decode_s_per_byte=2e-9,
        layer_ratio=[2.0, 3.0],
        layer_error=[0.25, 0.5],
    ),
    "Node": network.Node(
        id="sat",
        flop_per_s=1e12,
        memory_bytes=8e9,
        power_w=30.0,
        tx_power_w=5.0,
        overhead_s=1e-3,
        codec_time_scale=2.0,
        layer_time_s=[0.1, 0.2],
        group="satellites",
    ),
    "Link": network.link("a", "b", rate_bps=1e9, latency_s=0.004, overhead_s=1e-4, group="isl"),
    "Stage": split.Stage(node="n3", first_layer=0, last_layer=1, codec="c1"),
    "Scheme": codec.Scheme(sparsify="top-k", keep=0.25, bits=4, scale="token"),
    "LayerProfile": model.LayerProfile(
        name="block", flop=1e9, memory_bytes=4e6, output_bytes=2e5, parameters=1e6, weight_bytes=4e6
    ),
}


def old(name: str):
    return pickle.loads((FOLDER / f"{name}.pickle").read_bytes())


@pytest.fixture(scope="module")
def problem():
    return split.load_problem(FOLDER.parents[1] / "split" / "three-stages-lossy.json")


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_0_1_0_is_read(name):
    assert old(name) == VALUES[name]


@pytest.mark.parametrize(
    "path", sorted(set(FOLDER.glob("*.pickle")) - {FOLDER / "Schedule.pickle"}), ids=lambda path: path.stem
)
def test_every_pickle_of_0_1_0_is_read_and_written_anew(path):
    value = pickle.loads(path.read_bytes())
    assert type(value).__name__ == path.stem.partition("-")[0]
    assert pickle.loads(pickle.dumps(value)) == value


def test_a_network_and_a_problem_of_0_1_0(problem):
    assert old("Network") == problem.network
    assert old("Problem") == problem


def test_plans_of_0_1_0(problem):
    plan = old("Plan")
    solved = split.solve(problem)
    assert plan == solved
    assert (plan.delay_s, plan.bytes, plan.gap) == (solved.delay_s, solved.bytes, solved.gap)
    assert plan.delay_s == 4.7689806939083015
    assert plan.counters["labels"] == 1 and plan.counters["passes"] == 12 and plan.seconds > 0
    nothing = old("Plan-infeasible")
    assert nothing.status == "infeasible" and nothing.path == [] and np.isinf(nothing.lower_bound_s)


def test_a_newer_pickle_is_refused_by_name(problem):
    plan = split.solve(problem)
    for value in (problem, problem.network, plan, plan.stages[0], split.evaluate(problem, plan)):
        version, state = value.__getstate__()
        assert (version, type(state)) == (2, dict)
        again = type(value).__new__(type(value))
        with pytest.raises(ValueError, match=f"^{type(value).__name__}: a pickle of version 3, of a newer"):
            again.__setstate__((version + 1, state))


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="its arrays are numpy 2's")
def test_a_schedule_of_0_1_0_tells_its_micro_batches():
    schedule = old("Schedule")
    assert schedule.micro_batches.tolist() == list(range(schedule.start_s.shape[1]))
    assert repr(schedule).startswith("Schedule(")
