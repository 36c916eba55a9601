"""Several experts on a satellite, and copies of experts: what may be where, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count, instance, known_keywords, non_negative, positive, short
from ..core.display import Display, Displayed
from ..core.quantity import counted, figure, quantity
from ..core.table import Table
from ..core.value import Value
from .arguments import as_array, frozen
from .problem import Problem

Copies = tuple[tuple[tuple[str, ...], ...], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Hosting(Value, Displayed):
    """A problem whose satellites host several experts, and whose experts have copies on several satellites.

    A satellite serves the picks of a token one after the other: of n experts of one layer that are picked
    there, the last is done at ``latency_s + (n - 1) * service_s``, and the layer waits for the slowest
    satellite. Of an expert's copies, each slot's nearest live one serves it: the least `latency_s`, of equals
    the first in the order of the satellites. Where its latency is NaN a copy is not live. An expert without a
    live copy counts `unreachable_s` of the problem and waits for nobody; without `unreachable_s` every expert
    has a live copy in every slot. Tokens do not wait for each other here; `HostingEvaluation` says how busy
    they keep the satellites.

    Parameters
    ----------
    problem : Problem
        Layers, latencies and picks; that every expert has a satellite of its own does not hold here.
    places : int or array_like, shape (satellites,)
        How many experts, of whatever layers, a satellite's memory holds, >= 0.
    service_s : float or array_like, shape (satellites,) or (slots, satellites)
        What each further pick of a layer adds on that satellite [s], >= 0: its computing. That of the first
        is in `latency_s` already.
    copies : int, or sequence of int and array_like, shape (experts,), of each layer
        How many copies an expert has at most, in [1, satellites]; no satellite has two of one expert.
    most_activations : float or array_like, shape (satellites,) or (slots, satellites)
        How many executions a token may have there in the mean, over all layers, in every slot, >= 0; from
        power budgets by `activations_within`.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer([0.35, 0.25, 0.20, 0.12, 0.08], [[0.010, 0.014, 0.015, 0.022, 0.030]])
    >>> problem = moe.Problem([layer], top_k=2)
    >>> moe.Hosting(problem, places=2, service_s=0.001, copies=2)
    Hosting('problem': 5 experts, 10 places, up to 2 copies, service up to 1 ms)
    """

    problem: Problem
    places: NDArray[np.int64]
    """(satellites,)"""
    service_s: NDArray[np.float64]
    """(slots, satellites) [s]"""
    copies: tuple[NDArray[np.int64], ...]
    """Of each layer (experts,)."""
    most_activations: NDArray[np.float64]
    """(slots, satellites)"""
    _compiled: _core.Hosting = field(repr=False, compare=False)

    def __init__(
        self,
        problem: Problem,
        places: ArrayLike = 1,
        service_s: ArrayLike = 0.0,
        copies: int | Sequence[ArrayLike] = 1,
        most_activations: ArrayLike = math.inf,
    ) -> None:
        instance("problem", problem, Problem)
        satellites = len(problem.satellites)
        values = (
            problem,
            _whole("places", places, satellites, "satellites"),
            _by_slot("service_s", service_s, problem),
            _by_layer(copies, problem),
            _by_slot("most_activations", most_activations, problem),
        )
        compiled = _core.Hosting(
            problem=problem._compiled,
            places=values[1].tolist(),
            service_s=values[2],
            copies=[layer.tolist() for layer in values[3]],
            most_activations=values[4],
        )
        for of, value in zip(fields(self), (*values, compiled)):
            object.__setattr__(self, of.name, value)

    def replace(self, **changes: Any) -> Hosting:
        """A copy with some of the parameters changed."""
        parameters = self._parameters()
        known_keywords("replace", changes, parameters)
        return Hosting(**{**parameters, **changes})

    def _parameters(self) -> dict[str, Any]:
        return {of.name: getattr(self, of.name) for of in fields(self) if of.name != "_compiled"}

    def __reduce__(self) -> tuple[Any, ...]:
        return Hosting, tuple(self._parameters().values())

    def __repr__(self) -> str:
        return f"Hosting({self._size()})"

    def _size(self) -> str:
        size = f"{self.problem.name!r}: {counted(sum(self.problem.experts), 'expert')}, "
        size += counted(int(self.places.sum()), "place")
        most = max(int(layer.max()) for layer in self.copies)
        if most > 1:
            size += f", up to {most} copies"
        if self.service_s.any():
            size += f", service up to {quantity(self.service_s.max(), 's')}"
        if np.isfinite(self.most_activations).any():
            size += ", activations limited"
        return size

    def _display(self) -> Display:
        limit = self.most_activations.min(axis=0)
        rows = [
            (
                "places",
                *(str(int(f(self.places))) for f in (np.min, np.median, np.max)),
            ),
            ("service", *(quantity(f(self.service_s), "s") for f in (np.min, np.median, np.max))),
            ("most activations, worst slot", *(figure(f(limit)) for f in (np.min, np.median, np.max))),
            (
                "copies",
                *(str(int(f(np.concatenate(self.copies)))) for f in (np.min, np.median, np.max)),
            ),
        ]
        return Display([f"Hosting {self._size()}"], [Table(("", "least", "median", "most"), rows)])


@dataclass(frozen=True, eq=False, repr=False)
class HostingEvaluation(Value, Displayed):
    """What a placement costs and how busy it keeps the satellites; what `evaluate_hosting` gives.

    Examples
    --------
    See `constellm.moe.evaluate_hosting`.
    """

    token_latency_s: float
    """Sum over the layers [s], of a token that meets no other."""
    layer_latency_s: NDArray[np.float64]
    """Mean over the slots, `base_s` included (layers,) [s]."""
    slot_latency_s: NDArray[np.float64]
    """Of each slot, `base_s` included (layers, slots) [s]."""
    executions: NDArray[np.float64]
    """Experts that a token has executed there in the mean (slots, satellites)."""
    busy_s: NDArray[np.float64]
    """How long a token keeps the satellite busy, `service_s` for each execution (slots, satellites) [s]."""

    def __post_init__(self) -> None:
        for name in ("layer_latency_s", "slot_latency_s", "executions", "busy_s"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def throughput_bound_tokens_per_s(self) -> float:
        """No more tokens a second are served, by the busiest satellite in its busiest slot; infinite where
        serving takes no time."""
        busiest_s = float(self.busy_s.max())
        return 1.0 / busiest_s if busiest_s > 0 else math.inf

    def utilisation(self, tokens_per_s: float) -> NDArray[np.float64]:
        """The share of its time that each satellite serves (slots, satellites); above 1 it cannot keep up.

        Parameters
        ----------
        tokens_per_s : float
            How many tokens go through all layers a second [1/s], >= 0.
        """
        return self.busy_s * non_negative("tokens_per_s", tokens_per_s)

    def __reduce__(self) -> tuple[Any, ...]:
        return HostingEvaluation, tuple(getattr(self, of.name) for of in fields(self))

    def __repr__(self) -> str:
        bound = self.throughput_bound_tokens_per_s
        rate = "" if math.isinf(bound) else f", at most {figure(bound)} tokens/s"
        return (
            f"HostingEvaluation(token_latency_s={self.token_latency_s:.6g}, "
            f"{counted(len(self.layer_latency_s), 'layer')}{rate})"
        )

    def _display(self) -> Display:
        rows = [
            (str(i), quantity(mean, "s"), quantity(slots.min(), "s"), quantity(slots.max(), "s"))
            for i, (mean, slots) in enumerate(zip(self.layer_latency_s.tolist(), self.slot_latency_s))
        ]
        lines = [
            f"Token latency {quantity(self.token_latency_s, 's')}",
            f"at most {figure(self.throughput_bound_tokens_per_s)} tokens/s; "
            f"{figure(self.executions.max())} executions a token on the most loaded satellite",
        ]
        return Display(lines, [Table(("layer", "mean", "best slot", "worst slot"), rows)])


def activations_within(power_w: ArrayLike, execution_j: float, tokens_per_s: float) -> NDArray[np.float64]:
    """How many executions a token may have where power is limited, as `Hosting` takes it.

    Parameters
    ----------
    power_w : array_like, shape (satellites,) or (slots, satellites)
        What each satellite may spend on experts [W], >= 0, infinite where it does not matter: its panels'
        power times the share of the slot in sunlight (`constellm.orbit.sunlit_share`), and what its battery
        adds.
    execution_j : float
        Energy of one execution of an expert [J], > 0.
    tokens_per_s : float
        How many tokens go through all layers a second [1/s], > 0.

    Returns
    -------
    ndarray
        ``power_w / (execution_j * tokens_per_s)``, in the shape of `power_w`.

    Raises
    ------
    TypeError, ValueError
        Naming what is wrong.

    Examples
    --------
    >>> from constellm import moe
    >>> moe.activations_within([[20.0, 5.0], [20.0, 20.0]], execution_j=10.0, tokens_per_s=2.0)
    array([[1.  , 0.25],
           [1.  , 1.  ]])
    """
    power = np.asarray(power_w)
    if power.dtype.kind not in "iuf" or np.ma.is_masked(power_w):
        raise TypeError(f"power_w: expected numbers, got {short(power_w)}")
    if not (power >= 0).all():
        wrong = tuple(np.argwhere(~(power >= 0))[0].tolist())
        place = "".join(f"[{i}]" for i in wrong)
        raise ValueError(f"power_w{place}: {power[wrong]} is not in [0, inf]")
    return power / (positive("execution_j", execution_j) * positive("tokens_per_s", tokens_per_s))


def copies_of(problem: Problem, placement: Sequence[Sequence[Any]]) -> list[list[list[int]]]:
    """A placement by positions; only ids and types are checked."""
    if isinstance(placement, str) or not isinstance(placement, Iterable):
        raise TypeError(f"placement: expected a sequence of layers, got {short(placement)}")
    place = {satellite: i for i, satellite in enumerate(problem.satellites)}

    def position(where: str, satellite: Any) -> int:
        if not isinstance(satellite, str):
            return count(where, satellite, least=0, most=len(place) - 1)
        if satellite not in place:
            raise ValueError(f"{where}: {short(satellite)} is not one of the problem's satellites")
        return place[satellite]

    found = []
    for i, layer in enumerate(placement):
        if isinstance(layer, str) or not isinstance(layer, Iterable):
            raise TypeError(f"placement[{i}]: expected satellites of each expert, got {short(layer)}")
        rows = []
        for e, copies in enumerate(layer):
            where = f"placement[{i}][{e}]"
            alone = isinstance(copies, str) or not isinstance(copies, Iterable)
            rows.append([position(where, satellite) for satellite in ([copies] if alone else copies)])
        found.append(rows)
    return found


def _whole(name: str, values: Any, size: int, of: str) -> NDArray[np.int64]:
    """One integer for each, from one or an array of them."""
    if not isinstance(values, (list, tuple, np.ndarray)):
        array = np.full(size, count(name, values, least=0, most=2**31 - 1))
    else:
        array = as_array(name, values, of, integers=True)
    if array.shape != (size,):
        raise ValueError(f"{name}: shape {array.shape} is not ({size},), the {of}")
    for i in np.flatnonzero((array < 0) | (array >= 2**31))[:1]:
        raise ValueError(f"{name}[{i}]: {array[i]} is not in [0, {2**31 - 1}]")
    array = np.array(array, dtype=np.int64)
    array.flags.writeable = False
    return array.view()


def _by_layer(copies: Any, problem: Problem) -> tuple[NDArray[np.int64], ...]:
    layers = problem.experts
    if not isinstance(copies, (list, tuple, np.ndarray)):
        copies = [count("copies", copies, most=len(problem.satellites))] * len(layers)
    if len(copies) != len(layers):
        raise ValueError(f"copies: {len(copies)} of them are not {len(layers)}, one for each layer")
    return tuple(
        _whole(f"copies[{i}]", layer, experts, "experts")
        for i, (layer, experts) in enumerate(zip(copies, layers))
    )


def _by_slot(name: str, values: Any, problem: Problem) -> NDArray[np.float64]:
    """One number for each slot and satellite, from one, from one for each satellite, or all."""
    array = (
        np.asarray(values) if not isinstance(values, (list, tuple)) else as_array(name, values, _dims(values))
    )
    if np.ma.is_masked(values) or array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected numbers, got {short(values)}")
    wanted = (problem.slots, len(problem.satellites))
    if array.shape not in ((), wanted[1:], wanted):
        raise ValueError(
            f"{name}: shape {array.shape} is none of (), {wanted[1:]} and {wanted}, slots and satellites"
        )
    return frozen(np.broadcast_to(array, wanted))


def _dims(values: Any) -> str:
    nested = len(values) > 0 and isinstance(values[0], (list, tuple, np.ndarray))
    return "slots, satellites" if nested else "satellites"
