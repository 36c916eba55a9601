"""What the classifier of a model takes, with a compressor at every cut before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..codec.compressor import Compressor
from ..core.checks import instance
from ..core.console import for_console
from .infer import Crossing, infer
from .onnx_model import OnnxModel


@dataclass(frozen=True, eq=False, repr=False)
class Features:
    """What `features` returns.

    Attributes
    ----------
    values : ndarray of float32, shape (images, features)
        The input of the classifier.
    cuts : dict of int to Crossing
        By boundary, in order.

    Examples
    --------
    See `constellm.infer.features`.
    """

    values: np.ndarray
    cuts: dict[int, Crossing]

    def __repr__(self) -> str:
        images, width = self.values.shape
        cuts = ", ".join(f"{k}: {cut.compressor} {cut.ratio:.4g}×" for k, cut in self.cuts.items())
        return for_console(f"Features({images} images × {width}, cuts {{{cuts}}})")


def features(
    net: OnnxModel, pixels: np.ndarray, *, cuts: Mapping[int, Compressor] | None = None, batch: int = 64
) -> Features:
    """Run a model up to its classifier, with compressors at its cuts.

    A classifier that is tuned while the blocks before it stay as they are needs nothing else of an image, and
    needs it once.

    Parameters
    ----------
    net : OnnxModel
        From `load`.
    pixels : ndarray of uint8, shape (images, height, width, 3)
    cuts : mapping of int to Compressor
        By boundary, as in `infer`.
    batch : int
        Images in a micro-batch, and so in one call of `encode`.

    Returns
    -------
    Features

    Raises
    ------
    TypeError, ValueError
        As `infer`.

    Examples
    --------
    >>> from constellm import codec, images, infer
    >>> net, few = infer.load(), images.sample().per_class(1).pixels
    >>> infer.features(net, few).values.shape
    (10, 128)
    >>> found = infer.features(net, few, cuts={1: codec.Direct(codec.Scheme(bits=4))})
    >>> found.cuts[1].ratio > 7
    True
    """
    found = infer(_UpToClassifier(instance("net", net, OnnxModel)), pixels, cuts=cuts, batch=batch)
    return Features(found.logits, found.cuts)


class _UpToClassifier:
    """A model whose last block gives features in place of logits."""

    def __init__(self, net: OnnxModel) -> None:
        self._net = net
        self.name, self.blocks = net.name, net.blocks

    def segment(self, first: int, last: int) -> partial[np.ndarray]:
        return self._net.segment(first, last, classify=False)
