"""Training of the project's vision transformer, repeatable from a seed."""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.checks import count, instance, real
from ..images import ImageSet, standardise
from .augment import augment, mix
from .vit import Vit, VitShape


def has_fast_bfloat16() -> bool:
    """Whether products in bfloat16 pay: without AVX-512 they take over a hundred times as long as float32."""
    # A bool also where the documentation's builder stands in for torch.
    return bool(torch.backends.cpu.get_cpu_capability().startswith("AVX512"))


@dataclass(frozen=True)
class Recipe:
    """How a `Vit` is trained.

    Parameters
    ----------
    epochs : int
        Passes over the images.
    batch : int
        Images a step.
    learning_rate : float
        Peak of AdamW; linear warm-up, then a half cosine down to 1 % of it.
    warmup_epochs : float
        Length of the warm-up.
    weight_decay : float
        Of AdamW, on matrices alone.
    label_smoothing : float
        Share of the target spread over all classes.
    mix_share : float
        Largest weight of a second image blended in, see `mix`.
    drop_path : float
        Stochastic depth of the last block.
    token_share : float
        Share of tokens that the blocks see in training (arXiv 2208.07220): half of them halve the time
        and regularise.
    all_tokens_epochs : int
        Last epochs, in which they see all.
    average : float
        Weight of the past in the running mean of the weights, which is what is kept.
    bfloat16 : bool
        Matrix products in bfloat16; default: where the processor is fast at it.
    seed : int
        Of all randomness.

    Examples
    --------
    >>> from constellm import train
    >>> train.Recipe(epochs=10).to_dict()["epochs"]
    10
    """

    epochs: int = 70
    batch: int = 128
    learning_rate: float = 1e-3
    warmup_epochs: float = 3.0
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    mix_share: float = 0.2
    drop_path: float = 0.1
    token_share: float = 0.5
    all_tokens_epochs: int = 6
    average: float = 0.995
    bfloat16: bool = field(default_factory=has_fast_bfloat16)
    seed: int = 0

    def __post_init__(self) -> None:
        plain: dict[str, Any] = {
            "epochs": count("epochs", self.epochs),
            "batch": count("batch", self.batch),
            "seed": count("seed", self.seed, least=0, most=2**63 - 1),
            "all_tokens_epochs": count("all_tokens_epochs", self.all_tokens_epochs, least=0),
            "bfloat16": instance("bfloat16", self.bfloat16, bool),
        }
        for name in ("learning_rate", "warmup_epochs", "weight_decay"):
            plain[name] = real(name, getattr(self, name), least=0.0, most=sys.float_info.max)
        for name in ("label_smoothing", "mix_share", "drop_path", "token_share", "average"):
            plain[name] = real(name, getattr(self, name), least=0.0, most=1.0)
        if plain["token_share"] == 0.0:
            raise ValueError("token_share: 0.0 is not in (0, 1]")
        if plain["drop_path"] == 1.0:
            raise ValueError("drop_path: 1.0 is not in [0, 1)")
        for name, value in plain.items():
            object.__setattr__(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Trained:
    """What `fit` returns.

    Attributes
    ----------
    model : Vit
        With averaged weights, in evaluation mode.
    mean, std : tuple of float
        Of the training images' channels, on a scale of 0 to 1: part of the model.
    log : list of dict
        A row an epoch: epoch, loss, learning_rate, seconds, and accuracy where it was measured.

    Examples
    --------
    >>> from constellm import images, train
    >>> few = images.synthetic(20, side_px=16)
    >>> shape = train.VitShape(blocks=2, width=16, heads=2, mlp_width=32, image_px=16)
    >>> trained = train.fit(few, shape=shape, recipe=train.Recipe(epochs=1, all_tokens_epochs=0))
    >>> sorted(trained.log[0])[:2], len(trained.mean)
    (['epoch', 'learning_rate'], 3)
    """

    model: Vit
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    log: list[dict[str, float]]


def fit(
    images: ImageSet,
    *,
    shape: VitShape | None = None,
    recipe: Recipe | None = None,
    validation: ImageSet | None = None,
    validate_every: int = 5,
    report: Callable[[dict[str, float], Trained], None] | None = None,
) -> Trained:
    """Train a `Vit` on labelled images.

    Parameters
    ----------
    images : ImageSet
        To train on.
    shape : VitShape, optional
        Default: 12 blocks of width 128, on images of the set's size and classes.
    recipe : Recipe, optional
        Default: `Recipe` as it is.
    validation : ImageSet, optional
        Its accuracy enters the log; nothing is chosen by it.
    validate_every : int
        Epochs between two measurements; the last epoch always has one.
    report : callable, optional
        Called with the row and the state after every epoch: to print, or to store a checkpoint.

    Returns
    -------
    Trained

    Raises
    ------
    TypeError, ValueError
        If the shape does not fit the images, there are none, or a channel is the same everywhere.

    Notes
    -----
    The same seed, images, number of threads and PyTorch give the same weights, bit for bit. PyTorch's own
    generator is left as it was.

    Examples
    --------
    >>> from constellm import images, train
    >>> few = images.synthetic(20, side_px=16)
    >>> shape = train.VitShape(blocks=2, width=16, heads=2, mlp_width=32, image_px=16)
    >>> trained = train.fit(few, shape=shape, recipe=train.Recipe(epochs=1, all_tokens_epochs=0))
    >>> len(trained.log), trained.model.shape == shape
    (1, True)
    """
    recipe = recipe or Recipe()
    count("validate_every", validate_every)
    if not len(images):
        raise ValueError("images: expected at least one, got none")
    if (images.pixels.min(axis=(0, 1, 2)) == images.pixels.max(axis=(0, 1, 2))).any():
        raise ValueError(f"images: a channel of {images!r} is the same everywhere, which cannot be scaled")
    side = images.pixels.shape[1]
    shape = shape or VitShape(image_px=side, classes=len(images.classes))
    if images.pixels.shape[1:3] != (shape.image_px, shape.image_px) or len(images.classes) > shape.classes:
        raise ValueError(
            f"images: expected {shape.image_px} × {shape.image_px} px and at most {shape.classes} classes, "
            f"got {images!r}"
        )
    scaled = images.pixels.reshape(-1, 3) / 255.0
    mean, std = (tuple(map(float, f(axis=0))) for f in (scaled.mean, scaled.std))
    inputs = torch.from_numpy(standardise(images.pixels, mean, std))
    targets = functional.one_hot(torch.from_numpy(images.labels.copy()), shape.classes).float()
    targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / shape.classes

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)  # initial weights, stochastic depth, dropped tokens
        generator = torch.Generator().manual_seed(recipe.seed)
        model = Vit(shape, drop_path=recipe.drop_path)
        optimiser = _optimiser(model, recipe)
        kept = copy.deepcopy(model).eval()
        trained = Trained(model=kept, mean=mean, std=std, log=[])  # type: ignore[arg-type]
        for epoch in range(1, recipe.epochs + 1):
            start = time.perf_counter()
            row = _epoch(epoch, model, kept, optimiser, inputs, targets, recipe, generator)
            if validation is not None and (epoch % validate_every == 0 or epoch == recipe.epochs):
                right = predict(trained, validation).argmax(1) == validation.labels
                row["accuracy"] = float(right.mean())
            row["seconds"] = time.perf_counter() - start
            trained.log.append(row)
            if report is not None:
                report(row, trained)
    return trained


def _epoch(
    epoch: int,
    model: Vit,
    kept: Vit,
    optimiser: torch.optim.Optimizer,
    inputs: Tensor,
    targets: Tensor,
    recipe: Recipe,
    generator: torch.Generator,
) -> dict[str, float]:
    """Pass `epoch` over the images; a row of the log."""
    model.train()
    share = 1.0 if epoch > recipe.epochs - recipe.all_tokens_epochs else recipe.token_share
    steps = math.ceil(len(inputs) / recipe.batch)
    total = 0.0
    order = torch.randperm(len(inputs), generator=generator)
    for step, chosen in enumerate(order.split(recipe.batch), start=(epoch - 1) * steps):
        rate = _learning_rate(step / steps, recipe)
        for group in optimiser.param_groups:
            group["lr"] = rate
        x, y = mix(augment(inputs[chosen], generator), targets[chosen], recipe.mix_share, generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            logits = _logits(model, x, share)
        loss = functional.cross_entropy(logits.float(), y)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        # At first the mean is short, or it would hold on to the random beginning.
        _average(kept, model, min(recipe.average, (step + 1) / (step + 11)))
        total += loss.item() * len(chosen)
    return {"epoch": epoch, "loss": total / len(inputs), "learning_rate": rate}


def predict(trained: Trained, images: ImageSet, *, batch: int = 250) -> np.ndarray:
    """Logits of images, in evaluation mode.

    Parameters
    ----------
    trained : Trained
        What `fit` gives.
    images : ImageSet
        Of the size that the model was made for.
    batch : int
        Images that pass together.

    Returns
    -------
    ndarray of float32, shape (images, classes)
        Logits.

    Examples
    --------
    >>> from constellm import images, train
    >>> few = images.synthetic(20, side_px=16)
    >>> shape = train.VitShape(blocks=2, width=16, heads=2, mlp_width=32, image_px=16)
    >>> trained = train.fit(few, shape=shape, recipe=train.Recipe(epochs=1, all_tokens_epochs=0))
    >>> train.predict(trained, few).shape
    (20, 10)
    """
    batch = count("batch", batch)
    logits = [torch.empty(0, trained.model.shape.classes)]
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            pixels = images.pixels[start : start + batch]
            logits.append(trained.model(torch.from_numpy(standardise(pixels, trained.mean, trained.std))))
    return torch.cat(logits).numpy()


def _logits(model: Vit, images: Tensor, token_share: float) -> Tensor:
    """The forward pass on a random share of every image's tokens."""
    x = model.stem(images)
    if token_share < 1.0:
        tokens = max(round(token_share * x.shape[1]), 1)
        chosen = torch.rand(x.shape[:2]).topk(tokens, dim=1).indices
        x = x.gather(1, chosen[:, :, None].expand(-1, -1, x.shape[2]))
    for block in model.blocks:
        x = block(x)
    return model.head(x)


def _optimiser(model: Vit, recipe: Recipe) -> torch.optim.Optimizer:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def _learning_rate(epochs_done: float, recipe: Recipe) -> float:
    if epochs_done < recipe.warmup_epochs:
        return recipe.learning_rate * (epochs_done + 0.01) / recipe.warmup_epochs
    span = max(recipe.epochs - recipe.warmup_epochs, 1e-9)
    phase = min((epochs_done - recipe.warmup_epochs) / span, 1.0)
    return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * phase)))


@torch.no_grad()
def _average(kept: nn.Module, model: nn.Module, weight: float) -> None:
    for mine, new in zip(kept.state_dict().values(), model.state_dict().values()):
        if mine.dtype.is_floating_point:
            mine.lerp_(new, 1.0 - weight)
        else:
            mine.copy_(new)
