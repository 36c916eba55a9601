"""Orbits, windows and routes against what is simpler: sampling, a turn of the whole, scipy, networkx."""

from __future__ import annotations

import math

import numpy as np
import pytest

from constellm import network, orbit

STEP_S = 0.1


def random_elements(number: int, *, most_eccentricity: float) -> orbit.Elements:
    random = np.random.default_rng(number)
    return orbit.Elements(
        semi_major_axis_m=random.uniform(6.7e6, 4.3e7, number),
        eccentricity=random.uniform(0.0, most_eccentricity, number),
        inclination_rad=random.uniform(0.0, math.pi, number),
        raan_rad=random.uniform(-math.pi, math.pi, number),
        argument_of_perigee_rad=random.uniform(-math.pi, math.pi, number),
        mean_anomaly_rad=random.uniform(-math.pi, math.pi, number),
    )


def test_ten_thousand_states_there_and_back() -> None:
    there = orbit.propagate(random_elements(10_000, most_eccentricity=0.9), 0.0, propagator="two-body")
    found = orbit.elements_of_state(there.position_m, there.velocity_m_per_s)
    again = orbit.propagate(found, 0.0, propagator="two-body")
    radius_m = np.linalg.norm(there.position_m, axis=1)
    speed = np.linalg.norm(there.velocity_m_per_s, axis=1)
    assert len(found) == 10_000
    assert (np.linalg.norm(again.position_m - there.position_m, axis=1) / radius_m).max() < 2e-12
    assert (np.linalg.norm(again.velocity_m_per_s - there.velocity_m_per_s, axis=1) / speed).max() < 2e-12


def test_a_turn_of_the_whole_about_any_axis_changes_no_distance() -> None:
    start = orbit.propagate(random_elements(60, most_eccentricity=0.6), 0.0, propagator="two-body")
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    time_s = np.arange(0.0, 40_000.0, 4_000.0)

    def distances_m(turned: np.ndarray) -> np.ndarray:
        elements = orbit.elements_of_state(start.position_m @ turned.T, start.velocity_m_per_s @ turned.T)
        position_m = orbit.propagate(elements, time_s, propagator="two-body").position_m
        return orbit.line_of_sight(position_m[:, None], position_m[None]).range_m

    still, moved = distances_m(np.eye(3)), distances_m(turn)
    assert (still == still.transpose(1, 0, 2)).all() and (np.diagonal(still) == 0).all()
    assert np.abs(still - moved).max() < 1e-4


def stretches_s(up: np.ndarray, time_s: np.ndarray) -> list[tuple[float, float]]:
    """First and last instants of the stretches in which something is up."""
    edges = np.diff(np.concatenate([[False], up, [False]]).astype(np.int8))
    return list(zip(time_s[np.flatnonzero(edges == 1)], time_s[np.flatnonzero(edges == -1) - 1]))


def test_windows_are_what_a_tenth_of_a_second_shows() -> None:
    pytest.importorskip("sgp4")
    shell, sets = orbit.preset("iridium-next", phasing=0.0), orbit.sample_elements()[::16]
    stations = [
        orbit.station("Svalbard", 78.2, 15.4, 400.0, min_elevation_deg=5.0),
        orbit.station("Dubai", 25.2, 55.3, min_elevation_deg=10.0, max_range_m=2.2e6),
        orbit.station("Quito", -0.2, -78.5, 2850.0, min_elevation_deg=0.0),
    ]
    grid = orbit.plus_grid(seam="open", max_range_m=4.1e6, max_latitude_deg=60.0)
    made = orbit.Constellation(
        [shell, sets], stations=stations, links=[grid, orbit.ground()], epoch="2024-01-13"
    )
    stop_s, first = 2400.0, len(made.satellite_ids)
    windows = made.windows(0.0, stop_s)
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for a, b, *ends in zip(
        *(getattr(windows, name).tolist() for name in ("from_", "to", "open_s", "close_s"))
    ):
        if a < b:
            found.setdefault((a, b), []).append(tuple(ends))

    time_s = np.arange(0.0, stop_s + STEP_S / 2, STEP_S)
    position_m = made.states(time_s, "ecef").position_m
    expected = {}
    for g, site in enumerate(stations):
        seen = orbit.look_angles(site.latitude_deg, site.longitude_deg, site.altitude_m, position_m)
        near = site.max_range_m is None or seen.range_m <= site.max_range_m
        up = (seen.elevation_deg >= site.min_elevation_deg) & near
        expected |= {(s, first + g): stretches_s(up[s], time_s) for s in range(first)}
    latitude_deg = np.degrees(np.arcsin(np.abs(position_m[..., 2]) / np.linalg.norm(position_m, axis=-1)))
    for plane in range(6):
        for k in range(11):
            a, ahead, beside = 11 * plane + k, 11 * plane + (k + 1) % 11, 11 * (plane + 1) + k
            for b in [ahead] if plane == 5 else [ahead, beside]:
                sight = orbit.line_of_sight(position_m[a], position_m[b])
                up = (sight.range_m <= 4.1e6) & (sight.grazing_altitude_m >= 80e3)
                if b == beside:
                    up &= np.maximum(latitude_deg[a], latitude_deg[b]) <= 60.0
                expected[min(a, b), max(a, b)] = stretches_s(up, time_s)

    expected = {pair: stretches for pair, stretches in expected.items() if stretches}
    assert found.keys() == expected.keys()
    assert sum(map(len, found.values())) > 150
    for pair, stretches in expected.items():
        assert len(found[pair]) == len(stretches), pair
        for (open_s, close_s), (up_s, last_s) in zip(sorted(found[pair]), stretches):
            assert -1e-3 <= up_s - open_s < STEP_S + 1e-3 and -1e-3 <= close_s - last_s < STEP_S + 1e-3, pair


@pytest.mark.parametrize("real", [False, True], ids=["starlink-550", "iridium"])
def test_routes_of_whole_snapshots_are_those_of_scipy_and_networkx(real: bool) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    nx = pytest.importorskip("networkx")
    stations = orbit.sample_stations("ksat", min_elevation_deg=10.0)
    if real:
        pytest.importorskip("sgp4")
        world = orbit.Constellation(
            orbit.sample_elements(), stations=stations, links=[orbit.nearest(5), orbit.ground()]
        )
    else:
        world = orbit.Constellation(
            orbit.preset("starlink-550"), stations=stations, links=[orbit.plus_grid(), orbit.ground()]
        )
    for t_s in (0.0, 4321.0):
        graph = world.at(t_s).graph
        size = len(graph.nodes)
        matrix = sparse.csr_matrix((graph.latency_s, (graph.from_, graph.to)), shape=(size, size))
        sources = np.arange(0, size, max(size // 12, 1))
        expected = sparse.csgraph.dijkstra(matrix, indices=sources)
        found = network.shortest_paths(graph, sources.tolist())
        np.testing.assert_allclose(found.cost, expected, rtol=1e-12)
        assert np.isfinite(expected).mean() > 0.5
        peer = nx.DiGraph()
        peer.add_weighted_edges_from(zip(graph.from_.tolist(), graph.to.tolist(), graph.latency_s.tolist()))
        lengths = nx.single_source_dijkstra_path_length(peer, int(sources[1]))
        assert {node: found.cost[1, node] for node in lengths} == pytest.approx(lengths, rel=1e-12)
        assert len(lengths) == np.isfinite(found.cost[1]).sum()
