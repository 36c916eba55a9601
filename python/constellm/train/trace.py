"""One watched pass through a module: what is computed before, between and after its blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from .ends import replace
from .memory import Memory, held, storages, written
from .nested import tensors_of

# Operations whose result leaves the tensors and can steer the program.
_READS = ("_local_scalar_dense", "equal", "is_nonzero", "nonzero", "allclose")


class Trace(TorchDispatchMode):
    """Notes how data flows around the blocks.

    Attributes
    ----------
    calls : list of (tuple, dict)
        What every block was called with, in order.
    outputs : list
        What every block returned.
    early_modules : dict of str to object
        Modules that were called once, before the first block, with what they returned.
    reads_early : bool
        Whether what follows the last block reads tensors that were there before the first.

    Raises
    ------
    ValueError
        In the pass, if the module cannot be split.
    """

    supports_higher_order_operators = True  # to be refused here, by name

    def __init__(self, module: nn.Module, blocks: Sequence[str], inputs: Any) -> None:
        super().__init__()
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self.outputs: list[Any] = []
        self.early_modules: dict[str, Any] = {}
        self.reads_early = False
        self._names = blocks
        self._inside = False
        self._kept: list[Tensor] = tensors_of(inputs)
        self._early = _storages(self._kept)
        self._held = {path: weight for path, weight in held(module).items() if isinstance(weight, Tensor)}
        self._weights = _storages(self._held.values())
        self._from_block: dict[int, str] = {}  # memory that holds what comes from a block: what made it
        self._calls_of: dict[str, int] = {}
        for i, name in enumerate(blocks):
            block = module.get_submodule(name)
            replace(block, _Watched(self, i, _twin(block)))
        inner = tuple(f"{name}." for name in blocks)
        for path, part in module.named_modules():
            if path and path not in blocks and not path.startswith(inner):
                part.forward = _Early(self, path, part.forward)

    def enter(self, index: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A block is called."""
        done = len(self.outputs)
        name = self._names[index]
        if self._inside:
            raise ValueError(f"blocks: {name!r} is called inside another block")
        if index < done:
            raise ValueError(
                f"blocks: {name!r} is called more than once in a pass (one set of weights for several "
                "layers, as in ALBERT); such a model cannot be split"
            )
        if index > done:
            raise ValueError(f"blocks: {name!r} is called where {self._names[done]!r} was expected")
        if done:
            self._check_arguments(name, args, kwargs)
        self.calls.append((args, kwargs))
        self._inside = True

    def leave(self, output: Any) -> None:
        """A block returns."""
        self._inside = False
        self.outputs.append(output)
        name = self._names[len(self.outputs) - 1]
        for tensor in tensors_of(output):
            if tensor.is_nested:
                raise ValueError(
                    f"blocks: {name!r} returns a nested tensor; for an nn.TransformerEncoder set "
                    "enable_nested_tensor=False"
                )
            for key in storages(tensor):
                self._early.discard(key)
                self._from_block[key] = f"output of {name!r}"
            self._kept.append(tensor)

    def called(self, path: str, started: bool, output: Any) -> None:
        """A module that is no block, and in no block, returns."""
        self._calls_of[path] = self._calls_of.get(path, 0) + 1
        if not started and not self.calls and self._calls_of[path] == 1:
            self.early_modules[path] = output
        else:
            self.early_modules.pop(path, None)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not isinstance(func, torch._ops.OpOverload):
            raise ValueError(f"module: {func} runs operations where they cannot be watched")
        self._check_writes(func, args, kwargs or {})
        result = func(*args, **(kwargs or {}))
        if self._inside:
            return result
        read, made = tensors_of((args, kwargs)), tensors_of(result)
        self._kept.extend(made)
        if not self.calls:
            self._note_early(made)
        elif len(self.outputs) < len(self._names):
            self._between(str(func), read, made)
        else:
            self._after(str(func), read)
        return result

    def _note_early(self, made: list[Tensor]) -> None:
        self._early.update(_storages(made) - self._weights)

    def _between(self, operation: str, read: list[Tensor], made: list[Tensor]) -> None:
        sources = [self._from_block[key] for key in _storages(read) if key in self._from_block]
        if not sources:
            self._note_early(made)
            return
        if operation.split(".")[1] in _READS:
            raise ValueError(
                f"blocks: after {self._names[len(self.outputs) - 1]!r} the program depends on the "
                f"{sources[0]} ({operation}): data-dependent control flow between blocks cannot be split"
            )
        for key in _storages(made):
            self._from_block.setdefault(key, f"result of {operation} on the {sources[0]}")

    def _after(self, operation: str, read: list[Tensor]) -> None:
        last = _storages(tensors_of(self.outputs[-1]))
        for key in _storages(read):
            if key in self._early:
                self.reads_early = True
            elif key in self._from_block and key not in last:
                raise ValueError(
                    f"blocks: {operation} after the last block reads the {self._from_block[key]}, "
                    "which a cut behind it would have to carry; such a model cannot be split"
                )

    def _check_writes(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before it is done, so that the module stays as it is."""
        for tensor in written(func, args, kwargs):
            if not self._weights.isdisjoint(storages(tensor)):
                self._refuse_write(func, tensor)

    def _refuse_write(self, func: Any, tensor: Tensor) -> None:
        written = Memory([tensor])
        for path, weight in self._held.items():
            if written.overlaps(weight):
                raise ValueError(
                    f"module: {func} writes into {path!r} in a pass: a state between calls, such as a "
                    "counter or a cache, which segments in other processes would not share"
                )

    def _check_arguments(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """The block may read what the one before it returned, and what was there before all blocks."""
        handed_on = {id(tensor) for tensor in tensors_of(self.outputs[-1])}
        before = self._names[len(self.outputs) - 1]
        arrived = {id(t): t for t in tensors_of((args, kwargs)) if id(t) in handed_on}
        for tensor in tensors_of((args, kwargs)):
            source = next(filter(None, map(self._from_block.get, storages(tensor))), None)
            if source is not None and id(tensor) not in handed_on:
                raise ValueError(
                    f"blocks: {name!r} reads the {source}, not what {before!r} returned: "
                    "what is computed between blocks would be lost at a cut"
                )
        if len(arrived) != 1:
            raise ValueError(
                f"blocks: {name!r} reads {len(arrived)} tensors that {before!r} returned; "
                "at a cut exactly one goes on"
            )


class _Watched:
    """Stands before a block."""

    def __init__(self, trace: Trace, index: int, block: nn.Module) -> None:
        self._trace, self._index, self._block = trace, index, block

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._trace.enter(self._index, args, kwargs)
        output = self._block(*args, **kwargs)
        self._trace.leave(output)
        return output


class _Early:
    """Stands before the forward pass of any other module."""

    def __init__(self, trace: Trace, path: str, forward: Any) -> None:
        self._trace, self._path, self._forward = trace, path, forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        started = bool(self._trace.calls)
        output = self._forward(*args, **kwargs)
        self._trace.called(self._path, started, output)
        return output


def _twin(block: nn.Module) -> nn.Module:
    """The same block with its hooks, when those of the one in the module's program are taken away."""
    twin: nn.Module = object.__new__(type(block))
    vars(twin).update(vars(block))
    return twin


def _storages(tensors: Iterable[Tensor]) -> set[int]:
    return {key for tensor in tensors for key in storages(tensor)}


def watched(module: nn.Module, blocks: Sequence[str], args: Any, kwargs: Any) -> Trace:
    """Run a copy of a module (which is changed).

    Raises
    ------
    ValueError
        If the module cannot be split; says why.
    """
    trace = Trace(module, blocks, (args, kwargs))
    with torch.no_grad(), trace:
        module(*args, **kwargs)
    if len(trace.outputs) < len(blocks):
        raise ValueError(
            f"blocks: {blocks[len(trace.outputs)]!r} is not called in a pass "
            f"({len(trace.outputs)} of {len(blocks)} blocks are)"
        )
    return trace
