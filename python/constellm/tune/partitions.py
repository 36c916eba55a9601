"""Which satellite has which labelled images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import tune as _core
from ..core.checks import count, real, short
from ..core.display import Display, Displayed
from ..core.quantity import counted
from ..core.table import Table
from ..core.value import Value

_MOST_CLASSES = 1 << 16
_MOST_CELLS = 1 << 26  # satellites times classes: who holds what is a table


@dataclass(frozen=True, eq=False, repr=False)
class Partition(Value, Displayed):
    """Images spread over satellites; what `partition` gives.

    Parameters
    ----------
    satellite_of : array_like of int, shape (images,)
        The satellite of each image, in [0, satellites - 1].
    labels : array_like of int, shape (images,)
        The class of each image, at least 0.
    satellites : int

    Raises
    ------
    TypeError, ValueError
        Naming field, value and range.

    Examples
    --------
    >>> from constellm import tune
    >>> spread = tune.Partition([0, 1, 1, 0], labels=[0, 0, 1, 1], satellites=2)
    >>> spread.images_of(1).tolist(), spread.counts.tolist()
    ([1, 2], [[1, 1], [1, 1]])
    """

    satellite_of: NDArray[np.int32]
    """The satellite of each image (images,)."""
    labels: NDArray[np.int32]
    """The class of each image (images,)."""
    satellites: int
    """How many there are; some may have no image."""

    def __post_init__(self) -> None:
        satellites = count("satellites", self.satellites, most=_MOST_CELLS)
        places = as_places("satellite_of", self.satellite_of, most=satellites - 1)
        labels = as_places("labels", self.labels, most=_MOST_CLASSES - 1)
        if len(labels) != len(places):
            raise ValueError(f"labels: {len(labels)} of them for {len(places)} images")
        for name, value in (("satellite_of", places), ("labels", labels), ("satellites", satellites)):
            object.__setattr__(self, name, value)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Images of each class on each satellite (satellites, classes)."""
        classes = int(self.labels.max(initial=-1)) + 1
        cells = self.satellite_of.astype(np.int64) * classes + self.labels
        return np.bincount(cells, minlength=self.satellites * classes).reshape(self.satellites, classes)

    def images_of(self, satellite: int) -> NDArray[np.int64]:
        """Positions of a satellite's images, ascending."""
        place = count("satellite", satellite, least=0, most=self.satellites - 1)
        return np.flatnonzero(self.satellite_of == place)

    def __reduce__(self) -> tuple[Any, ...]:
        return Partition, (self.satellite_of, self.labels, self.satellites)

    def __repr__(self) -> str:
        return f"Partition({self._size()})"

    def _size(self) -> str:
        images = counted(len(self.labels), "image")
        return f"{images} of {counted(self.counts.shape[1], 'class', 'classes')} on " + counted(
            self.satellites, "satellite"
        )

    def _display(self) -> Display:
        counts = self.counts
        head = ("satellite", "images", *(f"class {c}" for c in range(counts.shape[1])))
        rows = [(str(s), *map(str, [row.sum(), *row])) for s, row in enumerate(counts)]
        return Display([f"Partition of {self._size()}"], [Table(head, rows)])


def partition(
    labels: ArrayLike, satellites: int, *, alpha: float | None = None, least: int = 1, seed: int = 0
) -> Partition:
    """Spread labelled images over satellites: every image onto one.

    Parameters
    ----------
    labels : array_like of int, shape (images,)
        The class of each image, at least 0.
    satellites : int
    alpha : float, optional
        How even the classes are spread: the images of each class are cut in proportions drawn from
        Dirichlet(alpha, …, alpha), as Yurochkin et al. (ICML 2019, arXiv 1905.12022) and Hsu et al.
        (arXiv 1909.06335) do; in [1e-9, 1e9]. Small ones (0.1) give a satellite few classes, large ones (100)
        all of them alike. Default: images are dealt out at random like cards, so that all satellites have
        equally many.
    least : int
        Images that each satellite has at least; 0 lets some be without. Where a draw leaves fewer, images
        are taken from the satellite that has most, of the class that it has most of, one after the other: no
        draw is repeated, so that it always ends.
    seed : int
        The same seed gives the same partition on every machine.

    Returns
    -------
    Partition

    Raises
    ------
    TypeError, ValueError
        Naming field, value and range; where there are fewer images than `least` for each satellite.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import tune
    >>> labels = np.repeat([0, 1, 2], 20)
    >>> tune.partition(labels, 4).counts.sum(axis=1).tolist()
    [15, 15, 15, 15]
    >>> tune.partition(labels, 4, alpha=0.1, seed=1).counts.tolist()
    [[0, 0, 1], [0, 1, 0], [1, 19, 19], [19, 0, 0]]
    """
    classes = as_places("labels", labels, most=_MOST_CLASSES - 1)
    satellites = count("satellites", satellites, most=_MOST_CELLS)
    if satellites * (int(classes.max(initial=0)) + 1) > _MOST_CELLS:
        raise ValueError(f"satellites: {satellites} times the classes is not in [1, {_MOST_CELLS}]")
    least = count("least", least, least=0)
    if least * satellites > len(classes):
        raise ValueError(
            f"least: {least} is not in [0, {len(classes) // satellites}], as there are {len(classes)} images "
            f"for {satellites} satellites"
        )
    spread = None if alpha is None else real("alpha", alpha, least=1e-9, most=1e9)
    seed = count("seed", seed, least=0, most=2**64 - 1)
    return Partition(_core.partition(classes, satellites, spread, least, seed), classes, satellites)


def as_places(field: str, values: Any, *, most: int) -> NDArray[np.int32]:
    """A copy of `values` that cannot be written, of integers in [0, most]."""
    array = np.asarray(values)
    if array.ndim != 1 or not (array.size == 0 or array.dtype.kind in "iu"):
        raise TypeError(f"{field}: expected integers of shape (images,), got {short(values)}")
    wrong = np.flatnonzero((array < 0) | (array > most))
    if wrong.size:
        raise ValueError(f"{field}[{wrong[0]}]: {array[wrong[0]]} is not in [0, {most}]")
    copy = array.astype(np.int32)
    copy.flags.writeable = False
    return copy
