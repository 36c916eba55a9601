"""Finding the blocks of a module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import nn
from torch.nn.utils.parametrize import type_before_parametrizations

from ..core.checks import short
from .memory import OF_EVERY_MODULE, held
from .nested import leaves_of

_CONTAINERS = (nn.ModuleList, nn.Sequential)


@dataclass(frozen=True)
class _Run:
    """Neighbouring children of one class."""

    container: str
    names: tuple[str, ...]
    kind: type
    parameters: int

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(_join(self.container, name) for name in self.names)

    def __str__(self) -> str:
        place = repr(self.container) if self.container else "the module itself"
        return f"{place} ({len(self.names)} × {self.kind.__name__})"


def candidates(module: nn.Module, blocks: str | Iterable[str] | None) -> Iterator[tuple[str, ...]]:
    """Paths of the blocks, in order; where none are named, of several rows that may be meant, the best first.

    Parameters
    ----------
    module : Module
        To look in.
    blocks : str, iterable of str, or None
        Path of the container whose children are the blocks, the paths of the blocks themselves, or None
        for the longest row of neighbouring children of one class in a ``ModuleList`` or ``Sequential``, of
        equally long ones that with the most parameters. Rows inside the blocks of another do not count. All
        rows of that class one behind the other come before it, as the stages of a residual network are;
        where there are no rows, the children of the longest container are tried.

    Raises
    ------
    TypeError, ValueError
        If there is nothing at a path, no row, or a block stands twice; behind the last row, if several of
        the same class and length may be meant. Names the candidates.
    """
    if blocks is None:
        yield from _found(module)
    elif isinstance(blocks, str):
        container = _at(module, blocks)
        paths = tuple(_join(blocks, name) for name in container._modules)  # named_children() leaves out twins
        if not paths:
            raise ValueError(f"blocks: {blocks!r} has no children; candidates are {_all_rows(module)}")
        yield _checked(module, paths)
    else:
        paths = tuple(blocks)
        for path in paths:
            if not isinstance(path, str):
                raise TypeError(f"blocks: expected paths as text, got {short(path)}")
        yield _checked(module, paths)


def _found(module: nn.Module) -> Iterator[tuple[str, ...]]:
    runs = _runs(module)
    most = max((len(run.names) for run in runs), default=0)
    longest = [run for run in runs if len(run.names) == most]
    if not longest:
        raise ValueError(f"blocks: {_lack(module)}; name the blocks{_unregistered(module)}")
    run = max(longest, key=lambda run: run.parameters)
    chain = [other for other in runs if other.kind is run.kind]
    if len(chain) > 1:
        yield _checked(module, tuple(path for other in chain for path in other.paths))
    if most > 1:
        alike = [str(other) for other in longest if other.kind is run.kind]
        if len(alike) > 1:
            raise ValueError(f"blocks: more than one row of {most} blocks, name one of {', '.join(alike)}")
        yield _checked(module, run.paths)
        return
    path, container = max(_containers(module), key=lambda each: len(each[1]._modules))
    if len(container._modules) > 1:
        yield _checked(module, tuple(_join(path, name) for name in container._modules))
    else:  # the outermost: if it is called again and again, that is what has to be said
        yield _checked(module, longest[0].paths)


def _containers(module: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(path, part) for path, part in module.named_modules() if isinstance(part, _CONTAINERS)]


def _lack(module: nn.Module) -> str:
    """Why there is no row."""
    kind = type(module).__name__
    if not _containers(module):
        return f"{kind} has no ModuleList or Sequential"
    return f"{kind} has no module with parameters in a ModuleList or Sequential"


def _unregistered(module: nn.Module) -> str:
    """A note on modules that PyTorch does not see, in a plain list, tuple or mapping."""
    for path, part in module.named_modules():
        for name, value in vars(part).items():
            plain = isinstance(value, (list, tuple, dict)) and name not in OF_EVERY_MODULE
            if plain and any(isinstance(leaf, nn.Module) for leaf in leaves_of(value)):
                return (
                    f" ({_join(path, name)!r} is a plain {type(value).__name__} of modules, whose parameters "
                    "PyTorch does not see; make it a ModuleList)"
                )
    return ""


def _runs(module: nn.Module) -> list[_Run]:
    """Rows of like children with weights, none inside another's blocks."""
    found: list[_Run] = []
    taken: list[str] = []
    for path, container in module.named_modules():
        inside = any(path == block or path.startswith(f"{block}.") for block in taken)
        if inside or not isinstance(container, _CONTAINERS):
            continue
        row: list[str] = []
        rows = [row]
        before: type | None = None
        for name, child in container._modules.items():
            kind = type_before_parametrizations(child)  # each parametrised one has a class of its own
            if kind is not before:
                row = []
                rows.append(row)
            before = kind
            row.append(name)
        for names in rows:
            block = container._modules[names[0]] if names else None
            if block is None or not held(block):
                continue
            weights = sum(p.numel() for name in names for p in container.get_submodule(name).parameters())
            found.append(_Run(path, tuple(names), type_before_parametrizations(block), weights))
            if len(names) > 1:
                taken.extend(_join(path, name) for name in names)
    return found


def _all_rows(module: nn.Module) -> str:
    runs = sorted(_runs(module), key=lambda run: -len(run.names))
    return ", ".join(map(str, runs[:8])) or "none"


def _checked(module: nn.Module, paths: tuple[str, ...]) -> tuple[str, ...]:
    if not paths:
        raise ValueError(f"blocks: none named; candidates are {_all_rows(module)}")
    first: dict[int, str] = {}
    for path in paths:
        block = _at(module, path)
        if id(block) in first:
            raise ValueError(
                f"blocks: {first[id(block)]!r} and {path!r} are one module, whose weights are shared; "
                "such a model cannot be split"
            )
        first[id(block)] = path
    return paths


def _at(module: nn.Module, path: str) -> nn.Module:
    try:
        return module.get_submodule(path)
    except AttributeError:
        raise ValueError(
            f"blocks: no module at {path!r} in {type(module).__name__}; candidates are "
            f"{_all_rows(module)}{_unregistered(module)}"
        ) from None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
