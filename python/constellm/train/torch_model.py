"""Users' own PyTorch models, split at any block boundary."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, overload

import numpy as np
import torch
from torch import Tensor, nn

from ..core.checks import count, instance, short
from ..model import Measured, Profile
from . import cost
from .blocks import find_blocks
from .ends import Head, Joint, Place, Tail, skeleton, weights
from .rows import Batched, has_arrays, leaves_of, own, same, take_rows, tensors_of, to_arrays, to_tensors
from .trace import Trace, watched

_ROUNDING = 1e-5  # of the largest number: the same program may add in another order on other hardware
_MIXING = 1e-2  # of the largest number: rows of a batch that do not see each other differ by rounding alone
_PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)


@dataclass(frozen=True)
class Side:
    """What blocks read beside the activation: masks, position embeddings, flags.

    It is made by the first segment from the module's inputs (`Segment.start`) and carried to the later
    ones; it can be pickled.

    Attributes
    ----------
    first : int
        The first block that it serves.
    calls : tuple
        Of each block from there on: positional and keyword arguments, the activation's place marked.
    inputs : object
        The module's inputs, where what follows the last block reads them; else None.
    """

    first: int
    calls: tuple[Any, ...]
    inputs: Any = None

    @property
    def nbytes(self) -> int:
        """Size of its tensors, each once [B]."""
        tensors = {id(tensor): tensor for tensor in tensors_of((self.calls, self.inputs))}
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())

    def from_block(self, first: int) -> Side:
        """The part that the blocks from `first` on need, to send on."""
        return Side(first, self.calls[first - self.first :], self.inputs)


class Segment:
    """Consecutive blocks of a `TorchModel`: a function from one boundary to another.

    It holds the weights of its blocks, and of an end where it has one, and no others. It can be pickled,
    to run in another process. Threads may call it at once; what lies before the first block and after the
    last then runs one call at a time.

    Attributes
    ----------
    first, last : int
        Its boundaries.
    """

    def __init__(self, model: TorchModel, first: int, last: int) -> None:
        self.first, self.last = first, last
        self._blocks = model._blocks[first:last]
        self._joints = model._joints[first:last]
        self._head = model._head if first == 0 else None
        self._tail = model._tail if last == model.blocks else None
        self._settings = model._settings
        self._needs_inputs = model._needs_inputs
        self._output = model._output
        self._device = model._device
        self._like = model._like[first]
        # A segment from 0 knows its own, and checks that they are what later segments take for granted.
        defaults = model._defaults
        own_first, own_last = (first, last) if first else (last, model.blocks)
        self._defaults = None if defaults is None else defaults[own_first:own_last]

    def __repr__(self) -> str:
        return f"Segment({self.first}, {self.last})"

    @property
    def weights(self) -> list[Tensor]:
        """Parameters and buffers that the segment holds, each once, in the order of their use."""
        found = [] if self._head is None else list(self._head.weights)
        for block in self._blocks:
            found += weights(block)
        found += [] if self._tail is None else self._tail.weights
        return list({id(tensor): tensor for tensor in found}.values())

    def start(self, *args: Any, **kwargs: Any) -> tuple[Any, Side]:
        """What the segment returns, and what later ones read beside it; at boundary 0 alone.

        Parameters
        ----------
        *args, **kwargs
            The module's inputs. Keywords of the example that are no arrays or tensors hold here too.

        Returns
        -------
        object
            As from a call.
        Side
            For `side` of later segments.
        """
        if self._head is None:
            raise ValueError(f"start: the segment begins at boundary {self.first}, not at 0")
        as_arrays = has_arrays((args, kwargs))
        inputs = to_tensors((args, {**self._settings, **kwargs}), self._device)
        x, calls = self._head(*inputs)
        side = Side(0, calls, inputs if self._needs_inputs else None)
        return self._through(x, side, as_arrays), side

    def __call__(self, *args: Any, side: Side | None = None, **kwargs: Any) -> Any:
        """Run the blocks.

        Parameters
        ----------
        *args, **kwargs
            The module's inputs at boundary 0, else the activation alone, shape (batch, …).
        side : Side, optional
            Not at boundary 0. Default: as with the model's example, if that did not depend on the input.

        Returns
        -------
        ndarray, Tensor or object
            The activation at the segment's end, shape (batch, …), or the module's output. Arrays where
            arrays came in, else tensors.

        Raises
        ------
        TypeError, ValueError
            If the activation is not of the example's shape; if `side` is needed and absent; at boundary 0
            if later segments, left to their default, would compute something else.
        """
        if self._head is not None:
            if side is not None:
                raise TypeError("side: it is made from the inputs at boundary 0, not given")
            result, made = self.start(*args, **kwargs)
            self._check_defaults(made, result)
            return result
        if len(args) != 1 or kwargs or not isinstance(args[0], (np.ndarray, Tensor)):
            raise TypeError(
                f"activation: expected one array or tensor at boundary {self.first}, "
                f"got {short((*args, *kwargs))}"
            )
        as_arrays = has_arrays(args)
        x = to_tensors(args[0], self._device)
        x = x if as_arrays else x.clone()  # a block may write into it
        self._check(x, side)
        if side is None:
            side = self._default_for(len(x))
        elif not isinstance(side, Side) or side.first > self.first:
            raise ValueError(f"side: expected a Side from block {self.first} or before, got {short(side)}")
        return self._through(x.to(self._like.dtype), side.from_block(self.first), as_arrays)

    def _through(self, x: Tensor, side: Side, as_arrays: bool) -> Any:
        batch = len(x)
        output: Any = x
        with torch.no_grad():
            for i, block in enumerate(self._blocks):
                args, kwargs = on_places(x, side.calls[i])
                output = block(*args, **kwargs)
                if self._tail is None or i < len(self._blocks) - 1:
                    x = self._joints[i].given(output)
        result: Any = x
        if self._tail is not None:
            result = self._tail(output, batch, side.inputs)
            result = result if self._output is None else result[self._output]
        return to_arrays(result) if as_arrays else result

    def _check(self, x: Tensor, side: Side | None) -> None:
        sizes = tuple(self._like.shape[1:])
        # Other token counts are the right of a caller who brings the masks and positions for them.
        if x.ndim != self._like.ndim or (side is None and x.shape[1:] != sizes) or len(x) == 0:
            raise ValueError(
                f"activation: expected shape (at least 1, {', '.join(map(str, sizes))}) at boundary "
                f"{self.first}, got {tuple(x.shape)}"
            )
        if not x.is_floating_point():
            raise TypeError(
                f"activation: expected {self._like.dtype} at boundary {self.first}, got {x.dtype}"
            )

    def _default_for(self, batch: int) -> Side:
        if self._defaults is None:
            raise ValueError(
                f"side: absent, but from boundary {self.first} on this model reads what depends on the "
                "input, such as an attention mask: give what segment(0, …).start(…) returned"
            )
        return Side(self.first, tuple(default.rows(batch) for default in self._defaults))

    def _check_defaults(self, side: Side, result: Any) -> None:
        """Refuse a silent difference: later segments cannot see this input."""
        if self._tail is not None or self._defaults is None:
            return
        later = side.from_block(self.last).calls
        if not all(same(default.rows(len(result)), call) for default, call in zip(self._defaults, later)):
            raise ValueError(
                "side: with this input, later blocks read something else beside the activation than with the "
                "example (a mask, or another number of tokens): use start(…), and give what it returns to "
                "later segments as side="
            )


class TorchModel:
    """A PyTorch module with a sequence of blocks, split at any boundary between them and profiled.

    Boundary k lies after k blocks: 0 is the module's inputs, 1 to ``blocks - 1`` can be cut, where one
    tensor crosses, the activation. Whatever the module does before the first block (embedding, masks,
    positions) belongs to the first segment, what it does after the last (norm, pooler, head) to the last;
    both are found by running the module's own program, so nothing is known here of any architecture.
    Segments one after the other give bit for bit what the module gives without gradients.

    What blocks read beside the activation is called `Side`. Where it is the same for every row of a batch,
    such as rotary positions, later segments keep it from the example. Where it depends on the input, such
    as an attention mask, the first segment makes it (`Segment.start`) and it is carried to the others.

    Parameters
    ----------
    module : Module
        In evaluation mode. It is not changed, and its weights are shared, not copied. Hugging Face models
        are modules like any other.
    blocks : str or iterable of str, optional
        Path of the container of the blocks, such as ``"encoder.layers"``, or the paths of the blocks.
        Default: the longest row of neighbours of one class in a ``ModuleList`` or ``Sequential``, of equally
        long ones that with the most parameters.
    example : array, Tensor, tuple or mapping
        Inputs of a pass: one, several by position, or by keyword; the first dimension of the first array is
        the batch, and other arrays that are as long there go with it. Run a few times to find and check the
        split.
    name : str, optional
        Default: the module's class.
    output : str or int, optional
        The part of the module's output that the last segment returns, such as ``"logits"``. Default: all.

    Raises
    ------
    TypeError, ValueError
        If no blocks are found, or the module cannot be split: a block stands or is called twice, is not
        called, more than one tensor goes from block to block, something is computed or decided on it between
        them, or a later part reads an earlier block's output. Says which, and where.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        blocks: str | Iterable[str] | None = None,
        example: Any,
        name: str | None = None,
        output: str | int | None = None,
    ) -> None:
        if instance("module", module, nn.Module).training:
            raise ValueError("module: in training mode, where dropout makes it random; call module.eval()")
        paths = find_blocks(module, blocks)
        self.name = type(module).__name__ if name is None else instance("name", name, str)
        self._output = output
        self._blocks = [module.get_submodule(path) for path in paths]
        self._device = next((tensor.device for tensor in weights(module)), torch.device("cpu"))
        self._example = self._arguments(module, example)
        self._settings = {
            key: value for key, value in self._example[1].items() if not isinstance(value, Tensor)
        }
        tensors = [tensor for tensor in tensors_of(self._example) if tensor.ndim]
        if not tensors or len(tensors[0]) == 0:
            raise ValueError("example: expected at least one array with at least one row")
        self._batch = len(tensors[0])
        self._analyse(module, paths)
        self._check_split(module)

    def __repr__(self) -> str:
        sizes = ", ".join(map(str, self._like[1].shape[1:]))
        return f"TorchModel({self.name!r}, {self.blocks} blocks, activations of (batch, {sizes}))"

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self._blocks)

    def segment(self, first: int, last: int) -> Segment:
        """The blocks `first` to `last` - 1, with the end of the module where one of them is at it.

        Parameters
        ----------
        first, last : int
            0 <= first < last <= blocks.

        Returns
        -------
        Segment
        """
        last = count("last", last, most=self.blocks)
        return Segment(self, count("first", first, least=0, most=last - 1), last)

    @property
    def example(self) -> Any:
        """Positional and keyword inputs of the example, as tensors."""
        return self._example

    @property
    def dtype(self) -> torch.dtype:
        """Of the activation at the first boundary."""
        return self._like[1].dtype

    @property
    def side_is_fixed(self) -> bool:
        """Whether what blocks read beside the activation is known from the example, so nothing is carried."""
        return self._defaults is not None

    @overload
    def profile(
        self, batch: int | None = ..., *, measured: Literal[False] = ..., repeats: int = ...
    ) -> Profile: ...
    @overload
    def profile(
        self, batch: int | None = ..., *, measured: Literal[True], repeats: int = ...
    ) -> Measured: ...
    def profile(
        self, batch: int | None = None, *, measured: bool = False, repeats: int = 5
    ) -> Profile | Measured:
        """The model as rows of the planner: a layer a block, the module's ends in the first and the last.

        Parameters
        ----------
        batch : int, optional
            Rows of a micro-batch; the example's are taken in turn. Default: as many as the example has.
        measured : bool
            Measure every block on this machine too.
        repeats : int
            Of a measurement, of which the median counts, after one that does not.

        Returns
        -------
        Profile, or Measured where `measured`
            The latter with one device, ``"here"``: its times go into ``network.Node(layer_time_s=…)``.

        Notes
        -----
        FLOP are those of matrix products, convolutions and attention, two a multiply-add, as PyTorch counts
        them: causal attention in full. ``output_bytes`` are the activation and, where it is carried, the
        `Side`. ``workspace_bytes`` is the most that was alive at a time in a pass through the layer, outside
        of fused operations.
        """
        rows = self._batch if batch is None else count("batch", batch)
        counted = cost.profile(self, rows)
        if not measured:
            return counted
        return cost.measure(self, counted, count("repeats", repeats))

    def _arguments(self, module: nn.Module, example: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: tuple[Any, ...] = ()
        kwargs: dict[str, Any] = {}
        if isinstance(example, Mapping):
            kwargs = dict(example)
        else:
            args = example if isinstance(example, tuple) else (example,)
        # A cache that blocks write into is a state between calls; models that keep one can do without.
        if "use_cache" in inspect.signature(module.forward).parameters:
            kwargs.setdefault("use_cache", False)
        found: tuple[tuple[Any, ...], dict[str, Any]] = to_tensors((args, kwargs), self._device)
        return found

    def _analyse(self, module: nn.Module, paths: tuple[str, ...]) -> None:
        row, two_rows = (take_rows(self._example, self._batch, rows) for rows in ([0], [0, 0]))
        _, one = watched(skeleton(module, None), paths, *row)
        _, two = watched(skeleton(module, None), paths, *two_rows)
        if len(paths) < 2:
            raise ValueError(f"blocks: {paths[0]!r} alone; where there is one block, nothing can be cut")
        self._joints = _joints(paths, one)
        given = [joint.given(output) for joint, output in zip(self._joints[:-1], one.outputs)]
        self._like = [torch.empty(0), *(torch.empty_like(tensor, device="meta") for tensor in given)]
        self._needs_inputs = one.reads_early
        sides = own(_sides(self._joints, one)), _sides(self._joints, two)
        for path, side in zip(paths, sides[0]):
            _check_plain(path, side)
        inputs = Batched.between(own(row), two_rows, "example")
        early = {}
        for path, result in own(one.early_modules).items():
            part = module.get_submodule(path)
            if weights(part) and path in two.early_modules:
                early[path] = Batched.between(result, two.early_modules[path], path)
        self._head = Head(module, paths, self._joints, row)
        self._tail = Tail(module, paths, self._joints, inputs, early, one.outputs[-1])
        self._defaults: list[Batched] | None = [
            Batched.between(a, b, f"arguments of {path!r}") for path, a, b in zip(paths, *sides)
        ]
        calls = self._head(*self._example)[1]
        usual = (same(default.rows(self._batch), call) for default, call in zip(self._defaults, calls))
        if self._needs_inputs or not all(usual):
            self._defaults = None

    def _check_split(self, module: nn.Module) -> None:
        """The example, whole and cut, and one row of it alone."""
        row = take_rows(self._example, self._batch, [0])
        with torch.no_grad():
            wholes = [module(*args, **kwargs) for args, kwargs in (self._example, row)]
        if self._output is not None:
            try:
                wholes = [whole[self._output] for whole in wholes]
            except (KeyError, IndexError, TypeError):
                raise ValueError(f"output: no part {self._output!r} in what the module returns") from None
        for (args, kwargs), whole in zip((self._example, row), wholes):
            if not same(self.segment(0, self.blocks)(*args, **kwargs), whole, tolerance=_ROUNDING):
                raise ValueError(
                    "blocks: run one by one they do not give what the module gives; it may change "
                    "activations in place between blocks, collect what all blocks return, or be random"
                )
        if not same(take_rows(wholes[0], self._batch, [0]), wholes[1], tolerance=_MIXING):
            raise ValueError(
                "example: the first row alone gives another output than in the batch; the first dimension "
                "must be the batch, and its rows must not see each other"
            )


def on_places(x: Tensor, call: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A block's arguments with the activation in its place."""
    args, kwargs = call
    return (
        tuple(x if value is Place.ACTIVATION else value for value in args),
        {name: x if value is Place.ACTIVATION else value for name, value in kwargs.items()},
    )


def _joints(paths: tuple[str, ...], trace: Trace) -> list[Joint]:
    """Where the activation enters and leaves every block."""
    takes: list[int | str] = []
    gives: list[tuple[int | str | None, int]] = []
    for i in range(1, len(paths)):
        args, kwargs = trace.calls[i]
        output = trace.outputs[i - 1]
        parts = dict(output) if isinstance(output, Mapping) else None
        if parts is None and isinstance(output, (tuple, list)):
            parts = dict(enumerate(output))
        if parts is None:
            parts = {None: output}
        arguments: dict[int | str, Any] = dict(enumerate(args))
        arguments.update(kwargs)
        found = [
            (take, give)
            for take, value in arguments.items()
            for give, part in parts.items()
            if isinstance(value, Tensor) and value is part
        ]
        if not found:
            raise ValueError(
                f"blocks: the activation from {paths[i - 1]!r} to {paths[i]!r} is inside a nested value; "
                "it must be an argument, and a part of what a block returns"
            )
        takes.append(found[0][0])
        gives.append((found[0][1], len(parts)))
    # The first block is called like the second; the last one's output is never taken apart.
    return [Joint(take, *give) for take, give in zip([takes[0], *takes], [*gives, gives[-1]])]


def _sides(joints: list[Joint], trace: Trace) -> tuple[Any, ...]:
    return tuple(joint.separate(*call)[1] for joint, call in zip(joints, trace.calls))


def _check_plain(path: str, side: Any) -> None:
    args, kwargs = side
    for argument, value in (*enumerate(args), *kwargs.items()):
        for leaf in leaves_of(value):
            if not isinstance(leaf, (Tensor, Enum, *_PLAIN)):
                raise ValueError(
                    f"blocks: {path!r} reads {argument!r}, a {type(leaf).__name__}: an object that a segment "
                    "in another process would not share; for a cache of keys and values put use_cache=False "
                    "into the example"
                )
