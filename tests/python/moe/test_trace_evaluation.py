"""What a placement costs the tokens of a trace: against plain counting, and on measured ones."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from constellm import moe, orbit


def random_case(seed: int) -> tuple[moe.Problem, list[list[int]], moe.ActivationTrace]:
    rng = np.random.default_rng(seed)
    layers, experts, slots = (int(n) for n in rng.integers(1, (4, 7, 6)))
    top_k, tokens = int(rng.integers(1, experts + 1)), int(rng.integers(1, 30))
    satellites = layers * experts + int(rng.integers(0, 4))
    latency_s = rng.uniform(0.0, 0.05, (layers, slots, satellites))
    latency_s[rng.random(latency_s.shape) < 0.1] = np.nan
    problem = moe.Problem(
        [moe.Layer(np.ones(experts), rows, base_s=float(rng.uniform(0, 0.01))) for rows in latency_s],
        top_k=top_k,
        unreachable_s=0.3,
    )
    hosts = rng.permutation(satellites)[: layers * experts].reshape(layers, experts).tolist()
    ids = [[rng.permutation(experts)[:top_k] for _ in range(tokens)] for _ in range(layers)]
    return problem, hosts, moe.ActivationTrace(ids, experts=experts)


def test_every_token_waits_for_the_slowest_of_its_experts(random_problems):
    for seed in range(random_problems):
        problem, hosts, trace = random_case(seed)
        waits = np.empty((len(problem.layers), problem.slots, trace.tokens))
        for at, layer in enumerate(problem.layers):
            placed = np.where(np.isnan(layer.latency_s), 0.3, layer.latency_s)[:, hosts[at]]
            for token, ids in enumerate(trace.expert_ids[at]):
                waits[at, :, token] = layer.base_s + placed[:, ids].max(axis=1)
        found = moe.evaluate_trace(problem, hosts, trace)
        np.testing.assert_allclose(found.slot_latency_s, waits.mean(axis=2), rtol=1e-12)
        np.testing.assert_allclose(found.layer_latency_s, waits.mean(axis=(1, 2)), rtol=1e-12)
        np.testing.assert_allclose(found.by_token_s, waits.mean(axis=1).sum(axis=0), rtol=1e-12)
        assert found.token_latency_s == pytest.approx(waits.mean(axis=(1, 2)).sum(), rel=1e-12)
        assert found.token_latency_s == pytest.approx(found.by_token_s.mean(), rel=1e-12)
        slot = seed % problem.slots
        alone = moe.evaluate_trace(problem, hosts, trace, slot=slot)
        np.testing.assert_allclose(alone.by_token_s, waits[:, slot].sum(axis=0), rtol=1e-12)
        assert alone.slot_latency_s.shape == (len(problem.layers), 1)
        for share in (0.0, 0.3, 0.5, 1.0):
            expected = np.sort(found.by_token_s)[max(int(np.ceil(share * trace.tokens - 1e-9)) - 1, 0)]
            assert found.quantiles_s([share]).tolist() == [expected]


def test_drawn_tokens_wait_as_the_planner_says():
    weights = moe.lognormal_weights(6, 0.6, layers=2, seed=3)
    rng = np.random.default_rng(3)
    problem = moe.Problem([moe.Layer(w, rng.uniform(0.01, 0.05, (3, 14))) for w in weights], top_k=3)
    trace = moe.draw_trace(weights, top_k=3, tokens=60_000, seed=3)
    plan = moe.solve(problem, method="sorted")
    found = moe.evaluate_trace(problem, plan, trace)
    assert found.token_latency_s == pytest.approx(plan.token_latency_s, rel=5 * 0.3 / np.sqrt(60_000))


def test_layers_are_taken_from_where_they_are_told():
    problem, hosts, trace = random_case(7)
    layers = list(range(trace.layers))[::-1]
    turned = moe.ActivationTrace(trace.expert_ids[layers], experts=trace.experts)
    assert moe.evaluate_trace(problem, hosts, turned, layers=layers) == moe.evaluate_trace(
        problem, hosts, trace
    )


def test_it_is_a_value():
    problem, hosts, trace = random_case(7)
    found = moe.evaluate_trace(problem, hosts, trace)
    assert pickle.loads(pickle.dumps(found)) == found != "text"
    assert found == moe.evaluate_trace(
        problem, [[problem.satellites[s] for s in row] for row in hosts], trace
    )
    assert repr(found).startswith(f"TraceEvaluation(token_latency_s={found.token_latency_s:.6g}, ")
    assert "of the tokens" in found.summary() and "mean over" in found._repr_html_()
    with pytest.raises(ValueError, match="read-only"):
        found.by_token_s[0] = 1


LAYER = moe.Layer([1, 1, 1], [[0.1, 0.2, 0.3]])
TRACE = moe.ActivationTrace([[[0, 1], [1, 2]]], experts=3)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trace": "no"}, "trace: expected a ActivationTrace, got 'no'"),
        ({"problem": None}, "problem: expected a Problem, got None"),
        ({"problem": moe.Problem([LAYER], 1)}, "trace: 2 experts a token are not the problem's top_k, 1"),
        ({"problem": moe.Problem([LAYER] * 2, 2)}, "trace: 1 layers are not the problem's 2"),
        (
            {"problem": moe.Problem([moe.Layer([1, 1], [[0.1, 0.2, 0.3]])], 2), "placement": [[0, 1]]},
            "trace: 3 experts are not the 2 of layers[0]",
        ),
        ({"layers": [0, 0]}, "layers: 2 of them are not the problem's 1"),
        ({"layers": [1]}, "layers[0]: 1 is not in [0, 0]"),
        ({"layers": 0}, "layers: expected a sequence of positions, got 0"),
        ({"slot": 1}, "slot: 1 is not in [0, 0]"),
        ({"placement": [[0, 1, 1]]}, "placement[0][2]: 's1' hosts expert 1 of layer 0 already"),
    ],
)
def test_what_does_not_fit_is_refused(changes, says):
    given = {"problem": moe.Problem([LAYER], 2), "placement": [[0, 1, 2]], "trace": TRACE, **changes}
    with pytest.raises((ValueError, TypeError), match=re.escape(says)):
        moe.evaluate_trace(given.pop("problem"), given.pop("placement"), given.pop("trace"), **given)


def test_shares_out_of_range_are_refused():
    found = moe.evaluate_trace(moe.Problem([LAYER], 2), [[0, 1, 2]], TRACE)
    with pytest.raises(ValueError, match=re.escape("shares[1]: 1.5 is not in [0, 1]")):
        found.quantiles_s([0.5, 1.5])


# ---- measured traces -------------------------------------------------------------------------


def test_the_shipped_first_choices_are_those_of_the_trace():
    data = os.environ.get("CONSTELLM_DATA")
    if data is None:
        pytest.skip("CONSTELLM_DATA is not set")
    for domain in ("intent", "law"):
        trace = moe.sample_trace(domain)
        with np.load(Path(data) / "moe_traces" / f"{domain}.npz") as arrays:
            first = arrays["weights_x10000"].astype(int).argmax(axis=2)
            ids = np.take_along_axis(arrays["expert_ids"], first[:, :, None], axis=2)
            np.testing.assert_array_equal(trace.expert_ids, ids)
            np.testing.assert_array_equal(trace.offsets, arrays["instance_offsets"])


def test_the_shipped_traces_are_what_they_say():
    for domain, tokens, sequences in (("intent", 8222, 127), ("law", 8327, 33)):
        trace = moe.sample_trace(domain)
        assert (trace.layers, trace.tokens, trace.experts, trace.top_k) == (26, tokens, 64, 1)
        assert (trace.layer_numbers, len(trace.offsets) - 1) == (tuple(range(1, 27)), sequences)
    with pytest.raises(ValueError, match="domain: unknown 'lore'"):
        moe.sample_trace("lore")


@pytest.mark.parametrize(
    ("domain", "says"),
    [("law", "1.775 s on law, against 1.838 s"), ("intent", "1.551 s on intents, against 1.659 s")],
)
def test_measured_tokens_wait_as_the_page_says(repository, domain, says):
    """On the ring of the paper's constellation, busy experts on near satellites."""
    data = os.environ.get("CONSTELLM_DATA")
    if data is None:
        pytest.skip("CONSTELLM_DATA is not set")
    shell = orbit.preset("space-xnet")
    links = orbit.plus_grid(seam="open", max_angular_rate_rad_per_s=np.radians(0.12), survival=0.95)
    world = orbit.Constellation(shell, links=links)
    whole = moe.load_trace(Path(data) / "moe_traces" / f"{domain}.npz")
    trace = moe.ActivationTrace(whole.expert_ids[:16], experts=64)
    weights = trace.activations().with_prior(0.5).sampling_weights()
    times = shell.period_s / 20 * np.arange(20)
    given = {"weights": weights, "top_k": 6, "unreachable_s": 0.3}
    problem = moe.ring_problem(world, moe.ring(shell, 16), times, **given)
    plan = moe.solve(problem, method="sorted")
    measured_s = moe.evaluate_trace(problem, plan, trace).token_latency_s
    where = {"law": "law", "intent": "intents"}[domain]
    assert f"{measured_s:.3f} s on {where}, against {plan.token_latency_s:.3f} s" == says
    page = " ".join((repository / "docs/experts.md").read_text(encoding="utf-8").split())
    assert says in page
    random = np.random.default_rng(0)
    shuffled = [random.permutation(hosts).tolist() for hosts in plan.placement]
    drawn_s = moe.evaluate(problem, shuffled).token_latency_s
    assert moe.evaluate_trace(problem, shuffled, trace).token_latency_s == pytest.approx(drawn_s, rel=0.005)
