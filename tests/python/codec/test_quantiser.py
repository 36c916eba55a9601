"""The quantiser: error bounds at every magnitude, clipping, rounding."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellm import codec
from constellm.codec import Scheme, laplace
from oracles import activation_codec as oracle
from python.codec.activations import SPARSIFY, activation, keep_of, mask_of


def test_no_value_is_farther_off_than_half_a_step():
    """Of the widest step, as narrow as cells can make it; with stochastic rounding, than a whole one."""
    rng = np.random.default_rng(0)
    for bits, skew, sparsify in itertools.product(range(2, 9), (1, 0.3, 40), ("none", "top-k")):
        x = rng.normal(size=(64, 128))
        x = np.where(x < 0, skew * x, x).astype(np.float32)
        for rounding, of_step, spare in (("nearest", 0.5, 0), ("stochastic", 1.0, 1)):
            scheme = Scheme(sparsify=sparsify, keep=keep_of(sparsify), bits=bits, rounding=rounding)
            x_hat = codec.decode(codec.encode(x, scheme))
            kept = oracle.select(x, scheme, None)
            below, above = x[kept & (x < 0)], x[kept & (x > 0)]
            steps = 2**bits - 2 * spare
            if below.size and above.size:
                step = min(max(np.ptp(below) / m, np.ptp(above) / (steps - m)) for m in range(1, steps))
            else:
                step = np.ptp(x[kept]) / (2**bits - spare)
            off = np.abs(x_hat - x)[kept].max()
            assert off <= 1.0001 * of_step * step, (bits, skew, sparsify, rounding)


@st.composite
def of_any_magnitude(draw):
    """Values of one or both signs, some of them 0, with exponents from anywhere in the range of the dtype."""
    dtype, least, most = draw(st.sampled_from([(np.float32, -149, 127.99), (np.float16, -24, 15.99)]))
    low, high = sorted(draw(st.tuples(st.floats(least, most), st.floats(least, most))))
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 40)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    signs = draw(st.sampled_from([(-1, 1), (1,), (-1,), (-1, 0, 1)]))
    return (random.choice(signs, shape) * np.exp2(random.uniform(low, high, shape))).astype(dtype)


def scale_of(group: np.ndarray) -> float:
    """The largest magnitude rounded up to 13 bits, at most the largest finite number of so few."""
    bits = int(np.float32(np.abs(group).max(initial=0)).view(np.uint32))
    return float(np.uint32(min(-(-bits >> 18), 0x1FDF) << 18).view(np.float32))


def allowed_error(x: np.ndarray, scheme: Scheme) -> np.ndarray:
    """What docs/codec.md promises of every element: half a step, or a whole one, and rounding."""
    rows = x.astype(float)
    width = {"tensor": x.size, "token": x.shape[1], "block": scheme.block}[scheme.scale]
    scale = np.ones(rows.shape)
    if scheme.scale != "tensor":
        for row, begin in itertools.product(range(len(rows)), range(0, x.shape[1], width)):
            scale[row, begin : begin + width] = scale_of(rows[row, begin : begin + width])
    scaled = np.divide(rows, scale, out=np.zeros(rows.shape), where=scale > 0)
    below, above = scaled[np.signbit(x)], scaled[~np.signbit(x)]
    ends = 1 if scheme.rounding == "stochastic" else 0
    steps = 2**scheme.bits - 2 * ends
    if below.size and above.size:
        step = min(max(np.ptp(below) / m, np.ptp(above) / (steps - m)) for m in range(1, steps))
    else:
        step = np.ptp(scaled) / (2**scheme.bits - ends)
    rounding = 4 * np.spacing(np.abs(x).astype(np.float32)) + np.spacing(np.abs(x)) + scale * 2.0**-149
    return (1.0 if ends else 0.5) * 1.001 * step * scale + rounding


@given(
    x=of_any_magnitude(),
    bits=st.integers(2, 8),
    scale=st.sampled_from(["tensor", "token", "block"]),
    rounding=st.sampled_from(["nearest", "stochastic"]),
)
def test_half_a_step_holds_at_every_magnitude(x, bits, scale, rounding):
    """Down to the smallest subnormal number, up to the largest, and with both in one array."""
    scheme = Scheme(bits=bits, scale=scale, block=7, rounding=rounding, seed=bits)
    off = np.abs(codec.decode(codec.encode(x, scheme)).astype(float) - x.astype(float))
    assert np.all(off <= allowed_error(x, scheme))


def test_values_below_the_normal_numbers_keep_their_cells():
    y = (np.linspace(-4, 4, 64) * 1e-38).astype(np.float32)
    for rounding, of_step in (("nearest", 0.5), ("stochastic", 1.0)):
        y_hat = codec.decode(codec.encode(y, Scheme(bits=8, rounding=rounding)))
        assert np.abs(y_hat - y).max() <= of_step * 1.02 * float(np.ptp(y)) / 256
        assert len(np.unique(y_hat)) >= 60
    # Where there are more cells than numbers nothing is lost.
    few = (np.arange(-60, 60) * 2.0**-149).astype(np.float32)
    np.testing.assert_array_equal(codec.decode(codec.encode(few, Scheme(bits=8))), few)


def relative_error(x: np.ndarray, scheme: Scheme) -> float:
    x_hat = codec.decode(codec.encode(x, scheme, mask=mask_of(x / np.abs(x).max() * 8, scheme)))
    return float(np.linalg.norm(x_hat.astype(float) - x.astype(float)) / np.linalg.norm(x.astype(float)))


@pytest.mark.parametrize("sparsify", SPARSIFY)
@pytest.mark.parametrize("clip", ["none", "laplace"])
def test_the_relative_error_does_not_depend_on_the_magnitude(sparsify, clip):
    """Nor is it ever worse than that of sending nothing, two bits that are not clipped or drawn aside."""
    laplacian = np.random.default_rng(0).laplace(size=(32, 96))
    laplacian /= np.abs(laplacian).max()
    exponents = {np.float32: (127, 60, -60, -110, -118, -122, -126, -130, -134, -138), np.float16: (15, -12)}
    compared = 0
    for bits, rounding, dtype in itertools.product(
        (2, 4, 8), ("nearest", "stochastic"), (np.float32, np.float16)
    ):
        scheme = Scheme(
            sparsify=sparsify, keep=keep_of(sparsify), block=16, clip=clip, bits=bits, rounding=rounding
        )
        one_scale = relative_error(laplacian.astype(dtype), scheme)
        for scale, exponent in itertools.product(("tensor", "token", "block"), exponents[dtype]):
            usual = relative_error(laplacian.astype(dtype), scheme.replace(scale=scale))
            error = relative_error(np.ldexp(laplacian, exponent).astype(dtype), scheme.replace(scale=scale))
            # Scales of 13 bits are coarse below the normal numbers, and then of less use than one for all.
            coarse = scale != "tensor" and exponent <= -118
            assert error <= (1.7 * max(usual, one_scale) if coarse else 1.05 * usual) + 0.002
            assert error < 1 or (bits == 2 and (clip, rounding) != ("laplace", "nearest"))
            compared += 1
    assert compared == 3 * 2 * 3 * (10 + 2)


def test_stochastic_rounding_is_unbiased():
    x = activation(1, 16, 32)
    scheme = Scheme(bits=3, rounding="stochastic")
    many = np.stack([codec.decode(codec.encode(x, scheme.replace(seed=s))) for s in range(2000)]).astype(
        float
    )
    deviation = many.std(axis=0) / np.sqrt(len(many))
    z = (many.mean(axis=0) - x) / np.maximum(deviation, 1e-3)
    assert np.abs(z).max() < 5 and abs(z.mean()) < 0.1 and 0.8 < z.std() < 1.2
    # Independent from element to element: errors of neighbours do not go together.
    error = many - many.mean(axis=0)
    together = (error[..., 1:] * error[..., :-1]).mean(axis=0) / (error.std(axis=0).max() ** 2)
    assert np.abs(together.mean()) < 0.01
    assert codec.encode(x, scheme) == codec.encode(x, scheme)


def test_clipping_is_that_of_the_menus():
    rng = np.random.default_rng(0)
    x = rng.laplace(size=(64, 4096)).astype(np.float32)
    for bits in (2, 4, 8):
        got = codec.decode(codec.encode(x, Scheme(bits=bits, clip="laplace")))
        error = np.linalg.norm(got - x) / np.linalg.norm(x)
        assert error == pytest.approx(laplace.quantisation_error(bits), rel=0.02)
        kept = codec.decode(codec.encode(x, Scheme(sparsify="top-k", keep=0.2, bits=bits, clip="laplace")))
        error = np.linalg.norm(kept - x) / np.linalg.norm(x)
        assert error == pytest.approx(laplace.selection_error(0.2, bits), rel=0.02)


@pytest.mark.parametrize("scale", ["tensor", "token", "block"])
def test_clipping_never_errs_more_at_few_bits(scale):
    """With a scale for each token or block what is beyond it is clipped, not spread over by the cells."""
    for seed, spread in itertools.product(range(3), (0.0, 1.0)):
        rng = np.random.default_rng(seed)
        x = rng.laplace(size=(64, 256)) * np.exp(rng.normal(0, spread, (64, 1)))
        for dtype, sparsify, rounding, bits in itertools.product(
            (np.float32, np.float16), ("none", "top-k"), ("nearest", "stochastic"), (2, 3)
        ):
            values = x.astype(dtype)
            error = {}
            for clip in ("none", "laplace"):
                scheme = Scheme(
                    sparsify=sparsify, keep=keep_of(sparsify), block=64, bits=bits, scale=scale, clip=clip,
                    rounding=rounding,
                )  # fmt: skip
                error[clip] = float(np.linalg.norm(codec.decode(codec.encode(values, scheme)) - x))
            # Of 13 kept values of a block the farthest is hardly an outlier: clipping it may lose a little.
            allowed = 1.01 if sparsify == "top-k" and scale == "block" else 1.0
            assert error["laplace"] <= allowed * error["none"], (seed, spread, sparsify, rounding, bits)


def test_more_bits_and_more_kept_never_hurt():
    x = activation()

    def error(**scheme):
        return float(np.linalg.norm(codec.decode(codec.encode(x, Scheme(**scheme))) - x))

    by_bits = [error(bits=b) for b in range(3, 9)]
    by_keep = [error(sparsify="top-k", keep=k, bits=8) for k in (0.05, 0.1, 0.2, 0.4, 0.8)]
    assert by_bits == sorted(by_bits, reverse=True) and by_keep == sorted(by_keep, reverse=True)


@pytest.mark.parametrize("bits, spread", [(2, 0.0), (2, 0.7), (3, 0.7)])
def test_few_bits_over_the_full_range_are_worse_than_nothing(bits, spread):
    random = np.random.default_rng(0)
    x = (random.laplace(size=(4096, 128)) * np.exp(random.normal(0, spread, 128))).astype(np.float32)
    plain, clipped = (
        np.linalg.norm(codec.decode(codec.encode(x, codec.Scheme(bits=bits, clip=clip))) - x)
        for clip in ("none", "laplace")
    )
    assert plain > np.linalg.norm(x) > clipped
