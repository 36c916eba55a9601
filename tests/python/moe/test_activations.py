"""Counts of activations: shares and what is said of them, against scipy and published figures."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from constellm import moe
from oracles import experts

COUNTS = arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(2, 9)), elements=st.integers(1, 10**6))


@given(COUNTS)
def test_shares_are_of_the_layer(counts):
    found = moe.Activations(counts, top_k=1)
    assert (found.layers, found.experts) == counts.shape
    np.testing.assert_allclose(found.shares.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(found.tokens, counts.sum(axis=1))
    np.testing.assert_allclose(found.top_over_uniform, counts.max(axis=1) / counts.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.log_share_sd, np.log(counts).std(axis=1), rtol=1e-9, atol=1e-12)


@given(COUNTS)
def test_the_zipf_exponent_is_the_most_likely(counts):
    optimize = pytest.importorskip("scipy.optimize")
    for layer, exponent in zip(counts, moe.Activations(counts, top_k=1).zipf_exponent):
        ranked = np.sort(layer)[::-1]
        log_rank = np.log(np.arange(1, len(ranked) + 1))

        def negative_log_likelihood(s, ranked=ranked, log_rank=log_rank):
            return s * (ranked @ log_rank) / ranked.sum() + np.log(np.exp(-s * log_rank).sum())

        found = optimize.minimize_scalar(negative_log_likelihood, bounds=(0, 60), method="bounded")
        assert negative_log_likelihood(exponent) <= found.fun + 1e-12


def test_the_exponent_of_an_exact_zipf_law_is_found():
    for exponent in (0.0, 0.3, 1.0, 4.0, 40.0):
        weights = moe.zipf_weights(16, exponent, layers=2, seed=3)
        found = moe.Activations(weights, top_k=1).zipf_exponent
        np.testing.assert_allclose(found, exponent, rtol=1e-9, atol=1e-12)
    edges = moe.Activations([[5.0, 0.0, 0.0]], top_k=1)
    assert edges.zipf_exponent.tolist() == [np.inf] and np.isnan(edges.log_share_sd).all()
    assert np.isnan(moe.Activations([[5]], top_k=1).zipf_exponent).all()


# Means over layers and domains, as a study of the same counts has them.
KNOWN = [
    ("mixtral-8x7b", moe.SAMPLE_ACTIVATIONS["mixtral-8x7b"], 1.18, 0.16, 0.14),
    ("olmoe-1b-7b", ("c4",), 2.7, 0.35, 0.42),
    ("olmoe-1b-7b", moe.SAMPLE_ACTIVATIONS["olmoe-1b-7b"], 4.7, 0.60, 0.85),
    ("deepseek-v2-lite", ("law",), 3.5, 0.47, 0.59),
    ("deepseek-v2-lite", ("intent",), 3.8, 0.60, 0.89),
]


@pytest.mark.parametrize(("model", "domains", "top", "zipf", "sd"), KNOWN)
def test_samples_have_the_known_skew(model, domains, top, zipf, sd):
    found = [moe.sample_activations(model, domain=domain) for domain in domains]
    assert np.mean([one.top_over_uniform for one in found]) == pytest.approx(top, abs=0.051)
    assert np.mean([one.zipf_exponent for one in found]) == pytest.approx(zipf, abs=0.0051)
    assert np.mean([one.log_share_sd for one in found]) == pytest.approx(sd, abs=0.0051)


@pytest.mark.parametrize("model", moe.SAMPLE_ACTIVATIONS)
def test_samples_have_as_many_tokens_in_every_layer(model):
    domains = moe.SAMPLE_ACTIVATIONS[model]
    found = [moe.sample_activations(model, domain=domain) for domain in domains]
    for one in found:
        assert len(set(one.tokens.tolist())) == 1 and one.tokens[0] == int(one.tokens[0])
    whole = moe.sample_activations(model)
    np.testing.assert_array_equal(whole.counts, sum(one.counts for one in found))
    assert whole.name == model and found[0].name == f"{model}, {domains[0]}"
    assert sum(found[1:], found[0]).counts.tolist() == whole.counts.tolist()


def test_activations_are_values():
    one, other = (moe.sample_activations("mixtral-8x7b", domain=domain) for domain in ("c4", "book"))
    assert one == pickle.loads(pickle.dumps(one)) and one != other and one != 3
    assert not one.counts.flags.writeable
    assert repr(one) == "Activations('mixtral-8x7b, c4', 3 layers of 8 experts, 2 a token)"
    assert (one + other).name == "mixtral-8x7b, c4 + mixtral-8x7b, book" and (one + one).name == one.name
    np.testing.assert_array_equal((one + other).counts, one.counts + other.counts)
    with pytest.raises(TypeError, match="unsupported operand"):
        one + 1


def test_distance_is_a_metric_between_0_and_1():
    weights = moe.lognormal_weights(6, 1.0, layers=3, seed=0)
    a, b, c = (moe.Activations(row[None], top_k=1) for row in weights)
    assert a.distance(a).tolist() == [0.0] and a.distance(b) == b.distance(a) > 0.0
    assert a.distance(c) <= a.distance(b) + b.distance(c)
    far = moe.Activations([[1, 0]], top_k=1).distance(moe.Activations([[0, 3]], top_k=1))
    assert far.tolist() == [1.0]


def test_a_prior_leaves_no_expert_out():
    found = moe.Activations([[6, 4, 2, 0]], top_k=2).with_prior(0.5)
    assert found.counts.tolist() == [[6.5, 4.5, 2.5, 0.5]] and found.tokens.tolist() == [7.0]
    assert moe.Activations([[6, 4]], top_k=1).with_prior(0).counts.tolist() == [[6.0, 4.0]]


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_sampling_weights_have_the_shares(top_k):
    weights = moe.lognormal_weights(6, 0.5, layers=3, seed=top_k)
    counts = np.array([experts.shares(row, top_k) for row in weights.tolist()])
    found = moe.Activations(1e6 * counts, top_k=top_k).sampling_weights()
    np.testing.assert_allclose(found, weights, rtol=1e-9)


@pytest.mark.parametrize("model", moe.SAMPLE_ACTIVATIONS)
def test_sampling_weights_of_the_samples_give_their_shares_back(model):
    found = moe.sample_activations(model)
    weights = found.sampling_weights()
    again = [moe.activation_shares(row, found.top_k) for row in weights]
    np.testing.assert_allclose(again, found.shares, rtol=1e-9)
    assert (np.log(weights).std(axis=1) > found.log_share_sd).all()  # shares are flatter


def test_what_no_weights_give_is_refused():
    for counts, top_k in (([[3, 1], [4, 0]], 1), ([[3, 2, 2], [4, 2, 2]], 2)):
        with pytest.raises(ValueError, match=r"^layer 5: shares\[\d\]"):
            moe.Activations(counts, top_k=top_k, layer_numbers=[3, 5]).sampling_weights()


def test_shares_do_as_counts():
    shares = moe.sample_activations("deepseek-v2-lite", domain="law").shares
    again = moe.Activations(shares, top_k=6, layer_numbers=range(1, 27))
    np.testing.assert_allclose(again.shares, shares, rtol=1e-12)
    always = moe.Activations([[0.1 + 0.2, 0.15, 0.15]], top_k=2)  # one by every token, but for rounding
    assert always.shares.max() == pytest.approx(0.5)


def test_the_summary_has_a_row_a_layer():
    found = moe.sample_activations("olmoe-1b-7b", domain="c4")
    text = found.summary()
    assert text.startswith("Activations of experts: 'olmoe-1b-7b, c4', 3 layers of 64 experts, 8 a token\n")
    assert [line.split()[:2] for line in text.splitlines()[3:]] == [[str(n), "208896"] for n in (0, 7, 15)]
    assert "<table" in found._repr_html_()


def test_xarray_has_layers_by_number():
    pytest.importorskip("xarray")
    found = moe.sample_activations("olmoe-1b-7b", domain="c4")
    data = found.to_xarray()
    assert data.sizes == {"layer": 3, "expert": 64} and data.attrs["top_k"] == 8
    np.testing.assert_array_equal(data.shares.sel(layer=15), found.shares[2])


@pytest.mark.parametrize(
    ("counts", "keywords", "says"),
    [
        ([1, 2], {}, "counts: expected numbers of shape (layers, experts), got [1, 2]"),
        ([[]], {}, "counts: expected numbers of shape (layers, experts)"),
        ([[1, 2], [3]], {}, "counts: expected numbers of shape (layers, experts)"),
        ([["a", "b"]], {}, "counts: expected numbers of shape (layers, experts)"),
        ([[True, False]], {}, "counts: expected numbers of shape (layers, experts)"),
        ([[1, -2]], {}, "counts[0][1]: -2 is not in [0, inf)"),
        ([[1, 2], [np.nan, 1]], {}, "counts[1][0]: nan is not in [0, inf)"),
        ([[1, 2], [0, 0]], {}, "counts[1]: their sum, 0, is not in (0, inf)"),
        ([[1e308, 1e308]], {}, "counts[0]: their sum, inf, is not in (0, inf)"),
        ([[3, 1, 1]], {"top_k": 2}, "counts[0][0]: 3 is not in [0, 2.5], the layer's tokens"),
        ([[1, 2]], {"top_k": 3}, "top_k: 3 is not in [1, 2]"),
        ([[1, 2]], {"top_k": 1.0}, "top_k: expected an integer, got 1.0"),
        ([[1, 2]], {"layer_numbers": [1, 2]}, "layer_numbers: 2 of them are not 1, one a layer"),
        ([[1, 2]] * 2, {"layer_numbers": [3, 3]}, "layer_numbers[1]: 3 is not in [4, inf)"),
        ([[1, 2]], {"layer_numbers": [-1]}, "layer_numbers[0]: -1 is not in [0, inf)"),
        ([[1, 2]], {"layer_numbers": 4}, "layer_numbers: expected integers, got 4"),
        ([[1, 2]], {"name": 4}, "name: expected text, got 4"),
    ],
)
def test_what_no_tokens_can_have_made_is_refused(counts, keywords, says):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)):
        moe.Activations(counts, **{"top_k": 1, **keywords})


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda a: a.distance(3), "other: expected an Activations, got 3"),
        (lambda a: a + moe.Activations([[1, 2, 3]], top_k=1), "experts: 3 of the other are not 2"),
        (
            lambda a: a + moe.Activations([[1, 2]], top_k=1, layer_numbers=[4]),
            "layer_numbers: (4,) of the other are not (0,)",
        ),
        (lambda a: a + moe.Activations([[1, 1]], top_k=2), "top_k: 2 of the other are not 1"),
        (lambda a: a.with_prior(-1), "prior: -1 is not in [0, inf)"),
        (lambda a: moe.sample_activations("olmo"), "model: unknown 'olmo'"),
        (lambda a: moe.sample_activations("mixtral-8x7b", domain="law"), "domain: unknown 'law'"),
        (lambda a: moe.sample_activations(8), "model: expected text, got 8"),
    ],
)
def test_wrong_calls_are_refused(call, says):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)):
        call(moe.Activations([[2, 1]], top_k=1))
