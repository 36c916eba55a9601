"""Users' own PyTorch models, split at any block boundary."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, overload

import torch
from torch import Tensor, nn

from ..core.checks import count, instance
from ..core.deprecation import moved_names
from ..model import Measured, Profile
from . import cost
from .analysis import analyse, check_module
from .blocks import candidates
from .memory import held
from .nested import batch_of, own, to_tensors
from .segment import Inputs, Parts, Segment

__getattr__ = moved_names(
    __name__, {name: f"constellm.train.segment.{name}" for name in ("Side", "on_places")}
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
        are modules like any other. Not one compiled by ``torch.compile`` or TorchScript, nor without values
        on the meta device.
    blocks : str or iterable of str, optional
        Path of the container of the blocks, such as ``"encoder.layers"``, or the paths of the blocks.
        Default: the longest row of neighbours of one class in a ``ModuleList`` or ``Sequential``, of equally
        long ones that with the most parameters; before it all rows of that class as one, as in the stages of
        a ResNet; where there is no row, the children of the longest container, as in AlexNet. The first of
        these that can be split.
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
        If no blocks are found, or the module cannot be split: a part is in training mode, a block stands or
        is called twice, is not called, more than one tensor goes from block to block, something is computed
        or decided on it between them, a later part reads an earlier block's output, a pass writes into what
        the module holds, or it fails on fewer or more rows than the example's. Says which, and where.

    Examples
    --------
    >>> import torch
    >>> from constellm import train
    >>> layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> module = torch.nn.TransformerEncoder(layer, 3, enable_nested_tensor=False).eval()
    >>> train.TorchModel(module, example=torch.zeros(2, 5, 8))
    TorchModel('TransformerEncoder', 3 blocks, activations of (batch, 5, 8))
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
        check_module(instance("module", module, nn.Module))
        self.name = type(module).__name__ if name is None else instance("name", name, str)
        tensors = (weight for weight in held(module).values() if isinstance(weight, Tensor))
        device = next((tensor.device for tensor in tensors), torch.device("cpu"))
        self._example = _arguments(module, example, device)
        self._batch = batch_of(self._example)
        inputs = Inputs.of(module, self._example, device)
        with undisturbed(device):
            self._parts = _split(module, candidates(module, blocks), self._example, inputs, output)

    def __repr__(self) -> str:
        sizes = ", ".join(map(str, self._parts.like[1].shape[1:]))
        return f"TorchModel({self.name!r}, {self.blocks} blocks, activations of (batch, {sizes}))"

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self._parts.blocks)

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
        first = count("first", first, least=0, most=last - 1)
        return Segment(self._parts.between(first, last), first, last)

    @property
    def example(self) -> Any:
        """Positional and keyword inputs of the example, as tensors."""
        return self._example

    @property
    def dtype(self) -> torch.dtype:
        """Of the activation at the first boundary."""
        return self._parts.like[1].dtype

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the blocks in the module."""
        return self._parts.names

    def item_bytes(self, boundary: int) -> int:
        """Size of a number of the activation, as it is computed: half of an array's for bfloat16 [B].

        Parameters
        ----------
        boundary : int
            In [1, blocks - 1].
        """
        return self._parts.like[count("boundary", boundary, most=self.blocks - 1)].element_size()

    @property
    def side_is_fixed(self) -> bool:
        """Whether what blocks read beside the activation is known from the example, so nothing is carried."""
        return self._parts.defaults is not None

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

        Raises
        ------
        ValueError
            If a pass contains an operation that cannot be counted, reads a tensor that no module holds, hands
            numbers that depend on its input to Python or other libraries, or runs in other threads too;
            names it, and the module.

        Notes
        -----
        FLOP are those of matrix products, convolutions, attention and recurrent layers, two a multiply-add,
        as PyTorch counts them: causal attention in full; all else that is known counts as none, see
        docs/own-models.md. Numbers and bytes of weights that share memory are in once. ``output_bytes`` are
        the activation and, where it is carried, the `Side`. ``workspace_bytes`` is the most that was alive
        at a time in a pass through the layer, outside of fused operations.
        """
        rows = self._batch if batch is None else count("batch", batch)
        with undisturbed(self._parts.inputs.device):
            counted = cost.profile(self, rows)
            if not measured:
                return counted
            return cost.timed_profile(self, counted, count("repeats", repeats))


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Passes that leave the caller's random numbers as they are, and do not depend on gradients' modes."""
    cached = torch.is_autocast_cache_enabled()
    random = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
    torch.set_autocast_cache_enabled(False)  # what one pass has cast would be missing in the next
    try:
        with random, torch.inference_mode(False), torch.no_grad():
            yield
    finally:
        torch.set_autocast_cache_enabled(cached)


def _arguments(module: nn.Module, example: Any, device: torch.device) -> Any:
    """Positional and keyword arguments, as tensors of their own."""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    if isinstance(example, Mapping):
        kwargs = dict(example)
    else:
        args = example if isinstance(example, tuple) else (example,)
    # A cache that blocks write into is a state between calls; models that keep one can do without.
    if "use_cache" in inspect.signature(module.forward).parameters:
        kwargs.setdefault("use_cache", False)
    return own(to_tensors((args, kwargs), device))


def _split(
    module: nn.Module,
    rows: Iterable[tuple[str, ...]],
    example: Any,
    inputs: Inputs,
    output: str | int | None,
) -> Parts:
    """The first of several rows of blocks that will do; where none will, the fault of the last is told."""
    fault: ValueError | None = None
    for paths in rows:
        try:
            return analyse(module, paths, example, inputs, output)
        except ValueError as error:
            fault = error
    assert fault is not None
    raise fault
