"""The quickest transfer: where data is, where it is wanted, and who can send to whom when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core import flow as _core
from .._core.network import ContactPlan
from ..core.checks import count, instance, known_keywords, real, short
from ..core.display import Display, Displayed
from ..core.quantity import counted, quantity
from ..core.table import Table
from ..core.value import Value

Bytes = Union[ArrayLike, Mapping[str, float]]
"""Of each node: an array in the order of the nodes, one number for all, or numbers by id."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, eq=False, repr=False)
class Problem(Value, Displayed):
    """How soon can all data be where it is wanted, over contacts that come and go?

    Format `constellm.transfer-problem`. Data is divisible and of one kind: any byte may go to any sink. A
    node stores and forwards, and what arrives can leave at the same moment; how long a bit is under way
    (`owlt_s` of the contacts) is left out. Contacts of one pair that overlap add up. Bytes by id that are not
    given are 0, or no limit of storage.

    Parameters
    ----------
    contacts : network.ContactPlan
        Who sends to whom, from when to when: ``open_s`` in [0, 1e15] s, ``close_s`` so too or infinite,
        ``rate_bps`` in (0, 1e30] bit/s.
    supply_bytes : array_like, shape (nodes,), or mapping from id to bytes
        There at time 0 [B], in [0, 1e30].
    storage_bytes : array_like, shape (nodes,), or mapping from id to bytes, optional
        Most that each holds [B], at least its supply; infinite, or not given: no limit. Sinks have none.
    demand_bytes : array_like, shape (nodes,), or mapping from id to bytes, optional
        Wanted of each at the end [B], in [0, 1e30], in sum no more than the supply; what is over stays.
    sinks : sequence of str or int
        Ids or positions: all data is wanted, at any of them. A sink sends nothing on, and what it has itself
        has arrived. Either sinks or demands.
    name : str
        1 to 100 characters of ``[A-Za-z0-9._-]``.

    Raises
    ------
    TypeError, ValueError
        Naming the field, the value and the range. So little wanted of a node that it is lost beside the rest,
        below 1e-14 of the supply, is refused.

    Examples
    --------
    >>> from constellm import flow, network
    >>> contacts = network.ContactPlan(
    ...     ["satellite", "relay", "station"], from_=[0, 1], to=[1, 2], open_s=[0, 30], close_s=[60, 90],
    ...     rate_bps=[8e6, 4e6],
    ... )
    >>> problem = flow.Problem(contacts, supply_bytes={"satellite": 2e6}, sinks=["station"])
    >>> problem, problem.wanted_bytes
    (Problem('transfer': 3 nodes, 2 contacts, 2 MB to 1 sink), 2000000.0)
    """

    contacts: ContactPlan
    supply_bytes: NDArray[np.float64]
    """(nodes,)"""
    storage_bytes: NDArray[np.float64]
    """(nodes,), infinite where there is no limit."""
    demand_bytes: NDArray[np.float64]
    """(nodes,), all 0 where there are sinks."""
    sinks: tuple[str, ...]
    name: str
    _compiled: _core.Problem = field(repr=False, compare=False)

    def __init__(
        self,
        contacts: ContactPlan,
        *,
        supply_bytes: Bytes,
        storage_bytes: Bytes | None = None,
        demand_bytes: Bytes | None = None,
        sinks: Sequence[str | int] = (),
        name: str = "transfer",
    ) -> None:
        ids = [node.id for node in instance("contacts", contacts, ContactPlan).nodes]
        supply = _by_node("supply_bytes", supply_bytes, ids, 0.0)
        storage = _by_node("storage_bytes", {} if storage_bytes is None else storage_bytes, ids, np.inf)
        demand = _by_node("demand_bytes", {} if demand_bytes is None else demand_bytes, ids, 0.0)
        places = _places(sinks, ids)
        if not places and demand_bytes is None and supply.any():
            raise ValueError("sinks: must not be empty where there are no demand_bytes: nothing is wanted")
        if not isinstance(name, str):
            raise TypeError(f"name: expected text, got {short(name)}")
        if not _NAME.fullmatch(name):
            raise ValueError(f"name: {short(name)} is not 1 to 100 characters of [A-Za-z0-9._-]")
        compiled = _core.Problem(
            contacts, supply_bytes=supply, storage_bytes=storage, demand_bytes=demand, sinks=places
        )
        values = (contacts, supply, storage, demand, tuple(ids[i] for i in places), name, compiled)
        for of, value in zip(fields(self), values):
            object.__setattr__(self, of.name, value)

    @property
    def wanted_bytes(self) -> float:
        """What has to arrive: the supplies of nodes that are no sinks, or the demands [B]."""
        return self._compiled.wanted_bytes

    def replace(self, **changes: Any) -> Problem:
        """A copy with some of the parameters changed."""
        parameters = self._parameters()
        known_keywords("replace", changes, parameters)
        return Problem(**{**parameters, **changes})

    def _parameters(self) -> dict[str, Any]:
        return {of.name: getattr(self, of.name) for of in fields(self) if of.name != "_compiled"}

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self._parameters(),)

    def __repr__(self) -> str:
        return f"Problem({self._size()})"

    def _size(self) -> str:
        nodes, contacts = len(self.supply_bytes), len(self.contacts)
        wanted = quantity(self.wanted_bytes, "B")
        wanting = int(np.count_nonzero(self.demand_bytes))
        goal = counted(len(self.sinks), "sink") if self.sinks else f"{counted(wanting, 'node')} on demand"
        return f"{self.name!r}: {counted(nodes, 'node')}, {counted(contacts, 'contact')}, {wanted} to {goal}"

    def _display(self) -> Display:
        rows = []
        for i, node in enumerate(self.contacts.nodes):
            figures = (self.supply_bytes[i], self.storage_bytes[i], self.demand_bytes[i])
            is_sink = "sink" if node.id in self.sinks else ""
            if is_sink or figures != (0.0, np.inf, 0.0):
                rows.append((node.id, *(quantity(value, "B") for value in figures), is_sink))
        return Display(
            [f"Problem {self._size()}"], [Table(("node", "supply", "storage", "demand", ""), rows)]
        )


def _made(parameters: dict[str, Any]) -> Problem:
    return Problem(**parameters)


def _by_node(name: str, values: Any, ids: list[str], absent: float) -> NDArray[np.float64]:
    """Of each node, never to be written."""
    if isinstance(values, Mapping):
        array = np.full(len(ids), absent)
        position = {of: i for i, of in enumerate(ids)}
        for of, value in values.items():
            if of not in position:
                raise ValueError(f"{name}: {short(of)} is not the id of a node")
            array[position[of]] = real(f"{name}[{of!r}]", value)
    else:
        array = _core.bytes_of(values, name, len(ids))
    array.flags.writeable = False
    return array.view()


def _places(sinks: Any, ids: list[str]) -> list[int]:
    if isinstance(sinks, str) or not isinstance(sinks, Iterable):
        raise TypeError(f"sinks: expected a sequence of nodes, got {short(sinks)}")
    position = {of: i for i, of in enumerate(ids)}
    places = []
    for i, sink in enumerate(sinks):
        if isinstance(sink, str):
            if sink not in position:
                raise ValueError(f"sinks[{i}]: {short(sink)} is not the id of a node")
            places.append(position[sink])
        else:
            places.append(count(f"sinks[{i}]", sink, least=0, most=len(ids) - 1))
    return places
