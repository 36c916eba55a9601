"""What constellations tell of many instants: routes and latencies against networkx."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import network, orbit
from oracles import constellation as oracle
from oracles.random_constellations import expected_links, random_world, world


@pytest.mark.parametrize("seed", range(8))
def test_routes_are_those_of_networkx(seed):
    pytest.importorskip("networkx")
    made, time_s = random_world(seed), np.array([0.0, 700.0])
    ids, satellites = made.ids, len(made.satellite_ids)
    random = np.random.default_rng(seed)
    for _ in range(6):
        source, target = random.choice(len(ids), 2, replace=False).tolist()
        routes = made.routes(ids[source], ids[target], time_s)
        for i, t_s in enumerate(time_s):
            links = expected_links(made, float(t_s))
            latency_s, path = oracle.route(links, satellites, source, target)
            assert routes.latency_s[i] == pytest.approx(latency_s, rel=1e-9)
            assert bool(routes.paths[i]) == bool(path) and routes.hops[i] <= max(len(path) - 1, -1)
            places = [ids.index(id) for id in routes.paths[i]]
            assert sum(links[hop][1] for hop in zip(places, places[1:])) == pytest.approx(
                latency_s if path else 0.0, rel=1e-9
            )
            assert all(place < satellites for place in places[1:-1])


def test_stations_are_ends_and_do_not_relay():
    # Two rings that only stations see, both of them.
    high = orbit.walker("high", planes=1, satellites_per_plane=12, altitude_m=2e6, inclination_deg=0.0)
    stations = [orbit.station(f"g{i}", 0.0, 30.0 * i, min_elevation_deg=0.0) for i in range(12)]
    made = orbit.Constellation(
        [high, high.replace(name="low", altitude_m=1.9e6)], stations=stations, links=orbit.ground()
    )
    routes = made.routes("high/0/0", "low/0/0", [0.0])
    assert routes.paths == ((),) and routes.latency_s.tolist() == [np.inf] and routes.hops.tolist() == [-1]
    graph = made.at(0.0).graph  # which does lead there over stations
    assert network.shortest_paths(graph, "high/0/0").path(0, "low/0/0")
    assert network.shortest_paths(made.at(0.0, ends=[]).graph, "high/0/0").path(0, "low/0/0") == []
    seen = made.routes("g0", "g1", [0.0, 60.0])
    assert seen.hops.min() >= 2
    assert made.routes("g0", "g0", [0.0]).paths == (("g0",),)
    assert made.routes("g0", "g0", [0.0]).latency_s.tolist() == [0.0]
    assert made.routes("g0", "g1", []).paths == ()


@pytest.mark.parametrize("seed", range(4))
def test_latencies_are_those_of_routes_and_of_networkx(seed):
    pytest.importorskip("networkx")
    made, time_s = random_world(seed), [0.0, 300.0, 700.0]
    ids, satellites = made.ids, len(made.satellite_ids)
    sources = [ids[0], ids[satellites // 2], "g0", "g3"]
    found = made.latencies(sources, time_s)
    assert found.sources == tuple(sources) and found.targets == ids and found.time_s.tolist() == time_s
    links = expected_links(made, 300.0)
    for s, source in enumerate(sources):
        for target in (0, 5, satellites - 1, satellites + 1):
            latency_s, _ = oracle.route(links, satellites, ids.index(source), target)
            assert found.latency_s[1, s, target] == pytest.approx(latency_s, rel=1e-9)
            routes = made.routes(source, ids[target], time_s, threads=2)
            assert np.array_equal(routes.latency_s, found.latency_s[:, s, target])
            assert np.array_equal(routes.hops, found.hops[:, s, target])
    some = made.latencies(sources[2:], time_s, targets=[ids[1], "g2"], threads=3)
    places = [1, ids.index("g2")]
    assert np.array_equal(some.latency_s, found.latency_s[:, 2:, places])
    assert np.array_equal(some.hops, found.hops[:, 2:, places])
    # The same over its timeline, where stations have to be told not to relay.
    timeline = made.timeline(0.0, 900.0, 300.0)
    over = network.latencies(timeline, sources, relays=made.satellite_ids)
    assert np.array_equal(over.latency_s[:2], found.latency_s[:2])
    assert np.array_equal(over.hops[:2], found.hops[:2])


@pytest.mark.parametrize("seed", range(4))
def test_latencies_between_blocks_are_those_of_each(seed):
    made, time_s = random_world(seed), 100.0 * np.arange(70)
    ids = made.ids
    blocks = [
        (ids[:20], ids[5:9]),
        ("g0", np.arange(len(ids))),
        (np.array([3, 1]), [ids[2], "g1"]),
        ([], ids),
    ]
    found = made.latencies_between(blocks, time_s, threads=2)
    assert len(found) == len(blocks)
    for (sources, targets), table in zip(blocks, found):
        expected = made.latencies(sources, time_s, targets=targets).latency_s
        assert table.tobytes() == expected.tobytes() and table.shape == expected.shape
    assert made.latencies_between([], time_s) == []
    assert made.latencies_between([(ids, ids[:2])], [])[0].shape == (0, len(ids), 2)


def test_latencies_of_many_instants_are_those_of_each():
    chance = orbit.LinkRule(pattern="plus-grid", shell="iridium-next", survival=0.7, seed=3)
    made, time_s = world(links=[chance, orbit.ground()]), 60.0 * np.arange(150)
    found = made.latencies(["Dubai", "iridium-next/2/3"], time_s, threads=2)
    timeline = made.timeline(0.0, 9000.0, 60.0)  # whose slots are drawn alike
    over = network.latencies(timeline, ["Dubai", "iridium-next/2/3"], relays=made.satellite_ids)
    assert np.array_equal(over.latency_s, found.latency_s) and np.array_equal(over.hops, found.hops)
    assert len(np.unique(found.hops[:, 1, 0])) > 3
    assert made.latencies("Dubai", []).latency_s.shape == (0, 1, 68)


def test_routes_show_themselves():
    made = world()
    routes = made.routes("Svalbard", "Dubai", [0.0, 60.0])
    assert repr(routes) == "Routes('Svalbard' to 'Dubai': 2 instants, 2 with a route)"
    lines = routes.summary().splitlines()
    assert lines[2].split() == ["time", "latency", "hops", "path"] and lines[3].startswith("  0 s ")
    assert "Svalbard → iridium-next/" in routes.summary() and "Svalbard → " in routes._repr_html_()
    table = routes.table()
    assert table.columns == ("time_s", "latency_s", "path")
    assert table.rows[0][2].split(" ") == list(routes.paths[0])
    none = world(links=[]).routes("Svalbard", "Dubai", [0.0])
    assert none.table().rows == ((0.0, "", ""),) and "–" in none.summary()
