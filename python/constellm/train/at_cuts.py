"""Training of what sits at the cuts of a frozen network, end to end through the blocks behind them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.checks import count, instance, real
from ..images import ImageSet, standardise
from .augment import augment
from .training import Trained, has_fast_bfloat16


@dataclass(frozen=True)
class CutRecipe:
    """How modules at the cuts are trained.

    Parameters
    ----------
    epochs : int
        Passes over the images.
    batch : int
        Images a step.
    learning_rate : float
        Peak of Adam; falls along a half cosine to nothing.
    most_cuts : int
        Every step draws a number of cuts from 1 to this, and as many boundaries among those that have a
        module, so that combinations work as well as single cuts.
    bfloat16 : bool
        Matrix products of the frozen blocks in bfloat16; default: where the processor is fast at it.
    seed : int
        Of all randomness.

    Examples
    --------
    >>> from constellm import train
    >>> train.CutRecipe(epochs=1, most_cuts=2).learning_rate
    0.003
    """

    epochs: int = 3
    batch: int = 32
    learning_rate: float = 3e-3
    most_cuts: int = 4
    bfloat16: bool = field(default_factory=has_fast_bfloat16)
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "most_cuts"):
            count(name, getattr(self, name))
        count("seed", self.seed, least=0)
        real("learning_rate", self.learning_rate, least=0.0, most=sys.float_info.max)
        instance("bfloat16", self.bfloat16, bool)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


class AtCut(nn.Module):
    """What can be trained at a cut: `forward` gives the activation behind the cut and a penalty.

    Examples
    --------
    >>> import torch
    >>> from constellm import train
    >>> class Scaled(train.AtCut):  # arrives 1 % too small, at no penalty
    ...     def forward(self, x):
    ...         return 0.99 * x, torch.zeros(())
    >>> arrived, penalty = Scaled()(torch.ones(1, 4, 8))
    >>> arrived.shape, float(penalty)
    (torch.Size([1, 4, 8]), 0.0)
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of an activation (images, tokens, features): what arrives, same shape, and a scalar to minimise."""
        raise NotImplementedError


@torch.random.fork_rng(devices=[])  # the modules' own noise is seeded, the caller's is left as it was
def fit_at_cuts(
    trained: Trained,
    modules: Mapping[int, AtCut],
    images: ImageSet,
    *,
    recipe: CutRecipe | None = None,
    report: Callable[[dict[str, float]], None] | None = None,
) -> list[dict[str, float]]:
    """Train modules at the cuts of a network whose own weights stay as they are.

    The loss is the cross-entropy of the labels behind a random draw of cuts, plus the modules' penalties.
    Images are augmented as in the training of the network.

    Parameters
    ----------
    trained : Trained
        The network; its weights are not changed.
    modules : mapping of int to AtCut
        By boundary k, the cut after k blocks, 1 to blocks − 1. One module may stand at several.
    images : ImageSet
        To train on.
    recipe : CutRecipe, optional
        Default: `CutRecipe` as it is, but at most as many cuts at a time as there are boundaries.
    report : callable, optional
        Called with the log's row after every epoch.

    Returns
    -------
    list of dict
        A row an epoch: epoch, loss, error (relative, of the activation at a cut), penalty, seconds.

    Raises
    ------
    TypeError, ValueError
        If there is no module, a boundary is out of range, fewer boundaries than `most_cuts` have one, there
        are no images, or they are not of the network's size and classes.

    Examples
    --------
    >>> import torch
    >>> from constellm import images, train
    >>> few = images.synthetic(20, side_px=16)
    >>> shape = train.VitShape(blocks=2, width=16, heads=2, mlp_width=32, image_px=16)
    >>> trained = train.fit(few, shape=shape, recipe=train.Recipe(epochs=1, all_tokens_epochs=0))
    >>> class Gain(train.AtCut):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.gain = torch.nn.Parameter(torch.tensor(0.5))
    ...     def forward(self, x):
    ...         return self.gain * x, torch.zeros(())
    >>> log = train.fit_at_cuts(trained, {1: Gain()}, few, recipe=train.CutRecipe(epochs=2, most_cuts=1))
    >>> len(log)
    2
    """
    boundaries = boundaries_of(trained, list(modules))
    recipe = recipe or CutRecipe(most_cuts=min(CutRecipe.most_cuts, len(boundaries)))
    _check(trained, images)
    count("most_cuts", recipe.most_cuts, most=len(boundaries))
    inputs = torch.from_numpy(standardise(images.pixels, trained.mean, trained.std))
    labels = torch.from_numpy(images.labels.copy())
    parameters = list({id(p): p for module in modules.values() for p in module.parameters()}.values())
    optimiser = torch.optim.Adam(parameters, lr=recipe.learning_rate, betas=(0.9, 0.99))
    steps = recipe.epochs * -(-len(images) // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    frozen = [p for p in trained.model.parameters() if p.requires_grad]
    draw = np.random.Generator(np.random.PCG64(recipe.seed))
    generator = torch.Generator().manual_seed(recipe.seed)
    torch.default_generator.manual_seed(recipe.seed)
    log = []
    for p in frozen:
        p.requires_grad_(False)
    try:
        for module in modules.values():
            module.train()
        for epoch in range(1, recipe.epochs + 1):
            start = time.perf_counter()
            sums = np.zeros(3)
            for chosen in torch.randperm(len(images), generator=generator).split(recipe.batch):
                cuts = draw.choice(boundaries, draw.integers(1, recipe.most_cuts + 1), replace=False)
                x = augment(inputs[chosen], generator)
                at = {int(k): modules[int(k)] for k in cuts}
                logits, error, penalty = _forward(trained, x, at, recipe.bfloat16)
                loss = functional.cross_entropy(logits, labels[chosen])
                optimiser.zero_grad()
                (loss + penalty).backward()
                nn.utils.clip_grad_norm_(parameters, 1.0)
                optimiser.step()
                schedule.step()
                of_cut = torch.stack([loss.detach(), error / len(at), penalty.detach() / len(at)])
                sums += of_cut.numpy() * len(chosen)
            loss_, error_, penalty_ = map(float, sums / len(images))
            seconds = time.perf_counter() - start
            log.append({"epoch": epoch, "loss": loss_, "error": error_**0.5, "penalty": penalty_})
            log[-1]["seconds"] = seconds
            if report is not None:
                report(log[-1])
    finally:
        for p in frozen:
            p.requires_grad_(True)
        for module in modules.values():
            module.eval()
    return log


def _forward(
    trained: Trained, x: Tensor, at: Mapping[int, AtCut], bfloat16: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, sum of the relative squared errors at the cuts, for the log, and sum of the penalties."""
    error, penalty = torch.zeros(()), torch.zeros(())
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        x = trained.model.stem(x)
        for k, block in enumerate(trained.model.blocks):
            if k in at:
                with torch.autocast("cpu", enabled=False):
                    clean = x.float()
                    x, extra = at[k](clean)
                    error = error + ((x - clean).square().sum() / clean.square().sum()).detach()
                    penalty = penalty + extra
            x = block(x)
        logits = trained.model.head(x)
    return logits.float(), error, penalty


def boundaries_of(trained: Trained, boundaries: Sequence[int] | None) -> list[int]:
    """Boundaries in order, checked; default: all that can be cut."""
    blocks = len(trained.model.blocks)
    if boundaries is None:
        return list(range(1, blocks))
    if not boundaries:
        raise ValueError("boundaries: there is none")
    return sorted({count("boundaries", k, most=blocks - 1) for k in boundaries})


def _check(trained: Trained, images: ImageSet) -> None:
    shape = trained.model.shape
    if not len(instance("images", images, ImageSet)):
        raise ValueError("images: expected at least one, got none")
    if images.pixels.shape[1:3] != (shape.image_px, shape.image_px) or len(images.classes) > shape.classes:
        raise ValueError(
            f"images: expected {shape.image_px} × {shape.image_px} px and at most {shape.classes} classes, "
            f"got {images!r}"
        )


def activations(
    trained: Trained, images: ImageSet, boundaries: list[int], *, batch: int = 250
) -> dict[int, np.ndarray]:
    """Clean activations at boundaries, float32 of shape (images, tokens, features) each."""
    _check(trained, images)
    found: dict[int, list[Tensor]] = {k: [] for k in boundaries}
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            pixels = images.pixels[start : start + batch]
            x = trained.model.stem(torch.from_numpy(standardise(pixels, trained.mean, trained.std)))
            for k, block in enumerate(trained.model.blocks[: max(boundaries)]):
                x = block(x)
                if k + 1 in found:
                    found[k + 1].append(x)
    return {k: torch.cat(parts).numpy() for k, parts in found.items()}
