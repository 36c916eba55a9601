"""Training of the project's vision transformer: repeatable, and it learns."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from constellm.images import ImageSet  # noqa: E402
from constellm.train import Recipe, Trained, Vit, VitShape, fit, predict  # noqa: E402
from constellm.train.augment import augment, mix  # noqa: E402
from constellm.train.training import _learning_rate, _logits  # noqa: E402

SHAPE = VitShape(blocks=2, width=16, heads=2, mlp_width=32, image_px=16, patch_px=8, classes=3)
QUICK = Recipe(
    epochs=2, batch=16, learning_rate=3e-3, warmup_epochs=0.5, all_tokens_epochs=1, average=0.8, seed=5
)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(name="images", scope="module")
def coloured_squares() -> ImageSet:
    """Three classes that differ in their strongest colour, with noise."""
    random = np.random.Generator(np.random.PCG64(0))
    labels = random.integers(3, size=96)
    pixels = random.integers(0, 120, size=(96, 16, 16, 3))
    pixels[np.arange(96), :, :, labels] += 100
    return ImageSet(pixels.astype(np.uint8), labels, ("red", "green", "blue"), "squares")


def weights(trained: Trained) -> list[torch.Tensor]:
    return list(trained.model.state_dict().values())


@pytest.fixture(name="trained", scope="module")
def trained_quickly(images) -> Trained:
    return fit(images, shape=SHAPE, recipe=QUICK, validation=images, validate_every=2)


def test_the_same_seed_gives_the_same_weights(images, trained) -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = fit(images, shape=SHAPE, recipe=QUICK)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, weights(trained), weights(again)))
    other = fit(images, shape=SHAPE, recipe=Recipe(**{**QUICK.to_dict(), "seed": 6}))
    assert not all(map(torch.equal, weights(trained), weights(other)))


def test_the_log(trained) -> None:
    assert [row["epoch"] for row in trained.log] == [1, 2]
    assert ["accuracy" in row for row in trained.log] == [False, True]
    assert all(row["seconds"] > 0 for row in trained.log)
    assert not trained.model.training


def test_it_learns(images) -> None:
    recipe = Recipe(**{**QUICK.to_dict(), "epochs": 8})
    rows = []
    trained = fit(images, recipe=recipe, shape=SHAPE, report=lambda row, state: rows.append((row, state)))
    losses = [row["loss"] for row in trained.log]
    assert losses[-1] < losses[0] - 0.2
    assert (predict(trained, images).argmax(1) == images.labels).mean() > 0.9
    assert [row for row, _ in rows] == trained.log
    assert all(state is trained for _, state in rows)
    scaled = images.pixels.reshape(-1, 3) / 255
    np.testing.assert_allclose(trained.mean, scaled.mean(0))
    np.testing.assert_allclose(trained.std, scaled.std(0))


def test_predictions_do_not_depend_on_the_batch(images, trained) -> None:
    logits = predict(trained, images)
    assert logits.shape == (96, 3) and logits.dtype == np.float32
    np.testing.assert_allclose(predict(trained, images, batch=7), logits, rtol=1e-4, atol=1e-5)
    assert predict(trained, images.take([])).shape == (0, 3)
    with pytest.raises(ValueError, match=r"batch: 0 is not in \[1, inf\)"):
        predict(trained, images, batch=0)


def test_a_share_of_the_tokens() -> None:
    """The blocks see so many of an image's tokens, each at most once."""
    model = Vit(SHAPE).eval()
    seen = []
    model.blocks[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    images = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = model(images)
        every = seen.pop()
        for share, tokens in ((1.0, 4), (0.5, 2), (0.01, 1)):
            logits = _logits(model, images, share)
            assert logits.shape == (5, 3)
            some = seen.pop()
            assert some.shape == (5, tokens, 16)
            matches = (some[:, :, None] == every[:, None]).all(dim=3)
            assert (matches.sum(dim=2) == 1).all() and (matches.sum(dim=1) <= 1).all()
            assert share < 1 or torch.equal(logits, whole)


def test_learning_rate() -> None:
    recipe = Recipe(epochs=10, learning_rate=2.0, warmup_epochs=2.0)
    rates = [_learning_rate(done, recipe) for done in np.linspace(0, 10, 101)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(2.0) == rates[20]
    assert all(a < b for a, b in zip(rates[:20], rates[1:20]))
    assert all(a > b for a, b in zip(rates[20:], rates[21:]))
    assert rates[-1] == pytest.approx(0.02)
    assert _learning_rate(0.0, Recipe(warmup_epochs=0.0, learning_rate=2.0)) == pytest.approx(2.0)


@pytest.mark.parametrize("side", [4, 16, 64])
def test_augmenting_keeps_what_is_seen(side) -> None:
    """A uniform image stays uniform; an image that is its own mirror image is only shifted and toned."""
    generator = torch.Generator().manual_seed(0)
    colours = torch.randn(9, 3, 1, 1, generator=generator)
    plain = colours.expand(9, 3, side, side)
    changed = augment(plain, generator)
    assert changed.shape == plain.shape and changed.dtype == plain.dtype
    torch.testing.assert_close(changed, changed[:, :, :1, :1].expand_as(changed))
    assert (changed - plain).abs().max() <= 0.15 + 1e-5
    assert torch.equal(plain, colours.expand(9, 3, side, side))


def test_augmenting_takes_every_symmetry() -> None:
    """With a pattern that survives shifts of whole periods, all eight turns and mirrors are found."""
    side = 5  # too small for a shift
    pattern = torch.arange(side * side, dtype=torch.float32).reshape(1, 1, side, side)
    images = pattern.expand(400, 1, side, side)
    changed = augment(images, torch.Generator().manual_seed(0))
    # Tone keeps the order of the pixels.
    order = changed.flatten(1).argsort(dim=1)
    expected = {
        tuple(turned.flatten().argsort().tolist())
        for k in range(4)
        for turned in (torch.rot90(pattern[0, 0], k), torch.rot90(pattern[0, 0], k).flip(1))
    }
    assert len(expected) == 8
    assert {tuple(row.tolist()) for row in order} == expected
    assert torch.equal(augment(images, torch.Generator().manual_seed(0)), changed)


def test_mixing() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(6) % 3
    targets = torch.nn.functional.one_hot(labels, 3).float()
    images = labels[:, None, None, None].float().expand(6, 3, 4, 4)
    assert mix(images, targets, 0.0, generator) == (images, targets)
    mixed, blended = mix(images, targets, 0.4, generator)
    torch.testing.assert_close(blended.sum(1), torch.ones(6))
    assert (blended.gather(1, labels[:, None]) >= 0.6 - 1e-6).all()
    # What is in the image is what the target says.
    torch.testing.assert_close(mixed[:, 0, 0, 0], (blended * torch.arange(3)).sum(1))


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"epochs": 0}, ValueError, r"epochs: 0 is not in \[1, inf\)"),
        ({"batch": 2.5}, TypeError, "batch: expected an integer, got 2.5"),
        ({"seed": -1}, ValueError, r"seed: -1 is not in \[0, "),
        ({"all_tokens_epochs": -1}, ValueError, "all_tokens_epochs: -1"),
        ({"learning_rate": float("nan")}, ValueError, "learning_rate: nan"),
        ({"learning_rate": float("inf")}, ValueError, "learning_rate: inf"),
        ({"warmup_epochs": "3"}, TypeError, "warmup_epochs: expected a number"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay: -0.1"),
        ({"label_smoothing": 1.5}, ValueError, r"label_smoothing: 1.5 is not in \[0, 1\]"),
        ({"mix_share": -1}, ValueError, "mix_share: -1"),
        ({"token_share": 0}, ValueError, r"token_share: 0.0 is not in \(0, 1\]"),
        ({"drop_path": 1}, ValueError, r"drop_path: 1.0 is not in \[0, 1\)"),
        ({"average": 2}, ValueError, "average: 2"),
        ({"bfloat16": 1}, TypeError, "bfloat16: expected a bool"),
    ],
)
def test_wrong_recipes(fields, error, message) -> None:
    with pytest.raises(error, match=message):
        Recipe(**fields)


def test_recipes_hold_plain_numbers() -> None:
    recipe = Recipe(epochs=np.int64(3), learning_rate=np.float32(0.5), mix_share=0)
    assert {type(value) for value in recipe.to_dict().values()} == {int, float, bool}
    assert recipe == Recipe(epochs=3, learning_rate=0.5, mix_share=0.0)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"blocks": 0}, ValueError, r"blocks: 0 is not in \[1, inf\)"),
        ({"classes": 2.0}, TypeError, "classes: expected an integer"),
        ({"width": 126}, ValueError, "width: 126 is not a multiple of heads, 4"),
        ({"patch_px": 6}, ValueError, "patch_px: 6 is not one of 2, 4, 8"),
        ({"patch_px": 1}, ValueError, "patch_px: 1 is not one of 2, 4, 8"),
        ({"image_px": 60}, ValueError, "image_px: 60 is not a multiple of patch_px, 8"),
    ],
)
def test_wrong_shapes(fields, error, message) -> None:
    with pytest.raises(error, match=message):
        VitShape(**fields)


@pytest.mark.parametrize("patch_px", [2, 4, 16])
def test_other_shapes(patch_px) -> None:
    shape = VitShape(blocks=1, width=32, heads=2, mlp_width=8, image_px=32, patch_px=patch_px, classes=4)
    model = Vit(shape).eval()
    assert shape.tokens == (32 // patch_px) ** 2
    assert model.stem(torch.zeros(2, 3, 32, 32)).shape == (2, shape.tokens, 32)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 4)


def test_stochastic_depth() -> None:
    with pytest.raises(ValueError, match=r"drop_path: 1.0 is not in \[0, 1\)"):
        Vit(SHAPE, drop_path=1.0)
    model = Vit(VitShape(blocks=3, width=16, heads=2, mlp_width=32, image_px=16), drop_path=0.5)
    assert [block.drop_path for block in model.blocks] == [0.0, 0.25, 0.5]
    last = model.blocks[-1]
    x = torch.ones(2000, 1, 16)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        kept = last._sometimes(x)[:, 0, 0]
        assert set(kept.tolist()) == {0.0, 2.0}
        assert kept.mean().item() == pytest.approx(1.0, abs=0.1)
        last.eval()
        assert last._sometimes(x) is x


def test_images_that_cannot_be_trained_on(images) -> None:
    with pytest.raises(ValueError, match="images: expected at least one, got none"):
        fit(images.take([]), shape=SHAPE, recipe=QUICK)
    with pytest.raises(ValueError, match=r"images: expected 32 × 32 px and at most 3 classes, got .*squares"):
        fit(images, shape=VitShape(image_px=32, classes=3), recipe=QUICK)
    with pytest.raises(ValueError, match="images: expected 16 × 16 px and at most 2 classes"):
        fit(images, shape=VitShape(image_px=16, classes=2), recipe=QUICK)
    grey = ImageSet(np.full((4, 16, 16, 3), 7, np.uint8), [0, 1, 2, 0], images.classes)
    with pytest.raises(ValueError, match="images: a channel of .* is the same everywhere"):
        fit(grey, shape=SHAPE, recipe=QUICK)
    with pytest.raises(ValueError, match="validate_every: 0"):
        fit(images, shape=SHAPE, recipe=QUICK, validate_every=0)
