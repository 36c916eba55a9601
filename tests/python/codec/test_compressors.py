"""Compressors at a cut: numbers arrive as documented, files keep what was learned."""

import json

import numpy as np
import pytest

from constellm import codec
from constellm.codec import Bottleneck, Compressor, Direct, LowRank, Masked, MaskNetwork, Projection, Scheme

FEATURES, HIDDEN, RANK = 24, 4, 6


@pytest.fixture
def draw():
    return np.random.default_rng(5)


@pytest.fixture
def x(draw):
    return draw.laplace(size=(3, 7, FEATURES)).astype(np.float32) + np.arange(FEATURES, dtype=np.float32)


@pytest.fixture
def network(draw):
    return MaskNetwork(
        centre=np.arange(FEATURES),
        magnitude=draw.uniform(0.5, 2.0, FEATURES),
        down=draw.standard_normal((FEATURES, HIDDEN)),
        down_bias=draw.standard_normal(HIDDEN),
        up=0.1 * draw.standard_normal((HIDDEN, FEATURES)),
        bias=np.full(FEATURES, -1.5),
    )


@pytest.fixture
def projection(draw):
    return Projection(
        mean=np.arange(FEATURES),
        into=draw.standard_normal((FEATURES, RANK)),
        back=draw.standard_normal((RANK, FEATURES)),
        hidden=draw.standard_normal((RANK, HIDDEN)),
        hidden_bias=draw.standard_normal(HIDDEN),
        out=draw.standard_normal((HIDDEN, FEATURES)),
    )


def test_all_are_compressors(network, projection, x):
    several = [
        Direct(Scheme(sparsify="top-k", keep=0.25)),
        Masked(network),
        LowRank.fit(x, RANK),
        Bottleneck(projection),
    ]
    for compressor in several:
        assert isinstance(compressor, Compressor)
        data = compressor.encode(x)
        back = compressor.decode(data)
        assert isinstance(data, bytes)
        assert (back.shape, back.dtype) == (x.shape, np.float32)
        assert compressor.encode(x) == data
    assert [c.name for c in several[1:]] == ["mask", "low-rank-6", "bottleneck-6"]


def test_direct_is_the_scheme(x):
    scheme = Scheme(sparsify="slicer", keep=0.3, bits=6)
    direct = Direct(scheme, name="mine")
    assert direct.name == "mine"
    assert direct.encode(x) == codec.encode(x, scheme)
    np.testing.assert_array_equal(direct.decode(direct.encode(x)), codec.decode(codec.encode(x, scheme)))
    with pytest.raises(ValueError, match="sparsify='mask' needs a mask"):
        Direct(Scheme(sparsify="mask"))
    with pytest.raises(TypeError, match="scheme: expected a Scheme, got 3"):
        Direct(3)


def test_mask_by_the_formula(network, x):
    y = x.astype(np.float64) - network.centre
    u = y / np.sqrt((y**2).mean(-1, keepdims=True))
    hidden = np.maximum(u @ network.down + network.down_bias, 0.0)
    logits = network.magnitude * np.abs(u) + hidden @ network.up + network.bias
    np.testing.assert_allclose(network.logits(x), logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(network.mask(x), network.logits(x) > 0)
    assert 0.05 < network.mask(x).mean() < 0.95


def test_masked_keeps_what_the_mask_says_and_centres_the_rest(network, x):
    masked = Masked(network, bits=None)
    mask = network.mask(x)
    back = masked.decode(masked.encode(x))
    np.testing.assert_allclose(back[mask], x[mask], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(back[~mask], np.broadcast_to(network.centre, x.shape)[~mask])
    eight = Masked(network).decode(Masked(network).encode(x))
    np.testing.assert_array_equal(eight[~mask], back[~mask])
    assert 0 < np.abs(eight - back).max() < 0.1
    assert codec.inspect(Masked(network).encode(x))["scheme"].sparsify == "mask"


def test_mask_of_tokens_without_size(network):
    x = np.broadcast_to(network.centre, (2, 5, FEATURES)).astype(np.float32)
    np.testing.assert_array_equal(Masked(network).decode(Masked(network).encode(x)), x)
    nothing = np.zeros((0, 5, FEATURES), np.float32)
    assert Masked(network).decode(Masked(network).encode(nothing)).shape == nothing.shape


def test_principal_directions_against_the_singular_values(draw):
    x = (draw.standard_normal((50, 8)) * np.arange(1, 9) @ draw.standard_normal((8, 8))).astype(np.float32)
    for rank in (1, 3, 8):
        low = LowRank.fit(x, rank, bits=None)
        error = low.decode(low.encode(x)) - x
        lost = np.linalg.svd(x.astype(np.float64) - x.mean(0, dtype=np.float64), compute_uv=False)[rank:]
        np.testing.assert_allclose(
            (error.astype(np.float64) ** 2).sum(), (lost**2).sum(), rtol=1e-3, atol=1e-4
        )
    with pytest.raises(ValueError, match=r"rank: 9 is not in \[1, 8\]"):
        LowRank.fit(x, 9)
    with pytest.raises(TypeError, match="rank: expected an integer, got 2.0"):
        LowRank.fit(x, 2.0)
    for wrong in (np.full((4, 8), np.nan), np.zeros((0, 8)), np.float32(1.0)):
        with pytest.raises(ValueError, match="x: expected finite values of shape"):
            LowRank.fit(wrong, 2)


def test_bottleneck_by_the_formula(projection, x):
    pair = Bottleneck(projection, bits=None)
    sent = (x - projection.mean) @ projection.into
    hidden = np.maximum(sent @ projection.hidden + projection.hidden_bias, 0)
    expected = projection.mean + sent @ projection.back + hidden @ projection.out
    np.testing.assert_allclose(pair.decode(pair.encode(x)), expected, rtol=1e-4, atol=1e-3)
    assert codec.inspect(pair.encode(x))["shape"] == (3, 7, RANK)


def test_fewer_directions_cost_fewer_bytes(x):
    sizes = [len(LowRank.fit(x, rank).encode(x)) for rank in (2, 6, 12)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("centre", np.zeros((2, 2)), r"centre and down_bias: expected one axis each, got shapes \(2, 2\)"),
        ("magnitude", np.zeros(3), r"magnitude: expected shape \(24,\), got \(3,\)"),
        ("up", np.zeros((FEATURES, HIDDEN)), r"up: expected shape \(4, 24\), got \(24, 4\)"),
        ("bias", np.full(FEATURES, np.nan), "bias: not all values are finite"),
    ],
)
def test_a_mask_that_does_not_fit(network, field, value, message):
    with pytest.raises(ValueError, match=message):
        network.replace(**{field: value})


def test_a_projection_that_does_not_fit(projection):
    with pytest.raises(ValueError, match=r"back: expected shape \(6, 24\), got \(5, 24\)"):
        projection.replace(back=np.zeros((5, FEATURES)))
    with pytest.raises(ValueError, match="expected 1, 2 and 1 axes"):
        projection.replace(mean=np.zeros((1, FEATURES)))


def test_parameters_are_values(network, projection):
    assert network == network.replace()
    assert network != network.replace(bias=np.zeros(FEATURES))
    assert network != projection
    with pytest.raises(ValueError, match="read-only"):
        network.bias[0] = 1.0


def test_other_widths_are_refused(network, projection, x):
    wrong = x[..., 1:]
    for compressor in (Masked(network), Bottleneck(projection)):
        with pytest.raises(ValueError, match=r"x: expected shape \(…, 24\), got \(3, 7, 23\)"):
            compressor.encode(wrong)
    foreign = codec.encode(wrong, Scheme())
    with pytest.raises(ValueError, match=r"\(…, 24\)"):
        Masked(network).decode(foreign)
    with pytest.raises(ValueError, match=r"\(…, 6\)"):
        Bottleneck(projection).decode(foreign)


@pytest.fixture
def sets(network, projection, x):
    one = Masked(network, bits=4, name="shared")
    other = Masked(network.replace(bias=np.zeros(FEATURES)), name="own")
    return {
        "own": {1: other, 2: Masked(network, name="own")},
        "shared": {1: one, 2: one, 11: one},
        "narrow": {3: Bottleneck(projection, name="narrow")},
        "linear": {3: LowRank.fit(x, 2, name="linear")},
    }


def test_files_keep_what_was_learned(sets, x, tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "learned.safetensors"
    codec.save_learned(path, sets, dtype=np.float32)
    back = codec.load_learned(path)
    assert {name: list(found) for name, found in back.items()} == {k: list(v) for k, v in sets.items()}
    assert back["shared"][1] is back["shared"][11]
    for name, found in sets.items():
        for boundary, compressor in found.items():
            again = back[name][boundary]
            assert type(again) is type(compressor)
            assert again.name == name
            assert again.encode(x) == compressor.encode(x)
    codec.save_learned(path, sets)
    half = codec.load_learned(path)["own"][1].network
    np.testing.assert_allclose(half.down, sets["own"][1].network.down, rtol=1e-3, atol=1e-6)
    assert half.down.dtype == np.float32


def test_sets_that_cannot_be_kept(sets, network, tmp_path):
    pytest.importorskip("safetensors")
    path = tmp_path / "learned.safetensors"
    for wrong, message in [
        ({"a/b": sets["own"]}, "'a/b' is no name of a set"),
        ({"a": {}}, r"sets\['a'\]: expected compressors of one kind and bits, got 0 kinds"),
        ({"a": {1: sets["own"][1], 2: sets["shared"][1]}}, "got 2 kinds"),
    ]:
        with pytest.raises(ValueError, match=message):
            codec.save_learned(path, wrong)
    with pytest.raises(TypeError, match="expected Masked, LowRank or Bottleneck"):
        codec.save_learned(path, {"a": {1: Direct(Scheme())}})
    for dtype in (np.int8, np.float64):
        with pytest.raises(TypeError, match=f"dtype: expected float16 or float32, got {np.dtype(dtype)}"):
            codec.save_learned(path, sets, dtype=dtype)
    large = {"a": {1: Masked(network.replace(bias=np.full(FEATURES, 1e5)), name="a")}}
    with pytest.raises(ValueError, match="sets: a/1/bias: not all values are finite as float16"):
        codec.save_learned(path, large)
    assert not path.exists()


def test_files_that_are_not_ours(sets, tmp_path):
    numpy_files = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "learned.safetensors"
    with pytest.raises(FileNotFoundError):
        codec.load_learned(path)
    path.write_bytes(b"not a file of tensors")
    with pytest.raises(ValueError, match="learned.safetensors"):
        codec.load_learned(path)
    arrays = {"a/1/mean": np.zeros(3, np.float32)}
    for metadata, message in [
        (None, "holds no learned compressors of format 1"),
        ({"constellm": "[]"}, "holds no learned compressors"),
        ({"constellm": "{"}, "learned.safetensors"),
        ({"constellm": "[" * 100_000}, "learned.safetensors"),
        (_about({}), r"arrays of sets \['a'\], described: {}"),
        (_about({"a": {"kind": "unknown", "bits": 8}}), "set 'a': 'unknown'"),
        (_about({"a": {"kind": "mask", "bits": 8}}), "set 'a': .*mean"),
        (_about({"a": 3}), "set 'a'"),
        (_about(3), "sets"),
    ]:
        numpy_files.save_file(arrays, path, metadata)
        with pytest.raises(ValueError, match=message):
            codec.load_learned(path)


def _about(sets):
    return {"constellm": json.dumps({"learned": 1, "sets": sets})}
