"""Watched passes that count: floating-point operations, and bytes in use."""

from __future__ import annotations

import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .memory import Storages, dense_parts, storages, written
from .nested import tensors_of
from .operations import formula_of

_TO_LIBRARIES = (Tensor.numpy, Tensor.__array__, Tensor.__dlpack__, Tensor.data_ptr)
_TO_PYTHON = (Tensor.tolist, Tensor.item, Tensor.__float__, Tensor.__int__, Tensor.__complex__)
_CREATES = ("aten::lift_fresh", "aten::lift")  # what torch.tensor gives was made of plain numbers


class FlopCounter(TorchDispatchMode):
    """Counts the floating-point operations of a pass.

    Parameters
    ----------
    where : str
        Which part of a model it is, for messages.
    names : mapping of Module to str
        Paths of the modules that are run, for messages.
    held : iterable of Tensor
        What the pass may read beside what it is given and makes: weights, whose bytes are counted.
    given : iterable of Tensor
        Its inputs.
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
        held: Iterable[Tensor],
        given: Iterable[Tensor],
        repeats: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.flop = 0
        self._where, self._names, self._repeats = where, names, repeats
        self._depends = Storages(given)
        self._known = Storages((*held, *given))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        read = tensors_of((args, kwargs))
        self._check_known(func, read)
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
        made = tensors_of(result)
        self._known.add(made)
        if self._depends.meet(read):
            self._depends.add((*made, *written(func, args, kwargs)))
        return result

    def depends(self, tensor: Tensor) -> bool:
        """Whether a tensor was made of what the pass was given, not of weights alone."""
        return self._depends.meet([tensor])

    def check_made(self, results: Iterable[Tensor]) -> None:
        """Refuse results of the pass that were made where nothing is counted.

        Raises
        ------
        ValueError
            If one of them was not made in the pass, given to it or held.
        """
        for tensor in results:
            if tensor.numel() and not self._known.hold(tensor):
                raise ValueError(
                    f"{self._where}: a tensor of shape {tuple(tensor.shape)} that it returns was made "
                    "outside of PyTorch, or in another thread, where operations cannot be counted"
                )

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
            if tensor.numel() and not self._known.hold(tensor):
                raise ValueError(
                    f"{self._where}: {func}{_place(self._names)} reads a tensor of shape "
                    f"{tuple(tensor.shape)} that is no attribute of a module and was not made by PyTorch's "
                    "operations in this thread, so its bytes and FLOP would be missing; make it a buffer, a "
                    "plain list of modules a ModuleList"
                )


class InsidePyTorch(TorchFunctionMode):
    """Refuses to hand tensors to other libraries, or numbers to Python, whose operations nobody counts.

    Numbers that come from weights alone may go, and so may integers and truth values: they tell shapes and
    steer the program.

    Parameters
    ----------
    where, names
        As for `FlopCounter`.
    depends : callable
        Whether a tensor depends on what the pass was given.
    """

    def __init__(self, where: str, names: Mapping[nn.Module, str], depends: Callable[[Tensor], bool]) -> None:
        super().__init__()
        self._where, self._names, self._depends = where, names, depends

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _TO_LIBRARIES or (func in _TO_PYTHON and self._tells_numbers(args[0])):
            to = "another library" if func in _TO_LIBRARIES else "Python"
            raise ValueError(
                f"{self._where}: Tensor.{func.__name__}{_place(self._names)} hands numbers to {to}, where "
                "operations cannot be counted"
            )
        return func(*args, **(kwargs or {}))

    def _tells_numbers(self, tensor: Tensor) -> bool:
        has_fractions = tensor.is_floating_point() or tensor.is_complex() or tensor.is_quantized
        return has_fractions and self._depends(tensor)


class OneThread:
    """Refuses, at the end of a pass, modules that another thread called with what is of the pass.

    Nobody watches there. Calls with other tensors are somebody else's, who may use the module meanwhile.

    Parameters
    ----------
    where, names
        As for `FlopCounter`.
    depends
        Whether a tensor depends on the inputs of the pass.

    Raises
    ------
    ValueError
        Naming the module, in place of what came of it.
    """

    def __init__(self, where: str, names: Mapping[nn.Module, str], depends: Callable[[Tensor], bool]) -> None:
        self._where, self._names, self._depends = where, names, depends
        self._thread = threading.get_ident()
        self._elsewhere: list[nn.Module] = []

    def __enter__(self) -> None:
        self._hook = register_module_forward_pre_hook(self._called)

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        self._hook.remove()
        if self._elsewhere and (kind is None or issubclass(kind, Exception)):
            raise ValueError(
                f"{self._where}:{_named(self._elsewhere[0], self._names)} is called in another thread during "
                "the pass, where operations cannot be counted"
            )

    def _called(self, module: nn.Module, given: Any) -> None:
        if threading.get_ident() == self._thread or module not in self._names:
            return
        if any(map(self._depends, tensors_of(given))):
            self._elsewhere.append(module)


def _place(names: Mapping[nn.Module, str]) -> str:
    """The innermost module that is running."""
    frame = sys._getframe()
    while frame is not None:
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module):
            return f" in{_named(module, names)}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def _named(module: nn.Module, names: Mapping[nn.Module, str]) -> str:
    kind = type(module).__name__
    return f" {names[module]!r} ({kind})" if module in names else f" {kind}"


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
