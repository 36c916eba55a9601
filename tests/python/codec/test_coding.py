"""The activation codec against its oracle: values to the last bit, shapes, bytes and bounds."""

from __future__ import annotations

import itertools
import os
import pickle
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from constellm import codec
from constellm.codec import Scheme
from oracles import activation_codec as oracle
from python.codec.activations import SPARSIFY, activation, keep_of, mask_of


@pytest.mark.parametrize("sparsify", SPARSIFY)
def test_every_scheme_gives_what_the_oracle_gives(sparsify):
    x32 = activation(2, 9, 70)
    compared = 0
    for bits, scale, clip, rounding, dtype in itertools.product(
        (None, 2, 3, 4, 7, 8),
        ("tensor", "token", "block"),
        ("none", "laplace"),
        ("nearest", "stochastic"),
        "fe",
    ):
        scheme = Scheme(
            sparsify=sparsify, keep=keep_of(sparsify), block=32, bits=bits, scale=scale, clip=clip,
            rounding=rounding, seed=3,
        )  # fmt: skip
        x = x32.astype(dtype)
        mask = mask_of(x, scheme)
        wanted = oracle.reconstruct(x, scheme, mask)
        for entropy in ("none", "zero-order", "context"):
            data = codec.encode(x, scheme.replace(entropy=entropy), mask=mask)
            got = codec.decode(data)
            assert got.dtype == x.dtype and got.flags.c_contiguous
            np.testing.assert_array_equal(got, wanted, err_msg=repr(scheme))
            compared += 1
    assert compared == 6 * 3 * 2 * 2 * 2 * 3


schemes = st.builds(
    lambda sparsify, keep, **rest: Scheme(sparsify=sparsify, keep=keep_of(sparsify, keep), **rest),
    sparsify=st.sampled_from(SPARSIFY),
    keep=st.floats(0.01, 1.0),
    block=st.integers(1, 9),
    bits=st.sampled_from([None, 2, 3, 4, 5, 6, 7, 8]),
    scale=st.sampled_from(["tensor", "token", "block"]),
    clip=st.sampled_from(["none", "laplace"]),
    rounding=st.sampled_from(["nearest", "stochastic"]),
    seed=st.integers(0, 2**62),
    entropy=st.sampled_from(["none", "zero-order", "context"]),
)
arrays = st.sampled_from([np.float32, np.float16]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=np.dtype(dtype).itemsize * 8),
    )
)


@given(x=arrays, scheme=schemes, data=st.data())
def test_any_finite_array_comes_back_as_the_oracle_says(x, scheme, data):
    mask = data.draw(hnp.arrays(np.bool_, x.shape)) if scheme.sparsify == "mask" else None
    message = codec.encode(x, scheme, mask=mask)
    np.testing.assert_array_equal(codec.decode(message), oracle.reconstruct(x, scheme, mask))
    told = codec.inspect(message)
    assert (told["shape"], told["dtype"], told["scheme"]) == (x.shape, x.dtype.name, scheme)
    assert told["total_bytes"] == len(message) == sum(
        told[part] for part in ("header_bytes", "mask_bytes", "scales_bytes", "symbols_bytes")
    )  # fmt: skip


@pytest.mark.parametrize("byte", [2, 128, 255])
def test_any_byte_but_zero_of_a_mask_keeps(byte):
    """A view of other bytes as bool, as C libraries make them."""
    for shape in ((1, 3), (64, 3), (200, 67), (5, 64)):
        x = activation(1, *shape)[0]
        kept = x > 0.2
        odd = np.where(kept, np.uint8(byte), np.uint8(0)).view(np.bool_)
        for scheme in (Scheme(sparsify="mask"), Scheme(sparsify="mask", bits=None, entropy="none")):
            wanted = codec.encode(x, scheme, mask=kept)
            for mask in (odd, np.asfortranarray(odd)):
                assert codec.encode(x, scheme, mask=mask) == wanted
            everything = np.full(shape, byte, np.uint8).view(np.bool_)
            data = codec.encode(x, scheme, mask=everything)
            np.testing.assert_array_equal(codec.decode(data), oracle.reconstruct(x, scheme, x == x))


def test_arrays_without_elements_take_no_time_and_no_room():
    """However many tokens or features their axes name."""
    for shape in ((2**40, 0), (0, 2**40), (3, 0, 2**40), (2**30, 0, 5), (0, 300_000_000)):
        x = np.empty(shape, np.float32)
        for sparsify, scale, rounding, entropy in itertools.product(
            SPARSIFY, ("tensor", "token", "block"), ("nearest", "stochastic"), ("none", "context")
        ):
            scheme = Scheme(
                sparsify=sparsify, keep=keep_of(sparsify), block=4, scale=scale, rounding=rounding,
                entropy=entropy,
            )  # fmt: skip
            mask = np.empty(shape, np.bool_) if sparsify == "mask" else None
            data = codec.encode(x, scheme, mask=mask)
            assert len(data) < 50 and codec.decode(data).shape == shape
            assert codec.entropy_bound_bytes(x, scheme, mask=mask)["total_bytes"] == 0


@pytest.mark.skipif(int(np.__version__.split(".")[0]) < 2, reason="older arrays have at most 32 axes")
def test_as_many_axes_as_numpy_has():
    for axes in (32, 33, 64):
        x = activation(1, 2, 8).reshape((1,) * (axes - 2) + (2, 8))
        np.testing.assert_array_equal(codec.decode(codec.encode(x, Scheme(bits=None))), x)


@pytest.mark.parametrize(
    "x",
    [
        np.array(3, np.float32),
        np.zeros((0, 5), np.float32),
        np.zeros((5, 0), np.float16),
        np.zeros((3, 4, 8), np.float32),
        np.full((3, 8), -2.5, np.float32),
        np.full((3, 8), 1e-45, np.float32),
        np.array([[-0.0, 0.0, 1e-40, -1e-45, 3.4e38, -3.4e38]], np.float32),
        np.array([[1, -1, 0.5, -0.999, 0.3]], np.float32) * np.finfo(np.float32).max,
        np.array([[65504, -65504, 6e-8, 0]], np.float16),
        np.linspace(0, 1, 1000, dtype=np.float32),
    ],
)
@pytest.mark.parametrize("sparsify", ["none", "top-k", "slicer", "block-top-k"])
def test_odd_arrays(x, sparsify):
    for bits, scale, rounding in itertools.product(
        (None, 2, 3, 8), ("tensor", "token"), ("nearest", "stochastic")
    ):
        scheme = Scheme(
            sparsify=sparsify, keep=keep_of(sparsify, 0.5), block=3, bits=bits, scale=scale, rounding=rounding
        )
        got = codec.decode(codec.encode(x, scheme))
        assert got.shape == x.shape and got.dtype == x.dtype and np.all(np.isfinite(got))
        np.testing.assert_array_equal(got, oracle.reconstruct(x, scheme))


def test_layout_does_not_matter():
    x = activation(3, 8, 20)
    for sparsify, rounding in itertools.product(SPARSIFY, ("nearest", "stochastic")):
        scheme = Scheme(sparsify=sparsify, keep=keep_of(sparsify), block=7, rounding=rounding)
        mask = mask_of(x, scheme)
        wanted = codec.encode(x, scheme, mask=mask)
        spread = np.zeros((6, 8, 40), np.float32)
        spread[::2, :, ::2] = x
        unaligned = np.frombuffer(b"." + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
        layouts = [
            np.asfortranarray(x),
            spread[::2, :, ::2],
            np.ascontiguousarray(x.transpose(1, 0, 2)).transpose(1, 0, 2),
            np.ascontiguousarray(x[::-1, :, ::-1])[::-1, :, ::-1],
            x.astype(">f4"),
            unaligned,
        ]
        for layout in layouts:
            np.testing.assert_array_equal(layout, x)
            assert codec.encode(layout, scheme, mask=mask) == wanted
            if mask is not None:
                assert codec.encode(layout, scheme, mask=np.asfortranarray(mask)) == wanted


def test_bytes_are_always_the_same():
    """Other machines and compilers must find these very bytes."""
    steps = np.random.default_rng(7).integers(-1000, 1000, (2, 33, 50))
    x = (steps + np.cumsum(steps, axis=1) // 2).astype(np.float32) / 1024  # exact on any machine
    sums = {
        (sparsify, bits): zlib.crc32(
            codec.encode(
                x,
                Scheme(
                    sparsify=sparsify, keep=keep_of(sparsify), block=16, bits=bits, scale="token",
                    clip="laplace",
                ),
            )
        )
        for sparsify in ("none", "top-k", "block-top-k", "slicer")
        for bits in (2, 8)
    }  # fmt: skip
    assert sums == SUMS


SUMS = {
    ("none", 2): 2901485847,
    ("none", 8): 1412138672,
    ("top-k", 2): 305691110,
    ("top-k", 8): 1073466319,
    ("block-top-k", 2): 1499368916,
    ("block-top-k", 8): 89943731,
    ("slicer", 2): 3022909305,
    ("slicer", 8): 2001246992,
}


def test_every_scheme_keeps_its_bytes_and_values():
    """Checksums of version 0.1.0 over messages and decoded arrays."""
    steps = np.random.default_rng(7).integers(-1000, 1000, (40, 33))
    x32 = (steps + np.cumsum(steps, axis=0) // 2).astype(np.float32) / 1024
    sums = dict.fromkeys(SPARSIFY, 0)
    for sparsify, bits, scale, clip, rounding, entropy, dtype in itertools.product(
        SPARSIFY, (None, 2, 3, 5, 8), ("tensor", "token", "block"), ("none", "laplace"),
        ("nearest", "stochastic"), ("none", "zero-order", "context"), "fe",
    ):  # fmt: skip
        scheme = Scheme(
            sparsify=sparsify, keep=keep_of(sparsify), block=16, bits=bits, scale=scale, clip=clip,
            rounding=rounding, seed=5, entropy=entropy,
        )  # fmt: skip
        x = x32.astype(dtype)
        data = codec.encode(x, scheme, mask=mask_of(x, scheme))
        sums[sparsify] = zlib.crc32(codec.decode(data).tobytes(), zlib.crc32(data, sums[sparsify]))
    assert sums == SUMS_OF_ALL


SUMS_OF_ALL = {
    "none": 3294611327,
    "mask": 966878191,
    "top-k": 3098988038,
    "block-top-k": 455956170,
    "slicer": 3941831849,
}


def test_threads_share_nothing():
    x = activation()
    plans = [Scheme(sparsify="top-k", keep=k / 40, rounding="stochastic", seed=k) for k in range(1, 41)]
    alone = [codec.encode(x, scheme) for scheme in plans]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda scheme: codec.encode(x, scheme), plans)) == alone
        together = list(pool.map(codec.decode, alone))
    assert all(np.array_equal(a, codec.decode(b)) for a, b in zip(together, alone))


@pytest.mark.parametrize("images", [2, 16])
@pytest.mark.parametrize("bits", [3, 4, 8])
@pytest.mark.parametrize("sparsify", ["none", "mask", "top-k", "block-top-k"])
def test_ratio_reaches_the_entropy(sparsify, bits, images):
    """Within 3 % of zero-order entropy from 64 KiB, header and tables included; contexts never lose."""
    rng = np.random.default_rng(1)
    x = rng.laplace(size=(images, 64, 128)).astype(np.float32)  # no structure that a context could use
    scheme = Scheme(sparsify=sparsify, keep=keep_of(sparsify), block=32, bits=bits, entropy="zero-order")
    mask = rng.random(x.shape) < 0.2 if sparsify == "mask" else None
    bound = codec.entropy_bound_bytes(x, scheme, mask=mask)
    size = len(codec.encode(x, scheme, mask=mask))
    # The smallest message here, 2 KB, is two bytes above: a header and tables of 70.
    share = 1.031 if (sparsify, bits, images) == ("mask", 3, 2) else 1.03
    assert x.nbytes >= 65536 and size <= share * bound["total_bytes"]
    assert len(codec.encode(x, scheme.replace(entropy="context"), mask=mask)) <= size + 8


def test_contexts_pay_where_tokens_resemble_their_neighbours():
    x = activation(4)
    for sparsify in ("none", "top-k"):
        scheme = Scheme(sparsify=sparsify, keep=keep_of(sparsify))
        assert len(codec.encode(x, scheme)) < 0.9 * len(codec.encode(x, scheme.replace(entropy="zero-order")))


def test_entropy_bound_is_the_oracle_s():
    x = activation(1, 20, 30)
    for sparsify, bits in itertools.product(SPARSIFY, (None, 4)):
        scheme = Scheme(sparsify=sparsify, keep=keep_of(sparsify), block=8, bits=bits)
        mask = mask_of(x, scheme)
        bound = codec.entropy_bound_bytes(x, scheme, mask=mask)
        wanted = oracle.bound_bytes(x, scheme, mask)
        assert (bound["mask_bytes"], bound["symbols_bytes"]) == pytest.approx(wanted)
        assert bound["total_bytes"] == pytest.approx(sum(wanted))


def test_top_k_keeps_ceil_of_the_share_and_the_first_of_equals():
    x = np.ones((2, 10), np.float32)
    for keep, count in ((0.01, 1), (0.2, 2), (0.7, 7), (0.71, 8), (1.0, 10)):
        kept = codec.decode(codec.encode(x, Scheme(sparsify="top-k", keep=keep))) != 0
        assert (
            np.array_equal(kept, np.arange(10) < count)
            or kept.tolist() == [[i < count for i in range(10)]] * 2
        )
    wide = np.ones((1, 100), np.float32)
    assert np.count_nonzero(codec.decode(codec.encode(wide, Scheme(sparsify="top-k", keep=0.07)))) == 7


def test_values_that_travel_as_they_are():
    for dtype in (np.float32, np.float16):
        x = activation().astype(dtype)
        for bits in (None, 0):
            data = codec.encode(x, Scheme(bits=bits))
            np.testing.assert_array_equal(codec.decode(data), x)
            assert len(data) < x.nbytes
        assert Scheme(bits=0) == Scheme(bits=None) and Scheme(bits=0).bits is None


NANS = np.array([0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001], dtype=np.uint32).view(np.float32)


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # a signalling NaN to float16
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, *NANS])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_what_is_not_finite_is_refused_and_named(value, dtype):
    x = activation(2, 5, 7).astype(dtype)
    x[1, 3, 4] = value
    schemes = [Scheme(), *(Scheme(sparsify=s, keep=0.3, block=4) for s in ("top-k", "block-top-k", "slicer"))]
    for layout in (x, np.asfortranarray(x)):
        for scheme in schemes:
            with pytest.raises(ValueError, match=r"x\[1, 3, 4\]: -?(nan|inf) is not finite"):
                codec.encode(layout, scheme)


@pytest.mark.parametrize(
    ("scheme", "says"),
    [
        ({"sparsify": "topk"}, "sparsify: 'topk' is not one of 'none', 'mask', 'top-k'"),
        ({"keep": 0.0, "sparsify": "top-k"}, r"keep: 0 is not in \(0, 1\]"),
        ({"keep": float("nan"), "sparsify": "top-k"}, "keep: nan"),
        ({"keep": 0.5}, "keep: 0.5 has no meaning with sparsify='none'"),
        ({"bits": 9}, r"bits: 9 is not in \[2, 8\], 0 or None"),
        ({"bits": 1}, "bits: 1"),
        ({"scale": "block"}, "block: needed"),
        ({"sparsify": "block-top-k"}, "block: needed"),
        ({"block": 0}, r"block: 0 is not in \[1, 65536\]"),
        ({"clip": "gauss"}, "clip: 'gauss'"),
        ({"rounding": "up"}, "rounding: 'up'"),
        ({"seed": -1}, r"seed: -1 is not in \[0, 2\^63\)"),
        ({"seed": 2**63}, r"seed: 9223372036854775808 is not < 2\^63"),
        ({"entropy": "zstd"}, "entropy: 'zstd' is not one of 'none', 'zero-order', 'context'"),
    ],
)
def test_bad_schemes(scheme, says):
    with pytest.raises(ValueError, match=says):
        Scheme(**scheme)


def test_bad_calls():
    x = activation(1, 4, 4)
    with pytest.raises(TypeError, match="x: expected float32 or float16, got float64"):
        codec.encode(x.astype(float), Scheme())
    with pytest.raises(TypeError, match="x: expected a ndarray"):
        codec.encode([1.0], Scheme())
    with pytest.raises(TypeError, match="x: expected a plain array, got a MaskedArray"):
        codec.encode(np.ma.masked_less(x, 0), Scheme())
    with pytest.raises(TypeError, match="mask: expected a plain array, got a MaskedArray"):
        codec.encode(x, Scheme(sparsify="mask"), mask=np.ma.masked_array(x > 0))
    with pytest.raises(TypeError, match="scheme: expected a Scheme"):
        codec.encode(x, "top-k")
    with pytest.raises(ValueError, match="mask: needed"):
        codec.encode(x, Scheme(sparsify="mask"))
    with pytest.raises(ValueError, match="mask: given"):
        codec.encode(x, Scheme(), mask=x > 0)
    with pytest.raises(ValueError, match=r"mask: its shape \(4, 4\) is not that of x, \(1, 4, 4\)"):
        codec.encode(x, Scheme(sparsify="mask"), mask=x[0] > 0)
    with pytest.raises(TypeError, match="mask: expected bool, got float32"):
        codec.encode(x, Scheme(sparsify="mask"), mask=x)
    with pytest.raises(TypeError, match="data: expected bytes"):
        codec.decode("text")
    with pytest.raises(ValueError, match="max_bytes: the array takes 64 bytes, allowed are 63"):
        codec.decode(codec.encode(x, Scheme()), max_bytes=63)


def test_scheme_is_a_value():
    scheme = Scheme(sparsify="top-k", keep=0.3, block=5)
    assert pickle.loads(pickle.dumps(scheme)) == scheme == Scheme(**scheme.to_dict())
    assert scheme.replace(keep=0.4) != scheme and "keep=0.3" in repr(scheme)
    assert repr(Scheme(clip="laplace")) == (
        "Scheme(sparsify='none', keep=1.0, bits=8, scale='tensor', clip='laplace', "
        "rounding='nearest', seed=0, entropy='context')"
    )
    for field, words in WORDS.items():
        for word in words:
            block = Scheme(block=4, **{field: word})
            assert getattr(block, field) == block.to_dict()[field] == word
            assert pickle.loads(pickle.dumps(block)) == block == Scheme(block=4).replace(**{field: word})
    with pytest.raises(TypeError, match=r"fields are given by keyword, as in Scheme\(sparsify='top-k'\)"):
        Scheme("top-k")
    with pytest.raises(TypeError, match="scale: expected text, got 3"):
        Scheme(scale=3)
    with pytest.raises(TypeError, match="bits: expected an integer, got 8.0"):
        Scheme(bits=8.0)


WORDS = {
    "sparsify": SPARSIFY,
    "scale": ("tensor", "token", "block"),
    "clip": ("none", "laplace"),
    "rounding": ("nearest", "stochastic"),
    "entropy": ("none", "zero-order", "context"),
}


def test_any_buffer_decodes():
    data = codec.encode(activation(1, 4, 4), Scheme())
    wanted = codec.decode(data)
    for buffer in (bytearray(data), memoryview(data), memoryview(data + data)[: len(data)]):
        np.testing.assert_array_equal(codec.decode(buffer), wanted)


def reseal(data: bytes) -> bytes:
    """The same with the checksum that fits."""
    crc = 0xFFFFFFFF
    for byte in data[7:]:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
    return data[:3] + ((crc ^ 0xFFFFFFFF) & 0xFFFFFFFF).to_bytes(4, "little") + data[7:]


def test_damage_is_found():
    data = codec.encode(activation(1, 8, 16), Scheme(sparsify="top-k", keep=0.3))
    assert reseal(data) == data
    for end in range(len(data)):
        with pytest.raises(ValueError, match="data: "):
            codec.decode(data[:end])
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="data: "):
            codec.decode(bytes(wrong))
    with pytest.raises(ValueError, match="version 2, known is 1"):
        codec.decode(data[:2] + b"\x02" + data[3:])


def test_hostile_messages_with_the_right_checksum_are_refused_or_decoded():
    """An error or an array, never more; what is allocated is in proportion to the message."""
    rng = np.random.default_rng(0)
    x = activation(2, 10, 24)
    refused = decoded = 0
    for sparsify, bits, entropy in itertools.product(SPARSIFY, (None, 4), ("none", "zero-order", "context")):
        scheme = Scheme(
            sparsify=sparsify, keep=keep_of(sparsify), block=8, bits=bits, scale="block", entropy=entropy
        )
        data = codec.encode(x, scheme, mask=mask_of(x, scheme))
        for _ in range(40):
            wrong = bytearray(data)
            for _ in range(rng.integers(1, 4)):
                wrong[rng.integers(7, min(len(wrong), 120))] = rng.integers(256)
            try:
                got = codec.decode(reseal(bytes(wrong)))
            except ValueError:
                refused += 1
            else:
                decoded += 1
                assert got.nbytes <= 65536 * len(data)
    assert refused + decoded == 5 * 2 * 3 * 40 and refused > 100 and decoded > 100


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_no_message_decodes_to_what_is_not_finite(dtype):
    x = np.full((4, 4), 6, dtype)  # 0x40c00000: one byte is enough
    raw = codec.encode(x, Scheme(bits=None, entropy="none"))
    assert sum(_refused(wrong, "a value is not finite") for wrong in _changed(raw)) > 0
    scaled = codec.encode(x, Scheme(bits=8, scale="token", entropy="none"))
    assert sum(_refused(wrong, "a value is not finite") for wrong in _changed(scaled)) > 0


def _changed(data: bytes) -> list[bytes]:
    """Each byte behind the checksum set to values of high exponents."""
    values = (0x7B, 0x7C, 0x7F, 0x80, 0xFC, 0xFF)
    return [reseal(data[:at] + bytes([v]) + data[at + 1 :]) for at in range(7, len(data)) for v in values]


def _refused(data: bytes, why: str) -> bool:
    try:
        decoded = codec.decode(data)
    except ValueError as error:
        return why in str(error)
    assert np.all(np.isfinite(decoded))
    return False


def test_short_messages_make_no_large_arrays():
    x = np.zeros((2048, 2048), np.float32)
    data = codec.encode(x, Scheme(sparsify="top-k", keep=0.5))
    assert len(data) >= x.nbytes / 65536
    np.testing.assert_array_equal(codec.decode(data), x)
    small = bytearray(codec.encode(np.zeros((127, 127), np.float32), Scheme()))
    at = bytes(small).index(b"\x02\x7f\x7f")
    hostile = reseal(bytes(small[:at]) + b"\x02\xff\xff\x7f\xff\xff\x7f" + bytes(small[at + 3 :]))
    with pytest.raises(ValueError, match="its shape is too large"):
        codec.decode(hostile)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_threads_keep_no_scratch_of_large_arrays():
    def resident_bytes() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    x = np.zeros((1024, 128, 128), np.float32)  # 64 MiB
    x[:, ::7] = 1
    before = resident_bytes()
    for scheme in (Scheme(), Scheme(sparsify="top-k", keep=0.9, bits=None), Scheme(scale="token")):
        data = codec.encode(x, scheme)
        assert codec.decode(data).shape == x.shape
        assert resident_bytes() - before < x.nbytes  # scratch was two to five times the array


@pytest.mark.skipif(sys.byteorder != "little", reason="other machines swap the bytes first")
def test_reading_does_not_change_the_array():
    x = activation()
    x.flags.writeable = False
    before = x.copy()
    codec.encode(x, Scheme(sparsify="slicer", keep=0.2, scale="token"))
    np.testing.assert_array_equal(x, before)
