"""Bottlenecks in the manner of BottleNet++ (arXiv 1910.14315): encoder and decoder trained at the cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..codec.low_rank import Projection
from ..core.checks import count
from ..images import ImageSet
from .at_cuts import AtCut, CutRecipe, activations, boundaries_of, fit_at_cuts
from .training import Trained

_WARM_UP_IMAGES = 400


class NestedProjection(AtCut):
    """The map of `Projection` in training, for several ranks at once; it has no penalty.

    A smaller rank uses the first of the larger one's directions (as in arXiv 2205.13147). Every call in
    training draws one.

    Parameters
    ----------
    projection : Projection
        Where training starts, of the largest rank.
    ranks : sequence of int
        Ranks that are trained.
    """

    mean: Tensor
    into: Tensor
    back: Tensor
    hidden: Tensor
    hidden_bias: Tensor
    out: Tensor

    def __init__(self, projection: Projection, ranks: Sequence[int]) -> None:
        super().__init__()
        self.ranks = tuple(count("ranks", rank, most=projection.rank) for rank in ranks)
        for name, value in projection.arrays().items():
            setattr(self, name, nn.Parameter(torch.tensor(value)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        rank = self.ranks[int(torch.randint(len(self.ranks), ()))] if self.training else max(self.ranks)
        sent = (x - self.mean) @ self.into[:, :rank]
        hidden = torch.relu(sent @ self.hidden[:rank] + self.hidden_bias)
        return self.mean + sent @ self.back[:rank] + hidden @ self.out, torch.zeros(())

    def projections(self) -> list[Projection]:
        """What was learned, a projection a rank, for use without PyTorch."""
        arrays = {name: p.detach().numpy().copy() for name, p in self.named_parameters()}
        whole = Projection(**arrays)
        return [
            whole.replace(into=whole.into[:, :rank], back=whole.back[:rank], hidden=whole.hidden[:rank])
            for rank in self.ranks
        ]


def fit_bottlenecks(
    trained: Trained,
    images: ImageSet,
    *,
    rank: int | Sequence[int],
    boundaries: Sequence[int] | None = None,
    hidden: int = 16,
    recipe: CutRecipe | None = None,
    report: Callable[[dict[str, float]], None] | None = None,
) -> dict[int, dict[int, Projection]]:
    """Bottlenecks for the cuts of a network, one a cut, starting from the principal components.

    Parameters
    ----------
    trained : Trained
        The network, which is not changed.
    images : ImageSet
        To train on.
    rank : int or sequence of int
        Numbers of a token that cross a cut, 1 to the width. Several are trained together, nested.
    boundaries : sequence of int, optional
        Cuts after so many blocks; default: all of them.
    hidden : int
        Width of the decoder's hidden layer; 0 leaves it out.
    recipe : CutRecipe, optional
        Of the training.
    report : callable, optional
        See `fit_at_cuts`.

    Returns
    -------
    dict of int to dict of int to Projection
        By rank, then by boundary.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, there are no images, or they are not of the network's size and classes.

    Examples
    --------
    >>> from constellm import images, train
    >>> few = images.synthetic(20, side_px=16)
    >>> shape = train.VitShape(blocks=2, width=16, heads=2, mlp_width=32, image_px=16)
    >>> trained = train.fit(few, shape=shape, recipe=train.Recipe(epochs=1, all_tokens_epochs=0))
    >>> found = train.fit_bottlenecks(trained, few, rank=4, recipe=train.CutRecipe(epochs=1, most_cuts=1))
    >>> found[4][1].rank
    4
    """
    given: Sequence[int] = [rank] if np.ndim(rank) == 0 else rank  # type: ignore[list-item, assignment]
    ranks = [count("rank", one, most=trained.model.shape.width) for one in given]
    if not ranks:
        raise ValueError("rank: there is none")
    count("hidden", hidden, least=0)
    places = boundaries_of(trained, boundaries)
    clean = activations(trained, images.shuffled(0).take(slice(_WARM_UP_IMAGES)), places)
    modules = {k: NestedProjection(_first(clean[k], max(ranks), hidden, seed=k), ranks) for k in places}
    fit_at_cuts(trained, modules, images, recipe=recipe, report=report)
    learned = {k: module.projections() for k, module in modules.items()}
    return {one: {k: learned[k][i] for k in places} for i, one in enumerate(ranks)}


def _first(x: np.ndarray, rank: int, hidden: int, seed: int) -> Projection:
    """Principal components, with a hidden layer that does nothing yet."""
    linear = Projection.principal(x, rank)
    spread = ((x.reshape(-1, x.shape[-1]) - linear.mean) @ linear.into).std(axis=0) + 1e-6
    draw = np.random.Generator(np.random.PCG64(seed))
    weights = draw.standard_normal((rank, hidden)) / np.sqrt(rank) / spread[:, None]
    out = np.zeros((hidden, linear.features))
    return linear.replace(hidden=weights, hidden_bias=np.zeros(hidden), out=out)
