"""Experts of several layers that want satellites, each one of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count, instance, known_keywords, non_negative, short
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value
from .arguments import frozen

_MOST_S = 1e290
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, eq=False, repr=False)
class Layer(Value):
    """A layer's experts, and how far every satellite is for it.

    Parameters
    ----------
    weights : array_like, shape (experts,)
        Sampling weights, > 0, divided by their sum; `sampling_weights` makes them of activation shares.
    latency_s : array_like, shape (slots, satellites)
        Path latency from the gateway over the satellite to the next gateway, computing included [s], >= 0;
        NaN, or masked, where it is not reachable.
    base_s : float
        Added once per token [s], >= 0.

    Raises
    ------
    TypeError, ValueError
        For arrays of other shapes, and weights that are empty or masked. What else they hold is checked by
        `Problem`.

    Examples
    --------
    >>> from constellm import moe
    >>> moe.Layer([0.5, 0.3, 0.2], [[0.010, 0.014, 0.015, 0.022]])
    Layer(3 experts, 1 slot, 4 satellites)
    """

    weights: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    base_s: float = 0.0

    def __init__(self, weights: ArrayLike, latency_s: ArrayLike, base_s: float = 0.0) -> None:
        object.__setattr__(self, "weights", _array("weights", weights, 1))
        object.__setattr__(self, "latency_s", _array("latency_s", latency_s, 2))
        object.__setattr__(self, "base_s", non_negative("base_s", base_s))

    def __reduce__(self) -> tuple[Any, ...]:
        return Layer, (self.weights, self.latency_s, self.base_s)

    def __repr__(self) -> str:
        slots, satellites = self.latency_s.shape
        return (
            f"Layer({counted(len(self.weights), 'expert')}, {counted(slots, 'slot')}, "
            f"{counted(satellites, 'satellite')})"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Problem(Value, Displayed):
    """Experts of several layers that want satellites, each one of its own; format `constellm.moe-problem`.

    Of every layer a token picks `top_k` experts, drawn one after the other without replacement with
    probability proportional to the remaining weights, and waits for the slowest; slots weigh equally.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of the ring, with the same slots and satellites.
    top_k : int
        Experts that a token picks of each layer; at most the experts of any layer.
    satellites : sequence of str, optional
        Ids; default: s0, s1, ...
    unreachable_s : float, optional
        What counts where a latency is NaN [s], >= 0; default: such a satellite hosts no expert of that layer.
    name : str
        1 to 100 characters of ``[A-Za-z0-9._-]``.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer([0.35, 0.25, 0.20, 0.12, 0.08], [[0.010, 0.014, 0.015, 0.022, 0.030]])
    >>> problem = moe.Problem([layer], top_k=2)
    >>> problem, problem.experts
    (Problem('problem': 1 layer, 5 experts, 2 a token, 5 satellites, 1 slot), (5,))
    """

    layers: tuple[Layer, ...]
    top_k: int
    satellites: tuple[str, ...]
    unreachable_s: float | None
    name: str
    _compiled: _core.Problem = field(repr=False, compare=False)

    def __init__(
        self,
        layers: Sequence[Layer],
        top_k: int,
        satellites: Sequence[str] | None = None,
        unreachable_s: float | None = None,
        name: str = "problem",
    ) -> None:
        if isinstance(layers, Layer) or not isinstance(layers, Iterable):
            raise TypeError(f"layers: expected a sequence of Layer, got {short(layers)}")
        layers = tuple(instance(f"layers[{i}]", layer, Layer) for i, layer in enumerate(layers))
        if not layers:
            raise ValueError("layers: must not be empty")
        if satellites is None:
            satellites = [f"s{i}" for i in range(layers[0].latency_s.shape[1])]
        if isinstance(satellites, str) or not isinstance(satellites, Iterable):
            raise TypeError(f"satellites: expected a sequence of ids, got {short(satellites)}")
        satellites = tuple(_id(f"satellites[{i}]", s) for i, s in enumerate(satellites))
        if not isinstance(name, str):
            raise TypeError(f"name: expected text, got {short(name)}")
        if not _NAME.fullmatch(name):
            raise ValueError(f"name: {short(name)} is not 1 to 100 characters of [A-Za-z0-9._-]")
        top_k = count("top_k", top_k, most=2**31 - 1)
        if unreachable_s is not None:
            unreachable_s = non_negative("unreachable_s", unreachable_s)
        _check_sums(layers, unreachable_s)
        compiled = _core.Problem(
            name=name,
            top_k=top_k,
            satellites=list(satellites),
            unreachable_s=unreachable_s,
            layers=[(layer.weights, layer.latency_s, layer.base_s) for layer in layers],
        )
        values = (layers, top_k, satellites, unreachable_s, name, compiled)
        for of, value in zip(fields(self), values):
            object.__setattr__(self, of.name, value)

    @property
    def slots(self) -> int:
        """Time slots of every layer."""
        return len(self.layers[0].latency_s)

    @property
    def experts(self) -> tuple[int, ...]:
        """Of each layer (layers,)."""
        return tuple(len(layer.weights) for layer in self.layers)

    def replace(self, **changes: Any) -> Problem:
        """A copy with some of the parameters changed."""
        parameters = self._parameters()
        known_keywords("replace", changes, parameters)
        return Problem(**{**parameters, **changes})

    def _parameters(self) -> dict[str, Any]:
        return {of.name: getattr(self, of.name) for of in fields(self) if of.name != "_compiled"}

    def __reduce__(self) -> tuple[Any, ...]:
        return Problem, tuple(self._parameters().values())

    def __repr__(self) -> str:
        return f"Problem({self._size()})"

    def _size(self) -> str:
        return (
            f"{self.name!r}: {counted(len(self.layers), 'layer')}, {counted(sum(self.experts), 'expert')}, "
            f"{self.top_k} a token, {counted(len(self.satellites), 'satellite')}, "
            f"{counted(self.slots, 'slot')}"
        )

    def _display(self) -> Display:
        rows = []
        for i, layer in enumerate(self.layers):
            banned = np.isnan(layer.latency_s).any(axis=0)
            known = layer.latency_s[~np.isnan(layer.latency_s)]
            span = (known.min(), np.median(known), known.max()) if len(known) else (np.nan,) * 3
            rows.append(
                (
                    str(i),
                    str(len(layer.weights)),
                    f"{layer.weights.max() / layer.weights.mean():.3g}",
                    str(np.count_nonzero(~banned)),
                    *(quantity(s, "s") for s in span),
                )
            )
        head = (
            "layer",
            "experts",
            "top ÷ mean weight",
            "reachable in all slots",
            "nearest",
            "median",
            "farthest",
        )
        lines = [f"Problem {self._size()}"]
        if self.unreachable_s is not None:
            lines.append(f"where a satellite is not reachable: {quantity(self.unreachable_s, 's')}")
        return Display(lines, [Table(head, rows)])


def _id(where: str, value: Any) -> str:
    try:
        instance(where, value, str).encode()
    except UnicodeEncodeError:
        raise ValueError(f"{where}: {short(value)} is not valid Unicode") from None
    return str(value)


def _check_sums(layers: Sequence[Layer], unreachable_s: float | None) -> None:
    """Sums over layers and slots that left the range of numbers would look as if there were no placement."""
    for i, layer in enumerate(layers):
        for name, values in (("latency_s", layer.latency_s), ("base_s", layer.base_s)):
            largest = float(np.nanmax(values, initial=0.0))
            if _MOST_S < largest < np.inf:  # an infinite one is refused by its place
                raise ValueError(f"layers[{i}].{name}: {largest!r} is not in [0, {_MOST_S:g}]")
    if unreachable_s is not None and unreachable_s > _MOST_S:
        raise ValueError(f"unreachable_s: {unreachable_s!r} is not in [0, {_MOST_S:g}]")


def _array(name: str, values: ArrayLike, dimensions: int) -> NDArray[np.float64]:
    """A copy that cannot be written, NaN where latencies are masked."""
    try:
        array = np.ma.array(values) if _is_masked(values) else np.asarray(values)
    except ValueError:
        raise ValueError(f"{name}: rows of different lengths") from None
    if array.size and array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected numbers, got {short(values)}")
    if array.ndim != dimensions:
        shape = "(experts,)" if dimensions == 1 else "(slots, satellites)"
        raise ValueError(f"{name}: shape {array.shape} is not {shape}")
    if dimensions == 1 and not array.size:
        raise ValueError(f"{name}: must not be empty")
    if np.ma.is_masked(array):
        if dimensions == 1:
            raise TypeError(f"{name}: expected numbers, got masked ones")
        array = np.ma.filled(array.astype(np.float64), np.nan)
    return frozen(array)


def _is_masked(values: Any) -> bool:
    rows = values if isinstance(values, (list, tuple)) else [values]
    return any(isinstance(row, np.ma.MaskedArray) for row in rows)
