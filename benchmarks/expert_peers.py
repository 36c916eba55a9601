"""The whole experiment of Space-XNet beside the same in numpy with scipy's and with networkx's Dijkstra.

From elements to what a token takes by each of the five schemes. The peer is written out with whole arrays: no
loop in Python goes over links or satellites, and the gateways of all schemes are routed in one call a slot.
Random numbers are those of constellm, so that all find the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tables
import timing
from orbit_peers import OWN, rows_of

from constellm import orbit
from constellm.core.constants import EARTH_J2, EARTH_MU_M3_PER_S2, EARTH_RADIUS_M, LIGHT_M_PER_S
from constellm.moe.draws import generator
from constellm.paper.space_xnet import Scenario, reached
from constellm.paper.space_xnet.scenario import CUT_OFF_S, MESSAGE_S

SCIPY = "numpy, scipy's `csgraph.dijkstra`"
NETWORKX = "numpy, networkx's Dijkstra"
SCHEMES = ("sorted", "nearest-unsorted", "rand-intra-cg", "rand-intra", "rand-place")
GRAZING_M = 80e3

Found = dict[str, tuple[float, float]]
"""By scheme: latency of a token [s], and the share of slots that is left out."""


class Links(NamedTuple):
    """Pairs that may be joined, and the latency over each."""

    a: np.ndarray
    b: np.ndarray
    latency_s: np.ndarray
    """(slots, pairs), inf where the link is not there."""
    satellites: int


Route = Callable[[Links, np.ndarray], Iterator[np.ndarray]]
"""For each slot the latencies from sources to all satellites (sources, satellites) [s], inf if cut off."""


def own(scenario: Scenario, seed: int) -> Found:
    """By constellm."""
    return {name: reached(one) for name, one in scenario.arrangements(seed, schemes=SCHEMES).items()}


def written_out(scenario: Scenario, seed: int, route: Route) -> Found:
    """By numpy and a library that routes, for as many layers as a plane has satellites."""
    links = links_of(scenario, seed)
    weights = scenario.weights(seed)
    grid = np.arange(links.satellites).reshape(scenario.planes, scenario.satellites_per_plane).T
    some = (generator("gateways", seed).random(scenario.layers) * scenario.planes).astype(int)
    anywhere = np.argsort(generator("gateways", seed).random(links.satellites), kind="stable")
    gateways = {
        "central": grid[:, scenario.planes // 2],
        "random": grid[np.arange(scenario.layers), some],
        "anywhere": anywhere[: scenario.layers],
    }
    ways_s = np.array(list(route(links, np.concatenate(list(gateways.values())))))
    paths_s = {}
    for name, part_s in zip(gateways, np.split(ways_s.transpose(1, 0, 2), 3)):
        paths_s[name] = part_s + scenario.expert_s + np.roll(part_s, -1, axis=0)
    open_to = np.zeros((scenario.layers, links.satellites), dtype=bool)
    open_to[np.arange(scenario.layers)[:, None], grid] = True
    everywhere = np.ones_like(open_to)
    found = {}
    for scheme, (around, subnets, choose) in {
        "sorted": ("central", open_to, by_mean),
        "nearest-unsorted": ("central", open_to, near),
        "rand-intra-cg": ("central", open_to, anyhow),
        "rand-intra": ("random", open_to, anyhow),
        "rand-place": ("anywhere", everywhere, anyhow),
    }.items():
        hosts = placed(paths_s[around], subnets, gateways[around], weights, choose(seed))
        found[scheme] = token_latency(paths_s[around], hosts, weights, scenario.gateway_s)
    return found


def links_of(scenario: Scenario, seed: int) -> Links:
    """A +Grid by states with secular J2, with the scenario's limits and outages."""
    shell, time_s = scenario.shell, scenario.times()
    position_m, velocity_m_per_s = states(orbit.elements(shell), time_s)
    grid = np.arange(shell.satellites).reshape(scenario.planes, scenario.satellites_per_plane)
    beside = grid if scenario.seam == "closed" else grid[:-1]
    a = np.concatenate((grid.ravel(), beside.ravel()))
    b = np.concatenate((np.roll(grid, -1, axis=1).ravel(), np.roll(grid, -1, axis=0)[: len(beside)].ravel()))
    start_m = position_m[:, a]
    line_m = position_m[:, b] - start_m
    change_m_per_s = velocity_m_per_s[:, b] - velocity_m_per_s[:, a]
    squared = dot(line_m, line_m)
    across = squared * dot(change_m_per_s, change_m_per_s) - dot(line_m, change_m_per_s) ** 2
    share = np.clip(-dot(start_m, line_m) / squared, 0.0, 1.0)
    closest_m = start_m + share[..., None] * line_m
    there = dot(closest_m, closest_m) >= (EARTH_RADIUS_M + GRAZING_M) ** 2
    there &= across <= (np.radians(scenario.max_turn_deg_per_s) * squared) ** 2
    there &= survives(np.arange(len(time_s)), np.minimum(a, b), np.maximum(a, b), seed) < scenario.survival
    latency_s = np.sqrt(squared) / LIGHT_M_PER_S + MESSAGE_S + scenario.hop_s
    return Links(a, b, np.where(there, latency_s, np.inf), shell.satellites)


def states(of: Any, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions and velocities on circles (times, satellites, 3)."""
    a, tilt = of.semi_major_axis_m, of.inclination_rad
    n = np.sqrt(EARTH_MU_M3_PER_S2 / a**3)
    k = 0.75 * n * EARTH_J2 * (EARTH_RADIUS_M / a) ** 2
    t = time_s[:, None]
    raan = of.raan_rad - 2.0 * k * np.cos(tilt) * t
    turn = n + k * (6.0 - 8.0 * np.sin(tilt) ** 2)
    along = of.argument_of_perigee_rad + of.mean_anomaly_rad + turn * t
    cos_raan, sin_raan, cos, sin = np.cos(raan), np.sin(raan), np.cos(along), np.sin(along)
    first = np.stack((cos_raan, sin_raan, np.zeros_like(raan)), axis=-1)
    rise = np.broadcast_to(np.sin(tilt), raan.shape)
    second = np.stack((-sin_raan * np.cos(tilt), cos_raan * np.cos(tilt), rise), axis=-1)
    position = cos[..., None] * first + sin[..., None] * second
    velocity = cos[..., None] * second - sin[..., None] * first
    return a[:, None] * position, (a * n)[:, None] * velocity


def dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.einsum("...c,...c->...", x, y)


def survives(slots: np.ndarray, low: np.ndarray, high: np.ndarray, seed: int) -> np.ndarray:
    """Numbers in [0, 1) of each slot and pair, as constellm draws them by splitmix64."""
    golden = np.uint64(0x9E3779B97F4A7C15)

    def mixed(x: np.ndarray) -> np.ndarray:
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))

    of_seed = mixed(np.array([seed], dtype=np.uint64) + golden)
    of_slot = mixed((of_seed ^ slots.astype(np.uint64)) + golden)
    pair = (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
    return (mixed((of_slot[:, None] ^ pair) + golden) >> np.uint64(11)) * 2.0**-53


def with_scipy(links: Links, sources: np.ndarray) -> Iterator[np.ndarray]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    for latency_s in links.latency_s:
        there = np.isfinite(latency_s)
        a, b, weight = links.a[there], links.b[there], latency_s[there]
        ends = np.concatenate((a, b)), np.concatenate((b, a))
        graph = csr_matrix((np.tile(weight, 2), ends), shape=(links.satellites,) * 2)
        yield dijkstra(graph, indices=sources)


def with_networkx(links: Links, sources: np.ndarray) -> Iterator[np.ndarray]:
    import networkx

    for latency_s in links.latency_s:
        there = np.isfinite(latency_s)
        graph = networkx.Graph()
        graph.add_nodes_from(range(links.satellites))
        edges = zip(links.a[there].tolist(), links.b[there].tolist(), latency_s[there].tolist())
        graph.add_weighted_edges_from(edges)
        found = np.full((len(sources), links.satellites), np.inf)
        for row, source in zip(found, sources.tolist()):
            lengths = networkx.single_source_dijkstra_path_length(graph, source)
            row[list(lengths.keys())] = list(lengths.values())
        yield found


Choice = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of mean latencies and weights: which of the satellites hosts each expert."""


def by_mean(seed: int) -> Choice:
    """Heavy experts on near satellites."""

    def choose(mean_s: np.ndarray, weights: np.ndarray) -> np.ndarray:
        hosts = np.empty(len(weights), dtype=int)
        nearest = np.argsort(mean_s, kind="stable")[: len(weights)]
        hosts[np.argsort(-weights, kind="stable")] = nearest
        return hosts

    return choose


def near(seed: int) -> Choice:
    """Near satellites in random order."""
    draws = generator("nearest placement", seed)

    def choose(mean_s: np.ndarray, weights: np.ndarray) -> np.ndarray:
        nearest = np.argsort(mean_s, kind="stable")[: len(weights)]
        return nearest[np.argsort(draws.random(len(weights)), kind="stable")]

    return choose


def anyhow(seed: int) -> Choice:
    """Random satellites."""
    draws = generator("random placement", seed)

    def choose(mean_s: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.argsort(draws.random(len(mean_s)), kind="stable")[: len(weights)]

    return choose


def placed(
    paths_s: np.ndarray, subnets: np.ndarray, gateways: np.ndarray, weights: np.ndarray, choose: Choice
) -> np.ndarray:
    """The satellite of each expert (layers, experts); layers choose one after the other."""
    taken = np.zeros(paths_s.shape[2], dtype=bool)
    taken[gateways] = True
    hosts = np.empty(weights.shape, dtype=int)
    for layer, heavy in enumerate(weights):
        left = np.flatnonzero(subnets[layer] & ~taken)
        some_s = paths_s[layer][:, left]
        mean_s = np.where(np.isfinite(some_s), some_s, CUT_OFF_S).mean(axis=0)
        hosts[layer] = left[choose(mean_s, heavy)]
        taken[hosts[layer]] = True
    return hosts


def token_latency(
    paths_s: np.ndarray, hosts: np.ndarray, weights: np.ndarray, base_s: float
) -> tuple[float, float]:
    """Of two experts a token and layer: the expected slower one, over the slots in which all are reached.

    Of the experts sorted by latency, the first j have both picks with probability
    F_j = Σ_i≤j w_i (W_j - w_i) / (1 - w_i), where W_j is the sum of their weights.
    """
    whole_s, cut = 0.0, 0
    for layer, (chosen, weight) in enumerate(zip(hosts, weights)):
        all_s = paths_s[layer][:, chosen]
        some_s = all_s[np.isfinite(all_s).all(axis=1)]
        cut += len(all_s) - len(some_s)
        order = np.argsort(some_s, axis=1, kind="stable")
        w = weight[order] / weight.sum()
        both = np.cumsum(w, axis=1) * np.cumsum(w / (1.0 - w), axis=1) - np.cumsum(w**2 / (1.0 - w), axis=1)
        slower = np.diff(both, axis=1, prepend=0.0) * np.take_along_axis(some_s, order, axis=1)
        whole_s += base_s + float(slower.sum(axis=1).mean())
    return whole_s, cut / (len(hosts) * paths_s.shape[1])


def measure(scenario: Scenario | None = None, few: int = 4, rounds: int = 2, seed: int = 0) -> tables.Rows:
    """A row for each contender; networkx has the first `few` slots, and its seconds are scaled by the number.

    Raises
    ------
    AssertionError
        If a peer finds other latencies.
    """
    scenario = Scenario() if scenario is None else scenario
    part = scenario.replace(slots=few, slot_s=float(scenario.times()[1]))
    contenders = {
        OWN: lambda: own(scenario, seed),
        SCIPY: lambda: written_out(scenario, seed, with_scipy),
    }
    compare(contenders[OWN](), contenders[SCIPY](), SCIPY)
    compare(own(part, seed), written_out(part, seed, with_networkx), NETWORKX)
    runs = timing.in_turn(contenders, rounds)
    runs[NETWORKX] = [
        seconds * scenario.slots / few
        for seconds in timing.repeat(lambda: written_out(part, seed, with_networkx), least_s=0.0)
    ]
    sizes = {"satellites": scenario.planes * scenario.satellites_per_plane, "schemes": len(SCHEMES)}
    rows = rows_of("experiment", runs, **sizes)
    for row in rows:
        row["slots"] = few if row["solver"] == NETWORKX else scenario.slots
    return rows


def compare(its: Found, other: Found, name: str) -> None:
    """Equal to rounding."""
    assert its.keys() == other.keys(), name
    np.testing.assert_allclose(list(other.values()), list(its.values()), rtol=1e-9, err_msg=name)
