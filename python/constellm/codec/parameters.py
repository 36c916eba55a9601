"""Parameters of what was trained for a cut, as checked arrays."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from ..core.checks import known_keywords

_Self = TypeVar("_Self", bound="Parameters")


class Parameters:
    """Base of frozen dataclasses whose fields are float32 arrays."""

    def arrays(self) -> dict[str, np.ndarray]:
        """The parameters by name, read-only."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def replace(self: _Self, **changes: Any) -> _Self:
        """The same with some parameters changed."""
        known_keywords("replace()", changes, self.arrays())
        return replace(self, **changes)  # type: ignore[type-var]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameters) or type(other) is not type(self):
            return NotImplemented
        return all(np.array_equal(a, b) for a, b in zip(self.arrays().values(), other.arrays().values()))

    __hash__ = None  # type: ignore[assignment]

    def _set(self, **shapes: tuple[int, ...]) -> None:
        """Make every field a read-only float32 array of its shape; ValueError names the one that is not."""
        for field, shape in shapes.items():
            array = np.array(getattr(self, field), dtype=np.float32)
            if array.shape != shape:
                raise ValueError(f"{field}: expected shape {shape}, got {array.shape}")
            if not np.all(np.isfinite(array)):
                raise ValueError(f"{field}: not all values are finite")
            array.setflags(write=False)
            object.__setattr__(self, field, array)


def activation(x: Any, features: int) -> np.ndarray:
    """`x` as float32 with `features` on its last axis; ValueError otherwise."""
    array = np.asarray(x, dtype=np.float32)
    if array.ndim == 0 or array.shape[-1] != features:
        raise ValueError(f"x: expected shape (…, {features}), got {array.shape}")
    return array
