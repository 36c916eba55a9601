"""Level one of a placement: the layers of a model on a ring of subnets along the orbit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from .._core.orbit import Shell
from ..core.checks import count, instance, short
from ..core.display import Display, Displayed
from ..core.quantity import counted
from ..core.table import Table
from .draws import generator

GATEWAYS = ("central", "random")


@dataclass(frozen=True, repr=False)
class Ring(Displayed):
    """Where the layers of a model are: a subnet of satellites and a gateway for each, in ring order.

    A token goes from the gateway of a layer to the satellites of its experts, from there to the gateway of
    the next layer, and from the last layer to the first. `ring` makes one of a shell.

    Parameters
    ----------
    subnets : sequence of sequence of str
        Ids of the satellites that may host the layer's experts. Subnets may overlap.
    gateways : sequence of str
        Id of each layer's gateway, which hosts no expert; no two alike. It need not lie in the subnet.

    Raises
    ------
    ValueError, TypeError
        Where there is no layer, or a gateway more or less than subnets; for what is no id, and for an id that
        comes twice.

    Examples
    --------
    >>> from constellm import moe
    >>> moe.Ring(subnets=[["a/0/0", "a/1/0"], ["a/0/1", "a/1/1"]], gateways=["a/0/0", "a/0/1"])
    Ring(2 layers, 4 satellites)
    """

    subnets: tuple[tuple[str, ...], ...]
    """Ids of satellites, layer by layer."""
    gateways: tuple[str, ...]
    """Id of each layer's."""

    def __init__(self, subnets: Iterable[Iterable[str]], gateways: Iterable[str]) -> None:
        found = tuple(_ids(f"subnets[{i}]", subnet) for i, subnet in enumerate(subnets))
        heads = _ids("gateways", gateways)
        if not found:
            raise ValueError("subnets: a ring needs at least one layer")
        if len(heads) != len(found):
            raise ValueError(f"gateways: {len(heads)} of them for {counted(len(found), 'subnet')}")
        object.__setattr__(self, "subnets", found)
        object.__setattr__(self, "gateways", heads)

    def __repr__(self) -> str:
        return f"Ring({self._size()})"

    def _size(self) -> str:
        satellites = len(set(chain.from_iterable(self.subnets)))
        return f"{counted(len(self.subnets), 'layer')}, {counted(satellites, 'satellite')}"

    def _display(self) -> Display:
        rows = [
            (layer, gateway, len(subnet))
            for layer, (gateway, subnet) in enumerate(zip(self.gateways, self.subnets))
        ]
        return Display([f"Ring of {self._size()}"], [Table(("layer", "gateway", "satellites"), rows)])


def ring(shell: Shell, layers: int, *, gateways: str | Sequence[str] = "central", seed: int = 0) -> Ring:
    """The layers of a model around the orbits of a shell.

    The indices within the planes are cut into as many consecutive parts as there are layers, as even as can
    be; a part of every plane makes a subnet. With as many layers as a plane has satellites, layer l has the
    satellites of index l, as in Space-XNet (arXiv 2605.00515, where the layout is inferred from its
    words). With more layers the planes are cut as well: each part of the indices holds several layers side
    by side, whose order turns from part to part, so that the next layer is always beside the one before.

    Parameters
    ----------
    shell : Shell
    layers : int
        At most as many as the shell has satellites.
    gateways : {'central', 'random'} or sequence of str
        The satellite in the middle of each subnet, its plane and index the upper of two middle ones; one of
        each subnet by chance; or the id for each layer.
    seed : int
        Of the random ones.

    Returns
    -------
    Ring

    Raises
    ------
    ValueError, TypeError
        For more layers than satellites, an unknown rule for gateways, and what `Ring` refuses.

    Examples
    --------
    >>> from constellm import moe, orbit
    >>> shell = orbit.preset("space-xnet")
    >>> found = moe.ring(shell, 32)
    >>> found, found.gateways[:2], len(found.subnets[0])
    (Ring(32 layers, 1056 satellites), ('space-xnet/16/0', 'space-xnet/16/1'), 33)
    >>> [subnet[0] for subnet in moe.ring(shell, 61).subnets[:5]]
    ['space-xnet/0/0', 'space-xnet/16/1', 'space-xnet/0/1', 'space-xnet/0/2', 'space-xnet/16/2']
    """
    instance("shell", shell, Shell)
    layers = count("layers", layers, most=shell.satellites)
    blocks = _blocks(shell, layers)
    ids = np.array(shell.ids, dtype=object).reshape(shell.planes, shell.satellites_per_plane)
    subnets = [ids[planes, indices].ravel().tolist() for planes, indices in blocks]
    if not isinstance(gateways, str):
        return Ring(subnets, gateways)
    if gateways not in GATEWAYS:
        raise ValueError(f"gateways: {gateways!r} is not one of {', '.join(map(repr, GATEWAYS))}, or ids")
    if gateways == "central":
        return Ring(subnets, [ids[_middle(planes), _middle(indices)] for planes, indices in blocks])
    draws = generator("gateways", seed).random(layers)
    return Ring(subnets, [subnet[int(draw * len(subnet))] for subnet, draw in zip(subnets, draws)])


def scattered(shell: Shell, layers: int, *, seed: int = 0) -> Ring:
    """Gateways anywhere by chance, and every satellite open to every layer: no level one at all."""
    ids = shell.ids
    chosen = np.argsort(generator("gateways", seed).random(len(ids)), kind="stable")[:layers]
    return Ring([ids] * layers, [ids[i] for i in chosen])


def _blocks(shell: Shell, layers: int) -> list[tuple[slice, slice]]:
    """Planes and indices of each layer, in ring order."""
    across = -(-layers // shell.satellites_per_plane)  # layers side by side, at most
    along = -(-layers // across)
    found = []
    for part, (indices, members) in enumerate(
        zip(_cut(shell.satellites_per_plane, along), _cut(layers, along))
    ):
        beside = _cut(shell.planes, members.stop - members.start)
        found += [(planes, indices) for planes in (beside[::-1] if part % 2 else beside)]
    return found


def _cut(number: int, parts: int) -> list[slice]:
    """The numbers below `number` in so many consecutive parts, as even as can be."""
    ends = [number * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in zip(ends, ends[1:])]


def _middle(part: slice) -> int:
    return int(part.start + part.stop) // 2


def _ids(field: str, given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{field}: expected ids, got {short(given)}")
    ids = tuple(given)
    for i, id in enumerate(ids):
        if not isinstance(id, str):
            raise TypeError(f"{field}[{i}]: expected an id, got {short(id)}")
    if len(set(ids)) < len(ids):
        twice = next(id for i, id in enumerate(ids) if id in ids[:i])
        raise ValueError(f"{field}: {short(twice)} comes twice")
    return ids
