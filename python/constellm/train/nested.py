"""Nested values with tensors in them, and how they grow with the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten


def leaves_of(tree: Any) -> list[Any]:
    """What is in nested tuples, lists, mappings and model outputs."""
    return tree_flatten(tree)[0]


def tensors_of(tree: Any) -> list[Tensor]:
    """The tensors among `leaves_of`."""
    return [leaf for leaf in leaves_of(tree) if isinstance(leaf, Tensor)]


def on_tensors(function: Callable[[Tensor], Any], tree: Any) -> Any:
    """The same nest with `function` applied to every tensor."""
    return tree_map(lambda leaf: function(leaf) if isinstance(leaf, Tensor) else leaf, tree)


def own(tree: Any) -> Any:
    """The same nest with copies of the tensors, of each one copy, without the rest of a larger memory."""
    copies: dict[int, Tensor] = {}
    return on_tensors(lambda tensor: copies.setdefault(id(tensor), tensor.clone()), tree)


def take_rows(tree: Any, batch: int, rows: list[int]) -> Any:
    """The same nest with `rows` of those tensors whose first dimension is `batch`."""
    return on_tensors(lambda t: t[rows] if t.ndim and t.shape[0] == batch else t, tree)


def batch_of(tree: Any) -> int:
    """Rows of the first tensor with dimensions.

    Raises
    ------
    ValueError
        If there is none, or it has no rows.
    """
    rows = next((len(tensor) for tensor in tensors_of(tree) if tensor.ndim), 0)
    if rows == 0:
        raise ValueError("example: expected at least one array with at least one row")
    return rows


def to_tensors(tree: Any, device: torch.device) -> Any:
    """The same nest with arrays as tensors of their own memory, on `device`."""

    def convert(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            # A copy: a module may write into what it is given, and an array may be read-only.
            return torch.from_numpy(np.array(leaf)).to(device)
        return leaf.to(device) if isinstance(leaf, Tensor) else leaf

    return tree_map(convert, tree)


def array_dtype(dtype: torch.dtype) -> torch.dtype:
    """What numbers of a tensor are in an array; those that numpy lacks, such as bfloat16, are float32."""
    if dtype.is_complex:
        return torch.complex64 if dtype == torch.complex32 else dtype
    if dtype.is_floating_point and dtype not in (torch.float16, torch.float32, torch.float64):
        return torch.float32
    return dtype


def to_arrays(tree: Any) -> Any:
    """The same nest with tensors as arrays, of `array_dtype`."""

    def convert(tensor: Tensor) -> np.ndarray:
        found: np.ndarray = (
            tensor.detach().cpu().to(array_dtype(tensor.dtype)).resolve_conj().resolve_neg().numpy()
        )
        return found

    return on_tensors(convert, tree)


def fitted(
    field: str, given: np.ndarray | Tensor, dtype: torch.dtype, device: torch.device, *, where: str
) -> Tensor:
    """An array or tensor as a tensor of this type, if that is its own: nothing is rounded in silence.

    Raises
    ------
    TypeError
        Naming `field`, both types, and `where`.
    """
    expected = dtype if isinstance(given, Tensor) else array_dtype(dtype)
    tensor: Tensor = to_tensors(given, device)
    if tensor.dtype != expected:
        raise TypeError(
            f"{field}: expected {expected} {where}, got {tensor.dtype}; convert it if that is meant"
        )
    return tensor.to(dtype)


def has_arrays(tree: Any) -> bool:
    """Whether any value in the nest is an array."""
    return any(isinstance(leaf, np.ndarray) for leaf in leaves_of(tree))


def same(one: Any, two: Any, *, tolerance: float = 0.0) -> bool:
    """Whether two nests hold equal values, numbers in tensors up to `tolerance` of the largest."""
    (leaves, spec), (others, other_spec) = _flat(one), _flat(two)
    return spec == other_spec and all(_equal(a, b, tolerance) for a, b in zip(leaves, others))


def _flat(tree: Any) -> tuple[list[Any], Any]:
    """Leaves and structure; a ``torch.Size`` counts as the tuple that mapping over a nest makes of it."""
    return tree_flatten(tree_map(lambda leaf: leaf, tree))


def _equal(a: Any, b: Any, tolerance: float) -> bool:
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return type(a) is type(b) and bool(a == b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if tolerance == 0.0 or not (a.dtype.is_floating_point or a.dtype.is_complex):
        return torch.equal(a, b)
    largest = b.abs().nan_to_num(posinf=0.0).max().item() if b.numel() else 0.0
    return torch.allclose(a, b, rtol=tolerance, atol=tolerance * largest, equal_nan=True)


@dataclass(frozen=True)
class Batched:
    """A nest of values for one row of a batch, from which it is made for any number of rows.

    `per_row` tells of every leaf of `one` how much of its first dimension belongs to one row of the batch;
    0 for what is the same for all rows together.
    """

    one: Any
    per_row: tuple[int, ...]

    @classmethod
    def between(cls, one: Any, two: Any, what: str) -> Batched:
        """From the nests of one row, and of twice that row.

        Raises
        ------
        ValueError
            If a leaf does not go with the batch in its first dimension; names `what`.
        """
        (leaves, spec), (others, other_spec) = _flat(one), _flat(two)
        if spec != other_spec:
            raise ValueError(f"{what}: {spec} for one row, but {other_spec} for two")
        per_row = []
        for a, b in zip(leaves, others):
            rows = 0
            if not _equal(a, b, 0.0):
                if not isinstance(a, Tensor) or not isinstance(b, Tensor):
                    raise ValueError(f"{what}: {a!r} for one row of the batch, but {b!r} for two")
                rows = a.shape[0] if a.ndim else 0
                if not rows or a.shape[1:] != b.shape[1:] or b.shape[0] != 2 * rows:
                    raise ValueError(
                        f"{what}: shape {tuple(a.shape)} for one row of the batch, {tuple(b.shape)} for two; "
                        "its first dimension must go with the batch, or none"
                    )
            per_row.append(rows)
        return cls(one, tuple(per_row))

    def rows(self, batch: int) -> Any:
        """The nest for `batch` rows, all alike."""
        leaves, spec = tree_flatten(self.one)
        grown = [
            leaf if rows == 0 or batch == 1 else leaf.repeat(batch, *[1] * (leaf.ndim - 1))
            for leaf, rows in zip(leaves, self.per_row)
        ]
        return tree_unflatten(grown, spec)
