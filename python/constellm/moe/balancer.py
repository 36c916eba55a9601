"""Copies of experts on devices, so that all do equally much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count
from ..core.display import Display, Displayed
from ..core.quantity import counted
from ..core.table import Table
from ..core.value import Value
from .arguments import as_array, frozen

_MOST = 1e290
_MOST_SEATS = 10**9  # devices times experts: which holds which is a table


@dataclass(frozen=True, eq=False, repr=False)
class Balance(Value, Displayed):
    """Copies of experts on devices; what `balance` gives.

    All devices hold equally many copies, no two of one expert on one device; each copy has an equal part of
    its expert's load. Of one layer the arrays have no first dimension.

    Examples
    --------
    See `constellm.moe.balance`.
    """

    loads: NDArray[np.float64]
    """Of the experts (layers, experts)."""
    experts_on: NDArray[np.int32]
    """The expert of each place of each device, ascending (layers, devices, places)."""
    copies: NDArray[np.int32]
    """Of each expert (layers, experts)."""
    device_loads: NDArray[np.float64]
    """(layers, devices)."""
    lower_bound: NDArray[np.float64]
    """Whatever the copies and their devices, the largest load of a device is at least this (layers,)."""

    def __post_init__(self) -> None:
        for name in ("loads", "device_loads", "lower_bound"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("experts_on", "copies"):
            copy = np.array(getattr(self, name), dtype=np.int32, order="C")
            copy.flags.writeable = False
            object.__setattr__(self, name, copy.view())

    @property
    def devices(self) -> int:
        """How many there are."""
        return int(self.device_loads.shape[-1])

    @property
    def imbalance(self) -> NDArray[np.float64]:
        """The largest load of a device over the mean (layers,); 1 where nothing is to do."""
        return _ratio(self.device_loads.max(axis=-1), self.device_loads.mean(axis=-1), 1.0)

    @property
    def gap(self) -> NDArray[np.float64]:
        """How far the largest load may be from the least possible, relative to itself (layers,)."""
        largest = self.device_loads.max(axis=-1)
        return _ratio(largest - self.lower_bound, largest, 0.0)

    def __reduce__(self) -> tuple[Any, ...]:
        return Balance, (self.loads, self.experts_on, self.copies, self.device_loads, self.lower_bound)

    def __repr__(self) -> str:
        return f"Balance({self._size()}, imbalance={self.imbalance.max():.4g})"

    def _size(self) -> str:
        layers = "" if self.loads.ndim == 1 else f"{counted(len(self.loads), 'layer')}, "
        places = self.experts_on.shape[-1]
        return (
            f"{layers}{counted(self.loads.shape[-1], 'expert')} on {counted(self.devices, 'device')} of "
            f"{counted(places, 'place')}"
        )

    def _display(self) -> Display:
        rows = [
            (str(i), str(copies.max()), f"{imbalance:.4f}", f"{gap:.2%}")
            for i, (copies, imbalance, gap) in enumerate(
                zip(np.atleast_2d(self.copies), self.imbalance.reshape(-1), self.gap.reshape(-1))
            )
        ]
        head = ("layer", "most copies of an expert", "largest load ÷ mean", "gap")
        return Display([f"Balance of {self._size()}"], [Table(head, rows)])


def balance(loads: ArrayLike, devices: int, *, copies: int | None = None) -> Balance:
    """Copies of experts on devices of equal size, so that the most loaded device has little.

    The greedy of DeepSeek's balancer (EPLB, 2025): one copy after the other goes to the expert of the
    largest load per copy; then the copies, heaviest first, onto the least loaded device with a free place.
    Here no two copies of an expert share a device, and copies of the most loaded device are swapped with
    those of others while that gains.

    Parameters
    ----------
    loads : array_like, shape (experts,) or (layers, experts)
        How much each expert has to do, as its share of activations or tokens counted, finite and >= 0. Every
        layer is balanced for itself.
    devices : int
        Satellites, or whatever holds experts.
    copies : int, optional
        In all, of a layer: a multiple of `devices`, in [experts, experts · devices]. Default: as few as give
        every device equally many.

    Returns
    -------
    Balance
        With a bound that no copies and no devices for them can beat.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import moe
    >>> found = moe.balance([60, 30, 20, 20, 10], devices=3, copies=6)
    >>> found.copies.tolist(), found.experts_on.tolist()
    ([2, 1, 1, 1, 1], [[0, 2], [0, 3], [1, 4]])
    >>> found.device_loads.tolist(), round(float(found.lower_bound), 2)
    ([50.0, 50.0, 40.0], 46.67)
    """
    given = as_array("loads", loads, "layers, experts" if np.ndim(loads) == 2 else "experts")
    array = np.ascontiguousarray(given, dtype=np.float64)
    bad = ~((array >= 0) & (array <= _MOST))
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        place = "".join(f"[{i}]" for i in where)
        raise ValueError(f"loads{place}: {array[where]:g} is not in [0, {_MOST:g}]")
    experts = array.shape[-1]
    devices = count("devices", devices, most=_MOST_SEATS // experts)
    if copies is None:
        copies = -(-experts // devices) * devices
    copies = count("copies", copies, least=experts)
    if copies % devices:
        raise ValueError(f"copies: {copies} is not a multiple of the {devices} devices")
    if copies > experts * devices:
        raise ValueError(
            f"copies: {copies} is not in [{experts}, {experts * devices}]: a device has at most one of each"
        )
    found = _core.balance(np.atleast_2d(array), devices, copies // devices)
    experts_on, counts, device_loads, bound = found
    if array.ndim == 1:
        return Balance(array, experts_on[0], counts[0], device_loads[0], bound[0])
    return Balance(array, experts_on, counts, device_loads, bound)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64], otherwise: float) -> NDArray[np.float64]:
    """Quotients; `otherwise` where the divisor is 0."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), otherwise)
