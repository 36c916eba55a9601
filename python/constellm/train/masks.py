"""Learned masks: which features of an activation cross a cut, trained with the Gumbel trick.

What is known of the reference, arXiv 2604.04654, is its outline: a dynamic binary mask of the most
informative features, trained end to end, offline, at a given sparsity. The rest here is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..codec.masked import TINY, MaskNetwork
from ..core.checks import count, real
from ..images import ImageSet
from .at_cuts import AtCut, CutRecipe, activations, boundaries_of, fit_at_cuts
from .training import Trained

_WARM_UP_IMAGES = 400


class GumbelMask(AtCut):
    """The mask of `MaskNetwork` in training, for several shares at once.

    ::

        m = 1[σ((z + s·(g₁ − g₂))/τ) > ½],   dm/dz := dσ(…)/dz,   penalty = λ·(mean(m) − ρ)²

    with g Gumbel noise, z the logits of `MaskNetwork`, and the gradient straight through the step
    (arXiv 1611.01144). The noise is small against z: the blocks behind the cut are frozen and cannot learn
    to live with a mask that is mostly chance, which at run time it is not. What is dropped arrives as the
    network's `centre`. Shares ρ have one network in common but for its bias; every call in training draws
    one of them.

    Parameters
    ----------
    network : MaskNetwork
        Where training starts.
    keep : sequence of float
        ρ, each in (0, 1].
    bias : ndarray, shape (shares, features)
        Of each share.
    share_weight : float
        λ.
    noise : float
        s.
    temperature : float
        τ > 0.
    """

    bias: Tensor
    centre: Tensor
    magnitude: Tensor
    down: Tensor
    down_bias: Tensor
    up: Tensor

    def __init__(
        self,
        network: MaskNetwork,
        keep: Sequence[float],
        bias: np.ndarray,
        *,
        share_weight: float = 30.0,
        noise: float = 0.05,
        temperature: float = 0.3,
    ) -> None:
        super().__init__()
        self.keep = _shares(keep)
        self.share_weight = real("share_weight", share_weight, least=0.0)
        self.noise = real("noise", noise, least=0.0)
        self.temperature = real("temperature", temperature, least=np.finfo(float).tiny)
        for name, value in {**network.arrays(), "bias": bias}.items():
            setattr(self, name, nn.Parameter(torch.tensor(np.asarray(value), dtype=torch.float32)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        share = int(torch.randint(len(self.keep), ())) if self.training else 0
        offset = x - self.centre
        unit = offset / (offset.square().mean(dim=-1, keepdim=True).sqrt() + TINY)
        hidden = torch.relu(unit @ self.down + self.down_bias)
        logits = self.magnitude * unit.abs() + hidden @ self.up + self.bias[share]
        if self.training:
            # The difference of two Gumbel numbers is logistic.
            chance = torch.logit(torch.rand_like(logits).clamp_(1e-6, 1 - 1e-6))
            logits = logits + self.noise * chance
        soft = torch.sigmoid(logits / self.temperature)
        mask = (soft > 0.5).float() - soft.detach() + soft
        return self.centre + offset * mask, self.share_weight * (mask.mean() - self.keep[share]) ** 2

    def networks(self) -> list[MaskNetwork]:
        """What was learned, a network a share, for use without PyTorch."""
        arrays = {name: p.detach().numpy().copy() for name, p in self.named_parameters()}
        return [MaskNetwork(**{**arrays, "bias": bias}) for bias in arrays["bias"]]


def fit_masks(
    trained: Trained,
    images: ImageSet,
    *,
    keep: float | Sequence[float],
    boundaries: Sequence[int] | None = None,
    shared: bool = False,
    hidden: int = 8,
    start: Mapping[float, Mapping[int, MaskNetwork]] | None = None,
    recipe: CutRecipe | None = None,
    report: Callable[[dict[str, float]], None] | None = None,
) -> dict[float, dict[int, MaskNetwork]]:
    """Masks for the cuts of a network, one a cut or one for all.

    Training begins where the mask keeps what is largest against its token, or at `start`, and ends with the
    threshold set so that the share kept of `images` is `keep`.

    Parameters
    ----------
    trained : Trained
        The network, which is not changed.
    images : ImageSet
        To train on.
    keep : float or sequence of float
        Share of the features that are kept, on average over images and tokens, in (0, 1]. Several are
        trained together, at little more than the time of one.
    boundaries : sequence of int, optional
        Cuts after so many blocks; default: all of them.
    shared : bool
        One network for all cuts; the share then holds on average over them.
    hidden : int
        Width of the small network inside, at least 1.
    start : mapping of float to mapping of int to MaskNetwork, optional
        What `fit_masks` returned for these shares and boundaries, to go on from: masks of each cut begin
        well where one for all cuts ended.
    recipe : CutRecipe, optional
        Of the training.
    report : callable, optional
        See `fit_at_cuts`.

    Returns
    -------
    dict of float to dict of int to MaskNetwork
        By share, then by boundary; with `shared`, one network at all boundaries.

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
    >>> masks = train.fit_masks(trained, few, keep=0.25, recipe=train.CutRecipe(epochs=1, most_cuts=1))
    >>> masks[0.25][1].features
    16
    """
    shares = _shares([keep] if np.ndim(keep) == 0 else keep)  # type: ignore[list-item, arg-type]
    count("hidden", hidden)
    places = boundaries_of(trained, boundaries)
    clean = activations(trained, images.shuffled(0).take(slice(_WARM_UP_IMAGES)), places)
    modules: dict[int, GumbelMask] = {}
    groups = [places] if shared else [[k] for k in places]
    for group in groups:
        x = np.concatenate([clean[k] for k in group])
        if start is None:
            networks = [_first(x, hidden, seed=group[0])] * len(shares)
        else:
            networks = _given(start, shares, group[0])
        bias = np.stack([_at_share(network, x, share).bias for network, share in zip(networks, shares)])
        first = networks[0]
        modules.update(dict.fromkeys(group, GumbelMask(first, shares, bias)))
    fit_at_cuts(trained, modules, images, recipe=recipe, report=report)
    learned: dict[float, dict[int, MaskNetwork]] = {share: {} for share in shares}
    for group in groups:
        x = np.concatenate([clean[k] for k in group])
        for share, network in zip(shares, modules[group[0]].networks()):
            learned[share].update(dict.fromkeys(group, _at_share(network, x, share)))
    return learned


def _shares(keep: Sequence[float]) -> tuple[float, ...]:
    shares = tuple(real("keep", share, least=np.finfo(float).tiny, most=1.0) for share in keep)
    if not shares:
        raise ValueError("keep: there is no share")
    return shares


def _given(
    start: Mapping[float, Mapping[int, MaskNetwork]], shares: Sequence[float], boundary: int
) -> list[MaskNetwork]:
    """The networks of the shares, which have all but the bias in common."""
    try:
        networks = [start[share][boundary] for share in shares]
    except KeyError as error:
        raise ValueError(f"start: nothing for share or boundary {error}") from None
    first = networks[0]
    if any(network.replace(bias=first.bias) != first for network in networks):
        raise ValueError(f"start: the networks of boundary {boundary} differ in more than their bias")
    return networks


def _first(x: np.ndarray, hidden: int, seed: int) -> MaskNetwork:
    """The mask that keeps what is largest against its token."""
    features = x.shape[-1]
    draw = np.random.Generator(np.random.PCG64(seed))
    return MaskNetwork(
        centre=np.zeros(features),  # the mean is worse at small shares: every image then looks average
        magnitude=np.ones(features),
        down=draw.standard_normal((features, hidden)) / np.sqrt(features),
        down_bias=np.zeros(hidden),
        up=np.zeros((hidden, features)),  # so that training begins at the plain threshold
        bias=np.zeros(features),
    )


def _at_share(network: MaskNetwork, x: np.ndarray, keep: float) -> MaskNetwork:
    """The same network with its threshold moved to where the share `keep` of `x` lies above it."""
    shift = np.quantile(network.logits(x), 1.0 - keep)
    return network.replace(bias=network.bias - np.float32(shift))
