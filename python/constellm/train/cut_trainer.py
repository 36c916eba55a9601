"""Codecs trained for exactly the cuts of a plan, for `alternate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..codec.compressor import Compressor
from ..codec.low_rank import Bottleneck
from ..codec.masked import Masked
from ..core.checks import real
from ..images import ImageSet
from .at_cuts import CutRecipe
from .bottleneck import fit_bottlenecks
from .joint import Order
from .masks import fit_masks
from .training import Trained

KINDS = ("mask", "bottleneck")

_ELEMENT_BITS = 32.0
# Bits that the entropy coder leaves of the eight of a value, about. They only say which share or rank is
# about as large as wanted; what it is in bytes is measured.
_MASK_VALUE_BITS = 6.0
_BOTTLENECK_VALUE_BITS = 5.0


class CutTrainer:
    """Trains masks and bottlenecks for the cuts of a plan, those of one kind together.

    Parameters
    ----------
    trained : Trained
        The network, which is not changed.
    kinds : sequence of str
        Of `KINDS`.
    sizes : sequence of float
        Bytes to aim at, as shares of what the plan's codecs send: one codec of each kind for each.
    bits : int
        Of a sent value, 2 to 8.
    recipe : CutRecipe, optional
        Of the training; as many cuts at a time as the plan has. Its seed makes all repeatable.
    """

    def __init__(
        self,
        trained: Trained,
        *,
        kinds: Sequence[str] = KINDS,
        sizes: Sequence[float] = (1.0, 0.7, 0.45),
        bits: int = 8,
        recipe: CutRecipe | None = None,
    ) -> None:
        if isinstance(kinds, str) or not set(kinds) <= set(KINDS) or not kinds:
            raise ValueError(f"kinds: {kinds!r} are not some of {', '.join(map(repr, KINDS))}")
        self.trained = trained
        self.kinds = tuple(kinds)
        self.sizes = tuple(real("sizes", size, least=1e-3, most=1e3) for size in sizes)
        if not self.sizes:
            raise ValueError("sizes: expected at least one number, got none")
        self.bits = bits
        self.recipe = recipe or CutRecipe()

    def __call__(self, images: ImageSet, order: Order) -> dict[str, dict[int, Compressor]]:
        """Codecs by name and boundary."""
        cuts = sorted(order.ratios)
        recipe = replace(self.recipe, most_cuts=len(cuts))
        mean_bits = _ELEMENT_BITS / math.prod(order.ratios.values()) ** (1.0 / len(cuts))
        width = self.trained.model.shape.width
        made: dict[str, dict[int, Compressor]] = {}
        if "mask" in self.kinds:
            shares = [round(mask_share(size * mean_bits), 3) for size in self.sizes]
            of_share = fit_masks(
                self.trained, images, keep=list(dict.fromkeys(shares)), boundaries=cuts, recipe=recipe
            )
            for keep, masks in of_share.items():
                name = f"mask-{keep:g}-r{order.round}"
                made[name] = {k: Masked(mask, bits=self.bits, name=name) for k, mask in masks.items()}
        if "bottleneck" in self.kinds:
            sent = [round(size * mean_bits * width / _BOTTLENECK_VALUE_BITS) for size in self.sizes]
            ranks = list(dict.fromkeys(min(max(rank, 1), width) for rank in sent))
            of_rank = fit_bottlenecks(self.trained, images, rank=ranks, boundaries=cuts, recipe=recipe)
            for rank, pairs in of_rank.items():
                name = f"bottleneck-{rank}-r{order.round}"
                made[name] = {k: Bottleneck(pair, bits=self.bits, name=name) for k, pair in pairs.items()}
        return made


def mask_share(element_bits: float) -> float:
    """The kept share ρ with H(ρ) + 6ρ = `element_bits`: about so many bits an element leaves the coder.

    H is the entropy of a bit that is set with probability ρ, for the mask; ρ is in [0.005, 0.95].
    """
    low, high = 0.005, 0.95
    for _ in range(50):
        middle = (low + high) / 2.0
        entropy = -middle * math.log2(middle) - (1.0 - middle) * math.log2(1.0 - middle)
        if entropy + _MASK_VALUE_BITS * middle < element_bits:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
