"""The shipped masks and bottlenecks at the cuts of the shipped network."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("safetensors")

from constellm import codec, images, infer  # noqa: E402


@pytest.fixture(scope="module")
def learned():
    return infer.learned_compressors()


@pytest.fixture(scope="module")
def net():
    return infer.load()


@pytest.fixture(scope="module")
def few():
    return images.sample().per_class(6)


def test_one_for_every_boundary(learned, net):
    shares, ranks = (0.05, 0.1, 0.2, 0.4), (8, 16, 32)
    expected = [f"mask{kind}-{share}" for kind in ("", "-shared") for share in shares]
    assert sorted(learned) == sorted(expected + [f"bottleneck-{rank}" for rank in ranks])
    for name, found in learned.items():
        assert list(found) == list(range(1, net.blocks)), name
        assert {c.name for c in found.values()} == {name}
    assert len({id(c) for c in learned["mask-shared-0.2"].values()}) == 1
    assert learned["bottleneck-16"][3].projection.rank == 16


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.4])
def test_masks_keep_their_share(learned, net, few, share):
    clean = net.activations(few.pixels, [1, 6, 11])
    kept = [learned[f"mask-{share}"][k].network.mask(x).mean() for k, x in clean.items()]
    assert kept == pytest.approx([share] * 3, rel=0.1)


def test_the_mask_beats_zero_order_coding(learned, net, few):
    x = net.activations(few.pixels, [6])[6]
    mask = learned["mask-0.2"][6]
    chosen = mask.network.mask(x)
    bound = codec.entropy_bound_bytes(x - mask.network.centre, mask.scheme, mask=chosen)["total_bytes"]
    assert len(mask.encode(x)) < bound


@pytest.mark.parametrize("name", ["mask-0.2", "mask-shared-0.2", "bottleneck-32"])
def test_classes_survive_three_cuts(learned, net, few, name):
    exact = infer.infer(net, few.pixels)
    cut = infer.infer(net, few.pixels, cuts={k: learned[name][k] for k in (3, 6, 9)})
    assert np.mean(cut.labels == exact.labels) >= 0.9
    assert cut.ratio > 15
