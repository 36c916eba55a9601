"""Inference through a model that is cut, with a compressor at every cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..codec.compressor import Compressor, ratio_of, round_trip
from ..core.checks import count
from ..core.console import for_console
from ..images import ImageSet


class Segmented(Protocol):
    """A model that runs any consecutive blocks by themselves, such as `OnnxModel`.

    One whose numbers are of another size than those of the arrays that it gives, such as bfloat16, has
    ``item_bytes(boundary)`` too: the size of a number of the activation there [B].

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import infer
    >>> class Doubling:
    ...     name, blocks = "doubling", 3
    ...     def segment(self, first, last):
    ...         return lambda x: x * 2 ** (last - first)
    >>> infer.infer(Doubling(), np.ones((1, 2), np.float32)).logits
    array([[8., 8.]], dtype=float32)
    """

    name: str

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        ...

    def segment(self, first: int, last: int) -> Callable[[np.ndarray], np.ndarray]:
        """The blocks `first` to `last` - 1."""
        ...


@dataclass(frozen=True)
class Crossing:
    """What one cut carried, over all micro-batches.

    Attributes
    ----------
    compressor : str
        Its name.
    raw_bytes, sent_bytes : int
        Before and after `encode` [B]; before it as the model computes, so that a profile of it agrees.
    encode_s, decode_s : float
        Wall clock [s].

    Examples
    --------
    >>> from constellm import codec, images, infer
    >>> coder = codec.Direct(codec.Scheme(bits=8), name="eight")
    >>> crossing = infer.infer(infer.load(), images.sample().per_class(1).pixels, cuts={6: coder}).cuts[6]
    >>> crossing.compressor, crossing.raw_bytes, crossing.ratio > 4
    ('eight', 327680, True)
    """

    compressor: str
    raw_bytes: int
    sent_bytes: int
    encode_s: float
    decode_s: float

    @property
    def ratio(self) -> float:
        """Raw bytes over sent bytes; inf where nothing was sent."""
        return ratio_of(self.raw_bytes, self.sent_bytes)


@dataclass(frozen=True)
class Inference:
    """What `infer` returns.

    Attributes
    ----------
    logits : ndarray of float32, shape (images, classes)
        Of the whole model.
    cuts : dict of int to Crossing
        By boundary, in order.

    Examples
    --------
    >>> from constellm import codec, images, infer
    >>> few = images.sample().per_class(1)
    >>> found = infer.infer(infer.load(), few.pixels, cuts={6: codec.Direct(codec.Scheme(bits=8))})
    >>> list(found.cuts), found.cuts[6].sent_bytes < found.cuts[6].raw_bytes
    ([6], True)
    """

    logits: np.ndarray
    cuts: dict[int, Crossing]

    @property
    def labels(self) -> np.ndarray:
        """The largest logit of every image: int64, shape (images,)."""
        return self.logits.argmax(axis=-1)

    @property
    def ratio(self) -> float:
        """Raw bytes over sent bytes, of all cuts together; 1 where there is none."""
        if not self.cuts:
            return 1.0
        cuts = self.cuts.values()
        return ratio_of(sum(cut.raw_bytes for cut in cuts), sum(cut.sent_bytes for cut in cuts))

    def accuracy(self, labels: np.ndarray) -> float:
        """Share of images whose largest logit is that of `labels`, shape (images,).

        Raises
        ------
        TypeError, ValueError
            If `labels` are no integers, or of another shape.
        """
        labels = np.asarray(labels)
        if not np.issubdtype(labels.dtype, np.integer):
            raise TypeError(f"labels: expected integers, the places of classes, got {labels.dtype}")
        if labels.shape != self.logits.shape[:1]:
            raise ValueError(f"labels: expected shape {self.logits.shape[:1]}, got {labels.shape}")
        return float((self.labels == labels).mean())

    def __repr__(self) -> str:
        cuts = ", ".join(f"{k}: {cut.compressor} {cut.ratio:.4g}×" for k, cut in self.cuts.items())
        return for_console(f"Inference({len(self.logits)} images, cuts {{{cuts}}})")


def infer(
    net: Segmented,
    x: np.ndarray,
    *,
    cuts: Mapping[int, Compressor] | None = None,
    batch: int = 64,
    first: int = 0,
) -> Inference:
    """Run a model with compressors at its cuts.

    Parameters
    ----------
    net : Segmented
        From `load`, or any other with `blocks` and `segment`.
    x : ndarray, shape (images, …)
        What stands at boundary `first`: for 0, what the model takes, such as pixels. An activation there
        was not compressed yet: ``cuts[first]``, if any, is applied to it.
    cuts : mapping of int to Compressor
        By boundary: after that many blocks, in [max(first, 1), blocks - 1].
    batch : int
        Images in a micro-batch, and so in one call of `encode`. Memory grows with it, not with `images`.
    first : int
        In [0, blocks - 1]: a boundary whose activation is at hand, to save the blocks before.

    Returns
    -------
    Inference

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or a compressor gives what is no bytes, or another shape or type
        back; names the boundary.

    Examples
    --------
    >>> from constellm import codec, images, infer
    >>> net, few = infer.load(), images.sample().per_class(1)
    >>> found = infer.infer(net, few.pixels, cuts={6: codec.Direct(codec.Scheme(bits=4))})
    >>> found.logits.shape, found.ratio > 8
    ((10, 10), True)
    """
    first = count("first", first, least=0, most=net.blocks - 1)
    batch = count("batch", batch)
    if isinstance(x, ImageSet):
        raise TypeError("x: expected an array, got an ImageSet; its images are .pixels")
    try:
        x = np.asarray(x)
    except (
        TypeError,
        RuntimeError,
    ) as error:  # a tensor of numbers that numpy lacks, or one that is not here
        raise TypeError(
            f"x: expected an array, got a {type(x).__name__}: {error}; for a model in bfloat16 give float32"
        ) from error
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f"x: expected shape (images, …) with at least one image, got {x.shape}")
    ordered = _checked(cuts or {}, max(first, 1), net.blocks - 1)
    ends = [*ordered, net.blocks]
    segments = [
        net.segment(start, end) if start < end else None for start, end in zip([first, *ordered], ends)
    ]
    totals = {boundary: _Total(boundary, compressor) for boundary, compressor in ordered.items()}
    logits: np.ndarray | None = None
    for start in range(0, len(x), batch):
        part = x[start : start + batch]
        for segment, end in zip(segments, ends):
            if segment is not None:
                part = segment(part)
            if end < net.blocks:
                part = totals[end].cross(part, item_bytes(net, end, part))
        if logits is None:
            logits = np.empty((len(x), *part.shape[1:]), dtype=part.dtype)
        logits[start : start + batch] = part
    assert logits is not None
    return Inference(logits, {boundary: total.crossing() for boundary, total in totals.items()})


def item_bytes(net: Segmented, boundary: int, x: np.ndarray) -> int:
    """Size of a number of the activation at a boundary, as the model computes it [B]."""
    own: Any = getattr(net, "item_bytes", None)
    return x.itemsize if own is None else int(own(boundary))


class _Total:
    """Sums over the micro-batches at one cut."""

    def __init__(self, boundary: int, compressor: Compressor) -> None:
        self._field, self._compressor = f"cuts[{boundary}]", compressor
        self._raw_bytes = self._sent_bytes = 0
        self._encode_s = self._decode_s = 0.0

    def cross(self, x: np.ndarray, item_bytes: int) -> np.ndarray:
        passed = round_trip(self._field, self._compressor, x)
        self._raw_bytes += x.size * item_bytes
        self._sent_bytes += passed.sent_bytes
        self._encode_s += passed.encode_s
        self._decode_s += passed.decode_s
        return passed.restored

    def crossing(self) -> Crossing:
        sizes = self._raw_bytes, self._sent_bytes
        return Crossing(self._compressor.name, *sizes, self._encode_s, self._decode_s)


def _checked(cuts: Mapping[int, Compressor], least: int, most: int) -> dict[int, Compressor]:
    ordered = {}
    for key in cuts:
        compressor = cuts[key]
        boundary = count("cuts", key, least=least, most=most)
        if not isinstance(compressor, Compressor):
            raise TypeError(f"cuts[{boundary}]: expected name, encode and decode, got {compressor!r}")
        ordered[boundary] = compressor
    return dict(sorted(ordered.items()))
