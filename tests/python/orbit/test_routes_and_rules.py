"""Routes and latencies know of rules and losses what snapshots know."""

from __future__ import annotations

import numpy as np
import pytest

from constellm import network, orbit

TIMES = [0.0, 70.0, 900.0, 1830.0]
STATIONS = [
    orbit.station("Svalbard", 78.2, 15.4, min_elevation_deg=8.2),
    orbit.station("Chandler", 33.3, -111.8, min_elevation_deg=8.2),
]
GRID = orbit.plus_grid(seam="open", max_latitude_deg=75.0)
WORLDS = {
    "losses": {
        "links": [GRID, orbit.ground()],
        "outages": [
            orbit.Outage("iridium-next/3/5", start=60.0, stop=1000.0),
            orbit.Outage(("iridium-next/0/0", "iridium-next/0/1"), stop=80.0),
            orbit.Outage("Svalbard", start=1000.0),
        ],
    },
    "acquisition": {"links": [GRID, orbit.LinkRule(pattern="ground", acquisition_s=240.0)]},
    "few links": {"links": [orbit.LinkRule(pattern="all", max_links=3), orbit.ground()]},
    "budgets": {
        "links": [
            orbit.plus_grid(budget=orbit.OpticalBudget(min_rate_bps=2e9)),
            orbit.ground(budget=orbit.KaBandBudget()),
        ]
    },
    "chance": {"links": [GRID, orbit.LinkRule(pattern="ground", survival=0.6, seed=3)]},
    "nearest": {"links": [orbit.nearest(4), orbit.ground()]},
    "sgp4, slow to acquire": {
        "satellites": orbit.sample_elements(),
        "links": [orbit.nearest(5), orbit.LinkRule(pattern="ground", acquisition_s=120.0)],
    },
}


@pytest.mark.parametrize("name", WORLDS)
def test_routes_are_those_of_snapshots(name: str) -> None:
    given = {"satellites": orbit.preset("iridium-next"), "stations": STATIONS, **WORLDS[name]}
    world = orbit.Constellation(**given)
    source = world.satellite_ids[20]
    routes = world.routes(source, "Svalbard", TIMES)
    table = world.latencies([source, "Chandler"], TIMES, threads=2)
    for i, t_s in enumerate(TIMES):
        graph = world.at(t_s, ends="Svalbard", slot=i).graph
        paths = network.shortest_paths(graph, source, relays=world.satellite_ids)
        least_s = paths.cost[0, world.ids.index("Svalbard")]
        assert routes.latency_s[i] == pytest.approx(least_s, rel=1e-12)
        assert table.latency_s[i, 0, world.ids.index("Svalbard")] == routes.latency_s[i]
        if np.isfinite(least_s):
            assert list(routes.paths[i]) == paths.path(0, "Svalbard")
        satellites = slice(0, len(world.satellite_ids))
        np.testing.assert_allclose(table.latency_s[i, 0, satellites], paths.cost[0, satellites], rtol=1e-12)
        assert (table.hops[i, 0, satellites] >= 0).tolist() == np.isfinite(paths.cost[0, satellites]).tolist()
