"""Random changes that leave what is seen from orbit what it is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_SHIFT_PX = 6
_BRIGHTNESS = 0.15  # in units of the channels' standard deviation, after standardising
_CONTRAST = 0.2


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Turned, mirrored, shifted, and with other brightness and contrast, each image on its own.

    Seen from above no direction is special, so all eight symmetries of the square are used. A shift is up
    to 6 px, or an eighth of a small image's side.

    Parameters
    ----------
    images : Tensor, shape (batch, channels, side, side)
        Standardised.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor
        Of the same shape.
    """
    batch, channels, side, _ = images.shape

    def uniform(low: float, high: float, size: tuple[int, ...]) -> Tensor:
        return low + (high - low) * torch.rand(size, generator=generator)

    symmetry = torch.randint(8, (batch,), generator=generator)
    turned = torch.empty_like(images)
    for k in range(8):
        chosen = symmetry == k
        some = torch.rot90(images[chosen], k % 4, (2, 3))
        turned[chosen] = some.flip(3) if k >= 4 else some
    shift = min(_SHIFT_PX, side // 8)
    padded = functional.pad(turned, [shift] * 4, mode="reflect")
    corner = torch.randint(2 * shift + 1, (2, batch), generator=generator)
    rows = corner[0][:, None] + torch.arange(side)
    columns = corner[1][:, None] + torch.arange(side)
    shifted = padded[torch.arange(batch)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    shifted = shifted.permute(0, 3, 1, 2)
    contrast = torch.exp(uniform(-_CONTRAST, _CONTRAST, (batch, 1, 1, 1)))
    mean = shifted.mean(dim=(2, 3), keepdim=True)
    brightness = uniform(-_BRIGHTNESS, _BRIGHTNESS, (batch, channels, 1, 1))
    return (shifted - mean) * contrast + mean + brightness


def mix(images: Tensor, targets: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images and targets blended with those of another image of the batch (mixup, arXiv 1710.09412).

    Parameters
    ----------
    images : Tensor, shape (batch, …)
    targets : Tensor, shape (batch, classes)
        Probabilities.
    share : float
        Largest weight of the other image; the weight is uniform below it. 0 leaves all as it is.
    generator : torch.Generator
        Source of randomness.
    """
    if share == 0.0:
        return images, targets
    other = torch.randperm(len(images), generator=generator)
    weight = share * torch.rand(len(images), generator=generator)
    wide = weight[:, None, None, None]
    return (
        images * (1 - wide) + images[other] * wide,
        targets * (1 - weight[:, None]) + targets[other] * weight[:, None],
    )
