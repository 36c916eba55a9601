"""Taking a module apart: run and watched, its ends found, and what was found checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import type_before_parametrizations

from .ends import Head, Port, Tail, skeleton
from .memory import held
from .nested import Batched, batch_of, leaves_of, on_tensors, own, same, take_rows, tensors_of
from .segment import PLAIN, Inputs, Parts, Segment
from .trace import Trace, watched

_ROUNDING = 1e-5  # of the largest number: the same program may add in another order on other hardware
_OF_PYTORCH = ("torch.nn.modules.", "torch.nn.utils.parametri", "torch.ao.nn.")
_BY_MODE = (
    *(nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase, nn.RReLU, nn.RNNBase, _SpectralNorm),
    *(nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer),
)
_MIXING = 1e-2  # of the largest number: rows of a batch that do not see each other differ by rounding alone


def check_module(module: nn.Module) -> None:
    """Refuse a module whose passes are random, change it, or cannot be watched."""
    if module.training:
        raise ValueError("module: in training mode, where dropout makes it random; call module.eval()")
    training = [f"{path!r} ({type(part).__name__})" for path, part in module.named_modules() if _learns(part)]
    if training:
        raise ValueError(
            f"module: {', '.join(training[:8])} in training mode, where dropout is random and normalisation "
            "changes with every pass; call module.eval()"
        )
    for path, part in module.named_modules():
        name = repr(path) if path else "all of it"
        if isinstance(part, torch.jit.ScriptModule):
            raise ValueError(
                f"module: {name} is compiled by TorchScript, which may hold weights and fuse operations "
                "where nobody sees them; give the module that it was made from"
            )
        if hasattr(part, "_orig_mod") or getattr(part, "_compiled_call_impl", None) is not None:
            raise ValueError(
                f"module: {name} is compiled by torch.compile, whose fused operations cannot be watched; "
                "give the module that it was made from"
            )
    for path, weight in held(module).items():
        if isinstance(weight, (UninitializedParameter, UninitializedBuffer)):
            raise ValueError(f"module: {path!r} is lazy and has no shape before a first pass; make one")
        if isinstance(weight, Tensor) and weight.is_meta:
            raise ValueError(
                f"module: {path!r} is on the meta device, without values, and the split is checked by "
                "running it; load the weights, or take counts alone from constellm.model.from_config"
            )


def _learns(part: nn.Module) -> bool:
    """Whether a module is in training mode, and may do something else there than in evaluation."""
    kind = type_before_parametrizations(part)
    known = kind.__module__.startswith(_OF_PYTORCH) and not issubclass(kind, _BY_MODE)
    return part.training and not known


def analyse(
    module: nn.Module, paths: tuple[str, ...], example: Any, inputs: Inputs, output: str | int | None
) -> Parts:
    """Split a module at the borders of its blocks.

    Parameters
    ----------
    module : Module
        The whole; not changed.
    paths : tuple of str
        Of the blocks.
    example : (tuple, dict)
        Arguments of a pass.
    inputs : Inputs
        How the module is called.
    output : str or int, optional
        The part of the module's output that is wanted.

    Raises
    ------
    TypeError, ValueError
        If it cannot be split, or its parts do not give what the whole gives; says why.
    """
    batch = batch_of(example)
    row, two_rows = (take_rows(example, batch, rows) for rows in ([0], [0, 0]))
    one = _watched(module, paths, row, "its first row alone")
    two = _watched(module, paths, two_rows, "two rows, its first one twice")
    if len(paths) < 2:
        raise ValueError(f"blocks: {paths[0]!r} alone; where there is one block, nothing can be cut")
    ports = _ports(paths, one)
    sides = own(_sides(ports, one)), _sides(ports, two)
    for path, side in zip(paths, sides[0]):
        _check_plain(path, side)
    early = {}
    for path, result in own(one.early_modules).items():
        if held(module.get_submodule(path)) and path in two.early_modules:
            early[path] = Batched.between(result, two.early_modules[path], path)
    head = Head(module, paths, ports, own(row))
    tail = Tail(module, paths, ports, Batched.between(own(row), two_rows, "example"), early, one.outputs[-1])
    defaults = [Batched.between(a, b, f"arguments of {path!r}") for path, a, b in zip(paths, *sides)]
    first, calls = head(*own(example))
    usual = (same(default.rows(batch), call) for default, call in zip(defaults, calls))
    parts = Parts(
        names=paths,
        blocks=tuple(map(module.get_submodule, paths)),
        ports=tuple(ports),
        like=tuple(_like(path, x) for path, x in zip(paths, _given(first, ports, one))),
        head=head,
        tail=tail,
        defaults=tuple(defaults) if not one.reads_early and all(usual) else None,
        inputs=inputs,
        needs_inputs=one.reads_early,
        output=output,
    )
    _check(module, parts, example, batch)
    return parts


def _watched(module: nn.Module, paths: tuple[str, ...], rows: Any, what: str) -> Trace:
    """A pass through rows of the example, called `what`; where it fails, the reason."""
    try:
        return watched(skeleton(module), paths, *own(rows))
    except RuntimeError as error:
        weights = [weight for weight in held(module).values() if isinstance(weight, Tensor)]
        given, own_types = map(_types_of_floats, (tensors_of(rows), weights))
        if any(_passes(module, paths, rows, dtype) for dtype in own_types - given):
            kinds = (", ".join(sorted(map(str, types))) for types in (given, own_types))
            raise TypeError(
                "example: its numbers are {}, the module's {}: {}".format(*kinds, error)
            ) from error
        raise ValueError(f"example: the module fails on {what}: {error}") from error


def _passes(module: nn.Module, paths: tuple[str, ...], rows: Any, dtype: torch.dtype) -> bool:
    """Whether a module takes such inputs with numbers of another type."""
    converted = on_tensors(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor, rows)
    try:
        watched(skeleton(module), paths, *own(converted))
    except (RuntimeError, ValueError):
        return False
    return True


def _types_of_floats(tensors: list[Tensor]) -> set[torch.dtype]:
    return {tensor.dtype for tensor in tensors if tensor.is_floating_point()}


def _given(first: Tensor, ports: list[Port], trace: Trace) -> list[Tensor]:
    """The activation that every block takes."""
    return [first, *(port.given(output) for port, output in zip(ports[:-1], trace.outputs))]


def _like(path: str, x: Tensor) -> Tensor:
    if x.layout != torch.strided or x.is_quantized or x.is_nested:
        kind = x.dtype if x.is_quantized else "nested" if x.is_nested else x.layout
        raise ValueError(f"blocks: {path!r} takes a {kind} tensor; what crosses a cut must be a dense one")
    return torch.empty_like(x, device="meta")


def _check(module: nn.Module, parts: Parts, example: Any, batch: int) -> None:
    """The example, whole and cut, and one row of it alone."""

    def passes() -> tuple[Any, ...]:  # a module may write into what it is given
        return own(example), own(take_rows(example, batch, [0]))

    wholes = [module(*args, **kwargs) for args, kwargs in passes()]
    if parts.output is not None:
        try:
            wholes = [whole[parts.output] for whole in wholes]
        except (KeyError, IndexError, TypeError):
            raise ValueError(f"output: no part {parts.output!r} in what the module returns") from None
    for leaf in leaves_of(wholes[0]):
        if not isinstance(leaf, (Tensor, *PLAIN)):
            raise TypeError(
                f"output: the module returns a {type(leaf).__name__}, whose bytes cannot be counted; name "
                "the part that is wanted with output="
            )
    segment = Segment(parts, 0, len(parts.blocks))
    for (args, kwargs), whole in zip(passes(), wholes):
        if not same(segment(*args, **kwargs), whole, tolerance=_ROUNDING):
            raise ValueError(
                "blocks: run one by one they do not give what the module gives; it may change "
                "activations in place between blocks, collect what all blocks return, or be random"
            )
    if not same(take_rows(wholes[0], batch, [0]), wholes[1], tolerance=_MIXING):
        raise ValueError(
            "example: the first row alone gives another output than in the batch; the first dimension "
            "must be the batch, and its rows must not see each other"
        )


def _ports(paths: tuple[str, ...], trace: Trace) -> list[Port]:
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
    return [Port(take, *give) for take, give in zip([takes[0], *takes], [*gives, gives[-1]])]


def _sides(ports: list[Port], trace: Trace) -> tuple[Any, ...]:
    return tuple(port.separate(*call)[1] for port, call in zip(ports, trace.calls))


def _check_plain(path: str, side: Any) -> None:
    args, kwargs = side
    for argument, value in (*enumerate(args), *kwargs.items()):
        for leaf in leaves_of(value):
            if not isinstance(leaf, (Tensor, *PLAIN)):
                raise ValueError(
                    f"blocks: {path!r} reads {argument!r}, a {type(leaf).__name__}: an object that a segment "
                    "in another process would not share; for a cache of keys and values put use_cache=False "
                    "into the example"
                )
