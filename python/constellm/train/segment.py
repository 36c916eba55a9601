"""Consecutive blocks of a user's PyTorch model, as a function from one boundary to another."""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from ..core.checks import short
from .ends import Head, Place, Port, Tail
from .memory import Weight, compact, held, nbytes, unpacked
from .nested import Batched, fitted, has_arrays, same, tensors_of, to_arrays, to_tensors

PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size, Enum)
"""Values beside tensors that another process understands."""


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

    Examples
    --------
    >>> import torch
    >>> from constellm import train
    >>> layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> module = torch.nn.TransformerEncoder(layer, 3, enable_nested_tensor=False).eval()
    >>> padding = torch.tensor([[False] * 5, [False] * 4 + [True]])
    >>> inputs = {"src": torch.zeros(2, 5, 8), "src_key_padding_mask": padding}
    >>> net = train.TorchModel(module, example=inputs)
    >>> activation, side = net.segment(0, 1).start(**inputs)
    >>> net.segment(1, 3)(activation, side=side.from_block(1)).shape
    torch.Size([2, 5, 8])
    """

    first: int
    calls: tuple[Any, ...]
    inputs: Any = None

    @property
    def nbytes(self) -> int:
        """Size of its tensors, each once [B]."""
        tensors = {id(tensor): tensor for tensor in tensors_of((self.calls, self.inputs))}
        return sum(map(nbytes, tensors.values()))

    def from_block(self, first: int) -> Side:
        """The part that the blocks from `first` on need, to send on."""
        return Side(first, self.calls[first - self.first :], self.inputs)


@dataclass(frozen=True)
class Inputs:
    """How a module is called.

    Attributes
    ----------
    names : tuple of str
        Of its arguments by position.
    dtypes : dict of str to tuple of dtype
        Of the tensors in each argument of the example.
    settings : dict of str to object
        Keywords of the example that are no tensors: they hold for every call.
    device : device
        Where tensors go.
    """

    names: tuple[str, ...]
    dtypes: dict[str, tuple[torch.dtype, ...]]
    settings: dict[str, Any]
    device: torch.device

    @classmethod
    def of(cls, module: nn.Module, example: Any, device: torch.device) -> Inputs:
        """As in an example of positional and keyword arguments."""
        args, kwargs = example
        parameters = inspect.signature(module.forward).parameters.values()
        names = [
            each.name
            for each in parameters
            if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        ]
        names += [f"input {i}" for i in range(len(names), len(args))]  # of *args
        arguments = {**dict(zip(names, args)), **kwargs}
        return cls(
            names=tuple(names),
            dtypes={name: tuple(t.dtype for t in tensors_of(value)) for name, value in arguments.items()},
            settings={key: value for key, value in kwargs.items() if not isinstance(value, Tensor)},
            device=device,
        )

    def taken(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Positional and keyword arguments with tensors in place of arrays.

        Raises
        ------
        TypeError
            If the numbers are of another type than the example's.
        """
        names = (*self.names, *(f"input {i}" for i in range(len(self.names), len(args))))
        return tuple(self._one(name, value) for name, value in zip(names, args)), {
            name: self._one(name, value) for name, value in {**self.settings, **kwargs}.items()
        }

    def _one(self, name: str, value: Any) -> Any:
        leaves, spec = tree_flatten(value)
        at = [i for i, leaf in enumerate(leaves) if isinstance(leaf, (np.ndarray, Tensor))]
        dtypes = self.dtypes.get(name, ())
        for i, dtype in zip(at, dtypes if len(dtypes) == len(at) else ()):
            # A mask of integers will do for one of bool; modules take either.
            kinds = (to_tensors(leaves[i], self.device).dtype, dtype)
            counts = not any(kind.is_floating_point or kind.is_complex for kind in kinds)
            if not counts:
                leaves[i] = fitted(name, leaves[i], dtype, self.device, where="as in the example")
        return to_tensors(tree_unflatten(leaves, spec), self.device)


@dataclass(frozen=True)
class Parts:
    """What a run of blocks is made of, as it was found in the module.

    Attributes
    ----------
    names : tuple of str
        Paths of the blocks.
    blocks : tuple of Module
        The blocks themselves.
    ports : tuple of Port
        Where each takes and returns the activation.
    like : tuple of Tensor
        What each block is given, for one row, without values; of the first, what it is given by the head.
    head : Head, optional
        What runs before the first block of all, if that is here.
    tail : Tail, optional
        What runs after the last block of all, if that is here.
    defaults : tuple of Batched, optional
        What blocks read beside the activation, if it is the same for any input: of these blocks, or, where
        they are the first, of those behind them.
    inputs : Inputs
        How the module is called.
    needs_inputs : bool
        Whether what follows the last block reads the module's inputs.
    output : str or int, optional
        Which part of the module's output is wanted.
    """

    names: tuple[str, ...]
    blocks: tuple[nn.Module, ...]
    ports: tuple[Port, ...]
    like: tuple[Tensor, ...]
    head: Head | None
    tail: Tail | None
    defaults: tuple[Batched, ...] | None
    inputs: Inputs
    needs_inputs: bool
    output: str | int | None

    def between(self, first: int, last: int) -> Parts:
        """Those of the blocks `first` to `last` - 1 of all."""
        # A segment from 0 knows its own defaults, and checks that later segments may take theirs for granted.
        own = slice(first, last) if first else slice(last, None)
        return replace(
            self,
            names=self.names[first:last],
            blocks=self.blocks[first:last],
            ports=self.ports[first:last],
            like=self.like[first:last],
            head=None if first else self.head,
            tail=self.tail if last == len(self.blocks) else None,
            defaults=None if self.defaults is None else self.defaults[own],
        )


class Segment:
    """Consecutive blocks of a `TorchModel`: a function from one boundary to another.

    It holds the weights of its blocks, and of an end where it has one, and no others. It can be pickled,
    to run in another process. Threads may call it at once; what lies before the first block and after the
    last then runs one call at a time.

    Attributes
    ----------
    first, last : int
        Its boundaries.

    Examples
    --------
    >>> import torch
    >>> from constellm import train
    >>> layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> module = torch.nn.TransformerEncoder(layer, 3, enable_nested_tensor=False).eval()
    >>> net = train.TorchModel(module, example=torch.zeros(2, 5, 8))
    >>> x = torch.zeros(2, 5, 8).numpy()
    >>> bool((net.segment(1, 3)(net.segment(0, 1)(x)) == net.segment(0, 3)(x)).all())
    True
    """

    def __init__(self, parts: Parts, first: int, last: int) -> None:
        self.first, self.last = first, last
        self._parts = parts

    def __repr__(self) -> str:
        return f"Segment({self.first}, {self.last})"

    def __getstate__(self) -> dict[str, Any]:
        """Without the memory of other segments, where weights are views of what they share."""
        copies = compact(self.tensors)
        memo: dict[int, Any] = {id(tensor): tensor for tensor in self.tensors}
        return copy.deepcopy(vars(self), {**memo, **copies}) if copies else vars(self)

    @property
    def held(self) -> list[Weight]:
        """Tensors and packed weights that the segment holds, each once, in the order of their use."""
        head, tail = self._parts.head, self._parts.tail
        found: list[Weight] = [] if head is None else list(head.weights)
        for block in self._parts.blocks:
            found += held(block).values()
        found += [] if tail is None else tail.weights
        return list({id(weight): weight for weight in found}.values())

    @property
    def weights(self) -> list[Tensor]:
        """Parameters, buffers and other tensors that the segment holds, each once, in the order of their use.

        Of weights that PyTorch has packed for its quantised operations these are copies.
        """
        return [tensor for weight in self.held for tensor in unpacked(weight)]

    @property
    def modules(self) -> dict[nn.Module, str]:
        """The modules that it runs, with their paths in the whole."""
        ends = [end.module for end in (self._parts.head, self._parts.tail) if end is not None]
        found = {part: path for end in ends for path, part in end.named_modules()}
        for name, block in zip(self._parts.names, self._parts.blocks):
            found.update({part: f"{name}.{path}".rstrip(".") for path, part in block.named_modules()})
        return found

    @property
    def tensors(self) -> list[Tensor]:
        """All that it holds beside what it is given: weights, and what its ends keep of the example."""
        ends = [end for end in (self._parts.head, self._parts.tail) if end is not None]
        found: list[Any] = [*self.held, *(held(end.module) for end in ends)]
        return tensors_of([*found, [] if self._parts.tail is None else self._parts.tail.constants])

    def reenacts(self) -> bool:
        """Whether this thread is where the module's end begins, with what its start has done before."""
        return self._parts.tail is not None and self._parts.tail.reenacts

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

        Raises
        ------
        TypeError, ValueError
            As from a call.
        """
        if self._parts.head is None:
            raise ValueError(f"start: the segment begins at boundary {self.first}, not at 0")
        inputs = self._parts.inputs.taken(args, kwargs)
        x, calls = self._parts.head(*inputs)
        side = Side(0, calls, inputs if self._parts.needs_inputs else None)
        return self._through(x, side, has_arrays((args, kwargs))), side

    def __call__(self, *args: Any, side: Side | None = None, **kwargs: Any) -> Any:
        """Run the blocks.

        Parameters
        ----------
        *args, **kwargs
            The module's inputs at boundary 0, else the activation alone, shape (batch, …). Numbers are of
            the types of the example's, and of what the blocks return; in an array, float32 stands for those
            that numpy lacks, such as bfloat16.
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
            If the activation is not of the example's shape, or numbers are of another type; if `side` is
            needed and absent; at boundary 0 if later segments, left to their default, would compute
            something else.
        """
        if self._parts.head is not None:
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
        x = self._activation(args[0], side)
        if side is None:
            side = self._default_for(len(x))
        elif not isinstance(side, Side) or side.first > self.first:
            raise ValueError(f"side: expected a Side from block {self.first} or before, got {short(side)}")
        return self._through(x, side.from_block(self.first), has_arrays(args))

    def _through(self, x: Tensor, side: Side, as_arrays: bool) -> Any:
        blocks, ports, tail = self._parts.blocks, self._parts.ports, self._parts.tail
        batch = len(x)
        output: Any = x
        with torch.no_grad():
            for i, block in enumerate(blocks):
                args, kwargs = on_places(x, side.calls[i])
                output = block(*args, **kwargs)
                if tail is None or i < len(blocks) - 1:
                    x = ports[i].given(output)
        result: Any = x
        if tail is not None:
            result = tail(output, batch, side.inputs)
            result = result if self._parts.output is None else result[self._parts.output]
        return to_arrays(result) if as_arrays else result

    def _activation(self, given: np.ndarray | Tensor, side: Side | None) -> Tensor:
        like = self._parts.like[0]
        sizes = tuple(like.shape[1:])
        # Other token counts are the right of a caller who brings the masks and positions for them.
        if given.ndim != like.ndim or (side is None and tuple(given.shape[1:]) != sizes) or len(given) == 0:
            raise ValueError(
                f"activation: expected shape (at least 1, {', '.join(map(str, sizes))}) at boundary "
                f"{self.first}, got {tuple(given.shape)}"
            )
        where = f"at boundary {self.first}"
        x = fitted("activation", given, like.dtype, self._parts.inputs.device, where=where)
        return x.clone() if isinstance(given, Tensor) else x  # a block may write into it

    def _default_for(self, batch: int) -> Side:
        if self._parts.defaults is None:
            raise ValueError(
                f"side: absent, but from boundary {self.first} on this model reads what depends on the "
                "input, such as an attention mask: give what segment(0, …).start(…) returned"
            )
        return Side(self.first, tuple(default.rows(batch) for default in self._parts.defaults))

    def _check_defaults(self, side: Side, result: Any) -> None:
        """Refuse a silent difference: later segments cannot see this input."""
        defaults = self._parts.defaults
        if self._parts.tail is not None or defaults is None:
            return
        later = side.from_block(self.last).calls
        if not all(same(default.rows(len(result)), call) for default, call in zip(defaults, later)):
            raise ValueError(
                "side: with this input, later blocks read something else beside the activation than with the "
                "example (a mask, or another number of tokens): use start(…), and give what it returns to "
                "later segments as side="
            )


def on_places(x: Tensor, call: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A block's arguments with the activation in its place."""
    args, kwargs = call
    return (
        tuple(x if value is Place.ACTIVATION else value for value in args),
        {name: x if value is Place.ACTIVATION else value for name, value in kwargs.items()},
    )
