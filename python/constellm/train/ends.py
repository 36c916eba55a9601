"""What runs before the first block and after the last: a module's own program without its blocks.

Both ends are copies of the module's structure that share its weights and run its own forward pass, in
which stand-ins take the place of the blocks. So embeddings, masks, norms, poolers and heads need not be
known here. What an end does not use of the weights is hollow: a tensor of the same shape that takes no
memory and is not a number, so that any use would show.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from .rows import Batched
from .trace import Uses, storage


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
class Joint:
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
    joints : sequence of Joint
        Of the blocks.
    example : (tuple, dict)
        Arguments of a pass; what it uses of the weights is kept.

    Attributes
    ----------
    weights : list of Tensor
        Parameters and buffers that are kept.
    """

    def __init__(
        self, module: nn.Module, blocks: Sequence[str], joints: Sequence[Joint], example: Any
    ) -> None:
        self._names = tuple(blocks)
        self._joints = tuple(joints)
        self._turn = OneAtATime()  # stand-ins leave what they were given in a common place
        self._build(module, None)
        with Uses() as uses:
            self(*example)
        self._build(module, uses.read)
        self.weights = weights(module, uses.read)

    def _build(self, module: nn.Module, keep: set[int] | None) -> None:
        self._module = skeleton(module, keep)
        self._calls: list[Any] = []
        for i, name in enumerate(self._names):
            stand_in = _Records(i, self._calls, self._joints[i], i == len(self._names) - 1)
            self._module.get_submodule(name).forward = stand_in

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, tuple[Any, ...]]:
        """The activation that the first block takes, and every block's other arguments."""
        with self._turn:
            self._calls.clear()
            try:
                with torch.no_grad():
                    self._module(*args, **kwargs)
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
    module, blocks, joints
        As for `Head`.
    inputs : Batched
        Arguments of a pass.
    early : dict of str to Batched
        Results of modules that run before the first block alone, by path.
    output : object
        What the last block returns in a pass of one row.

    Attributes
    ----------
    weights : list of Tensor
        Parameters and buffers that are kept.
    """

    def __init__(
        self,
        module: nn.Module,
        blocks: Sequence[str],
        joints: Sequence[Joint],
        inputs: Batched,
        early: dict[str, Batched],
        output: Any,
    ) -> None:
        self._inputs = inputs
        self._turn = OneAtATime()
        self._names, self._joints, self._early = tuple(blocks), tuple(joints), early
        self._build(module, None)
        with Uses() as uses:
            self(output, 1, None)
        self._build(module, uses.read)
        self.weights = weights(module, uses.read)

    def _build(self, module: nn.Module, keep: set[int] | None) -> None:
        self._module = skeleton(module, keep)
        self._state = _TailState()
        for path, result in self._early.items():
            self._module.get_submodule(path).forward = _Replays(self._state, result)
        for name, joint in zip(self._names[:-1], self._joints):
            self._module.get_submodule(name).forward = _Passes(joint)
        self._module.get_submodule(self._names[-1]).forward = _Returns(self._state)

    def __call__(self, output: Any, batch: int, inputs: Any) -> Any:
        """The module's output, from that of the last block; `inputs` None: those of the example."""
        args, kwargs = self._inputs.rows(batch) if inputs is None else inputs
        with self._turn:
            self._state.batch, self._state.output = batch, output
            try:
                with torch.no_grad():
                    return self._module(*args, **kwargs)
            finally:
                self._state.output = None


class _Reached(BaseException):
    """Ends a pass at the last block; no Exception, so that no module catches it."""


class _Records:
    """A block's stand-in that keeps its arguments and computes nothing."""

    def __init__(self, index: int, calls: list[Any], joint: Joint, last: bool) -> None:
        self._index, self._calls, self._joint, self._last = index, calls, joint, last

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        activation, side = self._joint.separate(args, kwargs)
        self._calls.append((self._index, activation, side))
        if self._last:
            raise _Reached
        return self._joint.output(activation)


class _Passes:
    """A block's stand-in that returns what it is given."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._joint.output(self._joint.separate(args, kwargs)[0])


@dataclass
class _TailState:
    batch: int = 1
    output: Any = None


class _Returns:
    """The last block's stand-in."""

    def __init__(self, state: _TailState) -> None:
        self._state = state

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._state.output


class _Replays:
    """Stands for a module that only serves the first block."""

    def __init__(self, state: _TailState, result: Batched) -> None:
        self._state, self._result = state, result

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._result.rows(self._state.batch)


def skeleton(module: nn.Module, keep: set[int] | None) -> nn.Module:
    """A copy of a module's structure with its weights; hollow ones where `keep` lacks their memory."""
    memo: dict[int, Any] = {}
    for tensor in chain(module.parameters(), module.buffers()):
        memo[id(tensor)] = tensor if keep is None or storage(tensor) in keep else _hollow(tensor)
    return copy.deepcopy(module, memo)


def _hollow(tensor: Tensor) -> Tensor:
    filler = float("nan") if tensor.dtype.is_floating_point else 0
    value = torch.full((), filler, dtype=tensor.dtype, device=tensor.device).expand(tensor.shape)
    return nn.Parameter(value, requires_grad=False) if isinstance(tensor, nn.Parameter) else value


def weights(module: nn.Module, keep: set[int] | None = None) -> list[Tensor]:
    """Parameters and buffers, each once; with `keep` those whose memory is in it."""
    all_of_them = chain(module.parameters(), module.buffers())
    return [tensor for tensor in all_of_them if keep is None or storage(tensor) in keep]
