"""The memory behind tensors: how much it is, who shares it, and copies that hold no more than they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Union

import numpy as np
import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from .nested import leaves_of, tensors_of

Weight = Union[Tensor, torch.ScriptObject]
"""What a module holds: a tensor, or quantised weights that PyTorch has packed for its own operations."""

_SPARSE = {
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}

OF_EVERY_MODULE = frozenset(vars(nn.Module()))
"""Names of attributes that modules have of PyTorch."""
_PER_CHANNEL = (torch.per_channel_affine, torch.per_channel_affine_float_qparams)


def dense_parts(tensor: Tensor) -> list[Tensor]:
    """The dense tensors that a tensor is made of: itself, or those of a sparse, quantised or wrapping one.

    Raises
    ------
    ValueError
        If its memory cannot be seen.
    """
    if is_traceable_wrapper_subclass(tensor):
        names, _ = tensor.__tensor_flatten__()
        return [part for name in names for part in dense_parts(getattr(tensor, name))]
    if tensor.layout in _SPARSE:
        return [getattr(tensor, name)() for name in _SPARSE[tensor.layout]]
    if tensor.is_nested:
        raise ValueError(
            "module: the bytes of a nested tensor cannot be counted; for an nn.TransformerEncoder set "
            "enable_nested_tensor=False"
        )
    if tensor.layout != torch.strided:
        raise ValueError(f"module: the bytes of a {tensor.layout} tensor cannot be counted")
    if tensor.is_quantized and tensor.qscheme() in _PER_CHANNEL:
        return [tensor, tensor.q_per_channel_scales(), tensor.q_per_channel_zero_points()]
    return [tensor]


def unpacked(weight: Weight) -> list[Tensor]:
    """The tensors of a weight; those of a packed one are copies.

    Raises
    ------
    TypeError
        If it is of a class that does not give them.
    """
    if isinstance(weight, Tensor):
        return [weight]
    try:
        names = weight._method_names()  # type: ignore[attr-defined]
        content: Any = getattr(weight, "unpack" if "unpack" in names else "__getstate__")()
    except (AttributeError, NotImplementedError, RuntimeError):
        content = ()
    found = [part for leaf in leaves_of(content) if _is_weight(leaf) for part in unpacked(leaf)]
    if not found:
        raise TypeError(f"module: it holds a {weight._type()}, whose bytes cannot be counted")
    return found


def nbytes(tensor: Tensor) -> int:
    """What a tensor's numbers take when they are sent, with the places of a sparse one's [B]."""
    return sum(part.numel() * part.element_size() for part in dense_parts(tensor))


def storages(tensor: Tensor) -> list[int]:
    """What tells tensors' memory apart as a whole; views have their base's."""
    return [part.untyped_storage()._cdata for part in dense_parts(tensor)]


class Storages:
    """The memory behind tensors, each as a whole, in which others may lie. It keeps none alive.

    Parameters
    ----------
    tensors : iterable of Tensor
        Taken in at once.
    """

    def __init__(self, tensors: Iterable[Tensor] = ()) -> None:
        # While a weak reference is there, its address is not given out again.
        self._seen: dict[int, StorageWeakRef] = {}
        self.add(tensors)

    def add(self, tensors: Iterable[Tensor]) -> None:
        """Take in the memory of tensors."""
        for tensor in tensors:
            for part in dense_parts(tensor):
                storage = part.untyped_storage()
                if storage._cdata not in self._seen:
                    self._seen[storage._cdata] = StorageWeakRef(storage)

    def hold(self, tensor: Tensor) -> bool:
        """Whether all of a tensor lies in it."""
        return self._seen.keys() >= set(storages(tensor))

    def meet(self, tensors: Iterable[Tensor]) -> bool:
        """Whether any part of the tensors lies in it."""
        return any(key in self._seen for tensor in tensors for key in storages(tensor))


def written(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """The tensors among its arguments that an operation writes into."""
    found: list[Tensor] = []
    for i, argument in enumerate(func._schema.arguments if func._schema.is_mutable else ()):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found += tensors_of(args[i] if i < len(args) else kwargs.get(argument.name))
    return found


class Memory:
    """Ranges of bytes that tensors lie in. What several of them share is in it once.

    The whole memory of a tensor is no measure: many weights may be views of one.

    Parameters
    ----------
    weights : iterable of Tensor or ScriptObject
        Taken in at once.
    """

    def __init__(self, weights: Iterable[Weight] = ()) -> None:
        self._ranges: dict[int, np.ndarray] = {}
        self._packed: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no address is given out twice
        for weight in weights:
            self.add(weight)

    @property
    def nbytes(self) -> int:
        """The size of it all [B]."""
        return sum(map(_size, self._ranges.values())) + sum(self._packed.values())

    def add(self, weight: Weight) -> int:
        """Take in a tensor, or packed weights; what was not in it before [B]."""
        if not isinstance(weight, Tensor):
            if id(weight) in self._packed:
                return 0
            self._kept.append(weight)
            self._packed[id(weight)] = Memory(unpacked(weight)).nbytes
            return self._packed[id(weight)]
        new = 0
        for part in dense_parts(weight):
            storage = part.untyped_storage()._cdata
            before = self._ranges.get(storage)
            ranges = _ranges(part)
            after = ranges if before is None else _union(np.concatenate([before, ranges]))
            new += _size(after) - (0 if before is None else _size(before))
            self._ranges[storage] = after
            self._kept.append(part)
        return new

    def overlaps(self, tensor: Tensor) -> bool:
        """Whether any byte of a tensor is in it."""
        for part in dense_parts(tensor):
            known = self._ranges.get(part.untyped_storage()._cdata)
            if known is not None and len(known):
                starts, ends = _ranges(part).T
                # The first known range that ends behind each start.
                first = np.searchsorted(known[:, 1], starts, side="right")
                inside = first < len(known)
                if (known[first[inside], 0] < ends[inside]).any():
                    return True
        return False


def held(module: nn.Module) -> dict[str, Weight]:
    """Parameters, buffers, other tensors and packed weights among a module's attributes, by path."""
    found: dict[int, tuple[str, Weight]] = {}
    for path, part in module.named_modules():
        others = {name: value for name, value in vars(part).items() if name not in OF_EVERY_MODULE}
        for name, value in {**part._parameters, **part._buffers, **others}.items():
            place = f"{path}.{name}" if path else name
            leaves = leaves_of(value) if isinstance(value, (dict, list, tuple)) else [value]
            weights = [leaf for leaf in leaves if _is_weight(leaf)]
            for i, leaf in enumerate(weights):
                found.setdefault(id(leaf), (place if len(weights) == 1 else f"{place}[{i}]", leaf))
    return dict(found.values())


def compact(tensors: Iterable[Tensor]) -> dict[int, Tensor]:
    """Copies of those tensors that would take other memory with them when they are pickled, by ``id``."""
    copies: dict[int, Tensor] = {}
    for tensor in tensors:
        plain = type(tensor) in (Tensor, nn.Parameter) and tensor.layout == torch.strided
        if plain and tensor.untyped_storage().nbytes() > Memory([tensor]).nbytes:
            copy = tensor.detach().clone()
            is_parameter = isinstance(tensor, nn.Parameter)
            copies[id(tensor)] = nn.Parameter(copy, tensor.requires_grad) if is_parameter else copy
    return copies


def _is_weight(leaf: Any) -> bool:
    return isinstance(leaf, (Tensor, torch.ScriptObject))


def _ranges(tensor: Tensor) -> np.ndarray:
    """Start and end of every stretch of memory that a dense tensor's numbers lie in [B], shape (n, 2)."""
    if tensor.numel() == 0:
        return np.empty((0, 2), np.int64)
    item = tensor.element_size()
    starts, length = np.array([tensor.storage_offset() * item]), item
    for stride, size in sorted(zip(tensor.stride(), tensor.shape)):
        if stride * item <= length:
            length += (size - 1) * stride * item
        else:
            starts = (starts[:, None] + np.arange(size) * (stride * item)).ravel()
    return _union(np.stack([starts, starts + length], axis=1))


def _union(ranges: np.ndarray) -> np.ndarray:
    ranges = ranges[np.argsort(ranges[:, 0])]
    ends = np.maximum.accumulate(ranges[:, 1])
    apart = ranges[1:, 0] > ends[:-1]
    first, last = np.append(True, apart), np.append(apart, True)
    return np.stack([ranges[first, 0], ends[last]], axis=1) if len(ranges) else ranges


def _size(ranges: np.ndarray) -> int:
    return int((ranges[:, 1] - ranges[:, 0]).sum())
