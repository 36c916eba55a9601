"""Labelled images as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.checks import count, real
from ..core.console import for_console
from ..core.display import Display, Displayed
from ..core.quantity import counted
from ..core.table import Table
from ..core.value import Value


@dataclass(frozen=True, eq=False)
class ImageSet(Value, Displayed):
    """Labelled images, immutable.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (images, height, width, 3)
        Red, green, blue. Copied, unless the array and what it is a view of are read-only.
    labels : ndarray of int64, shape (images,)
        Index into `classes`.
    classes : sequence of str
        Names of the classes.
    name : str
        Where the images come from.

    Raises
    ------
    TypeError, ValueError
        If a shape, type or label is wrong; names the field, the value and the range.

    Examples
    --------
    >>> from constellm import images
    >>> few = images.synthetic(50, seed=0).per_class(2)
    >>> few.pixels.shape, len(few.classes)
    ((20, 64, 64, 3), 10)
    """

    pixels: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    name: str = field(default="images", compare=False)

    def __post_init__(self) -> None:
        pixels, labels = np.asarray(self.pixels), np.asarray(self.labels)
        if isinstance(self.classes, str):
            raise TypeError(f"classes: expected several names, got {self.classes!r}")
        classes = tuple(self.classes)
        for i, known in enumerate(classes):
            if not isinstance(known, str):
                raise TypeError(f"classes[{i}]: expected text, got {known!r}")
        if len(set(classes)) < len(classes):
            raise ValueError(f"classes: a name occurs twice among {classes}")
        if pixels.dtype != np.uint8:
            raise TypeError(f"pixels: expected uint8, got {pixels.dtype}")
        if pixels.ndim != 4 or pixels.shape[3] != 3:
            raise ValueError(f"pixels: expected shape (images, height, width, 3), got {pixels.shape}")
        if not np.issubdtype(labels.dtype, np.integer):
            raise TypeError(f"labels: expected integers, got {labels.dtype}")
        if labels.shape != pixels.shape[:1]:
            raise ValueError(f"labels: expected shape {pixels.shape[:1]}, got {labels.shape}")
        wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
        if wrong.size:
            raise ValueError(f"labels[{wrong[0]}]: {labels[wrong[0]]} is not in [0, {len(classes) - 1}]")
        for name, value in (("pixels", pixels), ("labels", labels.astype(np.int64))):
            object.__setattr__(self, name, _unchangeable(value))
        object.__setattr__(self, "classes", classes)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        height, width = self.pixels.shape[1:3]
        size = f"{counted(len(self), 'image')} of {width} × {height} px"
        classes = counted(len(self.classes), "class", "classes")
        return for_console(f"ImageSet({self.name!r}, {size}, {classes})")

    def _display(self) -> Display:
        images = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return Display([repr(self)], [Table(("class", "images"), tuple(zip(self.classes, images)))])

    def __reduce__(self) -> tuple[type[ImageSet], tuple[Any, ...]]:
        # Through the constructor, so that a copy from another process is as read-only as the original.
        return ImageSet, (self.pixels, self.labels, self.classes, self.name)

    def take(self, indices: Any) -> ImageSet:
        """The images at `indices`, an array of integers or booleans, or a slice."""
        pixels = self.pixels[indices]
        pixels.setflags(write=False)  # so that the set need not copy them
        return ImageSet(pixels, self.labels[indices], self.classes, self.name)

    def shuffled(self, seed: int) -> ImageSet:
        """The same images in a random order that `seed` fixes."""
        draw = np.random.Generator(np.random.PCG64(count("seed", seed, least=0)))
        return self.take(draw.permutation(len(self)))

    def per_class(self, images: int) -> ImageSet:
        """The first `images` of every class, classes taking turns; fewer of a class that has fewer."""
        rank = self._rank()
        places = np.flatnonzero(rank < count("images", images))
        return self.take(places[np.lexsort((self.labels[places], rank[places]))])

    def divided(self, images: int, *, seed: int = 0) -> tuple[ImageSet, ImageSet]:
        """`images` of every class at random, and the rest, both in a random order that `seed` fixes."""
        mixed = self.shuffled(seed)
        drawn = mixed._rank() < count("images", images)
        return mixed.take(drawn), mixed.take(~drawn)

    def _rank(self) -> np.ndarray:
        """How many images of its own class come before each."""
        rank = np.zeros(len(self), dtype=np.int64)
        for label in range(len(self.classes)):
            places = np.flatnonzero(self.labels == label)
            rank[places] = np.arange(len(places))
        return rank


def _unchangeable(array: np.ndarray) -> np.ndarray:
    """A view that cannot be made writeable, of `array` if nothing that it is a view of is, else of a copy."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            array = array.copy()
            array.setflags(write=False)
            break
        base = base.base
    return array.view()


def standardise(pixels: np.ndarray, mean: Iterable[float], std: Iterable[float]) -> np.ndarray:
    """Images as a network takes them: (pixels/255 − mean) / std, channels first.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (images, height, width, 3)
        Red, green, blue.
    mean, std : three numbers each
        Of the training images' channels, on a scale of 0 to 1.

    Returns
    -------
    ndarray of float32, shape (images, 3, height, width)

    Raises
    ------
    TypeError, ValueError
        If a type, shape or number of values is another, or a mean is not in [0, 1] or a deviation not in
        [10⁻⁶, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import images
    >>> black = np.zeros((1, 2, 2, 3), np.uint8)
    >>> float(images.standardise(black, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)).min())
    -2.0
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        got = pixels.dtype if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise TypeError(f"pixels: expected an array of uint8, got {got}")
    if pixels.ndim != 4 or pixels.shape[3] != 3:
        raise ValueError(f"pixels: expected shape (images, height, width, 3), got {pixels.shape}")
    middle, spread = _of_channels("mean", mean, 0.0), _of_channels("std", std, 1e-6)
    channels = pixels.transpose(0, 3, 1, 2).astype(np.float32)
    channels *= np.float32(1.0) / (np.float32(255.0) * spread)
    channels += -middle / spread
    return np.ascontiguousarray(channels)


def _of_channels(field: str, values: Iterable[float], least: float) -> np.ndarray:
    numbers = [real(field, value, least=least, most=1.0) for value in values]
    if len(numbers) != 3:
        raise ValueError(f"{field}: expected three numbers, got {len(numbers)}")
    return np.array(numbers, dtype=np.float32)[:, None, None]
