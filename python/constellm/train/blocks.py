"""Where a module keeps its blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from ..core.checks import short


@dataclass(frozen=True)
class _Run:
    """Neighbouring children of one class."""

    container: str
    names: tuple[str, ...]
    kind: str
    parameters: int

    def __str__(self) -> str:
        place = repr(self.container) if self.container else "the module itself"
        return f"{place} ({len(self.names)} × {self.kind})"


def find_blocks(module: nn.Module, blocks: str | Iterable[str] | None) -> tuple[str, ...]:
    """Paths of the blocks, in order.

    Parameters
    ----------
    module : Module
        To look in.
    blocks : str, iterable of str, or None
        Path of the container whose children are the blocks, the paths of the blocks themselves, or None
        for the longest row of neighbouring children of one class in a ``ModuleList`` or ``Sequential``, of
        equally long ones that with the most parameters. Rows inside the blocks of another do not count.

    Raises
    ------
    TypeError, ValueError
        If there is nothing at a path, no row, or several of the same class and length, or if a block stands
        twice; names the candidates.
    """
    if blocks is None:
        return _longest(module)
    if isinstance(blocks, str):
        container = _at(module, blocks)
        paths = tuple(_join(blocks, name) for name in container._modules)  # named_children() leaves out twins
        if not paths:
            raise ValueError(f"blocks: {blocks!r} has no children; candidates are {_candidates(module)}")
        return _checked(module, paths)
    paths = tuple(blocks)
    for path in paths:
        if not isinstance(path, str):
            raise TypeError(f"blocks: expected paths as text, got {short(path)}")
    return _checked(module, paths)


def _longest(module: nn.Module) -> tuple[str, ...]:
    runs = _runs(module)
    most = max((len(run.names) for run in runs), default=0)
    longest = [run for run in runs if len(run.names) == most]
    if not longest:
        raise ValueError(f"blocks: {type(module).__name__} has no ModuleList or Sequential; name the blocks")
    if most == 1:
        run = longest[0]  # the outermost: if it is called again and again, that is what has to be said
    else:
        run = max(longest, key=lambda run: run.parameters)
        alike = [str(other) for other in longest if other.kind == run.kind]
        if len(alike) > 1:
            raise ValueError(f"blocks: more than one row of {most} blocks, name one of {', '.join(alike)}")
    return _checked(module, tuple(_join(run.container, name) for name in run.names))


def _runs(module: nn.Module) -> list[_Run]:
    """Rows of like children with weights, none inside another's blocks."""
    found: list[_Run] = []
    taken: list[str] = []
    for path, container in module.named_modules():
        inside = any(path == block or path.startswith(f"{block}.") for block in taken)
        if inside or not isinstance(container, (nn.ModuleList, nn.Sequential)):
            continue
        row: list[str] = []
        rows = [row]
        before: type | None = None
        for name, child in container._modules.items():
            if type(child) is not before:
                row = []
                rows.append(row)
            before = type(child)
            row.append(name)
        for names in rows:
            block = container._modules[names[0]] if names else None
            if block is None or next(block.parameters(), None) is None:
                continue
            weights = sum(p.numel() for name in names for p in container.get_submodule(name).parameters())
            found.append(_Run(path, tuple(names), type(block).__name__, weights))
            if len(names) > 1:
                taken.extend(_join(path, name) for name in names)
    return found


def _candidates(module: nn.Module) -> str:
    runs = sorted(_runs(module), key=lambda run: -len(run.names))
    return ", ".join(map(str, runs[:8])) or "none"


def _checked(module: nn.Module, paths: tuple[str, ...]) -> tuple[str, ...]:
    if not paths:
        raise ValueError(f"blocks: none named; candidates are {_candidates(module)}")
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
            f"blocks: nothing at {path!r} in {type(module).__name__}; candidates are {_candidates(module)}"
        ) from None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
