"""Training at the cuts of a frozen network, on a tiny one."""

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from constellm.codec import Projection  # noqa: E402
from constellm.images import ImageSet  # noqa: E402
from constellm.train import CutRecipe, Recipe, VitShape, fit, fit_at_cuts, fit_bottlenecks, fit_masks  # noqa: E402
from constellm.train.at_cuts import AtCut, activations  # noqa: E402
from constellm.train.bottleneck import NestedProjection  # noqa: E402
from constellm.train.masks import GumbelMask, _first  # noqa: E402

SHAPE = VitShape(blocks=4, width=16, heads=2, mlp_width=32, image_px=16, patch_px=4, classes=3)
QUICK = CutRecipe(epochs=1, batch=16, most_cuts=2)


@pytest.fixture(scope="module")
def pictures():
    draw = np.random.default_rng(2)
    labels = np.arange(48) % 3
    pixels = draw.integers(0, 120, (48, 16, 16, 3))
    pixels[np.arange(48), :, :, labels] += 110
    return ImageSet(pixels.astype(np.uint8), labels, ("red", "green", "blue"), "colours")


@pytest.fixture(scope="module")
def trained(pictures):
    return fit(pictures, shape=SHAPE, recipe=Recipe(epochs=2, batch=16, warmup_epochs=1, bfloat16=False))


def test_activations_are_those_of_the_model(trained, pictures):
    found = activations(trained, pictures, [1, 3], batch=20)
    assert [a.shape for a in found.values()] == [(48, 16, 16)] * 2
    with torch.inference_mode():
        x = torch.from_numpy(found[3])
        again = trained.model.blocks[1](torch.from_numpy(found[1]))
        again = trained.model.blocks[2](again)
    np.testing.assert_allclose(again.numpy(), x.numpy(), rtol=1e-4, atol=1e-5)


def test_mask_in_training_is_the_mask_at_run_time(trained, pictures):
    x = activations(trained, pictures, [2])[2]
    network = _first(x, 4, seed=0).replace(bias=np.full(16, -8.0))
    module = GumbelMask(network, [0.3], network.bias[None]).eval()
    arrived, penalty = module(torch.from_numpy(x))
    mask = network.mask(x)
    np.testing.assert_allclose(arrived.detach().numpy(), np.where(mask, x, network.centre), atol=1e-5)
    assert penalty.item() == pytest.approx(30.0 * (mask.mean() - 0.3) ** 2, abs=1e-4)
    assert module.networks()[0] == network


def test_gradient_goes_straight_through(trained, pictures):
    x = torch.from_numpy(activations(trained, pictures, [2])[2])
    network = _first(x.numpy(), 4, seed=0)
    module = GumbelMask(network, [0.2, 0.5], np.stack([network.bias - 8, network.bias - 4])).train()
    torch.manual_seed(0)
    arrived, penalty = module(x)
    (arrived.square().mean() + penalty).backward()
    for name in ("bias", "magnitude", "centre", "up"):
        assert getattr(module, name).grad.abs().sum() > 0, name
    # One share a call.
    assert sorted((module.bias.grad.abs().sum(dim=1) > 0).tolist()) == [False, True]


@pytest.mark.parametrize("shared", [False, True])
def test_masks_keep_their_share(trained, pictures, shared):
    before = {name: value.clone() for name, value in trained.model.state_dict().items()}
    rows = []
    learned = fit_masks(
        trained, pictures, keep=(0.15, 0.4), shared=shared, hidden=3, recipe=QUICK, report=rows.append
    )
    assert list(learned) == [0.15, 0.4]
    x = activations(trained, pictures, [1, 2, 3])
    for share, networks in learned.items():
        assert list(networks) == [1, 2, 3]
        kept = [networks[k].mask(x[k]).mean() for k in networks]
        assert np.mean(kept) == pytest.approx(share, abs=0.01)
        if not shared:
            assert kept == pytest.approx([share] * 3, abs=0.01)
    assert (learned[0.4][1] is learned[0.4][3]) == shared
    assert len(rows) == 1 and rows[0]["loss"] > 0 and 0 < rows[0]["error"] < 1
    # The backbone is as it was, and can be trained on.
    assert all(torch.equal(before[name], value) for name, value in trained.model.state_dict().items())
    assert all(p.requires_grad for p in trained.model.parameters())


def test_masks_go_on_from_others(trained, pictures):
    recipe = CutRecipe(epochs=1, batch=16, most_cuts=1, learning_rate=0.0)
    shared = fit_masks(trained, pictures, keep=(0.2, 0.5), shared=True, recipe=QUICK)
    own = fit_masks(trained, pictures, keep=(0.2, 0.5), boundaries=[1, 3], start=shared, recipe=recipe)
    for share in (0.2, 0.5):
        for k in (1, 3):
            before = shared[share][k]
            # Nothing was learned; only the threshold is each cut's own.
            shift = own[share][k].bias - before.bias
            np.testing.assert_allclose(shift, shift[0], atol=1e-5)
            assert own[share][k].replace(bias=before.bias) == before
    with pytest.raises(ValueError, match="start: nothing for share or boundary 0.3"):
        fit_masks(trained, pictures, keep=0.3, start=shared)
    mixed = {0.2: shared[0.2], 0.5: fit_masks(trained, pictures, keep=0.5, shared=True, recipe=QUICK)[0.5]}
    with pytest.raises(ValueError, match="start: the networks of boundary 1 differ in more than their bias"):
        fit_masks(trained, pictures, keep=(0.2, 0.5), start=mixed)


def test_training_is_repeatable_and_the_seed_matters(trained, pictures):
    def learn(seed):
        recipe = CutRecipe(epochs=1, batch=16, most_cuts=1, seed=seed)
        return fit_masks(trained, pictures, keep=0.3, boundaries=[2], recipe=recipe)[0.3][2]

    before = torch.get_rng_state()
    assert learn(1) == learn(1)
    assert torch.equal(torch.get_rng_state(), before)
    assert learn(1) != learn(2)


def test_training_lowers_the_loss(trained, pictures):
    rows = []
    recipe = CutRecipe(epochs=12, batch=16, most_cuts=1, learning_rate=1e-2, bfloat16=False)
    fit_bottlenecks(trained, pictures, rank=2, boundaries=[2], recipe=recipe, report=rows.append)
    losses = [row["loss"] for row in rows]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_nested_bottlenecks_start_as_principal_components(trained, pictures):
    x = activations(trained, pictures, [2])[2]
    whole = Projection.principal(x, 5)
    module = NestedProjection(whole, (2, 5)).eval()
    narrow, wide = module.projections()
    assert (narrow.rank, wide.rank) == (2, 5)
    assert wide == whole
    np.testing.assert_array_equal(narrow.into, wide.into[:, :2])
    sent = (x - whole.mean) @ whole.into
    np.testing.assert_allclose(
        module(torch.from_numpy(x))[0].detach().numpy(), whole.mean + sent @ whole.back, atol=1e-4
    )


def test_bottlenecks_by_rank_and_boundary(trained, pictures):
    learned = fit_bottlenecks(trained, pictures, rank=(2, 4), boundaries=[3, 1], hidden=3, recipe=QUICK)
    assert {rank: list(found) for rank, found in learned.items()} == {2: [1, 3], 4: [1, 3]}
    assert learned[2][1].rank == 2
    assert learned[4][3].hidden.shape == (4, 3)


def test_without_a_recipe_as_many_cuts_as_there_are(trained, pictures):
    learned = fit_masks(trained, pictures.take(slice(16)), keep=0.5, boundaries=[2])
    assert {share: list(found) for share, found in learned.items()} == {0.5: [2]}


def test_numbers_of_numpy_are_numbers(trained, pictures):
    quick = CutRecipe(epochs=1, batch=16, most_cuts=1)
    assert list(fit_masks(trained, pictures, keep=np.float32(0.5), boundaries=[2], recipe=quick)) == [0.5]
    assert list(fit_bottlenecks(trained, pictures, rank=np.int64(4), boundaries=[2], recipe=quick)) == [4]


@pytest.mark.parametrize("fit_codecs", [partial(fit_masks, keep=0.5), partial(fit_bottlenecks, rank=2)])
def test_wrong_images(trained, pictures, fit_codecs):
    with pytest.raises(ValueError, match="images: expected at least one, got none"):
        fit_codecs(trained, pictures.take(slice(0)))
    small = ImageSet(pictures.pixels[:, :8, :8], pictures.labels, pictures.classes)
    with pytest.raises(ValueError, match="images: expected 16 × 16 px and at most 3 classes, got ImageSet"):
        fit_codecs(trained, small)
    with pytest.raises(TypeError, match="images: expected a ImageSet"):
        fit_at_cuts(trained, {1: AtCut(), 2: AtCut()}, pictures.pixels)


def test_wrong_calls(trained, pictures):
    for keep in (0.0, 1.5):
        with pytest.raises(ValueError, match="keep: "):
            fit_masks(trained, pictures, keep=keep)
    with pytest.raises(ValueError, match="keep: there is no share"):
        fit_masks(trained, pictures, keep=[])
    with pytest.raises(ValueError, match=r"boundaries: 4 is not in \[1, 3\]"):
        fit_masks(trained, pictures, keep=0.5, boundaries=[4])
    with pytest.raises(ValueError, match="boundaries: there is none"):
        fit_at_cuts(trained, {}, pictures)
    with pytest.raises(ValueError, match=r"most_cuts: 4 is not in \[1, 1\]"):
        fit_at_cuts(trained, {2: AtCut()}, pictures, recipe=CutRecipe())
    with pytest.raises(ValueError, match=r"rank: 17 is not in \[1, 16\]"):
        fit_bottlenecks(trained, pictures, rank=17)
    with pytest.raises(ValueError, match="rank: there is none"):
        fit_bottlenecks(trained, pictures, rank=[])
    with pytest.raises(ValueError, match=r"epochs: 0 is not in \[1, inf\)"):
        CutRecipe(epochs=0)
    with pytest.raises(ValueError, match="learning_rate: inf is not in"):
        CutRecipe(learning_rate=np.inf)
    with pytest.raises(TypeError, match="bfloat16: expected a bool, got 'no'"):
        CutRecipe(bfloat16="no")
    with pytest.raises(ValueError, match="temperature"):
        GumbelMask(_first(np.ones((2, 3, 4)), 2, 0), [0.5], np.zeros((1, 4)), temperature=0.0)
