"""Inference through a model that is cut, with a compressor at every cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..codec.compressor import Compressor
from ..core.checks import count
from ..images import ImageSet


class Segmented(Protocol):
    """A model that runs any consecutive blocks by themselves, such as `OnnxModel`."""

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
        Before and after `encode` [B].
    encode_s, decode_s : float
        Wall clock [s].
    """

    compressor: str
    raw_bytes: int
    sent_bytes: int
    encode_s: float
    decode_s: float

    @property
    def ratio(self) -> float:
        """Raw bytes over sent bytes."""
        return self.raw_bytes / self.sent_bytes


@dataclass(frozen=True)
class Inference:
    """What `infer` returns.

    Attributes
    ----------
    logits : ndarray of float32, shape (images, classes)
        Of the whole model.
    cuts : dict of int to Crossing
        By boundary, in order.
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
        return sum(cut.raw_bytes for cut in self.cuts.values()) / sum(
            cut.sent_bytes for cut in self.cuts.values()
        )

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
        return f"Inference({len(self.logits)} images, cuts {{{cuts}}})"


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
        If an argument is out of range, or a compressor gives another shape or type back; names the
        boundary.
    """
    first = count("first", first, least=0, most=net.blocks - 1)
    batch = count("batch", batch)
    if isinstance(x, ImageSet):
        raise TypeError("x: expected an array, got an ImageSet; its images are .pixels")
    x = np.asarray(x)
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f"x: expected shape (images, …) with at least one image, got {x.shape}")
    ordered = _checked(cuts or {}, max(first, 1), net.blocks - 1)
    ends = [*ordered, net.blocks]
    segments = [
        net.segment(start, end) if start < end else None for start, end in zip([first, *ordered], ends)
    ]
    totals = {boundary: _Total(compressor.name) for boundary, compressor in ordered.items()}
    logits: np.ndarray | None = None
    for start in range(0, len(x), batch):
        part = x[start : start + batch]
        for segment, end in zip(segments, ends):
            if segment is not None:
                part = segment(part)
            if end < net.blocks:
                part = totals[end].cross(end, ordered[end], part)
        if logits is None:
            logits = np.empty((len(x), *part.shape[1:]), dtype=part.dtype)
        logits[start : start + batch] = part
    assert logits is not None
    return Inference(logits, {boundary: total.crossing() for boundary, total in totals.items()})


class _Total:
    """Sums over the micro-batches at one cut."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.raw_bytes = self.sent_bytes = 0
        self.encode_s = self.decode_s = 0.0

    def cross(self, boundary: int, compressor: Compressor, x: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        sent = compressor.encode(x)
        encoded = time.perf_counter()
        restored = compressor.decode(sent)
        self.decode_s += time.perf_counter() - encoded
        self.encode_s += encoded - start
        self.raw_bytes += x.nbytes
        self.sent_bytes += len(sent)
        if restored.shape != x.shape or restored.dtype != x.dtype:
            given, back = (f"{a.dtype} {a.shape}" for a in (x, restored))
            raise ValueError(f"cuts[{boundary}]: {self.name} turned {given} into {back}")
        return restored

    def crossing(self) -> Crossing:
        return Crossing(self.name, self.raw_bytes, self.sent_bytes, self.encode_s, self.decode_s)


def _checked(cuts: Mapping[int, Compressor], least: int, most: int) -> dict[int, Compressor]:
    ordered = {}
    for key in cuts:
        compressor = cuts[key]
        boundary = count("cuts", key, least=least, most=most)
        if not isinstance(compressor, Compressor):
            raise TypeError(f"cuts[{boundary}]: expected name, encode and decode, got {compressor!r}")
        ordered[boundary] = compressor
    return dict(sorted(ordered.items()))
