"""Networks from scalars and arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike

from .._core.network import Link, Network, Node
from ..core.checks import count
from ..core.plausible import warn_implausible

Names = Union[str, Sequence[str]]
Groups = Union[str, None, Sequence[Union[str, None]]]


def link(
    sender: str,
    receiver: str,
    *,
    rate_bps: float,
    latency_s: float = 0.0,
    overhead_s: float = 0.0,
    group: str | None = None,
) -> Link:
    """A directed link between two nodes, with defaults.

    Parameters
    ----------
    sender, receiver : str
        Node ids.
    rate_bps : float
        > 0 [bit/s].
    latency_s : float
        Propagation, >= 0; occupies nothing [s].
    overhead_s : float
        Fixed per message, >= 0; occupies the link [s].
    group : str, optional
        Name for addressing several links at once.

    Returns
    -------
    Link

    Raises
    ------
    ValueError, TypeError
        Names the field, the value and the range.

    Examples
    --------
    >>> from constellm import network
    >>> up = network.link("ground", "s0", rate_bps=0.8e9, latency_s=1.7e-3)
    >>> up.to, up.rate_bps
    ('s0', 800000000.0)
    """
    return Link(
        from_=sender,
        to=receiver,
        rate_bps=rate_bps,
        latency_s=latency_s,
        overhead_s=overhead_s,
        group=group,
    )


def chain(
    n: int,
    *,
    flop_per_s: ArrayLike,
    memory_bytes: ArrayLike,
    rate_bps: ArrayLike,
    latency_s: ArrayLike = 0.0,
    link_overhead_s: ArrayLike = 0.0,
    node_overhead_s: ArrayLike = 0.0,
    power_w: ArrayLike = 0.0,
    tx_power_w: ArrayLike = 0.0,
    codec_time_scale: ArrayLike = 1.0,
    ids: Sequence[str] | None = None,
    node_group: Groups = "satellite",
    link_group: Groups = "isl",
    two_way: bool = False,
) -> Network:
    """Nodes in a row; the first is the default source of problems, the last their default sink.

    Parameters
    ----------
    n : int
        Number of nodes, >= 1.
    flop_per_s, memory_bytes, node_overhead_s, power_w, tx_power_w, codec_time_scale : array_like
        Figures of the nodes as in `Node`: a scalar, or shape (n,). A node of `flop_per_s` 0 only relays.
    rate_bps, latency_s, link_overhead_s : array_like
        Figures of the links as in `Link`: a scalar, or shape (n - 1,); link i leads from node i to i + 1.
    ids : sequence of str, optional
        Node ids, default ``s0``, ``s1``, ...
    node_group, link_group : str or None, or sequence of them
        Groups of the nodes (n) and of the links (n - 1).
    two_way : bool
        Adds the same links the other way round.

    Returns
    -------
    Network

    Raises
    ------
    ValueError, TypeError
        If a figure has another shape or is out of range; names the field and the node or link.

    Examples
    --------
    >>> from constellm import network
    >>> net = network.chain(3, flop_per_s=[1e12, 2e12, 1e12], memory_bytes=8e9, rate_bps=0.5e9)
    >>> [node.flop_per_s for node in net.nodes], len(net.links)
    ([1000000000000.0, 2000000000000.0, 1000000000000.0], 2)
    """
    names = _ids(n, ids, least=1)
    nodes = _nodes(
        names,
        node_group,
        flop_per_s=flop_per_s,
        memory_bytes=memory_bytes,
        power_w=power_w,
        tx_power_w=tx_power_w,
        node_overhead_s=node_overhead_s,
        codec_time_scale=codec_time_scale,
    )
    pairs = list(zip(names[:-1], names[1:]))
    links = _links(
        pairs, link_group, two_way, rate_bps=rate_bps, latency_s=latency_s, link_overhead_s=link_overhead_s
    )
    return Network(nodes=nodes, links=links, source=names[0], sink=names[-1])


def ring(
    n: int,
    *,
    flop_per_s: ArrayLike,
    memory_bytes: ArrayLike,
    rate_bps: ArrayLike,
    latency_s: ArrayLike = 0.0,
    link_overhead_s: ArrayLike = 0.0,
    node_overhead_s: ArrayLike = 0.0,
    power_w: ArrayLike = 0.0,
    tx_power_w: ArrayLike = 0.0,
    codec_time_scale: ArrayLike = 1.0,
    ids: Sequence[str] | None = None,
    node_group: Groups = "satellite",
    link_group: Groups = "isl",
    sink: str | None = None,
) -> Network:
    """Nodes in a circle, each linked both ways with both neighbours.

    As `chain`, with a link more: entry i of the links' figures is for both directions between node i and node
    i + 1, the last for those between node n - 1 and node 0.

    Parameters
    ----------
    n : int
        Number of nodes, >= 3.
    flop_per_s, memory_bytes, node_overhead_s, power_w, tx_power_w, codec_time_scale : array_like
        Figures of the nodes as in `Node`: a scalar, or shape (n,). A node of `flop_per_s` 0 only relays.
    rate_bps, latency_s, link_overhead_s : array_like
        Figures of the links as in `Link`: a scalar, or shape (n,).
    ids : sequence of str, optional
        Node ids, default ``s0``, ``s1``, …
    node_group, link_group : str or None, or sequence of them
        Groups of the nodes and of the links (n).
    sink : str, optional
        Id of the default sink of problems; by default the last node, a neighbour of their source (node 0).

    Returns
    -------
    Network

    Raises
    ------
    ValueError, TypeError
        As `chain`.

    Examples
    --------
    >>> from constellm import network
    >>> ring = network.ring(12, flop_per_s=2e12, memory_bytes=8e9, rate_bps=0.5e9, latency_s=11.9e-3)
    >>> len(ring.nodes), len(ring.links)
    (12, 24)
    """
    names = _ids(n, ids, least=3)
    nodes = _nodes(
        names,
        node_group,
        flop_per_s=flop_per_s,
        memory_bytes=memory_bytes,
        power_w=power_w,
        tx_power_w=tx_power_w,
        node_overhead_s=node_overhead_s,
        codec_time_scale=codec_time_scale,
    )
    pairs = list(zip(names, names[1:] + names[:1]))
    links = _links(
        pairs, link_group, True, rate_bps=rate_bps, latency_s=latency_s, link_overhead_s=link_overhead_s
    )
    return Network(nodes=nodes, links=links, source=names[0], sink=names[-1] if sink is None else sink)


def with_ground(
    network: Network,
    *,
    at: Names,
    rate_bps: ArrayLike,
    latency_s: ArrayLike = 0.0,
    link_overhead_s: ArrayLike = 0.0,
    flop_per_s: float = 0.0,
    memory_bytes: float = 0.0,
    power_w: float = 0.0,
    node_overhead_s: float = 0.0,
    codec_time_scale: float = 1.0,
    id: str = "ground",
    node_group: str | None = "ground",
    link_group: Groups = "s2g",
) -> Network:
    """A copy with a ground node, the new default sink, and a link down to it from each satellite in `at`.

    Parameters
    ----------
    network : Network
    at : str or sequence of str
        Ids of the satellites in view of the ground node.
    rate_bps, latency_s, link_overhead_s : array_like
        Figures of the links down: a scalar, or one entry for each satellite in `at`.
    flop_per_s, memory_bytes, power_w, node_overhead_s, codec_time_scale : float
        Figures of the ground node as in `Node`; by default it only receives.
    id : str
        Id of the ground node.
    node_group, link_group : str or None
        Group of the ground node and of the links down.

    Returns
    -------
    Network

    Raises
    ------
    ValueError, TypeError
        If `at` names no node of the network, or as `chain`.

    Examples
    --------
    >>> from constellm import network
    >>> orbit = network.chain(2, flop_per_s=1e12, memory_bytes=8e9, rate_bps=0.5e9)
    >>> network.with_ground(orbit, at="s1", rate_bps=0.8e9).sink
    'ground'
    """
    satellites = [at] if isinstance(at, str) else list(at)
    if not satellites:
        raise ValueError("at: names no satellite, at least one must see the ground")
    known = {node.id for node in network.nodes}
    for i, name in enumerate(satellites):
        if name not in known:
            raise ValueError(f"at[{i}]: no node has id {name!r}")
    ground = Node(
        id=id,
        flop_per_s=flop_per_s,
        memory_bytes=memory_bytes,
        power_w=power_w,
        overhead_s=node_overhead_s,
        codec_time_scale=codec_time_scale,
        group=node_group,
    )
    down = _links(
        [(name, id) for name in satellites],
        link_group,
        False,
        rate_bps=rate_bps,
        latency_s=latency_s,
        link_overhead_s=link_overhead_s,
    )
    return network.replace(nodes=[*network.nodes, ground], links=[*network.links, *down], sink=id)


def _ids(n: int, ids: Sequence[str] | None, *, least: int) -> list[str]:
    n = count("n", n, least=least)
    if ids is None:
        return [f"s{i}" for i in range(n)]
    if isinstance(ids, str) or len(ids) != n:
        raise ValueError(f"ids: expected {n} names, got {ids!r}")
    return list(ids)


def _spread(name: str, value: ArrayLike, n: int) -> list[Any]:
    """`value` for each of n items; a scalar serves all of them."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: expected a scalar or shape ({n},), got {value!r}") from None
    if array.ndim == 0:
        return [array.item()] * n
    if array.shape != (n,):
        raise ValueError(f"{name}: expected a scalar or shape ({n},), got shape {array.shape}")
    return list(array.tolist())


def _spread_group(name: str, group: Groups, n: int) -> list[str | None]:
    if group is None or isinstance(group, str):
        return [group] * n
    if len(group) != n:
        raise ValueError(f"{name}: expected one name or {n} of them, got {len(group)}")
    return list(group)


def _items(
    kind: Any,
    place: str,
    groups: Iterable[str | None],
    ends: list[dict[str, Any]],
    columns: dict[str, list[Any]],
) -> list[Any]:
    made = []
    for i, (fixed, group) in enumerate(zip(ends, groups)):
        figures = {name: column[i] for name, column in columns.items()}
        try:
            made.append(kind(**fixed, **figures, group=group))
        except (ValueError, TypeError) as error:
            raise type(error)(f"{place}[{i}].{error}") from None
    for name, values in columns.items():  # of these alone: others of a network shall not speak for them
        warn_implausible(name, values)
    return made


def _nodes(ids: list[str], group: Groups, **figures: ArrayLike) -> list[Node]:
    n = len(ids)
    columns = {name.removeprefix("node_"): _spread(name, value, n) for name, value in figures.items()}
    return _items(
        Node, "nodes", _spread_group("node_group", group, n), [{"id": name} for name in ids], columns
    )


def _links(pairs: list[tuple[str, str]], group: Groups, two_way: bool, **figures: ArrayLike) -> list[Link]:
    n = len(pairs)
    columns = {name.removeprefix("link_"): _spread(name, value, n) for name, value in figures.items()}
    groups = _spread_group("link_group", group, n)
    links = _items(Link, "links", groups, [{"from": a, "to": b} for a, b in pairs], columns)
    if two_way:
        links += _items(Link, "links", groups, [{"from": b, "to": a} for a, b in pairs], columns)
    return links
