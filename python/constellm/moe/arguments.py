"""Checks of what activations are made of; each message names field, value and range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, short


def as_array(field: str, values: Any, dims: str, *, integers: bool = False) -> NDArray[Any]:
    """`values` as an array of numbers with these dimensions, none of them empty.

    Parameters
    ----------
    dims : str
        Their names, as the message shows them: ``"layers, experts"``.

    Raises
    ------
    TypeError
        For anything else.
    """
    if np.ma.is_masked(values):
        raise TypeError(f"{field}: expected numbers, got masked ones")
    kinds, kind = ("iu", "integers") if integers else ("iuf", "numbers")
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):  # rows of unequal length
        array = np.array(None)
    if array.dtype.kind not in kinds or array.ndim != len(dims.split(", ")) or not array.size:
        raise TypeError(f"{field}: expected {kind} of shape ({dims}), got {short(values)}")
    return array


def frozen(values: ArrayLike) -> NDArray[np.float64]:
    """A copy that cannot be written; what is `sealed` already is not copied."""
    if (
        type(values) is np.ndarray
        and values.dtype == np.float64
        and values.flags.c_contiguous
        and type(values.base) is np.ndarray
        and not (values.flags.writeable or values.base.flags.writeable)
        and values.base.flags.owndata
    ):
        return values
    return sealed(np.array(values, dtype=np.float64, order="C"))


def sealed(fresh: NDArray[np.float64]) -> NDArray[np.float64]:
    """An array that nobody else has, never to be written: as a view of one that is not it stays so."""
    fresh.flags.writeable = False
    return fresh.view()


def as_layer_numbers(numbers: Any, layers: int) -> tuple[int, ...]:
    """The model's numbers of so many layers; 0, 1, 2, … where they are None.

    Raises
    ------
    ValueError, TypeError
        Where they are not as many, or do not rise.
    """
    if numbers is None:
        return tuple(range(layers))
    if isinstance(numbers, str) or not isinstance(numbers, (Sequence, np.ndarray)):
        raise TypeError(f"layer_numbers: expected integers, got {short(numbers)}")
    checked = tuple(count(f"layer_numbers[{i}]", number, least=0) for i, number in enumerate(numbers))
    if len(checked) != layers:
        raise ValueError(f"layer_numbers: {len(checked)} of them are not {layers}, one a layer")
    for i in range(1, layers):
        if checked[i] <= checked[i - 1]:
            raise ValueError(f"layer_numbers[{i}]: {checked[i]} is not in [{checked[i - 1] + 1}, inf)")
    return checked
