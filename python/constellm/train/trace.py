"""One watched pass through a module: what is computed before, between and after its blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from .rows import tensors_of

# Operations whose result leaves the tensors and can steer the program.
_READS = ("_local_scalar_dense", "equal", "is_nonzero", "nonzero", "allclose")


def storage(tensor: Tensor) -> int:
    """What tells two tensors' memory apart; views have their base's."""
    return tensor.untyped_storage()._cdata


class Uses(TorchDispatchMode):
    """Notes the memory of every tensor that an operation reads."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[int] = set()
        self._kept: list[Tensor] = []  # so that no address is given out twice

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        used = tensors_of((args, kwargs))
        self.read.update(map(storage, used))
        self._kept.extend(used)
        return func(*args, **(kwargs or {}))


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

    def __init__(self, module: nn.Module, blocks: Sequence[str], inputs: Any) -> None:
        super().__init__()
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self.outputs: list[Any] = []
        self.early_modules: dict[str, Any] = {}
        self.reads_early = False
        self._names = blocks
        self._inside = False
        self._kept: list[Tensor] = tensors_of(inputs)
        self._early = set(map(storage, self._kept))
        self._weights = set(map(storage, chain(module.parameters(), module.buffers())))
        self._from_block: dict[int, str] = {}  # memory that holds what comes from a block: what made it
        self._calls_of: dict[str, int] = {}
        for i, name in enumerate(blocks):
            block = module.get_submodule(name)
            block.forward = _Watched(self, i, block.forward)
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
            self._early.discard(storage(tensor))
            self._from_block[storage(tensor)] = f"output of {name!r}"
            self._kept.append(tensor)

    def called(self, path: str, started: bool, output: Any) -> None:
        """A module that is no block, and in no block, returns."""
        self._calls_of[path] = self._calls_of.get(path, 0) + 1
        if not started and not self.calls and self._calls_of[path] == 1:
            self.early_modules[path] = output
        else:
            self.early_modules.pop(path, None)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
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
        self._early.update(key for key in map(storage, made) if key not in self._weights)

    def _between(self, operation: str, read: list[Tensor], made: list[Tensor]) -> None:
        sources = [self._from_block[storage(t)] for t in read if storage(t) in self._from_block]
        if not sources:
            self._note_early(made)
            return
        if operation.split(".")[1] in _READS:
            raise ValueError(
                f"blocks: after {self._names[len(self.outputs) - 1]!r} the program depends on the "
                f"{sources[0]} ({operation}): data-dependent control flow between blocks cannot be split"
            )
        for tensor in made:
            self._from_block.setdefault(storage(tensor), f"result of {operation} on the {sources[0]}")

    def _after(self, operation: str, read: list[Tensor]) -> None:
        last = set(map(storage, tensors_of(self.outputs[-1])))
        for tensor in read:
            key = storage(tensor)
            if key in self._early:
                self.reads_early = True
            elif key in self._from_block and key not in last:
                raise ValueError(
                    f"blocks: {operation} after the last block reads the {self._from_block[key]}, "
                    "which a cut behind it would have to carry; such a model cannot be split"
                )

    def _check_arguments(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """The block may read what the one before it returned, and what was there before all blocks."""
        handed_on = {id(tensor) for tensor in tensors_of(self.outputs[-1])}
        before = self._names[len(self.outputs) - 1]
        arrived = {id(t): t for t in tensors_of((args, kwargs)) if id(t) in handed_on}
        for tensor in tensors_of((args, kwargs)):
            source = self._from_block.get(storage(tensor))
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
    """Stands before a block's own forward pass."""

    def __init__(self, trace: Trace, index: int, forward: Any) -> None:
        self._trace, self._index, self._forward = trace, index, forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._trace.enter(self._index, args, kwargs)
        output = self._forward(*args, **kwargs)
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


def watched(module: nn.Module, blocks: Sequence[str], args: Any, kwargs: Any) -> tuple[Any, Trace]:
    """Run a copy of a module (which is changed) and return its output and the trace.

    Raises
    ------
    ValueError
        If the module cannot be split; says why.
    """
    trace = Trace(module, blocks, (args, kwargs))
    with torch.no_grad(), trace:
        output = module(*args, **kwargs)
    if len(trace.outputs) < len(blocks):
        raise ValueError(
            f"blocks: {blocks[len(trace.outputs)]!r} is not called in a pass "
            f"({len(trace.outputs)} of {len(blocks)} blocks are)"
        )
    return output, trace
