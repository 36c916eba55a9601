"""Traces: their statistics against plain counting, closed forms, and what was measured of real ones."""

from __future__ import annotations

import itertools
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from constellm import moe
from oracles import experts


@pytest.fixture
def trace():
    """Three layers that know of each other: a small trace for plain counting."""
    random = np.random.default_rng(4)
    ids = np.array([[random.permutation(6)[:2] for _ in range(60)] for _ in range(3)])
    ids[2] = (ids[0] + 1) % 6
    return moe.ActivationTrace(ids, experts=6, offsets=[0, 1, 25, 60], layer_numbers=[2, 3, 5], name="small")


def pairs_of(trace, lag):
    for a, b in zip(trace.offsets[:-1], trace.offsets[1:]):
        yield from ((t, t + lag) for t in range(a, b - lag))


@pytest.mark.parametrize("lag", [1, 2, 24, 34])
def test_repeats_are_those_counted_one_by_one(trace, lag):
    found = trace.repeats(lag)
    pairs = list(pairs_of(trace, lag))
    assert (found.pairs, found.lag, found.layer_numbers) == (len(pairs), lag, (2, 3, 5))
    for layer, ids in enumerate(trace.expert_ids.tolist()):
        sets = [set(experts) for experts in ids]
        shared = sum(len(sets[s] & sets[t]) for s, t in pairs)
        assert found.rate[layer] == pytest.approx(shared / (2 * len(pairs)))
        # As if each later token stood behind any earlier one.
        crossed = sum(len(sets[s] & sets[t]) for (s, _), (_, t) in itertools.product(pairs, pairs))
        assert found.chance[layer] == pytest.approx(crossed / (2 * len(pairs) ** 2))
    np.testing.assert_allclose(found.lift, found.rate / found.chance)


def test_coactivations_are_those_counted_one_by_one(trace):
    for layer, other in itertools.permutations(range(3), 2):
        found = trace.coactivations(layer, other)
        counts = np.zeros((6, 6), dtype=int)
        for token in range(60):
            for i, j in itertools.product(*trace.expert_ids[[layer, other], token].tolist()):
                counts[i, j] += 1
        assert found.counts.tolist() == counts.tolist() and found.tokens == 60
        np.testing.assert_array_equal(found.counts, trace.coactivations(other, layer).counts.T)
        marginals = [trace.activations().counts[at] for at in (layer, other)]
        np.testing.assert_allclose(found.lift, counts * 60 / np.multiply.outer(*marginals))
    assert (
        trace.coactivations(0, 2).mutual_information_bits > trace.coactivations(0, 1).mutual_information_bits
    )


def test_pair_counts_are_those_counted_one_by_one(trace):
    for layer in range(3):
        counts = np.zeros((6, 6), dtype=int)
        for ids in trace.expert_ids[layer].tolist():
            for i, j in itertools.permutations(ids, 2):
                counts[i, j] += 1
        assert trace.pair_counts(layer).tolist() == counts.tolist()


def test_the_mean_latency_is_that_of_each_tokens_slowest_expert(trace):
    latency_s = np.random.default_rng(1).uniform(0.01, 0.05, (3, 6))
    slowest = [[latency_s[layer][ids].max() for ids in trace.expert_ids[layer]] for layer in range(3)]
    np.testing.assert_allclose(trace.mean_latency_s(latency_s), np.mean(slowest, axis=1), rtol=1e-12)
    weights = [0.4, 0.25, 0.2, 0.1, 0.05]
    drawn = moe.draw_trace([weights], top_k=2, tokens=60_000, seed=3)
    expected = experts.expected_s(weights, latency_s[0, :5], 2)
    assert drawn.mean_latency_s(latency_s[:1, :5]) == pytest.approx(expected, abs=5 * 0.04 / np.sqrt(60_000))


def test_mutual_information_has_its_closed_forms():
    entropy = moe.ActivationTrace(np.arange(8).repeat(2)[None, :, None].repeat(2, 0), experts=8)
    assert entropy.coactivations(0, 1).mutual_information_bits == pytest.approx(3.0)
    grid = np.array(list(itertools.product(range(4), range(4)))).T[:, :, None]
    apart = moe.ActivationTrace(grid, experts=5).coactivations(0, 1)
    assert apart.mutual_information_bits == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(apart.lift[4]).all() and (apart.lift[:4, :4] == 1.0).all()


def test_stretches_add_up(trace):
    whole = trace.activations()
    parts = [trace.activations(a, b) for a, b in ((0, 10), (10, 11), (11, 60))]
    assert sum(parts[1:], parts[0]) == whole == trace.activations(0, 60)
    assert whole.layer_numbers == (2, 3, 5) and whole.name == "small" and set(whole.tokens) == {60.0}


def test_the_order_of_a_tokens_experts_does_not_matter(trace):
    turned = moe.ActivationTrace(trace.expert_ids[:, :, ::-1], experts=6, offsets=trace.offsets)
    np.testing.assert_array_equal(turned.repeats().rate, trace.repeats().rate)
    np.testing.assert_array_equal(turned.pair_counts(1), trace.pair_counts(1))


def test_draws_have_the_shares_and_pairs_of_successive_sampling():
    weights, tokens = [0.4, 0.25, 0.2, 0.1, 0.05], 60_000
    for top_k in (1, 2, 3):
        trace = moe.draw_trace([weights], top_k=top_k, tokens=tokens, seed=top_k)
        found = trace.activations().shares[0]
        expected = experts.shares(weights, top_k)
        # Five standard errors of a share, from that of an indicator.
        np.testing.assert_allclose(found, expected, atol=5 * 0.5 / np.sqrt(tokens) / top_k)
        if top_k > 1:
            pairs = np.zeros((5, 5))
            for order, probability in experts.picks(weights, top_k):
                for i, j in itertools.permutations(order, 2):
                    pairs[i, j] += probability
            np.testing.assert_allclose(trace.pair_counts(0) / tokens, pairs, atol=5 * 0.5 / np.sqrt(tokens))


def test_what_persists_is_found_again():
    weights = moe.lognormal_weights(16, 0.8, layers=2, seed=2)
    drawn = moe.draw_trace(weights, top_k=4, tokens=40_000, persistence=0.3, seed=2)
    for lag in (1, 2, 3):
        np.testing.assert_allclose(drawn.repeats(lag).persistence, 0.3**lag, atol=0.02)
    fresh = moe.draw_trace(weights, top_k=4, tokens=40_000, seed=2)
    np.testing.assert_allclose(drawn.activations().shares, fresh.activations().shares, atol=0.005)
    np.testing.assert_allclose(fresh.repeats().lift, 1.0, atol=0.02)
    still = moe.draw_trace(weights, top_k=4, tokens=50, persistence=1.0)
    assert still.repeats().rate.tolist() == [1.0, 1.0] and np.isnan(still.repeats().persistence).all()


def test_seeds_fix_what_is_drawn():
    for weights in (moe.lognormal_weights, moe.zipf_weights):
        few, many = weights(8, 0.7, layers=2, seed=5), weights(8, 0.7, layers=4, seed=5)
        np.testing.assert_array_equal(few, many[:2])
        assert not np.array_equal(many[0], many[1]) and not np.array_equal(few, weights(8, 0.7, layers=2))
        np.testing.assert_allclose(many.sum(axis=1), 1.0, rtol=1e-12)
        few_drawn, many_drawn = (moe.draw_trace(w, top_k=2, tokens=90, seed=1) for w in (few, many))
        np.testing.assert_array_equal(few_drawn.expert_ids, many_drawn.expert_ids[:2])
    wide = moe.lognormal_weights(20_000, 0.5, seed=1)
    assert np.log(wide).std() == pytest.approx(0.5, rel=0.02)


def test_traces_are_values(trace):
    assert trace == pickle.loads(pickle.dumps(trace)) and trace != 3
    other = moe.ActivationTrace(trace.expert_ids, experts=6, layer_numbers=[2, 3, 5], name="small")
    assert other != trace and other == moe.ActivationTrace(
        trace.expert_ids, experts=6, layer_numbers=[2, 3, 5], name="small"
    )
    assert (
        repr(trace) == "ActivationTrace('small', 60 tokens in 3 sequences, 3 layers of 6 experts, 2 a token)"
    )
    assert not trace.expert_ids.flags.writeable and not trace.offsets.flags.writeable
    assert trace.expert_ids.dtype == np.uint16


def test_displays_have_a_row_a_layer(trace):
    rows = trace.summary().splitlines()[3:]
    assert [row.split()[0] for row in rows] == ["2", "3", "5"]
    assert "by chance" in trace.summary() and "<table" in trace._repr_html_()
    unordered = moe.ActivationTrace(trace.expert_ids, experts=6)
    assert "by chance" not in unordered.summary() and "in 3 sequences" not in repr(unordered)
    assert trace.repeats().summary().startswith("Experts that repeat: 3 layers, 57 pairs 1 token apart\n")
    found = trace.coactivations(0, 2)
    assert repr(found) == "Coactivations(layers 2 and 5, 60 tokens, 2 experts of each)"
    assert len(found.summary().splitlines()) == 12


IDS = [[[0, 1], [1, 2]]]


@pytest.mark.parametrize(
    ("ids", "keywords", "says"),
    [
        ([[0, 1]], {}, "expert_ids: expected integers of shape (layers, tokens, top_k), got [[0, 1]]"),
        ([[[0.0, 1.0]]], {}, "expert_ids: expected integers of shape"),
        ([[[0], [1, 2]]], {}, "expert_ids: expected integers of shape"),
        ([[[0, 1], [3, 2]]], {}, "expert_ids[0][1]: 3 is not in [0, 2]"),
        ([[[0, 1], [-1, 2]]], {}, "expert_ids[0][1]: -1 is not in [0, 2]"),
        ([[[0, 1], [2, 2]]], {}, "expert_ids[0][1]: expert 2 stands twice in [2, 2]"),
        (IDS, {"experts": 0}, "experts: 0 is not in [1, 65536]"),
        (IDS, {"offsets": [0]}, "offsets: 0 … 0 are not 0 … 2, the tokens"),
        (IDS, {"offsets": [0, 1]}, "offsets: 0 … 1 are not 0 … 2, the tokens"),
        (IDS, {"offsets": [0, 1, 1, 2]}, "offsets[2]: 1 is not in [2, 2]"),
        (IDS, {"offsets": [0.0, 2.0]}, "offsets: expected integers of shape (sequences + 1)"),
        (IDS, {"layer_numbers": [1, 2]}, "layer_numbers: 2 of them are not 1, one a layer"),
        (IDS, {"name": None}, "name: expected text, got None"),
    ],
)
def test_what_is_no_trace_is_refused(ids, keywords, says):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)):
        moe.ActivationTrace(ids, **{"experts": 3, **keywords})


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: t.repeats(0), "lag: 0 is not in [1, 34]"),
        (lambda t: t.repeats(35), "lag: 35 is not in [1, 34]"),
        (lambda t: moe.ActivationTrace(IDS, experts=3).repeats(), "offsets: None, so that nothing is known"),
        (lambda t: moe.ActivationTrace(IDS, experts=3, offsets=[0, 1, 2]).repeats(), "offsets: no sequence"),
        (lambda t: t.coactivations(1, 1), "other: 1 is the layer itself"),
        (lambda t: t.coactivations(0, 3), "other: 3 is not in [0, 2]"),
        (lambda t: t.pair_counts(-1), "layer: -1 is not in [0, 2]"),
        (lambda t: t.mean_latency_s([[1.0]]), "latency_s: shape (1, 1) is not (3, 6)"),
        (lambda t: t.mean_latency_s(np.full((3, 6), -1)), "latency_s[0][0]: -1 is not in [0, inf)"),
        (lambda t: t.activations(60), "start: 60 is not in [0, 59]"),
        (lambda t: t.activations(5, 5), "stop: 5 is not in [6, 60]"),
        (lambda t: moe.lognormal_weights(0, 1.0), "experts: 0 is not in [1, 65536]"),
        (lambda t: moe.lognormal_weights(4, -1.0), "sigma: -1.0 is not in [0, 50]"),
        (lambda t: moe.zipf_weights(4, np.nan), "exponent: nan is not in [0, 50]"),
        (lambda t: moe.zipf_weights(4, layers=0), "layers: 0 is not in [1, 2500000]"),
        (
            lambda t: moe.draw_trace([0.5], top_k=1, tokens=1),
            "weights: expected numbers of shape (layers, exp",
        ),
        (lambda t: moe.draw_trace([[1, 0]], top_k=1, tokens=1), "weights[0][1]: 0 is not in (0, inf)"),
        (lambda t: moe.draw_trace([[1, 1]], top_k=3, tokens=1), "top_k: 3 is not in [1, 2]"),
        (lambda t: moe.draw_trace([[1, 1]], top_k=1, tokens=10**9), "tokens: 1000000000 is not in [1, 20000"),
        (
            lambda t: moe.draw_trace([[1, 1]], top_k=1, tokens=1, persistence=1.5),
            "persistence: 1.5 is not in [0, 1]",
        ),
        (lambda t: moe.draw_trace([[1, 1]], top_k=1, tokens=1, seed=-1), "seed: -1 is not in [0, inf)"),
    ],
)
def test_wrong_calls_are_refused(trace, call, says):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)):
        call(trace)


@pytest.fixture(scope="module", params=["intent", "law"])
def measured(request):
    data = os.environ.get("CONSTELLM_DATA")
    if data is None:
        pytest.skip("CONSTELLM_DATA is not set")
    path = Path(data) / "moe_traces" / f"{request.param}.npz"
    return moe.load_trace(path, layer_numbers=range(1, 27))


def test_counts_of_the_measured_traces_are_those_shipped(measured):
    shipped = moe.sample_activations("deepseek-v2-lite", domain=measured.name)
    np.testing.assert_array_equal(measured.activations().counts, shipped.counts)
    assert (measured.layers, measured.experts, measured.top_k) == (26, 64, 6)


@pytest.fixture
def page(repository):
    """What the documentation tells of the measured traces, with single spaces."""
    return " ".join((repository / "docs/how-to/expert-activations.md").read_text(encoding="utf-8").split())


def test_experts_of_the_measured_traces_repeat_far_above_chance(measured, page):
    near, far = measured.repeats(), measured.repeats(16)
    assert (near.rate > near.chance).all() and near.rate.mean() > far.rate.mean()
    expected = {"law": (0.2901, 0.1309), "intent": (0.2624, 0.1548)}[measured.name]
    assert (near.rate.mean(), near.chance.mean()) == pytest.approx(expected, abs=5e-5)
    rate, chance = (f"{100 * figure.mean():.0f} %" for figure in (near.rate, near.chance))
    told = {"law": f"{rate} of a token's experts were the previous token's on texts of law, against {chance}"}
    assert told.get(measured.name, f"({rate} against {chance} on intents)") in page


def test_layers_of_the_measured_traces_know_of_each_other(measured, page):
    next_to = [measured.coactivations(i, i + 1).mutual_information_bits for i in range(25)]
    bias = 63**2 / (2 * np.log(2) * measured.tokens * 36)
    assert min(next_to) > 10 * bias
    assert f"{min(next_to):.2f} to {max(next_to):.2f} bit" in page


def test_measured_tokens_wait_less_than_sampling_says(measured, page):
    """Experts that are activated often go together, which sampling by weights leaves out."""
    found = measured.activations().with_prior(0.5)
    weights = found.sampling_weights()
    random, places_s = np.random.default_rng(0), np.linspace(0.01, 0.03, 64)

    def gap(latency_s):
        sampled = [moe.expected_latency_s(w, row, found.top_k) for w, row in zip(weights, latency_s)]
        return measured.mean_latency_s(latency_s).sum() / np.sum(sampled) - 1.0

    by_rank = np.argsort(np.argsort(-found.shares, axis=1, kind="stable"), axis=1)
    at_random = [gap(places_s[[random.permutation(64) for _ in range(26)]]) for _ in range(5)]
    assert max(map(abs, at_random)) < 0.005
    told = {"law": "{:.1f} % less on law", "intent": "{:.1f} % less on intents"}[measured.name]
    assert told.format(-100 * gap(places_s[by_rank])) in page
