"""Watched passes that count: floating-point operations, and bytes in use."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .memory import dense_parts, storages
from .nested import tensors_of
from .operations import formula_of

_LEAVE = (Tensor.numpy, Tensor.__array__, Tensor.__dlpack__, Tensor.data_ptr)
_CREATES = ("aten::lift_fresh", "aten::lift")  # what torch.tensor gives was made of plain numbers


class FlopCounter(TorchDispatchMode):
    """Counts the floating-point operations of a pass.

    Parameters
    ----------
    where : str
        Which part of a model it is, for messages.
    names : mapping of Module to str
        Paths of the modules that are run, for messages.
    known : iterable of Tensor
        What the pass may read beside what it makes: weights and inputs, whose bytes are counted.
    repeats : callable
        Whether what is computed at the moment was counted elsewhere.

    Attributes
    ----------
    flop : int
        So far.

    Raises
    ------
    ValueError
        In the pass, at an operation that cannot be counted, or one that reads a tensor that is not known.
    """

    def __init__(
        self,
        where: str,
        names: Mapping[nn.Module, str],
        known: Iterable[Tensor],
        repeats: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.flop = 0
        self._where, self._names, self._repeats = where, names, repeats
        self._known = {key for tensor in known for key in storages(tensor)}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self._check_known(func, tensors_of((args, kwargs)))
        formula = formula_of(func, (args, kwargs))
        if formula is None:
            result = self._decomposed(func, args, kwargs)
            if result is NotImplemented:
                raise ValueError(
                    f"{self._where}: the FLOP of {func}{_place(self._names)} are not known, so the profile "
                    "would be wrong; give them with torch.utils.flop_counter.register_flop_formula"
                )
            return result
        result = func(*args, **kwargs)
        if not self._repeats():
            self.flop += formula(*args, result=result, **kwargs)
        self._known.update(key for tensor in tensors_of(result) for key in storages(tensor))
        return result

    def _decomposed(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Under inference mode operations that are made of others arrive whole."""
        if not isinstance(func, torch._ops.OpOverload):
            return NotImplemented
        with self:
            return func.decompose(*args, **kwargs)

    def _check_known(self, func: Any, read: list[Tensor]) -> None:
        if isinstance(func, torch._ops.OpOverload) and func._schema.name in _CREATES:
            return
        for tensor in read:
            if tensor.numel() and not self._known.issuperset(storages(tensor)):
                raise ValueError(
                    f"{self._where}: {func}{_place(self._names)} reads a tensor of shape "
                    f"{tuple(tensor.shape)} that is no attribute of a module and was not made by PyTorch's "
                    "operations, so its bytes would be missing; make it a buffer"
                )


class InsidePyTorch(TorchFunctionMode):
    """Refuses to hand tensors to other libraries, whose operations nobody counts.

    Parameters
    ----------
    where, names
        As for `FlopCounter`.
    """

    def __init__(self, where: str, names: Mapping[nn.Module, str]) -> None:
        super().__init__()
        self._where, self._names = where, names

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _LEAVE:
            raise ValueError(
                f"{self._where}: Tensor.{func.__name__}{_place(self._names)} hands numbers to another "
                "library, where operations cannot be counted"
            )
        return func(*args, **(kwargs or {}))


def _place(names: Mapping[nn.Module, str]) -> str:
    """The innermost module that is running."""
    frame = sys._getframe()
    while frame is not None:
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module):
            path = names.get(module)
            return (
                f" in {type(module).__name__}" if path is None else f" in {path!r} ({type(module).__name__})"
            )
        frame = frame.f_back  # type: ignore[assignment]
    return ""


class Alive(TorchDispatchMode):
    """Counts the bytes of tensors that operations made and that still exist.

    Parameters
    ----------
    given : int
        What exists before [B].

    Attributes
    ----------
    most_bytes : int
        The most at a time. What a fused operation uses inside itself is not in it.
    """

    def __init__(self, given: int) -> None:
        super().__init__()
        self.most_bytes = self._bytes = given
        self._holders: Counter[int] = Counter()  # tensors by memory

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        old = {key for tensor in tensors_of((args, kwargs)) for key in storages(tensor)}
        for tensor in tensors_of(result):
            for part in dense_parts(tensor):
                self._made(tensor, part.untyped_storage(), old)
        self.most_bytes = max(self.most_bytes, self._bytes)
        return result

    def _made(self, tensor: Tensor, storage: torch.UntypedStorage, old: set[int]) -> None:
        key, nbytes = storage._cdata, storage.nbytes()
        if key not in self._holders:
            if key in old:
                return  # a view of what was there before: a weight or the input
            self._bytes += nbytes
        self._holders[key] += 1
        weakref.finalize(tensor, self._drop, key, nbytes)

    def _drop(self, key: int, nbytes: int) -> None:
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self._bytes -= nbytes
