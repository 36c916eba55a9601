"""What constructors make of their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._core.network import Graph, Network, Snapshot
from ..core.checks import instance, meant, short

_T = TypeVar("_T")


def put(value: Any, **given: Any) -> None:
    """Set fields of a frozen value that is being made."""
    for name, one in given.items():
        object.__setattr__(value, name, one)


def values_of(value: Any) -> dict[str, Any]:
    """The fields of a data class by name."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def made(kind: type, parameters: dict[str, Any]) -> Any:
    """For pickles of what is made by keywords."""
    return kind(**parameters)


def text(field: str, value: Any) -> str:
    """Text that is not empty."""
    if not isinstance(value, str):
        raise TypeError(f"{field}: expected text, got {short(value)}")
    if not value:
        raise ValueError(f"{field}: must not be empty")
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise ValueError(f"{field}: {short(value)} is not valid Unicode") from None
    return value


def named(field: str, value: Any, known: Iterable[str]) -> str:
    """One of the names that are known."""
    if not isinstance(value, str):
        raise TypeError(f"{field}: expected text, got {short(value)}")
    names = list(known)
    if value not in names:
        raise ValueError(
            f"{field}: {short(value)} is not one of {', '.join(map(repr, names))}{meant(value, names)}"
        )
    return value


def ordered(field: str, values: Any) -> list[Any]:
    """What has an order: no text, set or mapping."""
    if isinstance(values, (str, bytes, Mapping, set, frozenset)) or not isinstance(values, Iterable):
        raise TypeError(f"{field}: expected a sequence, got {short(values)}")
    return list(values)


def texts(field: str, values: Any) -> tuple[str, ...]:
    """Texts of which none is empty or stands twice."""
    found = tuple(text(f"{field}[{i}]", one) for i, one in enumerate(ordered(field, values)))
    seen = set()
    for i, one in enumerate(found):
        if one in seen:
            raise ValueError(f"{field}[{i}]: {short(one)} stands there twice")
        seen.add(one)
    return found


def instances(field: str, values: Any, kind: type[_T]) -> tuple[_T, ...]:
    """A sequence of values of a kind, at least one."""
    found = tuple(instance(f"{field}[{i}]", one, kind) for i, one in enumerate(ordered(field, values)))
    if not found:
        raise ValueError(f"{field}: must not be empty")
    return found


def graph_of(network: Any) -> Graph:
    """A network in any of its forms as a graph."""
    if isinstance(network, Graph):
        return network
    if isinstance(network, Snapshot):
        return network.graph
    if isinstance(network, Network):
        return Graph.from_network(network)
    raise TypeError(f"network: expected a Network, Graph or Snapshot, got {short(network)}")


def array(field: str, values: Any, shape: tuple[str, ...]) -> NDArray[np.float64] | None:
    """Of numbers, never to be written."""
    if values is None:
        return None
    try:
        given = np.asarray(values)
    except ValueError:
        raise ValueError(f"{field}: expected rows of one length, got {short(values)}") from None
    if given.dtype.kind not in "iuf":
        raise TypeError(f"{field}: expected numbers, got {short(values)}")
    if given.ndim != len(shape):
        raise ValueError(f"{field}: shape {given.shape} is not ({', '.join(shape)}{',' * (len(shape) == 1)})")
    kept = given.astype(np.float64)
    kept.flags.writeable = False
    return kept
