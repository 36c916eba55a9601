"""Grid of a sweep: axes, the problems they start from, and the values of each cell."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import __version__
from ..core.checks import short
from .system import System, is_record, known_records, reserved_names, system_of


@dataclass(frozen=True)
class Axis:
    """One dimension of a sweep."""

    name: str
    """A parameter of the factory, or the address of a field."""
    values: Sequence[Any] | NDArray[Any]
    labels: NDArray[Any]
    """The values as coordinates: numbers, or texts for what is none."""
    is_field: bool
    unit: str = ""

    @property
    def size(self) -> int:
        """How many values it has."""
        return len(self.labels)

    def description(self) -> dict[str, Any]:
        """Name, unit and labels, as JSON holds them."""
        values = [plain(value) for value in self.labels.tolist()]
        return {
            "name": self.name,
            "unit": self.unit,
            "numbers": self.labels.dtype.kind != "U",
            "values": values,
        }


@dataclass(frozen=True)
class Grid:
    """Every combination of the axes' values, a cell each, the last axis fastest."""

    system: System
    axes: tuple[Axis, ...]
    problems: tuple[Any, ...]
    """Of each combination of the factory's axes, the last fastest: what its cells start from, or
    a text: why none."""
    method: str | tuple[str, ...]
    """One name, or several, which make a last dimension ``method``."""
    time_limit_s: float

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods by name."""
        return (self.method,) if isinstance(self.method, str) else self.method

    @property
    def fields(self) -> list[Axis]:
        """The axes over fields of the problem."""
        return [axis for axis in self.axes if axis.is_field]

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    @property
    def cells(self) -> int:
        """How many problems it holds."""
        return math.prod(self.shape)

    def problem_of(self, cells: NDArray[np.int64]) -> NDArray[np.int32]:
        """Position in `problems` of what each cell starts from."""
        found = np.zeros(len(cells), dtype=np.int32)
        for axis, index in zip(self.axes, np.unravel_index(cells, self.shape)):
            if not axis.is_field:
                found = (found * axis.size + index).astype(np.int32)
        return found

    def field_values(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values of the field axes, shape (cells, fields)."""
        values = np.empty((len(cells), len(self.fields)))
        column = 0
        for axis, index in zip(self.axes, np.unravel_index(cells, self.shape)):
            if axis.is_field:
                values[:, column] = np.asarray(axis.values, dtype=float)[index]
                column += 1
        return values

    def identity(self) -> dict[str, Any]:
        """All that the rows depend on, as JSON holds it: the description, and what the problems are."""
        content = hashlib.sha256()
        for problem in self.problems:
            told = problem if isinstance(problem, str) else problem.to_dict()
            content.update(json.dumps(told, sort_keys=True).encode())
        return {**self.description(), "problems_sha256": content.hexdigest()}

    def description(self) -> dict[str, Any]:
        """What the axes, methods and names are, as JSON holds it."""
        names = {problem.name for problem in self.problems if not isinstance(problem, str)}
        return {
            "constellm": __version__,
            "system": self.system.home,
            "problem": names.pop() if len(names) == 1 else "",
            "axes": [axis.description() for axis in self.axes],
            "method": self.method if isinstance(self.method, str) else list(self.method),
            "time_limit_s": plain(self.time_limit_s),
        }


def make_grid(
    problem: Any,
    axes: Mapping[str, Any],
    method: str | Sequence[str],
    time_limit_s: float,
) -> Grid:
    """The grid of a call of `run`; what is wrong with the call raises here, before anything is solved."""
    if not axes:
        raise ValueError("axes: at least one is needed")
    methods = (method,) if isinstance(method, str) else tuple(method)
    if not methods or len(set(methods)) < len(methods):
        raise ValueError(f"method: expected a name, or different names, got {method!r}")
    for name in methods:
        if not isinstance(name, str):
            raise TypeError(f"method: expected a name, or several, got {method!r}")
    _check_names(axes, reserved_names(problem))
    if is_record(problem):
        parameters: list[str] = []
        problems: list[Any] = [problem]
    elif callable(problem):
        parameters = _parameters(problem, axes)
        problems = _call(problem, {name: _any_values(name, axes[name]) for name in parameters})
    else:
        raise TypeError(f"problem: expected {known_records()} or a factory of them, got {problem!r}")
    first, *others = {id(s): s for s in (system_of(p) for p in problems if not isinstance(p, str))}.values()
    if others:
        raise TypeError("problem: the factory makes records of several systems")
    system = first
    for name in methods:
        system.check_method(name)
    fields = [name for name in axes if name not in parameters]
    for i, address in enumerate(fields):
        problems = _with_field(system, problems, address, fields[:i])
    made = next(p for p in problems if not isinstance(p, str))
    return Grid(
        system=system,
        axes=tuple(
            _factory_axis(name, values) if name in parameters else _field_axis(system, made, name, values)
            for name, values in axes.items()
        ),
        problems=tuple(problems),
        method=method if isinstance(method, str) else methods,
        time_limit_s=time_limit_s,
    )


def _check_names(axes: Mapping[str, Any], reserved: Set[str]) -> None:
    """Refuse axes that would meet a column of the rows under one name."""
    for name in axes:
        if name in reserved:
            raise ValueError(
                f"axis {name!r}: the rows have a column of this name; give a field with its list, as in "
                f"'codecs.error', or a factory's parameter another name"
            )


def _parameters(factory: Callable[..., Any], axes: Mapping[str, Any]) -> list[str]:
    """The axes that are parameters of the factory: its named ones, or any plain name if it takes such."""
    known = inspect.signature(factory).parameters.values()
    named = {p.name for p in known if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in known)
    return [name for name in axes if name in named or (takes_any and name.isidentifier())]


def _call(factory: Callable[..., Any], values: Mapping[str, Sequence[Any]]) -> list[Any]:
    inspect.signature(factory).bind(**dict.fromkeys(values))
    made: list[Any] = []
    for combination in itertools.product(*values.values()):
        try:
            problem = factory(**dict(zip(values, combination)))
        except (TypeError, ValueError) as error:
            made.append(f"{type(error).__name__}: {error}")
            continue
        if not is_record(problem):
            raise TypeError(f"problem: expected a factory that makes {known_records()}, it made {problem!r}")
        made.append(problem)
    if all(isinstance(p, str) for p in made):
        raise ValueError(f"problem: the factory refuses every combination; the first with {made[0]}")
    return made


def _with_field(system: System, problems: list[Any], address: str, earlier: list[str]) -> list[Any]:
    """`problems`, those given up where the field is not, or hides another axis; ValueError if that is all."""
    kept: list[Any] = []
    for problem in problems:
        try:
            if not isinstance(problem, str):
                system.field(problem, address, earlier)
            kept.append(problem)
        except ValueError as error:
            kept.append(str(error))
    if all(isinstance(p, str) for p in kept):
        raise ValueError(next(now for before, now in zip(problems, kept) if not isinstance(before, str)))
    return kept


def _field_axis(system: System, problem: Any, address: str, values: Any) -> Axis:
    unit, is_count = system.field(problem, address, ())
    try:
        array = np.array(values)
    except ValueError:  # rows of different lengths
        array = np.empty((0, 0))
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in ("iu" if is_count else "iuf"):
        hint = " (no limit is infinity)" if array.dtype.kind == "O" else ""
        numbers = "integers" if is_count else "numbers"
        raise TypeError(f"axis {address!r}: expected a 1-D array of {numbers}{hint}, got {short(values)}")
    array.flags.writeable = False
    return Axis(address, array, array, True, unit)


def _any_values(name: str, values: Any) -> Sequence[Any]:
    if hasattr(values, "tolist"):  # arrays and series
        values = values.tolist()
    if not isinstance(values, (list, tuple, range)) or len(values) == 0:
        raise TypeError(f"axis {name!r}: expected a sequence of values, at least one, got {short(values)}")
    return values


def _factory_axis(name: str, values: Any) -> Axis:
    values = _any_values(name, values)
    numeric = all(isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in values)
    labels = np.array(values if numeric else [_label(v) for v in values])
    labels.flags.writeable = False
    return Axis(name, values, labels, False)


def _label(value: Any) -> str:
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else str(value)


def plain(value: Any) -> Any:
    """`value` as JSON has it; numbers that are not finite as text."""
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
