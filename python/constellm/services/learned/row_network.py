"""A small network that gives every row of a table a score, and reads all rows alike."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RowNetwork:
    """Rows pass one layer each; the mean and the largest of what comes out go, beside each row's own, through
    a second layer to its score. The first column of a row says whether it counts.

    Rows in another order get the same scores in that order, up to rounding, and any number of rows will do.
    """

    inner: Floats32
    """(features, hidden)"""
    inner_bias: Floats32
    """(hidden,)"""
    own: Floats32
    """(hidden, hidden)"""
    mean: Floats32
    """(hidden, hidden)"""
    largest: Floats32
    """(hidden, hidden)"""
    outer_bias: Floats32
    """(hidden,)"""
    score: Floats32
    """(hidden,)"""

    def __post_init__(self) -> None:
        for field in fields(self):
            kept = np.array(getattr(self, field.name), dtype=np.float32)
            kept.flags.writeable = False
            object.__setattr__(self, field.name, kept)
        features, hidden = self.inner.shape if self.inner.ndim == 2 else (0, 0)
        shapes = self.shapes(features, hidden)
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape or not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name}: expected finite numbers of shape {shape}")

    @staticmethod
    def shapes(features: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Of the weights by name."""
        square = (hidden, hidden)
        return {
            "inner": (features, hidden),
            "inner_bias": (hidden,),
            "own": square,
            "mean": square,
            "largest": square,
            "outer_bias": (hidden,),
            "score": (hidden,),
        }

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """(rows,) of a table (rows, features), whichever rows count."""
        x = np.asarray(rows, dtype=np.float64)
        counts = x[:, 0] > 0.5
        h = np.tanh(x @ self.inner + self.inner_bias)
        seen = h[counts] if counts.any() else np.zeros((1, h.shape[1]))
        context = seen.mean(axis=0) @ self.mean + seen.max(axis=0) @ self.largest + self.outer_bias
        return np.tanh(h @ self.own + context) @ self.score

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RowNetwork):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]

    def arrays(self) -> dict[str, Any]:
        """The weights by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
