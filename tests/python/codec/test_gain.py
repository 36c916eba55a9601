"""Gains of cuts, and that every rule of accumulation is additive."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import codec, network
from constellm._core.model import Layer
from constellm._core.split import evaluate
from constellm.split import Problem, Stage

FACTORS = st.lists(st.just(0.0) | st.floats(1e-3, 4.0), min_size=1, max_size=12)


@given(FACTORS)
def test_is_the_product_of_what_follows(factors):
    expected = [math.prod(factors[i + 1 :]) for i in range(len(factors))]
    np.testing.assert_allclose(codec.propagated_gain(factors), expected, rtol=1e-12)


@given(FACTORS, st.floats(1e-6, 1.0))
def test_walking_an_error_through_the_layers_ends_at_gain_times_error(factors, error):
    gain = codec.propagated_gain(factors)
    for cut in range(len(factors)):
        walked = error
        for factor in factors[cut + 1 :]:
            walked *= factor
        assert walked == pytest.approx(gain[cut] * error, rel=1e-12)


@pytest.mark.parametrize(("rule", "combine"), [("sum", sum), ("root_sum_square", lambda e: math.hypot(*e))])
def test_the_evaluator_adds_weighed_errors(rule, combine):
    factors = [1.5, 0.5, 2.0, 1.25]
    gain = codec.propagated_gain(factors)
    layers = [
        Layer(name=f"l{i}", flop=1e9, memory_bytes=1e6, output_bytes=1e6, error_gain=g)
        for i, g in enumerate(gain)
    ]
    menu = codec.menu("quantise", bits=(2, 4, 8))
    problem = Problem(
        layers=layers,
        input_bytes=1e6,
        codecs=menu,
        error_rule=rule,
        network=network.chain(4, flop_per_s=1e12, memory_bytes=1e9, rate_bps=1e9),
    )
    stages = [
        Stage(node=f"s{i}", first_layer=i, last_layer=i, codec=menu[i].name if i < 3 else None)
        for i in range(4)
    ]
    found = evaluate(problem, [f"s{i}" for i in range(4)], stages).error
    assert found == pytest.approx(combine([menu[i].error * gain[i] for i in range(3)]), rel=1e-12)


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ([], "at least one layer"),
        ([[1.0, 2.0]], r"got \(1, 2\)"),
        ([1.0, -0.5], r"layer_gain\[1\]: -0.5 is not in \[0, inf\)"),
        ([1.0, math.nan], r"layer_gain\[1\]: nan"),
        ([1.0, 1e200, 1e200], "beyond the largest double"),
    ],
)
def test_bad_factors(factors, says):
    with pytest.raises(ValueError, match=says):
        codec.propagated_gain(factors)


def test_gains_bound_what_linear_layers_do_to_errors():
    """The recursion behind the gain, on random matrices with their condition numbers as factors."""
    rng = np.random.default_rng(7)
    width, depth, cuts = 12, 6, (0, 2, 3)
    for _ in range(50):
        layers = [np.eye(width) + 0.1 * rng.normal(size=(width, width)) for _ in range(depth)]
        errors = dict.fromkeys(cuts, 1e-4)
        exact = sent = rng.normal(size=width)
        for position, weights in enumerate(layers):
            exact, sent = weights @ exact, weights @ sent
            if position in errors:
                noise = rng.normal(size=width)
                sent = sent + noise * errors[position] * np.linalg.norm(sent) / np.linalg.norm(noise)
        gain = codec.propagated_gain([np.linalg.cond(weights) for weights in layers])
        first_order = sum(gain[cut] * error for cut, error in errors.items())
        found = np.linalg.norm(sent - exact) / np.linalg.norm(exact)
        assert 0 < found <= first_order * (1 + first_order)
