"""A linear head over features that stay as they are, tuned by satellites on what each of them has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import tune as _core
from ..core.checks import count, instance, non_negative, positive, short
from ..core.display import Display, Displayed
from ..core.table import Table
from .partitions import Partition, as_places

Parameters = list[np.ndarray]
"""Those of a model, in an order of its own."""


@dataclass(frozen=True, eq=False, repr=False)
class HeadTask(Displayed):
    """A softmax classifier over features, for `federate`: local training, and a test of what comes out.

    Training is stochastic gradient descent on the mean cross entropy of batches, computed in doubles in a
    fixed order, so that it repeats bit for bit. With ``batch=None`` a step takes all images of the satellite.

    Parameters
    ----------
    features : array_like of float, shape (images, width)
        Of the images for training, such as those of `constellm.infer.features`.
    partition : Partition
        Of these images over satellites, with their labels.
    test_features : array_like of float, shape (test images, width)
    test_labels : array_like of int, shape (test images,)
    learning_rate : float
        In (0, inf).
    batch : int, optional
        Images of a step; None: all that the satellite has.
    weight_decay : float
        λ >= 0: λ/2 · ‖weights‖² is added to the loss.
    proximal : float
        μ >= 0: μ/2 · ‖parameters − the global ones‖² is added, as FedProx does (Li et al., arXiv 1812.06127,
        eq. 2).
    dtype : {'float32', 'float64'}
        Of the parameters as they are sent.

    Raises
    ------
    TypeError, ValueError
        Naming field, value and range.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import tune
    >>> x, labels = np.array([[0.0], [1.0], [0.0], [1.0]]), [0, 1, 0, 1]
    >>> spread = tune.Partition([0, 0, 1, 1], labels=labels, satellites=2)
    >>> task = tune.HeadTask(x, spread, test_features=x, test_labels=labels, learning_rate=1.0)
    >>> [part.shape for part in task.start()], task.parameter_bytes
    ([(1, 2), (2,)], 16)
    >>> trained, images, _ = task.fit(0, task.start(), {"epochs": 20, "seed": 1})
    >>> images, task.evaluate(trained)["accuracy"]
    (2, 1.0)
    """

    features: NDArray[np.float64]
    partition: Partition
    test_features: NDArray[np.float64]
    test_labels: NDArray[np.int32]
    learning_rate: float = 0.1
    batch: int | None = 32
    weight_decay: float = 0.0
    proximal: float = 0.0
    dtype: str = "float32"

    def __post_init__(self) -> None:
        spread = instance("partition", self.partition, Partition)
        if not len(spread.labels):
            raise ValueError("partition: expected at least one image")
        train = _rows("features", self.features, len(spread.labels))
        labels = as_places("test_labels", self.test_labels, most=(1 << 16) - 1)
        if not len(labels):
            raise ValueError("test_labels: expected at least one")
        test = _rows("test_features", self.test_features, len(labels))
        if test.shape[1] != train.shape[1]:
            raise ValueError(f"test_features: {test.shape[1]} columns, features have {train.shape[1]}")
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype: {short(self.dtype)} is not one of 'float32', 'float64'")
        checked = {
            "features": train,
            "test_features": test,
            "test_labels": labels,
            "learning_rate": positive("learning_rate", self.learning_rate),
            "batch": None if self.batch is None else count("batch", self.batch, most=2**31 - 1),
            "weight_decay": non_negative("weight_decay", self.weight_decay),
            "proximal": non_negative("proximal", self.proximal),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def satellites(self) -> int:
        """How many there are."""
        return self.partition.satellites

    @property
    def classes(self) -> int:
        """As many as the labels say, of training and test."""
        return int(max(self.partition.labels.max(), self.test_labels.max())) + 1

    @property
    def parameter_bytes(self) -> int:
        """Size of the parameters as they are sent [B]."""
        return sum(part.nbytes for part in self.start())

    def start(self) -> Parameters:
        """Weights (width, classes) and bias (classes,), all 0: the loss is convex."""
        classes = self.classes
        return [np.zeros((self.features.shape[1], classes), self.dtype), np.zeros(classes, self.dtype)]

    def fit(
        self, satellite: int, parameters: Parameters, config: Mapping[str, Any]
    ) -> tuple[Parameters, int, dict[str, float]]:
        """Train on a satellite's images; none of the arguments is changed.

        Parameters
        ----------
        satellite : int
        parameters : list of ndarray
            Where training begins.
        config : mapping
            ``epochs`` (default 1), ``seed`` of the images' order (default 0), and ``proximal-mu``, which
            Flower's FedProx sets, in place of the task's own.

        Returns
        -------
        parameters : list of ndarray
            After training.
        images : int
            How many there were.
        metrics : dict
            Empty.
        """
        mine = self.partition.images_of(satellite)
        weights, bias = self._doubles(parameters)
        if len(mine):
            _core.train_head(
                np.ascontiguousarray(self.features[mine]),
                np.ascontiguousarray(self.partition.labels[mine]),
                weights,
                bias,
                self.learning_rate,
                count("epochs", config.get("epochs", 1), least=0, most=2**31 - 1),
                len(mine) if self.batch is None else self.batch,
                self.weight_decay,
                non_negative("proximal-mu", config.get("proximal-mu", self.proximal)),
                count("seed", config.get("seed", 0), least=0, most=2**64 - 1),
            )
        return [weights.astype(self.dtype), bias.astype(self.dtype)], len(mine), {}

    def evaluate(self, parameters: Parameters) -> dict[str, float]:
        """``accuracy`` on the test images, in [0, 1], and ``cross_entropy``, their mean [nat]."""
        weights, bias = self._doubles(parameters)
        right, loss = _core.test_head(self.test_features, self.test_labels, weights, bias)
        return {"accuracy": right / len(self.test_labels), "cross_entropy": loss}

    def fingerprint(self) -> str:
        """Of everything that the task consists of, as text."""
        digest = hashlib.sha256()
        arrays = (self.partition.satellite_of, self.partition.labels, self.features)
        for array in (*arrays, self.test_features, self.test_labels):
            digest.update(repr(array.shape).encode() + array.tobytes())
        rest = (self.satellites, self.learning_rate, self.batch, self.weight_decay, self.proximal, self.dtype)
        digest.update(repr(rest).encode())
        return digest.hexdigest()

    def _doubles(self, parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
        """Copies of weights and bias."""
        shapes = [part.shape for part in self.start()]
        if [np.shape(part) for part in parameters] != shapes:
            got = [np.shape(part) for part in parameters]
            raise ValueError(f"parameters: expected arrays of shapes {shapes}, got {got}")
        weights, bias = (np.array(part, dtype=np.float64, order="C") for part in parameters)
        return weights, bias

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HeadTask):
            return NotImplemented
        return self.fingerprint() == other.fingerprint()

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return HeadTask, tuple(getattr(self, field.name) for field in fields(self))

    def __repr__(self) -> str:
        images, width = self.features.shape
        return f"HeadTask({images} images × {width} features, {self.satellites} satellites)"

    def _display(self) -> Display:
        settings = ("learning_rate", "batch", "weight_decay", "proximal", "dtype")
        rows = [(name, str(getattr(self, name))) for name in settings]
        lines = [repr(self), f"{len(self.test_labels)} test images, {self.classes} classes"]
        return Display(lines, [Table(("setting", "value"), rows)])


def _rows(field: str, values: ArrayLike, rows: int) -> NDArray[np.float64]:
    """A copy of finite numbers (rows, columns) that cannot be written."""
    array = np.array(values)
    if array.dtype.kind not in "iuf" or array.ndim != 2 or not array.shape[1]:
        raise TypeError(f"{field}: expected numbers of shape (images, width), got {short(values)}")
    if len(array) != rows:
        raise ValueError(f"{field}: {len(array)} rows for {rows} labels")
    copy = np.array(array, dtype=np.float64, order="C")
    if not np.isfinite(copy).all():
        row, column = np.argwhere(~np.isfinite(copy))[0].tolist()
        raise ValueError(f"{field}[{row}][{column}]: {copy[row, column]} is not finite")
    copy.flags.writeable = False
    return copy
