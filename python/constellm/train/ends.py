"""Ends of a module, before the first block and after the last: its own program without its blocks.

Both ends are copies of the module's structure that share its weights and run its own forward pass, in
which stand-ins take the place of the blocks. So embeddings, masks, norms, poolers and heads need not be
known here. What an end does not use of the weights is hollow: a tensor of the same shape that takes no
memory and is not a number, so that any use would show.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from .memory import Memory, Weight, held, storages, unpacked
from .nested import Batched, leaves_of, same, tensors_of

_HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
)


class OneAtATime:
    """A lock for ``with`` that can be pickled and copied with its owner: the copy has one of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[OneAtATime], tuple[()]]:
        return OneAtATime, ()


class Place(Enum):
    """Stands in a block's arguments where the activation goes."""

    ACTIVATION = 0


@dataclass(frozen=True)
class Port:
    """Where a block takes the activation, and where it returns it.

    Attributes
    ----------
    takes : int or str
        Which positional or keyword argument.
    gives : int, str or None
        Which part of what it returns; None: it returns nothing else.
    parts : int
        How many parts that has.
    """

    takes: int | str
    gives: int | str | None = None
    parts: int = 1

    def output(self, activation: Tensor) -> Any:
        """What a block that returns `activation` returns, other parts left out."""
        if self.gives is None:
            return activation
        if isinstance(self.gives, str):
            return {self.gives: activation}
        return tuple(activation if i == self.gives else None for i in range(self.parts))

    def given(self, output: Any) -> Tensor:
        """The activation in what the block returned."""
        return output if self.gives is None else output[self.gives]

    def separate(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Any]:
        """The activation, and the arguments with its place marked."""
        side_args, side_kwargs = list(args), dict(kwargs)
        side: Any = side_args if isinstance(self.takes, int) else side_kwargs
        activation = side[self.takes]
        side[self.takes] = Place.ACTIVATION
        return activation, (tuple(side_args), side_kwargs)


class Head:
    """What runs before the first block.

    Parameters
    ----------
    module : Module
        The whole.
    blocks : sequence of str
        Paths of its blocks.
    ports : sequence of Port
        Of the blocks.
    example : (tuple, dict)
        Arguments of a pass; what it uses of the weights is kept.

    Attributes
    ----------
    weights : list of Tensor or ScriptObject
        What it keeps of what the module holds.
    """

    def __init__(self, module: nn.Module, blocks: Sequence[str], ports: Sequence[Port], example: Any) -> None:
        self._names = tuple(blocks)
        self._ports = tuple(ports)
        self._turn = OneAtATime()  # stand-ins leave what they were given in a common place
        self._build(module, None)
        with _Uses(module) as uses:
            self(*example)
        self._build(module, uses)
        self.weights = uses.used

    def _build(self, module: nn.Module, uses: _Uses | None) -> None:
        self.module = skeleton(module) if uses is None else hollow(module, self._names, uses)
        self._calls: list[Any] = []
        for i, name in enumerate(self._names):
            stand_in = _Records(i, self._calls, self._ports[i], i == len(self._names) - 1)
            replace(self.module.get_submodule(name), stand_in)

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, tuple[Any, ...]]:
        """The activation that the first block takes, and every block's other arguments."""
        with self._turn:
            self._calls.clear()
            try:
                with torch.no_grad():
                    self.module(*args, **kwargs)
            except _Reached:
                pass
            calls = list(self._calls)
            self._calls.clear()
        if [index for index, _, _ in calls] != list(range(len(self._names))):
            called = ", ".join(self._names[index] for index, _, _ in calls) or "none"
            raise ValueError(f"blocks: this input goes through {called}, not through all blocks in order")
        return calls[0][1], tuple(side for _, _, side in calls)


class Tail:
    """What runs after the last block.

    The module's program starts from its inputs, so it is given the example's, one row for each of the
    batch; modules that only serve the first block are left out, their results with the example kept in
    their place. Where what follows the blocks reads the inputs, it is given the true ones.

    Parameters
    ----------
    module, blocks, ports
        As for `Head`.
    inputs : Batched
        Arguments of a pass.
    early : dict of str to Batched
        Results of modules that run before the first block alone, by path.
    output : object
        What the last block returns in a pass of one row.

    Attributes
    ----------
    weights : list of Tensor or ScriptObject
        What it keeps of what the module holds.
    constants : list of Tensor
        What it keeps of the example.
    """

    def __init__(
        self,
        module: nn.Module,
        blocks: Sequence[str],
        ports: Sequence[Port],
        inputs: Batched,
        early: dict[str, Batched],
        output: Any,
    ) -> None:
        self._inputs = inputs
        self._turn = OneAtATime()
        self._names, self._ports, self._early = tuple(blocks), tuple(ports), early
        self._build(module, None)
        with _Uses(module) as uses:
            self(output, 1, None)
        self._build(module, uses)
        self.weights = uses.used
        self.constants = tensors_of([inputs.one, *(result.one for result in early.values())])

    def _build(self, module: nn.Module, uses: _Uses | None) -> None:
        self.module = skeleton(module) if uses is None else hollow(module, self._names, uses)
        self._state = _TailState()
        for path, result in self._early.items():
            self.module.get_submodule(path).forward = _Replays(self._state, result)
        for name, port in zip(self._names[:-1], self._ports):
            replace(self.module.get_submodule(name), _Passes(port))
        replace(self.module.get_submodule(self._names[-1]), _Returns(self._state))

    @property
    def reenacts(self) -> bool:
        """Whether this thread is in a pass before the last block returns: the head has done this before."""
        return self._state.reenacts == threading.get_ident()

    def __call__(self, output: Any, batch: int, inputs: Any) -> Any:
        """The module's output, from that of the last block; `inputs` None: those of the example."""
        args, kwargs = self._inputs.rows(batch) if inputs is None else inputs
        with self._turn:
            self._state.batch, self._state.output = batch, output
            self._state.reenacts = threading.get_ident()
            try:
                with torch.no_grad():
                    return self.module(*args, **kwargs)
            finally:
                self._state.output = self._state.reenacts = None


class _Reached(BaseException):
    """Ends a pass at the last block; no Exception, so that no module catches it."""


class _Records:
    """A block's stand-in that keeps its arguments and computes nothing."""

    def __init__(self, index: int, calls: list[Any], port: Port, last: bool) -> None:
        self._index, self._calls, self._port, self._last = index, calls, port, last

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        activation, side = self._port.separate(args, kwargs)
        self._calls.append((self._index, activation, side))
        if self._last:
            raise _Reached
        return self._port.output(activation)


class _Passes:
    """A block's stand-in that returns what it is given."""

    def __init__(self, port: Port) -> None:
        self._port = port

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._port.output(self._port.separate(args, kwargs)[0])


@dataclass
class _TailState:
    batch: int = 1
    output: Any = None
    reenacts: int | None = None  # the thread that does


class _Returns:
    """The last block's stand-in."""

    def __init__(self, state: _TailState) -> None:
        self._state = state

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._state.reenacts = None
        return self._state.output


class _Replays:
    """Stands for a module that only serves the first block."""

    def __init__(self, state: _TailState, result: Batched) -> None:
        self._state, self._result = state, result

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._result.rows(self._state.batch)


class _Uses(TorchDispatchMode):
    """Notes which of the weights that a module holds the operations of a pass read.

    Attributes
    ----------
    used : list of Tensor or ScriptObject
        In the module's order.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._held = list(held(module).values())
        tensors = [weight for weight in self._held if isinstance(weight, Tensor)]
        self._storages = {key for tensor in tensors for key in storages(tensor)}
        self._read = Memory()
        self._packed: list[torch.ScriptObject] = []

    @property
    def used(self) -> list[Weight]:
        return [weight for weight in self._held if self.has(weight)]

    def has(self, weight: Weight) -> bool:
        if isinstance(weight, Tensor):
            return self._read.overlaps(weight)
        # An operation is given a handle of its own, which cannot be compared but by what is behind it.
        return any(same(unpacked(weight), unpacked(packed)) for packed in self._packed)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for leaf in leaves_of((args, kwargs)):
            if isinstance(leaf, torch.ScriptObject):
                self._packed.append(leaf)
            elif isinstance(leaf, Tensor) and not self._storages.isdisjoint(storages(leaf)):
                self._read.add(leaf)
        return func(*args, **(kwargs or {}))


def skeleton(module: nn.Module) -> nn.Module:
    """A copy of a module's structure that shares its weights."""
    return _copied(module, {id(weight): weight for weight in held(module).values()})


def hollow(module: nn.Module, blocks: Sequence[str], uses: _Uses) -> nn.Module:
    """A `skeleton` with nothing in place of the weights that a pass does not read."""
    # Outside of blocks, what is no parameter or buffer may be used in ways that no operation shows.
    registered = set(map(id, chain(module.parameters(), module.buffers())))
    inside = tuple(f"{name}." for name in blocks)
    memo: dict[int, Any] = {}
    for path, weight in held(module).items():
        can_go = id(weight) in registered or path.startswith(inside)
        memo[id(weight)] = _hollow(weight) if can_go and not uses.has(weight) else weight
    made = _copied(module, memo)
    for part, copied in zip(module.modules(), made.modules()):
        for name, value in vars(part).items():
            if isinstance(value, torch.ScriptObject) and not uses.has(value):
                del vars(copied)[name]
                copied.__class__ = nn.Module  # its own would look for the weights when it is pickled
    return made


def _copied(module: nn.Module, memo: dict[int, Any]) -> nn.Module:
    try:
        return copy.deepcopy(module, memo)
    except (TypeError, RuntimeError) as error:
        raise TypeError(
            f"module: it holds what cannot be copied, so it cannot be taken apart: {error}"
        ) from error


def _hollow(weight: Weight) -> Weight:
    if not isinstance(weight, Tensor) or weight.is_quantized:
        return weight
    filler = float("nan") if weight.dtype.is_floating_point else 0
    value = torch.full((), filler, dtype=weight.dtype, device=weight.device).expand(weight.shape)
    return nn.Parameter(value, requires_grad=False) if isinstance(weight, nn.Parameter) else value


def replace(block: nn.Module, stand_in: Any) -> None:
    """Put a function in a block's place; the block's hooks belong to the block."""
    block.forward = stand_in
    for name in _HOOKS:
        if hasattr(block, name):
            setattr(block, name, OrderedDict())
