"""Codecs trained for exactly the cuts of a plan, for `constellm.codesign.alternate`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..codec.compressor import Compressor
from ..codec.low_rank import Bottleneck
from ..codec.masked import Masked
from ..codesign import Order
from ..core.checks import count, instance, real
from ..images import ImageSet
from .at_cuts import CutRecipe
from .bottleneck import fit_bottlenecks
from .masks import fit_masks
from .training import Trained

RECIPES = {
    "mask": CutRecipe(epochs=2, learning_rate=5e-3),
    "bottleneck": CutRecipe(epochs=2, learning_rate=5e-4),  # begins at orthonormal directions: small entries
}
"""How each kind of codec is trained, if nothing else is said."""

_ELEMENT_BITS = 32.0


class CutTrainer:
    """Trains masks and bottlenecks for the cuts of a plan, those of one kind together.

    Parameters
    ----------
    trained : Trained
        The network, which is not changed.
    recipes : mapping of str to CutRecipe
        The kinds to train, ``"mask"`` and ``"bottleneck"``, and how; as many cuts at a time as the plan has.
        Their seeds make all repeatable.
    sizes : sequence of float
        Bytes to aim at, as shares of what the plan's codecs send: one codec of each kind for each.
    bits : int
        Of a sent value, 2 to 8. Few: at equal bytes, more values at coarser steps keep more than fewer at
        finer ones.

    Examples
    --------
    >>> from constellm import codesign, images, train
    >>> few = images.synthetic(20, side_px=16)
    >>> shape = train.VitShape(blocks=2, width=16, heads=2, mlp_width=32, image_px=16)
    >>> trained = train.fit(few, shape=shape, recipe=train.Recipe(epochs=1, all_tokens_epochs=0))
    >>> recipes = {"mask": train.CutRecipe(epochs=1, most_cuts=1)}
    >>> trainer = train.CutTrainer(trained, recipes=recipes, sizes=[1.0])
    >>> [(name, list(at)) for name, at in trainer(few, codesign.Order(round=1, ratios={1: 8.0})).items()]
    [('mask-0.5-b4-r1', [1])]
    """

    def __init__(
        self,
        trained: Trained,
        *,
        recipes: Mapping[str, CutRecipe] = RECIPES,
        sizes: Sequence[float] = (1.0, 0.6, 0.35),
        bits: int = 4,
    ) -> None:
        if not recipes or not recipes.keys() <= RECIPES.keys():
            known = ", ".join(map(repr, RECIPES))
            raise ValueError(f"recipes: kinds {sorted(recipes)} are not some of {known}")
        self.trained = trained
        self.recipes = {kind: instance(f"recipes[{kind!r}]", r, CutRecipe) for kind, r in recipes.items()}
        self.sizes = tuple(real("sizes", size, least=1e-3, most=1e3) for size in sizes)
        if not self.sizes:
            raise ValueError("sizes: expected at least one number, got none")
        self.bits = count("bits", bits, least=2, most=8)

    def __call__(self, images: ImageSet, order: Order) -> dict[str, dict[int, Compressor]]:
        """Codecs by name and boundary."""
        cuts = sorted(order.ratios)
        recipes = {kind: replace(recipe, most_cuts=len(cuts)) for kind, recipe in self.recipes.items()}
        mean_bits = _ELEMENT_BITS / math.prod(order.ratios.values()) ** (1.0 / len(cuts))
        # What the entropy coder leaves of a value, about: most are near 0. It only says which share or rank
        # is about as large as wanted; what it is in bytes is measured.
        value_bits = max(self.bits - 2.0, 1.0)
        width = self.trained.model.shape.width
        made: dict[str, dict[int, Compressor]] = {}
        if "mask" in recipes:
            shares = [round(mask_share(size * mean_bits, value_bits), 3) for size in self.sizes]
            of_share = fit_masks(
                self.trained,
                images,
                keep=list(dict.fromkeys(shares)),
                boundaries=cuts,
                recipe=recipes["mask"],
            )
            for keep, masks in of_share.items():
                name = f"mask-{keep:g}-b{self.bits}-r{order.round}"
                made[name] = {k: Masked(mask, bits=self.bits, name=name) for k, mask in masks.items()}
        if "bottleneck" in recipes:
            sent = [round(size * mean_bits * width / value_bits) for size in self.sizes]
            ranks = list(dict.fromkeys(min(max(rank, 1), width) for rank in sent))
            of_rank = fit_bottlenecks(
                self.trained, images, rank=ranks, boundaries=cuts, recipe=recipes["bottleneck"]
            )
            for rank, pairs in of_rank.items():
                name = f"bottleneck-{rank}-b{self.bits}-r{order.round}"
                made[name] = {k: Bottleneck(pair, bits=self.bits, name=name) for k, pair in pairs.items()}
        return made


def mask_share(element_bits: float, value_bits: float) -> float:
    """The kept share ρ with H(ρ) + ρ·`value_bits` = `element_bits`: what an element costs, about.

    H is the entropy of a bit that is set with probability ρ, for the mask; ρ is in [0.005, 0.5].
    """
    low, high = 0.005, 0.5
    for _ in range(50):
        middle = (low + high) / 2.0
        entropy = -middle * math.log2(middle) - (1.0 - middle) * math.log2(1.0 - middle)
        if entropy + value_bits * middle < element_bits:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
