"""Path latencies of a ring of layers over time, and the placement problem that they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import count, instance, non_negative, short
from ..network.routing import as_positions
from ..orbit import Constellation
from .arguments import as_array, sealed
from .problem import Layer, Problem
from .ring import Ring


def path_latencies(
    world: Constellation,
    gateways: Sequence[str],
    times: Any,
    *,
    compute_s: ArrayLike = 0.0,
    slot: int = 0,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Latencies from the gateway of a layer over a satellite to the gateway of the next layer.

    ::

        τ_lt(s) = δ_t(g_l, s) + c_ls + δ_t(s, g_l+1)

    with δ_t the least latency at time t, over the links that exist then, c_ls the compute time of an
    expert of layer l on satellite s, and the gateway of the first layer after that of the last. Inferred
    from the words of Space-XNet (arXiv 2605.00515). Links go both ways with one latency, so one search from
    each gateway gives both parts. What a hop adds to the light's time, as the time D / R to send a message of
    D bits at R, is the ``overhead_s`` of a rule of links.

    Parameters
    ----------
    world : Constellation
    gateways : sequence of str
        Id of each layer's, in ring order.
    times : array_like, shape (slots,)
        As of `Constellation.seconds`. Links that survive with a probability are drawn for each.
    compute_s : array_like, broadcast to (layers, satellites)
        Of an expert [s].
    slot : int
        Which slot the first time is, for links that survive with a probability; the others follow.
    threads : int
        At most so many.

    Returns
    -------
    ndarray
        (layers, slots, satellites), in the order of ``world.satellite_ids``; NaN where no way leads [s].

    Raises
    ------
    ValueError, TypeError
        For no time, compute times that are negative, not finite or of another shape, and what
        `Constellation.latencies_between` raises.

    Examples
    --------
    >>> from constellm import moe, orbit
    >>> world = orbit.Constellation(orbit.preset("collaborative-12"), links=orbit.plus_grid())
    >>> found = moe.path_latencies(world, ["collaborative-12/0/0", "collaborative-12/0/2"], [0.0, 60.0])
    >>> found.shape, (1e3 * found[0, 0, :4]).round(2).tolist()
    ((2, 2, 12), [23.75, 23.75, 23.75, 47.5])
    """
    instance("world", world, Constellation)
    ids = world.satellite_ids
    heads = as_positions(world.nodes, "gateways", gateways)
    compute = as_compute_s(compute_s, len(heads), len(ids))
    times = some_times(world, times)
    found = world.latencies_between([(heads, ids)], times, slot=slot, threads=threads)[0].transpose(1, 0, 2)
    paths = found + compute[:, None, :]
    paths += np.roll(found, -1, axis=0)
    paths[np.isinf(paths)] = np.nan
    return paths


def ring_problem(
    world: Constellation,
    ring: Ring,
    times: Any,
    *,
    weights: Sequence[ArrayLike] | NDArray[Any],
    top_k: int,
    compute_s: ArrayLike = 0.0,
    base_s: float = 0.0,
    unreachable_s: float | None = None,
    name: str = "problem",
    slot: int = 0,
    threads: int = 1,
) -> Problem:
    """The placement of experts on the subnets of a ring, as a problem.

    Its satellites are those of the world but for the gateways, which host no expert; what is not in the
    subnet of a layer hosts none of its experts.

    Parameters
    ----------
    world : Constellation
    ring : Ring
    times : array_like, shape (slots,)
        As of `path_latencies`.
    weights : sequence of array_like
        Sampling weights of the experts, layer by layer.
    top_k : int
        Experts activated per token and layer.
    compute_s : array_like
        Of an expert, as of `path_latencies` [s].
    base_s : float
        Added once per token and layer, as the compute time of the gateway [s].
    unreachable_s : float, optional
        What counts for a satellite of the subnet in a slot in which no way leads there [s], >= 0; it stands
        among the problem's latencies. Default: such a satellite hosts nothing.
    name : str
        Of the problem.
    slot : int
        Which slot the first time is, for links that survive with a probability.
    threads : int
        At most so many.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError, TypeError
        Where weights and ring differ in their layers, for no time, for a subnet with satellites that the
        world has not, and what `path_latencies` and `Problem` refuse.

    Examples
    --------
    >>> from constellm import moe, orbit
    >>> shell = orbit.preset("space-xnet")
    >>> world = orbit.Constellation(shell, links=orbit.plus_grid(seam="open"))
    >>> problem = moe.ring_problem(world, moe.ring(shell, 4), [0.0], weights=[[5, 3, 2]] * 4, top_k=2)
    >>> len(problem.satellites), [round(1e3 * t, 2) for t in problem.layers[0].latency_s[0, :2].tolist()]
    (1052, [170.89, 161.83])
    """
    instance("ring", ring, Ring)
    return ring_problems(
        world, [ring], times, weights=weights, top_k=top_k, compute_s=compute_s, base_s=base_s,
        unreachable_s=unreachable_s, names=[name], slot=slot, threads=threads,
    )[0]  # fmt: skip


def ring_problems(
    world: Constellation,
    rings: Sequence[Ring],
    times: Any,
    *,
    weights: Sequence[ArrayLike] | NDArray[Any],
    top_k: int,
    compute_s: ArrayLike,
    base_s: float,
    unreachable_s: float | None,
    names: Sequence[str],
    slot: int = 0,
    threads: int,
) -> list[Problem]:
    """As `ring_problem`, of several rings of as many layers, whose links are made once."""
    instance("world", world, Constellation)
    top_k = count("top_k", top_k, most=2**31 - 1)
    weights = [ring_weights(ring, weights, top_k) for ring in rings][0]
    times = some_times(world, times)
    if unreachable_s is not None:
        unreachable_s = non_negative("unreachable_s", unreachable_s)
    place = {id: i for i, id in enumerate(world.satellite_ids)}
    at = [(positions(place, "ring.gateways", ring.gateways), subnet_places(place, ring)) for ring in rings]
    compute = as_compute_s(compute_s, len(weights), len(place))
    starts = [([[g] for g in gateways], subnets) for gateways, subnets in at]
    between = ways(world, times, starts, slot=count("slot", slot, least=0), threads=threads)
    problems = []
    for name, (gateways, subnets), (own_s, before_s) in zip(names, at, between):
        free = np.setdiff1d(np.arange(len(place)), gateways)
        layers = []
        for i, subnet in enumerate(subnets):
            paths = np.empty((len(times), len(subnet) + 1))
            paths[:, -1] = np.nan  # of all satellites outside
            within = np.add(own_s[i][:, 0], compute[i, subnet], out=paths[:, :-1])
            within += before_s[(i + 1) % len(before_s)][:, 0]
            paths[np.isinf(paths)] = np.nan if unreachable_s is None else unreachable_s
            column = np.full(len(place), -1)
            column[subnet] = np.arange(len(subnet))
            layers.append(Layer(weights[i], sealed(paths.take(column[free], axis=1)), base_s))
        satellites = [world.satellite_ids[s] for s in free.tolist()]
        problems.append(Problem(layers, top_k=top_k, satellites=satellites, name=name))
    return problems


def subnet_places(place: dict[str, int], ring: Ring) -> list[NDArray[np.int64]]:
    """Positions of the satellites of each subnet; an unknown one is named."""
    return [
        np.array(positions(place, f"ring.subnets[{i}]", subnet), dtype=np.int64)
        for i, subnet in enumerate(ring.subnets)
    ]


Ways = tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]
"""Latencies from the sources of each layer to its own subnet, and to that of the layer before [s].

Each (slots, sources, satellites).
"""


def ways(
    world: Constellation,
    times: NDArray[np.float64],
    rings: Iterable[tuple[Sequence[ArrayLike], Sequence[NDArray[np.int64]]]],
    *,
    slot: int,
    threads: int,
) -> list[Ways]:
    """Of each ring's sources and subnets, layer by layer, as positions.

    Links go both ways with one latency, so that one search from each source gives both.
    """
    rings = list(rings)
    blocks = []
    for sources, subnets in rings:
        for i, (subnet, before) in enumerate(zip(subnets, [subnets[-1], *subnets])):
            alike = np.array_equal(subnet, before)
            targets = subnet if alike else np.concatenate((subnet, before))
            blocks.append((np.asarray(sources[i]), targets))
    tables = iter(world.latencies_between(blocks, times, slot=slot, threads=threads))
    found = []
    for _, subnets in rings:
        of_layers = [next(tables) for _ in subnets]
        own_s = [table[:, :, : len(subnet)] for table, subnet in zip(of_layers, subnets)]
        before_s = [
            table[:, :, table.shape[2] - len(before) :]
            for table, before in zip(of_layers, [subnets[-1], *subnets])
        ]
        found.append((own_s, before_s))
    return found


def as_compute_s(compute_s: ArrayLike, layers: int, satellites: int) -> NDArray[np.float64]:
    """Checked compute times (layers, satellites)."""
    shape = (layers, satellites)
    try:
        compute = np.broadcast_to(np.asarray(compute_s, dtype=np.float64), shape)
    except ValueError:
        raise ValueError(
            f"compute_s: shape {np.shape(compute_s)} does not broadcast to (layers, satellites) = {shape}"
        ) from None
    bad = ~(np.isfinite(compute) & (compute >= 0))
    if bad.any():
        raise ValueError(f"compute_s: {compute[bad][0]:g} is not in [0, inf)")
    return compute


def layer_weights(weights: Any, top_k: int) -> list[NDArray[np.float64]]:
    """Checked sampling weights, layer by layer."""
    if isinstance(weights, str) or not isinstance(weights, Iterable):
        raise TypeError(f"weights: expected those of each layer, got {short(weights)}")
    layers = []
    for i, given in enumerate(weights):
        where = f"weights[{i}]"
        layer = as_array(where, given, "experts").astype(np.float64)
        bad = ~(np.isfinite(layer) & (layer > 0))
        if bad.any():
            e = int(bad.argmax())
            raise ValueError(f"{where}[{e}]: {layer[e]:g} is not in (0, inf)")
        if len(layer) < top_k:
            raise ValueError(f"top_k: {top_k} is not in [1, {len(layer)}], the number of {where}")
        layers.append(layer)
    return layers


def ring_weights(ring: Ring, weights: Any, top_k: int) -> list[NDArray[np.float64]]:
    """Checked sampling weights of as many layers as a ring has."""
    layers = layer_weights(weights, top_k)
    if len(layers) != len(ring.subnets):
        raise ValueError(f"weights: of {len(layers)} layers, the ring has {len(ring.subnets)}")
    return layers


def some_times(world: Constellation, times: Any) -> NDArray[np.float64]:
    """Seconds of one slot at least."""
    seconds = world.seconds(times)
    if seconds.ndim != 1:
        raise ValueError(f"times: expected shape (slots,), got {seconds.shape}")
    if not seconds.size:
        raise ValueError("times: must not be empty")
    return seconds


def positions(known: dict[str, int], field: str, ids: Sequence[str]) -> list[int]:
    """Positions of ids; an unknown one is named as of `field`."""
    for i, id in enumerate(ids):
        if id not in known:
            raise ValueError(f"{field}[{i}]: no satellite of the world has id {id!r}")
    return [known[id] for id in ids]
