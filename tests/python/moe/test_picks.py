"""Which experts are picked: expected maxima, activation shares and sampling weights."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from constellm import moe
from oracles import experts


def weights_of(rng: np.random.Generator, count: int) -> np.ndarray:
    spread = rng.choice([0.0, 0.5, 3.0])
    return np.exp(rng.normal(0, spread, count))


def drawn(rng: np.random.Generator, weights: np.ndarray, top_k: int, tokens: int) -> np.ndarray:
    """Picks of many tokens, (tokens, top_k): the largest of ln w plus Gumbel noise (Efraimidis, Spirakis)."""
    keys = np.log(weights) + rng.gumbel(size=(tokens, len(weights)))
    return np.argpartition(-keys, top_k - 1, axis=1)[:, :top_k]


# ---- the expected maximum --------------------------------------------------------------------


def test_expected_latency_is_the_sum_over_all_picks(random_problems):
    rng = np.random.default_rng(1)
    for _ in range(random_problems):
        count = int(rng.integers(1, 7))
        top_k = int(rng.integers(1, min(count, 4) + 1))
        weights = weights_of(rng, count)
        latency_s = rng.choice([0.0, 0.5, 1.0], count) if rng.random() < 0.2 else rng.uniform(0, 1, count)
        found = moe.expected_latency_s(weights, latency_s, top_k)
        assert isinstance(found, float)
        assert found == pytest.approx(experts.expected_s(weights, latency_s, top_k), rel=1e-11, abs=1e-300)


@pytest.mark.parametrize(("count", "top_k"), [(8, 6), (16, 4), (17, 4), (64, 6), (60, 59), (256, 8)])
def test_equal_weights_have_a_closed_form(count, top_k):
    """P(all picks among the j nearest) = C(j, k) / C(n, k)."""
    latency_s = np.sort(np.random.default_rng(count).uniform(1, 2, count))
    within = [math.comb(j, top_k) / math.comb(count, top_k) for j in range(count + 1)]
    closed = math.fsum(s * (b - a) for s, a, b in zip(latency_s, within, within[1:]))
    assert moe.expected_latency_s(np.full(count, 3.0), latency_s, top_k) == pytest.approx(closed, rel=1e-11)
    assert moe.activation_shares(np.ones(count), top_k) == pytest.approx(1 / count, rel=1e-11)


def test_one_and_all_and_two_picks_have_closed_forms():
    rng = np.random.default_rng(2)
    for _ in range(50):
        weights, latency_s = weights_of(rng, 30), np.sort(rng.uniform(0, 1, 30))
        w = weights / weights.sum()
        assert moe.expected_latency_s(weights, latency_s, 1) == pytest.approx(w @ latency_s, rel=1e-12)
        assert moe.expected_latency_s(weights, latency_s, 30) == pytest.approx(latency_s[-1], rel=1e-12)
        within = [math.fsum(w[i] * (w[:j].sum() - w[i]) / (1 - w[i]) for i in range(j)) for j in range(31)]
        two = math.fsum(s * (b - a) for s, a, b in zip(latency_s, within, within[1:]))
        assert moe.expected_latency_s(weights, latency_s, 2) == pytest.approx(two, rel=1e-9)


@pytest.mark.parametrize(("count", "top_k"), [(8, 2), (16, 3), (40, 6)])
def test_expectations_are_what_is_drawn(count, top_k):
    rng = np.random.default_rng(count)
    tokens = 200_000
    weights, latency_s = np.exp(rng.normal(0, 0.85, count)), rng.uniform(0.01, 0.06, count)
    picks = drawn(rng, weights, top_k, tokens)
    slowest_s = latency_s[picks].max(axis=1)
    error_s = slowest_s.std() / math.sqrt(tokens)
    assert moe.expected_latency_s(weights, latency_s, top_k) == pytest.approx(
        slowest_s.mean(), abs=4.5 * error_s
    )
    inclusion = top_k * moe.activation_shares(weights, top_k)
    picked = np.bincount(picks.ravel(), minlength=count) / tokens
    assert (np.abs(picked - inclusion) < 4.5 * np.sqrt(inclusion * (1 - inclusion) / tokens)).all()


def test_slower_satellites_and_more_picks_take_longer():
    rng = np.random.default_rng(3)
    for _ in range(50):
        weights, latency_s = weights_of(rng, 9), rng.uniform(0, 1, 9)
        by_picks = [moe.expected_latency_s(weights, latency_s, k) for k in range(1, 10)]
        assert by_picks == sorted(by_picks)
        slower = moe.expected_latency_s(weights, latency_s + rng.uniform(0, 1, 9), 3)
        assert slower >= moe.expected_latency_s(weights, latency_s, 3)


def test_the_order_of_experts_does_not_matter():
    rng = np.random.default_rng(4)
    for count, top_k in itertools.product((5, 20), (1, 2, 3, 5)):
        weights, latency_s = weights_of(rng, count), rng.uniform(0, 1, count)
        order = rng.permutation(count)
        assert moe.expected_latency_s(weights[order], latency_s[order], top_k) == pytest.approx(
            moe.expected_latency_s(weights, latency_s, top_k), rel=1e-11
        )
        shares = moe.activation_shares(weights, top_k)
        assert moe.activation_shares(weights[order], top_k) == pytest.approx(shares[order], rel=1e-10)


# ---- shares and weights ----------------------------------------------------------------------


def test_shares_are_those_of_all_picks(random_problems):
    rng = np.random.default_rng(5)
    for _ in range(random_problems):
        count = int(rng.integers(1, 7))
        top_k = int(rng.integers(1, min(count, 4) + 1))
        weights = weights_of(rng, count)
        shares = moe.activation_shares(weights, top_k)
        assert shares == pytest.approx(experts.shares(weights, top_k), rel=1e-10)
        assert shares.sum() == pytest.approx(1, rel=1e-11)
        assert (np.diff(shares[np.argsort(weights)]) >= -1e-10).all()  # the heavier, the more often picked


@pytest.mark.parametrize("top_k", [1, 2, 3, 4, 8])
def test_weights_go_to_shares_and_back(top_k):
    rng = np.random.default_rng(top_k)
    for count in (top_k + 1, 12, 24):
        weights = np.exp(rng.normal(0, 0.5, count))
        shares = moe.activation_shares(weights, top_k)
        again = moe.sampling_weights(shares, top_k)
        assert again == pytest.approx(weights / weights.sum(), rel=1e-6)
        assert moe.activation_shares(again, top_k) == pytest.approx(shares, rel=1e-11)


def test_the_published_shares():
    shares = moe.activation_shares([0.35, 0.25, 0.20, 0.12, 0.08], 2)
    assert (2 * shares).round(5).tolist() == [0.63233, 0.50295, 0.41902, 0.26505, 0.18065]


def test_shares_need_not_add_up_to_one():
    counts = [400, 300, 200, 100, 50]
    assert (moe.sampling_weights(counts, 1) == np.divide(counts, sum(counts))).all()
    weights = moe.sampling_weights(counts, 2)
    assert weights.sum() == pytest.approx(1)
    assert 1050 * moe.activation_shares(weights, 2) == pytest.approx(counts, rel=1e-11)


def test_shares_of_as_many_picks_as_experts_say_nothing():
    assert moe.sampling_weights([1, 1, 1], 3).tolist() == [1 / 3] * 3
    with pytest.raises(ValueError, match=r"shares\[0\] over their sum: 0.4\d* is not in \(0, 1 / top_k"):
        moe.sampling_weights([4, 3, 3], 3)


@pytest.mark.parametrize("shares", [[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [3, 1, 1]])
def test_no_weights_give_a_share_of_one_over_top_k(shares):
    with pytest.raises(ValueError, match=r"^shares\[0\] over their sum: .* is not in \(0, 1 / top_k = 0.5\)"):
        moe.sampling_weights(shares, 2)


def test_a_share_next_to_one_over_top_k_is_found_or_refused():
    for off in (1e-2, 1e-4, 1e-6, 1e-9, 1e-12):
        shares = np.array([0.5 - off, 0.3, 0.2 + off])
        try:
            weights = moe.sampling_weights(shares, 2)
        except ValueError as error:
            assert off < 1e-4 and "the largest is too close to 1 / top_k = 0.5" in str(error)
        else:
            assert moe.activation_shares(weights, 2) == pytest.approx(shares, rel=1e-11)


# ---- what is refused -------------------------------------------------------------------------

CALLS = {
    "weights": lambda values, top_k=1: moe.activation_shares(values, top_k),
    "shares": lambda values, top_k=1: moe.sampling_weights(values, top_k),
    "latency_s": lambda values, top_k=1: moe.expected_latency_s([1.0, 2.0], values, top_k),
}


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, -math.inf, -1e-300], ids=repr)
@pytest.mark.parametrize("name", CALLS)
def test_number_out_of_range(name, value):
    with pytest.raises(ValueError, match=rf"^{name}\[1\]: .* is not in .0, inf\)$") as caught:
        CALLS[name]([1.0, value])
    assert str(value).removesuffix(".0") in str(caught.value)


@pytest.mark.parametrize("name", ["weights", "shares"])
def test_none_is_zero(name):
    with pytest.raises(ValueError, match=rf"^{name}\[0\]: 0 is not in \(0, inf\)$"):
        CALLS[name]([0.0, 1.0])


@pytest.mark.parametrize("values", ["ab", None, [True, False], [1j, 2j], ["1", "2"], {}], ids=repr)
@pytest.mark.parametrize("name", CALLS)
def test_not_numbers(name, values):
    with pytest.raises(TypeError, match=f"^{name}: expected numbers, got "):
        CALLS[name](values)


@pytest.mark.parametrize("name", CALLS)
def test_wrong_shape(name):
    with pytest.raises(ValueError, match=rf"^{name}: expected one dimension, got shape \(1, 2\)"):
        CALLS[name]([[1.0, 2.0]])


def test_as_many_latencies_as_weights():
    with pytest.raises(ValueError, match="^latency_s: 3 numbers for 2 weights$"):
        moe.expected_latency_s([1, 2], [1, 2, 3], 1)


@pytest.mark.parametrize("name", CALLS)
def test_top_k_out_of_range(name):
    for top_k in (0, -1, 3, 2**31 - 1, 2**31, 10**400):
        with pytest.raises(ValueError, match=r"^top_k: .* is not in \[1, "):
            CALLS[name]([0.5, 0.5], top_k)
    for top_k in (1.0, True, "1", None, np.array(1)):
        with pytest.raises(TypeError, match="^top_k: expected an integer, got "):
            CALLS[name]([0.5, 0.5], top_k)


def test_weights_that_are_too_far_apart():
    with pytest.raises(ValueError, match=r"^weights\[1\] over their sum: 1e-200 is not in \[1e-100, 1\]$"):
        moe.activation_shares([1.0, 1e-200], 1)
    with pytest.raises(ValueError, match=r"^weights added up: inf is not in \(0, inf\)$"):
        moe.activation_shares([1e308, 1e308], 1)
    with pytest.raises(ValueError, match=r"^layers\[0\].weights\[1\] over their sum: 1e-200 is not in "):
        moe.Problem([moe.Layer([1.0, 1e-200], [[0.1, 0.1]])], top_k=1)
