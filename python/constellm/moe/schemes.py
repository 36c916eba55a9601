"""The paper's placements, and the one that its comparison lacks, on one constellation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core.orbit import Shell
from ..core.checks import count, instance, meant, short
from ..core.display import Display, Displayed
from ..core.table import Table
from ..orbit import Constellation
from .draws import generator
from .paths import layer_weights, ring_problems
from .problem import Layer, Problem
from .ring import Ring, ring, scattered
from .solver import Placement, solve

SCHEMES = {
    "sorted": "a ring, central gateways; the nearest satellites, heavy experts on near ones",
    "nearest-unsorted": "a ring, central gateways; the nearest satellites, in random order",
    "rand-intra-cg": "a ring, central gateways; random satellites of the subnet",
    "rand-intra": "a ring, random gateways; random satellites of the subnet",
    "rand-place": "random gateways and satellites of the whole constellation",
}
"""What `arrange` knows, by name. ``sorted`` is the proposal of Space-XNet (arXiv 2605.00515), whose
benchmarks are RandIntra-CG, RandIntra and RandPlace; ``nearest-unsorted`` tells what of its gain the
order is."""


@dataclass(frozen=True, eq=False, repr=False)
class Arrangement(Displayed):
    """Gateways and experts on a constellation; what `arrange` gives.

    Examples
    --------
    See `constellm.moe.arrange`.
    """

    scheme: str
    """A name of `SCHEMES`."""
    ring: Ring
    problem: Problem
    placement: Placement
    """Id of the satellite of each expert, layer by layer."""
    unreachable_s: float | None = None
    """What counts in `problem` where no way leads to a satellite of the subnet [s]."""

    def __repr__(self) -> str:
        return f"Arrangement({self.scheme!r}, {self.ring!r})"

    def _display(self) -> Display:
        rows = [
            (layer, gateway, " ".join(hosts))
            for layer, (gateway, hosts) in enumerate(zip(self.ring.gateways, self.placement))
        ]
        head = f"Arrangement {self.scheme}: {SCHEMES[self.scheme]}"
        return Display([head], [Table(("layer", "gateway", "experts"), rows)])


def arrange(
    world: Constellation,
    times: Any,
    *,
    weights: Sequence[ArrayLike] | NDArray[Any],
    top_k: int,
    schemes: str | Iterable[str] = tuple(SCHEMES),
    shell: str | None = None,
    seed: int = 0,
    compute_s: ArrayLike = 0.0,
    base_s: float = 0.0,
    unreachable_s: float | None = None,
    threads: int = 1,
) -> dict[str, Arrangement]:
    """Gateways and experts placed by the paper's schemes.

    Parameters
    ----------
    world : Constellation
    times : array_like, shape (slots,)
        As of `path_latencies`.
    weights : sequence of array_like
        Sampling weights of the experts, layer by layer.
    top_k : int
        Experts activated per token and layer.
    schemes : str or sequence of str
        Names of `SCHEMES`.
    shell : str, optional
        Name of the one on whose orbits the ring lies; default: the only shell of the world.
    seed : int
        Of what is random.
    compute_s, base_s, unreachable_s, threads
        As of `ring_problem`.

    Returns
    -------
    dict of str to Arrangement
        By scheme. Schemes with the same gateways share a problem.

    Raises
    ------
    ValueError, TypeError
        For what is no scheme and no shell, for a subnet with too few satellites, and what `ring_problem`
        refuses.

    Examples
    --------
    >>> import numpy as np
    >>> from constellm import moe, orbit
    >>> world = orbit.Constellation(orbit.preset("space-xnet"), links=orbit.plus_grid(seam="open"))
    >>> found = moe.arrange(world, [0.0], weights=np.ones((32, 8)), top_k=2, schemes=["sorted", "rand-intra"])
    >>> [round(moe.evaluate(one.problem, one.placement).token_latency_s, 1) for one in found.values()]
    [0.9, 3.8]
    >>> found["sorted"].ring.gateways[0], sorted(found["sorted"].placement[0])[:3]
    ('space-xnet/16/0', ['space-xnet/12/0', 'space-xnet/13/0', 'space-xnet/14/0'])
    """
    if not isinstance(schemes, Iterable):
        raise TypeError(f"schemes: expected names, got {short(schemes)}")
    names = [schemes] if isinstance(schemes, str) else list(schemes)
    for name in names:
        if not isinstance(name, str) or name not in SCHEMES:
            known = ", ".join(map(repr, SCHEMES))
            raise ValueError(f"schemes: {short(name)} is not one of {known}{meant(str(name), SCHEMES)}")
    instance("world", world, Constellation)
    top_k = count("top_k", top_k, most=2**31 - 1)
    weights = layer_weights(weights, top_k)
    orbits = _shell(world, shell)
    first = {_GATEWAYS[name]: name for name in reversed(names)}  # of each kind of gateways
    rings = {
        gateways: scattered(orbits, len(weights), seed=seed)
        if gateways == "anywhere"
        else ring(orbits, len(weights), gateways=gateways, seed=seed)
        for gateways in first
    }
    problems = dict(
        zip(
            rings,
            ring_problems(
                world, list(rings.values()), times, weights=weights, top_k=top_k, compute_s=compute_s,
                base_s=base_s, unreachable_s=unreachable_s, names=list(first.values()), threads=threads,
            ),
        )
    )  # fmt: skip
    found = {}
    for name in names:
        around, problem = rings[_GATEWAYS[name]], problems[_GATEWAYS[name]]
        found[name] = Arrangement(name, around, problem, _PLACEMENTS[name](problem, seed=seed), unreachable_s)
    return found


def random_placement(problem: Problem, *, seed: int = 0) -> Placement:
    """Experts on satellites by chance, each set of those that are open to a layer as likely as any other.

    A satellite is open to a layer if it is reachable in every slot; where the problem says what counts
    otherwise, in some slot. Layers choose one after the other among the satellites that are left.

    Parameters
    ----------
    problem : Problem
    seed : int

    Returns
    -------
    tuple of tuple of str
        For each layer the id of each expert's satellite.

    Raises
    ------
    ValueError, TypeError
        Where a layer has more experts than satellites are left.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer(weights=[0.5, 0.3, 0.2], latency_s=[[10e-3, 14e-3, 15e-3, 22e-3, 30e-3]])
    >>> problem = moe.Problem([layer], top_k=2)
    >>> moe.random_placement(problem, seed=1)
    (('s3', 's0', 's2'),)
    """
    draws = generator("random placement", seed)

    def chosen(_: Layer, left: NDArray[np.intp], experts: int) -> NDArray[np.intp]:
        return left[np.argsort(draws.random(len(left)), kind="stable")[:experts]]

    return _placed(problem, chosen)


def nearest_placement(problem: Problem, *, seed: int = 0) -> Placement:
    """Experts on the satellites of least mean path latency, in random order.

    Parameters
    ----------
    problem : Problem
    seed : int

    Returns
    -------
    tuple of tuple of str
        As of `random_placement`.

    Raises
    ------
    ValueError, TypeError
        As `random_placement`.

    Examples
    --------
    >>> from constellm import moe
    >>> layer = moe.Layer(weights=[0.5, 0.3, 0.2], latency_s=[[10e-3, 14e-3, 15e-3, 22e-3, 30e-3]])
    >>> problem = moe.Problem([layer], top_k=2)
    >>> sorted(moe.nearest_placement(problem)[0])
    ['s0', 's1', 's2']
    """
    draws = generator("nearest placement", seed)

    def chosen(layer: Layer, left: NDArray[np.intp], experts: int) -> NDArray[np.intp]:
        some_s = np.asarray(layer.latency_s)[:, left]
        if problem.unreachable_s is not None:
            some_s[np.isnan(some_s)] = problem.unreachable_s
        near = left[np.argsort(some_s.mean(axis=0), kind="stable")[:experts]]
        return near[np.argsort(draws.random(len(near)), kind="stable")]

    return _placed(problem, chosen)


def _sorted_placement(problem: Problem, *, seed: int = 0) -> Placement:
    placement = solve(problem, method="sorted").placement
    if not placement:
        raise ValueError("scheme 'sorted': a layer has more experts than satellites are left")
    return placement


Choice = Callable[[Layer, NDArray[np.intp], int], NDArray[np.intp]]
"""Of a layer's open satellites those of so many experts."""


def _placed(problem: Problem, choose: Choice) -> Placement:
    """What `choose` takes of the satellites that are open to a layer and not taken."""
    instance("problem", problem, Problem)
    taken = np.zeros(len(problem.satellites), dtype=np.bool_)
    placement = []
    for i, layer in enumerate(problem.layers):
        # Both are NaN for what is closed: a sum where one slot is, the least where every slot is.
        of_slots = np.add if problem.unreachable_s is None else np.fmin
        whole_s = of_slots.reduce(layer.latency_s, axis=0)
        left = np.flatnonzero(~(np.isnan(whole_s) | taken))
        experts = len(layer.weights)
        if len(left) < experts:
            raise ValueError(f"layers[{i}]: {experts} experts for the {len(left)} satellites that are left")
        hosts = choose(layer, left, experts)
        taken[hosts] = True
        placement.append(tuple(problem.satellites[i] for i in hosts.tolist()))
    return tuple(placement)


_GATEWAYS = {
    "sorted": "central",
    "nearest-unsorted": "central",
    "rand-intra-cg": "central",
    "rand-intra": "random",
    "rand-place": "anywhere",
}
_PLACEMENTS: dict[str, Callable[..., Placement]] = {
    "sorted": _sorted_placement,
    "nearest-unsorted": nearest_placement,
    "rand-intra-cg": random_placement,
    "rand-intra": random_placement,
    "rand-place": random_placement,
}


def _shell(world: Constellation, name: str | None) -> Shell:
    if name is None:
        if len(world.shells) != 1:
            raise ValueError(f"shell: to be named, the world has {len(world.shells)} shells")
        return world.shells[0]
    for shell in world.shells:
        if shell.name == name:
            return shell
    raise ValueError(f"shell: the world has none of name {short(name)}")
