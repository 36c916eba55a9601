"""Experts that hand tokens on to each other, without gateways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import moe as _core
from ..core.checks import count, known_keywords, short
from ..core.display import Display, Displayed
from ..core.plain import as_text
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value
from .arguments import as_array, frozen

_MOST_PLACES = 2**31 - 1
_ROUNDING = 1e-12  # relative, of a sum of affinities
_MOST_PAIRS = 50_000_000  # experts × satellites, and satellites²: 0.4 GB each


@dataclass(frozen=True, eq=False, repr=False)
class Chain(Value, Displayed):
    """Experts whose tokens go straight from an expert of one layer to one of the next.

    Attention is on every satellite, so that a token needs no gateway: after an expert it goes to the
    satellite of its expert in the next layer (context-coherent expert parallelism; Yao et al., ExFlow, arXiv
    2401.08383). A token waits

    ::

        T = Σ_l Σ_ij P_l(i, j) · d(x_l(i), x_l+1(j)) + Σ_l Σ_i P_l(i) · c(x_l(i))

    with P_l(i, j) the share of tokens whose expert in layer l is i and in the next one j, P_l(i) that of
    expert i, x where an expert is, d the mean latency from satellite to satellite and c what an expert
    computes there. It is exact for one expert a token and layer; of more it counts the mean over the pairs of
    a token's experts in both layers, and not that the slowest is waited for.

    Parameters
    ----------
    affinities : sequence of array_like, shape (experts, experts of the next layer)
        Of each layer but the last, in any unit: each is divided by its sum. `ActivationTrace.affinities`
        counts them. The experts of a layer have the same shares in the affinities on both sides of it.
    distance_s : array_like, shape (satellites, satellites)
        Mean latency from one to the other [s], as of `mean_latencies`.
    compute_s : array_like, broadcast to (satellites,)
        Of an expert there [s].
    places : int or sequence of int, shape (satellites,)
        How many experts a satellite may host, of whatever layers.
    closing : array_like, shape (experts of the last layer, experts of the first), optional
        As an affinity, from the last layer of a token to the first of the next one. Default: the chain ends.
    satellites : sequence of str, optional
        Ids; default: s0, s1, ...
    name : str

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range.

    Examples
    --------
    Two experts a layer, each of which hands nearly all on to one of the next:

    >>> from constellm import moe
    >>> chain = moe.Chain([[[45, 5], [5, 45]]], [[0.0, 0.01], [0.01, 0.0]], places=2)
    >>> moe.solve_chain(chain).placement
    (('s0', 's1'), ('s0', 's1'))
    """

    affinities: tuple[NDArray[np.float64], ...]
    """Each adds up to 1."""
    distance_s: NDArray[np.float64]
    compute_s: NDArray[np.float64]
    """(satellites,)"""
    places: tuple[int, ...]
    """(satellites,)"""
    closing: NDArray[np.float64] | None
    satellites: tuple[str, ...]
    name: str
    _compiled: _core.Chain = field(repr=False, compare=False)

    def __init__(
        self,
        affinities: Sequence[ArrayLike],
        distance_s: ArrayLike,
        *,
        compute_s: ArrayLike = 0.0,
        places: int | Sequence[int] = 1,
        closing: ArrayLike | None = None,
        satellites: Sequence[str] | None = None,
        name: str = "chain",
    ) -> None:
        if isinstance(affinities, str) or not isinstance(affinities, Iterable):
            raise TypeError(f"affinities: expected one of each layer but the last, got {short(affinities)}")
        given = [_affinity(f"affinities[{i}]", one) for i, one in enumerate(affinities)]
        if not given:
            raise ValueError("affinities: must not be empty")
        for i in range(1, len(given)):
            _check_shape(f"affinities[{i}]", given[i], given[i - 1].shape[1], given[i].shape[1])
        last = None
        if closing is not None:
            last = _affinity("closing", closing)
            _check_shape("closing", last, given[-1].shape[1], len(given[0]))
        distances = as_array("distance_s", distance_s, "satellites, satellites")
        number = len(distances)
        _check_shape("distance_s", distances, number, number)
        experts = sum(map(len, given)) + given[-1].shape[1]
        if number * max(number, experts) > _MOST_PAIRS:
            raise ValueError(
                f"distance_s: {number} satellites beside {experts} experts make more than {_MOST_PAIRS} pairs"
            )
        distances = distances.astype(np.float64)
        computes = _by_satellite("compute_s", compute_s, number, integers=False).astype(np.float64)
        rooms = tuple(
            count(f"places[{s}]", one, least=0, most=_MOST_PLACES)
            for s, one in enumerate(_by_satellite("places", places, number, integers=True).tolist())
        )
        values = (
            tuple(map(frozen, given)),
            frozen(distances),
            frozen(computes),
            rooms,
            None if last is None else frozen(last),
            _ids(satellites, number),
            as_text("name", name),
            _core.Chain(given, last, distances, computes, list(rooms)),
        )
        for of, value in zip(fields(self), values):
            object.__setattr__(self, of.name, value)

    @property
    def experts(self) -> tuple[int, ...]:
        """Of each layer (layers,)."""
        return (*map(len, self.affinities), self.affinities[-1].shape[1])

    def replace(self, **changes: Any) -> Chain:
        """A copy with some of the parameters changed."""
        parameters = self._parameters()
        known_keywords("replace", changes, parameters)
        return Chain(**{**parameters, **changes})

    def independent(self) -> Chain:
        """The same experts as often, were layers to know nothing of each other.

        What is planned for it knows how often each expert is activated and not which follow each other; what
        that costs, `evaluate_chain` says under the chain itself.

        Examples
        --------
        >>> from constellm import moe
        >>> chain = moe.Chain([[[45, 5], [5, 45]]], [[0.0, 0.01], [0.01, 0.0]], places=2)
        >>> chain.independent().affinities[0].tolist()
        [[0.25, 0.25], [0.25, 0.25]]
        """
        closing = None if self.closing is None else _product(self.closing)
        return self.replace(affinities=[_product(one) for one in self.affinities], closing=closing)

    def _parameters(self) -> dict[str, Any]:
        return {of.name: getattr(self, of.name) for of in fields(self) if of.name != "_compiled"}

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._parameters(),)

    def __repr__(self) -> str:
        return f"Chain({self._size()})"

    def _size(self) -> str:
        closed = ", closed" if self.closing is not None else ""
        return (
            f"{self.name!r}: {counted(len(self.experts), 'layer')}, {counted(sum(self.experts), 'expert')}"
            f"{closed}, {counted(len(self.satellites), 'satellite')}, {counted(sum(self.places), 'place')}"
        )

    def _display(self) -> Display:
        several = [*self.affinities] if self.closing is None else [*self.affinities, self.closing]
        rows = [
            (
                f"{i} → {(i + 1) % len(self.experts)}",
                f"{one.sum(axis=1).max():.3g}",
                f"{one.max():.3g}",
                f"{_mutual_information_bits(one):.3g}",
            )
            for i, one in enumerate(several)
        ]
        head = ("layers", "busiest expert", "busiest pair", "mutual information [bit]")
        apart = self.distance_s[~np.eye(len(self.satellites), dtype=bool)]
        lines = [f"Chain {self._size()}"]
        if apart.size:
            near, middle, far = (
                quantity(float(s), "s") for s in (apart.min(), np.median(apart), apart.max())
            )
            lines.append(f"from satellite to satellite: {near} to {far}, median {middle}")
        return Display(lines, [Table(head, rows)])


def _again(parameters: dict[str, Any]) -> Chain:
    return Chain(**parameters)


def _affinity(field: str, values: ArrayLike) -> NDArray[np.float64]:
    """Checked, and divided by its sum unless that is 1 already, so that a copy has the same bits."""
    array = as_array(field, values, "experts, experts of the next layer").astype(np.float64)
    for i, j in np.argwhere(~((array >= 0.0) & np.isfinite(array)))[:1].tolist():
        raise ValueError(f"{field}[{i}][{j}]: {array[i, j]:g} is not in [0, inf)")
    total = float(array.sum())
    if not 0.0 < total < np.inf:
        raise ValueError(f"{field}: its sum, {total:g}, is not in (0, inf)")
    return array if abs(total - 1.0) < _ROUNDING else array / total


def _product(affinity: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.multiply.outer(affinity.sum(axis=1), affinity.sum(axis=0)))


def _mutual_information_bits(affinity: NDArray[np.float64]) -> float:
    some = affinity > 0.0
    return float(affinity[some] @ np.log2(affinity[some] / _product(affinity)[some]))


def _check_shape(field: str, array: NDArray[Any], rows: int, columns: int) -> None:
    if array.shape != (rows, columns):
        raise ValueError(f"{field}: shape {array.shape} is not {(rows, columns)}")


def _by_satellite(field: str, given: Any, satellites: int, *, integers: bool) -> NDArray[Any]:
    """One for each satellite, from one for all or one for each."""
    if np.ndim(given) == 0:
        given = np.full(satellites, as_array(field, [given], "satellites", integers=integers)[0])
    array = as_array(field, given, "satellites", integers=integers)
    if len(array) != satellites:
        raise ValueError(f"{field}: {len(array)} of them are not {satellites}, one a satellite")
    return array


def _ids(satellites: Sequence[str] | None, number: int) -> tuple[str, ...]:
    if satellites is None:
        return tuple(f"s{i}" for i in range(number))
    if isinstance(satellites, str) or not isinstance(satellites, Iterable):
        raise TypeError(f"satellites: expected a sequence of ids, got {short(satellites)}")
    ids = tuple(as_text(f"satellites[{i}]", id) for i, id in enumerate(satellites))
    if len(ids) != number:
        raise ValueError(f"satellites: {len(ids)} ids are not {number}, as distance_s has them")
    first = {id: i for i, id in reversed(list(enumerate(ids)))}
    for i, id in enumerate(ids):
        if first[id] != i:
            raise ValueError(f"satellites[{i}]: {short(id)} is satellites[{first[id]}] too")
    return ids
